//! Links that need no other signature: whoever has one may do the one thing it is for, until it ends.
//!
//! What a link is good for is said in its query and sealed by a MAC under a key derived from the master key, so that
//! nothing about links is stored and none can be made up. docs/wire/links.md describes them.

use std::fmt::Write as _;

use axum::http::Uri;
use jingku_library::LinkKey;

/// What a link is good for: the end of its path, and the start of what is sealed, so that another kind is never the same.
const DISK: &str = "disk";
/// The same of links to which a file is uploaded.
const UPLOAD: &str = "upload";

/// What a link to a disk says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) image_id: String,
    /// As whom its bearer is seen.
    pub(crate) account: i64,
    /// The manifest that the disk is.
    pub(crate) manifest: String,
    /// The first second it is not good any more.
    pub(crate) expires_at: i64,
}

/// A link that was made up, changed, or has ended. Which of these it is, nobody is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadLink;

impl Link {
    /// Path and query, below the service's base URL.
    pub(crate) fn path_and_query(&self, key: &LinkKey) -> String {
        let Self { image_id, account, manifest, expires_at } = self;
        let mut text = format!("/images/{image_id}/{DISK}?account={account}&expires={expires_at}");
        if !manifest.is_empty() {
            let _ = write!(text, "&manifest={manifest}");
        }
        let _ = write!(text, "&signature={}", hex::encode(key.mac(&self.message())));
        text
    }

    /// Reads the link a request came by and checks it.
    pub(crate) fn check(uri: &Uri, key: &LinkKey, now: i64) -> Result<Self, BadLink> {
        let mut segments = uri.path().rsplit('/');
        let (Some(_), Some(image_id)) = (segments.next(), segments.next()) else { return Err(BadLink) };
        let query = Query::of(uri);
        let (account, expires_at) = query.bearer()?;
        let manifest = query.value("manifest").unwrap_or_default().to_owned();
        let link = Self { image_id: image_id.to_owned(), account, manifest, expires_at };
        query.check_seal(&link.message(), key, expires_at, now).map(|()| link)
    }

    /// What is sealed. A line each, and nothing that is sealed holds a line break: no two links have the same.
    fn message(&self) -> String {
        let Self { image_id, account, manifest, expires_at } = self;
        format!("{DISK}\n{image_id}\n{account}\n{manifest}\n{expires_at}\n")
    }
}

/// What a link to which the file of an image is uploaded says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UploadLink {
    pub(crate) image_id: String,
    /// Whose image it is.
    pub(crate) account: i64,
    /// The first second it is not good any more.
    pub(crate) expires_at: i64,
}

impl UploadLink {
    /// Path and query, below the service's base URL.
    pub(crate) fn path_and_query(&self, key: &LinkKey) -> String {
        let Self { image_id, account, expires_at } = self;
        let signature = hex::encode(key.mac(&self.message()));
        format!("/uploads/{image_id}?account={account}&expires={expires_at}&signature={signature}")
    }

    /// Reads the link a request came by and checks it.
    pub(crate) fn check(uri: &Uri, key: &LinkKey, now: i64) -> Result<Self, BadLink> {
        let image_id = uri.path().rsplit('/').next().ok_or(BadLink)?.to_owned();
        let query = Query::of(uri);
        let (account, expires_at) = query.bearer()?;
        let link = Self { image_id, account, expires_at };
        query.check_seal(&link.message(), key, expires_at, now).map(|()| link)
    }

    fn message(&self) -> String {
        let Self { image_id, account, expires_at } = self;
        format!("{UPLOAD}\n{image_id}\n{account}\n{expires_at}\n")
    }
}

/// The query of a link.
struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    fn of(uri: &'a Uri) -> Self {
        Self(uri.query().unwrap_or_default())
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        let values = self.0.split('&').filter_map(|pair| pair.split_once('='));
        values.filter(|(known, _)| *known == name).map(|(_, value)| value).next()
    }

    /// The account and the end that every link says.
    fn bearer(&self) -> Result<(i64, i64), BadLink> {
        let number = |name: &str| self.value(name)?.parse::<i64>().ok();
        Ok((number("account").ok_or(BadLink)?, number("expires").ok_or(BadLink)?))
    }

    fn check_seal(&self, message: &str, key: &LinkKey, expires_at: i64, now: i64) -> Result<(), BadLink> {
        let signature = self.value("signature").and_then(|text| hex::decode(text).ok()).unwrap_or_default();
        let authentic = key.verify(message, &signature);
        if authentic && now < expires_at { Ok(()) } else { Err(BadLink) }
    }
}

#[cfg(test)]
mod tests {
    use jingku_library::Keyring;

    use super::*;

    fn link() -> Link {
        Link {
            image_id: "compshareImage-1minbz219ceq".to_owned(),
            account: 1,
            manifest: "ab".repeat(32),
            expires_at: 1000,
        }
    }

    #[test]
    fn only_what_was_sealed_passes() {
        let keyring = Keyring::new([1; 32]);
        let key = keyring.links();
        let text = link().path_and_query(key);
        let check = |text: &str, now| Link::check(&text.parse().unwrap(), key, now);
        assert_eq!(check(&text, 999), Ok(link()));
        assert_eq!(check(&text, 1000), Err(BadLink));
        // Every character of the id and of the query counts; the end of the path is the route's.
        let ends = [text.find("/disk").unwrap(), text.find('?').unwrap()];
        for index in ("/images/".len()..text.len()).filter(|index| !(ends[0]..=ends[1]).contains(index)) {
            let mut changed = text.clone().into_bytes();
            changed[index] = if changed[index] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(check(&changed, 999), Err(BadLink), "{changed}");
        }
        assert_eq!(Link::check(&text.parse().unwrap(), Keyring::new([2; 32]).links(), 999), Err(BadLink));
    }

    #[test]
    fn a_link_is_good_for_one_thing() {
        let keyring = Keyring::new([1; 32]);
        let link =
            UploadLink { image_id: "compshareImage-1minbz219ceq".to_owned(), account: 1, expires_at: 1000 };
        let text = link.path_and_query(keyring.links());
        let check = |text: &str, now| UploadLink::check(&text.parse().unwrap(), keyring.links(), now);
        assert_eq!(check(&text, 999), Ok(link));
        for changed in [
            text.replace("account=1", "account=2"),
            text.replace("expires=1000", "expires=1001"),
            text.replace("1minbz219ceq", "1minbz219cer"),
        ] {
            assert_eq!(check(&changed, 999), Err(BadLink), "{changed}");
        }
        assert_eq!(check(&text, 1000), Err(BadLink));
        let download = text.replace("/uploads/", "/images/").replace('?', "/disk?");
        assert_eq!(Link::check(&download.parse().unwrap(), keyring.links(), 999), Err(BadLink));
        let disk = self::link().path_and_query(keyring.links());
        let upload = disk.replace("/images/", "/uploads/").replace("/disk?", "?");
        assert_eq!(check(&upload, 999), Err(BadLink));
    }

    #[test]
    fn nonsense_is_no_link() {
        let keyring = Keyring::new([1; 32]);
        for text in [
            "/",
            "/images/x/disk",
            "/images/x/disk?",
            "/images/x/disk?account=1&expires=9999999999&signature=",
            "/images/x/disk?account=1&expires=9999999999&signature=zz",
            "/images/x/disk?account=99999999999999999999&expires=1&signature=00",
        ] {
            let checked = Link::check(&text.parse().unwrap(), keyring.links(), 0);
            assert_eq!(checked, Err(BadLink), "{text}");
        }
    }
}
