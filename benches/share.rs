//! A share of a CPU, as Lambda gives it: a control group with a quota.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// The period in which Lambda gives a function its share.
const PERIOD: Duration = Duration::from_millis(20);
/// After this long without work, the quota is full, as it is for an event that comes minutes after the last
/// one.
pub const REST: Duration = PERIOD.saturating_mul(2);
/// The smallest quota that Linux accepts.
const LEAST: Duration = Duration::from_millis(1);

/// A share of one CPU; the 128 MB of the template get 128/1769 of it, since a function with 1,769 MB has
/// one (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>).
#[derive(Clone, Copy, Debug)]
pub struct Share(f64);

impl Share {
    /// A share of one CPU, as a number from 0.05 to 1.
    pub fn parse(text: &str) -> Result<Self, String> {
        let least = LEAST.as_secs_f64() / PERIOD.as_secs_f64();
        match text.parse() {
            Ok(share) if (least..=1.0).contains(&share) => Ok(Self(share)),
            _ => Err(format!("expected a number from {least} to 1")),
        }
    }

    /// As a number.
    pub fn cpus(self) -> f64 {
        self.0
    }

    /// Checks whether this machine can limit a process to it.
    pub fn check(self) -> io::Result<()> {
        let group = Group::new(self)?;
        let mut process = Command::new("sleep").arg("60").spawn()?;
        let held = group.add(process.id()).and_then(|()| group.limit());
        process.kill()?;
        process.wait()?;
        held
    }
}

/// The two interfaces that Linux has for it.
#[derive(Clone, Copy)]
enum Version {
    One,
    Two,
}

/// A control group for one process, at the top of the hierarchy, since version 2 has no groups below one
/// with processes; gone when it is dropped after the process has ended.
pub struct Group {
    folder: PathBuf,
    version: Version,
    share: Share,
}

impl Group {
    /// A group without limit.
    pub fn new(share: Share) -> io::Result<Self> {
        static GROUPS: AtomicU32 = AtomicU32::new(0);
        let root = Path::new("/sys/fs/cgroup");
        let (parent, version) = if root.join("cgroup.controllers").exists() {
            let enabled = fs::read_to_string(root.join("cgroup.subtree_control"))?;
            if !enabled.split_whitespace().any(|name| name == "cpu") {
                // It stays enabled after the run, which limits nobody.
                fs::write(root.join("cgroup.subtree_control"), "+cpu")?;
            }
            (root.to_owned(), Version::Two)
        } else {
            (root.join("cpu"), Version::One)
        };
        let number = GROUPS.fetch_add(1, Ordering::Relaxed);
        let folder = parent.join(format!("connector-updater-{}-{number}", process::id()));
        fs::create_dir(&folder)?;
        Ok(Self {
            folder,
            version,
            share,
        })
    }

    /// Takes a process in.
    pub fn add(&self, process: u32) -> io::Result<()> {
        fs::write(self.folder.join("cgroup.procs"), process.to_string())
    }

    /// From now on, its process gets its share and no more.
    pub fn limit(&self) -> io::Result<()> {
        let period = PERIOD.as_micros();
        let quota = PERIOD.mul_f64(self.share.0).as_micros();
        let write = |name: &str, value: String| fs::write(self.folder.join(name), value);
        match self.version {
            Version::One => {
                write("cpu.cfs_period_us", period.to_string())?;
                write("cpu.cfs_quota_us", quota.to_string())
            }
            Version::Two => write("cpu.max", format!("{quota} {period}")),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Linux may still be cleaning up the process that was in it.
        for _ in 0..100 {
            if fs::remove_dir(&self.folder).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        eprintln!("could not remove {}", self.folder.display());
    }
}
