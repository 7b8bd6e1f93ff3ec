//! The built program `local`, as a process.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use front_payment_bridge::http_client;

/// How long `local` may take to become idle after the load.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// The process is ended when this is dropped.
pub struct Local {
    process: Child,
    /// Kept open, because printing to a closed pipe fails.
    _stdout: BufReader<ChildStdout>,
    log: PathBuf,
    pub base: String,
}

impl Local {
    /// Starts `local`, and waits until it listens. Its log goes to a file.
    pub fn start(directory: &Path) -> Self {
        let log = directory.join("log");
        let mut process = Command::new(env!("CARGO_BIN_EXE_local"))
            .args(["--json", "--port", "0", "--rate-limit", &u32::MAX.to_string(), "--data-dir"])
            .arg(directory)
            .env("PRIVATE_SHOP_HOSTS", "127.0.0.1,127.0.0.2,127.0.0.3,127.0.0.4,127.0.0.5") // without a port, so any port
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut welcome = String::new();
        while !welcome.contains("Ctrl-C") {
            let read = stdout.read_line(&mut welcome).unwrap();
            assert!(read > 0, "`local` ended: {}", fs::read_to_string(&log).unwrap());
        }
        let base = welcome.split_whitespace().find(|word| word.starts_with("http://")).unwrap().trim_end_matches(';').to_owned();
        Self { process, _stdout: stdout, log, base }
    }

    /// The file with the log of `local`.
    #[allow(dead_code)] // only one of the two benchmarks uses it
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The resident memory in KiB; `None` after the process has ended.
    pub fn resident(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().trim_end_matches(" kB").parse().ok()
    }

    /// Waits until the log has not grown for this long.
    pub fn wait_until_idle(&self, for_at_least: Duration) -> Result<(), String> {
        let length = || fs::metadata(&self.log).unwrap().len();
        let (started, mut quiet, mut seen) = (Instant::now(), Instant::now(), length());
        while quiet.elapsed() < for_at_least {
            sleep(Duration::from_millis(200));
            let now = length();
            if now != seen {
                (quiet, seen) = (Instant::now(), now);
            }
            if started.elapsed() > MAX_WAIT {
                return Err(format!("`local` was still busy after {MAX_WAIT:?}"));
            }
        }
        Ok(())
    }

    /// Moves the clock.
    #[allow(dead_code)] // as above
    pub fn forward(&self, step: &str) -> Result<(), String> {
        let clock = format!("{}/front-payment/clock", self.base);
        let moving = async {
            let client = http_client::build(None).unwrap();
            client.post(clock).body(format!(r#"{{"forward": "{step}"}}"#)).send().await?.error_for_status()
        };
        let moved = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(moving);
        moved.map(drop).map_err(|error| format!("the clock was not moved: {error}"))
    }

    #[allow(dead_code)] // as above
    /// Sends Ctrl-C, and checks that the process ends successfully.
    pub fn end(mut self) -> Result<(), String> {
        Command::new("kill").args(["-INT", &self.process.id().to_string()]).status().unwrap();
        let ended = self.process.wait().unwrap();
        if ended.success() { Ok(()) } else { Err(format!("`local` ended with {ended}")) }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        if self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.process.kill().unwrap();
            self.process.wait().unwrap();
        }
    }
}
