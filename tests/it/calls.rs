//! Calls per day: counted exactly, whatever happens in between, and shown on the page of a token.

use crate::harness::{DAY, Person, TestApp, TestDb, count, db_test};
use diesel::{RunQueryDsl, sql_query};
use storage::StorageError;

fn stored(app: &TestApp) -> i64 {
    count(app, "token_calls")
}

fn rename_table(app: &TestApp, from: &str, to: &str) {
    let statement = format!("ALTER TABLE {from} RENAME TO {to}");
    app.db.write::<_, StorageError>(|connection| Ok(sql_query(&statement).execute(connection).map(drop)?)).unwrap();
}

async fn calls(app: &TestApp, key: &str, times: usize, status: u16) {
    for _ in 0..times {
        assert_eq!(app.me(key).await.status, status);
    }
}

/// Returns what the page of a personal token says.
async fn shown(ann: &Person, label: &str, words: &str) {
    let page = format!("/account/tokens/{}", ann.token_id(label).await);
    ann.get(&page).await.shows(words);
    ann.get_part(&page).await.shows(words);
}

#[db_test]
async fn every_call_is_counted_once_across_flushes_and_days(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (key, other) = (ann.makes_token("Power BI").await, ann.makes_token("Other").await);
    shown(&ann, "Power BI", "No calls in the last 90 days").await;
    calls(&app, &key, 1, 200).await;
    shown(&ann, "Power BI", "1 call in the last 90 days").await;
    calls(&app, &key, 4, 200).await;
    calls(&app, &other, 2, 200).await;
    shown(&ann, "Power BI", "5 calls in the last 90 days").await;
    for total in [8, 11] {
        app::maintenance::flush_usage(&app.jeton).await.unwrap();
        calls(&app, &key, 3, 200).await;
        shown(&ann, "Power BI", &format!("{total} calls in the last 90 days")).await;
    }
    app::maintenance::flush_usage(&app.jeton).await.unwrap();
    shown(&ann, "Power BI", "11 calls in the last 90 days").await;
    app.clock.advance(DAY);
    ann.signs_in().await;
    calls(&app, &key, 20, 200).await;
    app::maintenance::flush_usage(&app.jeton).await.unwrap();
    let today = app.clock.now().utc().format("%-d %B").to_string();
    shown(&ann, "Power BI", "31 calls in the last 90 days").await;
    shown(&ann, "Power BI", &format!("Most on {today}: 20")).await;
    shown(&ann, "Power BI", &format!("{today} 20")).await;
    shown(&ann, "Other", "2 calls in the last 90 days").await;
    assert_eq!(stored(&app), 3);
}

#[db_test]
async fn no_call_is_lost_when_a_node_clears_its_cache_or_cannot_write(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    for _ in 0..4 {
        calls(&app, &key, 3, 200).await;
        app.change_authority(|_| Ok(()));
    }
    shown(&ann, "Power BI", "12 calls in the last 90 days").await;
    rename_table(&app, "token_calls", "gone");
    for _ in 0..2 {
        assert!(app::maintenance::flush_usage(&app.jeton).await.is_err());
        calls(&app, &key, 2, 200).await;
        app.change_authority(|_| Ok(()));
    }
    rename_table(&app, "gone", "token_calls");
    calls(&app, &key, 1, 200).await;
    shown(&ann, "Power BI", "17 calls in the last 90 days").await;
    for _ in 0..2 {
        app::maintenance::flush_usage(&app.jeton).await.unwrap();
        shown(&ann, "Power BI", "17 calls in the last 90 days").await;
    }
}

#[db_test]
async fn refused_calls_do_not_count(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    calls(&app, &key, 2, 200).await;
    let headers = [("authorization", &*format!("Bearer {key}")), ("x-original-method", "POST")];
    for _ in 0..3 {
        assert_eq!(app.send("GET", "/verify", &headers, "").await.status, 403);
    }
    ann.revokes("Power BI").await;
    calls(&app, &key, 5, 401).await;
    shown(&ann, "Power BI", "2 calls in the last 90 days").await;
    app::maintenance::flush_usage(&app.jeton).await.unwrap();
    shown(&ann, "Power BI", "2 calls in the last 90 days").await;
}

#[db_test]
async fn calls_with_any_key_of_a_token_add_up(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (old, other) = (ann.makes_service_token("Workato").await, ann.makes_service_token("SAP").await);
    let page = ann.service_token("Workato").await;
    ann.get(&page).await.shows("No calls in the last 90 days");
    calls(&app, &old, 3, 200).await;
    let new = ann.confirms_with(&page, "rotation", &[("hours", "24"), ("quiet", "")]).await.key().expect("a new key");
    calls(&app, &old, 2, 200).await;
    app::maintenance::flush_usage(&app.jeton).await.unwrap();
    calls(&app, &new, 4, 200).await;
    calls(&app, &other, 1, 200).await;
    ann.get(&page).await.shows("9 calls in the last 90 days");
    ann.get(&ann.service_token("SAP").await).await.shows("1 call in the last 90 days");
}

#[db_test]
async fn calls_are_deleted_after_ninety_days(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.asks_for_token("Long", "read", "180").await.key().expect("a key");
    calls(&app, &key, 2, 200).await;
    app.clock.advance(89 * DAY);
    app::maintenance::run(&app.jeton).await;
    ann.signs_in().await;
    shown(&ann, "Long", "2 calls in the last 90 days").await;
    calls(&app, &key, 1, 200).await;
    app.clock.advance(DAY);
    app::maintenance::run(&app.jeton).await;
    ann.signs_in().await;
    assert_eq!(stored(&app), 1);
    shown(&ann, "Long", "1 call in the last 90 days").await;
}
