use jingku_catalog::{AccountId, Catalog, NewSignIn, SignInKind};

use crate::engines::{Engine, on_every_engine};
use crate::races::at_once;
use crate::setting::{NOW, account};

on_every_engine!(
    a_session_lasts_until_it_expires_or_ends,
    an_account_keeps_its_newest_sessions,
    one_of_many_gets_a_link,
    concurrent_sessions_do_not_exceed_the_maximum,
    all_sign_ins_of_a_key_end,
    the_operator_has_sign_ins_of_its_own,
);

const MAX: i64 = 3;

fn new(hash: &str, kind: SignInKind, account: AccountId) -> NewSignIn<'_> {
    NewSignIn { hash, kind, public_key: "public", account, expires_at: NOW + 100, of_account_max: MAX }
}

async fn start(catalog: &Catalog, hash: &str, account: AccountId) {
    catalog.add_sign_in(new(hash, SignInKind::Session, account), NOW).await.unwrap();
}

async fn live(catalog: &Catalog, hashes: &[&str], now: i64) -> Vec<bool> {
    let mut live = Vec::new();
    for hash in hashes {
        live.push(catalog.session(hash, now).await.unwrap().is_some());
    }
    live
}

async fn a_session_lasts_until_it_expires_or_ends(engine: Engine) {
    let (catalog, other) = (&engine.catalog, engine.other_process().await);
    let lab = account(catalog, "lab").await.id;
    start(catalog, "a", lab).await;
    let session = other.session("a", NOW + 99).await.unwrap().unwrap();
    assert_eq!((session.public_key.as_str(), session.used_at), ("public", NOW));
    assert_eq!(live(&other, &["a", "b", ""], NOW + 100).await, [false; 3]);
    // The clock of another server may be behind.
    for now in [NOW + 5, NOW + 4] {
        other.use_session("a", now).await.unwrap();
        assert_eq!(catalog.session("a", NOW).await.unwrap().unwrap().used_at, NOW + 5);
    }
    // A session is no link, and a link is no session.
    assert_eq!(catalog.use_link("a", NOW).await.unwrap(), None);
    catalog.add_sign_in(new("link", SignInKind::Link, lab), NOW).await.unwrap();
    catalog.end_session("link").await.unwrap();
    assert_eq!(live(catalog, &["link", "a"], NOW).await, [false, true]);
    assert_eq!(catalog.use_link("link", NOW + 100).await.unwrap(), None);
    assert!(catalog.use_link("link", NOW + 99).await.unwrap().is_some());
    other.end_session("a").await.unwrap();
    assert_eq!(live(catalog, &["a"], NOW).await, [false]);
    other.end_session("a").await.unwrap();
}

async fn an_account_keeps_its_newest_sessions(Engine { catalog, .. }: Engine) {
    let (lab, other) = (account(&catalog, "lab").await.id, account(&catalog, "other").await.id);
    start(&catalog, "other", other).await;
    catalog.add_sign_in(new("link", SignInKind::Link, lab), NOW).await.unwrap();
    for hash in ["a", "b", "c", "d"] {
        start(&catalog, hash, lab).await;
    }
    assert_eq!(live(&catalog, &["a", "b", "c", "d", "other"], NOW).await, [false, true, true, true, true]);
    assert!(catalog.use_link("link", NOW).await.unwrap().is_some());
    // Those that have expired are removed.
    let late = NewSignIn { expires_at: NOW + 300, ..new("late", SignInKind::Session, other) };
    catalog.add_sign_in(late, NOW + 200).await.unwrap();
    assert_eq!(live(&catalog, &["b", "other", "late"], NOW).await, [false, false, true]);
}

async fn one_of_many_gets_a_link(engine: Engine) {
    let lab = account(&engine.catalog, "lab").await.id;
    for number in 0..4 {
        let hash = format!("link-{number}");
        engine.catalog.add_sign_in(new(&hash, SignInKind::Link, lab), NOW).await.unwrap();
        let calls = at_once(&engine, 8, move |catalog, _| {
            let hash = hash.clone();
            async move { catalog.use_link(&hash, NOW).await.unwrap() }
        });
        assert_eq!(calls.await.iter().flatten().count(), 1);
    }
}

async fn concurrent_sessions_do_not_exceed_the_maximum(engine: Engine) {
    let lab = account(&engine.catalog, "lab").await.id;
    let hashes: Vec<_> = (0..16).map(|number| format!("session-{number}")).collect();
    let starting = hashes.clone();
    at_once(&engine, 16, move |catalog, number| {
        let hash = starting[number].clone();
        async move { start(&catalog, &hash, lab).await }
    })
    .await;
    let hashes: Vec<_> = hashes.iter().map(String::as_str).collect();
    let live = live(&engine.catalog, &hashes, NOW).await;
    assert_eq!(live.into_iter().filter(|live| *live).count(), usize::try_from(MAX).unwrap());
}

async fn all_sign_ins_of_a_key_end(engine: Engine) {
    let (catalog, other) = (&engine.catalog, engine.other_process().await);
    let lab = account(catalog, "lab").await.id;
    start(catalog, "a", lab).await;
    start(catalog, "b", lab).await;
    catalog.add_sign_in(new("link", SignInKind::Link, lab), NOW).await.unwrap();
    let colleague = NewSignIn { public_key: "another", ..new("c", SignInKind::Session, lab) };
    catalog.add_sign_in(colleague, NOW).await.unwrap();
    other.end_sign_ins(Some("public")).await.unwrap();
    assert_eq!(live(catalog, &["a", "b", "c"], NOW).await, [false, false, true]);
    assert_eq!(catalog.use_link("link", NOW).await.unwrap(), None);
    other.end_sign_ins(None).await.unwrap();
    assert_eq!(live(catalog, &["c"], NOW).await, [false]);
}

async fn the_operator_has_sign_ins_of_its_own(engine: Engine) {
    let (catalog, other) = (&engine.catalog, engine.other_process().await);
    let lab = account(catalog, "lab").await.id;
    start(catalog, "a", lab).await;
    let operator = |hash, kind| NewSignIn { public_key: "", ..new(hash, kind, AccountId::PLATFORM) };
    for hash in ["link-1", "link-2"] {
        catalog.add_sign_in(operator(hash, SignInKind::OperatorLink), NOW).await.unwrap();
    }
    catalog.add_sign_in(operator("o", SignInKind::OperatorSession), NOW).await.unwrap();
    assert!(other.session("o", NOW).await.unwrap().unwrap().is_operator);
    assert!(!other.session("a", NOW).await.unwrap().unwrap().is_operator);
    let link = other.use_link("link-1", NOW).await.unwrap().unwrap();
    assert_eq!((link.is_operator, link.public_key.as_str()), (true, ""));
    assert_eq!(other.use_link("link-1", NOW).await.unwrap(), None);
    // A session is no link, and a link is no session.
    assert_eq!(other.use_link("o", NOW).await.unwrap(), None);
    assert_eq!(live(catalog, &["link-2", "o"], NOW + 99).await, [false, true]);
    assert_eq!(live(catalog, &["o"], NOW + 100).await, [false]);
    other.end_sign_ins(Some("public")).await.unwrap();
    assert_eq!(live(catalog, &["a", "o"], NOW).await, [false, true]);
    start(catalog, "b", lab).await;
    assert_eq!(other.end_operator_sign_ins().await.unwrap(), 2);
    assert_eq!(live(catalog, &["b", "o"], NOW).await, [true, false]);
    catalog.add_sign_in(operator("p", SignInKind::OperatorSession), NOW).await.unwrap();
    other.end_session("p").await.unwrap();
    assert_eq!(live(catalog, &["p"], NOW).await, [false]);
}
