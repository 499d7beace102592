//! Passwords of pods.

use crate::random::Random;

/// The length of a password. Documented.
const CHARS_MIN: usize = 8;
/// Likewise.
const CHARS_MAX: usize = 32;
/// How many of the kinds of characters a password has at least. Documented.
const KINDS_MIN: usize = 2;
/// The characters besides letters and digits. Documented.
const SIGNS: &str = "()`~!@#$%^&*-+=_|{}[]:;'<>,.?/";

/// The length of a generated password.
const NEW_CHARS: usize = 16;
/// The characters of a generated password, without those that are easily confused. There are 32, so that each byte of
/// randomness makes all of them equally likely.
const NEW_ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJ";

/// Tells whether a text may be the password of an instance.
pub fn is_password(text: &str) -> bool {
    let kinds: [fn(char) -> bool; 4] = [
        |c| c.is_ascii_lowercase(),
        |c| c.is_ascii_uppercase(),
        |c| c.is_ascii_digit(),
        |c| SIGNS.contains(c),
    ];
    let count = kinds.iter().filter(|is_kind| text.chars().any(is_kind)).count();
    (CHARS_MIN..=CHARS_MAX).contains(&text.len())
        && text.chars().all(|c| kinds.iter().any(|is_kind| is_kind(c)))
        && count >= KINDS_MIN
}

/// A new password.
pub fn new_password(random: &dyn Random) -> String {
    let mut bytes = [0; NEW_CHARS];
    random.fill(&mut bytes);
    let mut password: String =
        bytes.iter().map(|byte| char::from(NEW_ALPHABET[usize::from(byte % 32)])).collect();
    // Has letters and a digit whatever was drawn.
    password.push(char::from(b'2' + bytes[0] / 32));
    password
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededRandom;

    #[test]
    fn passwords_follow_the_documented_rules() {
        for good in ["abcdefg1", "ABCDEFGh", "0123456_", "a`()~!@#$%^&*-+=_|{}[]:;'<>,.?/"] {
            assert!(is_password(good), "{good}");
        }
        let long = format!("a{}", "1".repeat(32));
        for bad in [
            "",
            "abcdef1",
            &long,
            "abcdefgh",
            "12345678",
            "abc def1",
            "abcdefg1\n",
            "密码密码密码12",
            "abcdefg\\1",
        ] {
            assert!(!is_password(bad), "{bad:?}");
        }
        let random = SeededRandom::new(1);
        let (one, other) = (new_password(&random), new_password(&random));
        assert!(is_password(&one) && is_password(&other) && one != other, "{one} {other}");
    }
}
