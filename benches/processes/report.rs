//! The tables of the comparison.

use crate::figures::Figures;
use crate::rounds::Subject;
use crate::support::table::{print_table, short};

/// Prints the figures, the ratios, the calls, and the measured values beside the targets.
pub fn print(subjects: &[Subject<'_>; 4], reads: &Figures) {
    let [hello, straightforward, orders, callbacks] = &subjects.each_ref().map(|subject| &subject.figures);
    let sizes = subjects.each_ref().map(|subject| subject.program.sizes());
    type Figure = (&'static str, fn(&Figures) -> f64);
    let figures: [Figure; 14] = [
        ("init ms", |f| f.init.median()),
        ("first ms", |f| f.first.median()),
        ("cold ms", |f| f.cold.median()),
        ("cold ms, of that CPU", |f| f.cold_cpu.median()),
        ("first ms at 14 % CPU", |f| f.first_throttled.median()),
        ("first ms, 10 ms away", |f| f.first_far.median()),
        ("cold ms, 10 ms away", |f| f.cold_far.median()),
        ("warm p50 ms", |f| f.warm.median()),
        ("warm p99 ms", |f| f.warm.quantile(0.99)),
        ("warm CPU ms", |f| f.warm_cpu.median()),
        ("after a rest ms", |f| f.rested.median()),
        ("after a rest CPU ms", |f| f.rested_cpu.median()),
        ("RSS MiB", |f| f.resident),
        ("RSS MiB at most", |f| f.resident_most),
    ];
    let all = [hello, straightforward, orders, callbacks];
    let row = |name: &str, values: [f64; 4]| {
        let ratios = [values[2] / values[0], values[2] / values[1]];
        [vec![name.to_owned()], values.into_iter().chain(ratios).map(short).collect()].concat()
    };
    let mut rows: Vec<_> = figures.iter().map(|(name, figure)| row(name, all.map(|f| figure(f)))).collect();
    rows.push(row("binary MB", sizes.map(|(binary, _)| binary)));
    rows.push(row("zip MB", sizes.map(|(_, zip)| zip)));
    print_table(&["", "hello", "straightforward", "orders", "callbacks", "orders / hello", "orders / straightforward"], &rows);

    println!("\nWhat the neighbours are asked for one request, new connections included:");
    let requests = [("straightforward", straightforward), ("order", orders), ("callback", callbacks), ("read", &reads)];
    let rows = requests.map(|(name, f)| vec![name.to_owned(), f.calls.by_name(), f.rested_calls.by_name()]);
    print_table(&["", "warm", "after a rest of 6 s"], &rows);

    println!("\nTargets:");
    let ratio = |figure: fn(&Figures) -> f64, to: &Figures| short(figure(orders) / figure(to));
    let both = |figure: fn(&Figures) -> f64| format!("{}, {}", short(figure(orders)), short(figure(callbacks)));
    let calls = [orders, callbacks, &reads].map(|f| short(f.calls.each())).join(" / ");
    let connections = [orders, callbacks, &reads].map(|f| f.calls.connections().to_string()).join(" / ");
    let rows = [
        ("cold start, orders / hello", ratio(|f| f.cold.median(), hello), "≤ 3.5"),
        ("first order at 14 % CPU / straightforward", ratio(|f| f.first_throttled.median(), straightforward), "≤ 0.02"),
        ("first order 10 ms away / straightforward", ratio(|f| f.first_far.median(), straightforward), "≤ 0.40"),
        ("CPU of a warm order / straightforward", ratio(|f| f.warm_cpu.median(), straightforward), "≤ 0.65"),
        ("RSS MiB of orders, callbacks", both(|f| f.resident_most), "≤ 12"),
        ("zip MB of orders, callbacks", format!("{}, {}", short(sizes[2].1), short(sizes[3].1)), "≤ 3.5"),
        ("calls for an order / callback / read", calls, "3 / 2 / 1"),
        ("new connections in all warm requests", connections, "0 / 0 / 0"),
        ("parse and validate an order of 10 lines", "`cargo bench --bench pure`".to_owned(), "≤ 20 µs"),
    ];
    print_table(
        &["figure", "measured", "target"],
        &rows.map(|(name, measured, target)| vec![name.to_owned(), measured, target.to_owned()]),
    );
}
