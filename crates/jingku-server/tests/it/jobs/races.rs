//! Twenty concurrent calls.

use std::future::Future;

use jingku_protocol::actions::Action;

use crate::support::{Caller, INSTANCE, Service};

const CALLS: usize = 20;

/// Sends twenty calls at the same time; returns how many succeeded and how the others were refused.
async fn create_at_once<F>(call: impl Fn(usize) -> F) -> (usize, Vec<(i64, String)>)
where
    F: Future<Output = Option<(i64, String)>> + Send + 'static,
{
    let calls: Vec<_> = (0..CALLS).map(|number| tokio::spawn(call(number))).collect();
    let mut refusals = Vec::new();
    for call in calls {
        refusals.extend(call.await.unwrap());
    }
    (CALLS - refusals.len(), refusals)
}

async fn create(caller: Caller, instance_id: String, name: String) -> Option<(i64, String)> {
    let params = [("UHostId", instance_id.as_str()), ("Name", name.as_str())];
    let reply = caller.call(Action::CreateCompShareCustomImage, &params).await;
    (reply.json["RetCode"] != 0).then(|| reply.refusal())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_calls_take_a_name_once() {
    let service = Service::start().await;
    let disk = service.folder.path().join("lab1.raw");
    for number in 0..CALLS {
        service.instance(&format!("uhost-{number}"), &disk).await;
    }
    let caller = service.caller();
    let (created, refusals) =
        create_at_once(|number| create(caller.clone(), format!("uhost-{number}"), "same".to_owned())).await;
    assert_eq!(created, 1);
    assert!(
        refusals.iter().all(|refusal| *refusal == (230, "Params [Name] not available".to_owned())),
        "{refusals:?}"
    );
    assert_eq!(caller.images(&[]).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_instance_makes_one_image_at_a_time() {
    let service = Service::start().await;
    let caller = service.caller();
    let (created, refusals) =
        create_at_once(|number| create(caller.clone(), INSTANCE.to_owned(), format!("name-{number}"))).await;
    assert_eq!(created, 1);
    let busy = (8964, format!("UHost [{INSTANCE}] is making image"));
    assert!(refusals.iter().all(|refusal| *refusal == busy), "{refusals:?}");
    assert_eq!(caller.images(&[]).await.len(), 1);
}
