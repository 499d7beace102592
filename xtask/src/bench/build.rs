//! A clean release build: how long it takes, and which crates take longest.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::workspace::{Workspace, run};

/// Number of crates in the table.
const HEAVIEST: usize = 10;

#[derive(Serialize)]
pub(super) struct Build {
    pub(super) seconds: f64,
    /// The sum over all crates; several are compiled at once.
    pub(super) crate_seconds: f64,
    /// Crates by time, the longest first. The build script and the library of a crate count together.
    pub(super) heaviest: Vec<(String, f64)>,
}

/// What cargo reports of a step of the build.
#[derive(Deserialize)]
struct Unit {
    name: String,
    duration: f64,
}

/// Builds the binary in a new folder, with all packages already downloaded.
pub(super) fn build_from_nothing(workspace: &Workspace) -> Result<Build> {
    let folder = tempfile::Builder::new().prefix("bench-build-").tempdir_in(&workspace.target)?;
    run(&mut workspace.cargo("fetch --quiet"))?;
    let begin = Instant::now();
    let mut build = workspace.cargo("build --quiet --release --package jingku --timings");
    run(build.env("CARGO_TARGET_DIR", folder.path()))?;
    let seconds = begin.elapsed().as_secs_f64();
    Ok(summarise(&units(folder.path())?, seconds))
}

/// The steps in cargo's report, an HTML page that contains them as JSON.
fn units(target: &Path) -> Result<Vec<Unit>> {
    let page =
        fs::read_to_string(target.join("cargo-timings/cargo-timing.html")).context("read the report")?;
    let data = page.split_once("const UNIT_DATA = ").context("the report has no data")?.1;
    let mut units = serde_json::Deserializer::from_str(data).into_iter::<Vec<Unit>>();
    units.next().context("the report has no data")?.context("read the data of the report")
}

fn summarise(units: &[Unit], seconds: f64) -> Build {
    let mut crates = BTreeMap::<&str, f64>::new();
    for unit in units {
        *crates.entry(&unit.name).or_default() += unit.duration;
    }
    let mut heaviest: Vec<_> = crates.into_iter().map(|(name, time)| (name.to_owned(), time)).collect();
    heaviest.sort_by(|(_, a), (_, b)| f64::total_cmp(b, a));
    heaviest.truncate(HEAVIEST);
    Build { seconds, crate_seconds: units.iter().map(|unit| unit.duration).sum(), heaviest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_of_a_crate_count_together() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("cargo-timings")).unwrap();
        let page = r#"<script>const UNIT_DATA = [
            {"i": 0, "name": "zstd-sys", "target": " build script", "duration": 0.5},
            {"i": 1, "name": "tokio", "target": "", "duration": 2.0},
            {"i": 2, "name": "zstd-sys", "target": "", "duration": 3.0}
        ]; const OTHER = [];</script>"#;
        fs::write(folder.path().join("cargo-timings/cargo-timing.html"), page).unwrap();
        let build = summarise(&units(folder.path()).unwrap(), 4.0);
        assert_eq!(build.crate_seconds.to_bits(), 5.5_f64.to_bits());
        assert_eq!(build.heaviest, [("zstd-sys".to_owned(), 3.5), ("tokio".to_owned(), 2.0)]);
    }
}
