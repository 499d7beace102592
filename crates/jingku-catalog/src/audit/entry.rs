use sha2::{Digest, Sha256};

use crate::AccountId;
use crate::database::row;

/// The most characters of a text in an entry. Longer texts are cut.
pub const AUDIT_TEXT_CHARS_MAX: usize = 128;
/// The first field of what is hashed.
const FORMAT: &str = "jingku-audit-1";

row! {
    /// An entry of the audit log.
    pub struct AuditEntry {
        /// Its number, from 1 without gaps.
        pub seq: i64 = "e.seq",
        /// When the change was requested.
        pub time: i64 = "e.time",
        /// The account that asked for the change, or that the operator changed; [`AccountId::PLATFORM`] for none.
        pub account: AccountId = "e.account_id",
        /// How the change was asked for, as [`Channel::as_str`].
        pub channel: String = "e.channel",
        /// The public key; empty without one.
        pub public_key: String = "e.public_key",
        /// The address of the client; empty if unknown.
        pub address: String = "e.address",
        /// The name of the action or command.
        pub action: String = "e.action",
        /// The image, instance or other object; empty if unknown.
        pub subject: String = "e.subject",
        /// The return code; 0 for success.
        pub ret_code: i64 = "e.ret_code",
        /// The id of the request; empty without one.
        pub request_id: String = "e.request_id",
        /// The hash of the entry before; empty for the first.
        pub previous: String = "e.previous",
        /// Its own hash.
        pub hash: String = "e.hash",
    }
}

/// How a change was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A signed request.
    Api,
    /// The web console.
    Console,
    /// An upload link.
    Upload,
    /// A command of the operator.
    Command,
    /// The server itself, such as when images expire from the trash.
    Server,
}

impl Channel {
    /// Its name in an entry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Console => "console",
            Self::Upload => "upload",
            Self::Command => "command",
            Self::Server => "server",
        }
    }
}

/// What is known of a change before it is made. Texts are cut to [`AUDIT_TEXT_CHARS_MAX`], and control characters are
/// escaped.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of `AuditEntry`")]
pub struct NewAuditEntry {
    pub time: i64,
    pub account: AccountId,
    pub channel: Channel,
    pub public_key: String,
    pub address: String,
    pub action: String,
    pub subject: String,
    pub ret_code: i64,
    pub request_id: String,
}

impl NewAuditEntry {
    /// The entry after another one.
    pub(super) fn chained(&self, seq: i64, previous: String) -> AuditEntry {
        let mut entry = AuditEntry {
            seq,
            time: self.time,
            account: self.account,
            channel: self.channel.as_str().to_owned(),
            public_key: clean(&self.public_key),
            address: clean(&self.address),
            action: clean(&self.action),
            subject: clean(&self.subject),
            ret_code: self.ret_code,
            request_id: clean(&self.request_id),
            previous,
            hash: String::new(),
        };
        entry.hash = entry.compute_hash();
        entry
    }
}

impl AuditEntry {
    /// The hash of all other fields: the SHA-256, in hexadecimal, of each as a netstring.
    pub(super) fn compute_hash(&self) -> String {
        let [seq, time, account, ret_code] =
            [self.seq, self.time, self.account.0, self.ret_code].map(|number| number.to_string());
        let fields = [
            FORMAT,
            &self.previous,
            &seq,
            &time,
            &account,
            &self.channel,
            &self.public_key,
            &self.address,
            &self.action,
            &self.subject,
            &ret_code,
            &self.request_id,
        ];
        let mut hash = Sha256::new();
        for field in fields {
            hash.update(format!("{}:{field},", field.len()));
        }
        hex::encode(hash.finalize())
    }
}

/// Cuts a text from outside, and escapes characters that could change how a terminal or page shows it.
fn clean(text: &str) -> String {
    let mut cleaned = String::new();
    for (at, character) in text.chars().enumerate() {
        if at == AUDIT_TEXT_CHARS_MAX {
            cleaned.push('…');
            break;
        }
        if character.is_control() || is_format(character) {
            cleaned.extend(character.escape_unicode());
        } else {
            cleaned.push(character);
        }
    }
    cleaned
}

/// Whether a character is invisible or changes the direction of text.
fn is_format(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_documented_example() {
        let new = NewAuditEntry {
            time: 1_795_507_200,
            account: AccountId(1),
            channel: Channel::Api,
            public_key: "key".to_owned(),
            address: "127.0.0.1".to_owned(),
            action: "UpdateCompShareImage".to_owned(),
            subject: "image-1".to_owned(),
            ret_code: 0,
            request_id: "request-1".to_owned(),
        };
        let entry = new.chained(1, String::new());
        // printf %s 14:jingku-audit-1,0:,1:1,10:1795507200,1:1,3:api,3:key,9:127.0.0.1,20:UpdateCompShareImage,\
        // 7:image-1,1:0,9:request-1, | sha256sum
        assert_eq!(entry.hash, "42f4e909783c5f5f6c7f052835877e0dd9e705713537ce9bb8bc528c07dcb3f0");
    }

    #[test]
    fn texts_are_cut_and_escaped() {
        assert_eq!(clean("镜像-1"), "镜像-1");
        assert_eq!(clean("a\u{1b}[31m\0\u{202e}b"), "a\\u{1b}[31m\\u{0}\\u{202e}b");
        let long = clean(&"\u{1}".repeat(100_000));
        assert_eq!(long.chars().filter(|character| *character == '\\').count(), AUDIT_TEXT_CHARS_MAX);
        assert!(long.ends_with('…'));
    }
}
