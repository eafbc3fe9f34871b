//! `/api/v1/groups` and `/api/v1/sites`, for programs.

use crate::harness::{Answer, Person, TestApp, TestDb, activity, count, db_test, org};
use domain::permission::BuiltInSet::{Reader, Standard};
use serde_json::{Value, json};

const GROUPS: &str = "/api/v1/groups";
const SITES: &str = "/api/v1/sites";

/// A program with a key.
struct Program<'a> {
    app: &'a TestApp,
    key: String,
}

impl Program<'_> {
    async fn sends(&self, method: &str, path: &str, body: Value) -> Answer {
        self.sends_with(method, path, body, &[]).await
    }

    async fn sends_with(&self, method: &str, path: &str, body: Value, more: &[(&str, &str)]) -> Answer {
        let key = format!("Bearer {}", self.key);
        let mut headers = vec![("authorization", key.as_str()), ("content-type", "application/json")];
        headers.extend(more);
        self.app.send(method, path, &headers, &body.to_string()).await
    }

    async fn gets(&self, path: &str) -> Value {
        let answer = self.app.with_key("GET", path, &self.key).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// Creates something with this body, and returns its address.
    async fn makes(&self, list: &str, body: Value) -> String {
        let made = self.sends("POST", list, body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        assert_eq!(made.header("location"), format!("{list}/{}", made.json()["id"].as_str().unwrap()));
        made.header("location").to_owned()
    }
}

async fn program<'a>(app: &'a TestApp, ann: &Person) -> Program<'a> {
    Program { app, key: ann.makes_token_with("Sync", "read_write").await }
}

/// Returns the fields that a problem names.
fn fields(problem: &Answer) -> Vec<String> {
    assert_eq!(problem.header("content-type"), "application/problem+json", "{}", problem.body);
    let errors = problem.json()["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
}

#[db_test]
async fn a_program_manages_groups(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.add_user("Ben", Standard).await;
    let page = ann.page_of("Ben").await;
    let known = [("external_id", "HR-1"), ("before", "")];
    assert_eq!(ann.post(&format!("{page}/external-id"), &known).await.status, 303);
    let sync = program(&app, &ann).await;
    let group = sync.makes(GROUPS, json!({ "name": "Logistics" })).await;
    let members = format!("{group}/members");
    let added = sync
        .sends("POST", &members, json!({ "members": [{ "email": "ANN@example.org" }, { "external_id": "HR-1" }] }))
        .await;
    assert_eq!((added.status, added.json()), (200, json!({ "added": 2, "listed": 2 })), "{}", added.body);
    let listed = sync.gets(&members).await;
    let ben = &listed["data"][1];
    assert_eq!((&ben["name"], &ben["external_id"], &ben["is_active"]), (&json!("Ben"), &json!("HR-1"), &json!(true)));
    assert_eq!(sync.gets(&group).await["members"], 2);
    // By the id of the subject, once more: nothing to do.
    let again = sync.sends("POST", &members, json!({ "members": [{ "id": ben["id"] }] })).await;
    assert_eq!(again.json(), json!({ "added": 0, "listed": 1 }));
    let one = format!("{members}/{}", ben["id"].as_str().unwrap());
    assert_eq!(sync.sends("DELETE", &one, Value::Null).await.status, 204);
    assert_eq!(sync.sends("DELETE", &one, Value::Null).await.status, 404);
    let rest =
        sync.sends("POST", &format!("{members}/removal"), json!({ "members": [{ "email": "ann@example.org" }] })).await;
    assert_eq!(rest.json(), json!({ "removed": 1, "listed": 1 }));
    let renamed = sync.sends("PATCH", &group, json!({ "name": "Transport" })).await;
    assert_eq!((renamed.status, renamed.header("etag")), (200, "\"2\""));
    ann.get(org!("/groups")).await.shows("Transport");
    assert_eq!(sync.sends("DELETE", &group, Value::Null).await.status, 204);
    assert_eq!(sync.sends("DELETE", &group, Value::Null).await.status, 404);
    // The log says through which token.
    let entries = activity(&app.db);
    let last = entries.last().unwrap();
    assert_eq!((last.action.as_str(), last.actor_name.as_str()), ("group.deleted", "Ann"));
    assert_eq!(last.token_label.as_deref(), Some("Sync"));
}

#[db_test]
async fn a_program_manages_sites(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = program(&app, &ann).await;
    let mali = sync.makes(SITES, json!({ "name": "Mali" })).await;
    let mali_id = mali.rsplit('/').next().unwrap();
    let mopti = sync.makes(SITES, json!({ "name": "Mopti", "parent": mali_id })).await;
    let one = json!({ "members": [{ "email": "ann@example.org" }] });
    assert_eq!(sync.sends("POST", &format!("{mopti}/members"), one).await.status, 200);
    let list = sync.gets(SITES).await;
    let found: Vec<_> = list["data"].as_array().unwrap().iter().map(|site| (&site["name"], &site["parent"])).collect();
    assert_eq!(found, [(&json!("Mali"), &Value::Null), (&json!("Mopti"), &json!(mali_id))]);
    let read = sync.gets(&mali).await;
    assert_eq!((&read["members"], &read["members_in_all"], &read["level"]), (&json!(0), &json!(1), &json!(1)));
    let refused = sync.sends("DELETE", &mali, Value::Null).await;
    assert_eq!(refused.status, 422);
    refused.shows("There are sites in this site.");
    let ring = sync.sends("PATCH", &mali, json!({ "parent": mopti.rsplit('/').next().unwrap() })).await;
    assert_eq!((ring.status, fields(&ring)), (422, vec!["parent".to_owned()]));
    // What is left out stays, and null moves it to the top.
    let renamed = sync.sends("PATCH", &mopti, json!({ "name": "Mopti post" })).await.json();
    assert_eq!(renamed["parent"], mali_id);
    let moved = sync.sends("PATCH", &mopti, json!({ "parent": null })).await.json();
    assert_eq!((&moved["parent"], &moved["name"], &moved["version"]), (&Value::Null, &json!("Mopti post"), &json!(3)));
}

#[db_test]
async fn the_second_of_two_programs_is_told(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = program(&app, &ann).await;
    for list in [GROUPS, SITES] {
        let thing = sync.makes(list, json!({ "name": "Field" })).await;
        let version = [("if-match", "\"1\"")];
        assert_eq!(sync.sends_with("PATCH", &thing, json!({ "name": "North" }), &version).await.status, 200);
        for old in ["\"1\"", "\"x\"", "W/\"2\"", "\"\""] {
            let told = sync.sends_with("PATCH", &thing, json!({ "name": "South" }), &[("if-match", old)]).await;
            assert_eq!(told.status, 412, "{old}: {}", told.body);
            assert_eq!(sync.sends_with("DELETE", &thing, Value::Null, &[("if-match", old)]).await.status, 412);
        }
        assert_eq!(sync.gets(&thing).await["name"], "North");
        assert_eq!(sync.sends_with("DELETE", &thing, Value::Null, &[("if-match", "\"2\"")]).await.status, 204);
    }
}

#[db_test]
async fn lists_are_paged_by_a_cursor_and_searched(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = program(&app, &ann).await;
    crate::groups::has_crowd(&app, 45);
    for i in 0..5 {
        sync.makes(GROUPS, json!({ "name": format!("Équipe {i}") })).await;
        sync.makes(SITES, json!({ "name": format!("Lieu {i}") })).await;
    }
    let group = sync.gets(&format!("{GROUPS}?q=equipe%203")).await["data"][0]["id"].as_str().unwrap().to_owned();
    let people: Vec<Value> = (1..=45).map(|i| json!({ "email": format!("p{i}@example.org") })).collect();
    let members = format!("{GROUPS}/{group}/members");
    assert_eq!(sync.sends("POST", &members, json!({ "members": people })).await.status, 200);
    for (list, size, all) in [(GROUPS, 2, 5), (SITES, 2, 5), (&*members, 20, 45)] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = sync.gets(&format!("{list}?limit={size}&cursor={cursor}")).await;
            let data = page["data"].as_array().unwrap();
            assert!(data.len() <= size && !data.is_empty());
            seen.extend(data.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
        assert_eq!((seen.len(), distinct.len()), (all, all), "{list}");
        for (query, field) in
            [("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("cursor=%21", "cursor")]
        {
            let refused = app.with_key("GET", &format!("{list}?{query}"), &sync.key).await;
            assert_eq!((refused.status, fields(&refused)), (400, vec![field.to_owned()]), "{list} {query}");
        }
    }
    assert_eq!(sync.gets(&format!("{members}?q=p7@")).await["data"].as_array().unwrap().len(), 1);
}

#[db_test]
async fn what_is_wrong_is_named_and_nothing_is_half_done(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = program(&app, &ann).await;
    let group = sync.makes(GROUPS, json!({ "name": "Field" })).await;
    for (body, status, field) in [
        (json!({ "name": "" }), 422, "name"),
        (json!({ "name": "field" }), 422, "name"),
        (json!({ "name": "a\u{202e}b" }), 422, "name"),
        (json!({ "name": "x".repeat(101) }), 422, "name"),
    ] {
        let refused = sync.sends("POST", GROUPS, body.clone()).await;
        assert_eq!((refused.status, fields(&refused)), (status, vec![field.to_owned()]), "{body}");
    }
    for (body, word) in [(json!({}), "name"), (json!({ "name": 3 }), "string"), (json!({ "name": "a", "x": 1 }), "x")] {
        let refused = sync.sends("POST", GROUPS, body).await;
        assert_eq!(refused.status, 400);
        assert!(refused.json()["detail"].as_str().unwrap().contains(word), "{}", refused.body);
    }
    let members = format!("{group}/members");
    let wrong =
        json!({ "members": [{ "email": "ann@example.org" }, { "email": "nobody" }, { "external_id": "none" }] });
    let refused = sync.sends("POST", &members, wrong).await;
    assert_eq!((refused.status, fields(&refused)), (422, vec!["members[1]".to_owned(), "members[2]".to_owned()]));
    let refused = sync.sends("POST", &members, json!({ "members": [] })).await;
    assert_eq!((refused.status, fields(&refused)), (422, vec!["members".to_owned()]));
    for odd in [json!({ "members": [{}] }), json!({ "members": [{ "name": "Ann" }] }), json!("x")] {
        assert_eq!(sync.sends("POST", &members, odd).await.status, 400);
    }
    assert_eq!(count(&app, "group_members"), 0);
    assert_eq!(count(&app, "groups"), 1);
}

#[db_test]
async fn a_token_without_the_scope_or_the_permission_changes_nothing(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Reader).await;
    let sync = program(&app, &ann).await;
    let group = sync.makes(GROUPS, json!({ "name": "Field" })).await;
    let reads = Program { app: &app, key: ann.makes_token("Reads").await };
    let weak = Program { app: &app, key: ben.makes_token_with("Weak", "read_write").await };
    assert_eq!(reads.gets(&group).await["name"], "Field");
    let people = json!({ "members": [{ "email": "ben@example.org" }] });
    for (method, path, body) in [
        ("POST", GROUPS.to_owned(), json!({ "name": "New" })),
        ("PATCH", group.clone(), json!({ "name": "New" })),
        ("DELETE", group.clone(), Value::Null),
        ("POST", format!("{group}/members"), people.clone()),
        ("POST", format!("{group}/members/removal"), people),
        ("DELETE", format!("{group}/members/1"), Value::Null),
    ] {
        let override_header = [("x-http-method-override", "GET")];
        for program in [&reads, &weak] {
            let refused = program.sends_with(method, &path, body.clone(), &override_header).await;
            assert_eq!(refused.status, 403, "{method} {path}");
            assert!(refused.header("www-authenticate").contains("insufficient_scope"));
        }
    }
    assert_eq!(app.with_key("GET", GROUPS, &weak.key).await.status, 403);
    assert_eq!((count(&app, "groups"), count(&app, "group_members")), (1, 0));
    // A service user may, if it holds the permission; what it loses counts for the next request.
    let service = ann.asks_for_service_token("Sync", "45", &["platform.groups"]).await.key().unwrap();
    let service = Program { app: &app, key: service };
    service.makes(GROUPS, json!({ "name": "By a service user" })).await;
    assert_eq!(app.with_key("GET", SITES, &service.key).await.status, 403);
    let token = ann.service_token("Sync").await;
    assert_eq!(ann.confirms(&token, "revocation").await.status, 303);
    assert_eq!(service.sends("POST", GROUPS, json!({ "name": "Too late" })).await.status, 401);
}

#[db_test]
async fn what_belongs_to_another_organization_is_not_found_in_any_position(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let stranger = app.add_organization("elsewhere", "Stranger").await;
    let (sync, theirs) = (program(&app, &ann).await, program(&app, &stranger).await);
    let subject = theirs.gets("/api/v1/me").await["subject"]["id"].clone();
    for list in [GROUPS, SITES] {
        let thing = sync.makes(list, json!({ "name": "Field" })).await;
        let own = theirs.makes(list, json!({ "name": "Own" })).await;
        let one = json!({ "members": [{ "email": "stranger@example.org" }] });
        for (method, path, body) in [
            ("GET", thing.clone(), Value::Null),
            ("PATCH", thing.clone(), json!({ "name": "Mine" })),
            ("DELETE", thing.clone(), Value::Null),
            ("GET", format!("{thing}/members"), Value::Null),
            ("POST", format!("{thing}/members"), one.clone()),
            ("POST", format!("{thing}/members/removal"), one),
            ("DELETE", format!("{thing}/members/1"), Value::Null),
            ("DELETE", format!("{own}/members/1"), Value::Null),
        ] {
            assert_eq!(theirs.sends(method, &path, body).await.status, 404, "{method} {path}");
        }
        // A foreign member, named in each way, is nobody.
        for named in [json!({ "id": subject }), json!({ "email": "stranger@example.org" })] {
            let refused = sync.sends("POST", &format!("{thing}/members"), json!({ "members": [named] })).await;
            assert_eq!((refused.status, fields(&refused)), (404, vec!["members[0]".to_owned()]));
        }
    }
    let site = sync.gets(SITES).await["data"][0]["id"].clone();
    let own = theirs.gets(SITES).await["data"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(theirs.sends("POST", SITES, json!({ "name": "Below", "parent": site })).await.status, 404);
    assert_eq!(theirs.sends("PATCH", &format!("{SITES}/{own}"), json!({ "parent": site })).await.status, 404);
    assert_eq!((count(&app, "group_members"), count(&app, "site_members")), (0, 0));
    // Lists have their own only.
    for list in [GROUPS, SITES] {
        let names = theirs.gets(list).await["data"].as_array().unwrap().len();
        assert_eq!(names, 1, "{list}");
    }
}
