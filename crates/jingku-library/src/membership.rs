//! The name of a server among those that share a PostgreSQL catalogue.
//!
//! A server renews a lease on its name. Instances, uploads and jobs belong to a name. All leases have the time of the
//! database.

use std::time::Duration;

use jingku_catalog::{CatalogError, Host, NewHost, RegisterHost, Task};

use crate::config::HostName;
use crate::database::ExternalDatabase;
use crate::error::LibraryError;
use crate::library::Library;
use crate::random::unique_id;
use crate::start_error::StartError;

/// How often a lease is renewed while it lasts.
const RENEWALS: u32 = 6;

/// The servers and what they do.
pub struct ClusterStatus {
    /// The servers, by name; none if the catalogue is a file.
    pub hosts: Vec<Host>,
    /// The tasks that one server does for all, by name.
    pub tasks: Vec<Task>,
}

impl Library {
    /// Registers a server under its name, and gives it what belongs to that name. Does nothing, except for a restored
    /// backup, if the catalogue is a file. Fails if another server has the name.
    pub async fn join_cluster(&mut self) -> Result<(), StartError> {
        let Some(data) = self.data.clone() else { return Ok(()) };
        if !self.is_shared {
            self.catalog.adopt_all().await?;
            return Ok(self.catalog.end_transfers_of_host().await?);
        }
        let recorded = ExternalDatabase::host(&data)?;
        let of_machine =
            || HostName::of_machine(&rustix::system::uname().nodename().to_string_lossy()).to_string();
        let configured = self.config.cluster.host.as_ref().map(HostName::to_string);
        let name = configured
            .or_else(|| recorded.clone().filter(|name| !name.is_empty()))
            .unwrap_or_else(of_machine);
        let catalog = self.catalog.clone().with_host(&name);
        let session = unique_id(&*self.random);
        let address = self.config.cluster.address.as_ref().map(ToString::to_string).unwrap_or_default();
        let new = NewHost {
            node: &self.node,
            session: &session,
            version: env!("CARGO_PKG_VERSION"),
            address: &address,
            adopts: recorded.is_none(),
        };
        match catalog.register_host(new, self.lease_secs()).await? {
            RegisterHost::Registered => {}
            RegisterHost::InUse { address, seen_secs } => {
                return Err(StartError::HostInUse { name, address, seen_secs });
            }
        }
        catalog.end_transfers_of_host().await?;
        ExternalDatabase::record_host(&data, &name)?;
        tracing::info!(host = name, "joined the servers of the catalogue");
        self.catalog = catalog;
        self.cluster.session = Some(session);
        Ok(())
    }

    /// Tells the other servers at which base URL this one listens, unless the configuration says so.
    pub fn announce_address(&self, base_url: &str) {
        let configured = self.config.cluster.address.as_ref().map(ToString::to_string);
        // A server listens once.
        let _ = self.cluster.address.set(configured.unwrap_or_else(|| base_url.to_owned()));
    }

    /// The name of this server; empty if it shares its catalogue with no other.
    pub fn host_name(&self) -> &str {
        self.catalog.host()
    }

    /// Waits until another server has got the name of this one, which must then end.
    pub async fn host_lost(&self) {
        self.cluster.lost.cancelled().await;
    }

    /// The servers that share the catalogue, and their tasks.
    pub async fn cluster_status(&self) -> Result<ClusterStatus, LibraryError> {
        Ok(ClusterStatus { hosts: self.catalog.hosts().await?, tasks: self.catalog.tasks().await? })
    }

    /// How long leases of servers and jobs last, in seconds.
    pub(crate) fn lease_secs(&self) -> i64 {
        self.config.cluster.lease_seconds.0.into()
    }

    /// How often leases are renewed.
    pub(crate) fn renewal_interval(&self) -> Duration {
        self.lease_time() / RENEWALS
    }

    /// How long leases last.
    pub(crate) fn lease_time(&self) -> Duration {
        Duration::from_secs(self.config.cluster.lease_seconds.0.into())
    }

    /// Whether another server has got the name of this one.
    pub fn is_host_lost(&self) -> bool {
        self.cluster.lost.is_cancelled()
    }

    /// Renews the lease on the name of this server once. Returns `false` if there is none to renew.
    pub(crate) async fn renew_host(&self) -> Result<bool, CatalogError> {
        let Some(session) = self.cluster.session.as_ref().filter(|_| !self.is_host_lost()) else {
            return Ok(false);
        };
        let address = self.cluster.address.get().map_or("", String::as_str);
        if !self.catalog.renew_host(session, address, self.lease_secs()).await? {
            tracing::error!(
                host = self.host_name(),
                "another server has got the name of this one, which stops"
            );
            self.cluster.lost.cancel();
        }
        Ok(true)
    }

    /// Ends the leases of this server.
    pub(crate) async fn leave_cluster(&self) {
        let Some(session) = &self.cluster.session else { return };
        if let Err(error) = self.catalog.leave_host(session).await {
            // They expire.
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot end the leases of this server");
        }
    }
}
