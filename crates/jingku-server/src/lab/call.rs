//! The lab's layer around the gateway: traces each call and injects its faults.

use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::{self, HeaderName};
use axum::middleware::Next;
use axum::response::Response;
use jingku_catalog::AccountId;
use jingku_library::{Clock, lock};
use jingku_protocol::actions::Action;
use jingku_protocol::{Params, RetCode};
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
    let call = LabCall::start(lab, &request);
    request.extensions_mut().insert(call.clone());
    let response = next.run(request).await;
    call.finish(response)
}

/// The lab's view of one call. The default, without a lab, does nothing.
#[derive(Clone, Default)]
pub(crate) struct LabCall(Option<Arc<TracedCall>>);

/// Also recorded if dropped early, because the client has gone.
struct TracedCall {
    lab: Arc<Lab>,
    started: Instant,
    state: Mutex<Outcome>,
}

#[derive(Default)]
struct Outcome {
    /// Absent once recorded.
    entry: Option<Entry>,
    /// Send only half of the response.
    half: bool,
}

impl LabCall {
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
        let state = Mutex::new(Outcome { entry: Some(entry), half: false });
        Self(Some(Arc::new(TracedCall { lab, started: Instant::now(), state })))
    }

    fn update(&self, change: impl FnOnce(&Lab, &mut Entry)) {
        if let Some(traced) = &self.0
            && let Some(entry) = &mut lock(&traced.state).entry
        {
            change(&traced.lab, entry);
        }
    }

    /// Records the decoded parameters.
    pub(crate) fn decoded(&self, params: &Params, action: Option<Action>) {
        self.update(|lab, entry| {
            entry.action = params.scalar("Action").ok().flatten().map(trace::redact);
            entry.params = trace::as_sent(params);
            entry.decoded = trace::decoded(params);
            let signature = params.scalar("Signature");
            if signature.is_ok_and(|signature| signature.is_some_and(|text| !text.is_empty())) {
                entry.signature = "present";
            }
            let Some(action) = action else { return };
            let known = lab.parameters(action);
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

    /// Records the account whose signature is valid.
    pub(crate) fn authenticated(&self, account: AccountId) {
        self.update(|_, entry| {
            entry.signature = "valid";
            entry.account = Some(account.0);
        });
    }

    /// Records success.
    pub(crate) fn succeeded(&self) {
        self.answered(0);
    }

    /// Records a refusal and its parameter.
    pub(crate) fn refused(&self, ret_code: RetCode, param: Option<&str>) {
        self.update(|_, entry| entry.refused = param.map(trace::redact));
        self.answered(ret_code.code());
    }

    fn answered(&self, ret_code: i64) {
        self.update(|_, entry| entry.ret_code = Some(ret_code));
    }

    /// Injects the pending faults. The call runs unless a response is returned.
    pub(crate) async fn inject_fault(&self, action: Action, request_id: &str) -> Option<Response> {
        let traced = self.0.as_ref()?;
        let record = |what: String| self.update(|_, entry| entry.injected.push(what));
        let (delay, fault) = traced.lab.faults.take(action);
        if let Some(delay) = delay {
            record(format!("delay {} ms", delay.as_millis()));
            tokio::time::sleep(delay).await;
        }
        match fault? {
            Fault::Fail { ret_code, message } => {
                record(format!("fail {ret_code}"));
                self.answered(ret_code);
                Some(reply::refused(Some(action), ret_code, &message, None, request_id))
            }
            Fault::Drop { half: true } => {
                record("drop half".to_owned());
                lock(&traced.state).half = true;
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

    /// Records the call. Returns its response, or half of it.
    fn finish(self, response: Response) -> Response {
        let Some(traced) = self.0 else { return response };
        traced.record();
        let half = lock(&traced.state).half;
        if half { halve(response) } else { response }
    }
}

impl TracedCall {
    fn record(&self) {
        if let Some(entry) = lock(&self.state).entry.take() {
            let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.lab.trace.add(Entry { ms, ..entry });
        }
    }
}

impl Drop for TracedCall {
    fn drop(&mut self) {
        self.record();
    }
}
