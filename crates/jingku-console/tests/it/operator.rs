//! The operator's session and pages.

use axum::http::StatusCode;
use jingku_catalog::AuditFilter;

use crate::browser::{Browser, Server};
use crate::sign_in::link;

const HEALTH: &str = "/console/operator/health";

async fn is_signed_in(browser: &Browser) -> bool {
    browser.get(HEALTH).await.status == StatusCode::OK
}

/// Channel, address, action and subject of all entries of the audit log, oldest first.
pub(crate) async fn audited(server: &Server) -> Vec<[String; 4]> {
    let library = &server.context.library;
    let entries = library.audit_entries(AuditFilter::default(), i64::MAX, 100).await.unwrap();
    let entries = entries.into_iter().rev();
    entries.map(|entry| [entry.channel, entry.address, entry.action, entry.subject]).collect()
}

#[tokio::test]
async fn a_link_of_the_operator_signs_in_once() {
    let server = Server::start().await;
    let (secret, expires_at) = server.context.library.create_operator_link().await.unwrap();
    assert_eq!(expires_at, 1_712_563_200 + 300);
    let browser = server.browser_from([192, 0, 2, 7]);
    // A program that only reads links does not use it up.
    server.browser().get(&format!("/console/sign-in?link={secret}")).await;
    let answer = browser.follow(&secret).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, HEALTH));
    assert!(is_signed_in(&browser).await);
    let again = server.browser();
    assert_eq!(again.follow(&secret).await.status, StatusCode::FORBIDDEN);
    assert!(!is_signed_in(&again).await);
    let (secret, _) = server.context.library.create_operator_link().await.unwrap();
    server.clock.pass(300);
    assert_eq!(again.follow(&secret).await.status, StatusCode::FORBIDDEN);
    let expected =
        [["command", "", "console operator", ""], ["console", "192.0.2.7", "operator sign-in", ""]];
    let entries = audited(&server).await;
    let of_operator = entries.iter().filter(|entry| entry[2].contains("operator")).take(2);
    assert!(of_operator.eq(expected.iter()), "{entries:?}");
}

#[tokio::test]
async fn a_session_of_the_operator_ends_like_others() {
    let server = Server::start().await;
    let (one, two, holder) = (server.operator().await, server.operator().await, server.signed_in(1).await);
    server.clock.pass(4 * 3600 - 1);
    assert!(is_signed_in(&one).await);
    server.clock.pass(1);
    assert!(is_signed_in(&one).await && !is_signed_in(&two).await);
    server.clock.pass(4 * 3600 - 2);
    assert!(is_signed_in(&one).await);
    server.clock.pass(4 * 3600 - 2);
    assert!(is_signed_in(&one).await);
    server.clock.pass(4);
    assert!(!is_signed_in(&one).await, "twelve hours have passed");

    let (one, two) = (server.operator().await, server.operator().await);
    assert_eq!(one.submit("/console/sign-out", &[]).await.location(), "/console/sign-in");
    assert!(!is_signed_in(&one).await && is_signed_in(&two).await);
    let one = server.operator().await;
    let (secret, _) = server.context.library.create_operator_link().await.unwrap();
    one.submit("/console/sign-out", &[("everywhere", "yes")]).await;
    assert!(!is_signed_in(&two).await);
    assert_eq!(server.browser().follow(&secret).await.status, StatusCode::FORBIDDEN);
    drop(holder);

    // A command ends them too, and does not sign accounts out.
    let (one, holder) = (server.operator().await, server.signed_in(1).await);
    assert_eq!(server.context.library.end_operator_sign_ins().await.unwrap(), 1);
    assert!(!is_signed_in(&one).await);
    assert_eq!(holder.get("/console/images").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_key_pair_never_becomes_the_operator() {
    let server = Server::start().await;
    for (public_key, private_key) in [("", ""), ("operator", ""), ("", "private-1")] {
        let browser = server.browser();
        assert_eq!(browser.sign_in(public_key, private_key).await.status, StatusCode::FORBIDDEN);
        assert!(!is_signed_in(&browser).await);
    }
    let browser = server.browser();
    let path = link(&server).await;
    browser.follow(path.split_once("link=").unwrap().1).await;
    assert_eq!(browser.get(HEALTH).await.status, StatusCode::NOT_FOUND);
    // The operator's cookie is replaced with that of the account, and its session has ended.
    let operator = server.operator().await;
    let before = operator.cookies.lock().unwrap().clone();
    operator.sign_in("public-1", "private-1").await;
    *browser.cookies.lock().unwrap() = before;
    assert_eq!(browser.get(HEALTH).await.location(), "/console/sign-in");
}

#[tokio::test]
async fn health_shows_what_is_known() {
    let server = Server::start().await;
    let operator = server.operator().await;
    let page = operator.get(HEALTH).await.text;
    for text in [">Ready<", "Not started yet", "None is known", "0 running, none waiting"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("<svg class=\"chart\""), "{page}");
    for _ in 0..3 {
        server.context.sample().await;
        server.clock.pass(60);
    }
    let holder = server.signed_in(1).await;
    holder.submit("/console/make", &[("instance", "uhost-1"), ("name", "queued")]).await;
    server.clock.pass(90);
    let page = operator.get(HEALTH).await.text;
    for text in
        ["<svg class=\"chart\"", "API requests per minute", "queued", "1 waiting, the oldest for 1 min 30 s"]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("<script>alert") && !page.contains("style="), "{page}");
}
