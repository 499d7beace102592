//! Signs requests to webhooks as "Standard Webhooks" specify it, version 1, so that receivers check them with libraries.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::random::Random;

/// What a secret begins with, before the Base64 of the key.
const PREFIX: &str = "whsec_";
/// Length of the key.
const KEY_BYTES: usize = 32;

/// Returns a new secret.
pub(super) fn new_secret(random: &dyn Random) -> String {
    let mut key = [0; KEY_BYTES];
    random.fill(&mut key);
    format!("{PREFIX}{}", STANDARD.encode(key))
}

/// Returns the signature of a request, sent at a Unix time; `None` if it is not a secret.
pub(super) fn sign(secret: &str, id: &str, timestamp: i64, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededRandom;

    /// The example of the specification.
    #[test]
    fn signs_as_the_specification_says() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signature =
            sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        assert_eq!(sign("MfKQ", "", 0, ""), None);
    }

    #[test]
    fn a_secret_has_32_random_bytes() {
        let random = SeededRandom::new(1);
        let (one, other) = (new_secret(&random), new_secret(&random));
        assert_ne!(one, other);
        assert_eq!(STANDARD.decode(one.strip_prefix(PREFIX).unwrap()).unwrap().len(), KEY_BYTES);
    }
}
