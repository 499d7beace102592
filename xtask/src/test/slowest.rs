//! `cargo xtask test --slowest`: runs the Rust tests with the time of each, and prints the slowest.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};

use crate::workspace::{Workspace, strict};

const ROWS: usize = 10;
/// The test harness of the stable toolchain reports times only with this variable. Only the test programs get it:
/// cargo would rebuild all crates.
const RUNNER: &str = r#"--config=target."cfg(all())".runner=["env","RUSTC_BOOTSTRAP=1"]"#;

pub(super) fn run(workspace: &Workspace, packages: &[String]) -> Result<()> {
    let mut cargo = workspace.cargo("test --all-features --no-fail-fast --lib --bins --tests");
    cargo.arg(RUNNER);
    if packages.is_empty() {
        cargo.arg("--workspace");
    }
    for package in packages {
        cargo.args(["--package", package]);
    }
    cargo.args(["--", "-Zunstable-options", "--report-time"]);
    let mut child = strict(&mut cargo).stdout(Stdio::piped()).spawn().context("start cargo")?;
    let mut times = Vec::new();
    for line in BufReader::new(child.stdout.take().expect("it is piped")).lines() {
        let line = line.context("read the output of the tests")?;
        times.extend(time(&line));
        println!("{line}");
    }
    let status = child.wait().context("wait for cargo")?;
    times.sort_by(|(_, a), (_, b)| f64::total_cmp(b, a));
    println!("\n| test | seconds |\n|---|---|");
    for (name, seconds) in times.iter().take(ROWS) {
        println!("| `{name}` | {seconds:.1} |");
    }
    if status.success() { Ok(()) } else { bail!("tests failed") }
}

/// The name of a test and its time, from its line: `test NAME ... ok <1.234s>`.
fn time(line: &str) -> Option<(String, f64)> {
    let (name, rest) = line.strip_prefix("test ")?.split_once(" ... ")?;
    let seconds = rest.rsplit_once('<')?.1.strip_suffix("s>")?.parse().ok()?;
    Some((name.to_owned(), seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(time("test a::b ... ok <1.250s>"), Some(("a::b".to_owned(), 1.25)));
        assert!(time("test a::b - should panic ... FAILED <0.002s>").is_some());
        for line in ["running 3 tests", "test a ... ignored", "test a has been running for over 60 seconds"] {
            assert_eq!(time(line), None, "{line}");
        }
    }
}
