//! The HTTP client of webhooks, which reaches only addresses that are allowed.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;

use super::address::is_public;
use crate::sentence::clause;

/// How long a webhook may take to answer, with all of connecting.
pub(crate) const WEBHOOK_ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The client, created for the first request: it reads the certificate authorities of the system.
#[derive(Default)]
pub(crate) struct WebhookClient(OnceLock<Client>);

impl WebhookClient {
    pub(super) fn get(&self, allows_private: bool) -> Result<&Client, String> {
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        // A redirect or a proxy would reach addresses that are not checked.
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(Resolver { allows_private }))
            .timeout(WEBHOOK_ANSWER_TIMEOUT)
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| root_cause(&error))?;
        Ok(self.0.get_or_init(|| client))
    }
}

/// The end of a chain of causes, which alone says what happened.
pub(super) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let last = std::iter::successors(Some(error), |error| (*error).source()).last();
    last.map(|error| clause(&error)).unwrap_or_default()
}

/// Resolves names to public addresses only, unless others are allowed.
struct Resolver {
    allows_private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allows_private = self.allows_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One private address is enough: a name that has both is an attempt to reach it.
            if !allows_private && found.iter().any(|address| !is_public(address.ip())) {
                let text = "The host has a private address, which the operator does not allow for webhooks";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, text).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
