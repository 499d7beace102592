//! QEMU's tools, to compare disk files.

use std::path::Path;
use std::process::Command;

/// Whether `qemu-img` is installed. Without it a test is skipped, but fails in CI.
pub(crate) fn present() -> bool {
    let present = Command::new("qemu-img").arg("--version").output().is_ok();
    assert!(present || std::env::var_os("CI").is_none(), "qemu-img has to be installed in CI");
    if !present {
        println!("skipped: qemu-img is not installed");
    }
    present
}

/// Runs `qemu-img`, which must succeed.
pub(crate) fn img(args: &[&str]) {
    let output = Command::new("qemu-img").args(args).output().unwrap();
    assert!(output.status.success(), "qemu-img {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Asserts that two files contain the same disk.
pub(crate) fn assert_same(left: (&Path, &str), right: (&Path, &str)) {
    img(&["compare", "-f", left.1, "-F", right.1, left.0.to_str().unwrap(), right.0.to_str().unwrap()]);
}
