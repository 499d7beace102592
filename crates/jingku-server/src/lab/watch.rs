//! The lab's layer around the gateway: follows each call, and has it fail where that was asked for.

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
use super::body::{halve, silence};
use super::faults::Fault;
use super::trace::{self, Entry};
use crate::reply;

/// Parameters that the gateway reads of every call.
const GATEWAY: [&str; 5] = ["Action", "ProjectId", "PublicKey", "SecurityToken", "Signature"];

/// Follows a call. The gateway finds the [`Watch`] in the extensions of the request.
pub(crate) async fn layer(State(lab): State<Arc<Lab>>, mut request: Request, next: Next) -> Response {
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return next.run(request).await;
    }
    let watch = Watch::begin(lab, &request);
    request.extensions_mut().insert(watch.clone());
    let response = next.run(request).await;
    watch.finish(response)
}

/// One call, as the lab sees it. By default nobody looks, and nothing happens.
#[derive(Clone, Default)]
pub(crate) struct Watch(Option<Arc<Watched>>);

/// Dropped before its end, because the client has gone, it is written down too.
struct Watched {
    lab: Arc<Lab>,
    started: Instant,
    call: Mutex<Call>,
}

#[derive(Default)]
struct Call {
    /// Until it is written down.
    entry: Option<Entry>,
    /// Only half of the answer is sent.
    half: bool,
}

impl Watch {
    fn begin(lab: Arc<Lab>, request: &Request) -> Self {
        let text = |name: HeaderName| {
            let value = request.headers().get(name)?;
            Some(trace::short(&String::from_utf8_lossy(value.as_bytes())))
        };
        let entry = Entry {
            time: lab.clock.now(),
            method: request.method().to_string(),
            path: trace::short(request.uri().path()),
            content_type: text(header::CONTENT_TYPE),
            user_agent: text(header::USER_AGENT),
            signature: "absent",
            ..Entry::default()
        };
        let call = Mutex::new(Call { entry: Some(entry), half: false });
        Self(Some(Arc::new(Watched { lab, started: Instant::now(), call })))
    }

    fn update(&self, change: impl FnOnce(&Lab, &mut Entry)) {
        if let Some(watched) = &self.0
            && let Some(entry) = &mut lock(&watched.call).entry
        {
            change(&watched.lab, entry);
        }
    }

    /// The parameters could be read.
    pub(crate) fn read(&self, params: &Params, action: Option<Action>) {
        self.update(|lab, entry| {
            entry.action = params.scalar("Action").ok().flatten().map(trace::short);
            entry.params = trace::as_sent(params);
            entry.decoded = trace::decoded(params);
            let signature = params.scalar("Signature");
            if signature.is_ok_and(|signature| signature.is_some_and(|text| !text.is_empty())) {
                entry.signature = "present";
            }
            let Some(action) = action else { return };
            let known = lab.parameters(action);
            let first = |name: &str| name.split('.').next().is_some_and(|first| GATEWAY.contains(&first));
            entry.unknown = trace::unknown(params, |name| first(name) || known.knows(name));
            let sent = |name: &str| {
                let below = format!("{name}.");
                params.iter().any(|(sent, _)| sent == name || sent.starts_with(&below))
            };
            entry.missing = known.required.iter().filter(|name| !sent(name)).cloned().collect();
        });
    }

    /// The signature is that of this account.
    pub(crate) fn authentic(&self, account: AccountId) {
        self.update(|_, entry| {
            entry.signature = "valid";
            entry.account = Some(account.0);
        });
    }

    /// The call was carried out.
    pub(crate) fn succeeded(&self) {
        self.answered(0);
    }

    /// The call is refused; the answer may blame a parameter.
    pub(crate) fn refused(&self, ret_code: RetCode, param: Option<&str>) {
        self.update(|_, entry| entry.refused = param.map(trace::short));
        self.answered(ret_code.code());
    }

    fn answered(&self, ret_code: i64) {
        self.update(|_, entry| entry.ret_code = Some(ret_code));
    }

    /// Does to a call what waits for it. The call is carried out unless an answer comes back.
    pub(crate) async fn inject_fault(&self, action: Action, request_id: &str) -> Option<Response> {
        let watched = self.0.as_ref()?;
        let injected = |what: String| self.update(|_, entry| entry.injected.push(what));
        let (delay, fault) = watched.lab.faults.take(action);
        if let Some(delay) = delay {
            injected(format!("delay {} ms", delay.as_millis()));
            tokio::time::sleep(delay).await;
        }
        match fault? {
            Fault::Fail { ret_code, message } => {
                injected(format!("fail {ret_code}"));
                self.answered(ret_code);
                Some(reply::refused(Some(action), ret_code, &message, None, request_id))
            }
            Fault::Drop { half: true } => {
                injected("drop half".to_owned());
                lock(&watched.call).half = true;
                None
            }
            Fault::Drop { half: false } => {
                injected("drop".to_owned());
                Some(silence())
            }
            // Delays come apart.
            Fault::Delay { .. } => None,
        }
    }

    /// Writes the call down and lets its answer go, or half of it.
    fn finish(self, response: Response) -> Response {
        let Some(watched) = self.0 else { return response };
        watched.write_down();
        let half = lock(&watched.call).half;
        if half { halve(response) } else { response }
    }
}

impl Watched {
    fn write_down(&self) {
        if let Some(entry) = lock(&self.call).entry.take() {
            let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.lab.trace.add(Entry { ms, ..entry });
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.write_down();
    }
}
