//! Introspection and revocation for OAuth clients.

use super::{
    Part,
    describe::{By, Described, get, post, shape},
};
use crate::{
    finish::PROBLEM,
    oauth::{Active, Batch},
    routes::path,
};
use serde_json::{Value, json};
use utoipa::ToSchema;

fn active() -> Value {
    json!({
        "active": true, "sub": "membership:1", "username": "membership-1", "name": "Awa Diallo", "scope": "read",
        "client_id": "k7m2q9xd4t", "token_type": "Bearer", "exp": 1795855320, "iat": 1791900000,
        "iss": "https://jeton.example.org", "organization": "croix-bleue-sahel", "organization_id": "3f9c0a71be",
        "permissions": ["templates.view"]
    })
}

/// `active`, and with it everything about an active token.
fn answer() -> Value {
    let is = |active: bool| json!({ "required": ["active"], "properties": { "active": { "const": active } } });
    let known = json!({ "$ref": format!("#/components/schemas/{}", Active::<'_>::name()) });
    json!({ "type": "object", "anyOf": [is(false), { "allOf": [is(true), known] }] })
}

/// The form of a request about a token.
fn form() -> Value {
    let text = |words: &str| json!({ "type": "string", "description": words });
    json!({
        "type": "object",
        "required": ["token"],
        "properties": {
            "token": { "type": "string", "minLength": 1, "description": "The API key of the token." },
            "token_type_hint": text("Ignored: the key shows its kind."),
        },
    })
}

/// Errors in OAuth’s own form.
pub(super) fn fails(mut described: Described, statuses: &[(u16, &str)]) -> Described {
    for (status, words) in statuses {
        let example = match status {
            400 => json!({ "error": "invalid_request", "error_description": "The field token is missing or empty." }),
            401 => {
                json!({ "error": "invalid_client", "error_description": "The client_secret is not the API key of this client_id." })
            }
            403 => {
                json!({ "error": "insufficient_scope", "error_description": "Only a service user's token may ask about other tokens." })
            }
            _ => json!({ "error": "temporarily_unavailable" }),
        };
        described = described.answers_with(*status, words, shape("OAuthProblem"), example);
    }
    // Where the database fails, not the verification, the answer is that of all other addresses.
    if let Some(content) = described.operation["responses"]["503"]["content"].as_object_mut() {
        content.insert(PROBLEM.to_owned(), json!({ "schema": shape("Problem") }));
    }
    described
}

pub(super) const WRONG: (u16, &str) =
    (400, "The body does not have the form that this address expects, or the key is sent twice.");
pub(super) const UNKNOWN: (u16, &str) = (401, "The service user is not known by this id and key.");
pub(super) const UNAVAILABLE: (u16, &str) = (503, "Jeton cannot verify tokens right now.");
pub(super) const NOT_ALLOWED: (u16, &str) =
    (403, "Who asks is no service user, or lacks *Platform management: Verify tokens*.");

/// OAuth.
pub fn part() -> Part {
    let introspect = post(path::INTROSPECTION, "introspect", "Whom a token speaks for (RFC 7662)")
        .says(
            "For an API that asks with an OAuth client. A token of another organization, and any other that is not active, is \
             only `{\"active\": false}`. An introspection counts as a use of the token.",
        )
        .by(By::Client)
        .takes_form(form(), json!({ "token": "jtn_p_…" }))
        .naming::<Active<'_>>()
        .answers_with(200, "What the token may do, if it is active.", answer(), active())
        .fails(&[408, 413]);
    let batch = post(path::BATCH_INTROSPECTION, "introspectMany", "Whom up to 100 tokens speak for")
        .says("The results have the order of the request.")
        .by(By::Client)
        .takes::<Batch>(json!({ "tokens": ["jtn_p_…", "jtn_s_…"] }))
        .answers_with(
            200,
            "An answer for each token.",
            json!({
                "type": "object",
                "required": ["results"],
                "properties": { "results": { "type": "array", "items": answer() } },
            }),
            json!({ "results": [active(), { "active": false }] }),
        )
        .fails(&[408, 413]);
    let revoke = post(path::REVOCATION, "revoke", "Revoke a token by its key (RFC 7009)")
        .says(
            "Having the key is enough; who names a client must name it rightly. The answer is the same for a key that no token \
             has. Quotes, spaces and line breaks around the key do no harm.",
        )
        .by(By::Anybody)
        .takes_form(form(), json!({ "token": "jtn_p_…" }))
        .nothing(200, "Whatever token had this key is revoked, on every node.")
        .fails(&[408, 413]);
    let metadata = |path, id: &str, summary: &str, example: Value| {
        get(path, id, summary).by(By::Anybody).answers_with(200, "The metadata.", json!({ "type": "object" }), example)
    };
    let operations = vec![
        fails(introspect, &[WRONG, UNKNOWN, NOT_ALLOWED, UNAVAILABLE]),
        fails(without_422(batch), &[WRONG, UNKNOWN, NOT_ALLOWED, UNAVAILABLE]),
        fails(revoke, &[WRONG, UNKNOWN, UNAVAILABLE]),
        metadata(
            path::SERVER_METADATA,
            "readServerMetadata",
            "Where the endpoints are (RFC 8414)",
            json!({ "issuer": "https://jeton.example.org", "introspection_endpoint": "https://jeton.example.org/oauth2/introspect" }),
        ),
        metadata(
            path::RESOURCE_METADATA,
            "readResourceMetadata",
            "About this API (RFC 9728)",
            json!({ "resource": "https://jeton.example.org", "bearer_methods_supported": ["header"] }),
        ),
    ];
    Part { name: "OAuth", words: "For APIs that ask whom a token speaks for, with any OAuth client.", operations }
}

/// These addresses tell every fault of a body with 400.
fn without_422(mut described: Described) -> Described {
    if let Some(responses) = described.operation["responses"].as_object_mut() {
        responses.remove("422");
    }
    described
}
