//! Other tools that store disks, run with their defaults.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use crate::workspace::{run, succeeds};

/// A tool that stores several versions of a disk in one repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    Restic,
    Borg,
}

impl Peer {
    pub(super) const ALL: [Self; 2] = [Self::Restic, Self::Borg];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Restic => "restic backup",
            Self::Borg => "borg create",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Restic => "restic",
            Self::Borg => "borg",
        }
    }

    /// The reason why it cannot be measured, if any.
    pub(super) fn missing(self) -> Option<String> {
        let (name, version, package) = match self {
            Self::Restic => (self.program(), "version", "restic"),
            Self::Borg => (self.program(), "--version", "borgbackup"),
        };
        let there = succeeds(Command::new(name).arg(version));
        (!there).then(|| {
            format!("{name} is not installed and is left out. To measure it, install the package {package}.")
        })
    }

    /// Creates an empty repository.
    pub(super) fn init(self, place: &Path) -> Result<()> {
        let mut command = self.command(place);
        match self {
            Self::Restic => command.args(["--quiet", "init"]),
            Self::Borg => command.args(["init", "--encryption", "none"]).arg(place),
        };
        run(command.stdout(Stdio::null()))
    }

    /// Stores a disk with the tool's defaults: restic encrypts, borg compresses with lz4.
    pub(super) fn keep(self, place: &Path, name: &str, disk: &Path) -> Command {
        let mut command = self.command(place);
        match self {
            Self::Restic => command.args(["--quiet", "--no-cache", "backup"]).arg(disk),
            Self::Borg => command.arg("create").arg(format!("{}::{name}", place.display())).arg(disk),
        };
        command
    }

    /// The tool without the caller's settings and caches.
    fn command(self, place: &Path) -> Command {
        let mut command = Command::new(self.program());
        command.env("RESTIC_PASSWORD", "bench").env("RESTIC_REPOSITORY", place);
        command
            .env("BORG_BASE_DIR", place.with_extension("home"))
            .env("BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK", "yes");
        command
    }
}

/// Fails if a required program is missing.
pub(super) fn ensure_tools() -> Result<()> {
    for (program, package) in
        [("mkfs.ext4", "e2fsprogs"), ("debugfs", "e2fsprogs"), ("qemu-img", "qemu-utils"), ("zstd", "zstd")]
    {
        ensure!(
            succeeds(Command::new(program).arg("-V")),
            "{program} is not installed; install the package {package}"
        );
    }
    Ok(())
}
