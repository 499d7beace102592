//! Sessions and links survive a restart, and belong to all servers of a catalogue.

use axum::http::StatusCode;
use jingku_catalog::testing::postgres_database;

use crate::browser::{Browser, Place, Server};
use crate::sign_in::link;

/// A place on each engine.
async fn places() -> Vec<Place> {
    let mut places = vec![Place::new(None).await];
    if let Some(url) = postgres_database().await {
        places.push(Place::new(Some(url)).await);
    }
    places
}

async fn is_signed_in(browser: &Browser) -> bool {
    let page = browser.get("/console/images").await;
    if page.status == StatusCode::OK {
        return true;
    }
    assert_eq!(page.location(), "/console/sign-in");
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_survives_a_restart() {
    for place in places().await {
        let server = place.open().await;
        let browser = server.signed_in(1).await;
        let path = link(&server).await;
        drop(server);
        let server = place.open().await;
        let after = server.continue_from(&browser);
        assert!(is_signed_in(&after).await);
        // Also the token of a form that was open at the restart.
        let edit = "/console/images/compshareImage-mine/edit";
        assert!(after.submit(edit, &[("name", "renamed")]).await.location().ends_with("?done=edited"));
        assert!(follow(&server, &path).await.is_some());
    }
}

/// Opens a link and sends its form. `None` if it is refused.
async fn follow(server: &Server, path: &str) -> Option<Browser> {
    let browser = server.browser();
    let token = browser.get(path).await.form_token();
    let secret = path.split_once("link=").unwrap().1;
    let answer = browser.post("/console/sign-in", &[("form_token", &token), ("link", secret)]).await;
    (answer.status == StatusCode::SEE_OTHER).then_some(browser)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_servers_accepts_a_link() {
    for place in places().await {
        let servers = [place.open().await, place.open().await];
        for round in 0..8 {
            let path = link(&servers[round % 2]).await;
            let signed_in = tokio::join!(follow(&servers[0], &path), follow(&servers[1], &path));
            let signed_in: Vec<_> = [signed_in.0, signed_in.1].into_iter().flatten().collect();
            assert_eq!(signed_in.len(), 1);
            for server in &servers {
                assert!(is_signed_in(&server.continue_from(&signed_in[0])).await);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_counts_on_every_server() {
    for place in places().await {
        let (one, two) = (place.open().await, place.open().await);
        let browser = one.signed_in(1).await;
        let elsewhere = two.continue_from(&browser);
        assert!(is_signed_in(&elsewhere).await);
        browser.submit("/console/sign-out", &[]).await;
        assert!(!is_signed_in(&elsewhere).await);

        // All browsers of the key, and its links.
        let (first, second, other) = (one.signed_in(1).await, two.signed_in(1).await, two.signed_in(2).await);
        let path = link(&one).await;
        let answer = first.submit("/console/sign-out", &[("everywhere", "yes")]).await;
        assert_eq!(answer.location(), "/console/sign-in");
        for server in [&one, &two] {
            assert!(!is_signed_in(&server.continue_from(&second)).await);
            assert!(is_signed_in(&server.continue_from(&other)).await);
            assert!(follow(server, &path).await.is_none());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_a_key_ends_its_sessions_and_links_on_every_server() {
    for place in places().await {
        let (one, two) = (place.open().await, place.open().await);
        let browser = one.signed_in(1).await;
        let (path, elsewhere) = (link(&one).await, two.continue_from(&browser));
        assert!(is_signed_in(&elsewhere).await);
        one.context.library.revoke_key("public-1").await.unwrap();
        assert!(!is_signed_in(&elsewhere).await && !is_signed_in(&browser).await);
        assert!(follow(&two, &path).await.is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_has_no_sessions() {
    let place = Place::new(None).await;
    let browser = place.open().await.signed_in(1).await;
    let restored = place.restore_backup().await;
    let server = restored.open().await;
    assert!(!is_signed_in(&server.continue_from(&browser)).await);
    assert!(is_signed_in(&server.signed_in(1).await).await);
    assert!(is_signed_in(&place.open().await.continue_from(&browser)).await);
}
