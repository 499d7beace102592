//! Signatures collected from the documents and from every SDK, recomputed.

#![allow(clippy::unwrap_used)] // a failing unwrap is a failing test

use jingku_protocol::{Params, decode, signature, string_to_sign, verify};

#[derive(serde::Deserialize)]
struct Vector {
    name: String,
    params: Option<Box<serde_json::value::RawValue>>,
    private_key: String,
    string_to_sign_without_private_key: String,
    signature: String,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("signature-vectors.json")).unwrap()
}

fn params(vector: &Vector) -> Option<Params> {
    let raw = vector.params.as_ref()?;
    Some(decode(None, Some("application/json"), raw.get().as_bytes()).unwrap())
}

#[test]
fn every_vector_verifies() {
    let vectors = vectors();
    assert!(vectors.len() >= 20, "the list has shrunk to {}", vectors.len());
    for vector in &vectors {
        let Some(params) = params(vector) else { continue };
        assert!(verify(&params, &vector.private_key, &vector.signature), "{}", vector.name);
        assert!(!verify(&params, "another key", &vector.signature), "{}", vector.name);
    }
}

#[test]
fn the_signed_text_is_the_recorded_one() {
    for vector in vectors() {
        // The PHP SDK signs booleans unlike everybody else; `verify` knows, `signature` makes the documented form.
        let Some(params) = params(&vector).filter(|_| vector.name != "php bool true") else { continue };
        assert_eq!(string_to_sign(&params), vector.string_to_sign_without_private_key, "{}", vector.name);
        assert_eq!(signature(&params, &vector.private_key), vector.signature, "{}", vector.name);
    }
}

#[test]
fn a_vector_without_parameters_is_hashed_from_its_text() {
    // A single value with an empty name signs as its bare text, which is all this vector records.
    let vector = vectors().into_iter().find(|vector| vector.params.is_none()).unwrap();
    let mut params = Params::default();
    params.set("", jingku_protocol::Value::Text(vector.string_to_sign_without_private_key));
    assert_eq!(signature(&params, &vector.private_key), vector.signature);
}
