//! Moves of the catalogue and of images, killed at every step: there is never a moment when a server could start on either
//! place.

mod database;
mod storage;

pub(crate) use database::FAILPOINTS as DATABASE_FAILPOINTS;
pub(crate) use storage::FAILPOINTS as STORAGE_FAILPOINTS;
