//! The `OpenAPI` description of the API, made from the request and response types.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::actions::{Access, Action, Repeat};

/// The `OpenAPI` 3.1 document. The server answers at every path, so each action has a path of its own; the parameter
/// `Action` counts.
pub fn openapi() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    for action in Action::ALL {
        let [request, response] = action.schemas(&mut generator);
        schemas.insert(format!("{action:?}Request"), request.to_value());
        schemas.insert(format!("{action:?}Response"), response.to_value());
        paths.insert(format!("/{}", action.name()), json!({ "post": operation(*action) }));
    }
    schemas.extend(generator.take_definitions(false));
    // A request without parameters is a unit struct, which schemars describes as null.
    for schema in schemas.values_mut().filter(|schema| schema["type"] == "null") {
        schema["type"] = "object".into();
    }
    schemas.insert("CommonParameters".to_owned(), common_parameters());
    schemas.insert("Reply".to_owned(), reply());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Jingku",
            "description": "The CompShare image API. Every request is signed: see signing.md beside this file.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "http://127.0.0.1:8480" }],
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn operation(action: Action) -> Value {
    let parameters = json!({
        "allOf": [
            reference("CommonParameters"),
            reference(&format!("{action:?}Request")),
            { "properties": { "Action": { "const": action.name() } } },
        ],
    });
    let mut content = json!({
        "application/json": {
            "schema": { "allOf": [reference("Reply"), reference(&format!("{action:?}Response"))] },
        },
    });
    if action == Action::ExportCompShareCustomImage {
        content["application/octet-stream"] = json!({});
    }
    json!({
        "operationId": action.name(),
        "requestBody": { "required": true, "content": { "application/json": { "schema": parameters } } },
        "responses": { "200": { "description": "The result, or an error if RetCode is not 0.", "content": content } },
        "x-read-only": action.access() == Access::Read,
        "x-safe-to-repeat": action.repeat() == Repeat::Safe,
        "x-documented-as-required": action.documented(),
    })
}

fn common_parameters() -> Value {
    json!({
        "type": "object",
        "required": ["Action", "PublicKey", "Signature"],
        "properties": {
            "Action": { "type": "string" },
            "PublicKey": { "type": "string" },
            "Signature": { "type": "string", "pattern": "^[0-9a-f]{40}$" },
            "ProjectId": { "type": "string" },
            "Region": reference("PlaceName"),
            "Zone": reference("PlaceName"),
        },
    })
}

fn reply() -> Value {
    json!({
        "type": "object",
        "required": ["RetCode", "request_uuid"],
        "properties": {
            "Action": { "type": "string" },
            "RetCode": { "type": "integer" },
            "Message": { "type": "string" },
            "request_uuid": { "type": "string" },
        },
    })
}
