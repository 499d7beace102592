//! The catalogue: accounts, keys, instances, images and the jobs that make images.
//!
//! All SQL statements of the project are in this crate. Each is written once, in the common subset of SQLite and
//! PostgreSQL, and runs on both (ADR 0001). The crate uses neither clock nor randomness: times (Unix time in seconds) and
//! ids are arguments.
//!
//! Texts must not contain a zero byte, which PostgreSQL rejects.
//!
//! Guarantees, on both engines:
//!
//! - A method that changes something is one transaction. It returns after the change is durable. A method that fails, or
//!   whose future is dropped, changes nothing, except that [`CatalogError::Unconfirmed`] leaves it open.
//! - A method that reads is one statement: its result is a consistent snapshot.
//! - Expected outcomes, such as a taken name or a missing row, are values. An error means that the catalogue failed.
//! - A query of images takes a [`Scope`]; images outside it look exactly like images that do not exist. Methods without
//!   a scope, such as those for the trash, are for the operator.

mod account_id;
mod accounts;
mod answers;
mod audit;
mod catalog;
mod claims;
mod community;
mod covers;
mod cursor;
mod database;
mod error;
mod hosts;
mod image_weights;
mod images;
mod instances;
mod jobs;
mod keys;
mod limits;
mod migrations;
mod ordinals;
mod paging;
mod pods;
mod quota;
mod scope;
mod shares;
mod sign_ins;
mod statistics;
mod tasks;
#[cfg(feature = "testing")]
pub mod testing;
mod text_search;
mod transfer;
mod transfers;
mod unique_bytes;
mod uploads;
mod usage_samples;
mod webhooks;

pub use account_id::AccountId;
pub use accounts::{Account, NewAccount};
pub use answers::{ANSWER_SECS, ANSWERS_MAX, DELETED_SECS};
pub use audit::entry::{AUDIT_TEXT_CHARS_MAX, AuditEntry, Channel, NewAuditEntry};
pub use audit::list::{AuditFilter, AuditResult};
pub use audit::verify::{AuditFinding, AuditHead, AuditNote, VerifiedAudit};
pub use catalog::{CACHES_BYTES_MAX, Catalog, Generation};
pub use claims::ClaimState;
pub use community::favorites::Favorite;
pub use community::group::{Group, GroupOrder, GroupSort};
pub use community::groups::{GroupFilter, VersionFilter};
pub use community::listing::{Publication, Submission};
pub use community::plan::PublishRefusal;
pub use community::publish::PublishImage;
pub use community::review::Review;
pub use covers::{Cover, CoverChange};
pub use cursor::{Cursor, InvalidCursor};
pub use database::{
    POSTGRES_ANSWER_TIMEOUT, POSTGRES_CONNECT_TIMEOUT, POSTGRES_CONNECTIONS_MAX, SCAN_WAIT_TIMEOUT,
    SCANS_MAX, SCANS_WAITING_MAX, Snapshot, WRITER_WAIT_TIMEOUT,
};
pub use error::{CatalogError, ErrorSource, Result};
pub use hosts::{Host, NewHost, RegisterHost};
pub use image_weights::{ImageWeight, WeighedImage};
pub use images::changes::ImageChanges;
pub use images::container::{ContainerImage, ImageKey};
pub use images::copy::{CopyImage, CopySource, NewCopy};
pub use images::create::{CreateImage, NewImage};
pub use images::delete::DeleteImage;
pub use images::filter::ImageFilter;
pub use images::finish::{BuiltContainer, BuiltImage};
pub use images::manifests::ManifestUse;
pub use images::name::NameHolder;
pub use images::newest::{NewestImages, RowVersion};
pub use images::order::{ImageOrder, ImageSort};
pub use images::positions::FILTERED_IMAGES_MAX;
pub use images::progress::Progress;
pub use images::row::{Image, ImageStatus};
pub use images::seed::{SeedGroup, SeedImage, SeedImages, SeedVersion};
pub use images::shared::{SharedImages, SharedRow};
pub use images::trash::{RestoreImage, TrashedImage};
pub use images::update::UpdateImage;
pub use instances::containers::{KnownContainer, PutContainer};
pub use instances::{
    AddInstance, Instance, InstanceFilter, NewInstance, RemoveInstance, StartImage, StartedFrom,
};
pub use jobs::claim::ATTEMPTS_MAX;
pub use jobs::lease::{Heartbeat, JobEnd};
pub use jobs::queue::QueuedJob;
pub use jobs::row::{Job, Source};
pub use keys::{Key, KeyLimits, NewKey};
pub use limits::{AccountLimits, Limit, LimitState, OverLimit};
pub use paging::{Page, Paging};
pub use pods::change::SeenPod;
pub use pods::create::{CreatePods, NewPod};
pub use pods::login::NewLogin;
pub use pods::operation::{BeginOperation, NewOperation, OperationEnd};
pub use pods::ports::{PodPort, PortKind};
pub use pods::row::{Operation, Pod, PodState};
pub use scope::Scope;
pub use shares::{Share, ShareChanges, ShareImage};
pub use sign_ins::{NewSignIn, SIGN_INS_MAX, SignIn, SignInKind};
pub use statistics::Statistics;
pub use tasks::Task;
pub use transfer::{CopiedTable, FrozenCatalog};
pub use transfers::StartTransfer;
pub use unique_bytes::{StoredManifest, UniqueBytes};
pub use uploads::progress::{FinishUpload, Receive, Received};
pub use uploads::row::{AgreedHash, Upload};
pub use uploads::start::{NewUpload, StartUpload};
pub use usage_samples::{USAGE_SAMPLES_MAX, UsageSample};
pub use webhooks::announce::WAITING_DELIVERIES_MAX;
pub use webhooks::delivery::{AttemptEnd, Delivery, DeliveryState, ENDED_DELIVERIES_MAX};
pub use webhooks::event::ImageEvent;
pub use webhooks::webhook::{NewWebhook, WEBHOOKS_MAX, Webhook};
