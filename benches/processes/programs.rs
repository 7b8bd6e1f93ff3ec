//! The programs that are measured: two binaries of the bridge, and those that they are compared with.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::support::program::{Binaries, Program, ROOT, cargo, target};

/// Programs that were built before.
#[derive(Args)]
pub struct Given {
    #[command(flatten)]
    bridge: Binaries,
    /// Likewise the hello-world that they are compared with
    #[arg(long, value_name = "FILE")]
    hello: Option<PathBuf>,
    /// Likewise the Lambda that one writes first
    #[arg(long, value_name = "FILE")]
    straightforward: Option<PathBuf>,
}

pub struct Programs {
    pub hello: Program,
    pub straightforward: Program,
    pub orders: Program,
    pub callbacks: Program,
}

impl Programs {
    /// Builds the programs that are not given.
    pub fn build(given: Given, directory: &Path) -> Self {
        let target = target();
        let hello = || {
            cargo(&["build", "--release", "--locked", "--example", "hello"]);
            target.join("release/examples/hello")
        };
        let straightforward = || {
            let (manifest, apart) = (format!("{ROOT}/benches/straightforward/Cargo.toml"), target.join("straightforward"));
            cargo(&["build", "--release", "--locked", "--manifest-path", &manifest, "--target-dir", apart.to_str().unwrap()]);
            apart.join("release/straightforward")
        };
        let [orders, callbacks, _] = given.bridge.programs(directory);
        Self {
            hello: Program::new("hello", given.hello.unwrap_or_else(hello), directory),
            straightforward: Program::new("straightforward", given.straightforward.unwrap_or_else(straightforward), directory),
            orders,
            callbacks,
        }
    }
}
