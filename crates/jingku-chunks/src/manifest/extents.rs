//! Reads a manifest entry by entry.

use std::io::Read;

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::format::layout::Extent;
use crate::format::manifest::{DecodeError, Decoder};
use crate::id::ManifestId;
use crate::key::Key;

/// Reads a manifest entry by entry.
///
/// If the manifest does not match its name, the last entry is followed by an error. Nothing follows an error.
pub struct Extents {
    key: Key,
    id: ManifestId,
    pub(super) decoder: Decoder<Box<dyn Read + Send>>,
    ended: bool,
}

impl Extents {
    pub(crate) fn open(backend: &dyn Backend, id: ManifestId) -> Result<Self> {
        let key = Key::Manifest(id);
        let object = backend.read(key)?;
        let decoder = Decoder::new(object.body).map_err(|e| decode_error(key, e))?;
        Ok(Self { key, id, decoder, ended: false })
    }

    /// Returns the bytes covered by the entries read so far; after the last one, the size of the disk or stream.
    pub(crate) fn covered(&self) -> u64 {
        self.decoder.position()
    }

    fn advance(&mut self) -> Result<Option<Extent>, DecodeError> {
        let extent = self.decoder.next()?;
        if extent.is_none() && self.decoder.finish()? != self.id {
            return Err(DecodeError::Malformed("it is another manifest"));
        }
        Ok(extent)
    }
}

impl Iterator for Extents {
    type Item = Result<Extent>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let extent = self.advance().map_err(|e| decode_error(self.key, e)).transpose();
        self.ended = !matches!(extent, Some(Ok(_)));
        extent
    }
}

pub(super) fn decode_error(key: Key, error: DecodeError) -> Error {
    match error {
        DecodeError::Io(source) => Error::io(format!("read {key}"), source),
        DecodeError::Malformed(reason) => Error::Damaged { key, reason },
    }
}
