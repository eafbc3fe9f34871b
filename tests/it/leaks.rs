//! Reports of publicly exposed keys.

use crate::harness::{
    Answer, GITHUB_KEYS, TestApp, TestDb, activity, another_key, contains, db_test, everything_stored, org,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use domain::permission::BuiltInSet;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const LEAKS: &str = "/api/v1/leaks";
const PLACE: &str = "https://git.example.org/ann/scripts/blob/main/report.py";

async fn reports(app: &TestApp, body: &Value) -> Answer {
    app.send("POST", LEAKS, &[("content-type", "application/json")], &body.to_string()).await
}

/// A signer who signs as GitHub does.
struct Signer {
    keys: EcdsaKeyPair,
    id: &'static str,
}

impl Signer {
    fn new(id: &'static str) -> Signer {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        Signer {
            keys: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random).unwrap(),
            id,
        }
    }

    /// Returns the public key as GitHub publishes it.
    fn published(&self, is_current: bool) -> Value {
        let mut der = BASE64_STANDARD.decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgA=").unwrap();
        der.extend(self.keys.public_key().as_ref());
        let key = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64_STANDARD.encode(der));
        json!({ "key_identifier": self.id, "key": key, "is_current": is_current })
    }

    fn sign(&self, body: &str) -> String {
        BASE64_STANDARD.encode(self.keys.sign(&SystemRandom::new(), body.as_bytes()).unwrap())
    }

    async fn reports(&self, app: &TestApp, body: &str) -> Answer {
        send_signed(app, self.id, &self.sign(body), body).await
    }
}

async fn send_signed(app: &TestApp, id: &str, signature: &str, body: &str) -> Answer {
    let headers = [
        ("content-type", "application/json"),
        ("github-public-key-identifier", id),
        ("github-public-key-signature", signature),
    ];
    app.send("POST", LEAKS, &headers, body).await
}

/// Starts a server that knows these public keys.
async fn knowing(db: TestDb, keys: &[Value]) -> (TestApp, crate::harness::Person) {
    std::fs::write(db.folder().join(GITHUB_KEYS), json!({ "public_keys": keys }).to_string()).unwrap();
    TestApp::with_user(db, "Ann").await
}

fn leaked(app: &TestApp) -> usize {
    activity(&app.db).into_iter().filter(|entry| entry.action == "token.leaked").count()
}

#[db_test]
async fn a_reported_key_is_revoked_and_pages_say_why(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (key, kept, service) =
        (ann.makes_token("Power BI").await, ann.makes_token("Kept").await, ann.makes_service_token("Workato").await);
    let (id, page) = (ann.token_id("Power BI").await, ann.service_token("Workato").await);
    assert_eq!(app.me(&key).await.status, 200);
    let answer =
        reports(&app, &json!([{ "token": key, "url": format!("{PLACE}?key={key}") }, { "token": service }])).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!((app.me(&key).await.status, app.me(&service).await.status, app.me(&kept).await.status), (401, 401, 200));
    ann.get("/account/tokens").await.shows(&format!("because its key was publicly exposed, at {PLACE}"));
    ann.get(&format!("/account/tokens/{id}")).await.shows(&format!("because its key was publicly exposed, at {PLACE}"));
    ann.get(&page).await.shows("because its key was publicly exposed");
    ann.get(org!("/integrations/tokens")).await.shows("because its key was publicly exposed");
    ann.get(org!("/integrations/inventory")).await.shows(&format!("publicly exposed, at {PLACE}"));
    let log = ann.get(org!("/activity?kind=token.leaked")).await;
    log.shows(&format!("The key of the token Power BI was publicly exposed and is revoked: {PLACE}"));
    log.shows("The key of the token Workato was publicly exposed and is revoked.");
    assert!(!log.text().contains("By itself"), "somebody has reported it");
    app::maintenance::flush_usage(&app.jeton).await.unwrap();
    assert!(!contains(&everything_stored(&app), &key.as_bytes()[6..]));
}

#[db_test]
async fn the_answer_says_nothing_about_any_key(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    let garbage = [
        another_key(),
        "jtn_p_short".into(),
        String::new(),
        "x".repeat(5_000),
        key[..43].into(),
        format!("{}%20{}", &key[..20], &key[20..]),
    ];
    let before = activity(&app.db).len();
    for text in &garbage {
        let answer = reports(&app, &json!([{ "token": text, "type": "x", "url": null, "source": "content" }])).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{text}");
    }
    assert_eq!((app.me(&key).await.status, activity(&app.db).len()), (200, before), "nothing is written down");
    for _ in 0..3 {
        let answer = reports(&app, &json!([{ "token": key, "url": "nowhere" }, { "token": key, "url": PLACE }])).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
        assert_eq!(leaked(&app), 1, "a second report changes nothing");
    }
    assert_eq!(reports(&app, &json!([])).await.status, 200);
}

#[db_test]
async fn keys_are_found_in_what_is_reported(db: TestDb) {
    let github = Signer::new("now");
    let (app, ann) = knowing(db, &[github.published(true)]).await;
    for (number, around) in
        ["{}\n", "{}\r\n", "Bearer {}", "\"{}\"", "{}.", "KEY={}; export KEY", "<td>{}</td>", "?key={}&x"]
            .iter()
            .enumerate()
    {
        let key = ann.makes_token(&format!("token {number}")).await;
        assert_eq!(reports(&app, &json!([{ "token": around.replace("{}", &key), "url": PLACE }])).await.status, 200);
        assert_eq!(app.me(&key).await.status, 401, "{around}");
    }
    let keys = [ann.makes_token("one").await, ann.makes_service_token("two").await];
    let text = format!("{}, {} {}\n", keys[0], keys[1].replace('_', "\\_"), another_key());
    let body = json!([{ "token": text, "type": "jeton_key" }, { "token": format!("{} ", another_key()), "type": "jeton_key" }]);
    let answer = github.reports(&app, &body.to_string()).await.json();
    let label = |token: &str, label: &str| json!({ "token_hash": BASE64_STANDARD.encode(Sha256::digest(token)), "token_type": "jeton_key", "label": label });
    let other = body[1]["token"].as_str().unwrap();
    assert_eq!(answer, json!([label(&text, "true_positive"), label(other, "false_positive")]));
    for key in &keys {
        assert_eq!(app.me(key).await.status, 401);
    }
    assert_eq!(leaked(&app), 10);
    let many: String = (0..1001).map(|_| another_key() + " ").collect();
    assert_eq!(reports(&app, &json!([{ "token": many }])).await.status, 413);
}

#[db_test]
async fn a_leaked_old_key_ends_without_the_new_one(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let old = ann.makes_service_token("Workato").await;
    let page = ann.service_token("Workato").await;
    let new = ann.confirms_with(&page, "rotation", &[("hours", "24"), ("quiet", "")]).await.key().expect("a new key");
    assert_eq!((app.me(&old).await.status, app.me(&new).await.status), (200, 200));
    assert_eq!(reports(&app, &json!([{ "token": old, "url": PLACE }])).await.status, 200);
    assert_eq!((app.me(&old).await.status, app.me(&new).await.status), (401, 200));
    let auditor = ann.makes_token("Auditor").await;
    let receipt = format!("/api/v1/revocations/{}", page.rsplit('/').next().unwrap());
    let revoked = async || app.with_key("GET", &receipt, &auditor).await.json()["receipt"]["revoked"].clone();
    assert_eq!(revoked().await, "old_key");
    let shown = ann.get(&page).await.text();
    assert!(!shown.contains("Refused since"), "the token works: {shown}");
    assert!(shown.contains("Old key revoked") && shown.contains("its key was publicly exposed, at "), "{shown}");
    assert_eq!(reports(&app, &json!([{ "token": new }])).await.status, 200);
    assert_eq!(revoked().await, "token");
    assert_eq!(app.me(&new).await.status, 401);
    assert_eq!(leaked(&app), 2);
}

#[db_test]
async fn each_owner_gets_one_mail(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    ben.post(
        "/account/profile",
        &[("name", "Ben"), ("email", "ben@example.org"), ("language", "fr"), ("time_zone", "UTC"), ("theme", "system")],
    )
    .await;
    let keys =
        [ann.makes_token("Power BI").await, ann.makes_service_token("Workato").await, ben.makes_token("Tableau").await];
    let report: Vec<Value> = keys.iter().map(|key| json!({ "token": key, "url": PLACE })).collect();
    assert_eq!(reports(&app, &json!(report)).await.status, 200);
    let mut mails = smtp.mails(2).await;
    mails.sort_by_key(|mail| mail.to.clone());
    assert_eq!(
        mails.iter().map(|mail| mail.to[0].as_str()).collect::<Vec<_>>(),
        ["ann@example.org", "ben@example.org"]
    );
    let (to_ann, to_ben) = (mails[0].text(), mails[1].text());
    assert_eq!(mails[0].header("Subject"), Some("API keys publicly exposed"));
    assert!(to_ann.contains("Power BI") && to_ann.contains("Workato") && !to_ann.contains("Tableau"), "{to_ann}");
    assert!(to_ann.contains(&format!("{}{}", app.url, ann.service_token("Workato").await)), "{to_ann}");
    assert!(to_ben.contains("Tableau") && to_ben.contains("Bonjour Ben") && !to_ben.contains("Workato"), "{to_ben}");
    for text in [&to_ann, &to_ben] {
        assert!(!text.contains("jtn_") && !text.contains("git.example.org"), "{text}");
    }
    // The same report once more tells nobody anything.
    assert_eq!(reports(&app, &json!(report)).await.status, 200);
    app.jeton.finish_mail().await;
    assert_eq!(smtp.mails(2).await.len(), 2);
}

#[db_test]
async fn a_report_is_limited_in_form_size_and_rate(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    let json = [("content-type", "application/json")];
    for wrong in [
        json!({ "keys": [] }),
        json!([key]),
        json!([{ "key": key }]),
        json!([{ "token": 1 }]),
        json!([{ "token": key, "url": 1 }]),
    ] {
        assert_eq!(reports(&app, &wrong).await.status, 400, "{wrong}");
    }
    assert_eq!(app.send("POST", LEAKS, &json, "").await.status, 400);
    let body = json!([{ "token": key }]).to_string();
    for kind in ["application/x-www-form-urlencoded", "text/plain"] {
        assert_eq!(app.send("POST", LEAKS, &[("content-type", kind)], &body).await.status, 400);
    }
    assert_eq!(app.send("POST", LEAKS, &json, &format!("[{}]", " ".repeat(1 << 20))).await.status, 413);
    let many = |count: usize| json!(vec![json!({ "token": another_key() }); count]);
    let too_many = reports(&app, &many(1001)).await;
    assert_eq!((too_many.status, reports(&app, &many(1000)).await.status), (413, 200));
    assert!(too_many.body.contains("1000 keys at most"), "{}", too_many.body);
    assert_eq!(app.me(&key).await.status, 200, "nothing of all this was taken");
    let mut last = 200;
    for _ in 0..40 {
        let answer = app.send("POST", LEAKS, &json, "[]").await;
        last = answer.status;
        if last == 429 {
            assert_ne!(answer.header("retry-after"), "");
            break;
        }
    }
    assert_eq!(last, 429);
    assert_eq!(app.send("POST", LEAKS, &json, "{").await.status, 429, "before anything is read");
    assert_eq!(app.browser("Ann").signs_in().await.status, 303, "strangers who report keep nobody out");
}

#[db_test]
async fn the_form_of_keys_is_published(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let told = app.send("GET", LEAKS, &[], "").await.json();
    assert_eq!(
        (&told["report_to"], &told["pattern"]),
        (&json!(format!("{}{LEAKS}", app.url)), &json!("jtn_[psm]_[0-9A-Za-z]{38}"))
    );
    let pattern = regex::Regex::new(told["pattern"].as_str().unwrap()).unwrap();
    for key in [ann.makes_token("one").await, ann.makes_service_token("two").await] {
        assert_eq!(pattern.find(&format!("key = '{key}'")).map(|found| found.as_str()), Some(key.as_str()));
    }
}

/// Returns a key that GitHub has found, as it reports it.
fn find(token: &str) -> Value {
    json!({ "token": token, "type": "jeton_key", "url": PLACE, "source": "content" })
}

#[db_test]
async fn reports_that_github_has_not_signed_are_refused_and_revoke_nothing(db: TestDb) {
    let (github, former) = (Signer::new("now"), Signer::new("before"));
    let (app, ann) = knowing(db, &[former.published(false), github.published(true)]).await;
    let key = ann.makes_token("Power BI").await;
    let body = json!([find(&another_key()), find(&key), find("jtn_p_short")]).to_string();

    let good = github.sign(&body);
    let tampered = body.replace(PLACE, "https://git.example.org/other");
    let refused = [
        send_signed(&app, "now", &good, &tampered).await,
        send_signed(&app, "now", &former.sign(&body), &body).await,
        send_signed(&app, "before", &former.sign(&body), &body).await,
        send_signed(&app, "unknown", &good, &body).await,
        send_signed(&app, "now", "", &body).await,
        send_signed(&app, "", &good, &body).await,
        send_signed(&app, "now", "%%%", "not even JSON").await,
        app.send(
            "POST",
            LEAKS,
            &[("content-type", "application/json"), ("github-public-key-identifier", "now")],
            &body,
        )
        .await,
    ];
    let same = |answer: &Answer| {
        let mut json = answer.json();
        json["request_id"] = Value::Null;
        (answer.status, json)
    };
    for answer in &refused {
        assert_eq!(same(answer), same(&refused[0]));
        assert_eq!(answer.status, 403);
    }
    assert_eq!((app.me(&key).await.status, leaked(&app)), (200, 0));
    assert_eq!(send_signed(&app, "now", &good, &body).await.status, 200, "what it has signed is accepted after all");
}

#[db_test]
async fn github_learns_which_keys_of_its_signed_reports_were_real(db: TestDb) {
    let (github, former) = (Signer::new("now"), Signer::new("before"));
    let (app, ann) = knowing(db, &[former.published(false), github.published(true)]).await;
    let (key, unknown) = (ann.makes_token("Power BI").await, another_key());
    let body = json!([find(&unknown), find(&key), find("jtn_p_short")]).to_string();
    let hash = |token: &str| BASE64_STANDARD.encode(Sha256::digest(token));
    let label =
        |token: &str, label: &str| json!({ "token_hash": hash(token), "token_type": "jeton_key", "label": label });
    let expected = json!([
        label(&unknown, "false_positive"),
        label(&key, "true_positive"),
        label("jtn_p_short", "false_positive")
    ]);
    assert_eq!((app.me(&key).await.status, leaked(&app)), (200, 0));
    // Sent again, as GitHub may, it gets the same answer.
    let signature = github.sign(&body);
    for _ in 0..2 {
        let answer = send_signed(&app, "now", &signature, &body).await;
        assert_eq!((answer.status, answer.json()), (200, expected.clone()));
        assert_eq!((app.me(&key).await.status, leaked(&app)), (401, 1));
    }
}

#[db_test]
async fn a_report_of_github_is_a_list_of_any_length(db: TestDb) {
    let github = Signer::new("now");
    let (app, _ann) = knowing(db, &[github.published(true)]).await;
    assert_eq!(github.reports(&app, "{}").await.status, 400);
    let thousand: Vec<Value> = (0..1200).map(|_| find(&another_key())).collect();
    let answer = github.reports(&app, &json!(thousand).to_string()).await;
    assert_eq!((answer.status, answer.json().as_array().map(Vec::len)), (200, Some(1200)));
}

#[db_test]
async fn a_new_key_of_github_is_known_as_soon_as_it_is_in_the_file(db: TestDb) {
    let (github, next) = (Signer::new("now"), Signer::new("next"));
    let (app, _ann) = knowing(db, &[github.published(true)]).await;
    assert_eq!((next.reports(&app, "[]").await.status, github.reports(&app, "[]").await.status), (403, 200));
    std::fs::write(app.folder().join(GITHUB_KEYS), json!({ "public_keys": [next.published(true)] }).to_string())
        .unwrap();
    assert_eq!((next.reports(&app, "[]").await.status, github.reports(&app, "[]").await.status), (200, 403));
    std::fs::write(app.folder().join(GITHUB_KEYS), "broken").unwrap();
    assert_eq!(next.reports(&app, "[]").await.status, 403);
}

#[db_test]
async fn without_githubs_public_keys_no_signature_is_accepted(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    let body = json!([{ "token": key }]).to_string();
    assert_eq!(Signer::new("now").reports(&app, &body).await.status, 403);
    assert_eq!(app.me(&key).await.status, 200);
}

#[db_test]
async fn a_report_of_a_thousand_keys_revokes_all_that_are_active(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let mut live = Vec::new();
    for n in 0..10 {
        live.push(ann.makes_token(&format!("token {n}")).await);
    }
    let mut all: Vec<String> = (0..990).map(|_| another_key()).collect();
    for (n, key) in live.iter().enumerate() {
        all.insert(n * 97, key.clone());
    }
    let report: Vec<Value> = all.iter().map(|key| json!({ "token": key, "url": PLACE })).collect();
    let (report, other) = (json!(report), json!(report.iter().rev().collect::<Vec<_>>()));
    let (one, two) = futures_util::future::join(reports(&app, &report), reports(&app, &other)).await;
    assert_eq!((one.status, two.status), (200, 200));
    for key in &live {
        assert_eq!(app.me(key).await.status, 401);
    }
    assert_eq!(leaked(&app), 10);
}
