//! `cargo xtask bench`: measures the release binary beside something that bounds it, in the same run.
//!
//! Machines differ and are shared, so what counts are ratios within one run; absolute figures only explain them.

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
    /// What decides on chunk size, cutting, grouping and level: each tried on the same disk and its changed copies.
    Chunks(chunks::Args),
    /// A page of 20 images, against a bare server of the same HTTP stack that answers the same bytes.
    List(list::Args),
    /// Images of a 4 GiB disk and back, beside a bare loop, qemu-img, restic and borg; about 17 GB of room.
    Make(make::Args),
    /// Size, dependencies, start time, memory at rest, build time.
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
