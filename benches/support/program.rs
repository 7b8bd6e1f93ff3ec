//! A program that is measured, and how it is built.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::neighbours::NOTIFIED;

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A file to run.
#[derive(Clone)]
pub struct Program {
    pub name: &'static str,
    pub path: PathBuf,
    /// The file for its log.
    pub log: PathBuf,
    /// The command that runs it, for example valgrind; empty if it runs directly.
    pub launcher: Vec<OsString>,
}

/// Binaries of the bridge that were built before.
#[derive(Args)]
pub struct Binaries {
    /// The `orders` to measure, such as the bootstrap file that `sam build` makes; without it, cargo builds it
    #[arg(long, value_name = "FILE")]
    orders: Option<PathBuf>,
    /// Likewise `callbacks`
    #[arg(long, value_name = "FILE")]
    callbacks: Option<PathBuf>,
    /// Likewise `worker`
    #[arg(long, value_name = "FILE")]
    worker: Option<PathBuf>,
}

impl Binaries {
    /// `orders`, `callbacks` and `worker`. Those that are not given are built.
    pub fn programs(self, directory: &Path) -> [Program; 3] {
        // Built with a cargo command of their own, because the benchmarks enable additional features in shared dependencies.
        let built = |name| {
            cargo(&["build", "--release", "--locked", "--bin", name]);
            target().join("release").join(name)
        };
        [("orders", self.orders), ("callbacks", self.callbacks), ("worker", self.worker)]
            .map(|(name, given)| Program::new(name, given.unwrap_or_else(|| built(name)), directory))
    }
}

impl Program {
    pub fn new(name: &'static str, path: PathBuf, directory: &Path) -> Self {
        Self { name, path, log: directory.join(format!("{name}.log")), launcher: Vec::new() }
    }

    /// The command that starts the program.
    pub fn command(&self) -> Command {
        match self.launcher.split_first() {
            None => Command::new(&self.path),
            Some((launcher, arguments)) => {
                let mut command = Command::new(launcher);
                command.args(arguments).arg(&self.path);
                command
            }
        }
    }

    /// The additional variables that it needs: `worker` has a shop that it may notify.
    pub fn more_environment(&self) -> Vec<(&'static str, &'static str)> {
        let of_worker = [("SECRET_ID", NOTIFIED), ("PRIVATE_SHOP_HOSTS", "localhost")];
        of_worker.into_iter().filter(|_| self.name == "worker").collect()
    }

    /// The size of the program and of its archive, in MB.
    pub fn sizes(&self) -> (f64, f64) {
        let bytes = fs::read(&self.path).unwrap();
        let mut archive = DeflateEncoder::new(Vec::new(), Compression::default());
        archive.write_all(&bytes).unwrap();
        (bytes.len() as f64 / 1e6, archive.finish().unwrap().len() as f64 / 1e6)
    }
}

/// Cargo's target directory, from the path of this program, which is below `release/deps` or `debug/deps`.
pub fn target() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned()
}

pub fn cargo(arguments: &[&str]) {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Cargo's variables about this package would make build scripts run again.
    for (name, _) in std::env::vars_os() {
        let is_told = |prefix| name.to_str().is_some_and(|name| name.starts_with(prefix));
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].into_iter().any(is_told) {
            command.env_remove(name);
        }
    }
    let status = command.current_dir(ROOT).args(arguments).status().unwrap();
    assert!(status.success(), "cargo {}: {status}", arguments.join(" "));
}
