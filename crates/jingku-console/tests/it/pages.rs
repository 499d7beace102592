//! What the pages show and do.

use axum::http::StatusCode;

use crate::browser::{MORE_TEXTS, Server};

const MINE: &str = "/console/images/compshareImage-mine";

#[tokio::test]
async fn every_tab_and_an_empty_result_have_a_page() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    for (query, text) in [
        ("", "1 image<"),
        ("?name=ne&status=Available&sort=name", "mine"),
        ("?name=nothing", "No image matches"),
        ("?status=Making", "No image matches"),
        ("?tab=shared", "Nobody shares an image with you"),
        ("?tab=community", "Nobody has published"),
        ("?tab=platform", "no images yet"),
    ] {
        let page = browser.get(&format!("/console/images{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        assert!(page.text.contains(text), "{query}: {}", page.text);
    }
    let page = browser.get("/console/images?token=wrong").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn an_image_is_edited_and_its_texts_are_cleared() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    let fields = [("name", "新名称"), ("description", "two\nlines"), ("tags", "a，b, c")];
    let answer = browser.submit(&format!("{MINE}/edit"), &fields).await;
    assert!(answer.location().ends_with("?done=edited"), "{}", answer.text);
    let page = browser.get(MINE).await.text;
    for text in ["<h1>新名称</h1>", "two\nlines", "value=\"a, b, c\""] {
        assert!(page.contains(text), "{page}");
    }
    let fields = [("name", "新名称"), ("description", ""), ("tags", "")];
    browser.submit(&format!("{MINE}/edit"), &fields).await;
    let page = browser.get(MINE).await.text;
    assert!(!page.contains("two\nlines") && page.contains("name=\"tags\" value=\"\""), "{page}");
    let refused = browser.submit(&format!("{MINE}/edit"), &[("name", "not a name")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("Params [Name] not available"), "{}", refused.text);
}

#[tokio::test]
async fn an_image_is_shared_and_no_longer() {
    let server = Server::start().await;
    let [owner, other] = [server.signed_in(1).await, server.signed_in(2).await];
    let account = {
        let page = other.get("/console/images").await.text;
        page.split("title=\"Account ").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    for (accounts, text) in [("x", "Enter account numbers"), ("999999", "cannot be shared with: 999999")] {
        let answer = owner.submit(&format!("{MINE}/share"), &[("accounts", accounts)]).await;
        assert!(answer.text.contains(text), "{}", answer.text);
    }
    let answer = owner.submit(&format!("{MINE}/share"), &[("accounts", &account)]).await;
    assert!(answer.location().ends_with("?done=shared"), "{}", answer.text);
    assert!(other.get("/console/images?tab=shared").await.text.contains("mine"));
    let page = other.get(MINE).await.text;
    assert!(
        page.contains("Shared with you") && !page.contains("Stop sharing") && !page.contains("/edit\""),
        "{page}"
    );
    owner.submit(&format!("{MINE}/unshare"), &[("accounts", &account)]).await;
    assert_eq!(other.get(MINE).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn deleting_asks_first() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    let id = ("id", "compshareImage-mine");
    let asked = browser.submit("/console/images/delete", &[id]).await;
    assert!(asked.text.contains("Delete this image?") && asked.text.contains("7 days"), "{}", asked.text);
    assert_eq!(browser.get(MINE).await.status, StatusCode::OK);
    let deleted = browser.submit("/console/images/delete", &[id, ("confirmed", "yes")]).await;
    assert_eq!(deleted.location(), "/console/images?deleted=1");
    assert!(browser.get(deleted.location()).await.text.contains("Deleted 1 image."));
    assert_eq!(browser.get(MINE).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_image_is_estimated_and_made_with_progress() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    let fields = [("instance", "uhost-1"), ("name", "made"), ("description", "d"), ("tags", "t")];
    let estimated: Vec<_> = fields.iter().copied().chain([("estimate", "yes")]).collect();
    let page = browser.submit("/console/make", &estimated).await;
    assert!(page.text.contains("to read, of which") && page.text.contains("value=\"made\""), "{}", page.text);
    let made = browser.submit("/console/make", &fields).await;
    let path = made.location().strip_suffix("?done=made").unwrap_or_else(|| panic!("{}", made.text));
    let page = browser.get(path).await.text;
    for part in
        ["hx-get=\"/console/progress?id=", "hx-trigger=\"every 2s\"", "<progress", "http-equiv=\"refresh\""]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    let id = path.rsplit('/').next().unwrap().replace("%2D", "-");
    let part = browser.get(&format!("/console/progress?id={id}&page=list")).await;
    assert!(part.text.contains("hx-swap-oob=\"true\"") && part.text.contains("every 2s"), "{}", part.text);
    // A finished image ends the polling.
    let part = browser.get("/console/progress?id=compshareImage-mine&page=image").await;
    assert!(!part.text.contains("hx-trigger"), "{}", part.text);
    let part = browser.get("/console/progress?id=compshareImage-mine&page=list").await;
    assert_eq!(part.headers["hx-refresh"], "true");
}

#[tokio::test]
async fn activity_shows_who_changed_what() {
    let server = Server::start().await;
    let [browser, other] = [server.signed_in(1).await, server.signed_in(2).await];
    let empty = browser.get("/console/activity?image=compshareImage-mine").await;
    assert!(empty.text.contains("No activity matches"), "{}", empty.text);
    browser.submit(&format!("{MINE}/edit"), &[("name", "renamed")]).await;
    browser.submit(&format!("{MINE}/edit"), &[("name", "not a name")]).await;
    let page = browser.get("/console/activity").await;
    assert_eq!(page.status, StatusCode::OK);
    for text in ["UpdateCompShareImage", "compshareImage-mine", "refused (230)", "Console", ">done<"] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    let filtered = "/console/activity?image=compshareImage-mine&activity=UpdateCompShareImage";
    assert!(browser.get(filtered).await.text.contains("2 entries"));
    let page = browser.get("/console/activity?activity=PublishCompShareImage").await;
    assert!(page.text.contains("No activity matches"), "{}", page.text);
    let page = browser.get("/console/activity?token=wrong").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let of_other = other.get("/console/activity").await.text;
    assert!(!of_other.contains("compshareImage-mine"), "{of_other}");
    let script = "/console/activity?image=%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    assert!(!browser.get(script).await.text.contains("<script>alert"));
}

#[tokio::test]
async fn a_failed_image_says_why_and_what_to_do() {
    let server = Server::start_with("http://127.0.0.1:8480", MORE_TEXTS).await;
    let browser = server.signed_in(1).await;
    let path = "/console/images/compshareImage-failed";
    let page = browser.get(path).await.text;
    for text in ["alert(&#39;reason&#39;)", "Remove the cause, then make or import the image again"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    // Also when it fails while somebody looks at it.
    let part = browser.get("/console/progress?id=compshareImage-failed&page=image").await.text;
    assert!(part.contains("Remove the cause"), "{part}");
    assert!(!browser.get("/console/images").await.text.contains("Remove the cause"));
    assert!(!browser.get(MINE).await.text.contains("Remove the cause"));
    browser.get("/console/language/zh?back=/console").await;
    let page = browser.get(path).await.text;
    assert!(page.contains("请排除上述原因，再重新制作或导入"), "{page}");
}

/// An account takes the content of images that are shared with it, published for nothing, or of the platform.
#[tokio::test]
async fn images_of_others_can_be_taken_where_the_api_allows_it() {
    let images = r#"
[[images]]
name = "shared"
id = "compshareImage-shared"
account = "other"
shared_with = ["<script>alert('account')</script>"]

[[images]]
name = "free"
id = "compshareImage-free"
account = "other"
published = { group = "free" }

[[images]]
name = "priced"
id = "compshareImage-priced"
account = "other"
price = 1.5
published = { group = "priced" }

[[images]]
name = "Ubuntu-22.04"
id = "compshareImage-system"
platform = "System"
"#;
    let server = Server::start_with("http://127.0.0.1:8480", images).await;
    let browser = server.signed_in(1).await;
    for (name, can_take) in [("shared", true), ("free", true), ("priced", false), ("system", true)] {
        let path = format!("/console/images/compshareImage-{name}");
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{name}");
        for part in ["jingku image export compshareImage-", "/link#link\""] {
            assert_eq!(page.text.contains(part), can_take, "{name}: {part}: {}", page.text);
        }
        for part in ["/edit\"", "/share\"", "images/delete\"", "Python SDK"] {
            assert!(!page.text.contains(part), "{name}: {part}: {}", page.text);
        }
        // The page offers what the server allows.
        let linked = browser.submit(&format!("{path}/link"), &[("expires", "3600")]).await;
        assert_eq!(linked.status == StatusCode::OK, can_take, "{name}: {}", linked.text);
        assert_eq!(linked.text.contains("http://127.0.0.1:8480/images/compshareImage-"), can_take, "{name}");
    }
}

#[tokio::test]
async fn instances_are_described_in_the_language_of_the_browser() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    assert!(
        browser.get("/console/make").await.text.contains("<small>VM disk · stopped · cn-wlcb-01</small>")
    );
    browser.get("/console/language/zh?back=/console").await;
    let page = browser.get("/console/make").await.text;
    assert!(page.contains("<small>虚拟机磁盘 · 已停止 · cn-wlcb-01</small>"), "{page}");
}
