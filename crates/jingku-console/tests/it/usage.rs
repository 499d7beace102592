//! The page of usage.

use jingku_catalog::{AccountId, UsageSample};

use crate::browser::Server;

#[tokio::test]
async fn usage_has_limits_at_once_and_a_chart_once_measured() {
    let server = Server::start().await;
    let browser = server.signed_in(1).await;
    let page = browser.get("/console/usage").await.text;
    for text in ["Nothing was measured yet", "Limits and room left", "Images in the trash", "<progress max="]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("<svg class"), "{page}");

    let detail = r#"{"largest":[{"id":"compshareImage-mine","name":"mine","trashed":false,
        "bytes":{"logical":2147483648,"stored":1073741824,"unique":1024}}],"others":3,
        "rest":{"logical":4096,"stored":4096,"unique":0}}"#;
    for day in 0..3 {
        let sample = UsageSample {
            measured_at: 1_712_563_200 + day * 86_400,
            images: 4,
            logical_bytes: (day + 1) << 30,
            stored_bytes: 1 << 30,
            unique_bytes: 1024,
            trash_bytes: 3 << 20,
            detail: detail.to_owned(),
        };
        server.context.library.catalog.save_usage_sample(AccountId(1), 0, &sample).await.unwrap();
    }
    let page = browser.get("/console/usage").await.text;
    for text in [
        "2024-04-10 08:00 UTC",
        "<svg class=\"chart\"",
        "aria-labelledby=\"chart-title chart-desc\"",
        "2024-04-08",
        "<td class=\"number\" data-label=\"Not shared\">1 KB</td>",
        "3 other images",
        "the next cleanup frees up to 3 MB",
        "/console/images/compshareImage%2Dmine",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("style="), "{page}");
    browser.get("/console/language/zh?back=/console").await;
    let page = browser.get("/console/usage").await.text;
    assert!(page.contains("下一次清理最多可释放 3 MB"), "{page}");
    let other = server.signed_in(2).await.get("/console/usage").await.text;
    assert!(other.contains("Nothing was measured yet"), "{other}");
}
