//! `jingku serve --ephemeral`: writes no file, is ready at once, and prints its key pair.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::home::{Home, files_below};
use crate::server::Server;

const SERVE: [&str; 4] = ["serve", "--ephemeral", "--listen", "127.0.0.1:0"];

fn serve(home: &Home, more: &[&str]) -> Server {
    home.serve_with(&[&["--ephemeral"], more].concat(), &[])
}

/// The variables that the lines after the first export.
fn exported(lines: &str) -> BTreeMap<String, String> {
    let exports = lines.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    exports.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned())).collect()
}

#[test]
fn it_prints_the_environment_and_writes_no_file() {
    let home = Home::new();
    let mut server = serve(&home, &[]);
    let printed = exported(&server.stdout_until("JINGKU_PRIVATE_KEY="));
    assert_eq!(printed["JINGKU_BASE_URL"], server.base_url);
    assert_eq!(server.get("/readyz"), "ready\n");
    let listed = home.command(&["image", "list", "--json"]).envs(&printed).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(0));
    assert_eq!(files_below(home.path("")), BTreeMap::new(), "no file was written");
}

#[test]
fn it_is_ready_within_fifty_milliseconds() {
    let home = Home::new();
    // The fastest of several starts, so that other load does not count.
    let start = |_| {
        let started = Instant::now();
        let _server = serve(&home, &["--lab"]);
        started.elapsed()
    };
    let fastest = (0..20).map(start).min().unwrap();
    assert!(fastest < Duration::from_millis(50), "{fastest:?}");
}

#[test]
fn json_output_is_one_line() {
    let home = Home::new();
    let file = home.path("fixtures.json");
    let text =
        r#"{"accounts":[{"name":"lab","keys":[{"public_key":"p 1","private_key":"it's"}]},{"name":"b"}]}"#;
    std::fs::write(&file, text).unwrap();
    let mut server = serve(&home, &["--json", "--fixtures", file.to_str().unwrap()]);
    let printed: Value = serde_json::from_str(&server.stdout_until("\n")).unwrap();
    assert_eq!((&printed["BaseUrl"], &printed["Lab"]), (&server.base_url.clone().into(), &false.into()));
    assert_eq!(
        printed["Accounts"][0]["Keys"][0],
        serde_json::json!({"PublicKey": "p 1", "PrivateKey": "it's"})
    );
    assert_eq!(printed["Accounts"][1]["AccountName"], "b");
    let made = printed["Accounts"][1]["Keys"][0]["PublicKey"].as_str().unwrap();
    assert!(made.starts_with("jk"), "{printed}");
}

#[test]
fn a_fixtures_file_may_have_a_byte_order_mark_and_crlf() {
    let home = Home::new();
    for (name, text) in [
        ("fixtures.json", "\u{feff}{\"accounts\": [{\"name\": \"lab\"}]}\r\n"),
        ("fixtures.toml", "\u{feff}[[accounts]]\r\nname = 'lab'\r\n"),
        ("fixtures", "\u{feff}{\"accounts\": [{\"name\": \"lab\"}]}"),
    ] {
        std::fs::write(home.path(name), text).unwrap();
        let mut server = serve(&home, &["--json", "--fixtures", name]);
        let printed: Value = serde_json::from_str(&server.stdout_until("\n")).unwrap();
        assert_eq!(printed["Accounts"][0]["AccountName"], "lab", "{name}");
    }
    std::fs::write(home.path("fixtures.json"), b"\xff\xfe{\0}\0").unwrap();
    let utf_16 = [&SERVE[..], &["--fixtures", "fixtures.json"]].concat();
    home.refuses(&utf_16, 2, &["fixtures.json cannot be read", "save it as UTF-8"], &["fixtures.json"]);
}

#[test]
fn a_key_pair_from_the_environment_is_used_and_not_printed() {
    let home = Home::new();
    let pair = [("JINGKU_PUBLIC_KEY", "my-public"), ("JINGKU_PRIVATE_KEY", "my-private")];
    let mut server =
        Server::start(home.command(&SERVE).envs(pair).env("JINGKU_DATA_DIR", home.path("other")));
    let listed =
        home.command(&["image", "list", "--base-url", &server.base_url]).envs(pair).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    server.signal(Signal::TERM);
    server.wait();
    assert!(!server.rest_of_stdout().contains("my-private"));
    assert!(!home.path("other").exists(), "the data directory of other commands is not created");
}

#[test]
fn conflicting_options_are_refused() {
    let home = Home::new();
    let folder = home.path("data");
    let with_folder = [&SERVE[..], &["--data-dir", folder.to_str().unwrap()]].concat();
    home.refuses(&with_folder, 2, &["cannot be combined with --data-dir"], &["同用"]);
    assert!(!folder.exists());
    for (args, word) in [
        (&["serve", "--fixtures", "f.toml"][..], "--ephemeral"),
        (&["serve", "--lab"], "--ephemeral"),
        (&["serve", "--ephemeral", "--demo"], "--demo"),
    ] {
        home.run(args).failed(2, &[word]);
    }
    let public = ["serve", "--ephemeral", "--lab", "--listen", "0.0.0.0:0"];
    home.refuses(&public, 2, &["on this machine only"], &["仅限本机使用"]);
    let file = home.path("f.toml");
    std::fs::write(&file, "[[images]]\nname = 'a'\nstatus = 'Ready'\n").unwrap();
    let wrong = [&SERVE[..], &["--fixtures", "f.toml"]].concat();
    home.refuses(
        &wrong,
        2,
        &["f.toml is wrong: images[0].status: unknown variant `Ready`"],
        &["f.toml 有误：images[0].status"],
    );
    let missing = [&SERVE[..], &["--fixtures", "none.toml"]].concat();
    home.refuses(&missing, 2, &["none.toml cannot be read"], &["无法读取初始数据文件"]);
    assert!(!home.data().exists());
}
