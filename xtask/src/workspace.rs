//! The checkout, and running programs in it.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use walkdir::WalkDir;

pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// The folder of builds and other generated files.
    pub(crate) target: PathBuf,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        // At run time, not at build time: clones may share a target folder.
        let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&package).parent().expect("xtask is in the workspace");
        let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        // A relative path is relative to the root, where cargo runs.
        Self { root: root.to_owned(), target: root.join(target) }
    }

    /// A program that runs in the root, with arguments separated by spaces.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>, arguments: &str) -> Command {
        command(&self.root, program, arguments)
    }

    /// Cargo with these arguments, separated by spaces.
    pub(crate) fn cargo(&self, arguments: &str) -> Command {
        let mut command = self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments);
        command.env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// Reads a file; its name is relative to the root.
    pub(crate) fn read(&self, name: impl AsRef<Path>) -> Result<String> {
        let name = name.as_ref();
        fs::read_to_string(self.root.join(name)).with_context(|| format!("read {}", name.display()))
    }

    /// The Rust files of all crates, sorted, relative to the root.
    pub(crate) fn sources(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for folder in ["crates", "xtask"] {
            for entry in WalkDir::new(self.root.join(folder)).sort_by_file_name() {
                let path = entry?.into_path();
                if path.extension().is_some_and(|extension| extension == "rs") {
                    files.push(path.strip_prefix(&self.root)?.to_owned());
                }
            }
        }
        Ok(files)
    }
}

/// A program that runs in a folder, with arguments separated by spaces.
pub(crate) fn command(folder: &Path, program: impl AsRef<OsStr>, arguments: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments.split_whitespace());
    command
}

/// Runs a program with our standard output and error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
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
