//! The order of the gateway's checks, and signatures.

use jingku_library::KeyLimits;
use jingku_protocol::actions::Action;
use jingku_protocol::{Params, signature};

use crate::support::{Caller, PRIVATE_KEY, PUBLIC_KEY, Service};

const LIST: Action = Action::DescribeCompShareCustomImages;

fn params(pairs: &[(&str, &str)]) -> Params {
    pairs.iter().fold(Params::default(), |params, (name, value)| params.text(name, Some(value)))
}

/// Each call has one error less than the call before. The server reports the first error.
#[tokio::test]
async fn checks_run_in_the_documented_order() {
    let service = Service::start().await;
    let caller = service.caller();
    let (project, limit) = (("ProjectId", "org-other"), ("Limit", "101"));
    let token = ("SecurityToken", "x");
    let bad_signature = ("Signature", "0000000000000000000000000000000000000000");
    let known = ("PublicKey", PUBLIC_KEY);
    for (pairs, code, message) in [
        (vec![token, project, limit], 160, "Missing Action"),
        (vec![("Action", ""), bad_signature], 160, "Missing Action"),
        (vec![("Action", "Nope"), token, project, limit], 170, "Missing Signature"),
        (vec![("Action", "Nope"), token, ("Signature", ""), known], 170, "Missing Signature"),
        (vec![("Action", "Nope"), token, project, limit, bad_signature], 172, "User Not Exists"),
        (vec![("Action", "Nope"), token, bad_signature, ("PublicKey", "")], 172, "User Not Exists"),
        (vec![("Action", "Nope"), token, bad_signature, ("PublicKey", "nobody")], 172, "User Not Exists"),
        (vec![("Action", "Nope"), token, project, limit, bad_signature, known], 174, "Token Not Exists"),
        (vec![("Action", "Nope"), project, limit, bad_signature, known], 171, "Signature VerifyAC Error"),
    ] {
        assert_eq!(caller.post(&params(&pairs)).await.refusal(), (code, message.to_owned()), "{pairs:?}");
    }
    for (pairs, code, message) in [
        (vec![("Action", "Nope"), token], 174, "Token Not Exists"),
        (vec![("Action", "Nope"), project, limit], 161, "Action [Nope] not found"),
        (
            vec![("Action", "describeCompShareCustomImages")],
            161,
            "Action [describeCompShareCustomImages] not found",
        ),
        (vec![("Action", LIST.name()), project, limit], 292, "Project [org-other] not exists"),
        (vec![("Action", LIST.name()), limit], 230, "Params [Limit] not available"),
    ] {
        let signed = caller.sign(params(&pairs));
        assert_eq!(caller.post(&signed).await.refusal(), (code, message.to_owned()), "{pairs:?}");
    }
}

#[tokio::test]
async fn a_refusal_names_the_action_if_it_is_known() {
    let service = Service::start().await;
    let caller = service.caller();
    let reply = caller.post(&params(&[("Action", LIST.name())])).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json["Action"]),
        (200, &"DescribeCompShareCustomImagesResponse".into())
    );
    let reply = caller.post(&caller.sign(params(&[("Action", "Nope")]))).await;
    assert_eq!((reply.status.as_u16(), reply.json.get("Action")), (200, None));
}

#[tokio::test]
async fn the_signature_covers_every_parameter() {
    let service = Service::start().await;
    let caller = service.caller();
    let signed = caller.sign(params(&[("Action", LIST.name()), ("Limit", "20"), ("Unknown", "1")]));
    assert_eq!(caller.post(&signed).await.json["RetCode"], 0);
    let mismatch = (171, "Signature VerifyAC Error".to_owned());
    for (name, value) in [("Limit", "21"), ("Unknown", "2"), ("Zone", ""), ("Signature", "ABCDEF")] {
        let changed = signed.clone().text(name, Some(value));
        assert_eq!(caller.post(&changed).await.refusal(), mismatch, "{name}");
    }
    let upper = signed.get_text("Signature").unwrap().to_uppercase();
    assert_eq!(caller.post(&signed.clone().text("Signature", Some(&upper))).await.refusal(), mismatch);
    // The private key of one account does not match the public key of another.
    let (_, stranger) = service.stranger().await;
    let theirs = signed.text("PublicKey", Some(&stranger.public_key));
    let crossed = signature(&theirs, PRIVATE_KEY);
    assert_eq!(caller.post(&theirs.text("Signature", Some(&crossed))).await.refusal(), mismatch);
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once() {
    let service = Service::start().await;
    let caller = service.caller();
    caller.ok(LIST, &[]).await;
    service.context.revoke_key(PUBLIC_KEY).await.unwrap();
    assert_eq!(caller.refusal(LIST, &[]).await, (172, "User Not Exists".to_owned()));
}

/// `jingku key revoke` and `jingku key create` run as separate processes.
#[tokio::test]
async fn key_changes_by_another_process_take_effect_at_once() {
    let service = Service::start().await;
    let caller = service.caller();
    let operator = service.reopen().await.context;
    caller.ok(LIST, &[]).await;
    let (second, _) = operator.create_key(1, "second", &KeyLimits::default()).await.unwrap();
    let second = Caller::with_keys(jingku_server::router(service.context.clone()), &second);
    second.ok(LIST, &[]).await;
    // The server has cached both keys.
    caller.ok(LIST, &[]).await;
    operator.revoke_key(PUBLIC_KEY).await.unwrap();
    assert_eq!(caller.refusal(LIST, &[]).await, (172, "User Not Exists".to_owned()));
    second.ok(LIST, &[]).await;
}
