//! Kinds on their pages, and the permissions that they become.

mod api;
mod fields;

use crate::harness::{Answer, ORG, PASSWORD, Person, TestApp, TestDb, count, db_test, org, service::TOKENS};
use domain::permission::BuiltInSet;
use futures_util::future::join_all;
use serde_json::json;

const KINDS: &str = org!("/kinds");
const SETS: &str = org!("/permission-sets");
const INVOICES: &str = org!("/kinds/invoices");

type Fields<'a> = Vec<(&'a str, &'a str)>;

/// The form for invoices with these own actions: name, key, and whether it reads or changes.
fn invoices<'a>(actions: &[(&'a str, &'a str, &'a str)]) -> Fields<'a> {
    let mut fields = vec![("singular", "Invoice"), ("plural", "Invoices"), ("key", "invoices")];
    for (name, key, nature) in actions {
        fields.extend([("name[]", *name), ("action[]", *key), ("nature[]", *nature)]);
    }
    fields
}

const APPROVE: (&str, &str, &str) = ("Approve", "approve", "changes");
const DOWNLOAD: (&str, &str, &str) = ("Download as PDF", "download", "reads");

/// Creates a kind of invoices with two own actions.
async fn has_invoices(person: &Person) {
    let created = person.post(KINDS, &invoices(&[APPROVE, DOWNLOAD])).await;
    assert_eq!((created.status, created.header("location")), (303, &*format!("{INVOICES}?notice=created")));
}

/// Sends the form for a change of invoices, based on the current version.
async fn changes(person: &Person, actions: &[(&str, &str, &str)]) -> Answer {
    let version = person.get(&format!("{INVOICES}/edit")).await.field("version").expect("a form");
    let mut fields = invoices(actions);
    fields.push(("version", &version));
    let preview = person.post(&format!("{INVOICES}/edit"), &fields).await;
    let Some(affected) = preview.field("affected") else { return preview };
    fields.push(("affected", &affected));
    person.post(INVOICES, &fields).await
}

/// Deletes invoices, as the confirmation does.
async fn deletes(person: &Person) -> Answer {
    let path = format!("{INVOICES}/deletion");
    let affected = person.get(&path).await.field("affected").expect("a confirmation");
    person.post(&path, &[("affected", &affected)]).await
}

async fn makes_set(person: &Person, name: &str, permissions: &[&str]) -> String {
    let mut fields = vec![("name", name)];
    fields.extend(permissions.iter().map(|key| ("permission", *key)));
    let answer = person.post(SETS, &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").strip_suffix("?notice=created").expect("the new set's page").to_owned()
}

async fn service_key(person: &Person, name: &str, permissions: &[&str]) -> String {
    person.asks_for_service_token(name, "45", permissions).await.key().expect("a key")
}

async fn permissions(app: &TestApp, key: &str) -> Vec<String> {
    let me = app.me(key).await.json();
    me["permissions"].as_array().expect("a list").iter().map(|key| key.as_str().unwrap().to_owned()).collect()
}

/// Asks whether a token may do this, as a proxy does; returns the status and the error.
async fn may(app: &TestApp, key: &str, permission: &str) -> (u16, String) {
    let answer = app.with_key("GET", &format!("/verify?permission={permission}"), key).await;
    let challenge = answer.header("www-authenticate").to_owned();
    let error = challenge.split_once("error=\"").map_or("", |(_, rest)| rest.split('"').next().unwrap_or_default());
    (answer.status, error.to_owned())
}

async fn speaks_french(person: &Person) {
    let profile =
        [("name", "Ann"), ("email", "ann@example.org"), ("language", "fr"), ("time_zone", "UTC"), ("theme", "system")];
    assert_eq!(person.post("/account/profile", &profile).await.status, 303);
}

fn refused(error: &str) -> (u16, String) {
    (403, error.to_owned())
}

fn fine() -> (u16, String) {
    (200, String::new())
}

#[db_test]
async fn a_kind_is_created_shown_changed_and_deleted(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    ann.get(KINDS).await.shows("0 of 50").shows("No kinds of your own yet").shows("Templates").shows("4 actions");
    has_invoices(&ann).await;
    ann.get(KINDS).await.shows("1 of 50").shows("Invoices").shows("6 actions, 2 of your own");
    let page = ann.get(INVOICES).await;
    for words in ["Invoice", "invoices.view", "invoices.approve Changes", "invoices.download Reads", "invoices.share"] {
        page.shows(words);
    }
    let edit = ann.get(&format!("{INVOICES}/edit")).await;
    assert_eq!(edit.field("key").as_deref(), Some("invoices"));
    // A name takes nothing from anybody.
    let version = edit.field("version").unwrap();
    let mut renamed = invoices(&[("Sign off", "approve", "changes"), DOWNLOAD]);
    renamed[1].1 = "Bills";
    renamed.push(("version", &version));
    let saved = ann.post(&format!("{INVOICES}/edit"), &renamed).await;
    assert_eq!((saved.status, saved.header("location")), (303, &*format!("{INVOICES}?notice=saved")));
    ann.get(INVOICES).await.shows("Bills").shows("Sign off");
    // The key stays.
    let version = ann.get(&format!("{INVOICES}/edit")).await.field("version").unwrap();
    let other = [("singular", "Bill"), ("plural", "Bills"), ("key", "bills"), ("version", &*version)];
    let refused = ann.post(&format!("{INVOICES}/edit"), &other).await;
    assert_eq!(refused.status, 422);
    refused.shows("The key of a kind cannot change.");
    ann.get(&format!("{INVOICES}/deletion")).await.shows("Delete “Bills”?").shows("Administrator");
    assert_eq!(deletes(&ann).await.status, 303);
    for path in ["", "/edit", "/deletion"] {
        assert_eq!(ann.get(&format!("{INVOICES}{path}")).await.status, 404, "{path}");
        assert_eq!(ann.post(&format!("{INVOICES}{path}"), &[]).await.status, 404, "{path}");
    }
    ann.get(KINDS).await.shows("0 of 50");
    // The built-in ones stay as they are.
    ann.get(org!("/kinds/inspections")).await.shows("inspections.conduct Changes Edit");
    for path in ["edit", "deletion"] {
        let path = format!("{KINDS}/inspections/{path}");
        assert_eq!((ann.get(&path).await.status, ann.post(&path, &[]).await.status), (404, 404), "{path}");
    }
}

#[db_test]
async fn administrators_hold_its_permissions_and_others_when_they_get_them(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let before = ann.makes_token_with("Before", "read_write").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let of_ben = ben.makes_token_with("Excel", "read_write").await;
    assert_eq!(permissions(&app, &before).await.len(), 21);
    assert_eq!(may(&app, &before, "invoices.approve").await, refused("invalid_request"));
    has_invoices(&ann).await;
    assert_eq!(permissions(&app, &before).await.len(), 27);
    assert_eq!(may(&app, &before, "invoices.approve").await, fine());
    assert_eq!(may(&app, &before, "invoices.pay").await, refused("invalid_request"));
    assert_eq!(may(&app, &of_ben, "invoices.approve").await, refused("insufficient_scope"));

    let set = makes_set(&ann, "Accountants", &["invoices.view", "invoices.approve"]).await;
    ann.get(&set).await.shows("Invoices 2 of 6").shows("Approve").shows("Download as PDF");
    ann.get(SETS).await.shows("2 permissions").shows("27 permissions");
    assert_eq!(ann.gives("Ben", "Accountants").await.status, 303);
    assert_eq!(permissions(&app, &of_ben).await, ["invoices.approve", "invoices.view"]);
    assert_eq!(may(&app, &of_ben, "invoices.view%20invoices.approve").await, fine());
    assert_eq!(may(&app, &of_ben, "invoices.download").await, refused("insufficient_scope"));

    ann.get(&format!("{TOKENS}/new")).await.shows("Invoices 6 of 6").shows("Download as PDF");
    let robot = service_key(&ann, "Robot", &["invoices.download", "platform.verify_tokens"]).await;
    assert_eq!(permissions(&app, &robot).await, ["platform.verify_tokens", "invoices.download"]);
    let page = ann.service_token("Robot").await;
    ann.get(&page).await.shows("2 of 27").shows("Invoices").shows("Download as PDF");
    ann.get(TOKENS).await.shows("Platform management: Verify tokens, Invoices: Download as PDF");
    let headers = app.with_key("GET", "/verify", &robot).await;
    assert_eq!(headers.header("jeton-permissions"), "platform.verify_tokens invoices.download");
    let bearer = format!("Bearer {robot}");
    let headers = [("authorization", &*bearer), ("content-type", "application/x-www-form-urlencoded")];
    let introspected = app.send("POST", "/oauth2/introspect", &headers, &format!("token={of_ben}")).await.json();
    assert_eq!(introspected["permissions"], json!(["invoices.approve", "invoices.view"]));
    ann.get(org!("/activity")).await.shows("created the kind Invoices").shows("Invoices: Approve");
}

#[db_test]
async fn a_read_only_token_gets_what_reads(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    has_invoices(&ann).await;
    let key = ann.makes_token_with("Report", "read").await;
    let writes = ann.makes_token_with("Script", "read_write").await;
    let own = |all: Vec<String>| all.into_iter().filter(|key| key.starts_with("invoices.")).collect::<Vec<_>>();
    assert_eq!(own(permissions(&app, &key).await), ["invoices.download", "invoices.view"]);
    assert_eq!(may(&app, &key, "invoices.approve").await, refused("insufficient_scope"));

    // What reads from now on, and what does not any more.
    let turned = [("Approve", "approve", "reads"), ("Download as PDF", "download", "changes")];
    let version = ann.get(&format!("{INVOICES}/edit")).await.field("version").unwrap();
    let mut fields = invoices(&turned);
    fields.push(("version", &version));
    let preview = ann.post(&format!("{INVOICES}/edit"), &fields).await;
    assert_eq!(preview.status, 200);
    preview.shows("Read-only tokens lose what now changes something: Invoices: Download as PDF.");
    preview.shows("can do what now only reads: Invoices: Approve.");
    preview.shows("Administrator").shows("1 token loses something");
    assert_eq!(may(&app, &key, "invoices.download").await, fine(), "nothing is saved yet");
    assert_eq!(changes(&ann, &turned).await.status, 303);
    assert_eq!(own(permissions(&app, &key).await), ["invoices.approve", "invoices.view"]);
    assert_eq!(may(&app, &writes, "invoices.download").await, fine());
    let log = ann.get(org!("/activity")).await;
    log.shows("Now only reads: Invoices: Approve.").shows("Now changes something: Invoices: Download as PDF.");
}

#[db_test]
async fn letting_read_only_tokens_do_more_needs_the_password(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    has_invoices(&ann).await;
    let key = ann.makes_token_with("Report", "read").await;
    app.clock.advance(11 * 60);
    let version = ann.get(&format!("{INVOICES}/edit")).await.field("version").unwrap();
    let mut fields = invoices(&[("Approve", "approve", "reads"), DOWNLOAD]);
    fields.push(("version", &version));
    let preview = ann.post(&format!("{INVOICES}/edit"), &fields).await;
    assert_eq!(preview.status, 200);
    preview.shows("can do what now only reads: Invoices: Approve.").shows("Your password");
    let affected = preview.field("affected").unwrap();
    fields.push(("affected", &affected));
    for password in ["", "not this one"] {
        let refused = ann.post(INVOICES, &[&fields[..], &[("password", password)]].concat()).await;
        assert_eq!(refused.status, 422, "{password}");
        refused.shows("Your password");
    }
    assert_eq!(may(&app, &key, "invoices.approve").await, refused("insufficient_scope"));
    let saved = ann.post(INVOICES, &[&fields[..], &[("password", PASSWORD)]].concat()).await;
    assert_eq!(saved.status, 303);
    assert_eq!(may(&app, &key, "invoices.approve").await, fine());
    // What takes something away never needs it.
    app.clock.advance(11 * 60);
    assert_eq!(changes(&ann, &[DOWNLOAD]).await.status, 303);
    assert_eq!(deletes(&ann).await.status, 303);
}

#[db_test]
async fn a_deletion_says_who_loses_what_and_takes_it_at_once(db: TestDb) {
    let (app, ann) = TestApp::with_proxies(db, "Ann").await;
    has_invoices(&ann).await;
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    makes_set(&ann, "Accountants <b>", &["assets.view", "invoices.approve"]).await;
    assert_eq!(ann.gives("Ben", "Accountants <b>").await.status, 303);
    let of_ben = ben.makes_token_with("Excel", "read_write").await;
    let robot = service_key(&ann, "Robot <i>", &["assets.view", "invoices.view"]).await;
    let api = [
        ("name", "Billing API"),
        ("address", "https://api.example.org"),
        ("methods[]", "any"),
        ("path[]", "/**"),
        ("needs[]", "read"),
        ("permission[]", "invoices.view"),
    ];
    let api_page = ann.post(org!("/integrations/apis"), &api).await;
    let api_page = api_page.header("location").trim_end_matches("?notice=created").to_owned();
    ann.get(&api_page).await.shows("Invoices: View");
    let asks = |key: &str| {
        let headers = [
            ("authorization", format!("Bearer {key}")),
            ("x-original-method", "GET".to_owned()),
            ("x-original-uri", "/x".to_owned()),
        ];
        let path = format!("/verify/apis/{}", api_page.rsplit_once('/').unwrap().1);
        let app = &app;
        async move {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            app.send("GET", &path, &headers, "").await.status
        }
    };
    assert_eq!(asks(&robot).await, 200);

    let asked = ann.get(&format!("{INVOICES}/deletion")).await;
    asked.shows("Accountants <b>").shows("1 user").shows("Invoices: Approve").shows("Robot <i>").shows("Billing API");
    assert!(!asked.body.contains("<b>") && !asked.body.contains("<i>"), "names are inert");
    // Somebody else gets one of the permissions meanwhile.
    let affected = asked.field("affected").unwrap();
    service_key(&ann, "Late", &["invoices.share"]).await;
    let late = ann.post(&format!("{INVOICES}/deletion"), &[("affected", &affected)]).await;
    assert_eq!(late.status, 422);
    late.shows("Late").shows("Invoices: Share");
    assert_eq!(may(&app, &of_ben, "invoices.approve").await, fine());

    assert_eq!(deletes(&ann).await.status, 303);
    assert_eq!(permissions(&app, &of_ben).await, ["assets.view"]);
    assert_eq!(permissions(&app, &robot).await, ["assets.view"]);
    assert_eq!(may(&app, &of_ben, "invoices.approve").await, refused("invalid_request"));
    assert_eq!(asks(&robot).await, 403, "what asks for a permission that has gone lets nobody through");
    ann.get(&api_page).await.shows("invoices.view");
    let edit = ann.get(&format!("{api_page}/edit")).await;
    edit.shows("invoices.view: does not exist any more");
    let version = edit.field("version").unwrap();
    let again = ann.post(&format!("{api_page}/edit"), &[&api[..], &[("version", &version)]].concat()).await;
    assert_eq!(again.status, 422);
    again.shows("A rule asks for a permission or a kind that does not exist any more.");

    let log = ann.get(org!("/activity")).await;
    log.shows("deleted the kind Invoices").shows("changed the permission set Accountants <b>");
    log.shows("Removed: invoices.approve.");
    // A kind of the same key gives nobody back what they had.
    has_invoices(&ann).await;
    assert_eq!(permissions(&app, &of_ben).await, ["assets.view"]);
    assert_eq!(permissions(&app, &robot).await, ["assets.view"]);
}

#[db_test]
async fn a_change_that_takes_an_action_away_is_shown_before(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    has_invoices(&ann).await;
    let robot = service_key(&ann, "Robot", &["invoices.view", "invoices.approve"]).await;
    let version = ann.get(&format!("{INVOICES}/edit")).await.field("version").unwrap();
    let mut fields = invoices(&[DOWNLOAD]);
    fields.push(("version", &version));
    let preview = ann.post(&format!("{INVOICES}/edit"), &fields).await;
    preview.shows("These permissions cease to exist: Invoices: Approve.").shows("Robot");
    // Without what the preview showed, nothing is saved.
    for affected in ["", "0"] {
        let unseen = ann.post(INVOICES, &[&fields[..], &[("affected", affected)]].concat()).await;
        assert_eq!(unseen.status, 422, "{affected}");
        unseen.shows("Robot");
    }
    // Back to the form, with everything that was typed.
    let back = ann.post(&format!("{INVOICES}/edit"), &[&fields[..], &[("step", "back")]].concat()).await;
    assert_eq!(back.status, 200);
    assert_eq!(back.field("action[]").as_deref(), Some("download"));
    assert_eq!(may(&app, &robot, "invoices.approve").await, fine());
    assert_eq!(changes(&ann, &[DOWNLOAD]).await.status, 303);
    assert_eq!(permissions(&app, &robot).await, ["invoices.view"]);
    // An action of the same key later gives nothing back.
    assert_eq!(changes(&ann, &[DOWNLOAD, APPROVE]).await.status, 303);
    assert_eq!(permissions(&app, &robot).await, ["invoices.view"]);
}

#[db_test]
async fn a_permission_of_one_organization_means_nothing_in_another(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let eve = app.add_organization("elsewhere", "Eve").await;
    has_invoices(&ann).await;
    let (of_ann, of_eve) =
        (ann.makes_token_with("A", "read_write").await, eve.makes_token_with("B", "read_write").await);
    assert_eq!(may(&app, &of_ann, "invoices.approve").await, fine());
    assert_eq!(may(&app, &of_eve, "invoices.approve").await, refused("invalid_request"));
    assert_eq!(permissions(&app, &of_eve).await.len(), 21);
    // Theirs of the same key are their own.
    let mut theirs = invoices(&[]);
    theirs[1].1 = "Factures";
    assert_eq!(eve.post("/orgs/elsewhere/kinds", &theirs).await.status, 303);
    assert_eq!(may(&app, &of_eve, "invoices.view").await, fine());
    assert_eq!(may(&app, &of_eve, "invoices.approve").await, refused("invalid_request"));
    let set = [("name", "Approvers"), ("permission", "invoices.approve")];
    assert_eq!(eve.post("/orgs/elsewhere/permission-sets", &set).await.status, 422);
    assert_eq!(eve.get(INVOICES).await.status, 404);
    assert_eq!(eve.post(&format!("{INVOICES}/deletion"), &[]).await.status, 404);
    // What ends here stays there.
    assert_eq!(deletes(&ann).await.status, 303);
    assert_eq!(may(&app, &of_ann, "invoices.view").await, refused("invalid_request"));
    assert_eq!(may(&app, &of_eve, "invoices.view").await, fine());
}

#[db_test]
async fn who_makes_a_kind_without_being_an_administrator_holds_nothing_of_it(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    makes_set(&ann, "Designers", &["platform.kinds", "platform.permission_sets", "platform.integrations"]).await;
    assert_eq!(ann.gives("Ben", "Designers").await.status, 303);
    has_invoices(&ben).await;
    let key = ben.makes_token_with("Mine", "read_write").await;
    assert_eq!(may(&app, &key, "invoices.view").await, refused("insufficient_scope"));
    let set = ben.post(SETS, &[("name", "More"), ("permission", "invoices.view")]).await;
    assert_eq!(set.status, 422);
    set.shows("You do not hold: Invoices: View.");
    let robot = ben.asks_for_service_token("Robot", "45", &["invoices.approve"]).await;
    assert_eq!(robot.status, 422);
    robot.shows("You do not hold: Invoices: Approve.");
    assert_eq!(changes(&ben, &[APPROVE, DOWNLOAD, ("Pay", "pay", "changes")]).await.status, 303);
    assert_eq!(permissions(&app, &key).await.len(), 3);
}

#[db_test]
async fn a_kind_whose_permissions_nobody_would_hold_is_not_created(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let all: Vec<&str> = domain::permission::BuiltInPermission::ALL.iter().map(|permission| permission.key()).collect();
    makes_set(&ann, "Everything", &all).await;
    app.add_user("Ben", BuiltInSet::Administrator).await;
    for name in ["Ben", "Ann"] {
        assert_eq!(ann.gives(name, "Everything").await.status, 303, "{name}");
    }
    let refused = ann.post(KINDS, &invoices(&[])).await;
    assert_eq!(refused.status, 422);
    refused.shows("give the permission set Administrator to an active user first");
    assert_eq!(ann.gives("Ben", "Administrator").await.status, 303);
    has_invoices(&ann).await;
    // Who administers the organization still does, and is not the last who holds everything.
    assert_eq!(ann.get(org!("/settings")).await.status, 200);
    assert_eq!(ann.gives("Ben", "Reader").await.status, 422);
}

#[db_test]
async fn bad_forms_come_back_with_what_was_typed_and_the_message_at_its_field(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    has_invoices(&ann).await;
    let with = |name: &'static str, value: &'static str| {
        let mut fields = vec![("singular", "Visit"), ("plural", "Visits"), ("key", "visits")];
        fields.retain(|(field, _)| *field != name);
        fields.push((name, value));
        fields
    };
    for (name, value, message) in [
        ("singular", "", "Enter the name of one."),
        ("plural", " ", "Enter the name of several."),
        ("plural", "invoices", "This name is already taken."),
        ("plural", "MODÈLES", "This name is already taken."),
        ("plural", "a\u{202e}b", "U+202E"),
        ("key", "", "Enter a key."),
        ("key", "Visits", "A key has 2 to 32"),
        ("key", "v", "A key has 2 to 32"),
        ("key", "platform", "This key has a meaning already."),
        ("key", "assets", "This key has a meaning already."),
        ("key", "new", "This key has a meaning already."),
        ("key", "invoices", "Another kind has this key."),
    ] {
        let refused = ann.post(KINDS, &with(name, value)).await;
        assert_eq!(refused.status, 422, "{name} {value}");
        refused.shows(message);
        assert_eq!(refused.field(name).as_deref(), Some(value));
        assert!(refused.body.contains(&format!("id=\"{name}-error\"")), "{name} {value}");
    }
    for (actions, message) in [
        (&[("", "pay", "changes")][..], "Action 1: Enter its name."),
        (&[("Pay", "", "changes")], "Action 1: Enter a key."),
        (&[("Pay", "Pay", "changes")], "Action 1: A key has"),
        (&[("Pay", "share", "changes")], "Action 1: This key has a meaning already."),
        (&[("Pay", "pay", "")], "Action 1: Choose whether it reads or changes."),
        (&[("Pay", "pay", "reads"), ("Send", "pay", "reads")], "Action 2: Another action has this key."),
        (&[("Pay", "pay", "reads"), ("PAY", "pay_2", "reads")], "Action 2: Another action has this name."),
    ] {
        let mut fields = with("key", "visits");
        for (name, key, nature) in actions {
            fields.extend([("name[]", *name), ("action[]", *key), ("nature[]", *nature)]);
        }
        let refused = ann.post(KINDS, &fields).await;
        assert_eq!(refused.status, 422, "{actions:?}");
        refused.shows(message);
        assert!(refused.body.contains("aria-describedby=\"actions-error\""), "{actions:?}");
    }
    assert_eq!(count(&app, "kinds"), 1);
    // A row that was left blank is none.
    let mut blank = with("key", "visits");
    blank.extend([("name[]", " "), ("action[]", ""), ("nature[]", "changes")]);
    assert_eq!(ann.post(KINDS, &blank).await.status, 303);
}

#[db_test]
async fn rows_of_actions_are_added_and_removed_without_saving(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let added = ann.post(KINDS, &[&invoices(&[APPROVE])[..], &[("step", "add")]].concat()).await;
    assert_eq!((added.status, added.body.matches("name=\"action[]\"").count()), (200, 2));
    assert_eq!(added.field("plural").as_deref(), Some("Invoices"));
    let removed = ann.post(KINDS, &[&invoices(&[APPROVE, DOWNLOAD])[..], &[("step", "remove.1")]].concat()).await;
    assert_eq!(removed.field("action[]").as_deref(), Some("download"));
    let names: Vec<(String, String)> = (1..=13).map(|n| (format!("Step {n}"), format!("step_{n}"))).collect();
    let steps: Vec<(&str, &str, &str)> = names.iter().map(|(name, key)| (&**name, &**key, "reads")).collect();
    let full = ann.post(KINDS, &[&invoices(&steps[..12])[..], &[("step", "add")]].concat()).await;
    assert_eq!(full.body.matches("name=\"action[]\"").count(), 12);
    full.shows("the most actions of your own that a kind can have: 12");
    assert!(!full.body.contains("value=\"add\""));
    let refused = ann.post(KINDS, &invoices(&steps)).await;
    assert_eq!(refused.status, 422);
    refused.shows("A kind can have 12 actions of your own at most.");
    assert_eq!(count(&app, "kinds"), 0);
    assert_eq!(ann.post(KINDS, &invoices(&steps[..12])).await.status, 303);
}

#[db_test]
async fn an_organization_has_fifty_kinds_at_most(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for n in 1..=49 {
        let (name, key) = (format!("Kind {n}"), format!("kind_{n}"));
        let kind = [("singular", &*name), ("plural", &name), ("key", &key)];
        assert_eq!(ann.post(KINDS, &kind).await.status, 303, "{n}");
    }
    // Two at once for the last place.
    let last = ["fifty", "fifty_one"].map(|key| {
        let ann = ann.copy();
        async move { ann.post(KINDS, &[("singular", key), ("plural", key), ("key", key)]).await.status }
    });
    let mut answers = join_all(last).await;
    answers.sort_unstable();
    assert_eq!((answers, count(&app, "kinds")), (vec![303, 422], 50));
    let full = ann.get(KINDS).await;
    full.shows("50 of 50").shows("the most kinds that an organization can have");
    assert!(!full.body.contains("/kinds/new"), "nothing leads to a form that is refused");
    let refused = ann.post(KINDS, &invoices(&[])).await;
    assert_eq!(refused.status, 422);
    refused.shows("An organization can have 50 kinds of its own at most.");
    // All of their permissions can be given at once.
    let key = ann.makes_token_with("All", "read_write").await;
    let all = permissions(&app, &key).await;
    assert_eq!(all.len(), 21 + 200);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let set = makes_set(&ann, "Everything", &all).await;
    ann.get(&set).await.shows("Kind 49 4 of 4");
    assert_eq!(permissions(&app, &service_key(&ann, "Robot", &all).await).await.len(), 221);
}

#[db_test]
async fn a_form_that_is_sent_twice_creates_one_kind(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sent = join_all((0..3).map(|_| {
        let ann = ann.copy();
        async move { ann.post(KINDS, &invoices(&[])).await.status }
    }));
    let mut answers = sent.await;
    answers.sort_unstable();
    assert_eq!((answers, count(&app, "kinds")), (vec![303, 422, 422], 1));
}

#[db_test]
async fn the_second_of_two_administrators_is_told_and_loses_nothing(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Administrator).await;
    has_invoices(&ann).await;
    let version = ben.get(&format!("{INVOICES}/edit")).await.field("version").unwrap();
    assert_eq!(changes(&ann, &[APPROVE, DOWNLOAD, ("Pay", "pay", "changes")]).await.status, 303);
    let mut stale = invoices(&[APPROVE, DOWNLOAD, ("Send", "send", "changes")]);
    stale.push(("version", &version));
    for path in [format!("{INVOICES}/edit"), INVOICES.to_owned()] {
        let told = ben.post(&path, &stale).await;
        assert_eq!(told.status, 422, "{path}");
        told.shows("Pay").shows("Current version");
        assert!(told.body.contains("value=\"send\""), "{path}: what was typed stays");
    }
    let told = ben.post(&format!("{INVOICES}/edit"), &stale).await;
    let newest = told.field("version").unwrap();
    assert_ne!(newest, version, "who has seen the newest version may replace it");
    ann.get(INVOICES).await.shows("invoices.pay");
}

#[db_test]
async fn a_kind_may_go_while_somebody_chooses_its_permissions(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Administrator).await;
    has_invoices(&ann).await;
    let set = makes_set(&ann, "Accountants", &["assets.view", "invoices.view"]).await;
    let robot = service_key(&ann, "Robot", &["assets.view", "invoices.view"]).await;
    let token = ann.service_token("Robot").await;
    let version = ben.get(&format!("{set}/edit")).await.field("version").unwrap();
    let of_token = ben.get(&format!("{token}/permissions")).await.field("version").unwrap();
    assert_eq!(deletes(&ann).await.status, 303);

    let chosen = [("permission", "assets.view"), ("permission", "invoices.view")];
    let edited = [&chosen[..], &[("name", "Accountants"), ("version", &version)]].concat();
    let told = ben.post(&format!("{set}/edit"), &edited).await;
    assert_eq!(told.status, 422);
    told.shows("Current version").shows("Assets: View");
    let edited = [&chosen[..], &[("version", &of_token)]].concat();
    let told = ben.post(&format!("{token}/permissions"), &edited).await;
    assert_eq!(told.status, 422);
    told.shows("A permission that was chosen does not exist any more.");
    let new = ben.post(SETS, &[&chosen[..], &[("name", "Others")]].concat()).await;
    assert_eq!(new.status, 422);
    new.shows("A permission that was chosen does not exist any more.");
    assert_eq!(new.field("name").as_deref(), Some("Others"));
    let new = ben.asks_for_service_token("Late", "45", &["assets.view", "invoices.view"]).await;
    assert_eq!((new.status, new.key()), (422, None));
    assert_eq!(permissions(&app, &robot).await, ["assets.view"]);
}

#[db_test]
async fn names_of_kinds_and_actions_are_inert_everywhere(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let evil = "<script>alert(1)</script>{count}";
    let kind = [
        ("singular", evil),
        ("plural", evil),
        ("key", "evil"),
        ("name[]", evil),
        ("action[]", "strike"),
        ("nature[]", "changes"),
    ];
    assert_eq!(ann.post(KINDS, &kind).await.status, 303);
    let set = makes_set(&ann, "Evil", &["evil.strike"]).await;
    let key = service_key(&ann, "Robot", &["evil.strike"]).await;
    let token = ann.service_token("Robot").await;
    let api = [
        ("name", "Evil API"),
        ("address", "https://api.example.org"),
        ("methods[]", "any"),
        ("path[]", "/**"),
        ("needs[]", "read"),
        ("permission[]", "evil.strike"),
    ];
    let api = ann.post(org!("/integrations/apis"), &api).await;
    let api = api.header("location").trim_end_matches("?notice=created").to_owned();
    for language in ["en", "fr"] {
        if language == "fr" {
            speaks_french(&ann).await;
        }
        for page in [
            KINDS,
            org!("/kinds/evil"),
            org!("/kinds/evil/edit"),
            org!("/kinds/evil/deletion"),
            &set,
            &format!("{set}/edit"),
            &token,
            &format!("{token}/permissions"),
            &format!("{TOKENS}/new"),
            TOKENS,
            &api,
            &format!("{api}/edit"),
            org!("/activity"),
        ] {
            let shown = ann.get(page).await;
            assert_eq!(shown.status, 200, "{page}");
            assert!(!shown.body.contains("<script>alert"), "{page} {language}");
            assert!(shown.text().contains(evil), "{page} {language}: {}", shown.text());
        }
    }
    assert_eq!(permissions(&app, &key).await, ["evil.strike"]);
}

#[db_test]
async fn both_languages_name_the_actions_that_every_kind_has(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    has_invoices(&ann).await;
    speaks_french(&ann).await;
    let french = ann.get(&format!("{INVOICES}/edit")).await;
    french.shows("Modifier « Invoices »").shows("Actions et leurs autorisations").shows("2 sur 12 à vous");
    ann.get(INVOICES).await.shows("Créer et modifier").shows("Modifie").shows("Gérer");
    ann.get(&format!("{ORG}/kinds/templates")).await.shows("Modèles").shows("templates.share");
}
