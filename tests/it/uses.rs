//! Uses of many tokens are written in one batch, each as if it were alone, and so are their log entries.

use crate::harness::{Person, TestApp, TestDb, change, count, db_test, lists};
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types};
use domain::{
    activity::{Action, Source},
    organization::OrganizationId,
    time::{DAY, Timestamp},
    token::{InactivityExpiry, TokenId},
};
use std::{collections::HashMap, thread};
use storage::{
    AnyConnection, Db, StorageError,
    activity::{self, Entry, Walk},
    tokens::{self, NotedUse, Uses},
};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::BigInt)]
    id: i64,
    #[diesel(sql_type = sql_types::Text)]
    label: String,
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    last_used_at: Option<i64>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    last_used_program: Option<String>,
    #[diesel(sql_type = sql_types::BigInt)]
    calls: i64,
}

/// Returns all tokens by their labels.
fn rows(db: &Db) -> HashMap<String, Row> {
    let all = "SELECT id, label, CASE WHEN address IS NOT NULL THEN idle_since END AS last_used_at, \
               program AS last_used_program, \
               CAST(coalesce((SELECT sum(calls) FROM token_calls WHERE token_id = id), 0) AS BIGINT) AS calls \
               FROM api_tokens JOIN token_uses ON token_uses.token_id = id";
    let rows: Vec<Row> = db.read::<_, StorageError>(|connection| Ok(sql_query(all).load(connection)?)).expect("tokens");
    rows.into_iter().map(|row| (row.label.clone(), row)).collect()
}

async fn with_tokens(ann: &Person, labels: &[&str]) {
    for label in labels {
        ann.makes_token(label).await;
    }
}

fn source(program: &str) -> Source {
    Source { address: "192.0.2.1".into(), program: program.into(), request_id: String::new() }
}

#[db_test]
async fn uses_written_together_are_stored_as_if_written_one_by_one(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let labels = ["New", "Used before", "Used since", "Revoked since", "Revoked before", "Expired", "At its end"];
    with_tokens(&ann, &labels).await;
    let token = |label: &str| TokenId(rows(&app.db)[label].id);
    let (now, odd) = (app.clock.now(), source("\"Excel\" \\ 'x' — \u{1F600}"));
    let change = |sql: &str, label: &str| {
        let sql = sql.replace("ID", &token(label).0.to_string()).replace("NOW", &now.seconds().to_string());
        app.db.write::<_, StorageError>(|connection| Ok(sql_query(&sql).execute(connection)?)).expect("a change")
    };
    change("UPDATE token_uses SET idle_since = NOW - 1, address = '' WHERE token_id = ID", "Used before");
    change("UPDATE token_uses SET idle_since = NOW + 1, address = '' WHERE token_id = ID", "Used since");
    change("UPDATE api_tokens SET revoked_at = NOW, slot = NULL WHERE id = ID", "Revoked since");
    change("UPDATE api_tokens SET revoked_at = NOW - 1, slot = NULL WHERE id = ID", "Revoked before");
    change("UPDATE api_tokens SET expired_at = NOW, slot = NULL WHERE id = ID", "Expired");
    for (label, state) in [("Revoked since", "revoked"), ("Revoked before", "revoked"), ("Expired", "expired")] {
        change(&format!("UPDATE token_uses SET state = '{state}' WHERE token_id = ID"), label);
    }
    change("UPDATE token_uses SET idle_since = NOW - inactivity_days * 86400 WHERE token_id = ID", "At its end");

    let mut uses: Vec<_> = labels
        .iter()
        .zip(0..)
        .map(|(label, count)| Uses { token: token(label), at: now, source: &odd, count })
        .collect();
    uses.push(Uses { token: TokenId(999), at: now, source: &odd, count: 5 });
    let write = |connection: &mut AnyConnection| {
        let noted = tokens::note_uses(connection, &uses)?;
        tokens::count_calls(connection, &uses)?;
        tokens::count_calls(connection, &uses[1..3])?;
        Ok::<_, StorageError>(noted)
    };
    let noted = app.db.write(write).expect("they are written");

    let rows = rows(&app.db);
    let (now, ended) = (now.seconds(), NotedUse::Ended);
    for (label, outcome, at, calls) in [
        ("New", NotedUse::First, Some(now), 0),
        ("Used before", NotedUse::Later, Some(now), 2),
        ("Used since", NotedUse::Later, Some(now + 1), 4),
        ("Revoked since", NotedUse::First, Some(now), 3),
        ("Revoked before", ended, None, 4),
        ("Expired", ended, None, 5),
        ("At its end", ended, None, 6),
    ] {
        let row = &rows[label];
        assert_eq!((noted[&TokenId(row.id)], row.last_used_at, row.calls), (outcome, at, calls), "{label}");
        let is_written = at == Some(now);
        assert_eq!(row.last_used_program.as_ref() == Some(&odd.program), is_written, "{label}");
    }
    assert_eq!(noted[&TokenId(999)], ended, "there is no such token");
}

#[db_test]
async fn of_two_nodes_that_store_the_same_use_one_logs_it_as_the_first(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let labels = ["1", "2", "3", "4", "5", "6", "7", "8"];
    with_tokens(&ann, &labels).await;
    let mut ids: Vec<TokenId> = rows(&app.db).values().map(|row| TokenId(row.id)).collect();
    let now = app.clock.now();
    for round in 0..20 {
        ids.sort_by_key(|id| id.0);
        let forth = ids.clone();
        ids.reverse();
        let firsts = thread::scope(|scope| {
            let nodes = [&forth, &ids].map(|ids| scope.spawn(|| firsts(&app.db, ids, now.plus(round))));
            nodes.map(|node| node.join().expect("a node")).iter().sum::<usize>()
        });
        assert_eq!(firsts, if round == 0 { labels.len() } else { 0 }, "in round {round}");
    }
    assert!(rows(&app.db).values().all(|row| row.last_used_at == Some(now.plus(19).seconds())));
}

#[db_test]
async fn a_use_and_the_expiry_never_both_succeed(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_token("Power BI").await;
    let token = TokenId(rows(&app.db)["Power BI"].id);
    let (now, source) = (app.clock.now(), source("curl"));
    let end = now.plus(InactivityExpiry::default().seconds());
    for round in 0..20 {
        change(&app, "UPDATE api_tokens SET expired_at = NULL, slot = 1");
        change(&app, &format!("UPDATE token_uses SET state = 'active', idle_since = {}", now.seconds()));
        // The use was in time, but is only written when the period is over.
        let used = || written(&app.db, |c| tokens::note_use(c, token, end.plus(-1), &source)) != NotedUse::Ended;
        let expired = || written(&app.db, |c| tokens::expire(c, token, end));
        let (used, expired) = thread::scope(|scope| {
            let (used, expired) = (scope.spawn(used), scope.spawn(expired));
            (used.join().expect("a node"), expired.join().expect("a node"))
        });
        assert!(used != expired, "in round {round}: {used} {expired}");
    }
}

fn written<T>(db: &Db, work: impl FnMut(&mut AnyConnection) -> storage::Result<T>) -> T {
    db.write::<_, StorageError>(work).expect("no ring")
}

#[db_test]
async fn what_is_due_is_found_through_an_index_of_uses(db: TestDb) {
    let (app, _ann) = TestApp::with_user(db, "Ann").await;
    let now = app.clock.now();
    app.db.write::<_, StorageError>(|connection| lists::fill(connection, 10_000, now.seconds())).expect("tokens");
    let later = now.plus(20 * DAY);
    let due = written(&app.db, |connection| tokens::due(connection, later, 10_000));
    let is_due = format!("state = 'active' AND idle_since <= {}", later.plus(-180 * DAY).seconds());
    assert_eq!(due.len() as i64, count(&app, &format!("token_uses WHERE {is_due}")));
    assert!(due.len() > 100 && due.is_sorted_by_key(|due| due.id.0), "{}", due.len());
    let plans = |connection: &mut AnyConnection| lists::plans(connection, |c| tokens::due(c, now, 500));
    for plan in app.db.read::<_, StorageError>(plans).expect("plans") {
        let is_through = ["SCAN token_uses", "Seq Scan on token_uses", "Seq Scan on api_tokens"];
        assert!(plan.contains("token_uses_active") && !is_through.iter().any(|scan| plan.contains(scan)), "{plan}");
    }
}

#[db_test]
async fn entries_written_together_join_the_chains_of_their_organizations(db: TestDb) {
    let (app, _) = TestApp::with_user(db, "Ann").await;
    let (here, source) = (Some(OrganizationId(1)), source("curl"));
    let entry = |organization| Entry::new(organization, Action::TokenFirstUsed, app.clock.now(), &source);
    let together = [entry(here), entry(None), entry(here), entry(None), entry(here)];
    let before = [here, None].map(|organization| checked(&app.db, organization));
    thread::scope(|scope| {
        for _ in 0..4 {
            let write = || app.db.write::<_, StorageError>(|connection| activity::insert_all(connection, &together));
            scope.spawn(move || (0..5).for_each(|_| write().expect("no ring")));
        }
    });
    assert_eq!(checked(&app.db, here), before[0] + 60);
    assert_eq!(checked(&app.db, None), before[1] + 40);
    let thousands = vec![together; 1000].concat();
    app.db.write::<_, StorageError>(|connection| activity::insert_all(connection, &thousands)).expect("there is room");
    assert_eq!(checked(&app.db, here), before[0] + 3060);
}

/// Returns how many entries an organization's chain has, and checks that it is unbroken.
fn checked(db: &Db, organization: Option<OrganizationId>) -> i64 {
    let mut walk = Walk::new(organization, None);
    let walked = |connection: &mut AnyConnection| {
        while walk.step(connection, 1000)? || !walk.end(connection)? {}
        Ok::<_, StorageError>(())
    };
    db.read(walked).expect("a chain");
    assert_eq!(walk.breaks, []);
    walk.entries
}

/// Writes uses of tokens as a node does, and returns for how many this was the first use.
fn firsts(db: &Db, ids: &[TokenId], at: Timestamp) -> usize {
    let source = source("curl");
    let uses: Vec<_> = ids.iter().map(|token| Uses { token: *token, at, source: &source, count: 1 }).collect();
    let noted = db.write::<_, StorageError>(|connection| tokens::note_uses(connection, &uses)).expect("no ring");
    assert!(noted.values().all(|noted| *noted != NotedUse::Ended), "they live");
    noted.values().filter(|noted| **noted == NotedUse::First).count()
}
