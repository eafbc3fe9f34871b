//! Access rules.

use super::{
    Part,
    describe::{delete, get, post, put},
};
use crate::routes::{path, pattern};
use serde_json::{Value, json};

const TOKEN: &[u16] = &[400, 401, 403, 404, 429, 503];
const BODY: &[u16] = &[408, 413, 422];

fn rule() -> Value {
    json!({
        "id": "k7m2q9xd4t", "level": "view", "kind": "assets", "site": { "id": "q2w4e6r8t1", "name": "Mopti" }, "template": null,
        "recipient": { "type": "group", "id": "z9y8x7w6v5", "name": "Logistics", "organization": "Croix-Bleue Sahel" },
        "created_at": "2026-11-28T09:00:00Z", "created_by": "Awa Diallo", "version": 1
    })
}

fn wanted() -> Value {
    json!({ "recipient": { "type": "group", "id": "z9y8x7w6v5" }, "level": "view", "kind": "assets", "site": "q2w4e6r8t1" })
}

fn told_schema() -> Value {
    let text = || json!({ "type": "string" });
    let named = || json!({ "type": ["object", "null"], "properties": { "id": text(), "name": text() } });
    json!({
        "type": "object",
        "required": ["id", "level", "kind", "site", "template", "recipient", "created_at", "created_by", "version"],
        "properties": {
            "id": text(),
            "level": { "type": "string", "enum": ["view", "edit", "manage"] },
            "kind": text(),
            "site": named(),
            "template": named(),
            "recipient": {
                "type": "object",
                "properties": { "type": text(), "id": text(), "name": text(), "organization": text() },
            },
            "created_at": { "type": "string", "format": "date-time" },
            "created_by": text(),
            "version": { "type": "integer" },
        },
    })
}

fn wanted_schema() -> Value {
    let text = || json!({ "type": "string" });
    let or_null = || json!({ "type": ["string", "null"] });
    json!({
        "type": "object",
        "required": ["recipient", "level", "kind"],
        "additionalProperties": false,
        "properties": {
            "recipient": {
                "type": "object",
                "required": ["type"],
                "additionalProperties": false,
                "properties": { "type": text(), "id": text(), "organization": text() },
            },
            "level": text(),
            "kind": text(),
            "site": or_null(),
            "template": or_null(),
        },
    })
}

/// Access rules.
pub fn part() -> Part {
    let list = json!({
        "type": "object",
        "required": ["data", "next_cursor"],
        "properties": {
            "data": { "type": "array", "items": told_schema() },
            "next_cursor": { "type": ["string", "null"] },
        },
    });
    let query = vec![
        ("kind", "Only rules about items of this kind.", json!({ "type": "string" })),
        (
            "limit",
            "How many there are on the page; 50 without it.",
            json!({ "anyOf": [{ "type": "integer", "minimum": 1, "maximum": 100 }, { "type": "string", "maxLength": 0 }] }),
        ),
        ("cursor", "`next_cursor` of the page before.", json!({ "type": "string" })),
    ];
    let operations = vec![
        get(path::API_ACCESS_RULES, "listAccessRules", "List access rules by kind")
            .query(query)
            .answers_with(200, "A page of rules.", list, json!({ "data": [rule()], "next_cursor": null }))
            .fails(TOKEN),
        post(path::API_ACCESS_RULES, "createAccessRule", "Create an access rule")
            .takes_shape(wanted_schema(), wanted())
            .answers_with(201, "The new rule.", told_schema(), rule())
            .with_headers(201, &["ETag", "Location"])
            .fails(TOKEN)
            .fails(BODY),
        get(pattern::ACCESS_RULE, "readAccessRule", "Read an access rule")
            .answers_with(200, "The rule.", told_schema(), rule())
            .with_headers(200, &["ETag"])
            .fails(TOKEN),
        put(pattern::ACCESS_RULE, "changeAccessRule", "Replace an access rule")
            .if_match(false)
            .takes_shape(wanted_schema(), wanted())
            .answers_with(200, "The rule as it is now.", told_schema(), rule())
            .with_headers(200, &["ETag"])
            .fails(TOKEN)
            .fails(BODY),
        delete(pattern::ACCESS_RULE, "deleteAccessRule", "Delete an access rule")
            .says("From the answer on, on every node.")
            .if_match(false)
            .nothing(204, "It is deleted.")
            .fails(TOKEN)
            .fails(&[422]),
    ];
    Part {
        name: "Access rules",
        words: "Levels on all items of a kind, or on some of them. For tokens whose subject has *Platform management: Users*.",
        operations,
    }
}
