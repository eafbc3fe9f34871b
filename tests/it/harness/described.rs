//! The description of the API (`/openapi.json`), and what fits it. Each answer that a program gets in any test is compared
//! with it, so that what it says is true.

use super::Answer;
use jsonschema::Validator;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

/// The document.
pub static DOCUMENT: LazyLock<&'static Value> = LazyLock::new(|| web::openapi::known().expect("a document"));

/// The validators of schemas, by their place in the document.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Statuses of requests that are refused before anybody looks at their address.
const OF_CONNECTIONS: [u16; 3] = [408, 414, 431];

/// Returns what a reference in the document leads to; anything else is returned as it is.
pub fn resolved(value: &Value) -> &Value {
    match value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => DOCUMENT.pointer(pointer).unwrap_or_else(|| panic!("{pointer} leads nowhere")),
        None => value,
    }
}

/// Returns the validator of a schema of the document.
pub fn validator(place: &str, schema: &Value) -> Arc<Validator> {
    let mut known = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let make = || {
        let whole = json!({ "allOf": [schema], "components": DOCUMENT["components"] });
        Arc::new(jsonschema::validator_for(&whole).unwrap_or_else(|error| panic!("{place}: {error}")))
    };
    Arc::clone(known.entry(place.to_owned()).or_insert_with(make))
}

/// Returns the address in the document that a path has, and the operation; `None` where none is described.
fn operation(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |address: &str| {
        let of_address: Vec<&str> = address.split('/').collect();
        let is_like = |(part, given): (&&str, &&str)| part == given || (part.starts_with('{') && !given.is_empty());
        of_address.len() == parts.len() && of_address.iter().zip(&parts).all(is_like)
    };
    let method = if method == "HEAD" { "get".to_owned() } else { method.to_ascii_lowercase() };
    let addresses = DOCUMENT["paths"].as_object().expect("paths");
    // The one with the fewest parts in braces is meant.
    let (address, operations) = addresses
        .iter()
        .filter(|(address, _)| fits(address))
        .min_by_key(|(address, _)| address.matches('{').count())?;
    operations.get(method).map(|operation| (address.as_str(), operation))
}

/// Fails if the description says something else about such an answer.
pub fn check(method: &str, path: &str, answer: &Answer) {
    let Some((address, operation)) = operation(method, path) else { return };
    let status = answer.status;
    if OF_CONNECTIONS.contains(&status) {
        return;
    }
    let place = format!("{method} {address}: {status}");
    let described = &operation["responses"][status.to_string()];
    assert!(!described.is_null(), "{place} is not described; {path} got {}", answer.body);
    let described = resolved(described);
    for (name, header) in described["headers"].as_object().into_iter().flatten() {
        let is_optional = name.as_str() == "WWW-Authenticate" || resolved(header)["required"] == json!(false);
        assert!(is_optional || answer.headers.contains_key(name.as_str()), "{place} has no {name}");
    }
    if method == "HEAD" {
        return assert_eq!(answer.body, "", "{place}");
    }
    let content_type = answer.header("content-type").split(';').next().unwrap_or_default();
    let content = &described["content"][content_type];
    if described["content"].is_null() {
        // A report of leaked keys has a body for GitHub alone.
        assert!(answer.body.is_empty() || address == web::routes::path::LEAKS, "{place} has a body: {}", answer.body);
        return;
    }
    assert!(!content.is_null(), "{place}: {content_type} is not described; {path} got {}", answer.body);
    // A test that asks for a compressed answer reads it itself.
    if content_type.ends_with("json") && answer.header("content-encoding").is_empty() {
        let body = answer.json();
        let wrong: Vec<String> = validator(&format!("{place} {content_type}"), &content["schema"])
            .iter_errors(&body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{place} is described in another way: {wrong:?} in {}", answer.body);
    }
}
