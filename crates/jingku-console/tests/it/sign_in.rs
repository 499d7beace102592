//! Who gets a session, and when it ends.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use jingku_protocol::{Params, sign_request};

use crate::browser::{Answer, Server};

#[tokio::test]
async fn a_key_pair_signs_in_until_sign_out() {
    let server = Server::start().await;
    let browser = server.browser();
    assert_eq!(browser.get("/console/images").await.location(), "/console/sign-in");
    let answer = browser.sign_in("public-1", "private-1").await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Max-Age=43200", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("private-1") && !cookie.contains("Secure"), "{cookie}");
    let page = browser.get("/console/images").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("mine") && !page.text.contains("theirs"), "{}", page.text);

    let stolen = browser.cookies.lock().unwrap().clone();
    assert_eq!(browser.submit("/console/sign-out", &[]).await.location(), "/console/sign-in");
    // The session has ended at the server, not only in the browser.
    let thief = server.browser();
    *thief.cookies.lock().unwrap() = stolen;
    assert_eq!(thief.get("/console/images").await.location(), "/console/sign-in");
}

#[tokio::test]
async fn cookies_are_secure_where_browsers_use_tls() {
    let server = Server::start_with("https://jingku.example", "").await;
    let browser = server.browser();
    // A cookie that another host of the domain, or a network without TLS, has set.
    browser.cookies.lock().unwrap().insert("jingku".to_owned(), "chosen".to_owned());
    let form = browser.get("/console/sign-in").await;
    let signed_in = browser.sign_in("public-1", "private-1").await;
    for (answer, name) in [(&form, "__Host-jingku_form="), (&signed_in, "__Host-jingku=")] {
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with(name) && !cookie.contains("Domain"), "{cookie}");
        for attribute in ["Path=/;", "HttpOnly", "SameSite=Strict", "Secure"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
    }
    assert_eq!(browser.get("/console/images").await.status, StatusCode::OK);
    let secret = browser.cookies.lock().unwrap()["__Host-jingku"].clone();
    let other = server.browser();
    other.cookies.lock().unwrap().insert("jingku".to_owned(), secret);
    assert_eq!(other.get("/console/images").await.location(), "/console/sign-in");
    let signed_out = browser.submit("/console/sign-out", &[]).await;
    let cookie = signed_out.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-jingku=;") && cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn wrong_keys_are_refused_alike() {
    let server = Server::start().await;
    let [one, other] = [("public-1", "private-2"), ("public-0", "private-1")];
    let refused = async |(public_key, private_key)| {
        let answer = server.browser().sign_in(public_key, private_key).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(!answer.text.contains(private_key), "{}", answer.text);
        let notice = answer.text.split("role=\"alert\"").nth(1).unwrap();
        notice.split("</div>").next().unwrap().to_owned()
    };
    assert_eq!(refused(one).await, refused(other).await);
    for (public_key, private_key) in [("", ""), ("public-1", ""), ("public-1", "private-1 x")] {
        let answer = server.browser().sign_in(public_key, private_key).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{public_key} {private_key}");
    }
}

#[tokio::test]
async fn a_session_ends_with_its_time_and_with_its_key() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    // It is used at least once in four hours.
    for secs in [4 * 3600 - 301, 4 * 3600 - 1, 4 * 3600 - 1, 302] {
        server.clock.pass(secs);
        assert_eq!(browser.get("/console/images").await.status, StatusCode::OK);
    }
    server.clock.pass(1);
    assert_eq!(browser.get("/console/images").await.location(), "/console/sign-in");
    let browser = server.signed_in(1).await;
    server.clock.pass(4 * 3600);
    assert_eq!(browser.get("/console/images").await.location(), "/console/sign-in");

    let browser = server.signed_in(1).await;
    server.context.library.revoke_key("public-1").await.unwrap();
    for _ in 0..2 {
        assert_eq!(browser.get("/console/images").await.location(), "/console/sign-in");
    }
}

#[tokio::test]
async fn an_account_has_a_limited_number_of_sessions() {
    let server = Server::start().await;
    let other = server.signed_in(2).await;
    let first = server.signed_in(1).await;
    for _ in 0..8 {
        server.signed_in(1).await;
    }
    assert_eq!(first.get("/console/images").await.location(), "/console/sign-in");
    assert_eq!(other.get("/console/images").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_cannot_be_fixed_before_sign_in() {
    let server = Server::start().await;
    let browser = server.browser();
    browser.cookies.lock().unwrap().insert("jingku".to_owned(), "chosen".to_owned());
    browser.sign_in("public-1", "private-1").await;
    assert_ne!(browser.cookies.lock().unwrap()["jingku"], "chosen");
    // The cookie of the form is no session.
    let form = browser.cookies.lock().unwrap()["jingku_form"].clone();
    let other = server.browser();
    other.cookies.lock().unwrap().insert("jingku".to_owned(), form);
    assert_eq!(other.get("/console/images").await.location(), "/console/sign-in");
    // Another sign-in ends the session before it.
    let before = browser.cookies.lock().unwrap().clone();
    browser.sign_in("public-2", "private-2").await;
    *other.cookies.lock().unwrap() = before;
    assert_eq!(other.get("/console/images").await.location(), "/console/sign-in");
}

#[tokio::test]
async fn the_form_of_another_site_does_not_sign_in() {
    let server = Server::start().await;
    let browser = server.browser();
    let keys = [("public_key", "public-1"), ("private_key", "private-1")];
    assert_eq!(browser.post("/console/sign-in", &keys).await.status, StatusCode::FORBIDDEN);
    let token = server.browser().get("/console/sign-in").await.form_token();
    browser.get("/console/sign-in").await;
    let fields = [keys[0], keys[1], ("form_token", &token)];
    assert_eq!(browser.post("/console/sign-in", &fields).await.status, StatusCode::FORBIDDEN);
    assert!(!browser.cookies.lock().unwrap().contains_key("jingku"));
}

async fn ask_for_link(server: &Server, action: &str, private_key: &str) -> Answer {
    let form = sign_request(Params::for_action(action), "public-1", private_key).to_form();
    let request = Request::post("/console/links");
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    server.browser().send(request.body(Body::from(form)).unwrap()).await
}

pub(crate) async fn link(server: &Server) -> String {
    let answer = ask_for_link(server, "CreateConsoleLink", "private-1").await;
    let answer: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(answer["RetCode"], 0, "{answer}");
    answer["Path"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_link_signs_in_once_and_only_when_its_form_is_sent() {
    let server = Server::start().await;
    let path = link(&server).await;
    let secret = path.split_once("link=").unwrap().1;
    let follow = async || {
        let browser = server.browser();
        let token = browser.get(&path).await.form_token();
        let answer = browser.post("/console/sign-in", &[("form_token", &token), ("link", secret)]).await;
        (answer.status, browser)
    };
    // A program that only reads links does not use it up.
    server.browser().get(&path).await;
    let (status, browser) = follow().await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(browser.get("/console/images").await.text.contains("mine"));
    assert_eq!(follow().await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_link_expires_and_needs_its_own_request() {
    let server = Server::start().await;
    let path = link(&server).await;
    server.clock.pass(300);
    let browser = server.browser();
    let token = browser.get(&path).await.form_token();
    let secret = path.split_once("link=").unwrap().1;
    let answer = browser.post("/console/sign-in", &[("form_token", &token), ("link", secret)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    for (action, private_key, ret_code) in [
        ("CreateConsoleLink", "private-2", "171"),
        // A recorded call of the API is not valid as a request for a link.
        ("DescribeCompShareCustomImages", "private-1", "161"),
    ] {
        let answer = ask_for_link(&server, action, private_key).await;
        assert!(answer.text.contains(&format!("\"RetCode\":{ret_code}")), "{}", answer.text);
    }
}
