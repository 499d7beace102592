//! docs/wire/openapi.json is what the types say.

#![cfg(feature = "schema")]
#![allow(clippy::unwrap_used)] // a failing unwrap is a failing test

use std::fs;
use std::path::Path;

use jingku_protocol::actions::Action;
use jingku_protocol::openapi;
use serde_json::Value;

#[test]
fn the_document_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/wire/openapi.json");
    let expected = openapi();
    if std::env::var_os("JINGKU_WRITE_DOCS").is_some() {
        fs::write(&path, format!("{expected:#}\n")).unwrap();
    }
    let written: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert!(written == expected, "docs/wire/openapi.json is not current; run `cargo xtask openapi`");
}

#[test]
fn bounds_and_names_are_in_the_document() {
    let document = openapi();
    let schemas = &document["components"]["schemas"];
    let list = &schemas["DescribeCompShareCustomImagesRequest"]["properties"];
    for name in ["Region", "Zone", "CompShareImageId", "Tag", "SortCondition.Field", "Limit", "NextToken"] {
        assert!(list[name].is_object(), "{name}: {list:#}");
    }
    assert_eq!(list["Tag"]["maxItems"], 32);
    assert_eq!(schemas["ImageId"]["maxLength"], 1024);
    let create = &schemas["CreateCompShareCustomImageRequest"];
    let required: Vec<_> = create["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(required, ["UHostId", "Name"]);
    // The names in the document are those that the server reads.
    for action in Action::ALL {
        let request = format!("{action:?}Request");
        let names = schemas[&request]["properties"].as_object();
        let names = names.map(|names| names.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
        let parameters = action.parameters();
        for name in names {
            assert!(parameters.knows(&name), "{request}: {name}");
        }
    }
}
