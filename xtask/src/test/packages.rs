//! The Debian packages that tests need.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::workspace::{Workspace, run, succeeds};

/// The name of a package, and whether its content is installed, from any source.
type Package = (&'static str, fn() -> bool);

const PACKAGES: [Package; 33] = [
    ("aardvark-dns", || Path::new("/usr/lib/podman/aardvark-dns").exists()),
    ("busybox-static", || Path::new("/bin/busybox").exists()),
    ("ca-certificates", || Path::new("/etc/ssl/certs/ca-certificates.crt").exists()),
    ("chromium", || has_program("chromium")),
    ("conmon", || has_program("conmon")),
    ("debhelper", || has_program("dh")),
    ("docker.io", || has_program("dockerd")),
    ("dosfstools", || has_program("mkfs.fat")),
    ("faketime", || has_program("faketime")),
    ("file", || has_program("file")),
    ("fish", || has_program("fish")),
    ("haproxy", || has_program("haproxy")),
    ("iproute2", || has_program("ip") && has_program("tc")),
    ("iptables", || has_program("iptables")),
    ("man-db", || has_program("man")),
    ("mtools", || has_program("mcopy")),
    ("netavark", || Path::new("/usr/lib/podman/netavark").exists()),
    ("nginx", || has_program("nginx")),
    ("npm", || has_program("npm")),
    ("podman", || has_program("podman")),
    ("openssh-client", || has_program("ssh")),
    ("postgresql", has_postgresql),
    ("prometheus", || has_program("prometheus")),
    ("python3-venv", || succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"]))),
    ("golang-github-containers-common", || Path::new("/etc/containers/policy.json").exists()),
    ("qemu-utils", || has_program("qemu-img")),
    ("rootlesskit", || has_program("rootlesskit")),
    ("runc", || has_program("runc")),
    ("skopeo", || has_program("skopeo")),
    ("slirp4netns", || has_program("slirp4netns")),
    ("uidmap", || has_program("newuidmap")),
    ("zsh", || has_program("zsh")),
    ("valgrind", || has_program("valgrind")),
];

/// Installs the missing packages. Needs no network if none is missing.
pub(super) fn install(workspace: &Workspace) -> Result<()> {
    let missing = PACKAGES.iter().filter(|(_, is_here)| !is_here());
    let missing = missing.map(|(name, _)| *name).collect::<Vec<_>>().join(" ");
    if missing.is_empty() {
        println!("nothing is missing");
        return Ok(());
    }
    println!("missing: {missing}");
    if !has_program("apt-get") {
        bail!("apt-get is not installed; install the equivalent of these Debian packages: {missing}");
    }
    let as_root = if succeeds(Command::new("sh").args(["-c", "test \"$(id -u)\" = 0"])) {
        "env"
    } else if has_program("sudo") {
        "sudo"
    } else {
        bail!("installing packages needs root or sudo; run once as root: cargo xtask test --only packages");
    };
    for arguments in ["update", &format!("install --yes --no-install-recommends {missing}")] {
        let apt_get = format!("DEBIAN_FRONTEND=noninteractive apt-get --quiet {arguments}");
        run(&mut workspace.command(as_root, &apt_get))?;
    }
    Ok(())
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
