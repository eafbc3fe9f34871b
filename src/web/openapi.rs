//! `/openapi.json`: what programs may ask of Jeton, as an OpenAPI 3.1 document.
//!
//! Requests and answers have the schemas of the types that read and write them (utoipa). What an operation means, which
//! limits it has and how it fails is said here, by noun. `tests/it/openapi.rs` compares the document with the table of
//! routes, and with what the server really answers. It says nothing about an installation.

mod access_rules;
mod decisions;
mod describe;
mod errors;
mod groups;
mod items;
mod kinds;
mod oauth;
mod others;
mod shapes;
mod tokens;
mod verify;

use crate::{errors::WebError, routes::path};
use actix_web::{HttpResponse, http::header::ContentType};
use app::AppError;
use describe::Described;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// A part of the API, as pages and tools group operations.
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    words: &'static str,
    operations: Vec<Described>,
}

/// The document, made once.
static DOCUMENT: LazyLock<Result<Value, String>> = LazyLock::new(|| document().map_err(|error| error.to_string()));
/// Its text.
static TEXT: LazyLock<String> = LazyLock::new(|| DOCUMENT.as_ref().map(Value::to_string).unwrap_or_default());

/// `GET /openapi.json`
///
/// # Errors
/// When a schema of the code is no JSON.
pub async fn show() -> Result<HttpResponse, WebError> {
    known()?;
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(TEXT.as_str()))
}

/// Returns the document.
///
/// # Errors
/// As [`show`].
pub fn known() -> Result<&'static Value, WebError> {
    DOCUMENT.as_ref().map_err(|error| AppError::Broken(format!("the description of the API: {error}")).into())
}

fn parts() -> Vec<Part> {
    vec![
        tokens::part(),
        items::part(),
        items::feeds(),
        access_rules::part(),
        kinds::part(),
        groups::groups(),
        groups::sites(),
        oauth::part(),
        decisions::part(),
        verify::part(),
        others::part(),
    ]
}

/// Says of an enum whose variants hold something that a value is one variant and nothing else, as serde reads it.
fn closed(mut schema: Value) -> Value {
    for variant in schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
        if variant["properties"].is_object() {
            variant["additionalProperties"] = false.into();
        }
    }
    schema
}

fn document() -> serde_json::Result<Value> {
    let (mut paths, mut schemas, mut tags) = (Map::new(), shapes::schemas(), Vec::new());
    for Part { name, words, operations } in parts() {
        tags.push(json!({ "name": name, "description": words }));
        for Described { method, path, mut operation, schemas: of_types } in operations {
            operation["tags"] = json!([name]);
            operation["responses"]["500"] = errors::reference(500);
            let path = paths.entry(path).or_insert_with(|| json!({}));
            path[method.as_str().to_ascii_lowercase()] = operation;
            for (name, schema) in of_types {
                schemas.insert(name, closed(serde_json::to_value(schema)?));
            }
        }
    }
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Jeton",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "API tokens, and exact answers about them",
            "description": "Send the key of a token in the `Authorization` header, once: `Bearer jtn_…`. A read-only token \
                            only reads, whatever the method or any header says. What a token does not reach is answered \
                            like what does not exist. Bodies are JSON of at most 64 KiB. Errors are problem documents (RFC 9457), those \
                            of OAuth have OAuth’s own form. `request_id` is also in the header `X-Request-Id` of each answer.",
        },
        "servers": [{ "url": path::HOME, "description": "This server" }],
        "security": [{ "key": [] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": errors::responses(),
            "headers": shapes::headers(),
            "parameters": shapes::parameters(),
            "securitySchemes": shapes::security_schemes(),
        },
    }))
}
