//! A forgotten password, and mail.

use crate::harness::{Person, Smtp, TestApp, TestDb, activity, contains, db_test, everything_stored};
use app::mail::{Fate, Mail};
use domain::{password_link::MadeBy, permission::BuiltInSet, time::Timestamp, user::Email, user::UserId};
use futures_util::future::join_all;
use sha2::{Digest, Sha256};
use std::time::Duration;
use storage::{StorageError, password_links};

/// Longer than an attempt takes.
const LONG: Duration = Duration::from_secs(30);
const NEW: &str = "another long enough sentence";

/// Requests a link, and returns the path in the mail that arrives, the `count`th in total.
async fn asks(person: &Person, smtp: &Smtp, count: usize) -> String {
    let answer = person.post("/sign-in/forgotten", &[("email", &person.email)]).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    smtp.mails(count).await[count - 1].link()
}

async fn chooses(person: &Person, link: &str, password: &str) -> u16 {
    person.post(link, &[("new_password", password)]).await.status
}

/// Creates a link of the first user whose code is known beforehand; when it is created again, it is the same.
fn stored_link(app: &TestApp, code: &str) -> String {
    let (hash, now) = (Sha256::digest(code.as_bytes()), app.clock.now());
    app.db
        .write::<_, StorageError>(|connection| {
            if password_links::find(connection, &hash, now)?.is_none() {
                password_links::insert(connection, &hash, UserId(1), MadeBy::Operator, now)?;
            }
            Ok(())
        })
        .expect("a link");
    format!("/password/{code}")
}

#[db_test]
async fn a_forgotten_password_is_replaced_through_a_link_by_mail(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    let someone = app.browser("Ann");
    someone.get("/sign-in").await.shows("Forgotten password?");
    let asked = someone.post("/sign-in/forgotten", &[("email", " ANN@example.org ")]).await;
    assert_eq!((asked.status, asked.header("location")), (303, "/sign-in/forgotten?notice=link-requested"));
    someone.get("/sign-in/forgotten?notice=link-requested").await.shows("mailbox");

    let mail = smtp.mails(1).await.remove(0);
    assert_eq!(mail.to, ["ann@example.org"]);
    assert_eq!(mail.header("Subject"), Some("Choose a new password for Jeton"));
    assert_eq!(mail.header("From"), Some("Jeton <jeton@example.org>"));
    assert_eq!(mail.header("Auto-Submitted"), Some("auto-generated"));
    assert!(mail.text().contains("Hello Ann,") && mail.text().contains("60 minutes"), "{}", mail.text());

    let link = mail.link();
    // A program that looks through mail opens it, and so does Ann, twice.
    for _ in 0..3 {
        let form = someone.get(&link).await;
        assert_eq!((form.status, form.header("cache-control")), (200, "no-store"));
        assert_eq!(form.header("referrer-policy"), "strict-origin");
        form.shows("ann@example.org");
    }
    assert_eq!(ann.get("/account/profile").await.status, 200);
    let set = someone.post(&link, &[("new_password", NEW)]).await;
    assert_eq!((set.status, set.header("location")), (303, "/sign-in?notice=password-set"));
    someone.get("/sign-in?notice=password-set").await.shows("Your new password is set.");

    assert_eq!(ann.get("/account/profile").await.status, 303, "her sessions have ended");
    assert_eq!(ann.signs_in().await.status, 422, "the old password is worth nothing");
    assert_eq!(ann.signs_in_with(NEW).await.status, 303);
    assert_eq!(ben.get("/account/profile").await.status, 200, "nobody else is touched");
    let log = activity(&app.db);
    let reset: Vec<_> = log.iter().filter(|entry| entry.action == "password.reset").collect();
    assert_eq!((reset.len(), reset[0].actor_name.as_str()), (1, "Ann"));
    assert!(reset[0].organization_id.is_some());
    let made: Vec<_> = log.iter().filter(|entry| entry.action == "password.link_made").collect();
    assert_eq!((made.len(), made[0].actor_name.as_str()), (1, ""), "anybody may have asked");
}

#[db_test]
async fn a_link_works_once_and_ends_the_others_of_its_user(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    let (first, second) = (asks(&ann, &smtp, 1).await, asks(&ann, &smtp, 2).await);
    let of_ben = asks(&ben, &smtp, 3).await;
    let someone = app.browser("Someone");
    let unknown = someone.get("/password/0000000000").await;
    assert_eq!(unknown.status, 410);
    unknown.shows("This link no longer works");
    assert_eq!(chooses(&someone, &second, NEW).await, 303);
    for link in [&first, &second] {
        let again = someone.post(link, &[("new_password", "yet another long sentence")]).await;
        let seen = someone.get(link).await;
        assert_eq!((again.status, seen.status), (410, 410));
        assert_eq!((&again.body, &seen.body), (&unknown.body, &unknown.body), "one page, whatever the reason");
    }
    assert_eq!(ann.signs_in_with(NEW).await.status, 303);
    assert_eq!(someone.get(&of_ben).await.status, 200, "Ben's still works");
}

#[db_test]
async fn of_several_concurrent_uses_one_wins(db: TestDb) {
    let (app, ann, _smtp) = TestApp::with_mail(db, "Ann").await;
    for round in 0..4 {
        // The same link four times, or four links of the same user.
        let links: Vec<_> = (0..4).map(|n| stored_link(&app, &format!("{round}{}", n * (round % 2)))).collect();
        let people: Vec<_> = (0..4).map(|_| app.browser("Someone")).collect();
        let passwords: Vec<_> = (0..4).map(|n| format!("{NEW} {round} {n}")).collect();
        let uses = (0..4).map(|n| chooses(&people[n], &links[n], &passwords[n]));
        let statuses = join_all(uses).await;
        let won: Vec<usize> = (0..4).filter(|n| statuses[*n] == 303).collect();
        assert_eq!(won.len(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 410).count(), 3, "{statuses:?}");
        assert_eq!(ann.signs_in_with(&passwords[won[0]]).await.status, 303);
        assert_eq!(ann.signs_in_with(&passwords[(won[0] + 1) % 4]).await.status, 422);
    }
    assert_eq!(activity(&app.db).iter().filter(|entry| entry.action == "password.reset").count(), 4);
}

#[db_test]
async fn a_link_expires_after_an_hour_to_the_second(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    let link = asks(&ann, &smtp, 1).await;
    let someone = app.browser("Someone");
    app.clock.advance(3_600 - 60);
    assert_eq!(someone.get(&link).await.status, 200);
    app.clock.advance(60);
    assert_eq!(someone.get(&link).await.status, 410);
    assert_eq!(chooses(&someone, &link, NEW).await, 410);
    assert_eq!(someone.signs_in_with(NEW).await.status, 422);

    let at = Timestamp::from_seconds;
    let lives = |now: i64| {
        app.db.read::<_, StorageError>(|connection| password_links::find(connection, b"a hash", at(now))).unwrap()
    };
    app.db
        .write::<_, StorageError>(|connection| {
            password_links::insert(connection, b"a hash", UserId(1), MadeBy::Operator, at(1_000))
        })
        .unwrap();
    assert_eq!([lives(4_599), lives(4_600)], [Some(UserId(1)), None]);
    app::maintenance::run(&app.jeton).await;
    assert_eq!(lives(4_599), None, "it is swept away");
}

#[db_test]
async fn a_new_password_or_address_ends_links(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    let someone = app.browser("Someone");
    let link = asks(&ann, &smtp, 1).await;
    ann.get("/account/security").await;
    let fields = [("password", crate::harness::PASSWORD), ("new_password", NEW)];
    assert_eq!(ann.post("/account/security", &fields).await.status, 303);
    assert_eq!(someone.get(&link).await.status, 410);

    let link = asks(&ann, &smtp, 2).await;
    ann.get("/account/profile").await;
    let mut fields = vec![
        ("name", "Ann"),
        ("email", "ann@example.org"),
        ("language", ""),
        ("time_zone", "UTC"),
        ("theme", "system"),
    ];
    assert_eq!(ann.post("/account/profile", &fields).await.status, 303);
    assert_eq!(someone.get(&link).await.status, 200, "the address is the same");
    fields[1] = ("email", "ann@elsewhere.example.org");
    assert_eq!(ann.post("/account/profile", &fields).await.status, 303);
    assert_eq!(someone.get(&link).await.status, 200, "the new address is not proved");
    let mails = smtp.mails(4).await;
    let proof = mails.iter().find(|mail| mail.to == ["ann@elsewhere.example.org"]).unwrap().link_to("/email/");
    assert_eq!(someone.post(&proof, &[]).await.status, 303);
    assert_eq!(someone.get(&link).await.status, 410);
}

#[db_test]
async fn known_and_unknown_addresses_get_the_same_answer(db: TestDb) {
    let (app, _, smtp) = TestApp::with_mail(db, "Ann").await;
    let someone = app.browser("Someone");
    let unknown = someone.post("/sign-in/forgotten", &[("email", "eve@example.org")]).await;
    let known = someone.post("/sign-in/forgotten", &[("email", "ann@example.org")]).await;
    let names = |answer: &crate::harness::Answer| {
        let all = answer.headers.iter().filter(|(name, _)| !matches!(name.as_str(), "x-request-id" | "date"));
        all.map(|(name, value)| format!("{name}: {value:?}")).collect::<Vec<_>>()
    };
    assert_eq!((known.status, &known.body), (303, &unknown.body));
    assert_eq!(names(&known), names(&unknown));
    assert_eq!(smtp.mails(1).await.len(), 1, "the one to Ann");
}

#[db_test]
async fn nobody_can_fill_a_mailbox(db: TestDb) {
    let (app, _, smtp) = TestApp::with_mail(db, "Ann").await;
    for address in [["ann@example.org", " ANN@Example.ORG"], ["eve@example.org", "Eve@example.org"]] {
        let someone = app.browser("Someone");
        let mut statuses = Vec::new();
        for n in 0..5 {
            let answer = someone.post("/sign-in/forgotten", &[("email", address[n % 2])]).await;
            assert_eq!(answer.status == 429, !answer.header("retry-after").is_empty());
            statuses.push(answer.status);
        }
        assert_eq!(statuses, [303, 303, 303, 429, 429], "{address:?}");
    }
    assert_eq!(smtp.mails(3).await.len(), 3);
    let ann = app.browser("Ann");
    assert_eq!(ann.signs_in().await.status, 303, "signing in has its own bucket");
}

#[db_test]
async fn a_refused_password_leaves_the_link_valid(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    let link = asks(&ann, &smtp, 1).await;
    let someone = app.browser("Someone");
    for wrong in ["", "short", "ann@example.org", "aaaaaaaaaaaaaaaaaaaa"] {
        let answer = someone.post(&link, &[("new_password", wrong)]).await;
        assert_eq!(answer.status, 422, "{wrong}");
        assert!(answer.body.contains("new_password-error"));
        assert!(wrong.len() < 6 || wrong.contains('@') || !answer.body.contains(wrong));
    }
    assert_eq!(ann.get("/account/profile").await.status, 200);
    assert_eq!(chooses(&someone, &link, NEW).await, 303);
}

#[db_test]
async fn the_code_of_a_link_is_only_in_the_mail(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    let link = asks(&ann, &smtp, 1).await;
    let code = link.strip_prefix("/password/").unwrap();
    assert!(code.len() >= 26 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{code}");
    assert!(!contains(&everything_stored(&app), code.as_bytes()));
}

#[db_test]
async fn mail_speaks_the_language_of_its_reader(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    ann.get("/account/profile").await;
    let fields =
        [("name", "Ann"), ("email", "ann@example.org"), ("language", "fr"), ("time_zone", "UTC"), ("theme", "system")];
    assert_eq!(ann.post("/account/profile", &fields).await.status, 303);
    let someone = app.browser("Ann");
    asks(&someone, &smtp, 1).await;
    let mail = smtp.mails(1).await.remove(0);
    assert!(mail.header("Subject").unwrap().starts_with("Choisissez un nouveau mot de passe"));
    assert!(mail.text().contains("Un nouveau mot de passe a été demandé"), "{}", mail.text());
    assert!(mail.raw.is_ascii(), "any server takes it");
}

#[db_test]
async fn a_link_begins_with_the_configured_address(db: TestDb) {
    let (app, _, smtp) = TestApp::with_mail(db, "Ann").await;
    let port = app.url.rsplit(':').next().unwrap();
    let headers = [
        ("host", &*format!("localhost:{port}")),
        ("x-forwarded-host", "evil.example"),
        ("sec-fetch-site", "same-origin"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    assert_eq!(app.send("POST", "/sign-in/forgotten", &headers, "email=ann%40example.org").await.status, 303);
    let text = smtp.mails(1).await[0].text();
    assert!(text.contains(&format!("{}/password/", app.url)), "{text}");
    assert!(!text.contains("localhost") && !text.contains("evil"), "{text}");
}

#[db_test]
async fn what_was_typed_never_becomes_a_mail_header(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    for injected in [
        "ann@example.org\r\nBcc: eve@example.org",
        "ann@example.org\nX: y",
        "ann@example.org%0d%0aX:y",
        "ann@example.org,eve@example.org",
        "<ann@example.org>",
    ] {
        let answer = ann.post("/sign-in/forgotten", &[("email", injected)]).await;
        assert!(matches!(answer.status, 422 | 303), "{injected:?}");
        assert!(answer.status == 303 || answer.body.contains("email-error"), "{injected:?}");
    }
    let mail = Mail {
        to: Email::parse("ann@example.org").unwrap(),
        subject: "Invitation to Org\r\nBcc: eve@example.org\r\n\r\nBody".into(),
        text: "One\r\n.\r\nQUIT\n..two\n".into(),
    };
    assert_eq!(app::mail::send(&app.jeton, mail, "a request").await.unwrap().fate(LONG).await, Fate::Sent);
    let mails = smtp.mails(1).await;
    assert_eq!((mails.len(), mails[0].to.as_slice()), (1, &["ann@example.org".to_owned()][..]));
    assert_eq!(mails[0].header("Bcc"), None);
    assert_eq!(mails[0].header("Subject"), Some("Invitation to Org  Bcc: eve@example.org    Body"));
    assert!(mails[0].text().contains("\r\n..\r\nQUIT"), "a dot is a dot: {}", mails[0].raw);
}

#[db_test]
async fn without_a_mail_server_pages_still_answer(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    drop(smtp);
    let someone = app.browser("Someone");
    let answer = someone.post("/sign-in/forgotten", &[("email", &ann.email)]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/sign-in/forgotten?notice=link-requested"));
    let to = Email::parse(&ann.email).unwrap();
    let mail = Mail { to, subject: "Hello".into(), text: "Hello".into() };
    assert_eq!(app::mail::send(&app.jeton, mail, "a request").await.unwrap().fate(LONG).await, Fate::Waiting);
}

#[db_test]
async fn mail_is_never_sent_unencrypted_if_tls_is_required(db: TestDb) {
    let smtp = Smtp::start();
    let app = TestApp::start_mailing_through(db, &format!("{}?tls=required", smtp.url())).await;
    let to = Email::parse("ann@example.org").unwrap();
    let mail = Mail { to, subject: "Hello".into(), text: "Hello".into() };
    let sending = app::mail::send(&app.jeton, mail, "a request").await.unwrap();
    assert_ne!(sending.fate(LONG).await, Fate::Sent, "this server knows no TLS");
    assert_eq!(smtp.mails(0).await.len(), 0);
}

#[db_test]
async fn without_smtp_the_page_says_whom_to_ask(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let someone = app.browser("Someone");
    let page = someone.get("/sign-in/forgotten").await;
    assert_eq!(page.status, 200);
    page.shows("Ask an administrator of your organization");
    assert!(!page.body.contains("<form"));
    assert_eq!(someone.post("/sign-in/forgotten", &[("email", &ann.email)]).await.status, 404);
    someone.get("/password/0000000000").await.shows("Ask an administrator");
}
