//! Encryption of private keys at rest: AES-256-GCM under a master key, bound to the public key. They are not hashed,
//! because the server needs them to check signatures.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use zeroize::{Zeroize, Zeroizing};

use crate::random::Random;

const NONCE_BYTES: usize = 12;
/// Length of the master key.
pub(crate) const MASTER_KEY_BYTES: usize = 32;
/// First byte of a sealed key: the version of the format.
const SEALED_V1: u8 = 1;

/// A sealed private key that the master key does not open.
#[derive(Debug, thiserror::Error)]
#[error(
    "The private key of {public_key} cannot be decrypted: the master key is not the one it was sealed with. Put the \
     original master key back (file `master.key` in the data directory, or JINGKU_MASTER_KEY)."
)]
pub struct WrongMasterKey {
    pub(crate) public_key: String,
}

/// Derivation library of the link key. Must not change, because that would invalidate all links.
const LINKS: &str = "jingku 2026-11-24 links to images";

/// Seals and opens private keys, and authenticates links.
pub struct Keyring {
    cipher: Aes256Gcm,
    /// Authenticates links: a BLAKE3 key derived from the master key.
    links: Zeroizing<[u8; blake3::KEY_LEN]>,
}

impl Keyring {
    /// The keyring of `master_key`, which is wiped.
    pub fn new(mut master_key: [u8; MASTER_KEY_BYTES]) -> Self {
        let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from(master_key));
        let links = Zeroizing::new(blake3::derive_key(LINKS, &master_key));
        master_key.zeroize();
        Self { cipher, links }
    }

    /// The authentication code of a link. `blake3::Hash` compares in constant time.
    pub fn link_mac(&self, message: &str) -> blake3::Hash {
        blake3::keyed_hash(&self.links, message.as_bytes())
    }

    /// Seals a private key for storage.
    pub fn seal(&self, public_key: &str, private_key: &SecretString, random: &dyn Random) -> String {
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce);
        let payload = Payload { msg: private_key.expose_secret().as_bytes(), aad: public_key.as_bytes() };
        let sealed = self.cipher.encrypt(&Nonce::from(nonce), payload);
        // AES-GCM refuses only messages of 64 GiB and more.
        let sealed = sealed.expect("a private key is short");
        STANDARD.encode([&[SEALED_V1], &nonce[..], &sealed].concat())
    }

    /// Opens a sealed private key.
    pub fn open(&self, public_key: &str, sealed: &str) -> Result<SecretString, WrongMasterKey> {
        self.try_open(public_key, sealed).ok_or_else(|| WrongMasterKey { public_key: public_key.to_owned() })
    }

    fn try_open(&self, public_key: &str, sealed: &str) -> Option<SecretString> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, message) = bytes.strip_prefix(&[SEALED_V1])?.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: message, aad: public_key.as_bytes() };
        let plain = Zeroizing::new(self.cipher.decrypt(&Nonce::from(*nonce), payload).ok()?);
        Some(SecretString::from(std::str::from_utf8(&plain).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededRandom;

    #[test]
    fn opens_only_with_its_master_key_and_its_public_key() {
        let random = SeededRandom::new(1);
        let keyring = Keyring::new([1; MASTER_KEY_BYTES]);
        let sealed = keyring.seal("public", &SecretString::from("private"), &random);
        assert!(!sealed.contains("private"));
        assert_eq!(keyring.open("public", &sealed).unwrap().expose_secret(), "private");
        assert!(keyring.open("another", &sealed).is_err());
        assert!(Keyring::new([2; MASTER_KEY_BYTES]).open("public", &sealed).is_err());
        assert!(keyring.open("public", "not base64").is_err());
        assert!(keyring.open("public", "").is_err());
        assert_ne!(sealed, keyring.seal("public", &SecretString::from("private"), &random), "nonces repeat");
    }
}
