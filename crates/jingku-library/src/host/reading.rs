//! Reads this machine now and then.

use std::path::Path;
use std::sync::Arc;

use super::cdi;
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
        if let Some((at, offer)) = &*lock(&self.host.0)
            && (0..OFFER_SECS).contains(&(now - at))
        {
            return Arc::clone(offer);
        }
        let read = || HostOffer::read(&self.config.containers, &cdi::FOLDERS.map(Path::new));
        let offer = Arc::new(in_place(read));
        *lock(&self.host.0) = Some((now, Arc::clone(&offer)));
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
