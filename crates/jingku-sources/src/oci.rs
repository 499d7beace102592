//! Images as the OCI image specification describes them.
//!
//! An image of a container is one layer: the archive of its files, not compressed. The layer's digest is therefore also
//! the digest of its content, and the store's chunks are served as they are.

mod archive;
mod flatten;
mod frame;
mod image;
mod layer;
mod overlay;
mod run_config;

pub use self::archive::{ArchiveError, ImageArchive};
pub use self::flatten::Flatten;
pub use self::frame::Frame;
pub use self::image::{CONFIG_TYPE, Layer, LayerReader, MANIFEST_TYPE, OciImage, digest};
pub use self::run_config::RunConfig;
