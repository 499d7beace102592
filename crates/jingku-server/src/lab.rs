//! The lab: a server that people test their own clients against. It is put in another state, held, made to fail, and
//! tells what it was sent. A layer around the gateway, and a hook in jobs; off unless asked for.

mod body;
mod clock;
mod control;
mod faults;
mod origin;
mod pause_gate;
mod seconds;
mod secrets;
mod trace;
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

use jingku_catalog::Snapshot;
use jingku_library::{Config, Environment, Internal, Library, StartError, lock};
use jingku_protocol::actions::{Action, Parameters};

use clock::LabClock;
use faults::Faults;
use pause_gate::PauseGate;
use trace::Trace;

pub(crate) use control::control;
pub(crate) use watch::{Watch, layer};

/// A library in memory, and what a lab keeps beside it.
pub(crate) struct Lab {
    library: Arc<Library>,
    clock: Arc<LabClock>,
    /// Where jobs wait.
    pause_gate: Arc<PauseGate>,
    faults: Faults,
    trace: Trace,
    /// The catalogue after the fixtures.
    start: OnceLock<Snapshot>,
    snapshots: Mutex<BTreeMap<String, Arc<Snapshot>>>,
    parameters: Mutex<HashMap<Action, Arc<Parameters>>>,
    /// Two who put the catalogue in another state do it one after the other.
    turn: tokio::sync::Mutex<()>,
}

impl Lab {
    /// Makes everything in memory.
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
            parameters: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        })
    }

    pub(crate) fn library(&self) -> &Arc<Library> {
        &self.library
    }

    /// Remembers what the catalogue holds now as what the lab is reset to.
    pub(crate) async fn remember_start(&self) -> Result<(), Internal> {
        let _ = self.start.set(self.library.catalog.snapshot().await?);
        Ok(())
    }

    /// Puts the catalogue in another state, while no job runs. What ran then is claimed anew.
    async fn return_to(&self, snapshot: &Snapshot) -> Result<(), Internal> {
        let library = &self.library;
        let _paused = library.running.pause().await;
        library.catalog.restore(snapshot).await?;
        library.catalog.release_jobs_of(&library.node).await?;
        library.running.wake.notify_one();
        Ok(())
    }

    fn parameters(&self, action: Action) -> Arc<Parameters> {
        let mut known = lock(&self.parameters);
        Arc::clone(known.entry(action).or_insert_with(|| Arc::new(action.parameters())))
    }
}
