//! Images: their rows, and how they are created, changed, listed and deleted.

pub(crate) mod bitmaps;
pub(crate) mod changes;
pub(crate) mod container;
pub(crate) mod copy;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod filter;
pub(crate) mod finish;
mod list;
pub(crate) mod manifests;
mod matching;
pub(crate) mod name;
pub(crate) mod newest;
pub(crate) mod order;
mod page;
pub(crate) mod positions;
pub(crate) mod progress;
pub(crate) mod row;
pub(crate) mod seed;
pub(crate) mod shared;
pub(crate) mod shared_order;
mod state;
pub(crate) mod trash;
pub(crate) mod update;
