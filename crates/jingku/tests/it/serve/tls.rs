//! `jingku serve` with TLS, and public addresses without it.

use std::path::Path;

use crate::authority::Authority;
use crate::disk;
use crate::home::{Ended, Home};
use crate::server::Server;

#[test]
fn commands_work_over_tls() {
    let home = Home::new();
    let authority = Authority::create(home.path("").as_path());
    let server = home.serve_with(&authority.serve(), &[]);
    assert!(server.base_url.starts_with("https://127.0.0.1:"), "{}", server.base_url);
    let source = disk::bytes(40, 1);
    home.add_instance("uhost-1", &source);
    let run = |args: &[&str]| Ended::of(home.command(args).env("SSL_CERT_FILE", &authority.trusted));
    let made = run(&["image", "create", "--instance", "uhost-1", "--name", "env", "--wait", "--json"]);
    let made: serde_json::Value = serde_json::from_str(&made.succeeded().out).unwrap();
    let id = made["CompShareImageId"].as_str().unwrap();
    let exported = home.path("exported.raw");
    run(&["image", "export", id, "-o", exported.to_str().unwrap()]).succeeded();
    assert!(std::fs::read(&exported).unwrap() == source, "wrong bytes");
    let file = exported.to_str().unwrap();
    run(&["image", "import", file, "--name", "uploaded", "--wait"]).succeeded();
    let by_name = server.base_url.replace("127.0.0.1", "localhost");
    let listed = run(&["image", "list", "--base-url", &by_name]).succeeded().out;
    assert!(listed.contains("env") && listed.contains("uploaded"), "{listed}");
    // Without the authority, and without TLS.
    home.run(&["image", "list"]).failed(5, &["certificate"]);
    let plain = server.base_url.replace("https", "http");
    assert_ne!(home.run(&["image", "list", "--base-url", &plain]).code, Some(0));
    server.stop();
}

#[test]
fn a_public_address_needs_tls_or_permission() {
    let home = Home::new();
    let words = ["Other machines can reach", "--tls-cert", "plain_http_on_public_addresses = true"];
    for address in ["0.0.0.0:0", "[::]:0"] {
        home.refuses(&["serve", "--listen", address], 2, &words, &["其他机器可以访问", "--tls-cert"]);
    }
    assert!(!home.data().exists(), "nothing is created");
    let start = |args: &[&str]| {
        let serve = [&["serve", "--listen", "0.0.0.0:0"], args].concat();
        let server = Server::start(&mut home.command(&serve));
        let url = server.base_url.clone();
        server.stop();
        url
    };
    assert!(start(&["--plain-http-on-public-addresses"]).starts_with("http://0.0.0.0:"));
    std::fs::write(home.path("jingku.toml"), "plain_http_on_public_addresses = true\n").unwrap();
    assert!(start(&["--config", "jingku.toml"]).starts_with("http://0.0.0.0:"));
    let authority = Authority::create(home.path("").as_path());
    assert!(start(&authority.serve()).starts_with("https://0.0.0.0:"));
    // Relative paths start at the configuration file, and commands use the public URL.
    std::fs::create_dir(home.path("etc")).unwrap();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let config = format!(
        "public_url = 'https://images.example.com'\n[tls]\ncertificate = '../{}'\nkey = '../{}'\n",
        name(&authority.certificate),
        name(&authority.key)
    );
    std::fs::write(home.path("etc/jingku.toml"), config).unwrap();
    assert!(start(&["--config", "etc/jingku.toml"]).starts_with("https://0.0.0.0:"));
    let endpoint = std::fs::read_to_string(home.data().join("endpoint")).unwrap();
    assert_eq!(endpoint.trim(), "https://images.example.com");
}

#[test]
fn unusable_certificates_are_explained() {
    let home = Home::new();
    let authority = Authority::create(home.path("").as_path());
    let refused = |args: &[&str], english: &str, chinese: &str| {
        let serve = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
        home.refuses(&serve, 2, &[english], &[chinese]);
    };
    refused(&authority.serve()[..2], "Set both the certificate", "必须同时设置");
    let key = authority.key.to_str().unwrap();
    refused(&["--tls-cert", key, "--tls-key", key], "contains no certificate", "没有 PEM 格式的证书");
    let certificate = authority.certificate.to_str().unwrap();
    refused(&["--tls-cert", certificate, "--tls-key", certificate], "no private key", "没有 PEM 格式的私钥");
    refused(&["--tls-cert", "none.pem", "--tls-key", key], "none.pem cannot be read", "无法读取");
    assert!(!home.data().exists());
}
