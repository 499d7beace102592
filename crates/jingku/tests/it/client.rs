//! Clients of the API in the test's own process.

use compshare::{Client, Config};
use tokio::runtime::{Builder, Runtime};

use crate::home::Home;
use crate::server::Server;

/// A client of account 1 that never retries.
pub(crate) fn client(home: &Home, server: &Server) -> Client {
    let [public_key, private_key] = home.key_pair();
    client_with(server, &public_key, &private_key)
}

/// A client with this key pair that never retries.
pub(crate) fn client_with(server: &Server, public_key: &str, private_key: &str) -> Client {
    client_at(&server.base_url, public_key, private_key)
}

/// A client of a server at this address, with this key pair, that never retries.
pub(crate) fn client_at(base_url: &str, public_key: &str, private_key: &str) -> Client {
    let mut config = Config::new(public_key.to_owned(), private_key.to_owned());
    base_url.clone_into(&mut config.base_url);
    config.max_retries = 0;
    Client::new(config).unwrap()
}

pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    runtime().block_on(future)
}
