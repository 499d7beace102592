//! The request signature: one rule for every spelling of a request.
//!
//! `hex(sha1(key₁ text₁ key₂ text₂ … private_key))` over all parameters but `Signature`, keys in ascending byte order,
//! no separators. No timestamp or nonce is signed, so a recorded request can be replayed: SECURITY.md.

use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use crate::params::{Params, Value};

/// How `false` and `true` are spelled when signed.
type Booleans = [&'static str; 2];

const WORDS: Booleans = ["false", "true"];
/// What PHP makes of a boolean in a string context. The PHP SDK sends JSON booleans but signs this.
const PHP: Booleans = ["", "1"];

/// The text that is hashed, without the private key.
pub fn string_to_sign(params: &Params) -> String {
    let mut text = String::with_capacity(256);
    canonical(params, WORDS, &mut |part| text.push_str(part));
    text
}

/// The signature of `params` under `private_key`, 40 lowercase hexadecimal digits.
pub fn signature(params: &Params, private_key: &str) -> String {
    digest(params, WORDS, private_key)
}

/// Tells whether `signature` was made from `params` with `private_key`. The comparison takes constant time.
pub fn verify(params: &Params, private_key: &str, signature: &str) -> bool {
    let matches = |booleans| {
        let expected = digest(params, booleans, private_key);
        bool::from(expected.as_bytes().ct_eq(signature.as_bytes()))
    };
    matches(WORDS) || (params.iter().any(|(_, value)| has_boolean(value)) && matches(PHP))
}

/// Hashes part by part: an untrusted request may be megabytes long.
fn digest(params: &Params, booleans: Booleans, private_key: &str) -> String {
    let mut sha1 = Sha1::new();
    canonical(params, booleans, &mut |part| sha1.update(part));
    sha1.update(private_key);
    hex::encode(sha1.finalize())
}

fn canonical(params: &Params, booleans: Booleans, out: &mut impl FnMut(&str)) {
    let mut sorted: Vec<_> = params.iter().filter(|(name, _)| *name != "Signature").collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    for (name, value) in sorted {
        out(name);
        append(out, value, booleans);
    }
}

fn append(out: &mut impl FnMut(&str), value: &Value, booleans: Booleans) {
    match value {
        Value::Text(text) | Value::Number(text) => out(text),
        Value::Bool(flag) => out(booleans[usize::from(*flag)]),
        Value::Null => {}
        Value::List(items) => items.iter().for_each(|item| append(out, item, booleans)),
        Value::Map(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(key, _)| key);
            for (key, member) in sorted {
                out(key);
                append(out, member, booleans);
            }
        }
    }
}

fn has_boolean(value: &Value) -> bool {
    match value {
        Value::Bool(_) => true,
        Value::List(items) => items.iter().any(has_boolean),
        Value::Map(members) => members.iter().any(|(_, member)| has_boolean(member)),
        Value::Text(_) | Value::Number(_) | Value::Null => false,
    }
}
