// SPDX-License-Identifier: GPL-2.0
//! Where the statistics are, and what to do if they are not there.

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use crate::stats::Sample;

/// The folder with the files.
pub struct Source {
    folder: PathBuf,
}

impl Source {
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Reads a sample, or explains what the user can do.
    pub fn read(&self) -> Result<Sample, String> {
        let mirrors = self.file("mirrors")?;
        let mirrors = mirrors.map_err(|e| explain(&self.folder.join("mirrors"), &e, &mounts()))?;
        let memories = match self.file("devmem")? {
            Ok(text) => Some(text),
            // A kernel without CONFIG_HMM_DEVMEM has mirrors only.
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            Err(e) => return Err(explain(&self.folder.join("devmem"), &e, &mounts())),
        };
        Sample::parse(&mirrors, memories.as_deref())
    }

    /// The kernel escapes what is not ASCII only if it is not printable in Latin 1.
    fn file(&self, name: &str) -> Result<Result<String, Error>, String> {
        Ok(fs::read(self.folder.join(name)).map(|bytes| String::from_utf8_lossy(&bytes).into()))
    }
}

fn mounts() -> String {
    fs::read_to_string("/proc/mounts").unwrap_or_default()
}

/// What to do about an error of a file.
fn explain(file: &Path, error: &Error, mounts: &str) -> String {
    let is_debugfs = file.starts_with("/sys/kernel/debug");
    let mounted = mounts
        .lines()
        .any(|line| line.split(' ').nth(1) == Some("/sys/kernel/debug"));
    match error.kind() {
        ErrorKind::PermissionDenied => {
            format!(
                "{} is for root only: run it as root, with sudo for example",
                file.display()
            )
        }
        ErrorKind::NotFound if is_debugfs && !mounted => {
            "debugfs is not mounted: run, as root,\n  \
             mount -t debugfs debugfs /sys/kernel/debug"
                .into()
        }
        ErrorKind::NotFound if is_debugfs => {
            "this kernel has no statistics of HMM: it needs the HMM core of Tandem, with \
             CONFIG_HMM_MIRROR and CONFIG_DEBUG_FS"
                .into()
        }
        ErrorKind::NotFound => format!(
            "there is no file {}: give the folder that has it with --from",
            file.display()
        ),
        _ => format!("cannot read {}: {error}", file.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(file: &str, kind: ErrorKind, mounts: &str) -> String {
        explain(Path::new(file), &Error::from(kind), mounts)
    }

    #[test]
    fn errors_say_what_to_do() {
        let file = "/sys/kernel/debug/hmm/mirrors";
        let mounted = "none /sys/kernel/debug debugfs rw 0 0\n";
        assert!(explained(file, ErrorKind::NotFound, "").contains("mount -t debugfs"));
        assert!(explained(file, ErrorKind::NotFound, mounted).contains("CONFIG_DEBUG_FS"));
        assert!(explained(file, ErrorKind::PermissionDenied, mounted).contains("as root"));
        assert!(explained("/x/mirrors", ErrorKind::NotFound, "").contains("--from"));
        assert!(explained(file, ErrorKind::InvalidData, mounted).contains("cannot read"));
    }

    #[test]
    fn fixture() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixture");
        assert_eq!(Source::new(&folder).read().unwrap().mirrors.len(), 3);
        let error = Source::new(Path::new("/nowhere")).read().unwrap_err();
        assert!(error.contains("--from"), "{error}");
    }
}
