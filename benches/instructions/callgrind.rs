//! Runs a program under callgrind, a tool of valgrind, which counts its instructions without those of the kernel.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::program::Program;

pub struct Callgrind {
    valgrind: PathBuf,
    directory: PathBuf,
}

/// The file that callgrind writes when a program ends.
pub struct Report<'a> {
    valgrind: &'a Path,
    file: PathBuf,
}

impl Callgrind {
    /// `None` if valgrind is not installed. Reports go into the directory.
    pub fn find(directory: &Path) -> Option<Self> {
        let path = std::env::var_os("PATH")?;
        let valgrind = std::env::split_paths(&path).map(|entry| entry.join("valgrind")).find(|file| file.is_file())?;
        Some(Self { valgrind, directory: directory.to_owned() })
    }

    pub fn report(&self, file_name: String) -> Report<'_> {
        Report { valgrind: &self.valgrind, file: self.directory.join(file_name) }
    }
}

impl Report<'_> {
    /// The program, changed so that it runs under callgrind.
    pub fn counted(&self, program: &Program) -> Program {
        let mut report = OsString::from("--callgrind-out-file=");
        report.push(&self.file);
        let launcher = vec![self.valgrind.into(), "--quiet".into(), "--tool=callgrind".into(), report];
        Program { launcher, ..program.clone() }
    }

    /// The number of instructions of the program, which must have ended.
    pub fn instructions(&self) -> u64 {
        let report = fs::read_to_string(&self.file).unwrap();
        let total = report.lines().find_map(|line| line.strip_prefix("totals: ")).expect("a line of totals");
        total.trim().parse().unwrap()
    }
}
