//! TLS to PostgreSQL, with certificates on both sides and a password from a file.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use jingku_catalog::testing::{PostgresServer, run_sql};
use jingku_catalog::{Catalog, CatalogError};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use crate::setting::account;

/// The user as whom root runs the server.
const NOBODY: u32 = 65_534;

/// Certificates and keys in a folder that the server can read.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), Permissions::from_mode(0o600)).unwrap();
    }

    /// Writes the certificate of an authority as `NAME.pem`.
    fn authority(&self, name: &str) -> Issuer<'static, KeyPair> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        self.write(&format!("{name}.pem"), &params.self_signed(&key).unwrap().pem());
        Issuer::new(params, key)
    }

    /// Writes a certificate as `NAME.pem` and its key as `NAME.key`.
    fn certificate(&self, issuer: &Issuer<'_, KeyPair>, name: &str) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        self.write(&format!("{name}.pem"), &params.signed_by(&key, issuer).unwrap().pem());
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }

    /// Gives all files to the user of the server. Root can still read them.
    fn hand_over(&self) {
        if self.0.path().metadata().unwrap().uid() == 0 {
            for file in fs::read_dir(self.0.path()).unwrap() {
                chown(file.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_are_verified() {
    let files = Files::new();
    let authority = files.authority("authority");
    files.authority("another");
    files.certificate(&authority, "localhost");
    files.certificate(&authority, "jingku-service");
    files.write(
        "pg_hba.conf",
        "local all all trust\nhostssl all all all scram-sha-256 clientcert=verify-full\n",
    );
    files.hand_over();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let path = |name: &str| files.path(name).display().to_string();
    let settings = format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nhba_file = '{}'\nssl = on\nssl_ca_file = '{}'
ssl_cert_file = '{}'\nssl_key_file = '{}'\n",
        path("pg_hba.conf"),
        path("authority.pem"),
        path("localhost.pem"),
        path("localhost.key"),
    );
    let Some(server) = PostgresServer::start(&settings) else { return };
    let socket = format!("{}&port={port}", server.url("postgres"));
    run_sql(&socket, "CREATE ROLE \"jingku-service\" LOGIN PASSWORD 'it is: secret'").await;
    run_sql(&socket, "CREATE DATABASE images OWNER \"jingku-service\"").await;
    files.write("pgpass", &format!("localhost:{port}:images:*:it is\\: secret\n"));

    let connect = async |host: &str, parameters: &[(&str, &str)], password_file: Option<&Path>| {
        let parameters: Vec<_> =
            parameters.iter().map(|(name, file)| format!("{name}={}", path(file))).collect();
        let url = format!(
            "postgres://jingku-service@{host}:{port}/images?sslmode=verify-full&{}",
            parameters.join("&")
        );
        Catalog::connect_postgres(&url, password_file).await
    };
    let root = ("sslrootcert", "authority.pem");
    let client = [("sslcert", "jingku-service.pem"), ("sslkey", "jingku-service.key")];
    let all = [&[root], &client[..]].concat();
    let pgpass = files.path("pgpass");
    let catalog = connect("localhost", &all, Some(&pgpass)).await.unwrap();
    account(&catalog, "lab").await;
    assert_eq!(catalog.accounts().await.unwrap().len(), 1);

    let unknown = [&[("sslrootcert", "another.pem")], &client[..]].concat();
    for (host, parameters, password_file, why) in [
        ("localhost", &unknown[..], Some(&*pgpass), "UnknownIssuer"),
        ("127.0.0.1", &all[..], Some(&*pgpass), "NotValidForName"),
        ("localhost", &[root][..], Some(&*pgpass), "certificate"),
        ("localhost", &all[..], None, "password"),
    ] {
        let refused = connect(host, parameters, password_file).await.err().expect("it is refused");
        let text = format!("{refused:?}");
        assert!(text.contains(why), "{why}: {text}");
        assert!(!text.contains("secret"), "{text}");
    }
    let half = connect("localhost", &all[..2], Some(&pgpass)).await.err().expect("it is refused");
    assert!(matches!(half, CatalogError::InvalidUrl(_)), "{half:?}");
    // The server accepts no connection without TLS.
    let plain = format!("postgres://jingku-service@localhost:{port}/images?sslmode=disable");
    let refused = Catalog::connect_postgres(&plain, Some(&pgpass)).await.err().expect("it is refused");
    assert!(matches!(refused, CatalogError::Unavailable(_)), "{refused:?}");
}
