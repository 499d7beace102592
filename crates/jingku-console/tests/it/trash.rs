//! The page of deleted images.

use axum::http::StatusCode;

use crate::browser::{Browser, Server};

const ID: (&str, &str) = ("id", "compshareImage-mine");

async fn delete(browser: &Browser) {
    let deleted = browser.submit("/console/images/delete", &[ID, ("confirmed", "yes")]).await;
    assert_eq!(deleted.location(), "/console/images?deleted=1");
}

#[tokio::test]
async fn a_deleted_image_is_restored() {
    let server = Server::start().await;
    let [browser, other] = [server.signed_in(1).await, server.signed_in(2).await];
    assert!(browser.get("/console/trash").await.text.contains("The trash is empty"));
    delete(&browser).await;
    let page = browser.get("/console/trash").await.text;
    for text in ["mine", "1 image<", "2024-04-08 08:00 UTC", "2024-04-15 08:00 UTC", "for 7 days"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(other.get("/console/trash").await.text.contains("The trash is empty"));
    let refused = other.submit("/console/trash/restore", &[ID]).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let restored = browser.submit("/console/trash/restore", &[ID]).await;
    assert_eq!(restored.location(), "/console/trash?restored=1");
    assert!(browser.get(restored.location()).await.text.contains("Restored 1 image."));
    assert_eq!(browser.get("/console/images/compshareImage-mine").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_image_whose_name_is_taken_gets_another() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    delete(&browser).await;
    browser.submit("/console/make", &[("instance", "uhost-1"), ("name", "mine")]).await;
    let refused = browser.submit("/console/trash/restore", &[ID]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("Another image has this name"), "{}", refused.text);
    assert!(refused.text.contains("New name for mine"), "{}", refused.text);
    let restored = browser.submit("/console/trash/restore", &[ID, ("name", "mine-2")]).await;
    assert_eq!(restored.location(), "/console/trash?restored=1");
}

#[tokio::test]
async fn deleting_for_good_asks_first() {
    let server = Server::start().await;
    for (fields, question) in [(ID, "Delete this image for good?"), (("all", "yes"), "Empty the trash?")] {
        let browser = server.signed_in(1).await;
        if fields.0 == "all" {
            browser.submit("/console/make", &[("instance", "uhost-1"), ("name", "another")]).await;
            let page = browser.get("/console/images").await.text;
            let id = page.split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap();
            browser.submit("/console/images/delete", &[("id", id), ("confirmed", "yes")]).await;
        } else {
            delete(&browser).await;
        }
        let asked = browser.submit("/console/trash/purge", &[fields]).await;
        assert!(
            asked.text.contains(question) && asked.text.contains("cannot be recovered"),
            "{}",
            asked.text
        );
        assert!(browser.get("/console/trash").await.text.contains("1 image<"));
        let purged = browser.submit("/console/trash/purge", &[fields, ("confirmed", "yes")]).await;
        assert_eq!(purged.location(), "/console/trash?purged=1&left=0");
        let page = browser.get(purged.location()).await.text;
        assert!(page.contains("Deleted 1 image for good.") && page.contains("The trash is empty"), "{page}");
    }
    let browser = server.signed_in(1).await;
    for path in ["/console/trash/purge", "/console/trash/restore"] {
        assert_eq!(browser.submit(path, &[]).await.location(), "/console/trash");
        assert_eq!(browser.post(path, &[ID]).await.status, StatusCode::FORBIDDEN);
    }
}
