//! `cargo xtask bench`: measures the release binary and a reference in the same run.
//!
//! Machines differ and are shared, so compare ratios within one run rather than absolute figures.

mod bare_server;
mod bare_store;
mod build;
mod chunks;
mod daemon;
mod disk;
mod folder;
mod list;
mod machine;
mod make;
mod process;
mod report;
mod size;

use anyhow::Result;
use clap::Subcommand;

use crate::workspace::Workspace;

pub(crate) use bare_server::BareServer;

#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Compare chunk sizes, cutting, grouping and compression levels on a disk and changed copies of it.
    Chunks(chunks::Args),
    /// List pages of 20 images; the reference is a bare server with the same HTTP stack and replies.
    List(list::Args),
    /// Create images of a 4 GiB disk and export them; compare with a bare loop, qemu-img, restic and borg. Needs 17 GB.
    Make(make::Args),
    /// Measure size, dependencies, start time, idle memory and build time.
    Size(size::Args),
}

impl Bench {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<()> {
        match self {
            Self::Chunks(args) => chunks::run(&args),
            Self::List(args) => list::run(workspace, &args),
            Self::Make(args) => make::run(workspace, &args),
            Self::Size(args) => size::run(workspace, &args),
        }
    }
}
