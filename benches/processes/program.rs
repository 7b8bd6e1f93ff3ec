//! What is measured: the bridge's two binaries, and what they are compared with.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use flate2::Compression;
use flate2::write::DeflateEncoder;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A file to run.
pub struct Program {
    pub name: &'static str,
    pub path: PathBuf,
    /// Where it writes what it has to say.
    pub log: PathBuf,
}

/// Programs that are there already.
#[derive(Args)]
pub struct Given {
    /// The `orders` to measure, like the bootstrap file that `sam build` makes; without it, cargo builds it
    #[arg(long, value_name = "FILE")]
    orders: Option<PathBuf>,
    /// Likewise `callbacks`
    #[arg(long, value_name = "FILE")]
    callbacks: Option<PathBuf>,
    /// Likewise what they are compared with
    #[arg(long, value_name = "FILE")]
    hello: Option<PathBuf>,
    /// Likewise
    #[arg(long, value_name = "FILE")]
    straightforward: Option<PathBuf>,
}

/// All of them.
pub struct Programs {
    pub hello: Program,
    pub straightforward: Program,
    pub orders: Program,
    pub callbacks: Program,
}

impl Programs {
    /// Builds what is not given.
    pub fn build(given: Given, directory: &Path) -> Self {
        let target = target();
        let program = |name, path| Program { name, path, log: directory.join(format!("{name}.log")) };
        // Built apart from the benchmarks: those bring features of their own into what they share.
        let binary = |name| {
            cargo(&["build", "--release", "--locked", "--bin", name]);
            target.join("release").join(name)
        };
        let hello = || {
            cargo(&["build", "--release", "--locked", "--example", "hello"]);
            target.join("release/examples/hello")
        };
        let straightforward = || {
            let (manifest, apart) = (format!("{ROOT}/benches/straightforward/Cargo.toml"), target.join("straightforward"));
            cargo(&["build", "--release", "--locked", "--manifest-path", &manifest, "--target-dir", apart.to_str().unwrap()]);
            apart.join("release/straightforward")
        };
        Self {
            hello: program("hello", given.hello.unwrap_or_else(hello)),
            straightforward: program("straightforward", given.straightforward.unwrap_or_else(straightforward)),
            orders: program("orders", given.orders.unwrap_or_else(|| binary("orders"))),
            callbacks: program("callbacks", given.callbacks.unwrap_or_else(|| binary("callbacks"))),
        }
    }
}

impl Program {
    /// Its size, and that of its archive, in MB.
    pub fn sizes(&self) -> (f64, f64) {
        let bytes = fs::read(&self.path).unwrap();
        let mut archive = DeflateEncoder::new(Vec::new(), Compression::default());
        archive.write_all(&bytes).unwrap();
        (bytes.len() as f64 / 1e6, archive.finish().unwrap().len() as f64 / 1e6)
    }
}

/// Where cargo builds: this program stands in `release/deps` of it.
fn target() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned()
}

fn cargo(arguments: &[&str]) {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo tells this program of its package would have build scripts run again.
    for (name, _) in std::env::vars_os() {
        let is_told = |prefix| name.to_str().is_some_and(|name| name.starts_with(prefix));
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].into_iter().any(is_told) {
            command.env_remove(name);
        }
    }
    let status = command.current_dir(ROOT).args(arguments).status().unwrap();
    assert!(status.success(), "cargo {}: {status}", arguments.join(" "));
}
