//! The fixtures file: what is loaded, and what is refused with the file, the entry and the field.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jingku_protocol::actions::Action;
use jingku_service::{
    Config, Context, Environment, FixedClock, Fixtures, KeyPair, LoadedAccount, SeededRandom, router,
};
use serde_json::{Value, json};

use crate::support::{Caller, NOW, PRIVATE_KEY, PUBLIC_KEY};

/// A server filled by a file of this name and text.
async fn filled(
    name: &str,
    text: &str,
    given: Option<&KeyPair>,
) -> Result<(Arc<Context>, Vec<LoadedAccount>), String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    std::fs::write(folder.path().join("disk.raw"), [7; 4096]).unwrap();
    let fixtures = Fixtures::read(&file).map_err(|error| error.to_string())?;
    let environment = Environment {
        clock: Arc::new(FixedClock::at(NOW)),
        random: Arc::new(SeededRandom::new(1)),
        ..Environment::default()
    };
    let context = Context::open_in_memory(&Config::default(), &environment).await.unwrap();
    let accounts = context.load(&fixtures, given).await.map_err(|error| error.to_string())?;
    Ok((Arc::new(context), accounts))
}

async fn list(caller: &Caller) -> Value {
    caller.ok(Action::DescribeCompShareCustomImages, &[("Limit", "100")]).await
}

const TOML: &str = r#"
[[accounts]]
name = "lab"
keys = [{ public_key = "pub", private_key = "priv" }]

[[accounts]]
name = "other"

[[instances]]
id = "uhost-1"
account = "other"
size_mb = 10
zone = "cn-sh2-02"
gpu_type = "4090"

[[instances]]
id = "uhost-file"
disk = "disk.raw"

[[images]]
name = "env"
status = "Available"
size_mb = 40960
tags = ["torch", "cuda"]
description = "with torch"
readme = "Read me"
create_time = 1700000000
zone = "cn-bj2-03"
count = 3

[[images]]
name = "failed"
status = "UnAvailable"
reason = "no disk"

[[images]]
name = "reviewed"
status = "Reviewing"
id = "compshareImage-my-own"
account = "other"

[[images]]
name = "down"
status = "Offline"
account = "other"

[[images]]
name = "now"
status = "Making"
progress = 25
account = "other"
"#;

#[tokio::test]
async fn everything_is_loaded_as_it_is_written() {
    let (context, accounts) = filled("all.toml", TOML, None).await.unwrap();
    assert_eq!(accounts.iter().map(|loaded| loaded.account.id.0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(accounts[0].keys[0].public_key, "pub");
    let caller = Caller::new(router(context.clone()), "pub", "priv");
    let page = list(&caller).await;
    assert_eq!(page["TotalCount"], 4);
    let names: Vec<_> =
        page["ImageSet"].as_array().unwrap().iter().map(|image| image["Name"].as_str().unwrap()).collect();
    assert_eq!(names, ["failed", "env-3", "env-2", "env-1"]);
    let id = "compshareImage-1fixture0003";
    let env = caller.ok(Action::DescribeCompShareCustomImages, &[("CompShareImageId", id)]).await;
    let env = &env["ImageSet"][0];
    assert_eq!(
        (&env["Name"], &env["Size"], &env["Tags"]),
        (&json!("env-3"), &json!(40960), &json!(["torch", "cuda"]))
    );
    assert_eq!(
        (&env["CreateTime"], &env["Readme"], &env["Zone"]),
        (&json!(1_700_000_000), &json!("Read me"), &json!("cn-bj2-03"))
    );
    assert_eq!(page["ImageSet"][3]["CreateTime"], 1_699_999_998);
    assert_eq!(page["ImageSet"][0]["FailedReason"], "no disk");

    let other = Caller::with_keys(router(context.clone()), &accounts[1].keys[0]);
    let page = list(&other).await;
    let statuses: Vec<_> =
        page["ImageSet"].as_array().unwrap().iter().map(|image| image["Status"].as_str().unwrap()).collect();
    assert_eq!(page["TotalCount"], 3);
    for status in ["Reviewing", "Offline", "Making"] {
        assert!(statuses.contains(&status), "{statuses:?}");
    }
    let instance = other.ok(Action::DescribeCompShareInstance, &[]).await;
    assert_eq!(
        (&instance["TotalCount"], &instance["UHostSet"][0]["UHostId"]),
        (&json!(1), &json!("uhost-1"))
    );
    let file = caller.ok(Action::DescribeCompShareInstance, &[]).await;
    assert_eq!(file["UHostSet"][0]["UHostId"], "uhost-file");
}

#[tokio::test]
async fn an_available_image_has_all_its_bytes() {
    let (context, accounts) =
        filled("small.json", r#"{"images":[{"name":"a","size_mb":3,"count":2}]}"#, None).await.unwrap();
    let caller = Caller::with_keys(router(context), &accounts[0].keys[0]);
    for id in ["compshareImage-1fixture0001", "compshareImage-1fixture0002"] {
        let answer = caller.call(Action::ExportCompShareCustomImage, &[("CompShareImageId", id)]).await;
        assert_eq!(answer.body.len(), 3 << 20);
        assert!(answer.body.iter().any(|byte| *byte != 0));
    }
}

#[tokio::test]
async fn the_environment_s_pair_is_the_first_account_s() {
    let given = KeyPair { public_key: PUBLIC_KEY.to_owned(), private_key: PRIVATE_KEY.into() };
    for text in ["", TOML] {
        let (context, accounts) = filled("a.toml", text, Some(&given)).await.unwrap();
        assert!(accounts[0].keys.iter().all(|pair| pair.public_key != PUBLIC_KEY), "it is known already");
        list(&Caller::new(router(context), PUBLIC_KEY, PRIVATE_KEY)).await;
    }
}

#[tokio::test]
async fn toml_and_json_say_the_same() {
    let value: toml::Value = toml::from_str(TOML).unwrap();
    let text = serde_json::to_string(&value).unwrap();
    let mut pages = Vec::new();
    for (name, text) in [("a.toml", TOML), ("a.json", &text), ("a.fixtures", TOML), ("b.fixtures", &text)] {
        let (context, _) = filled(name, text, None).await.unwrap();
        pages.push(list(&Caller::new(router(context), "pub", "priv")).await);
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn what_is_wrong_is_named_by_file_entry_and_field() {
    let image = |fields: &str| format!("[[images]]\nname = 'ok'\n[[images]]\nname = 'b'\n{fields}\n");
    let instance = |fields: &str| format!("[[instances]]\nid = 'i'\n{fields}\n");
    for (text, place, words) in [
        ("images = 3".to_owned(), "images", "invalid type"),
        ("[[image]]".to_owned(), "image", "unknown field `image`"),
        ("[[images]".to_owned(), "the file", "TOML parse error at line 1"),
        (image("stat = 'x'"), "images[1].stat", "unknown field"),
        (image("status = 'Ready'"), "images[1].status", "unknown variant `Ready`"),
        (image("status = 'Making'\nprogress = 101"), "images[1].progress", "not from 0 to 100"),
        (image("progress = 5"), "images[1].progress", "only an image that is Making"),
        (image("status = 'UnAvailable'"), "images[1].reason", "say why"),
        (image("reason = 'x'"), "images[1].reason", "only an image that is UnAvailable"),
        (image("count = 0"), "images[1].count", "not from 1 to"),
        (image("count = 5\nid = 'x'"), "images[1].id", "ids of their own"),
        (image("count = 1000001"), "images[1].count", "not from 1 to"),
        (image("size_mb = 0"), "images[1].size_mb", "not from 1 to"),
        (image("tags = ['a', 'b', 'c', 'd']"), "images[1].tags", "the API would refuse it"),
        (image("price = -1.0"), "images[1].price", "the API would refuse it"),
        (image("account = 'who'"), "images[1].account", "no account of this file"),
        (image("zone = 'moon'"), "images[1].zone", "no zone \"moon\""),
        (image("create_time = -1"), "images[1].create_time", "no time"),
        ("[[images]]\nname = 'a b'".to_owned(), "images[0].name", "cannot name an image"),
        ("[[images]]\nname = 'a'\n[[images]]\nname = 'a'".to_owned(), "images[1].name", "the same name"),
        (
            "[[images]]\nname = 'a-1'\n[[images]]\nname = 'a'\ncount = 1".to_owned(),
            "images",
            "have the name \"a-1\"",
        ),
        (
            "[[images]]\nname = 'a'\nid = 'x'\n[[images]]\nname = 'b'\nid = 'x'".to_owned(),
            "images",
            "have the id \"x\"",
        ),
        ("[[accounts]]\nname = 'a'\n[[accounts]]\nname = 'a'".to_owned(), "accounts[1].name", "same name"),
        ("[[accounts]]\nname = ''".to_owned(), "accounts[0].name", "1 to"),
        (
            "[[accounts]]\nname = 'a'\nkeys = [{ public_key = 'p', private_key = '' }]".to_owned(),
            "accounts[0].keys[0].private_key",
            "1 to",
        ),
        (instance(""), "instances[0].size_mb", "give the size"),
        (instance("size_mb = 1\ndisk = 'x'"), "instances[0].disk", "either"),
        (instance("disk = 'nothing.raw'"), "instances[0].disk", "There is no file"),
        (instance("size_mb = 1\nfails_at_percent = 5"), "instances[0].fails_at_percent", "give fails"),
        (instance("size_mb = 1\nzone = 'moon'"), "instances[0].zone", "no zone"),
        ("[[instances]]\nid = 'a b'\nsize_mb = 1".to_owned(), "instances[0].id", "cannot be an instance id"),
    ] {
        let error = filled("my.toml", &text, None).await.err().unwrap_or_else(|| panic!("taken: {text}"));
        let start = format!("my.toml is wrong: {place}: ");
        assert!(error.contains(&start) && error.contains(words), "{text}\n{error}\n{start}{words}");
    }
    let error = filled("my.json", r#"{"images":[{"name":"a","size_mb":"big"}]}"#, None).await.err().unwrap();
    assert!(error.contains("my.json is wrong: images[0].size_mb: invalid type"), "{error}");
    assert!(filled("my.json", "{} x", None).await.is_err());
}

#[tokio::test]
async fn ten_thousand_images_load_fast() {
    let text =
        r#"{"images":[{"name":"a","count":9000},{"name":"b","count":1000,"status":"Making","progress":5}]}"#;
    let started = Instant::now();
    let (context, accounts) = filled("many.json", text, None).await.unwrap();
    // An optimised build takes a tenth of a second; this one is not, and the machine may be busy.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let caller = Caller::with_keys(router(context), &accounts[0].keys[0]);
    assert_eq!(list(&caller).await["TotalCount"], 10_000);
}
