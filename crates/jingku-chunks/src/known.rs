//! The chunks that an account already has.

use std::sync::Arc;

use crate::backend::Backend;
use crate::census::Census;
use crate::error::{Error, Result};
use crate::format::layout::Extent;
use crate::format::manifest::Decoder;
use crate::id::{ChunkId, ManifestId};

/// The most chunks that [`Writer::compare_with`](crate::Writer::compare_with) remembers, 8 bytes each: 128 GiB of a
/// disk without holes or repetitions.
pub const KNOWN_CHUNKS_MAX: usize = 1 << 19;

/// The chunks of manifests, of which at most [`KNOWN_CHUNKS_MAX`] are remembered.
pub struct Known(Census<()>);

impl Known {
    pub(crate) fn of(backend: &Arc<dyn Backend>, manifests: &[ManifestId]) -> Result<Self> {
        read(backend, manifests).map(Self)
    }

    /// Returns whether the manifests have a chunk of these bytes.
    pub fn contains(&self, plain: &[u8]) -> bool {
        self.0.get(ChunkId::of(plain)).is_some()
    }
}

/// Reads the chunks of manifests in order, up to [`KNOWN_CHUNKS_MAX`]. A missing or corrupted manifest adds what could
/// be read of it.
pub(crate) fn read(backend: &Arc<dyn Backend>, manifests: &[ManifestId]) -> Result<Census<()>> {
    let mut ranks = Vec::new();
    for manifest in manifests {
        let mut add = || {
            for extent in Decoder::open(backend.as_ref(), *manifest)? {
                if ranks.len() == KNOWN_CHUNKS_MAX {
                    break;
                }
                if let Extent::Chunk { id, .. } = extent? {
                    ranks.push((id.rank(), ()));
                }
            }
            Ok(())
        };
        match add() {
            Err(Error::NotFound(_) | Error::Damaged { .. }) => {}
            added => added?,
        }
    }
    let mut known = Census::default();
    known.add(ranks);
    Ok(known)
}
