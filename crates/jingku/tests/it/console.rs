//! `jingku console`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::home::{Ended, Home};

/// The program that opens pages is one that remembers what it should open.
#[test]
fn a_link_is_printed_first_and_opened_unless_it_should_not_be() {
    let home = Home::new();
    let server = home.serve();
    let opener = home.file("xdg-open", b"#!/bin/sh\necho \"$1\" >> \"$HOME/opened\"\n");
    fs::set_permissions(opener, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", home.path("").display(), std::env::var("PATH").unwrap());
    let console = |args: &[&str]| {
        let ended = Ended::of(home.command(&[&["console"], args].concat()).env("PATH", &path)).succeeded();
        let link = ended.out.lines().next().unwrap().to_owned();
        assert!(link.starts_with(&format!("{}/console/sign-in?link=", server.base_url)), "{ended:?}");
        link
    };
    console(&["--no-open"]);
    assert!(!home.path("opened").exists());
    let link = console(&[]);
    assert_eq!(fs::read_to_string(home.path("opened")).unwrap(), format!("{link}\n"));
    // A machine without a desktop has no such program.
    let ended = Ended::of(home.command(&["console"]).env("PATH", home.path("nothing"))).succeeded();
    assert!(ended.out.contains("?link="), "{ended:?}");
    server.stop();
}

#[test]
fn a_link_of_the_operator_needs_the_data_directory_and_the_address_of_a_server() {
    let home = Home::new();
    home.run(&["console", "--operator", "--no-open"]).failed(3, &["serve"]);
    let server = home.serve();
    let link = home.run(&["console", "--operator", "--no-open"]).succeeded().out;
    let (url, secret) = link.lines().next().unwrap().split_once("?link=").unwrap();
    assert_eq!(url, format!("{}/console/sign-in", server.base_url));
    assert_eq!(secret.len(), 64);
    let link = home.json(&["console", "--operator", "--no-open", "--base-url", "https://jingku.example"]);
    assert!(
        link["Url"].as_str().unwrap().starts_with("https://jingku.example/console/sign-in?link="),
        "{link}"
    );
    assert!(link["ExpireTime"].as_i64().unwrap() > 1_700_000_000, "{link}");
    assert_eq!(home.json(&["console", "--sign-out-operators"])["Ended"], 2);
    assert_eq!(home.json(&["console", "--sign-out-operators"])["Ended"], 0);
    home.run(&["console", "--sign-out-operators", "--operator"]).failed(2, &["--operator"]);
    let entries = home.json(&["audit", "list"]);
    let actions: Vec<_> =
        entries.as_array().unwrap().iter().map(|entry| entry["Action"].as_str().unwrap()).collect();
    assert_eq!(actions.iter().filter(|action| **action == "console operator").count(), 2, "{actions:?}");
    server.stop();
    // The next server accepts a link that was made while none ran.
    home.run(&["console", "--operator", "--no-open"]).succeeded();
}
