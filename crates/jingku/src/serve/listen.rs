//! Where a server listens.

use std::io::ErrorKind;

use jingku_library::{BadListenAddress, Config, ListenAddress};
use tokio::net::TcpListener;

use crate::failure::{Exit, Failure};
use crate::messages::tr;

/// The listen address: the option or variable if not empty, else the configuration.
pub(super) fn address(given: Option<&str>, config: &Config) -> Result<ListenAddress, Failure> {
    match given.map(str::trim).filter(|text| !text.is_empty()) {
        None => Ok(config.listen.clone()),
        Some(text) => text.parse().map_err(|error: BadListenAddress| {
            Failure::new(Exit::Usage, tr!("serve-bad-address", error = Failure::from(error).message))
        }),
    }
}

/// Listens on the first available address, and returns the base URL.
pub(super) async fn listen(address: &ListenAddress) -> Result<(TcpListener, String), Failure> {
    let addresses = address.resolve().await.map_err(|error| {
        let message = tr!("serve-unknown-host", address = address.to_string(), error = error.to_string());
        Failure::new(Exit::Usage, message)
    })?;
    let listener = TcpListener::bind(addresses.as_slice()).await.map_err(|error| {
        let exit = if error.kind() == ErrorKind::AddrInUse { Exit::TryAgain } else { Exit::Fault };
        let message = tr!("serve-cannot-listen", address = address.to_string(), error = error.to_string());
        Failure::new(exit, message)
    })?;
    let bound = listener.local_addr().map_err(Failure::fault)?;
    Ok((listener, format!("http://{bound}")))
}
