//! The daemon as a library: the gateway in front, one file an action, the jobs that make images, the way back out.
//!
//! Only here is it known that an image is a row and a manifest and a disk: the catalogue, the chunk store and the
//! makers do not know each other.

mod actions;
mod backup;
mod blocking;
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
mod readiness;
mod reply;
mod review;
mod room;
mod scrub;
mod server;
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
pub use jingku_makers::{DiskError, DiskFormat, Qcow2Writer};
pub use jingku_protocol::PlatformType;
pub use jobs::Workers;
pub use limits::{
    BODY_READ_TIMEOUT, COVER_WAIT_TIMEOUT, ConnectionLimits, HEADER_READ_TIMEOUT, MAX_ACCOUNT_UPLOADS,
    MAX_ADDRESS_CONNECTIONS, MAX_CONNECTIONS, MAX_EXPORTS, MAX_HEAD_BYTES, MAX_HELD_BYTES, MAX_LARGE_DECODES,
    MAX_RESERVED_CONNECTIONS, MAX_UPLOADS, READY_TIMEOUT, SHARES_MAX, SPARED_HELD_BYTES, STALL_TIMEOUT,
};
pub use operator::{NewInstance, OperatorError, PlatformImage};
pub use public_url::{BadPublicUrl, PublicUrl};
pub use random::{Random, SeededRandom, SystemRandom};
pub use scrub::{Scrub, ScrubSettings};
pub use server::{router, serve, serve_with};
pub use sweep::{LastSweep, SweepError, SweepSettings};
pub use trash::{EmptiedTrash, EmptyTrash, Trash};
pub use usage::{ImageUsage, Usage, UsageTotal};
pub use zones::{Zone, Zones};
