//! Clients that send more requests than they may.

use std::time::{Duration, Instant};

use reqwest::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::{form, list, ret_code, serve};
use crate::support::Service;

const CONFIG: &str = "[proxies]\ntrusted = ['127.0.0.1']\n[requests]\nper_account = 10\nper_address = 20\n";

/// Sends lists from an address until one is refused. Returns how many were answered.
async fn answered(service: &Service, url: &str, address: &str) -> usize {
    let client = Client::builder().no_proxy().build().unwrap();
    for count in 0..1000 {
        let request = form(&client, url, list(service)).header("x-forwarded-for", address);
        match ret_code(request.send().await.unwrap()).await {
            0 => {}
            153 => return count,
            code => panic!("refused with {code}"),
        }
    }
    1000
}

#[tokio::test]
async fn accounts_and_addresses_have_limits() {
    let (service, server) = serve(CONFIG).await;
    let url = format!("http://{server}/");
    let count = answered(&service, &url, "198.51.100.7").await;
    // Twice as many may come at once, and some more while they are sent.
    assert!((20..60).contains(&count), "{count}");
    // The account has used its share, wherever its requests come from.
    let client = Client::builder().no_proxy().build().unwrap();
    let request = || form(&client, &url, list(&service)).header("x-forwarded-for", "198.51.100.8");
    let mut refused = 0;
    for _ in 0..5 {
        refused += u32::from(ret_code(request().send().await.unwrap()).await == 153);
    }
    assert!(refused >= 2, "{refused}");
    // Requests without a valid signature do not count for the account, but for the address.
    let mut codes = Vec::new();
    for _ in 0..60 {
        let request =
            form(&client, &url, "Action=GetRegion".to_owned()).header("x-forwarded-for", "203.0.113.1");
        codes.push(ret_code(request.send().await.unwrap()).await);
        if codes.last() == Some(&153) {
            break;
        }
    }
    assert!((41..60).contains(&codes.len()), "{codes:?}");
    assert!(codes[..40].iter().all(|code| *code == 170), "{codes:?}");
    // Clients on this machine are not limited.
    let local = Client::builder().no_proxy().build().unwrap();
    for _ in 0..50 {
        assert_eq!(ret_code(form(&local, &url, list(&service)).send().await.unwrap()).await, 0);
    }
}

/// A connection of a client with this address, behind a proxy.
struct Connection(TcpStream);

impl Connection {
    /// With the PROXY protocol, the connection is the client's own.
    async fn open(server: std::net::SocketAddr, address: &str) -> Self {
        let mut stream = TcpStream::connect(server).await.unwrap();
        stream.write_all(format!("PROXY TCP4 {address} 192.0.2.1 4000 443\r\n").as_bytes()).await.unwrap();
        Self(stream)
    }

    async fn send(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).await.unwrap();
    }

    /// Reads so many replies of a list or of its refusal, and returns the codes.
    async fn codes(&mut self, count: usize) -> Vec<i64> {
        let (mut text, mut codes) = (String::new(), Vec::new());
        while codes.len() < count {
            let mut bytes = [0; 4096];
            let read = self.0.read(&mut bytes).await.unwrap();
            assert!(read > 0, "the server closed the connection: {text}");
            text.push_str(str::from_utf8(&bytes[..read]).unwrap());
            let after_code = text.split("\"RetCode\":").skip(1);
            codes = after_code.filter_map(|rest| rest.split_once(',')?.0.parse().ok()).collect();
        }
        codes
    }
}

/// The head and the body of a signed list.
fn parts(service: &Service) -> [String; 2] {
    let body = list(service);
    let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    [format!("{head}Content-Length: {}\r\n\r\n", body.len()), body]
}

const PROXY: &str =
    "[proxies]\ntrusted = ['127.0.0.1']\nprotocol = 'proxy'\n[requests]\nper_account = 0\nper_address = 1\n";

/// Requests sent ahead wait too, and the pause of each refusal ends.
#[tokio::test]
async fn a_connection_pauses_after_each_refusal() {
    let (service, server) = serve(PROXY).await;
    let mut client = Connection::open(server, "198.51.100.7").await;
    let request = parts(&service).concat();
    client.send(&request.repeat(2)).await;
    assert_eq!(client.codes(2).await, [0, 0]);
    let started = Instant::now();
    client.send(&request.repeat(4)).await;
    let codes = client.codes(4).await;
    let refused = codes.iter().filter(|code| **code == 153).count();
    // Some are answered if they take seconds.
    assert!(refused >= 2, "{codes:?}");
    let waits = u32::try_from(refused - 1).unwrap();
    let elapsed = started.elapsed();
    assert!(
        elapsed >= Duration::from_millis(100) * waits && elapsed < Duration::from_secs(10),
        "{elapsed:?}"
    );
}

/// After a refusal of a signed request, the next one is refused before it is read, and only that one counts for the account.
#[tokio::test]
async fn forged_requests_do_not_use_up_the_limit_of_an_account() {
    let config = "[proxies]\ntrusted = ['127.0.0.1']\nprotocol = 'proxy'\n[requests]\nper_account = 1\nper_address = 0\n";
    let (service, server) = serve(config).await;
    let mut client = Connection::open(server, "198.51.100.7").await;
    let signed = parts(&service).concat();
    let forged = "GET /?Action=GetRegion HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut pairs = Vec::new();
    while pairs.last() != Some(&vec![153, 153]) {
        // Some are answered if they take seconds.
        assert!(pairs.len() < 50, "{pairs:?}");
        client.send(&format!("{signed}{forged}")).await;
        pairs.push(client.codes(2).await);
    }
    sleep(Duration::from_secs(2)).await;
    client.send(&forged.repeat(20)).await;
    assert_eq!(client.codes(20).await, [170; 20]);
    let mut other = Connection::open(server, "198.51.100.8").await;
    other.send(&signed).await;
    assert_eq!(other.codes(1).await, [0]);
}

/// The first answer on a connection is not lost because the rest of its request arrives after the refusal.
#[tokio::test]
async fn a_request_is_read_to_its_end_before_it_is_refused() {
    let (service, server) = serve(PROXY).await;
    let [head, body] = parts(&service);
    let mut first = Connection::open(server, "198.51.100.7").await;
    first.send(&format!("{head}{body}").repeat(2)).await;
    first.codes(2).await;
    let mut client = Connection::open(server, "198.51.100.7").await;
    client.send(&head).await;
    sleep(Duration::from_millis(100)).await;
    client.send(&body).await;
    assert_eq!(client.codes(1).await, [153]);
    // The connection stays open.
    sleep(Duration::from_secs(2)).await;
    client.send(&format!("{head}{body}")).await;
    assert_eq!(client.codes(1).await, [0]);
}

/// The next request on the connection of an HTTP proxy may be that of another client.
#[tokio::test]
async fn the_connection_of_an_http_proxy_does_not_pause() {
    let config = "[proxies]\ntrusted = ['127.0.0.1']\n[requests]\nper_account = 0\nper_address = 1\n";
    let (service, server) = serve(config).await;
    let mut proxy = Connection(TcpStream::connect(server).await.unwrap());
    let [head, body] = parts(&service);
    let of = |address: &str| format!("{}\r\nX-Forwarded-For: {address}\r\n\r\n{body}", head.trim_end());
    let mut refusals = 0;
    let started = Instant::now();
    for _ in 0..50 {
        proxy.send(&of("198.51.100.7")).await;
        refusals += usize::from(proxy.codes(1).await == [153]);
    }
    proxy.send(&of("198.51.100.8")).await;
    assert_eq!(proxy.codes(1).await, [0]);
    // With pauses, they would take more than 4 s.
    assert!(refusals >= 40 && started.elapsed() < Duration::from_secs(3), "{refusals}");
}
