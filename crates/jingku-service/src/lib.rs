//! The daemon as a library: the gateway in front, one file an action, the jobs that make images, the way back out.
//!
//! Only here is it known that an image is a row and a manifest and a disk: the catalogue, the chunk store and the
//! makers do not know each other.

mod actions;
mod backup;
mod check;
mod clock;
mod community;
mod config;
mod context;
mod cover;
mod credentials;
mod data_dir;
mod demo;
mod download;
mod error;
mod failpoint;
mod fixtures;
mod gateway;
mod groups;
mod jobs;
mod key_limits;
mod keyring;
mod lab;
mod limits;
mod link;
mod lock;
mod named;
mod operator;
mod pages;
mod public_url;
mod random;
mod reply;
mod review;
mod room;
mod scrub;
mod server;
mod stall;
mod state;
mod sweep;
mod transfer;
mod trash;
mod upload;
mod usage;
mod view;
mod zones;

pub use backup::{BackUp, BackedUp, BackupError, Copied, Damage, RestoreBackup, Restored, restore_backup};
pub use check::{Checked, Depth, Hurt, HurtImage, HurtObject};
pub use clock::{Clock, FixedClock, SystemClock};
pub use community::{Approve, Category, Community};
pub use config::{Config, ConfigError, DeclaredInstance};
pub use context::{Context, Environment};
pub use credentials::KeyPair;
pub use data_dir::{DataDir, StartError};
pub use demo::{DEMO_IMAGE_NAME, add_demo_instances};
pub use error::{Error, Internal};
pub use fixtures::{Fixtures, FixturesError, LoadedAccount};
pub use jingku_catalog::{Account, AccountId, CatalogError, Instance, Key, KeyLimits, Review, TrashedImage};
pub use jingku_chunks::{Seen, Swept};
pub use jingku_makers::{DiskError, DiskFormat, Qcow2Writer, is_written, next_stored};
pub use jingku_protocol::PlatformType;
pub use jobs::Workers;
pub use limits::{
    BODY_READ_TIMEOUT, HEADER_READ_TIMEOUT, MAX_ACCOUNT_UPLOADS, MAX_CONNECTIONS, MAX_EXPORTS,
    MAX_LARGE_BODIES, MAX_UPLOAD_HASHES, MAX_UPLOADS, SHARES_MAX, STALL_TIMEOUT, UPLOAD_CHECKPOINT,
    UPLOAD_HASH_TIMEOUT, UPLOAD_RESUME_TIMEOUT, UPLOAD_START_TIMEOUT,
};
pub use operator::{NewInstance, OperatorError, PlatformImage};
pub use public_url::{BadPublicUrl, PublicUrl};
pub use random::{Random, SeededRandom, SystemRandom};
pub use scrub::{Scrub, ScrubSettings};
pub use server::{router, serve};
pub use sweep::{LastSweep, SweepError, SweepSettings};
pub use trash::{EmptiedTrash, EmptyTrash, Trash};
pub use usage::{ImageUsage, Usage, UsageTotal};
pub use zones::{Zone, Zones};
