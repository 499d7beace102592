//! Typing errors in addresses, keys and files are corrected or explained.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::home::{Ended, Home};

/// A home with a server and a key pair, and an empty home.
struct Apart {
    _home: Home,
    server: crate::server::Server,
    public_key: String,
    private_key: String,
    away: Home,
}

fn apart() -> Apart {
    let home = Home::new();
    let server = home.serve();
    let [public_key, private_key] = home.key_pair();
    Apart { _home: home, server, public_key, private_key, away: Home::new() }
}

impl Apart {
    fn list(&self, base_url: &str, public_key: &str, private_key: &str) -> Ended {
        let mut command = self.away.command(&["image", "list"]);
        command.env("JINGKU_BASE_URL", base_url).env("JINGKU_PUBLIC_KEY", public_key);
        Ended::of(command.env("JINGKU_PRIVATE_KEY", private_key).env_remove("HOME"))
    }
}

#[test]
fn white_space_around_addresses_and_keys_is_ignored() {
    let apart = apart();
    let (url, public, private) = (&apart.server.base_url, &apart.public_key, &apart.private_key);
    apart.list(url, public, private).succeeded();
    apart.list(&format!(" {url} \r"), &format!("{public}\r"), &format!("\t{private}\n")).succeeded();
    apart.list(url, &format!("{public}\nx"), private).failed(4, &["public-key contains a line break"]);
    let folder = apart.away.path(".config/jingku");
    std::fs::create_dir_all(&folder).unwrap();
    let profiles = format!(
        "\u{feff}[lab]\r\nbase_url = '{url} '\r\npublic_key = \"{public}\\r\"\r\nprivate_key = \" {private}\"\r\n"
    );
    std::fs::write(folder.join("profiles.toml"), profiles).unwrap();
    apart.away.run(&["image", "list", "--profile", "lab"]).succeeded();
    let other = ["image", "list", "--profile", "other"];
    apart.away.refuses(&other, 2, &["no profile [other]", "It has [lab]."], &["其中有：[lab]"]);
    std::fs::write(folder.join("profiles.toml"), "").unwrap();
    apart.away.refuses(&other, 2, &["contains no profiles"], &["没有任何一节"]);
    std::fs::write(folder.join("profiles.toml"), b"\xff\xfe[\0l\0").unwrap();
    apart.away.refuses(&other, 2, &["profiles.toml", "save it as UTF-8"], &["profiles.toml"]);
}

#[test]
fn the_credentials_file_may_have_a_byte_order_mark_and_crlf() {
    let home = Home::new();
    let _server = home.serve();
    let path = home.data().join("credentials.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("\u{feff}{}", text.replace('\n', "\r\n"))).unwrap();
    home.run(&["image", "list"]).succeeded();
}

#[test]
fn a_wrong_scheme_is_explained() {
    let apart = apart();
    let (public, private) = (&apart.public_key, &apart.private_key);
    let list = |url: &str| apart.list(url, public, private);
    let address = apart.server.address();
    list(address).failed(2, &[&format!("Write http://{address}")]);
    let ended =
        list(&format!("https://{address}")).failed(2, &["does not use TLS", "http:// instead of https://"]);
    assert!(!ended.err.contains("No server answers"), "{ended:?}");
    list(&format!("http://u:secret@{address}")).failed(2, &["user name or password"]);
    list(&format!("http://{address}/?a=b")).failed(2, &["query"]);
    list(&format!("http://{address}/")).succeeded();
    let run = |url: &str| {
        let keys = ["--public-key", public, "--private-key", private];
        apart.away.run(&[&["run", "--base-url", url], &keys[..], &["--", "true"]].concat())
    };
    run(&format!("https://{address}")).failed(2, &["does not use TLS"]);
    run(address).failed(2, &["Write http://"]);

    // A server with TLS answers plain HTTP with an alert.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&[0x15, 3, 1, 0, 2, 2, 10]);
        }
    });
    list(&format!("http://{address}")).failed(2, &["https:// instead of http://"]);
}

#[test]
fn a_proxy_from_the_environment_is_not_used_for_loopback() {
    let apart = apart();
    let mut command = apart.away.command(&["image", "list"]);
    command.env("JINGKU_BASE_URL", &apart.server.base_url).env("JINGKU_PUBLIC_KEY", &apart.public_key);
    command.env("JINGKU_PRIVATE_KEY", &apart.private_key);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, "http://127.0.0.1:1");
    }
    Ended::of(&mut command).succeeded();
}

#[test]
fn without_home_the_user_database_is_used() {
    let home = Home::new();
    // A relative HOME is ignored.
    let ended = Ended::of(home.command(&["image", "list"]).env("HOME", "relative"));
    ended.failed(2, &["Cannot find the home directory", "--data-dir"]);
    let ended = Ended::of(home.command(&["image", "list", "--profile", "a"]).env("HOME", "relative"));
    ended.failed(2, &["XDG_CONFIG_HOME"]);
    let serve = ["serve", "--ephemeral", "--listen", "127.0.0.1:0"];
    let server = crate::server::Server::start(home.command(&serve).env_remove("HOME"));
    assert_eq!(server.get("/readyz"), "ready\n");
}
