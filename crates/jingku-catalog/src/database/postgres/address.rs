//! The URL of a database: the parameters of libpq that tokio-postgres does not read, and the rest.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::password_file;
use super::tls::TlsFiles;
use crate::{CatalogError, ErrorSource, Result};

/// Where a database is, and how to connect.
pub(super) struct Address {
    pub(super) config: Config,
    /// `None` for a connection without TLS.
    pub(super) tls: Option<TlsFiles>,
}

impl Address {
    /// Reads `postgresql://user:password@host:port/database?parameter=value`. A missing password is looked up in
    /// `password_file`, unless the URL names another with `passfile`.
    ///
    /// Errors do not contain the URL, which may have a password.
    pub(super) fn parse(url: &str, password_file: Option<&Path>) -> Result<Self> {
        Self::read(url, password_file).map_err(CatalogError::InvalidUrl)
    }

    fn read(url: &str, password_file: Option<&Path>) -> std::result::Result<Self, ErrorSource> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err("it does not start with postgresql://".into());
        }
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut files, mut mode, mut rest) = (TlsFiles::default(), None, Vec::new());
        let mut password_file = password_file.map(Path::to_owned);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = || percent_decode_str(value).decode_utf8().map(String::from);
            match name {
                "sslmode" => mode = Some(decoded()?),
                "sslrootcert" => files.root = Some(PathBuf::from(decoded()?)),
                "sslcert" => files.certificate = Some(PathBuf::from(decoded()?)),
                "sslkey" => files.key = Some(PathBuf::from(decoded()?)),
                "passfile" => password_file = Some(PathBuf::from(decoded()?)),
                // tokio-postgres wants one parameter for each host.
                "host" => rest.extend(value.split(',').map(|host| format!("host={host}"))),
                _ => rest.push(pair.to_owned()),
            }
        }
        let mut config: Config = format!("{place}?{}", rest.join("&")).parse()?;
        if let Some(path) = password_file {
            password_file::apply(&mut config, &path)?;
        }
        let encrypts = match mode.as_deref() {
            None => !config.get_hosts().iter().all(is_here) || files != TlsFiles::default(),
            Some("disable") => false,
            Some("verify-full") => true,
            Some(_) => {
                return Err("sslmode must be verify-full or disable: others do not verify the server".into());
            }
        };
        config.ssl_mode(if encrypts { SslMode::Require } else { SslMode::Disable });
        Ok(Self { config, tls: encrypts.then_some(files) })
    }
}

/// Whether a connection to the host does not leave this machine.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn tls(url: &str) -> std::result::Result<Option<TlsFiles>, String> {
        Address::read(url, None).map(|address| address.tls).map_err(|error| error.to_string())
    }

    #[test]
    fn other_machines_need_tls_unless_the_url_says_otherwise() {
        for plain in [
            "postgres://jingku@localhost/jingku",
            "postgres://jingku@127.0.0.1/jingku",
            "postgresql://jingku@%2Frun%2Fpostgresql/jingku",
            "postgresql:///jingku?host=/run/postgresql&user=jingku",
            "postgres://jingku@db/jingku?sslmode=disable",
        ] {
            assert_eq!(tls(plain), Ok(None), "{plain}");
        }
        let files = TlsFiles { root: Some("/etc/ca b.pem".into()), ..TlsFiles::default() };
        assert_eq!(tls("postgres://jingku@db/jingku"), Ok(Some(TlsFiles::default())));
        assert_eq!(tls("postgres://localhost/jingku?sslrootcert=/etc/ca%20b.pem"), Ok(Some(files)));
        assert_eq!(tls("postgres://localhost/jingku?sslmode=verify-full"), Ok(Some(TlsFiles::default())));
        for mode in ["allow", "prefer", "require", "verify-ca"] {
            let refused = tls(&format!("postgres://db/jingku?sslmode={mode}")).unwrap_err();
            assert!(refused.contains("do not verify"), "{refused}");
        }
    }

    #[test]
    fn several_servers_are_tried() {
        for url in [
            "postgres://u@a,b:2/x?target_session_attrs=read-write",
            "postgres:///x?host=/a,/b&user=u",
            "postgres:///x?host=a&host=b&user=u",
        ] {
            assert_eq!(Address::parse(url, None).unwrap().config.get_hosts().len(), 2, "{url}");
        }
    }

    #[test]
    fn an_error_does_not_show_the_password() {
        for url in [
            "mysql://u:secret@db/x",
            "postgres://u:secret@db:port/x",
            "postgres://u:secret@db/x?unknown=1",
            "postgres://u:secret@db/x?sslmode=off",
            "postgres://u:secret@db/x?connect_timeout=secret",
        ] {
            let error = Address::parse(url, None).err().expect("it is wrong");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("secret"), "{shown}");
        }
        let address = Address::parse("postgres://u:secret@db/x", None).unwrap();
        assert!(!format!("{:?}", address.config).contains("secret"));
    }

    #[test]
    fn a_missing_password_comes_from_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        fs::write(&path, "db:5433:*:jingku:from file\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let password = |url: &str| {
            let address = Address::parse(url, Some(&path)).unwrap();
            address.config.get_password().map(|password| String::from_utf8_lossy(password).into_owned())
        };
        assert_eq!(password("postgres://jingku@db:5433/x").as_deref(), Some("from file"));
        assert_eq!(password("postgres://jingku:own@db:5433/x").as_deref(), Some("own"));
        assert_eq!(password("postgres://jingku@db/x"), None);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let refused = Address::parse("postgres://jingku@db:5433/x", Some(&path)).err().unwrap();
        assert!(matches!(refused, CatalogError::InvalidUrl(_)), "{refused:?}");
    }
}
