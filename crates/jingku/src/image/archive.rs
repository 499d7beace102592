//! The archive of a container image, from the documents that the server has of it.

use std::time::Duration;

use compshare::Image;
use jingku_library::{Frame, Layer};
use serde::Deserialize;

use crate::args::ExportFormat;
use crate::connection::Connection;
use crate::failure::{Exit, Failure};
use crate::messages::tr;

/// How long the server may take to send a document, which has some kilobytes.
const DOCUMENT_TIMEOUT: Duration = Duration::from_mins(1);
/// The most bytes of a document. Registries accept manifests of this size.
const DOCUMENT_BYTES_MAX: usize = 4 << 20;
/// The tag of every image.
const TAG: &str = "latest";

#[derive(Deserialize)]
struct Manifest {
    config: Config,
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
struct Config {
    digest: String,
}

/// The archive of an image in one of the two formats, without its layer.
pub(super) async fn frame(
    connection: &Connection<'_>,
    image: &Image,
    format: ExportFormat,
) -> Result<Frame, Failure> {
    let text = fetch(connection, image, &format!("manifests/{TAG}")).await?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(Failure::fault)?;
    let [layer] = &manifest.layers[..] else {
        return Err(Failure::fault("the manifest has several layers"));
    };
    let config = fetch(connection, image, &format!("blobs/{}", manifest.config.digest)).await?;
    Ok(if format == ExportFormat::Oci {
        Frame::oci_archive(&text, &config, layer, &tagged(image))
    } else {
        Frame::docker_archive(&config, layer, &tagged(image))
    })
}

/// Reads a document of the image from the registry that the server is.
async fn fetch(connection: &Connection<'_>, image: &Image, what: &str) -> Result<String, Failure> {
    let url = format!("{}/v2/{}/{what}", connection.base_url.trim_end_matches('/'), image.repository);
    let client = reqwest::Client::new();
    let request = client.get(url).basic_auth(&connection.public_key, Some(&connection.private_key));
    let request = request.timeout(DOCUMENT_TIMEOUT);
    let response = request.send().await.and_then(reqwest::Response::error_for_status);
    let (mut response, mut text) = (response.map_err(unreadable)?, Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(unreadable)? {
        text.extend_from_slice(&chunk);
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(Failure::fault(format!("a document has more than {DOCUMENT_BYTES_MAX} bytes")));
        }
    }
    String::from_utf8(text).map_err(Failure::fault)
}

fn unreadable(error: reqwest::Error) -> Failure {
    Failure::new(Exit::Fault, tr!("image-export-documents", error = error.without_url().to_string()))
}

/// The name that an engine gives the image when it loads the archive.
fn tagged(image: &Image) -> String {
    let name = image.repository.rsplit('/').next().unwrap_or_default();
    format!("localhost/{name}:{TAG}")
}
