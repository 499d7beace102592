//! Limits of accounts, jobs and connections. `jingku-server` has the limits of requests, `jingku-protocol` those of
//! parameters.

use std::time::Duration;

/// Maximum number of connections. A further connection replaces the one that has waited longest for its client.
pub const MAX_CONNECTIONS: usize = 2048;
/// Maximum number of connections from one address. Loopback addresses are exempt.
pub(crate) const MAX_ADDRESS_CONNECTIONS: usize = 1024;
/// Default maximum of API requests of one account per second, except from loopback addresses.
pub(crate) const MAX_ACCOUNT_REQUESTS: u32 = 200;
/// Default maximum of API requests from one address per second. Loopback addresses are exempt.
pub(crate) const MAX_ADDRESS_REQUESTS: u32 = 400;
/// How long a job may take to react to a stop request. A job that does not react, for example because a disk hangs, is
/// abandoned.
pub(crate) const JOB_STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// A background task that fails this many times in a row makes the server not ready.
pub(crate) const FAILURES_MAX: u32 = 3;
/// Default maximum of unfinished uploads of one account.
pub const MAX_ACCOUNT_UPLOADS: i64 = 16;
/// How long an upload may receive no byte after the client last requested its link. Then its image is `UnAvailable` and
/// its name is free.
pub const UPLOAD_START_TIMEOUT: Duration = Duration::from_mins(10);
/// How long an upload that has received bytes may pause. It can be resumed until then.
pub(crate) const UPLOAD_RESUME_TIMEOUT: Duration = Duration::from_hours(24);
/// Default maximum of images of one account.
pub(crate) const MAX_ACCOUNT_IMAGES: i64 = 1000;
/// Default maximum of deleted images kept for one account.
pub(crate) const MAX_ACCOUNT_TRASHED: i64 = 10_000;
/// Default maximum of data in the images of one account, in bytes: ten of the largest disks.
pub(crate) const MAX_ACCOUNT_STORED_BYTES: i64 = 10 * DISK_BYTES_MAX;
/// Default maximum of uploaded files of one account that are not yet images, in bytes.
pub(crate) const MAX_ACCOUNT_UPLOAD_BYTES: i64 = DISK_BYTES_MAX;
/// Default maximum of queued and running jobs of one account.
pub(crate) const MAX_ACCOUNT_JOBS: i64 = 64;
/// The uploads of one account may use 1/N of the space that is free or used by uploads.
pub(crate) const UPLOAD_ROOM_SHARE: u64 = 2;
/// Default maximum ratio of unpacked to uploaded size. Runs of zeros do not count.
pub(crate) const UNPACK_RATIO_MAX: u64 = 200;
/// Data that a file may always unpack to, whatever its size, in bytes: 1 GiB.
pub(crate) const UNPACKED_DATA_BYTES_FREE: u64 = 1 << 30;
/// Unpacking one file leaves 1/N of the space that was free at its start.
pub(crate) const UNPACK_FREE_SHARE: u64 = 4;
/// Slowest job speed that the deadline allows for, in bytes per second: 4 MiB.
pub(crate) const JOB_BYTES_PER_SECOND_MIN: u64 = 4 << 20;
/// Minimum of the default number of parallel jobs. It also applies on few cores, because jobs wait for disks.
pub(crate) const WORKERS_DEFAULT_MIN: u8 = 4;
/// Maximum of the default number of parallel jobs. Each needs up to 32 MiB of memory.
pub(crate) const WORKERS_DEFAULT_MAX: u8 = 8;
/// Largest disk or uploaded file, in bytes: 1000 GB.
pub const DISK_BYTES_MAX: i64 = 1000 << 30;
/// How long `/readyz` waits for the disk and the catalogue.
pub(crate) const READY_TIMEOUT: Duration = Duration::from_secs(3);
/// How many of the newest images of the account are compared to compute `PresentBytes` of a new image. At most
/// [`KNOWN_CHUNKS_MAX`](jingku_chunks::KNOWN_CHUNKS_MAX) of their chunks are kept in memory.
pub(crate) const OWN_MANIFESTS_MAX: u32 = 64;
/// Shortest lease of a server on its name, and of a worker on its job, in seconds. It is renewed every second.
pub(crate) const HOST_LEASE_SECS_MIN: u16 = 6;
/// Longest lease of a server on its name, and of a worker on its job, in seconds.
pub(crate) const HOST_LEASE_SECS_MAX: u16 = 600;
/// How long a server must run with a clock before deletion by age trusts it, in seconds: one day.
pub(crate) const CLOCK_TRUST_SECS: i64 = 24 * 60 * 60;
/// Maximum number of accounts that one image is shared with. One response lists them all.
pub const SHARES_MAX: i64 = 1000;
/// Default number of generations that a backup keeps.
pub const KEPT_GENERATIONS: u32 = 7;
/// Maximum number of generations that a backup keeps: one a day for a year.
pub const KEPT_GENERATIONS_MAX: u32 = 366;
