//! What the log must contain, and what it must not.

use std::io::Write;
use std::sync::{Mutex, OnceLock};

use axum::body::Body;
use axum::http::Request;
use jingku_protocol::Params;
use jingku_protocol::actions::Action;
use tracing_subscriber::filter::LevelFilter;

use crate::support::{INSTANCE, NOW, Service};

/// Captures everything that this process logs, at all levels.
fn captured() -> &'static Mutex<Vec<u8>> {
    struct Sink;
    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            captured().lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    static LOG: OnceLock<Mutex<Vec<u8>>> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_ansi(false);
        log.with_writer(|| Sink).init();
        Mutex::default()
    })
}

fn text() -> String {
    String::from_utf8(captured().lock().unwrap().clone()).unwrap()
}

#[tokio::test]
async fn an_internal_error_is_logged_once_with_its_request_id() {
    captured();
    let service = Service::start().await;
    let id = service.make(INSTANCE, "env").await;
    let manifest = service.stored("manifests").remove(0);
    std::fs::remove_file(&manifest).unwrap();
    let reply = service.caller().call(Action::ExportCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    let log = text();
    let request_id = reply.json["request_uuid"].as_str().unwrap();
    let lines: Vec<_> = log.lines().filter(|line| line.contains(request_id)).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("ERROR") && lines[0].contains("ExportCompShareCustomImage"), "{lines:?}");
    let lost = manifest.file_name().unwrap().to_str().unwrap();
    assert!(lines[0].contains(lost) && !reply.json.to_string().contains(lost), "{lines:?}");
}

#[tokio::test]
async fn keys_signatures_and_bodies_are_never_logged() {
    captured();
    let service = Service::start().await;
    service.add_images(&[("image-1", NOW)]).await;
    let (account, keys) = service.context.library.create_account("logged").await.unwrap();
    service.instance_of(account.id.0, "uhost-logged", &service.folder.path().join("lab1.raw"), None).await;
    let caller = crate::support::Caller::with_keys(jingku_server::router(service.context.clone()), &keys);
    let id = caller.create("uhost-logged", "logged").await;
    let body = "a-body-to-keep-quiet-about";
    let mut secrets = vec![keys.public_key.clone(), body.to_owned()];
    secrets.push(secrecy::ExposeSecret::expose_secret(&keys.private_key).to_owned());

    let params = |action: &str| {
        Params::for_action(action).text("CompShareImageId", Some(&id)).text("Description", Some(body))
    };
    let lost = Action::ExportCompShareCustomImage.name();
    for action in [Action::UpdateCompShareImage.name(), lost, "Nope"] {
        let signed = caller.sign(params(action));
        secrets.push(signed.get_text("Signature").unwrap().to_owned());
        caller.post(&signed).await;
        caller.send(Request::get(format!("/?{}", signed.to_form())).body(Body::empty()).unwrap()).await;
        let forged = signed.text("Description", Some(&format!("{body}!")));
        assert_eq!(caller.post(&forged).await.refusal().0, 171);
    }
    let unreadable = Request::post("/").header("content-type", "application/json");
    caller.send(unreadable.body(Body::from(format!(r#"{{"a":"{body}", {body}"#))).unwrap()).await;
    service.context.library.revoke_key(&keys.public_key).await.unwrap();
    caller.post(&caller.sign(params(lost))).await;

    let log = text();
    for secret in secrets {
        assert!(!log.contains(&secret), "the log contains {secret}");
    }
}
