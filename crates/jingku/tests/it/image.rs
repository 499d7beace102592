//! The image commands against a local server.

mod container;
mod cover;
mod create;
mod export;
mod list;
mod names;
mod platform;
mod settings;
mod slips;

use serde_json::json;

use crate::disk;
use crate::home::Home;

#[test]
fn an_image_is_shown_updated_and_deleted() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(5, 0));
    let _server = home.serve();
    let id = home.make("uhost-1", "env");

    let shown = home.run(&["image", "show", &id]).succeeded().out;
    for line in
        [["ID", &id], ["Name", "env"], ["Status", "Available"], ["Size", "2 MB"], ["Zone", "cn-wlcb-01"]]
    {
        let found = shown
            .lines()
            .any(|shown| shown.split_whitespace().collect::<Vec<_>>().join(" ") == line.join(" "));
        assert!(found, "{line:?} is not in {shown}");
    }
    assert!(home.run(&["image", "show", &id, "--lang", "zh"]).succeeded().out.contains("名称"));

    let update =
        ["image", "update", &id, "--name", "新环境", "--tag", "a", "--tag", "b", "--readme", "# Hello"];
    home.run(&update).succeeded();
    let image = home.json(&["image", "show", &id]);
    assert_eq!(
        (&image["Name"], &image["Tags"], &image["Readme"]),
        (&json!("新环境"), &json!(["a", "b"]), &json!("# Hello"))
    );
    assert!(home.run(&["image", "show", &id]).succeeded().out.ends_with("\n\n# Hello\n"));
    let cleared = home.json(&["image", "update", &id, "--tag", "", "--readme", ""]);
    assert_eq!((&cleared["Name"], &cleared["Tags"]), (&json!("新环境"), &json!([])));

    home.run(&["image", "delete", &id]).succeeded();
    home.refuses(&["image", "show", &id], 3, &["There is no image", &id], &["没有镜像", &id]);
    // Repeated, as by a client that got no answer.
    home.run(&["image", "delete", &id]).succeeded();
    home.refuses(
        &["image", "delete", "compshareImage-none"],
        3,
        &["Resource not exist"],
        &["请求被拒绝", "Resource not exist"],
    );
    home.refuses(&["image", "progress", &id], 3, &["Resource not exist"], &["请求被拒绝"]);
}

#[test]
fn a_refusal_reports_its_ret_code() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let _server = home.serve();
    let id = home.make("uhost-1", "env");
    let create = |name: &'static str| ["image", "create", "--instance", "uhost-1", "--name", name];
    home.refuses(&create("env"), 1, &["Params [Name] not available", "RetCode 230"], &["请修改请求参数"]);
    home.refuses(&create("a/b"), 1, &["Params [Name] not available"], &["Params [Name] not available"]);
    home.run(&["image", "create", "--name", "x"]).failed(2, &["--instance"]);
    home.run(&["image", "update", &id, "--visibility", "secret"]).failed(2, &["secret"]);

    let ended = home.run(&[&create("env")[..], &["--json"]].concat()).failed(1, &[]);
    let error: serde_json::Value = serde_json::from_str(&ended.err).unwrap();
    assert_eq!((&error["error"]["exit"], &error["error"]["ret_code"]), (&json!(1), &json!(230)));
    assert!(error["error"]["request_id"].is_string(), "{error}");
    let usage = home.run(&["image", "list", "--limt", "5", "--json"]).failed(2, &[]);
    let error: serde_json::Value = serde_json::from_str(&usage.err).unwrap();
    assert_eq!(error["error"]["message"], "unexpected argument '--limt' found");
}

#[test]
fn an_unreachable_local_server_is_reported_with_the_start_command() {
    let home = Home::new();
    let list = ["image", "list"];
    home.refuses(
        &list,
        2,
        &["No server has run here yet", "jingku serve"],
        &["还没有运行过服务", "jingku serve"],
    );
    let server = home.serve();
    let base_url = server.base_url.clone();
    server.stop();
    home.refuses(
        &list,
        5,
        &["No server answers at", &base_url, "jingku serve"],
        &[&base_url, "没有服务应答", "Connection refused", "jingku serve"],
    );
    // For another server the start command is no help.
    let elsewhere = ["image", "list", "--base-url", "http://127.0.0.1:1"];
    let ended = home.run(&elsewhere).failed(5, &["No server answers at http://127.0.0.1:1"]);
    assert!(!ended.err.contains("jingku serve"), "{ended:?}");
}
