//! What operations have in common: headers, parameters of lists, ways to send a key, and answers that no type describes.

use super::describe::InQuery;
use crate::routes::path;
use domain::leak;
use serde_json::{Map, Value, json};

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Schemas of what the code puts together by hand.
pub fn schemas() -> Map<String, Value> {
    let text = || json!({ "type": "string" });
    map(json!({
        "Problem": {
            "type": "object",
            "description": "What is wrong (RFC 9457).",
            "required": ["title", "status", "detail", "request_id"],
            "properties": {
                "title": text(),
                "status": { "type": "integer", "minimum": 400, "maximum": 599 },
                "detail": { "type": "string", "description": "What is wrong, for the developer of the program." },
                "errors": {
                    "type": "array",
                    "description": "What is wrong with each field of the request.",
                    "items": {
                        "type": "object",
                        "required": ["field", "detail"],
                        "properties": { "field": text(), "detail": text() },
                    },
                },
                "stopped_by": { "type": "string", "description": "Of a refusal: the first check that says no." },
                "needs": { "type": "string", "description": "The permission or the level that is missing." },
                "request_id": { "type": "string", "description": "By which the server’s log knows the request." },
            },
        },
        "OAuthProblem": {
            "type": "object",
            "description": "What is wrong (RFC 6749, section 5.2).",
            "required": ["error"],
            "properties": {
                "error": {
                    "type": "string",
                    "enum": [
                        "invalid_request", "invalid_client", "invalid_token", "insufficient_scope",
                        "temporarily_unavailable",
                    ],
                },
                "error_description": text(),
            },
        },
        "Answers": {
            "type": "object",
            "description": "The answers by the keys of their questions: a text, a number, a day such as `2026-11-28`, `true` or \
                            `false`, a choice or a list of choices, or the id of an item.",
            "additionalProperties": {
                "anyOf": [
                    { "type": ["string", "number", "boolean", "null"] },
                    { "type": "array", "items": text() },
                    { "type": "object" },
                ],
            },
        },
    }))
}

/// Headers of answers.
pub fn headers() -> Map<String, Value> {
    let text = |words: &str, example: &str| json!({ "description": words, "schema": { "type": "string" }, "example": example });
    let seconds = |words: &str| json!({ "description": words, "schema": { "type": "integer", "minimum": 0 } });
    map(json!({
        "ETag": text("The version, for `If-Match`.", "\"3\""),
        "Location": text("The address of what was created.", &path::below(path::API_GROUPS, "k7m2q9xd4t")),
        "Retry-After": seconds("After how many seconds to try again."),
        "WWW-Authenticate": text("What is wrong with the key (RFC 6750).", "Bearer realm=\"jeton\", error=\"invalid_token\""),
    }))
}

/// Parameters that several operations have.
pub fn parameters() -> Map<String, Value> {
    let version = |is_required: bool, words: &str| {
        let schema = match is_required {
            true => json!({ "type": "string", "pattern": "^\"[0-9]{1,18}\"$" }),
            false => json!({ "type": "string" }),
        };
        json!({
            "name": "If-Match",
            "in": "header",
            "required": is_required,
            "description": words,
            "schema": schema,
            "example": "\"3\"",
        })
    };
    map(json!({
        "Once": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "For 24 hours, the same request with the same key does nothing and gets the same answer.",
            "schema": {
                "type": "string",
                "pattern": r#"^([!#-~]([ -~]{0,253}[!-~])?|"([ !#-\[\]-~]|\\["\\]){1,255}")$"#,
                "example": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
            },
        },
        "Version": version(true, "The `ETag` that was read."),
        "VersionIfKnown": version(false, "The `ETag` that was read: the request is refused if somebody else has changed it since."),
    }))
}

/// The ways to send a key.
pub fn security_schemes() -> Map<String, Value> {
    map(json!({
        "key": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": leak::PATTERN,
            "description": "The API key of a personal token or of a service user’s token.",
        },
        "keyAsPassword": {
            "type": "http",
            "scheme": "basic",
            "description": "For spreadsheets: any user name, and the API key as the password.",
        },
        "client": {
            "type": "http",
            "scheme": "basic",
            "description": "A service user as an OAuth client: its public id and its API key. They may also stand in the form, as \
                            `client_id` and `client_secret`.",
        },
    }))
}

/// The parameters of each list.
pub fn list_query() -> Vec<InQuery> {
    vec![
        ("q", "Only those whose names have all these words.", json!({ "type": "string" })),
        (
            "limit",
            "How many there are on the page; 50 without it.",
            json!({ "anyOf": [{ "type": "integer", "minimum": 1, "maximum": 100 }, { "type": "string", "maxLength": 0 }] }),
        ),
        ("cursor", "`next_cursor` of the page before.", json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]*$" })),
    ]
}
