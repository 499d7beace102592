//! What a call asks of a container reaches its job. Real engines are in the tests of the binary.

use std::path::Path;

use jingku_library::{Config, ContainerSettings};
use jingku_protocol::actions::Action;
use serde_json::{Value, json};
use tokio::net::UnixListener;
use tokio::task::JoinSet;

use crate::support::{NOW, Service, put_container};

const CREATE: Action = Action::CreateCompShareCustomImage;

async fn with_engine(pause: bool) -> Service {
    with_engine_at("/nowhere/engine.sock".as_ref(), pause).await
}

async fn with_engine_at(socket: &Path, pause: bool) -> Service {
    let engine = Some(format!("unix://{}", socket.display()));
    let containers = ContainerSettings { engine, pause, ..ContainerSettings::default() };
    let service = Service::with(Config { containers, ..Config::default() }).await;
    put_container(&service, 1, "cpod-1", &facts(), NOW).await;
    service
}

fn facts() -> Value {
    json!({
        "engine_id": "abc", "state": "Running", "image": "", "started_at": 0, "stopped_at": 0, "cpu": 0,
        "memory_mb": 0, "gpus": 0, "published": {}, "address": "",
    })
}

/// The options of the only queued job.
async fn options(service: &Service) -> Value {
    let job =
        service.catalog().await.claim_job("test", i64::MAX, NOW, 60).await.unwrap().expect("a job is queued");
    serde_json::from_str(&job.options).unwrap()
}

#[tokio::test]
async fn pause_and_secrets_are_read_in_every_spelling() {
    for (pause, without_secrets, params) in [
        (false, false, vec![]),
        (true, false, vec![("Pause", "true")]),
        (true, true, vec![("Pause", "True"), ("ExcludeSecrets", "1")]),
        (false, true, vec![("Pause", "false"), ("ExcludeSecrets", "TRUE")]),
        (false, false, vec![("Pause", "0"), ("ExcludeSecrets", "False")]),
        (false, false, vec![("Pause", ""), ("ExcludeSecrets", "")]),
    ] {
        let service = with_engine(false).await;
        let all = [&[("UHostId", "cpod-1"), ("Name", "env")], &params[..]].concat();
        service.caller().ok(CREATE, &all).await;
        let expected = json!({ "pause": pause, "without_secrets": without_secrets });
        assert_eq!(options(&service).await, expected, "{params:?}");
    }
}

#[tokio::test]
async fn the_setting_of_the_server_applies_unless_the_call_says_otherwise() {
    for (params, pause) in [(&[][..], true), (&[("Pause", "false")], false)] {
        let service = with_engine(true).await;
        service.caller().ok(CREATE, &[&[("UHostId", "cpod-1"), ("Name", "env")], params].concat()).await;
        assert_eq!(options(&service).await["pause"], pause);
    }
}

#[tokio::test]
async fn words_that_are_no_flag_are_refused() {
    let service = with_engine(false).await;
    let caller = service.caller();
    for name in ["Pause", "ExcludeSecrets", "Estimate"] {
        for value in ["yes", "2", "pause"] {
            let params = [("UHostId", "cpod-1"), ("Name", "env"), (name, value)];
            caller.assert_refused(CREATE, &params, 230, &format!("Params [{name}] not available")).await;
        }
    }
}

#[tokio::test]
async fn a_server_without_an_engine_refuses() {
    let service = Service::start().await;
    put_container(&service, 1, "cpod-1", &facts(), NOW).await;
    let caller = service.caller();
    let (code, message) = caller.refusal(CREATE, &[("UHostId", "cpod-1"), ("Name", "env")]).await;
    assert_eq!(code, 8905, "{message}");
    assert!(message.contains("no container engine"), "{message}");
}

#[tokio::test]
async fn an_engine_that_is_away_gives_no_estimate() {
    let service = with_engine(false).await;
    let caller = service.caller();
    let params = [("UHostId", "cpod-1"), ("Name", "env"), ("Estimate", "true")];
    let (code, message) = caller.refusal(CREATE, &params).await;
    assert_eq!(code, 8905, "{message}");
    assert!(message.contains("engine does not answer"), "{message}");
    assert!(caller.images(&[]).await.is_empty());
}

/// An account gets at most half of the places for estimates, and gets them again when they end.
#[tokio::test]
async fn an_account_estimates_two_images_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    // Answers nothing, so that the estimates wait.
    let engine = UnixListener::bind(&socket).unwrap();
    let service = with_engine_at(&socket, false).await;
    let params = [("UHostId", "cpod-1"), ("Name", "env"), ("Estimate", "true")];
    let mut calls = JoinSet::new();
    for _ in 0..3 {
        let caller = service.caller();
        calls.spawn(async move { caller.refusal(CREATE, &params).await });
    }
    assert_eq!(calls.join_next().await.unwrap().unwrap(), (153, "Request Throttled".to_owned()));
    drop(engine);
    while let Some(ended) = calls.join_next().await {
        assert_eq!(ended.unwrap().0, 8905);
    }
    for _ in 0..3 {
        assert_eq!(service.caller().refusal(CREATE, &params).await.0, 8905);
    }
}

#[tokio::test]
async fn a_container_whose_image_is_being_made_is_busy() {
    let service = with_engine(false).await;
    let caller = service.caller();
    let id = caller.create("cpod-1", "env").await;
    let state = caller.ok(Action::DescribeCompShareInstance, &[("UHostIds.0", "cpod-1")]).await;
    assert_eq!(state["UHostSet"][0]["State"], "ImageMaking");
    assert_eq!(caller.refusal(CREATE, &[("UHostId", "cpod-1"), ("Name", "again")]).await.0, 8964);
    // The engine is away: the job ends with a reason.
    service.finish_job(&id).await;
    let image = caller.image(&id).await;
    assert_eq!(image["Status"], "UnAvailable");
    assert!(image["FailedReason"].as_str().unwrap().contains("engine"), "{image}");
}
