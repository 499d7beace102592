//! Reads this machine now and then.

use std::path::Path;
use std::sync::Arc;

use super::cdi::{self, Specs};
use super::offer::HostOffer;
use crate::blocking::in_place;
use crate::containers::{ContainerFacts, ContainerState};
use crate::error::Internal;
use crate::library::Library;
use crate::lock::lock;

/// How long an offer is used before the machine is read again, in seconds. A driver may be installed at any time.
const OFFER_SECS: i64 = 60;

impl Library {
    /// What this machine offers.
    pub fn host_offer(&self) -> Arc<HostOffer> {
        let now = self.clock.now();
        let mut last = Specs::default();
        if let Some((at, specs, offer)) = &*lock(&self.host.0) {
            if (0..OFFER_SECS).contains(&(now - at)) {
                return Arc::clone(offer);
            }
            last.clone_from(specs);
        }
        let settings = &self.config.containers;
        let (specs, offer) = in_place(|| {
            let specs = Specs::read(&cdi::FOLDERS.map(Path::new));
            let offer = Arc::new(HostOffer::read(settings, specs.gpus.clone()));
            (specs, offer)
        });
        for (path, error) in specs.newly_unreadable(&last) {
            tracing::warn!(path = %path.display(), error, "cannot read a CDI spec");
        }
        *lock(&self.host.0) = Some((now, specs, Arc::clone(&offer)));
        offer
    }

    /// The GPUs that instances use, of all accounts, because they run or are about to, as the engine names them.
    pub async fn gpus_in_use(&self) -> Result<Vec<String>, Internal> {
        let mut in_use = self.catalog.used_devices().await?;
        for known in self.catalog.containers().await? {
            let facts = ContainerFacts::parse(&known.id, &known.container)?;
            if facts.state != ContainerState::Stopped {
                in_use.extend(facts.gpu_devices);
            }
        }
        Ok(in_use)
    }
}
