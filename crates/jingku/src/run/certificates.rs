//! The certificates of one run of the proxy, created when needed.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;

use super::authority::{Authority, HOSTS, provider};

/// How long a certificate of `jingku run` is used, in seconds; a command that runs longer gets another.
const CERTIFICATE_AGE_MAX: i64 = 24 * 60 * 60;

struct Issued {
    since: i64,
    config: Arc<ServerConfig>,
}

/// Server-side TLS configurations for [`HOSTS`].
pub(super) struct Certificates {
    authority: Authority,
    issued: Mutex<[Option<Issued>; HOSTS.len()]>,
}

/// The entry of [`HOSTS`] with this name; host names are not case-sensitive.
pub(super) fn known_host(name: &str) -> Option<&'static str> {
    HOSTS.into_iter().find(|host| host.eq_ignore_ascii_case(name))
}

impl Certificates {
    pub(super) fn new(authority: Authority) -> Self {
        Self { authority, issued: Mutex::default() }
    }

    /// The configuration for a host, at a time in Unix seconds. `None` if the TLS library fails.
    pub(super) fn config(&self, host: &'static str, now: i64) -> Option<Arc<ServerConfig>> {
        let at = HOSTS.iter().position(|known| *known == host)?;
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let current =
            issued[at].as_ref().filter(|issued| (0..CERTIFICATE_AGE_MAX).contains(&(now - issued.since)));
        if let Some(issued) = current {
            return Some(Arc::clone(&issued.config));
        }
        let config = self.make(host, now)?;
        issued[at] = Some(Issued { since: now, config: Arc::clone(&config) });
        Some(config)
    }

    fn make(&self, host: &str, now: i64) -> Option<Arc<ServerConfig>> {
        let leaf = self.authority.leaf(host, now).ok()?;
        let versions = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let config = versions.ok()?.with_no_client_auth();
        let mut config = config.with_single_cert(vec![leaf.certificate], leaf.private_key).ok()?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Some(Arc::new(config))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_gets_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let now = 1_795_000_000;
        let (authority, _) = Authority::open_or_create(folder.path(), now).unwrap();
        let certificates = Certificates::new(authority);
        let host = known_host("API.CompShare.cn").unwrap();
        let first = certificates.config(host, now).unwrap();
        assert!(Arc::ptr_eq(&first, &certificates.config(host, now + CERTIFICATE_AGE_MAX - 1).unwrap()));
        let other = certificates.config("api.ucloud.cn", now).unwrap();
        assert!(!Arc::ptr_eq(&first, &other));
        assert!(!Arc::ptr_eq(&first, &certificates.config(host, now + CERTIFICATE_AGE_MAX).unwrap()));
        for stranger in ["example.com", "api.compshare.cn.", "x.api.compshare.cn"] {
            assert_eq!(known_host(stranger), None, "{stranger}");
        }
    }
}
