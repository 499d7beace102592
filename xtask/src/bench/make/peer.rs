//! Other tools that store several versions of a disk in one repository, run with their defaults.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use crate::workspace::{command, run, succeeds};

pub(super) struct Peer {
    program: &'static str,
    package: &'static str,
    init: &'static str,
    /// Stores the file whose name follows.
    keep: &'static str,
}

/// restic encrypts, borg compresses with lz4.
pub(super) const PEERS: [Peer; 2] = [
    Peer { program: "restic", package: "restic", init: "--quiet init", keep: "--quiet --no-cache backup" },
    Peer {
        program: "borg",
        package: "borgbackup",
        init: "init --encryption none",
        keep: "create ::{now}-{pid}",
    },
];

impl Peer {
    pub(super) fn name(&self) -> String {
        let subcommand = self.keep.split(' ').find(|word| !word.starts_with('-'));
        format!("{} {}", self.program, subcommand.unwrap_or_default())
    }

    /// The reason why it cannot be measured, if any.
    pub(super) fn missing(&self) -> Option<String> {
        let Self { program, package, .. } = self;
        let there = succeeds(Command::new(program).arg("-h"));
        (!there).then(|| {
            format!(
                "{program} is not installed and is left out. To measure it, install the package {package}."
            )
        })
    }

    /// Creates an empty repository: the folder `repository`.
    pub(super) fn init(&self, folder: &Path) -> Result<()> {
        run(self.command(folder, self.init).stdout(Stdio::null()))
    }

    pub(super) fn keep(&self, folder: &Path, disk: &str) -> Command {
        let mut command = self.command(folder, self.keep);
        command.arg(disk);
        command
    }

    /// The tool without the caller's settings and caches.
    fn command(&self, folder: &Path, arguments: &str) -> Command {
        let mut command = command(folder, self.program, arguments);
        command.env("RESTIC_PASSWORD", "bench").env("RESTIC_REPOSITORY", "repository");
        command.env("BORG_REPO", "repository").env("BORG_BASE_DIR", folder.join("borg"));
        command.env("BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK", "yes");
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
