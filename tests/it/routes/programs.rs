//! The table of the API: what each kind of token gets at each route of items, groups, sites, kinds and feeds. A route that is
//! missing here fails the test.

use crate::harness::{Answer, Person, TestApp, TestDb, activity, db_test};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A route, what is sent to it, and what these get: nobody, a personal token that only reads, one that writes, a service
/// user's, and one of another organization. All three in the organization may do everything there.
struct Row {
    method: &'static str,
    path: &'static str,
    body: &'static str,
    answers: [u16; 5],
}

const fn row(method: &'static str, path: &'static str, body: &'static str, answers: [u16; 5]) -> Row {
    Row { method, path, body, answers }
}

const NAMED: &str = r#"{"name":"Mopti {n}"}"#;
const MEMBERS: &str = r#"{"members":[{"id":"{member}"}]}"#;
const KIND: &str = r#"{"key":"k_{n}","singular":"Kind {n}","plural":"Kinds {n}"}"#;
const SAME_KIND: &str = r#"{"singular":"Bill","plural":"Other bills {n}"}"#;
const SHARED: &str = r#"{"recipient":{"type":"group","id":"{group}"},"level":"view"}"#;
const RULE: &str = r#"{"recipient":{"type":"group","id":"{group}"},"level":"view","kind":"assets"}"#;
const TOGETHER: &str = r#"{"operations":[{"change":{"id":"{item}","item":{"name":"Van"}}}]}"#;

/// The item belongs to whoever has the token that writes, and is shared with the whole organization.
const TABLE: &[Row] = &[
    row("GET", "/api/v1/items/{kind}", "", [401, 200, 200, 200, 200]),
    row("POST", "/api/v1/items/{kind}", NAMED, [401, 403, 201, 201, 201]),
    // Each operation has a verdict of its own.
    row("POST", "/api/v1/items/{kind}/bulk", TOGETHER, [401, 403, 200, 200, 200]),
    // In another organization, nothing has this id.
    row("PUT", "/api/v1/items/{kind}/by-external-id/{external_id}", NAMED, [401, 403, 200, 200, 201]),
    row("GET", "/api/v1/items/{kind}/{id}", "", [401, 200, 200, 200, 404]),
    row("PATCH", "/api/v1/items/{kind}/{id}", NAMED, [401, 403, 200, 200, 404]),
    row("DELETE", "/api/v1/items/{kind}/{id}", "", [401, 403, 204, 204, 404]),
    row("GET", "/api/v1/items/{kind}/{id}/shares", "", [401, 200, 200, 200, 404]),
    row("POST", "/api/v1/items/{kind}/{id}/shares", SHARED, [401, 403, 200, 200, 404]),
    row("DELETE", "/api/v1/items/{kind}/{id}/shares/{share}", "", [401, 403, 204, 204, 404]),
    row("GET", "/feed/{kind}", "", [401, 200, 200, 200, 200]),
    row("GET", "/accounts/user/v1/user:WhoAmI", "", [401, 200, 200, 200, 200]),
    row("GET", "/api/v1/groups", "", [401, 200, 200, 200, 200]),
    row("POST", "/api/v1/groups", NAMED, [401, 403, 201, 201, 201]),
    row("GET", "/api/v1/groups/{id}", "", [401, 200, 200, 200, 404]),
    row("PATCH", "/api/v1/groups/{id}", NAMED, [401, 403, 200, 200, 404]),
    row("DELETE", "/api/v1/groups/{id}", "", [401, 403, 204, 204, 404]),
    row("GET", "/api/v1/groups/{id}/members", "", [401, 200, 200, 200, 404]),
    row("POST", "/api/v1/groups/{id}/members", MEMBERS, [401, 403, 200, 200, 404]),
    row("POST", "/api/v1/groups/{id}/members/removal", MEMBERS, [401, 403, 200, 200, 404]),
    row("DELETE", "/api/v1/groups/{id}/members/{member}", "", [401, 403, 204, 204, 404]),
    row("GET", "/api/v1/sites", "", [401, 200, 200, 200, 200]),
    row("POST", "/api/v1/sites", NAMED, [401, 403, 201, 201, 201]),
    row("GET", "/api/v1/sites/{id}", "", [401, 200, 200, 200, 404]),
    row("PATCH", "/api/v1/sites/{id}", NAMED, [401, 403, 200, 200, 404]),
    row("DELETE", "/api/v1/sites/{id}", "", [401, 403, 204, 204, 404]),
    row("GET", "/api/v1/sites/{id}/members", "", [401, 200, 200, 200, 404]),
    row("POST", "/api/v1/sites/{id}/members", MEMBERS, [401, 403, 200, 200, 404]),
    row("POST", "/api/v1/sites/{id}/members/removal", MEMBERS, [401, 403, 200, 200, 404]),
    row("DELETE", "/api/v1/sites/{id}/members/{member}", "", [401, 403, 204, 204, 404]),
    row("GET", "/api/v1/access-rules", "", [401, 200, 200, 200, 200]),
    row("POST", "/api/v1/access-rules", RULE, [401, 403, 201, 201, 422]),
    row("GET", "/api/v1/access-rules/{id}", "", [401, 200, 200, 200, 404]),
    row("PUT", "/api/v1/access-rules/{id}", RULE, [401, 403, 200, 200, 404]),
    row("DELETE", "/api/v1/access-rules/{id}", "", [401, 403, 204, 204, 404]),
    row("GET", "/api/v1/kinds", "", [401, 200, 200, 200, 200]),
    row("POST", "/api/v1/kinds", KIND, [401, 403, 201, 201, 201]),
    row("GET", "/api/v1/kinds/{key}", "", [401, 200, 200, 200, 404]),
    row("PUT", "/api/v1/kinds/{key}", SAME_KIND, [401, 403, 200, 200, 404]),
    row("DELETE", "/api/v1/kinds/{key}", "", [401, 403, 204, 204, 404]),
    row("GET", "/api/v1/kinds/{key}/fields", "", [401, 200, 200, 200, 404]),
    row("PUT", "/api/v1/kinds/{key}/fields", r#"{"fields":[]}"#, [401, 403, 200, 200, 404]),
];

/// What such routes begin with.
const BEGINNINGS: [&str; 7] = [
    "/api/v1/items",
    "/api/v1/groups",
    "/api/v1/sites",
    "/api/v1/kinds",
    "/api/v1/access-rules",
    "/feed/",
    "/accounts/",
];

const RIGHTS: [&str; 8] = [
    "platform.users",
    "platform.groups",
    "platform.sites",
    "platform.kinds",
    "assets.view",
    "assets.edit",
    "assets.delete",
    "assets.share",
];

/// The tokens of the table, and how many things there have been.
struct Cast {
    app: TestApp,
    reads: String,
    writes: String,
    service: String,
    foreign: String,
    member: String,
    made: std::cell::Cell<usize>,
}

/// What the parts in braces stand for.
type Things = Vec<(&'static str, String)>;

impl Cast {
    async fn new(db: TestDb) -> Cast {
        let (app, ann) = TestApp::with_user(db, "Ann").await;
        let eve: Person = app.add_organization("elsewhere", "Eve").await;
        let service = ann.asks_for_service_token("Robot", "45", &RIGHTS).await.key().expect("a key");
        let (reads, writes) = (ann.makes_token("reads").await, ann.makes_token_with("writes", "read_write").await);
        let foreign = eve.makes_token_with("foreign", "read_write").await;
        let member = app.me(&writes).await.json()["subject"]["id"].as_str().expect("an id").to_owned();
        let cast = Cast { app, reads, writes, service, foreign, member, made: 0.into() };
        // The first use of a token is an entry of the log.
        cast.app.me(&cast.reads).await;
        cast
    }

    async fn sends(&self, key: &str, method: &str, path: &str, body: &str, more: &[(&str, &str)]) -> Answer {
        let bearer = format!("Bearer {key}");
        let mut headers = vec![("content-type", "application/json"), ("if-match", "*")];
        headers.extend((!key.is_empty()).then_some(("authorization", bearer.as_str())));
        // A kind is changed in the version that was read.
        if path.starts_with("/api/v1/kinds") {
            headers.retain(|(name, _)| *name != "if-match");
            headers.push(("if-match", "\"1\""));
        }
        headers.extend(more);
        self.app.send(method, path, &headers, body).await
    }

    async fn makes(&self, path: &str, body: Value) -> String {
        let made = self.sends(&self.writes, "POST", path, &body.to_string(), &[]).await;
        assert!(matches!(made.status, 200 | 201), "{path}: {}", made.body);
        let told = made.json();
        told["id"].as_str().or(told["key"].as_str()).unwrap_or_default().to_owned()
    }

    /// Makes new things, each of which is there and full.
    async fn things(&self, path: &str) -> Things {
        let number = self.made.get();
        self.made.set(number + 1);
        let people = json!({ "members": [{ "id": self.member }] });
        let group = self.makes("/api/v1/groups", json!({ "name": format!("Group {number}") })).await;
        self.makes(&format!("/api/v1/groups/{group}/members"), people.clone()).await;
        let mut things =
            vec![("{n}", number.to_string()), ("{member}", self.member.clone()), ("{group}", group.clone())];
        if path.contains("/access-rules/") {
            let rule = json!({ "recipient": { "type": "group", "id": group }, "level": "edit", "kind": "assets" });
            things.push(("{id}", self.makes("/api/v1/access-rules", rule).await));
        } else if path.contains("/groups/") {
            things.push(("{id}", group));
        } else if path.contains("/sites/") {
            let site = self.makes("/api/v1/sites", json!({ "name": format!("Site {number}") })).await;
            self.makes(&format!("/api/v1/sites/{site}/members"), people).await;
            things.push(("{id}", site));
        } else if path.contains("/kinds/") {
            let kind =
                json!({ "key": format!("bills_{number}"), "singular": "Bill", "plural": format!("Bills {number}") });
            things.push(("{key}", self.makes("/api/v1/kinds", kind).await));
        } else {
            let external_id = format!("INV-{number}");
            let item = json!({ "name": "Fridge", "external_id": external_id });
            let item = self.makes("/api/v1/items/assets", item).await;
            let shares = format!("/api/v1/items/assets/{item}/shares");
            let everyone = json!({ "recipient": { "type": "organization" }, "level": "manage" });
            self.makes(&shares, everyone).await;
            // It is not what gives access, so that it may end.
            let group = json!({ "recipient": { "type": "group", "id": group }, "level": "view" });
            things.push(("{share}", self.makes(&shares, group).await));
            things.extend([
                ("{kind}", "assets".into()),
                ("{external_id}", external_id),
                ("{item}", item.clone()),
                ("{id}", item),
            ]);
        }
        things
    }
}

fn filled(text: &str, things: &Things) -> String {
    things.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

#[test]
fn the_table_of_the_api_names_every_route() {
    let is_here = |path: &str| BEGINNINGS.iter().any(|begin| path.starts_with(begin));
    let served = web::routes::served_to_programs().into_iter().filter(|(_, path)| is_here(path));
    let served: BTreeSet<String> = served.map(|(method, path)| format!("{method} {path}")).collect();
    let named: BTreeSet<String> = TABLE.iter().map(|row| format!("{} {}", row.method, row.path)).collect();
    assert_eq!(named, served);
}

#[db_test]
async fn each_token_gets_the_answer_of_the_table_of_the_api(db: TestDb) {
    let cast = Cast::new(db).await;
    let mut wrong = Vec::new();
    for Row { method, path, body, answers } in TABLE {
        let keys = ["", &cast.reads, &cast.writes, &cast.service, &cast.foreign];
        let mut got = Vec::new();
        for key in keys {
            let things = cast.things(path).await;
            let answer = cast.sends(key, method, &filled(path, &things), &filled(body, &things), &[]).await;
            if method == &"POST" && path.ends_with("/bulk") && answer.status == 200 {
                let verdict = answer.json()["results"][0]["status"].clone();
                assert_eq!(verdict, if key == cast.foreign { 404 } else { 200 });
            }
            got.push(answer.status);
        }
        if got != answers {
            wrong.push(format!("{method} {path}: nobody, reads, writes, service, foreign got {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[db_test]
async fn a_key_in_the_wrong_place_is_refused_everywhere(db: TestDb) {
    let cast = Cast::new(db).await;
    let (key, other) = (cast.writes.clone(), cast.service.clone());
    let things_of = [
        cast.things("/groups/").await,
        cast.things("/sites/").await,
        cast.things("/kinds/").await,
        cast.things("/access-rules/").await,
        cast.things("").await,
    ];
    let before = activity(&cast.app.db).len();
    let mut wrong = Vec::new();
    for Row { method, path, body, .. } in TABLE {
        let at =
            ["/groups", "/sites", "/kinds", "/access-rules"].iter().position(|part| path.contains(part)).unwrap_or(4);
        let (path, body) = (filled(path, &things_of[at]), filled(body, &things_of[at]));
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("any:{key}")));
        let bearer = format!("Bearer {key}");
        let twice = [("authorization", bearer.as_str())];
        let named = format!("{path}?access_token={key}");
        let takes_basic = path.starts_with("/feed/") || path.starts_with("/accounts/");
        for (place, answer, expected) in [
            ("address", cast.sends("", method, &named, &body, &[]).await, 400),
            ("address and header", cast.sends(&other, method, &named, &body, &[]).await, 400),
            ("two headers", cast.sends(&other, method, &path, &body, &twice).await, 400),
            ("another header", cast.sends("", method, &path, &body, &[("x-api-key", &key)]).await, 401),
            ("no scheme", cast.sends("", method, &path, &body, &[("authorization", &key)]).await, 401),
            ("cookie", cast.sends("", method, &path, &body, &[("cookie", &format!("token={key}"))]).await, 401),
            (
                "basic",
                cast.sends("", method, &path, &body, &[("authorization", &basic)]).await,
                if takes_basic { 200 } else { 401 },
            ),
        ] {
            if answer.status != expected {
                wrong.push(format!("{method} {path}, {place}: {}", answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(activity(&cast.app.db).len(), before, "nothing was done");
}

#[db_test]
async fn no_header_lets_a_read_only_token_change_anything(db: TestDb) {
    let cast = Cast::new(db).await;
    let things_of = [
        cast.things("/groups/").await,
        cast.things("/sites/").await,
        cast.things("/kinds/").await,
        cast.things("/access-rules/").await,
        cast.things("").await,
    ];
    let before = activity(&cast.app.db).len();
    let mut wrong = Vec::new();
    for Row { method, path, body, .. } in TABLE.iter().filter(|row| row.method != "GET") {
        let at =
            ["/groups", "/sites", "/kinds", "/access-rules"].iter().position(|part| path.contains(part)).unwrap_or(4);
        let (path, body) = (filled(path, &things_of[at]), filled(body, &things_of[at]));
        for name in
            ["x-http-method-override", "x-http-method", "x-method-override", "x-original-method", "x-forwarded-method"]
        {
            // It says that it reads, and does not; it reads, and says that it does not.
            for (real, said) in [(*method, "GET"), (*method, "HEAD"), ("GET", *method), ("HEAD", *method)] {
                let answer = cast.sends(&cast.reads, real, &path, &body, &[(name, said)]).await;
                let is_right =
                    if real == *method { answer.status == 403 } else { matches!(answer.status, 200 | 404 | 405) };
                if !is_right {
                    wrong.push(format!("{real} {path}, {name}: {said}: {}", answer.status));
                }
            }
        }
        let answer = cast.sends(&cast.reads, "GET", &format!("{path}?_method={method}"), "", &[]).await;
        if !matches!(answer.status, 200 | 404 | 405) {
            wrong.push(format!("GET {path}?_method={method}: {}", answer.status));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(activity(&cast.app.db).len(), before, "nothing was done");
    for (things, list) in things_of.iter().zip(["groups", "sites", "kinds", "access-rules", "items/assets"]) {
        let id = things.iter().find(|(name, _)| matches!(*name, "{id}" | "{key}")).map(|(_, id)| id).expect("an id");
        let answer = cast.sends(&cast.reads, "GET", &format!("/api/v1/{list}/{id}"), "", &[]).await;
        assert_eq!(answer.status, 200, "{list}: it is still there");
    }
}
