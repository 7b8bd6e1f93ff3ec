//! What a million orders cost on Lambda, computed from the CPU time of one.

use crate::support::table::{print_table, short};

/// List prices of AWS's for arm64 as assumed in November 2026, without a free tier: USD for a GB and second, and
/// for a million requests.
const GB_SECOND: f64 = 0.000_013_333_4;
const MILLION_REQUESTS: f64 = 0.20;
/// The memory that comes with one whole vCPU.
const MB_PER_CPU: f64 = 1_769.0;
/// How long an order waits, in ms. Assumed values: two writes to DynamoDB, and Front Payment.
const WAITS: [(&str, f64); 3] = [("put", 5.0), ("submit", 300.0), ("update", 5.0)];

const MEMORIES_MB: [f64; 4] = [128.0, 256.0, 512.0, 1_024.0];

/// Prints the calculation, for the CPU time in ms of a warm order and of an order after a rest.
pub fn print(warm_cpu: f64, rested_cpu: f64) {
    let waiting: f64 = WAITS.iter().map(|(_, ms)| ms).sum();
    let waits: Vec<_> = WAITS.iter().map(|(name, ms)| format!("{name} {ms} ms")).collect();
    println!("\nA million orders on Lambda, arm64: wall = waiting + CPU ÷ (MB ÷ {MB_PER_CPU});");
    println!("waiting is assumed ({}), CPU is this machine's ({} ms warm,", waits.join(", "), short(warm_cpu));
    println!("{} ms after a rest); USD = 1,000,000 × wall × MB ÷ 1,024 × {GB_SECOND} + {MILLION_REQUESTS}.", short(rested_cpu));
    let rows = MEMORIES_MB.map(|memory| {
        let share = memory / MB_PER_CPU;
        let wall = |cpu: f64| waiting + cpu / share;
        let usd = |cpu: f64| 1e6 * wall(cpu) / 1_000.0 * memory / 1_024.0 * GB_SECOND + MILLION_REQUESTS;
        let figures = [
            short(warm_cpu / share),
            short(wall(warm_cpu)),
            short(usd(warm_cpu)),
            short(rested_cpu / share),
            short(usd(rested_cpu)),
        ];
        [vec![memory.to_string()], figures.to_vec()].concat()
    });
    print_table(&["MB", "computing ms", "wall ms", "USD a million", "computing ms after a rest", "USD a million"], &rows);
}
