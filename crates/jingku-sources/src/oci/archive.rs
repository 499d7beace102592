//! Archives of one image: an OCI layout in a tar file, or what `docker save` writes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Seek};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::flatten::Flatten;
use super::image::{architecture, digest};
use super::layer::{LayerFile, Member, is_hex};
use super::run_config::RunConfig;
use crate::tree::Entry;

/// The most files in an archive: it has one for each layer and a few documents.
const MEMBERS_MAX: usize = 10_000;
/// The longest document, in bytes.
const DOCUMENT_BYTES_MAX: u64 = 4 << 20;
/// The most layers of an image. Engines stop at 127.
const LAYERS_MAX: usize = 1000;

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Its content is refused: the reason, as the end of a sentence without the full stop.
    #[error("{0}")]
    Refused(String),
}

/// An archive of one image.
#[derive(Debug)]
pub struct ImageArchive {
    /// How its program is run.
    pub run: RunConfig,
    /// From the lowest to the highest.
    layers: Vec<LayerFile>,
}

impl ImageArchive {
    /// Opens an archive; `None` for a file that is no archive of an image, such as another tar file.
    pub fn open(path: &Path) -> Result<Option<Self>, ArchiveError> {
        let file = File::open(path)?;
        let Some(members) = Members::read(&file)? else { return Ok(None) };
        if members.files.contains_key(&b"index.json"[..]) {
            return members.oci(&file).map(Some);
        }
        if members.files.contains_key(&b"manifest.json"[..]) {
            return members.docker(&file).map(Some);
        }
        Ok(None)
    }

    /// The bytes of its layers, as they are in the archive.
    pub fn packed_bytes(&self) -> u64 {
        self.layers.iter().map(LayerFile::packed_bytes).sum()
    }

    /// Reads all layers as the archive of one, of at most `bytes_max` bytes.
    pub fn flatten(&self, bytes_max: u64) -> Flatten {
        Flatten::new(self.layers.clone(), bytes_max)
    }

    fn new(file: &File, config: Config, layers: Vec<Member>) -> Result<Self, ArchiveError> {
        let diff_ids = config.rootfs.diff_ids;
        if diff_ids.len() != layers.len() || layers.is_empty() || layers.len() > LAYERS_MAX {
            let (said, found) = (diff_ids.len(), layers.len());
            return Err(refused(format!("its configuration names {said} layers, and it has {found}")));
        }
        // One descriptor, however many layers an archive names.
        let file = Arc::new(file.try_clone()?);
        let layer = |(member, diff_id)| LayerFile::new(Arc::clone(&file), member, diff_id);
        let layers = layers.into_iter().zip(diff_ids).map(layer).collect::<Option<_>>();
        let layers = layers.ok_or_else(|| refused("a layer has no SHA-256 digest"))?;
        Ok(Self { run: config.config.unwrap_or_default(), layers })
    }
}

/// The files of an archive by their names, and its links.
struct Members {
    files: HashMap<Vec<u8>, Member>,
    /// `docker save` of old versions links equal layers.
    links: HashMap<Vec<u8>, Vec<u8>>,
}

impl Members {
    /// Reads the headers; `None` if the file is not a tar archive.
    fn read(file: &File) -> Result<Option<Self>, ArchiveError> {
        let length = file.metadata()?.len();
        let mut reader = BufReader::new(file);
        let (mut files, mut links) = (HashMap::new(), HashMap::new());
        let mut is_first = true;
        loop {
            let entry = match Entry::read(&mut reader) {
                Ok(Some(entry)) => entry,
                Ok(None) => return Ok(Some(Self { files, links })),
                Err(error) if is_first && error.kind() == io::ErrorKind::InvalidData => return Ok(None),
                Err(error) => return Err(of_content(error)),
            };
            is_first = false;
            let start = reader.stream_position()?;
            if entry.size > length.saturating_sub(start) {
                return Err(refused("the archive is cut off"));
            }
            if files.len() + links.len() == MEMBERS_MAX {
                return Err(refused(format!(
                    "it has more than {MEMBERS_MAX} files: it is no archive of an image"
                )));
            }
            let padded = entry.padded_size();
            if entry.is_file() {
                if entry.is_sparse() {
                    return Err(refused("it has a sparse file"));
                }
                let (member, name) =
                    (Member { start, size: entry.size }, entry.path.escape_ascii().to_string());
                if files.insert(entry.path, member).is_some() {
                    return Err(refused(format!("it has {name} twice")));
                }
            } else if entry.kind().is_symlink() || entry.kind().is_hard_link() {
                links.insert(entry.path, entry.link);
            }
            reader.seek_relative(i64::try_from(padded).map_err(io::Error::other)?)?;
        }
    }

    /// The file of this name, or that a link of this name leads to.
    fn find(&self, name: &str) -> Result<Member, ArchiveError> {
        let missing = || refused(format!("it has no {name}"));
        if let Some(file) = self.files.get(name.as_bytes()) {
            return Ok(*file);
        }
        let target = self.links.get(name.as_bytes()).ok_or_else(missing)?;
        // `docker save` links `ID/layer.tar` to `../OTHER/layer.tar`.
        let target = target.strip_prefix(b"../").unwrap_or(target);
        self.files.get(target).copied().ok_or_else(missing)
    }

    fn document<T: DeserializeOwned>(&self, file: &File, name: &str) -> Result<(T, String), ArchiveError> {
        let member = self.find(name)?;
        if member.size > DOCUMENT_BYTES_MAX {
            return Err(refused(format!("{name} is longer than 4 MiB")));
        }
        let mut text = vec![0; usize::try_from(member.size).map_err(io::Error::other)?];
        file.read_exact_at(&mut text, member.start).map_err(of_content)?;
        let value =
            serde_json::from_slice(&text).map_err(|error| refused(format!("{name} is wrong: {error}")))?;
        Ok((value, digest(&text)))
    }

    fn blob<T: DeserializeOwned>(&self, file: &File, blob: &Descriptor) -> Result<T, ArchiveError> {
        let (value, found) = self.document(file, &blob.path()?)?;
        if found == blob.digest { Ok(value) } else { Err(refused(format!("{} is damaged", blob.digest))) }
    }

    fn oci(&self, file: &File) -> Result<ImageArchive, ArchiveError> {
        let (index, _): (Index, _) = self.document(file, "index.json")?;
        let mut chosen = choose(index)?;
        if chosen.is_index() {
            chosen = choose(self.blob(file, &chosen)?)?;
        }
        let manifest: Manifest = self.blob(file, &chosen)?;
        let layers =
            manifest.layers.iter().map(|layer| self.find(&layer.path()?)).collect::<Result<_, _>>()?;
        ImageArchive::new(file, self.blob(file, &manifest.config)?, layers)
    }

    fn docker(&self, file: &File) -> Result<ImageArchive, ArchiveError> {
        let (images, _): (Vec<DockerImage>, _) = self.document(file, "manifest.json")?;
        let count = images.len();
        let [image] = <[DockerImage; 1]>::try_from(images)
            .map_err(|_| refused(format!("it has {count} images; save one")))?;
        let (config, found): (Config, _) = self.document(file, &image.config)?;
        // Docker and Podman name the configuration by its digest.
        let named = image.config.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
        if named.len() == 64 && found.strip_prefix("sha256:") != Some(named) {
            return Err(refused("its configuration is damaged"));
        }
        let layers = image.layers.iter().map(|layer| self.find(layer)).collect::<Result<_, _>>()?;
        ImageArchive::new(file, config, layers)
    }
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    platform: Option<Platform>,
}

#[derive(Clone, Deserialize)]
struct Platform {
    architecture: String,
    os: String,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Config {
    config: Option<RunConfig>,
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    config: String,
    layers: Vec<String>,
}

impl Descriptor {
    fn is_index(&self) -> bool {
        self.media_type.ends_with("image.index.v1+json") || self.media_type.ends_with("manifest.list.v2+json")
    }

    fn path(&self) -> Result<String, ArchiveError> {
        let hex = self.digest.strip_prefix("sha256:").filter(|hex| is_hex(hex));
        let hex = hex.ok_or_else(|| refused(format!("{:?} is not a SHA-256 digest", self.digest)))?;
        Ok(format!("blobs/sha256/{hex}"))
    }
}

/// The manifest for this machine.
fn choose(index: Index) -> Result<Descriptor, ArchiveError> {
    let suits = |descriptor: &Descriptor| {
        let platform = descriptor.platform.as_ref();
        platform.is_none_or(|platform| platform.os == "linux" && platform.architecture == architecture())
    };
    let mut suitable = index.manifests.into_iter().filter(suits);
    match (suitable.next(), suitable.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(refused(format!("it has no image for linux/{}", architecture()))),
        (Some(_), Some(_)) => Err(refused("it has several images; save one")),
    }
}

fn refused(why: impl Into<String>) -> ArchiveError {
    ArchiveError::Refused(why.into())
}

/// An error of reading that the content of the file causes.
fn of_content(error: io::Error) -> ArchiveError {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => refused(error.to_string()),
        _ => error.into(),
    }
}
