//! Instructions of a signed list, counted by Callgrind: unlike times, they hardly vary, so a limit finds a step too much.
//!
//! They are those of a build without optimisation. `cargo xtask bench list` measures the time of an optimised one.

use std::env;
use std::process::Command;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use jingku_catalog::{AccountId, ImageChanges, Scope};
use jingku_protocol::Params;
use jingku_protocol::actions::Action;

use crate::support::{NOW, Service};

/// What [`requests_to_be_counted`] requests, and how often; this program runs it under Callgrind.
const REQUESTS: &str = "JINGKU_TEST_REQUESTS";
/// Requests of the shorter and of the longer run. The difference leaves out the start.
const RUNS: [u64; 2] = [20, 120];
/// The most instructions of a request that is answered from memory: a fifth above what it takes.
const IN_MEMORY_MAX: u64 = 375_000;
/// The most of a request after one image has changed, with the change.
const CHANGED_MAX: u64 = 2_250_000;

#[tokio::test]
async fn requests_to_be_counted() {
    let Ok(wanted) = env::var(REQUESTS) else { return };
    let (kind, count) = wanted.split_once(' ').unwrap();
    let service = Service::start().await;
    let ids: Vec<String> = (0..20).map(|number| format!("image-{number:02}")).collect();
    service.add_images(&ids.iter().map(|id| (&**id, NOW)).collect::<Vec<_>>()).await;
    let (catalog, caller) = (service.catalog().await, service.caller());
    let list = Params::for_action(Action::DescribeCompShareCustomImages.name());
    let form = caller.sign(list.text("Limit", Some("20"))).to_form();
    for number in 0..count.parse().unwrap() {
        if kind == "changed" {
            let name = format!("name-{number:04}");
            let changes = ImageChanges { name: Some(&name), ..ImageChanges::default() };
            catalog.update_image(Scope::own(AccountId(1)), "image-07", changes, NOW).await.unwrap();
        }
        let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        let response = caller.open(request.body(Body::from(form.clone())).unwrap()).await;
        assert!(response.into_body().collect().await.unwrap().to_bytes().len() > 5000);
    }
}

/// Instructions per request; `None` where Valgrind is not installed.
fn count(kind: &str) -> Option<u64> {
    let [shorter, longer] = RUNS.map(|count| {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        valgrind.arg(env::current_exe().unwrap()).args(["--exact", "instructions::requests_to_be_counted"]);
        let run = valgrind.env(REQUESTS, format!("{kind} {count}")).output().ok()?;
        let report = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(run.status.success(), "{report}");
        let line = report.lines().find_map(|line| line.split_once("Collected :"));
        Some(line.expect(&report).1.trim().parse::<u64>().unwrap())
    });
    Some((longer? - shorter?) / (RUNS[1] - RUNS[0]))
}

#[test]
fn a_list_takes_a_bounded_number_of_instructions() {
    for (kind, max) in [("memory", IN_MEMORY_MAX), ("changed", CHANGED_MAX)] {
        let Some(counted) = count(kind) else {
            assert!(env::var_os("CI").is_none(), "install valgrind");
            return;
        };
        assert!(counted <= max, "{kind}: {counted} instructions, at most {max} expected");
    }
}
