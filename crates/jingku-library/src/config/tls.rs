//! Settings of TLS.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The files of the server's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// The certificate and those between it and the authority, in PEM. A relative path is resolved against the folder of
    /// the configuration file.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}
