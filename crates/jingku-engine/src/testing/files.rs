//! The files of which images for tests are made.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// All programs of the image `base`.
pub(super) const BUSYBOX: &str = "/bin/busybox";

/// Writes the files of the image `base`.
pub(super) fn write_base(base: &Path) {
    for name in ["bin", "etc", "root", "tmp", "proc", "sys", "dev"] {
        fs::create_dir_all(base.join(name)).expect("the folder is writable");
    }
    fs::copy(BUSYBOX, base.join("bin/busybox")).expect("busybox-static is installed");
    let installed = Command::new(BUSYBOX).args(["--install", "-s"]).arg(base.join("bin")).status();
    assert!(installed.is_ok_and(|status| status.success()));
    // Absolute links would lead to this machine's BusyBox.
    for link in fs::read_dir(base.join("bin")).expect("it exists").flatten() {
        if link.file_type().is_ok_and(|kind| kind.is_symlink()) {
            fs::remove_file(link.path()).expect("it is ours");
            symlink("busybox", link.path()).expect("it is ours");
        }
    }
    fs::write(base.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").expect("the folder is writable");
    fs::write(base.join("etc/os-release"), "NAME=\"Test Linux\"\nVERSION_ID=\"1\"\n")
        .expect("the folder is writable");
}

/// Packs the files in a folder, except those that match these patterns.
pub(super) fn pack(folder: &Path, excluded: &[&str], archive: &Path) {
    let mut tar = Command::new("tar");
    for pattern in excluded {
        tar.arg(format!("--exclude={pattern}"));
    }
    let packed = tar.arg("-cf").arg(archive).arg("-C").arg(folder).arg(".").status();
    assert!(packed.is_ok_and(|status| status.success()));
}

/// A folder that `cargo xtask test` puts into the folder of builds; `None` without it, which fails in CI.
pub(super) fn downloaded(name: &str) -> Option<PathBuf> {
    let program = std::env::current_exe().expect("a test is a program");
    let found = program.ancestors().map(|folder| folder.join(name)).find(|folder| folder.is_dir());
    assert!(
        found.is_some() || std::env::var_os("CI").is_none(),
        "{name} is not in the folder of builds: cargo xtask test --only docker,debian"
    );
    found
}
