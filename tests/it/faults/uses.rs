//! Uses of tokens are not lost, and pages do not slow them.

use super::{figure, is_long, nodes::Nodes};
use crate::harness::{DAY, TestDb, count_in};
use app::clock::Clock;
use diesel::{Connection, PgConnection, connection::SimpleConnection};
use futures_util::future::join;
use std::time::{Duration, Instant};

/// The last minutes of a token that expires after 45 days without use.
const AT_THE_BRINK: i64 = 45 * DAY - 5 * 60;

/// V16: the use of a token that would soon expire is in the database before it is accepted.
#[actix_web::test]
async fn a_token_does_not_expire_if_its_node_is_killed_after_a_use() {
    let mut nodes = Nodes::start(TestDb::postgres(), 2).await;
    let keys = nodes.tokens(10, AT_THE_BRINK);
    let used = Clock::system().now();
    for key in &keys {
        nodes.says(200, 0, key).await;
    }
    nodes.kill(0);
    for key in &keys {
        assert!(nodes.last_use(key).is_some_and(|stored| stored >= used), "it was written down at once");
    }
    nodes.start_again(0);
    nodes.all_say(200, &keys).await;
}

/// V16: uses that are lost with a node are at most a minute old.
#[actix_web::test]
async fn a_killed_node_loses_at_most_one_minute_of_uses() {
    if !is_long() {
        return;
    }
    let mut nodes = Nodes::start(TestDb::postgres(), 1).await;
    let keys = nodes.tokens(40, 0);
    let mut behind = Vec::new();
    for seconds in [118, 100, 70] {
        let (begun, mut last) = (Instant::now(), vec![Clock::system().now(); keys.len()]);
        while begun.elapsed() < Duration::from_secs(seconds) {
            for (key, last) in keys.iter().zip(&mut last) {
                nodes.says(200, 0, key).await;
                *last = Clock::system().now();
            }
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
        nodes.kill(0);
        let stored = |key: &String| nodes.last_use(key).expect("a use");
        behind.extend(keys.iter().zip(&last).map(|(key, last)| last.since(stored(key))));
        nodes.start_again(0);
        nodes.all_say(200, &keys).await;
    }
    let most = behind.iter().max().expect("tokens");
    figure("last use after `kill -9`, of 3 × 40 tokens in use: behind by at most", &format!("{most} s"));
    // The clock of the database tells whole seconds.
    assert!(*most <= 61, "{behind:?}");
}

/// How many database connections the pages of a node have.
const PAGES: i64 = 8;

/// All connections of the pages wait for another transaction's lock, and tokens are still verified: cached and uncached
/// ones, and those whose use must be written first.
#[actix_web::test]
async fn tokens_are_verified_while_pages_use_all_their_connections() {
    let database = TestDb::postgres();
    let url = database.url.clone();
    let nodes = Nodes::start(database, 1).await;
    let (known, other, brink) =
        (nodes.tokens(1, 0).remove(0), nodes.tokens(1, 0).remove(0), nodes.tokens(1, AT_THE_BRINK).remove(0));
    nodes.says(200, 0, &known).await;

    let (mut locker, mut looker) = (PgConnection::establish(&url).unwrap(), PgConnection::establish(&url).unwrap());
    locker.batch_execute("BEGIN; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE").unwrap();
    let tabs: Vec<_> = (0..12).map(|_| nodes.ann.copy()).collect();
    let pages = futures_util::future::join_all(tabs.iter().map(|tab| tab.get("/account/tokens")));
    let verifications = async {
        let waiting = "pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        let mut all_wait = || count_in(&mut looker, waiting).unwrap() == PAGES;
        for _ in 0..200 {
            if all_wait() {
                break;
            }
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
        for key in [&known, &other, &brink] {
            nodes.says(200, 0, key).await;
        }
        let is_written = nodes.last_use(&brink).is_some();
        let still_wait = all_wait();
        locker.batch_execute("COMMIT").unwrap();
        is_written && still_wait
    };
    let (pages, done) = join(pages, verifications).await;
    assert!(done, "while all connections of the pages waited");
    assert!(pages.iter().all(|page| page.status == 200), "they only waited");
}
