//! Requests that a program may send again.

use super::api::{ASSETS, Program, id, wrong};
use crate::harness::{
    Answer, DAY, Person, TestApp, TestDb, count, db_test,
    process::{Process, client, command},
};
use domain::{organization::OrganizationId, permission::BuiltInSet};
use futures_util::future::{join_all, select};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::mpsc, thread, time::Duration};
use storage::{StorageError, organizations};

impl Program<'_> {
    /// Sends a request that may be sent again with this key.
    async fn sends_once(&self, path: &str, body: &Value, once: &str) -> Answer {
        let key = format!("Bearer {}", self.key);
        let headers =
            [("authorization", key.as_str()), ("content-type", "application/json"), ("idempotency-key", once)];
        self.app.send("POST", path, &headers, &body.to_string()).await
    }
}

/// Fails unless the second answer is the first one again.
fn is_again(first: &Answer, second: &Answer) {
    assert_eq!((second.status, second.header("idempotent-replayed")), (first.status, "true"), "{}", second.body);
    assert_eq!(first.header("idempotent-replayed"), "", "{}", first.body);
    assert_eq!(second.body, first.body);
    for header in ["location", "etag", "content-type"] {
        assert_eq!(second.header(header), first.header(header), "{header}");
    }
}

#[db_test]
async fn a_request_that_is_sent_again_is_done_once(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let sync = Program::of(&app, &ann).await;
    let made = sync.sends_once(ASSETS, &json!({ "name": "Fridge" }), "\"order-7\"").await;
    assert_eq!(made.status, 201, "{}", made.body);
    let fridge = made.header("location").to_owned();
    assert_eq!(sync.sends("PATCH", &fridge, json!({ "name": "Freezer" })).await.status, 200);
    // With the key as a string of RFC 9651, and as its characters.
    is_again(&made, &sync.sends_once(ASSETS, &json!({ "name": "Fridge" }), "\"order-7\"").await);
    is_again(&made, &sync.sends_once(ASSETS, &json!({ "name": "Fridge" }), "order-7").await);
    assert_eq!(sync.names(ASSETS).await, ["Freezer"]);

    let bulk = format!("{ASSETS}/bulk");
    let operations = json!({ "operations": [{ "create": { "name": "Van" } }, { "create": { "name": "" } }] });
    let done = sync.sends_once(&bulk, &operations, "bulk-1").await;
    assert_eq!((done.status, &done.json()["results"][1]["status"]), (200, &json!(422)), "{}", done.body);
    is_again(&done, &sync.sends_once(&bulk, &operations, "bulk-1").await);
    assert_eq!(sync.names(ASSETS).await.len(), 2);

    let share = json!({ "recipient": { "type": "user", "id": ben.email }, "level": "view" });
    let shares = format!("{fridge}/shares");
    let shared = sync.sends_once(&shares, &share, "share-1").await;
    assert_eq!((shared.status, &shared.json()["recipient"]["name"]), (200, &json!("Ben")), "{}", shared.body);
    let ended = format!("{shares}/{}", shared.json()["id"].as_str().unwrap());
    assert_eq!(sync.sends("DELETE", &ended, Value::Null).await.status, 204);
    is_again(&shared, &sync.sends_once(&shares, &share, "share-1").await);
    assert_eq!(sync.gets(&shares).await["data"], json!([]), "it is not shared again");
    let log = count(&app, "activity WHERE action = 'item.created'");
    assert_eq!(log, 2, "nor is there a second entry");
}

#[db_test]
async fn a_key_belongs_to_one_request_of_one_token(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    let body = json!({ "name": "Fridge" });
    let made = sync.sends_once(ASSETS, &body, "a").await;
    let other = sync.sends_once(ASSETS, &json!({ "name": "Van" }), "a").await;
    assert_eq!((other.status, wrong(&other)), (422, vec!["Idempotency-Key".to_owned()]));
    let elsewhere = sync.sends_once("/api/v1/items/templates", &body, "a").await;
    assert_eq!((elsewhere.status, wrong(&elsewhere)), (422, vec!["Idempotency-Key".to_owned()]));
    let second = Program { app: &app, key: ann.makes_token_with("Second", "read_write").await };
    let its = second.sends_once(ASSETS, &body, "a").await;
    assert_eq!((its.status, its.header("idempotent-replayed")), (201, ""));
    assert_ne!(id(its.header("location")), id(made.header("location")));
    assert_eq!(sync.names(ASSETS).await, ["Fridge", "Fridge"]);
    // Another address without the key's meaning takes no notice of it.
    let key = format!("Bearer {}", sync.key);
    let headers = [("authorization", key.as_str()), ("content-type", "application/json"), ("idempotency-key", "\"bad")];
    assert_eq!(app.send("PATCH", made.header("location"), &headers, r#"{"name":"b"}"#).await.status, 200);
}

#[db_test]
async fn a_key_is_forgotten_after_a_day(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    let body = json!({ "name": "Fridge" });
    let made = sync.sends_once(ASSETS, &body, "a").await;
    app.clock.advance(DAY - 60);
    is_again(&made, &sync.sends_once(ASSETS, &body, "a").await);
    app::maintenance::run(&app.jeton).await;
    assert_eq!(count(&app, "kept_answers"), 1);
    app.clock.advance(60);
    let later = sync.sends_once(ASSETS, &json!({ "name": "Van" }), "a").await;
    assert_eq!((later.status, later.header("idempotent-replayed")), (201, ""), "{}", later.body);
    app.clock.advance(DAY);
    app.clock.settle();
    app::maintenance::run(&app.jeton).await;
    assert_eq!(count(&app, "kept_answers"), 0);
}

#[db_test]
async fn what_is_refused_is_decided_again(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    let refused = sync.sends_once(ASSETS, &json!({ "name": "" }), "a").await;
    assert_eq!((refused.status, wrong(&refused)), (422, vec!["name".to_owned()]));
    assert_eq!(sync.sends_once(ASSETS, &json!({ "name": "Fridge" }), "a").await.status, 201);
    let reader = Program { app: &app, key: ann.makes_token("Reader").await };
    assert_eq!(reader.sends_once(ASSETS, &json!({ "name": "Fridge" }), "b").await.status, 403);
    // Whoever may not do it any more is not told what it was.
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let his = Program::of(&app, &ben).await;
    assert_eq!(his.sends_once(ASSETS, &json!({ "name": "Van" }), "c").await.status, 201);
    assert_eq!(ann.gives("Ben", "Reader").await.status, 303);
    assert_eq!(his.sends_once(ASSETS, &json!({ "name": "Van" }), "c").await.status, 403);
    assert_eq!(count(&app, "kept_answers"), 2);
}

#[db_test]
async fn a_bad_key_is_refused_before_anything_is_done(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    let long = "k".repeat(256);
    for bad in ["", "\"\"", "\"a", "a\tb", "\"a\" b", "\"a\";x", "caf\u{e9}", &long] {
        let refused = sync.sends_once(ASSETS, &json!({ "name": "Fridge" }), bad).await;
        assert_eq!((refused.status, wrong(&refused)), (400, vec!["Idempotency-Key".to_owned()]), "{bad:?}");
    }
    let key = format!("Bearer {}", sync.key);
    let headers = [
        ("authorization", key.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", "a"),
        ("idempotency-key", "b"),
    ];
    assert_eq!(app.send("POST", ASSETS, &headers, r#"{"name":"Fridge"}"#).await.status, 400);
    assert_eq!(sync.names(ASSETS).await, [""; 0]);
    assert_eq!(sync.sends_once(ASSETS, &json!({ "name": "Fridge" }), &"k".repeat(255)).await.status, 201);
}

#[db_test]
async fn a_request_that_is_still_running_is_not_begun_again(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    let body = json!({ "name": "Fridge" });
    // Somebody else changes something in the organization, and takes their time.
    let ((held, is_held), (free, is_free)) = (mpsc::channel(), mpsc::channel::<()>());
    let db = app.db.clone();
    let slow = thread::spawn(move || {
        let work = |connection: &mut storage::AnyConnection| {
            organizations::lock(connection, OrganizationId(1))?;
            held.send(()).unwrap();
            let _ = is_free.recv_timeout(Duration::from_secs(8));
            Ok::<_, StorageError>(())
        };
        db.write(work).unwrap();
    });
    is_held.recv().unwrap();
    let both = [(), ()].map(|()| Box::pin(sync.sends_once(ASSETS, &body, "a")));
    let [one, other] = both;
    // Whichever began waits for that change, so the other one is answered first.
    let (refused, waiting) = select(one, other).await.factor_first();
    free.send(()).unwrap();
    let made = waiting.await;
    slow.join().unwrap();
    assert_eq!((refused.status, wrong(&refused)), (409, vec!["Idempotency-Key".to_owned()]));
    assert_eq!(made.status, 201, "{}", made.body);
    is_again(&made, &sync.sends_once(ASSETS, &body, "a").await);
}

#[db_test]
async fn many_requests_with_one_key_make_one_item(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    let body = json!({ "name": "Fridge" });
    let answers = join_all((0..20).map(|_| sync.sends_once(ASSETS, &body, "a"))).await;
    let statuses: BTreeSet<u16> = answers.iter().map(|answer| answer.status).collect();
    assert!(statuses.iter().all(|status| matches!(status, 201 | 409)), "{statuses:?}");
    assert_eq!(sync.names(ASSETS).await, ["Fridge"]);
}

/// A process that is killed has done each request with its answer or not at all, so sending all again does each once.
async fn survives_kills(db: TestDb) {
    let start = || {
        let mut command = command(&[], db.folder());
        command.env("DATABASE_URL", &db.url);
        Process::start(command)
    };
    let mut jeton = start();
    let (mut url, code) = jeton.first_lines();
    let ann = Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    let key = ann.makes_token_with("Sync", "read_write").await;
    let sends = async |url: &str, number: usize| {
        let request = client().post(format!("{url}{ASSETS}")).bearer_auth(&key);
        let request = request.header("idempotency-key", format!("order-{number}"));
        request.json(&json!({ "name": format!("Item {number}") })).send().await
    };
    for round in 0..3 {
        let all = join_all((0..60).map(|number| sends(&url, number)));
        let kill = async {
            actix_web::rt::time::sleep(Duration::from_millis(15 + 20 * round)).await;
            jeton.child.kill().unwrap();
            jeton.child.wait().unwrap();
        };
        futures_util::future::join(all, kill).await;
        jeton = start();
        url = jeton.line().split_whitespace().last().unwrap().to_owned();
    }
    for number in 0..60 {
        assert_eq!(sends(&url, number).await.unwrap().status(), 201);
    }
    let list = client().get(format!("{url}{ASSETS}?limit=100")).bearer_auth(&key).send().await.unwrap();
    let list: Value = list.json().await.unwrap();
    let names: Vec<&str> = list["data"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    assert_eq!((names.len(), names.iter().collect::<BTreeSet<_>>().len()), (60, 60), "{names:?}");
}

#[actix_web::test]
async fn a_killed_process_does_nothing_twice_on_sqlite() {
    survives_kills(TestDb::sqlite()).await;
}

#[actix_web::test]
async fn a_killed_process_does_nothing_twice_on_postgres() {
    survives_kills(TestDb::postgres()).await;
}
