//! Whether a node is healthy and ready, as load balancers ask.

use crate::harness::{OwnCluster, TestApp, TestDb, db_test};
use app::Jeton;
use diesel::{RunQueryDsl, sql_query};
use storage::StorageError;

/// Returns the answer of `/readyz` after a change to the database.
async fn ready_after(app: &TestApp, statement: &str) -> crate::harness::Answer {
    app.db.write::<_, StorageError>(|connection| Ok(sql_query(statement).execute(connection)?)).unwrap();
    app.send("GET", "/readyz", &[], "").await
}

#[db_test]
async fn a_node_is_ready_while_it_can_verify_tokens(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    for url in ["/healthz", "/readyz"] {
        assert_eq!(app.send("GET", url, &[], "").await.status, 200, "{url}");
        let answer = app.asked_by_program(url).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (200, ""), "{url}");
    }
    assert_eq!(app.send("GET", "/readyz", &[], "").await.body, "serving: ok\ntokens: ok\nchanges: ok\nclock: ok\n");

    let refused = ready_after(&app, "UPDATE auth_epoch SET epoch = epoch - 1").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "1"));
    assert!(refused.body.starts_with("serving: ok\ntokens: cannot be verified right now"), "{}", refused.body);
    assert_eq!(app.send("GET", "/healthz", &[], "").await.status, 200, "to start it anew mends nothing");
    assert_eq!(app.me(&key).await.status, 503);
    let ready = ready_after(&app, "UPDATE auth_epoch SET epoch = epoch + 1").await;
    assert_eq!((ready.status, app.me(&key).await.status), (200, 200));
}

#[db_test]
async fn a_node_is_not_ready_with_the_pepper_of_another_database(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    assert_eq!(app.me(&key).await.status, 200);
    let refused = ready_after(&app, "UPDATE installation SET pepper_check = pepper_check || pepper_check").await;
    assert_eq!(refused.status, 503);
}

/// A standby may not have the newest revocations (V7).
#[actix_web::test]
async fn a_standby_is_not_used() {
    let cluster = OwnCluster::start();
    let (app, ann) = TestApp::with_user(TestDb::at(cluster.url()), "Ann").await;
    let key = ann.makes_token("Power BI").await;
    let statuses = async || (app.me(&key).await.status, app.send("GET", "/readyz", &[], "").await.status);
    let becomes = async |expected| {
        let mut last = (0, 0);
        for _ in 0..100 {
            last = statuses().await;
            if last == expected {
                return;
            }
            assert!(last.0 == 200 || last.0 == 503, "{last:?}");
            actix_web::rt::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("{expected:?} does not come after {last:?}");
    };
    becomes((200, 200)).await;

    cluster.restart_as_standby();
    becomes((503, 503)).await;
    let refused = Jeton::open(app.settings()).map(drop).unwrap_err().to_string();
    assert!(refused.contains("standby"), "{refused}");
    // It is there, and refused for what it is.
    assert!(matches!(app.db.address().connect(), Err(StorageError::Standby)));

    cluster.promote();
    becomes((200, 200)).await;
}
