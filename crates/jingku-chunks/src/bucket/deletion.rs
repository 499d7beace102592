//! Deletions that the service rejects if they arrive late.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use http::{Method, Request, StatusCode};
use object_store::aws::AmazonS3;
use object_store::client::{HttpClient, HttpErrorKind, HttpRequestBody};
use object_store::path::Path;
use object_store::signer::Signer;

use super::requests::REQUESTS_AT_ONCE;
use super::settings::{ATTEMPTS_MAX, PAUSE_MAX};
use super::trouble::Trouble;
use crate::backend::DELETE_TIMEOUT;

/// The first pause between attempts; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Signs deletions, each of which the service rejects after [`DELETE_TIMEOUT`].
pub(super) async fn prepare(s3: AmazonS3, paths: Vec<Path>) -> Result<Vec<String>, Trouble> {
    let mut prepared = Vec::with_capacity(paths.len());
    for path in paths {
        prepared.push(s3.signed_url(Method::DELETE, &path, DELETE_TIMEOUT).await?.into());
    }
    Ok(prepared)
}

/// Sends prepared deletions, several at a time. Returns whether all their requests have ended: one that got no answer,
/// and was repeated, may take effect later.
pub(super) async fn send(client: HttpClient, prepared: Vec<String>) -> Result<bool, Trouble> {
    let delete = |url| delete(client.clone(), url);
    let sending = futures::stream::iter(prepared).map(delete).buffer_unordered(REQUESTS_AT_ONCE);
    sending.try_fold(true, |all, ended| async move { Ok(all && ended) }).await
}

async fn delete(client: HttpClient, url: String) -> Result<bool, Trouble> {
    let mut pause = FIRST_PAUSE;
    let mut ended = true;
    for attempt in 1.. {
        let request = Request::delete(&url).body(HttpRequestBody::empty());
        let request = request.map_err(|error| Trouble::explain(&error.to_string()))?;
        let answer = match client.execute(request).await {
            Ok(answer) if answer.status().is_success() || answer.status() == StatusCode::NOT_FOUND => {
                return Ok(ended);
            }
            Ok(answer) => {
                let (status, body) = (answer.status(), answer.into_body().bytes().await.unwrap_or_default());
                let text = format!("{status}: {}", String::from_utf8_lossy(&body));
                if !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS {
                    return Err(Trouble::explain(&text));
                }
                // A proxy says this when the service has not answered it.
                ended &= !matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT);
                text
            }
            Err(error) => {
                // It was sent, unless there was no connection.
                ended &= error.kind() == HttpErrorKind::Connect;
                error.to_string()
            }
        };
        if attempt == ATTEMPTS_MAX {
            return Err(Trouble::explain(&answer));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
    Ok(ended)
}
