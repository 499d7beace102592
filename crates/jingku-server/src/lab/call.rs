//! The lab's layer around the gateway: traces each call and injects its faults.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::{self, HeaderName};
use axum::middleware::Next;
use axum::response::Response;
use jingku_catalog::AccountId;
use jingku_library::{Clock, lock};
use jingku_protocol::Params;
use jingku_protocol::actions::Action;
use tokio::time::Instant;

use super::Lab;
use super::broken_response::{halve, no_response};
use super::faults::Fault;
use super::trace::{self, Entry};
use crate::reply;

/// Parameters that the gateway reads in every call.
const GATEWAY_PARAMETERS: [&str; 5] = ["Action", "ProjectId", "PublicKey", "SecurityToken", "Signature"];

/// Traces a call. The gateway finds the [`LabCall`] in the extensions of the request.
pub(crate) async fn layer(State(lab): State<Arc<Lab>>, mut request: Request, next: Next) -> Response {
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return next.run(request).await;
    }
    let call = Arc::new(TracedCall::start(lab, &request));
    request.extensions_mut().insert(LabCall(Some(Arc::clone(&call))));
    let response = next.run(request).await;
    if call.half.load(Ordering::Relaxed) { halve(response) } else { response }
}

/// The lab's view of one call. The default, without a lab, does nothing.
#[derive(Clone, Default)]
pub(crate) struct LabCall(Option<Arc<TracedCall>>);

/// Recorded when dropped, also early because the client has gone.
struct TracedCall {
    lab: Arc<Lab>,
    started: Instant,
    entry: Mutex<Entry>,
    /// Send only half of the response.
    half: AtomicBool,
}

impl LabCall {
    fn update(&self, change: impl FnOnce(&mut Entry)) {
        if let Some(traced) = &self.0 {
            change(&mut lock(&traced.entry));
        }
    }

    pub(crate) fn decoded(&self, params: &Params, action: Option<Action>) {
        self.update(|entry| {
            entry.action = params.scalar("Action").ok().flatten().map(trace::redact);
            entry.params = trace::as_sent(params);
            entry.decoded = trace::decoded(params);
            let signature = params.scalar("Signature");
            if signature.is_ok_and(|signature| signature.is_some_and(|text| !text.is_empty())) {
                entry.signature = "present";
            }
            let Some(action) = action else { return };
            let known = action.parameters();
            let first =
                |name: &str| name.split('.').next().is_some_and(|first| GATEWAY_PARAMETERS.contains(&first));
            entry.unknown = trace::unknown(params, |name| first(name) || known.knows(name));
            let sent = |name: &str| {
                let below = format!("{name}.");
                params.iter().any(|(sent, _)| sent == name || sent.starts_with(&below))
            };
            entry.missing = known.required.iter().filter(|name| !sent(name)).cloned().collect();
        });
    }

    pub(crate) fn authenticated(&self, account: AccountId) {
        self.update(|entry| {
            entry.signature = "valid";
            entry.account = Some(account.0);
        });
    }

    /// Records the answer and the parameter that a refusal concerns.
    pub(crate) fn answered(&self, ret_code: i64, refused: Option<&str>) {
        self.update(|entry| {
            entry.ret_code = Some(ret_code);
            entry.refused = refused.map(trace::redact);
        });
    }

    /// Injects the pending faults. The call runs unless a response is returned.
    pub(crate) async fn inject_fault(&self, action: Action, request_id: &str) -> Option<Response> {
        let traced = self.0.as_ref()?;
        let record = |what: String| self.update(|entry| entry.injected.push(what));
        let (delay, fault) = traced.lab.faults.take(action);
        if let Some(delay) = delay {
            record(format!("delay {} ms", delay.as_millis()));
            tokio::time::sleep(delay).await;
        }
        match fault? {
            Fault::Fail { ret_code, message } => {
                record(format!("fail {ret_code}"));
                self.answered(ret_code, None);
                Some(reply::refused(Some(action), ret_code, &message, None, request_id))
            }
            Fault::Drop { half: true } => {
                record("drop half".to_owned());
                traced.half.store(true, Ordering::Relaxed);
                None
            }
            Fault::Drop { half: false } => {
                record("drop".to_owned());
                Some(no_response())
            }
            // Handled above.
            Fault::Delay { .. } => None,
        }
    }
}

impl TracedCall {
    fn start(lab: Arc<Lab>, request: &Request) -> Self {
        let text = |name: HeaderName| {
            let value = request.headers().get(name)?;
            Some(trace::redact(&String::from_utf8_lossy(value.as_bytes())))
        };
        let entry = Entry {
            time: lab.clock.now(),
            method: request.method().to_string(),
            path: trace::redact(request.uri().path()),
            content_type: text(header::CONTENT_TYPE),
            user_agent: text(header::USER_AGENT),
            signature: "absent",
            ..Entry::default()
        };
        let (entry, half) = (Mutex::new(entry), AtomicBool::default());
        Self { lab, started: Instant::now(), entry, half }
    }
}

impl Drop for TracedCall {
    fn drop(&mut self) {
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let entry = std::mem::take(&mut *lock(&self.entry));
        self.lab.trace.add(Entry { ms, ..entry });
    }
}
