//! The folder that the container image is built from: `Containerfile`, the program, the C library it was linked with, and
//! the certificates of authorities. No base image is needed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::folder::{self, copy};
use crate::workspace::Workspace;

/// Empty folders of the image and their modes.
const FOLDERS: [(&str, u32); 2] = [("rootfs/tmp", 0o1777), ("data/jingku", 0o700)];

/// The authorities that TLS to an object store, a database or a webhook trusts. Without them, no HTTP client starts.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Writes `image/` to the folder.
pub(super) fn build(workspace: &Workspace, binary: &Path, folder: &Path) -> Result<()> {
    let image = folder.join("image");
    let root = image.join("rootfs");
    folder::create(&image)?;
    copy(&workspace.root.join("packaging/Containerfile"), &image.join("Containerfile"))?;
    copy(binary, &root.join("usr/bin/jingku"))?;
    for file in libraries(binary)?.into_iter().chain([AUTHORITIES.to_owned()]) {
        let path = file.strip_prefix('/').expect("the path is absolute");
        copy(Path::new(&file), &root.join(path))?;
    }
    for (name, mode) in FOLDERS {
        let path = image.join(name);
        fs::create_dir_all(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(mode))?;
    }
    println!("To build the image: podman build --format docker --tag jingku {}", image.display());
    Ok(())
}

/// The shared libraries of a program and the loader.
fn libraries(binary: &Path) -> Result<Vec<String>> {
    let output = Command::new("ldd").arg(binary).output().context("cannot start ldd")?;
    let text = String::from_utf8(output.stdout)?;
    let libraries = paths(&text);
    if libraries.is_empty() {
        bail!("ldd finds no libraries of {}:\n{text}", binary.display());
    }
    Ok(libraries)
}

/// The absolute paths in the output of `ldd`: `NAME => PATH (ADDRESS)`, or `PATH (ADDRESS)` for the loader.
fn paths(text: &str) -> Vec<String> {
    let path = |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(str::to_owned);
    text.lines().filter_map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_ldd_is_read() {
        let text = "\tlinux-vdso.so.1 (0x00007ffd2)\n\
                    \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f1)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f2)\n";
        assert_eq!(paths(text), ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]);
        assert!(paths("\tstatically linked\n").is_empty());
    }
}
