//! Reasons not to start: each has a message and an exit code, and nothing is changed.

use std::net::TcpListener;

use crate::disk;
use crate::home::{Ended, Home};

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

#[test]
fn a_second_server_of_a_data_folder_is_refused() {
    let home = Home::new();
    let server = home.serve();
    home.refuses(&SERVE, 5, &["Another jingku server uses", "Stop it"], &["另一个 jingku 服务正在使用"]);
    assert_eq!(server.get("/readyz"), "ready\n");
    home.run(&["image", "list"]).succeeded();
}

#[test]
fn a_port_in_use_is_reported() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let serve = ["serve", "--listen", &address];
    home.refuses(
        &serve,
        5,
        &[&address, "Choose another address with --listen"],
        &["请用 --listen 换一个地址"],
    );
}

#[test]
fn an_invalid_engine_is_reported() {
    let home = Home::new();
    for url in [
        "tcp://127.0.0.1:2375",
        "ssh://root@gpu-1",
        "/run/podman/podman.sock",
        "unix://podman.sock",
        "podman",
    ] {
        let (english, chinese) = ("is not the address of a container engine", "不是容器引擎的地址");
        home.refuses(&[&SERVE[..], &["--engine", url]].concat(), 2, &[url, english], &[url, chinese]);
        std::fs::write(home.path("jingku.toml"), format!("[containers]\nengine = '{url}'")).unwrap();
        let serve = [&SERVE[..], &["--config", "jingku.toml"]].concat();
        home.refuses(&serve, 2, &[url, "unix:///PATH/TO/SOCKET"], &[url, chinese]);
    }
    assert!(!home.data().exists(), "a refused engine leaves no data directory");
    // The variable is for other programs, the option overrides the file, and an engine may come later.
    home.serve_with(&[], &[("DOCKER_HOST", "ssh://root@gpu-1")]).stop();
    home.serve_with(&["--config", "jingku.toml", "--engine", "none"], &[]).stop();
    home.serve_with(&["--engine", "unix:///nowhere/podman.sock"], &[]).stop();
}

#[test]
fn an_invalid_configuration_is_reported() {
    let home = Home::new();
    let serve = ["serve", "--config", "jingku.toml"];
    home.refuses(&serve, 2, &["jingku.toml cannot be read"], &["无法读取配置文件 jingku.toml"]);
    std::fs::write(home.path("jingku.toml"), "strict = true\nstritc = true\n").unwrap();
    home.refuses(
        &serve,
        2,
        &["jingku.toml is wrong", "line 2", "stritc"],
        &["配置文件 jingku.toml 有误", "stritc"],
    );
    std::fs::write(home.path("jingku.toml"), "public_url = 'images.example.com'").unwrap();
    let words = ["cannot be the public URL", "line 1", "https://images.example.com"];
    home.refuses(&serve, 2, &words, &["配置文件 jingku.toml 有误", "public_url"]);
    std::fs::write(home.path("jingku.toml"), "listen = [").unwrap();
    home.refuses(&serve, 2, &["jingku.toml is wrong"], &["配置文件 jingku.toml 有误"]);
    assert!(!home.data().exists(), "a refused configuration leaves no data directory");
}

#[test]
fn half_a_key_pair_is_refused() {
    let home = Home::new();
    let ended = Ended::of(home.command(&SERVE).env("JINGKU_PUBLIC_KEY", "alone"));
    ended.failed(2, &["Set both JINGKU_PUBLIC_KEY and JINGKU_PRIVATE_KEY"]);
}

#[test]
fn a_data_folder_that_cannot_be_created_is_reported() {
    let home = Home::new();
    std::fs::write(home.path("file"), "mine").unwrap();
    let serve = [&SERVE[..], &["--data-dir", "file/below"]].concat();
    home.refuses(&serve, 6, &["Cannot use file/below", "Not a directory"], &["无法使用 file/below"]);
    assert_eq!(std::fs::read(home.path("file")).unwrap(), b"mine");
}

#[test]
fn a_corrupted_catalogue_is_reported_and_not_changed() {
    let home = Home::new();
    home.serve().stop();
    std::fs::write(home.data().join("catalog.db"), "this is no database ".repeat(1000)).unwrap();
    let before = home.files();
    home.refuses(
        &SERVE,
        6,
        &["Cannot open the catalogue", "not a database"],
        &["无法打开目录数据库", "not a database"],
    );
    home.refuses(&["key", "list"], 6, &["Cannot open the catalogue"], &["无法打开目录数据库"]);
    assert!(home.files() == before, "the data directory has changed");
}

#[test]
fn a_wrong_master_key_is_refused_and_changes_nothing() {
    let home = Home::new();
    home.serve().stop();
    let master_key = home.data().join("master.key");
    let right = std::fs::read(&master_key).unwrap();
    std::fs::write(&master_key, "ab".repeat(32)).unwrap();
    let before = home.files();
    home.refuses(&SERVE, 6, &["the master key is not the one", "Put the original"], &["请恢复原来的主密钥"]);
    // A new key would be encrypted with another master key than the others.
    home.refuses(&["key", "create"], 6, &["the master key is not the one"], &["请恢复原来的主密钥"]);
    // A missing master key is not replaced by a new one.
    std::fs::remove_file(&master_key).unwrap();
    home.refuses(&SERVE, 6, &["the master key is not the one", "Put the original"], &["请恢复原来的主密钥"]);
    assert!(!master_key.exists());
    std::fs::write(&master_key, "short").unwrap();
    home.refuses(&SERVE, 2, &["must be 64 hexadecimal digits"], &["必须是 64 位十六进制数字"]);
    std::fs::write(&master_key, right).unwrap();
    let unchanged = |path: &std::path::PathBuf| *path != master_key && !path.ends_with("catalog.db-shm");
    let after = home.files();
    for (path, bytes) in before.iter().filter(|(path, _)| unchanged(path)) {
        assert!(after.get(path) == Some(bytes), "{} has changed", path.display());
    }
    let _server = home.serve();
    home.run(&["image", "list"]).succeeded();
}

#[test]
fn a_master_key_from_the_environment_leaves_no_file() {
    let home = Home::new();
    let key = "0f".repeat(32);
    let serve = || home.serve_with(&[], &[("JINGKU_MASTER_KEY", &key)]);
    serve().stop();
    assert!(!home.data().join("master.key").exists());
    home.run(&SERVE).failed(6, &["the master key is not the one"]);
    let _server = serve();
    home.run(&["image", "list"]).succeeded();
}

#[test]
fn a_configured_instance_needs_its_disk() {
    let home = Home::new();
    std::fs::write(home.path("jingku.toml"), "[[instances]]\nid = 'uhost-1'\ndisk = 'disk.raw'\n").unwrap();
    let serve = [&SERVE[..], &["--config", "jingku.toml"]].concat();
    home.refuses(&serve, 1, &["There is no file at", "disk.raw"], &["处没有文件"]);
    disk::write(&home.path("disk.raw"), &disk::bytes(2, 0));
    let _server = home.serve_with(&["--config", "jingku.toml"], &[]);
    home.make("uhost-1", "env");
}
