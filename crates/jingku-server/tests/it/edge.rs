//! What happens before a request reaches the router: TLS, HTTP/2, proxies, floods.

mod flood;
mod http2;
mod metrics;
mod proxies;
mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;

use jingku_library::{Config, TlsSettings};
use jingku_protocol::Params;
use jingku_protocol::actions::Action;
use jingku_server::{Edge, router, serve_with};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use reqwest::{Certificate, Client, Response};
use tokio::net::TcpListener;

use crate::support::Service;

/// A server with the settings of a configuration file, on a loopback port.
async fn serve(config: &str) -> (Service, SocketAddr) {
    let config: Config = toml::from_str(config).unwrap();
    let edge = Edge::open(&config).unwrap();
    let service = Service::with(config).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve_with(
        listener,
        router(service.context.clone()),
        edge,
        Box::pin(std::future::pending()),
    ));
    (service, address)
}

/// A certificate authority, and a folder with the certificate of a server.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let authority = Self { pem, issuer: Issuer::new(params, key), folder: tempfile::tempdir().unwrap() };
        authority.issue("localhost");
        authority
    }

    /// Writes a new certificate for a host, and its key.
    fn issue(&self, host: &str) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = self.files();
        std::fs::write(files.certificate, certificate.pem()).unwrap();
        std::fs::write(files.key, key.serialize_pem()).unwrap();
    }

    fn files(&self) -> TlsSettings {
        let path = |name: &str| -> PathBuf { self.folder.path().join(name) };
        TlsSettings { certificate: path("server.pem"), key: path("server.key") }
    }

    /// The section of a configuration file.
    fn config(&self) -> String {
        let TlsSettings { certificate, key } = self.files();
        format!("[tls]\ncertificate = '{}'\nkey = '{}'\n", certificate.display(), key.display())
    }

    /// A client that trusts the authority and connects to the server whatever the host.
    fn client(&self, host: &str, server: SocketAddr) -> Client {
        let builder = Client::builder().no_proxy().pool_max_idle_per_host(0).resolve(host, server);
        builder.tls_certs_only([Certificate::from_pem(self.pem.as_bytes()).unwrap()]).build().unwrap()
    }
}

/// The form of a signed list.
fn list(service: &Service) -> String {
    service.caller().sign(Params::for_action(Action::DescribeCompShareCustomImages.name())).to_form()
}

fn form(client: &Client, url: &str, form: String) -> reqwest::RequestBuilder {
    client.post(url).header("content-type", "application/x-www-form-urlencoded").body(form)
}

async fn ret_code(response: Response) -> i64 {
    let reply: serde_json::Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    reply["RetCode"].as_i64().unwrap()
}
