//! The header of a qcow2 file, validated against QEMU's limits.

use std::path::Path;

use crate::error::DiskError;
use crate::format::DiskFormat;

/// QEMU counts qcow2 disks in sectors of this size.
pub(crate) const SECTOR_BYTES: u64 = 512;
const MAGIC: u32 = 0x5146_49fb;
/// Clusters of 512 bytes to 2 MiB: the limits of the format and of QEMU.
const CLUSTER_BITS: std::ops::RangeInclusive<u32> = 9..=21;
/// QEMU's limit for the L1 table, which is held in memory.
const L1_BYTES_MAX: u64 = 32 << 20;
/// The format's limit for a backing file name.
const BACKING_NAME_BYTES_MAX: usize = 1023;
const V2_HEADER_BYTES: usize = 72;
/// The shortest header of version 3, in bytes.
const V3_HEADER_BYTES_MIN: usize = 104;
/// The most header extensions of a qcow2 image that are read; no program writes that many.
const EXTENSIONS_MAX: usize = 256;

const EXTENSION_BACKING_FORMAT: u32 = 0xe279_2aca;
const EXTENSION_FEATURE_NAMES: u32 = 0x6803_f857;
/// Kind, bit and name of a feature.
const FEATURE_NAME_BYTES: usize = 48;

const FEATURE_DIRTY: u64 = 1 << 0;
const FEATURE_CORRUPT: u64 = 1 << 1;
const FEATURE_EXTERNAL_DATA: u64 = 1 << 2;
const FEATURE_COMPRESSION_TYPE: u64 = 1 << 3;
const FEATURE_EXTENDED_L2: u64 = 1 << 4;
const FEATURES_KNOWN: u64 = (1 << 5) - 1;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) cluster_bits: u32,
    /// Size of the disk that the guest sees.
    pub(crate) size_bytes: u64,
    pub(crate) l1_offset: u64,
    pub(crate) l1_entries: u32,
    pub(crate) backing: Option<Backing>,
    /// A feature that only QEMU reads.
    pub(crate) qemu_only: Option<&'static str>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Backing {
    pub(crate) name: String,
    /// `None` in images of old tools.
    pub(crate) format: Option<DiskFormat>,
}

impl Header {
    /// Bytes at the start of a file that contain any header: the largest cluster.
    pub(crate) const HEAD_BYTES_MAX: usize = 1 << *CLUSTER_BITS.end();

    /// Parses the head of a qcow2 file of `file_len` bytes.
    pub(crate) fn parse(path: &Path, head: &[u8], file_len: u64) -> Result<Header, DiskError> {
        let fields = Fields { path, bytes: head };
        if fields.u32(0).ok() != Some(MAGIC) {
            return Err(DiskError::unusable(path, "it is not a qcow2 image; declare it as raw if it is one"));
        }
        let version = fields.u32(4)?;
        let (header_len, features) = match version {
            2 => (V2_HEADER_BYTES, 0),
            3 => (fields.u32(100)? as usize, fields.u64(72)?),
            _ => return Err(DiskError::unusable(path, format!("qcow2 version {version} is not known"))),
        };
        let cluster_bits = fields.u32(20)?;
        if !CLUSTER_BITS.contains(&cluster_bits) {
            return Err(DiskError::damaged(path, format!("clusters of 2^{cluster_bits} bytes do not exist")));
        }
        if version == 3 && !(V3_HEADER_BYTES_MIN..=1 << cluster_bits).contains(&header_len) {
            return Err(DiskError::damaged(path, format!("its header claims to be {header_len} bytes long")));
        }
        if fields.u32(32)? != 0 {
            return Err(DiskError::unusable(path, "it is encrypted; convert it to a plain qcow2 first"));
        }
        let qemu_only = check_features(path, features)?;
        let cluster = Fields { path, bytes: &head[..head.len().min(1 << cluster_bits)] };
        if version == 3 {
            check_feature_names(cluster, header_len)?;
        }
        let header = Header {
            cluster_bits,
            size_bytes: fields.u64(24)?,
            l1_entries: fields.u32(36)?,
            l1_offset: fields.u64(40)?,
            backing: parse_backing(cluster, header_len)?,
            qemu_only,
        };
        header.check_l1(path, features & FEATURE_EXTENDED_L2 != 0, file_len)?;
        Ok(header)
    }

    pub(crate) fn cluster_bytes(&self) -> u64 {
        1 << self.cluster_bits
    }

    /// Whether the size is not a multiple of a sector: QEMU ignores the rest.
    pub(crate) fn has_partial_sector(&self) -> bool {
        !self.size_bytes.is_multiple_of(SECTOR_BYTES)
    }

    /// Checks that the L1 table is aligned, within the limit, inside the file, and covers the disk.
    fn check_l1(&self, path: &Path, extended: bool, file_len: u64) -> Result<(), DiskError> {
        let entry_bytes = if extended { 16 } else { 8 };
        let covered_by_entry = self.cluster_bytes() / entry_bytes * self.cluster_bytes();
        let entries_needed = self.size_bytes.div_ceil(covered_by_entry);
        let bytes = u64::from(self.l1_entries) * 8;
        if bytes > L1_BYTES_MAX {
            let why = format!("its first table is {bytes} bytes long; the limit is {L1_BYTES_MAX}");
            return Err(DiskError::unusable(path, why));
        }
        if u64::from(self.l1_entries) < entries_needed {
            return Err(DiskError::damaged(path, "its first table does not cover the size it claims"));
        }
        if !self.l1_offset.is_multiple_of(self.cluster_bytes()) {
            return Err(DiskError::damaged(path, "its first table is not aligned to a cluster"));
        }
        if self.l1_offset.checked_add(bytes).is_none_or(|end| end > file_len) {
            return Err(DiskError::damaged(path, "its first table lies outside the file"));
        }
        Ok(())
    }
}

/// Refuses unsupported features and returns one that only QEMU reads.
fn check_features(path: &Path, features: u64) -> Result<Option<&'static str>, DiskError> {
    if features & !FEATURES_KNOWN != 0 {
        let why = format!("it uses qcow2 features that are not known (incompatible features {features:#x})");
        return Err(DiskError::unusable(path, why));
    }
    if features & FEATURE_EXTERNAL_DATA != 0 {
        let why = "its data lies in another file which it names itself; convert it with \
                   `qemu-img convert -O qcow2` first";
        return Err(DiskError::unusable(path, why));
    }
    if features & FEATURE_CORRUPT != 0 {
        return Err(DiskError::damaged(path, "QEMU marked it as corrupt"));
    }
    let qemu_only = [
        (FEATURE_EXTENDED_L2, "subclusters (extended L2 entries)"),
        (FEATURE_COMPRESSION_TYPE, "zstd compression"),
        // Only reference counts may be wrong, which reading does not need; but imago refuses it.
        (FEATURE_DIRTY, "dirty bit (it was not closed properly)"),
    ];
    Ok(qemu_only.into_iter().find(|(feature, _)| features & feature != 0).map(|(_, name)| name))
}

fn parse_backing(cluster: Fields<'_>, header_len: usize) -> Result<Option<Backing>, DiskError> {
    let path = cluster.path;
    let (offset, len) = (cluster.u64(8)?, cluster.u32(16)? as usize);
    if offset == 0 {
        return Ok(None);
    }
    if len > BACKING_NAME_BYTES_MAX {
        let why = format!("its backing file name is {len} bytes long; the limit is {BACKING_NAME_BYTES_MAX}");
        return Err(DiskError::damaged(path, why));
    }
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    let Some(name) = cluster.part(offset, len) else {
        return Err(DiskError::damaged(path, "its backing file name lies outside the header"));
    };
    let name = std::str::from_utf8(name).map_err(|_| {
        DiskError::unusable(path, "its backing file name is not UTF-8; rename the file below it")
    })?;
    // QEMU treats an empty name as no backing file.
    if name.is_empty() {
        return Ok(None);
    }
    let format = match backing_format(Fields { path, bytes: &cluster.bytes[..offset] }, header_len)? {
        None => None,
        // Very old tools write "file" for raw.
        Some(b"raw" | b"file") => Some(DiskFormat::Raw),
        Some(b"qcow2") => Some(DiskFormat::Qcow2),
        Some(other) => {
            let other = String::from_utf8_lossy(other);
            let why = format!("its backing file has the format {other:?}; only raw and qcow2 are read");
            return Err(DiskError::unusable(path, why));
        }
    };
    Ok(Some(Backing { name: name.to_owned(), format }))
}

/// Walks the header extensions, which end at the backing file name, and returns the backing format.
fn backing_format(header: Fields<'_>, header_len: usize) -> Result<Option<&[u8]>, DiskError> {
    for extension in extensions(header, header_len) {
        let (kind, at, len) = extension?;
        let Some(content) = header.part(at, len) else {
            return Err(DiskError::damaged(header.path, "a header extension does not fit into the header"));
        };
        if kind == EXTENSION_BACKING_FORMAT {
            return Ok(Some(content));
        }
    }
    Ok(None)
}

/// Refuses a feature name table that ends within a name: imago panics on it.
fn check_feature_names(cluster: Fields<'_>, header_len: usize) -> Result<(), DiskError> {
    for extension in extensions(cluster, header_len) {
        let (kind, _, len) = extension?;
        if kind == EXTENSION_FEATURE_NAMES && !len.is_multiple_of(FEATURE_NAME_BYTES) {
            return Err(DiskError::damaged(cluster.path, "its table of feature names is cut off"));
        }
    }
    Ok(())
}

/// The kind, offset and length of each header extension. Its content may lie outside the header.
fn extensions(
    header: Fields<'_>,
    mut at: usize,
) -> impl Iterator<Item = Result<(u32, usize, usize), DiskError>> {
    let next = move || {
        let kind = header.u32(at).ok().filter(|kind| *kind != 0)?;
        let len = header.u32(at + 4).ok()? as usize;
        let content = at + 8;
        at = content + len.next_multiple_of(8);
        Some((kind, content, len))
    };
    std::iter::from_fn(next).zip(1..).map(move |(extension, number)| {
        if number > EXTENSIONS_MAX {
            let why = format!("it has more than {EXTENSIONS_MAX} header extensions");
            return Err(DiskError::damaged(header.path, why));
        }
        Ok(extension)
    })
}

/// Big-endian fields of a header.
#[derive(Clone, Copy)]
struct Fields<'a> {
    path: &'a Path,
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    fn part(self, at: usize, len: usize) -> Option<&'a [u8]> {
        self.bytes.get(at..at.checked_add(len)?)
    }

    fn field<const N: usize>(self, at: usize) -> Result<[u8; N], DiskError> {
        let field = self.bytes.get(at..).and_then(|rest| rest.first_chunk().copied());
        field.ok_or_else(|| DiskError::damaged(self.path, "its header is cut off"))
    }

    fn u32(self, at: usize) -> Result<u32, DiskError> {
        self.field(at).map(u32::from_be_bytes)
    }

    fn u64(self, at: usize) -> Result<u64, DiskError> {
        self.field(at).map(u64::from_be_bytes)
    }
}
