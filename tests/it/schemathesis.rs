//! Schemathesis, as released, makes requests from the description of the API and holds each answer against it: with a
//! personal token that only reads, with one that also writes, and with a service user's. All its checks are on.

use crate::harness::{Person, TestApp, TestDb};
use serde_json::{Value, json};
use std::process::Command;

/// Where `./test` puts it.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/proxies/bin/schemathesis");
/// What it is told about addresses that answer otherwise than it would expect.
const CONFIGURATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients/schemathesis.toml");

const RIGHTS: [&str; 16] = [
    "platform.groups",
    "platform.sites",
    "platform.kinds",
    "platform.verify_tokens",
    "templates.view",
    "templates.edit",
    "templates.delete",
    "templates.share",
    "inspections.view",
    "inspections.conduct",
    "inspections.delete",
    "inspections.share",
    "assets.view",
    "assets.edit",
    "assets.delete",
    "assets.share",
];

/// Puts something of each sort into the organization.
async fn furnishes(app: &TestApp, ann: &Person) {
    let key = format!("Bearer {}", ann.makes_token_with("setup", "read_write").await);
    let headers = [("authorization", key.as_str()), ("content-type", "application/json")];
    let things: [(&str, Value); 5] = [
        ("/api/v1/groups", json!({ "name": "Clerks" })),
        ("/api/v1/sites", json!({ "name": "Mali" })),
        ("/api/v1/kinds", json!({ "key": "bills", "singular": "Bill", "plural": "Bills" })),
        ("/api/v1/items/assets", json!({ "name": "Fridge", "external_id": "INV-7" })),
        (
            "/api/v1/items/templates",
            json!({ "name": "Cold chain", "questions": [{ "label": "On?", "type": "yes_no" }] }),
        ),
    ];
    for (path, body) in things {
        assert_eq!(app.send("POST", path, &headers, &body.to_string()).await.status, 201, "{path}");
    }
}

/// Runs it with this key.
async fn finds_nothing(app: &TestApp, key: &str) {
    let (document, key) = (format!("{}/openapi.json", app.url), format!("Authorization: Bearer {key}"));
    let run = move || {
        let folder = crate::harness::folder();
        let mut command = Command::new(PROGRAM);
        command.args(["--config-file", CONFIGURATION, "--no-color", "run", &document, "--header", &key]);
        // The same requests each time, a few hundred for each phase.
        command.args(["--seed", "1", "--generation-deterministic", "--max-examples", "8", "--no-shrink"]);
        command.args(["--phases", "examples,coverage,fuzzing", "--checks", "all", "--mode", "all"]);
        command.args(["--suppress-health-check", "all", "--warnings", "off", "--max-time", "60"]);
        // The token that asks would be gone.
        command.args(["--exclude-operation-id", "revokeMyToken"]);
        let output = command.current_dir(folder.path()).env("PYTHONDONTWRITEBYTECODE", "1").output();
        let output = output.unwrap_or_else(|error| panic!("{PROGRAM}: {error}; ./test installs it"));
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), told, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (is_well, told, errors) = actix_web::web::block(run).await.expect("a thread");
    assert!(is_well, "{told}\n{errors}");
    assert!(told.contains("No issues found"), "it has really run: {told}");
}

#[actix_web::test]
async fn nothing_is_found_with_a_token_that_only_reads() {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    furnishes(&app, &ann).await;
    finds_nothing(&app, &ann.makes_token("reads").await).await;
}

#[actix_web::test]
async fn nothing_is_found_with_a_token_that_writes() {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    furnishes(&app, &ann).await;
    finds_nothing(&app, &ann.makes_token_with("writes", "read_write").await).await;
}

#[actix_web::test]
async fn nothing_is_found_with_the_token_of_a_service_user() {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    furnishes(&app, &ann).await;
    let key = ann.asks_for_service_token("Robot", "45", &RIGHTS).await.key().expect("a key");
    finds_nothing(&app, &key).await;
}
