//! A certificate authority for servers on this machine.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// The files of an authority and of a certificate for `localhost` and 127.0.0.1.
pub(crate) struct Authority {
    /// The certificate of the authority, in a folder with nothing else, as container engines expect.
    pub(crate) trusted: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Authority {
    pub(crate) fn create(folder: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let own_key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost", "127.0.0.1"].map(str::to_owned)).unwrap();
        let certificate = params.signed_by(&own_key, &issuer).unwrap();
        std::fs::create_dir(folder.join("certs.d")).unwrap();
        let files = Self {
            trusted: folder.join("certs.d/ca.crt"),
            certificate: folder.join("server.pem"),
            key: folder.join("server.key"),
        };
        std::fs::write(&files.trusted, pem).unwrap();
        std::fs::write(&files.certificate, certificate.pem()).unwrap();
        std::fs::write(&files.key, own_key.serialize_pem()).unwrap();
        files
    }

    /// The arguments of `jingku serve`.
    pub(crate) fn serve(&self) -> [&str; 4] {
        ["--tls-cert", self.certificate.to_str().unwrap(), "--tls-key", self.key.to_str().unwrap()]
    }
}
