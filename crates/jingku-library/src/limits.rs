//! What one account may have and how long the work in the background may take. Limits of requests are in `jingku-server`,
//! those on parameters in `jingku-protocol`.

use std::time::Duration;

/// The most connections at once. One more takes the place of the one that has waited longest for its client.
pub const MAX_CONNECTIONS: usize = 2048;
/// The most connections from one address, unless it is a loopback address.
pub const MAX_ADDRESS_CONNECTIONS: usize = 1024;
/// How long the making of an image may take to see that it has to stop. One that does not, for example because a disk does not
/// answer, is waited for no longer.
pub const JOB_STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// A loop of the background that has failed so often in a row makes the server not ready.
pub const FAILURES_MAX: u32 = 3;
/// The most uploads of one account that have not come to their end, unless the operator says otherwise.
pub const MAX_ACCOUNT_UPLOADS: i64 = 16;
/// How long the first bytes of an upload may take to come since the client has last asked for its link. Then its image is
/// `UnAvailable` and its name is free.
pub const UPLOAD_START_TIMEOUT: Duration = Duration::from_mins(10);
/// How long nothing may come of an upload of which something has come. It can be resumed for so long.
pub const UPLOAD_RESUME_TIMEOUT: Duration = Duration::from_hours(24);
/// The most images of one account, unless the operator says otherwise.
pub const MAX_ACCOUNT_IMAGES: i64 = 1000;
/// The most deleted images of one account that are still kept, unless the operator says otherwise.
pub const MAX_ACCOUNT_TRASHED: i64 = 10_000;
/// The most bytes of data in the images of one account, unless the operator says otherwise: ten of the largest disks.
pub const MAX_ACCOUNT_STORED_BYTES: i64 = 10 * DISK_BYTES_MAX;
/// The most bytes of uploaded files of one account that no image is made of yet, unless the operator says otherwise.
pub const MAX_ACCOUNT_UPLOAD_BYTES: i64 = DISK_BYTES_MAX;
/// The most images of one account that wait for their making or are being made, unless the operator says otherwise.
pub const MAX_ACCOUNT_JOBS: i64 = 64;
/// Of the room that is free or that uploaded files take up, those of one account take one part of so many.
pub const UPLOAD_ROOM_SHARE: u64 = 2;
/// How many times its size an uploaded file may unpack to, runs of zeros not counted, unless the operator says otherwise.
pub const UNPACK_RATIO_MAX: u64 = 200;
/// So many bytes of data an uploaded file may unpack to however small it is: 1 GiB.
pub const UNPACKED_DATA_BYTES_FREE: u64 = 1 << 30;
/// Unpacking one file leaves one part of so many of the room that was free at its start.
pub const UNPACK_FREE_SHARE: u64 = 4;
/// The slowest making of an image, in bytes a second, that has all the time that it needs: 4 MiB.
pub const JOB_BYTES_PER_SECOND_MIN: u64 = 4 << 20;
/// How many images are made at once at least, unless the operator says otherwise: also where there are few cores, since jobs wait
/// for disks as well.
pub const WORKERS_DEFAULT_MIN: u8 = 4;
/// How many images are made at once at most, unless the operator says otherwise: each takes up to 32 MiB of memory.
pub const WORKERS_DEFAULT_MAX: u8 = 8;
/// The longest file that is uploaded, and the largest disk that is made an image of, in bytes: 1000 GB.
pub const DISK_BYTES_MAX: i64 = 1000 << 30;
/// The largest window of a zstd file that is imported, in bytes: `zstd --long=29`. Of files with one above 128 MiB a server
/// unpacks one at a time.
pub const ZSTD_WINDOW_BYTES_MAX: u64 = jingku_sources::ZSTD_WINDOW_BYTES_MAX;
/// How long `/readyz` waits for the disk and the catalogue.
pub const READY_TIMEOUT: Duration = Duration::from_secs(3);
/// The most images of an account, the newest, that `PresentBytes` of a new one counts common chunks with. Of these it
/// remembers [`KNOWN_CHUNKS_MAX`](jingku_chunks::KNOWN_CHUNKS_MAX) chunks.
pub const OWN_MANIFESTS_MAX: u32 = 64;
/// For how long a server has to run with a clock before what is deleted by age counts with it, in seconds: a day.
pub const CLOCK_TRUST_SECS: i64 = 24 * 60 * 60;
/// The most accounts one image is shared with: their list comes in one answer.
pub const SHARES_MAX: i64 = 1000;
/// How many generations a backup keeps unless it is told otherwise.
pub const KEPT_GENERATIONS: u32 = 7;
/// The most generations that a backup can be told to keep: one a day for a year.
pub const KEPT_GENERATIONS_MAX: u32 = 366;
