//! The lab: a server that people test their own clients against. It is put in another state, held, made to fail, and
//! tells what it was sent. Off unless asked for: then the gateway pays for one look at an `Option`.

mod body;
mod clock;
mod control;
mod faults;
mod seconds;
mod secrets;
mod trace;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

use axum::extract::Request;
use axum::http::header::{self, HeaderName};
use axum::response::Response;
use jingku_catalog::{AccountId, Snapshot};
use jingku_protocol::Params;
use jingku_protocol::actions::{Action, Parameters};
use tokio::time::Instant;

use crate::context::Context;
use crate::error::Internal;
use crate::jobs::Hold;
use crate::lock::lock;
use faults::{Fault, Faults};
use trace::{Entry, Trace};

pub(crate) use body::silence;
pub(crate) use clock::LabClock;
pub(crate) use control::control;

/// Parameters that the gateway reads of every call.
const GATEWAY: [&str; 5] = ["Action", "ProjectId", "PublicKey", "SecurityToken", "Signature"];

/// What a lab keeps beside the catalogue.
pub(crate) struct Lab {
    clock: Arc<LabClock>,
    /// Where jobs wait.
    pub(crate) hold: Arc<Hold>,
    faults: Faults,
    trace: Trace,
    /// The catalogue after the fixtures.
    start: OnceLock<Snapshot>,
    snapshots: Mutex<BTreeMap<String, Arc<Snapshot>>>,
    parameters: Mutex<HashMap<Action, Arc<Parameters>>>,
    /// Two who put the catalogue in another state do it one after the other.
    turn: tokio::sync::Mutex<()>,
}

/// How a call ends that the lab does not let be carried out.
pub(crate) enum Ending {
    /// With this code and text.
    Fail { ret_code: i64, message: String },
    /// With no answer.
    Silence,
}

impl Lab {
    pub(crate) fn new(clock: Arc<LabClock>) -> Self {
        Self {
            clock,
            hold: Arc::default(),
            faults: Faults::default(),
            trace: Trace::default(),
            start: OnceLock::new(),
            snapshots: Mutex::default(),
            parameters: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Begins to watch a request.
    pub(crate) fn watch(&self, request: &Request, now: i64) -> Watch<'_> {
        let text = |name: HeaderName| {
            let value = request.headers().get(name)?;
            Some(trace::short(&String::from_utf8_lossy(value.as_bytes())))
        };
        let entry = Entry {
            time: now,
            method: request.method().to_string(),
            path: trace::short(request.uri().path()),
            content_type: text(header::CONTENT_TYPE),
            user_agent: text(header::USER_AGENT),
            signature: "absent",
            ..Entry::default()
        };
        Watch { lab: self, entry: Some(entry), started: Instant::now(), half: false }
    }

    fn parameters(&self, action: Action) -> Arc<Parameters> {
        let mut known = lock(&self.parameters);
        Arc::clone(known.entry(action).or_insert_with(|| Arc::new(action.parameters())))
    }
}

/// One request under the eyes of the lab. Dropped before its end, because its client has gone, it is written down too.
pub(crate) struct Watch<'a> {
    lab: &'a Lab,
    /// Until it is written down.
    entry: Option<Entry>,
    started: Instant,
    half: bool,
}

impl Watch<'_> {
    /// The parameters could be read.
    pub(crate) fn read(&mut self, params: &Params, action: Option<Action>) {
        let Some(entry) = &mut self.entry else { return };
        entry.action = params.scalar("Action").ok().flatten().map(trace::short);
        entry.params = trace::as_sent(params);
        entry.decoded = trace::decoded(params);
        if params.scalar("Signature").is_ok_and(|signature| signature.is_some_and(|text| !text.is_empty())) {
            entry.signature = "present";
        }
        if let Some(action) = action {
            let known = self.lab.parameters(action);
            let first = |name: &str| name.split('.').next().is_some_and(|first| GATEWAY.contains(&first));
            entry.unknown = trace::unknown(params, |name| first(name) || known.knows(name));
            let sent = |name: &str| {
                let below = format!("{name}.");
                params.iter().any(|(sent, _)| sent == name || sent.starts_with(&below))
            };
            entry.missing = known.required.iter().filter(|name| !sent(name)).cloned().collect();
        }
    }

    /// The answer blames this parameter.
    pub(crate) fn refused(&mut self, name: &str) {
        if let Some(entry) = &mut self.entry {
            entry.refused = Some(trace::short(name));
        }
    }

    /// The signature is that of this account.
    pub(crate) fn authentic(&mut self, account: AccountId) {
        if let Some(entry) = &mut self.entry {
            entry.signature = "valid";
            entry.account = Some(account.0);
        }
    }

    /// Does to a call what waits for it; the call is carried out unless something comes back.
    pub(crate) async fn meddle(&mut self, action: Action) -> Option<Ending> {
        let (delay, fault) = self.lab.faults.take(action);
        if let Some(delay) = delay {
            self.injected(format!("delay {} ms", delay.as_millis()));
            tokio::time::sleep(delay).await;
        }
        match fault? {
            Fault::Fail { ret_code, message } => {
                self.injected(format!("fail {ret_code}"));
                Some(Ending::Fail { ret_code, message })
            }
            Fault::Drop { half: true } => {
                self.injected("drop half".to_owned());
                self.half = true;
                None
            }
            Fault::Drop { half: false } => {
                self.injected("drop".to_owned());
                Some(Ending::Silence)
            }
            // Delays come apart.
            Fault::Delay { .. } => None,
        }
    }

    fn injected(&mut self, what: String) {
        if let Some(entry) = &mut self.entry {
            entry.injected.push(what);
        }
    }

    /// Writes the request down and lets its answer go, or half of it.
    pub(crate) fn finish(mut self, response: Response, ret_code: Option<i64>) -> Response {
        self.write_down(ret_code);
        if self.half { body::halve(response) } else { response }
    }

    fn write_down(&mut self, ret_code: Option<i64>) {
        if let Some(entry) = self.entry.take() {
            let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.lab.trace.add(Entry { ret_code, ms, ..entry });
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.write_down(None);
    }
}

impl Context {
    /// Remembers what the catalogue holds now as what a lab is reset to. Does nothing without a lab.
    pub async fn remember_start(&self) -> Result<(), Internal> {
        if let Some(lab) = &self.lab {
            let snapshot = self.catalog.snapshot().await?;
            let _ = lab.start.set(snapshot);
        }
        Ok(())
    }

    /// Puts the catalogue in another state, while no job is at work. What was at work then is claimed anew.
    async fn return_to(&self, snapshot: &Snapshot) -> Result<(), Internal> {
        let _paused = self.running.pause().await;
        self.catalog.return_to(snapshot).await?;
        self.catalog.release_jobs_of(&self.node).await?;
        self.running.wake.notify_one();
        Ok(())
    }
}
