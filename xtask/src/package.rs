//! `cargo xtask package`: what a release consists of, in `target/packages`.

mod crates;
mod deb;
mod folder;
mod image;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::workspace::{Workspace, run as run_command};

pub(crate) use crates::CRATES;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Build only these.
    #[arg(value_enum)]
    kinds: Vec<Kind>,
    /// Package this program instead of a new release build.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// The Debian package.
    Deb,
    /// The folder to build the container image from.
    Image,
    /// The libraries for a registry.
    Crates,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let wants = |kind| args.kinds.is_empty() || args.kinds.contains(&kind);
    let folder = workspace.target.join("packages");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    if wants(Kind::Crates) {
        crates::build(workspace, &folder)?;
    }
    if !wants(Kind::Deb) && !wants(Kind::Image) {
        return Ok(());
    }
    let binary = match &args.binary {
        Some(binary) => fs::canonicalize(binary).with_context(|| format!("find {}", binary.display()))?,
        None => release_build(workspace)?,
    };
    if wants(Kind::Deb) {
        deb::build(workspace, &binary, &folder)?;
    }
    if wants(Kind::Image) {
        image::build(workspace, &binary, &folder)?;
    }
    Ok(())
}

/// Builds everything that tests need, of this program.
pub(crate) fn all(workspace: &Workspace, binary: PathBuf) -> Result<()> {
    run(workspace, &Args { kinds: Vec::new(), binary: Some(binary) })
}

fn release_build(workspace: &Workspace) -> Result<PathBuf> {
    run_command(&mut workspace.cargo("build --release --locked --package jingku"))?;
    Ok(workspace.target.join("release/jingku"))
}
