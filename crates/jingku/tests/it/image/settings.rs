//! Address and keys of the API: a flag overrides the environment, which overrides a profile.

use crate::disk;
use crate::home::{Ended, Home};
use crate::server::Server;
use crate::terminal::width;

/// A home with a server, and an empty home.
fn apart() -> (Home, Server, [String; 2], Home) {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let server = home.serve();
    home.make("uhost-1", "env");
    let pair = home.key_pair();
    (home, server, pair, Home::new())
}

fn shows_the_image(ended: Ended) {
    assert!(ended.succeeded().out.contains("env"));
}

#[test]
fn flags_select_server_and_keys() {
    let (_home, server, [public_key, private_key], away) = apart();
    let keys = ["--public-key", &public_key, "--private-key", &private_key];
    let list = [&["image", "list", "--base-url", &server.base_url], &keys[..]].concat();
    shows_the_image(away.run(&list));
    shows_the_image(away.run(&[&list[..], &["--region", "cn-wlcb", "--zone", "cn-wlcb-01"]].concat()));
    let elsewhere = away.run(&[&list[..], &["--zone", "cn-sh2-02"]].concat()).succeeded();
    assert!(!elsewhere.out.contains("env"), "{elsewhere:?}");
    away.refuses(&[&list[..], &["--region", "moon"]].concat(), 1, &["Params [Region]"], &["Params [Region]"]);
    assert!(!away.data().exists(), "a client creates no data directory");
}

#[test]
fn flags_override_the_environment() {
    let (_home, server, [public_key, private_key], away) = apart();
    let list = |args: &[&str], url: &str, zone: &str| {
        let mut command = away.command(&[&["image", "list"], args].concat());
        command.env("JINGKU_BASE_URL", url).env("JINGKU_ZONE", zone);
        Ended::of(command.env("JINGKU_PUBLIC_KEY", &public_key).env("JINGKU_PRIVATE_KEY", &private_key))
    };
    shows_the_image(list(&[], &server.base_url, ""));
    assert!(!list(&[], &server.base_url, "cn-sh2-02").succeeded().out.contains("env"));
    shows_the_image(list(
        &["--base-url", &server.base_url, "--zone", "cn-wlcb-01"],
        "http://127.0.0.1:1",
        "cn-sh2-02",
    ));
    list(&["--private-key", "another"], &server.base_url, "").failed(4, &["Signature VerifyAC Error"]);
    list(&[], "ftp://x", "").failed(2, &["must start with http:// or https://"]);
}

#[test]
fn a_profile_selects_server_keys_and_zone() {
    let (_home, server, [public_key, private_key], away) = apart();
    let file = ".config/jingku/profiles.toml";
    let list = |profile: &'static str| ["image", "list", "--profile", profile];
    away.refuses(&list("lab"), 2, &[file], &[file]);
    std::fs::create_dir_all(away.path(".config/jingku")).unwrap();
    let keys = format!("public_key = '{public_key}'\nprivate_key = '{private_key}'\n");
    let profiles = format!(
        "[lab]\nbase_url = '{}'\n{keys}\n[nobody]\nbase_url = '{}'\n\n[shanghai]\nbase_url = '{}'\nzone = 'cn-sh2-02'\n{keys}",
        server.base_url, server.base_url, server.base_url
    );
    std::fs::write(away.path(file), profiles).unwrap();
    shows_the_image(away.run(&list("lab")));
    assert!(!away.run(&list("shanghai")).succeeded().out.contains("env"));
    shows_the_image(away.run(&[&list("shanghai")[..], &["--zone", "cn-wlcb-01"]].concat()));
    away.refuses(
        &list("nobody"),
        4,
        &["The public-key is missing", "JINGKU_PUBLIC_KEY"],
        &["缺少 public-key"],
    );
    away.refuses(&list("moon"), 2, &["There is no profile [moon]"], &["[moon]"]);
    std::fs::write(away.path(file), "[lab]\nprivat_key = 'x'\n").unwrap();
    away.refuses(&list("lab"), 2, &["is invalid", "privat_key"], &["有误", "privat_key"]);
}

#[test]
fn the_flag_overrides_the_language_of_the_locale() {
    let home = Home::new();
    let said = |variables: &[(&str, &str)], args: &[&str]| {
        let mut command = home.command(&[&["key", "list"], args].concat());
        Ended::of(command.envs(variables.iter().copied())).failed(3, &[]).err
    };
    let chinese = |text: String| text.starts_with("错误：没有数据目录");
    assert!(!chinese(said(&[], &[])));
    assert!(chinese(said(&[("LANG", "zh_CN.UTF-8")], &[])));
    assert!(!chinese(said(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")], &[])));
    assert!(!chinese(said(&[("LANG", "zh_CN.UTF-8")], &["--lang", "en"])));
    assert!(chinese(said(&[("LANG", "en_US.UTF-8")], &["--lang=zh"])));
    home.run(&["key", "list", "--lang", "fr"]).failed(2, &["'fr'"]);
    for (language, words) in [("en", "Try it"), ("zh", "试一试")] {
        let overview = home.run(&["--lang", language]).succeeded().out;
        assert!(
            overview.contains(words) && overview.lines().count() <= 24,
            "more than one screen: {overview}"
        );
        assert!(overview.lines().all(|line| width(line) <= 80), "{overview}");
    }
}
