//! The checkout, and running programs in it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// The checkout.
pub(crate) struct Workspace {
    /// Its root folder.
    pub(crate) root: PathBuf,
    /// The folder of builds and other generated files.
    pub(crate) target: PathBuf,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        // At run time, not at build time: clones may share a target folder.
        let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let package = package.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = package.parent().expect("xtask is in the workspace");
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
        // A relative path is relative to the root, where cargo runs.
        Self { root: root.to_owned(), target: root.join(target) }
    }

    /// A program that runs in the root.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// Cargo with these arguments, separated by spaces.
    pub(crate) fn cargo(&self, arguments: &str) -> Command {
        let mut command = self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments.split_whitespace()).env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// Runs `cargo xtask bench` again, as an optimized build with the feature `bench`.
    #[cfg(not(feature = "bench"))]
    pub(crate) fn run_optimised(&self, arguments: &[std::ffi::OsString]) -> Result<()> {
        let mut cargo = self.cargo("run --quiet --release --package xtask --features bench -- bench");
        // It has printed its error.
        std::process::exit(cargo.args(arguments).status().context("start cargo")?.code().unwrap_or(1))
    }
}

/// Runs a program with our standard output and error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", line(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", line(command));
    }
    Ok(())
}

/// Returns whether a program runs with these arguments and succeeds; its output is discarded.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// Makes tests fail that would be skipped because something they need is missing.
pub(crate) fn strict(command: &mut Command) -> &mut Command {
    command.env("CI", "1")
}

/// The command line.
fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// The Rust files in a folder and the folders below it, sorted.
pub(crate) fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

/// The file of the root module of every crate.
pub(crate) fn crate_roots(root: &Path) -> Result<Vec<PathBuf>> {
    let crates = entries(&root.join("crates"))?.into_iter().chain([root.join("xtask")]);
    let roots = crates.flat_map(|folder| ["src/lib.rs", "src/main.rs"].map(|file| folder.join(file)));
    Ok(roots.filter(|file| file.is_file()).collect())
}

/// The paths in a folder, sorted.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
