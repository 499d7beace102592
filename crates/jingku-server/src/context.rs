//! The state that all requests share.

use std::sync::{Arc, OnceLock};

use jingku_catalog::Catalog;
use jingku_library::{Config, Environment, Internal, Library, StartError};
use tokio::sync::OnceCell;

use crate::history::History;
use crate::lab::Lab;
use crate::limits::SharedLimits;
use crate::metrics::{ConnectionMetrics, Metrics};
use crate::pages::{GroupPages, ImagePages};
use crate::request_rate::RequestRates;
use crate::rows::RowCache;
use crate::session_cache::SessionCache;
use crate::sign_in_failures::SignInFailures;
use crate::transfer::ManifestCache;

/// A library and the state of a server over it.
pub struct Context {
    /// The library.
    pub library: Arc<Library>,
    /// Where clients reach the service, once known.
    public_url: OnceLock<String>,
    pub(crate) limits: SharedLimits,
    pub(crate) rates: RequestRates,
    pub(crate) sign_in_failures: SignInFailures,
    pub(crate) metrics: Metrics,
    pub(crate) history: History,
    pub(crate) manifests: Arc<ManifestCache>,
    pub(crate) pages: ImagePages,
    pub(crate) group_pages: GroupPages,
    pub(crate) rows: RowCache,
    /// Sends requests to other servers of the catalogue.
    pub(crate) peers: OnceLock<reqwest::Client>,
    /// The catalogue that has the sessions of the console, once needed.
    pub(crate) sign_ins: OnceCell<Catalog>,
    pub(crate) sessions: SessionCache,
    /// The test lab, if enabled.
    pub(crate) lab: Option<Arc<Lab>>,
}

impl Context {
    /// Creates the state of a server over a library.
    pub fn new(library: impl Into<Arc<Library>>) -> Self {
        let library = library.into();
        let public_url = library.config.public_url.as_ref().map(|url| url.to_string().into());
        let rates = RequestRates::new(library.config.requests);
        Self {
            library,
            rates,
            sign_in_failures: SignInFailures::default(),
            metrics: Metrics::default(),
            history: History::default(),
            public_url: public_url.unwrap_or_default(),
            limits: SharedLimits::default(),
            manifests: Arc::default(),
            pages: ImagePages::default(),
            group_pages: GroupPages::default(),
            rows: RowCache::default(),
            peers: OnceLock::new(),
            sign_ins: OnceCell::new(),
            sessions: SessionCache::default(),
            lab: None,
        }
    }

    /// Opens a library in memory with a lab: see docs/operate/lab.md. Call [`Context::remember_start`] when it is filled:
    /// a reset returns there.
    pub async fn open_lab(config: &Config, environment: Environment) -> Result<Self, StartError> {
        let lab = Lab::open(config, environment).await?;
        let context = Self::new(Arc::clone(&lab.library));
        Ok(Self { lab: Some(Arc::new(lab)), ..context })
    }

    /// Stores the present catalogue as the state that a lab is reset to. Does nothing without a lab.
    pub async fn remember_start(&self) -> Result<(), Internal> {
        match &self.lab {
            Some(lab) => lab.remember_start().await,
            None => Ok(()),
        }
    }

    /// The metrics of the connections, for [`Edge`](crate::Edge).
    pub fn connection_metrics(&self) -> ConnectionMetrics {
        self.metrics.connections.clone()
    }

    /// Sets where the service listens, such as `http://127.0.0.1:8480`. Links lead there unless the configuration has a
    /// public URL. Call it before the first request.
    pub fn set_base_url(&self, base_url: &str) {
        // The configured URL stays.
        let _ = self.public_url.set(base_url.to_owned());
    }

    /// The URL of a cover; empty without a cover.
    pub(crate) fn cover_url(&self, id: &str) -> String {
        if id.is_empty() { String::new() } else { format!("{}/covers/{id}", self.base_url()) }
    }

    /// The URL of a link, given as path and query.
    pub(crate) fn link_url(&self, path_and_query: &str) -> String {
        format!("{}{path_and_query}", self.base_url())
    }

    /// The host at which this machine is reached: not that of a balancer in front of several servers.
    pub(crate) fn host(&self) -> String {
        let address = self.library.config.cluster.address.as_ref().map(ToString::to_string);
        host_of_url(address.as_deref().unwrap_or_else(|| self.base_url()))
    }

    /// Where clients reach the service; empty until known.
    pub fn base_url(&self) -> &str {
        self.public_url.get().map_or("", String::as_str)
    }
}

/// The host of a URL; empty if it has none.
pub(crate) fn host_of_url(url: &str) -> String {
    let uri: Option<axum::http::Uri> = url.parse().ok();
    uri.and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jingku_catalog::CACHES_BYTES_MAX;

    use crate::limits::{MAX_HELD_BYTES, MAX_LARGE_BODIES_BYTES, MAX_UNSENT_BYTES};
    use crate::transfer::manifests;
    use crate::{pages, rows};

    /// The most memory under load, in bytes: docs/operate/figures.md.
    const MEMORY_BYTES: u64 = 128 << 20;

    #[test]
    fn all_caches_and_buffers_fit_into_the_memory_of_a_server() {
        let caches =
            CACHES_BYTES_MAX + 2 * pages::KEPT_BYTES_MAX + rows::KEPT_BYTES_MAX + manifests::KEPT_BYTES_MAX;
        let buffers = MAX_HELD_BYTES + MAX_LARGE_BODIES_BYTES + MAX_UNSENT_BYTES;
        let sum = caches + u64::try_from(buffers).unwrap();
        assert!(sum <= MEMORY_BYTES, "{} MiB", sum >> 20);
    }
}
