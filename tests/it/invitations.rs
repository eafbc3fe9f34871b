//! Invitations: a link that works once, for one address, for seven days.

use crate::harness::{DAY, PASSWORD, TestApp, TestDb, USERS, activity, contains, db_test, everything_stored, org};
use domain::permission::BuiltInSet::{Reader, Standard};
use futures_util::future::join_all;

#[db_test]
async fn a_new_user_joins_by_a_link_that_works_once(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let made = ann.asks_to_invite("leo@example.org", "Standard").await;
    assert_eq!(
        (made.status, made.header("cache-control"), made.header("referrer-policy")),
        (200, "no-store", "strict-origin")
    );
    let link = made.link("/invitations/").unwrap();
    let code = link.rsplit('/').next().unwrap();
    assert!(!contains(&everything_stored(&app), code.as_bytes()), "the code is not kept");
    assert!(!ann.get(USERS).await.body.contains(code));
    ann.get(USERS).await.shows("leo@example.org").shows("Invited by Ann");

    let leo = app.browser("Leo");
    for _ in 0..2 {
        let page = leo.get(&link).await;
        assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
        page.shows("Join Croix-Bleue Sahel").shows("leo@example.org").shows("Standard");
    }
    let joined = leo.joins(&link).await;
    assert_eq!(joined.status, 303, "{}", joined.text());
    let key = {
        leo.get("/account/profile").await;
        leo.makes_token("Power BI").await
    };
    assert_eq!(app.me(&key).await.json()["permissions"].as_array().unwrap().len(), 3);
    assert_eq!(leo.get(USERS).await.status, 403);
    for again in [leo.get(&link).await, app.browser("Eve").get(&link).await, app.browser("Eve").joins(&link).await] {
        assert_eq!(again.status, 410);
        again.shows("This invitation does not work");
    }
    let log = activity(&app.db);
    assert!(log.iter().any(|entry| entry.action == "user.invited" && entry.actor_name == "Ann"));
    assert!(log.iter().any(|entry| entry.action == "user.joined" && entry.actor_name == "Leo"));
}

#[db_test]
async fn a_wrong_form_is_shown_again_with_its_problems(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let link = ann.invites("leo@example.org", "Reader").await;
    let leo = app.browser("Leo");
    for (name, password) in
        [("", PASSWORD), ("Leo", "short"), ("Leo", "leo@example.org"), ("Leo", ""), ("a\u{0}b", PASSWORD)]
    {
        let refused = leo.post(&link, &[("name", name), ("new_password", password)]).await;
        assert_eq!(refused.status, 422, "{name:?} {password:?}");
        assert!(refused.body.contains("aria-invalid"));
    }
    for email in ["", "nobody", "a b@example.org", "x@y\r\nBcc: z@example.org"] {
        assert_eq!(ann.asks_to_invite(email, "Reader").await.status, 422, "{email:?}");
    }
    ann.asks_to_invite("ANN@example.org", "Reader").await.shows("already belongs to the organization");
    let name = "<script>alert(1)</script>=1+1 🏳️‍🌈";
    let joined = leo.post(&link, &[("name", name), ("new_password", PASSWORD)]).await;
    assert_eq!(joined.status, 303);
    let list = ann.get(USERS).await;
    list.shows(name);
    assert!(!list.body.contains("<script>alert"));
}

#[db_test]
async fn a_link_ends_by_time_by_withdrawal_and_by_a_new_link(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.clock.stop();
    let link = ann.invites("leo@example.org", "Reader").await;
    app.clock.advance(7 * DAY - 1);
    assert_eq!(app.browser("Leo").get(&link).await.status, 200);
    app.clock.advance(1);
    assert_eq!(app.browser("Leo").get(&link).await.status, 410);
    assert_eq!(app.browser("Leo").joins(&link).await.status, 410);

    ann.signs_in().await;
    ann.get(USERS).await.shows("Link expired");
    let first = ann.invites("leo@example.org", "Reader").await;
    let second = ann.invites("Leo@Example.org", "Reader").await;
    assert_eq!(app.browser("Leo").joins(&first).await.status, 410, "replaced");
    let list = ann.get(USERS).await.body;
    let withdrawal = list.split('"').find(|part| part.ends_with("/withdrawal")).unwrap().to_owned();
    assert_eq!(list.matches("/withdrawal").count(), 1);
    assert_eq!(ann.get(&withdrawal).await.status, 200);
    assert_eq!(ann.post(&withdrawal, &[]).await.status, 303);
    assert_eq!(app.browser("Leo").joins(&second).await.status, 410, "withdrawn");
    assert_eq!(ann.post(&withdrawal, &[]).await.status, 404, "twice");
    for made_up in
        ["/invitations/x", "/invitations/%00", "/invitations/..%2f", &format!("/invitations/{}", "a".repeat(3000))]
    {
        assert_eq!(app.browser("Leo").get(made_up).await.status, 410, "{made_up}");
    }
}

#[db_test]
async fn of_many_who_use_a_link_concurrently_one_joins(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let link = ann.invites("leo@example.org", "Reader").await;
    let people: Vec<_> = (0..6).map(|number| app.browser(&format!("Leo{number}"))).collect();
    let answers = join_all(people.iter().map(|person| person.joins(&link))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 303).count(), 1);
    assert!(answers.iter().all(|answer| matches!(answer.status, 303 | 410 | 422)));

    let ben = app.add_organization("elsewhere", "Ben").await;
    let link = ann.invites("ben@example.org", "Reader").await;
    let tabs: Vec<_> = (0..4).map(|_| ben.copy()).collect();
    let acceptance = format!("{link}/acceptance");
    let answers = join_all(tabs.iter().map(|tab| tab.post(&acceptance, &[]))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 303).count(), 1);
}

#[db_test]
async fn a_link_gives_no_access_to_an_existing_account(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_organization("elsewhere", "Ben").await;
    let eve = app.add_user("Eve", Standard).await;
    let link = ann.invites("ben@example.org", "Reader").await;
    let visitor = app.browser("Visitor");
    let page = visitor.get(&link).await;
    page.shows("There is already an account with ben@example.org");
    assert!(page.field("new_password").is_none() && !page.body.contains("name=\"new_password\""));
    let taken = visitor.post(&link, &[("name", "Ben"), ("new_password", "an attacker's long sentence")]).await;
    assert_eq!(taken.status, 422);
    assert_eq!(taken.header("set-cookie"), "");
    assert_eq!(ben.signs_in().await.status, 303, "the password is what it was");
    // Somebody else who is signed in does not get it either, and it still works for Ben.
    assert_eq!(eve.post(&format!("{link}/acceptance"), &[]).await.status, 410);
    let dora = app.add_organization("far-away", "Dora").await;
    dora.get(&link).await.shows("This invitation is for somebody else");
    assert_eq!(dora.post(&format!("{link}/acceptance"), &[]).await.status, 410);
    assert_eq!(dora.get(USERS).await.status, 404);

    ben.get(&link).await;
    let joined = ben.post(&format!("{link}/acceptance"), &[]).await;
    assert_eq!(joined.header("location"), org!(""));
    ben.get("/account/tokens").await.shows("Croix-Bleue Sahel");
    assert_eq!(ben.get("/orgs/elsewhere/users").await.status, 200, "what Ben has elsewhere stays");
}

#[db_test]
async fn an_invitation_does_not_reveal_whether_an_account_exists(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    app.add_organization("elsewhere", "Ben").await;
    let known = ann.asks_to_invite("ben@example.org", "Reader").await.text().replace("ben@", "x@");
    let unknown = ann.asks_to_invite("leo@example.org", "Reader").await.text().replace("leo@", "x@");
    let without_code = |text: String| {
        text.split("/invitations/")
            .map(|part| part.split_once(' ').map_or("", |(_, rest)| rest).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(without_code(known), without_code(unknown));
}

#[db_test]
async fn a_user_who_was_deactivated_or_removed_cannot_return_by_an_older_link(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Reader).await;
    ann.does("Ben", "deactivation").await;
    ann.asks_to_invite("ben@example.org", "Reader").await.shows("Reactivate them instead");
    ann.does("Ben", "reactivation").await;
    // Ben takes the address of an invitation and is deactivated.
    let link = ann.invites("ben2@example.org", "Administrator").await;
    ben.signs_in().await;
    ben.post(
        "/account/profile",
        &[("name", "Ben"), ("email", "ben2@example.org"), ("time_zone", "UTC"), ("theme", "system")],
    )
    .await;
    assert_eq!(ben.post(&format!("{link}/acceptance"), &[]).await.status, 410, "a member has nothing to accept");
    ann.does("Ben", "deactivation").await;
    let again = ben.post("/sign-in", &[("email", "ben2@example.org"), ("password", PASSWORD)]).await;
    assert_eq!(again.status, 422, "the invitation was withdrawn, so there is nothing to sign in for");
    assert_eq!(ben.get(&link).await.status, 410);
}

#[db_test]
async fn invitations_created_by_a_removed_user_are_withdrawn(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", domain::permission::BuiltInSet::Administrator).await;
    let link = ben.invites("ben-too@example.org", "Administrator").await;
    ann.get(&format!("{}/removal", ann.page_of("Ben").await)).await.shows("The invitation that they created");
    assert_eq!(ann.does("Ben", "removal").await.status, 303);
    assert_eq!(app.browser("Ben-Too").joins(&link).await.status, 410);
}

#[db_test]
async fn with_a_mail_server_the_link_is_mailed_and_the_page_says_so(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    ann.post(
        "/account/profile",
        &[
            ("name", "Ann\u{a0}Bcc: x@example.org"),
            ("email", "ann@example.org"),
            ("time_zone", "UTC"),
            ("theme", "system"),
        ],
    )
    .await;
    let made = ann.asks_to_invite("leo@example.org", "Reader").await;
    made.shows("Jeton has mailed it to this address");
    let mail = smtp.mails(1).await.remove(0);
    assert_eq!(mail.to, ["leo@example.org"]);
    assert_eq!(mail.header("Bcc"), None);
    let link = made.link("/invitations/").unwrap();
    assert!(mail.text().contains(&format!("{}{link}", app.url)), "{}", mail.text());
    assert_eq!(app.browser("Leo").joins(&link).await.status, 303);
    drop(smtp);
    let made = ann.asks_to_invite("zoe@example.org", "Reader").await;
    assert_eq!(made.status, 200);
    made.shows("The mail server has not accepted the mail");
    assert!(made.link("/invitations/").is_some());
}
