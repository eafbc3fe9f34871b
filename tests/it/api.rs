//! Programs with a bearer token: the API and forward-auth.

use crate::harness::{Answer, DAY, SLUG, TestApp, TestDb, another_key, db_test};
use domain::{organization::MembershipId, permission::BuiltInSet};
use storage::{StorageError, epoch, tokens};

#[db_test]
async fn me_says_whom_the_token_acts_for(db: TestDb) {
    let (app, _) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let key = ben.makes_token("Power BI, Büro").await;
    let answer = app.me(&key).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    let me = answer.json();
    assert_eq!(me["subject"]["name"], "Ben");
    assert_eq!(me["organization"]["slug"], SLUG);
    assert_eq!(me["organization"]["name"], "Croix-Bleue Sahel");
    assert_eq!(me["scope"], "read");
    let permissions: Vec<&str> =
        me["permissions"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
    assert_eq!(permissions, ["templates.view", "inspections.view", "assets.view"]);
    assert_eq!(me["token"]["label"], "Power BI, Büro");
    assert_eq!(me["token"]["kind"], "personal");
    assert_eq!(me["token"]["id"].as_str(), Some(ben.token_id("Power BI, Büro").await.as_str()));
    let expires = app.clock.now().plus(45 * DAY).utc().format("%Y-%m-%dT%H:%M").to_string();
    assert!(me["token"]["expires_at"].as_str().unwrap().starts_with(&expires));
    assert!(!answer.body.contains(&key[6..]));
}

#[db_test]
async fn forward_auth_answers_in_headers(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let read = ann.makes_token_with("reads", "read").await;
    let write = ann.makes_token_with("writes", "read_write").await;
    let ok = app.with_key("GET", "/verify", &write).await;
    assert_eq!((ok.status, ok.body.as_str()), (200, ""));
    assert!(ok.header("jeton-subject").starts_with("membership:"));
    assert_eq!(ok.header("jeton-organization"), SLUG);
    assert_eq!(ok.header("jeton-organization-id"), app.me(&write).await.json()["organization"]["id"].as_str().unwrap());
    assert_eq!(ok.header("jeton-scope"), "read write");
    assert!(ok.header("jeton-permissions").contains("templates.delete"));
    let reads = app.with_key("GET", "/verify", &read).await;
    assert_eq!((reads.status, reads.header("jeton-scope")), (200, "read"));
    assert!(!reads.header("jeton-permissions").contains("templates.delete"));
    let none = app.send("GET", "/verify", &[], "").await;
    assert_eq!((none.status, none.header("www-authenticate")), (401, "Bearer realm=\"jeton\""));
}

#[db_test]
async fn forward_auth_refuses_changes_with_a_read_only_token(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let read = ann.makes_token_with("reads", "read").await;
    let write = ann.makes_token_with("writes", "read_write").await;
    for name in ["x-original-method", "x-forwarded-method"] {
        for method in ["POST", "DELETE", "PATCH", "get", "", "MERGE"] {
            let headers = [("authorization", &*format!("Bearer {read}")), (name, method)];
            let refused = app.send("GET", "/verify", &headers, "").await;
            assert_eq!(refused.status, 403, "{name}: {method}");
            assert!(refused.header("www-authenticate").contains("error=\"insufficient_scope\""));
            assert_eq!(refused.header("jeton-subject"), "");
            let headers = [("authorization", &*format!("Bearer {write}")), (name, method)];
            assert_eq!(app.send("GET", "/verify", &headers, "").await.status, 200);
        }
    }
    let forged =
        [("authorization", &*format!("Bearer {read}")), ("x-forwarded-method", "GET"), ("x-original-method", "POST")];
    assert_eq!(app.send("GET", "/verify", &forged, "").await.status, 403, "one that says write is enough");
    assert_eq!(app.with_key("POST", "/verify", &read).await.status, 403);
}

#[db_test]
async fn each_refusal_gives_its_reason(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (revoked, expired) = (ann.makes_token("revoked").await, ann.makes_token("expired").await);
    ann.revokes("revoked").await;
    app.clock.advance(45 * DAY);
    let unknown = another_key();
    for (key, said) in [
        ("jtn_p_short", "malformed"),
        ("something else", "malformed"),
        (&*format!("{expired}x"), "malformed"),
        (&*unknown, "No token has this API key"),
        (&*revoked, "was revoked at 20"),
        (&*expired, "it was not used for its whole inactivity period"),
    ] {
        let answer = app.me(key).await;
        assert_eq!(answer.status, 401, "{key}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with("Bearer realm=\"jeton\", error=\"invalid_token\""), "{challenge}");
        let problem = answer.json();
        assert!(problem["detail"].as_str().unwrap().contains(said), "{problem}");
        assert_eq!(problem["status"], 401);
        assert_eq!(problem["request_id"].as_str(), Some(answer.header("x-request-id")));
        assert_eq!(app.with_key("GET", "/verify", key).await.status, 401);
    }
}

#[db_test]
async fn a_token_in_the_wrong_place_is_refused(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    let bearer = format!("Bearer {key}");
    for path in ["/api/v1/me", "/verify"] {
        let twice = [("authorization", bearer.as_str()), ("authorization", bearer.as_str())];
        assert_eq!(app.send("GET", path, &twice, "").await.status, 400);
        let in_address = format!("{path}?access_token={key}");
        let answer = app.send("GET", &in_address, &[], "").await;
        assert_eq!(answer.status, 400);
        assert!(!answer.body.contains(&key[6..]));
        assert_eq!(app.send("GET", &in_address, &twice[..1], "").await.status, 400);
        for header in ["Basic dTpw", "Bearer", key.as_str(), "Token x"] {
            assert_eq!(app.send("GET", path, &[("authorization", header)], "").await.status, 401, "{header}");
        }
        for scheme in ["bearer ", "Bearer   "] {
            assert_eq!(app.send("GET", path, &[("authorization", &format!("{scheme}{key}"))], "").await.status, 200);
        }
    }
    // A key opens no page, and a session opens no API.
    for path in ["/account/tokens", "/account/tokens/new", "/account/sessions"] {
        let answer = app.with_key("GET", path, &key).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (303, ""));
    }
    assert_eq!(ann.get("/api/v1/me").await.status, 401);
    assert_eq!(ann.get("/verify").await.status, 401);
    assert_eq!(ann.request("DELETE", "/api/v1/me/token", &[], String::new()).await.status, 401);
}

#[db_test]
async fn a_token_revokes_itself(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for scope in ["read", "read_write"] {
        let key = ann.makes_token_with(scope, scope).await;
        let gone = app.with_key("DELETE", "/api/v1/me/token", &key).await;
        assert_eq!((gone.status, gone.body.as_str()), (204, ""));
        assert_eq!(app.me(&key).await.status, 401);
        assert_eq!(app.with_key("DELETE", "/api/v1/me/token", &key).await.status, 401);
    }
    let log = crate::harness::activity(&app.db);
    assert_eq!(log.iter().filter(|entry| entry.action == "token.revoked").count(), 2);
    for around in ["Bearer \"{}\"", "Bearer {}.", "{}", "Token {}", "Bearer Bearer {}", "Bearer <{}>"] {
        let key = ann.makes_token("around").await;
        let header = around.replace("{}", &key);
        let send = async || app.send("DELETE", "/api/v1/me/token", &[("authorization", &*header)], "").await.status;
        assert_eq!(app.send("GET", "/api/v1/me", &[("authorization", &*header)], "").await.status, 401, "{around}");
        assert_eq!((send().await, send().await), (204, 401), "{around}");
        assert_eq!(app.me(&key).await.status, 401, "{around}");
    }
}

/// The origin of a page of another site.
const ELSEWHERE: (&str, &str) = ("origin", "https://dash.example.org");

/// Returns the answer to the preflight request of a page of another site.
async fn preflight(app: &TestApp, path: &str, method: &str) -> Answer {
    let headers =
        [ELSEWHERE, ("access-control-request-method", method), ("access-control-request-headers", "authorization")];
    app.send("OPTIONS", path, &headers, "").await
}

#[db_test]
async fn pages_of_other_sites_may_use_the_api_but_never_with_a_cookie(db: TestDb) {
    let (app, _ann) = TestApp::with_user(db, "Ann").await;
    for (path, method) in [
        ("/api/v1/me", "GET"),
        ("/api/v1/me/token", "DELETE"),
        ("/api/v1/leaks", "POST"),
        ("/api/v1/revocations/0123456789", "GET"),
        ("/oauth2/revoke", "POST"),
        ("/.well-known/jwks.json", "GET"),
        ("/.well-known/authzen-configuration", "GET"),
        ("/.well-known/oauth-authorization-server", "GET"),
        ("/.well-known/oauth-protected-resource", "GET"),
    ] {
        let answer = preflight(&app, path, method).await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert!(answer.header("access-control-allow-methods").split(", ").any(|one| one == method), "{path}");
        let headers = "authorization, content-type, idempotency-key, if-match";
        assert_eq!(answer.header("access-control-allow-headers"), headers, "{path}");
        assert_eq!(answer.header("access-control-max-age"), "7200", "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "", "{path}");
    }
}

#[db_test]
async fn pages_of_other_sites_can_read_each_answer_of_the_api_errors_too(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let bearer = format!("Bearer {}", ann.makes_token("page").await);
    for (method, path, status) in [
        ("GET", "/api/v1/me", 200),
        ("GET", "/api/v1/nothing", 404),
        ("POST", "/api/v1/leaks", 400),
        ("PUT", "/api/v1/me", 405),
        ("OPTIONS", "/api/v1/me", 405),
        ("POST", "/oauth2/revoke", 400),
    ] {
        let answer = app.send(method, path, &[ELSEWHERE, ("authorization", &*bearer)], "").await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{method} {path}");
        let exposed = "etag, idempotent-replayed, location, retry-after, www-authenticate, x-ratelimit-limit, \
            x-ratelimit-remaining, x-ratelimit-reset, x-request-id";
        assert_eq!(answer.header("access-control-expose-headers"), exposed);
    }
    let refused = app.send("GET", "/api/v1/me", &[ELSEWHERE], "").await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, "*"));
}

#[db_test]
async fn pages_of_other_sites_may_use_nothing_but_the_api(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for path in [
        "/sign-in",
        "/account/tokens",
        "/verify",
        "/verify/apis/0123456789",
        "/healthz",
        "/oauth2/introspect",
        "/oauth2/introspect/batch",
        "/access/v1/evaluation",
        "/",
    ] {
        let answer = preflight(&app, path, "GET").await;
        assert_ne!(answer.status, 204, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
        assert_eq!(
            ann.request("GET", path, &[ELSEWHERE], String::new()).await.header("access-control-allow-origin"),
            "",
            "{path}"
        );
    }
}

#[db_test]
async fn no_request_that_starts_after_the_answer_to_a_revocation_is_accepted(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for round in 0..8 {
        let label = format!("round {round}");
        let key = ann.makes_token(&label).await;
        let id = ann.token_id(&label).await;
        let (answered, accepted) = (std::cell::Cell::new(false), std::cell::Cell::new(0));
        let callers = futures_util::future::join_all((0..8).map(|_| async {
            loop {
                let started_after = answered.get();
                let status = app.with_key("GET", "/verify", &key).await.status;
                match (status, started_after) {
                    (200, false) => accepted.set(accepted.get() + 1),
                    (401, _) => return,
                    // A busy machine may not answer in time: then nothing is said.
                    (503, _) => {}
                    (other, after) => panic!("{other}, started after the answer: {after}"),
                }
            }
        }));
        let revocation = async {
            while accepted.get() < 20 {
                actix_web::rt::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            let answer = ann.post(&format!("/account/tokens/{id}/revocation"), &[]).await;
            answered.set(true);
            assert_eq!(answer.status, 303);
        };
        futures_util::future::join(callers, revocation).await;
    }
}

#[db_test]
async fn a_change_by_another_process_is_seen_by_the_next_request(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    assert_eq!(app.me(&key).await.status, 200);
    // As a command beside the server does: its own connection, the same verbs of storage.
    app.change_authority(|connection| {
        diesel::RunQueryDsl::execute(diesel::sql_query("UPDATE memberships SET is_active = FALSE"), connection)?;
        Ok(())
    });
    let refused = app.me(&key).await;
    assert_eq!(refused.status, 401);
    assert!(refused.json()["detail"].as_str().unwrap().contains("deactivated"));
    assert_eq!(app.with_key("DELETE", "/api/v1/me/token", &key).await.status, 401);
}

#[db_test]
async fn the_permissions_of_a_token_follow_its_user(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token_with("everything", "read_write").await;
    let count = |answer: crate::harness::Answer| answer.json()["permissions"].as_array().unwrap().len();
    assert_eq!(count(app.me(&key).await), 21);
    app.change_authority(|connection| {
        let reader = "UPDATE memberships SET permission_set_id = \
            (SELECT id FROM permission_sets WHERE built_in = 'reader')";
        diesel::RunQueryDsl::execute(diesel::sql_query(reader), connection)?;
        Ok(())
    });
    assert_eq!(count(app.me(&key).await), 3);
}

#[db_test]
async fn write_access_to_the_database_is_not_enough_to_plant_a_token(db: TestDb) {
    use sha2::{Digest, Sha256};
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_token("Power BI").await;
    let planted = another_key();
    let digest = hex::encode(Sha256::digest(&planted));
    let set = if app.db.address() == &storage::DatabaseUrl::Sqlite(app.folder().join("jeton.db")) {
        format!("UPDATE api_tokens SET digest = X'{digest}'")
    } else {
        format!("UPDATE api_tokens SET digest = '\\x{digest}'")
    };
    app.change_authority(|connection| {
        diesel::RunQueryDsl::execute(diesel::sql_query(&set), connection)?;
        Ok(())
    });
    assert_eq!(app.me(&planted).await.status, 401);
}

#[db_test]
async fn a_token_in_use_does_not_expire_although_uses_are_written_late(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.asks_for_token("busy", "read", "31").await.key().unwrap();
    app.clock.stop();
    // Never flushed by housekeeping: what is written, is written because the token came close to its expiry.
    for _ in 0..10 {
        app.clock.advance(31 * DAY - 300);
        assert_eq!(app.me(&key).await.status, 200);
        app.clock.advance(299);
        assert_eq!(app.me(&key).await.status, 200);
    }
    app.clock.advance(31 * DAY);
    assert_eq!(app.me(&key).await.status, 401);
}

#[db_test]
async fn a_use_and_the_end_of_the_period_cannot_both_win(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for _ in 0..4 {
        let key = ann.asks_for_token("edge", "read", "31").await.key().unwrap();
        app.clock.advance(31 * DAY - 1);
        let uses = futures_util::future::join_all((0..6).map(|_| app.me(&key)));
        let end = async {
            app.clock.advance(1);
            app::maintenance::run(&app.jeton).await;
        };
        let (uses, ()) = futures_util::future::join(uses, end).await;
        let later = app.me(&key).await.status;
        assert!(uses.iter().all(|answer| matches!(answer.status, 200 | 401)));
        let was_used = uses.iter().any(|answer| answer.status == 200);
        assert_eq!(later, if was_used { 200 } else { 401 });
        app.with_key("DELETE", "/api/v1/me/token", &key).await;
        ann.signs_in().await;
    }
}

#[db_test]
async fn the_stored_last_use_never_moves_back(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_token("Power BI").await;
    let id = ann.token_id("Power BI").await;
    let now = app.clock.now();
    let source = domain::activity::Source::default();
    let token = |c: &mut storage::AnyConnection| Ok::<_, StorageError>(tokens::find(c, MembershipId(1), &id)?.unwrap());
    let row = app.db.read(token).unwrap().key.token;
    for at in [now.plus(50), now.plus(20), now.plus(49)] {
        app.db.write(|c| tokens::note_use(c, row, at, &source)).unwrap();
    }
    assert_eq!(app.db.read(token).unwrap().key.life.last_used_at, Some(now.plus(50)));
    assert!(app.db.read(epoch::read).unwrap() >= 1);
}

#[db_test]
async fn an_answer_from_memory_is_the_same_as_any_other(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    for label in ["Power BI", "a \"quoted\" \\ name, <b>été</b>"] {
        let key = ann.makes_token_with(label, "read_write").await;
        let about = |path: &'static str| app.with_key("GET", path, &key);
        let same = |answer: &Answer| {
            let mut headers: Vec<(String, String)> = answer
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
                .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
                .collect();
            headers.sort_unstable();
            let mut body = answer.json();
            body["token"]["expires_at"].take();
            (answer.status, headers, body)
        };
        // An address with a query is left to the application.
        let (first, by_application) = (about("/api/v1/me").await, about("/api/v1/me?").await);
        assert_eq!(same(&about("/api/v1/me?x=1").await), same(&by_application));
        for _ in 0..3 {
            let from_memory = about("/api/v1/me").await;
            assert_eq!(same(&from_memory), same(&by_application));
            assert_eq!(same(&from_memory), same(&first));
            assert_ne!(from_memory.header("x-request-id"), first.header("x-request-id"));
        }
    }
}
