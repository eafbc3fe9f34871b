//! Kinds through the API.

use super::{INVOICES, KINDS, deletes, has_invoices, invoices, makes_set, may, permissions, refused, service_key};
use crate::harness::{Answer, TestApp, TestDb, count, db_test};
use domain::permission::BuiltInSet;
use serde_json::{Value, json};

const API: &str = "/api/v1/kinds";

async fn sends(app: &TestApp, method: &str, path: &str, key: &str, version: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {key}");
    let mut headers = vec![("authorization", &*bearer), ("content-type", "application/json")];
    if !version.is_empty() {
        headers.push(("if-match", version));
    }
    app.send(method, path, &headers, &body.to_string()).await
}

fn visits() -> Value {
    let check = json!({ "key": "check", "name": "Check", "reads": true });
    json!({ "key": "visits", "singular": "Visit", "plural": "Visits", "actions": [check] })
}

#[db_test]
async fn a_program_that_may_creates_changes_and_deletes_a_kind(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = service_key(&ann, "Terraform", &["platform.kinds"]).await;
    let created = sends(&app, "POST", API, &key, "", &visits()).await;
    assert_eq!((created.status, created.header("location")), (201, "/api/v1/kinds/visits"), "{}", created.body);
    let version = created.header("etag").to_owned();
    assert_eq!(version, "\"1\"");
    let told = created.json();
    assert_eq!(
        (&told["key"], &told["singular"], &told["built_in"]),
        (&json!("visits"), &json!("Visit"), &json!(false))
    );
    let check = json!({
        "key": "check", "name": "Check", "permission": "visits.check", "reads": true, "level": "view",
    });
    assert_eq!((&told["actions"][4], &told["actions"][1]["level"]), (&check, &json!("edit")));
    assert_eq!(permissions(&app, &key).await, ["platform.kinds"], "who makes a kind holds nothing of it");
    ann.get(KINDS).await.shows("Visits");

    let path = format!("{API}/visits");
    let read = app.with_key("GET", &path, &key).await;
    assert_eq!((read.json(), read.header("etag")), (told, &*version));
    let renamed = json!({ "singular": "Call", "plural": "Calls", "actions": [] });
    let changed = sends(&app, "PUT", &path, &key, &version, &renamed).await;
    assert_eq!((changed.status, changed.header("etag")), (200, "\"2\""), "{}", changed.body);
    assert_eq!(changed.json()["plural"], "Calls");
    // What was read before is out of date, and without it nothing is changed.
    assert_eq!(sends(&app, "PUT", &path, &key, &version, &renamed).await.status, 412);
    assert_eq!(sends(&app, "PUT", &path, &key, "", &renamed).await.status, 428);
    assert_eq!(sends(&app, "PUT", &path, &key, "*", &renamed).await.status, 428);
    assert_eq!(sends(&app, "DELETE", &path, &key, "", &json!(null)).await.status, 204);
    assert_eq!(sends(&app, "DELETE", &path, &key, "", &json!(null)).await.status, 404);
    assert_eq!(app.with_key("GET", &path, &key).await.status, 404);
    let log = ann.get(crate::harness::org!("/activity")).await;
    log.shows("Terraform created the kind Visits").shows("Terraform deleted the kind Calls");
}

#[db_test]
async fn every_token_of_the_organization_may_read_kinds(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    has_invoices(&ann).await;
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    let eve = app.add_organization("elsewhere", "Eve").await;
    let (of_ben, of_eve) = (ben.makes_token("Report").await, eve.makes_token("Report").await);
    let keys = |answer: Answer| -> Vec<String> {
        let all = answer.json();
        all["data"].as_array().unwrap().iter().map(|kind| kind["key"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(keys(app.with_key("GET", API, &of_ben).await), ["templates", "inspections", "assets", "invoices"]);
    assert_eq!(keys(app.with_key("GET", API, &of_eve).await), ["templates", "inspections", "assets"]);
    assert_eq!(app.with_key("GET", &format!("{API}/invoices"), &of_ben).await.status, 200);
    assert_eq!(app.with_key("GET", &format!("{API}/invoices"), &of_eve).await.status, 404);
    let inspections = app.with_key("GET", &format!("{API}/inspections"), &of_eve).await.json();
    assert_eq!(
        inspections["actions"][1],
        json!({
            "key": "conduct", "permission": "inspections.conduct", "reads": false, "level": "edit",
        })
    );
    assert_eq!(app.send("GET", API, &[], "").await.status, 401);
}

#[db_test]
async fn only_holders_with_a_token_that_writes_change_kinds(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    has_invoices(&ann).await;
    let eve = app.add_organization("elsewhere", "Eve").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let path = format!("{API}/invoices");
    let body = json!({ "singular": "Bill", "plural": "Bills" });
    for (key, changes) in [
        (ann.makes_token_with("Reads", "read").await, 403),
        (ben.makes_token_with("Writes", "read_write").await, 403),
        (eve.makes_token_with("Elsewhere", "read_write").await, 404),
    ] {
        assert_eq!(sends(&app, "PUT", &path, &key, "\"1\"", &body).await.status, changes);
        assert_eq!(sends(&app, "DELETE", &path, &key, "", &body).await.status, changes);
        // No header makes a read-only token write.
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", &*bearer), ("x-http-method-override", "DELETE")];
        let overridden = app.send("GET", &path, &headers, "").await;
        assert!(matches!(overridden.status, 200 | 404));
    }
    let reads = ann.makes_token_with("Reads too", "read").await;
    let refused_to_read = sends(&app, "POST", API, &reads, "", &visits()).await;
    assert_eq!((refused_to_read.status, refused_to_read.header("content-type")), (403, "application/problem+json"));
    assert_eq!(count(&app, "kinds"), 1);
    // The built-in ones stay.
    let writes = ann.makes_token_with("Writes", "read_write").await;
    for (method, version) in [("PUT", "\"1\""), ("DELETE", "")] {
        assert_eq!(sends(&app, method, &format!("{API}/assets"), &writes, version, &body).await.status, 404);
    }
}

#[db_test]
async fn a_bad_body_is_told_field_by_field(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    has_invoices(&ann).await;
    let key = ann.makes_token_with("Script", "read_write").await;
    let with = |field: &str, value: Value| {
        let mut body = visits();
        body[field] = value;
        body
    };
    let action = |key: &str, name: &str| json!({ "key": key, "name": name, "reads": false });
    for (body, field) in [
        (with("key", json!("templates")), "key"),
        (with("key", json!("Visits")), "key"),
        (with("key", json!("invoices")), "key"),
        (with("singular", json!("")), "singular"),
        (with("plural", json!("Invoices")), "plural"),
        (with("plural", json!("x".repeat(101))), "plural"),
        (with("actions", json!([action("view", "View")])), "actions"),
        (with("actions", json!([action("pay", "Pay"), action("pay", "Pay again")])), "actions"),
        (with("actions", (0..13).map(|n| action(&format!("step_{n}"), &format!("Step {n}"))).collect()), "actions"),
    ] {
        let refused = sends(&app, "POST", API, &key, "", &body).await;
        assert_eq!((refused.status, refused.header("content-type")), (422, "application/problem+json"), "{body}");
        let problem = refused.json();
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        assert!(!problem["errors"][0]["detail"].as_str().unwrap().is_empty(), "{problem}");
    }
    for body in [json!([]), json!({}), with("actions", json!("x")), with("extra", json!(1)), with("key", json!(3))] {
        assert_eq!(sends(&app, "POST", API, &key, "", &body).await.status, 400, "{body}");
    }
    let stays = json!({ "key": "bills", "singular": "Bill", "plural": "Bills" });
    let refused = sends(&app, "PUT", &format!("{API}/invoices"), &key, "\"1\"", &stays).await;
    assert_eq!((refused.status, refused.json()["errors"][0]["field"].clone()), (422, json!("key")));
    assert_eq!(count(&app, "kinds"), 1);
}

#[db_test]
async fn a_deletion_by_a_program_takes_permissions_at_once(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    assert_eq!(ann.post(KINDS, &invoices(&[])).await.status, 303);
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    makes_set(&ann, "Accountants", &["assets.view", "invoices.view"]).await;
    assert_eq!(ann.gives("Ben", "Accountants").await.status, 303);
    let of_ben = ben.makes_token("Report").await;
    assert_eq!(may(&app, &of_ben, "invoices.view").await.0, 200);
    let key = ann.makes_token_with("Script", "read_write").await;
    assert_eq!(sends(&app, "DELETE", &format!("{API}/invoices"), &key, "", &json!(null)).await.status, 204);
    assert_eq!(may(&app, &of_ben, "invoices.view").await, refused("invalid_request"));
    assert_eq!(permissions(&app, &of_ben).await, ["assets.view"]);
    assert_eq!(ann.get(INVOICES).await.status, 404);
    // Once more, on its page.
    has_invoices(&ann).await;
    assert_eq!(deletes(&ann).await.status, 303);
}
