//! Forward-auth.

use super::{
    Part,
    describe::{By, Described, InQuery, get},
};
use crate::{
    routes::{path, pattern},
    verify::IDENTITY,
};
use serde_json::{Map, Value, json};

/// What the address adds to what a token needs.
fn demands() -> Vec<InQuery> {
    let many = |schema: Value| json!({ "type": "array", "items": schema });
    vec![
        (
            "scope",
            "`write` if the token must be *read & write*.",
            many(json!({ "type": "string", "enum": ["read", "write"] })),
        ),
        ("permission", "A permission that it also needs. May be repeated.", many(json!({ "type": "string" }))),
    ]
}

/// Adds the answers that all these addresses have, without a body; `told` are the headers of a 200.
fn answered(described: Described, is_about_api: bool) -> Described {
    let header = |name: &str| {
        let words = "Empty in a refusal, so that it replaces what a client sends.";
        (name.to_owned(), json!({ "description": words, "schema": { "type": "string" } }))
    };
    let headers: Map<String, Value> = IDENTITY.iter().map(|name| header(name.as_str())).collect();
    let with = |words: &str| json!({ "description": words, "headers": headers });
    let described = described
        .answer(200, with("Let the request through. The headers say whom it is for."))
        .answer(401, with("There is no key, or it is not accepted."))
        .answer(403, with("The token may not do this, or the request is ambiguous."))
        .answer(503, with("Jeton cannot verify the token right now."));
    match is_about_api {
        true => described.answer(404, with("The item in the path does not exist for the token’s subject.")),
        false => described.answer(400, with("The key is in the address or in two headers.")),
    }
}

/// Forward-auth.
pub fn part() -> Part {
    let operations = vec![
        answered(
            get(path::VERIFY, "verifyToken", "Is this token good?")
                .says(
                    "A reverse proxy asks before it lets a request through. It reports the client’s method in `X-Original-Method` \
                     or `X-Forwarded-Method`. Every method is answered alike.",
                )
                .query(demands()),
            false,
        ),
        answered(
            get(pattern::VERIFY_TOKEN, "verifyTokenBefore", "The same for Envoy")
                .says("Envoy appends the path of the client’s request and uses its method. Any path may follow."),
            false,
        ),
        answered(
            get(pattern::VERIFY_API, "verifyRequest", "May this token make this request to a protected API?")
                .says(
                    "The rules of the API decide. The proxy must be trusted, and reports the method as above and the path in \
                     `X-Original-URI` or `X-Forwarded-Uri`. Envoy appends the path here, too.",
                )
                .query(demands()),
            true,
        ),
    ];
    let operations = operations.into_iter().map(|one| one.by(By::Token)).collect();
    Part { name: "Forward-auth", words: "For reverse proxies in front of your own APIs.", operations }
}
