//! One layer in an archive.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use crate::packing::ZSTD_WINDOW_BYTES_MAX;
use crate::tree::invalid;

/// A file in an archive.
#[derive(Clone, Copy)]
pub(super) struct Member {
    pub(super) start: u64,
    pub(super) size: u64,
}

/// A layer in a file, and the digest that its content must have.
#[derive(Clone, Debug)]
pub(super) struct LayerFile {
    file: Arc<File>,
    start: u64,
    size: u64,
    diff_id: String,
}

impl LayerFile {
    /// The layer in this place of a file; `None` if the digest is not one.
    pub(super) fn new(file: Arc<File>, member: Member, diff_id: String) -> Option<Self> {
        let Member { start, size } = member;
        let is_digest = diff_id.strip_prefix("sha256:").is_some_and(is_hex);
        is_digest.then_some(Self { file, start, size, diff_id })
    }

    pub(super) fn packed_bytes(&self) -> u64 {
        self.size
    }

    /// Reads the content, unpacked. Its end is reached only if it has the digest. Fails after `bytes_max` bytes.
    pub(super) fn read(&self, bytes_max: u64) -> io::Result<LayerContent> {
        let mut magic = [0; 4];
        let length = usize::try_from(self.size).unwrap_or(4).min(4);
        self.file.read_exact_at(&mut magic[..length], self.start)?;
        let part = BufReader::new(Part {
            file: Arc::clone(&self.file),
            at: self.start,
            end: self.start + self.size,
        });
        let content: Box<dyn Read + Send> = match magic {
            [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(part)),
            [0x28, 0xb5, 0x2f, 0xfd] => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(part)?;
                decoder.window_log_max(ZSTD_WINDOW_BYTES_MAX.ilog2())?;
                Box::new(decoder)
            }
            _ => Box::new(part),
        };
        let diff_id = self.diff_id.clone();
        Ok(LayerContent { content, hasher: Some(Sha256::new()), diff_id, bytes_left: bytes_max })
    }
}

/// Whether a text is a SHA-256 digest.
pub(super) fn is_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The bytes of a file from one place to another.
struct Part {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Read for Part {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let length = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(buf.len());
        let read = self.file.read_at(&mut buf[..length], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// The content of a layer, hashed while it is read.
pub(super) struct LayerContent {
    content: Box<dyn Read + Send>,
    /// Taken at the end.
    hasher: Option<Sha256>,
    diff_id: String,
    bytes_left: u64,
}

impl LayerContent {
    /// Bytes that may still be read.
    pub(super) fn bytes_left(&self) -> u64 {
        self.bytes_left
    }

    pub(super) fn too_large() -> io::Error {
        invalid("it unpacks to more than it may")
    }
}

impl Read for LayerContent {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(buf)?;
        self.bytes_left = self.bytes_left.checked_sub(read as u64).ok_or_else(Self::too_large)?;
        if read > 0 {
            if let Some(hasher) = &mut self.hasher {
                hasher.update(&buf[..read]);
            }
        } else if !buf.is_empty()
            && let Some(hasher) = self.hasher.take()
            && format!("sha256:{}", hex::encode(hasher.finalize())) != self.diff_id
        {
            return Err(invalid("a layer is not what the configuration says"));
        }
        Ok(read)
    }
}
