//! Instructions of a signed list, counted by Callgrind: unlike times, they hardly vary, so a limit finds a step too much.
//!
//! They are those of a build without optimisation. `cargo xtask bench list` measures the time of an optimised one.

use std::env;
use std::process::Command;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use jingku_catalog::{AccountId, Catalog, ImageChanges, Scope};
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
/// The most of a request for images that match a filter, after one of them has changed, with the change.
const FILTERED_MAX: u64 = 2_700_000;
/// The most of a request for shared images, whose rows are in memory.
const SHARED_MAX: u64 = 1_200_000;
/// The most of a request for the groups of the community, which is answered from memory.
const COMMUNITY_MAX: u64 = 500_000;
/// The most of a request for favourites, which is answered from memory.
const FAVORITES_MAX: u64 = 500_000;
/// The most of a request for groups after one group has changed, with the change.
const GROUP_CHANGED_MAX: u64 = 28_000_000;

#[tokio::test]
async fn requests_to_be_counted() {
    let Ok(wanted) = env::var(REQUESTS) else { return };
    let (kind, count) = wanted.rsplit_once(' ').unwrap();
    let service = Service::start().await;
    let ids: Vec<String> = (0..20).map(|number| format!("image-{number:02}")).collect();
    service.add_images(&ids.iter().map(|id| (&**id, NOW)).collect::<Vec<_>>()).await;
    let catalog = service.catalog().await;
    let (list, caller, filter) = match kind {
        "shared" => {
            let (account, viewer) = service.stranger().await;
            for id in &ids {
                service.caller().share(id, &[account]).await;
            }
            (Action::DescribeCompShareSharingImages, viewer, None)
        }
        "community" | "group changed" => {
            for id in &ids {
                service.make_public(id).await;
            }
            (Action::DescribeCommunityImages, service.caller(), None)
        }
        "favourites" => {
            let (_, viewer) = service.stranger().await;
            for id in &ids {
                service.make_public(id).await;
                viewer.ok(Action::AddFavoriteImage, &[("CompShareImageId", id)]).await;
            }
            (Action::DescribeFavoriteImages, viewer, None)
        }
        "filtered" => (Action::DescribeCompShareCustomImages, service.caller(), Some("A")),
        _ => (Action::DescribeCompShareCustomImages, service.caller(), None),
    };
    let list = Params::for_action(list.name()).text("Limit", Some("20")).text("Name", filter);
    let form = caller.sign(list).to_form();
    for number in 0..count.parse().unwrap() {
        if matches!(kind, "changed" | "filtered" | "group changed") {
            rename(&catalog, &format!("name-{number:04}")).await;
        }
        let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        let response = caller.open(request.body(Body::from(form.clone())).unwrap()).await;
        assert!(response.into_body().collect().await.unwrap().to_bytes().len() > 5000);
    }
}

async fn rename(catalog: &Catalog, name: &str) {
    let changes = ImageChanges { name: Some(name), ..ImageChanges::default() };
    catalog.update_image(Scope::own(AccountId(1)), "image-07", changes, NOW).await.unwrap();
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
    for (kind, max) in [
        ("memory", IN_MEMORY_MAX),
        ("changed", CHANGED_MAX),
        ("filtered", FILTERED_MAX),
        ("shared", SHARED_MAX),
        ("community", COMMUNITY_MAX),
        ("favourites", FAVORITES_MAX),
        ("group changed", GROUP_CHANGED_MAX),
    ] {
        let Some(counted) = count(kind) else {
            assert!(env::var_os("CI").is_none(), "install valgrind");
            return;
        };
        println!("{kind}: {counted} instructions");
        assert!(counted <= max, "{kind}: {counted} instructions, at most {max} expected");
    }
}
