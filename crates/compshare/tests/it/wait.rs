//! Waiting for an image, against Jingku, which reports a status with the progress, and the cloud, which does not.

use std::time::Duration;

use compshare::actions::GetCompShareImageCreateProgressResponse;
use compshare::{Error, Image, ImageStatus, WaitOptions};
use serde_json::{Value, json};

use crate::server::{Answer, Server};

const ID: &str = "compshareImage-1";

fn options(timeout_ms: u64) -> WaitOptions {
    WaitOptions {
        timeout: Duration::from_millis(timeout_ms),
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(4),
        ..WaitOptions::default()
    }
}

/// Serves progress replies and rows, each list in order and its last entry for ever. A null row means no row.
async fn serve(progress: Vec<Value>, rows: Vec<Value>) -> Server {
    let asked = std::sync::Mutex::new((0, 0));
    Server::start(move |_, seen| {
        let mut asked = asked.lock().unwrap();
        assert_eq!(seen.text("CompShareImageId"), Some(ID));
        if seen.action() == "GetCompShareImageCreateProgress" {
            asked.0 += 1;
            return Answer::Json(progress[(asked.0 - 1).min(progress.len() - 1)].clone());
        }
        asked.1 += 1;
        let mut row = rows[(asked.1 - 1).min(rows.len() - 1)].clone();
        if !row.is_null() {
            row["CompShareImageId"] = ID.into();
        }
        Answer::Json(json!({"RetCode": 0, "TotalCount": 1, "ImageSet": [row]}))
    })
    .await
}

async fn wait(server: &Server) -> (Result<Image, Error>, Vec<f64>) {
    let mut percentages = Vec::new();
    let observer = |progress: &GetCompShareImageCreateProgressResponse| percentages.push(progress.process);
    let made = server.client().wait_until_available(ID, &options(10_000), observer).await;
    (made, percentages)
}

fn making(percent: u32) -> Value {
    json!({"RetCode": 0, "Process": percent, "Progress": percent, "Status": "Making"})
}

/// A progress reply as documented, without Jingku's extensions.
fn plain(percent: u32) -> Value {
    json!({"RetCode": 0, "Process": percent, "TotalDuration": 300, "RemainingDuration": "10"})
}

fn row(status: &str) -> Value {
    json!({"Status": status, "FailedReason": if status == "UnAvailable" { "disk unreadable" } else { "" }})
}

fn refusal(code: i64) -> Value {
    json!({"RetCode": code, "Message": "no"})
}

#[tokio::test]
async fn jingkus_progress_reports_success() {
    let done = json!({"RetCode": 0, "Process": 100, "Status": "Available"});
    let server = serve(vec![making(0), making(40), done], vec![row("Available")]).await;
    let (made, percentages) = wait(&server).await;
    assert_eq!(made.unwrap().status, ImageStatus::Available);
    assert_eq!(percentages, [0.0, 40.0, 100.0]);
    assert_eq!(server.seen().len(), 4, "the row is asked for once, at the end");
}

#[tokio::test]
async fn jingkus_progress_reports_failure() {
    let failed = json!({"RetCode": 0, "Process": 7, "Status": "Failed", "FailedReason": "The disk has gone"});
    let server = serve(vec![making(5), failed], vec![row("UnAvailable")]).await;
    let (made, percentages) = wait(&server).await;
    let error = made.unwrap_err();
    assert!(matches!(&error, Error::ImageFailed { reason, .. } if reason == "The disk has gone"), "{error}");
    assert_eq!(percentages.len(), 2);
}

#[tokio::test]
async fn the_clouds_row_reports_success() {
    for status in ["Available", "Reviewing", "Offline"] {
        let progress = vec![plain(10), plain(100)];
        let server = serve(progress, vec![row("Making"), row("Making"), row(status)]).await;
        let (made, percentages) = wait(&server).await;
        assert_eq!(made.unwrap().status.as_str(), status);
        assert_eq!(percentages, [10.0, 100.0, 100.0]);
    }
}

#[tokio::test]
async fn an_unknown_status_counts_as_made_with_process_100() {
    let server = serve(vec![plain(99), plain(100)], vec![row("Frozen")]).await;
    let (made, percentages) = wait(&server).await;
    assert_eq!((made.unwrap().status, percentages.len()), (ImageStatus::Unknown, 2));
}

#[tokio::test]
async fn the_clouds_row_reports_failure() {
    let server = serve(vec![plain(10)], vec![row("Making"), row("UnAvailable")]).await;
    let error = wait(&server).await.0.unwrap_err();
    assert_eq!(error.to_string(), format!("Image {ID} could not be made: disk unreadable."));
}

/// The cloud reports no progress for container images.
#[tokio::test]
async fn without_progress_the_row_decides() {
    let server = serve(vec![refusal(230)], vec![row("Making"), row("Available")]).await;
    let (made, percentages) = wait(&server).await;
    assert_eq!(made.unwrap().status, ImageStatus::Available);
    assert!(percentages.is_empty());
}

#[tokio::test]
async fn waiting_for_a_deleted_image_fails() {
    for progress in [refusal(8039), plain(50)] {
        let server = serve(vec![progress], vec![Value::Null]).await;
        let error = wait(&server).await.0.unwrap_err();
        assert!(matches!(error, Error::ImageGone { .. }), "{error}");
    }
}

#[tokio::test]
async fn waiting_times_out() {
    let server = serve(vec![making(1)], vec![row("Making")]).await;
    let mut looks = 0;
    let error = server.client().wait_until_available(ID, &options(80), |_| looks += 1).await.unwrap_err();
    assert!(matches!(error, Error::StillMaking { .. }), "{error}");
    assert!(error.is_retryable());
    assert!(looks >= 2, "{looks} looks");
}

#[tokio::test]
async fn wrong_credentials_end_the_wait_at_once() {
    let server = serve(vec![refusal(171)], vec![row("Making")]).await;
    assert_eq!(wait(&server).await.0.unwrap_err().ret_code(), Some(171));
    assert_eq!(server.seen().len(), 1);
}
