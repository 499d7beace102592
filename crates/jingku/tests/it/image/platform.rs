//! `jingku image promote` and `demote`, beside a running server.

use compshare::actions::DescribeCompShareImagesRequest;
use serde_json::json;

use crate::client::{block_on, client};
use crate::disk;
use crate::home::Home;
use crate::server::Server;

/// The names of the platform's images, as the API shows them to account 1.
fn platform(home: &Home, server: &Server) -> Vec<String> {
    let request = DescribeCompShareImagesRequest::default();
    let page = block_on(client(home, server).describe_comp_share_images(&request)).unwrap();
    page.image_set.into_iter().map(|image| format!("{} {}", image.image_type, image.name)).collect()
}

#[test]
fn an_image_is_promoted_and_demoted() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(3, 0));
    let server = home.serve();
    let id = home.make("uhost-1", "env");
    assert!(platform(&home, &server).is_empty());

    let said = home.run(&["image", "promote", &id, "--type", "system"]).succeeded();
    let first = said.out.trim().to_owned();
    assert!(said.err.contains("System") && first != id, "{said:?}");
    let second = home.json(&["image", "promote", &id, "--type", "App", "--name", "应用"]);
    assert_eq!(
        (&second["Name"], &second["ImageType"], &second["CopiedFrom"]),
        (&json!("应用"), &json!("App"), &json!(id))
    );
    assert_eq!(platform(&home, &server), ["System env", "App 应用"]);

    home.refuses(
        &["image", "promote", &id, "--type", "Game"],
        1,
        &["an image with the name", "--name"],
        &["名称已被另一个平台镜像占用", "--name"],
    );
    home.refuses(
        &["image", "promote", &id, "--type", "Game", "--name", "a b"],
        1,
        &["cannot be the name of an image"],
        &["不能用作镜像名称"],
    );
    home.refuses(
        &["image", "promote", "image-none", "--type", "Game"],
        3,
        &["There is no image \"image-none\""],
        &["没有镜像 \"image-none\""],
    );
    home.run(&["image", "promote", &id, "--type", "Custom"]).failed(2, &["System, App, Game or Other"]);

    home.run(&["image", "demote", &first]).succeeded();
    home.refuses(&["image", "demote", &first], 3, &["has no image", &first], &["没有平台镜像", &first]);
    assert_eq!(platform(&home, &server), ["App 应用"]);
    assert_eq!(home.json(&["image", "show", &id])["Status"], "Available");
}

#[test]
fn an_instance_records_the_image_it_was_started_from() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(3, 0));
    let _server = home.serve();
    let id = home.make("uhost-1", "env");
    let add = |image: &str| {
        ["instance", "add", "--id", "uhost-2", "--disk", "uhost-1.raw", "--image", image].map(str::to_owned)
    };
    let args = add("image-none");
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    home.refuses(&args, 3, &["Account 1 sees no image \"image-none\""], &["账号 1 看不到", "image-none"]);
    let args = add(&id);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    assert_eq!(home.json(&args)["CompShareImageId"], id);
    assert_eq!(home.json(&["image", "show", &id])["CreatedCount"], 1);
    let listed = home.json(&["instance", "list"]);
    assert_eq!((&listed[0]["CompShareImageId"], &listed[1]["CompShareImageId"]), (&json!(id), &json!("")));
}
