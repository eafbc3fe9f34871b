//! Introspection, revocation and metadata, as other systems use them.

use crate::harness::{Answer, DAY, ORG, Person, SLUG, TestApp, TestDb, another_key, db_test, org};
use base64::{Engine, prelude::BASE64_STANDARD};
use domain::permission::BuiltInSet;
use serde_json::{Value, json};

const INTROSPECT: &str = "/oauth2/introspect";
const BATCH: &str = "/oauth2/introspect/batch";
const REVOKE: &str = "/oauth2/revoke";
const INACTIVE: &str = "{\"active\":false}";
const VERIFY: &str = "platform.verify_tokens";

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

fn basic(id: &str, key: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{key}")))
}

fn form(fields: &[(&str, &str)]) -> String {
    serde_html_form::to_string(fields).expect("a form")
}

async fn sends(app: &TestApp, path: &str, authorization: &str, fields: &[(&str, &str)]) -> Answer {
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    if !authorization.is_empty() {
        headers.push(("authorization", authorization));
    }
    app.send("POST", path, &headers, &form(fields)).await
}

async fn asks(app: &TestApp, caller: &str, token: &str) -> Answer {
    sends(app, INTROSPECT, &bearer(caller), &[("token", token)]).await
}

async fn asks_many(app: &TestApp, caller: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json"), ("authorization", &*bearer(caller))];
    app.send("POST", BATCH, &headers, &body.to_string()).await
}

/// Returns the key of a service user that may verify tokens.
async fn verifier(person: &Person, name: &str) -> String {
    let answer = person.asks_for_service_token(name, "45", &[VERIFY]).await;
    answer.key().unwrap_or_else(|| panic!("{}", answer.body))
}

/// Returns the public id of a service user, from the address of its page.
async fn client_id(person: &Person, name: &str) -> String {
    let page = person.service_token(name).await;
    page.rsplit('/').next().expect("an address").to_owned()
}

#[db_test]
async fn introspection_says_whom_a_token_acts_for(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let (caller, token) = (verifier(&ann, "Warehouse").await, ben.makes_token_with("Power BI", "read_write").await);
    let made = app.clock.now();
    app.clock.advance(7);
    let answer = asks(&app, &caller, &token).await;
    assert_eq!(
        (answer.status, answer.header("content-type"), answer.header("cache-control")),
        (200, "application/json", "no-store")
    );
    let told = answer.json();
    let me = app.me(&token).await.json();
    assert_eq!(told["active"], true);
    assert_eq!(told["sub"], me["subject"]["id"]);
    let username = told["sub"].as_str().unwrap().replace(':', "-");
    assert_eq!(told["username"], username, "names are neither unique nor for ever, and a colon is in no user name");
    assert_eq!(told["name"], "Ben");
    assert_eq!(told["scope"], "read write");
    assert_eq!(told["client_id"], me["token"]["id"]);
    assert_eq!(told["token_type"], "Bearer");
    assert_eq!(told["iss"], app.url.as_str());
    assert_eq!(told["organization"], SLUG);
    assert_eq!(told["organization_id"], me["organization"]["id"]);
    assert_eq!(told["permissions"], me["permissions"]);
    let (iat, exp, now) = (told["iat"].as_i64().unwrap(), told["exp"].as_i64().unwrap(), app.clock.now());
    assert!((0..=2).contains(&(made.seconds() - iat)), "{iat}");
    assert!((now.seconds() - 2..=now.seconds()).contains(&(exp - 120)), "clients keep an answer until exp");
    assert!(!answer.body.contains(&token[6..]));
}

#[db_test]
async fn the_caller_may_ask_about_its_own_token(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let caller = verifier(&ann, "Warehouse").await;
    let about_itself = asks(&app, &caller, &caller).await.json();
    assert_eq!(about_itself["sub"], format!("service_user:{}", client_id(&ann, "Warehouse").await));
    assert_eq!(about_itself["permissions"], json!([VERIFY]));
}

#[db_test]
async fn an_answer_is_never_valid_longer_than_the_token(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (caller, token) = (verifier(&ann, "Warehouse").await, ann.makes_token("Power BI").await);
    let page = ann.service_token("Warehouse").await;
    app.clock.stop();
    assert_eq!(asks(&app, &caller, &token).await.json()["active"], true);
    app::maintenance::flush_usage(&app.jeton).await.unwrap();
    app.clock.advance(45 * DAY - 1);
    let last = asks(&app, &caller, &token).await.json();
    assert_eq!(last["active"], true, "to be asked about is a use, and one second is left");
    // An old key ends at its hour however often it is used.
    assert_eq!(ann.signs_in().await.status, 303);
    let rotated = ann.confirms_with(&page, "rotation", &[("hours", "1")]).await;
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    app.clock.advance(3_600 - 30);
    let old = asks(&app, &rotated.key().unwrap(), &caller).await.json();
    let left = old["exp"].as_i64().unwrap() - app.clock.now().seconds();
    assert!((28..=30).contains(&left), "{left}");
}

#[db_test]
async fn anything_but_an_active_token_of_the_organization_is_inactive(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let zoe = app.add_organization("elsewhere", "Zoe").await;
    let caller = verifier(&ann, "Warehouse").await;
    let (revoked, expired) = (ann.makes_token("revoked").await, ann.makes_token("expired").await);
    let foreign = zoe.makes_token("foreign").await;
    let leaver = app.add_user("Ben", BuiltInSet::Standard).await;
    let stopped = leaver.makes_token("stopped").await;
    ann.revokes("revoked").await;
    for _ in 0..2 {
        app.clock.advance(22 * DAY);
        assert_eq!(asks(&app, &caller, &stopped).await.json()["active"], true);
        assert_eq!(app.me(&foreign).await.status, 200);
        app::maintenance::flush_usage(&app.jeton).await.unwrap();
    }
    app.clock.advance(DAY);
    let subject = app.me(&stopped).await;
    assert_eq!(subject.status, 200, "{}", subject.body);
    let subject = subject.json()["subject"]["id"].as_str().unwrap().replace("membership:", "");
    let ben = &*format!("{ORG}/users/{subject}/deactivation");
    assert_eq!(ann.signs_in().await.status, 303);
    ann.get(ben).await;
    assert_eq!(ann.post(ben, &[]).await.status, 303);

    let unknown = another_key();
    let mut heads = Vec::new();
    for token in
        [&*revoked, &expired, &foreign, &stopped, &unknown, " ", "jtn_p_short", "a b\u{0}c", &format!("{caller} ")]
    {
        let answer = asks(&app, &caller, token).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, INACTIVE), "{token}");
        let mut names: Vec<(String, String)> =
            answer.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        names.retain(|(name, _)| name != "x-request-id" && name != "date");
        names.sort();
        heads.push(names);
    }
    assert!(heads.windows(2).all(|pair| pair[0] == pair[1]), "{heads:?}");
    // What another organization asks about is not used by that.
    app.clock.advance(44 * DAY);
    app::maintenance::flush_usage(&app.jeton).await.unwrap();
    assert_eq!(app.me(&foreign).await.status, 401);
}

#[db_test]
async fn the_caller_authenticates_in_one_of_three_ways(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (caller, token) = (verifier(&ann, "Warehouse").await, ann.makes_token("Power BI").await);
    let id = client_id(&ann, "Warehouse").await;
    let other = ann.makes_service_token("Other").await;
    let other_id = client_id(&ann, "Other").await;
    let plain = [("token", token.as_str())];
    let lines = (format!("{id}\n"), format!(" {caller}\r\n"));
    let in_form = |id, key| [("token", token.as_str()), ("client_id", id), ("client_secret", key)];
    for (authorization, fields) in [
        (bearer(&caller), plain.to_vec()),
        (basic(&id, &caller), plain.to_vec()),
        (basic(&id, &caller).replace("Basic", "basic"), plain.to_vec()),
        (basic(&id.replace('k', "%6b"), &caller.replace('_', "%5F")), plain.to_vec()),
        (String::new(), in_form(&id, &caller).to_vec()),
        (bearer(&caller), vec![("token", &token), ("client_id", &id), ("token_type_hint", "access_token")]),
        // A parameter without a value counts as left out (RFC 6749, section 3.2).
        (basic(&id, &caller), in_form("", "").to_vec()),
        (bearer(&caller), in_form("", "").to_vec()),
        (basic(&id, &caller), vec![("token", &token), ("client_id", ""), ("grant_type", ""), ("scope", "")]),
        (bearer(&caller), in_form(&id, "").to_vec()),
        // A secret as it was read from its file.
        (basic(&id, &format!("{caller}\n")), plain.to_vec()),
        (basic(&format!(" {id}"), &format!("{caller}%0D%0A")), plain.to_vec()),
        (String::new(), in_form(&lines.0, &lines.1).to_vec()),
    ] {
        let answer = sends(&app, INTROSPECT, &authorization, &fields).await;
        assert_eq!((answer.status, answer.json()["active"].clone()), (200, json!(true)), "{authorization} {fields:?}");
    }
    for (authorization, fields, status, code) in [
        (String::new(), plain.to_vec(), 401, "invalid_client"),
        (bearer(&token), plain.to_vec(), 403, "insufficient_scope"),
        (bearer(&other), plain.to_vec(), 403, "insufficient_scope"),
        (basic(&other_id, &other), plain.to_vec(), 403, "insufficient_scope"),
        (basic(&other_id, &caller), plain.to_vec(), 401, "invalid_client"),
        (basic(&id, "wrong"), plain.to_vec(), 401, "invalid_client"),
        (basic("", &caller), plain.to_vec(), 401, "invalid_client"),
        ("Basic !".into(), plain.to_vec(), 401, "invalid_client"),
        (basic(&id, &format!("{caller}&x=y")), plain.to_vec(), 401, "invalid_client"),
        (basic(&id, &caller.replace('_', "%255F")), plain.to_vec(), 401, "invalid_client"),
        (bearer("jtn_s_short"), plain.to_vec(), 401, "invalid_token"),
        (String::new(), in_form("", &caller).to_vec(), 401, "invalid_client"),
        (basic(&id, &caller), vec![("token", &token), ("client_id", &other_id)], 401, "invalid_client"),
        (bearer(&caller), vec![("token", &token), ("client_id", &other_id)], 401, "invalid_client"),
        (String::new(), vec![("token", &token), ("client_secret", &caller)], 401, "invalid_client"),
        (bearer(&caller), in_form(&id, &caller).to_vec(), 400, "invalid_request"),
        (basic(&id, &caller), in_form(&id, &caller).to_vec(), 400, "invalid_request"),
        (bearer(&caller), vec![], 400, "invalid_request"),
        (bearer(&caller), vec![("token", "")], 400, "invalid_request"),
        (String::new(), in_form("", "").to_vec(), 401, "invalid_client"),
        (bearer(&caller), vec![("token", &token), ("token", &token)], 400, "invalid_request"),
    ] {
        let answer = sends(&app, INTROSPECT, &authorization, &fields).await;
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (status, Some(code)),
            "{authorization} {fields:?}"
        );
        assert_eq!(
            status == 401,
            answer.header("www-authenticate").contains("realm=\"jeton\"") && answer.status == 401
        );
        assert!(!answer.body.contains(&token[6..]) && !answer.body.contains(&caller[6..]));
    }
    let in_address = app
        .send(
            "POST",
            &format!("{INTROSPECT}?token={token}&access_token={caller}"),
            &[("content-type", "application/x-www-form-urlencoded")],
            "",
        )
        .await;
    assert_eq!(in_address.status, 400);
    assert_eq!(app.with_key("GET", INTROSPECT, &caller).await.status, 405);
    // A session is no caller.
    assert_eq!(ann.post(INTROSPECT, &[("token", &token)]).await.status, 401);
}

#[db_test]
async fn a_batch_is_answered_in_order(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (caller, token) = (verifier(&ann, "Warehouse").await, ann.makes_token("Power BI").await);
    let answer = asks_many(&app, &caller, &json!({ "tokens": ["", token, "jtn_p_short", caller] })).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let results = answer.json()["results"].as_array().unwrap().clone();
    assert_eq!(
        results.iter().map(|one| one["active"].as_bool().unwrap()).collect::<Vec<_>>(),
        [false, true, false, true]
    );
    assert_eq!((&results[0], &results[1]["name"]), (&json!({ "active": false }), &json!("Ann")));
    assert_eq!(asks_many(&app, &caller, &json!({ "tokens": [] })).await.body, "{\"results\":[]}");
    assert_eq!(asks_many(&app, &caller, &json!({ "tokens": vec![token.as_str(); 100] })).await.status, 200);
    for wrong in [
        json!({ "tokens": vec![""; 101] }),
        json!({ "tokens": [1] }),
        json!({ "token": token }),
        json!([]),
        json!({ "tokens": [], "more": 1 }),
    ] {
        let answer = asks_many(&app, &caller, &wrong).await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("invalid_request")), "{wrong}");
    }
    let headers = [("content-type", "application/json"), ("authorization", &*bearer(&caller))];
    assert_eq!(app.send("POST", BATCH, &headers, &"[".repeat(70_000)).await.status, 413);
    assert_eq!(app.send("POST", BATCH, &headers[..1], "{\"tokens\":[]}").await.status, 401);
    assert_eq!(sends(&app, BATCH, &bearer(&caller), &[("tokens", &token)]).await.status, 400);
}

#[db_test]
async fn a_key_is_enough_to_revoke_its_token(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let keys = [ann.makes_token("one").await, ann.makes_token("two").await, ann.makes_service_token("three").await];
    let caller = verifier(&ann, "Warehouse").await;
    let id = client_id(&ann, "Warehouse").await;
    for (key, authorization) in
        [(&keys[0], String::new()), (&keys[1], basic(&id, &caller)), (&keys[2], bearer(&caller))]
    {
        assert_eq!(app.me(key).await.status, 200);
        for _ in 0..2 {
            let answer =
                sends(&app, REVOKE, &authorization, &[("token", key), ("token_type_hint", "refresh_token")]).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, ""));
            assert_eq!(app.me(key).await.status, 401);
        }
    }
    assert_eq!(app.me(&caller).await.status, 200);
    for nothing in ["jtn_p_short", " ", &another_key()] {
        assert_eq!(sends(&app, REVOKE, "", &[("token", nothing)]).await.status, 200);
    }
    for nothing in [&[][..], &[("token", "")]] {
        assert_eq!(sends(&app, REVOKE, "", nothing).await.status, 400, "nothing was revoked, and it does not say so");
    }
    assert_eq!(sends(&app, REVOKE, &basic(&id, "wrong"), &[("token", &caller)]).await.status, 401);
    assert_eq!(app.me(&caller).await.status, 200, "who says a wrong name is not listened to");
    let log = ann.get(org!("/activity?kind=token.revoked")).await.body;
    for name in ["one", "two", "three"] {
        assert!(log.contains(name), "{name}");
    }
}

#[db_test]
async fn a_key_is_revoked_whatever_surrounds_it(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for (number, around) in [
        "{}\n",
        "{}\r\n",
        " {} ",
        "\u{feff}{}",
        "\"{}\"",
        "'{}'",
        "Bearer {}",
        "Authorization: Bearer {}",
        "{}.",
        "<b>{}</b>",
        "key={}&x=1",
        "export KEY='{}';",
        "https://example.org/?key={}#x",
    ]
    .iter()
    .enumerate()
    {
        let key = ann.makes_token(&format!("token {number}")).await;
        let sent = around.replace("{}", &key);
        assert_eq!(sends(&app, REVOKE, "", &[("token", &sent), ("client_id", "")]).await.status, 200, "{sent}");
        assert_eq!(app.me(&key).await.status, 401, "{sent}");
    }
    let keys = [ann.makes_token("one").await, ann.makes_service_token("two").await];
    let encoded = keys[0].replace('_', "%5F");
    let text = format!("A={encoded}\nB={}\nC={}\nA={}", keys[1], another_key(), keys[0]);
    assert_eq!(sends(&app, REVOKE, "", &[("token", &text)]).await.status, 200);
    for key in &keys {
        assert_eq!(app.me(key).await.status, 401);
    }
    // Letting in stays exact.
    let key = ann.makes_token("exact").await;
    let caller = verifier(&ann, "Warehouse").await;
    for text in [format!("{key} "), format!("\"{key}\""), key.replace('_', "%5F")] {
        assert_eq!(asks(&app, &caller, &text).await.body, INACTIVE, "{text}");
    }
}

#[db_test]
async fn a_token_that_authenticates_the_caller_can_revoke_itself(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let personal = ann.makes_token("Power BI").await;
    let service = ann.makes_service_token("Warehouse").await;
    for key in [&personal, &service] {
        let answer = sends(&app, REVOKE, &bearer(key), &[("token", key)]).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
        assert_eq!(app.me(key).await.status, 401);
        // Now it is not true any more that this one calls.
        assert_eq!(sends(&app, REVOKE, &bearer(key), &[("token", key)]).await.status, 401);
    }
}

#[db_test]
async fn standard_clients_find_the_endpoints(db: TestDb) {
    let (app, _) = TestApp::with_user(db, "Ann").await;
    let server = app.send("GET", "/.well-known/oauth-authorization-server", &[], "").await;
    assert_eq!((server.status, server.header("content-type")), (200, "application/json"));
    let server = server.json();
    assert_eq!(server["issuer"], app.url.as_str());
    assert_eq!(server["introspection_endpoint"], format!("{}{INTROSPECT}", app.url));
    assert_eq!(server["revocation_endpoint"], format!("{}{REVOKE}", app.url));
    assert_eq!(server["response_types_supported"], json!([]));
    let refused = app.me("jtn_p_short").await;
    let place = refused.header("www-authenticate").split("resource_metadata=\"").nth(1).expect("RFC 9728, section 5.1");
    let place = place.trim_end_matches('"').strip_prefix(&app.url).expect("an address here");
    let resource = app.send("GET", place, &[("host", "elsewhere.example.org")], "").await.json();
    assert_eq!(resource["resource"], app.url.as_str(), "never from the request");
    assert_eq!(resource["authorization_servers"], json!([server["issuer"]]));
    assert_eq!(app.send("GET", "/.well-known/nothing", &[], "").await.status, 404);
}
