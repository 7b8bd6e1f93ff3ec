//! Sets the revision of the program: `REVISION` if it is set, else what git says, else the version of the package.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=REVISION");
    println!("cargo::rerun-if-changed=build.rs");
    // A commit changes the log of HEAD, so this notices commits. It does not notice changed files.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    let given = std::env::var("REVISION").ok().filter(|revision| !revision.is_empty());
    let revision = given.or_else(|| git(&["describe", "--tags", "--always"]));
    let revision = revision.or_else(|| std::env::var("CARGO_PKG_VERSION").ok()).unwrap_or_default();
    // Only characters that are valid in an HTTP header.
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || ".-_+".contains(*c);
    println!("cargo::rustc-env=FRONT_PAYMENT_BRIDGE_REVISION={}", revision.chars().filter(is_plain).collect::<String>());
}

/// What a git command prints, if there is git and a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned()).filter(|text| !text.is_empty())
}
