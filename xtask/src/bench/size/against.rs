//! Compares the binary with that of another revision: start time, size, and clean build.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::bench::daemon::Daemon;
use crate::bench::process::timed;
use crate::bench::report::{Table, median, mega};
use crate::workspace::{Workspace, run};

const STARTS: usize = 20;
/// How much more than the other revision a start may take.
const START_RATIO_MAX: f64 = 1.1;
/// The same for the size of the binary and the CPU time of its build.
const RATIO_MAX: f64 = 1.3;

/// A revision that was built from nothing.
struct Build {
    daemon: Daemon,
    cpu_seconds: f64,
}

/// A git worktree, removed when dropped.
struct Worktree<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
}

/// Compares this checkout with a revision of it.
pub(super) fn compare(workspace: &Workspace, folder: &Path, revision: &str) -> Result<Table> {
    let worktree = Worktree::add(workspace, folder.join("other"), revision)?;
    let other =
        Build::from_nothing(&worktree.as_workspace(folder.join("other-build")), folder.join("other-data"))?;
    let here = Workspace { root: workspace.root.clone(), target: folder.join("build") };
    let here = Build::from_nothing(&here, folder.join("data"))?;
    // Alternating, so that both meet the same load of the machine.
    let mut starts = [Vec::new(), Vec::new()];
    for _ in 0..STARTS {
        starts[0].push(other.start_ms()?);
        starts[1].push(here.start_ms()?);
    }
    let [other_start, start] = starts.map(median);
    let size = |build: &Build| Ok::<_, anyhow::Error>(mega(fs::metadata(&build.daemon.binary)?.len()));
    let row = |what: &str, other: f64, here: f64, ratio_max: f64| {
        let ratio = here / other;
        let met = if ratio <= ratio_max { "met" } else { "**not met**" };
        format!("{what} | {other:.1} | {here:.1} | {ratio:.2} | ≤ {ratio_max} | {met}")
    };
    let rows = vec![
        row("start until the first line, ms", other_start, start, START_RATIO_MAX),
        row("release binary, MB", size(&other)?, size(&here)?, RATIO_MAX),
        row("clean release build, CPU seconds", other.cpu_seconds, here.cpu_seconds, RATIO_MAX),
    ];
    Ok(Table { headings: "what | other revision | here | ratio | target | ", rows })
}

impl Build {
    fn from_nothing(workspace: &Workspace, data: PathBuf) -> Result<Self> {
        run(&mut workspace.cargo("fetch --quiet --locked"))?;
        let mut build = workspace.cargo("build --quiet --release --locked --package jingku");
        let ((), _, cpu_seconds) = timed(|| run(&mut build))?;
        let daemon = Daemon { binary: workspace.target.join("release/jingku"), data, database: None };
        // Creates the data directory.
        drop(daemon.serve(&[])?);
        Ok(Self { daemon, cpu_seconds })
    }

    fn start_ms(&self) -> Result<f64> {
        let begin = Instant::now();
        let _server = self.daemon.serve(&[])?;
        Ok(begin.elapsed().as_secs_f64() * 1e3)
    }
}

impl<'a> Worktree<'a> {
    fn add(workspace: &'a Workspace, folder: PathBuf, revision: &str) -> Result<Self> {
        ensure!(!revision.starts_with('-'), "{revision:?} is not a revision");
        let mut add = workspace.command("git", "worktree add --quiet --detach");
        run(add.arg(&folder).arg(revision)).context("check out the other revision")?;
        Ok(Self { workspace, folder })
    }

    fn as_workspace(&self, target: PathBuf) -> Workspace {
        Workspace { root: self.folder.clone(), target }
    }
}

impl Drop for Worktree<'_> {
    fn drop(&mut self) {
        let mut remove: Command = self.workspace.command("git", "worktree remove --force");
        // What is left is in the folder of the benchmark; `git worktree prune` forgets it.
        let _ = remove.arg(&self.folder).status();
    }
}
