//! The chunks that an account already has.

use std::sync::Arc;

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::format::layout::Extent;
use crate::format::manifest::Decoder;
use crate::id::{ChunkId, ManifestId};

/// The most chunks that [`Writer::compare_with`](crate::Writer::compare_with) remembers, 8 bytes each: 128 GiB of a
/// disk without holes or repetitions.
pub const KNOWN_CHUNKS_MAX: usize = 1 << 19;

/// The chunks of some manifests, by the first eight bytes of their names: enough to count.
#[derive(Default)]
pub(crate) struct KnownChunks(Vec<u64>);

impl KnownChunks {
    /// Reads manifests in order, up to [`KNOWN_CHUNKS_MAX`] chunks. A missing or corrupted one adds what could be read
    /// of it.
    pub(crate) fn read(backend: &Arc<dyn Backend>, manifests: &[ManifestId]) -> Result<Self> {
        let mut ranks = Vec::new();
        for manifest in manifests {
            match add(&mut ranks, backend, *manifest) {
                Ok(()) | Err(Error::NotFound(_) | Error::Damaged { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        ranks.sort_unstable();
        ranks.dedup();
        Ok(Self(ranks))
    }

    pub(crate) fn contains(&self, id: ChunkId) -> bool {
        self.0.binary_search(&id.rank()).is_ok()
    }
}

fn add(ranks: &mut Vec<u64>, backend: &Arc<dyn Backend>, manifest: ManifestId) -> Result<()> {
    for extent in Decoder::open(backend.as_ref(), manifest)? {
        if ranks.len() == KNOWN_CHUNKS_MAX {
            break;
        }
        if let Extent::Chunk { id, .. } = extent? {
            ranks.push(id.rank());
        }
    }
    Ok(())
}
