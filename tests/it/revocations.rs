//! Revocation receipts: every way of revoking creates one, what the nodes report in it, its signature, and who may see
//! it.

use crate::harness::{
    ORG, Person, SLUG, TestApp, TestDb, db_test, folder, org,
    process::{Process, client, command, prints, status},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::permission::BuiltInSet;
use serde_json::{Value, json};
use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};
use storage::{AnyConnection, DatabaseUrl, Db, StorageError};

/// The permissions that a service user needs to see all receipts of its organization.
const READS_LOG: &str = "platform.activity";

async fn receipt_at(url: &str, key: &str, id: &str) -> (u16, Value) {
    let asked = client().get(format!("{url}/api/v1/revocations/{id}")).bearer_auth(key).send().await.unwrap();
    (asked.status().as_u16(), asked.json().await.unwrap())
}

/// Returns the receipt once `is_so`; nodes confirm within two seconds, on a busy machine a little later.
async fn receipt_once(url: &str, key: &str, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let (status, answer) = receipt_at(url, key, id).await;
        if status == 200 && is_so(&answer["receipt"]) {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{id}: {status} {answer}");
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn whole_receipt(url: &str, key: &str, id: &str) -> Value {
    receipt_once(url, key, id, |receipt| receipt["is_complete"] == true).await
}

/// Returns a key of Ann's organization that may read all its receipts.
async fn auditor(ann: &Person) -> String {
    let made = ann.asks_for_service_token("Auditor", "45", &[READS_LOG]).await;
    made.key().unwrap_or_else(|| panic!("{}", made.body))
}

async fn service_id(ann: &Person, name: &str) -> String {
    ann.service_token(name).await.rsplit('/').next().unwrap().to_owned()
}

fn of_millis(text: &Value) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text.as_str().unwrap()).unwrap().timestamp_millis()
}

#[db_test]
async fn a_receipt_says_when_each_node_refused_and_what_it_accepted_last(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let auditor = auditor(&ann).await;
    let key = ann.makes_token("Power BI").await;
    let id = ann.token_id("Power BI").await;
    let before = chrono::Utc::now().timestamp();
    assert_eq!(app.me(&key).await.status, 200);
    assert_eq!(ann.revokes("Power BI").await.status, 303);
    assert_eq!(app.me(&key).await.status, 401);

    let answer = whole_receipt(&app.url, &auditor, &id).await;
    let receipt = &answer["receipt"];
    assert_eq!(receipt["iss"], app.url.as_str());
    assert_eq!(receipt["organization"], SLUG);
    assert!(receipt["organization_id"].as_str().is_some_and(domain::token::is_public_id));
    assert_eq!(receipt["token"], json!({ "id": id, "label": "Power BI", "kind": "personal" }));
    assert_eq!(receipt["revoked"], "token");
    let [node] = &receipt["nodes"].as_array().unwrap()[..] else { panic!("{receipt}") };
    assert_eq!(node["state"], "alive");
    assert!(node["epoch"].as_i64().unwrap() >= receipt["epoch"].as_i64().unwrap());
    let (revoked, refuses) = (of_millis(&receipt["revoked_at"]), of_millis(&node["refuses_since"]));
    let accepted = of_millis(&node["last_accepted_at"]);
    assert!(revoked <= refuses && refuses <= revoked + 5_000, "{receipt}");
    assert!(accepted <= refuses && accepted >= (before - 1) * 1000, "{receipt}");
    // Refused uses do not count as accepted, and what was reported once stays.
    assert_eq!(app.me(&key).await.status, 401);
    let again = whole_receipt(&app.url, &auditor, &id).await;
    assert_eq!(again["receipt"]["nodes"][0]["last_accepted_at"], node["last_accepted_at"]);
    assert_eq!(again["receipt"]["nodes"][0]["refuses_since"], node["refuses_since"]);
}

#[db_test]
async fn a_token_that_was_never_used_was_never_accepted(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let auditor = auditor(&ann).await;
    ann.makes_token("Power BI").await;
    let id = ann.token_id("Power BI").await;
    ann.revokes("Power BI").await;
    let answer = whole_receipt(&app.url, &auditor, &id).await;
    assert_eq!(answer["receipt"]["nodes"][0]["last_accepted_at"], Value::Null);
}

#[db_test]
async fn revoking_twice_creates_one_receipt(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let auditor = auditor(&ann).await;
    ann.makes_token("Power BI").await;
    let id = ann.token_id("Power BI").await;
    let path = format!("/account/tokens/{id}/revocation");
    ann.get("/account/tokens").await;
    let tabs: Vec<_> = (0..4).map(|_| ann.copy()).collect();
    futures_util::future::join_all(tabs.iter().map(|tab| tab.post(&path, &[]))).await;
    let first = whole_receipt(&app.url, &auditor, &id).await;
    ann.post(&path, &[]).await;
    let second = whole_receipt(&app.url, &auditor, &id).await;
    for field in ["epoch", "revoked_at", "nodes"] {
        let without_time = |answer: &Value| match field {
            "nodes" => answer["receipt"]["nodes"][0]["refuses_since"].clone(),
            field => answer["receipt"][field].clone(),
        };
        assert_eq!(without_time(&first), without_time(&second), "{field}");
    }
}

#[db_test]
async fn every_way_of_revoking_a_personal_token_creates_a_receipt(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let auditor = auditor(&ann).await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let mut ids = Vec::new();

    let own = ann.makes_token_with("of itself", "read_write").await;
    ids.push(ann.token_id("of itself").await);
    assert_eq!(app.with_key("DELETE", "/api/v1/me/token", &own).await.status, 204);

    let standard = ann.makes_token("by RFC 7009").await;
    ids.push(ann.token_id("by RFC 7009").await);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(app.send("POST", "/oauth2/revoke", &form, &format!("token={standard}")).await.status, 200);

    let leaked = ann.makes_token("leaked").await;
    ids.push(ann.token_id("leaked").await);
    let found = json!([{ "token": leaked, "type": "jeton", "url": "" }]).to_string();
    let report = app.send("POST", "/api/v1/leaks", &[("content-type", "application/json")], &found).await;
    assert!(report.status < 300, "{}", report.body);

    ben.makes_token("by Ann").await;
    ids.push(ben.token_id("by Ann").await);
    let path = format!("{ORG}/integrations/inventory/{}/revocation", ids.last().unwrap());
    ann.get(&path).await;
    assert_eq!(ann.post(&path, &[("reason", "He asked for it")]).await.status, 303);

    let last = ben.makes_token("with Ben").await;
    ids.push(ben.token_id("with Ben").await);
    assert_eq!(app.me(&last).await.status, 200);
    assert_eq!(ann.does("Ben", "deactivation").await.status, 303);

    ann.makes_token("with all").await;
    ids.push(ann.token_id("with all").await);
    assert_eq!(ann.post("/account/tokens/revocation", &[("which", "all")]).await.status, 303);

    let mut epochs = Vec::new();
    for id in &ids {
        let answer = whole_receipt(&app.url, &auditor, id).await;
        assert_eq!(answer["receipt"]["token"]["id"], id.as_str());
        epochs.push(answer["receipt"]["epoch"].as_i64().unwrap());
    }
    assert!(epochs.is_sorted_by(|one, next| one < next), "each has its own step: {epochs:?}");
}

#[db_test]
async fn the_last_use_at_a_node_is_known_after_its_cache_was_cleared(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let auditor = auditor(&ann).await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let key = ben.makes_token("with Ben").await;
    let id = ben.token_id("with Ben").await;
    assert_eq!(app.me(&key).await.status, 200);
    // It touches whoever there is, and writes down all uses first.
    assert_eq!(ann.does("Ben", "deactivation").await.status, 303);
    let answer = whole_receipt(&app.url, &auditor, &id).await;
    assert!(answer["receipt"]["nodes"][0]["last_accepted_at"].is_string(), "{answer}");
}

#[db_test]
async fn every_way_of_ending_a_service_users_key_creates_a_receipt(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let auditor = auditor(&ann).await;
    let old = ann.makes_service_token("Workato").await;
    let (page, id) = (ann.service_token("Workato").await, service_id(&ann, "Workato").await);
    assert_eq!(receipt_at(&app.url, &auditor, &id).await.0, 404, "it works");

    let rotated = ann.confirms_with(&page, "rotation", &[("hours", "24"), ("quiet", "")]).await;
    let new = rotated.key().unwrap_or_else(|| panic!("{}", rotated.text()));
    assert_eq!(receipt_at(&app.url, &auditor, &id).await.0, 404, "both keys work");
    assert_eq!((app.me(&old).await.status, app.me(&new).await.status), (200, 200));
    ann.confirms(&page, "old-key").await;
    let of_old = whole_receipt(&app.url, &auditor, &id).await;
    assert_eq!(of_old["receipt"]["revoked"], "old_key");
    assert_eq!(of_old["receipt"]["token"]["kind"], "service");
    assert!(of_old["receipt"]["nodes"][0]["last_accepted_at"].is_string());
    assert!(!ann.get(&page).await.text().contains("Refused since"), "the token works");

    ann.confirms(&page, "revocation").await;
    let whole = receipt_once(&app.url, &auditor, &id, |receipt| receipt["revoked"] == "token").await;
    let epoch = whole["receipt"]["epoch"].as_i64().unwrap();
    assert!(epoch > of_old["receipt"]["epoch"].as_i64().unwrap());
    ann.get(&page).await.shows("Refused since");

    let regenerated = ann.confirms(&page, "regeneration").await;
    assert!(regenerated.key().is_some(), "{}", regenerated.text());
    let still = whole_receipt(&app.url, &auditor, &id).await;
    assert_eq!(still["receipt"]["epoch"], epoch, "the keys before are dead, and their receipt stays");
    assert!(!ann.get(&page).await.text().contains("Refused since"));
    ann.confirms(&page, "revocation").await;
    let again = receipt_once(&app.url, &auditor, &id, |receipt| receipt["epoch"].as_i64() > Some(epoch)).await;

    ann.confirms(&page, "deletion").await;
    assert_eq!(ann.get(&page).await.status, 404);
    let kept = whole_receipt(&app.url, &auditor, &id).await;
    assert_eq!(kept["receipt"]["epoch"], again["receipt"]["epoch"]);
    assert_eq!(kept["receipt"]["token"]["label"], "Workato");
}

#[db_test]
async fn two_keys_that_are_revoked_together_have_one_receipt(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let auditor = auditor(&ann).await;
    let old = ann.makes_service_token("Workato").await;
    let (page, id) = (ann.service_token("Workato").await, service_id(&ann, "Workato").await);
    ann.confirms_with(&page, "rotation", &[("hours", "24"), ("quiet", "")]).await;
    assert_eq!(app.me(&old).await.status, 200);
    ann.confirms(&page, "revocation").await;
    let answer = whole_receipt(&app.url, &auditor, &id).await;
    assert_eq!(answer["receipt"]["revoked"], "token");
    let [node] = &answer["receipt"]["nodes"].as_array().unwrap()[..] else { panic!("{answer}") };
    assert!(node["last_accepted_at"].is_string(), "by the other key");
}

#[db_test]
async fn a_receipt_is_shown_to_nobody_else(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let stranger = app.add_organization("elsewhere", "Stranger").await;
    let (of_ben, of_stranger) = (ben.makes_token("his").await, stranger.makes_token("theirs").await);
    let mine = ann.makes_token("mine").await;
    let manager = ann.asks_for_service_token("Manager", "45", &["platform.integrations"]).await.key().unwrap();
    ann.makes_token("Power BI").await;
    let id = ann.token_id("Power BI").await;
    let unknown = receipt_at(&app.url, &mine, "zzzzzzzzzz").await;
    let not_yet = receipt_at(&app.url, &mine, &id).await;
    ann.revokes("Power BI").await;

    for key in [&mine, &manager] {
        assert_eq!(receipt_at(&app.url, key, &id).await.0, 200);
    }
    for key in [&of_ben, &of_stranger] {
        let (status, answer) = receipt_at(&app.url, key, &id).await;
        assert_eq!((status, &answer["title"]), (404, &json!("No receipt")));
    }
    for (status, answer) in [unknown, not_yet] {
        assert_eq!((status, &answer["title"]), (404, &json!("No receipt")));
    }
    let answer = app.with_key("GET", "/api/v1/revocations/no-id!", &mine).await;
    assert_eq!((answer.status, answer.header("content-type")), (404, "application/problem+json"));
    assert_eq!(app.send("GET", &format!("/api/v1/revocations/{id}"), &[], "").await.status, 401);

    let pages = [format!("/account/tokens/{id}/receipt"), format!("/account/tokens/{id}/receipt/file")];
    for page in &pages {
        assert_eq!((ann.get(page).await.status, ben.get(page).await.status), (200, 404));
    }
    for part in ["", "/file"] {
        let page = format!("{ORG}/integrations/receipts/{id}{part}");
        assert_eq!((ann.get(&page).await.status, ben.get(&page).await.status), (200, 403));
        assert_eq!(stranger.get(&page.replace(SLUG, "elsewhere")).await.status, 404);
    }
}

#[db_test]
async fn the_signature_is_valid_and_detects_any_change(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let mine = ann.makes_token("mine").await;
    ann.makes_token("Power BI").await;
    let id = ann.token_id("Power BI").await;
    ann.revokes("Power BI").await;
    let answer = whole_receipt(&app.url, &mine, &id).await;
    let signed = answer["signed"].as_str().unwrap();
    assert_eq!(answer["keys"], format!("{}/.well-known/jwks.json", app.url));
    let keys = app.send("GET", "/.well-known/jwks.json", &[], "").await.json();
    let metadata = app.send("GET", "/.well-known/oauth-authorization-server", &[], "").await.json();
    assert_eq!(metadata["jwks_uri"], answer["keys"]);

    let parts: Vec<&str> = signed.split('.').collect();
    let [header, payload, _] = parts[..] else { panic!("{signed}") };
    let read = |part: &str| -> Value { serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    assert_eq!(read(payload), answer["receipt"]);
    assert_eq!(read(header)["kid"], keys["keys"][0]["kid"]);
    assert_eq!(read(header)["alg"], "EdDSA");
    assert!(node_verifies(&keys, signed));
    for place in [header.len() / 2, header.len() + payload.len() / 2, signed.len() - 20] {
        let other = if signed.as_bytes()[place] == b'A' { "B" } else { "A" };
        let forged = format!("{}{other}{}", &signed[..place], &signed[place + 1..]);
        assert!(!node_verifies(&keys, &forged), "{place}");
    }
    let file = ann.get(&format!("/account/tokens/{id}/receipt/file")).await;
    assert_eq!(file.header("content-disposition"), format!("attachment; filename=\"receipt-{id}.jws\""));
    assert!(node_verifies(&keys, &file.body));
}

#[db_test]
async fn the_page_of_a_revoked_token_says_since_when_it_is_refused(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let mine = ann.makes_token("mine").await;
    ann.makes_token("Power BI").await;
    let id = ann.token_id("Power BI").await;
    let (page, receipt) = (format!("/account/tokens/{id}"), format!("/account/tokens/{id}/receipt"));
    assert!(!ann.get(&page).await.text().contains("Refused since"));
    assert_eq!(ann.get(&receipt).await.status, 404, "it works");
    let list = ann.revokes("Power BI").await.header("location").to_owned();
    ann.get(&list).await.shows("Refused since");
    assert!(!ann.get("/account/tokens").await.text().contains("Refused since"));
    let inventory = ann.get(org!("/integrations/inventory?state=revoked")).await;
    assert!(inventory.body.contains(&format!("href=\"{ORG}/integrations/receipts/{id}\"")));
    let shown = ann.get(&page).await;
    shown.shows("Refused since");
    assert!(shown.body.contains(&format!("href=\"{receipt}\"")));
    ann.get(&receipt).await.shows("Revocation receipt").shows("Signed receipt");

    whole_receipt(&app.url, &mine, &id).await;
    let whole = ann.get(&receipt).await;
    whole.shows("Refused since").shows("None on record");
    assert!(!whole.body.contains("hx-trigger"), "nothing more will come");
    let line = [("hx-request", "true"), ("hx-target", "p#refused")];
    let line = ann.request("GET", &receipt, &line, String::new()).await;
    assert!(line.body.trim().starts_with("<p") && line.body.contains("Refused since"), "{}", line.body);
}

#[db_test]
async fn receipts_are_kept_for_a_year(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let auditor = ann.asks_for_service_token("Auditor", "180", &[READS_LOG]).await.key().unwrap();
    ann.makes_token("Power BI").await;
    let id = ann.token_id("Power BI").await;
    ann.revokes("Power BI").await;
    whole_receipt(&app.url, &auditor, &id).await;
    for (days, status) in [(170, 200), (170, 200), (61, 404)] {
        app.clock.advance(days * 86_400);
        app::maintenance::run(&app.jeton).await;
        assert_eq!(receipt_at(&app.url, &auditor, &id).await.0, status);
    }
}

/// Verifies with an implementation that is independent of the signing one.
fn node_verifies(keys: &Value, signed: &str) -> bool {
    const SCRIPT: &str = "const [keys, signed] = process.argv.slice(1); const [head, body, mark] = signed.split('.'); \
        const { createPublicKey, verify } = require('node:crypto'); \
        const key = createPublicKey({ key: JSON.parse(keys).keys[0], format: 'jwk' }); \
        const is = verify(null, Buffer.from(head + '.' + body), key, Buffer.from(mark, 'base64url')); \
        process.exit(is ? 0 : 7)";
    let ended = Command::new("node").args(["-e", SCRIPT, &keys.to_string(), signed]).status().unwrap();
    assert!(matches!(ended.code(), Some(0 | 7)), "{ended}");
    ended.success()
}

fn start(data: &Path, url: &str) -> Process {
    let mut command = command(&["--drain-seconds", "0"], data);
    command.env("DATABASE_URL", url);
    Process::start(command)
}

fn address(process: &mut Process) -> String {
    process.line().split_whitespace().last().unwrap().to_owned()
}

fn states(receipt: &Value) -> Vec<&str> {
    receipt["nodes"].as_array().unwrap().iter().map(|node| node["state"].as_str().unwrap()).collect()
}

/// Creates a token that the node at `url` and the one at `other` have accepted, and revokes it.
async fn revokes_a_used_one(ann: &Person, label: &str, urls: &[&str]) -> String {
    let key = ann.makes_token(label).await;
    let id = ann.token_id(label).await;
    for url in urls {
        assert_eq!(status(url, &key).await, 200);
    }
    assert_eq!(ann.revokes(label).await.status, 303);
    id
}

#[actix_web::test]
async fn every_live_node_reports_even_when_idle_and_none_waits_for_a_dead_one() {
    let (data, db) = (folder(), TestDb::postgres());
    let mut first = start(data.path(), &db.url);
    let (url, code) = first.first_lines();
    let ann = Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    let mine = ann.makes_token("mine").await;
    let mut second = start(data.path(), &db.url);
    let second_url = address(&mut second);
    assert_eq!(status(&second_url, &mine).await, 200);

    // The second one gets no request from then on, and is asked for the receipt only once the first has it whole.
    let id = revokes_a_used_one(&ann, "on both", &[&url, &second_url]).await;
    ann.get(&format!("/account/tokens/{id}")).await.shows("Refused since");
    let two = receipt_once(&url, &mine, &id, |it| it["is_complete"] == true && states(it).len() == 2).await;
    assert_eq!(states(&two["receipt"]), ["alive", "alive"]);
    for node in two["receipt"]["nodes"].as_array().unwrap() {
        assert!(node["epoch"].as_i64() >= two["receipt"]["epoch"].as_i64(), "{two}");
        assert!(of_millis(&node["last_accepted_at"]) <= of_millis(&node["refuses_since"]), "{two}");
        assert!(of_millis(&node["refuses_since"]) <= of_millis(&two["receipt"]["revoked_at"]) + 10_000, "{two}");
    }
    ann.get(&format!("/account/tokens/{id}")).await.shows("Refused by all 2 nodes since");
    let keys: Value = client().get(format!("{url}/.well-known/jwks.json")).send().await.unwrap().json().await.unwrap();
    let (_, of_second) = receipt_at(&second_url, &mine, &id).await;
    assert!(node_verifies(&keys, of_second["signed"].as_str().unwrap()), "all nodes sign alike");
    let since = |answer: &Value| -> Vec<Value> {
        answer["receipt"]["nodes"].as_array().unwrap().iter().map(|node| node["refuses_since"].clone()).collect()
    };
    assert_eq!(since(&of_second), since(&two), "both tell the same");

    // kill -9: it does not take its leave, and its row says that it lives until it has been silent for ten seconds.
    second.child.kill().unwrap();
    second.child.wait().unwrap();
    let id = revokes_a_used_one(&ann, "after its death", &[&url]).await;
    let own =
        receipt_once(&url, &mine, &id, |it| it["nodes"].as_array().unwrap().iter().any(|node| node["epoch"].is_i64()))
            .await;
    assert_eq!(own["receipt"]["is_complete"], false, "{own}");
    ann.get(&format!("/account/tokens/{id}/receipt"))
        .await
        .shows("1 of 2 nodes has yet to confirm it")
        .shows("Waiting for confirmation");
    // The ten seconds pass for both rows together.
    let rows = Db::open(DatabaseUrl::parse(&db.url).unwrap()).unwrap();
    for later in [
        "UPDATE nodes SET seen_at = seen_at - 10000 WHERE seen_at = (SELECT min(seen_at) FROM nodes)",
        "UPDATE revocations SET revoked_at = revoked_at - 10000",
    ] {
        let pass =
            |connection: &mut AnyConnection| Ok(diesel::RunQueryDsl::execute(diesel::sql_query(later), connection)?);
        rows.write::<_, StorageError>(pass).unwrap();
    }
    let rest = whole_receipt(&url, &mine, &id).await;
    let mut found = states(&rest["receipt"]);
    found.sort_unstable();
    assert_eq!(found, ["alive", "silent"]);
    ann.get(&format!("/account/tokens/{id}/receipt")).await.shows("No heartbeat since").shows("Refused since");

    // One that comes later never knew it, and one that stops takes its leave.
    let mut third = start(data.path(), &db.url);
    let third_url = address(&mut third);
    assert_eq!(status(&third_url, &mine).await, 200);
    let (_, later) = receipt_at(&third_url, &mine, &id).await;
    assert_eq!(later["receipt"]["is_complete"], true);
    assert!(
        later["receipt"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|node| node["epoch"].is_null() && node["state"] == "alive")
    );
    let of_third = revokes_a_used_one(&ann, "on the third", &[&third_url]).await;
    third.terminate();
    let gone = whole_receipt(&url, &mine, &of_third).await;
    let third = gone["receipt"]["nodes"].as_array().unwrap().iter().find(|node| node["state"] == "gone");
    assert!(third.is_some_and(|node| node["last_accepted_at"].is_string()), "{gone}");
}

#[actix_web::test]
async fn revoking_at_the_command_line_creates_a_receipt_too() {
    let data = folder();
    let mut server = Process::start(command(&["--drain-seconds", "0"], data.path()));
    let (url, code) = server.first_lines();
    let ann = Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    let mine = ann.makes_token("mine").await;
    let key = ann.makes_token("Power BI").await;
    let id = ann.token_id("Power BI").await;
    assert_eq!(status(&url, &key).await, 200);
    prints(&mut command(&["token", "revoke", &id, "--json"], data.path()));
    let answer = whole_receipt(&url, &mine, &id).await;
    assert!(answer["receipt"]["nodes"][0]["last_accepted_at"].is_string(), "{answer}");
}
