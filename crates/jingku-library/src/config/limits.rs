//! Limits of connections and default limits of an account.

use jingku_catalog::AccountLimits;
use serde::{Deserialize, Serialize};

use super::byte_size::ByteSize;
use crate::limits::{
    MAX_ACCOUNT_IMAGES, MAX_ACCOUNT_JOBS, MAX_ACCOUNT_REQUESTS, MAX_ACCOUNT_STORED_BYTES,
    MAX_ACCOUNT_TRASHED, MAX_ACCOUNT_UPLOAD_BYTES, MAX_ACCOUNT_UPLOADS, MAX_ADDRESS_CONNECTIONS,
    MAX_ADDRESS_REQUESTS, MAX_CONNECTIONS, UNPACK_RATIO_MAX,
};

/// Maximum numbers of connections.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionLimits {
    /// In total. At most half of the file descriptors that the process may open.
    pub total: usize,
    /// From one IPv4 address, or from one IPv6 network of 64 bits. Loopback addresses are exempt, because a local proxy
    /// speaks for many clients.
    pub per_address: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { total: MAX_CONNECTIONS, per_address: MAX_ADDRESS_CONNECTIONS }
    }
}

/// Maximum numbers of API requests per second. Twice as many may come at once. Requests from loopback addresses are
/// exempt. 0 disables a limit.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RequestLimits {
    /// Of one account.
    pub per_account: u32,
    /// From one IPv4 address, or from one IPv6 network of 64 bits.
    pub per_address: u32,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self { per_account: MAX_ACCOUNT_REQUESTS, per_address: MAX_ADDRESS_REQUESTS }
    }
}

/// Limits of every account that has no limits of its own.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// Images outside the trash.
    pub images: u32,
    /// Images in the trash.
    pub trashed: u32,
    /// Bytes of its images, including the trash, without zeros and duplicates.
    pub stored_bytes: ByteSize,
    /// Bytes of the distinct chunks of its images, including the trash; no limit if absent.
    pub unique_bytes: Option<ByteSize>,
    /// Unfinished uploads.
    pub uploads: u32,
    /// Bytes of uploaded files that are not images yet.
    pub upload_bytes: ByteSize,
    /// Queued and running jobs, including unfinished uploads.
    pub jobs: u32,
    /// Downloads and uploads at the same time; no limit if absent.
    pub transfers: Option<u32>,
    /// Maximum ratio of unpacked to uploaded size; zeros do not count. 1 GiB is always allowed.
    pub unpack_ratio: u32,
}

impl Default for LimitSettings {
    fn default() -> Self {
        let number = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            images: number(MAX_ACCOUNT_IMAGES),
            trashed: number(MAX_ACCOUNT_TRASHED),
            stored_bytes: ByteSize(MAX_ACCOUNT_STORED_BYTES),
            unique_bytes: None,
            uploads: number(MAX_ACCOUNT_UPLOADS),
            upload_bytes: ByteSize(MAX_ACCOUNT_UPLOAD_BYTES),
            jobs: number(MAX_ACCOUNT_JOBS),
            transfers: None,
            unpack_ratio: u32::try_from(UNPACK_RATIO_MAX).unwrap_or(u32::MAX),
        }
    }
}

impl LimitSettings {
    pub(crate) fn accounts(&self) -> AccountLimits {
        AccountLimits {
            images: self.images.into(),
            trashed: self.trashed.into(),
            stored_bytes: self.stored_bytes.0,
            unique_bytes: self.unique_bytes.map_or(i64::MAX, |size| size.0),
            uploads: self.uploads.into(),
            upload_bytes: self.upload_bytes.0,
            jobs: self.jobs.into(),
            transfers: self.transfers.map_or(i64::MAX, i64::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_and_unknown_limits_are_refused() {
        let settings: LimitSettings = toml::from_str("stored_bytes = '1TB'\nupload_bytes = 9").unwrap();
        assert_eq!((settings.stored_bytes, settings.upload_bytes), (ByteSize(1 << 40), ByteSize(9)));
        assert_eq!((settings.unique_bytes, settings.accounts().unique_bytes), (None, i64::MAX));
        let settings: LimitSettings = toml::from_str("unique_bytes = '2GB'").unwrap();
        assert_eq!(settings.accounts().unique_bytes, 2 << 30);
        assert!(toml::from_str::<LimitSettings>("stored_bytes = 'much'").is_err());
        assert!(toml::from_str::<LimitSettings>("image = 1").is_err());
    }
}
