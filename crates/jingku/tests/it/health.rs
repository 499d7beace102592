//! `jingku health`.

use crate::home::{Ended, Home};

#[test]
fn a_ready_server_is_found_by_its_data_directory() {
    let home = Home::new();
    home.run(&["health"]).failed(2, &["No server has run here yet", "serve"]);
    let server = home.serve();
    let ended = home.run(&["health"]).succeeded();
    assert_eq!(ended.out, format!("{} is ready.\n", server.base_url));
    assert_eq!(home.json(&["health"])["Ready"], true);
    let elsewhere = Home::new();
    elsewhere.run(&["health", "--base-url", &server.base_url]).succeeded();
    // A proxy is not asked.
    Ended::of(home.command(&["health"]).env("http_proxy", "http://127.0.0.1:1")).succeeded();
    let base_url = server.base_url.clone();
    server.stop();
    home.refuses(&["health"], 5, &["No server answers at", &base_url], &[&base_url]);
}

#[test]
fn a_server_that_is_not_ready_says_why() {
    let home = Home::new();
    let server = home.serve();
    std::fs::rename(home.data().join("uploads"), home.path("away")).unwrap();
    home.run(&["health"]).failed(6, &["is not ready: 503 Service Unavailable: ", "uploads"]);
    std::fs::rename(home.path("away"), home.data().join("uploads")).unwrap();
    home.run(&["health"]).succeeded();
    server.stop();
}
