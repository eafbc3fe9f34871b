//! Lists, feeds and tables of items: pages, times, what a request accepts, and what is counted.

use super::{
    api::{ASSETS, Program, id, wrong},
    at, program,
};
use crate::harness::{Answer, Person, TestApp, TestDb, change, count, db_test, org};
use app::items::{self, ListQuery};
use diesel::{Connection, connection::InstrumentationEvent};
use domain::{field::Form, permission::BuiltInSet};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use storage::DatabaseUrl;

const ITEMS: &str = org!("/items/assets");

/// Creates items with these names in one transaction.
async fn makes_all(sync: &Program<'_>, names: &[String]) {
    for some in names.chunks(100) {
        let many: Vec<_> = some.iter().map(|name| json!({ "create": { "name": name } })).collect();
        let done = sync.sends("POST", &format!("{ASSETS}/bulk"), json!({ "operations": many })).await;
        let results = done.json()["results"].as_array().cloned().unwrap_or_default();
        assert!(results.iter().all(|one| one["status"] == 201), "{}", done.body);
    }
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("Item {number}")).collect()
}

impl Program<'_> {
    async fn accepts(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let key = format!("Bearer {}", self.key);
        self.app.send(method, path, &[&[("authorization", key.as_str())], headers].concat(), "").await
    }

    /// The lines of a table, without the first.
    async fn lines(&self, path: &str) -> (String, Vec<String>) {
        let answer = self.accepts("GET", path, &[("accept", "text/csv")]).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/csv; charset=utf-8"), "{}", answer.body);
        let mut lines = answer.body.split("\r\n").map(str::to_owned);
        let first = lines.next().unwrap();
        (first, lines.filter(|line| !line.is_empty()).collect())
    }
}

#[db_test]
async fn many_rows_of_one_moment_come_once_each(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    makes_all(&sync, &numbered(90)).await;
    assert_eq!(count(&app, "(SELECT DISTINCT modified_at FROM items) AS moments"), 1);
    let (mut seen, mut sizes, mut next) = (Vec::new(), Vec::new(), Some(String::new()));
    while let Some(cursor) = next {
        let page = sync.gets(&format!("{ASSETS}?limit=20&cursor={cursor}")).await;
        let rows = page["data"].as_array().unwrap();
        sizes.push(rows.len());
        seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        next = page["next_cursor"].as_str().map(String::from);
    }
    assert_eq!(sizes, [20, 20, 20, 20, 10]);
    assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (90, 90));
}

#[db_test]
async fn a_time_has_any_offset_also_with_a_bare_plus(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    makes_all(&sync, &["Fridge".to_owned()]).await;
    let now = app.clock.now();
    // What a clock five and a half hours ahead shows.
    let ahead = |seconds: i64| now.plus(seconds + 19_800).rfc3339().replace('Z', "");
    for list in [ASSETS, "/feed/assets"] {
        for plus in ["+", "%2B"] {
            let earlier = format!("{list}?modified_after={}{plus}05:30", ahead(-3600));
            assert_eq!(sync.names(&earlier).await, ["Fridge"], "{earlier}");
            let later = format!("{list}?modified_after={}{plus}05:30", ahead(3600));
            assert_eq!(sync.names(&later).await, [""; 0], "{later}");
            let before = format!("{list}?modified_before={}{plus}05:30", ahead(-3600));
            assert_eq!(sync.names(&before).await, [""; 0], "{before}");
            let before = format!("{list}?modified_before={}{plus}05:30", ahead(3600));
            assert_eq!(sync.names(&before).await, ["Fridge"], "{before}");
        }
    }
}

#[db_test]
async fn what_is_wrong_with_an_address_or_a_body_is_named(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    for list in [ASSETS, "/feed/assets"] {
        for (query, field) in [
            ("limit=1&limit=2", "limit"),
            ("modified_before=x", "modified_before"),
            ("template=aaaaaaaaaa&template=bbbbbbbbbb", "template"),
        ] {
            let answer = sync.asks(&format!("{list}?{query}")).await;
            assert_eq!((answer.status, wrong(&answer)), (400, vec![field.to_owned()]), "{list}?{query}");
        }
        for (query, field) in [("limit=5", "limit"), ("cursor=MS4x", "cursor"), ("archived=yes", "archived")] {
            let answer = sync.accepts("GET", &format!("{list}?{query}"), &[("accept", "text/csv")]).await;
            assert_eq!((answer.status, wrong(&answer)), (400, vec![field.to_owned()]), "{list}?{query}");
        }
    }
    for (body, field) in [
        (json!({ "name": 5 }), "name"),
        (json!({ "name": "a", "colour": "red" }), "colour"),
        (json!({ "name": "a", "questions": [{ "label": "a" }, { "label": [] }] }), "questions.1.label"),
    ] {
        let answer = sync.sends("POST", ASSETS, body.clone()).await;
        assert_eq!((answer.status, wrong(&answer)), (400, vec![field.to_owned()]), "{body}");
    }
    let bulk = format!("{ASSETS}/bulk");
    let operations = json!({ "operations": [{ "create": { "name": "a" } }, { "create": { "name": true } }] });
    let answer = sync.sends("POST", &bulk, operations).await;
    assert_eq!((answer.status, wrong(&answer)), (400, vec!["operations.1.create.name".to_owned()]));
    for (kind, body) in [("application/json", "{"), ("application/json", "\u{fe}"), ("text/plain", "{}")] {
        let key = format!("Bearer {}", sync.key);
        let headers = [("authorization", key.as_str()), ("content-type", kind)];
        let answer = app.send("POST", ASSETS, &headers, body).await;
        assert_eq!((answer.status, answer.header("content-type")), (400, "application/problem+json"), "{body}");
    }
    assert_eq!(count(&app, "items"), 0, "nothing is written by halves");
}

#[db_test]
async fn many_changes_may_be_longer_than_one(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    let long = "d".repeat(1_900);
    let many: Vec<_> = (0..100).map(|_| json!({ "create": { "name": "a", "description": long } })).collect();
    let done = sync.sends("POST", &format!("{ASSETS}/bulk"), json!({ "operations": many })).await;
    assert_eq!((done.status, count(&app, "items")), (200, 100), "{}", done.body);
    let filled = |bytes: usize| json!({ "name": "a", "description": "d".repeat(bytes) });
    assert_eq!(sync.sends("POST", ASSETS, filled(60_000)).await.status, 422, "read, and too long");
    assert_eq!(sync.sends("POST", ASSETS, filled(66_000)).await.status, 413);
    let more = json!({ "operations": [{ "create": filled(1_050_000) }] });
    let refused = sync.sends("POST", &format!("{ASSETS}/bulk"), more).await;
    assert_eq!((refused.status, refused.header("content-type")), (413, "application/problem+json"));
    assert_eq!(count(&app, "items"), 100);
}

#[db_test]
async fn a_table_has_everything_and_runs_nothing(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    let mut names = numbered(250);
    names[7] = "=HYPERLINK(\"http://evil.example\")".into();
    names[8] = "Réfrigérateur, \"bleu\"; été".into();
    makes_all(&sync, &names).await;
    let old = sync.makes(ASSETS, json!({ "name": "Old", "external_id": "007" })).await;
    assert_eq!(sync.sends("PATCH", &old, json!({ "archived": true })).await.status, 200);
    for (list, columns, rows) in [
        (ASSETS, "\"id\",\"external_id\",\"name\",\"description\",\"owner_id\"", 250),
        ("/feed/assets", "\"id\",\"name\",\"modified_at\",\"archived\"", 251),
    ] {
        let (first, lines) = sync.lines(list).await;
        assert!(first.starts_with(columns) && first.ends_with(",\"answers\""), "{first}");
        assert_eq!(lines.len(), rows, "{list}");
        let ids: BTreeSet<&str> = lines.iter().map(|line| line.split(',').next().unwrap()).collect();
        assert_eq!(ids.len(), rows, "each once");
        let has = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
        assert_eq!(has("\"'=HYPERLINK(\"\"http://evil.example\"\")\""), 1, "{list}");
        assert_eq!(has("\"Réfrigérateur, \"\"bleu\"\"; été\""), 1, "{list}");
    }
    let (_, lines) = sync.lines(&format!("{ASSETS}?q=item+11&archived=both")).await;
    assert_eq!(lines.len(), 12, "11, 110 to 119, and 211");
    let (_, lines) = sync.lines(&format!("{ASSETS}?archived=true")).await;
    assert!(lines.len() == 1 && lines[0].contains(",\"'007\",\"Old\","), "{lines:?}");
    let other = Program::of(&app, &app.add_user("Ben", BuiltInSet::Standard).await).await;
    assert_eq!(other.lines(ASSETS).await.1, [""; 0]);
    assert_eq!(other.accepts("GET", "/feed/invoices", &[("accept", "text/csv")]).await.status, 404);
}

#[db_test]
async fn a_list_is_downloaded_as_spreadsheets_open_it(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    let mut names = numbered(130);
    names[3] = "=1+1".into();
    names[4] = "Été".into();
    makes_all(&sync, &names).await;
    ann.get(ITEMS).await.shows("Download CSV");
    let file = ann.get(&format!("{ITEMS}.csv")).await;
    assert_eq!((file.status, file.header("content-type")), (200, "text/csv; charset=utf-8"));
    let name = file.header("content-disposition");
    assert!(name.starts_with("attachment; filename=\"assets-croix-bleue-sahel-2"), "{name}");
    assert!(file.body.starts_with("\u{feff}\"ID\",\"External ID\",\"Name\""), "{}", &file.body[..60]);
    assert_eq!(file.body.matches("\r\n").count(), 131);
    assert!(file.body.contains(",\"'=1+1\",") && file.body.contains(",\"Été\","));
    let found = ann.get(&format!("{ITEMS}.csv?q=item+11")).await;
    assert_eq!(found.body.matches("\r\n").count(), 12);
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    assert_eq!(ben.get(&format!("{ITEMS}.csv")).await.body.matches("\r\n").count(), 1, "only what he reaches");
    for path in [org!("/items/invoices.csv"), org!("/items/assets.csv?site=x")] {
        assert_eq!(ann.get(path).await.status, 404, "{path}");
    }
    let head = ann.request("HEAD", &format!("{ITEMS}.csv"), &[], String::new()).await;
    assert_eq!((head.status, head.header("content-disposition"), head.body.as_str()), (200, name, ""));
}

/// The headers of an answer, without those that differ each time.
fn headers(answer: &Answer) -> BTreeSet<(String, String)> {
    let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    answer.headers.iter().map(header).filter(|(name, _)| name != "date" && name != "x-request-id").collect()
}

#[db_test]
async fn head_tells_what_get_would(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    makes_all(&sync, &numbered(120)).await;
    let item = sync.makes(ASSETS, json!({ "name": "Fridge", "description": "blue ".repeat(300) })).await;
    for encoding in ["identity", "gzip"] {
        for (path, accept) in [
            (item.as_str(), "application/json"),
            (ASSETS, "application/json"),
            ("/feed/assets", "*/*"),
            (ASSETS, "text/csv"),
            ("/feed/assets", "text/csv"),
            ("/feed/assets?limit=x", "*/*"),
            ("/feed/nothing", "*/*"),
        ] {
            let asks = [("accept", accept), ("accept-encoding", encoding)];
            let (get, head) = (sync.accepts("GET", path, &asks).await, sync.accepts("HEAD", path, &asks).await);
            assert_eq!(head.status, get.status, "{path}");
            assert_eq!(headers(&head), headers(&get), "{path} {accept} {encoding}");
            assert_eq!(head.body, "", "{path}");
            let is_compressed = get.status == 200 && encoding == "gzip";
            assert_eq!(get.header("content-encoding") == "gzip", is_compressed, "{path} {accept}");
            if get.status == 200 {
                assert!(headers(&get).iter().any(|(name, value)| name == "vary" && value == "accept-encoding"));
            }
            let length = get.header("content-length");
            assert_eq!(length.is_empty(), accept == "text/csv" && get.status == 200, "{path}: a stream has none");
        }
    }
    let verified = sync.accepts("GET", "/verify", &[("accept-encoding", "gzip")]).await;
    assert_eq!((verified.status, verified.header("content-encoding"), verified.header("vary")), (200, "", ""));
}

#[db_test]
async fn what_is_counted_is_what_is_reached(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let (sync, his) = (Program::of(&app, &ann).await, Program::of(&app, &ben).await);
    makes_all(&sync, &numbered(60)).await;
    let list = sync.gets(&format!("{ASSETS}?limit=5")).await;
    for item in list["data"].as_array().unwrap() {
        let body = json!({ "recipient": { "type": "user", "id": ben.email }, "level": "view" });
        let shares = format!("{ASSETS}/{}/shares", item["id"].as_str().unwrap());
        assert_eq!(sync.sends("POST", &shares, body).await.status, 200);
    }
    assert_eq!(his.names(ASSETS).await.len(), 5);
    let page = his.gets("/feed/assets?limit=2").await;
    assert_eq!((page["data"].as_array().unwrap().len(), &page["metadata"]["remaining_records"]), (2, &json!(3)));
    assert_eq!(his.lines(ASSETS).await.1.len(), 5);
    assert_eq!(his.lines("/feed/assets").await.1.len(), 5);
    assert_eq!(ben.get(&format!("{ITEMS}.csv")).await.body.matches("\r\n").count(), 6);
    // A page is never short because of what stands between.
    let page = his.gets(&format!("{ASSETS}?limit=4")).await;
    assert_eq!(page["data"].as_array().unwrap().len(), 4);
}

/// Fails unless what is written down is what there is.
fn is_counted(app: &TestApp, what: &str) {
    const WRITTEN: &str = "SELECT organization_id, kind, state, site_id, count FROM item_counts WHERE count <> 0";
    const THERE: &str = "SELECT organization_id, kind, CASE WHEN archived_at IS NULL THEN 0 ELSE 1 END AS state, \
        coalesce(site_id, 0) AS site_id, count(*) AS count FROM items GROUP BY 1, 2, 3, 4";
    for (one, other) in [(WRITTEN, THERE), (THERE, WRITTEN)] {
        assert_eq!(count(app, &format!("({one} EXCEPT {other}) AS wrong")), 0, "{what}");
    }
}

async fn site(ann: &Person, name: &str) -> String {
    let made = ann.post(org!("/sites"), &[("name", name)]).await;
    id(made.header("location").trim_end_matches("?notice=created")).to_owned()
}

#[db_test]
async fn what_is_written_down_is_what_there_is(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    let (gao, mopti) = (site(&ann, "Gao").await, site(&ann, "Mopti").await);
    let mut made = Vec::new();
    for number in 0..6 {
        let at = if number % 2 == 0 { &gao } else { &mopti };
        made.push(sync.makes(ASSETS, json!({ "name": format!("Item {number}"), "site": at })).await);
    }
    sync.makes("/api/v1/items/templates", json!({ "name": "Cold chain" })).await;
    is_counted(&app, "made");
    for (at, body) in [
        (0, json!({ "archived": true })),
        (1, json!({ "archived": true, "site": null })),
        (2, json!({ "site": mopti, "name": "Other" })),
        (1, json!({ "archived": false })),
        (3, json!({ "name": "Same place" })),
    ] {
        assert_eq!(sync.sends("PATCH", &made[at], body.clone()).await.status, 200);
        is_counted(&app, &body.to_string());
    }
    for at in [0, 4] {
        assert_eq!(sync.sends("DELETE", &made[at], Value::Null).await.status, 204);
        is_counted(&app, "deleted");
    }
    let refused = sync.sends_if("PATCH", &made[5], json!({ "site": gao }), "\"9\"").await;
    assert_eq!(refused.status, 412);
    is_counted(&app, "refused");
    assert_eq!(ann.post(&format!("{}/{mopti}/deletion", org!("/sites")), &[]).await.status, 303);
    is_counted(&app, "the site is gone");
    assert!(count(&app, "items WHERE site_id IS NULL AND kind = 'assets'") >= 3);
    change(&app, "UPDATE item_counts SET count = count + 1");
    let written = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| is_counted(&app, "changed")));
    assert!(written.is_err(), "the comparison can fail");
}

#[db_test]
async fn an_export_ends_with_the_right_to_it(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    makes_all(&sync, &numbered(250)).await;
    let ben = app.add_user("Ben", BuiltInSet::Administrator).await;
    for (what, by) in [("token", program(&app, &sync.key).await), ("member", at(&app, &ann).await)] {
        let mut export = items::export(&app.jeton, &by, "assets", ListQuery::default()).await.unwrap();
        let first = export.more(&app.jeton).await.unwrap().unwrap();
        assert_eq!((first.page.items.len(), first.contents.len()), (100, 100), "{what}");
        if what == "token" {
            assert_eq!(ann.revokes("Sync").await.status, 303);
        } else {
            assert_eq!(ben.does("Ann", "deactivation").await.status, 303);
        }
        assert!(export.more(&app.jeton).await.is_err(), "{what}");
    }
}

#[db_test]
async fn a_page_reads_the_contents_of_all_its_items_at_once(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let sync = Program::of(&app, &ann).await;
    makes_all(&sync, &numbered(50)).await;
    let by = at(&app, &ann).await;
    let mut export = items::export(&app.jeton, &by, "assets", ListQuery::default()).await.unwrap();
    let found = export.more(&app.jeton).await.unwrap().unwrap().page.items;
    let mut connection = DatabaseUrl::parse(app.url_of_database()).unwrap().connect().unwrap();
    let (none, asked) = (Form::default(), Arc::new(AtomicUsize::new(0)));
    let heard = Arc::clone(&asked);
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        heard.fetch_add(usize::from(matches!(event, InstrumentationEvent::StartQuery { .. })), Ordering::SeqCst);
    });
    let all = found.iter().map(|(item, _)| item);
    let contents = storage::items::contents_of(&mut connection, all, |_| &none).unwrap();
    assert_eq!((contents.len(), asked.load(Ordering::SeqCst)), (50, 1));
}
