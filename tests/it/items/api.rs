//! Items through the API, and the feeds.

use super::SLUG;
use crate::harness::{Answer, Person, TestApp, TestDb, db_test, org};
use base64::{Engine, prelude::BASE64_STANDARD};
use domain::permission::BuiltInSet;
use serde_json::{Value, json};

pub(super) const ASSETS: &str = "/api/v1/items/assets";

/// A program with a key.
pub(super) struct Program<'a> {
    pub(super) app: &'a TestApp,
    pub(super) key: String,
}

impl Program<'_> {
    /// A program that may do what the person may.
    pub(super) async fn of<'a>(app: &'a TestApp, person: &Person) -> Program<'a> {
        Program { app, key: person.makes_token_with("Sync", "read_write").await }
    }

    pub(super) async fn sends(&self, method: &str, path: &str, body: Value) -> Answer {
        self.sends_if(method, path, body, "*").await
    }

    pub(super) async fn sends_if(&self, method: &str, path: &str, body: Value, version: &str) -> Answer {
        let key = format!("Bearer {}", self.key);
        let headers = [("authorization", key.as_str()), ("content-type", "application/json"), ("if-match", version)];
        self.app.send(method, path, &headers, &body.to_string()).await
    }

    pub(super) async fn asks(&self, path: &str) -> Answer {
        self.app.with_key("GET", path, &self.key).await
    }

    pub(super) async fn gets(&self, path: &str) -> Value {
        let answer = self.asks(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// Creates something with this body, and returns its address.
    pub(super) async fn makes(&self, list: &str, body: Value) -> String {
        let made = self.sends("POST", list, body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.header("location").to_owned()
    }

    /// The names in a list or feed.
    pub(super) async fn names(&self, path: &str) -> Vec<String> {
        let list = self.gets(path).await;
        list["data"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// The names of the fields that are wrong.
pub(super) fn wrong(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.body);
    let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
}

pub(super) fn id(address: &str) -> &str {
    address.rsplit('/').next().unwrap()
}

#[db_test]
async fn a_program_makes_changes_and_deletes_items(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let site = ann.post(org!("/sites"), &[("name", "Mopti")]).await;
    let site = id(site.header("location").trim_end_matches("?notice=created")).to_owned();
    let sync = Program::of(&app, &ann).await;
    let body = json!({ "name": "Fridge", "description": "Blue", "site": site, "external_id": "INV/7" });
    let fridge = sync.makes(ASSETS, body).await;
    let read = sync.asks(&fridge).await;
    let told = read.json();
    assert_eq!(read.header("etag"), "\"1\"");
    assert_eq!(
        (&told["name"], &told["site"]["name"], &told["external_id"], &told["level"], &told["owner"]["name"]),
        (&json!("Fridge"), &json!("Mopti"), &json!("INV/7"), &json!("manage"), &json!("Ann"))
    );
    assert_eq!(
        (&told["description"], &told["answers"], &told["archived_at"]),
        (&json!("Blue"), &json!({}), &Value::Null)
    );
    let changed = sync.sends_if("PATCH", &fridge, json!({ "name": "Freezer", "site": null }), "\"1\"").await;
    assert_eq!((changed.status, changed.header("etag")), (200, "\"2\""), "{}", changed.body);
    assert_eq!((&changed.json()["site"], &changed.json()["external_id"]), (&Value::Null, &json!("INV/7")));
    assert_eq!(sync.sends_if("PATCH", &fridge, json!({ "name": "Mine" }), "\"1\"").await.status, 412);
    assert_eq!(sync.sends("PATCH", &fridge, json!({ "archived": true })).await.header("etag"), "\"3\"");
    assert_eq!(sync.names(ASSETS).await, [""; 0], "what is archived is not in lists");
    assert_eq!(sync.names(&format!("{ASSETS}?archived=true&site=")).await, ["Freezer"]);
    assert_eq!(sync.names(&format!("{ASSETS}?archived=both&q=freez&owner=me")).await, ["Freezer"]);
    assert_eq!(sync.sends_if("DELETE", &fridge, Value::Null, "\"1\"").await.status, 412);
    assert_eq!(sync.sends("DELETE", &fridge, Value::Null).await.status, 204);
    assert_eq!(sync.sends("DELETE", &fridge, Value::Null).await.status, 404);
    assert_eq!(sync.asks(&fridge).await.status, 404);
}

#[db_test]
async fn an_item_is_found_by_the_id_of_the_caller(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    for (external, name) in [("INV%2F2026%3F7", "INV/2026?7"), ("shares", "shares"), ("%C3%A9%2B%20", "é+ ")] {
        let path = format!("{ASSETS}/by-external-id/{external}");
        let made = sync.sends("PUT", &path, json!({ "name": "Van", "description": "Red" })).await;
        assert_eq!((made.status, &made.json()["external_id"]), (201, &json!(name)), "{}", made.body);
        let again = sync.sends("PUT", &path, json!({ "name": "Bus" })).await;
        assert_eq!((again.status, again.header("etag"), &again.json()["id"]), (200, "\"2\"", &made.json()["id"]));
        assert_eq!(again.json()["description"], "Red", "what is left out stays");
        assert_eq!(sync.sends("PUT", &path, json!({ "name": "Bus" })).await.header("etag"), "\"2\"");
        assert_eq!(sync.sends_if("PUT", &path, json!({ "name": "Car" }), "\"1\"").await.status, 412);
    }
    let gone = format!("{ASSETS}/by-external-id/8");
    assert_eq!(
        sync.sends_if("PUT", &gone, json!({ "name": "Car" }), "\"1\"").await.status,
        412,
        "what was read is gone"
    );
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let other = Program::of(&app, &ben).await;
    let taken = other.sends("PUT", &format!("{ASSETS}/by-external-id/shares"), json!({ "name": "Mine" })).await;
    assert_eq!((taken.status, wrong(&taken)), (422, vec!["external_id".to_owned()]));
}

#[db_test]
async fn an_unreachable_item_is_not_there_in_any_position(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let eve = app.add_organization("elsewhere", "Eve").await;
    let sync = Program::of(&app, &ann).await;
    let fridge = sync.makes(ASSETS, json!({ "name": "Fridge" })).await;
    let template = sync.makes("/api/v1/items/templates", json!({ "name": "Cold chain" })).await;
    let whole = json!({ "recipient": { "type": "user", "id": ann.email }, "level": "view" });
    for program in [Program::of(&app, &ben).await, Program::of(&app, &eve).await] {
        assert_eq!(program.names(ASSETS).await, [""; 0]);
        assert_eq!(program.asks(&fridge).await.status, 404);
        assert_eq!(program.sends("PATCH", &fridge, json!({ "name": "Mine" })).await.status, 404);
        let deleted = program.sends("DELETE", &fridge, Value::Null).await.status;
        let shared = program.sends("POST", &format!("{fridge}/shares"), whole.clone()).await.status;
        // A standard user may share nothing, whatever it is.
        assert!(matches!((deleted, shared), (404 | 403, 404 | 403)), "{deleted} {shared}");
        assert_eq!(program.asks(&format!("{fridge}/shares")).await.status, 404);
        let start = json!({ "name": "Today", "template": id(&template) });
        let started = program.sends("POST", "/api/v1/items/inspections", start).await;
        assert_eq!((started.status, wrong(&started)), (422, vec!["template".to_owned()]));
        assert_eq!(program.asks(&format!("/api/v1/items/inspections?template={}", id(&template))).await.status, 404);
        assert_eq!(program.asks(&format!("/feed/inspections?template={}", id(&template))).await.status, 404);
        assert_eq!(program.gets("/feed/assets").await["metadata"]["remaining_records"], 0);
        let bulk = json!({ "operations": [{ "change": { "id": id(&fridge), "item": { "name": "Mine" } } }] });
        let bulk = program.sends("POST", &format!("{ASSETS}/bulk"), bulk).await;
        assert_eq!(bulk.json()["results"][0]["status"], 404, "{}", bulk.body);
        for path in ["/api/v1/items/invoices", "/feed/invoices", "/api/v1/items/invoices/aaaaaaaaaa"] {
            assert_eq!(program.asks(path).await.status, 404, "{path}");
        }
    }
    assert_eq!(sync.gets(&fridge).await["version"], 1);
}

#[db_test]
async fn a_read_only_token_changes_nothing_whatever_it_says(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let fridge = Program::of(&app, &ann).await.makes(ASSETS, json!({ "name": "Fridge" })).await;
    let key = format!("Bearer {}", ann.makes_token("Report").await);
    for (method, over) in [("POST", "GET"), ("PATCH", "GET"), ("DELETE", "GET"), ("GET", "DELETE"), ("GET", "PATCH")] {
        for path in [&fridge, ASSETS] {
            let headers = [
                ("authorization", key.as_str()),
                ("content-type", "application/json"),
                ("x-http-method-override", over),
                ("x-method-override", over),
            ];
            let answer = app.send(method, path, &headers, r#"{"name":"Mine"}"#).await;
            assert!(matches!(answer.status, 200 | 403 | 405), "{method} {path}: {}", answer.body);
        }
    }
    let kept = Program { app: &app, key: key["Bearer ".len()..].to_owned() };
    assert_eq!(kept.gets(&fridge).await["version"], 1);
    assert_eq!(kept.names(ASSETS).await, ["Fridge"]);
}

#[db_test]
async fn what_is_wrong_is_named(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    let fridge = sync.makes(ASSETS, json!({ "name": "Fridge" })).await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=AAAA", "cursor"),
        ("archived=yes", "archived"),
        ("completed=1", "completed"),
        ("modified_after=yesterday", "modified_after"),
    ] {
        for list in [ASSETS, "/feed/assets"] {
            let answer = sync.asks(&format!("{list}?{query}")).await;
            assert_eq!((answer.status, wrong(&answer)), (400, vec![field.to_owned()]), "{list}?{query}");
        }
    }
    assert!(sync.asks("/feed/assets?modified_after=x").await.body.contains("%2B"));
    for (body, fields) in [
        (json!({}), vec!["name"]),
        (json!({ "name": "a", "site": "zzzzzzzzzz" }), vec!["site"]),
        (json!({ "name": "a", "site": "a\u{0}b" }), vec!["site"]),
        (json!({ "name": "a\u{0}", "external_id": "\u{0}" }), vec!["external_id", "name"]),
        (json!({ "name": "a", "answers": { "colour": "red" } }), vec!["answers.colour"]),
    ] {
        let answer = sync.sends("POST", ASSETS, body.clone()).await;
        let mut named = wrong(&answer);
        named.sort();
        assert_eq!((answer.status, named), (422, fields.into_iter().map(String::from).collect()), "{body}");
    }
    let questions = json!({ "name": "a", "questions": [{ "label": "Colour", "type": "colour" }] });
    let answer = sync.sends("POST", "/api/v1/items/templates", questions).await;
    assert_eq!((answer.status, wrong(&answer)), (422, vec!["questions.0.type".to_owned()]));
    let unknown = sync.sends("POST", ASSETS, json!({ "name": "a", "colour": "red" })).await;
    assert!(unknown.status == 400 && unknown.body.contains("colour"), "{}", unknown.body);
    for path in ["zzz", "a%00b", "aaaaaaaaa%00", "by-external-id/a%00b", "%ff"] {
        let path = format!("{ASSETS}/{path}");
        for (method, body) in [("GET", Value::Null), ("PATCH", json!({ "name": "b" })), ("PUT", json!({ "name": "b" }))]
        {
            let answer = sync.sends(method, &path, body).await;
            assert!(matches!(answer.status, 400 | 404 | 405), "{method} {path}: {}", answer.body);
        }
    }
    for query in ["q=a%00b", "site=a%00b", "template=a%00b", "owner=a%00b", "owner=membership:99999999999999999999"] {
        let status = sync.asks(&format!("{ASSETS}?{query}")).await.status;
        assert!(matches!(status, 200 | 404), "{query}: {status}");
    }
    for recipient in [
        json!({ "type": "group", "id": "a\u{0}b" }),
        json!({ "type": "site", "id": "a\u{0}b" }),
        json!({ "type": "user", "id": "a\u{0}b@example.org" }),
        json!({ "type": "organization", "organization": "a\u{0}b" }),
        json!({ "type": "everybody" }),
    ] {
        let body = json!({ "recipient": recipient, "level": "view" });
        let answer = sync.sends("POST", &format!("{fridge}/shares"), body.clone()).await;
        assert_eq!((answer.status, wrong(&answer)), (422, vec!["recipient".to_owned()]), "{body}");
    }
    assert_eq!(sync.sends("DELETE", &format!("{fridge}/shares/a%00b"), Value::Null).await.status, 404);
}

#[db_test]
async fn a_program_shares_an_item_and_ends_the_share(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let (sync, other) = (Program::of(&app, &ann).await, Program::of(&app, &ben).await);
    let fridge = sync.makes(ASSETS, json!({ "name": "Fridge" })).await;
    let shares = format!("{fridge}/shares");
    let body = |level: &str| json!({ "recipient": { "type": "user", "id": ben.email }, "level": level });
    let shared = sync.sends("POST", &shares, body("view")).await;
    assert_eq!((shared.status, &shared.json()["recipient"]["name"]), (200, &json!("Ben")), "{}", shared.body);
    assert_eq!(other.gets(&fridge).await["level"], "view");
    assert_eq!(other.sends("PATCH", &fridge, json!({ "name": "Mine" })).await.status, 403);
    assert_eq!(other.asks(&shares).await.status, 403);
    let raised = sync.sends("POST", &shares, body("edit")).await.json();
    assert_eq!((&raised["id"], &raised["level"]), (&shared.json()["id"], &json!("edit")));
    assert_eq!(other.sends("PATCH", &fridge, json!({ "name": "Ours" })).await.status, 200);
    let listed = sync.gets(&shares).await;
    assert_eq!((&listed["data"][0], listed["data"].as_array().unwrap().len()), (&raised, 1));
    let share = format!("{shares}/{}", raised["id"].as_str().unwrap());
    assert_eq!(sync.sends("DELETE", &share, Value::Null).await.status, 204);
    assert_eq!(sync.sends("DELETE", &share, Value::Null).await.status, 404);
    assert_eq!(other.asks(&fridge).await.status, 404);
}

#[db_test]
async fn changes_that_are_sent_together_have_their_own_verdicts(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    let fridge = sync.makes(ASSETS, json!({ "name": "Fridge" })).await;
    let bulk = format!("{ASSETS}/bulk");
    let operations = json!([
        { "create": { "name": "Van" } },
        { "create": { "name": " " } },
        { "put": { "external_id": "7", "item": { "name": "Bus" } } },
        { "change": { "id": id(&fridge), "version": 1, "item": { "name": "Freezer" } } },
        { "change": { "id": id(&fridge), "version": 1, "item": { "name": "Mine" } } },
        { "delete": { "id": "aaaaaaaaaa" } },
        { "delete": { "id": "a\u{0}b" } },
        { "delete": { "id": id(&fridge) } },
    ]);
    let done = sync.sends("POST", &bulk, json!({ "operations": operations })).await;
    let results = done.json()["results"].as_array().cloned().unwrap_or_default();
    let statuses: Vec<_> = results.iter().map(|one| one["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 422, 201, 200, 412, 404, 404, 204], "{}", done.body);
    assert_eq!(results[1]["errors"][0]["field"], "name");
    let mut names = sync.names(ASSETS).await;
    names.sort();
    assert_eq!(names, ["Bus", "Van"]);
    for count in [0, 101] {
        let many: Vec<_> = (0..count).map(|_| json!({ "create": { "name": "a" } })).collect();
        let refused = sync.sends("POST", &bulk, json!({ "operations": many })).await;
        assert_eq!((refused.status, wrong(&refused)), (422, vec!["operations".to_owned()]));
    }
}

#[db_test]
async fn a_feed_leads_from_page_to_page_to_everything(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    let many: Vec<_> = (0..90).map(|number| json!({ "create": { "name": format!("Item {number}") } })).collect();
    assert_eq!(sync.sends("POST", &format!("{ASSETS}/bulk"), json!({ "operations": many })).await.status, 200);
    let mut seen = Vec::new();
    let since = app.clock.now().plus(-60).rfc3339();
    let mut next = Some(format!("/feed/assets?limit=20&archived=false&web_report_link=private&modified_after={since}"));
    while let Some(path) = next {
        let page = sync.gets(&path).await;
        let rows = page["data"].as_array().unwrap();
        seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        assert_eq!(page["metadata"]["remaining_records"], 90 - seen.len());
        next = page["metadata"]["next_page"].as_str().map(String::from);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 90);
    let later = app.clock.now().plus(3600).rfc3339();
    assert_eq!(sync.names(&format!("/feed/assets?modified_after={later}")).await, [""; 0]);
}

#[db_test]
async fn a_feed_has_the_names_that_exporters_know(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let kind = [("singular", "Invoice"), ("plural", "Invoices"), ("key", "invoices")];
    assert_eq!(ann.post(org!("/kinds"), &kind).await.status, 303);
    let sync = Program::of(&app, &ann).await;
    let question = json!({ "label": "Temperature", "type": "number", "required": true });
    let template = json!({ "name": "Cold chain", "description": "Daily", "questions": [question] });
    let template = sync.makes("/api/v1/items/templates", template).await;
    let answers = json!({ "template": id(&template), "answers": { "temperature": 4.5 }, "finished": true });
    let inspection = sync.makes("/api/v1/items/inspections", answers).await;
    sync.makes(ASSETS, json!({ "name": "Fridge" })).await;
    sync.makes("/api/v1/items/invoices", json!({ "name": "2026-7" })).await;
    let who = sync.gets("/accounts/user/v1/user:WhoAmI").await;
    assert_eq!((&who["firstname"], &who["lastname"]), (&json!("Ann"), &json!("")));
    let row = async |kind: &str| sync.gets(&format!("/feed/{kind}")).await["data"][0].clone();
    let (told, of) = (row("templates").await, &who["organisation_id"]);
    assert_eq!((&told["id"], &told["organisation_id"], &told["archived"]), (&json!(id(&template)), of, &json!(false)));
    assert_eq!(
        (&told["description"], &told["owner_id"], &told["owner_name"]),
        (&json!("Daily"), &who["user_id"], &json!("Ann"))
    );
    let told = row("inspections").await;
    assert_eq!((&told["id"], &told["template_id"]), (&json!(id(&inspection)), &json!(id(&template))));
    assert_eq!((&told["answers"], told["date_completed"].is_string()), (&json!({ "temperature": 4.5 }), true));
    assert_eq!(row("assets").await["code"], "Fridge");
    let told = row("invoices").await;
    let names: Vec<_> = told.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["id", "name", "modified_at", "answers"], "and no other");
    assert_eq!(sync.names("/feed/inspections?completed=false&archived=both").await, [""; 0]);
    let me = sync.gets("/api/v1/me").await;
    assert_eq!((&me["organization"]["slug"], &me["organization"]["id"]), (&json!(SLUG), of));
}

#[db_test]
async fn a_spreadsheet_sends_the_key_as_a_password(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Excel").await;
    let asks = async |path: &str, credentials: &str| {
        let header = format!("Basic {}", BASE64_STANDARD.encode(credentials));
        app.send("GET", path, &[("authorization", &header)], "").await
    };
    for path in ["/feed/assets", "/accounts/user/v1/user:WhoAmI"] {
        for user in ["", "ann", "ann@example.org"] {
            assert_eq!(asks(path, &format!("{user}:{key}")).await.status, 200, "{path}");
        }
        for wrong in ["ann:secret", &key, ""] {
            assert_eq!(asks(path, wrong).await.status, 401, "{path} {wrong}");
        }
        let none = app.send("GET", path, &[], "").await;
        assert_eq!(none.status, 401);
        assert!(
            none.headers.get_all("www-authenticate").iter().any(|header| header.as_bytes().starts_with(b"Basic ")),
            "{path}"
        );
    }
    // Elsewhere, a password is no key.
    assert_eq!(asks("/api/v1/me", &format!(":{key}")).await.status, 401);
    assert_eq!(asks(ASSETS, &format!(":{key}")).await.status, 401);
}
