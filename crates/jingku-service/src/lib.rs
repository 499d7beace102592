//! The daemon as a library: the gateway in front, one file an action, the jobs that make images, the way back out.
//!
//! Only here is it known that an image is a row and a manifest and a disk: the catalogue, the chunk store and the
//! sources do not know each other.

mod account_limits;
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
mod health;
mod jobs;
mod key_limits;
mod keyring;
mod lab;
mod limits;
mod link;
mod listen_address;
mod lock;
mod named;
mod operator;
mod pages;
mod private;
mod public_url;
mod random;
mod readiness;
mod repeat;
mod reply;
mod review;
mod room;
mod scrub;
mod sentence;
mod serve_lock;
mod server;
mod state;
mod sweep;
mod text_file;
mod time_watch;
mod transfer;
mod trash;
mod upload;
mod usage;
mod view;
mod zones;

pub use account_limits::{BadSize, ByteSize, LimitSettings};
pub use backup::{
    BackUp, BackedUp, BackupError, Copied, Damage, Generation, Generations, KeptGeneration, Pruned,
    RestoreBackup, Restored, list_backup, restore_backup,
};
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
pub use jingku_catalog::{
    Account, AccountId, CatalogError, Instance, Key, KeyLimits, Limit, LimitState, Review, TrashedImage,
};
pub use jingku_chunks::{CheckProgress, SweepReport};
pub use jingku_protocol::PlatformType;
pub use jingku_sources::content::{Caution, Content, Foreign, HEAD_BYTES, TAIL_BYTES, detect};
pub use jingku_sources::{DiskError, DiskFormat, PackedFault, Packing, Qcow2Writer, is_written, next_stored};
pub use jobs::{JobSettings, Workers};
pub use limits::{
    ANSWER_SECS, ANSWERS_MAX, BODY_READ_TIMEOUT, CLOCK_TRUST_SECS, COVER_WAIT_TIMEOUT, ConnectionLimits,
    DELETED_SECS, FAILURES_MAX, HEADER_READ_TIMEOUT, JOB_BYTES_PER_SECOND_MIN, JOB_STOP_TIMEOUT,
    KEPT_GENERATIONS, KEPT_GENERATIONS_MAX, LARGE_BODY_WAIT_TIMEOUT, MAX_ACCOUNT_IMAGES, MAX_ACCOUNT_JOBS,
    MAX_ACCOUNT_STORED_BYTES, MAX_ACCOUNT_TRASHED, MAX_ACCOUNT_UPLOAD_BYTES, MAX_ACCOUNT_UPLOADS,
    MAX_ADDRESS_CONNECTIONS, MAX_CONNECTIONS, MAX_COVER_CHECKS, MAX_EXPORTS, MAX_HEAD_BYTES, MAX_HELD_BYTES,
    MAX_LARGE_BODIES_BYTES, MAX_RESERVED_CONNECTIONS, MAX_UPLOAD_HASHES, MAX_UPLOADS, OWN_MANIFESTS_MAX,
    READY_TIMEOUT, SHARES_MAX, SPARED_HELD_BYTES, STALL_TIMEOUT, STOP_TIMEOUT, TRANSFER_STEP_BYTES,
    TRANSFER_STEP_TIMEOUT, TRANSFER_TIME_MAX, UNPACK_FREE_SHARE, UNPACK_RATIO_MAX, UNPACKED_DATA_BYTES_FREE,
    UPLOAD_CHECKPOINT, UPLOAD_HASH_TIMEOUT, UPLOAD_RESUME_TIMEOUT, UPLOAD_ROOM_SHARE, UPLOAD_START_TIMEOUT,
    WORKERS_DEFAULT_MAX, WORKERS_DEFAULT_MIN, ZSTD_WINDOW_BYTES_MAX,
};
pub use listen_address::{BadListenAddress, ListenAddress};
pub use operator::{NewInstance, OperatorError, PlatformImage, caution_of};
pub use private::NotPrivate;
pub use public_url::{BadPublicUrl, PublicUrl};
pub use random::{Random, SeededRandom, SystemRandom};
pub use scrub::{Scrub, ScrubSettings};
pub use server::{router, serve, serve_with};
pub use sweep::{LastSweep, SweepError, SweepSettings};
pub use text_file::read_text;
pub use time_watch::HeldBack;
pub use trash::{EmptiedTrash, EmptyTrash, Trash};
pub use usage::{ImageUsage, Usage, UsageTotal};
pub use zones::{Zone, Zones};
