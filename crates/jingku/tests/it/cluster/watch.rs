//! What the database says: a test that waits asks it, without a new process or connection for each look.

use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use jingku_catalog::{AccountId, Catalog, Host, ImageFilter, ImageStatus, Paging, Scope};
use tokio::runtime::Runtime;

use crate::client::runtime;

const PAUSE: Duration = Duration::from_millis(50);

/// A connection to the database, made with the first look.
pub(super) struct Watch {
    database: String,
    opened: OnceLock<(Runtime, Catalog)>,
}

impl Watch {
    pub(super) fn new(database: &str) -> Self {
        Self { database: database.to_owned(), opened: OnceLock::new() }
    }

    /// Whether the lease of a server is valid.
    pub(super) fn is_live(&self, host: &str) -> bool {
        self.host(host).is_some_and(|host| host.is_live)
    }

    /// Whether a server runs a job.
    pub(super) fn runs_job(&self, host: &str) -> bool {
        self.host(host).is_some_and(|host| host.running_jobs > 0)
    }

    /// Whether an image of the first account is made.
    pub(super) fn is_available(&self, name: &str) -> bool {
        let filter = ImageFilter { name: Some(name), ..ImageFilter::default() };
        let page = self.look(async |catalog| {
            catalog.images_page(Scope::own(AccountId(1)), filter, Paging::first(100)).await.unwrap()
        });
        page.items.iter().any(|image| image.name == name && image.status == ImageStatus::Available)
    }

    fn host(&self, name: &str) -> Option<Host> {
        let hosts = self.look(async |catalog| catalog.hosts().await.unwrap());
        hosts.into_iter().find(|host| host.name == name)
    }

    fn look<T>(&self, question: impl AsyncFnOnce(&Catalog) -> T) -> T {
        let (runtime, catalog) = self.opened.get_or_init(|| {
            let runtime = runtime();
            let catalog = runtime.block_on(Catalog::connect_postgres(&self.database, None)).unwrap();
            (runtime, catalog)
        });
        thread::sleep(PAUSE);
        runtime.block_on(question(catalog))
    }
}
