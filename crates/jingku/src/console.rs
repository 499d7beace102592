//! `jingku console`: a link that signs a browser in once, as the holder of a key or as the operator.

use std::process::{Command, Stdio};
use std::time::Duration;

use jingku_library::LibraryError;
use jingku_protocol::{Params, sign_request};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, redirect};
use serde::Deserialize;
use serde_json::json;

use crate::args::{ConsoleArgs, Global};
use crate::base_url;
use crate::connection::{Connection, last_server};
use crate::failure::{Exit, Failure};
use crate::library::open;
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
    if args.sign_out_operators {
        return sign_out_operators(global).await;
    }
    let (url, expire_time) = if args.operator {
        create_operator_link(global, &args).await?
    } else {
        let connection = Connection::open(global, &args.connection)?;
        let answer = request_link(&connection).await?;
        (format!("{}{}", connection.base_url.trim_end_matches('/'), answer.path), answer.expire_time)
    };
    done(global, &json!({ "Url": url, "ExpireTime": expire_time }), &url)?;
    note(&tr!("console-once"));
    if !args.no_open && !open_in_browser(&url) {
        note(&tr!("console-not-opened"));
    }
    Ok(())
}

/// Writes a link of the operator to the catalogue. No server is asked, so that no key pair can have one.
async fn create_operator_link(global: &Global, args: &ConsoleArgs) -> Result<(String, i64), Failure> {
    let library = open(global).await?;
    let given = args.connection.settings.base_url.as_deref().map(str::trim).filter(|url| !url.is_empty());
    let base_url = base_url::check(&given.map_or_else(|| last_server(global), |url| Ok(url.to_owned()))?)?;
    let (secret, expire_time) = library.create_operator_link().await?;
    Ok((format!("{}/console/sign-in?link={secret}", base_url.trim_end_matches('/')), expire_time))
}

/// Ends all sessions and links of the operator.
async fn sign_out_operators(global: &Global) -> Result<(), Failure> {
    let ended = open(global).await?.end_operator_sign_ins().await.map_err(LibraryError::from)?;
    done(global, &json!({ "Ended": ended }), &tr!("console-operators-signed-out", count = ended))
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
fn open_in_browser(url: &str) -> bool {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(program);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
