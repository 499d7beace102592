//! The record of an instance's disk, made at declaration and checked whenever the disk is opened.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::content::Caution;
use crate::error::DiskError;
use crate::format::{DiskFormat, Layer};
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
        let (mut layers, mut parts) = (Vec::<Layer>::new(), Vec::<Part>::new());
        let mut next = Some((path.to_owned(), format));
        while let Some((path, given)) = next {
            if layers.len() == Self::LAYERS_MAX {
                let why = format!(
                    "its backing chain is longer than {} files; shorten it with `qemu-img commit` or `rebase`",
                    Self::LAYERS_MAX
                );
                return Err(DiskError::unusable(&layers[0].path, why));
            }
            let inspected = inspect_layer(&path, given, &layers);
            let (layer, (source, header)) = inspected.map_err(|error| named(error, &layers))?;
            next = match header.as_ref().and_then(|header| header.backing.as_ref()) {
                Some(backing) => Some((backing_path(&layer.path, backing)?, backing.format)),
                None => None,
            };
            layers.push(layer);
            parts.push((source, header));
        }
        qemu_only(&parts)?;
        let size_bytes = disk_size(&parts[0])?;
        Ok(Disk { layers, size_bytes, pattern: None })
    }

    /// Creates a disk without files, of 1 to [`Disk::SIZE_BYTES_MAX`] bytes.
    pub fn of_pattern(pattern: Pattern, size_bytes: u64) -> Disk {
        debug_assert!((1..=Self::SIZE_BYTES_MAX).contains(&size_bytes));
        Disk { layers: Vec::new(), size_bytes, pattern: Some(pattern) }
    }

    /// Checks that the disk matches its declaration and that no machine writes to it. Reads only headers.
    pub fn check(&self) -> Result<(), DiskError> {
        if self.pattern.is_some() { Ok(()) } else { self.open_layers(qemu::refuse_if_written).map(drop) }
    }

    /// Inspects the content of the disk and returns a warning, if any.
    ///
    /// Returns none for a disk that only QEMU reads. A machine may be running on the disk; its concurrent writes may or
    /// may not be seen.
    pub fn caution(&self) -> Result<Option<Caution>, DiskError> {
        if self.pattern.is_some() {
            return Ok(None);
        }
        let parts = self.open_layers(|_| Ok(()))?;
        match qemu_only(&parts) {
            Ok(None) => DiskReader::of_layers(parts, self.size_bytes)?.caution(),
            _ => Ok(None),
        }
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
        let parts = self.open_layers(qemu::refuse_if_written)?;
        let Some(feature) = qemu_only(&parts)? else {
            return DiskReader::of_layers(parts, self.size_bytes);
        };
        let converted = qemu::convert(&self.layers, self.size_bytes, feature, scratch_dir, proceed)?;
        let sources = parts.into_iter().map(|(source, _)| source).collect();
        Ok(DiskReader::of_copy(sources, converted, self.size_bytes))
    }

    fn open_layers(&self, check: impl Fn(&Source) -> Result<(), DiskError>) -> Result<Vec<Part>, DiskError> {
        if self.layers.is_empty() {
            return Err(DiskError::redeclare(Path::new("The disk"), "its record names no file"));
        }
        let open = |(index, layer): (usize, &Layer)| {
            let opened = open_layer(layer, self.layers.get(index + 1));
            let part = opened.map_err(|error| named(error, &self.layers[..index]))?;
            if index == 0 && disk_size(&part)? != self.size_bytes {
                return Err(DiskError::redeclare(&layer.path, "its size differs"));
            }
            check(&part.0)?;
            Ok(part)
        };
        self.layers.iter().enumerate().map(open).collect()
    }
}

/// An open layer; a raw one has no header.
type Part = (Source, Option<Header>);

/// Opens the next layer of a chain, in the given format or the one that its content decides.
fn inspect_layer(
    path: &Path,
    given: Option<DiskFormat>,
    above: &[Layer],
) -> Result<(Layer, Part), DiskError> {
    let path = canonical(path)?;
    if above.iter().any(|layer| layer.path == path) {
        return Err(DiskError::unusable(&path, "its backing chain leads back to itself"));
    }
    let source = Source::open(&path)?;
    let format = match given {
        Some(format) => format,
        None => DiskFormat::of(source.content()?, &path)?,
    };
    let header = read_header(&source, format)?;
    let part = (source, header);
    disk_size(&part)?;
    Ok((Layer { path, format }, part))
}

/// Names the image that refers to a layer, if there is one.
fn named(error: DiskError, above: &[Layer]) -> DiskError {
    match above.last() {
        Some(image) => error.named_by(&image.path),
        None => error,
    }
}

/// Returns a feature of the chain that only QEMU reads. Fails if QEMU would cut off the end of the disk.
fn qemu_only(parts: &[Part]) -> Result<Option<&'static str>, DiskError> {
    let headers = || parts.iter().filter_map(|(source, header)| Some((source, header.as_ref()?)));
    let feature = headers().find_map(|(_, header)| header.qemu_only);
    let partial = headers().find(|(_, header)| header.has_partial_sector());
    if let (Some(feature), Some((source, _))) = (feature, partial) {
        let why = format!(
            "the size of its disk is not a multiple of 512, so qemu-img, which alone reads the {feature} of the chain, \
             would leave out its end; enlarge it with `qemu-img resize` and check its last sector"
        );
        return Err(DiskError::unusable(&source.path, why));
    }
    Ok(feature)
}

/// Opens one pinned layer. Fails if it or its backing file name is not what was pinned.
fn open_layer(layer: &Layer, below: Option<&Layer>) -> Result<Part, DiskError> {
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

fn canonical(path: &Path) -> Result<PathBuf, DiskError> {
    let path = path.canonicalize().map_err(DiskError::opening(path))?;
    if path.to_str().is_none() {
        return Err(DiskError::unusable(&path, "its path is not UTF-8; rename it"));
    }
    Ok(path)
}

pub(crate) fn read_header(source: &Source, format: DiskFormat) -> Result<Option<Header>, DiskError> {
    if format == DiskFormat::Raw {
        return Ok(None);
    }
    let head = source.head(Header::HEAD_BYTES_MAX)?;
    Header::parse(&source.path, &head, source.len()).map(Some)
}

/// Size of the disk in one layer. Checks the limit.
fn disk_size((source, header): &Part) -> Result<u64, DiskError> {
    let size_bytes = header.as_ref().map_or(source.len(), |header| header.size_bytes);
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
