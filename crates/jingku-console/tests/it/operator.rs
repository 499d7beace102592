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

#[tokio::test]
async fn an_account_is_created_and_its_private_key_is_shown_once() {
    let server = Server::start().await;
    let operator = server.operator().await;
    let page = operator.submit("/console/operator/accounts", &[("name", "新实验室")]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let keys: Vec<_> =
        page.text.split("<code>").skip(1).map(|code| code.split('<').next().unwrap()).collect();
    let [public_key, private_key] = keys[..] else { panic!("{keys:?}") };
    assert_eq!(server.browser().sign_in(public_key, private_key).await.location(), "/console/images");
    let list = operator.get("/console/operator/accounts").await.text;
    assert!(list.contains("新实验室") && list.contains("/console/operator/accounts/3\""), "{list}");
    let account = operator.get("/console/operator/accounts/3").await.text;
    assert!(account.contains(public_key) && !account.contains(private_key), "{account}");
    for name in ["新实验室", "", "two\nlines", &"x".repeat(101)] {
        let refused = operator.submit("/console/operator/accounts", &[("name", name)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
    }
    let entries = audited(&server).await;
    let expected = [
        ["console", "127.0.0.1", "account create", "新实验室"],
        ["console", "127.0.0.1", "key create", public_key],
    ];
    assert_eq!(entries[entries.len() - 2..], expected.map(|entry| entry.map(str::to_owned)));
    for id in ["0", "-1", "4", "x", "%00"] {
        let path = format!("/console/operator/accounts/{id}");
        assert_eq!(operator.get(&path).await.status, StatusCode::NOT_FOUND, "{id}");
        assert_eq!(operator.submit(&format!("{path}/keys"), &[]).await.status, StatusCode::NOT_FOUND, "{id}");
    }
}

#[tokio::test]
async fn accounts_are_listed_in_pages() {
    let server = Server::start().await;
    let operator = server.operator().await;
    for number in 3..=52 {
        server.context.library.create_account(&format!("account-{number}")).await.unwrap();
    }
    let first = operator.get("/console/operator/accounts").await.text;
    assert!(first.contains("account-50<") && !first.contains("account-51<"), "{first}");
    let next = first.split("href=\"").find(|link| link.contains("?after=")).unwrap();
    let second = operator.get(next.split('"').next().unwrap()).await.text;
    assert!(second.contains("account-52<") && !second.contains("account-50<"), "{second}");
    assert!(!second.contains("?after="), "{second}");
}

#[tokio::test]
async fn limits_are_set_and_restored() {
    let server = Server::start().await;
    let operator = server.operator().await;
    let path = "/console/operator/accounts/1";
    let set = async |fields: &[(&str, &str)]| operator.submit(&format!("{path}/limits"), fields).await;
    let fields = [
        ("limit-Images", "7"),
        ("limit-StoredBytes", "500GB"),
        ("limit-UniqueBytes", "300GB"),
        ("limit-Jobs", ""),
    ];
    assert_eq!(set(&fields).await.location(), format!("{path}?done=limits"));
    let page = operator.get(path).await.text;
    for text in [
        "1 of 7",
        "0 B of 500 GB",
        "0 B of 300 GB",
        "value=\"500GB\"",
        "value=\"7\"",
        "placeholder=\"Default\"",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    for bad in ["many", "-1", "1.5", "9999999999"] {
        let refused = set(&[("limit-Images", bad)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    assert_eq!(set(&[]).await.status, StatusCode::SEE_OTHER);
    assert!(operator.get(path).await.text.contains("1 of 1000"));
    // The same once more is no change.
    let before = audited(&server).await.len();
    set(&[]).await;
    assert_eq!(audited(&server).await.len(), before);
}

#[tokio::test]
async fn a_key_is_restricted_and_revoked() {
    let server = Server::start().await;
    let (operator, holder) = (server.operator().await, server.signed_in(1).await);
    let path = "/console/operator/accounts/1";
    let post =
        async |what: &str, fields: &[(&str, &str)]| operator.submit(&format!("{path}/{what}"), fields).await;
    let key = ("key", "public-1");
    let edit = "/console/images/compshareImage-mine/edit";
    let restricted =
        post("restrict", &[key, ("read_only", "yes"), ("addresses", "127.0.0.0/8\r\n10.0.0.0/8")]).await;
    assert_eq!(restricted.location(), format!("{path}?done=restricted"), "{}", restricted.text);
    assert!(operator.get(path).await.text.contains("May only read, and only from 127.0.0.0/8, 10.0.0.0/8"));
    assert_eq!(holder.submit(edit, &[("name", "renamed")]).await.status, StatusCode::FORBIDDEN);
    let refused = post("restrict", &[key, ("addresses", "10.1.2.3/8")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    post("restrict", &[key]).await;
    assert!(holder.submit(edit, &[("name", "renamed")]).await.location().ends_with("?done=edited"));

    // Keys of other accounts are not at this address.
    assert_eq!(post("revoke", &[("key", "public-2")]).await.status, StatusCode::NOT_FOUND);
    let asked = post("revoke", &[key]).await.text;
    assert!(asked.contains("Revoke this key?") && asked.contains("last key of the account"), "{asked}");
    assert_eq!(holder.get("/console/images").await.status, StatusCode::OK);
    let revoked = post("revoke", &[key, ("confirmed", "yes")]).await;
    assert_eq!(revoked.location(), format!("{path}?done=revoked"));
    assert_eq!(holder.get("/console/images").await.location(), "/console/sign-in");
    assert_eq!(post("revoke", &[key, ("confirmed", "yes")]).await.status, StatusCode::NOT_FOUND);
    let created = post("keys", &[("name", "second"), ("read_only", "yes")]).await;
    assert!(created.text.contains("shown only here"), "{}", created.text);
    let page = operator.get(path).await.text;
    assert!(page.contains("second") && page.contains("Revoked keys"), "{page}");
    let entries = audited(&server).await;
    let actions: Vec<_> = entries
        .iter()
        .filter(|entry| entry[0] == "console" && entry[2].starts_with("key"))
        .map(|entry| &*entry[2])
        .collect();
    assert_eq!(actions, ["key restrict", "key restrict", "key revoke", "key create"]);
}

#[tokio::test]
async fn images_in_review_are_seen_approved_and_refused() {
    let more = r#"
[[images]]
name = "one"
id = "compshareImage-one"
status = "Reviewing"
readme = "**how to**"
published = { group = "first-group", version = "v2", version_description = "faster" }

[[images]]
name = "two"
id = "compshareImage-two"
account = "other"
status = "Reviewing"
"#;
    let server = Server::start_with("http://127.0.0.1:8480", more).await;
    let operator = server.operator().await;
    let list = "/console/operator/review";
    let page = operator.get(list).await.text;
    assert!(page.contains("compshareImage%2Done") && page.contains("other (2)"), "{page}");
    let page = operator.get(&format!("{list}/compshareImage-one")).await.text;
    for text in ["<strong>how to</strong>", "v2", "faster", "In review"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    for id in ["compshareImage-mine", "compshareImage-none", "%00"] {
        let path = format!("{list}/{id}");
        assert_eq!(operator.get(&path).await.status, StatusCode::NOT_FOUND, "{id}");
        for decision in ["approve", "refuse"] {
            let answer = operator.submit(&format!("{path}/{decision}"), &[("reason", "x")]).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id} {decision}");
        }
    }
    let holder = server.signed_in(1).await;
    let approved = operator.submit(&format!("{list}/compshareImage-one/approve"), &[]).await;
    assert_eq!(approved.location(), format!("{list}?done=approved"));
    assert!(
        server.signed_in(2).await.get("/console/images?tab=community").await.text.contains("first-group")
    );
    let two = format!("{list}/compshareImage-two/refuse");
    assert_eq!(operator.submit(&two, &[("reason", " ")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let refused = operator.submit(&two, &[("reason", "two\r\nlines")]).await;
    assert_eq!(refused.location(), format!("{list}?done=refused"));
    let owner = server.signed_in(2).await;
    assert!(owner.get("/console/images/compshareImage-two").await.text.contains("two lines"));
    let activity = owner.get("/console/activity?image=compshareImage-two").await.text;
    assert!(activity.contains("review refuse") && activity.contains(">Operator<"), "{activity}");
    // The address of the operator is only in the log of the operator.
    assert!(!activity.contains("127.0.0.1"), "{activity}");
    assert!(operator.get(list).await.text.contains("No image waits for review"));
    drop(holder);
    let entries = audited(&server).await;
    let expected = [
        ["console", "127.0.0.1", "review approve", "compshareImage-one"],
        ["console", "127.0.0.1", "review refuse", "compshareImage-two"],
    ];
    assert_eq!(entries[entries.len() - 2..], expected.map(|entry| entry.map(str::to_owned)));
}
