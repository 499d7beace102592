//! `jingku console`: a link that signs a browser in once.

use std::process::{Command, Stdio};
use std::time::Duration;

use jingku_protocol::{Params, sign_request};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, redirect};
use serde::Deserialize;
use serde_json::json;

use crate::args::{ConsoleArgs, Global};
use crate::connection::Connection;
use crate::failure::{Exit, Failure};
use crate::messages::tr;
use crate::output::{done, note};
use crate::wrong_scheme;

/// How long the server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const ANSWER_MAX: usize = 4096;

/// What the server answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    ret_code: i64,
    #[serde(default)]
    message: String,
    /// Path and query of the link.
    #[serde(default)]
    path: String,
    #[serde(default)]
    expire_time: i64,
}

pub(crate) async fn run(global: &Global, args: ConsoleArgs) -> Result<(), Failure> {
    let connection = Connection::open(global, &args.connection)?;
    let answer = request_link(&connection).await?;
    let url = format!("{}{}", connection.base_url.trim_end_matches('/'), answer.path);
    done(global, &json!({ "Url": url, "ExpireTime": answer.expire_time }), &url)?;
    note(&tr!("console-once"));
    if !args.no_open && !open(&url) {
        note(&tr!("console-not-opened"));
    }
    Ok(())
}

async fn request_link(connection: &Connection<'_>) -> Result<Answer, Failure> {
    let base_url = &connection.base_url;
    let mut http = Client::builder().timeout(TIMEOUT).redirect(redirect::Policy::none());
    if base_url.starts_with("http:") {
        // A slim container has no certificates.
        http = http.tls_certs_only([]);
    }
    let http = http.build().map_err(Failure::fault)?;
    let params = Params::for_action("CreateConsoleLink");
    let form = sign_request(params, &connection.public_key, &connection.private_key).to_form();
    let post = http.post(format!("{}/console/links", base_url.trim_end_matches('/')));
    let post = post.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
    let mut response = post.send().await.map_err(|error| {
        let failure = Failure::new(Exit::TryAgain, tr!("connection-unreachable", base_url));
        match wrong_scheme::advice(&error) {
            Some(advice) => failure.advise(&advice),
            None => failure,
        }
    })?;
    let body = response.chunk().await.ok().flatten().unwrap_or_default();
    let no_console = || Failure::new(Exit::NotThere, tr!("console-absent", base_url));
    let answer: Answer =
        serde_json::from_slice(&body[..body.len().min(ANSWER_MAX)]).map_err(|_| no_console())?;
    match answer.ret_code {
        0 if answer.path.starts_with("/console/") => Ok(answer),
        // A server without a console takes the request for a call of its API.
        0 | 161 => Err(no_console()),
        _ => Err(Failure::new(Exit::Credentials, tr!("console-refused", message = answer.message))),
    }
}

/// Opens a URL in the browser of the desktop, if there is one.
fn open(url: &str) -> bool {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(program);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
