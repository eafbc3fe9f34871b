//! Protected APIs: registering, changing and deleting them, and how verification applies their rules.

mod items;

use crate::harness::{Answer, Person, TestApp, TestDb, activity, db_test, org};

/// The list in Ann's organization.
const APIS: &str = org!("/integrations/apis");

/// Methods, path, scope, permission.
type Rule = (&'static str, &'static str, &'static str, &'static str);

const ANYTHING: Rule = ("any", "/**", "by_method", "");

fn fields<'a>(name: &'a str, rules: &[Rule]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![("name", name), ("address", "https://api.example.org/v1/")];
    for (methods, path, needs, permission) in rules {
        fields.extend([("methods[]", *methods), ("path[]", *path), ("needs[]", *needs), ("permission[]", *permission)]);
    }
    fields
}

/// Registers an API and returns the address of its page.
async fn registers(person: &Person, name: &str, rules: &[Rule]) -> String {
    let answer = person.post(APIS, &fields(name, rules)).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.header("location").trim_end_matches("?notice=created").to_owned()
}

async fn changes(person: &Person, page: &str, name: &str, rules: &[Rule]) -> Answer {
    let version = person.get(&format!("{page}/edit")).await.field("version").expect("a form with a version");
    let mut fields = fields(name, rules);
    fields.push(("version", &version));
    person.post(&format!("{page}/edit"), &fields).await
}

fn verification(page: &str) -> String {
    format!("/verify/apis/{}", page.rsplit('/').next().expect("an id"))
}

/// Returns the answer to a proxy about a request with this key, as nginx asks.
async fn asks(app: &TestApp, verify: &str, key: &str, method: &str, target: &str) -> Answer {
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", &*bearer), ("x-original-method", method), ("x-original-uri", target)];
    app.send("GET", verify, &headers, "").await
}

#[db_test]
async fn an_api_is_registered_shown_and_listed(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.get(APIS).await.shows("No protected API yet");
    let new = ann.get(&format!("{APIS}/new")).await;
    assert!(new.body.contains("value=\"/**\""), "a new one begins with a rule about everything");
    let page = registers(&ann, "Order API", &[("reads", "/orders/*", "read", "templates.view"), ANYTHING]).await;
    let shown = ann.get(&page).await;
    shown.shows("Order API").shows("/orders/*").shows("Templates: View").shows("nginx").shows("Envoy");
    let nginx = shown.code("nginx");
    assert!(nginx.contains(&format!("{}{}", app.url, verification(&page))), "{nginx}");
    ann.get(APIS).await.shows("Order API").shows("https://api.example.org/v1/").shows("2 rules");
    let entry = activity(&app.db).pop().expect("an entry");
    assert!(format!("{entry:?}").contains("protected_api.created"), "{entry:?}");
    ann.get(org!("/activity"))
        .await
        .shows("registered the protected API Order API")
        .shows("Reading (GET, HEAD, OPTIONS) /orders/* → Read only, Templates: View");
}

#[db_test]
async fn a_form_sent_twice_registers_one_api(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    registers(&ann, "Order API", &[ANYTHING]).await;
    let again = ann.post(APIS, &fields("ORDER api", &[ANYTHING])).await;
    assert_eq!(again.status, 422);
    again.shows("This name is already taken");
}

#[db_test]
async fn problems_are_shown_at_their_fields(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let empty = ann.post(APIS, &[]).await;
    assert_eq!(empty.status, 422);
    empty.shows("Enter a name, for example “Order API”").shows("Enter the address of the API");
    let wrong = ann.post(APIS, &fields("Order API", &[ANYTHING, ("GET", "/a*b", "read", "")])).await;
    assert_eq!(wrong.status, 422);
    wrong.shows("Rule 2: Use * only as a whole part between slashes");
    for address in ["https://api.example.org/*/v1/", "https://api.example.org/v1/?key=1"] {
        let with_star = [("name", "Order API"), ("address", address)];
        let answer = ann.post(APIS, &with_star).await;
        assert_eq!(answer.status, 422);
        answer.shows("without parameters and without *");
    }
    for odd in [("nothing", "/**", "read", ""), ("any", "/**", "all", ""), ("any", "/**", "read", "templates.eat")] {
        assert_eq!(ann.post(APIS, &fields("Order API", &[odd])).await.status, 422, "{odd:?}");
    }
    assert_eq!(ann.post(APIS, &fields("Order API", &[("any", "/x", "read", ""); 51])).await.status, 422);
    ann.get(APIS).await.shows("No protected API yet");
}

#[db_test]
async fn rules_are_added_moved_and_removed_without_saving(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let order = |answer: Answer| -> Vec<String> {
        assert_eq!(answer.status, 200);
        let inputs = answer.body.split("name=\"path[]\" type=\"text\" value=\"").skip(1);
        inputs.map(|rest| rest.split('"').next().unwrap_or_default().to_owned()).collect()
    };
    let rules = [("GET", "/a", "read", ""), ("any", "/b", "read", "")];
    for (step, expected) in
        [("add", &["/a", "/b", ""][..]), ("up.2", &["/b", "/a"]), ("remove.1", &["/b"]), ("remove.9", &["/a", "/b"])]
    {
        let mut fields = fields("Order API", &rules);
        fields.push(("step", step));
        assert_eq!(order(ann.post(APIS, &fields).await), expected, "{step}");
    }
    ann.get(APIS).await.shows("No protected API yet");
}

#[db_test]
async fn fifty_apis_are_the_limit(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    for number in 0..50 {
        registers(&ann, &format!("API {number}"), &[]).await;
    }
    let one_more = ann.post(APIS, &fields("One more", &[])).await;
    assert_eq!(one_more.status, 422);
    one_more.shows("The organization has 50 protected APIs");
}

#[db_test]
async fn an_api_of_another_organization_is_not_found(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let page = registers(&ann, "Order API", &[ANYTHING]).await;
    let stranger = app.add_organization("elsewhere", "Stranger").await;
    let id = page.rsplit('/').next().unwrap();
    let there = format!("/orgs/elsewhere/integrations/apis/{id}");
    for part in ["", "/edit", "/deletion"] {
        assert_eq!(stranger.get(&format!("{there}{part}")).await.status, 404);
    }
    for part in ["/edit", "/deletion"] {
        assert_eq!(stranger.post(&format!("{there}{part}"), &fields("Mine", &[ANYTHING])).await.status, 404);
    }
    ann.get(&page).await.shows("Order API");
}

#[db_test]
async fn two_who_edit_at_once_do_not_overwrite_each_other(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let page = registers(&ann, "Order API", &[ANYTHING]).await;
    let version = ann.get(&format!("{page}/edit")).await.field("version").unwrap();
    assert_eq!(changes(&ann, &page, "Orders", &[ANYTHING]).await.status, 303);
    let mut late = fields("Order API, old", &[ANYTHING]);
    late.push(("version", &version));
    let refused = ann.post(&format!("{page}/edit"), &late).await;
    assert_eq!(refused.status, 422);
    refused.shows("Somebody else changed this").shows("Orders");
    late.pop();
    let seen = refused.field("version").unwrap();
    late.push(("version", &seen));
    assert_eq!(ann.post(&format!("{page}/edit"), &late).await.status, 303);
    ann.get(&page).await.shows("Order API, old");
}

#[db_test]
async fn an_api_is_deleted_once_and_its_proxy_is_refused(db: TestDb) {
    let (app, ann) = TestApp::with_proxies(db, "Ann").await;
    let key = ann.makes_token("script").await;
    let page = registers(&ann, "Order API", &[ANYTHING]).await;
    let verify = verification(&page);
    assert_eq!(asks(&app, &verify, &key, "GET", "/v1/x").await.status, 200);
    ann.get(&format!("{page}/deletion")).await.shows("Delete the protected API “Order API”?");
    assert_eq!(ann.post(&format!("{page}/deletion"), &[]).await.status, 303);
    assert_eq!(asks(&app, &verify, &key, "GET", "/v1/x").await.status, 403);
    assert_eq!(ann.post(&format!("{page}/deletion"), &[]).await.status, 404);
    ann.get(org!("/activity")).await.shows("deleted the protected API Order API");
}

#[db_test]
async fn the_rules_decide_about_requests_and_a_change_of_them_takes_effect_at_once(db: TestDb) {
    let (app, ann) = TestApp::with_proxies(db, "Ann").await;
    let (reads, writes) = (ann.makes_token("reads").await, ann.makes_token_with("writes", "read_write").await);
    let rules =
        [("reads", "/orders/**", "read", "assets.view"), ("any", "/admin/**", "read_write", "platform.billing")];
    let page = registers(&ann, "Order API", &rules).await;
    let verify = verification(&page);
    let reader = app.add_user("Reader", domain::permission::BuiltInSet::Reader).await;
    let weak = reader.makes_token_with("weak", "read_write").await;
    let foreign = app.add_organization("elsewhere", "Stranger").await.makes_token_with("foreign", "read_write").await;
    for (key, method, target, status) in [
        (&reads, "GET", "/v1/orders/5?x=1", 200),
        (&weak, "HEAD", "/v1/orders", 200),
        (&foreign, "GET", "/v1/orders/5", 401),
        (&writes, "POST", "/v1/orders/5", 403),
        (&writes, "GET", "/v1/other", 403),
        (&writes, "GET", "/orders/5", 403),
        (&writes, "GET", "/v1/admin", 200),
        (&reads, "GET", "/v1/admin", 403),
        (&weak, "GET", "/v1/admin", 403),
        (&writes, "GET", "/v1/orders/../admin", 403),
        (&writes, "GET", "/v1/ADMIN", 403),
    ] {
        let answer = asks(&app, &verify, key, method, target).await;
        assert_eq!(answer.status, status, "{method} {target}: {}", answer.header("www-authenticate"));
        for header in ["subject", "organization", "organization-id", "scope", "permissions", "token"] {
            let value = answer.headers.get(format!("jeton-{header}")).unwrap_or_else(|| panic!("no {header}"));
            assert_eq!(value.is_empty(), status != 200, "{header}");
        }
    }
    assert_eq!(changes(&ann, &page, "Order API", &[("GET", "/other", "read", "")]).await.status, 303);
    assert_eq!(asks(&app, &verify, &reads, "GET", "/v1/orders/5").await.status, 403);
    assert_eq!(asks(&app, &verify, &reads, "GET", "/v1/other").await.status, 200);
    ann.revokes("reads").await;
    assert_eq!(asks(&app, &verify, &reads, "GET", "/v1/other").await.status, 401);
}

#[db_test]
async fn only_configured_proxies_are_trusted(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token_with("script", "read_write").await;
    let verify = verification(&registers(&ann, "Order API", &[ANYTHING]).await);
    let answer = asks(&app, &verify, &key, "GET", "/v1/x").await;
    assert_eq!(answer.status, 403);
    assert!(answer.header("www-authenticate").contains("JETON_TRUSTED_PROXIES"));
    assert_eq!(app.with_key("GET", &format!("{verify}/v1/x"), &key).await.status, 403);
}

const METHOD: (&str, &str) = ("x-original-method", "GET");
const URI: (&str, &str) = ("x-original-uri", "/v1/x");

/// A protected API whose proxies are trusted, and the keys of two tokens, of which one only reads.
struct Verified {
    app: TestApp,
    verify: String,
    reads: String,
    writes: String,
}

impl Verified {
    async fn start(db: TestDb) -> Verified {
        let (app, ann) = TestApp::with_proxies(db, "Ann").await;
        let (reads, writes) = (ann.makes_token("reads").await, ann.makes_token_with("writes", "read_write").await);
        let rules = [("any", "/admin/**", "read_write", ""), ANYTHING];
        let verify = verification(&registers(&ann, "Order API", &rules).await);
        Verified { app, verify, reads, writes }
    }

    /// Returns the status that a proxy gets for a request with this key, with this path behind the address.
    async fn ask(&self, key: &str, method: &str, behind: &str, headers: &[(&str, &str)]) -> u16 {
        let bearer = format!("Bearer {key}");
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend(headers);
        self.app.send(method, &format!("{}{behind}", self.verify), &all, "").await.status
    }
}

#[db_test]
async fn forged_parameters_can_only_narrow_access(db: TestDb) {
    let api = Verified::start(db).await;
    assert_eq!(api.ask(&api.reads, "GET", "", &[METHOD, URI]).await, 200);
    for forged in [
        &[("x-forwarded-method", "POST")][..],
        &[("x-forwarded-method", "get")],
        &[("x-forwarded-uri", "/v1/admin/x")],
        &[("x-original-url", "https://api.example.org/v1/admin/x")],
        &[("x-forwarded-uri", "/v1//x")],
        &[("x-rewrite-url", "/v1/admin/x")],
        &[("x_original_uri", "/v1/admin/x")],
        &[("x-forwarded-uri", "")],
        &[("x-original-uri", "/v1/x")],
        &[("x-original-method", "GET")],
        &[("connection", "x-original-uri")],
    ] {
        let mut headers = vec![METHOD, URI];
        headers.extend(forged);
        assert_eq!(api.ask(&api.reads, "GET", "", &headers).await, 403, "{forged:?}");
    }
    assert_eq!(api.ask(&api.reads, "POST", "", &[METHOD, URI]).await, 403, "its own method counts, too");
}

#[db_test]
async fn headers_that_change_nothing_do_no_harm(db: TestDb) {
    let api = Verified::start(db).await;
    let harmless = [METHOD, URI, ("x_original_uri", "/v1/y"), ("cookie", "jeton=1"), ("x-payment-method", "CARD")];
    assert_eq!(api.ask(&api.reads, "GET", "", &harmless).await, 200);
}

#[db_test]
async fn a_request_without_a_method_or_a_path_is_refused(db: TestDb) {
    let api = Verified::start(db).await;
    assert_eq!(api.ask(&api.writes, "GET", "", &[METHOD, URI]).await, 200);
    for nothing in [&[][..], &[METHOD], &[URI]] {
        assert_eq!(api.ask(&api.writes, "GET", "", nothing).await, 403, "{nothing:?}");
    }
}

#[db_test]
async fn envoy_asks_with_the_path_behind_the_address_and_the_method_of_the_client(db: TestDb) {
    let api = Verified::start(db).await;
    assert_eq!(api.ask(&api.reads, "GET", "/v1/x?scope=write&permission=none", &[]).await, 200);
    assert_eq!(api.ask(&api.reads, "POST", "/v1/x", &[]).await, 403);
    assert_eq!(api.ask(&api.writes, "POST", "/v1/x", &[]).await, 200);
    assert_eq!(api.ask(&api.reads, "GET", "/v1/admin/x", &[METHOD, URI]).await, 403);
    assert_eq!(api.ask(&api.reads, "GET", "/v1/x", &[("x-http-method-override", "DELETE")]).await, 403);
}

#[db_test]
async fn odd_paths_behind_the_address_are_refused(db: TestDb) {
    let api = Verified::start(db).await;
    assert_eq!(api.ask(&api.writes, "GET", "/v1/x", &[]).await, 200);
    for odd in ["/v1/x/%2e%2e%2fy", "/v1/a%2fb", "/v1//x", "/v1/x;y", "/v1/%255c", "/x", "/"] {
        assert_eq!(api.ask(&api.writes, "GET", odd, &[]).await, 403, "{odd}");
    }
}

#[db_test]
async fn a_request_with_two_keys_or_none_is_unauthorized(db: TestDb) {
    let Verified { app, verify, writes, .. } = Verified::start(db).await;
    let twice = format!("Bearer {writes}");
    let twice = [("authorization", twice.as_str()), ("authorization", twice.as_str()), METHOD, URI];
    assert_eq!(app.send("GET", &verify, &twice[1..], "").await.status, 200);
    assert_eq!(app.send("GET", &verify, &twice, "").await.status, 401, "which nginx hands on, unlike 400");
    assert_eq!(app.send("GET", &verify, &[METHOD, URI], "").await.status, 401);
}

#[db_test]
async fn requirements_in_the_address_apply_too(db: TestDb) {
    let (app, ann) = TestApp::with_proxies(db, "Ann").await;
    let (reads, writes) = (ann.makes_token("reads").await, ann.makes_token_with("writes", "read_write").await);
    let api = verification(&registers(&ann, "Order API", &[ANYTHING]).await);
    for base in ["/verify", &api] {
        for (query, of_reads, of_writes) in [
            ("", 200, 200),
            ("?scope=read", 200, 200),
            ("?scope=write", 403, 200),
            ("?scope=read&scope=write&scope=read", 403, 200),
            ("?permission=templates.view&permission=assets.view", 200, 200),
            ("?permission=templates.view&permission=templates.edit", 403, 200),
            ("?permission=templates.fly", 403, 403),
            ("?scope=everything", 403, 403),
            ("?page=2&page=3&%zz", 200, 200),
        ] {
            for (key, status) in [(&reads, of_reads), (&writes, of_writes)] {
                let address = format!("{base}{query}");
                assert_eq!(asks(&app, &address, key, "GET", "/v1/x").await.status, status, "{address}");
            }
        }
    }
}

#[db_test]
async fn any_other_address_below_verify_is_refused(db: TestDb) {
    let (app, ann) = TestApp::with_proxies(db, "Ann").await;
    let (reads, key) = (ann.makes_token("reads").await, ann.makes_token_with("writes", "read_write").await);
    let api = verification(&registers(&ann, "Order API", &[ANYTHING]).await);
    let id = api.rsplit('/').next().unwrap();
    assert_eq!(asks(&app, &api, &key, "GET", "/v1/x").await.status, 200);
    for closed in [
        "/verify/".to_owned(),
        "/verify/x".into(),
        "/verify//".into(),
        "/verify/token".into(),
        "/verify/tokens/x".into(),
        "/verify/apis".into(),
        "/verify/apis/".into(),
        "/verify/apis/zzzzzzzzzz".into(),
        "/verify/apis/ZZ".into(),
        format!("/verify/APIS/{id}"),
        format!("/verify//apis/{id}"),
        format!("/verify/%61pis/{id}"),
        format!("/verify/api/{id}"),
        format!("/verify/apis//{id}"),
        format!("/verify/apis/{}", id.to_uppercase()),
        format!("/verify/apis/{id}x"),
        format!("/verify/apis/{id}%2f"),
        format!("/verify/apis/{id};x"),
        format!("/verify/{id}"),
    ] {
        for key in [&*key, ""] {
            let answer = asks(&app, &closed, key, "GET", "/v1/x").await;
            assert_eq!(
                answer.status,
                if key.is_empty() && closed.ends_with("zzzzzzzzzz") { 401 } else { 403 },
                "{closed} {key}"
            );
            assert_eq!(answer.header("jeton-subject"), "", "{closed}");
        }
    }
    for elsewhere in ["/Verify", "/verify;x", "/verify%2f", "//verify", "/v%65rify", "/verify."] {
        let answer = asks(&app, elsewhere, &key, "GET", "/v1/x").await;
        assert!(
            answer.status == 404 && answer.headers.get("jeton-subject").is_none(),
            "{elsewhere}: {}",
            answer.status
        );
    }
    // Envoy puts the path of the client's request behind: whatever it is, its method counts, and its parameters do not.
    for path in ["/", "/any/path?scope=write&permission=none", "/apis/5", "/apis/zzzzzzzzzz", "/token/x", "/APIS//x"] {
        let asked = format!("/verify/token{path}");
        assert_eq!(app.with_key("GET", &asked, &reads).await.status, 200, "{asked}");
        assert_eq!(app.with_key("POST", &asked, &reads).await.status, 403, "{asked}");
        assert_eq!(app.with_key("POST", &asked, &key).await.status, 200, "{asked}");
    }
    assert_eq!(
        app.with_key("GET", "/verify/token/?scope=write", &reads).await.status,
        403,
        "no client's, but a configuration's"
    );
}

#[db_test]
async fn an_overridden_method_needs_what_its_rule_says(db: TestDb) {
    let (app, ann) = TestApp::with_proxies(db, "Ann").await;
    let writer = app.add_user("Writer", domain::permission::BuiltInSet::Standard).await;
    let key = writer.makes_token_with("writes", "read_write").await;
    let reads = ann.makes_token("reads").await;
    let rules = [("DELETE", "/orders/**", "by_method", "platform.users"), ANYTHING];
    let verify = verification(&registers(&ann, "Order API", &rules).await);
    let ask = async |key: &str, method: &str, header: (&str, &str)| {
        let bearer = format!("Bearer {key}");
        let told =
            [("authorization", &*bearer), ("x-original-method", method), ("x-original-uri", "/v1/orders/5"), header];
        (app.send("GET", &verify, &told, "").await.status, app.send("GET", "/verify", &told, "").await.status)
    };
    assert_eq!(ask(&key, "POST", ("accept", "*/*")).await, (200, 200));
    assert_eq!(ask(&key, "DELETE", ("accept", "*/*")).await, (403, 200));
    for name in [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x_http_method_override",
        "x-http_method",
        "x-method",
        "x-http-verb",
        "x-forwarded-method",
        "http-method-override",
    ] {
        for method in ["DELETE", "delete", "Delete"] {
            assert_eq!(ask(&key, "POST", (name, method)).await, (403, 200), "{name}: {method}");
            assert_eq!(ask(&reads, "GET", (name, method)).await, (403, 403), "{name}: {method}");
        }
        assert_eq!(ask(&key, "POST", (name, "PUT, DELETE")).await.0, 403, "{name}");
        assert_eq!(ask(&key, "POST", (name, "GET")).await, (200, 200), "{name}");
        assert_eq!(ask(&reads, "POST", (name, "GET")).await, (403, 403), "{name}");
    }
    assert_eq!(ask(&key, "delete", ("accept", "*/*")).await.0, 403, "some servers read methods in any case");
}

#[db_test]
async fn paths_that_a_server_may_read_as_a_guarded_one_are_refused(db: TestDb) {
    let (app, ann) = TestApp::with_proxies(db, "Ann").await;
    let writer = app.add_user("Writer", domain::permission::BuiltInSet::Standard).await;
    let key = writer.makes_token_with("writes", "read_write").await;
    let guarded =
        ["/admin/**", "/settings/**", "/straße/**", "/été"].map(|path| ("any", path, "by_method", "platform.users"));
    let verify = verification(&registers(&ann, "Order API", &[&guarded[..], &[ANYTHING]].concat()).await);
    for path in [
        "/v1/%C5%BFettings",
        "/v1/SETTINGS/x",
        "/v1/adm%C4%B1n",
        "/v1/ADM%C4%B0N/x",
        "/v1/STRASSE/5",
        "/v1/strasse",
        "/v1/e%CC%81te%CC%81",
        "/v1/%C3%89T%C3%89",
        "/v1/admin.",
        "/v1/admin..",
        "/v1/admin%20",
        "/v1/admin%20/x",
        "/v1/admin+/x",
        "/v1/admin%C2%A0/x",
        "/v1/admin%E3%80%80",
        "/v1/admin%E2%80%8B",
        "/v1/ad%C2%ADmin/x",
        "/v1/%EF%BB%BFadmin",
        "/v1/%EF%BD%81dmin",
        "/v1/%F0%9D%90%9Admin",
        "/v1/admin%EF%BC%8Fx",
        "/v1/%E2%80%8B/admin",
        "/v1/%E2%80%A5/v1/admin",
        "/v1/x/%E2%80%A4%E2%80%A4/admin",
        "/v1/admin%E2%88%95x",
    ] {
        let answer = asks(&app, &verify, &key, "GET", path).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(
            answer.header("www-authenticate").contains("more than one way"),
            "{path}: {}",
            answer.header("www-authenticate")
        );
    }
    for path in [
        "/v1/orders/5",
        "/v1/r%C3%A9sum%C3%A9",
        "/v1/re%CC%81sume%CC%81.pdf",
        "/v1/%EF%BC%88a%EF%BC%89",
        "/v1/x/Admin.",
    ] {
        assert_eq!(asks(&app, &verify, &key, "GET", path).await.status, 200, "{path}");
    }
    for path in ["/admin./**", "/admin /x", "/ad\u{200b}min", "/\u{ff41}dmin", "/a\u{a0}/x"] {
        let refused = ann.post(APIS, &fields("Other API", &[("any", path, "read", "")])).await;
        assert_eq!(refused.status, 422, "{path:?}");
        refused.shows("Rule 1: Some servers interpret this path differently");
    }
    registers(&ann, "Decomposed API", &[("any", "/e\u{301}te\u{301}", "read", "")]).await;
}

const ORDER_RULES: [Rule; 2] =
    [("GET", "/orders/**", "read", ""), ("any", "/admin/**", "read_write", "platform.users")];

/// A preflight request of a page of another site, as nginx hands it on.
const PREFLIGHT: [(&str, &str); 5] = [
    ("x-original-method", "OPTIONS"),
    ("x-original-uri", "/v1/orders/5"),
    ("origin", "https://dash.example.org"),
    ("access-control-request-method", "GET"),
    ("access-control-request-headers", "authorization"),
];

async fn turns_preflights_on(person: &Person, page: &str) {
    let version = person.get(&format!("{page}/edit")).await.field("version").expect("a form with a version");
    let on = [&fields("Order API", &ORDER_RULES)[..], &[("version", &*version), ("preflights", "yes")]].concat();
    assert_eq!(person.post(&format!("{page}/edit"), &on).await.status, 303);
}

/// Returns the address of the verification for an API that allows preflight requests.
async fn with_preflights(db: TestDb) -> (TestApp, String) {
    let (app, ann) = TestApp::with_proxies(db, "Ann").await;
    let page = registers(&ann, "Order API", &ORDER_RULES).await;
    turns_preflights_on(&ann, &page).await;
    (app, verification(&page))
}

#[db_test]
async fn preflights_need_a_key_unless_somebody_turns_them_on(db: TestDb) {
    let (app, ann) = TestApp::with_proxies(db, "Ann").await;
    let page = registers(&ann, "Order API", &ORDER_RULES).await;
    let verify = verification(&page);
    let ask = async || app.send("GET", &verify, &PREFLIGHT, "").await.status;
    assert_eq!(ask().await, 401, "off unless somebody turns it on");
    let edit = ann.get(&format!("{page}/edit")).await;
    assert!(!edit.body.contains("value=\"yes\" aria-describedby=\"preflights-hint\" checked"));
    turns_preflights_on(&ann, &page).await;
    ann.get(&page).await.shows("CORS preflight requests are allowed without a key.");
    assert!(ann.get(&format!("{page}/edit")).await.body.contains("aria-describedby=\"preflights-hint\" checked"));
    ann.get(org!("/activity")).await.shows("CORS preflight requests are allowed without a key.");
    assert_eq!(ask().await, 200);
    assert_eq!(changes(&ann, &page, "Order API", &ORDER_RULES).await.status, 303);
    assert_eq!(ask().await, 401, "turned off again");
}

#[db_test]
async fn a_preflight_passes_without_a_key_if_the_api_allows_it(db: TestDb) {
    let (app, verify) = with_preflights(db).await;
    let passed = app.send("GET", &verify, &PREFLIGHT, "").await;
    assert_eq!(passed.status, 200);
    for header in ["subject", "organization", "organization-id", "scope", "permissions", "token"] {
        assert_eq!(passed.headers[&format!("jeton-{header}")], "", "{header}");
    }
    let mut admin = PREFLIGHT;
    admin[1].1 = "/v1/admin/5";
    let admin = app.send("GET", &verify, &admin, "").await;
    assert_eq!(admin.status, 200, "whoever has a key may then be let in");
    let envoy = [PREFLIGHT[2], PREFLIGHT[3]];
    assert_eq!(app.send("OPTIONS", &format!("{verify}/v1/orders/5"), &envoy, "").await.status, 200);
}

#[db_test]
async fn only_a_preflight_for_a_rule_of_the_api_passes_without_a_key(db: TestDb) {
    let (app, verify) = with_preflights(db).await;
    let without = |name: &str| PREFLIGHT.into_iter().filter(|(of, _)| *of != name).collect::<Vec<_>>();
    let with = |name: &'static str, value: &'static str| [without(name), vec![(name, value)]].concat();
    assert_eq!(app.send("GET", &verify, &PREFLIGHT, "").await.status, 200);
    for (what, headers, status) in [
        ("no preflight", without("access-control-request-method"), 401),
        ("no page of another site", without("origin"), 401),
        ("no method", with("access-control-request-method", ""), 401),
        ("two methods", [&PREFLIGHT[..], &[("access-control-request-method", "GET")]].concat(), 401),
        ("a GET", with("x-original-method", "GET"), 401),
        ("a GET that says OPTIONS", with("x-http-method-override", "GET"), 401),
        ("in small letters", with("x-original-method", "options"), 401),
        ("a path without a rule", with("x-original-uri", "/v1/other"), 403),
        ("a method without a rule", with("access-control-request-method", "DELETE"), 403),
        ("an odd path", with("x-original-uri", "/v1/orders/../admin"), 403),
        ("a forged path", [&PREFLIGHT[..], &[("x-forwarded-uri", "/v1/other")]].concat(), 403),
        ("a key that is none", [&PREFLIGHT[..], &[("authorization", "Bearer jtn_p_x")]].concat(), 401),
    ] {
        let refused = app.send("GET", &verify, &headers, "").await;
        assert_eq!(refused.status, status, "{what}");
        assert_eq!(refused.header("jeton-subject"), "", "{what}");
    }
    assert_eq!(app.send("GET", "/verify", &PREFLIGHT, "").await.status, 401, "there are no rules to say so");
}
