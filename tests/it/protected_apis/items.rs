//! Rules about items: `{item}` in a path.

use super::{APIS, asks, verification};
use crate::harness::{Answer, Person, TestApp, TestDb, db_test, org};
use domain::permission::BuiltInSet;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const INVOICES: &str = "/api/v1/items/invoices";

/// Methods, path, scope, permission, kind.
type Rule = (&'static str, &'static str, &'static str, &'static str, &'static str);

const RULES: [Rule; 6] = [
    ("reads", "/invoices/{item}/**", "read", "invoices.view", "invoices"),
    ("POST", "/invoices/{item}/approval", "by_method", "invoices.approve", "invoices"),
    ("DELETE", "/invoices/{item}", "by_method", "invoices.delete", "invoices"),
    ("any", "/invoices/{item}/notes", "by_method", "", "invoices"),
    ("any", "/fridges/{item}", "by_method", "assets.view", "assets"),
    ("any", "/open/**", "by_method", "", ""),
];

fn fields<'a>(rules: &[Rule]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![("name", "Billing API"), ("address", "https://api.example.org/v1/")];
    for (methods, path, needs, permission, kind) in rules {
        fields.extend([("methods[]", *methods), ("path[]", *path), ("needs[]", *needs)]);
        fields.extend([("permission[]", *permission), ("item[]", *kind)]);
    }
    fields
}

/// An organization with invoices, and an API whose rules name them.
struct Billing {
    app: TestApp,
    ann: Person,
    page: String,
    verify: String,
    /// Ann's, which may change everything.
    key: String,
}

impl Billing {
    async fn start(db: TestDb) -> Billing {
        let (app, ann) = TestApp::with_proxies(db, "Ann").await;
        let key = ann.makes_token_with("Sync", "read_write").await;
        let mut billing = Billing { app, ann, page: String::new(), verify: String::new(), key };
        let kind = json!({
            "key": "invoices", "singular": "Invoice", "plural": "Invoices",
            "actions": [{ "key": "approve", "name": "Approve", "reads": false }]
        });
        billing.sends("POST", "/api/v1/kinds", kind, 201).await;
        let made = billing.ann.post(APIS, &fields(&RULES)).await;
        assert_eq!(made.status, 303, "{}", made.body);
        billing.page = made.header("location").trim_end_matches("?notice=created").to_owned();
        billing.verify = verification(&billing.page);
        billing
    }

    async fn sends(&self, method: &str, path: &str, body: Value, status: u16) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        let headers = [("authorization", &*bearer), ("content-type", "application/json")];
        let answer = self.app.send(method, path, &headers, &body.to_string()).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        answer
    }

    /// Creates an invoice with this external id, and returns its address.
    async fn has(&self, external_id: &str) -> String {
        let body = json!({ "name": "July", "external_id": external_id });
        self.sends("POST", INVOICES, body, 201).await.header("location").to_owned()
    }

    /// Shares an item at a level, and returns the address of the share.
    async fn shares(&self, item: &str, recipient: Value, level: &str) -> String {
        let body = json!({ "recipient": recipient, "level": level });
        let share = self.sends("POST", &format!("{item}/shares"), body, 200).await.json();
        format!("{item}/shares/{}", share["id"].as_str().unwrap())
    }

    async fn status(&self, key: &str, method: &str, target: &str) -> u16 {
        asks(&self.app, &self.verify, key, method, target).await.status
    }
}

/// Gives somebody a permission set with these permissions.
async fn holds(billing: &Billing, person: &Person, permissions: &[&str]) {
    let mut set = vec![("name", "Clerks")];
    set.extend(permissions.iter().map(|key| ("permission", *key)));
    assert_eq!(billing.ann.post(org!("/permission-sets"), &set).await.status, 303);
    assert_eq!(billing.ann.gives(&person.name, "Clerks").await.status, 303);
}

#[db_test]
async fn a_request_reaches_the_api_only_for_items_that_its_token_reaches(db: TestDb) {
    let billing = Billing::start(db).await;
    let (own, shared) = (billing.has("INV-1").await, billing.has("INV-2").await);
    let ben = billing.app.add_user("Ben", BuiltInSet::Reader).await;
    holds(&billing, &ben, &["invoices.view", "invoices.approve", "invoices.delete", "assets.view"]).await;
    let (key, reads) = (ben.makes_token_with("writes", "read_write").await, ben.makes_token("reads").await);
    let robot = billing.ann.asks_for_service_token("Robot", "45", &["invoices.view"]).await.key().unwrap();
    let foreign = billing.app.add_organization("elsewhere", "Eve").await.makes_token_with("f", "read_write").await;
    let to_ben = json!({ "type": "user", "id": ben.email });
    let share = billing.shares(&shared, to_ben.clone(), "view").await;
    let id = own.rsplit('/').next().unwrap();
    for (who, key, method, target, status) in [
        ("its owner", &billing.key, "GET", "/v1/invoices/INV-1/lines/3".to_owned(), 200),
        ("its owner", &billing.key, "DELETE", "/v1/invoices/INV-1".into(), 200),
        ("not shared", &key, "GET", "/v1/invoices/INV-1".into(), 404),
        ("not there", &key, "GET", "/v1/invoices/INV-3".into(), 404),
        ("another case", &key, "GET", "/v1/invoices/inv-2".into(), 404),
        ("by public id", &billing.key, "GET", format!("/v1/invoices/{id}"), 404),
        ("another kind", &key, "GET", "/v1/fridges/INV-2".into(), 404),
        ("shared", &key, "GET", "/v1/invoices/INV-2/".into(), 200),
        ("shared", &reads, "HEAD", "/v1/invoices/INV-2/lines".into(), 200),
        ("only reads", &reads, "DELETE", "/v1/invoices/INV-2".into(), 403),
        ("only reads", &reads, "DELETE", "/v1/invoices/INV-3".into(), 403),
        ("level too low", &key, "POST", "/v1/invoices/INV-2/approval".into(), 403),
        ("level too low", &key, "DELETE", "/v1/invoices/INV-2".into(), 403),
        ("by method", &key, "GET", "/v1/invoices/INV-2/notes".into(), 200),
        ("by method", &key, "PUT", "/v1/invoices/INV-2/notes".into(), 403),
        ("not there", &key, "POST", "/v1/invoices/INV-3/approval".into(), 404),
        ("no permission", &robot, "POST", "/v1/invoices/INV-2/approval".into(), 403),
        ("no permission", &robot, "POST", "/v1/invoices/INV-3/approval".into(), 403),
        ("not shared", &robot, "GET", "/v1/invoices/INV-2".into(), 404),
        ("foreign", &foreign, "GET", "/v1/invoices/INV-2".into(), 401),
        ("another rule", &robot, "GET", "/v1/open/INV-1".into(), 200),
    ] {
        let answer = asks(&billing.app, &billing.verify, key, method, &target).await;
        assert_eq!(answer.status, status, "{who}: {method} {target}: {}", answer.header("www-authenticate"));
        for header in ["subject", "organization", "organization-id", "scope", "permissions", "token"] {
            let value = answer.headers.get(format!("jeton-{header}")).unwrap_or_else(|| panic!("no {header}"));
            assert_eq!(value.is_empty(), status != 200, "{who}: {header}");
        }
    }
    let (hidden, none) = (
        asks(&billing.app, &billing.verify, &key, "GET", "/v1/invoices/INV-1").await,
        asks(&billing.app, &billing.verify, &key, "GET", "/v1/invoices/INV-3").await,
    );
    let told = |answer: &Answer| {
        let headers = answer.headers.iter().filter(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id"));
        headers.map(|(name, value)| format!("{name}: {value:?}")).collect::<BTreeSet<_>>()
    };
    assert_eq!((told(&hidden), &hidden.body), (told(&none), &none.body), "nobody learns whether there is one");
    billing.shares(&shared, to_ben.clone(), "edit").await;
    assert_eq!(billing.status(&key, "POST", "/v1/invoices/INV-2/approval").await, 200);
    assert_eq!(billing.status(&key, "DELETE", "/v1/invoices/INV-2").await, 403);
    billing.shares(&shared, to_ben, "manage").await;
    assert_eq!(billing.status(&key, "DELETE", "/v1/invoices/INV-2").await, 200);
    billing.sends("DELETE", &share, Value::Null, 204).await;
    assert_eq!(billing.status(&key, "GET", "/v1/invoices/INV-2").await, 404, "from the answer on");
}

#[db_test]
async fn access_by_groups_sites_rules_and_the_organization_counts(db: TestDb) {
    let billing = Billing::start(db).await;
    let ben = billing.app.add_user("Ben", BuiltInSet::Reader).await;
    holds(&billing, &ben, &["invoices.view"]).await;
    let key = ben.makes_token("reads").await;
    let robot = billing.ann.asks_for_service_token("Robot", "45", &["invoices.view"]).await.key().unwrap();
    let of = async |answer: Answer| answer.json()["id"].as_str().unwrap().to_owned();
    let group = of(billing.sends("POST", "/api/v1/groups", json!({ "name": "Clerks" }), 201).await).await;
    let region = of(billing.sends("POST", "/api/v1/sites", json!({ "name": "Mopti" }), 201).await).await;
    let depot = json!({ "name": "Depot", "parent": region });
    let depot = of(billing.sends("POST", "/api/v1/sites", depot, 201).await).await;
    let item = billing.has("INV-1").await;
    let ask = async || {
        (
            billing.status(&key, "GET", "/v1/invoices/INV-1").await,
            billing.status(&robot, "GET", "/v1/invoices/INV-1").await,
        )
    };
    let members = json!({ "members": [{ "email": ben.email }] });
    for (recipient, list) in [
        (json!({ "type": "group", "id": group }), format!("/api/v1/groups/{group}/members")),
        (json!({ "type": "site", "id": depot }), format!("/api/v1/sites/{region}/members")),
    ] {
        let share = billing.shares(&item, recipient, "view").await;
        assert_eq!(ask().await, (404, 404), "{list}");
        billing.sends("POST", &list, members.clone(), 200).await;
        assert_eq!(ask().await, (200, 404), "{list}");
        billing.sends("POST", &format!("{list}/removal"), members.clone(), 200).await;
        assert_eq!(ask().await, (404, 404), "{list}");
        billing.sends("POST", &list, members.clone(), 200).await;
        billing.sends("DELETE", &share, Value::Null, 204).await;
        assert_eq!(ask().await, (404, 404), "{list}");
    }
    let everyone = billing.shares(&item, json!({ "type": "organization" }), "view").await;
    assert_eq!(ask().await, (200, 200));
    billing.sends("DELETE", &everyone, Value::Null, 204).await;
    assert_eq!(ask().await, (404, 404));
}

#[db_test]
async fn the_id_in_the_path_is_decoded_once_and_read_in_one_way_only(db: TestDb) {
    let billing = Billing::start(db).await;
    let long = "é".repeat(255);
    for id in ["café 7", "a+b", "a%41", "INV/7", "..", "7.", "~7", "Zoe\u{308}", "日本", &long] {
        billing.has(id).await;
    }
    for (part, status) in [
        ("caf%C3%A9%207", 200),
        ("caf%c3%a9%207", 200),
        ("a+b", 200),
        ("a%2Bb", 200),
        ("%7E7", 200),
        ("%E6%97%A5%E6%9C%AC", 200),
        (&"%C3%A9".repeat(255), 200),
        (&"%C3%A9".repeat(256), 404),
        (&"7".repeat(3_000), 404),
        ("a%2541", 403),
        ("INV%2F7", 403),
        ("INV/7", 404),
        ("..", 403),
        ("%2e%2e", 403),
        (".", 403),
        ("7.", 403),
        ("7%20", 403),
        ("Zoe%CC%88", 403),
        ("%ff", 403),
        ("%zz", 403),
        ("a;b", 403),
        ("a%00", 403),
        ("", 403),
    ] {
        let target = format!("/v1/invoices/{part}/lines");
        let short: String = target.chars().take(60).collect();
        assert_eq!(billing.status(&billing.key, "GET", &target).await, status, "{short}");
        let envoy = billing.app.with_key("GET", &format!("{}{target}", billing.verify), &billing.key).await;
        assert!(envoy.status == status || envoy.status >= 400 && status >= 400, "{short}: {}", envoy.status);
    }
    assert_eq!(billing.status(&billing.key, "GET", "/v1/invoices").await, 403, "no rule is about the list");
}

#[db_test]
async fn a_forged_path_can_only_add_what_is_needed(db: TestDb) {
    let billing = Billing::start(db).await;
    billing.has("INV-1").await;
    billing.has("INV-2").await;
    let bearer = format!("Bearer {}", billing.key);
    for (forged, status) in [
        (("accept", "*/*"), 200),
        (("x-forwarded-uri", "/v1/invoices/INV-1/lines"), 200),
        (("x-forwarded-uri", "/v1/open/x"), 200),
        (("x-rewrite-url", "/v1/invoices/INV-2"), 403),
        (("x-forwarded-uri", "/v1/fridges/INV-1"), 403),
        (("x-forwarded-uri", "/v1/invoices"), 403),
    ] {
        let told = [
            ("authorization", &*bearer),
            ("x-original-method", "GET"),
            ("x-original-uri", "/v1/invoices/INV-1"),
            forged,
        ];
        assert_eq!(billing.app.send("GET", &billing.verify, &told, "").await.status, status, "{forged:?}");
    }
}

#[db_test]
async fn the_form_asks_for_the_kind_of_the_item(db: TestDb) {
    let billing = Billing::start(db).await;
    let shown = billing.ann.get(&billing.page).await;
    shown.shows("/invoices/{item}/**").shows("Item: Invoices, level: View").shows("Item: Invoices, level: Edit");
    shown.shows("Item: Invoices, level: view to read, edit to change");
    let edit = billing.ann.get(&format!("{}/edit", billing.page)).await;
    assert!(edit.body.contains("<option value=\"invoices\" selected>Invoices</option>"), "{}", edit.body);
    billing.ann.get(org!("/activity")).await.shows("/invoices/{item}/** (Invoices) → Read only, Invoices: View");
    for (path, kind, told) in [
        ("/invoices/{item}", "", "Rule 1: Choose the kind of items that {item} stands for."),
        ("/invoices/*", "invoices", "Rule 1: The path has no {item}."),
        ("/invoices/{id}", "invoices", "Rule 1: Use {item} only once"),
        ("/invoices/{item}/{item}", "invoices", "Rule 1: Use {item} only once"),
        ("/invoices/x{item}", "invoices", "Rule 1: Use {item} only once"),
        ("/invoices/{item}", "visits", "A rule asks for a permission or a kind that does not exist any more."),
        ("/invoices/{item}", "platform", "A rule asks for a permission or a kind that does not exist any more."),
    ] {
        let wrong = [("name", "Other"), ("address", "https://api.example.org/v2/")];
        let rule =
            [("methods[]", "any"), ("path[]", path), ("needs[]", "read"), ("permission[]", ""), ("item[]", kind)];
        let refused = billing.ann.post(APIS, &[&wrong[..], &rule].concat()).await;
        assert_eq!(refused.status, 422, "{path} {kind}");
        refused.shows(told);
        assert!(refused.body.contains(&format!("value=\"{path}\"")), "what was typed stays: {path}");
    }
}

#[db_test]
async fn a_rule_about_a_kind_that_is_gone_lets_nobody_through(db: TestDb) {
    let billing = Billing::start(db).await;
    assert_eq!(billing.status(&billing.key, "PUT", "/v1/invoices/INV-1/notes").await, 404);
    billing.sends("DELETE", "/api/v1/kinds/invoices", Value::Null, 204).await;
    assert_eq!(billing.status(&billing.key, "PUT", "/v1/invoices/INV-1/notes").await, 404);
    assert_eq!(billing.status(&billing.key, "GET", "/v1/invoices/INV-1").await, 403, "its permission went with it");
    let edit = billing.ann.get(&format!("{}/edit", billing.page)).await;
    edit.shows("invoices: does not exist any more");
}

#[db_test]
async fn a_preflight_says_nothing_about_an_item(db: TestDb) {
    let billing = Billing::start(db).await;
    billing.has("INV-1").await;
    let edit = format!("{}/edit", billing.page);
    let version = billing.ann.get(&edit).await.field("version").unwrap();
    let on = [&fields(&RULES)[..], &[("version", &*version), ("preflights", "yes")]].concat();
    assert_eq!(billing.ann.post(&edit, &on).await.status, 303);
    for target in ["/v1/invoices/INV-1", "/v1/invoices/INV-3"] {
        let preflight = [
            ("x-original-method", "OPTIONS"),
            ("x-original-uri", target),
            ("origin", "https://dash.example.org"),
            ("access-control-request-method", "GET"),
        ];
        assert_eq!(billing.app.send("GET", &billing.verify, &preflight, "").await.status, 200, "{target}");
    }
}
