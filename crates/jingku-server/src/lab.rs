//! The test lab: sets state and clock, pauses jobs, injects faults and traces requests, to test clients of the API.
//! It is a layer around the gateway and a hook in jobs, off by default.

mod broken_response;
mod call;
mod clock;
mod control;
mod faults;
mod origin;
mod pause_gate;
mod seconds;
mod secrets;
mod trace;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use jingku_catalog::Snapshot;
use jingku_library::{Config, Environment, Internal, Library, StartError};

use clock::LabClock;
use faults::Faults;
use pause_gate::PauseGate;
use trace::Trace;

pub(crate) use call::{LabCall, layer};
pub(crate) use control::control;

/// A library in memory and the state of its lab.
pub(crate) struct Lab {
    pub(crate) library: Arc<Library>,
    clock: Arc<LabClock>,
    pause_gate: Arc<PauseGate>,
    faults: Faults,
    trace: Trace,
    start: OnceLock<Snapshot>,
    snapshots: Mutex<BTreeMap<String, Arc<Snapshot>>>,
    state_lock: tokio::sync::Mutex<()>,
}

impl Lab {
    pub(crate) async fn open(config: &Config, environment: Environment) -> Result<Self, StartError> {
        let clock = Arc::new(LabClock::new(environment.clock));
        let pause_gate: Arc<PauseGate> = Arc::default();
        let environment = Environment { clock: clock.clone(), ..environment };
        let library = Library::open_in_memory(config, &environment).await?.with_job_hook(pause_gate.clone());
        Ok(Self {
            library: Arc::new(library),
            clock,
            pause_gate,
            faults: Faults::default(),
            trace: Trace::default(),
            start: OnceLock::new(),
            snapshots: Mutex::default(),
            state_lock: tokio::sync::Mutex::default(),
        })
    }

    /// Stores the present catalogue as the state that the lab is reset to.
    pub(crate) async fn remember_start(&self) -> Result<(), Internal> {
        let _ = self.start.set(self.library.catalog.snapshot().await?);
        Ok(())
    }

    /// Restores a snapshot while no job runs. Jobs that were running in it are claimed again.
    async fn restore(&self, snapshot: &Snapshot) -> Result<(), Internal> {
        let library = &self.library;
        let _paused = library.running.pause().await;
        library.catalog.restore(snapshot).await?;
        library.catalog.release_jobs_of(&library.node).await?;
        library.running.wake.notify_one();
        Ok(())
    }
}
