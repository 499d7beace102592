//! Repeated signed calls, as SDKs send them after a lost response.

use jingku_protocol::Params;
use jingku_protocol::actions::Action;
use serde_json::Value;

use crate::support::{Caller, NOW, Reply, Service};

const COPY: Action = Action::CopyCompShareCustomImage;

fn signed(caller: &Caller, action: Action, params: &[(&str, &str)]) -> Params {
    let params = params
        .iter()
        .fold(Params::for_action(action.name()), |all, (name, value)| all.text(name, Some(value)));
    caller.sign(params)
}

/// A successful reply without the fields that differ between repeats.
fn comparable(reply: Reply) -> Value {
    let mut json = reply.json;
    assert_eq!(json["RetCode"], 0, "{json}");
    for differs in ["request_uuid", "Resumed"] {
        json.as_object_mut().unwrap().remove(differs);
    }
    json
}

async fn total(caller: &Caller) -> u64 {
    caller.ok(Action::DescribeCompShareCustomImages, &[]).await["TotalCount"].as_u64().unwrap()
}

#[tokio::test]
async fn a_repeated_copy_gets_the_same_answer_even_after_a_restart() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("env", NOW)]).await;
    let unnamed = signed(&caller, COPY, &[("CompShareImageId", "env")]);
    let named = signed(&caller, COPY, &[("CompShareImageId", "env"), ("TargetImageName", "second")]);
    let sync = Action::SyncCompShareCustomImage;
    let params =
        [("SourceCompShareImageId", "env"), ("TargetZoneIds.0", "8200"), ("TargetZoneIds.1", "5001")];
    let synced = signed(&caller, sync, &params);
    for (request, images) in [(unnamed, 2), (named, 3), (synced, 5)] {
        let first = comparable(caller.post(&request).await);
        assert_eq!(total(&caller).await, images);
        service.clock.set(NOW + 59);
        assert_eq!(comparable(caller.post(&request).await), first);
        // Also as a query string, and after a restart.
        let get = axum::http::Request::get(format!("/?{}", request.to_form()));
        assert_eq!(comparable(caller.send(get.body("".into()).unwrap()).await), first);
        let again = service.reopen().await;
        again.clock.set(NOW + 59);
        assert_eq!(comparable(again.caller().post(&request).await), first);
        assert_eq!(total(&caller).await, images);
        service.clock.set(NOW);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_identical_copies_create_one_image() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("env", NOW)]).await;
    let request = signed(&caller, COPY, &[("CompShareImageId", "env")]);
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let (caller, request) = (service.caller(), request.clone());
            tokio::spawn(async move { comparable(caller.post(&request).await) })
        })
        .collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(total(&caller).await, 2);
}

#[tokio::test]
async fn a_different_request_creates_another_copy() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("env", NOW)]).await;
    let copy = async |params: &[(&str, &str)]| {
        let reply = comparable(caller.post(&signed(&caller, COPY, params)).await);
        reply["NewCompShareImageId"].as_str().unwrap().to_owned()
    };
    let env = ("CompShareImageId", "env");
    let first = copy(&[env]).await;
    // An additional parameter makes it a different request, even one that the action ignores.
    let second = copy(&[env, ("Marker", "2")]).await;
    assert_ne!(first, second);
    // A minute later, or after the copy is deleted, it is a new request.
    service.clock.set(NOW + 60);
    let third = copy(&[env]).await;
    assert_eq!(copy(&[env]).await, third);
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &third)]).await;
    let fourth = copy(&[env]).await;
    assert_ne!(fourth, third);
    assert_eq!(total(&caller).await, 4);
}

#[tokio::test]
async fn a_repeated_publication_gets_the_same_answer() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("env", NOW)]).await;
    let publish = Action::PublishCompShareImage;
    let request = signed(&caller, publish, &[("CompShareImageId", "env"), ("Price", "0")]);
    let first = comparable(caller.post(&request).await);
    let before = caller.everything().await;
    assert_eq!(comparable(caller.post(&request).await), first);
    service.context.library.approve_image("env").await.unwrap();
    assert_eq!(comparable(caller.post(&request).await), first);
    assert_ne!(caller.everything().await, before);
    service.clock.set(NOW + 60);
    let out = "Params [CompShareImageId] not available";
    assert_eq!(caller.post(&request).await.refusal(), (230, out.to_owned()));
}

/// A repeated call of any other action leads to the same state and creates nothing twice.
#[tokio::test]
async fn other_changes_are_idempotent() {
    let service = Service::start().await;
    let (caller, (other, _)) = (service.caller(), service.stranger().await);
    service.add_images(&[("env", NOW)]).await;
    let other = other.to_string();
    let id = ("CompShareImageId", "env");
    for (action, params) in [
        (Action::UpdateCompShareImage, vec![id, ("Name", "renamed"), ("Tags.0", "cv")]),
        (Action::ModifyCompShareImageShareAccount, vec![id, ("AddAccounts.0", &*other)]),
        (Action::ModifyCompShareImageShareAccount, vec![id, ("RemoveAccounts.0", &*other)]),
        (Action::ImportCompShareCustomImage, vec![("Name", "imported"), ("SizeBytes", "1048576")]),
        (Action::TerminateCompShareCustomImage, vec![id]),
    ] {
        let request = signed(&caller, action, &params);
        let first = comparable(caller.post(&request).await);
        let before = caller.everything().await;
        assert_eq!(comparable(caller.post(&request).await), first, "{action:?}");
        assert_eq!(caller.everything().await, before, "{action:?}");
    }
    service.add_images(&[("public", NOW)]).await;
    service.make_public("public").await;
    let group = caller.image("public").await["GroupId"].as_str().unwrap().to_owned();
    for (action, params) in [
        (Action::AddFavoriteImage, ("CompShareImageId", "public")),
        (Action::RemoveFavoriteImage, ("CompShareImageId", "public")),
        (Action::CreateCompShareImageFavorite, ("GroupId", &*group)),
        (Action::DeleteCompShareImageFavorite, ("GroupId", &*group)),
    ] {
        let request = signed(&caller, action, &[params]);
        let first = comparable(caller.post(&request).await);
        let before = caller.image("public").await;
        assert_eq!(comparable(caller.post(&request).await), first, "{action:?}");
        assert_eq!(caller.image("public").await, before, "{action:?}");
    }
}
