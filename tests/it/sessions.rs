//! Sessions: listed, ended, and expired to the second.

use crate::harness::{TestApp, TestDb, db_test};

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;

/// Returns the address that ends the last session of the list.
fn last_end(list: &str) -> String {
    let forms = list.split("action=\"").filter_map(|part| part.split_once('"')).map(|(action, _)| action);
    forms.filter(|action| action.ends_with("/end")).last().expect("a session that can be ended").to_owned()
}

#[db_test]
async fn a_user_sees_their_sessions_and_can_end_one_or_all_others(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (phone, tablet) = (app.browser("Ann"), app.browser("Ann"));
    phone.signs_in().await;
    tablet.signs_in().await;
    let list = ann.get("/account/sessions").await;
    list.shows("127.0.0.1").shows("3 sessions").shows("This session");
    // The list begins with this session, so the last one is another.
    let path = last_end(&list.body);
    assert_eq!(ann.post(&path, &[]).await.status, 303);
    let alive = [&phone, &tablet];
    let mut statuses = Vec::new();
    for person in alive {
        statuses.push(person.get("/account/tokens").await.status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 303], "exactly one of them was ended");
    assert_eq!(ann.post(&path, &[]).await.status, 404, "twice");

    assert_eq!(ann.post("/account/sessions/end-others", &[]).await.status, 303);
    assert_eq!(phone.get("/account/tokens").await.status, 303);
    assert_eq!(tablet.get("/account/tokens").await.status, 303);
    assert_eq!(ann.get("/account/tokens").await.status, 200);
}

#[db_test]
async fn a_session_of_another_user_is_not_found(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let other = app.browser("Ann");
    other.signs_in().await;
    let path = last_end(&ann.get("/account/sessions").await.body);
    let ben = app.add_user("Ben", domain::permission::BuiltInSet::Reader).await;
    assert_eq!(ben.post(&path, &[]).await.status, 404);
    assert_eq!(other.get("/account/tokens").await.status, 200);
}

#[db_test]
async fn a_session_ends_after_an_hour_without_a_request(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for _ in 0..3 {
        app.clock.advance(59 * MINUTE);
        assert_eq!(ann.get("/account/tokens").await.status, 200);
    }
    app.clock.advance(HOUR);
    assert_eq!(ann.get("/account/tokens").await.status, 303);
}

#[db_test]
async fn a_session_ends_after_a_day_even_if_it_is_used(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for _ in 0..47 {
        app.clock.advance(30 * MINUTE);
        assert_eq!(ann.get("/account/tokens").await.status, 200);
    }
    app.clock.advance(30 * MINUTE);
    assert_eq!(ann.get("/account/tokens").await.status, 303);
}

#[db_test]
async fn a_pending_request_does_not_restore_an_ended_session(db: TestDb) {
    let (app, _) = TestApp::with_user(db, "Ann").await;
    for _ in 0..5 {
        let ann = app.browser("Ann");
        ann.signs_in().await;
        let thieves: Vec<_> = (0..6).map(|_| ann.copy()).collect();
        let busy = futures_util::future::join_all(
            thieves.iter().map(|thief| thief.post("/account/theme", &[("theme", "dark")])),
        );
        let (out, _) = futures_util::future::join(ann.post("/sign-out", &[]), busy).await;
        assert_eq!(out.status, 303);
        for thief in thieves {
            assert_eq!(thief.get("/account/tokens").await.status, 303);
        }
    }
}

#[db_test]
async fn the_database_has_no_usable_session(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let begin = app::sessions::Begin {
        user: domain::user::UserId(1),
        generation: 0,
        source: domain::activity::Source::default(),
    };
    let key = app::sessions::begin(&app.jeton, begin).await.unwrap();
    let hash = app::sessions::KeyHash::of(&key);
    assert!(app::sessions::authenticate(&app.jeton, hash).await.is_ok());
    let stored = crate::harness::everything_stored(&app);
    assert!(!crate::harness::contains(&stored, key.as_bytes()));
    assert!(!crate::harness::contains(&stored, ann.cookie("jeton").expect("a session").1.as_bytes()));
}
