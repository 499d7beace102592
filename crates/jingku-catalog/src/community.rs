//! The community: images that everybody sees, as versions in groups.
//!
//! What a group shows and is sorted by is told by its versions. It is written down in the group's own row, in the
//! transaction of every change of a version: see [`refresh_group`]. All versions of a group are of one account, whose row
//! every such transaction holds, so that they wait for each other.

mod favorites;
mod groups;
mod order;
mod publish;
mod review;
mod summary;
mod tags;

pub(crate) use favorites::seed_favorites;
pub use favorites::{AddFavorite, Favorite, RemoveFavorite};
pub use groups::{Group, GroupFilter, VersionFilter};
pub use order::{GroupOrder, GroupSort};
pub(crate) use publish::{Listing, apply_plan, insert_group, plan, version_taken};
pub use publish::{Publication, PublishImage, Submission};
pub use review::{Review, ReviewImage};
pub(crate) use summary::refresh_group;
