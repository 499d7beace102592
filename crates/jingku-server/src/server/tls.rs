//! TLS: the server's certificate, which is read again when its files change.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jingku_library::{TlsSettings, clause, lock};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// HTTP/2 in the negotiation of protocols.
const H2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";
/// Maximum size of a certificate file or a key file, in bytes.
const MAX_PEM_BYTES: u64 = 1 << 20;
/// How often the files are read to see whether they have changed.
const RELOAD_INTERVAL: Duration = Duration::from_secs(2);

/// Terminates TLS with the certificate in two files.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    current: Mutex<Arc<ServerConfig>>,
    /// The content of `current`.
    loaded: Pair,
}

/// A certificate or key that cannot be used. The old ones stay in use if the server already has some.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("The file {} cannot be read: {}.", .0.display(), clause(.1))]
    Unreadable(PathBuf, #[source] io::Error),
    /// The file contains no certificate.
    #[error("The file {} contains no certificate in PEM.", .0.display())]
    NoCertificate(PathBuf),
    /// The file contains no private key.
    #[error("The file {} contains no private key in PEM.", .0.display())]
    NoKey(PathBuf),
    /// The TLS library refuses the pair, for example because the key belongs to another certificate.
    #[error("The certificate {} cannot be used with the key {}: {}.", .0.display(), .1.display(), clause(.2))]
    Refused(PathBuf, PathBuf, #[source] rustls::Error),
}

/// The content of both files. Without `Debug`, because it has a private key.
#[derive(Clone, PartialEq, Eq)]
struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Tls {
    /// Reads the files.
    pub fn open(settings: &TlsSettings) -> Result<Self, TlsError> {
        let (certificate, key) = (settings.certificate.clone(), settings.key.clone());
        let loaded = Pair::read(&certificate, &key)?;
        let current = Mutex::new(Arc::new(loaded.config(&certificate, &key)?));
        Ok(Self { certificate, key, current, loaded })
    }

    /// Performs the handshake with a client. Returns whether both sides speak HTTP/2.
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<(TlsStream<S>, bool)> {
        let stream = TlsAcceptor::from(self.config()).accept(stream).await?;
        let is_h2 = stream.get_ref().1.alpn_protocol() == Some(H2);
        Ok((stream, is_h2))
    }

    fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&lock(&self.current))
    }

    /// Reads changed files until it is dropped. New content is used when it is the same in two successive rounds, because
    /// programs replace one file after the other. Logs each unusable content once.
    pub(super) async fn reload(self: Arc<Self>) {
        // The last content that was used or refused, and that of the last round.
        let mut tried = Some(self.loaded.clone());
        let mut last = tried.clone();
        let mut unreadable = false;
        loop {
            tokio::time::sleep(RELOAD_INTERVAL).await;
            let this = Arc::clone(&self);
            let read = move || Pair::read(&this.certificate, &this.key);
            // The task fails only if reading panics. The next round tries again.
            let Ok(read) = tokio::task::spawn_blocking(read).await else { continue };
            let pair = match read {
                Ok(pair) => pair,
                Err(error) => {
                    if !unreadable {
                        tracing::error!(%error, "the old certificate stays in use");
                    }
                    unreadable = true;
                    continue;
                }
            };
            unreadable = false;
            let settled = last.as_ref() == Some(&pair);
            if settled && tried.as_ref() != Some(&pair) {
                match pair.config(&self.certificate, &self.key) {
                    Ok(config) => {
                        *lock(&self.current) = Arc::new(config);
                        tracing::info!(certificate = %self.certificate.display(), "new certificate in use");
                    }
                    Err(error) => tracing::error!(%error, "the old certificate stays in use"),
                }
                tried = Some(pair.clone());
            }
            last = Some(pair);
        }
    }
}

impl Pair {
    fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let read = |path: &Path| {
            let read = || {
                let mut bytes = Vec::new();
                File::open(path)?.take(MAX_PEM_BYTES).read_to_end(&mut bytes)?;
                Ok(bytes)
            };
            read().map_err(|error| TlsError::Unreadable(path.to_owned(), error))
        };
        Ok(Self { certificate: read(certificate)?, key: read(key)? })
    }

    fn config(&self, certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
        let chain: Result<Vec<_>, PemError> = CertificateDer::pem_slice_iter(&self.certificate).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| TlsError::NoCertificate(certificate.to_owned()))?;
        let private_key =
            PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| TlsError::NoKey(key.to_owned()))?;
        let refused = |error| TlsError::Refused(certificate.to_owned(), key.to_owned(), error);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(refused)?.with_no_client_auth();
        let mut config = config.with_single_cert(chain, private_key).map_err(refused)?;
        config.alpn_protocols = vec![H2.to_vec(), HTTP_1_1.to_vec()];
        Ok(config)
    }
}
