//! The bare server, the reference of `bench list`: the HTTP stack and accept loop of Jingku with prepared replies.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jingku_protocol::{MAX_BODY_BYTES, decode, verify};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// The answer to a request of the path `/N`, where N is its index in the list.
#[derive(Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) body: String,
    pub(super) request_id: String,
    /// The private keys of those who may request it, by public key.
    pub(super) private_keys: HashMap<String, String>,
}

#[derive(clap::Args)]
pub(super) struct Args {
    /// File with the answers, a JSON array.
    #[arg(long)]
    answers: PathBuf,
    /// Parse the request and verify its signature first.
    #[arg(long)]
    check: bool,
}

/// The answers, which stay in memory until the program ends, and whether requests are checked.
type Prepared = (&'static [Answer], bool);

pub(super) fn run(args: &Args) -> Result<()> {
    let answers = fs::read(&args.answers).context("read the answers")?;
    let answers: Vec<Answer> = serde_json::from_slice(&answers).context("read the answers")?;
    let prepared: Prepared = (answers.leak(), args.check);
    let router = Router::new().fallback(answer).with_state(prepared);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}", listener.local_addr()?);
        jingku_server::serve(listener, router, std::future::pending()).await;
        Ok(())
    })
}

async fn answer(State(prepared): State<Prepared>, request: Request) -> Response {
    let Some(answer) = find(prepared, request).await else { return StatusCode::BAD_REQUEST.into_response() };
    let content_type = (header::CONTENT_TYPE.as_str(), "application/json; charset=utf-8");
    let request_id = ("x-ucloud-request-uuid", &*answer.request_id);
    ([content_type, request_id], Body::from(answer.body.as_str())).into_response()
}

async fn find((answers, check): Prepared, request: Request) -> Option<&'static Answer> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY_BYTES).await.ok()?;
    let number: usize = parts.uri.path().strip_prefix('/')?.parse().ok()?;
    let answer = answers.get(number)?;
    if check {
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let params = decode(parts.uri.query(), content_type, &body).ok()?;
        let private_key = answer.private_keys.get(params.get_text("PublicKey")?)?;
        if !verify(&params, private_key, params.get_text("Signature")?) {
            return None;
        }
    }
    Some(answer)
}
