//! Decisions in the words of the OpenID AuthZEN Authorization API 1.0, on the data of its certification scenario, which
//! is set up through pages and the API alone.

mod certification;

use crate::harness::{Answer, Person, SLUG, TestApp, TestDb, another_key, db_test, org};
use domain::permission::BuiltInSet::{Administrator, Reader};
use serde_json::{Value, json};

const ONE: &str = "/access/v1/evaluation";
const SEVERAL: &str = "/access/v1/evaluations";
const SUBJECTS: &str = "/access/v1/search/subject";
const ITEMS: &str = "/access/v1/search/resource";
const ACTIONS: &str = "/access/v1/search/action";
const RECORDS: &str = "/api/v1/items/record";

/// An organization with records that Ann keeps: Alice may write to them, Bob only reads.
pub struct Records {
    pub app: TestApp,
    pub ann: Person,
    pub alice: Person,
    pub bob: Person,
    /// The key of the program that asks.
    caller: String,
    /// Ann's own key, which manages the records.
    pub keeper: String,
}

impl Records {
    pub async fn new(db: TestDb) -> Records {
        let (app, ann) = TestApp::with_user(db, "Ann").await;
        let kind = [
            ("singular", "Record"),
            ("plural", "Records"),
            ("key", "record"),
            ("name[]", "Read"),
            ("action[]", "read"),
            ("nature[]", "reads"),
            ("name[]", "Write"),
            ("action[]", "write"),
            ("nature[]", "changes"),
        ];
        assert_eq!(ann.post(org!("/kinds"), &kind).await.status, 303);
        let (alice, bob) = (app.add_user("Alice", Reader).await, app.add_user("Bob", Reader).await);
        for (name, set, permissions) in [
            ("Alice", "Writers", &["record.view", "record.read", "record.write"][..]),
            ("Bob", "Readers", &["record.read"]),
        ] {
            let mut fields = vec![("name", set)];
            fields.extend(permissions.iter().map(|key| ("permission", *key)));
            assert_eq!(ann.post(org!("/permission-sets"), &fields).await.status, 303);
            assert_eq!(ann.gives(name, set).await.status, 303);
            let page = ann.page_of(name).await;
            let id = [("external_id", &*name.to_lowercase()), ("before", "")];
            assert_eq!(ann.post(&format!("{page}/external-id"), &id).await.status, 303);
        }
        let caller = ann.asks_for_service_token("Gateway", "45", &["platform.verify_tokens"]).await.key().unwrap();
        let keeper = ann.makes_token_with("Keeper", "read_write").await;
        let records = Records { app, ann, alice, bob, caller, keeper };
        for id in ["record-1", "record-2"] {
            records.keeps("POST", RECORDS, json!({ "name": id, "external_id": id })).await;
        }
        records.shares("record-1", json!({ "type": "organization" }), "edit").await;
        records
    }

    /// Sends something about items in Ann's name.
    pub async fn keeps(&self, method: &str, path: &str, body: Value) -> Answer {
        let key = format!("Bearer {}", self.keeper);
        let headers = [("authorization", &*key), ("content-type", "application/json"), ("if-match", "*")];
        let answer = self.app.send(method, path, &headers, &body.to_string()).await;
        assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.body);
        answer
    }

    /// The address of a record.
    pub async fn record(&self, id: &str) -> String {
        let put = self.keeps("PUT", &format!("{RECORDS}/by-external-id/{id}"), json!({ "name": id })).await;
        format!("{RECORDS}/{}", put.json()["id"].as_str().unwrap())
    }

    /// Shares a record and returns the address of the share.
    pub async fn shares(&self, id: &str, recipient: Value, level: &str) -> String {
        let path = format!("{}/shares", self.record(id).await);
        let made = self.keeps("POST", &path, json!({ "recipient": recipient, "level": level })).await;
        format!("{path}/{}", made.json()["id"].as_str().unwrap())
    }

    async fn asks(&self, path: &str, body: &Value) -> Answer {
        self.sends(path, &self.caller, &body.to_string()).await
    }

    pub async fn sends(&self, path: &str, key: &str, body: &str) -> Answer {
        let key = format!("Bearer {key}");
        self.app.send("POST", path, &[("authorization", &*key), ("content-type", "application/json")], body).await
    }

    /// The decision about a record, and which check says no.
    async fn decides(&self, subject: (&str, &str), action: &str, record: &str) -> (bool, String) {
        let answer = self.asks(ONE, &question(subject, action, record)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let told = answer.json();
        let stopped_by = told["context"]["stopped_by"].as_str().unwrap_or_default().to_owned();
        (told["decision"].as_bool().unwrap(), stopped_by)
    }

    /// The ids or names of what a search finds, over all its pages.
    async fn finds(&self, path: &str, body: &Value, limit: usize) -> Vec<String> {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let mut asked = body.clone();
            asked["page"] = json!({ "limit": limit, "token": token });
            let answer = self.asks(path, &asked).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let part = answer.json();
            let results = part["results"].as_array().unwrap();
            assert!(results.len() <= limit, "{part}");
            found.extend(results.iter().map(|one| one["id"].as_str().or(one["name"].as_str()).unwrap().to_owned()));
            token = part["page"]["next_token"].as_str().unwrap().to_owned();
            if token.is_empty() {
                return found;
            }
        }
    }
}

pub fn question((kind, id): (&str, &str), action: &str, record: &str) -> Value {
    json!({
        "subject": { "type": kind, "id": id }, "action": { "name": action },
        "resource": { "type": "record", "id": record },
    })
}

const YES: (bool, String) = (true, String::new());

fn no(stopped_by: &str) -> (bool, String) {
    (false, stopped_by.to_owned())
}

#[db_test]
async fn a_subject_is_known_by_each_of_its_names(db: TestDb) {
    let records = Records::new(db).await;
    let key = records.alice.makes_token_with("Script", "read_write").await;
    let me = records.app.me(&key).await.json();
    let (name, token) = (me["subject"]["id"].as_str().unwrap(), me["token"]["id"].as_str().unwrap());
    for subject in [
        ("user", "alice"),
        ("user", "alice@example.org"),
        ("user", "ALICE@example.org"),
        ("user", name),
        ("token", token),
        ("api_key", &key),
    ] {
        assert_eq!(records.decides(subject, "write", "record-1").await, YES, "{subject:?}");
        assert_eq!(records.decides(subject, "delete", "record-1").await, no("permission"), "{subject:?}");
    }
    for (subject, stopped_by) in [
        (("user", "nobody"), "subject"),
        (("user", ""), "subject"),
        (("user", "Alice"), "subject"),
        (("user", "a\0b"), "subject"),
        (("user", token), "subject"),
        (("service_user", "alice"), "subject"),
        (("service_user", name), "subject"),
        (("spaceship", "alice"), "subject"),
        (("token", "alice"), "token"),
        (("token", "zzzzzzzzzz"), "token"),
        (("api_key", &another_key()), "token"),
        (("api_key", "alice"), "token"),
    ] {
        assert_eq!(records.decides(subject, "read", "record-1").await, no(stopped_by), "{subject:?}");
    }
}

#[db_test]
async fn a_service_user_is_a_subject_too(db: TestDb) {
    let records = Records::new(db).await;
    let key = records.ann.asks_for_service_token("Sync", "45", &["record.read", "record.write"]).await.key().unwrap();
    let me = records.app.me(&key).await.json();
    let id = me["token"]["id"].as_str().unwrap().to_owned();
    let token = records.ann.service_token("Sync").await;
    assert_eq!(records.ann.changes(&token, "external-id", &[("external_id", "erp")]).await.status, 303);
    for subject in [
        ("service_user", &*id),
        ("service_user", &format!("service_user:{id}")),
        ("service_user", "erp"),
        ("token", &id),
        ("api_key", &key),
    ] {
        assert_eq!(records.decides(subject, "write", "record-1").await, YES, "{subject:?}");
        assert_eq!(records.decides(subject, "write", "record-2").await, no("access"), "{subject:?}");
    }
    // A revoked token stops nobody but itself.
    assert_eq!(records.ann.confirms(&token, "revocation").await.status, 303);
    assert_eq!(records.decides(("token", &id), "write", "record-1").await, no("token"));
    assert_eq!(records.decides(("api_key", &key), "write", "record-1").await, no("token"));
    assert_eq!(records.decides(("service_user", "erp"), "write", "record-1").await, YES);
}

#[db_test]
async fn each_check_can_say_no(db: TestDb) {
    let records = Records::new(db).await;
    let reads_only = records.alice.makes_token_with("Report", "read").await;
    assert_eq!(records.decides(("api_key", &reads_only), "read", "record-1").await, YES);
    assert_eq!(records.decides(("api_key", &reads_only), "write", "record-1").await, no("scope"));
    let told = records.asks(ONE, &question(("user", "bob"), "write", "record-1")).await.json();
    assert_eq!(told, json!({ "decision": false, "context": { "stopped_by": "permission", "needs": "record.write" } }));
    for (action, record, stopped_by) in [
        ("write", "record-2", "access"),
        ("write", "record-3", "access"),
        ("eat", "record-1", "permission"),
        ("", "record-1", "permission"),
    ] {
        assert_eq!(records.decides(("user", "alice"), action, record).await, no(stopped_by), "{action} {record}");
    }
    let share = records.shares("record-2", json!({ "type": "user", "id": "alice@example.org" }), "view").await;
    assert_eq!(records.decides(("user", "alice"), "read", "record-2").await, YES);
    let told = records.asks(ONE, &question(("user", "alice"), "write", "record-2")).await.json();
    assert_eq!(told["context"], json!({ "stopped_by": "access", "needs": "edit" }));
    records.keeps("DELETE", &share, Value::Null).await;
    assert_eq!(records.decides(("user", "alice"), "read", "record-2").await, no("access"), "it has ended at once");
    let other_kind = json!({
        "subject": { "type": "user", "id": "alice" }, "action": { "name": "view" },
        "resource": { "type": "visits", "id": "record-1" },
    });
    assert_eq!(records.asks(ONE, &other_kind).await.json()["context"]["stopped_by"], "permission");
    assert_eq!(records.ann.does("Alice", "deactivation").await.status, 303);
    assert_eq!(records.decides(("user", "alice"), "read", "record-1").await, no("subject"));
    assert_eq!(records.decides(("api_key", &reads_only), "read", "record-1").await, no("token"));
}

#[db_test]
async fn a_decision_is_what_the_api_of_items_does(db: TestDb) {
    let records = Records::new(db).await;
    for person in [&records.alice, &records.bob, &records.ann] {
        for scope in ["read", "read_write"] {
            let key = person.makes_token_with(scope, scope).await;
            for id in ["record-1", "record-2"] {
                let (path, bearer) = (records.record(id).await, format!("Bearer {key}"));
                let headers = [("authorization", &*bearer), ("content-type", "application/json"), ("if-match", "*")];
                let read = records.app.send("GET", &path, &headers, "").await.status;
                let change = json!({ "name": id }).to_string();
                let changed = records.app.send("PATCH", &path, &headers, &change).await.status;
                for (action, status) in [("view", read), ("edit", changed)] {
                    let (decision, stopped_by) = records.decides(("api_key", &key), action, id).await;
                    let expected = if decision {
                        200
                    } else if stopped_by == "access" {
                        404
                    } else {
                        403
                    };
                    assert_eq!(status, expected, "{action} {id}: {stopped_by}");
                }
            }
        }
    }
}

#[db_test]
async fn several_questions_stop_where_they_are_told_to(db: TestDb) {
    let records = Records::new(db).await;
    let body = |semantic: &str| {
        let entries: Vec<Value> =
            ["read", "write", "read", "read"].map(|name| json!({ "action": { "name": name } })).into();
        json!({
            "subject": { "type": "user", "id": "bob" }, "resource": { "type": "record", "id": "record-1" },
            "evaluations": entries, "options": { "evaluations_semantic": semantic, "other": 1 },
        })
    };
    let asks = async |body: Value| {
        let answer = records.asks(SEVERAL, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let told = answer.json();
        assert!(told.get("decision").is_none());
        told["evaluations"].as_array().unwrap().iter().map(|one| one["decision"].as_bool().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(asks(body("execute_all")).await, [true, false, true, true]);
    assert_eq!(asks(body("deny_on_first_deny")).await, [true, false]);
    assert_eq!(asks(body("permit_on_first_permit")).await, [true]);
    for options in [json!({ "evaluations_semantic": "all" }), json!({ "evaluations_semantic": 1 }), json!("all")] {
        let mut asked = body("execute_all");
        asked["options"] = options;
        assert_eq!(records.asks(SEVERAL, &asked).await.status, 400);
    }
    // What cannot be read says no in its place, and so ends what stops at the first no.
    let mut asked = body("execute_all");
    let odd = [
        json!({}),
        json!(7),
        json!({ "action": 7 }),
        json!(["read"]),
        json!({ "subject": {}, "action": { "name": "read" } }),
    ];
    asked["evaluations"].as_array_mut().unwrap().splice(1..2, odd);
    assert_eq!(asks(asked.clone()).await, [true, false, false, false, false, true, true, true]);
    asked["options"] = json!({ "evaluations_semantic": "deny_on_first_deny" });
    assert_eq!(asks(asked).await, [true, false]);
    let hundred: Vec<Value> = (0..100).map(|_| json!({ "action": { "name": "read" } })).collect();
    let mut many = body("execute_all");
    many["evaluations"] = hundred.into();
    assert_eq!(asks(many.clone()).await, [true; 100]);
    many["evaluations"] = (0..1_001).map(|_| json!({})).collect::<Vec<_>>().into();
    assert_eq!(records.asks(SEVERAL, &many).await.status, 400);
}

#[db_test]
async fn only_a_service_user_that_may_verify_tokens_asks(db: TestDb) {
    let records = Records::new(db).await;
    let personal = records.ann.makes_token_with("Mine", "read_write").await;
    let other = records.ann.asks_for_service_token("Other", "45", &["record.view"]).await.key().unwrap();
    for path in [ONE, SEVERAL, SUBJECTS, ITEMS, ACTIONS] {
        let asked = question(("user", "alice"), "read", "record-1").to_string();
        for (key, status) in [(&records.caller, 200), (&personal, 403), (&other, 403), (&another_key(), 401)] {
            let answer = records.sends(path, key, &asked).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.body);
        }
        let none = records.app.send("POST", path, &[("content-type", "application/json")], &asked).await;
        assert_eq!(none.status, 401, "{path}");
        let key = format!("Bearer {}", records.caller);
        assert_eq!(records.app.send("GET", path, &[("authorization", &*key)], "").await.status, 405, "{path}");
    }
}

#[db_test]
async fn another_organization_is_unknown(db: TestDb) {
    let records = Records::new(db).await;
    let eve = records.app.add_organization("elsewhere", "Eve").await;
    let key = eve.makes_token_with("Mine", "read_write").await;
    let me = records.app.me(&key).await.json();
    let (name, token) = (me["subject"]["id"].as_str().unwrap(), me["token"]["id"].as_str().unwrap());
    for (subject, stopped_by) in [
        (("user", name), "subject"),
        (("user", "eve@example.org"), "subject"),
        (("token", token), "token"),
        (("api_key", &*key), "token"),
    ] {
        assert_eq!(records.decides(subject, "view", "record-1").await, no(stopped_by), "{subject:?}");
    }
    let theirs = format!("Bearer {key}");
    let headers = [("authorization", &*theirs), ("content-type", "application/json")];
    let made = records.app.send("POST", "/api/v1/items/assets", &headers, &json!({ "name": "Van" }).to_string()).await;
    let van = made.json()["id"].as_str().unwrap().to_owned();
    let about = json!({
        "subject": { "type": "user" }, "action": { "name": "view" }, "resource": { "type": "assets", "id": van },
    });
    assert_eq!(records.finds(SUBJECTS, &about, 10).await, [""; 0]);
    let mut asked = about.clone();
    asked["subject"]["id"] = "membership:1".into();
    assert_eq!(records.asks(ONE, &asked).await.json()["context"]["stopped_by"], "access");
    // Once it is shared with a subject here, that subject reaches it.
    let share =
        json!({ "recipient": { "type": "user", "id": "ann@example.org", "organization": SLUG }, "level": "view" });
    let path = format!("/api/v1/items/assets/{van}/shares");
    assert_eq!(records.app.send("POST", &path, &headers, &share.to_string()).await.status, 200);
    asked["subject"]["id"] = "ann@example.org".into();
    assert_eq!(records.asks(ONE, &asked).await.json(), json!({ "decision": true }));
}

#[db_test]
async fn searches_find_what_is_decided_page_by_page(db: TestDb) {
    let records = Records::new(db).await;
    // Everybody of a group, whoever is at a site above, and one person.
    for name in ["Cleo", "Dana", "Emil", "Finn"] {
        records.app.add_user(name, Administrator).await;
    }
    for (path, name) in [("/groups", "Crew"), ("/sites", "North")] {
        assert_eq!(records.ann.post(&format!("/orgs/{SLUG}{path}"), &[("name", name)]).await.status, 303);
    }
    let sync = format!("Bearer {}", records.keeper);
    let headers = [("authorization", &*sync), ("content-type", "application/json")];
    let id = |answer: Answer| answer.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let group = id(records.app.send("GET", "/api/v1/groups", &headers, "").await);
    let above = id(records.app.send("GET", "/api/v1/sites", &headers, "").await);
    let below = json!({ "name": "Village", "parent": above }).to_string();
    let site =
        records.app.send("POST", "/api/v1/sites", &headers, &below).await.json()["id"].as_str().unwrap().to_owned();
    for (path, email) in [
        (format!("/api/v1/groups/{group}/members"), "cleo@example.org"),
        (format!("/api/v1/groups/{group}/members"), "bob@example.org"),
        (format!("/api/v1/sites/{above}/members"), "dana@example.org"),
    ] {
        let body = json!({ "members": [{ "email": email }] }).to_string();
        let added = records.app.send("POST", &path, &headers, &body).await;
        assert!(added.status < 300, "{}", added.body);
    }
    records.shares("record-2", json!({ "type": "group", "id": group }), "edit").await;
    records.shares("record-2", json!({ "type": "site", "id": site }), "edit").await;
    records.shares("record-2", json!({ "type": "user", "id": "emil@example.org" }), "edit").await;
    records.shares("record-2", json!({ "type": "user", "id": "finn@example.org" }), "view").await;
    let search = |action: &str| {
        json!({
            "subject": { "type": "user" }, "action": { "name": action }, "resource": { "type": "record", "id": "record-2" },
        })
    };
    let all = async |action: &str| {
        let found = records.finds(SUBJECTS, &search(action), 50).await;
        for limit in [1, 2] {
            assert_eq!(records.finds(SUBJECTS, &search(action), limit).await, found, "{limit}");
        }
        for member in 1..=7 {
            let name = format!("membership:{member}");
            let is_yes = records.decides(("user", &name), action, "record-2").await.0;
            let known = match member {
                2 => "alice",
                3 => "bob",
                _ => &name,
            };
            assert_eq!(found.iter().any(|one| one == known), is_yes, "{action} {name}");
        }
        found.len()
    };
    assert_eq!(all("write").await, 4, "Ann, Cleo, Dana and Emil");
    assert_eq!(all("read").await, 6, "Bob and Finn as well");
    assert_eq!(all("delete").await, 1, "Ann");
    assert_eq!(all("eat").await, 0);
    for id in 0..30 {
        let id = format!("more-{id}");
        records.keeps("POST", RECORDS, json!({ "name": id, "external_id": id })).await;
    }
    let of = |subject: &str, action: &str| json!({ "subject": { "type": "user", "id": subject }, "action": { "name": action }, "resource": { "type": "record" } });
    assert_eq!(records.finds(ITEMS, &of("ann@example.org", "write"), 7).await.len(), 32);
    for (subject, action, expected) in [
        ("alice", "write", &["record-1"][..]),
        ("bob", "write", &[]),
        ("finn@example.org", "read", &["record-1", "record-2"]),
        ("finn@example.org", "write", &["record-1"]),
        ("emil@example.org", "write", &["record-1", "record-2"]),
        ("finn@example.org", "delete", &[]),
    ] {
        for limit in [1, 50] {
            let mut found = records.finds(ITEMS, &of(subject, action), limit).await;
            found.sort();
            assert_eq!(found, expected, "{subject} {action}");
        }
    }
    let may = |subject: &str, record: &str| json!({ "subject": { "type": "user", "id": subject }, "resource": { "type": "record", "id": record } });
    assert_eq!(records.finds(ACTIONS, &may("alice", "record-1"), 50).await, ["read", "view", "write"]);
    assert_eq!(records.finds(ACTIONS, &may("bob", "record-1"), 50).await, ["read"]);
    assert_eq!(records.finds(ACTIONS, &may("alice", "record-2"), 50).await, [""; 0]);
    assert_eq!(records.finds(ACTIONS, &may("ann@example.org", "record-2"), 50).await.len(), 6);
    // Service users are found as well, and by their own kind only.
    records.ann.asks_for_service_token("Sync", "45", &["record.read"]).await;
    let services = json!({
        "subject": { "type": "service_user" }, "action": { "name": "read" },
        "resource": { "type": "record", "id": "record-1" },
    });
    assert_eq!(records.finds(SUBJECTS, &services, 1).await.len(), 1, "not the caller, which may read nothing");
    assert_eq!(records.bob.get("/account/profile").await.status, 200);
}

#[db_test]
async fn a_part_begins_only_where_one_ended(db: TestDb) {
    let records = Records::new(db).await;
    for (path, body) in [
        (SUBJECTS, question(("user", "alice"), "read", "record-1")),
        (ITEMS, question(("user", "alice"), "read", "record-1")),
    ] {
        for page in [
            json!({ "token": "x" }),
            json!({ "token": 7 }),
            json!({ "token": "1.2.3" }),
            json!({ "limit": 0 }),
            json!({ "limit": -1 }),
            json!({ "limit": "10" }),
            json!([]),
        ] {
            let mut asked = body.clone();
            asked["page"] = page.clone();
            assert_eq!(records.asks(path, &asked).await.status, 400, "{path} {page}");
        }
        let mut asked = body.clone();
        asked["page"] = json!({ "limit": 1_000_000_000_000_000_000_u64 });
        assert_eq!(records.asks(path, &asked).await.status, 200, "{path}");
    }
}
