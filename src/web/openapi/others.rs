//! Health, and this document.

use super::{
    Part,
    describe::{By, get},
};
use crate::routes::path;
use serde_json::json;

/// Everything else.
pub fn part() -> Part {
    let operations = vec![
        get(path::HEALTH, "isServing", "Does this node serve requests at all?")
            .by(By::Anybody)
            .text(200, "It does.", "ok\n"),
        get(path::READINESS, "isReady", "Should this node get requests?")
            .by(By::Anybody)
            .text(200, "It can accept and refuse tokens.", "serving: ok\ntokens: ok\nchanges: ok\nclock: ok\n")
            .text(
                503,
                "It cannot right now, or is about to stop.",
                "serving: ok\ntokens: cannot be verified right now\n",
            ),
        get(path::OPENAPI, "readDescription", "This document").by(By::Anybody).answers_with(
            200,
            "OpenAPI 3.1.",
            json!({ "type": "object" }),
            json!({ "openapi": "3.1.0" }),
        ),
    ];
    Part { name: "Server", words: "How a node is, and what it offers.", operations }
}
