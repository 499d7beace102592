//! Redacts signatures and other secrets from traces, wherever a client put them.
//!
//! A malformed request can have a signature in a path, in a name, or in a text that contains a whole request. So checking
//! parameter names is not enough: texts are searched for what looks like a secret and for words that introduce one.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;

pub(super) const HIDDEN: &str = "(hidden)";
/// A parameter whose name contains one of these is secret.
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
/// A text is hidden after one of these. Everyday words are not included.
const MARKERS: [&str; 6] =
    ["signature", "privatekey", "private_key", "password", "securitytoken", "secret_key"];
/// A signature or a private key has this many hexadecimal digits. A longer run may contain one.
const DIGITS: usize = 40;
/// Base64 that contains a signature is longer than this.
const BASE64_CHARS: usize = 40;
/// Maximum percent-decoding passes in search of a secret.
const LAYERS_MAX: usize = 4;

/// Whether a parameter with this name is hidden.
pub(super) fn is_secret(name: &str) -> bool {
    let name = decoded(name).to_ascii_lowercase();
    // A page token is not secret.
    name != "nexttoken" && WORDS.iter().any(|word| name.contains(word))
}

/// Hides whatever is, or may be, a secret.
pub(super) fn without_secrets(text: &str) -> Cow<'_, str> {
    let plain = decoded(text);
    let shown = hide(&plain);
    // Returned decoded: in the original text the secret may not be recognisable.
    if shown == plain { Cow::Borrowed(text) } else { Cow::Owned(shown) }
}

fn hide(text: &str) -> String {
    replace_runs(&hide_plain(text), is_base64, |run| run.len() > BASE64_CHARS && contains_secret(run))
}

/// Like [`hide`], for text that is not Base64.
fn hide_plain(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let marked = MARKERS.iter().filter_map(|word| Some(lower.find(word)? + word.len())).min();
    let (before, after) = text.split_at(marked.unwrap_or(text.len()));
    let mut shown = replace_runs(before, is_digit_or_gap, |run| {
        run.chars().filter(char::is_ascii_hexdigit).count() >= DIGITS
    });
    if !after.is_empty() {
        shown.push_str(HIDDEN);
    }
    shown
}

/// Hides the secret ones of the maximal runs of matching characters.
fn replace_runs(text: &str, belongs: impl Fn(char) -> bool, is_secret: impl Fn(&str) -> bool) -> String {
    let (mut shown, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find(&belongs) {
        let (before, from) = rest.split_at(start);
        let (run, after) = from.split_at(from.find(|char| !belongs(char)).unwrap_or(from.len()));
        shown.push_str(before);
        shown.push_str(if is_secret(run) { HIDDEN } else { run });
        rest = after;
    }
    shown.push_str(rest);
    shown
}

/// Whether a character can be part of digits that are grouped or broken into lines.
pub(super) fn is_digit_or_gap(char: char) -> bool {
    char.is_ascii_hexdigit()
        || char.is_whitespace()
        || char.is_control()
        || ":\u{200b}\u{feff}".contains(char)
}

fn is_base64(char: char) -> bool {
    char.is_ascii_alphanumeric() || "+/-_".contains(char)
}

/// Whether the text is Base64 of one with a secret. All alignments are tried: the text before it may look like Base64.
fn contains_secret(run: &str) -> bool {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let engines = [STANDARD, URL_SAFE].map(|alphabet| GeneralPurpose::new(&alphabet, config));
    (0..4).any(|start| {
        let text = &run[start..];
        // A single trailing character encodes no byte.
        let text = &text[..text.len() - usize::from(text.len() % 4 == 1)];
        engines.iter().find_map(|engine| engine.decode(text).ok()).is_some_and(|plain| {
            let plain = String::from_utf8_lossy(&plain);
            hide_plain(&plain) != plain
        })
    })
}

fn decoded(text: &str) -> String {
    (0..LAYERS_MAX)
        .fold(text.to_owned(), |text, _| percent_decode_str(&text).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base64(text: &str) -> String {
        base64::prelude::BASE64_STANDARD_NO_PAD.encode(text)
    }

    const SIGNATURE: &str = "e98fb81fedaa886d5d1333116114df579b836e4d";

    #[test]
    fn secrets_are_hidden_wherever_they_are() {
        for (text, shown) in [
            (format!("/x/{SIGNATURE}/y"), "/x/(hidden)/y"),
            (SIGNATURE.to_ascii_uppercase(), "(hidden)"),
            (format!("a{SIGNATURE}b{SIGNATURE}"), "(hidden)"),
            ("X&Signature=abc&Y=1".to_owned(), "X&Signature(hidden)"),
            ("X&signature: abc".to_owned(), "X&signature(hidden)"),
            (SIGNATURE.chars().flat_map(|digit| [digit, ' ']).collect(), "(hidden)"),
            (format!("x={}\r\n{}.", &SIGNATURE[..20], &SIGNATURE[20..]), "x=(hidden)."),
            (format!("/{}=", base64(&format!("{{\"Signature\":\"{SIGNATURE}\"}}"))), "(hidden)="),
            (format!("x={}&y", base64(SIGNATURE)), "x=(hidden)&y"),
            (format!("%53ignature%3D{SIGNATURE}"), "Signature(hidden)"),
            (SIGNATURE.bytes().fold(String::new(), |all, byte| format!("{all}%{byte:x}")), "(hidden)"),
            ("{\"PrivateKey\":\"x\"}".to_owned(), "{\"PrivateKey(hidden)"),
        ] {
            assert_eq!(without_secrets(&text), shown, "{text}");
        }
        let long = "a-name_of-49-characters".repeat(2);
        for plain in [
            &long,
            &base64("nothing that is secret, though it is long"),
            "2026-11-27 15:08:00",
            "100% of it",
            "%E9%95%9C",
            "a signature",
            &SIGNATURE[1..],
            "tokens and secrets",
            "镜像",
        ] {
            assert_eq!(without_secrets(plain), plain);
        }
    }

    #[test]
    fn names_of_secrets_are_recognised() {
        for name in ["Signature", "signature", "X.Signature.0", "my_password", "SecurityToken", "%53ignature"]
        {
            assert!(is_secret(name), "{name}");
        }
        for name in ["NextToken", "Name", "PublicKey", "Blake3"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
