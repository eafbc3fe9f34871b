//! The first start.

use crate::harness::{PASSWORD, SLUG, TestApp, TestDb, db_test};
use app::Jeton;

#[db_test]
async fn the_set_up_page_needs_the_printed_code(db: TestDb) {
    let app = TestApp::start(db).await;
    let ann = app.browser("Ann");
    assert_eq!(ann.get("/setup").await.status, 403);
    assert_eq!(ann.get("/setup?code=wrong").await.status, 403);
    let refused = ann.sets_up("wrong").await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.header("set-cookie"), "");
    let form = ann.get(&format!("/setup?code={}", app::setup::code(&app.jeton))).await;
    assert_eq!(form.status, 200);
    assert_eq!(form.field("code").as_deref(), Some(app::setup::code(&app.jeton)));
}

#[db_test]
async fn every_node_of_a_database_accepts_the_printed_link(db: TestDb) {
    let app = TestApp::start(db).await;
    let another = Jeton::open(app.settings()).expect("it starts");
    assert_eq!(app::setup::code(&another), app::setup::code(&app.jeton));
    let elsewhere = TestApp::start(crate::harness::TestDb::sqlite()).await;
    assert_ne!(app::setup::code(&elsewhere.jeton), app::setup::code(&app.jeton), "another installation");
}

#[db_test]
async fn after_set_up_the_first_user_is_signed_in_as_administrator(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token_with("everything", "read_write").await;
    let me = app.me(&key).await.json();
    assert_eq!(me["organization"]["slug"], SLUG);
    assert_eq!(me["permissions"].as_array().unwrap().len(), 21);

    let code = app::setup::code(&app.jeton);
    let other = app.browser("Other");
    assert_eq!(other.get(&format!("/setup?code={code}")).await.status, 404);
    assert_eq!(other.sets_up(code).await.status, 404);
    assert_eq!(ann.get("/setup").await.status, 404);
}

#[db_test]
async fn problems_are_shown_at_their_fields_and_keep_what_was_typed(db: TestDb) {
    let app = TestApp::start(db).await;
    let ann = app.browser("Ann");
    let code = app::setup::code(&app.jeton);
    let fields =
        [("code", code), ("name", "Ann <b>"), ("email", "ann"), ("organization", ""), ("new_password", "short")];
    let form = ann.post("/setup", &fields).await;
    assert_eq!(form.status, 422);
    assert_eq!(form.field("name").as_deref(), Some("Ann <b>"));
    assert_eq!(form.field("email").as_deref(), Some("ann"));
    assert_eq!(form.field("code").as_deref(), Some(code));
    assert_eq!(form.body.matches("aria-invalid=\"true\"").count(), 3);
    assert!(!form.body.contains("short\""), "the password is not sent back");
    assert!(app::setup::is_needed(&app.jeton).await.unwrap());
}

#[db_test]
async fn of_many_concurrent_set_ups_exactly_one_wins(db: TestDb) {
    let app = TestApp::start(db).await;
    let people: Vec<_> = (0..12).map(|n| app.browser(&format!("Ann{n}"))).collect();
    let code = app::setup::code(&app.jeton);
    let answers = futures_util::future::join_all(people.iter().map(|person| person.sets_up(code))).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(303), count(404)), (1, 11));
}

#[db_test]
async fn before_set_up_the_sign_in_page_says_so(db: TestDb) {
    let app = TestApp::start(db).await;
    let nobody = app.browser("Nobody");
    let page = nobody.get("/sign-in").await;
    assert_eq!(page.status, 200);
    page.shows("set up");
    assert!(!page.body.contains(app::setup::code(&app.jeton)));
    let refused = nobody.post("/sign-in", &[("email", "a@example.org"), ("password", PASSWORD)]).await;
    assert_eq!(refused.status, 422);
}
