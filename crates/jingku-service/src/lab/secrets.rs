//! What a trace must not show: signatures and other secrets, wherever in a request a client put them.
//!
//! A request may be spelled wrongly in any way: a signature can be part of a path, of a name, or of a text that holds a
//! whole request. So names are not enough; texts are searched for what looks like a secret, and for what introduces one.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// What stands in place of a secret.
pub(super) const HIDDEN: &str = "(hidden)";
/// A name that contains one of these is that of a secret.
const WORDS: [&str; 10] = [
    "signature",
    "private",
    "password",
    "passwd",
    "secret",
    "token",
    "authorization",
    "cookie",
    "credential",
    "apikey",
];
/// A text that contains one of these shows nothing of what follows it. Words of everyday language are not among them.
const INTRODUCTIONS: [&str; 6] =
    ["signature", "privatekey", "private_key", "password", "securitytoken", "secret_key"];
/// A signature, and a private key, is so many hexadecimal digits. More of them may hold one.
const DIGITS: usize = 40;
/// How often a text is percent-decoded in search of a secret.
const LAYERS_MAX: usize = 4;

/// Whether a parameter of this name is not shown.
pub(super) fn is_secret(name: &str) -> bool {
    let name = decoded(name).to_ascii_lowercase();
    // The place in a list is no secret.
    name != "nexttoken" && WORDS.iter().any(|word| name.contains(word))
}

/// A text without what is, or may be, a secret.
pub(super) fn without_secrets(text: &str) -> Cow<'_, str> {
    let plain = decoded(text);
    if hide(&plain).is_none() {
        return Cow::Borrowed(text);
    }
    // Shown decoded: in the text as it is, the secret may look like nothing.
    Cow::Owned(hide(&plain).unwrap_or_else(|| plain.into_owned()))
}

/// The text with secrets hidden, if it has any.
fn hide(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let introduced = INTRODUCTIONS.iter().filter_map(|word| Some(lower.find(word)? + word.len())).min();
    let (before, cut) = match introduced {
        Some(end) if end < text.len() => (&text[..end], true),
        _ => (text, false),
    };
    let mut shown = String::with_capacity(before.len());
    let mut hidden = cut;
    let mut digits = String::new();
    for char in before.chars().map(Some).chain([None]) {
        if let Some(digit) = char.filter(char::is_ascii_hexdigit) {
            digits.push(digit);
            continue;
        }
        if digits.len() >= DIGITS {
            shown.push_str(HIDDEN);
            hidden = true;
        } else {
            shown.push_str(&digits);
        }
        digits.clear();
        shown.extend(char);
    }
    if cut {
        shown.push_str(HIDDEN);
    }
    hidden.then_some(shown)
}

/// The text percent-decoded until nothing is left to decode.
fn decoded(text: &str) -> Cow<'_, str> {
    let mut plain = Cow::Borrowed(text);
    for _ in 0..LAYERS_MAX {
        if !plain.contains('%') {
            break;
        }
        let next = percent_decode_str(&plain).decode_utf8_lossy().into_owned();
        if next == plain {
            break;
        }
        plain = Cow::Owned(next);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "e98fb81fedaa886d5d1333116114df579b836e4d";

    #[test]
    fn secrets_are_hidden_wherever_they_are() {
        for (text, shown) in [
            (format!("/x/{SIGNATURE}/y"), "/x/(hidden)/y"),
            (SIGNATURE.to_ascii_uppercase(), "(hidden)"),
            (format!("a{SIGNATURE}b{SIGNATURE}"), "(hidden)"),
            ("X&Signature=abc&Y=1".to_owned(), "X&Signature(hidden)"),
            ("X&signature: abc".to_owned(), "X&signature(hidden)"),
            (format!("%53ignature%3D{SIGNATURE}"), "Signature(hidden)"),
            (SIGNATURE.bytes().fold(String::new(), |all, byte| format!("{all}%{byte:x}")), "(hidden)"),
            ("{\"PrivateKey\":\"x\"}".to_owned(), "{\"PrivateKey(hidden)"),
        ] {
            assert_eq!(without_secrets(&text), shown, "{text}");
        }
        for plain in ["100% of it", "%E9%95%9C", "a signature", &SIGNATURE[1..], "tokens and secrets", "镜像"]
        {
            assert_eq!(without_secrets(plain), plain);
        }
    }

    #[test]
    fn names_of_secrets_are_known() {
        for name in ["Signature", "signature", "X.Signature.0", "my_password", "SecurityToken", "%53ignature"]
        {
            assert!(is_secret(name), "{name}");
        }
        for name in ["NextToken", "Name", "PublicKey", "Blake3"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
