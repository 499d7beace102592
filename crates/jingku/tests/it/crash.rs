//! kill -9 at every named place and at any moment: nothing acknowledged is lost, nothing hangs.
//!
//! Every failpoint of the sources stands in a list of [`KILLED_AT`], or a test fails; and at every place of these lists a
//! process must die, or its test fails. `JINGKU_CRASH_ROUNDS` and `JINGKU_CRASH_SEED` say how often and which: CONTRIBUTING.md.

mod actions;
mod ledger;
mod load;
mod make;
mod upkeep;

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

use rustix::process::Signal;
use serde_json::json;

use crate::home::{Home, files_below};
use crate::{backup, import, sweep, trash};

/// Where something is killed, by who does it. `name:N` is the N-th time the place is reached.
const KILLED_AT: [&[&str]; 8] = [
    &make::FAILPOINTS,
    &actions::FAILPOINTS,
    &upkeep::FAILPOINTS,
    &upkeep::NOTES,
    &trash::FAILPOINTS,
    &backup::FAILPOINTS,
    &sweep::FAILPOINTS,
    &import::FAILPOINTS,
];

/// A number that the environment may set.
fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// It died of SIGKILL, and of nothing else.
pub(crate) fn assert_killed(status: ExitStatus, place: &str) {
    assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "{place} was not reached: {status}");
}

/// Every row has its manifest, every manifest its chunks, and every byte is right.
pub(crate) fn assert_whole(home: &Home, at: &[&str], place: &str) {
    let checked = home.run(&[&["check", "--read-data", "--json"], at].concat());
    assert_eq!(checked.code, Some(0), "{place}: {checked:?}");
    let usage = home.json(&[&["usage"], at].concat());
    assert_eq!(usage["MissingChunks"], json!(0), "{place}: {usage}");
}

#[test]
fn every_failpoint_of_the_sources_is_in_the_lists_and_the_other_way_round() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut named = Vec::new();
    for entry in std::fs::read_dir(crates).unwrap() {
        let mut files = files_below(entry.unwrap().path().join("src"));
        files.retain(|path, _| path.extension().is_some_and(|extension| extension == "rs"));
        for text in files.into_values() {
            let text = String::from_utf8(text).unwrap();
            let calls = text.split("reached(\"").skip(1);
            named.extend(calls.map(|rest| rest.split('"').next().unwrap().to_owned()));
        }
    }
    assert!(named.len() >= 30, "the sources name too few: {named:?}");
    let listed: Vec<&str> =
        KILLED_AT.concat().into_iter().map(|place| place.split(':').next().unwrap()).collect();
    let forgotten: Vec<_> = named.iter().filter(|name| !listed.contains(&name.as_str())).collect();
    assert!(forgotten.is_empty(), "no crash test kills at {forgotten:?}");
    let gone: Vec<_> = listed.iter().filter(|name| !named.iter().any(|known| known == *name)).collect();
    assert!(gone.is_empty(), "no source names {gone:?}");
}
