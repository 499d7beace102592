//! Clients that send more requests than they may.

use std::time::{Duration, Instant};

use reqwest::Client;

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
async fn accounts_and_addresses_have_limits_and_the_connection_pauses() {
    let (service, server) = serve(CONFIG).await;
    let url = format!("http://{server}/");
    let count = answered(&service, &url, "198.51.100.7").await;
    // Twice as many may come at once, and some more while they are sent.
    assert!((20..60).contains(&count), "{count}");
    // The account has used its share, wherever its requests come from.
    let client = Client::builder().no_proxy().build().unwrap();
    let request = || form(&client, &url, list(&service)).header("x-forwarded-for", "198.51.100.8");
    let started = Instant::now();
    let mut refused = 0;
    for _ in 0..5 {
        refused += u32::from(ret_code(request().send().await.unwrap()).await == 153);
    }
    // Each refusal is sent at once, and the next request on the connection is read a little later.
    assert!(refused >= 2 && started.elapsed() >= Duration::from_millis(100), "{:?}", started.elapsed());
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
