//! Seats, which billing counts.

use crate::harness::{SLUG, TestApp, TestDb, db_test, org};
use diesel::{RunQueryDsl, sql_query};
use domain::{billing::Month, permission::BuiltInSet};
use storage::StorageError;

const BILLING: &str = org!("/billing");

#[db_test]
async fn active_users_are_seats_and_service_users_are_free(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.add_user("Ben", BuiltInSet::Reader).await;
    app.add_organization("elsewhere", "Stranger").await;
    ann.get(BILLING).await.shows("Seats in use 2 active users").shows("Service users 0 free");
    let csv = ann.get(&format!("{BILLING}/seats.csv")).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.header("content-disposition").contains(&format!("{SLUG}-seats.csv")));
    let month = Month::of(app.clock.now());
    assert_eq!(csv.body, format!("\u{feff}\"year\",\"month\",\"seats\"\r\n{},{},2\r\n", month.year(), month.number()));
    let profile =
        [("name", "Ann"), ("email", "ann@example.org"), ("language", "fr"), ("time_zone", "UTC"), ("theme", "system")];
    assert_eq!(ann.post("/account/profile", &profile).await.status, 303);
    let csv = ann.get(&format!("{BILLING}/seats.csv")).await;
    assert!(csv.body.starts_with("\u{feff}\"year\";\"month\";\"seats\"\r\n"), "{}", csv.body);
    assert_eq!(crate::harness::activity(&app.db).last().unwrap().action, "data.exported");
}

#[db_test]
async fn a_month_counts_whoever_was_active_at_any_moment_of_it_once(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.add_user("Ben", BuiltInSet::Reader).await;
    let now = Month::of(app.clock.now());
    let [last, before, oldest] = [now.before(), now.before().before(), now.before().before().before()];
    let seat = |member: &str, began: i64, ended: i64| {
        let insert = format!(
            "INSERT INTO seats (organization_id, membership_id, began_at, ended_at)
                 SELECT organization_id, id, {began}, {ended} FROM memberships
                 WHERE user_id = (SELECT id FROM users WHERE name = '{member}')"
        );
        let added = app.db.write::<_, StorageError>(|connection| Ok(sql_query(&insert).execute(connection)?));
        assert_eq!(added.expect("a seat"), 1);
    };
    // Ann left and came back within a month; Ben's ended in the very moment in which the next month began.
    seat("Ann", before.start().seconds() + 10, before.start().seconds() + 20);
    seat("Ann", before.start().seconds() + 30, last.start().seconds() + 1);
    seat("Ben", oldest.after().start().seconds() - 1, last.start().seconds());
    let csv = ann.get(&format!("{BILLING}/seats.csv")).await.body;
    let expected = [(now, 2), (last, 1), (before, 2), (oldest, 1)]
        .map(|(month, seats)| format!("{},{},{seats}\r\n", month.year(), month.number()));
    assert!(csv.ends_with(&format!("\r\n{}", expected.concat())), "{csv}");
}

#[db_test]
async fn billing_needs_its_permission(db: TestDb) {
    let (app, _ann) = TestApp::with_user(db, "Ann").await;
    let reader = app.add_user("Reader", BuiltInSet::Standard).await;
    for path in [BILLING.to_owned(), format!("{BILLING}/seats.csv")] {
        assert_eq!(reader.get(&path).await.status, 403, "{path}");
    }
}
