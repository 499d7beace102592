//! `jingku serve --listen`, its variable and its setting in the configuration.

use crate::home::{Ended, Home};
use crate::server::Server;

#[test]
fn a_host_name_is_resolved() {
    let home = Home::new();
    let server = Server::start(&mut home.command(&["serve", "--listen", "localhost:0"]));
    assert_eq!(server.get("/healthz"), "ok\n");
    home.run(&["image", "list"]).succeeded();
    server.stop();
    let lab = ["serve", "--ephemeral", "--lab", "--listen", "localhost:0"];
    assert_eq!(Server::start(&mut home.command(&lab)).get("/readyz"), "ready\n");
    std::fs::write(home.path("jingku.toml"), "\u{feff}listen = 'localhost:0'\n").unwrap();
    let server = Server::start(&mut home.command(&["serve", "--config", "jingku.toml"]));
    assert_eq!(server.get("/healthz"), "ok\n");
}

#[test]
fn an_empty_variable_is_ignored() {
    let home = Home::new();
    std::fs::write(home.path("jingku.toml"), "listen = '127.0.0.1:0'\n").unwrap();
    let mut command = home.command(&["serve", "--config", "jingku.toml"]);
    for name in ["JINGKU_LISTEN", "JINGKU_DATA_DIR", "JINGKU_PUBLIC_KEY", "JINGKU_PRIVATE_KEY"] {
        command.env(name, "");
    }
    let server = Server::start(&mut command);
    assert!(home.data().join("catalog.db").exists());
    Ended::of(home.command(&["image", "list"]).env("JINGKU_DATA_DIR", "").env("JINGKU_BASE_URL", ""))
        .succeeded();
    Ended::of(home.command(&["instance", "list"]).env("JINGKU_CONFIG", "")).succeeded();
    home.refuses(&["image", "list", "--data-dir", ""], 2, &["--data-dir is empty"], &["--data-dir 为空"]);
    server.stop();
}

#[test]
fn an_invalid_listen_address_is_explained() {
    let home = Home::new();
    for (address, english, chinese) in [
        ("localhost", "Write it as localhost:8480", "localhost:8480"),
        ("8480", "Write it as 127.0.0.1:8480", "127.0.0.1:8480"),
        (":8480", "Write it as 127.0.0.1:8480", "127.0.0.1:8480"),
        ("127.0.0.1:65536", "a number from 0 to 65535", "0 到 65535"),
        ("::1:8480", "needs brackets", "方括号"),
        ("http://127.0.0.1:8480", "is a URL", "是网址"),
    ] {
        home.refuses(&["serve", "--listen", address], 2, &[english], &[chinese]);
    }
    home.refuses(
        &["serve", "--listen", "no-such-host.invalid:1"],
        2,
        &["Cannot resolve the host in no-such-host.invalid:1"],
        &["无法解析 no-such-host.invalid:1"],
    );
    let foreign = ["serve", "--listen", "192.0.2.1:0", "--plain-http-on-public-addresses"];
    home.refuses(&foreign, 6, &["Cannot listen on 192.0.2.1:0"], &["无法监听"]);
    assert!(!home.path("-").exists());
}

#[test]
fn the_demo_says_when_its_commands_need_a_key_pair() {
    let home = Home::new();
    let keys = [("JINGKU_PUBLIC_KEY", "mine\r"), ("JINGKU_PRIVATE_KEY", "secret\n")];
    let mut server = home.serve_with(&["--demo"], &keys);
    let printed = server.stdout_until("instance list");
    assert!(printed.contains("after setting JINGKU_PUBLIC_KEY and JINGKU_PRIVATE_KEY"), "{printed}");
    assert!(!printed.contains("secret"), "{printed}");
    let mut list = home.command(&["image", "list"]);
    Ended::of(list.env("JINGKU_PUBLIC_KEY", "mine").env("JINGKU_PRIVATE_KEY", "secret")).succeeded();
    server.stop();
    // With the key pair of the data directory no variable is needed.
    let home = Home::new();
    let mut server = home.serve_with(&["--demo"], &[]);
    let printed = server.stdout_until("instance list");
    assert!(printed.contains("Try in another terminal:"), "{printed}");
    home.run(&["image", "list"]).succeeded();
}
