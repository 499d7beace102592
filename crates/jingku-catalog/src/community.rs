//! The community: public images, as versions in groups.
//!
//! What a group shows and is sorted by comes from its versions. It is stored in the group's row and updated in the
//! transaction of every change of a version, see [`refresh_group`]. All versions of a group belong to one account, whose
//! row every such transaction locks.

mod favorites;
mod group;
mod groups;
mod listing;
mod order;
mod plan;
mod publish;
mod review;
mod summary;

pub use favorites::Favorite;
pub use group::Group;
pub use groups::{GroupFilter, VersionFilter};
pub(crate) use listing::Listing;
pub use listing::{Publication, Submission};
pub use order::{GroupOrder, GroupSort};
pub use plan::PublishRefusal;
pub use publish::PublishImage;
pub use review::Review;
