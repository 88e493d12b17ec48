//! The `OpenAPI` 3.1 document of the routes.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    problem,
    problem::Said,
    route::{Answered, Body, Content, Route},
};

const INTRODUCTION: &str = "\
What an editor does at the desk, for programs. Every request but the one for this document shows a token: \
`Authorization: Bearer gazetted_…`. `gazetted desk token new NAME` makes one that may read, with `--scope write` one that may also change. \
Cookies are not looked at. What is wrong is told as `application/problem+json` (RFC 9457); `help` says what to do next. \
Times are in UTC (RFC 3339). Every request may be sent again: what is done already is not done twice.";

/// The document.
pub(super) fn of(routes: &[Route]) -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let operation = operation(route, &mut generator);
        let path = paths.entry(format!("/api/v1{}", route.path)).or_insert_with(|| json!({}));
        path[route.method] = operation;
    }
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "gazetted",
            "version": env!("CARGO_PKG_VERSION"),
            "description": INTRODUCTION,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": schemas,
        },
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.path.split('/').nth(1).unwrap_or_default()],
        "parameters": parameters(route, generator),
        "responses": responses(route, generator),
    });
    match route.body {
        Body::None => {}
        Body::Json(shape) => {
            let schema = shape(generator);
            operation["requestBody"] =
                json!({ "required": true, "content": { "application/json": { "schema": schema } } });
        }
        Body::Bytes(media_type) => {
            operation["requestBody"] = json!({ "required": true, "content": { media_type: {} } });
        }
    }
    if route.is_open {
        operation["security"] = json!([]);
    }
    operation
}

/// What the path and the query may hold.
fn parameters(route: &Route, generator: &mut SchemaGenerator) -> Vec<Value> {
    let mut parameters: Vec<Value> = route
        .places()
        .map(|name| {
            let schema = match name {
                "subscriber" | "digest" => json!({ "type": "integer", "format": "int64", "minimum": 1 }),
                "proof" => json!({ "type": "string", "pattern": "^[0-9a-f]{16}$" }),
                _ => json!({ "type": "string", "pattern": "^[a-z0-9-]{1,64}$" }),
            };
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect();
    let Some(shape) = route.query else { return parameters };
    let schema = shape(generator).to_value();
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        let mut schema = schema.clone();
        let said = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        parameters.push(json!({
            "name": name,
            "in": "query",
            "required": required.contains(&name.as_str()),
            "description": said,
            "schema": schema,
        }));
    }
    parameters
}

fn responses(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    for Answered { status, said, content } in route.every_answer() {
        let content = match content {
            Content::None => None,
            Content::Json(shape) => Some(json!({ "application/json": { "schema": shape(generator) } })),
            Content::Problem => {
                let schema = generator.subschema_for::<Said>();
                Some(json!({ problem::MEDIA_TYPE: { "schema": schema } }))
            }
            Content::Text(media_type) => Some(json!({ media_type: { "schema": { "type": "string" } } })),
        };
        let mut response = json!({ "description": said });
        if let Some(content) = content {
            response["content"] = content;
        }
        responses.insert(status.as_u16().to_string(), response);
    }
    Value::Object(responses)
}

/// A schema that names itself nowhere: for a value of JSON of any kind.
#[derive(serde::Serialize, JsonSchema)]
pub(super) struct Document(Map<String, Value>);
