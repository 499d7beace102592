//! Images as a whole, without HTTP: jobs, trash, checks, backups, and the work of the operator.
//!
//! Only this crate connects catalogue, chunk store and sources, which do not know each other.

mod account_limits;
mod account_usage;
mod audit;
mod authentication;
mod backup;
mod blocking;
mod check;
mod chunk_store;
mod claims;
mod clock;
mod cluster;
mod config;
mod containers;
mod credentials;
mod data_dir;
mod database;
mod demo;
mod disk_space;
mod durable;
mod environment;
mod error;
pub mod failpoint;
mod fault;
mod fixtures;
mod gauges;
mod health;
mod host;
mod jobs;
mod key_limits;
mod keyring;
mod library;
mod limits;
mod lock;
mod membership;
mod migration;
mod objects;
mod operator;
mod pods;
mod price;
mod private;
mod random;
mod readiness;
mod referenced;
mod relocation;
mod review;
mod scrub;
mod sentence;
mod serve_lock;
mod start_error;
mod sweep;
mod task_state;
mod text_file;
mod time_watch;
mod trash;
mod turns;
mod uploads;
mod usage;
mod webhooks;
mod zeros;

pub use account_limits::limit_refusal;
pub use account_usage::{AccountUsage, MeasuredBytes, MeasuredImage, MeasuredImages};
pub use audit::for_browser;
pub use backup::{
    BackUp, BackedUp, BackupError, Copied, Damage, Generation, GenerationRecord, LastBackup, Pruned,
    RestoreBackup, Restored, list_backup, restore_backup,
};
pub use check::{Checked, CorruptObject, Corruption, Depth};
pub use clock::{Clock, FixedClock, SystemClock};
pub use config::{
    AddressRange, Approve, AuditSettings, BadListenAddress, BadPublicUrl, BadSize, BadStorageUrl, ByteSize,
    Category, ClusterSettings, Community, Config, ConfigError, ConnectionLimits, ContainerSettings,
    DatabaseUrl, DeclaredInstance, GpuSettings, HostName, HostSettings, JobSettings, LimitSettings,
    ListenAddress, MetricsSettings, NamedContainer, OTHERS, ProxyProtocol, ProxySettings, PublicUrl,
    RequestLimits, S3Settings, ScrubSettings, Setting, StorageUrl, SweepSettings, TelemetrySettings,
    TlsSettings, TrashSettings, WebhookSettings, Zone, Zones,
};
pub use containers::{ContainerFacts, ContainerLoad, ContainerState, Containers};
pub use credentials::{Credentials, KeyPair};
pub use data_dir::DataDir;
pub use demo::{DEMO_IMAGE_NAME, add_demo_instances};
pub use disk_space::{DiskSpace, MARGIN_BYTES, needed_bytes};
pub use environment::Environment;
pub use error::{Internal, LibraryError};
pub use fault::Fault;
pub use fixtures::{Fixtures, FixturesError, LoadedAccount};
pub use gauges::Gauges;
pub use health::Health;
pub use host::{CPU_TYPE, HostOffer, InstanceSize, OfferedType};
pub use jingku_catalog::{
    Account, AccountId, AuditEntry, AuditFilter, AuditFinding, AuditNote, AuditResult, CatalogError,
    CopiedTable, Host, Instance, Key, KeyLimits, Limit, LimitState, ManifestUse, QueuedJob, Review, Task,
    TrashedImage, VerifiedAudit,
};
pub use jingku_chunks::{CheckProgress, SweepReport};
pub use jingku_protocol::PlatformType;
pub use jingku_sources::content::{Caution, Content, Foreign, HEAD_BYTES, TAIL_BYTES, detect, is_zero};
pub use jingku_sources::oci::{Frame, Layer};
pub use jingku_sources::{DiskError, DiskFormat, PackedFault, Packing, Qcow2Writer, is_written, next_stored};
pub use jobs::{
    DeclaredDisk, DeclaredFailure, ESTIMATE_TIME_MAX, Estimate, EstimateError, JobBytes, JobHook, Progress,
    Running, SaveOptions, StopReason, Workers, disk_reason, percent_of, store_pattern,
};
pub use key_limits::KeyRestrictions;
pub use keyring::{Keyring, WrongMasterKey};
pub use library::Library;
pub use limits::{
    DISK_BYTES_MAX, KEPT_GENERATIONS, KEPT_GENERATIONS_MAX, MAX_ACCOUNT_UPLOADS, MAX_CONNECTIONS, SHARES_MAX,
    UPLOAD_START_TIMEOUT,
};
pub use lock::lock;
pub use membership::ClusterStatus;
pub use migration::{
    CatalogProgress, CatalogTarget, MigrationError, MoveCatalog, MoveStore, MovedCatalog, MovedStore,
    StoreProgress, StoreTarget, migrate_database, migrate_storage,
};
pub use operator::{Condition, ForgottenHost, NewInstance, PlatformImage, caution_of};
pub use pods::{
    HTTP_PORT, PodOptions, Pods, ResetPassword, SSH_PORT, WITHOUT_GPU_TIERS, is_password, is_ssh_key,
    new_password, shown_state, size_without_gpu, wanted_ports,
};
pub use price::{cents_to_price, price_to_cents};
pub use random::{
    Random, SeededRandom, SystemRandom, group_id, hash_secret, image_id, is_unique_id, new_secret, pod_id,
    request_id, unique_id,
};
pub use readiness::Readiness;
pub use scrub::Scrub;
pub use sentence::clause;
pub use start_error::StartError;
pub use sweep::{LastSweep, SweepError};
pub use text_file::read_text;
pub use trash::{EmptiedTrash, EmptyTrash};
pub use uploads::{Acknowledged, UploadFile, UploadLock, UploadStore};
pub use usage::{ImageUsage, Usage, UsageTotal};
pub use webhooks::{CreateWebhook, CreatedWebhook};
pub use zeros::zeros;
