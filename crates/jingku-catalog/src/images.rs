//! Images: their rows, and how they are created, changed, listed and deleted.

mod changes;
mod copy;
mod create;
mod delete;
mod filter;
mod finish;
mod manifests;
mod name;
mod order;
mod page;
mod progress;
mod row;
mod seed;
mod state;
mod trash;
mod update;

pub use changes::ImageChanges;
pub use copy::{CopyImage, CopySource, NewCopy};
pub(crate) use create::Origin;
pub use create::{CreateImage, NewImage};
pub use delete::DeleteImage;
pub use filter::ImageFilter;
pub use finish::BuiltImage;
pub use manifests::ManifestUse;
pub use name::NameHolder;
pub use order::{ImageOrder, ImageSort};
pub use progress::Progress;
pub use row::{Image, ImageStatus};
pub use seed::{SeedGroup, SeedImage, SeedImages, SeedVersion};
pub use trash::{RestoreImage, TrashedImage};
pub use update::UpdateImage;
