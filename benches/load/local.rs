//! The built `local`, as a process of its own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Nothing in it waits for longer without a line in the log: the slow reply takes eight seconds.
const QUIET: Duration = Duration::from_secs(10);
const MOST_FOR_QUIET: Duration = Duration::from_secs(120);

/// A running one, ended with its owner.
pub struct Local {
    process: Child,
    /// Kept open: whoever prints to a closed pipe fails.
    _stdout: BufReader<ChildStdout>,
    log: PathBuf,
    pub base: String,
}

impl Local {
    /// Starts it, and waits until it listens. Its log goes to a file.
    pub fn start(directory: &Path) -> Self {
        let log = directory.join("log");
        let mut process = Command::new(env!("CARGO_BIN_EXE_local"))
            .args(["--port", "0", "--rate-limit", &u32::MAX.to_string(), "--data-dir"])
            .arg(directory)
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

    /// Its resident memory in KiB; none once it has ended.
    pub fn resident(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().trim_end_matches(" kB").parse().ok()
    }

    /// Waits until nothing goes on any more.
    pub fn settle(&self) -> Result<(), String> {
        let length = || fs::metadata(&self.log).unwrap().len();
        let (started, mut quiet, mut seen) = (Instant::now(), Instant::now(), length());
        while quiet.elapsed() < QUIET {
            sleep(Duration::from_millis(200));
            let now = length();
            if now != seen {
                (quiet, seen) = (Instant::now(), now);
            }
            if started.elapsed() > MOST_FOR_QUIET {
                return Err(format!("`local` was still busy after {MOST_FOR_QUIET:?}"));
            }
        }
        Ok(())
    }

    /// Ctrl-C, which it has to take well.
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
