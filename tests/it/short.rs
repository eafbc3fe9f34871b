//! Addresses as people type them or cut them short lead to the intended page, and nowhere else.

use crate::{
    harness::{Answer, Person, SLUG, TestApp, TestDb, db_test, org},
    routes::{reading, things},
};
use std::{
    io::{Read, Write},
    net::TcpStream,
};
use web::routes::short::ADDRESSES;

/// Returns the answer to a request with this target, byte for byte: status and `Location`.
fn raw(app: &TestApp, target: &str) -> (u16, String) {
    let host = app.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).expect("a connection");
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let location = answer.lines().find_map(|line| line.strip_prefix("location: ")).unwrap_or_default();
    (status, location.to_owned())
}

/// Returns where a person arrives who opens this address, and what they see there.
async fn ends(person: &Person, address: &str) -> (String, Answer) {
    let mut at = address.to_owned();
    for _ in 0..5 {
        let answer = person.get(&at).await;
        if answer.status != 303 {
            return (at, answer);
        }
        at = answer.header("location").to_owned();
        assert!(at.starts_with('/') && !at.starts_with("//"), "{address} leads to {at}");
    }
    panic!("{address} leads round in circles");
}

#[db_test]
async fn a_short_address_leads_to_its_page(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let visitor = app.browser("Visitor");
    for (address, page) in ADDRESSES {
        let fill = |path: &str| {
            path.replace("{slug}", SLUG)
                .replace("{id}", "0123456789")
                .replace("{member}", "1")
                .replace("{kind}", "assets")
        };
        let (address, page) = (fill(address), fill(page));
        let answer = ann.get(&address).await;
        assert_eq!((answer.status, answer.header("location")), (303, &*page), "{address}");
        let mark = if page.contains('?') { '&' } else { '?' };
        let head = app.send("HEAD", &address, &[], "").await;
        assert_eq!((head.status, head.header("location")), (303, &*page), "{address}");
        assert_eq!(ann.get(&format!("{address}?x=a%2Fb&y")).await.header("location"), format!("{page}{mark}x=a%2Fb&y"));
        assert_eq!(ends(&ann, &address).await.1.status, 200, "{address}");
        if !address.starts_with("/.well-known/") {
            assert_eq!(ends(&ann, &format!("/{address}//")).await.1.status, 200, "{address}");
        }
        let (at, answer) = ends(&visitor, &address).await;
        assert!(at.starts_with("/sign-in") && answer.status == 200, "{address}: a visitor is at {at}");
        let posted = ann.post(&address, &[]).await;
        let is_search = address.ends_with("/search") && posted.header("location") == page;
        assert!(matches!(posted.status, 404 | 405) || is_search, "{address}: {}", posted.status);
    }
    assert_eq!(ends(&ann, "/orgs").await.0, org!("/items/templates"));
    // Whether there is such an organization is only said to those who belong to it.
    let stranger = app.add_organization("elsewhere", "Stranger").await;
    for slug in [SLUG, "nowhere"] {
        assert_eq!(ends(&stranger, &format!("/orgs/{slug}/members/")).await.1.status, 404, "{slug}");
    }
}

#[db_test]
async fn a_truncated_address_leads_to_a_page_above_it(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_token("script").await;
    let things = things(&app, &ann).await;
    let mut wrong = Vec::new();
    for path in reading() {
        let path = things.iter().fold(path.to_owned(), |path, (name, id)| path.replace(name, id));
        let path = path.replace("{part}", "items");
        for (end, _) in path.match_indices('/').skip(1).chain([(path.len(), "")]) {
            for left in [path[..end].to_owned(), format!("{}/", &path[..end]), path[..end].replace('/', "//")] {
                let (at, answer) = ends(&ann, &left).await;
                // Receipts are of tokens that were revoked, and these were not.
                if answer.status != 200 && !left.contains("receipt") {
                    wrong.push(format!("{left}: {} at {at}", answer.status));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[db_test]
async fn extra_slashes_and_capitals_in_fixed_words_are_ignored(db: TestDb) {
    let (app, _) = TestApp::with_user(db, "Ann").await;
    for (typed, page) in [
        ("/account/tokens/", "/account/tokens"),
        ("/account//tokens///?sort=used", "/account/tokens?sort=used"),
        ("//sign-in?next=%2Faccount%2Ftokens", "/sign-in?next=%2Faccount%2Ftokens"),
        (org!("/users//?q=ann"), org!("/users?q=ann")),
        ("/orgs/caf%C3%A9/users/", "/orgs/caf%C3%A9/users"),
        ("/orgs/caf%C3%A9/members?q=%C3%A9", "/orgs/caf%C3%A9/users?q=%C3%A9"),
        ("/Sign-In", "/sign-in"),
        ("/ACCOUNT/Tokens/New/", "/account/tokens/new"),
        ("//", "/"),
    ] {
        assert_eq!(raw(&app, typed), (303, page.to_owned()), "{typed}");
    }
}

#[db_test]
async fn no_address_leads_to_another_host_and_unknown_ones_stay_404(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("script").await;
    for target in [
        "//evil.example/",
        "///evil.example/sign-in/",
        "//evil.example/..//sign-in/",
        "//evil.example/%2e%2e/account/tokens/",
        "/\\evil.example/",
        "/\\/evil.example//",
        "/%2f/evil.example/",
        "/%5cevil.example/",
        "/https:/evil.example/",
        "/nowhere/",
        "/account/nothing/",
        org!("/nothing/"),
        "/SIGN-IN/x",
        "/.well-known/change-password/x",
        "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200",
        "/static/none.css/",
        // What programs ask for is exactly there.
        "/api/v1/me/",
        "/api//v1/me",
        "//api/v1/me",
        "/API/v1/me",
        "/api/v1/leaks/",
        "/oauth2/introspect/",
        "//oauth2/revoke",
        "/.well-known/jwks.json/",
        "//.well-known/change-password",
        "/healthz/",
        "/Readyz",
        "/metrics/",
        "//verify",
        "/Verify",
        "//verify/token/x",
    ] {
        assert_eq!(raw(&app, target), (404, String::new()), "{target}");
    }
    for closed in ["/verify/", "/verify//apis/x", "/verify/APIS/x", "/verify/token"] {
        let answer = app.with_key("GET", closed, &key).await;
        assert_eq!((answer.status, answer.header("location")), (403, ""), "{closed}");
    }
    assert_eq!(raw(&app, "http://evil.example//sign-in/"), (421, String::new()));
    let before = crate::harness::activity(&app.db).len();
    for sent in ["/account/tokens/", "//account/tokens", "/Account/Tokens", "/oauth2/revoke/", "/sign-out/"] {
        let answer = ann.post(sent, &[("label", "x"), ("token", &key)]).await;
        assert_eq!((answer.status, answer.header("location")), (404, ""), "{sent}");
    }
    assert_eq!((app.me(&key).await.status, crate::harness::activity(&app.db).len()), (200, before));
}

#[db_test]
async fn a_password_manager_finds_the_page_to_change_the_password(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (at, page) = ends(&ann, "/.well-known/change-password").await;
    assert_eq!(at, "/account/security");
    assert!(
        page.body.contains("autocomplete=\"current-password\"") && page.body.contains("autocomplete=\"new-password\"")
    );
    let visitor = app.browser("Ann");
    assert_eq!(ends(&visitor, "/.well-known/change-password").await.0, "/sign-in?next=%2Faccount%2Fsecurity");
}

#[db_test]
async fn the_address_to_sign_out_asks_first(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (at, page) = ends(&ann, "/logout").await;
    assert_eq!(at, "/sign-out");
    page.shows("Sign out of Jeton?").shows("ann@example.org");
    assert_eq!(ann.get("/account/tokens").await.status, 200, "nothing has ended");
    assert_eq!(ann.post("/sign-out", &[]).await.header("location"), "/sign-in?notice=signed-out");
    assert_eq!(ann.get("/account/tokens").await.status, 303);
    assert_eq!(ends(&app.browser("Visitor"), "/logout").await.0, "/sign-in");
}
