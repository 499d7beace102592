//! A Java key store with one trusted certificate, in the JKS format, which every JDK reads.
//!
//! ```text
//! u32 magic, u32 version, u32 entries
//! u32 kind (2, a trusted certificate), text alias, i64 made at (Unix milliseconds), text "X.509", u32 length, certificate
//! 20 bytes: SHA-1 of the password in UTF-16, a fixed phrase, and all of the above
//! ```
//!
//! Numbers are big-endian; a text is its length in two bytes and then its bytes.

use sha1::{Digest, Sha1};

/// Not a secret: Java uses it to verify that the file is complete.
pub(super) const PASSWORD: &str = "changeit";

const MAGIC: u32 = 0xfeed_feed;
const VERSION: u32 = 2;
const TRUSTED_CERTIFICATE: u32 = 2;
const PHRASE: &[u8] = b"Mighty Aphrodite";

/// Encodes a store with this DER certificate. `made_at` is in Unix seconds.
pub(super) fn encode(certificate: &[u8], made_at: i64) -> Vec<u8> {
    let mut store = Vec::new();
    for number in [MAGIC, VERSION, 1, TRUSTED_CERTIFICATE] {
        store.extend(number.to_be_bytes());
    }
    push_text(&mut store, "jingku");
    store.extend((made_at * 1000).to_be_bytes());
    push_text(&mut store, "X.509");
    let length = u32::try_from(certificate.len()).expect("a certificate of ours is short");
    store.extend(length.to_be_bytes());
    store.extend(certificate);

    let mut digest = Sha1::new();
    for unit in PASSWORD.encode_utf16() {
        digest.update(unit.to_be_bytes());
    }
    digest.update(PHRASE);
    digest.update(&store);
    store.extend_from_slice(&digest.finalize());
    store
}

fn push_text(store: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).expect("a text of ours is short");
    store.extend(length.to_be_bytes());
    store.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_that_of_java() {
        let store = encode(&[0x30, 0x03, 1, 2, 3], 1_795_000_000);
        let (content, digest) = store.split_at(store.len() - 20);
        let expected = [
            &[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2][..],
            b"\0\x06jingku",
            &[0, 0, 1, 0xa1, 0xee, 0x56, 0x5e, 0],
            b"\0\x05X.509",
            &[0, 0, 0, 5, 0x30, 0x03, 1, 2, 3],
        ];
        assert_eq!(content, expected.concat());
        // keytool -list -keystore FILE -storepass changeit accepts it.
        assert_eq!(digest.len(), 20);
    }
}
