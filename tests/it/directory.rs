//! Feeds of people, groups and sites.

use crate::harness::{TestApp, TestDb, db_test, service::TOKENS};
use domain::permission::BuiltInSet;
use serde_json::{Value, json};

const FEEDS: [&str; 5] = ["users", "groups", "group_users", "sites", "site_members"];

/// Sends a request with a key, and returns the answer, which went well.
async fn sends(app: &TestApp, key: &str, method: &str, path: &str, body: Value) -> Value {
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let answer = app.send(method, path, &headers, &body.to_string()).await;
    assert!(answer.status < 300, "{path}: {}", answer.body);
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

/// All rows of a feed, in pages of two, with how many come after each.
async fn rows(app: &TestApp, key: &str, feed: &str) -> (Vec<Value>, Vec<i64>) {
    let (mut rows, mut left, mut next) = (Vec::new(), Vec::new(), Some(format!("/feed/{feed}")));
    while let Some(path) = next {
        let page = sends(app, key, "GET", &path, Value::Null).await;
        rows.extend(page["data"].as_array().unwrap().iter().cloned());
        left.push(page["metadata"]["remaining_records"].as_i64().unwrap());
        next = page["metadata"]["next_page"].as_str().map(String::from);
    }
    (rows, left)
}

#[db_test]
async fn an_exporter_takes_people_groups_and_sites(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.add_user("Ben", BuiltInSet::Standard).await;
    app.add_user("Eve", BuiltInSet::Standard).await;
    app.add_organization("elsewhere", "Zoe").await;
    assert_eq!(ann.does("Eve", "deactivation").await.status, 303);
    let key = ann.makes_token_with("Export", "read_write").await;
    let who = sends(&app, &key, "GET", "/accounts/user/v1/user:WhoAmI", Value::Null).await;
    let organization = &who["organisation_id"];
    let (users, left) = rows(&app, &key, "users?limit=2").await;
    assert_eq!((users.len(), left), (3, vec![1, 0]));
    assert_eq!((&users[0]["id"], &users[0]["email"]), (&who["user_id"], &json!("ann@example.org")));
    assert_eq!((&users[1]["firstname"], &users[1]["organisation_id"]), (&json!("Ben"), organization));
    assert_eq!((&users[0]["active"], &users[2]["active"]), (&json!(true), &json!(false)));

    let mut groups = Vec::new();
    for name in ["Logistics", "Transport", "Drivers"] {
        groups.push(sends(&app, &key, "POST", "/api/v1/groups", json!({ "name": name })).await["id"].clone());
    }
    let everybody = json!({ "members": [{ "id": users[0]["id"] }, { "id": users[1]["id"] }] });
    for group in &groups[..2] {
        let path = format!("/api/v1/groups/{}/members", group.as_str().unwrap());
        sends(&app, &key, "POST", &path, everybody.clone()).await;
    }
    let (listed, left) = rows(&app, &key, "groups?limit=2").await;
    assert_eq!((listed.len(), left), (3, vec![1, 0]));
    assert_eq!(listed[0], json!({ "id": groups[0], "name": "Logistics", "organisation_id": organization }));
    let (members, left) = rows(&app, &key, "group_users?limit=3").await;
    assert_eq!((members.len(), left), (4, vec![1, 0]));
    assert!(
        members.contains(&json!({ "user_id": users[1]["id"], "group_id": groups[1], "organisation_id": organization }))
    );

    let mali = sends(&app, &key, "POST", "/api/v1/sites", json!({ "name": "Mali" })).await["id"].clone();
    let gao = sends(&app, &key, "POST", "/api/v1/sites", json!({ "name": "Gao", "parent": mali })).await["id"].clone();
    let path = format!("/api/v1/sites/{}/members", gao.as_str().unwrap());
    sends(&app, &key, "POST", &path, everybody).await;
    let (sites, _) = rows(&app, &key, "sites?include_deleted=false").await;
    assert_eq!((&sites[0]["id"], &sites[0]["parent_id"], &sites[1]["parent_id"]), (&mali, &json!(""), &mali));
    let (leaves, left) = rows(&app, &key, "sites?show_only_leaf_nodes=true").await;
    assert_eq!((leaves.len(), &leaves[0]["id"], left), (1, &gao, vec![0]));
    let (people, left) = rows(&app, &key, "site_members?limit=1").await;
    assert_eq!((people.len(), left), (2, vec![1, 0]));
    assert_eq!(people[0], json!({ "site_id": gao, "member_id": users[0]["id"] }));
}

#[db_test]
async fn only_those_who_manage_them_take_them(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let zoe = app.add_organization("elsewhere", "Zoe").await;
    let key = ann.makes_token("Export").await;
    sends(&app, &ann.makes_token_with("Sync", "read_write").await, "POST", "/api/v1/groups", json!({ "name": "A" }))
        .await;
    let (his, hers) = (ben.makes_token("Export").await, zoe.makes_token("Export").await);
    for feed in FEEDS {
        let path = format!("/feed/{feed}");
        assert_eq!(app.with_key("GET", &path, &key).await.status, 200, "{feed}");
        let refused = app.with_key("GET", &path, &his).await;
        assert_eq!((refused.status, refused.header("content-type")), (403, "application/problem+json"), "{feed}");
        assert_eq!(app.send("GET", &path, &[], "").await.status, 401, "{feed}");
        for (query, field) in
            [("limit=0", "limit"), ("cursor=x", "cursor"), ("show_only_leaf_nodes=1", "show_only_leaf_nodes")]
        {
            let wrong = app.with_key("GET", &format!("{path}?{query}"), &key).await;
            assert_eq!((wrong.status, &wrong.json()["errors"][0]["field"]), (400, &json!(field)), "{feed} {query}");
        }
    }
    assert_eq!(rows(&app, &hers, "groups").await.0, Vec::<Value>::new(), "those of another organization");
    assert_eq!(rows(&app, &hers, "users").await.0.len(), 1);
    // A service user manages what its permissions say.
    let page = ann.asks_for_service_token("Warehouse", "45", &["platform.groups"]).await;
    assert_ne!(ann.get(TOKENS).await.status, 500);
    let service = page.key().expect("a key");
    assert_eq!(rows(&app, &service, "groups").await.0.len(), 1);
    assert_eq!(app.with_key("GET", "/feed/users", &service).await.status, 403);
}

#[db_test]
async fn a_kind_of_the_organizations_own_has_its_name(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let kind = [("singular", "Member"), ("plural", "Members"), ("key", "site_members")];
    assert_eq!(ann.post(crate::harness::org!("/kinds"), &kind).await.status, 303);
    let key = ann.makes_token_with("Sync", "read_write").await;
    sends(&app, &key, "POST", "/api/v1/items/site_members", json!({ "name": "A borehole" })).await;
    assert_eq!(rows(&app, &key, "site_members").await.0[0]["name"], "A borehole");
}
