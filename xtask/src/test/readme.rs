//! Runs the README's commands as they stand, so that what a newcomer types first is known to work.
//!
//! Every block fenced as `sh` between the two markers, in order, as one script: in a copy of the checkout, with a new
//! home, stopped at the first command that fails.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::workspace::{Workspace, run as run_command};

const START: &str = "<!-- ci:start -->";
const END: &str = "<!-- ci:end -->";
/// The longest time the commands may take, in seconds: one of them may be a whole release build.
const SECONDS_MAX: &str = "900";
/// Before the commands: servers that they leave in the background end with the script.
const PROLOGUE: &str = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n";

pub(super) fn run(workspace: &Workspace) -> Result<()> {
    let readme = workspace.root.join("README.md");
    if !readme.exists() {
        println!("there is no README.md");
        return Ok(());
    }
    let text = fs::read_to_string(&readme).context("read README.md")?;
    let script = format!("{PROLOGUE}{}", commands(&text)?);

    let scratch = workspace.target.join("readme");
    if scratch.exists() {
        fs::remove_dir_all(&scratch).with_context(|| format!("empty {}", scratch.display()))?;
    }
    let (copy, home) = (scratch.join("jingku"), scratch.join("home"));
    fs::create_dir_all(&home).with_context(|| format!("create {}", home.display()))?;
    copy_checkout(workspace, &copy)?;
    // Dependencies that are built need not be built again; commands may name target/… as they would in a clone.
    std::os::unix::fs::symlink(&workspace.target, copy.join("target")).context("link the target folder")?;

    let mut bash = Command::new("timeout");
    bash.args(["--kill-after=10", SECONDS_MAX, "bash", "-xc", &script]).current_dir(&copy);
    newcomer(&mut bash, &home);
    run_command(&mut bash).context("the commands of README.md do not work as they stand")
}

/// The environment of somebody who has a Rust toolchain and nothing of Jingku.
fn newcomer(command: &mut Command, home: &Path) {
    // The toolchain stays where it is though the home is another.
    let old_home = PathBuf::from(env::var_os("HOME").unwrap_or_default());
    for (variable, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        command.env(variable, env::var_os(variable).unwrap_or_else(|| old_home.join(folder).into()));
    }
    let ours = |name: &str| {
        name.starts_with("JINGKU_") || name.starts_with("XDG_") || name.starts_with("CARGO_TARGET")
    };
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(ours) {
            command.env_remove(name);
        }
    }
    command.env("HOME", home);
}

/// Copies the files that git knows or would add.
fn copy_checkout(workspace: &Workspace, to: &Path) -> Result<()> {
    let mut git = workspace.command("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = git.output().context("start git")?;
    if !listed.status.success() {
        bail!("git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    }
    let names = String::from_utf8(listed.stdout).context("names of files are UTF-8")?;
    for name in names.split_terminator('\0') {
        let (source, copy) = (workspace.root.join(name), to.join(name));
        // Listed, but deleted and not yet committed so.
        if source.symlink_metadata().is_err() {
            continue;
        }
        let folder = copy.parent().expect("it is in the copy");
        fs::create_dir_all(folder)
            .and_then(|()| fs::copy(&source, &copy))
            .with_context(|| format!("copy {name}"))?;
    }
    Ok(())
}

/// What stands in the `sh` blocks between the markers.
fn commands(readme: &str) -> Result<String> {
    let marked = readme.split_once(START).and_then(|(_, rest)| rest.split_once(END));
    let Some((marked, _)) = marked else {
        bail!("README.md has no {START} … {END} around the commands that are tested");
    };
    let mut script = String::new();
    let mut inside = false;
    for line in marked.lines() {
        match line.trim() {
            "```sh" => inside = true,
            "```" => inside = false,
            _ if inside => script.extend([line, "\n"]),
            _ => {}
        }
    }
    if script.is_empty() {
        bail!("README.md has no ```sh block between {START} and {END}");
    }
    Ok(script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marked_sh_blocks_are_run_in_order() {
        let readme = format!(
            "```sh\nbefore\n```\n{START}\ntext\n```sh\none\n  two\n```\n```text\noutput\n```\n```sh\nthree\n```\n{END}\n```sh\nafter\n```"
        );
        assert_eq!(commands(&readme).unwrap(), "one\n  two\nthree\n");
    }

    #[test]
    fn a_readme_that_proves_nothing_is_refused() {
        assert!(commands("```sh\ntrue\n```").unwrap_err().to_string().contains(START));
        assert!(commands(&format!("{END} {START}")).is_err());
        assert!(commands(&format!("{START}\n```text\n$ true\n```\n{END}")).is_err());
    }
}
