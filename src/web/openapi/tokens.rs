//! The token that asks, and receipts of revocations.

use super::{
    Part,
    describe::{By, delete, get, post},
};
use crate::{
    api::Token,
    prepared::Me,
    routes::{path, pattern},
};
use serde_json::{Value, json};

/// The token that asks.
pub fn part() -> Part {
    let me = json!({
        "subject": { "id": "membership:1", "type": "user", "name": "Awa Diallo" },
        "organization": { "id": "3f9c0a71be", "slug": "croix-bleue-sahel", "name": "Croix-Bleue Sahel" },
        "scope": "read",
        "permissions": ["templates.view", "inspections.view", "assets.view"],
        "token": { "id": "k7m2q9xd4t", "label": "Power BI", "kind": "personal", "expires_at": "2027-01-05T23:22:10Z" }
    });
    let operations = vec![
        get(path::ME, "readMe", "Whom the token speaks for, and what it may do")
            .answers_of_two::<Me<'_>, Token<'_>>(200, "The subject, its organization, and the token.", "token", me)
            .fails(&[400, 401, 429, 503]),
        delete(pattern::OWN_TOKEN, "revokeMyToken", "Revoke the token that asks")
            .says("A read-only token may do so, too. From the answer on, no node accepts it.")
            .nothing(204, "It is revoked.")
            .fails(&[400, 401, 503]),
        get(pattern::RECEIPT, "readReceipt", "Read the receipt of a revocation")
            .says(
                "Shows from when on each node refused the token. For a token of the same person, or one whose subject has \
                 *Activity log* or *Integrations*.",
            )
            .answers_with(200, "The newest receipt of this token, also signed.", receipt(), receipt_example())
            .fails(&[400, 401, 404, 429, 503]),
        get(path::KEY_SET, "readKeySet", "The public keys of signed receipts (RFC 7517)")
            .by(By::Anybody)
            .answers_with(200, "One Ed25519 key.", key_set(), key_set_example()),
        get(path::LEAKS, "readLeakForm", "How to recognize a key, and where to report one")
            .by(By::Anybody)
            .answers_with(200, "The pattern of all keys, and the form of a report.", json!({ "type": "object" }), json!({
                "pattern": domain::leak::PATTERN,
                "report_to": "https://jeton.example.org/api/v1/leaks",
                "most": 1000
            })),
        post(path::LEAKS, "reportLeaks", "Report keys that are publicly exposed")
            .says(
                "Anybody may. Tokens with these keys are revoked at once, and their owners get mail. Nobody learns whether a key \
                 was real, except GitHub, whose reports are signed. Up to 1,000 keys in 1 MiB; one client may send 30 reports, \
                 then one every two seconds.",
            )
            .by(By::Anybody)
            .takes_shape(
                json!({
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["token"],
                        "properties": {
                            "token": { "type": "string", "description": "The key, with or without text around it." },
                            "type": { "type": "string" },
                            "url": { "type": ["string", "null"], "description": "Where it was found." },
                        },
                    },
                }),
                json!([{ "token": "jtn_p_…", "url": "https://example.org/where/it/was/found" }]),
            )
            .answer(200, json!({ "description": "The report was taken. Only GitHub gets a body." }))
            .fails(&[400, 403, 408, 413, 429, 503]),
    ];
    Part {
        name: "Tokens",
        words: "The token that asks, what became of revoked ones, and reports of leaked keys.",
        operations,
    }
}

fn receipt() -> Value {
    let text = || json!({ "type": "string" });
    let or_null = |kind: &str| json!({ "type": [kind, "null"] });
    json!({
        "type": "object",
        "required": ["receipt", "signed", "keys"],
        "properties": {
            "receipt": {
                "type": "object",
                "required": [
                    "iss", "iat", "organization", "organization_id", "token", "revoked", "revoked_at", "epoch", "is_complete",
                    "nodes",
                ],
                "properties": {
                    "iss": text(),
                    "iat": { "type": "integer" },
                    "organization": text(),
                    "organization_id": text(),
                    "token": {
                        "type": "object",
                        "required": ["id", "label", "kind"],
                        "properties": {
                            "id": text(), "label": text(), "kind": { "type": "string", "enum": ["personal", "service"] },
                        },
                    },
                    "revoked": { "type": "string", "enum": ["token", "old_key"] },
                    "revoked_at": { "type": "string", "format": "date-time" },
                    "epoch": { "type": "integer" },
                    "is_complete": { "type": "boolean", "description": "Whether every live node refuses it." },
                    "nodes": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": [
                                "id", "name", "state", "epoch", "refuses_since", "last_accepted_at", "last_seen_at",
                            ],
                            "properties": {
                                "id": text(),
                                "name": text(),
                                "state": { "type": "string", "enum": ["alive", "silent", "gone"] },
                                "epoch": or_null("integer"),
                                "refuses_since": or_null("string"),
                                "last_accepted_at": or_null("string"),
                                "last_seen_at": or_null("string"),
                            },
                        },
                    },
                },
            },
            "signed": { "type": "string", "description": "The receipt as a compact JWS." },
            "keys": { "type": "string", "description": "The address of the public keys." },
        },
    })
}

fn receipt_example() -> Value {
    json!({
        "receipt": {
            "iss": "https://jeton.example.org", "iat": 1795855200, "organization": "croix-bleue-sahel",
            "organization_id": "3f9c0a71be", "token": { "id": "k7m2q9xd4t", "label": "Power BI", "kind": "personal" },
            "revoked": "token", "revoked_at": "2026-11-28T09:00:00.000Z", "epoch": 4711, "is_complete": true,
            "nodes": [{
                "id": "q2w4e6r8t1", "name": "jeton-1:812", "state": "alive", "epoch": 4711,
                "refuses_since": "2026-11-28T09:00:00.012Z", "last_accepted_at": "2026-11-28T08:59:58Z",
                "last_seen_at": "2026-11-28T09:00:01.500Z"
            }]
        },
        "signed": "eyJhbGciOiJFZERTQSJ9.…",
        "keys": "https://jeton.example.org/.well-known/jwks.json"
    })
}

fn key_set() -> Value {
    json!({
        "type": "object",
        "required": ["keys"],
        "properties": { "keys": { "type": "array", "items": {
            "type": "object",
            "required": ["kty", "crv", "x", "kid", "use", "alg"],
            "properties": {
                "kty": { "const": "OKP" }, "crv": { "const": "Ed25519" }, "x": { "type": "string" },
                "kid": { "type": "string" }, "use": { "const": "sig" }, "alg": { "const": "EdDSA" },
            },
        } } },
    })
}

fn key_set_example() -> Value {
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS…", "kid": "kPrK_qmxVWaYVA…", "use": "sig", "alg": "EdDSA" });
    json!({ "keys": [key] })
}
