//! Lists unfinished multipart uploads, which `s3s-fs` cannot.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use http::{Method, Uri};

/// Small, so that tests need several pages.
const PAGE: usize = 2;
/// When all uploads began.
const INITIATED: &str = "2026-01-01T00:00:00.000Z";

/// Unfinished uploads: path of the URL and id.
#[derive(Default)]
pub(super) struct Uploads(BTreeSet<(String, String)>);

impl Uploads {
    /// Records what a successful request has changed.
    pub(super) fn note(&mut self, method: &Method, uri: &Uri, body: &[u8]) {
        if let Some(id) = parameter(uri, "uploadId").filter(|_| method != Method::PUT) {
            self.0.remove(&(uri.path().to_owned(), id));
        } else if method == Method::POST && parameter(uri, "uploads").is_some() {
            let body = String::from_utf8_lossy(body);
            let id = body.split_once("<UploadId>").and_then(|(_, rest)| rest.split_once("</UploadId>"));
            self.0.extend(id.map(|(id, _)| (uri.path().to_owned(), id.to_owned())));
        }
    }

    /// The answer to a request that lists uploads.
    pub(super) fn list(&self, method: &Method, uri: &Uri) -> Option<String> {
        if method != Method::GET {
            return None;
        }
        parameter(uri, "uploads")?;
        let text = |name| parameter(uri, name).unwrap_or_default();
        let after = (text("key-marker"), text("upload-id-marker"));
        let below = text("prefix");
        let keys = self.0.iter().filter_map(|(path, id)| {
            let key = path.strip_prefix(uri.path())?.trim_start_matches('/').to_owned();
            Some((key, id.clone())).filter(|upload| upload.0.starts_with(&below) && *upload > after)
        });
        let found: Vec<_> = keys.collect();
        let mut xml =
            format!("<ListMultipartUploadsResult><IsTruncated>{}</IsTruncated>", found.len() > PAGE);
        for (key, id) in found.iter().take(PAGE) {
            let _ = write!(
                xml,
                "<Upload><Key>{key}</Key><UploadId>{id}</UploadId><Initiated>{INITIATED}</Initiated></Upload>"
            );
        }
        if let Some((key, id)) = found.get(..PAGE).and_then(<[_]>::last) {
            let _ = write!(
                xml,
                "<NextKeyMarker>{key}</NextKeyMarker><NextUploadIdMarker>{id}</NextUploadIdMarker>"
            );
        }
        xml.push_str("</ListMultipartUploadsResult>");
        Some(xml)
    }
}

fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query()?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, value) = pairs.into_iter().find(|(known, _)| *known == name)?;
    Some(value.replace("%2F", "/"))
}
