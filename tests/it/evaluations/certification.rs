//! The published certification scenario of AuthZEN 1.0: Basic, Batch and Search, each *Core*, and Discovery.

use super::*;

fn fixture() -> Value {
    question(("user", "alice"), "read", "record-1")
}

fn without(field: &str, part: Option<&str>) -> Value {
    let mut body = fixture();
    match part {
        None => drop(body.as_object_mut().unwrap().remove(field)),
        Some(part) => drop(body[field].as_object_mut().unwrap().remove(part)),
    }
    body
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

#[db_test]
async fn basic_core(db: TestDb) {
    let records = Records::new(db).await;
    for (subject, action, decision) in
        [("alice", "read", true), ("alice", "write", true), ("bob", "read", true), ("bob", "write", false)]
    {
        let body = question(("user", subject), action, "record-1");
        for _ in 0..3 {
            let answer = records.asks(ONE, &body).await;
            assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{subject} {action}");
            assert_eq!(answer.json()["decision"], decision, "{subject} {action}");
        }
    }
    let context = json!({ "time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1" });
    let mut properties = with(with(fixture(), "foo", json!("bar")), "futureField", json!({ "nested": true }));
    properties["subject"]["properties"] = json!({ "department": "Sales", "role": "manager" });
    properties["action"]["properties"] = json!({ "method": "GET" });
    properties["resource"]["properties"] = json!({ "status": "active", "owner": "bob" });
    for body in [with(fixture(), "context", context), properties] {
        assert_eq!(records.asks(ONE, &body).await.json(), json!({ "decision": true }));
    }
}

#[db_test]
async fn requests_that_lack_something_are_bad(db: TestDb) {
    let records = Records::new(db).await;
    let lacking = [
        without("subject", None),
        without("action", None),
        without("resource", None),
        without("subject", Some("type")),
        without("subject", Some("id")),
        without("action", Some("name")),
        without("resource", Some("type")),
        without("resource", Some("id")),
        with(fixture(), "subject", json!("alice")),
        with(fixture(), "subject", json!(["user", "alice"])),
        with(fixture(), "subject", Value::Null),
        with(fixture(), "action", json!({ "name": 123 })),
        with(fixture(), "action", json!({ "name": null })),
        with(fixture(), "context", json!("now")),
        with(fixture(), "resource", json!({ "type": "record", "id": "record-1", "properties": 1 })),
    ];
    for body in
        lacking.iter().map(ToString::to_string).chain(["", "{", "[]", "null", "\"x\"", "{\"a\":"].map(Into::into))
    {
        for path in [ONE, SEVERAL] {
            let answer = records.sends(path, &records.caller, &body).await;
            assert_eq!(answer.status, 400, "{path} {body}");
            assert!(answer.json()["error_description"].is_string(), "{}", answer.body);
        }
    }
    let key = format!("Bearer {}", records.caller);
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let headers = [("authorization", &*key), ("content-type", kind)];
        let answer = records.app.send("POST", ONE, &headers, &fixture().to_string()).await;
        assert_eq!(answer.status, 400, "{kind}");
    }
}

#[db_test]
async fn the_id_of_a_request_comes_back(db: TestDb) {
    let records = Records::new(db).await;
    let key = format!("Bearer {}", records.caller);
    let body = fixture().to_string();
    let asks = async |path: &str, body: &str, id: &str| {
        let headers = [("authorization", &*key), ("content-type", "application/json"), ("x-request-id", id)];
        let answer = records.app.send("POST", path, &headers, body).await;
        answer.header("x-request-id").to_owned()
    };
    for path in [ONE, SEVERAL, SUBJECTS, ITEMS, ACTIONS] {
        for id in ["bfe9eb29-ab87-4ca3-be83-a1d5d8305716", "1", "a b/c?d"] {
            assert_eq!(asks(path, &body, id).await, id, "{path}");
            assert_eq!(asks(path, "{", id).await, id, "{path}: of what is refused as well");
        }
        // An API key is never sent back, and no more than an id.
        for odd in [&*another_key(), &"x".repeat(201)] {
            let own = asks(path, &body, odd).await;
            assert_eq!(own.len(), 16, "{own}");
        }
    }
    assert_eq!(records.asks(ONE, &fixture()).await.header("x-request-id").len(), 16);
}

#[db_test]
async fn batch_core(db: TestDb) {
    let records = Records::new(db).await;
    let entity = |kind: &str, id: &str| json!({ "type": kind, "id": id });
    let (alice, bob, record) = (entity("user", "alice"), entity("user", "bob"), entity("record", "record-1"));
    let action = |name: &str| json!({ "name": name });
    let decides = async |body: Value| -> Vec<Value> {
        let answer = records.asks(SEVERAL, &body).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{}", answer.body);
        let told = answer.json();
        told["evaluations"].as_array().unwrap().iter().map(|one| one["decision"].clone()).collect()
    };
    let both = [json!({ "action": action("read") }), json!({ "action": action("write") })];
    let body = json!({ "subject": bob, "resource": record, "evaluations": both });
    assert_eq!(decides(body).await, [true, false]);
    let complete = [
        json!({ "subject": alice, "action": action("read"), "resource": record }),
        json!({ "subject": bob, "action": action("write"), "resource": record }),
    ];
    assert_eq!(decides(json!({ "evaluations": complete })).await, [true, false]);
    let contexts = [
        json!({ "resource": record }),
        json!({ "resource": entity("record", "record-2"), "context": { "time": "2025-06-27T19:00-07:00" } }),
    ];
    let body = json!({
        "subject": alice, "action": action("read"), "context": { "time": "2025-06-27T18:03-07:00" }, "evaluations": contexts,
    });
    assert_eq!(decides(body).await.len(), 2);
    // What an entry lacks of a subject or resource comes from the default.
    let halves =
        [json!({ "resource": { "id": "record-1" } }), json!({ "resource": { "id": "record-2", "type": "record" } })];
    let body = json!({
        "subject": alice, "action": action("write"), "resource": { "type": "record" }, "evaluations": halves,
    });
    assert_eq!(decides(body).await, [true, false]);
    let body = json!({ "subject": alice, "action": action("read"), "evaluations": [{ "resource": record }, {}] });
    assert_eq!(decides(body).await, [true, false]);
    let empty = with(fixture(), "evaluations", json!([]));
    assert_eq!(records.asks(SEVERAL, &empty).await.json(), json!({ "decision": true }));
    assert_eq!(records.asks(SEVERAL, &fixture()).await.json(), json!({ "decision": true }));
    assert_eq!(records.asks(SEVERAL, &with(fixture(), "evaluations", json!({}))).await.status, 400);
    assert_eq!(records.asks(SEVERAL, &with(fixture(), "evaluations", Value::Null)).await.status, 400);
}

#[db_test]
async fn search_core(db: TestDb) {
    let records = Records::new(db).await;
    let subjects = with(fixture(), "subject", json!({ "type": "user" }));
    let found = records.finds(SUBJECTS, &subjects, 50).await;
    assert!(["alice", "bob"].iter().all(|id| found.iter().any(|one| one == id)), "{found:?}");
    let answer = records.asks(SUBJECTS, &with(subjects.clone(), "context", json!({ "time": "now" }))).await.json();
    assert!(answer["results"].as_array().unwrap().iter().all(|one| one["type"] == "user" && one["id"].is_string()));
    let items = with(fixture(), "resource", json!({ "type": "record" }));
    assert!(records.finds(ITEMS, &items, 50).await.contains(&"record-1".to_owned()));
    assert_eq!(records.finds(ITEMS, &fixture(), 50).await, ["record-1"], "an id that is there is ignored");
    let actions = without("action", None);
    let found = records.finds(ACTIONS, &actions, 50).await;
    assert!(["read", "write"].iter().all(|name| found.iter().any(|one| one == name)), "{found:?}");

    let limited = records.asks(SUBJECTS, &with(subjects.clone(), "page", json!({ "limit": 1 }))).await.json();
    assert_eq!(limited["results"].as_array().unwrap().len(), 1);
    let token = limited["page"]["next_token"].as_str().unwrap();
    assert!(!token.is_empty());
    let next = records.asks(SUBJECTS, &with(subjects.clone(), "page", json!({ "token": token }))).await.json();
    assert_eq!(next["page"]["next_token"], "");
    // What is unknown finds nothing.
    let unknown = json!({ "type": "user", "id": "nonexistent-user" });
    assert_eq!(records.asks(ACTIONS, &with(actions, "subject", unknown.clone())).await.json()["results"], json!([]));
    assert_eq!(records.asks(ITEMS, &with(items.clone(), "subject", unknown)).await.json()["results"], json!([]));
    for (path, body, field, value) in [
        (SUBJECTS, &subjects, "subject", json!({ "type": "spaceship" })),
        (SUBJECTS, &subjects, "resource", json!({ "type": "spaceship", "id": "1" })),
        (ITEMS, &items, "resource", json!({ "type": "spaceship" })),
        (SUBJECTS, &subjects, "action", json!({ "name": "fly" })),
        (ITEMS, &items, "action", json!({ "name": "fly" })),
    ] {
        let answer = records.asks(path, &with(body.clone(), field, value)).await;
        assert_eq!((answer.status, &answer.json()["results"]), (200, &json!([])), "{path} {field}");
    }
    for (path, body) in [
        (SUBJECTS, without("action", None)),
        (SUBJECTS, without("subject", None)),
        (SUBJECTS, without("resource", Some("id"))),
        (SUBJECTS, with(fixture(), "subject", json!({}))),
        (ITEMS, without("subject", None)),
        (ITEMS, without("subject", Some("id"))),
        (ITEMS, without("action", None)),
        (ITEMS, without("resource", None)),
        (ITEMS, with(fixture(), "resource", json!({}))),
        (ACTIONS, without("resource", None)),
        (ACTIONS, without("subject", Some("id"))),
        (ACTIONS, without("resource", Some("id"))),
    ] {
        assert_eq!(records.asks(path, &body).await.status, 400, "{path} {body}");
    }
}

#[db_test]
async fn discovery(db: TestDb) {
    let records = Records::new(db).await;
    let answer = records.app.send("GET", "/.well-known/authzen-configuration", &[], "").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    let (told, url) = (answer.json(), records.app.url.as_str());
    assert_eq!(told["policy_decision_point"], url);
    for (name, path) in [
        ("access_evaluation_endpoint", ONE),
        ("access_evaluations_endpoint", SEVERAL),
        ("search_subject_endpoint", SUBJECTS),
        ("search_resource_endpoint", ITEMS),
        ("search_action_endpoint", ACTIONS),
    ] {
        assert_eq!(told[name], format!("{url}{path}"));
    }
}
