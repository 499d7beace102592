//! Many wrong key pairs.

use std::time::Duration;

use axum::http::StatusCode;
use tokio::time::Instant;

use crate::browser::{Answer, Server};

/// What the page says.
fn notice(answer: &Answer) -> &str {
    let notice = answer.text.split("role=\"alert\"").nth(1).unwrap_or_else(|| panic!("{}", answer.text));
    notice.split("</div>").next().unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_address_gets_few_of_a_thousand_attempts() {
    let server = Server::start().await;
    let guesser = server.browser_from([192, 0, 2, 1]);
    let mut compared = 0;
    for number in 0..1000 {
        let answer = guesser.sign_in("public-1", &format!("wrong-{number}")).await;
        compared += u32::from(answer.status == StatusCode::FORBIDDEN);
        assert!(compared == number + 1 || answer.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(compared, 10);
    let refused = guesser.sign_in("public-1", "private-1").await;
    assert!(refused.status == StatusCode::TOO_MANY_REQUESTS && notice(&refused).contains("ten minutes"));
    // Its other accounts too, but nobody else.
    assert_eq!(guesser.sign_in("public-2", "private-2").await.status, StatusCode::TOO_MANY_REQUESTS);
    let owner = server.browser_from([192, 0, 2, 2]);
    assert_eq!(owner.sign_in("public-1", "private-1").await.location(), "/console/images");
    server.clock.pass(600);
    // The limit of requests per second follows the clock of the machine.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(guesser.sign_in("public-1", "private-1").await.location(), "/console/images");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_attempts_from_many_addresses_do_not_lock_the_owner_out() {
    let server = Server::start().await;
    let mut compared = 0;
    for number in 0..1000_u32 {
        let [.., high, low] = (number / 4).to_be_bytes();
        let answer = server.browser_from([10, 0, high, low]).sign_in("public-1", "wrong").await;
        compared += u32::from(answer.status == StatusCode::FORBIDDEN);
    }
    // All of the first 30, then one of each address.
    assert_eq!(compared, 30 + 250 - 8);
    let owner = server.browser_from([192, 0, 2, 1]);
    assert_eq!(owner.sign_in("public-1", "private-1").await.location(), "/console/images");
}

/// A page that answers sooner, or says more, for a public key that exists.
#[tokio::test(start_paused = true)]
async fn neither_time_nor_text_tell_whether_an_account_exists() {
    let server = Server::start().await;
    let mut seen = Vec::new();
    for (address, public_key) in [(1, "public-1"), (2, "public-0"), (3, "")] {
        let browser = server.browser_from([192, 0, 2, address]);
        let mut answers = Vec::new();
        for _ in 0..12 {
            let token = browser.get("/console/sign-in").await.form_token();
            let fields = [("form_token", &*token), ("public_key", public_key), ("private_key", "private-2")];
            let start = Instant::now();
            let answer = browser.post("/console/sign-in", &fields).await;
            answers.push((answer.status, start.elapsed().as_millis(), notice(&answer).to_owned()));
        }
        seen.push(answers);
    }
    assert!(seen[0] == seen[1] && seen[1] == seen[2], "{seen:?}");
}
