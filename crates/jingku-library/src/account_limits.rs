//! What one account may have: the defaults of the server, and what the operator sets for one account.

use std::fmt;
use std::str::FromStr;

use jingku_catalog::{AccountId, AccountLimits, CatalogError, Limit, LimitState, OverLimit};
use serde::Deserialize;
use serde::de::{self, Deserializer};

use crate::library::Library;
use crate::limits::{
    MAX_ACCOUNT_IMAGES, MAX_ACCOUNT_JOBS, MAX_ACCOUNT_STORED_BYTES, MAX_ACCOUNT_TRASHED,
    MAX_ACCOUNT_UPLOAD_BYTES, MAX_ACCOUNT_UPLOADS, UNPACK_RATIO_MAX, UPLOAD_ROOM_SHARE,
};
use crate::operator::OperatorError;
use crate::room::MARGIN_BYTES;

const MB: i64 = 1 << 20;

/// What every account may have that has no limits of its own.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// Images, those in the trash not counted.
    pub images: u32,
    /// Deleted images that are still kept.
    pub trashed: u32,
    /// Bytes of its images that are not zeros, those of the trash counted, and the same content once.
    pub stored_bytes: ByteSize,
    /// Uploads whose file has not come whole.
    pub uploads: u32,
    /// Bytes of uploaded files that no image is made of yet.
    pub upload_bytes: ByteSize,
    /// Images that wait for their making or are being made, unfinished uploads counted.
    pub jobs: u32,
    /// How many times its size an uploaded file may unpack to, runs of zeros not counted. 1 GiB is always allowed.
    pub unpack_ratio: u32,
}

impl Default for LimitSettings {
    fn default() -> Self {
        let number = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            images: number(MAX_ACCOUNT_IMAGES),
            trashed: number(MAX_ACCOUNT_TRASHED),
            stored_bytes: ByteSize(MAX_ACCOUNT_STORED_BYTES),
            uploads: number(MAX_ACCOUNT_UPLOADS),
            upload_bytes: ByteSize(MAX_ACCOUNT_UPLOAD_BYTES),
            jobs: number(MAX_ACCOUNT_JOBS),
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
            uploads: self.uploads.into(),
            upload_bytes: self.upload_bytes.0,
            jobs: self.jobs.into(),
        }
    }
}

/// A number of bytes, written as `500MB`, `20GB` or `1TB`, of 2²⁰, 2³⁰ or 2⁴⁰ bytes, or without a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub i64);

/// A text that is not a number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a whole number of bytes, MB, GB or TB, such as 500GB")]
pub struct BadSize;

impl FromStr for ByteSize {
    type Err = BadSize;

    fn from_str(text: &str) -> Result<Self, BadSize> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let factor = match text[digits.len()..].to_ascii_uppercase().as_str() {
            "" | "B" => 1,
            "M" | "MB" | "MIB" => MB,
            "G" | "GB" | "GIB" => 1 << 30,
            "T" | "TB" | "TIB" => 1 << 40,
            _ => return Err(BadSize),
        };
        let bytes = digits.parse::<i64>();
        let bytes = bytes.ok().filter(|bytes| *bytes >= 0).and_then(|bytes| bytes.checked_mul(factor));
        bytes.map(Self).ok_or(BadSize)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = ByteSize;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "a size such as \"500GB\", or a number of bytes")
            }

            fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<ByteSize, E> {
                if bytes < 0 { Err(E::custom(BadSize)) } else { Ok(ByteSize(bytes)) }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ByteSize, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// What the owner of an account reads when it has as much as it may: its own use and limit, and nothing of the server's.
pub fn refusal(over: &OverLimit) -> String {
    let (used, max) = (over.used, over.max);
    let (used_mb, max_mb) = (used.saturating_add(MB - 1) / MB, max / MB);
    match over.limit {
        Limit::Images => format!(
            "The account has {used} images and may have {max}; delete some, or ask the operator for more"
        ),
        Limit::Trashed => format!(
            "The account has {used} deleted images that are still kept, and may have {max}; wait until they are gone for \
             good, or ask the operator"
        ),
        Limit::StoredBytes => format!(
            "The account's images hold {used_mb} MB of data, the deleted ones that are still kept included, and may hold \
             {max_mb} MB; delete some, or ask the operator for more"
        ),
        Limit::Uploads => format!(
            "The account has {used} uploads that have not come to their end, and may have {max}; finish or delete one"
        ),
        Limit::UploadBytes => format!(
            "The files that the account has uploaded have {used_mb} MB and may have {max_mb} MB until images are made of \
             them; finish or delete one"
        ),
        Limit::Jobs => format!(
            "The account has {used} images that wait or are being made, and may have {max}; wait for one, or delete one"
        ),
    }
}

impl Library {
    /// How an account stands to its limits.
    pub async fn account_limits(&self, account: i64) -> Result<Vec<LimitState>, OperatorError> {
        let account = self.require_account(account).await?;
        Ok(self.catalog.account_limits(account.id).await?)
    }

    /// Sets limits of one account; `None` for the default of the server.
    pub async fn set_account_limits(
        &self,
        account: i64,
        limits: &[(Limit, Option<i64>)],
    ) -> Result<(), OperatorError> {
        if self.catalog.set_account_limits(AccountId(account), limits).await? {
            Ok(())
        } else {
            Err(OperatorError::NoAccount(account))
        }
    }

    /// How many bytes the uploaded files of one account may have now, so that others can upload as well.
    pub async fn upload_share(&self) -> Result<i64, CatalogError> {
        let Some(room) = self.room.clone() else { return Ok(i64::MAX) };
        // Where nobody can tell, the store will.
        let free = tokio::task::spawn_blocking(move || room.free_bytes()).await;
        let Ok(Ok(free)) = free else { return Ok(i64::MAX) };
        let stored = self.catalog.uploads().await?.iter().map(|upload| upload.stored_bytes).sum::<i64>();
        let held = u64::try_from(stored).unwrap_or(0);
        let room = free.saturating_sub(MARGIN_BYTES).saturating_add(held);
        Ok(i64::try_from(room / UPLOAD_ROOM_SHARE).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [("0", 0), ("7", 7), ("500MB", 500 << 20), ("2g", 2 << 30), ("10TB", 10 << 40)] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in ["", "GB", "-1", "-1GB", "1.5GB", "1KB", "1 GB", "9999999999TB"] {
            assert_eq!(text.parse::<ByteSize>(), Err(BadSize), "{text}");
        }
        let settings: LimitSettings = toml::from_str("stored_bytes = '1TB'\nupload_bytes = 9").unwrap();
        assert_eq!((settings.stored_bytes, settings.upload_bytes), (ByteSize(1 << 40), ByteSize(9)));
        assert!(toml::from_str::<LimitSettings>("stored_bytes = 'much'").is_err());
        assert!(toml::from_str::<LimitSettings>("image = 1").is_err());
    }

    #[test]
    fn every_refusal_names_use_and_limit() {
        for limit in Limit::ALL {
            let text = refusal(&OverLimit { limit, used: 7 * MB, max: 9 * MB });
            let bytes = matches!(limit, Limit::StoredBytes | Limit::UploadBytes);
            let (used, max) = if bytes { (7, 9) } else { (7 * MB, 9 * MB) };
            assert!(text.contains(&used.to_string()) && text.contains(&max.to_string()), "{text}");
        }
    }
}
