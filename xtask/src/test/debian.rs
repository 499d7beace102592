//! Packages of the next Debian, with all that they need, unpacked in folders of their own. Nothing on the machine changes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::workspace::{Workspace, run};

const RELEASE: &str = "trixie";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Where Debian has merged the folders of the root into `/usr`.
const MERGED: [&str; 4] = ["bin", "lib", "lib64", "sbin"];

/// A Docker that gives GPUs by their CDI names, which that of Debian 12 does not.
pub(super) fn install_docker(workspace: &Workspace) -> Result<()> {
    install(workspace, "newer-docker", &["docker.io"])
}

/// The files of a container with an SSH server and Python.
pub(super) fn install_container(workspace: &Workspace) -> Result<()> {
    install(workspace, "debian-root", &["openssh-server", "bash", "coreutils", "sed", "python3-pandas"])
}

/// Downloads and unpacks packages, unless they are there, into a folder in the folder of builds, where the tests look for
/// it.
fn install(workspace: &Workspace, name: &str, packages: &[&str]) -> Result<()> {
    let folder = workspace.target.join(name);
    if folder.exists() {
        println!("nothing is missing");
        return Ok(());
    }
    ensure!(Path::new(KEYRING).exists(), "{KEYRING} is missing: this step needs a Debian system");
    let new = workspace.target.join(format!("{name}.new"));
    if new.exists() {
        fs::remove_dir_all(&new).context("remove an incomplete folder")?;
    }
    let (apt, root) = (new.join("apt"), new.join("root"));
    for name in ["state/lists/partial", "cache/archives/partial", "none"] {
        fs::create_dir_all(apt.join(name)).context("create a folder for apt-get")?;
    }
    fs::write(apt.join("status"), "").context("write a list of no packages")?;
    fs::write(apt.join("sources.list"), format!("deb [signed-by={KEYRING}] {} {RELEASE} main\n", mirror()?))
        .context("write a list of sources")?;
    run(apt_get(&apt).arg("update"))?;
    run(apt_get(&apt).args(["install", "--download-only"]).args(packages))?;
    for name in MERGED {
        fs::create_dir_all(root.join("usr").join(name)).context("create a folder")?;
        symlink(Path::new("usr").join(name), root.join(name)).context("link a folder")?;
    }
    for package in fs::read_dir(apt.join("cache/archives")).context("list the packages")? {
        let package = package.context("list the packages")?.path();
        if package.extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(&root))?;
        }
    }
    // What the tests mount there.
    for name in ["proc", "sys", "dev", "run", "tmp", "machine"] {
        fs::create_dir_all(root.join(name)).context("create a folder")?;
    }
    fs::remove_dir_all(apt).context("remove the packages")?;
    // Last, so that an incomplete folder is made again.
    fs::rename(&root, &folder).context("name the folder")?;
    fs::remove_dir_all(new).context("remove a folder")
}

/// The mirror of Debian that this machine uses.
fn mirror() -> Result<String> {
    let arguments = ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"];
    let output = Command::new("apt-get").args(arguments).output().context("ask apt-get for its sources")?;
    let mirrors = String::from_utf8(output.stdout).context("read the sources of apt-get")?;
    match mirrors.lines().next() {
        Some(mirror) => Ok(mirror.to_owned()),
        None => bail!("apt-get has no source of Debian packages; run `apt-get update` first"),
    }
}

/// The program with folders of its own, and without the settings of this machine about packages.
fn apt_get(folder: &Path) -> Command {
    let mut command = Command::new("apt-get");
    for (option, name) in [
        ("Dir::State", "state"),
        ("Dir::State::status", "status"),
        ("Dir::Cache", "cache"),
        ("Dir::Etc::sourcelist", "sources.list"),
        ("Dir::Etc::sourceparts", "none"),
        ("Dir::Etc::preferences", "preferences"),
        ("Dir::Etc::preferencesparts", "none"),
    ] {
        command.arg("-o").arg(format!("{option}={}", folder.join(name).display()));
    }
    command.args(["--quiet", "--yes", "--no-install-recommends", "-o", "APT::Sandbox::User=root"]);
    command
}
