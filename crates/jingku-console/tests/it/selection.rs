//! What is done with several images at once, and which images are listed.

use axum::http::StatusCode;

use crate::browser::{Answer, Browser, Server};

const MORE: &str = r#"
[[images]]
name = "second"
id = "compshareImage-second"
tags = ["a", "b", "c"]
size_mb = 3072
"#;
const BOTH: [(&str, &str); 2] = [("id", "compshareImage-mine"), ("id", "compshareImage-second")];

async fn start() -> Server {
    Server::start_with("http://127.0.0.1:8480", MORE).await
}

async fn submit(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    let fields: Vec<_> = BOTH.iter().chain(fields).copied().collect();
    browser.submit(&format!("/console/images/{path}"), &fields).await
}

/// The number of the account that is signed in.
async fn account(browser: &Browser) -> String {
    let page = browser.get("/console/images").await.text;
    page.split("title=\"Account ").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn tags_of_several_images_are_changed() {
    let server = start().await;
    let browser = server.signed_in(1).await;
    let asked = submit(&browser, "tag", &[]).await;
    for text in ["Tag these 2 images", "second", "&#60;b&#62;tag", "compshareImage-mine"] {
        assert!(asked.text.contains(text), "{text}: {}", asked.text);
    }
    let confirmed = ("confirmed", "yes");
    let empty = submit(&browser, "tag", &[confirmed]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(empty.text.contains("Enter a tag to add"), "{}", empty.text);
    // One has room for another tag.
    let partly = submit(&browser, "tag", &[("add", "new"), confirmed]).await;
    assert_eq!(partly.status, StatusCode::UNPROCESSABLE_ENTITY);
    for text in ["1 image could not be changed", ">Done<", "more than 3 tags", ">Not changed<"] {
        assert!(partly.text.contains(text), "{text}: {}", partly.text);
    }
    let mine = browser.get("/console/images?tag=new").await.text;
    assert!(mine.contains("1 image<") && mine.contains(">mine<"), "{mine}");
    let fields = [("add", "new，other"), ("remove", "a, b, <b>tag</b>"), confirmed];
    let all = submit(&browser, "tag", &fields).await;
    assert_eq!(all.location(), "/console/images?tagged=2", "{}", all.text);
    let page = browser.get(all.location()).await.text;
    for text in ["The tags of 2 images are set.", ">new<", ">other<", ">c<"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(browser.get("/console/images?tag=new,other").await.text.contains("2 images<"));
}

#[tokio::test]
async fn several_images_are_shared_and_no_longer() {
    let server = start().await;
    let [owner, other] = [server.signed_in(1).await, server.signed_in(2).await];
    let number = account(&other).await;
    let asked = submit(&owner, "share", &[]).await;
    assert!(asked.text.contains("Share these 2 images"), "{}", asked.text);
    let many = (1..=11).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    for (accounts, text) in
        [("x", "Enter account numbers"), ("", "Enter account numbers"), (many.as_str(), "at most ten")]
    {
        let refused = submit(&owner, "share", &[("accounts", accounts), ("confirmed", "share")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains(text), "{}", refused.text);
    }
    let refused = submit(&owner, "share", &[("accounts", "999999"), ("confirmed", "share")]).await;
    assert!(refused.text.contains("cannot be shared with: 999999"), "{}", refused.text);
    assert!(refused.text.contains("2 images could not be changed"), "{}", refused.text);
    for (confirmed, location, seen) in
        [("share", "/console/images?shared=2", true), ("unshare", "/console/images?unshared=2", false)]
    {
        let answer = submit(&owner, "share", &[("accounts", &number), ("confirmed", confirmed)]).await;
        assert_eq!(answer.location(), location, "{}", answer.text);
        let page = other.get("/console/images?tab=shared").await.text;
        assert_eq!(page.contains(">mine<") && page.contains(">second<"), seen, "{page}");
    }
}

#[tokio::test]
async fn an_image_that_cannot_be_deleted_does_not_keep_the_others() {
    let server = start().await;
    let browser = server.signed_in(1).await;
    let fields = [("id", "compshareImage-theirs"), ("confirmed", "yes")];
    let partly = submit(&browser, "delete", &fields).await;
    assert_eq!(partly.status, StatusCode::NOT_FOUND);
    for text in ["1 image could not be changed", ">Done<", "mine <code>", "second <code>", "cannot access it"]
    {
        assert!(partly.text.contains(text), "{text}: {}", partly.text);
    }
    assert!(!partly.text.contains("theirs <code>"), "{}", partly.text);
    assert!(browser.get("/console/images").await.text.contains("You have no images yet"));
    let ids = vec![("id", "compshareImage-mine"); 101];
    let many = browser.submit("/console/images/tag", &ids).await;
    assert!(many.text.contains("Select at most 100 images"), "{}", many.text);
}

#[tokio::test]
async fn images_are_filtered_by_what_they_are() {
    let server = start().await;
    let browser = server.signed_in(1).await;
    for (query, found) in [
        ("size_from=3", vec!["second"]),
        ("size_below=3", vec!["mine"]),
        ("size_from=3&size_below=4", vec!["second"]),
        ("tag=a,c", vec!["second"]),
        ("tag=a,x", vec![]),
        ("from=2024-04-08&until=2024-04-08", vec!["mine", "second"]),
        ("until=2024-04-07", vec![]),
        ("from=2024-04-09", vec![]),
        ("zone=cn-wlcb-01", vec!["mine", "second"]),
        ("zone=cn-sh2-02", vec![]),
    ] {
        let page = browser.get(&format!("/console/images?{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        for name in ["mine", "second"] {
            let is_listed = page.text.contains(&format!(">{name}<"));
            assert_eq!(is_listed, found.contains(&name), "{query} {name}: {}", page.text);
        }
        assert!(page.text.contains("<details class=\"more\" open>"), "{query}");
        assert_eq!(page.text.contains("No image matches"), found.is_empty(), "{query}");
    }
    for query in ["tab=community&tag=a&sort=used&zone=cn-wlcb-01", "tab=platform&tag=a", "tab=shared&tag=a"] {
        assert_eq!(browser.get(&format!("/console/images?{query}")).await.status, StatusCode::OK, "{query}");
    }
    let wrong = browser.get("/console/images?zone=nowhere").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
}
