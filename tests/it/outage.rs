//! The database becomes unavailable, and then available again.

use crate::harness::{TestApp, TestDb, db_test, wait_for_freshness};
use app::Jeton;
use diesel::{Connection, RunQueryDsl, sql_query};
use std::time::Duration;
use storage::StorageError;

/// Blocks or allows connections to one database of the cluster.
struct Door {
    name: String,
    cluster: diesel::PgConnection,
}

impl Door {
    fn of(url: &str) -> Door {
        let (before, rest) = url.rsplit_once('/').expect("a URL");
        let (name, options) = rest.split_once('?').expect("options");
        let cluster = diesel::PgConnection::establish(&format!("{before}/postgres?{options}")).expect("the cluster");
        Door { name: name.into(), cluster }
    }

    fn close(&mut self) {
        self.run(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name));
        self.run(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", self.name));
    }

    fn open(&mut self) {
        self.run(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name));
    }

    /// Makes it read-only, or writable again.
    fn read_only(&mut self, is_so: bool) {
        self.run(&format!("ALTER DATABASE {} SET default_transaction_read_only = {is_so}", self.name));
        self.run(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", self.name));
    }

    fn run(&mut self, statement: &str) {
        sql_query(statement).execute(&mut self.cluster).expect("a superuser");
    }
}

#[actix_web::test]
async fn without_its_database_jeton_answers_503_and_recovers() {
    let db = TestDb::postgres();
    let mut door = Door::of(&db.url);
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    assert_eq!(app.me(&key).await.status, 200, "it is in the cache");

    door.close();
    wait_for_freshness();
    for path in ["/api/v1/me", "/verify"] {
        let answer = app.with_key("GET", path, &key).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{path}");
        assert_eq!(answer.header("www-authenticate"), "");
    }
    // What is no key at all needs no database to be refused.
    assert_eq!(app.me("jtn_p_nonsense").await.status, 401);
    let page = ann.get("/account/tokens").await;
    assert_eq!(page.status, 503);
    page.shows("busy");

    door.open();
    let mut statuses = (0, 0);
    for _ in 0..100 {
        statuses = (app.me(&key).await.status, ann.get("/account/tokens").await.status);
        if statuses == (200, 200) {
            break;
        }
        actix_web::rt::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(statuses, (200, 200), "the token works, and the session is still there");
}

/// The state after a failover to a server that is still a standby, or after somebody has made the database read-only.
#[actix_web::test]
async fn a_read_only_postgres_says_that_nothing_is_saved_and_recovers() {
    let db = TestDb::postgres();
    let mut door = Door::of(&db.url);
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    door.read_only(true);
    // Connections from before break first.
    let refused = eventually(async || {
        let nonce = ann.get("/account/tokens/new").await.field("nonce")?;
        let fields = [("label", "Excel"), ("scope", "read"), ("inactivity", "45"), ("nonce", nonce.as_str())];
        let answer = ann.post("/account/tokens", &fields).await;
        (answer.status == 503 && answer.header("retry-after") == "10").then_some(answer)
    });
    refused.await.shows("Nothing was saved");
    ann.revokes("Power BI").await.shows("NOT revoked");
    assert_eq!(ann.get("/account/tokens").await.status, 200);
    eventually(async || (app.me(&key).await.status == 200).then_some(())).await;
    let ready = app.send("GET", "/readyz", &[], "").await;
    assert_eq!(
        (ready.status, ready.body.lines().find(|line| line.starts_with("changes"))),
        (200, Some("changes: not saved; the log says why"))
    );

    door.read_only(false);
    let is_well = async || app.send("GET", "/readyz", &[], "").await.body.contains("tokens: ok\nchanges: ok\n");
    eventually(async || is_well().await.then_some(())).await;
    assert_eq!(ann.revokes("Power BI").await.status, 303);
    // On a busy machine a look at the database may come too late.
    let verdict = eventually(async || Some(app.me(&key).await.status).filter(|status| *status != 503));
    assert_eq!(verdict.await, 401);
}

/// Polls until `look` finds something.
async fn eventually<T>(look: impl AsyncFn() -> Option<T>) -> T {
    for _ in 0..300 {
        if let Some(found) = look().await {
            return found;
        }
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not come");
}

#[db_test]
async fn uses_that_could_not_be_written_are_kept(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    assert_eq!(app.me(&key).await.status, 200);
    let rename = |from: &str, to: &str| {
        let rename = format!("ALTER TABLE {from} RENAME TO {to}");
        app.db.write::<_, storage::StorageError>(|connection| Ok(sql_query(&rename).execute(connection)?)).unwrap()
    };
    rename("token_uses", "away");
    assert!(app::maintenance::flush_usage(&app.jeton).await.is_err());
    rename("away", "token_uses");
    app::maintenance::flush_usage(&app.jeton).await.unwrap();
    let log = crate::harness::activity(&app.db);
    assert_eq!(log.iter().filter(|entry| entry.action == "token.first_used").count(), 1);
}

#[db_test]
async fn a_database_that_lost_commits_is_not_used_until_the_operator_decides(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    ann.makes_token("gone").await;
    ann.revokes("gone").await;
    assert_eq!(app.me(&key).await.status, 200);
    app::maintenance::note_epoch(&app.jeton).await.unwrap();
    // As a backup from before the revocation would have it.
    let older = |connection: &mut _| Ok(sql_query("UPDATE auth_epoch SET epoch = epoch - 1").execute(connection)?);
    app.db.write::<_, StorageError>(older).unwrap();
    wait_for_freshness();
    for _ in 0..2 {
        let answer = app.me(&key).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
    }
    assert!(app::maintenance::note_epoch(&app.jeton).await.is_err());

    let refused = Jeton::open(app.settings()).map(drop).unwrap_err().to_string();
    assert!(refused.contains("older than this node remembers"), "{refused}");
    let note = app.folder().join("epoch");
    for damaged in ["", "1", "x\n"] {
        std::fs::write(&note, damaged).unwrap();
        let refused = Jeton::open(app.settings()).map(drop).unwrap_err().to_string();
        assert!(refused.contains("Delete") && refused.contains("jeton token revoke"), "{refused}");
    }
    std::fs::remove_file(note).unwrap();
    assert!(Jeton::open(app.settings()).is_ok());
}
