//! What other tenants and other sites try.

use axum::http::{StatusCode, header};

use crate::browser::Server;

const CHANGES: [&str; 10] = [
    "/console/images/compshareImage-mine/edit",
    "/console/images/compshareImage-mine/share",
    "/console/images/compshareImage-mine/unshare",
    "/console/images/compshareImage-mine/copy",
    "/console/images/compshareImage-mine/publish",
    "/console/images/compshareImage-mine/link",
    "/console/images/delete",
    "/console/make",
    "/console/trash/restore",
    "/console/trash/purge",
];
/// What the script of the import page sends.
const IMPORTS: [&str; 2] = ["/console/import/start", "/console/import/cancel"];

#[tokio::test]
async fn a_form_without_the_sessions_token_changes_nothing() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    let other = server.signed_in(2).await.get("/console/images").await.form_token();
    let before = browser.get("/console/images/compshareImage-mine").await.text;
    for path in CHANGES.into_iter().chain(IMPORTS) {
        for token in ["", "x", other.as_str()] {
            let fields = [
                ("form_token", token),
                ("name", "changed"),
                ("accounts", "2"),
                ("id", "compshareImage-mine"),
                ("confirmed", "yes"),
                ("instance", "uhost-1"),
            ];
            assert_eq!(browser.post(path, &fields).await.status, StatusCode::FORBIDDEN, "{path} {token}");
        }
        assert_ne!(browser.get(path).await.status, StatusCode::SEE_OTHER, "{path}");
    }
    assert_eq!(browser.post("/console/sign-out", &[]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.get("/console/images/compshareImage-mine").await.text, before);
}

#[tokio::test]
async fn images_of_other_accounts_look_like_none() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    let seen = async |id: &str| {
        let page = browser.get(&format!("/console/images/{id}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        let mut texts = vec![page.text];
        for change in CHANGES {
            let path = change.replace("compshareImage-mine", id);
            let fields =
                [("name", "n"), ("accounts", "2"), ("id", id), ("instance", id), ("expires", "3600")];
            let answer = browser.submit(&path, &fields).await;
            assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
            texts.push(answer.text);
        }
        let confirmed = [("id", id), ("confirmed", "yes")];
        texts.push(browser.submit("/console/images/delete", &confirmed).await.text);
        texts.push(browser.submit("/console/import/cancel", &[("id", id)]).await.text);
        texts.push(browser.get(&format!("/console/progress?id={id}")).await.text);
        texts.iter().map(|text| text.replace(id, "ID")).collect::<Vec<_>>()
    };
    // The ids have the same length.
    assert_eq!(seen("compshareImage-theirs").await, seen("compshareImage-nobody").await);
    let owner = server.signed_in(2).await;
    assert!(owner.get("/console/images").await.text.contains("compshareImage-theirs"));
}

#[tokio::test]
async fn texts_of_tenants_never_run() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    let script = "'\"><script>alert(1)</script>";
    let query: String = form_urlencoded::byte_serialize(script.as_bytes()).collect();
    let mut pages = vec![
        browser.get("/console/images").await,
        browser.get("/console/images/compshareImage-mine").await,
        browser.get("/console/make").await,
        browser.submit("/console/images/delete", &[("id", "compshareImage-mine")]).await,
        server.browser().get(&format!("/console/sign-in?link={query}")).await,
        server.browser().sign_in(script, script).await,
    ];
    for path in [
        "images?name=",
        "images?status=",
        "images?token=",
        "images?tab=",
        "make?instance=",
        "trash?token=",
        "images/",
        "x/",
    ] {
        pages.push(browser.get(&format!("/console/{path}{query}")).await);
    }
    for path in CHANGES {
        let fields = [
            "name",
            "description",
            "tags",
            "accounts",
            "version",
            "version_desc",
            "instance",
            "id",
            "expires",
        ];
        pages.push(browser.submit(path, &fields.map(|name| (name, script))).await);
    }
    for page in pages {
        // The page's own scripts are files.
        let scripts = page.text.matches("<script").count();
        assert_eq!(scripts, page.text.matches("<script src=\"/console/assets/").count(), "{}", page.text);
        assert!(!page.text.contains("<b>tag") && !page.text.contains("href=\"javascript"), "{}", page.text);
        assert!(!page.text.contains(" style=") && !page.text.contains(" onclick="), "{}", page.text);
    }
    let page = browser.get("/console/images/compshareImage-mine").await;
    assert!(page.text.contains("<strong>bold</strong>"), "{}", page.text);
}

#[tokio::test]
async fn every_response_has_the_security_headers() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    for path in
        ["/console", "/console/sign-in", "/console/images", "/console/nothing", "/console/assets/console.css"]
    {
        let headers = browser.get(path).await.headers;
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
        let cached = headers[header::CACHE_CONTROL] != "no-store";
        assert_eq!(cached, path.contains("assets"), "{path}");
    }
}

#[tokio::test]
async fn a_language_link_leads_only_to_the_console() {
    let server = Server::start().await;
    let browser = server.browser();
    for (back, to) in [
        ("/console/images?tab=shared", "/console/images?tab=shared"),
        ("/console.example.com", "/console/images"),
        ("//example.com", "/console/images"),
        ("https://example.com", "/console/images"),
        ("/console/\r\nx: y", "/console/images"),
    ] {
        let back: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
        assert_eq!(browser.get(&format!("/console/language/zh?back={back}")).await.location(), to);
    }
    assert!(browser.get("/console/sign-in").await.text.contains("lang=\"zh-CN\""));
}
