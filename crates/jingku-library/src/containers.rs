//! Containers of the engine on this machine as instances.
//!
//! The catalogue keeps what the engine last said: lists are answered from there, and an engine that is away or slow delays
//! nothing.

mod facts;
mod jupyter;
mod load;
mod pods;
mod sync;

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt as _;
use std::sync::Mutex;
use std::sync::atomic::AtomicI64;

use jingku_engine::{Engine, EngineError};

use crate::lock::lock;

pub use facts::{ContainerFacts, ContainerState};
pub use load::ContainerLoad;
pub(crate) use sync::{ACCOUNT_LABEL, ID_LABEL, SyncError, content_of};

/// What this process knows about the engine.
#[derive(Default)]
pub struct Containers {
    /// The address of the engine; `None` for no engine.
    url: Option<String>,
    /// The engine once it was asked for its version, which takes Podman half a second.
    connected: Mutex<Option<Engine>>,
    /// Containers by their engine's id: their listed status, and when they were inspected.
    inspected: Mutex<HashMap<String, (String, i64)>>,
    /// Engine's ids of containers that cannot be instances: each is logged once.
    ignored: Mutex<HashSet<String>>,
    /// When it was last recorded that the engine answers.
    seen_at: AtomicI64,
}

impl Containers {
    pub(crate) fn new(url: Option<&str>) -> Self {
        Self { url: url.map(str::to_owned), ..Self::default() }
    }

    /// Whether there is to be an engine.
    pub fn has_engine(&self) -> bool {
        self.url.is_some()
    }

    /// Whether the server reads directories that the engine names. It can often read more than the user who runs the
    /// engine, so that user must be root or its own.
    pub(crate) fn trusts_engine(&self) -> bool {
        let socket = self.url.as_deref().and_then(|url| url.strip_prefix("unix://"));
        let owner = socket.and_then(|socket| std::fs::metadata(socket).ok()).map(|socket| socket.uid());
        owner.is_some_and(|owner| owner == 0 || owner == rustix::process::geteuid().as_raw())
    }

    /// Connects to the engine; `None` if there is to be none.
    pub async fn engine(&self) -> Option<Result<Engine, EngineError>> {
        let url = self.url.as_deref()?;
        if let Some(engine) = lock(&self.connected).clone() {
            return Some(Ok(engine));
        }
        let connected = Engine::connect(url).await;
        if let Ok(engine) = &connected {
            *lock(&self.connected) = Some(engine.clone());
        }
        Some(connected)
    }

    /// Forgets the version of the engine, which may be another after it was away.
    fn disconnect(&self) {
        *lock(&self.connected) = None;
    }
}
