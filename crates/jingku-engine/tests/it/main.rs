//! Tests with real engines.
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod archives;
mod left_out;
mod root;
mod usage;

use std::io::Read;

use jingku_engine::testing::{Kind, TestEngine};
use jingku_engine::{Engine, EngineError, State};

/// Runs a test on each engine that is installed.
async fn on_each_engine<F: Future<Output = ()>>(test: impl Fn(TestEngine, Engine) -> F) {
    for kind in [Kind::Podman, Kind::Docker] {
        let Some(under_test) = TestEngine::start(kind) else { continue };
        let engine = Engine::connect(&under_test.url()).await.unwrap();
        test(under_test, engine).await;
    }
}

fn names(archive: impl Read) -> Vec<String> {
    let mut archive = tar::Archive::new(archive);
    let name = |entry: std::io::Result<tar::Entry<'_, _>>| {
        String::from_utf8_lossy(&entry.unwrap().path_bytes()).trim_end_matches('/').to_owned()
    };
    archive.entries().unwrap().map(name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_is_described_exported_paused_and_removed() {
    on_each_engine(|under_test, engine| async move {
        let args = [
            "--name",
            "trainer",
            "--label",
            "jingku.instance=cpod-1",
            "-e",
            "TOKEN=x",
            "-w",
            "/tmp",
            "--memory",
            "64m",
        ];
        let id = under_test.container(&args);
        let listed = engine.containers().await.unwrap();
        assert_eq!((listed.len(), &listed[0].id, &listed[0].names[0]), (1, &id, &"trainer".to_owned()));
        assert_eq!(listed[0].labels["jingku.instance"], "cpod-1");

        let container = engine.counted_container(&id).await.unwrap();
        assert_eq!((&*container.name, container.state), ("trainer", State::Running));
        assert!(container.size_bytes.unwrap() > 500_000 && container.started_at > 1_700_000_000);
        assert_eq!(container.limits.memory_bytes, 64 << 20);
        assert_eq!(container.config["WorkingDir"], "/tmp");
        assert!(container.config["Env"].as_array().unwrap().iter().any(|pair| pair == "TOKEN=x"));

        under_test.run(&["exec", "trainer", "/bin/sh", "-c", "echo hello > /root/note"]);
        let export = engine.export(&id);
        let found = tokio::task::spawn_blocking(|| names(export)).await.unwrap();
        assert!(
            found.contains(&"root/note".to_owned()) && found.contains(&"bin/busybox".to_owned()),
            "{found:?}"
        );
        let file = engine.export_file(&id, "/root/note");
        assert_eq!(tokio::task::spawn_blocking(|| names(file)).await.unwrap(), ["note"]);
        let mut missing = engine.export_file(&id, "/root/nothing");
        let error =
            tokio::task::spawn_blocking(move || missing.read_exact(&mut [0; 1]).unwrap_err()).await.unwrap();
        assert!(matches!(error.downcast::<EngineError>().unwrap(), EngineError::NotFound(_)));

        engine.pause(&id).await.unwrap();
        assert_eq!(engine.container(&id).await.unwrap().state, State::Paused);
        engine.unpause(&id).await.unwrap();
        engine.stop(&id, 5).await.unwrap();
        let stopped = engine.container(&id).await.unwrap();
        assert!(stopped.state == State::Stopped && stopped.finished_at >= stopped.started_at);
        engine.stop(&id, 5).await.unwrap();
        engine.start(&id).await.unwrap();
        engine.restart(&id, 5).await.unwrap();
        assert_eq!(engine.container(&id).await.unwrap().state, State::Running);
        engine.remove(&id).await.unwrap();
        engine.remove(&id).await.unwrap();
        assert!(matches!(engine.container(&id).await, Err(EngineError::NotFound(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_away_is_an_error() {
    for url in ["", "tcp://127.0.0.1:1", "unix://relative", "unix:///nowhere/engine.sock"] {
        let error = Engine::connect(url).await.unwrap_err();
        let is_address = matches!(error, EngineError::Address { .. });
        assert_eq!(is_address, url != "unix:///nowhere/engine.sock", "{url}: {error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    drop(listener);
    let error = Engine::connect(&format!("unix://{}", socket.display())).await.unwrap_err();
    assert!(matches!(error, EngineError::Away(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_ends_without_its_end_mark_if_the_engine_stops() {
    let Some(mut under_test) = TestEngine::start(Kind::Podman) else { return };
    let engine = Engine::connect(&under_test.url()).await.unwrap();
    let id = under_test.container(&[]);
    under_test.run(&[
        "exec",
        &id,
        "/bin/sh",
        "-c",
        "dd if=/dev/urandom of=/root/big bs=1M count=64 2>/dev/null",
    ]);
    let mut export = engine.export(&id);
    let (whole, export) = tokio::task::spawn_blocking(move || {
        let mut piece = vec![0; 1 << 20];
        export.read_exact(&mut piece).unwrap();
        (piece, export)
    })
    .await
    .unwrap();
    under_test.stop_service();
    let (rest, _) = tokio::task::spawn_blocking(move || {
        let (mut export, mut rest) = (export, Vec::new());
        let result = export.read_to_end(&mut rest);
        (rest, result)
    })
    .await
    .unwrap();
    assert!(whole.len() + rest.len() < 64 << 20);
    under_test.resume_service();
}
