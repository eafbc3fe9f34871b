//! Service users' API tokens, through their pages. The first tests are the rows of the table at the top of the second
//! document, which says how they differ from users' own tokens.

use crate::harness::{
    DAY, PASSWORD, Person, SLUG, TestApp, TestDb, activity, count, db_test, everything_stored, org, service::TOKENS,
};
use diesel::{RunQueryDsl, sql_query};
use domain::permission::{BuiltInSet, Permissions};
use storage::{AnyConnection, DatabaseUrl};

const HOUR: i64 = 3600;
/// Runs SQL as another process would.
fn behind_its_back(app: &TestApp, sql: &str) {
    let change = |connection: &mut AnyConnection| Ok(sql_query(sql).execute(connection).map(drop)?);
    app.change_authority(change);
}

/// Returns the permissions of the subject of this key.
async fn permissions(app: &TestApp, key: &str) -> String {
    let me = app.me(key).await;
    assert_eq!(me.status, 200, "{}", me.body);
    let keys: Vec<String> = serde_json::from_value(me.json()["permissions"].clone()).unwrap();
    keys.join(" ")
}

async fn version(ann: &Person, token: &str) -> String {
    ann.get(&format!("{token}/name")).await.field("version").unwrap()
}

#[db_test]
async fn ownership_a_token_belongs_to_its_service_user_or_user(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let service = app.me(&ann.makes_service_token("Workato").await).await.json();
    let own = app.me(&ann.makes_token("Power BI").await).await.json();
    assert_eq!((&service["subject"]["name"], &service["token"]["kind"]), (&"Workato".into(), &"service".into()));
    assert_eq!((&own["subject"]["name"], &own["token"]["kind"]), (&"Ann".into(), &"personal".into()));
    assert_eq!(service["organization"]["slug"], SLUG);
}

#[db_test]
async fn login_a_service_user_cannot_sign_in(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_service_token("Workato").await;
    for path in ["/account/tokens", TOKENS, "/account/profile"] {
        let answer = app.with_key("GET", path, &key).await;
        assert!(answer.status == 303 && answer.header("location").starts_with("/sign-in"), "{path}");
    }
    for email in ["Workato", "workato@example.org"] {
        let answer = app.browser("Thief").post("/sign-in", &[("email", email), ("password", &key)]).await;
        assert_eq!(answer.status, 422);
    }
    assert_eq!(count(&app, "users"), 1, "there is nobody to sign in as");
}

#[db_test]
async fn permissions_of_a_service_user_are_assigned_and_those_of_a_user_inherited(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let answer = ann.asks_for_service_token("Workato", "45", &["templates.view", "assets.edit"]).await;
    let service = answer.key().unwrap();
    let own = ann.makes_token_with("Power BI", "read_write").await;
    assert_eq!(permissions(&app, &service).await, "templates.view assets.edit");
    assert_eq!(permissions(&app, &own).await, Permissions::built_in().keys());
    let reader =
        "UPDATE memberships SET permission_set_id = (SELECT id FROM permission_sets WHERE built_in = 'reader')";
    behind_its_back(&app, reader);
    assert_eq!(permissions(&app, &service).await, "templates.view assets.edit");
    assert_eq!(permissions(&app, &own).await, BuiltInSet::Reader.permissions().keys());
}

#[db_test]
async fn group_and_site_access_a_service_user_has_none(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let me = app.me(&ann.makes_service_token("Workato").await).await.json();
    assert!(me.get("groups").is_none() && me.get("sites").is_none(), "{me}");
    assert_eq!(count(&app, "memberships"), 1, "no place among the users, through which groups and sites reach");
}

#[db_test]
async fn integrations_a_service_users_token_is_managed_by_all_who_hold_integrations(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_service_token("Workato").await;
    let ben = app.add_user("Ben", BuiltInSet::Administrator).await;
    let token = ben.service_token("Workato").await;
    ben.get(&token).await.shows("Created by").shows("Ann");
    assert_eq!(ben.changes(&token, "expiry", &[("inactivity", "180")]).await.status, 303);
    app.clock.advance(179 * DAY);
    assert_eq!(app.me(&key).await.status, 200, "for the long term");
}

#[db_test]
async fn token_stability_changes_to_users_never_affect_a_service_users_token(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (service, own) = (ann.makes_service_token("Workato").await, ann.makes_token("Power BI").await);
    behind_its_back(&app, "UPDATE memberships SET is_active = FALSE");
    assert_eq!((app.me(&service).await.status, app.me(&own).await.status), (200, 401));
}

#[db_test]
async fn activity_log_what_a_token_does_is_logged_under_its_service_user(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (service, own) = (ann.makes_service_token("Workato").await, ann.makes_token("Power BI").await);
    app.me(&service).await;
    app.me(&own).await;
    app::maintenance::flush_usage(&app.jeton).await.unwrap();
    let log = activity(&app.db);
    let who: Vec<_> = log.iter().filter(|entry| entry.action == "token.first_used").collect();
    let who: Vec<_> = who.iter().map(|entry| (entry.actor_name.as_str(), entry.token_label.as_deref())).collect();
    assert_eq!(who.len(), 2);
    assert!(who.contains(&("Workato", Some("Workato"))) && who.contains(&("Ann", Some("Power BI"))), "{who:?}");
}

#[db_test]
async fn visibility_service_users_are_in_no_list_of_users(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_service_token("Workato").await;
    ann.makes_token("Power BI").await;
    let own = ann.get("/account/tokens").await;
    own.shows("Power BI").shows("1 of 10");
    let users = ann.get(org!("/users")).await;
    assert!(!own.text().contains("Workato") && !users.text().contains("Workato"));
    let shared = ann.get(TOKENS).await;
    shared.shows("Workato").shows("1 of 20");
    assert!(!shared.text().contains("Power BI"));
}

#[db_test]
async fn billing_a_service_user_takes_no_seat(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_service_token("Workato").await;
    assert_eq!(count(&app, "seats"), 1);
    app.add_user("Ben", BuiltInSet::Reader).await;
    assert_eq!(count(&app, "seats"), 2, "a user does");
}

#[db_test]
async fn the_key_is_shown_once_and_never_stored(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let answer = ann.asks_for_service_token("Workato", "45", &["templates.view"]).await;
    let key = answer.key().unwrap();
    assert!(key.starts_with("jtn_s_") && key.len() == 44, "{key}");
    assert_eq!((answer.header("cache-control"), answer.header("referrer-policy")), ("no-store", "strict-origin"));
    let token = ann.service_token("Workato").await;
    for path in [TOKENS, &token, &format!("{token}/name"), &format!("{token}/revocation")] {
        assert!(!ann.get(path).await.body.contains(&key[6..18]), "{path}");
    }
    app::maintenance::flush_usage(&app.jeton).await.unwrap();
    let stored = everything_stored(&app);
    assert!(!crate::harness::contains(&stored, &key.as_bytes()[6..18]));
}

#[db_test]
async fn a_wrong_form_keeps_what_was_typed(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    ann.get(&format!("{TOKENS}/new")).await.shows("9 of 9").shows("4 of 4");
    let none = ann.asks_for_service_token("Workato", "60", &[]).await;
    assert_eq!(none.status, 422);
    none.shows("Choose at least one permission.");
    assert_eq!(none.field("name").as_deref(), Some("Workato"));
    let nameless = ann.asks_for_service_token(" ", "46", &["assets.view"]).await;
    assert_eq!(nameless.status, 422);
    nameless.shows("Enter a name that says what the token is for.").shows("Choose one of the four periods.");
    assert!(nameless.body.contains("value=\"assets.view\" checked"), "{}", nameless.body);
    ann.get(TOKENS).await.shows("The first API token of Croix-Bleue Sahel");
}

#[db_test]
async fn selecting_all_or_none_works_without_scripts_and_creates_nothing(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let fields = [("name", "Workato"), ("inactivity", "60"), ("permission", "assets.view"), ("pick", "all.templates")];
    ann.get(&format!("{TOKENS}/new")).await;
    let all = ann.post(TOKENS, &fields).await;
    assert_eq!(all.body.matches(" checked").count(), 4 + 1 + 1, "templates, the asset, the period");
    assert_eq!(all.field("name").as_deref(), Some("Workato"));
    ann.get(TOKENS).await.shows("The first API token");
}

#[db_test]
async fn a_form_sent_twice_creates_one_token(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let nonce = ann.get(&format!("{TOKENS}/new")).await.field("nonce").unwrap();
    let fields = [("name", "Workato"), ("inactivity", "45"), ("permission", "assets.view"), ("nonce", &nonce)];
    assert_eq!(ann.post(TOKENS, &fields).await.status, 200);
    let again = ann.post(TOKENS, &fields).await;
    assert_eq!((again.status, again.key()), (422, None));
    again.shows("its API token was created: it is in the list");
    ann.get(TOKENS).await.shows("1 of 20");
}

#[db_test]
async fn the_twenty_first_is_refused_with_a_choice_of_what_to_revoke(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for number in 1..=20 {
        ann.makes_service_token(&format!("Integration {number}")).await;
    }
    ann.get(TOKENS).await.shows("20 of 20");
    let refused = ann.asks_for_service_token("One more", "45", &["assets.view"]).await;
    assert_eq!(refused.status, 422);
    refused.shows("20 active API tokens of service users, which is the limit").shows("Integration 1");
    assert_eq!(refused.field("name").as_deref(), Some("One more"));
    let first = ann.service_token("Integration 1").await;
    assert_eq!(ann.confirms(&first, "revocation").await.status, 303);
    assert_eq!(ann.asks_for_service_token("One more", "45", &["assets.view"]).await.status, 200);
    let full = ann.confirms(&first, "regeneration").await;
    assert_eq!((full.status, full.key()), (422, None), "regenerating takes a place, too");
    full.shows("which is the limit");
    assert_eq!(count(&app, "service_users"), 21);
}

#[db_test]
async fn nobody_gives_a_token_permissions_that_they_do_not_hold(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let all: Vec<String> = Permissions::built_in().iter().map(|permission| permission.key().to_owned()).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let key = ann.asks_for_service_token("Everything", "45", &all).await.key().unwrap();
    let token = ann.service_token("Everything").await;
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    let more =
        "UPDATE permission_sets SET permissions = 'platform.integrations templates.view' WHERE built_in = 'reader'";
    behind_its_back(&app, more);
    ben.get(&format!("{TOKENS}/new")).await.shows("You do not hold the greyed-out permissions yourself");
    let refused = ben.asks_for_service_token("More", "45", &["templates.view", "assets.view"]).await;
    assert_eq!(refused.status, 422);
    refused.shows("You do not hold: Assets: View.");
    // What the token has already may stay, and may go; nothing of it can be added again.
    let less =
        ben.changes(&token, "permissions", &[("permission", "assets.view"), ("permission", "assets.edit")]).await;
    assert_eq!(less.status, 303);
    assert_eq!(permissions(&app, &key).await, "assets.view assets.edit");
    let again =
        ben.changes(&token, "permissions", &[("permission", "assets.view"), ("permission", "assets.share")]).await;
    assert_eq!(again.status, 422);
    assert_eq!(permissions(&app, &key).await, "assets.view assets.edit");
    // Nor can a new key be had of what is more than oneself.
    assert_eq!(ben.confirms(&token, "revocation").await.status, 303, "to take away is always possible");
    let key = ben.confirms(&token, "regeneration").await;
    assert_eq!((key.status, key.key()), (422, None));
    key.shows("You can only grant permissions that you hold yourself");
}

#[db_test]
async fn each_part_is_edited_in_its_place(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_service_token("Workato").await;
    let token = ann.service_token("Workato").await;
    assert_eq!(ann.changes(&token, "name", &[("name", "Workato, stock")]).await.status, 303);
    ann.get(&format!("{token}?notice=name-saved")).await.shows("Workato, stock").shows("The name is saved.");
    assert_eq!(app.me(&key).await.json()["subject"]["name"], "Workato, stock");
    assert_eq!(ann.changes(&token, "expiry", &[("inactivity", "60")]).await.status, 303);
    ann.get(&token).await.shows("60 days");
    let fields = [("permission", "templates.view"), ("permission", "assets.view")];
    assert_eq!(ann.changes(&token, "permissions", &fields).await.status, 303);
    assert_eq!(permissions(&app, &key).await, "templates.view assets.view");
    for (part, field, wrong) in
        [("name", "name", " "), ("expiry", "inactivity", "46"), ("permissions", "permission", "all")]
    {
        assert_eq!(ann.changes(&token, part, &[(field, wrong)]).await.status, 422, "{part}");
    }
    let done: Vec<String> = activity(&app.db).into_iter().map(|entry| entry.action).collect();
    for action in ["token.renamed", "token.expiry_changed", "token.permissions_changed"] {
        assert_eq!(done.iter().filter(|done| *done == action).count(), 1, "{action}");
    }
}

#[db_test]
async fn a_period_that_would_expire_the_token_needs_confirmation(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_service_token("Workato").await;
    let token = ann.service_token("Workato").await;
    app.clock.advance(40 * DAY);
    ann.signs_in().await;
    let warned = ann.changes(&token, "expiry", &[("inactivity", "31")]).await;
    assert_eq!(warned.status, 422);
    warned.shows("it would expire immediately").shows("Let it expire now");
    // The confirmation is of the period that it warned of.
    assert_eq!(ann.changes(&token, "expiry", &[("inactivity", "31"), ("confirmed", "45")]).await.status, 422);
    ann.get(&token).await.shows("45 days").shows("Expires in 5 days");
    assert_eq!(ann.changes(&token, "expiry", &[("inactivity", "31"), ("confirmed", "31")]).await.status, 303);
    assert_eq!(app.me(&key).await.status, 401);
    ann.get(&token).await.shows("Expired").shows("It has ended");
    assert_eq!(ann.get(&format!("{token}/expiry")).await.status, 303, "nothing to edit any more");
}

#[db_test]
async fn of_two_administrators_neither_overwrites_the_other_unnoticed(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_service_token("Workato").await;
    let token = ann.service_token("Workato").await;
    let ben = app.add_user("Ben", BuiltInSet::Administrator).await;
    let opened = version(&ann, &token).await;
    assert_eq!(ben.changes(&token, "name", &[("name", "Of Ben")]).await.status, 303);
    let stale = ann.post(&format!("{token}/name"), &[("name", "Of Ann"), ("version", &opened)]).await;
    assert_eq!(stale.status, 422);
    stale.shows("Somebody else changed this").shows("Current value Of Ben");
    assert_eq!(stale.field("name").as_deref(), Some("Of Ann"), "what was typed is there still");
    ann.get(&token).await.shows("Of Ben");
    let newest = stale.field("version").unwrap();
    assert_eq!(ann.post(&format!("{token}/name"), &[("name", "Of Ann"), ("version", &newest)]).await.status, 303);
    ben.get(&token).await.shows("Of Ann");
}

#[db_test]
async fn revoking_takes_effect_immediately_and_twice_is_no_error(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_service_token("Workato").await;
    let token = ann.service_token("Workato").await;
    ann.get(&format!("{token}/revocation")).await.shows("You can regenerate it later");
    assert_eq!(app.me(&key).await.status, 200, "asking changes nothing");
    let first = ann.confirms(&token, "revocation").await;
    assert_eq!(app.me(&key).await.status, 401);
    ann.get(first.header("location")).await.shows("“Workato” is revoked.").shows("by Ann").shows("0 of 20");
    let second = ann.post(&format!("{token}/revocation"), &[]).await;
    ann.get(second.header("location")).await.shows("“Workato” had already ended.");
    assert_eq!(ann.get(&format!("{token}/revocation")).await.status, 303);
}

#[db_test]
async fn calls_with_a_revoked_token_are_shown_prominently(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_service_token("Workato").await;
    let token = ann.service_token("Workato").await;
    ann.confirms(&token, "revocation").await;
    let with_curl = [("authorization", &*format!("Bearer {key}")), ("user-agent", "curl/8.5.0")];
    for _ in 0..3 {
        assert_eq!(app.send("GET", "/api/v1/me", &with_curl, "").await.status, 401);
    }
    app::maintenance::flush_usage(&app.jeton).await.unwrap();
    for page in [TOKENS, &token] {
        let words = "Still called since it was revoked: 3 times, last just now from 127.0.0.1 with curl 8.5.0";
        ann.get(page).await.shows(words);
    }
}

#[db_test]
async fn regenerating_creates_a_new_key_and_the_old_one_stays_refused(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let old = ann.makes_service_token("Workato").await;
    let token = ann.service_token("Workato").await;
    assert_eq!(ann.get(&format!("{token}/regeneration")).await.status, 303, "only what has ended");
    let nonce = ann.get("/account/tokens/new").await.field("nonce").unwrap();
    let active = ann.post(&format!("{token}/regeneration"), &[("nonce", &nonce)]).await;
    assert_eq!((active.status, active.key()), (422, None));
    active.shows("This token still works. Revoke it first.");
    ann.confirms(&token, "revocation").await;
    let nonce = ann.get(&format!("{token}/regeneration")).await.field("nonce").unwrap();
    let answer = ann.post(&format!("{token}/regeneration"), &[("nonce", &nonce)]).await;
    let new = answer.key().expect("a new key");
    assert_ne!(new, old);
    assert_eq!((app.me(&old).await.status, app.me(&new).await.status), (401, 200));
    assert_eq!(permissions(&app, &new).await, "templates.view");
    ann.get(&token).await.shows("Workato").shows("Active").shows("45 days");
    let twice = ann.post(&format!("{token}/regeneration"), &[("nonce", &nonce)]).await;
    assert_eq!((twice.status, twice.key()), (422, None));
    twice.shows("the new key was created");
    assert_eq!(app.me(&new).await.status, 200);
}

#[db_test]
async fn an_expired_token_can_be_regenerated(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let old = ann.makes_service_token("Workato").await;
    app.clock.advance(45 * DAY);
    ann.signs_in().await;
    ann.get(TOKENS).await.shows("Expired").shows("0 of 20");
    let token = ann.service_token("Workato").await;
    let new = ann.confirms(&token, "regeneration").await.key().unwrap();
    assert_eq!((app.me(&old).await.status, app.me(&new).await.status), (401, 200));
}

#[db_test]
async fn only_ended_tokens_can_be_deleted_and_they_are_gone_permanently(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_service_token("Workato").await;
    let token = ann.service_token("Workato").await;
    assert_eq!(ann.get(&format!("{token}/deletion")).await.status, 303);
    let active = ann.post(&format!("{token}/deletion"), &[]).await;
    assert_eq!(active.status, 422);
    active.shows("This token still works. Revoke it first.");
    ann.confirms(&token, "revocation").await;
    let deleted = ann.confirms(&token, "deletion").await;
    ann.get(deleted.header("location")).await.shows("The API token is deleted.");
    for question in ["", "/name", "/regeneration", "/deletion"] {
        assert_eq!(ann.get(&format!("{token}{question}")).await.status, 404, "{question}");
    }
    assert_eq!(ann.post(&format!("{token}/deletion"), &[]).await.status, 404, "twice");
    assert_eq!(app.me(&key).await.status, 401);
    let log = activity(&app.db);
    let entry = log.iter().find(|entry| entry.action == "token.deleted").unwrap();
    assert_eq!(entry.token_label.as_deref(), Some("Workato"), "the log keeps the name");
}

#[db_test]
async fn granting_access_needs_the_password_and_removing_it_does_not(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_service_token("Workato").await;
    let token = ann.service_token("Workato").await;
    app.clock.advance(11 * 60);
    let asked = ann.asks_for_service_token("Another", "45", &["assets.view"]).await;
    assert_eq!(asked.status, 422);
    assert!(asked.body.contains("name=\"password\"") && asked.field("name").as_deref() == Some("Another"));
    let more = [("permission", "templates.view"), ("permission", "assets.view")];
    let asked = ann.changes(&token, "permissions", &more).await;
    assert_eq!(asked.status, 422);
    assert!(asked.body.contains("name=\"password\"") && asked.body.contains("value=\"assets.view\" checked"));
    let rotation = ann.confirms_with(&token, "rotation", &[("hours", "24")]).await;
    assert_eq!((rotation.status, rotation.key()), (422, None));
    assert!(rotation.body.contains("name=\"password\""));
    assert_eq!(ann.confirms(&token, "revocation").await.status, 303);
    assert_eq!(ann.confirms(&token, "regeneration").await.status, 422);
    let proven = ann.confirms_with(&token, "regeneration", &[("password", PASSWORD)]).await;
    assert_eq!(proven.status, 200);
}

#[db_test]
async fn a_key_is_replaced_without_an_interruption(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let old = ann.makes_service_token("Workato").await;
    let token = ann.service_token("Workato").await;
    for wrong in ["0", "169", "soon", ""] {
        assert_eq!(ann.confirms_with(&token, "rotation", &[("hours", wrong)]).await.status, 422, "{wrong:?}");
    }
    let answer = ann.confirms_with(&token, "rotation", &[("hours", "24"), ("quiet", "6")]).await;
    let new = answer.key().expect("a new key");
    answer.shows("The old key keeps working until");
    assert_eq!((app.me(&old).await.status, app.me(&new).await.status), (200, 200));
    ann.get(TOKENS).await.shows("1 of 20").shows("Two keys");
    ann.get(&token).await.shows("Two keys work").shows("Ends earlier").shows("unused for 6 hours");
    // Which key is used is said of each.
    let headers = [("hx-request", "true"), ("hx-target", "section#keys")];
    let part = ann.request("GET", &token, &headers, String::new()).await;
    assert!(part.body.trim_start().starts_with("<section") && part.body.contains("every 5s"), "{}", part.body);
    part.shows("127.0.0.1");
    let second = ann.confirms_with(&token, "rotation", &[("hours", "24")]).await;
    assert_eq!((second.status, second.key()), (422, None), "one overlap at a time");

    assert_eq!(ann.get(&format!("{token}/old-key")).await.status, 200);
    assert_eq!(app.me(&old).await.status, 200, "asking changes nothing");
    assert_eq!(ann.confirms(&token, "old-key").await.status, 303);
    assert_eq!((app.me(&old).await.status, app.me(&new).await.status), (401, 200));
    assert_eq!(ann.post(&format!("{token}/old-key"), &[]).await.status, 303, "twice is no error");
    let over = ann.request("GET", &token, &headers, String::new()).await;
    over.shows("The old key has ended.");
    assert!(!over.body.contains("hx-trigger"), "nothing to look at any more");
    assert_eq!(ann.confirms_with(&token, "rotation", &[("hours", "1")]).await.status, 200, "and then again");
    app.clock.advance(HOUR);
    assert_eq!(app.me(&new).await.status, 401, "its time is over");
}

#[db_test]
async fn an_open_page_stops_polling_after_a_while(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_service_token("Workato").await;
    let token = ann.service_token("Workato").await;
    ann.confirms_with(&token, "rotation", &[("hours", "24")]).await;
    let headers = [("hx-request", "true"), ("hx-target", "section#keys")];
    for (look, goes_on) in [(0, true), (119, true), (120, false), (65_535, false)] {
        let part = ann.request("GET", &format!("{token}?look={look}"), &headers, String::new()).await;
        assert_eq!(part.body.contains("hx-trigger"), goes_on, "{look}");
    }
}

#[db_test]
async fn revoking_during_an_overlap_stops_both_keys(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let old = ann.makes_service_token("Workato").await;
    let token = ann.service_token("Workato").await;
    let new = ann.confirms_with(&token, "rotation", &[("hours", "24")]).await.key().unwrap();
    ann.get(&format!("{token}/revocation"))
        .await
        .shows("Its old key, which still works beside the new one, stops working, too.");
    ann.confirms(&token, "revocation").await;
    assert_eq!((app.me(&old).await.status, app.me(&new).await.status), (401, 401));
}

#[db_test]
async fn tokens_of_another_organization_are_not_found(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_service_token("Workato").await;
    let token = ann.service_token("Workato").await;
    let stranger = app.add_organization("elsewhere", "Stranger").await;
    let theirs = token.replace(SLUG, "elsewhere");
    for base in [&token, &theirs] {
        for part in [
            "",
            "/name",
            "/expiry",
            "/permissions",
            "/revocation",
            "/regeneration",
            "/rotation",
            "/old-key",
            "/deletion",
        ] {
            assert_eq!(stranger.get(&format!("{base}{part}")).await.status, 404, "{base}{part}");
            if !part.is_empty() {
                let nonce = stranger.get("/account/tokens/new").await.field("nonce").unwrap();
                let all = [
                    ("name", "Mine"),
                    ("inactivity", "31"),
                    ("permission", "assets.view"),
                    ("version", "1"),
                    ("hours", "24"),
                    ("nonce", nonce.as_str()),
                ];
                assert_eq!(stranger.post(&format!("{base}{part}"), &all).await.status, 404, "{base}{part}");
            }
        }
    }
    assert_eq!(app.me(&key).await.json()["subject"]["name"], "Workato");
}

#[db_test]
async fn the_list_is_searched_filtered_and_sorted(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for name in ["Warehouse", "accounting", "Zebra"] {
        ann.makes_service_token(name).await;
        app.clock.advance(60);
    }
    let zebra = ann.service_token("Zebra").await;
    ann.confirms(&zebra, "revocation").await;
    let order = |answer: &crate::harness::Answer, names: [&str; 2]| {
        let at = names.map(|name| answer.body.find(&format!(">{name}</a>")).unwrap());
        at[0] < at[1]
    };
    let by_name = ann.get(TOKENS).await;
    assert!(order(&by_name, ["accounting", "Warehouse"]), "capital letters do not matter");
    assert!(order(&by_name, ["Warehouse", "Zebra"]), "what has ended stands below");
    assert!(order(&ann.get(&format!("{TOKENS}?sort=expiry")).await, ["Warehouse", "accounting"]));
    let found = ann.get(&format!("{TOKENS}?search=WARE")).await;
    assert!(found.body.contains(">Warehouse</a>") && !found.body.contains(">accounting</a>"));
    found.shows("2 of 20");
    let revoked = ann.get(&format!("{TOKENS}?state=revoked")).await;
    assert!(revoked.body.contains(">Zebra</a>") && !revoked.body.contains(">Warehouse</a>"));
    let reversed = ann.get(&format!("{TOKENS}?sort=-name")).await;
    assert!(order(&reversed, ["Zebra", "Warehouse"]) && order(&reversed, ["Warehouse", "accounting"]));
    ann.get(&format!("{TOKENS}?search=nothing")).await.shows("No API token matches");
    assert_eq!(ann.get(&format!("{TOKENS}?state=odd")).await.status, 422);
    let headers = [("hx-request", "true"), ("hx-target", "div#results")];
    let part = ann.request("GET", &format!("{TOKENS}?search=ware"), &headers, String::new()).await;
    assert!(part.body.trim_start().starts_with("<div") && !part.body.contains("accounting"));
}

#[db_test]
async fn the_list_is_paged_and_begins_with_active_tokens(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_service_token("Zebra").await;
    for statement in [
        "INSERT INTO service_users (public_id, organization_id, name, permissions, created_at, created_by,
            created_by_name, version)
        WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 119)
        SELECT 's' || (100000000 + n), 1, 'Ended ' || (n % 40), 'assets.view', n, 1, 'Ann', 1 FROM numbers",
        "INSERT INTO api_tokens (public_id, kind, organization_id, service_user_id, label, search, scope,
            digest, pepper_version, form_nonce, created_at, revoked_at, revoked_by)
        SELECT 'k' || id, 'service', 1, id, name, lower(name), 'read_write', DIGEST, 1, 'n' || id, created_at,
            created_at, 'owner' FROM service_users WHERE name LIKE 'Ended%'",
        "INSERT INTO token_uses (token_id, organization_id, kind, state, inactivity_days, idle_since, refused_count)
        SELECT id, 1, 'service', 'revoked', 45, created_at, 0 FROM api_tokens WHERE label LIKE 'Ended%'",
    ] {
        // 32 bytes that no two rows share.
        let digest = match app.db.address() {
            DatabaseUrl::Sqlite(_) => "randomblob(32)",
            DatabaseUrl::Postgres(_) => "sha256(service_users.public_id::bytea)",
        };
        behind_its_back(&app, &statement.replace("DIGEST", digest));
    }
    for sort in ["", "name", "-name", "created", "-used", "expiry", "-state"] {
        let (mut next, mut pages) = (Some(format!("{TOKENS}?sort={sort}")), Vec::new());
        while let Some(address) = next {
            let body = ann.get(&address).await.body;
            let link = body.split_once("rel=\"next\" href=\"").and_then(|(_, rest)| rest.split_once('"'));
            next = link.map(|(href, _)| href.replace("&#38;", "&"));
            let ids = body.split("<code>").skip(1).map(|part| part.chars().take(10).collect());
            pages.push(ids.collect::<Vec<String>>());
            assert!(pages.len() < 5, "no end");
        }
        let ids: std::collections::HashSet<&String> = pages.iter().flatten().collect();
        assert_eq!((pages.len(), pages[0].len(), pages.concat().len(), ids.len()), (3, 50, 120, 120), "{sort}");
    }
    let first = ann.get(TOKENS).await;
    first.shows("1 of 20");
    let at = |name: &str| first.body.find(&format!(">{name}</a>")).expect("on the page");
    assert!(at("Zebra") < at("Ended 0"));
}

#[db_test]
async fn names_are_inert(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let name = "<b onclick=x>\"'&{{7*7}}";
    ann.makes_service_token(name).await;
    let list = ann.get(TOKENS).await;
    list.shows(name);
    assert!(!list.body.contains("<b onclick"));
}
