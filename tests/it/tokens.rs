//! Personal tokens on their pages.

use crate::harness::{Answer, DAY, PASSWORD, Person, TestApp, TestDb, db_test};
use domain::permission::BuiltInSet;
use storage::{StorageError, tokens, users};

/// Returns how many of Ann's tokens occupy a place in the database.
fn taken(app: &TestApp) -> usize {
    app.db
        .read::<_, StorageError>(|connection| {
            let ann = domain::user::Email::parse("ann@example.org").expect("an address");
            let ann = users::find_by_email(connection, &ann)?.expect("Ann").0.id;
            Ok(tokens::active(connection, ann)?.len())
        })
        .unwrap()
}

async fn form(person: &Person, label: &str) -> Vec<(String, String)> {
    let nonce = person.get("/account/tokens/new").await.field("nonce").expect("a nonce");
    let fields = [("label", label), ("scope", "read_write"), ("inactivity", "60"), ("nonce", nonce.as_str())];
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

async fn send(person: &Person, fields: &[(String, String)]) -> crate::harness::Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    person.post("/account/tokens", &fields).await
}

#[db_test]
async fn a_key_is_shown_once_and_works_immediately(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let answer = ann.asks_for_token("Power BI", "read", "45").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "strict-origin");
    let key = answer.key().unwrap();
    assert_eq!(app.me(&key).await.status, 200);

    let body = &key[6..];
    let id = ann.token_id("Power BI").await;
    for path in ["/account/tokens", "/account/tokens/new", &format!("/account/tokens/{id}"), "/account/sessions"] {
        let page = ann.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        // No five characters of the key in a row, either.
        for start in 0..body.len() - 5 {
            assert!(!page.body.contains(&body[start..start + 5]), "{path} shows {}", &body[start..start + 5]);
        }
    }
}

#[db_test]
async fn a_form_sent_twice_creates_one_token(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let form = form(&ann, "Power BI").await;
    let first = send(&ann, &form).await;
    assert_eq!(first.status, 200);
    let again = send(&ann, &form).await;
    assert_eq!(again.status, 422);
    assert_eq!(again.key(), None);
    let tabs: Vec<_> = (0..6).map(|_| ann.copy()).collect();
    let form = self::form(&ann, "R").await;
    let answers = futures_util::future::join_all(tabs.iter().map(|tab| send(tab, &form))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(taken(&app), 2);
}

#[db_test]
async fn problems_are_shown_at_their_fields_and_keep_what_was_typed(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let bad = ann.asks_for_token(&"é".repeat(101), "everything", "46").await;
    assert_eq!(bad.status, 422);
    assert_eq!(bad.field("label"), Some("é".repeat(101)));
    assert!(bad.field("nonce").is_some());
    for label in ["", "   ", "a\u{0}b", "a\u{202e}b"] {
        let bad = ann.asks_for_token(label, "read_write", "180").await;
        assert_eq!(bad.status, 422, "{label:?}");
        assert!(bad.body.contains("aria-invalid=\"true\""));
    }
    assert_eq!(taken(&app), 0);
}

#[db_test]
async fn labels_are_escaped(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let label = "<script>alert(1)</script>\"'&amp;{{7*7}}=cmd|' /C calc'!A0 🏳️‍🌈";
    let answer = ann.asks_for_token(label, "read", "45").await;
    assert_eq!(answer.status, 200);
    answer.shows(label);
    assert!(!answer.body.contains("<script>alert"));
    let list = ann.get("/account/tokens").await;
    list.shows(label);
    assert!(!list.body.contains("<script>alert"));
}

#[db_test]
async fn the_eleventh_token_is_refused_and_the_form_keeps_what_was_typed(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let late = form(&ann, "one too many").await;
    for n in 1..=10 {
        ann.makes_token(&format!("token {n}")).await;
    }
    let refused = send(&ann, &late).await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.field("label").as_deref(), Some("one too many"));
    refused.shows("10 active tokens, which is the limit").shows("token 1 Never used");
    ann.get("/account/tokens").await.shows("10 of 10");

    assert_eq!(ann.revokes("token 4").await.status, 303);
    assert_eq!(send(&ann, &late).await.status, 200, "the same form goes through once there is room");
    assert_eq!(taken(&app), 10);
}

#[db_test]
async fn of_many_concurrent_requests_for_the_tenth_token_one_wins(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for n in 1..=9 {
        ann.makes_token(&format!("token {n}")).await;
    }
    for round in 0..4 {
        let mut tabs = Vec::new();
        for n in 0..12 {
            let tab = ann.copy();
            let form = form(&tab, &format!("tab {round} {n}")).await;
            tabs.push((tab, form));
        }
        let answers = futures_util::future::join_all(tabs.iter().map(|(tab, form)| send(tab, form))).await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 422)), "{statuses:?}");
        assert_eq!(taken(&app), 10);
        let won = statuses.iter().position(|status| *status == 200).unwrap();
        assert_eq!(ann.revokes(&format!("tab {round} {won}")).await.status, 303);
    }
}

#[db_test]
async fn creating_a_token_needs_the_password_unless_it_was_entered_recently(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let mut early = form(&ann, "opened before").await;
    app.clock.advance(10 * 60);
    let asked = send(&ann, &early).await;
    assert_eq!(asked.status, 422);
    assert_eq!(asked.field("label").as_deref(), Some("opened before"));
    assert!(asked.body.contains("name=\"password\""));
    assert!(ann.get("/account/tokens/new").await.body.contains("name=\"password\""));

    early.push(("password".into(), "not the password at all".into()));
    assert_eq!(send(&ann, &early).await.status, 422);
    early.last_mut().unwrap().1 = PASSWORD.into();
    assert_eq!(send(&ann, &early).await.status, 200);
    assert!(!ann.get("/account/tokens/new").await.body.contains("name=\"password\""), "and then not again");
    app.clock.advance(11 * 60);
    assert_eq!(ann.revokes("opened before").await.status, 303, "revoking needs none");
}

#[db_test]
async fn a_revoked_token_is_refused_and_cannot_be_restored(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    let id = ann.token_id("Power BI").await;
    ann.get(&format!("/account/tokens/{id}/revocation")).await.shows("Power BI");
    assert_eq!(app.me(&key).await.status, 200, "asking changes nothing");
    let path = format!("/account/tokens/{id}/revocation");
    assert_eq!(ann.post(&path, &[]).await.status, 303);
    assert_eq!(app.me(&key).await.status, 401);
    assert_eq!(ann.post(&path, &[]).await.status, 303, "twice is no error");
    ann.get("/account/tokens").await.shows("Revoked").shows("Power BI").shows("0 of 10");
    assert_eq!(app.me(&key).await.status, 401);
}

#[db_test]
async fn tokens_of_another_user_are_not_found(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("of Ann").await;
    let id = ann.token_id("of Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Administrator).await;
    let missing = ben.get("/account/tokens/zzzzzzzzzz").await;
    let foreign = ben.get(&format!("/account/tokens/{id}")).await;
    assert_eq!((missing.status, foreign.status), (404, 404));
    // All but the id of the request.
    let page = |answer: &Answer| answer.body.replace(answer.header("x-request-id"), "");
    assert_eq!(page(&missing), page(&foreign));
    assert_eq!(ben.get(&format!("/account/tokens/{id}/revocation")).await.status, 404);
    assert_eq!(ben.post(&format!("/account/tokens/{id}/revocation"), &[]).await.status, 404);
    assert_eq!(ben.post("/account/tokens/revocation", &[("which", "all")]).await.status, 303);
    assert_eq!(app.me(&key).await.status, 200);
    assert!(!ben.get("/account/tokens").await.body.contains("of Ann"));
}

#[db_test]
async fn several_tokens_are_revoked_together(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let old = ann.asks_for_token("old", "read", "180").await.key().unwrap();
    let used = ann.asks_for_token("used", "read", "180").await.key().unwrap();
    app.clock.advance(90 * DAY - 1);
    let again = app.browser("Ann");
    again.signs_in().await;
    assert_eq!(app.me(&used).await.status, 200);
    app.clock.advance(1);
    let confirm = again.get("/account/tokens/revocation").await;
    confirm.shows("old");
    assert_eq!(again.post("/account/tokens/revocation", &[("which", "unused")]).await.status, 303);
    assert_eq!((app.me(&old).await.status, app.me(&used).await.status), (401, 200));
    assert_eq!(again.post("/account/tokens/revocation", &[("which", "all")]).await.status, 303);
    assert_eq!(app.me(&used).await.status, 401);
    let wrong = again.post("/account/tokens/revocation", &[("which", "mine")]).await;
    assert_eq!(wrong.status, 422);
}

#[db_test]
async fn an_unused_token_expires_and_frees_its_place(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let mut keys = Vec::new();
    for n in 1..=10 {
        keys.push(ann.asks_for_token(&format!("token {n}"), "read", "31").await.key().unwrap());
    }
    app.clock.advance(31 * DAY - 60);
    assert_eq!(app.me(&keys[0]).await.status, 200);
    app.clock.advance(60);
    assert_eq!(app.me(&keys[0]).await.status, 200, "the use started the count again");
    let expired = app.me(&keys[1]).await;
    assert_eq!(expired.status, 401);
    assert!(expired.json()["detail"].as_str().unwrap().contains("it was not used for its whole inactivity period"));

    let again = app.browser("Ann");
    again.signs_in().await;
    again.get("/account/tokens").await.shows("1 of 10").shows("Expired");
    again.makes_token("a new one").await;
    assert_eq!(taken(&app), 2);
}

#[db_test]
async fn maintenance_records_expiry(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_token("short-lived").await;
    app.clock.advance(45 * DAY);
    assert_eq!(taken(&app), 1);
    app::maintenance::run(&app.jeton).await;
    assert_eq!(taken(&app), 0);
}

#[db_test]
async fn the_list_shows_the_last_use(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    ann.get("/account/tokens").await.shows("Never used");
    let headers = [("authorization", &*format!("Bearer {key}")), ("user-agent", "Mashup/1.0 <b>")];
    assert_eq!(app.send("GET", "/api/v1/me", &headers, "").await.status, 200);
    ann.get("/account/tokens").await.shows("127.0.0.1 with Mashup 1.0");
    app::maintenance::flush_usage(&app.jeton).await.unwrap();
    ann.get("/account/tokens").await.shows("127.0.0.1 with Mashup 1.0");
}

#[db_test]
async fn every_change_is_in_the_activity_log(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    app.me(&key).await;
    app.me(&key).await;
    ann.revokes("Power BI").await;
    app.me(&key).await;
    app.me(&key).await;
    app::maintenance::flush_usage(&app.jeton).await.unwrap();
    let log = crate::harness::activity(&app.db);
    let told: Vec<(&str, i64)> = log.iter().map(|entry| (entry.action.as_str(), entry.count)).collect();
    // What requests did reaches the log with the next flush.
    let expected = [
        ("installation.set_up", 1),
        ("token.created", 1),
        ("token.revoked", 1),
        ("token.first_used", 1),
        ("token.refused", 2),
    ];
    assert_eq!(told, expected);
    assert!(log.iter().all(|entry| entry.actor_name == "Ann" && entry.organization_id.is_some()));
    let named = log.iter().filter(|entry| entry.token_label.as_deref() == Some("Power BI"));
    assert_eq!(named.count(), 4);
}
