//! The environment of the command: the proxy, the certificates to trust, and the key pair.

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::authority::TrustFiles;
use super::trust_store;

/// Programs differ in the spelling they read.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
/// Python's requests, OpenSSL and Go, curl, Node.
const CERTIFICATES: [&str; 4] =
    ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];
/// Variables that bypass the proxy or its certificate.
pub(super) const REMOVED: [&str; 3] = ["NO_PROXY", "no_proxy", "SSL_CERT_DIR"];

/// The variables to set. `inherited` looks up their current values.
pub(super) fn variables(
    proxy: SocketAddr,
    trust: &TrustFiles,
    keys: (&str, &str),
    inherited: impl Fn(&str) -> Option<OsString>,
) -> Vec<(&'static str, OsString)> {
    let url = format!("http://{proxy}");
    let mut set: Vec<(&str, OsString)> = PROXIES.map(|name| (name, OsString::from(&url))).to_vec();
    set.extend(CERTIFICATES.map(|name| (name, trust.certificate.clone().into_os_string())));
    // Node reads the proxy variables from version 24 on, and only with this.
    set.push(("NODE_USE_ENV_PROXY", "1".into()));
    let current = |name| inherited(name).filter(|value| !value.is_empty());
    set.push(("JAVA_TOOL_OPTIONS", java(proxy, &trust.trust_store, current("JAVA_TOOL_OPTIONS"))));
    set.push(("PHP_INI_SCAN_DIR", php(&trust.php, current("PHP_INI_SCAN_DIR"))));
    if let Some(path) = python(&trust.python, current("PYTHONPATH").as_deref()) {
        set.push(("PYTHONPATH", path));
    }
    let (public_key, private_key) = keys;
    for (public, private) in
        [("COMPSHARE_PUBLIC_KEY", "COMPSHARE_PRIVATE_KEY"), ("UCLOUD_PUBLIC_KEY", "UCLOUD_PRIVATE_KEY")]
    {
        set.push((public, public_key.into()));
        set.push((private, private_key.into()));
    }
    set
}

/// The inherited value comes first: Java uses the last of two settings of a property.
fn java(proxy: SocketAddr, trust_store: &Path, current: Option<OsString>) -> OsString {
    let mut options = current.map_or_else(OsString::new, |mut current| {
        current.push(" ");
        current
    });
    let (host, port) = (proxy.ip(), proxy.port());
    for scheme in ["http", "https"] {
        options.push(format!(
            "-D{scheme}.proxyHost={host} -D{scheme}.proxyPort={port} -D{scheme}.nonProxyHosts= "
        ));
    }
    options.push("-Djavax.net.ssl.trustStore=");
    options.push(OsString::from_vec(java_word(trust_store.as_os_str().as_bytes())));
    options.push(" -Djavax.net.ssl.trustStoreType=JKS -Djavax.net.ssl.trustStorePassword=");
    options.push(trust_store::PASSWORD);
    options
}

/// Java splits the variable at white space. It supports both quotation marks, but no escapes.
fn java_word(bytes: &[u8]) -> Vec<u8> {
    let mut word = Vec::new();
    for piece in bytes.chunk_by(|a, b| (*a == b'"') == (*b == b'"')) {
        let mark = if piece[0] == b'"' { b'\'' } else { b'"' };
        word.push(mark);
        word.extend(piece);
        word.push(mark);
    }
    word
}

/// An empty entry stands for the directory PHP was built with.
fn php(folder: &Path, current: Option<OsString>) -> OsString {
    let mut list = current.unwrap_or_default();
    list.push(":");
    list.push(folder);
    list
}

/// Our directory before the inherited ones. The list cannot contain a path with a colon: then Python does without.
fn python(folder: &Path, current: Option<&OsStr>) -> Option<OsString> {
    let current = current.into_iter().flat_map(std::env::split_paths);
    std::env::join_paths(std::iter::once(folder.to_owned()).chain(current)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_keeps_what_it_was_told_and_reads_any_path() {
        let proxy = "127.0.0.1:4711".parse().unwrap();
        let options = java(proxy, Path::new("/a b/it's \"it\".jks"), Some("-Xmx1g".into()));
        let options = options.into_string().unwrap();
        assert!(options.starts_with("-Xmx1g -Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=4711 "), "{options}");
        assert!(options.contains(r#"trustStore="/a b/it's "'"'"it"'"'".jks" -D"#), "{options}");
        assert!(java(proxy, Path::new("/x"), None).into_string().unwrap().starts_with("-Dhttp.proxyHost"));
    }

    #[test]
    fn php_looks_in_its_own_folders_too() {
        assert_eq!(php(Path::new("/x"), None), ":/x");
        assert_eq!(php(Path::new("/x"), Some("/etc/php".into())), "/etc/php:/x");
    }
}
