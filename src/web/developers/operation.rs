//! An operation of the document, as its page shows it.

use super::{Piece, pieces};
use crate::routes::path;
use serde_json::Value;

/// How deep the fields of a body are listed.
const DEEPEST: usize = 3;

/// An operation.
pub struct Operation {
    /// Its id, also on the page.
    pub id: String,
    /// The method in upper case.
    pub method: String,
    /// The address.
    pub path: String,
    /// What it does, in a few words.
    pub summary: Vec<Piece>,
    /// What else is to be known.
    pub words: Vec<Piece>,
    /// The ways to say who asks.
    pub who: Who,
    /// What stands in the address and in headers.
    pub parameters: Vec<Parameter>,
    /// What is sent.
    pub body: Option<Body>,
    /// What comes back, by status.
    pub answers: Vec<Answer>,
}

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Anybody.
    Anybody,
    /// A token.
    Token,
    /// A token, whose key may be the password of HTTP Basic.
    TokenOrBasic,
    /// A service user as an OAuth client.
    Client,
}

/// A parameter.
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `path`, `query` or `header`.
    pub place: String,
    /// Whether it must be there.
    pub is_required: bool,
    /// What it may be.
    pub kind: String,
    /// What it means.
    pub words: Vec<Piece>,
    /// An example, for a field to begin with.
    pub example: String,
}

/// A body.
pub struct Body {
    /// Whether it is a form.
    pub is_form: bool,
    /// The media type.
    pub media_type: String,
    /// An example.
    pub example: String,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// A field of a body.
pub struct Field {
    /// Its name, with those of the fields that it is in.
    pub name: String,
    /// Whether it must be there.
    pub is_required: bool,
    /// What it may be.
    pub kind: String,
    /// What it means.
    pub words: Vec<Piece>,
}

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: String,
    /// What it means.
    pub words: Vec<Piece>,
    /// An example of its body; empty without one. Only of what succeeds.
    pub example: String,
}

impl Answer {
    /// Whether it says that all went well.
    pub fn is_good(&self) -> bool {
        self.status.starts_with('2')
    }
}

impl Operation {
    /// Whether its page has a form to try it: forward-auth is for proxies, which a page cannot imitate.
    pub fn is_tried(&self) -> bool {
        !self.path.starts_with(path::VERIFY)
    }

    /// Whether it changes something.
    pub fn changes(&self) -> bool {
        self.method != "GET" && self.who != Who::Client
    }

    /// Returns the operations of a part of the document, in its order.
    pub fn all(document: &Value, part: &str) -> Vec<Self> {
        let paths = document["paths"].as_object().into_iter().flatten();
        let each = paths.flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.map(move |(method, operation)| (path, method, operation))
        });
        let mut all: Vec<Self> = each
            .filter(|(.., operation)| operation["tags"][0] == part)
            .map(|(path, method, operation)| Self::new(document, path, method, operation))
            .collect();
        let order = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        all.sort_by_key(|one| (one.path.clone(), order.iter().position(|method| *method == one.method)));
        all
    }

    fn new(document: &Value, path: &str, method: &str, operation: &Value) -> Self {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let answers = operation["responses"].as_object().into_iter().flatten();
        Self {
            id: text(&operation["operationId"]),
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            summary: pieces(&text(&operation["summary"])),
            words: pieces(&text(&operation["description"])),
            who: who(operation.get("security")),
            parameters: parameters.map(|one| parameter(resolved(document, one))).collect(),
            body: body(document, &operation["requestBody"]["content"]),
            answers: answers.map(|(status, one)| answer(status, resolved(document, one))).collect(),
        }
    }
}

fn who(security: Option<&Value>) -> Who {
    let ways = security.and_then(Value::as_array);
    let has = |name: &str| ways.is_some_and(|ways| ways.iter().any(|way| way.get(name).is_some()));
    match ways {
        Some(ways) if ways.is_empty() => Who::Anybody,
        _ if has("client") => Who::Client,
        _ if has("keyAsPassword") => Who::TokenOrBasic,
        _ => Who::Token,
    }
}

fn parameter(described: &Value) -> Parameter {
    let example = [&described["example"], &described["schema"]["example"]].into_iter().find(|one| !one.is_null());
    Parameter {
        name: text(&described["name"]),
        place: text(&described["in"]),
        is_required: described["required"] == true,
        kind: kind(&described["schema"]),
        words: pieces(&text(&described["description"])),
        example: example.map(text).unwrap_or_default(),
    }
}

fn body(document: &Value, content: &Value) -> Option<Body> {
    let (media_type, content) = content.as_object()?.iter().next()?;
    let mut fields = Vec::new();
    list_fields(document, &content["schema"], "", 0, &mut fields);
    Some(Body {
        is_form: media_type.ends_with("urlencoded"),
        media_type: media_type.clone(),
        example: pretty(&content["example"]),
        fields,
    })
}

fn answer(status: &str, described: &Value) -> Answer {
    let content = described["content"].as_object().and_then(|content| content.values().next());
    let is_good = status.starts_with('2');
    let example = content.filter(|_| is_good).map(|content| pretty(&content["example"]));
    Answer {
        status: status.to_owned(),
        words: pieces(&text(&described["description"])),
        example: example.unwrap_or_default(),
    }
}

/// Lists the fields of an object, then those of each.
fn list_fields(document: &Value, schema: &Value, within: &str, depth: usize, fields: &mut Vec<Field>) {
    let schema = resolved(document, schema);
    if depth >= DEEPEST {
        return;
    }
    for part in ["allOf", "oneOf", "anyOf"] {
        for one in schema[part].as_array().into_iter().flatten() {
            list_fields(document, one, within, depth, fields);
        }
    }
    if schema["items"].is_object() {
        return list_fields(document, &schema["items"], &format!("{within}[]"), depth + 1, fields);
    }
    let required = schema["required"].as_array();
    for (name, of_field) in schema["properties"].as_object().into_iter().flatten() {
        let separator = if within.is_empty() { "" } else { "." };
        let full = format!("{within}{separator}{name}");
        let inner = resolved(document, of_field);
        let words = [&of_field["description"], &inner["description"]].into_iter().find(|words| words.is_string());
        fields.push(Field {
            name: full.clone(),
            is_required: required.is_some_and(|required| required.iter().any(|one| one == name)),
            kind: kind(inner),
            words: pieces(&words.map(text).unwrap_or_default()),
        });
        list_fields(document, inner, &full, depth + 1, fields);
    }
}

/// Returns what a schema refers to; the one that is not `null`, if that is the choice.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let choices = ["oneOf", "anyOf"].into_iter().find_map(|name| value[name].as_array());
    let value = match choices.map(Vec::as_slice) {
        Some([null, other] | [other, null]) if null["type"] == "null" => other,
        _ => value,
    };
    match value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(value),
        None => value,
    }
}

/// Returns what a schema allows, in short: `integer, 1 to 100`.
fn kind(schema: &Value) -> String {
    let types = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect::<Vec<_>>().join(" or "),
        one => text(one),
    };
    let mut parts = vec![match schema["enum"].as_array() {
        Some(choices) => {
            let named: Vec<String> = choices.iter().map(text).filter(|choice| !choice.is_empty()).collect();
            named.join(" | ")
        }
        None => types,
    }];
    parts.extend(schema["format"].as_str().filter(|format| !format.starts_with("int")).map(str::to_owned));
    let bound = |name: &str| schema[name].as_i64();
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => parts.push(format!("{least} to {most}")),
        (_, Some(most)) => parts.push(format!("at most {most}")),
        _ => {}
    }
    parts.extend(bound("maxLength").map(|most| format!("up to {most} characters")));
    parts.extend(bound("maxItems").map(|most| format!("up to {most}")));
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn pretty(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_schema_is_told_in_short() {
        for (schema, told) in [
            (json!({ "type": "integer", "minimum": 1, "maximum": 100, "format": "int64" }), "integer, 1 to 100"),
            (json!({ "type": ["string", "null"], "maxLength": 200 }), "string or null, up to 200 characters"),
            (json!({ "type": "string", "enum": ["", "true", "both"] }), "true | both"),
            (json!({ "type": "string", "format": "date-time" }), "string, date-time"),
            (json!({}), ""),
        ] {
            assert_eq!(kind(&schema), told);
        }
    }

    #[test]
    fn every_operation_has_a_place_and_its_fields() {
        let document = crate::openapi::known().unwrap();
        let of_items = Operation::all(document, "Items");
        let bulk = of_items.iter().find(|one| one.id == "changeItems").unwrap();
        let names: Vec<&str> = bulk.body.as_ref().unwrap().fields.iter().map(|field| field.name.as_str()).collect();
        assert!(names.contains(&"operations") && names.iter().any(|name| name.contains("create")), "{names:?}");
        let parts = document["tags"].as_array().unwrap().iter();
        let all: usize = parts.map(|part| Operation::all(document, part["name"].as_str().unwrap()).len()).sum();
        let described = document["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len());
        assert_eq!(all, described.sum::<usize>());
    }
}
