//! kill -9 at every failpoint and at random times: nothing acknowledged is lost, nothing hangs.
//!
//! A test fails if a failpoint of the sources is missing from [`KILLED_AT`], or if no process dies at a listed one.
//! `JINGKU_CRASH_ROUNDS` and `JINGKU_CRASH_SEED` set the number of rounds and the seed: CONTRIBUTING.md.

mod actions;
pub(crate) mod ledger;
pub(crate) mod load;
mod make;
mod upkeep;
pub(crate) mod worker;

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

use rustix::process::Signal;
use serde_json::json;

use crate::home::{Home, files_below};
use crate::{backup, containers, import, migrate, sweep, trash};

/// The failpoints, by the test that kills there. `name:N` is the N-th time the failpoint is reached.
const KILLED_AT: [&[&str]; 12] = [
    &make::FAILPOINTS,
    &actions::FAILPOINTS,
    &upkeep::FAILPOINTS,
    &upkeep::MARKS,
    &trash::FAILPOINTS,
    &backup::FAILPOINTS,
    &sweep::FAILPOINTS,
    &import::FAILPOINTS,
    &containers::FAILPOINTS,
    &containers::LIFECYCLE_FAILPOINTS,
    &migrate::DATABASE_FAILPOINTS,
    &migrate::STORAGE_FAILPOINTS,
];

/// The number in an environment variable, or the default.
pub(crate) fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// Asserts that a process died of SIGKILL.
pub(crate) fn assert_killed(status: ExitStatus, place: &str) {
    assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "{place} was not reached: {status}");
}

/// Asserts that every row has its manifest, every manifest its chunks, and every chunk the right bytes, and
/// that the audit log is intact.
pub(crate) fn assert_intact(home: &Home, at: &[&str], place: &str) {
    let checked = home.run(&[&["check", "--read-data", "--json"], at].concat());
    assert_eq!(checked.code, Some(0), "{place}: {checked:?}");
    let usage = home.json(&[&["usage"], at].concat());
    assert_eq!(usage["MissingChunks"], json!(0), "{place}: {usage}");
    let audit = home.run(&[&["audit", "verify"], at].concat());
    assert_eq!(audit.code, Some(0), "{place}: {audit:?}");
}

#[test]
fn every_failpoint_of_the_sources_has_a_crash_test() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut named = Vec::new();
    for entry in std::fs::read_dir(crates).unwrap() {
        let files = files_below(entry.unwrap().path().join("src")).into_iter();
        for (_, text) in files.filter(|(path, _)| path.extension().is_some_and(|extension| extension == "rs"))
        {
            let text = String::from_utf8(text).unwrap();
            let calls = text.split("reached(\"").skip(1);
            named.extend(calls.map(|rest| rest.split('"').next().unwrap().to_owned()));
        }
    }
    assert!(named.len() >= 30, "too few failpoints found: {named:?}");
    let listed: Vec<&str> =
        KILLED_AT.concat().into_iter().map(|place| place.split(':').next().unwrap()).collect();
    let untested: Vec<_> = named.iter().filter(|name| !listed.contains(&name.as_str())).collect();
    assert!(untested.is_empty(), "no crash test kills at {untested:?}");
    let unknown: Vec<_> = listed.iter().filter(|name| !named.iter().any(|known| known == *name)).collect();
    assert!(unknown.is_empty(), "not in the sources: {unknown:?}");
}
