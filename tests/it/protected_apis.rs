//! Protected APIs: registering, changing and deleting them, and what verification makes of their rules.

use crate::harness::{Answer, Person, TestApp, activity, db_test};

/// Where Ann's organization has them.
const APIS: &str = "/orgs/croix-bleue-sahel/integrations/apis";

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

/// Registers one and returns the address of its page.
async fn registers(person: &Person, name: &str, rules: &[Rule]) -> String {
    let answer = person.post(APIS, &fields(name, rules)).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.header("location").trim_end_matches("?made").to_owned()
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

/// What a proxy is told about a request with this key, as nginx asks.
async fn asks(app: &TestApp, verify: &str, key: &str, method: &str, target: &str) -> Answer {
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", &*bearer), ("x-original-method", method), ("x-original-uri", target)];
    app.send("GET", verify, &headers, "").await
}

db_test! {
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
        ann.get("/orgs/croix-bleue-sahel/activity").await.shows("registered the protected API Order API")
            .shows("Reading (GET, HEAD, OPTIONS) /orders/* → Read only, Templates: View");
    }

    async fn a_form_that_is_sent_twice_makes_one_api(db: TestDb) {
        let (_app, ann) = TestApp::with_user(db, "Ann").await;
        registers(&ann, "Order API", &[ANYTHING]).await;
        let again = ann.post(APIS, &fields("ORDER api", &[ANYTHING])).await;
        assert_eq!(again.status, 422);
        again.shows("There is one with this name already");
    }

    async fn what_is_wrong_with_a_form_is_said_at_its_field(db: TestDb) {
        let (_app, ann) = TestApp::with_user(db, "Ann").await;
        let empty = ann.post(APIS, &[]).await;
        assert_eq!(empty.status, 422);
        empty.shows("Enter a name, for example “Order API”").shows("Enter the address of the API");
        let wrong = ann.post(APIS, &fields("Order API", &[ANYTHING, ("GET", "/a*b", "read", "")])).await;
        assert_eq!(wrong.status, 422);
        wrong.shows("Rule 2: A star stands alone between slashes");
        for address in ["https://api.example.org/*/v1/", "https://api.example.org/v1/?key=1"] {
            let with_star = [("name", "Order API"), ("address", address)];
            let answer = ann.post(APIS, &with_star).await;
            assert_eq!(answer.status, 422);
            answer.shows("without parameters or stars");
        }
        for odd in [("nothing", "/**", "read", ""), ("any", "/**", "all", ""), ("any", "/**", "read", "templates.eat")] {
            assert_eq!(ann.post(APIS, &fields("Order API", &[odd])).await.status, 422, "{odd:?}");
        }
        assert_eq!(ann.post(APIS, &fields("Order API", &[("any", "/x", "read", ""); 51])).await.status, 422);
        ann.get(APIS).await.shows("No protected API yet");
    }

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

    async fn fifty_apis_are_the_most(db: TestDb) {
        let (_app, ann) = TestApp::with_user(db, "Ann").await;
        for number in 0..50 {
            registers(&ann, &format!("API {number}"), &[]).await;
        }
        let one_more = ann.post(APIS, &fields("One more", &[])).await;
        assert_eq!(one_more.status, 422);
        one_more.shows("The organization has 50 protected APIs");
    }

    async fn an_api_of_another_organization_is_not_there(db: TestDb) {
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

    async fn two_who_edit_at_once_do_not_overwrite_each_other(db: TestDb) {
        let (_app, ann) = TestApp::with_user(db, "Ann").await;
        let page = registers(&ann, "Order API", &[ANYTHING]).await;
        let version = ann.get(&format!("{page}/edit")).await.field("version").unwrap();
        assert_eq!(changes(&ann, &page, "Orders", &[ANYTHING]).await.status, 303);
        let mut late = fields("Order API, old", &[ANYTHING]);
        late.push(("version", &version));
        let refused = ann.post(&format!("{page}/edit"), &late).await;
        assert_eq!(refused.status, 422);
        refused.shows("Somebody else has changed this").shows("Orders");
        late.pop();
        let seen = refused.field("version").unwrap();
        late.push(("version", &seen));
        assert_eq!(ann.post(&format!("{page}/edit"), &late).await.status, 303);
        ann.get(&page).await.shows("Order API, old");
    }

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
        ann.get("/orgs/croix-bleue-sahel/activity").await.shows("deleted the protected API Order API");
    }

    async fn the_rules_decide_about_requests_and_a_change_of_them_takes_effect_at_once(db: TestDb) {
        let (app, ann) = TestApp::with_proxies(db, "Ann").await;
        let (reads, writes) = (ann.makes_token("reads").await, ann.makes_token_with("writes", "read_write").await);
        let rules = [("reads", "/orders/**", "read", "assets.view"), ("any", "/admin/**", "read_write", "platform.billing")];
        let page = registers(&ann, "Order API", &rules).await;
        let verify = verification(&page);
        let reader = app.add_user("Reader", jeton::domain::permission::BuiltInSet::Reader).await;
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
            for header in ["subject", "organization", "scope", "permissions", "token"] {
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

    async fn only_configured_proxies_are_believed(db: TestDb) {
        let (app, ann) = TestApp::with_user(db, "Ann").await;
        let key = ann.makes_token_with("script", "read_write").await;
        let verify = verification(&registers(&ann, "Order API", &[ANYTHING]).await);
        let answer = asks(&app, &verify, &key, "GET", "/v1/x").await;
        assert_eq!(answer.status, 403);
        assert!(answer.header("www-authenticate").contains("JETON_TRUSTED_PROXIES"));
        assert_eq!(app.with_key("GET", &format!("{verify}/v1/x"), &key).await.status, 403);
    }

    async fn forged_words_only_narrow(db: TestDb) {
        let (app, ann) = TestApp::with_proxies(db, "Ann").await;
        let (reads, writes) = (ann.makes_token("reads").await, ann.makes_token_with("writes", "read_write").await);
        let rules = [("any", "/admin/**", "read_write", ""), ANYTHING];
        let verify = verification(&registers(&ann, "Order API", &rules).await);
        let (method, uri) = (("x-original-method", "GET"), ("x-original-uri", "/v1/x"));
        let ask = async |key: &str, method: &str, address: &str, headers: &[(&str, &str)]| {
            let bearer = format!("Bearer {key}");
            let mut all = vec![("authorization", bearer.as_str())];
            all.extend(headers);
            app.send(method, address, &all, "").await.status
        };
        assert_eq!(ask(&reads, "GET", &verify, &[method, uri]).await, 200);
        for forged in [
            &[("x-forwarded-method", "POST")][..],
            &[("x-forwarded-method", "get")],
            &[("x-forwarded-uri", "/v1/admin/x")],
            &[("x-original-url", "https://api.example.org/v1/admin/x")],
            &[("x-forwarded-uri", "/v1//x")],
            &[("x-forwarded-uri", "")],
            &[("x-original-uri", "/v1/x")],
            &[("x-original-method", "GET")],
            &[("connection", "x-original-uri")],
        ] {
            let mut headers = vec![method, uri];
            headers.extend(forged);
            assert_eq!(ask(&reads, "GET", &verify, &headers).await, 403, "{forged:?}");
        }
        assert_eq!(ask(&reads, "POST", &verify, &[method, uri]).await, 403, "its own method counts, too");
        let harmless = [method, uri, ("x_original_uri", "/v1/y"), ("cookie", "jeton=1"), ("content-type", "text/plain")];
        assert_eq!(ask(&reads, "GET", &verify, &harmless).await, 200);
        for nothing in [&[][..], &[method], &[uri]] {
            assert_eq!(ask(&writes, "GET", &verify, nothing).await, 403, "{nothing:?}");
        }
        // Envoy: the path behind, the client's own method and parameters.
        let behind = |path: &str| format!("{verify}{path}");
        assert_eq!(ask(&reads, "GET", &behind("/v1/x?scope=write&permission=none"), &[]).await, 200);
        assert_eq!(ask(&reads, "POST", &behind("/v1/x"), &[]).await, 403);
        assert_eq!(ask(&writes, "POST", &behind("/v1/x"), &[]).await, 200);
        assert_eq!(ask(&reads, "GET", &behind("/v1/admin/x"), &[method, uri]).await, 403);
        for odd in ["/v1/x/%2e%2e%2fy", "/v1/a%2fb", "/v1//x", "/v1/x;y", "/v1/%255c", "/x", "/"] {
            assert_eq!(ask(&writes, "GET", &behind(odd), &[]).await, 403, "{odd}");
        }
        for unknown in ["/verify/apis/zzzzzzzzzz", "/verify/apis/", "/verify/apis/ZZ", "/v%65rify/apis/0123456789"] {
            assert_ne!(ask(&writes, "GET", unknown, &[method, uri]).await, 200, "{unknown}");
        }
        let twice = format!("Bearer {writes}");
        let twice = [("authorization", twice.as_str()), ("authorization", twice.as_str()), method, uri];
        assert_eq!(app.send("GET", &verify, &twice, "").await.status, 401, "which nginx hands on, unlike 400");
        assert_eq!(app.send("GET", &verify, &[method, uri], "").await.status, 401);
    }

    async fn what_the_address_demands_is_demanded_too(db: TestDb) {
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
        // Envoy without a protected API.
        assert_eq!(app.with_key("GET", "/verify/any/path", &reads).await.status, 200);
        assert_eq!(app.with_key("POST", "/verify/any/path", &reads).await.status, 403);
    }
}
