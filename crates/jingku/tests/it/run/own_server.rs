//! What the proxy of `jingku run` forwards besides the cloud's hosts, and how a broken connection looks to the command.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::Running;
use super::proxy::{UNSIGNED, client, say};
use crate::client::block_on;
use crate::home::{Ended, Home, PATIENCE};

#[test]
fn plain_http_to_the_server_is_forwarded() {
    let home = Home::new();
    let server = home.serve();
    let running = Running::start(&home, &[]);
    let port = server.address().rsplit(':').next().unwrap();
    for host in [server.address().to_owned(), format!("localhost:{port}"), format!("[::1]:{port}")] {
        let call = format!("GET http://{host}/?Action=GetRegion HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert!(say(&running, &call).contains(UNSIGNED), "{host}");
        let health = format!("GET http://{host}/healthz HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert!(say(&running, &health).ends_with("ok\n"), "{host}");
    }
    // Another scheme, another port.
    for place in [format!("https://{}", server.address()), "http://127.0.0.1:1".to_owned()] {
        let answer = say(&running, &format!("GET {place}/healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 403 "), "{place}: {answer}");
    }
    running.finish();
}

#[test]
fn a_tunnel_to_the_server_is_forwarded() {
    let home = Home::new();
    let server = home.serve();
    let running = Running::start(&home, &[]);
    let mut stream = TcpStream::connect(&running.proxy).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let address = server.address();
    stream.write_all(format!("CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    assert!(head.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&head));
    let call = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(call.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("ok\n"), "{answer}");
    assert_eq!(running.finish(), "");
}

#[test]
fn a_dropped_call_is_a_closed_connection() {
    let home = Home::new();
    let mut server = home.serve_with(&["--ephemeral", "--lab", "--json"], &[]);
    let printed: serde_json::Value = serde_json::from_str(&server.stdout_until("\n")).unwrap();
    let pair = &printed["Accounts"][0]["Keys"][0];
    let key = |name: &str| pair[name].as_str().unwrap().to_owned();
    let (public_key, private_key) = (key("PublicKey"), key("PrivateKey"));
    let place = ["--base-url", &server.base_url];
    let keys = ["--public-key", &public_key, "--private-key", &private_key];
    // The inner program is Jingku's own client, which uses the proxy of the outer `run`.
    let list = |base_url: &str| {
        let mut args = vec!["run"];
        args.extend(place.iter().chain(&keys));
        args.extend(["--", env!("CARGO_BIN_EXE_jingku"), "image", "list", "--base-url", base_url]);
        args.extend(keys);
        Ended::of(&mut home.command(&args))
    };
    list("https://api.compshare.cn").succeeded();
    // More often than the client retries.
    for half in [&[][..], &["--half"]] {
        let drop = ["lab", "drop", "DescribeCompShareCustomImages", "--times", "20"];
        home.run(&[&drop[..], half, &place[..]].concat()).succeeded();
        let ended = list("https://api.compshare.cn").failed(5, &["The connection broke"]);
        assert!(!ended.err.contains("502") && !ended.err.contains("jingku: "), "{ended:?}");
        home.run(&[&["lab", "clear"][..], &place[..]].concat()).succeeded();
    }
    list("https://api.compshare.cn").succeeded();
}

#[test]
fn a_refused_certificate_is_reported_once_per_host() {
    let home = Home::new();
    let _server = home.serve();
    let running = Running::start(&home, &[]);
    let proxy = reqwest::Proxy::all(format!("http://{}", running.proxy)).unwrap();
    let certificate = std::fs::read(&running.certificate).unwrap();
    // It trusts another authority.
    let other = rcgen::generate_simple_self_signed(vec!["example.com".to_owned()]).unwrap();
    let other = reqwest::Certificate::from_der(other.cert.der()).unwrap();
    let distrustful = reqwest::Client::builder().tls_certs_only([other]).proxy(proxy).build().unwrap();
    block_on(async {
        for host in ["api.compshare.cn", "api.ucloud.cn", "api.compshare.cn"] {
            distrustful.get(format!("https://{host}/")).send().await.unwrap_err();
        }
        let text = client(&running).get("https://api.ucloud.cn/").send().await.unwrap().text().await.unwrap();
        assert!(text.contains("Missing Action"), "{text}");
    });
    assert!(certificate.starts_with(b"-----BEGIN"));
    let file = running.certificate.display().to_string();
    let said = running.finish();
    assert_eq!(said.lines().count(), 2, "{said}");
    for host in ["api.compshare.cn", "api.ucloud.cn"] {
        let words = format!("a program refused the certificate for {host}.");
        assert!(said.matches(&words).count() == 1 && said.contains(&file), "{said}");
    }
}
