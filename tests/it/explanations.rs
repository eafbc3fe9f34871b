//! Why somebody may do something with an item, or not: on a page and through the API.

use crate::{
    evaluations::{Records, question},
    harness::{Answer, TestDb, db_test, org},
};
use serde_json::{Value, json};

const API: &str = "/api/v1/explanation";
const PAGE: &str = org!("/explanation");

fn own(action: &str, record: &str) -> Value {
    json!({ "action": { "name": action }, "resource": { "type": "record", "id": record } })
}

async fn explains(records: &Records, key: &str, body: &Value) -> Value {
    let answer = records.sends(API, key, &body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// The checks, each with what it says.
fn checks(told: &Value) -> Vec<(&str, &str)> {
    let all = told["checks"].as_array().unwrap();
    all.iter().map(|one| (one["check"].as_str().unwrap(), one["says"].as_str().unwrap())).collect()
}

/// The changes that would open it.
fn changes(told: &Value) -> Vec<&str> {
    told["changes"].as_array().unwrap().iter().map(|one| one["change"].as_str().unwrap()).collect()
}

/// The address of a question on the page.
fn asked(who: &str, action: &str, item: &str) -> String {
    format!("{PAGE}?who={who}&action=record.{action}&item={item}")
}

#[db_test]
async fn a_token_is_told_what_each_check_says_about_its_own_requests(db: TestDb) {
    let records = Records::new(db).await;
    let reads = records.alice.makes_token_with("Report", "read").await;
    let told = explains(&records, &reads, &own("read", "record-1")).await;
    assert_eq!((&told["decision"], &told["stopped_by"], &told["changes"]), (&json!(true), &Value::Null, &json!([])));
    let all = ["token", "subject", "scope", "permission", "access"];
    assert_eq!(checks(&told), all.map(|check| (check, "yes")));
    assert_eq!((&told["ways"][0]["by"], &told["ways"][0]["level"]), (&json!("share"), &json!("edit")));
    // Two checks say no; so it takes two changes, of which she can make one.
    let told = explains(&records, &reads, &own("delete", "record-1")).await;
    let says = |no: &[&str]| all.map(|check| (check, if no.contains(&check) { "no" } else { "yes" }));
    assert_eq!(checks(&told), says(&["scope", "permission", "access"]));
    assert_eq!((&told["decision"], &told["stopped_by"]), (&json!(false), &json!("scope")));
    assert_eq!(changes(&told), ["new_token", "grant", "share"]);
    let may: Vec<bool> =
        told["changes"].as_array().unwrap().iter().map(|one| one["you_may"].as_bool().unwrap()).collect();
    assert_eq!(may, [true, false, false]);
}

#[db_test]
async fn what_would_open_it_opens_it_and_nothing_less_does(db: TestDb) {
    let records = Records::new(db).await;
    records.shares("record-2", json!({ "type": "user", "id": "bob@example.org" }), "view").await;
    let about = question(("user", "bob"), "write", "record-2");
    let told = explains(&records, &records.keeper, &about).await;
    assert_eq!((&told["stopped_by"], changes(&told)), (&json!("permission"), vec!["grant", "share"]));
    records.shares("record-2", json!({ "type": "user", "id": "bob@example.org" }), "edit").await;
    let told = explains(&records, &records.keeper, &about).await;
    assert_eq!((&told["decision"], changes(&told)), (&json!(false), vec!["grant"]));
    assert_eq!(records.ann.gives("Bob", "Writers").await.status, 303);
    let told = explains(&records, &records.keeper, &about).await;
    assert_eq!((&told["decision"], changes(&told)), (&json!(true), vec![]));
    assert_eq!(records.ann.does("Bob", "deactivation").await.status, 303);
    let told = explains(&records, &records.keeper, &about).await;
    assert_eq!((&told["stopped_by"], changes(&told)), (&json!("subject"), vec!["activate"]));
}

#[db_test]
async fn nobody_learns_what_they_may_not_know(db: TestDb) {
    let records = Records::new(db).await;
    let bob = records.bob.makes_token_with("Mine", "read_write").await;
    for body in [
        question(("user", "alice"), "read", "record-1"),
        question(("user", "ann@example.org"), "read", "record-1"),
        question(("user", "nobody"), "read", "record-1"),
        question(("user", "bob"), "read", "record-2"),
        question(("user", "bob"), "eat", "record-1"),
        own("read", "record-2"),
        own("read", "record-3"),
        json!({ "action": { "name": "view" }, "resource": { "type": "visits", "id": "1" } }),
    ] {
        let answer = records.sends(API, &bob, &body.to_string()).await;
        assert_eq!(answer.status, 404, "{body}: {}", answer.body);
        assert!(!answer.body.contains("record-2"), "{}", answer.body);
    }
    // Others' ways are told to whoever manages the item, and to holders of Users.
    let share = json!({ "type": "user", "id": "bob@example.org" });
    records.shares("record-1", share, "view").await;
    let page = records.alice.get(&asked("", "read", "record-1")).await;
    page.shows("“Alice” may do “Records: Read”").shows("Share with");
    assert!(!page.text().contains("Bob"), "{}", page.text());
    records.ann.get(&asked("alice", "read", "record-1")).await.shows("Bob, View: this is somebody else");
    let eve = records.app.add_organization("elsewhere", "Eve").await.makes_token_with("Mine", "read_write").await;
    let answer = records.sends(API, &eve, &own("read", "record-1").to_string()).await;
    assert_eq!(answer.status, 404);
    assert_eq!(records.sends(API, "", "{}").await.status, 401);
}

#[db_test]
async fn a_question_that_lacks_something_is_told_so(db: TestDb) {
    let records = Records::new(db).await;
    for (body, status) in [
        ("", 400),
        ("[]", 400),
        ("{}", 422),
        ("{\"action\":{}}", 422),
        ("{\"action\":{\"name\":\"read\"},\"resource\":{\"type\":\"record\"}}", 422),
        ("{\"subject\":{\"type\":\"user\"},\"action\":{\"name\":\"read\"}}", 422),
    ] {
        let answer = records.sends(API, &records.keeper, body).await;
        assert_eq!((answer.status, answer.header("content-type")), (status, "application/problem+json"), "{body}");
    }
}

#[db_test]
async fn the_page_answers_in_a_sentence_and_shows_every_check(db: TestDb) {
    let records = Records::new(db).await;
    let empty = records.ann.get(PAGE).await;
    assert_eq!((empty.status, empty.first(".verdict", |_| Some(()))), (200, None));
    records
        .ann
        .get(&asked("alice", "view", "record-1"))
        .await
        .shows("“Alice” may view “record-1”.")
        .shows("3 of 3 checks");
    let refused = records.ann.get(&asked("bob", "write", "record-2")).await;
    for words in [
        "“Bob” may not do “Records: Write” with “record-2”.",
        "1 of 3 checks says yes",
        "No: stops here",
        "Would also say no",
        "Owner: no. It is Ann.",
        "Give Bob the permission Records: Write",
        "Share “record-2” with Bob",
        "All of these together",
    ] {
        refused.shows(words);
    }
    records.ann.get(&asked("nobody", "view", "record-1")).await.shows("Nobody here has this name");
    records.ann.get(&asked("bob", "view", "record-9")).await.shows("Nothing here has this name");
    records.ann.get(&asked("bob", "eat", "record-1")).await.shows("Nothing here has this name");
    let several = records.ann.get(&asked("bob", "view", "record")).await;
    several.shows("Which one do you mean?").shows("record-1").shows("record-2");
    let chosen: Answer = records
        .ann
        .get(&several.first("main .token-list a", |link| link.attr("href").map(str::to_owned)).unwrap())
        .await;
    chosen.shows("“Bob” may");
    // A key never gets into an address.
    let key = records.alice.makes_token("Script").await;
    let led = records.ann.post(PAGE, &[("who", &key), ("action", "record.view"), ("item", "record-1")]).await;
    assert_eq!(led.status, 303);
    assert!(!led.header("location").contains("jtn_"), "{}", led.header("location"));
    let led = records.ann.post(PAGE, &[("who", "bob"), ("action", "record.view"), ("item", "record-1")]).await;
    assert_eq!(led.header("location"), asked("bob", "view", "record-1"));
}

#[db_test]
async fn a_service_user_is_told_why_a_group_gives_it_nothing(db: TestDb) {
    let records = Records::new(db).await;
    records.ann.asks_for_service_token("Export", "45", &["record.view"]).await;
    assert_eq!(records.ann.post(org!("/groups"), &[("name", "Crew")]).await.status, 303);
    let key = format!("Bearer {}", records.keeper);
    let groups = records.app.send("GET", "/api/v1/groups", &[("authorization", &*key)], "").await.json();
    records.shares("record-2", json!({ "type": "group", "id": groups["data"][0]["id"] }), "edit").await;
    let page = records.ann.get(&asked("Export", "view", "record-2")).await;
    for words in [
        "“Export” may not view “record-2”.",
        "For this subject the item does not exist",
        "Its key works.",
        "Share with Crew, Edit: a service user is in no group.",
        "Share “record-2” with Export, at the level “View”",
    ] {
        page.shows(words);
    }
}

#[db_test]
async fn a_refusal_names_the_check_that_stops_it(db: TestDb) {
    let records = Records::new(db).await;
    let key = |key: String| format!("Bearer {key}");
    let (reads, writes) = (
        key(records.alice.makes_token_with("Report", "read").await),
        key(records.alice.makes_token_with("Script", "read_write").await),
    );
    let path = records.record("record-1").await;
    for (method, key, stopped_by, needs) in [
        ("PATCH", &reads, "scope", Value::Null),
        ("PATCH", &writes, "permission", json!("record.edit")),
        ("DELETE", &writes, "permission", json!("record.delete")),
    ] {
        let headers = [("authorization", &**key), ("content-type", "application/json"), ("if-match", "*")];
        let told = records.app.send(method, &path, &headers, "{}").await.json();
        assert_eq!((&told["status"], &told["stopped_by"], &told["needs"]), (&json!(403), &json!(stopped_by), &needs));
    }
    let set = [("name", "Deleters"), ("permission", "record.delete"), ("permission", "record.view")];
    assert_eq!(records.ann.post(org!("/permission-sets"), &set).await.status, 303);
    assert_eq!(records.ann.gives("Alice", "Deleters").await.status, 303);
    let told = records.app.send("DELETE", &path, &[("authorization", &*writes)], "").await.json();
    assert_eq!((&told["stopped_by"], &told["needs"]), (&json!("access"), &json!("manage")));
    // What is not there, and a key that is not good, say nothing of checks.
    let hidden = records.record("record-2").await;
    for (path, key, status) in [(&hidden, &writes, 404), (&path, &key(crate::harness::another_key()), 401)] {
        let told = records.app.send("GET", path, &[("authorization", &**key)], "").await.json();
        assert_eq!((&told["status"], told.get("stopped_by")), (&json!(status), None));
    }
}
