//! The fixtures file: what it loads, and errors that name the file, the entry and the field.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jingku_library::{
    Config, Environment, FixedClock, Fixtures, KeyPair, Library, LoadedAccount, SeededRandom,
};
use jingku_protocol::actions::Action;
use jingku_server::{Context, router};
use serde_json::{Value, json};

use crate::support::{Caller, NOW, PRIVATE_KEY, PUBLIC_KEY};

/// A server with the fixtures of a file with this name and content.
async fn server_with(
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
    let library = Library::open_in_memory(&Config::default(), &environment).await.unwrap();
    let context = Context::new(library);
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
async fn every_field_is_loaded() {
    let (context, accounts) = server_with("all.toml", TOML, None).await.unwrap();
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

const AUDIENCE: &str = r#"
[[accounts]]
name = "lab"

[[accounts]]
name = "other"

[[accounts]]
name = "third"

[[images]]
name = "shared"
shared_with = ["third", "other"]
container = true

[[images]]
name = "torch-old"
published = { group = "PyTorch 2", version = "v7.0", version_description = "the old one", favorites = ["other"] }
create_time = 1700000000

[[images]]
name = "torch-new"
published = { group = "PyTorch 2", favorites = ["other", "lab"], recommended = 5 }
create_time = 1700000001

[[images]]
name = "torch-next"
status = "Reviewing"
published = { group = "PyTorch 2" }

[[images]]
name = "alone"
published = {}
count = 2

[[images]]
name = "down"
status = "Offline"

[[images]]
name = "shared"
platform = "Game"

[[images]]
name = "ubuntu"
platform = "System"
count = 3
size_mb = 2
"#;

async fn rows(caller: &Caller, action: Action, params: &[(&str, &str)], fields: &[&str]) -> Vec<Value> {
    let page = caller.ok(action, params).await;
    let rows = page["ImageSet"].as_array().unwrap();
    let row = |row: &Value| fields.iter().map(|field| row[field].clone()).collect();
    rows.iter().map(row).collect()
}

#[tokio::test]
async fn shares_publications_and_platform_images_are_loaded() {
    let (context, accounts) = server_with("audience.toml", AUDIENCE, None).await.unwrap();
    let [lab, other, third] =
        [0, 1, 2].map(|index| Caller::with_keys(router(context.clone()), &accounts[index].keys[0]));

    let shared = "compshareImage-1fixture0001";
    for account in [&other, &third] {
        let rows =
            rows(account, Action::DescribeCompShareSharingImages, &[], &["CompShareImageId", "Container"])
                .await;
        assert_eq!(rows, [json!([shared, "True"])]);
    }
    assert_eq!(lab.ok(Action::DescribeCompShareSharingImages, &[]).await["TotalCount"], 0);
    let accounts = lab.ok(Action::DescribeCompShareImageShareAccounts, &[("CompShareImageId", shared)]).await;
    assert_eq!(
        accounts["AccountSet"],
        json!([{"AccountName": "other", "AccountId": "2"}, {"AccountName": "third", "AccountId": "3"}])
    );

    let community = third.ok(Action::DescribeCommunityImages, &[]).await;
    let group = &community["CompshareImageGroup"][0];
    assert_eq!((&community["TotalCount"], &group["ImageName"]), (&json!(3), &json!("PyTorch 2")));
    assert_eq!(group["GroupId"], "compshareImage-1fixture0002", "the id of its first image");
    assert_eq!((&group["FavoritesCount"], &group["RecommendCount"]), (&json!(2), &json!(5)));
    let versions: Vec<_> = group["Data"].as_array().unwrap().iter().map(|row| &row["VersionName"]).collect();
    assert_eq!(versions, ["v8.0", "v7.0"], "newest first, without the version in review");
    assert_eq!(group["Data"][1]["VersionDesc"], "the old one");
    assert_eq!(group["Data"][1]["FavoritesCount"], 2);
    assert_eq!(group["Data"][1]["PubTime"], 1_700_000_000);
    let names = ["ImageName", "GroupId"].map(|field| &community["CompshareImageGroup"][1][field]);
    assert_eq!(names, ["alone-2", "compshareImage-1fixture0006"]);
    let own = lab.ok(Action::DescribeSelfCommunityImages, &[]).await;
    assert_eq!((&own["TotalCount"], &own["AvailableTotalCount"]), (&json!(4), &json!(3)));
    let favorites = rows(&other, Action::DescribeFavoriteImages, &[], &["Name"]).await;
    assert_eq!(favorites, [json!(["torch-new"])], "a row has the name of the image");

    let kinds = rows(&other, Action::DescribeCompShareImages, &[], &["Name", "ImageType", "Author"]).await;
    let ubuntu = |n| json!([format!("ubuntu-{n}"), "System", "Official"]);
    assert_eq!(kinds, [ubuntu(3), ubuntu(2), ubuntu(1), json!(["shared", "Game", "Official"])]);
    let exported = other
        .call(Action::ExportCompShareCustomImage, &[("CompShareImageId", "compshareImage-1fixture0009")]);
    assert_eq!(exported.await.body.len(), 2 << 20, "platform images have data");
    assert_eq!(list(&lab).await["TotalCount"], 7, "platform images are not in the list of the first account");
}

#[tokio::test]
async fn an_available_image_has_all_its_bytes() {
    let (context, accounts) =
        server_with("small.json", r#"{"images":[{"name":"a","size_mb":3,"count":2}]}"#, None).await.unwrap();
    let caller = Caller::with_keys(router(context), &accounts[0].keys[0]);
    for id in ["compshareImage-1fixture0001", "compshareImage-1fixture0002"] {
        let answer = caller.call(Action::ExportCompShareCustomImage, &[("CompShareImageId", id)]).await;
        assert_eq!(answer.body.len(), 3 << 20);
        assert!(answer.body.iter().any(|byte| *byte != 0));
    }
}

#[tokio::test]
async fn a_given_key_pair_belongs_to_the_first_account() {
    let given = KeyPair { public_key: PUBLIC_KEY.to_owned(), private_key: PRIVATE_KEY.into() };
    for text in ["", TOML] {
        let (context, accounts) = server_with("a.toml", text, Some(&given)).await.unwrap();
        assert!(
            accounts[0].keys.iter().all(|pair| pair.public_key != PUBLIC_KEY),
            "the given pair is not returned as a new one"
        );
        list(&Caller::new(router(context), PUBLIC_KEY, PRIVATE_KEY)).await;
    }
}

#[tokio::test]
async fn toml_and_json_are_equivalent() {
    let value: toml::Value = toml::from_str(TOML).unwrap();
    let text = serde_json::to_string(&value).unwrap();
    let mut pages = Vec::new();
    for (name, text) in [("a.toml", TOML), ("a.json", &text), ("a.fixtures", TOML), ("b.fixtures", &text)] {
        let (context, _) = server_with(name, text, None).await.unwrap();
        pages.push(list(&Caller::new(router(context), "pub", "priv")).await);
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn errors_name_file_entry_and_field() {
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
        (image("create_time = -1"), "images[1].create_time", "not a time"),
        (image("platform = 'Tool'"), "images[1].platform", "unknown variant `Tool`"),
        (image("platform = 'App'\npublished = {}"), "images[1].published", "everybody sees it"),
        (image("platform = 'App'\nstatus = 'Offline'"), "images[1].status", "of the platform is Available"),
        (image("container = 'yes'"), "images[1].container", "invalid type"),
        (image("shared_with = ['who']"), "images[1].shared_with[0]", "no account of this file"),
        (image("published = true"), "images[1].published", "invalid type"),
        (image("published = { groop = 'g' }"), "images[1].published.groop", "unknown field"),
        (image("published = { group = '' }"), "images[1].published.group", "give it a name"),
        (image("published = {}\nstatus = 'Making'"), "images[1].published", "was submitted"),
        (image("published = { favorites = ['who'] }"), "images[1].published.favorites[0]", "no account"),
        (
            image("published = { group = 'g', version = 'v2.0' }\ncount = 2"),
            "images[1].published.version",
            "another version of the group",
        ),
        (
            image(&format!("published = {{ version = '{}' }}", "v".repeat(65))),
            "images[1].published.version",
            "too long",
        ),
        (
            "[[accounts]]\nname = 'a'\n[[accounts]]\nname = 'b'\n[[images]]\nname = 'i'\nshared_with = ['b', 'b']"
                .to_owned(),
            "images[0].shared_with[1]",
            "named twice",
        ),
        (
            "[[accounts]]\nname = 'a'\n[[images]]\nname = 'i'\nshared_with = ['a']".to_owned(),
            "images[0].shared_with[0]",
            "own",
        ),
        (
            "[[accounts]]\nname = 'a'\n[[accounts]]\nname = 'b'\n[[images]]\nname = 'i'\nshared_with = ['b']\nstatus = 'Offline'"
                .to_owned(),
            "images[0].shared_with",
            "Available",
        ),
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
        let error = server_with("my.toml", &text, None).await.err().unwrap_or_else(|| panic!("accepted: {text}"));
        let start = format!("my.toml is wrong: {place}: ");
        assert!(error.contains(&start) && error.contains(words), "{text}\n{error}\n{start}{words}");
    }
    let error =
        server_with("my.json", r#"{"images":[{"name":"a","size_mb":"big"}]}"#, None).await.err().unwrap();
    assert!(error.contains("my.json is wrong: images[0].size_mb: invalid type"), "{error}");
    assert!(server_with("my.json", "{} x", None).await.is_err());
}

#[tokio::test]
async fn ten_thousand_images_load_fast() {
    let text =
        r#"{"images":[{"name":"a","count":9000},{"name":"b","count":1000,"status":"Making","progress":5}]}"#;
    let started = Instant::now();
    let (context, accounts) = server_with("many.json", text, None).await.unwrap();
    // An optimized build takes 0.1 s. The bound allows for a debug build on a busy machine.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let caller = Caller::with_keys(router(context), &accounts[0].keys[0]);
    assert_eq!(list(&caller).await["TotalCount"], 10_000);
}
