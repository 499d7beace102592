//! Signed links: the holder can do one thing, without a key pair, until the link expires.
//!
//! The query states what the link allows. A MAC under a key derived from the master key signs it, so links are not stored
//! and cannot be forged. docs/wire/links.md describes them.

use axum::http::Uri;
use jingku_library::Keyring;

/// First line of a signed message, so that one kind of link is never valid as another. Also the end of a path.
const DISK: &str = "disk";
const UPLOAD: &str = "upload";

/// A link to download the disk of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DownloadLink {
    pub(crate) image_id: String,
    /// The account whose access the holder has.
    pub(crate) account: i64,
    pub(crate) manifest: String,
    /// The first second in which the link is invalid.
    pub(crate) expires_at: i64,
}

/// The link is forged, changed or expired. Clients do not learn which.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadLink;

impl DownloadLink {
    /// Path and query, relative to the base URL.
    pub(crate) fn path_and_query(&self, key: &Keyring) -> String {
        let Self { image_id, account, manifest, expires_at } = self;
        let signature = key.link_mac(&self.message()).to_hex();
        let query =
            format!("account={account}&expires={expires_at}&manifest={manifest}&signature={signature}");
        format!("/images/{image_id}/{DISK}?{query}")
    }

    /// Reads and verifies the link of a request.
    pub(crate) fn check(uri: &Uri, key: &Keyring, now: i64) -> Result<Self, BadLink> {
        let mut segments = uri.path().rsplit('/');
        let (Some(_), Some(image_id)) = (segments.next(), segments.next()) else { return Err(BadLink) };
        let query = Query::of(uri);
        let (account, expires_at) = query.account_and_expiry()?;
        let manifest = query.value("manifest").unwrap_or_default().to_owned();
        let link = Self { image_id: image_id.to_owned(), account, manifest, expires_at };
        query.verify_signature(&link.message(), key, expires_at, now).map(|()| link)
    }

    /// The signed text. No value contains a line break, so no two links have the same text.
    fn message(&self) -> String {
        let Self { image_id, account, manifest, expires_at } = self;
        format!("{DISK}\n{image_id}\n{account}\n{manifest}\n{expires_at}\n")
    }
}

/// A link to upload the file of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UploadLink {
    pub(crate) image_id: String,
    pub(crate) account: i64,
    /// The first second in which the link is invalid.
    pub(crate) expires_at: i64,
}

impl UploadLink {
    /// Path and query, relative to the base URL.
    pub(crate) fn path_and_query(&self, key: &Keyring) -> String {
        let Self { image_id, account, expires_at } = self;
        let signature = key.link_mac(&self.message()).to_hex();
        format!("/uploads/{image_id}?account={account}&expires={expires_at}&signature={signature}")
    }

    /// Reads and verifies the link of a request.
    pub(crate) fn check(uri: &Uri, key: &Keyring, now: i64) -> Result<Self, BadLink> {
        let image_id = uri.path().rsplit('/').next().ok_or(BadLink)?.to_owned();
        let query = Query::of(uri);
        let (account, expires_at) = query.account_and_expiry()?;
        let link = Self { image_id, account, expires_at };
        query.verify_signature(&link.message(), key, expires_at, now).map(|()| link)
    }

    fn message(&self) -> String {
        let Self { image_id, account, expires_at } = self;
        format!("{UPLOAD}\n{image_id}\n{account}\n{expires_at}\n")
    }
}

struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    fn of(uri: &'a Uri) -> Self {
        Self(uri.query().unwrap_or_default())
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        let values = self.0.split('&').filter_map(|pair| pair.split_once('='));
        values.filter(|(known, _)| *known == name).map(|(_, value)| value).next()
    }

    fn account_and_expiry(&self) -> Result<(i64, i64), BadLink> {
        let number = |name: &str| self.value(name)?.parse::<i64>().ok();
        Ok((number("account").ok_or(BadLink)?, number("expires").ok_or(BadLink)?))
    }

    fn verify_signature(
        &self,
        message: &str,
        key: &Keyring,
        expires_at: i64,
        now: i64,
    ) -> Result<(), BadLink> {
        let signature = self.value("signature").and_then(|text| hex::decode(text).ok()).unwrap_or_default();
        let authentic = key.link_mac(message) == *signature;
        if authentic && now < expires_at { Ok(()) } else { Err(BadLink) }
    }
}

#[cfg(test)]
mod tests {
    use jingku_library::Keyring;

    use super::*;

    fn download() -> DownloadLink {
        DownloadLink {
            image_id: "compshareImage-1minbz219ceq".to_owned(),
            account: 1,
            manifest: "ab".repeat(32),
            expires_at: 1000,
        }
    }

    #[test]
    fn a_changed_link_is_refused() {
        let keyring = Keyring::new([1; 32]);
        let key = &keyring;
        let text = download().path_and_query(key);
        let check = |text: &str, now| DownloadLink::check(&text.parse().unwrap(), key, now);
        assert_eq!(check(&text, 999), Ok(download()));
        assert_eq!(check(&text, 1000), Err(BadLink));
        // Every character of the id and the query is signed; the route checks the end of the path.
        let ends = [text.find("/disk").unwrap(), text.find('?').unwrap()];
        for index in ("/images/".len()..text.len()).filter(|index| !(ends[0]..=ends[1]).contains(index)) {
            let mut changed = text.clone().into_bytes();
            changed[index] = if changed[index] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(check(&changed, 999), Err(BadLink), "{changed}");
        }
        assert_eq!(DownloadLink::check(&text.parse().unwrap(), &Keyring::new([2; 32]), 999), Err(BadLink));
    }

    #[test]
    fn one_kind_of_link_is_not_valid_as_another() {
        let keyring = Keyring::new([1; 32]);
        let link =
            UploadLink { image_id: "compshareImage-1minbz219ceq".to_owned(), account: 1, expires_at: 1000 };
        let text = link.path_and_query(&keyring);
        let check = |text: &str, now| UploadLink::check(&text.parse().unwrap(), &keyring, now);
        assert_eq!(check(&text, 999), Ok(link));
        for changed in [
            text.replace("account=1", "account=2"),
            text.replace("expires=1000", "expires=1001"),
            text.replace("1minbz219ceq", "1minbz219cer"),
        ] {
            assert_eq!(check(&changed, 999), Err(BadLink), "{changed}");
        }
        assert_eq!(check(&text, 1000), Err(BadLink));
        let as_download = text.replace("/uploads/", "/images/").replace('?', "/disk?");
        assert_eq!(DownloadLink::check(&as_download.parse().unwrap(), &keyring, 999), Err(BadLink));
        let disk = self::download().path_and_query(&keyring);
        let upload = disk.replace("/images/", "/uploads/").replace("/disk?", "?");
        assert_eq!(check(&upload, 999), Err(BadLink));
    }

    #[test]
    fn malformed_links_are_refused() {
        let keyring = Keyring::new([1; 32]);
        for text in [
            "/",
            "/images/x/disk",
            "/images/x/disk?",
            "/images/x/disk?account=1&expires=9999999999&signature=",
            "/images/x/disk?account=1&expires=9999999999&signature=zz",
            "/images/x/disk?account=99999999999999999999&expires=1&signature=00",
        ] {
            let checked = DownloadLink::check(&text.parse().unwrap(), &keyring, 0);
            assert_eq!(checked, Err(BadLink), "{text}");
        }
    }
}
