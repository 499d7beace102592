//! TLS to PostgreSQL. The server is always verified.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::ErrorSource;

/// The files of a TLS connection, as the parameters of libpq name them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TlsFiles {
    /// `sslrootcert`: who may sign the server's certificate. `None` for the authorities of the system.
    pub(super) root: Option<PathBuf>,
    /// `sslcert`: the client's certificate.
    pub(super) certificate: Option<PathBuf>,
    /// `sslkey`: its private key.
    pub(super) key: Option<PathBuf>,
}

pub(super) fn connector(files: &TlsFiles) -> Result<MakeRustlsConnect, ErrorSource> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?;
    let builder = match &files.root {
        None => builder.with_platform_verifier()?,
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate)?;
            }
            builder.with_root_certificates(roots)
        }
    };
    let config = match (&files.certificate, &files.key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => {
            let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
            builder.with_client_auth_cert(certificates(certificate)?, key)?
        }
        _ => return Err("sslcert and sslkey belong together".into()),
    };
    Ok(MakeRustlsConnect::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ErrorSource> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| unreadable(path, &error))?;
    if found.is_empty() { Err(format!("{} has no certificate", path.display()).into()) } else { Ok(found) }
}

fn unreadable(path: &Path, error: &dyn std::error::Error) -> ErrorSource {
    format!("cannot read {}: {error}", path.display()).into()
}
