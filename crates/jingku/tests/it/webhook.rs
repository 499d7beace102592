//! `jingku webhook`, with a receiver on this machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use serde_json::{Value, json};

use crate::disk;
use crate::home::{Home, until};

/// Answers each request with 204 and passes its body on.
fn receive() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, bodies) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                let line = line.to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            reader.get_mut().write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
            if sender.send(String::from_utf8(body).unwrap()).is_err() {
                return;
            }
        }
    });
    (url, bodies)
}

#[test]
fn a_webhook_is_told_about_an_image() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(5, 1));
    let config = home.file("config.toml", b"webhooks = { private_addresses = true }");
    let _server = home.serve_with(&["--config", &config], &[]);
    let (url, bodies) = receive();
    let created = home.json(&["webhook", "create", &url, "--event", "available", "--event", "deleted"]);
    let id = created["WebhookId"].as_str().unwrap();
    assert!(created["Secret"].as_str().unwrap().starts_with("whsec_"), "{created}");
    assert_eq!(home.json(&["webhook", "list"])[0]["Events"], json!(["available", "deleted"]));

    let image = home.make("uhost-1", "env");
    let event: Value = serde_json::from_str(&bodies.recv().unwrap()).unwrap();
    assert_eq!((&event["type"], &event["subject"]), (&json!("jingku.image.available"), &json!(image)));
    until("the delivery is recorded", || {
        home.json(&["webhook", "deliveries", id, "--state", "Delivered"]).as_array().unwrap().len() == 1
    });
    let text = home.run(&["webhook", "deliveries", id]).succeeded().out;
    assert!(text.contains("available") && text.contains("HTTP 204") && text.contains(&image), "{text}");
    let delivery = home.json(&["webhook", "deliveries", id])[0]["DeliveryId"].to_string();
    assert_eq!(home.run(&["webhook", "retry", &delivery]).succeeded().out, "It is sent again.\n");
    assert_eq!(serde_json::from_str::<Value>(&bodies.recv().unwrap()).unwrap(), event);

    assert_eq!(
        home.run(&["webhook", "delete", id]).succeeded().out,
        "Deleted. Waiting events are not sent.\n"
    );
    assert_eq!(home.json(&["webhook", "list"]), json!([]));
    home.run(&["webhook", "deliveries", id]).failed(3, &["Resource not exist"]);
    home.run(&["webhook", "create", "ftp://example.com"]).failed(1, &[]);
}
