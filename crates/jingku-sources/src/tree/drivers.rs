//! Files of the GPU driver, which belong to a machine and not to an image.
//!
//! The NVIDIA container runtime mounts the driver's libraries and programs of the machine into a container. In the
//! container's own files each of them is an empty file, the mount point, and symbolic links to it that `ldconfig` made.
//! An image that kept them would look for the driver of the machine where it was saved.

use std::collections::HashSet;
use std::io;

use super::block::invalid;
use super::entry::Entry;

/// The most bytes of memory for links that are held back until the end of the archive.
const HELD_BYTES_MAX: usize = 8 << 20;
/// The most files with the name of a driver's file that a container may have with content.
const OWN_FILES_MAX: usize = 100_000;

/// Beginnings of the names of libraries that the runtime mounts.
const LIBRARIES: &[&[u8]] = &[
    b"libcuda.so",
    b"libcudadebugger.so",
    b"libnvcuvid.so",
    b"libnvoptix.so",
    b"libnvidia-",
    b"libEGL_nvidia.so",
    b"libGLX_nvidia.so",
    b"libGLX_indirect.so",
    b"libGLESv1_CM_nvidia.so",
    b"libGLESv2_nvidia.so",
    b"libvdpau_nvidia.so",
    b"nvidia_drv.so",
    b"libglxserver_nvidia.so",
];

/// Where the runtime mounts other files, whose paths name the driver. Packages of Python are elsewhere: many of those
/// have empty files.
const FOLDERS: &[&[u8]] = &[
    b"etc/",
    b"lib/",
    b"lib64/",
    b"run/",
    b"tmp/",
    b"usr/bin/",
    b"usr/lib/",
    b"usr/lib64/",
    b"usr/sbin/",
    b"usr/share/",
    b"var/run/",
];

/// Whether a file or link with this path may belong to the driver. It does if it is empty, or links to one that does.
pub(super) fn is_driver_name(path: &[u8]) -> bool {
    let has = |part: &[u8]| path.windows(part.len()).any(|window| window == part);
    LIBRARIES.iter().any(|library| file_name(path).starts_with(library))
        || path == b"usr/bin/nv-fabricmanager"
        || (FOLDERS.iter().any(|folder| path.starts_with(folder)) && has(b"nvidia") && !has(b"-packages/"))
}

fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// Links with the names of driver files, which are kept only if they lead to a kept file.
#[derive(Default)]
pub(super) struct DriverLinks {
    links: Vec<Entry>,
    paths: HashSet<Vec<u8>>,
    bytes: usize,
    /// Names of files that are kept.
    own: HashSet<Vec<u8>>,
}

impl DriverLinks {
    /// Holds a link back until the end.
    pub(super) fn hold(&mut self, link: Entry) -> io::Result<()> {
        self.bytes += link.memory_bytes();
        if self.bytes > HELD_BYTES_MAX {
            return Err(invalid("the container has too many links with names of driver files"));
        }
        self.paths.insert(link.path.clone());
        self.links.push(link);
        Ok(())
    }

    /// Whether it holds the link with this path.
    pub(super) fn holds(&self, path: &[u8]) -> bool {
        self.paths.contains(path)
    }

    /// Remembers a file that is kept, if it has a driver's name.
    pub(super) fn see_kept(&mut self, path: &[u8]) -> io::Result<()> {
        if !is_driver_name(path) {
            return Ok(());
        }
        if self.own.len() == OWN_FILES_MAX {
            return Err(invalid("the container has more than 100,000 driver files"));
        }
        self.own.insert(file_name(path).to_vec());
        Ok(())
    }

    /// The links that lead to kept files, directly or not, each after the one that it leads to; and the others.
    pub(super) fn resolve(self) -> (Vec<Entry>, Vec<Entry>) {
        let Self { mut links, mut own, .. } = self;
        let mut kept = Vec::new();
        loop {
            // By its name alone: links of libraries are next to them or in another directory of libraries.
            let leads_to_own =
                |link: &Entry| own.contains(file_name(&link.link)) || !is_driver_name(&link.link);
            let (found, rest): (Vec<_>, Vec<_>) = links.into_iter().partition(leads_to_own);
            links = rest;
            if found.is_empty() {
                return (kept, links);
            }
            own.extend(found.iter().map(|link| file_name(&link.path).to_vec()));
            kept.extend(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_driver_are_known() {
        for path in [
            &b"usr/lib/x86_64-linux-gnu/libcuda.so.535.104.05"[..],
            b"usr/lib64/libnvidia-ml.so.1",
            b"usr/bin/nvidia-smi",
            b"lib/firmware/nvidia/535.104.05/gsp_tu10x.bin",
            b"usr/share/glvnd/egl_vendor.d/10_nvidia.json",
        ] {
            assert!(is_driver_name(path), "{}", path.escape_ascii());
        }
        for path in [
            &b"usr/local/cuda/lib64/libcudart.so.12"[..],
            b"usr/lib/libc.so.6",
            b"etc/hosts",
            b"home/nvidia/.netrc",
            b"usr/lib/python3/dist-packages/nvidia/__init__.py",
            b"usr/local/lib/python3.10/dist-packages/nvidia/cublas/__init__.py",
            b"opt/conda/lib/python3.12/site-packages/nvidia_nccl_cu12-2.20.5.dist-info/REQUESTED",
        ] {
            assert!(!is_driver_name(path), "{}", path.escape_ascii());
        }
    }
}
