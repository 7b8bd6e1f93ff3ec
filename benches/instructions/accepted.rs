//! Compares the measured figures with the accepted ones.

use std::collections::BTreeMap;
use std::fs;

use crate::measure::NAMES;
use crate::support::table::print_table;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions/accepted.json");
const MOST_PERCENT: f64 = 3.0;

/// Accepts the measured figures.
pub fn write(figures: &[u64; NAMES.len()]) {
    let accepted: BTreeMap<_, _> = NAMES.into_iter().zip(figures).collect();
    fs::write(FILE, serde_json::to_string_pretty(&accepted).unwrap() + "\n").unwrap();
}

/// Prints both. Returns whether no figure is too far above the accepted one.
pub fn compare(figures: &[u64; NAMES.len()]) -> bool {
    let accepted: BTreeMap<String, u64> = serde_json::from_str(&fs::read_to_string(FILE).unwrap()).unwrap();
    let (mut rows, mut is_above) = (Vec::new(), false);
    for (name, figure) in NAMES.into_iter().zip(figures) {
        let accepted = accepted[name];
        let percent = (*figure as f64 / accepted as f64 - 1.0) * 100.0;
        is_above |= percent > MOST_PERCENT;
        rows.push(vec![name.to_owned(), millions(*figure), millions(accepted), format!("{percent:+.1} %")]);
    }
    print_table(&["millions of instructions", "measured", "accepted", "difference"], &rows);
    if is_above {
        eprintln!("\nA figure is more than {MOST_PERCENT} % above the accepted one.");
        eprintln!("Where that is intended, run it again with `-- --accept` and the same files, and commit accepted.json.");
    }
    !is_above
}

fn millions(instructions: u64) -> String {
    format!("{:.3}", instructions as f64 / 1e6)
}
