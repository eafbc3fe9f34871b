//! Access rules on their pages and through the API, and what other organizations share.

use crate::{
    harness::{Answer, ORG, Person, SLUG, TestApp, TestDb, activity, change, db_test, org},
    items::{at, giver, make},
};
use domain::permission::BuiltInSet;
use serde_json::{Value, json};

const RULES: &str = org!("/access-rules");

/// The form of a rule with what differs from the usual one.
fn form<'a>(fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [("who", "everyone"), ("level", "view"), ("kind", "assets")];
    let others = usual.into_iter().filter(|(name, _)| !fields.iter().any(|(other, _)| other == name));
    others.chain(fields.iter().copied()).collect()
}

async fn saves(person: &Person, address: &str, fields: &[(&str, &str)]) -> Answer {
    person.post(address, &form(&[fields, &[("save", "yes")]].concat())).await
}

/// What the form says about what is filled in.
async fn shows(person: &Person, address: &str, fields: &[(&str, &str)]) -> String {
    let answer = person.post(address, &form(fields)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    answer.first("#rule-now", |part| Some(words(part.text().collect::<Vec<_>>().join(" ")))).unwrap_or_default()
}

/// The address of the only rule that the list shows.
async fn only(person: &Person) -> String {
    let id = |link: &str| link.rsplit('/').next().unwrap_or_default().to_owned();
    let list = person.get(RULES).await;
    let edit = list.first(".rule-list a:not([data-dialog])", |link| Some(link.attr("href")?.to_owned()));
    format!("{RULES}/{}", id(&edit.expect("a rule")))
}

async fn group(person: &Person, name: &str, people: &str) -> String {
    let made = person.post(org!("/groups"), &[("name", name)]).await;
    let group = made.header("location").trim_end_matches("?notice=created").to_owned();
    assert_eq!(person.post(&format!("{group}/members"), &[("people", people)]).await.status, 303);
    group.rsplit('/').next().unwrap().to_owned()
}

#[db_test]
async fn a_rule_is_made_changed_and_deleted_and_says_what_it_does(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    app.add_user("Zoe", BuiltInSet::Reader).await;
    let fridge = make(&app.jeton, &at(&app, &ann).await, "assets", "Fridge").await;
    group(&ann, "Cold chain", "ben, zoe").await;
    ann.get(RULES).await.shows("No access rules yet");
    let wanted = [("who", "group"), ("name", "cold CHAIN"), ("level", "edit")];
    let said = shows(&ann, RULES, &wanted).await;
    assert!(said.contains("Everyone in group Cold chain can edit all assets."), "{said}");
    assert!(said.contains("1 more will be able to edit: Ben") && said.contains("It covers 1 item"), "{said}");
    assert!(said.contains("Zoe gets the level, too, but has no permission to edit here."), "{said}");
    let before = activity(&app.db).len();
    let made = saves(&ann, RULES, &wanted).await;
    ann.get(made.header("location"))
        .await
        .shows("The rule counts from now on.")
        .shows("2 people")
        .shows("Made by Ann on");
    ben.get(&format!("{ORG}/items/assets/{}", fridge.public_id)).await.shows("You can edit this.");
    // The same rule twice: the page leads to the first one.
    let rule = only(&ann).await;
    let again = saves(&ann, RULES, &wanted).await;
    assert_eq!(again.status, 422);
    again.shows("There is already a rule for the same items and the same recipient.");
    assert!(again.body.contains(&format!("href=\"{rule}\"")), "{}", again.body);
    let open = ann.get(&rule).await;
    assert_eq!(open.field("name").as_deref(), Some("Cold chain"));
    let version = open.field("version").unwrap();
    let lower = [("who", "group"), ("name", "Cold chain"), ("level", "view"), ("version", &version)];
    let said = shows(&ann, &rule, &lower).await;
    assert!(said.contains("2 get a lower level: Ben and Zoe") && said.contains("It replaces:"), "{said}");
    assert_eq!(saves(&ann, &rule, &lower).await.status, 303);
    let stale = saves(&ann, &rule, &[("level", "manage"), ("version", &version)]).await;
    assert_eq!(stale.status, 422, "somebody else has changed it meanwhile");
    let question = ann.get(&format!("{rule}/deletion")).await;
    question.shows("Everyone in group Cold chain can view all assets.").shows("2 lose all access.");
    let stale = ann.post(&format!("{rule}/deletion"), &[("version", &version)]).await;
    assert_eq!(stale.status, 422);
    let version = question.field("version").unwrap();
    let deleted = ann.post(&format!("{rule}/deletion"), &[("version", &version)]).await;
    ann.get(deleted.header("location")).await.shows("The rule is deleted").shows("No access rules yet");
    assert_eq!(ben.get(&format!("{ORG}/items/assets/{}", fridge.public_id)).await.status, 404);
    assert_eq!(ann.post(&format!("{rule}/deletion"), &[("version", &version)]).await.status, 404, "twice");
    let actions: Vec<String> = activity(&app.db)[before..].iter().map(|entry| entry.action.clone()).collect();
    assert_eq!(actions, ["access_rule.created", "access_rule.changed", "access_rule.deleted"]);
}

#[db_test]
async fn each_sentence_is_read_back_as_it_was_written(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    app.add_organization("elsewhere", "Eve").await;
    ann.makes_service_token("Power BI").await;
    group(&ann, "Cold chain", "ben").await;
    let site = ann.post(org!("/sites"), &[("name", "Mopti")]).await;
    let site = site.header("location").trim_end_matches("?notice=created").rsplit('/').next().unwrap().to_owned();
    let template = make(&app.jeton, &at(&app, &ann).await, "templates", "Cold chain check").await;
    for (fields, sentence) in [
        (vec![("who", "user"), ("name", "ben")], "Ben can view all assets."),
        (vec![("who", "user"), ("name", &*ben.email), ("kind", "templates")], "Ben can view all templates."),
        (vec![("who", "service_user"), ("name", "power bi")], "Service user Power BI can view all assets."),
        (
            vec![("who", "site"), ("at_site", &*site), ("site", &*site)],
            "Everyone at site Mopti can view assets at site Mopti and below.",
        ),
        (
            vec![
                ("who", "group"),
                ("name", "Cold chain"),
                ("kind", "inspections"),
                ("template", &*template.public_id),
                ("site", &*site),
            ],
            "Everyone in group Cold chain can view inspections of template Cold chain check at site Mopti and below.",
        ),
        (
            vec![("who", "group"), ("name", "Cold chain"), ("kind", "inspections"), ("template", &*template.public_id)],
            "Everyone in group Cold chain can view inspections of template Cold chain check.",
        ),
        (vec![("who", "everyone"), ("level", "manage")], "can manage all assets."),
        (
            vec![("who", "all_outside"), ("name", "jeton.example/elsewhere")],
            "Everyone in elsewhere can view all assets.",
        ),
        (vec![("who", "one_outside"), ("name", "eve@example.org")], "Eve (elsewhere) can view all assets."),
    ] {
        let made = saves(&ann, RULES, &fields).await;
        assert_eq!(made.status, 303, "{sentence}: {}", made.text());
        let rule = only(&ann).await;
        let list = ann.get(RULES).await.text().split_whitespace().collect::<Vec<_>>().join(" ").replace(" .", ".");
        assert!(list.contains(sentence), "{sentence:?} is not in {list}");
        // What the form was filled in with is the same rule.
        let open = ann.get(&rule).await;
        let fields: Vec<(String, String)> = ["who", "at_site", "level", "kind", "site", "template"]
            .into_iter()
            .map(|name| (name.to_owned(), chosen(&open, name)))
            .chain([("name".to_owned(), open.field("name").unwrap_or_default())])
            .chain([("version".to_owned(), open.field("version").unwrap_or_default())])
            .collect();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(saves(&ann, &rule, &fields).await.status, 303, "{sentence}");
        let version = ann.get(&format!("{rule}/deletion")).await.field("version").unwrap();
        ann.get(RULES).await.shows("Made by Ann on");
        assert_eq!(ann.post(&format!("{rule}/deletion"), &[("version", &version)]).await.status, 303);
    }
    let entries = activity(&app.db);
    assert!(entries.iter().all(|entry| entry.action != "access_rule.changed"), "saving what there is changes nothing");
}

/// The chosen value of a selection.
fn chosen(page: &Answer, name: &str) -> String {
    let value = |option: &str| option.to_owned();
    page.first(&format!("select[name={name}] option[selected]"), |option| option.attr("value").map(value))
        .unwrap_or_default()
}

#[db_test]
async fn a_wrong_rule_comes_back_with_what_was_typed(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.add_organization("elsewhere", "Eve").await;
    let kind = [("singular", "Invoice"), ("plural", "Invoices"), ("key", "invoices")];
    assert_eq!(ann.post(org!("/kinds"), &kind).await.status, 303);
    for (fields, words) in [
        (vec![("who", "group")], "Say who it is for."),
        (vec![("who", "group"), ("name", "Nobody")], "There is nobody like this."),
        (vec![("who", "user"), ("name", "x@example.org")], "There is nobody like this."),
        (vec![("who", "site"), ("at_site", "zzzzzzzzzz")], "There is nobody like this."),
        (vec![("who", "one_outside"), ("name", "x@example.org")], "There is nobody like this."),
        (vec![("who", "all_outside"), ("name", "nowhere")], "There is nobody like this."),
        (
            vec![("who", "all_outside"), ("name", "elsewhere"), ("kind", "invoices")],
            "Items of this kind stay in your organization",
        ),
        (vec![("site", "zzzzzzzzzz")], "Choose a site from the list."),
        (vec![("kind", "inspections"), ("template", "zzzzzzzzzz")], "Choose a template that you can view."),
        (vec![("level", "all")], "Choose a level that you have yourself"),
    ] {
        let refused = saves(&ann, RULES, &fields).await;
        assert_eq!(refused.status, 422, "{fields:?}");
        refused.shows(words);
        for (name, value) in &fields {
            let kept = refused.field(name).unwrap_or_else(|| chosen(&refused, name));
            assert!(kept == *value || matches!(*name, "site" | "template" | "at_site" | "level"), "{name}: {kept}");
        }
    }
    // Only those who manage users have these pages.
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    assert_eq!((ben.get(RULES).await.status, saves(&ben, RULES, &[]).await.status), (403, 403));
    assert!(!ben.get(org!("/items/assets")).await.body.contains("access-rules"));
    // What is only shown does not say whether anybody outside has the address.
    let outside = [("who", "one_outside"), ("name", "eve@example.org")];
    let known = shows(&ann, RULES, &outside).await;
    let unknown = shows(&ann, RULES, &[("who", "one_outside"), ("name", "xyz@example.org")]).await;
    assert_eq!(known.replace("eve@", "…"), unknown.replace("xyz@", "…"));
    assert!(known.contains("Others than your own people will be able to view"), "{known}");
}

#[db_test]
async fn a_long_list_is_searched_filtered_and_turned(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    for number in 10..40 {
        let name = format!("Team {number}");
        assert_eq!(ann.post(org!("/groups"), &[("name", &name)]).await.status, 303);
        let kind = if number % 2 == 0 { "assets" } else { "templates" };
        assert_eq!(saves(&ann, RULES, &[("who", "group"), ("name", &name), ("kind", kind)]).await.status, 303);
    }
    let first = ann.get(RULES).await;
    first.shows("30 rules").shows("Team 10");
    let next = first.first("[rel=next]", |link| Some(link.attr("href")?.to_owned())).expect("another page");
    ann.get(&next).await.shows("Team 39");
    let found = ann.get(&format!("{RULES}?q=team+11")).await;
    found.shows("1 rule").shows("Team 11");
    ann.get(&format!("{RULES}?kind=assets")).await.shows("15 rules");
    ann.get(&format!("{RULES}?level=manage")).await.shows("No rule matches");
    ann.get(&format!("{RULES}?recipient=outside")).await.shows("No rule matches");
    ann.get(&format!("{RULES}?recipient=group&level=view")).await.shows("30 rules");
    let searched = ann.post(&format!("{RULES}/search"), &[("q", "11"), ("kind", "templates")]).await;
    assert_eq!(searched.header("location"), format!("{RULES}?q=11&kind=templates"));
}

#[db_test]
async fn a_program_manages_access_rules(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token_with("Sync", "read_write").await;
    let of_others = {
        let eve = app.add_organization("elsewhere", "Eve").await;
        eve.makes_token_with("Theirs", "read_write").await
    };
    let group = group(&ann, "Cold chain", "ann").await;
    let send = async |key: &str, method: &str, path: &str, body: Value, version: &str| {
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json"), ("if-match", version)];
        app.send(method, path, &headers, &body.to_string()).await
    };
    let list = "/api/v1/access-rules";
    let body = json!({ "recipient": { "type": "group", "id": group }, "level": "edit", "kind": "assets" });
    let made = send(&key, "POST", list, body.clone(), "*").await;
    assert_eq!((made.status, made.header("etag")), (201, "\"1\""), "{}", made.body);
    let rule = made.header("location").to_owned();
    assert_eq!(send(&key, "POST", list, body.clone(), "*").await.status, 422, "there is one already");
    let read = app.with_key("GET", &rule, &key).await.json();
    assert_eq!((&read["recipient"]["name"], &read["level"]), (&json!("Cold chain"), &json!("edit")));
    let lower = json!({ "recipient": { "type": "group", "id": group }, "level": "view", "kind": "assets" });
    let changed = send(&key, "PUT", &rule, lower.clone(), "\"1\"").await;
    assert_eq!((changed.status, changed.header("etag")), (200, "\"2\""), "{}", changed.body);
    assert_eq!(send(&key, "PUT", &rule, lower, "\"1\"").await.status, 412);
    assert_eq!(app.with_key("GET", list, &key).await.json()["data"].as_array().unwrap().len(), 1);
    let other = json!({ "recipient": { "type": "organization" }, "level": "view", "kind": "templates" });
    assert_eq!(send(&key, "POST", list, other, "*").await.status, 201);
    let page = app.with_key("GET", &format!("{list}?limit=1"), &key).await.json();
    let cursor = page["next_cursor"].as_str().expect("another page");
    let second = app.with_key("GET", &format!("{list}?limit=1&cursor={cursor}"), &key).await.json();
    assert_eq!((&second["data"][0]["kind"], &second["next_cursor"]), (&json!("templates"), &Value::Null));
    assert_eq!(app.with_key("GET", &format!("{list}?kind=assets"), &key).await.json()["data"][0]["version"], 2);
    assert_eq!(app.with_key("GET", &format!("{list}?kind=no%20kind"), &key).await.status, 404);
    let wrong = send(
        &key,
        "POST",
        list,
        json!({ "recipient": { "type": "user", "id": "x" }, "level": "all", "kind": "assets", "site": "x" }),
        "*",
    )
    .await;
    let named: Vec<String> =
        wrong.json()["errors"].as_array().unwrap().iter().map(|one| one["field"].to_string()).collect();
    assert_eq!((wrong.status, named.len()), (422, 3), "{}", wrong.body);
    for (method, body) in [("GET", Value::Null), ("PUT", body), ("DELETE", Value::Null)] {
        assert_eq!(send(&of_others, method, &rule, body, "*").await.status, 404, "{method}");
    }
    assert_eq!(send(&key, "DELETE", &rule, Value::Null, "\"1\"").await.status, 412);
    assert_eq!(send(&key, "DELETE", &rule, Value::Null, "\"2\"").await.status, 204);
    assert_eq!(send(&key, "DELETE", &rule, Value::Null, "*").await.status, 404);
}

#[db_test]
async fn what_another_organization_shares_is_refused_and_accepted_again(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let givers = format!("{RULES}/other-organizations");
    ann.get(&givers).await.shows("No other organization shares anything with yours");
    let id = giver(&app).await;
    ann.get(RULES).await.shows("1 other organization shares");
    ann.get(&givers).await.shows("giving").shows("1 shared item");
    ann.get(org!("/items/assets")).await.shows("Pump");
    let [refusal, acceptance] = ["refusal", "acceptance"].map(|part| format!("{givers}/{id}/{part}"));
    ann.get(&refusal).await.shows("Refuse what giving shares?");
    let before = activity(&app.db).len();
    let refused = ann.post(&refusal, &[]).await;
    ann.get(refused.header("location"))
        .await
        .shows("Nothing that the organization shares counts any more.")
        .shows("Refused");
    let list = ann.get(org!("/items/assets")).await;
    assert!(!list.text().contains("Pump"), "{}", list.text());
    let twice = ann.post(&refusal, &[]).await;
    ann.get(twice.header("location")).await.shows("It was so already.");
    let accepted = ann.post(&acceptance, &[]).await;
    ann.get(accepted.header("location")).await.shows("counts again.");
    assert_eq!(ann.post(&acceptance, &[]).await.header("location"), format!("{givers}?notice=unchanged"));
    ann.get(org!("/items/assets")).await.shows("Pump");
    let actions: Vec<String> = activity(&app.db)[before..].iter().map(|entry| entry.action.clone()).collect();
    assert_eq!(actions, ["sharing.refused", "sharing.accepted"], "nothing twice");
    // Not theirs.
    let eve = app.add_organization("elsewhere", "Eve").await;
    for path in [refusal, acceptance] {
        assert_eq!(eve.post(&path, &[]).await.status, 404);
        assert_eq!(eve.post(&path.replace(SLUG, "elsewhere"), &[]).await.status, 404);
    }
}

#[db_test]
async fn a_rule_for_a_crowd_is_counted_and_not_listed(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    crate::groups::has_crowd(&app, 600);
    let said = shows(&ann, RULES, &[]).await;
    assert!(said.contains("Up to 601 people will be able to view"), "{said}");
    assert_eq!(saves(&ann, RULES, &[]).await.status, 303);
    ann.get(RULES).await.shows("601 people");
    let rule = only(&ann).await;
    ann.get(&format!("{rule}/deletion")).await.shows("Up to 601 people lose what it gives them");
    change(&app, "DELETE FROM access_rules");
    assert_eq!(ann.get(&rule).await.status, 404);
}
