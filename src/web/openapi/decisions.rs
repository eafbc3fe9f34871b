//! Decisions about items: AuthZEN, and explanations.

use super::{
    Part,
    describe::{By, Described, get, post},
    oauth::{NOT_ALLOWED, UNAVAILABLE, UNKNOWN, WRONG, fails},
};
use crate::routes::{path, pattern};
use app::evaluations::MOST_QUESTIONS;
use serde_json::{Value, json};

fn text() -> Value {
    json!({ "type": "string" })
}

fn entity(words: &str) -> Value {
    json!({
        "type": "object",
        "description": words,
        "properties": { "type": text(), "id": text(), "properties": { "type": "object" } },
    })
}

/// The schema of a question, of which these fields must be there.
fn question(required: &[&str], more: Value) -> Value {
    let mut schema = json!({
        "type": "object",
        "required": required,
        "properties": {
            "subject": entity("A `user`, `service_user`, `token` or `api_key`."),
            "action": {
                "type": "object",
                "properties": { "name": text(), "properties": { "type": "object" } },
            },
            "resource": entity("An item: the key of its kind, and its external id or public id."),
            "context": { "type": "object", "description": "Changes nothing." },
        },
    });
    for (name, field) in more.as_object().into_iter().flatten() {
        schema["properties"][name] = field.clone();
    }
    for name in required {
        let needed = if *name == "action" { json!(["name"]) } else { json!(["type", "id"]) };
        schema["properties"][name]["required"] = needed;
    }
    schema
}

fn asked() -> Value {
    json!({
        "subject": { "type": "user", "id": "awa@example.org" },
        "action": { "name": "approve" },
        "resource": { "type": "invoices", "id": "INV-7" }
    })
}

fn decision() -> Value {
    json!({
        "type": "object",
        "required": ["decision"],
        "properties": {
            "decision": { "type": "boolean" },
            "context": {
                "type": "object",
                "description": "Of a no: the first check that says so, and what is missing.",
                "properties": { "stopped_by": text(), "needs": text(), "error": { "type": "object" } },
            },
        },
    })
}

fn refused() -> Value {
    json!({ "decision": false, "context": { "stopped_by": "permission", "needs": "invoices.approve" } })
}

fn ask(path: &'static str, id: &str, summary: &str, says: &str, (schema, example): (Value, Value)) -> Described {
    let described = post(path, id, summary).says(says).by(By::Client).takes_shape(schema, example).fails(&[408, 413]);
    fails(described, &[WRONG, UNKNOWN, NOT_ALLOWED, UNAVAILABLE])
}

fn search(path: &'static str, id: &str, summary: &str, required: &[&str], example: Value, found: Value) -> Described {
    let page = json!({
        "type": "object",
        "properties": { "token": text(), "limit": { "type": "integer", "minimum": 1 } },
    });
    let schema = question(required, json!({ "page": page }));
    let results = json!({
        "type": "object",
        "required": ["results", "page"],
        "properties": {
            "results": { "type": "array", "items": { "type": "object" } },
            "page": {
                "type": "object",
                "required": ["next_token", "count"],
                "properties": { "next_token": text(), "count": { "type": "integer" } },
            },
        },
    });
    let says = "What is searched only has a `type`. A page has up to 100 results. If `page.next_token` of an answer is not empty, send it as `page.token`.";
    let answer = json!({ "results": [found], "page": { "next_token": "", "count": 1 } });
    ask(path, id, summary, says, (schema, example)).answers_with(200, "A part of the results.", results, answer)
}

/// Decisions.
pub fn part() -> Part {
    const ALL: [&str; 3] = ["subject", "action", "resource"];
    let says = "For a service user with *Platform management: Verify tokens*, about its own organization. The answer is what \
                the same request to the API would get. Whatever is unknown gets the answer no.";
    let several = question(
        &[],
        json!({
            "evaluations": {
                "type": "array",
                "maxItems": MOST_QUESTIONS,
                "description": "Objects like the body. What is none gets the answer no in its place.",
                "items": {},
            },
            "options": {
                "type": "object",
                "properties": { "evaluations_semantic": {
                    "type": "string",
                    "enum": ["execute_all", "deny_on_first_deny", "permit_on_first_permit"],
                } },
            },
        }),
    );
    let many = json!({
        "type": "object",
        "anyOf": [{ "required": ["evaluations"] }, { "required": ["decision"] }],
        "properties": { "evaluations": { "type": "array", "items": decision() }, "decision": { "type": "boolean" } },
    });
    let mut list = asked();
    list["evaluations"] = json!([{ "action": { "name": "view" } }, { "action": { "name": "approve" } }]);
    let without = |name: &str, kind: Value| {
        let mut example = asked();
        example[name] = kind;
        example
    };
    let operations = vec![
        ask(path::EVALUATION, "evaluate", "May somebody do something with an item?", says, (question(&ALL, Value::Null), asked()))
            .answers_with(200, "Yes or no.", decision(), refused()),
        ask(
            path::EVALUATIONS,
            "evaluateMany",
            "Several such questions",
            &format!(
                "Up to {MOST_QUESTIONS}, answered in their order. What an entry leaves out is taken from beside the list. Without \
                 a list, it is one question."
            ),
            (several, list),
        )
        .answers_with(200, "An answer for each.", many, json!({ "evaluations": [{ "decision": true }, refused()] })),
        search(
            path::SUBJECT_SEARCH,
            "searchSubjects",
            "Who may do something with an item",
            &["action", "resource"],
            without("subject", json!({ "type": "user" })),
            json!({ "type": "user", "id": "membership:12" }),
        ),
        search(
            path::RESOURCE_SEARCH,
            "searchItems",
            "With which items somebody may do something",
            &["subject", "action"],
            without("resource", json!({ "type": "invoices" })),
            json!({ "type": "invoices", "id": "INV-7" }),
        ),
        search(
            path::ACTION_SEARCH,
            "searchActions",
            "What somebody may do with an item",
            &["subject", "resource"],
            without("action", json!({})),
            json!({ "name": "view" }),
        ),
        get(path::DECISION_METADATA, "readDecisionMetadata", "Where decisions are asked (AuthZEN)")
            .by(By::Anybody)
            .answers_with(
                200,
                "The metadata.",
                json!({ "type": "object" }),
                json!({ "policy_decision_point": "https://jeton.example.org" }),
            ),
        post(pattern::EXPLANATION, "explain", "Why somebody may do something with an item, or not")
            .says("About the subject of the token without a `subject`; others ask for rights of their own.")
            .takes_shape(question(&["action", "resource"], Value::Null), asked())
            .answers_with(200, "The decision, each check, and by what the item is reached.", explained(), explanation())
            .fails(&[400, 401, 403, 404, 408, 413, 422, 429, 503]),
    ];
    Part {
        name: "Decisions",
        words: "May somebody do something with an item, and why? Also for gateways (AuthZEN 1.0).",
        operations,
    }
}

fn explained() -> Value {
    let or_null = |kind: &str| json!({ "type": [kind, "null"] });
    let list = || json!({ "type": "array", "items": { "type": "object" } });
    json!({
        "type": "object",
        "required": ["decision", "stopped_by", "subject", "token", "action", "item", "checks", "ways", "changes"],
        "properties": {
            "decision": { "type": "boolean" },
            "stopped_by": or_null("string"),
            "subject": { "type": "object" },
            "token": or_null("string"),
            "action": text(),
            "item": { "type": "object" },
            "checks": list(),
            "ways": list(),
            "changes": { "type": ["array", "null"], "items": { "type": "object" } },
        },
    })
}

fn explanation() -> Value {
    json!({
        "decision": false,
        "stopped_by": "access",
        "subject": { "id": "membership:12", "name": "Awa Diallo" },
        "token": null,
        "action": "assets.edit",
        "item": { "kind": "assets", "id": "q2w4e6r8t1", "external_id": "INV-7" },
        "checks": [{ "check": "permission", "says": "yes" }, { "check": "access", "says": "no", "needs": "edit" }],
        "ways": [],
        "changes": null
    })
}
