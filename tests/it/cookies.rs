//! Cookies: Jeton's, those of others, and those of another Jeton on the same host.

use crate::harness::{Person, TestApp, TestDb, db_test};
use std::io::{Read, Write};

/// Returns the status of a page that needs a signed-in user, with these bytes as the `Cookie` header.
fn status_with(app: &TestApp, cookie: &[u8]) -> u16 {
    let mut stream = std::net::TcpStream::connect(app.url.trim_start_matches("http://")).unwrap();
    let head = format!("GET /account/profile HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", &app.url[7..]);
    stream.write_all(&[head.as_bytes(), b"Cookie: ", cookie, b"\r\n\r\n"].concat()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap_or_default().parse().unwrap()
}

fn session_of(person: &Person) -> String {
    let (name, value) = person.cookie("jeton").expect("somebody signed in");
    format!("{name}={value}")
}

async fn is_signed_in(person: &Person) -> bool {
    person.get("/account/profile").await.status == 200
}

#[db_test]
async fn cookies_of_other_programs_sign_nobody_out(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ours = session_of(&ann);
    let (name, _) = ann.cookie("jeton").unwrap();
    let large = format!("large={}", "x".repeat(110_000));
    let many = (0..300).map(|number| format!("c{number}={number}")).collect::<Vec<_>>().join("; ");
    let same_name = format!("{name}=0; {name}=; {name}");
    let others: [&[u8]; 14] = [
        b"plain=1",
        b"nothing",
        b"=value",
        b"=",
        b";;",
        b"a b=c",
        b"[]={}",
        b"x=%zz; y=%",
        b"x=\xff\xfe\xe9",
        b"\xe9t\xe9=1",
        "été=é".as_bytes(),
        b"x=\"a; b=\\\"c\"",
        b"jeton=1; jeton_=2; jeton_00000000=3; __Host-jeton=4",
        large.as_bytes(),
    ];
    for other in others.into_iter().chain([many.as_bytes(), same_name.as_bytes()]) {
        for cookie in [[other, b"; ", ours.as_bytes()].concat(), [ours.as_bytes(), b"; ", other].concat()] {
            assert_eq!(status_with(&app, &cookie), 200, "{}", String::from_utf8_lossy(&cookie[..cookie.len().min(80)]));
        }
    }
    // A session that has ended, left under the same name by whoever set it for another path or domain.
    let elsewhere = app.browser("Ann");
    elsewhere.signs_in().await;
    let ended = session_of(&elsewhere);
    elsewhere.post("/sign-out", &[]).await;
    assert_eq!(status_with(&app, ended.as_bytes()), 303);
    assert_eq!(status_with(&app, format!("{ended}; {ours}").as_bytes()), 200);
    assert_eq!(status_with(&app, format!("{ours}; {ended}").as_bytes()), 200);
}

#[db_test]
async fn two_installations_on_one_host_have_separate_sessions(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let (neighbour, ben) = TestApp::with_user(TestDb::sqlite(), "Ben").await;
    // One browser, which sends the cookies of both to both.
    let (at_first, at_second) = (ann.copy(), ben.copy());
    at_second.follows(&ann);
    at_second.signs_in().await;
    at_first.follows(&at_second);
    assert!(is_signed_in(&at_first).await && is_signed_in(&at_second).await);
    assert_eq!(at_first.signs_in().await.status, 303);
    at_second.follows(&at_first);
    assert!(is_signed_in(&at_first).await && is_signed_in(&at_second).await);
    at_second.get("/sign-in?lang=fr").await;
    assert_eq!(at_second.post("/sign-out", &[]).await.status, 303);
    at_first.follows(&at_second);
    assert!(is_signed_in(&at_first).await && !is_signed_in(&at_second).await);
    assert_eq!(neighbour.browser("Ben").signs_in().await.status, 303);
}

#[db_test]
async fn a_browser_stays_known_despite_marks_of_other_users(db: TestDb) {
    let (app, _) = TestApp::with_user(db, "Ann").await;
    let ann = app.browser("Ann");
    ann.signs_in().await;
    ann.post("/sign-out", &[]).await;
    let (name, mark) = ann.cookie("jeton_device").expect("a mark");
    let eve = app.browser("Eve");
    for _ in 0..12 {
        eve.post("/sign-in", &[("email", &ann.email), ("password", "not the password at all")]).await;
    }
    assert_eq!(app.browser("Ann").signs_in().await.status, 429);
    ann.takes_cookie(&name, &format!("0; {name}={}; {name}={mark}", "0".repeat(96)));
    assert_eq!(ann.signs_in().await.status, 303);
}
