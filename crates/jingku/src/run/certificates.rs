//! The certificates shown by one run of the proxy, made when they are needed.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;

use super::authority::{Authority, HOSTS, provider};

/// How long a certificate of `jingku run` is used, in seconds; a command that runs longer gets another.
const SHOWN_MAX: i64 = 24 * 60 * 60;

struct Shown {
    since: i64,
    config: Arc<ServerConfig>,
}

/// TLS as the server of each of [`HOSTS`].
pub(super) struct Certificates {
    authority: Authority,
    shown: Mutex<[Option<Shown>; HOSTS.len()]>,
}

/// The one of [`HOSTS`] that is meant; host names know no case.
pub(super) fn known_host(name: &str) -> Option<&'static str> {
    HOSTS.into_iter().find(|host| host.eq_ignore_ascii_case(name))
}

impl Certificates {
    /// None is made yet.
    pub(super) fn new(authority: Authority) -> Self {
        Self { authority, shown: Mutex::default() }
    }

    /// What to show as a host, at a time in Unix seconds. There is nothing when the library fails at its own work.
    pub(super) fn config(&self, host: &'static str, now: i64) -> Option<Arc<ServerConfig>> {
        let at = HOSTS.iter().position(|known| *known == host)?;
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let current = shown[at].as_ref().filter(|shown| (0..SHOWN_MAX).contains(&(now - shown.since)));
        if let Some(shown) = current {
            return Some(Arc::clone(&shown.config));
        }
        let config = self.make(host, now)?;
        shown[at] = Some(Shown { since: now, config: Arc::clone(&config) });
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
        assert!(Arc::ptr_eq(&first, &certificates.config(host, now + SHOWN_MAX - 1).unwrap()));
        let other = certificates.config("api.ucloud.cn", now).unwrap();
        assert!(!Arc::ptr_eq(&first, &other));
        assert!(!Arc::ptr_eq(&first, &certificates.config(host, now + SHOWN_MAX).unwrap()));
        for stranger in ["example.com", "api.compshare.cn.", "x.api.compshare.cn"] {
            assert_eq!(known_host(stranger), None, "{stranger}");
        }
    }
}
