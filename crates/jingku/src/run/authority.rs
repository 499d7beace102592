//! The certificate authority of `jingku run`: created on first use, stored in the data directory, restricted to two
//! names.
//!
//! ```text
//! authority/authority.toml   version, validity, certificate and private key: what counts
//! authority/certificate.pem  the certificate alone, for the programs that are run
//! authority/truststore.jks   the same for Java
//! authority/php/jingku.ini   where PHP finds it
//! authority/python/          a module for Python: sitecustomize.py says what for
//! authority/lock             held while any of them is looked at or made
//! ```

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use serde::Deserialize;

use super::trust_store;
use crate::failure::{Exit, Failure};

/// The hosts of the cloud API.
pub(super) const HOSTS: [&str; 2] = ["api.compshare.cn", "api.ucloud.cn"];

const PYTHON: &str = include_str!("sitecustomize.py");

const VERSION: u32 = 1;
const DAY: i64 = 24 * 60 * 60;
/// Certificates are valid from a day ago: the clock of a container or virtual machine may be behind.
const SKEW: i64 = DAY;
const AUTHORITY_VALIDITY: i64 = 10 * 365 * DAY;
/// An authority this near its end is replaced: what is run with it should not see the end.
const AUTHORITY_REMAINING_MIN: i64 = 90 * DAY;
const LEAF_VALIDITY: i64 = 7 * DAY;

// No `Debug`: it holds a private key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredAuthority {
    version: u32,
    not_before: i64,
    not_after: i64,
    certificate: String,
    private_key: String,
}

pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    not_before: i64,
}

/// A certificate for one of [`HOSTS`] and its key.
pub(super) struct Leaf {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) private_key: PrivateKeyDer<'static>,
}

pub(super) struct TrustFiles {
    pub(super) certificate: PathBuf,
    pub(super) trust_store: PathBuf,
    pub(super) php: PathBuf,
    pub(super) python: PathBuf,
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

impl Authority {
    /// Opens the authority of a data directory, or creates a new one if it is missing, corrupted or about to expire.
    /// `now` is in Unix seconds. Of two processes at once, one waits for the other.
    pub(super) fn open_or_create(data: &Path, now: i64) -> Result<(Self, TrustFiles), Failure> {
        let folder = Folder(data.join("authority"));
        folder.open_or_create(now).map_err(Failure::file(Exit::Fault, &folder.0))
    }

    /// Issues a certificate with its own key for one of [`HOSTS`].
    pub(super) fn leaf(&self, host: &str, now: i64) -> Result<Leaf, rcgen::Error> {
        let mut params = CertificateParams::new(vec![host.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, host);
        set_validity(&mut params, now - SKEW, now + LEAF_VALIDITY);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Python 3.13 and later require it.
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?.der().clone();
        Ok(Leaf { certificate, private_key: PrivatePkcs8KeyDer::from(key.serialize_der()).into() })
    }

    fn generate(now: i64) -> Result<(Self, String), rcgen::Error> {
        let (not_before, not_after) = (now - SKEW, now + AUTHORITY_VALIDITY);
        let mut params = parameters();
        set_validity(&mut params, not_before, not_after);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let (pem, private_key) = (certificate.pem(), key.serialize_pem());
        let text = format!(
            "# Created by jingku run. Keep it secret: it can impersonate {}\n# to programs that jingku run starts, and to nothing else.\n\
             version = {VERSION}\nnot_before = {not_before}\nnot_after = {not_after}\n\
             certificate = \"\"\"\n{pem}\"\"\"\nprivate_key = \"\"\"\n{private_key}\"\"\"\n",
            HOSTS.join(" and ")
        );
        let certificate = certificate.der().clone();
        Ok((Self { issuer: Issuer::new(params, key), certificate, pem, not_before }, text))
    }

    /// The stored authority, if it is valid now and for a while.
    fn from_text(text: &str, now: i64) -> Option<Self> {
        let stored: StoredAuthority = toml::from_str(text).ok()?;
        let current = stored.not_before <= now && now + AUTHORITY_REMAINING_MIN <= stored.not_after;
        if stored.version != VERSION || !current {
            return None;
        }
        let key = KeyPair::from_pem(&stored.private_key).ok()?;
        let certificate = CertificateDer::from_pem_slice(stored.certificate.as_bytes()).ok()?;
        let issuer = Issuer::new(parameters(), key);
        let authority = Self { issuer, certificate, pem: stored.certificate, not_before: stored.not_before };
        authority.is_trusted_by_itself(now).then_some(authority)
    }

    /// Whether its certificates verify against it: a key and certificate that are corrupted or do not match are
    /// detected only this way.
    fn is_trusted_by_itself(&self, now: i64) -> bool {
        let verify = || {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate.clone()).ok()?;
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider());
            let verifier = verifier.build().ok()?;
            let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now).ok()?));
            for host in HOSTS {
                let (leaf, name) = (self.leaf(host, now).ok()?, ServerName::try_from(host).ok()?);
                verifier.verify_server_cert(&leaf.certificate, &[], &name, &[], time).ok()?;
            }
            Some(())
        };
        verify().is_some()
    }
}

struct Folder(PathBuf);

impl Folder {
    fn open_or_create(&self, now: i64) -> io::Result<(Authority, TrustFiles)> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        // Held until every file is written.
        let lock = OpenOptions::new()
            .mode(0o600)
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.0.join("lock"))?;
        lock.lock()?;
        let stored = std::fs::read_to_string(self.0.join("authority.toml")).ok();
        let authority = if let Some(stored) = stored.and_then(|text| Authority::from_text(&text, now)) {
            stored
        } else {
            let (authority, text) = Authority::generate(now).map_err(io::Error::other)?;
            self.replace("authority.toml", text.as_bytes())?;
            authority
        };
        let files = self.write_trust_files(&authority)?;
        Ok((authority, files))
    }

    /// Runs every time: unchanged files are not written, and modified ones are restored.
    fn write_trust_files(&self, authority: &Authority) -> io::Result<TrustFiles> {
        let certificate = self.0.join("certificate.pem");
        let (php, python) = (self.0.join("php"), self.0.join("python"));
        for folder in [&php, &python] {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        self.replace("certificate.pem", authority.pem.as_bytes())?;
        let trust_store = trust_store::encode(&authority.certificate, authority.not_before);
        self.replace("truststore.jks", &trust_store)?;
        let quoted = certificate.display().to_string().replace('"', "\\\"");
        let ini = format!("curl.cainfo = \"{quoted}\"\nopenssl.cafile = \"{quoted}\"\n");
        self.replace("php/jingku.ini", ini.as_bytes())?;
        self.replace("python/sitecustomize.py", PYTHON.as_bytes())?;
        Ok(TrustFiles { certificate, trust_store: self.0.join("truststore.jks"), php, python })
    }

    /// Replaces the content of a file. A concurrent reader sees all of the old or all of the new.
    fn replace(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let path = self.0.join(name);
        if std::fs::read(&path).is_ok_and(|present| present == content) {
            return Ok(());
        }
        let staged = self.0.join(".new");
        let mut file =
            OpenOptions::new().mode(0o600).create(true).truncate(true).write(true).open(&staged)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&staged, &path)
    }
}

/// The parameters of every authority, also needed for signing.
fn parameters() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Jingku local authority (jingku run)");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Name constraints leave other kinds of names unrestricted: addresses must be excluded explicitly.
    let addresses = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    let addresses =
        addresses.map(|address| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, 0)));
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: HOSTS.map(|host| GeneralSubtree::DnsName(host.to_owned())).to_vec(),
        excluded_subtrees: addresses.to_vec(),
    });
    params
}

/// Sets the validity; both bounds are in Unix seconds.
fn set_validity(params: &mut CertificateParams, from: i64, until: i64) {
    let since = |seconds: i64| Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    let epoch = date_time_ymd(1970, 1, 1);
    (params.not_before, params.not_after) = (epoch + since(from), epoch + since(until));
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::thread;

    use super::*;

    const NOW: i64 = 1_795_000_000;

    fn open(data: &Path, now: i64) -> (Authority, String) {
        let (authority, _) = Authority::open_or_create(data, now).unwrap();
        let stored = std::fs::read_to_string(data.join("authority/authority.toml")).unwrap();
        (authority, stored)
    }

    fn trusts(authority: &Authority, leaf: &Leaf, name: &str, now: i64) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate.clone()).unwrap();
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build().unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now.try_into().unwrap()));
        let name = ServerName::try_from(name).unwrap();
        verifier.verify_server_cert(&leaf.certificate, &[], &name, &[], now).is_ok()
    }

    #[test]
    fn it_is_kept_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let (_, first) = open(folder.path(), NOW);
        let (_, second) = open(folder.path(), NOW + 3000 * DAY);
        assert_eq!(first, second);
        let mode = |name: &str| folder.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode("authority"), 0o700);
        for file in [
            "authority.toml",
            "certificate.pem",
            "truststore.jks",
            "php/jingku.ini",
            "python/sitecustomize.py",
        ] {
            assert_eq!(mode(&format!("authority/{file}")), 0o600, "{file}");
        }
        assert!(!folder.path().join("authority/.new").exists());
    }

    #[test]
    fn near_its_end_before_its_time_or_damaged_it_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("authority/authority.toml");
        let (_, first) = open(folder.path(), NOW);
        let (_, another) = open(tempfile::tempdir().unwrap().path(), NOW);
        for now in [NOW + AUTHORITY_VALIDITY - DAY, NOW - 2 * DAY] {
            std::fs::write(&file, &first).unwrap();
            assert_ne!(open(folder.path(), now).1, first, "at {now}");
        }
        let key = |text: &str| text.split_once("private_key").unwrap().1.to_owned();
        let damaged = [
            String::new(),
            first[..first.len() / 2].to_owned(),
            first.replace("version = 1", "version = 2"),
            first.replace("-----BEGIN CERT", "-----BEGIN SERT"),
            first.replace("CERTIFICATE-----\nMII", "CERTIFICATE-----\nMIJ"),
            // A key that does not match the certificate.
            first.replace(&key(&first), &key(&another)),
        ];
        for text in damaged {
            std::fs::write(&file, &text).unwrap();
            let (authority, replaced) = open(folder.path(), NOW);
            assert_ne!(text, replaced);
            assert!(authority.is_trusted_by_itself(NOW));
            let pem = std::fs::read_to_string(folder.path().join("authority/certificate.pem")).unwrap();
            assert_eq!(pem, authority.pem);
        }
    }

    #[test]
    fn what_programs_trust_is_repaired() {
        let folder = tempfile::tempdir().unwrap();
        let (authority, _) = open(folder.path(), NOW);
        let pem = folder.path().join("authority/certificate.pem");
        std::fs::write(&pem, "").unwrap();
        let (again, _) = open(folder.path(), NOW);
        assert_eq!(std::fs::read_to_string(&pem).unwrap(), again.pem);
        assert_eq!(again.pem, authority.pem);
    }

    #[test]
    fn it_is_good_for_two_names_only() {
        let folder = tempfile::tempdir().unwrap();
        let (authority, _) = open(folder.path(), NOW);
        for host in HOSTS {
            let leaf = authority.leaf(host, NOW).unwrap();
            assert!(trusts(&authority, &leaf, host, NOW));
            assert!(trusts(&authority, &leaf, host, NOW - SKEW / 2), "a clock that is behind");
            assert!(!trusts(&authority, &leaf, host, NOW + LEAF_VALIDITY + DAY));
        }
        for elsewhere in ["example.com", "compshare.cn", "127.0.0.1", "evil-api.compshare.cn", "::1"] {
            let leaf = authority.leaf(elsewhere, NOW).unwrap();
            assert!(!trusts(&authority, &leaf, elsewhere, NOW), "{elsewhere}");
        }
    }

    #[test]
    fn first_uses_at_once_agree() {
        let folder = tempfile::tempdir().unwrap();
        let pems: Vec<String> = thread::scope(|scope| {
            let opened: Vec<_> = (0..8).map(|_| scope.spawn(|| open(folder.path(), NOW).0.pem)).collect();
            opened.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(pems.iter().all(|pem| *pem == pems[0]));
    }
}
