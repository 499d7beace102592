//! Files of the GPU driver, which belong to a machine and not to an image.
//!
//! The NVIDIA container runtime mounts the driver's libraries and programs of the machine into a container. In the
//! container's own files each of them is an empty file, the mount point, and symbolic links to it that `ldconfig` made.
//! An image that kept them would look for the driver of the machine where it was saved.

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

/// Whether a file or link with this path may belong to the driver. It does if it is empty, or links to one that does.
pub(super) fn is_driver_name(path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    LIBRARIES.iter().any(|library| name.starts_with(library))
        || path.windows(b"nvidia".len()).any(|window| window == b"nvidia")
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
        for path in [&b"usr/local/cuda/lib64/libcudart.so.12"[..], b"usr/lib/libc.so.6", b"etc/hosts"] {
            assert!(!is_driver_name(path), "{}", path.escape_ascii());
        }
    }
}
