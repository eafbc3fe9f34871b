//! The freshness bound: for how long nodes answer from memory, and how long changes wait for that.

use crate::harness::{
    TestApp, TestDb, db_test, org,
    process::{command, fails, prints},
};
use app::{
    operator::{Operator, set_freshness},
    verify::freshness::unseen,
};
use std::time::{Duration, Instant};
use storage::{
    Changed, StorageError,
    epoch::{self, Touched},
};

/// The header of a form.
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn set(app: &TestApp, milliseconds: u16) {
    set_freshness(&app.jeton, milliseconds, Operator::at_the_command_line()).await.expect("a database");
}

/// Deactivates everybody beside the server, without waiting until the server has seen it.
fn deactivate_all(app: &TestApp) -> Changed<usize> {
    let deactivate = |connection: &mut _| {
        let statement = diesel::sql_query("UPDATE memberships SET is_active = FALSE");
        Ok::<_, StorageError>((diesel::RunQueryDsl::execute(statement, connection)?, Touched::Everything))
    };
    app.db.change_keys(deactivate).expect("a database")
}

#[db_test]
async fn the_command_shows_and_sets_the_bound(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let run = |arguments: &[&str]| {
        let mut command = command(&[&["freshness"], arguments].concat(), app.folder());
        command.env("DATABASE_URL", app.url_of_database());
        command
    };
    assert_eq!(prints(&mut run(&["--json"]))["milliseconds"], 20, "the default");
    assert_eq!(prints(&mut run(&["0", "--json"]))["milliseconds"], 0);
    assert_eq!(prints(&mut run(&["1000", "--json"]))["milliseconds"], 1000);
    for wrong in ["1001", "-1"] {
        let said = fails(&mut run(&["--", wrong]));
        assert!(said.contains("0..=1000"), "{said}");
    }
    let said = String::from_utf8(run(&[]).output().unwrap().stdout).unwrap();
    assert_eq!(said, "Nodes answer from memory for up to 1000 ms before they ask the database.\n");
    ann.get(org!("/activity")).await.shows("let the servers answer from memory for up to 1000 ms");
}

#[db_test]
async fn with_a_bound_of_zero_each_request_asks_the_database(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    set(&app, 0).await;
    assert_eq!(app.me(&key).await.status, 200);
    assert_eq!(deactivate_all(&app).unseen_for, Duration::ZERO, "nobody has to wait");
    assert_eq!(app.me(&key).await.status, 401);
}

#[db_test]
async fn a_change_beside_the_server_counts_once_it_was_waited_for(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    set(&app, 200).await;
    assert_eq!(app.me(&key).await.status, 200);
    let changed = deactivate_all(&app);
    assert_eq!(changed.unseen_for, Duration::from_millis(200));
    actix_web::rt::time::sleep(unseen(changed.unseen_for)).await;
    assert_eq!(app.me(&key).await.status, 401);
}

#[actix_web::test]
async fn on_postgres_a_revocation_is_answered_only_after_the_bound() {
    let (app, ann) = TestApp::with_user(TestDb::postgres(), "Ann").await;
    let key = ann.makes_token("Power BI").await;
    set(&app, 300).await;
    let begun = Instant::now();
    assert_eq!(app.with_key("DELETE", "/api/v1/me/token", &key).await.status, 204);
    assert!(begun.elapsed() >= Duration::from_millis(304), "{:?}", begun.elapsed());
}

#[actix_web::test]
async fn on_postgres_whoever_finds_a_token_revoked_already_waits_as_well() {
    let (app, ann) = TestApp::with_user(TestDb::postgres(), "Ann").await;
    let key = ann.makes_token("Power BI").await;
    set(&app, 300).await;
    for _ in 0..2 {
        let begun = Instant::now();
        let answer = app.send("POST", "/oauth2/revoke", &[FORM], &format!("token={key}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(begun.elapsed() >= Duration::from_millis(304), "{:?}", begun.elapsed());
    }
}

#[db_test]
async fn while_a_shorter_bound_takes_effect_changes_wait_for_the_longer_one(db: TestDb) {
    let (app, _ann) = TestApp::with_user(db, "Ann").await;
    set(&app, 300).await;
    let set_now = |milliseconds| {
        app.db
            .write::<_, StorageError>(|connection| epoch::set_freshness(connection, milliseconds))
            .expect("a database")
    };
    let finish = |new| {
        app.db.write::<_, StorageError>(|connection| epoch::finish_freshness(connection, new)).expect("a database");
    };
    let waits = || deactivate_all(&app).unseen_for.as_millis();
    let first = set_now(20);
    assert_eq!((first.longest.as_millis(), waits()), (300, 300), "a node may still use the old bound");
    let second = set_now(100);
    finish(first);
    assert_eq!((second.longest.as_millis(), waits()), (300, 300), "the first setting is not the last one");
    finish(second);
    assert_eq!(waits(), 100);
    let third = set_now(50);
    let longer = set_now(400);
    assert_eq!((third.longest.as_millis(), longer.longest.as_millis(), waits()), (100, 400, 400));
}
