//! The Debian packages that tests need.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::workspace::{Workspace, run, succeeds};

struct Package {
    name: &'static str,
    /// Returns whether its content is installed, from any source.
    is_here: fn() -> bool,
}

const PACKAGES: &[Package] = &[
    Package { name: "dosfstools", is_here: || has_program("mkfs.fat") },
    Package { name: "file", is_here: || has_program("file") },
    Package { name: "mtools", is_here: || has_program("mcopy") },
    Package { name: "postgresql", is_here: has_postgresql },
    Package { name: "python3-venv", is_here: has_venv },
    Package { name: "qemu-utils", is_here: || has_program("qemu-img") },
];

/// Installs the missing packages. Needs no network if none is missing.
pub(super) fn install(workspace: &Workspace) -> Result<()> {
    let missing = PACKAGES.iter().filter(|package| !(package.is_here)());
    let missing: Vec<&str> = missing.map(|package| package.name).collect();
    if missing.is_empty() {
        println!("nothing is missing");
        return Ok(());
    }
    println!("missing: {}", missing.join(" "));
    if !has_program("apt-get") {
        bail!(
            "apt-get is not installed; install the equivalent of these Debian packages: {}",
            missing.join(" ")
        );
    }
    run(apt_get(workspace)?.arg("update"))?;
    run(apt_get(workspace)?.args(["install", "--yes", "--no-install-recommends"]).args(&missing))
}

/// apt-get that asks no questions, as root.
fn apt_get(workspace: &Workspace) -> Result<Command> {
    let mut command = if succeeds(Command::new("sh").args(["-c", "test \"$(id -u)\" = 0"])) {
        workspace.command("env")
    } else if has_program("sudo") {
        let mut sudo = workspace.command("sudo");
        sudo.arg("env");
        sudo
    } else {
        bail!("installing packages needs root or sudo; run once as root: cargo xtask test --only packages");
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"]);
    Ok(command)
}

fn has_program(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    // A user's PATH often lacks the folders of system programs.
    let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path).chain(system).any(|folder| folder.join(name).is_file())
}

/// Debian installs each version in its own folder, not on the PATH.
fn has_postgresql() -> bool {
    let versions = Path::new("/usr/lib/postgresql").read_dir().into_iter().flatten().flatten();
    versions.map(|version| version.path()).any(|version| version.join("bin/postgres").is_file())
}

fn has_venv() -> bool {
    succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"]))
}
