//! What other tenants and other sites try.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};

use crate::browser::{Answer, Browser, MORE_TEXTS, Server};
use crate::routes::routes;

/// Fields of any form: every change is complete.
fn fields(id: &str) -> [(&str, &str); 15] {
    [
        ("id", id),
        ("instance", id),
        ("image", id),
        ("name", "changed"),
        ("description", "changed"),
        ("tags", "changed"),
        ("accounts", "2"),
        ("version", "v9"),
        ("expires", "3600"),
        ("add", "changed"),
        ("readme", "changed"),
        ("remove", "changed"),
        ("confirmed", "yes"),
        ("public_key", "public-1"),
        ("private_key", "private-1"),
    ]
}

/// Everything that an account can see.
async fn seen_by(browser: &Browser) -> Vec<String> {
    let mut pages = Vec::new();
    for route in routes().iter().filter(|route| route.gets && !route.is("/console/sign-in")) {
        pages.push(browser.get(&route.path("compshareImage-mine")).await.text);
    }
    pages
}

#[tokio::test]
async fn no_form_of_another_site_changes_anything() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    let token = browser.get("/console/images").await.form_token();
    let other = server.signed_in(2).await.get("/console/images").await.form_token();
    let sign_in = server.browser().get("/console/sign-in").await.form_token();
    let before = seen_by(&browser).await;
    for route in routes().iter().filter(|route| route.posts && !route.is_operators()) {
        let path = route.path("compshareImage-mine");
        let post = async |token: &str, site: &'static str| {
            let fields: Vec<_> =
                fields("compshareImage-mine").into_iter().chain([("form_token", token)]).collect();
            browser.post_from(site, &path, &fields).await
        };
        for (token, site) in [(&token, "cross-site"), (&token, "same-site"), (&other, "cross-site")] {
            assert_eq!(post(token, site).await.status, StatusCode::FORBIDDEN, "{path} {site}");
        }
        for token in ["", "x", &other, &sign_in] {
            let answer = post(token, "").await;
            if route.is("/console/links") {
                // It needs a signature instead.
                assert!(!answer.text.contains("\"RetCode\":0"), "{}", answer.text);
            } else if route.is("/console/{*path}") {
                assert_eq!(answer.status, StatusCode::NOT_FOUND);
            } else {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {token}");
            }
            assert!(!answer.headers.contains_key(header::SET_COOKIE), "{path} {token}");
        }
    }
    assert_eq!(seen_by(&browser).await, before);

    let operator = server.operator().await;
    let token = operator.get("/console/operator/health").await.form_token();
    let changed = server.context.library.catalog.generation();
    for route in routes().iter().filter(|route| route.posts && route.is_operators()) {
        for id in ["1", "compshareImage-review"] {
            let path = route.path(id);
            for (given, site) in [(&*token, "cross-site"), (&token, "same-site"), ("", ""), (&other, "")] {
                let fields: Vec<_> = fields(id).into_iter().chain([("form_token", given)]).collect();
                let answer = operator.post_from(site, &path, &fields).await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {site}");
            }
        }
    }
    assert_eq!(server.context.library.catalog.generation(), changed);
}

/// Accounts and the operator see the page of what does not exist instead of each other's pages.
#[tokio::test]
async fn the_operator_and_accounts_have_only_their_own_pages() {
    let server = Server::start().await;
    let (holder, operator) = (server.signed_in(1).await, server.operator().await);
    let nothing = async |browser: &Browser| {
        let page = browser.get("/console/no/such/page").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        page.text
    };
    for route in routes().iter().filter(|route| !route.is_open()) {
        let (browser, ids) = if route.is_operators() {
            (&holder, ["1", "compshareImage-mine"])
        } else {
            (&operator, ["compshareImage-mine", "compshareImage-theirs"])
        };
        for path in ids.map(|id| route.path(id)) {
            let mut answers = Vec::new();
            if route.gets {
                answers.push(browser.get(&path).await);
            }
            if route.posts {
                answers.push(browser.submit(&path, &fields(ids[0])).await);
                answers.push(browser.post(&path, &[]).await);
            }
            for answer in answers {
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
                assert_eq!(answer.text, nothing(browser).await, "{path}");
            }
        }
    }
    assert_eq!(holder.get("/console").await.location(), "/console/images");
    assert_eq!(operator.get("/console").await.location(), "/console/operator/health");
}

/// Whatever accounts and strangers send, only a command gives the operator a session.
#[tokio::test]
async fn no_operator_session_comes_from_the_network() {
    let server = Server::start().await;
    let holder = server.signed_in(1).await;
    let more = [("operator", "yes"), ("kind", "operator link"), ("is_operator", "true"), ("link", "")];
    for route in routes().iter().filter(|route| !route.is("/console/sign-out")) {
        for id in ["1", "compshareImage-mine"] {
            let path = format!("{}?operator=yes", route.path(id));
            let fields: Vec<_> = fields(id).into_iter().chain(more).collect();
            for browser in [&holder, &server.browser()] {
                if route.posts {
                    browser.post(&path, &fields).await;
                }
                browser.get(&path).await;
            }
            if route.posts {
                holder.submit(&path, &fields).await;
            }
        }
    }
    assert_eq!(server.context.library.end_operator_sign_ins().await.unwrap(), 0);
}

#[tokio::test]
async fn nothing_works_without_a_session() {
    let server = Server::start().await;
    for route in routes() {
        let path = route.path("compshareImage-mine");
        let is_open =
            ["/console/sign-in", "/console/links", "/console/{*path}"].iter().any(|it| route.is(it));
        if is_open {
            continue;
        }
        for cookie in ["", "jingku=", "jingku=x", "jingku=0000", "__Host-jingku=x"] {
            let browser = server.browser();
            if let Some((name, value)) = cookie.split_once('=') {
                browser.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
            }
            let is_start = path == "/console" || path == "/console/";
            let expected = if is_start { "/console/images" } else { "/console/sign-in" };
            if route.gets {
                assert_eq!(browser.get(&path).await.location(), expected, "{path}");
            }
            if route.posts {
                let answer = browser.post(&path, &fields("compshareImage-mine")).await;
                assert_eq!(answer.location(), expected, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn images_of_other_accounts_look_like_none() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    let seen = async |id: &str| {
        let mut answers = Vec::new();
        for route in routes() {
            let path = route.path(id);
            if route.gets {
                let query = format!("{path}?id={id}&instance={id}&image={id}&name={id}");
                answers.push(browser.get(&query).await);
            }
            // These name no image.
            let others = ["/console/sign-in", "/console/sign-out", "/console/import/start"];
            if route.posts && !others.iter().any(|it| route.is(it)) {
                answers.push(browser.submit(&path, &fields(id)).await);
                answers.push(browser.submit(&path, &fields(id)[..12]).await);
            }
            if route.has_id() {
                let status = answers.last().unwrap().status;
                assert!(status.is_client_error(), "{path}: {status}");
            }
        }
        let texts = answers.iter().map(|answer| {
            let text = answer.text.replace(id, "ID").replace(&id.replace('-', "%2D"), "ID");
            // Tokens of the sign-in page are new each time.
            let text = if text.contains("/console/sign-in\"") { String::new() } else { text };
            // The page of the activity has the ids of earlier requests.
            let parts = text.split("title=\"").map(|part| match part.split_once('"') {
                Some((id, rest)) if id.len() == 36 => rest,
                _ => part,
            });
            let text = parts.collect::<Vec<_>>().join("title=\"");
            (answer.status, answer.location().replace(id, "ID"), text)
        });
        texts.collect::<Vec<_>>()
    };
    // The ids have the same length.
    let (theirs, nobodys) = (seen("compshareImage-theirs").await, seen("compshareImage-nobody").await);
    assert_eq!(theirs.len(), nobodys.len());
    for (theirs, nobodys) in theirs.iter().zip(&nobodys) {
        assert_eq!(theirs, nobodys);
    }
    let owner = server.signed_in(2).await;
    assert!(owner.get("/console/images").await.text.contains("compshareImage-theirs"));
}

#[tokio::test]
async fn texts_of_tenants_never_run() {
    let server = Server::start_with("http://127.0.0.1:8480", MORE_TEXTS).await;
    let browser = server.signed_in(1).await;
    let page = browser.get("/console/images/compshareImage-mine").await;
    assert!(page.text.contains("<strong>bold</strong>"), "{}", page.text);
    let script = "'\"><script>alert(1)</script>";
    let query: String = form_urlencoded::byte_serialize(script.as_bytes()).collect();
    let mut pages = vec![
        server.browser().get(&format!("/console/sign-in?link={query}")).await,
        server.browser().sign_in(script, script).await,
    ];
    for id in ["compshareImage-mine", "compshareImage-failed", &query] {
        for route in routes() {
            let path = route.path(id);
            if route.gets {
                pages.push(browser.get(&path).await);
                for name in ["name", "status", "token", "tab", "id", "instance", "link", "back", "done"] {
                    pages.push(browser.get(&format!("{path}?{name}={query}")).await);
                }
            }
            if route.posts && !route.is("/console/sign-out") {
                pages.push(browser.submit(&path, &fields(id).map(|(name, _)| (name, script))).await);
                pages.push(browser.submit(&path, &[("id", id)]).await);
            }
        }
    }
    let operator = server.operator().await;
    for id in ["1", "compshareImage-review", &query] {
        for route in routes().iter().filter(|route| route.is_operators()) {
            let path = route.path(id);
            if route.gets {
                pages.push(operator.get(&path).await);
                for name in ["after", "done"] {
                    pages.push(operator.get(&format!("{path}?{name}={query}")).await);
                }
            }
            if route.posts {
                let key = [("key", "public-1")];
                pages.push(operator.submit(&path, &key).await);
                let names = ["name", "addresses", "reason", "key", "limit-Images"];
                pages.push(operator.submit(&path, &names.map(|name| (name, script))).await);
            }
        }
    }
    for page in pages {
        // The page's own scripts are files.
        let scripts = page.text.matches("<script").count();
        assert_eq!(scripts, page.text.matches("<script src=\"/console/assets/").count(), "{}", page.text);
        assert!(!page.text.contains("<b>tag") && !page.text.contains("href=\"javascript"), "{}", page.text);
        assert!(!page.text.contains(" style=") && !page.text.contains(" onclick="), "{}", page.text);
    }
}

#[tokio::test]
async fn every_response_has_the_security_headers() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    let mut answers = vec![browser.get("/console/language/zh?back=/console/images").await];
    for route in routes() {
        let path = route.path("compshareImage-mine");
        for browser in [&server.browser(), &browser] {
            if route.gets {
                answers.push(browser.get(&path).await);
            }
            if route.posts {
                answers.push(browser.post(&path, &[]).await);
            }
        }
    }
    for answer in &answers {
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    }
    answers.push(browser.get("/console/assets/console.css").await);
    assert!(answers.last().unwrap().headers[header::CACHE_CONTROL] != "no-store");
    for Answer { headers, .. } in answers {
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        for (name, value) in [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        ] {
            assert_eq!(headers[&name], value, "{name}");
        }
    }
}

/// A page, a redirect or a link that contains the host of the request would let a forged one lead elsewhere.
#[tokio::test]
async fn the_host_of_a_request_is_nowhere_in_the_answer() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    let forged = |path: &str| {
        Request::get(path)
            .header(header::HOST, "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("forwarded", "host=evil.example")
            .body(Body::empty())
            .unwrap()
    };
    for route in routes().iter().filter(|route| route.gets) {
        let answer = browser.send(forged(&route.path("compshareImage-mine"))).await;
        assert!(
            !answer.text.contains("evil.example") && !answer.location().contains("evil"),
            "{}",
            answer.text
        );
    }
    let answer = browser.submit("/console/images/compshareImage-mine/link", &[("expires", "3600")]).await;
    assert!(!answer.text.contains("evil.example"));
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
        ("/console@example.com", "/console/images"),
        ("\\/example.com", "/console/images"),
        ("javascript:alert(1)", "/console/images"),
    ] {
        let back: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
        assert_eq!(browser.get(&format!("/console/language/zh?back={back}")).await.location(), to);
    }
    assert!(browser.get("/console/sign-in").await.text.contains("lang=\"zh-CN\""));
}
