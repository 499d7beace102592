//! What Jingku knows: accounts, keys, instances, images and the jobs that make images.
//!
//! Every SQL statement of the project is in this crate. Each is written once, in the common subset of SQLite
//! and PostgreSQL, and runs on both (ADR 0001). The crate reads no clock and draws no random number: times
//! (seconds since 1970) and ids are arguments.
//!
//! Texts must not hold a zero byte, which PostgreSQL does not take.
//!
//! Promises, on both engines:
//!
//! - A method that changes something is one transaction. It returns after the change is durable, and a method
//!   that fails, or whose future is dropped, has changed nothing.
//! - A method that reads is one statement, so that what it returns was true at one moment.
//! - What a caller can expect to happen (a name is taken, a row is not there) is a value. An error means that
//!   the catalogue could not do its work.
//! - Every query of images takes a [`Scope`], and an image outside it is as if it did not exist.

mod accounts;
mod answers;
mod catalog;
mod community;
mod covers;
mod cursor;
mod database;
mod error;
mod fold;
mod images;
mod instances;
mod jobs;
mod keys;
mod limits;
mod ordinals;
mod paging;
mod scope;
mod shares;
#[cfg(feature = "testing")]
pub mod testing;
mod uploads;

pub use accounts::{Account, AccountId, CreateAccount, NewAccount};
pub use answers::{ANSWER_SECS, ANSWERS_MAX, DELETED_SECS};
pub use catalog::{Catalog, Generation, Snapshot};
pub use community::{
    AddFavorite, Favorite, Group, GroupFilter, GroupOrder, GroupSort, Publication, PublishImage,
    RemoveFavorite, Review, ReviewImage, Submission, VersionFilter,
};
pub use covers::{Cover, CoverChange, NewCover};
pub use cursor::{Cursor, InvalidCursor};
pub use database::{SCAN_WAIT_TIMEOUT, SCANS_MAX, SCANS_WAITING_MAX, WRITER_WAIT_TIMEOUT};
pub use error::{CatalogError, ErrorSource, Result};
pub use images::{
    CopyImage, CopySource, CreateImage, DeleteImage, Image, ImageChanges, ImageFilter, ImageOrder, ImageSort,
    ImageStatus, ManifestUse, NameHolder, NewCopy, NewImage, NewJob, Progress, PurgeImage, RestoreImage,
    SeedGroup, SeedImage, SeedImages, SeedVersion, TrashedImage, UpdateImage,
};
pub use instances::{
    AddInstance, Instance, InstanceFilter, NewInstance, RemoveInstance, StartImage, StartedFrom,
};
pub use jobs::{ATTEMPTS_MAX, BuiltImage, Heartbeat, Job, JobEnd, Lease};
pub use keys::{AddKey, Key, KeyLimits, NewKey};
pub use limits::{AccountLimits, Limit, LimitState, OverLimit};
pub use paging::{Page, Paging};
pub use scope::Scope;
pub use shares::{Share, ShareChanges, ShareImage};
pub use uploads::{
    AgreedHash, FinishUpload, NewUpload, Receive, Received, StartUpload, UPLOAD_SOURCE, Upload,
};
