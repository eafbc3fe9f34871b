//! The installation administrators, and an account whose memberships have all ended.

use crate::harness::{PASSWORD, Person, TestApp, TestDb, USERS, activity, change, db_test, org};
use domain::permission::BuiltInSet::{Administrator, Standard};
use futures_util::future::join_all;

const ADMINS: &str = "/installation/administrators";

async fn makes_organization(person: &Person, name: &str) -> u16 {
    person.post("/organizations/new", &[("organization", name)]).await.status
}

async fn adds(person: &Person, email: &str) -> u16 {
    person.post(ADMINS, &[("email", email)]).await.status
}

/// Returns the address for removing the role from somebody, from the list.
async fn removal_of(person: &Person, name: &str) -> String {
    let list = person.get(ADMINS).await.body;
    let (_, rest) = list.split_once(&format!("<h3>{name}")).unwrap_or_else(|| panic!("{name} is on the list"));
    rest.split('"').find(|part| part.ends_with("/removal")).expect("a link").to_owned()
}

/// Ends the access of Ann to both her organizations. In the second, which has nobody else, the operator does it.
async fn ends_access_of_ann(app: &TestApp, ben: &Person) {
    change(app, "UPDATE memberships SET is_active = FALSE WHERE organization_id = 2");
    assert_eq!(ben.does("Ann", "removal").await.status, 303);
}

#[db_test]
async fn sessions_and_tokens_of_an_administrator_who_is_active_nowhere_end(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Administrator).await;
    assert_eq!(makes_organization(&ann, "Second").await, 303);
    let (key, session) = (ann.makes_token("script").await, ann.copy());
    ends_access_of_ann(&app, &ben).await;
    for path in ["/account/profile", "/organizations/new", ADMINS, "/orgs/second"] {
        assert!(session.get(path).await.header("location").starts_with("/sign-in"), "{path}");
    }
    assert_eq!(makes_organization(&session, "Third").await, 403, "it asks to sign in");
    assert_eq!(app.me(&key).await.status, 401);
    let created = activity(&app.db).iter().filter(|entry| entry.action == "organization.created").count();
    assert_eq!(created, 1);
}

#[db_test]
async fn an_administrator_who_is_active_nowhere_cannot_sign_in(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    let ben = app.add_user("Ben", Administrator).await;
    assert_eq!(app.browser("Ann").post("/sign-in/forgotten", &[("email", "ann@example.org")]).await.status, 303);
    let link = smtp.mails(1).await.remove(0).link();
    assert_eq!(makes_organization(&ann, "Second").await, 303);
    ends_access_of_ann(&app, &ben).await;

    let refused = app.browser("Ann").signs_in().await;
    assert_eq!((refused.status, refused.header("set-cookie")), (422, ""));
    refused.shows("not active in any organization");
    app.browser("Ann").signs_in_with("not the password at all").await.shows("do not match");
    let someone = app.browser("Someone");
    assert_eq!(someone.get(&link).await.status, 410);
    assert_eq!(someone.post(&link, &[("new_password", "another long enough sentence")]).await.status, 410);
    assert_eq!(someone.post("/sign-in/forgotten", &[("email", "ann@example.org")]).await.status, 303);
    assert_eq!(someone.post("/sign-in/forgotten", &[("email", "ben@example.org")]).await.status, 303);
    let mails = smtp.mails(2).await;
    assert_eq!((mails.len(), &*mails[1].to[0]), (2, "ben@example.org"), "there is no link for Ann");
}

#[db_test]
async fn an_administrator_who_returns_by_an_invitation_has_lost_the_role(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Administrator).await;
    assert_eq!(makes_organization(&ann, "Second").await, 303);
    ends_access_of_ann(&app, &ben).await;
    let invitation = ben.invites("ann@example.org", "Reader").await;
    let ann = app.browser("Ann");
    assert_eq!(ann.signs_in().await.status, 303);
    assert_eq!(ann.get("/organizations/new").await.status, 404, "she is active nowhere yet");
    assert_eq!(ann.get(ADMINS).await.status, 404);
    assert_eq!(ann.post(&format!("{invitation}/acceptance"), &[]).await.status, 303);
    assert_eq!(ann.get(USERS).await.status, 403);
}

#[db_test]
async fn the_last_installation_administrator_stays(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Standard).await;
    assert_eq!((makes_organization(&ben, "Ben's").await, adds(&ben, "ben@example.org").await), (404, 404));
    let last = ann.post(&removal_of(&ann, "Ann").await, &[]).await;
    assert_eq!(last.status, 422);
    last.shows("The installation needs at least one administrator");
}

#[db_test]
async fn adding_an_installation_administrator_needs_the_password(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Standard).await;
    app.clock.advance(11 * 60);
    let form = |password: &'static str| [("email", " BEN@example.org "), ("password", password)];
    assert_eq!(adds(&ann, "ben@example.org").await, 422, "it needs the password");
    assert_eq!(ann.post(ADMINS, &form("not the password at all")).await.status, 422);
    assert_eq!(ann.post(ADMINS, &form(PASSWORD)).await.status, 303);
    assert_eq!(adds(&ann, "ben@example.org").await, 303, "twice is once");
    ann.get(ADMINS).await.shows("ben@example.org");
    ben.get("/account/profile").await.shows("Installation");
    assert_eq!(makes_organization(&ben, "Ben's").await, 422, "he is asked for his password first");
    ben.signs_in().await;
    assert_eq!(makes_organization(&ben, "Ben's").await, 303);
}

#[db_test]
async fn only_active_users_become_installation_administrators(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.post(ADMINS, &[("email", "eve@example.org")]).await.shows("No user has this e-mail address");
    app.add_user("Leo", Standard).await;
    ann.does("Leo", "deactivation").await;
    ann.post(ADMINS, &[("email", "leo@example.org")]).await.shows("not active in any organization");
    for odd in ["", "x", "a@b\0"] {
        assert_eq!(adds(&ann, odd).await, 422, "{odd:?}");
    }
    for odd in ["0", "x", "99999", "9223372036854775808"] {
        assert_eq!(ann.post(&format!("{ADMINS}/{odd}/removal"), &[]).await.status, 404, "{odd}");
    }
}

#[db_test]
async fn an_installation_administrator_steps_down_and_cannot_undo_it(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Standard).await;
    assert_eq!(adds(&ann, "ben@example.org").await, 303);
    let removal = removal_of(&ann, "Ann").await;
    ann.get(&removal).await.shows("This is you");
    assert_eq!(ann.post(&removal, &[]).await.header("location"), "/account/profile");
    assert_eq!((ann.get(ADMINS).await.status, makes_organization(&ann, "Third").await), (404, 404));
    assert_eq!(adds(&ann, "ann@example.org").await, 404);
    assert_eq!(ann.get(USERS).await.status, 200, "in her organization nothing has changed");
    assert_eq!(ben.post(&removal_of(&ben, "Ben").await, &[]).await.status, 422);
    let log = activity(&app.db);
    for action in ["account.promoted", "account.demoted"] {
        let logged = log.iter().filter(|entry| entry.action == action && entry.organization_id == Some(1));
        assert_eq!(logged.count(), 1, "{action}");
    }
    let page = ann.get(org!("/activity?kind=accounts")).await;
    page.shows("Ann made Ben an administrator of the installation");
}

#[db_test]
async fn an_administrator_without_effect_is_no_successor(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Administrator).await;
    assert_eq!(adds(&ann, "ben@example.org").await, 303);
    assert_eq!(ben.does("Ann", "deactivation").await.status, 303);
    ben.get(ADMINS).await.shows("Active in no organization").shows("Without effect");
    assert_eq!(ben.post(&removal_of(&ben, "Ben").await, &[]).await.status, 422, "Ann's counts for nothing");
    assert_eq!(ben.post(&removal_of(&ben, "Ann").await, &[]).await.status, 303);
    assert!(!ben.get(ADMINS).await.body.contains("ann@example.org"));
}

#[db_test]
async fn of_two_who_remove_each_other_one_stays(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", Standard).await;
    for round in 0..6 {
        change(&app, "UPDATE users SET is_installation_admin = TRUE");
        let (to_ben, to_ann) = (removal_of(&ann, "Ben").await, removal_of(&ben, "Ann").await);
        // Each takes it from the other, or each from themself.
        let (of_ann, of_ben) = if round % 2 == 0 { (&to_ben, &to_ann) } else { (&to_ann, &to_ben) };
        let answers = join_all([ann.post(of_ann, &[]), ben.post(of_ben, &[])]).await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
        let left = [&ann, &ben].map(|person| person.get(ADMINS));
        let left = join_all(left).await.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(left, 1);
    }
}
