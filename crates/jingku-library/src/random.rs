//! The source of randomness, and random ids and keys.

use std::sync::Mutex;

use crate::lock::lock;

/// Provides random bytes. An argument, so that tests can fix it.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "the one place where the system's randomness is read")]
    fn fill(&self, bytes: &mut [u8]) {
        // No key can be generated safely without randomness.
        getrandom::fill(bytes).expect("the operating system provides random bytes");
    }
}

/// Reproducible bytes for tests: the `SplitMix64` sequence of a seed.
#[derive(Debug)]
pub struct SeededRandom(Mutex<u64>);

impl SeededRandom {
    /// The sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = lock(&self.0);
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A secret of 256 bits, as text.
pub fn new_secret(random: &dyn Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    hex::encode(bytes)
}

/// What is stored of a secret. Looking up a hash takes no longer if more of the secret is right.
pub fn hash_secret(secret: &str) -> blake3::Hash {
    blake3::hash(secret.as_bytes())
}

const UNIQUE_ID_LENGTH: usize = 24;
pub(crate) const BASE36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `length` characters of an alphabet of at most 256 characters.
fn draw(random: &dyn Random, alphabet: &[u8], length: usize) -> String {
    // Larger bytes would favour the first characters.
    let even = 256 - 256 % alphabet.len();
    let bytes = std::iter::repeat_with(|| {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        bytes
    });
    let numbers = bytes.flatten().map(usize::from).filter(|number| *number < even);
    numbers.map(|number| char::from(alphabet[number % alphabet.len()])).take(length).collect()
}

/// An image id in the form of the real service: twelve characters, the first a `1`.
pub fn image_id(random: &dyn Random) -> String {
    format!("compshareImage-1{}", draw(random, BASE36, 11))
}

/// The id of a container in the form of the real service: twelve characters, the first a `1`.
pub fn pod_id(random: &dyn Random) -> String {
    format!("cpod-1{}", draw(random, BASE36, 11))
}

/// The id of a webhook.
pub(crate) fn webhook_id(random: &dyn Random) -> String {
    format!("webhook-{}", draw(random, BASE36, 12))
}

/// A group id in one of the forms of the real service: twelve letters and digits.
pub fn group_id(random: &dyn Random) -> String {
    draw(random, BASE62, 12)
}

pub(crate) fn project_id(random: &dyn Random) -> String {
    format!("org-{}", draw(random, BASE36, 6))
}

/// The id of a node, a job or a cover: 120 bits.
pub fn unique_id(random: &dyn Random) -> String {
    draw(random, BASE36, UNIQUE_ID_LENGTH)
}

/// Whether a text has the form of a [`unique_id`].
pub fn is_unique_id(text: &str) -> bool {
    text.len() == UNIQUE_ID_LENGTH && text.bytes().all(|byte| BASE36.contains(&byte))
}

/// A version 4 UUID, which clients show with an error.
pub fn request_id(random: &dyn Random) -> String {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    // Drawn for every request, so it is written in place.
    let mut id = [b'-'; 36];
    for (digits, bytes) in [
        (0..8, &bytes[..4]),
        (9..13, &bytes[4..6]),
        (14..18, &bytes[6..8]),
        (19..23, &bytes[8..10]),
        (24..36, &bytes[10..]),
    ] {
        hex::encode_to_slice(bytes, &mut id[digits]).expect("two digits a byte");
    }
    String::from_utf8(id.to_vec()).expect("digits are ASCII")
}

/// A new public and private key of letters and digits, which need no quoting.
pub(crate) fn key_pair(random: &dyn Random) -> (String, String) {
    (format!("jk{}", draw(random, BASE36, 30)), draw(random, BASE36, 48))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_documented_form() {
        let random = SeededRandom::new(7);
        let id = image_id(&random);
        assert_eq!(id.len(), "compshareImage-1minbz219ceq".len());
        assert!(id.starts_with("compshareImage-1"));
        assert!(id["compshareImage-".len()..].bytes().all(|byte| BASE36.contains(&byte)));
        let group = group_id(&random);
        assert_eq!(group.len(), "9WFDPteiVhX5".len());
        assert!(group.bytes().all(|byte| BASE62.contains(&byte)));
        let uuid = request_id(&random);
        assert_eq!((uuid.len(), uuid.as_bytes()[14]), (36, b'4'));
        assert_ne!(key_pair(&random), key_pair(&random));
        let id = unique_id(&random);
        assert!(is_unique_id(&id) && !is_unique_id(&id[1..]) && !is_unique_id(&id.to_uppercase()), "{id}");
    }
}
