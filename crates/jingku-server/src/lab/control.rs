//! The control API under `/_lab/`: JSON over HTTP, for programs on this machine. docs/operate/lab.md describes it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use http_body_util::{BodyExt, Limited};
use jingku_library::{CatalogError, Clock, Internal, clause, lock, store_pattern};
use jingku_protocol::actions::Action;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Lab;
use super::faults::{FAULTS_MAX, Fault, PendingFault};
use super::origin::check_origin;
use super::seconds::Seconds;
use crate::limits::BODY_READ_TIMEOUT;

/// Maximum request body, in bytes.
const BODY_BYTES_MAX: usize = 64 << 10;
/// Maximum number of snapshots.
const SNAPSHOTS_MAX: usize = 16;
/// Maximum length of a snapshot name, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// Maximum delay: ten minutes.
const DELAY_MS_MAX: u64 = 600_000;
/// Maximum length of a message, in bytes.
const MESSAGE_BYTES_MAX: usize = 4096;
/// Latest time of a lab's clock: the last second of the year 9999.
const TIME_MAX: i64 = 253_402_300_799;
/// Name of a snapshot if the call has none.
const DEFAULT_NAME: &str = "default";
/// Message of a fault if the call has none.
const DEFAULT_MESSAGE: &str = "Injected by the lab";

struct Refusal(StatusCode, String);

impl Refusal {
    /// The body or a value in it is wrong.
    fn bad(why: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, why.into())
    }

    fn not_found(what: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, what.into())
    }
}

impl From<Internal> for Refusal {
    fn from(error: Internal) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "lab call failed");
        Self(StatusCode::INTERNAL_SERVER_ERROR, "The server failed. See its log.".to_owned())
    }
}

impl From<CatalogError> for Refusal {
    fn from(error: CatalogError) -> Self {
        Internal::from(error).into()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SnapshotName {
    name: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum ClockChange {
    Set(Seconds),
    Advance(Seconds),
    Free(bool),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Percent {
    percent: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fail {
    action: String,
    ret_code: i64,
    message: Option<String>,
    #[serde(default = "once")]
    times: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delay {
    action: String,
    ms: u64,
    #[serde(default = "once")]
    times: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Drop {
    action: String,
    #[serde(default)]
    half: bool,
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

pub(crate) async fn control(State(lab): State<Arc<Lab>>, request: Request) -> Response {
    let (status, json) = match answer(&lab, request).await {
        Ok(json) => (StatusCode::OK, json),
        Err(Refusal(status, message)) => (status, json!({ "error": message }).to_string()),
    };
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn answer(lab: &Lab, request: Request) -> Result<String, Refusal> {
    let (parts, body) = request.into_parts();
    check_origin(&parts.headers).map_err(|why| Refusal(StatusCode::FORBIDDEN, why.to_owned()))?;
    if parts.method == Method::GET && parts.uri.path() == "/_lab/trace" {
        return trace(lab, parts.uri.query().unwrap_or_default());
    }
    let body = tokio::time::timeout(BODY_READ_TIMEOUT, Limited::new(body, BODY_BYTES_MAX).collect());
    let Ok(Ok(body)) = body.await else {
        return Err(Refusal::bad(format!("The body is larger than {BODY_BYTES_MAX} bytes or incomplete.")));
    };
    let path = parts.uri.path();
    let call = path.strip_prefix("/_lab/").unwrap_or(path);
    run(lab, parts.method, call, &body.to_bytes()).await.map(|value| value.to_string())
}

async fn run(lab: &Lab, method: Method, call: &str, body: &[u8]) -> Result<Value, Refusal> {
    match (method, call) {
        (Method::GET, "state") => Ok(state(lab)),
        (Method::POST, "reset") => reset(lab).await,
        (Method::POST, "snapshot") => snapshot(lab, parse(body)?).await,
        (Method::POST, "return") => return_to(lab, parse(body)?).await,
        (Method::POST, "clock") => clock(lab, parse(body)?),
        (Method::POST, "hold") => hold(lab, parse(body)?).await,
        (Method::POST, "release") => release(lab).await,
        (Method::POST, "fail") => fail(lab, parse(body)?),
        (Method::POST, "delay") => delay(lab, parse(body)?),
        (Method::POST, "drop") => {
            let Drop { action, half, times } = parse(body)?;
            add(lab, action, Fault::Drop { half }, times)
        }
        (Method::POST, "clear") => {
            lab.faults.clear();
            Ok(json!({ "faults": [] }))
        }
        (Method::POST, "trace/clear") => {
            lab.trace.clear();
            Ok(json!({ "last": lab.trace.last_number() }))
        }
        (method, call) => Err(Refusal::not_found(format!("There is no {method} /_lab/{call}."))),
    }
}

/// An absent body is an empty object.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body)
        .map_err(|error| Refusal::bad(format!("The body is invalid: {}.", clause(&error))))
}

fn state(lab: &Lab) -> Value {
    json!({
        "clock": clock_state(lab),
        "hold": lab.pause_gate.get(),
        "faults": lab.faults.list(),
        "snapshots": lock(&lab.snapshots).keys().collect::<Vec<_>>(),
        "trace": { "last": lab.trace.last_number() },
        "version": env!("CARGO_PKG_VERSION"),
        "strict": lab.library.config.strict,
    })
}

fn clock_state(lab: &Lab) -> Value {
    json!({ "now": lab.clock.now(), "stands": lab.clock.is_stopped() })
}

async fn reset(lab: &Lab) -> Result<Value, Refusal> {
    let _lock = lab.state_lock.lock().await;
    // First, so that paused jobs continue.
    lab.pause_gate.set(None);
    lab.faults.clear();
    lab.clock.reset();
    let Some(start) = lab.start.get() else {
        return Err(Refusal::not_found("The server has no initial state."));
    };
    lab.restore(start).await?;
    lock(&lab.snapshots).clear();
    lab.trace.clear();
    Ok(json!({ "reset": true }))
}

async fn snapshot(lab: &Lab, SnapshotName { name }: SnapshotName) -> Result<Value, Refusal> {
    let name = name.unwrap_or_else(|| DEFAULT_NAME.to_owned());
    if !(1..=NAME_BYTES_MAX).contains(&name.len()) {
        return Err(Refusal::bad(format!("A name has 1 to {NAME_BYTES_MAX} bytes.")));
    }
    let _lock = lab.state_lock.lock().await;
    let known: Vec<_> = lock(&lab.snapshots).keys().cloned().collect();
    if !known.contains(&name) && known.len() >= SNAPSHOTS_MAX {
        return Err(Refusal::bad(format!(
            "There are {SNAPSHOTS_MAX} snapshots already. Replace one by its name."
        )));
    }
    let snapshot = Arc::new(lab.library.catalog.snapshot().await?);
    lock(&lab.snapshots).insert(name.clone(), snapshot);
    Ok(json!({ "snapshot": name }))
}

async fn return_to(lab: &Lab, SnapshotName { name }: SnapshotName) -> Result<Value, Refusal> {
    let name = name.unwrap_or_else(|| DEFAULT_NAME.to_owned());
    let _lock = lab.state_lock.lock().await;
    let snapshot = lock(&lab.snapshots).get(&name).cloned();
    let Some(snapshot) = snapshot else {
        let known = lock(&lab.snapshots).keys().cloned().collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() {
            "None was taken since the start or the last reset.".to_owned()
        } else {
            format!("There are: {known}.")
        };
        return Err(Refusal::not_found(format!("There is no snapshot {name:?}. {known}")));
    };
    lab.restore(&snapshot).await?;
    Ok(json!({ "returned": name }))
}

fn clock(lab: &Lab, change: ClockChange) -> Result<Value, Refusal> {
    let now = match change {
        ClockChange::Set(Seconds(now)) => now,
        ClockChange::Advance(Seconds(seconds)) => lab.clock.now().saturating_add(seconds),
        ClockChange::Free(_) => 0,
    };
    if !(0..=TIME_MAX).contains(&now) {
        return Err(Refusal::bad(format!(
            "The clock goes from 0 to {TIME_MAX} in Unix seconds, the end of the year 9999."
        )));
    }
    match change {
        ClockChange::Set(_) => lab.clock.set(now),
        ClockChange::Advance(Seconds(seconds)) => lab.clock.advance(seconds),
        ClockChange::Free(true) => lab.clock.reset(),
        ClockChange::Free(false) => {}
    }
    Ok(clock_state(lab))
}

async fn hold(lab: &Lab, Percent { percent }: Percent) -> Result<Value, Refusal> {
    if percent > 100 {
        return Err(Refusal::bad("percent is from 0 to 100."));
    }
    let _lock = lab.state_lock.lock().await;
    lab.pause_gate.set(Some(percent));
    lab.library.catalog.advance_seeded_jobs(i64::from(percent), lab.library.clock.now()).await?;
    Ok(json!({ "hold": percent }))
}

/// Resumes jobs, and completes the images that a fixtures file declares as `Making`.
async fn release(lab: &Lab) -> Result<Value, Refusal> {
    let _lock = lab.state_lock.lock().await;
    lab.pause_gate.set(None);
    for size in lab.library.catalog.seeded_job_sizes().await? {
        let bytes = u64::try_from(size).unwrap_or(0);
        // Chunks before the row.
        let written = store_pattern(&lab.library.store, bytes).await?;
        let manifest = written.manifest.to_string();
        lab.library.catalog.complete_seeded_jobs(size, &manifest, lab.library.clock.now()).await?;
    }
    Ok(json!({ "hold": null }))
}

fn fail(lab: &Lab, Fail { action, ret_code, message, times }: Fail) -> Result<Value, Refusal> {
    if ret_code == 0 {
        return Err(Refusal::bad("ret_code 0 is success. Send another code."));
    }
    let message = message.unwrap_or_else(|| DEFAULT_MESSAGE.to_owned());
    if message.len() > MESSAGE_BYTES_MAX {
        return Err(Refusal::bad(format!("A message has at most {MESSAGE_BYTES_MAX} bytes.")));
    }
    add(lab, action, Fault::Fail { ret_code, message }, times)
}

fn delay(lab: &Lab, Delay { action, ms, times }: Delay) -> Result<Value, Refusal> {
    if ms > DELAY_MS_MAX {
        return Err(Refusal::bad(format!("ms is at most {DELAY_MS_MAX}.")));
    }
    add(lab, action, Fault::Delay { ms }, times)
}

fn add(lab: &Lab, action: String, fault: Fault, times: u32) -> Result<Value, Refusal> {
    if action != "*" && Action::from_name(&action).is_none() {
        return Err(Refusal::bad(format!(
            "There is no action {action:?}. Send a full action name, or * for all."
        )));
    }
    if times == 0 {
        return Err(Refusal::bad("times is 1 or more."));
    }
    if !lab.faults.add(PendingFault { action, fault, times }) {
        return Err(Refusal::bad(format!("{FAULTS_MAX} faults are pending already. Clear them first.")));
    }
    Ok(json!({ "faults": lab.faults.list() }))
}

fn trace(lab: &Lab, query: &str) -> Result<String, Refusal> {
    /// The entries are JSON already.
    #[derive(Serialize)]
    struct Traced {
        entries: Vec<Box<RawValue>>,
        last: u64,
    }
    let after = match query.strip_prefix("after=") {
        Some(number) => number.parse().map_err(|_| Refusal::bad("after is a number."))?,
        None => 0,
    };
    let traced = Traced { entries: lab.trace.after(after), last: lab.trace.last_number() };
    Ok(serde_json::to_string(&traced).expect("entries serialise"))
}
