//! Arbitrary bytes as the archive of an image, and as the layers of one.

use std::fs;
use std::io::Read;
use std::path::Path;

use jingku_sources::oci::{ArchiveError, ImageArchive, digest};
use jingku_sources::tree::Rules;

use crate::tree::{filter, reseal};

/// The most bytes that an image may unpack to.
const BYTES_MAX: u64 = 1 << 20;
/// Ends a layer in the input.
pub(crate) const NEXT_LAYER: &[u8] = b"-- next layer --";

pub(crate) fn run(input: &[u8]) {
    let mut bytes = input.to_vec();
    reseal(&mut bytes);
    let folder = tempfile::tempdir().expect("a folder");
    open(&folder.path().join("image.tar"), &bytes);
    let mut layers = Vec::new();
    let mut rest = input;
    while let Some(at) = rest.windows(NEXT_LAYER.len()).position(|window| window == NEXT_LAYER) {
        layers.push(rest[..at].to_vec());
        rest = &rest[at + NEXT_LAYER.len()..];
    }
    layers.push(rest.to_vec());
    for layer in &mut layers {
        reseal(layer);
    }
    open(&folder.path().join("layers.tar"), &image_of(&layers));
}

/// Opens an archive and reads its layers as one.
fn open(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("a file");
    match ImageArchive::open(path) {
        Ok(Some(archive)) => {
            assert!(archive.packed_bytes() <= bytes.len() as u64 * 1000);
            let (mut flat, mut flatten) = (Vec::new(), archive.flatten(BYTES_MAX));
            let result = flatten.read_to_end(&mut flat);
            assert!(flat.len() as u64 <= BYTES_MAX + 1024, "{} bytes", flat.len());
            if result.is_ok() {
                filter(&flat, Rules::default()).expect("a layer is an archive");
            }
        }
        Ok(None) | Err(ArchiveError::Refused(_)) => {}
        Err(ArchiveError::Io(error)) => panic!("refused, but not as damaged: {error}"),
    }
}

/// The archive of an image with these layers, as `docker save` writes it.
pub(crate) fn image_of(layers: &[Vec<u8>]) -> Vec<u8> {
    let names: Vec<String> = (0..layers.len()).map(|number| format!("\"{number}/layer.tar\"")).collect();
    let digests: Vec<String> = layers.iter().map(|layer| format!("\"{}\"", digest(layer))).collect();
    let manifest = format!(r#"[{{"Config":"config.json","Layers":[{}]}}]"#, names.join(","));
    let config = format!(r#"{{"config":{{}},"rootfs":{{"diff_ids":[{}]}}}}"#, digests.join(","));
    let mut archive = Vec::new();
    let documents = [("manifest.json".to_owned(), manifest), ("config.json".to_owned(), config)];
    let documents = documents.map(|(name, text)| (name, text.into_bytes()));
    let contents = (0..).map(|number: usize| format!("{number}/layer.tar")).zip(layers.iter().cloned());
    for (name, content) in documents.into_iter().chain(contents) {
        append(&mut archive, b'0', &name, "", &content);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// Appends an entry to an archive without its end.
pub(crate) fn append(archive: &mut Vec<u8>, kind: u8, path: &str, link: &str, content: &[u8]) {
    let mut header = [0; 512];
    header[..path.len()].copy_from_slice(path.as_bytes());
    header[100..107].copy_from_slice(b"0000644");
    header[108..115].fill(b'0');
    header[116..123].fill(b'0');
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[136..147].fill(b'0');
    header[156] = kind;
    header[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header[257..265].copy_from_slice(b"ustar\x0000");
    reseal(&mut header);
    archive.extend(header);
    archive.extend(content);
    archive.resize(archive.len().next_multiple_of(512), 0);
}
