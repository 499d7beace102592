//! Checks the tables of an untrusted qcow2 file before they are used.
//!
//! This bounds what is read later: every table and cluster is inside the file and used once, so a small file cannot
//! pose as a large disk full of data.

use std::ops::Range;

use bit_vec::BitVec;
use flate2::{Decompress, FlushDecompress, Status};

use super::header::Header;
use crate::error::DiskError;
use crate::raw::read_padded;
use crate::source::Source;

/// Clusters of a file that can be tracked, one bit each in two maps of 16 MiB. 8 TiB at the usual 64 KiB.
const CLUSTERS_MAX: u64 = 128 << 20;
/// Entries of the L1 table read at once.
const ENTRIES: usize = 8192;
/// Offset in the header of the refcount table's position: an offset, then a number of clusters.
const REFCOUNT_FIELDS: u64 = 48;
/// The largest expansion by deflate.
const DEFLATE_RATIO_MAX: u64 = 1032;

/// Bits of an entry that contain an offset in the file.
pub(super) const OFFSET_MASK: u64 = 0x00ff_ffff_ffff_fe00;
const COMPRESSED: u64 = 1 << 62;

/// Checks that all tables and clusters are aligned, inside the file, and do not overlap.
pub(crate) fn check_tables(source: &Source, header: &Header) -> Result<(), DiskError> {
    let clusters = source.len().div_ceil(header.cluster_bytes());
    if clusters > CLUSTERS_MAX {
        let why = format!(
            "it has more than {CLUSTERS_MAX} clusters; rewrite it with larger ones, \
             `qemu-img convert -O qcow2 -o cluster_size=65536`"
        );
        return Err(DiskError::unusable(&source.path, why));
    }
    let unused = BitVec::from_elem(index(clusters), false);
    let mut walk = Walk { source, header, own: unused.clone(), shared: unused, compressed_clusters: 0 };
    walk.run()
}

struct Walk<'a> {
    source: &'a Source,
    header: &'a Header,
    /// Clusters of the file with exclusive use.
    own: BitVec,
    /// Clusters of the file that contain compressed ones.
    shared: BitVec,
    compressed_clusters: u64,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<(), DiskError> {
        self.take(0, 1)?;
        let l1_bytes = u64::from(self.header.l1_entries) * 8;
        self.take(self.header.l1_offset, l1_bytes)?;
        self.take_refcounts()?;
        let cluster_bytes = self.header.cluster_bytes();
        let mut second = vec![0; index(cluster_bytes)];
        self.each_cluster_of(self.header.l1_offset, l1_bytes, |walk, number, offset| {
            walk.read(offset, &mut second)?;
            let first = number.saturating_mul(cluster_bytes / 8);
            for (entry, number) in second.as_chunks().0.iter().zip(first..) {
                walk.cluster(u64::from_be_bytes(*entry), number.saturating_mul(cluster_bytes))?;
            }
            Ok(())
        })
    }

    /// Reads a table, reserves the clusters that its entries lead to, and visits each with the number of its entry.
    fn each_cluster_of(
        &mut self,
        table_offset: u64,
        table_bytes: u64,
        mut visit: impl FnMut(&mut Self, u64, u64) -> Result<(), DiskError>,
    ) -> Result<(), DiskError> {
        let (mut table, mut at) = (vec![0; ENTRIES * 8], 0);
        while at < table_bytes {
            let piece = usize::try_from(table_bytes - at).map_or(table.len(), |left| left.min(table.len()));
            self.read(table_offset + at, &mut table[..piece])?;
            for (entry, number) in table[..piece].as_chunks().0.iter().zip(at / 8..) {
                let offset = u64::from_be_bytes(*entry) & OFFSET_MASK;
                if offset != 0 {
                    self.take(offset, self.header.cluster_bytes())?;
                    visit(self, number, offset)?;
                }
            }
            at += piece as u64;
        }
        Ok(())
    }

    /// Reserves the refcount structures, which are not read but must not overlap anything.
    fn take_refcounts(&mut self) -> Result<(), DiskError> {
        let (mut offset, mut clusters) = ([0; 8], [0; 4]);
        self.read(REFCOUNT_FIELDS, &mut offset)?;
        self.read(REFCOUNT_FIELDS + 8, &mut clusters)?;
        let offset = u64::from_be_bytes(offset);
        let bytes = u64::from(u32::from_be_bytes(clusters)) * self.header.cluster_bytes();
        self.take(offset, bytes)?;
        self.each_cluster_of(offset, bytes, |_, _, _| Ok(()))
    }

    /// Checks an L2 entry: where the cluster at this offset of the disk is stored.
    fn cluster(&mut self, entry: u64, place: u64) -> Result<(), DiskError> {
        if entry & COMPRESSED != 0 {
            // The larger the clusters, the fewer bits the offset has.
            let offset_bits = 62 - (self.header.cluster_bits - 8);
            let offset = entry & ((1 << offset_bits) - 1);
            let sectors = (entry & (COMPRESSED - 1)) >> offset_bits;
            return self.compressed(offset, sectors);
        }
        match entry & OFFSET_MASK {
            0 => Ok(()),
            // The last cluster may only lack what is beyond the end of the disk; otherwise the file was truncated.
            offset => {
                let disk_bytes = self.header.size_bytes.saturating_sub(place);
                self.take(offset, disk_bytes.clamp(1, self.header.cluster_bytes()))
            }
        }
    }

    fn compressed(&mut self, offset: u64, sectors: u64) -> Result<(), DiskError> {
        // Sizes are in whole sectors; the file may end within the last one.
        let end = (offset / 512 + sectors + 1).saturating_mul(512);
        if offset >= self.source.len() || end >= self.source.len().saturating_add(512) {
            return Err(self.damaged("a table leads to data past the end of the file"));
        }
        self.compressed_clusters += 1;
        let unpacked = self.compressed_clusters.saturating_mul(self.header.cluster_bytes());
        if unpacked / DEFLATE_RATIO_MAX > self.source.len() {
            return Err(self.damaged("it claims more compressed data than fits into the file"));
        }
        if end > self.source.len() && !self.is_whole(offset)? {
            return Err(self.damaged("its last compressed cluster is cut off"));
        }
        for cluster in self.clusters(offset, end.min(self.source.len())) {
            if self.own[cluster] {
                return Err(self.overlap());
            }
            self.shared.set(cluster, true);
        }
        Ok(())
    }

    /// Whether the compressed cluster at the end of the file is complete.
    fn is_whole(&self, offset: u64) -> Result<bool, DiskError> {
        let cluster_bytes = index(self.header.cluster_bytes());
        let packed_bytes = usize::try_from(self.source.len() - offset).unwrap_or(usize::MAX);
        // Clusters are stored compressed only if that makes them smaller.
        let mut packed = vec![0; packed_bytes.min(cluster_bytes)];
        self.read(offset, &mut packed)?;
        let mut unpacked = Vec::with_capacity(cluster_bytes);
        let mut decoder = Decompress::new(false);
        let status = decoder.decompress_vec(&packed, &mut unpacked, FlushDecompress::Finish);
        Ok(matches!(status, Ok(Status::StreamEnd)) && unpacked.len() == cluster_bytes)
    }

    /// Reserves a part of the file for exclusive use.
    fn take(&mut self, offset: u64, bytes: u64) -> Result<(), DiskError> {
        if !offset.is_multiple_of(self.header.cluster_bytes()) {
            return Err(self.damaged("a table leads to a place that is not aligned to a cluster"));
        }
        if offset.checked_add(bytes).is_none_or(|end| end > self.source.len()) {
            return Err(self.damaged("a table leads to a place past the end of the file"));
        }
        for cluster in self.clusters(offset, offset + bytes) {
            if self.own[cluster] || self.shared[cluster] {
                return Err(self.overlap());
            }
            self.own.set(cluster, true);
        }
        Ok(())
    }

    fn clusters(&self, start: u64, end: u64) -> Range<usize> {
        index(start >> self.header.cluster_bits)..index(end.div_ceil(self.header.cluster_bytes()))
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), DiskError> {
        let source = self.source;
        read_padded(&source.file, offset, into).map(drop).map_err(DiskError::io("read", &source.path))
    }

    fn overlap(&self) -> DiskError {
        self.damaged("two of its tables or clusters lie in the same place")
    }

    fn damaged(&self, why: &str) -> DiskError {
        DiskError::damaged(&self.source.path, why)
    }
}

/// A cluster, or the bytes of one: both are bounded and fit in memory.
fn index(number: u64) -> usize {
    usize::try_from(number).expect("a bounded number fits in memory")
}
