//! The community: public images, as versions in groups.
//!
//! What a group shows and is sorted by comes from its versions. It is stored in the group's row and updated in the
//! transaction of every change of a version, see [`refresh_group`]. All versions of a group belong to one account, whose
//! row every such transaction locks.

pub(crate) mod favorites;
pub(crate) mod group;
pub(crate) mod groups;
pub(crate) mod listing;
pub(crate) mod plan;
pub(crate) mod publish;
mod ranked;
pub(crate) mod ranking;
pub(crate) mod review;
mod summary;
