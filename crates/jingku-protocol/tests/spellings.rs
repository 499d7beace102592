//! One request, three spellings: they must mean the same, and the flat ones must sign the same.

#![allow(clippy::unwrap_used)] // a failing unwrap is a failing test

use jingku_protocol::{Params, Tree, Value, decode, signature};
use proptest::prelude::*;
use serde_json::{Map, Value as Json};

/// Any request of text leaves, nested as the Go SDK nests. Empty lists and objects cannot be spelled in a form.
fn request() -> impl Strategy<Value = Map<String, Json>> {
    let leaf = "[a-zA-Z0-9 +&=%/镜库😀'\"\\\\-]{0,12}".prop_map(Json::from);
    let node = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Json::from),
            prop::collection::btree_map("[A-Z][a-z]{0,5}", inner, 1..4)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("[A-Z][a-z]{0,5}", node, 1..6)
        .prop_map(|members| members.into_iter().collect())
}

fn flatten(prefix: &str, node: &Json, out: &mut Vec<(String, String)>) {
    match node {
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(&format!("{prefix}.{index}"), item, out);
            }
        }
        Json::Object(members) => {
            for (key, member) in members {
                let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&name, member, out);
            }
        }
        Json::String(text) => out.push((prefix.to_owned(), text.clone())),
        other => panic!("not a leaf: {other}"),
    }
}

fn json(body: &Json) -> Params {
    decode(None, Some("application/json"), body.to_string().as_bytes()).unwrap()
}

proptest! {
    #[test]
    fn form_and_json_agree(members in request()) {
        let nested = Json::Object(members);
        let mut flat = Vec::new();
        flatten("", &nested, &mut flat);

        let from_nested = json(&nested);
        let from_flat = json(&Json::Object(flat.iter().map(|(k, v)| (k.clone(), Json::from(v.as_str()))).collect()));
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&flat).finish();
        let from_body = decode(None, None, form.as_bytes()).unwrap();
        let from_query = decode(Some(&form), None, b"").unwrap();

        prop_assert_eq!(Tree::from(from_nested.clone()), Tree::from(from_body.clone()));
        prop_assert_eq!(Tree::from(from_flat.clone()), Tree::from(from_body.clone()));
        prop_assert_eq!(&from_query, &from_body);
        prop_assert_eq!(signature(&from_flat, "key"), signature(&from_body, "key"));
        prop_assert_eq!(decode(None, None, from_nested.to_form().as_bytes()).map(Tree::from), Ok(Tree::from(from_body.clone())));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(query in ".{0,40}", body in prop::collection::vec(any::<u8>(), 0..200), json in any::<bool>()) {
        let _ = decode(Some(&query), json.then_some("application/json"), &body);
    }

    #[test]
    fn every_changed_value_changes_the_signature(a in "[a-z]{1,8}", b in "[a-z]{1,8}") {
        prop_assume!(a != b);
        let sign = |value: &str| {
            let mut params = Params::for_action("X");
            params.set("Name", Value::Text(value.to_owned()));
            signature(&params, "key")
        };
        prop_assert_ne!(sign(&a), sign(&b));
    }
}
