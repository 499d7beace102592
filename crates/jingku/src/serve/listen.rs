//! Where a server listens, and whether that is safe.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jingku_library::{BadListenAddress, Config, ListenAddress, TlsSettings};
use tokio::net::TcpListener;

use crate::args::SettingArgs;
use crate::failure::{Exit, Failure};
use crate::messages::tr;

/// An address to listen on, and what it resolves to.
pub(super) struct Place {
    pub(super) address: ListenAddress,
    resolved: Vec<SocketAddr>,
    scheme: &'static str,
}

/// Sets what the options and variables say about address and TLS.
pub(super) fn choose(args: &SettingArgs, config: &mut Config) -> Result<(), Failure> {
    // An empty variable counts as unset.
    let set = |path: &Option<PathBuf>| path.clone().filter(|path: &PathBuf| path != Path::new(""));
    match (set(&args.tls_cert), set(&args.tls_key)) {
        (None, None) => {}
        (Some(certificate), Some(key)) => config.tls = Some(TlsSettings { certificate, key }),
        _ => return Err(Failure::new(Exit::Usage, tr!("serve-tls-incomplete"))),
    }
    config.plain_http_on_public_addresses |= args.plain_http_on_public_addresses;
    if let Some(text) = args.listen.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        config.listen = text.parse().map_err(|error: BadListenAddress| {
            Failure::new(Exit::Usage, tr!("serve-bad-address", error = Failure::from(error).message))
        })?;
    }
    Ok(())
}

/// Where a server with this configuration listens; a lab only where other machines cannot reach it.
pub(super) async fn place(config: &Config, is_lab: bool) -> Result<Place, Failure> {
    let address = config.listen.clone();
    let resolved = address.resolve().await.map_err(|error| {
        let message = tr!("serve-unknown-host", address = address.to_string(), error = error.to_string());
        Failure::new(Exit::Usage, message)
    })?;
    let is_public = resolved.iter().any(|address| !address.ip().to_canonical().is_loopback());
    // A lab works on this machine only, whatever name it listens on.
    if is_lab && is_public {
        return Err(Failure::new(Exit::Usage, tr!("serve-lab-loopback", address = address.to_string())));
    }
    if is_public && config.tls.is_none() && !config.plain_http_on_public_addresses {
        return Err(Failure::new(Exit::Usage, tr!("serve-public-plain-http", address = address.to_string())));
    }
    Ok(Place { address, resolved, scheme: if config.tls.is_some() { "https" } else { "http" } })
}

impl Place {
    /// Listens on the first available address, and returns the base URL.
    pub(super) async fn listen(&self) -> Result<(TcpListener, String), Failure> {
        let listener = TcpListener::bind(self.resolved.as_slice()).await.map_err(|error| {
            let exit = if error.kind() == ErrorKind::AddrInUse { Exit::TryAgain } else { Exit::Fault };
            let message =
                tr!("serve-cannot-listen", address = self.address.to_string(), error = error.to_string());
            Failure::new(exit, message)
        })?;
        let bound = listener.local_addr().map_err(Failure::fault)?;
        Ok((listener, format!("{}://{bound}", self.scheme)))
    }
}
