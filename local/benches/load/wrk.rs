//! wrk: <https://github.com/wg/wrk>.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running wrk.
pub struct Wrk(pub Child);

/// What wrk prints at its end.
pub struct Summary(String);

impl Wrk {
    /// Starts wrk with mix.lua, which sends orders of these shops and writes a transcript into the directory.
    pub fn start<'u>(
        base: &str,
        connections: u32,
        seconds: u64,
        directory: &Path,
        shop_urls: impl Iterator<Item = &'u str>,
    ) -> Result<Self, String> {
        let mix = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/load/mix.lua");
        let started = Command::new("wrk")
            .args(["--threads", "2", "--latency", "--timeout", "30s", "--script", mix])
            .args(["--connections", &connections.to_string(), "--duration", &format!("{seconds}s"), base, "--"])
            .arg(directory)
            .args(shop_urls)
            .stdout(Stdio::piped())
            .spawn();
        started.map(Self).map_err(|error| match error.kind() {
            ErrorKind::NotFound => "there is no wrk: apt install wrk".to_owned(),
            _ => format!("wrk does not start: {error}"),
        })
    }

    /// Waits until wrk ends.
    pub fn finish(self) -> Result<Summary, String> {
        let output = self.0.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() && said.contains("Requests/sec:") {
            Ok(Summary(said))
        } else {
            Err(format!("wrk failed: {said}"))
        }
    }
}

impl Summary {
    /// The rest of the line that begins with a label.
    pub fn after(&self, label: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.trim().strip_prefix(label)).map(str::trim)
    }

    /// Connections that were refused or broken, and replies that did not come.
    pub fn socket_errors(&self) -> Option<String> {
        self.after("Socket errors:").map(|errors| format!("socket errors: {errors}"))
    }
}
