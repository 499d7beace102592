//! The record of an instance's disk, made at declaration and checked whenever the disk is opened.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::content::Caution;
use crate::error::DiskError;
use crate::format::DiskFormat;
use crate::layer::Layer;
use crate::pattern::Pattern;
use crate::qcow2::{Backing, Header};
use crate::qemu;
use crate::reader::DiskReader;
use crate::source::Source;

/// A disk as the operator declared it: its files, top first.
///
/// This record, not the files, decides what is read. It is stored as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// The file the instance runs on, then its backing files.
    pub layers: Vec<Layer>,
    /// Size that the guest sees. For a raw disk it need not be a multiple of 512.
    pub size_bytes: u64,
    /// Its content, if it has no files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
}

/// Whether a machine may use the disk while it is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Running {
    Allowed,
    Refused,
}

impl Disk {
    /// Longest backing chain, in files. Enough for a month of daily snapshots.
    pub const LAYERS_MAX: usize = 32;
    /// Largest disk. Far above what the service stores; keeps hostile sizes out of the arithmetic.
    pub const SIZE_BYTES_MAX: u64 = 64 << 40;

    /// Inspects the disk at `path` and pins its backing chain.
    ///
    /// Without a `format`, the content decides, as it does for a backing file whose format the image above does not
    /// declare (as in QEMU). The file name never decides. Relative backing file names start at the folder of the image,
    /// with links resolved. Show the layers to the operator: they define the instance from now on.
    pub fn inspect(path: &Path, format: Option<DiskFormat>) -> Result<Disk, DiskError> {
        let mut layers: Vec<Layer> = Vec::new();
        let (mut size_bytes, mut qemu_only, mut partial_sector) = (None, None, None);
        let mut next = Some((path.to_owned(), format));
        while let Some((path, given)) = next {
            let above = layers.last().map(|layer| layer.path.clone());
            let named = |error: DiskError| match &above {
                Some(image) => error.named_by(image),
                None => error,
            };
            let path = canonical(&path).map_err(named)?;
            if layers.iter().any(|layer| layer.path == path) {
                return Err(named(DiskError::unusable(&path, "its backing chain leads back to itself")));
            }
            if layers.len() == Self::LAYERS_MAX {
                let why = format!(
                    "its backing chain is longer than {} files; shorten it with `qemu-img commit` or `rebase`",
                    Self::LAYERS_MAX
                );
                return Err(DiskError::unusable(&layers[0].path, why));
            }
            let source = Source::open(&path).map_err(named)?;
            let format = match given {
                Some(format) => format,
                None => source.content().and_then(|content| DiskFormat::of(content, &path)).map_err(named)?,
            };
            let header = read_header(&source, format).map_err(named)?;
            size_bytes.get_or_insert(disk_size(&source, header.as_ref()).map_err(named)?);
            qemu_only = qemu_only.or(header.as_ref().and_then(|header| header.qemu_only));
            partial_sector =
                partial_sector.or(header.as_ref().filter(|it| it.has_partial_sector()).map(|_| path.clone()));
            next = match header.and_then(|header| header.backing) {
                Some(backing) => Some((backing_path(&source.path, &backing)?, backing.format)),
                None => None,
            };
            layers.push(Layer { path, format });
        }
        if let (Some(feature), Some(path)) = (qemu_only, partial_sector) {
            return Err(cut_by_qemu(&path, feature));
        }
        Ok(Disk { layers, size_bytes: size_bytes.unwrap_or(0), pattern: None })
    }

    /// Creates a disk without files, of 1 to [`Disk::SIZE_BYTES_MAX`] bytes.
    pub fn of_pattern(pattern: Pattern, size_bytes: u64) -> Disk {
        debug_assert!((1..=Self::SIZE_BYTES_MAX).contains(&size_bytes));
        Disk { layers: Vec::new(), size_bytes, pattern: Some(pattern) }
    }

    /// Checks that the disk matches its declaration and that no machine writes to it. Reads only headers.
    pub fn check(&self) -> Result<(), DiskError> {
        if self.pattern.is_some() { Ok(()) } else { self.open_layers(Running::Refused).map(drop) }
    }

    /// Inspects the content of the disk and returns a warning, if any.
    ///
    /// Returns none for a disk that only QEMU reads. A machine may be running on the disk; its concurrent writes may or
    /// may not be seen.
    pub fn caution(&self) -> Result<Option<Caution>, DiskError> {
        if self.pattern.is_some() {
            return Ok(None);
        }
        let parts = self.open_layers(Running::Allowed)?;
        if parts.iter().any(|(_, header)| header.as_ref().is_some_and(|header| header.qemu_only.is_some())) {
            return Ok(None);
        }
        DiskReader::of_layers(parts, self.size_bytes)?.caution()
    }

    /// Opens the disk for reading, after checking that it matches its declaration and that no machine writes to it.
    ///
    /// If the disk has features that only QEMU reads (zstd clusters, extended L2 entries, the dirty bit), `scratch_dir`
    /// receives a raw copy, up to the size of its data, which is deleted with the reader. Making it takes as long as
    /// reading the disk. A process killed meanwhile leaves a `.jingku-convert-*` file there, which may be deleted at
    /// the next start.
    pub fn open(&self, scratch_dir: &Path) -> Result<DiskReader, DiskError> {
        self.open_while(scratch_dir, &|| true)
    }

    /// As [`Disk::open`], but fails with [`DiskError::Stopped`] soon after `proceed` returns false. It is called every
    /// few milliseconds.
    pub fn open_while(
        &self,
        scratch_dir: &Path,
        proceed: &dyn Fn() -> bool,
    ) -> Result<DiskReader, DiskError> {
        if let Some(pattern) = self.pattern {
            return Ok(DiskReader::of_pattern(pattern, self.size_bytes));
        }
        let parts = self.open_layers(Running::Refused)?;
        let qemu_only = parts.iter().find_map(|(_, header)| header.as_ref()?.qemu_only);
        match qemu_only {
            None => DiskReader::of_layers(parts, self.size_bytes),
            Some(feature) => {
                let is_cut =
                    |header: &Option<Header>| header.as_ref().is_some_and(Header::has_partial_sector);
                if let Some((source, _)) = parts.iter().find(|(_, header)| is_cut(header)) {
                    return Err(cut_by_qemu(&source.path, feature));
                }
                let converted = qemu::convert(&self.layers, self.size_bytes, feature, scratch_dir, proceed)?;
                let sources = parts.into_iter().map(|(source, _)| source).collect();
                Ok(DiskReader::of_copy(sources, converted, self.size_bytes))
            }
        }
    }

    fn open_layers(&self, running: Running) -> Result<Vec<(Source, Option<Header>)>, DiskError> {
        if self.layers.is_empty() {
            return Err(DiskError::redeclare(Path::new("The disk"), "its record names no file"));
        }
        let mut parts = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            let below = self.layers.get(index + 1);
            let (source, header) = open_layer(layer, below).map_err(|error| match index.checked_sub(1) {
                Some(above) => error.named_by(&self.layers[above].path),
                None => error,
            })?;
            if index == 0 && disk_size(&source, header.as_ref())? != self.size_bytes {
                return Err(DiskError::redeclare(&layer.path, "its size differs"));
            }
            if running == Running::Refused {
                qemu::refuse_if_written(&source)?;
            }
            parts.push((source, header));
        }
        Ok(parts)
    }
}

/// Opens one pinned layer. Fails if it or its backing file name is not what was pinned.
fn open_layer(layer: &Layer, below: Option<&Layer>) -> Result<(Source, Option<Header>), DiskError> {
    if canonical(&layer.path)? != layer.path {
        return Err(DiskError::redeclare(&layer.path, "its path now contains a link"));
    }
    let source = Source::open(&layer.path)?;
    let header = read_header(&source, layer.format)?;
    let backing = header.as_ref().and_then(|header| header.backing.as_ref());
    let same = match (backing, below) {
        (None, None) => true,
        (Some(backing), Some(below)) => {
            backing.format.is_none_or(|format| format == below.format)
                && backing_path(&source.path, backing)? == below.path
        }
        _ => false,
    };
    if same {
        Ok((source, header))
    } else {
        Err(DiskError::redeclare(&layer.path, "its backing chain differs"))
    }
}

fn cut_by_qemu(path: &Path, feature: &str) -> DiskError {
    let why = format!(
        "the size of its disk is not a multiple of 512, so qemu-img, which alone reads the {feature} of the chain, would \
         leave out its end; enlarge it with `qemu-img resize` and check its last sector"
    );
    DiskError::unusable(path, why)
}

fn canonical(path: &Path) -> Result<PathBuf, DiskError> {
    let path = path.canonicalize().map_err(DiskError::opening(path))?;
    if path.to_str().is_none() {
        return Err(DiskError::unusable(&path, "its path is not UTF-8; rename it"));
    }
    Ok(path)
}

pub(crate) fn read_header(source: &Source, format: DiskFormat) -> Result<Option<Header>, DiskError> {
    match format {
        DiskFormat::Raw => Ok(None),
        DiskFormat::Qcow2 => {
            let head = source.head(Header::HEAD_BYTES_MAX)?;
            Header::parse(&source.path, &head, source.len()).map(Some)
        }
    }
}

/// Size of the disk in one layer. Checks the limit.
fn disk_size(source: &Source, header: Option<&Header>) -> Result<u64, DiskError> {
    let size_bytes = header.map_or(source.len(), |header| header.size_bytes);
    match size_bytes {
        0 => Err(DiskError::unusable(&source.path, "its disk has a size of zero")),
        1..=Disk::SIZE_BYTES_MAX => Ok(size_bytes),
        _ => {
            let why = format!("its disk has {size_bytes} bytes; the limit is {}", Disk::SIZE_BYTES_MAX);
            Err(DiskError::unusable(&source.path, why))
        }
    }
}

/// Resolves the backing file name of an image.
fn backing_path(image: &Path, backing: &Backing) -> Result<PathBuf, DiskError> {
    // QEMU takes a prefix with a colon as a protocol (`json:`, `nbd:`, `file:`).
    let first = backing.name.split('/').next().unwrap_or_default();
    if first.contains(':') {
        let why = format!(
            "its backing file {:?} is not a plain path; point it at a file with `qemu-img rebase`",
            backing.name
        );
        return Err(DiskError::unusable(image, why));
    }
    let folder = image.parent().unwrap_or(Path::new("/"));
    canonical(&folder.join(&backing.name)).map_err(|error| error.named_by(image))
}
