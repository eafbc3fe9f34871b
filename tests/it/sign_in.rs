//! Signing in and out.

use crate::harness::{PASSWORD, Person, TestApp, TestDb, db_test};
use futures_util::{StreamExt, stream};
use std::io::{Read, Write};

/// Sends this form 400 times from these addresses, as fast as possible. Returns how often it passed the limit.
async fn storm(app: &TestApp, path: &str, addresses: impl Fn(usize) -> String) -> usize {
    let knock = async |number: usize| {
        let headers = [
            ("x-forwarded-for", &*addresses(number)),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        app.send("POST", path, &headers, &format!("email={number}%40b&password=x")).await.status
    };
    // Not more than the connections of one client where few files may be open.
    let statuses: Vec<u16> = stream::iter(0..400).map(knock).buffer_unordered(60).collect().await;
    statuses.iter().filter(|status| **status != 429).count()
}

/// Lets ten unknown people sign in from elsewhere, with a wrong password.
async fn strangers_are_let_through(app: &TestApp) {
    for number in 0..10 {
        let stranger = app.browser(&format!("Stranger{number}"));
        assert_eq!(stranger.signs_in().await.status, 422);
    }
}

/// The attempts that three storms get through are fewer than the total limit, however fast they are; so each form has a
/// server of its own.
async fn a_storm_keeps_nobody_out(db: TestDb, path: &str) {
    let (app, ann, _smtp) = TestApp::with_proxies_and_mail(db, "Ann").await;
    app.clock.advance(11 * 60);
    let through = storm(&app, path, |_| "192.0.2.1".into()).await;
    assert!((1..=60).contains(&through), "{through}");
    // A household, and somebody who has many networks of households.
    storm(&app, path, |number| format!("2001:db8:1:2::{number:x}")).await;
    storm(&app, path, |number| format!("2001:db8:9:{number:x}::1")).await;
    strangers_are_let_through(&app).await;
    let asked = app.browser("Somebody").post("/sign-in/forgotten", &[("email", "c@c")]).await;
    assert_eq!(asked.status, 303);
    assert_eq!(proves(&ann).await, 200);
}

/// Performs an action that requires the password, and enters it.
async fn proves(person: &Person) -> u16 {
    let nonce = person.get("/account/tokens/new").await.field("nonce").expect("a form");
    let fields = [("label", "x"), ("scope", "read"), ("inactivity", "45"), ("nonce", &*nonce), ("password", PASSWORD)];
    person.post("/account/tokens", &fields).await.status
}

#[db_test]
async fn signing_in_leads_to_the_requested_page(db: TestDb) {
    let (app, _) = TestApp::with_user(db, "Ann").await;
    let ann = app.browser("Ann");
    let sent_away = ann.get("/account/tokens/new?x=1").await;
    assert_eq!(sent_away.status, 303);
    let form = ann.get(sent_away.header("location")).await;
    assert_eq!(form.field("next").as_deref(), Some("/account/tokens/new?x=1"));
    let fields = [("email", " ANN@example.org "), ("password", PASSWORD), ("next", "/account/tokens/new?x=1")];
    let signed_in = ann.post("/sign-in", &fields).await;
    assert_eq!((signed_in.status, signed_in.header("location")), (303, "/account/tokens/new?x=1"));
    assert_eq!(ann.get("/account/tokens/new?x=1").await.status, 200);
}

#[db_test]
async fn signing_in_never_leads_to_another_site(db: TestDb) {
    let (app, _) = TestApp::with_user(db, "Ann").await;
    for next in ["https://evil.example", "//evil.example", "/\\evil.example", "/\tx", "javascript:alert(1)"] {
        let ann = app.browser("Ann");
        let signed_in = ann.post("/sign-in", &[("email", &ann.email), ("password", PASSWORD), ("next", next)]).await;
        assert_eq!((signed_in.status, signed_in.header("location")), (303, "/"), "{next}");
    }
}

#[db_test]
async fn an_unknown_address_and_a_wrong_password_get_the_same_answer(db: TestDb) {
    let (app, _) = TestApp::with_user(db, "Ann").await;
    let answer = |email: &'static str| {
        let nobody = app.browser("Nobody");
        async move { nobody.post("/sign-in", &[("email", email), ("password", "not the password at all")]).await }
    };
    let (known, unknown) = (answer("ann@example.org").await, answer("eve@example.org").await);
    assert_eq!((known.status, unknown.status), (422, 422));
    assert_eq!(known.body.replace("ann@", "eve@"), unknown.body);
    assert_eq!((known.header("set-cookie"), unknown.header("set-cookie")), ("", ""));
    assert_eq!(known.field("email").as_deref(), Some("ann@example.org"));
    assert!(!known.body.contains("not the password"));
}

#[db_test]
async fn signing_in_gives_a_new_cookie_and_ends_the_previous_session(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let before = ann.copy();
    assert_eq!(ann.signs_in().await.status, 303);
    assert_ne!(before.cookie("jeton"), ann.cookie("jeton"));
    assert_eq!(before.get("/account/tokens").await.status, 303, "the old cookie is worth nothing");
    assert_eq!(ann.get("/account/tokens").await.status, 200);
}

#[db_test]
async fn signing_out_ends_the_session_for_every_copy_of_the_cookie(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let copy = ann.copy();
    let out = ann.post("/sign-out", &[]).await;
    assert_eq!(out.status, 303);
    assert!(out.header("clear-site-data").contains("cache"));
    assert_eq!(ann.cookie("jeton"), None);
    assert_eq!(copy.get("/account/tokens").await.status, 303);
    let sent = copy.post("/account/theme", &[("theme", "dark")]).await;
    assert_eq!(sent.header("location"), "/sign-in?notice=sign-in-again");
}

#[db_test]
async fn only_a_demonstration_offers_users_to_sign_in_as(db: TestDb) {
    let app = TestApp::demonstration(db).await;
    let somebody = app.browser("Somebody");
    let page = somebody.get("/sign-in?next=%2Faccount%2Fsessions").await;
    page.shows("Awa Diallo Administrator").shows("Ibrahim Traoré Standard").shows("Léa Martin Reader");
    for form in page.body.split("<form ").skip(1).take(3) {
        let field = |name: &str| {
            let (_, value) = form.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
            value.split('"').next().unwrap()
        };
        let next = field("next").replace("&#47;", "/");
        let fields = [("email", field("email")), ("password", field("password")), ("next", &next)];
        let signed_in = app.browser("Somebody").post("/sign-in", &fields).await;
        assert_eq!((signed_in.status, signed_in.header("location")), (303, "/account/sessions"), "{form}");
    }
}

#[db_test]
async fn attempts_to_guess_a_password_are_limited(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let eve = app.browser("Eve");
    assert!(!eve.get("/sign-in").await.body.contains("type=\"hidden\" name=\"password\""));
    let mut statuses = Vec::new();
    for n in 0..14 {
        // The same account however it is written.
        let email = if n % 2 == 0 { "ann@example.org" } else { " ANN@Example.ORG" };
        let answer = eve.post("/sign-in", &[("email", email), ("password", "not the password at all")]).await;
        if answer.status == 429 {
            assert_ne!(answer.header("retry-after"), "");
        }
        statuses.push(answer.status);
    }
    assert!(statuses.iter().filter(|status| **status == 422).count() <= 10, "{statuses:?}");
    assert_eq!(statuses.last(), Some(&429));
    // Ann has signed in from her browser before: she has a place of her own there.
    ann.post("/sign-out", &[]).await;
    let known = app.browser("Ann");
    assert_eq!(known.signs_in().await.status, 429, "a browser that nobody knows waits");
}

#[db_test]
async fn many_failed_sign_ins_lock_nobody_else_out(db: TestDb) {
    a_storm_keeps_nobody_out(db, "/sign-in").await;
}

#[db_test]
async fn many_requests_for_links_lock_nobody_else_out(db: TestDb) {
    a_storm_keeps_nobody_out(db, "/sign-in/forgotten").await;
}

#[db_test]
async fn failed_sign_ins_from_a_shared_address_do_not_lock_out_known_browsers(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let phone = app.browser("Ann");
    assert_eq!(phone.signs_in().await.status, 303);
    phone.post("/sign-out", &[]).await;
    app.clock.advance(11 * 60);
    assert!(storm(&app, "/sign-in", |_| "127.0.0.1".into()).await < 400);
    for _ in 0..4 {
        assert_eq!(phone.signs_in().await.status, 303, "she has signed in from there before");
        phone.post("/sign-out", &[]).await;
        assert_eq!(proves(&ann).await, 200, "she is signed in");
        app.clock.advance(11 * 60);
    }
}

#[db_test]
async fn the_owner_signs_in_from_a_known_browser_during_an_attack(db: TestDb) {
    let (app, _) = TestApp::with_user(db, "Ann").await;
    let ann = app.browser("Ann");
    ann.signs_in().await;
    assert!(ann.cookie("jeton_device").is_some());
    ann.post("/sign-out", &[]).await;
    let eve = app.browser("Eve");
    for _ in 0..12 {
        eve.post("/sign-in", &[("email", &ann.email), ("password", "not the password at all")]).await;
    }
    assert_eq!(ann.signs_in().await.status, 303);
}

#[db_test]
async fn an_overlong_password_is_refused_without_hashing(db: TestDb) {
    let (app, _) = TestApp::with_user(db, "Ann").await;
    let ann = app.browser("Ann");
    assert_eq!(ann.signs_in_with(&"x".repeat(1025)).await.status, 422);
    assert_eq!(ann.signs_in_with(&"x".repeat(20_000)).await.status, 413);
}

#[db_test]
async fn the_session_cookie_is_hidden_from_scripts_and_other_sites(db: TestDb) {
    let (app, _) = TestApp::with_user(db, "Ann").await;
    let ann = app.browser("Ann");
    let answer = ann.post("/sign-in", &[("email", &ann.email), ("password", PASSWORD)]).await;
    let cookies: Vec<&str> = answer.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
    for cookie in &cookies {
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    }
    assert!(
        cookies.iter().any(|cookie| cookie.starts_with(&format!("jeton_{}=", app.jeton.fingerprint()))),
        "{cookies:?}"
    );
}

#[db_test]
async fn behind_tls_the_cookie_belongs_only_to_this_host(db: TestDb) {
    let app = TestApp::start_behind(db, Some("https://jeton.example.org")).await;
    let host = ("host", "jeton.example.org");
    let headers = [host, ("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded")];
    let body = format!(
        "code={}&name=Ann&email=ann@example.org&organization=Org&new_password={PASSWORD}",
        app::setup::code(&app.jeton)
    );
    let answer = app.send("POST", "/setup", &headers, &body).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.starts_with(&format!("__Host-jeton_{}=", app.jeton.fingerprint()))
            && cookie.contains("Secure")
            && cookie.contains("Path=/"),
        "{cookie}"
    );
    assert!(answer.header("strict-transport-security").contains("max-age"));
    assert_eq!(app.send("GET", "/sign-in", &[("host", "other.example.org")], "").await.status, 421);
}

#[db_test]
async fn an_address_with_a_host_is_for_that_host(db: TestDb) {
    let app = TestApp::start_behind(db, Some("http://jeton.example.org")).await;
    assert_eq!(app.asked_by_program("/healthz").await.status, 200);
    let ask = |target: &str, host: &str| {
        let mut stream = std::net::TcpStream::connect(app.url.trim_start_matches("http://")).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap_or_default().parse::<u16>().unwrap()
    };
    let (ours, evil) = ("jeton.example.org", "evil.example.org");
    for (target, host, status) in [
        ("/sign-in".to_owned(), ours, 200),
        (format!("http://{ours}/sign-in"), ours, 200),
        (format!("http://{ours}:80/sign-in"), ours, 200),
        (format!("http://{evil}/sign-in"), ours, 421),
        (format!("https://{evil}/sign-in"), ours, 421),
        (format!("http://{ours}@{evil}/sign-in"), ours, 421),
        (format!("http://{ours}.{evil}/sign-in"), ours, 421),
        (format!("http://{ours}/sign-in"), evil, 421),
        (format!("http://{evil}/static/none.css"), ours, 404),
    ] {
        assert_eq!(ask(&target, host), status, "{target} {host}");
    }
}
