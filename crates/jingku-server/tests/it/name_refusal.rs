//! Why a name was refused: two fields of the reply, beside the message that the real service sends for every reason.

use jingku_library::DiskFormat;
use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{Caller, INSTANCE, Service};

/// The message, the reason and the image that holds the name.
async fn refusal(caller: &Caller, action: Action, params: &[(&str, &str)]) -> [Value; 3] {
    let reply = caller.call(action, params).await.json;
    assert_eq!(reply["RetCode"], 230, "{action:?} {params:?}: {reply}");
    ["Message", "Reason", "Holder"].map(|name| reply[name].clone())
}

#[tokio::test]
async fn name_refusals_distinguish_three_reasons() {
    let service = Service::start().await;
    let caller = service.caller();
    let create =
        caller.ok(Action::CreateCompShareCustomImage, &[("UHostId", INSTANCE), ("Name", "taken")]).await;
    let taken = create["CompShareImageId"].clone();
    // The first instance is busy.
    service.instance("uhost-lab2", &service.disk("lab2.raw", DiskFormat::Raw, 2)).await;
    let import =
        caller.ok(Action::ImportCompShareCustomImage, &[("Name", "held"), ("SizeBytes", "4096")]).await;
    let held = import["CompShareImageId"].clone();
    let id = taken.as_str().unwrap().to_owned();
    let expected = [
        ("taken", json!("NameTaken"), taken),
        ("held", json!("NameHeldByUpload"), held.clone()),
        ("no name", json!("NameInvalid"), Value::Null),
    ];
    for (name, reason, holder) in expected {
        let message = json!("Params [Name] not available");
        let params = [("UHostId", "uhost-lab2"), ("Name", name)];
        let create = refusal(&caller, Action::CreateCompShareCustomImage, &params).await;
        assert_eq!(create, [message.clone(), reason.clone(), holder.clone()], "create {name}");
        if name != "held" {
            let params = [("Name", name), ("SizeBytes", "4096")];
            let import = refusal(&caller, Action::ImportCompShareCustomImage, &params).await;
            assert_eq!(import, [message.clone(), reason.clone(), holder.clone()], "import {name}");
        }
        if name != "taken" {
            let params = [("CompShareImageId", id.as_str()), ("Name", name)];
            let update = refusal(&caller, Action::UpdateCompShareImage, &params).await;
            assert_eq!(update, [message.clone(), reason.clone(), holder.clone()], "update {name}");
        }
    }
    // A 230 for another parameter has no reason.
    let other = [("Limit", "101"), ("Name", "taken")];
    let list = refusal(&caller, Action::DescribeCompShareCustomImages, &other).await;
    assert_eq!(list, [json!("Params [Limit] not available"), Value::Null, Value::Null]);
}
