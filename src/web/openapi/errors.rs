//! Errors: their statuses, what each means, and how it is told.

use crate::finish::PROBLEM;
use serde_json::{Map, Value, json};

/// An error: its status, its name in the document, what it means, and its headers.
type Error = (u16, &'static str, &'static str, &'static [&'static str]);

const ERRORS: [Error; 13] = [
    (
        400,
        "BadRequest",
        "The key is in the address or in two headers; or the query or the body does not have the form that this address \
         expects. `errors` names the parameters that are wrong.",
        &[],
    ),
    (
        401,
        "Unauthorized",
        "There is no key, it is malformed, or no token has it; or the token has expired or was revoked, or its user is \
         deactivated. `detail` says which.",
        &["WWW-Authenticate"],
    ),
    (
        403,
        "Forbidden",
        "The token is read only and the request changes something; or its subject lacks the permission, or the level on the \
         item. `detail` says which.",
        &["WWW-Authenticate"],
    ),
    (404, "NotFound", "It does not exist, or not for this token: nobody learns which.", &[]),
    (408, "TooSlow", "The body did not arrive within 30 seconds.", &[]),
    (409, "StillRunning", "The request with this `Idempotency-Key` is still being answered.", &[]),
    (412, "ChangedMeanwhile", "It has another version than `If-Match` says: read it again, then change it.", &[]),
    (413, "TooLarge", "The body is larger than this address accepts.", &[]),
    (422, "Invalid", "Fields are wrong. `errors` has the name of each and what is wrong with it.", &[]),
    (428, "VersionMissing", "`If-Match` is missing.", &[]),
    (429, "TooManyRequests", "Too many requests. Nothing was done.", &["Retry-After"]),
    (500, "InternalError", "Something went wrong in Jeton. The server’s log has more about this `request_id`.", &[]),
    (
        503,
        "Unavailable",
        "Jeton cannot verify the token or use its database right now. Nothing was done.",
        &["Retry-After"],
    ),
];

/// Returns the reference to an error with this status.
pub fn reference(status: u16) -> Value {
    let name = ERRORS.iter().find(|(known, ..)| *known == status).map_or("InternalError", |(_, name, ..)| name);
    json!({ "$ref": format!("#/components/responses/{name}") })
}

/// Returns all errors by name.
pub fn responses() -> Map<String, Value> {
    let header = |name: &&str| (name.to_string(), json!({ "$ref": format!("#/components/headers/{name}") }));
    let response = |(status, name, words, headers): Error| {
        let headers: Map<String, Value> = headers.iter().map(header).collect();
        let content =
            json!({ PROBLEM: { "schema": { "$ref": "#/components/schemas/Problem" }, "example": example(status) } });
        (name.to_owned(), json!({ "description": words, "headers": headers, "content": content }))
    };
    ERRORS.into_iter().map(response).collect()
}

fn example(status: u16) -> Value {
    let (title, detail) = match status {
        400 => ("Bad Request", "limit: Use a number from 1 to 100."),
        401 => ("Token not accepted", "The token was revoked at 2026-11-28T09:00:00Z."),
        403 => ("Not allowed with this token", "The token is read only, but this request changes something."),
        404 => ("Not Found", "Nothing exists at this address."),
        408 => ("Request Timeout", "The request did not arrive in time."),
        409 => ("Conflict", "The request with this key is still being answered. Try again in a moment."),
        412 => (
            "Precondition Failed",
            "It has another version now than If-Match says. Read it again before you change it.",
        ),
        413 => ("Payload Too Large", "The body is too large."),
        422 => ("Unprocessable Entity", "name: Enter a name."),
        428 => ("Version missing", "Send the ETag that you have read in If-Match, such as \"3\"."),
        429 => ("Too Many Requests", "Try again after the number of seconds in the Retry-After header."),
        503 => ("Not verified", "The token cannot be verified right now. Try again."),
        _ => ("Internal Server Error", "Something went wrong in Jeton. Search its log for this request_id."),
    };
    let errors = match status {
        400 => json!([{ "field": "limit", "detail": "Use a number from 1 to 100." }]),
        422 => json!([{ "field": "name", "detail": "Enter a name." }]),
        _ => Value::Null,
    };
    let mut problem = json!({ "title": title, "status": status, "detail": detail, "request_id": "5f0c2a91d3e84b76" });
    if !errors.is_null() {
        problem["errors"] = errors;
    }
    problem
}
