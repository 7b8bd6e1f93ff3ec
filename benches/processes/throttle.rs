//! Limits a process to a share of one core, as Lambda does, with a control group of the kernel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;

/// Lambda gives 256 MB of 1,769 MB, which is 14 % of a vCPU. The period is 20 ms.
const PERIOD_MICROS: u32 = 20_000;
const QUOTA_MICROS: u32 = 2_800;

/// A control group that may have 14 % of a core.
pub struct Throttle(PathBuf);

impl Throttle {
    /// A control group, or why there can be none.
    pub fn new() -> Result<Self, String> {
        let root = Path::new("/sys/fs/cgroup");
        let is_second = root.join("cgroup.controllers").exists();
        let parent = if is_second { root.to_owned() } else { root.join("cpu") };
        let group = Self(parent.join(format!("front-payment-bridge-{}", process::id())));
        fs::create_dir(&group.0).map_err(|error| format!("{}: {error}", group.0.display()))?;
        let limits = if is_second {
            vec![("cpu.max", format!("{QUOTA_MICROS} {PERIOD_MICROS}"))]
        } else {
            vec![("cpu.cfs_period_us", PERIOD_MICROS.to_string()), ("cpu.cfs_quota_us", QUOTA_MICROS.to_string())]
        };
        for (file, limit) in limits {
            fs::write(group.0.join(file), limit).map_err(|error| format!("{}: {file}: {error}", group.0.display()))?;
        }
        Ok(group)
    }

    /// Limits the process from now on.
    pub fn limit(&self, process: u32) {
        fs::write(self.0.join("cgroup.procs"), process.to_string()).unwrap();
    }
}

impl Drop for Throttle {
    fn drop(&mut self) {
        // The processes have ended, but the kernel may not have removed them from the group yet.
        for _ in 0..50 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        eprintln!("{} cannot be removed", self.0.display());
    }
}
