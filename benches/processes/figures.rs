//! The figures of a program, and the statistics over many measurements.

use crate::support::neighbours::{CONNECTION, Counts, HANDSHAKE};
use crate::support::table::short;

/// Measurements of one figure.
#[derive(Default)]
pub struct Sample(Vec<f64>);

impl Sample {
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The value below which this share of the measurements lies. NaN if nothing was measured.
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1) as f64;
        sorted.get((last * share).round() as usize).copied().unwrap_or(f64::NAN)
    }
}

/// All figures of one program, in ms and MiB.
#[derive(Default)]
pub struct Figures {
    /// From the start of the process until it asks for an event.
    pub init: Sample,
    /// From there to the end of the first request.
    pub first: Sample,
    /// From the start of the process to the end of the first request.
    pub cold: Sample,
    /// CPU time of a cold start and its first request.
    pub cold_cpu: Sample,
    /// The first request with 14 % of a core.
    pub first_throttled: Sample,
    /// The first request, and a cold start, if every reply and handshake takes 10 ms more.
    pub first_far: Sample,
    pub cold_far: Sample,
    /// A request to a process that is warm.
    pub warm: Sample,
    /// CPU time of one warm request, as the average of a batch.
    pub warm_cpu: Sample,
    /// A request after six seconds without one, and its CPU time.
    pub rested: Sample,
    pub rested_cpu: Sample,
    /// Memory after the warm requests, in MiB.
    pub resident: f64,
    pub resident_most: f64,
    /// The calls to the services in each warm request, and in each request after a rest.
    pub calls: Calls,
    pub rested_calls: Calls,
}

/// The calls to the services during a number of requests.
#[derive(Default)]
pub struct Calls {
    counts: Counts,
    requests: u64,
}

impl Calls {
    pub fn add(&mut self, counts: Counts, requests: u64) {
        for (name, count) in counts {
            *self.counts.entry(name).or_default() += count;
        }
        self.requests += requests;
    }

    /// Calls for each request, without connections and handshakes.
    pub fn each(&self) -> f64 {
        let is_call = |name: &str| name != CONNECTION && name != HANDSHAKE;
        let calls = self.counts.iter().filter(|(name, _)| is_call(name)).map(|(_, count)| count);
        calls.sum::<u64>() as f64 / self.requests as f64
    }

    /// Calls for each request, by name.
    pub fn by_name(&self) -> String {
        let each = |count: &u64| *count as f64 / self.requests as f64;
        let named: Vec<_> = self.counts.iter().map(|(name, count)| format!("{name} {}", short(each(count)))).collect();
        if named.is_empty() { "none".to_owned() } else { named.join(", ") }
    }

    /// New connections during all of these requests.
    pub fn connections(&self) -> u64 {
        self.counts.get(CONNECTION).copied().unwrap_or_default()
    }
}
