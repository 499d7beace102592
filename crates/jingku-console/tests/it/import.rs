//! The page that imports a file.

use axum::http::StatusCode;
use serde_json::Value;

use crate::browser::Server;

#[tokio::test]
async fn an_upload_is_started_resumed_and_withdrawn() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    let page = browser.get("/console/import").await.text;
    for text in ["qcow2", "1000 GB", "jingku image import", "<noscript>", "data-worker=\"/console/assets/"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let fields = [("name", "imported"), ("description", "d"), ("size", "4096")];
    let start = async || {
        let answer = browser.submit("/console/import/start", &fields).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        serde_json::from_str::<Value>(&answer.text).unwrap()
    };
    let started = start().await;
    let id = started["id"].as_str().unwrap();
    assert!(started["path"].as_str().unwrap().starts_with(&format!("/uploads/{id}?account=")), "{started}");
    assert!(started["page"].as_str().unwrap().ends_with("?done=imported"), "{started}");
    assert_eq!(start().await["id"], id);

    let other = [("name", "imported"), ("size", "4097")];
    let refused = browser.submit("/console/import/start", &other).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("\"Detail\":\"Params [Name] not available\""), "{}", refused.text);
    for _twice in 0..2 {
        let answer = browser.submit("/console/import/cancel", &[("id", id)]).await;
        assert_eq!((answer.status, &*answer.text), (StatusCode::OK, "{}"));
    }
    assert_ne!(start().await["id"], id);
}
