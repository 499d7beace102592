//! `cargo xtask soak`: the soak test of the binary, for as long as wanted.

use anyhow::Result;

use crate::test;
use crate::workspace::{Workspace, run as run_command, strict};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Minutes on each kind of installation.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Names a run: another seed chooses other actions and other moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    test::install(workspace)?;
    // One kind after the other, so that their figures are not mixed.
    let arguments = "test --package jingku --all-features --test it -- soak:: --include-ignored --nocapture --test-threads 1";
    let mut test = workspace.cargo(arguments);
    test.env("JINGKU_SOAK_SECONDS", (args.minutes * 60).to_string());
    run_command(strict(test.env("JINGKU_SOAK_SEED", args.seed.to_string())))
}
