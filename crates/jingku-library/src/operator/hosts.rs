//! Servers that do not come back.

use jingku_catalog::{AccountId, Catalog, NewHost, RegisterHost, RemoveInstance};

use crate::audit::Change;
use crate::error::LibraryError;
use crate::library::Library;
use crate::random::unique_id;

/// `FailedReason` of an image whose job waited or ran on a lost server.
const JOB_LOST: &str = "The machine of the instance is lost. Make the image from another instance.";
/// `FailedReason` of an image whose file a lost server was receiving.
const UPLOAD_LOST: &str = "The server that received the file is lost. Import it again.";

/// What ended with a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForgottenHost {
    /// The instances that were removed.
    pub instances: u64,
    /// The jobs that failed.
    pub jobs: u64,
    /// The uploads that failed.
    pub uploads: u64,
}

impl Library {
    /// Forgets a server that does not come back, and ends what belongs to it: its instances are removed, its jobs and uploads
    /// fail. Its images stay. Repeat it if it was interrupted.
    ///
    /// It takes the name like a server: so no server has it meanwhile, and one that wakes up ends without a result.
    pub async fn forget_host(&self, name: &str) -> Result<ForgottenHost, LibraryError> {
        let change = Change::command("cluster forget", AccountId::PLATFORM, name);
        self.audited(change, self.end_host(name)).await
    }

    async fn end_host(&self, name: &str) -> Result<ForgottenHost, LibraryError> {
        let (catalog, session) = (self.catalog.clone().with_host(name), unique_id(&*self.random));
        // Without a name, everything that was added before the first server had one would belong to it.
        if name.is_empty() || !catalog.is_host_known().await? {
            return Err(LibraryError::NoHost(name.to_owned()));
        }
        let mut forgotten = ForgottenHost::default();
        loop {
            self.take_name(&catalog, &session).await?;
            let now = self.clock.now();
            forgotten.jobs += catalog.fail_jobs_of_host(JOB_LOST, now).await?;
            for upload in catalog.uploads().await? {
                forgotten.uploads += u64::from(catalog.fail_upload(&upload, UPLOAD_LOST, now).await?);
            }
            for id in catalog.instances_of_host().await? {
                self.take_name(&catalog, &session).await?;
                // A new image may be in the making: the next round ends its job.
                let removed = catalog.remove_instance(&id, now).await?;
                forgotten.instances += u64::from(removed == RemoveInstance::Removed);
            }
            if catalog.forget_host(&session).await? {
                return Ok(forgotten);
            }
        }
    }

    /// Takes the name of a handle, or renews the lease on it.
    async fn take_name(&self, catalog: &Catalog, session: &str) -> Result<(), LibraryError> {
        let version = env!("CARGO_PKG_VERSION");
        let new = NewHost { node: session, session, version, address: "", adopts: false };
        match catalog.register_host(new, self.lease_secs()).await? {
            RegisterHost::Registered => Ok(()),
            RegisterHost::InUse { seen_secs, .. } => {
                Err(LibraryError::HostAlive { name: catalog.host().to_owned(), seen_secs })
            }
        }
    }
}
