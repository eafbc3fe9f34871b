//! Random requests, and random walks against a model. The numbers come from a seed that is printed on failure.

use crate::harness::{DAY, TestApp, TestDb, db_test, random::Random};
use domain::permission::BuiltInSet;
use futures_util::{StreamExt, stream};

trait Texts {
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str;
    fn text(&mut self) -> String;
}

impl Texts for Random {
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.next(from.len())]
    }

    fn text(&mut self) -> String {
        const PIECES: [&str; 16] = [
            "a",
            "%00",
            "%ff",
            "%",
            "&",
            "=",
            "/",
            "..",
            "é",
            "\u{202e}",
            "<b>",
            "'",
            "\"",
            "{{",
            "jtn_p_",
            "0000000000",
        ];
        (0..self.next(12)).map(|_| self.pick(&PIECES)).collect()
    }
}

const PATHS: [&str; 19] = [
    "/",
    "/setup",
    "/sign-in",
    "/sign-in/forgotten",
    "/password/{}",
    "/account/profile",
    "/account/theme",
    "/account/security",
    "/account/sessions",
    "/account/tokens",
    "/account/tokens/new",
    "/account/tokens/revocation",
    "/account/tokens/{}",
    "/account/tokens/{}/revocation",
    "/account/sessions/{}/end",
    "/static/{}",
    "/api/v1/me",
    "/api/v1/leaks",
    "/verify",
];
const FIELDS: [&str; 18] = [
    "csrf",
    "kept",
    "working_in",
    "name",
    "email",
    "password",
    "new_password",
    "language",
    "time_zone",
    "theme",
    "label",
    "scope",
    "inactivity",
    "nonce",
    "which",
    "next",
    "code",
    "organization",
];

#[db_test]
async fn no_request_makes_jeton_fail(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let csrf = ann.get("/account/tokens/new").await.field("csrf").unwrap();
    let mut random = Random::new();
    for _ in 0..400 {
        let path =
            random.pick(&PATHS).replace("{}", &random.text().replace(['"', '<', '{', '\u{202e}', 'é', '\''], "x"));
        let query = if random.next(3) == 0 {
            format!("?{}={}", random.pick(&FIELDS), random.next(1000))
        } else {
            String::new()
        };
        let method = random.pick(&["GET", "POST", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"]);
        let mut body = if random.next(4) > 0 { format!("csrf={csrf}") } else { String::new() };
        for _ in 0..random.next(8) {
            body += &format!("&{}={}", random.pick(&FIELDS), random.text());
        }
        let agent = random.text().replace(|c: char| !c.is_ascii_graphic(), "");
        let key = format!("Bearer {agent}");
        let mut headers = vec![("sec-fetch-site", "same-origin"), ("user-agent", agent.as_str())];
        headers.push(("content-type", random.pick(&["application/x-www-form-urlencoded", "text/plain", "x"])));
        if random.next(2) == 0 {
            headers.push(("authorization", &key));
        }
        if random.next(3) == 0 {
            headers.push(("hx-request", "true"));
        }
        let answer = ann.request(method, &format!("{path}{query}"), &headers, body.clone()).await;
        assert!(answer.status < 500, "{method} {path}{query} {body}: {} {}", answer.status, answer.body);
        if path == "/account/sessions/end-others" || ann.get("/account/profile").await.status != 200 {
            ann.signs_in().await;
        }
    }
    assert_eq!(app.send("GET", "/sign-in", &[], "").await.status, 200);
}

#[db_test]
async fn tokens_behave_like_their_model(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let mut random = Random::new();
    // The key of each token, its period, the moment from which that counts, and whether it was revoked.
    let mut model: Vec<(String, i64, i64, bool)> = Vec::new();
    for step in 0..150 {
        let now = app.clock.now().seconds();
        let lives = |token: &(String, i64, i64, bool)| !token.3 && now < token.2 + token.1 * DAY;
        match random.next(10) {
            0..=3 => {
                let days = [31, 45, 60, 180][random.next(4)];
                let answer = ann.asks_for_token(&format!("step {step}"), "read", &days.to_string()).await;
                let is_full = model.iter().filter(|token| lives(token)).count() == 10;
                assert_eq!(answer.status, if is_full { 422 } else { 200 }, "step {step}");
                model.extend(answer.key().map(|key| (key, days, now, false)));
            }
            4..=6 if !model.is_empty() => {
                let chosen = random.next(model.len());
                let expected = lives(&model[chosen]);
                let answer = app.me(&model[chosen].0).await;
                assert_eq!(answer.status == 200, expected, "step {step}: {}", answer.body);
                if expected {
                    model[chosen].2 = app.clock.now().seconds();
                }
            }
            7 if !model.is_empty() => {
                let chosen = random.next(model.len());
                let expected = if lives(&model[chosen]) { 204 } else { 401 };
                let answer = app.with_key("DELETE", "/api/v1/me/token", &model[chosen].0).await;
                assert_eq!(answer.status, expected, "step {step}");
                model[chosen].3 |= expected == 204;
            }
            8 => app::maintenance::run(&app.jeton).await,
            _ => {
                app.clock.advance(random.next(20) as i64 * DAY);
                ann.signs_in().await;
            }
        }
    }
}

#[db_test]
async fn no_answer_is_about_another_token(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    let mut keys = Vec::new();
    for n in 0..5 {
        keys.push((
            "Ann",
            format!("ann {n}"),
            "read write",
            ann.makes_token_with(&format!("ann {n}"), "read_write").await,
        ));
        keys.push(("Ben", format!("ben {n}"), "read", ben.makes_token(&format!("ben {n}")).await));
    }
    let app = &app;
    let askers = keys.iter().cycle().take(300).map(|(name, label, scope, key)| async move {
        let me = app.me(key).await.json();
        assert_eq!(
            (me["subject"]["name"].as_str(), me["token"]["label"].as_str()),
            (Some(*name), Some(label.as_str()))
        );
        assert_eq!(me["scope"], *scope);
        let headers = [("authorization", &*format!("Bearer {key}")), ("x-original-method", "POST")];
        let write = app.send("GET", "/verify", &headers, "").await;
        assert_eq!(write.status, if *name == "Ann" { 200 } else { 403 });
    });
    stream::iter(askers).buffer_unordered(60).collect::<Vec<()>>().await;
}
