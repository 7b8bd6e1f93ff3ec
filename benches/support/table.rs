//! Prints tables and numbers.

/// A number with three significant digits.
pub fn short(value: f64) -> String {
    let decimals = match value.abs() {
        v if v.is_nan() => return "–".to_owned(),
        0.0 => 0,
        v if v < 0.1 => 3,
        v if v < 10.0 => 2,
        v if v < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// Prints a Markdown table with aligned columns.
pub fn print_table(head: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or(0)
    };
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().enumerate().map(|(column, cell)| match column {
            0 => format!("{cell:<0$}", width(0)),
            _ => format!("{cell:>0$}", width(column)),
        });
        println!("| {} |", padded.collect::<Vec<_>>().join(" | "));
    };
    println!();
    line(head.to_vec());
    let rules: Vec<_> = (0..head.len()).map(|column| "-".repeat(width(column) - usize::from(column > 0))).collect();
    println!(
        "| {} |",
        rules
            .iter()
            .enumerate()
            .map(|(at, rule)| if at == 0 { rule.clone() } else { format!("{rule}:") })
            .collect::<Vec<_>>()
            .join(" | ")
    );
    rows.iter().for_each(|row| line(row.iter().map(String::as_str).collect()));
}
