//! Permission sets on their pages.

use crate::harness::{Answer, ORG, PASSWORD, Person, SLUG, TestApp, TestDb, db_test, org};
use diesel::{RunQueryDsl, sql_query};
use domain::permission::BuiltInSet;
use futures_util::future::join_all;
use storage::StorageError;

const SETS: &str = org!("/permission-sets");
/// The built-in sets of the first organization.
const ADMINISTRATOR: &str = org!("/permission-sets/1");
const ALL: [&str; 21] = [
    "platform.users",
    "platform.groups",
    "platform.sites",
    "platform.permission_sets",
    "platform.kinds",
    "platform.integrations",
    "platform.activity",
    "platform.billing",
    "platform.verify_tokens",
    "templates.view",
    "templates.edit",
    "templates.delete",
    "templates.share",
    "inspections.view",
    "inspections.conduct",
    "inspections.delete",
    "inspections.share",
    "assets.view",
    "assets.edit",
    "assets.delete",
    "assets.share",
];

fn fields<'a>(name: &'a str, permissions: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![("name", name)];
    fields.extend(permissions.iter().map(|key| ("permission", *key)));
    fields
}

/// Creates a set and returns its address.
async fn makes_set(person: &Person, name: &str, permissions: &[&str]) -> String {
    let answer = person.post(SETS, &fields(name, permissions)).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").strip_suffix("?notice=created").expect("the new set's page").to_owned()
}

/// Saves a change of the set at `path`, based on its current version.
async fn changes(person: &Person, path: &str, name: &str, permissions: &[&str]) -> Answer {
    let version = version(person, path).await;
    let mut fields = fields(name, permissions);
    fields.push(("version", &version));
    saves(person, path, &fields).await
}

/// Sends the form and then, if there is one, confirms its preview.
async fn saves(person: &Person, path: &str, change: &[(&str, &str)]) -> Answer {
    let preview = person.post(&format!("{path}/edit"), change).await;
    let Some(affected) = preview.field("affected") else { return preview };
    confirms(person, path, change, &affected).await
}

/// Saves a change whose preview showed these values.
async fn confirms(person: &Person, path: &str, change: &[(&str, &str)], affected: &str) -> Answer {
    person.post(path, &[change, &[("affected", affected)]].concat()).await
}

async fn version(person: &Person, path: &str) -> String {
    person.get(&format!("{path}/edit")).await.field("version").expect("a form")
}

/// Gives the set at `path` to a member, as their page does.
fn give(app: &TestApp, person: &Person, path: &str) {
    let (_, set) = path.rsplit_once('/').expect("a set");
    let update = format!(
        "UPDATE memberships SET permission_set_id = {set} WHERE user_id = (SELECT id FROM users WHERE email = '{}')",
        person.email
    );
    let given = app.change_authority(|connection| Ok(sql_query(&update).execute(connection)?));
    assert_eq!(given, 1);
}

#[db_test]
async fn a_set_is_created_shown_copied_renamed_and_deleted(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let set = makes_set(&ann, "Field coordinators", &["templates.view", "assets.view"]).await;
    ann.get(SETS).await.shows("Field coordinators").shows("2 permissions").shows("Nobody has it");
    ann.get(&set).await.shows("Templates 1 of 4").shows("Nobody has this permission set");
    let id = set.rsplit_once('/').unwrap().1;
    let copy = ann.get(&format!("{SETS}/new?copy={id}")).await;
    assert_eq!(copy.field("name").as_deref(), Some("Field coordinators (copy)"));
    assert_eq!(copy.body.matches(" checked").count(), 2);
    // Nobody has it, so nothing needs to be previewed.
    let version = version(&ann, &set).await;
    let mut renamed = fields("Coordination", &["templates.view"]);
    renamed.push(("version", &version));
    let answer = ann.post(&format!("{set}/edit"), &renamed).await;
    assert_eq!((answer.status, answer.header("location")), (303, &*format!("{set}?notice=saved")));
    ann.get(&set).await.shows("Coordination").shows("Assets 0 of 4");
    assert_eq!(ann.post(&format!("{set}/deletion"), &[]).await.status, 303);
    assert_eq!(ann.get(&set).await.status, 404);
    assert_eq!(ann.post(&format!("{set}/deletion"), &[]).await.status, 404);
}

#[db_test]
async fn a_change_is_previewed_and_takes_effect_immediately(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    let set = makes_set(&ann, "Writers", &["templates.view", "templates.edit"]).await;
    give(&app, &ben, &set);
    let key = ben.makes_token_with("Excel <b>", "read_write").await;
    ben.makes_token("Reports").await;
    assert_eq!(app.me(&key).await.json()["permissions"], serde_json::json!(["templates.view", "templates.edit"]));
    let version = version(&ann, &set).await;
    let mut change = fields("Writers", &["templates.view"]);
    change.push(("version", &version));
    let preview = ann.post(&format!("{set}/edit"), &change).await;
    assert_eq!(preview.status, 200);
    preview.shows("1 user").shows("Ben").shows("Excel <b>").shows("Loses Templates: Create and edit");
    assert!(!preview.text().contains("Reports"), "a token that only reads loses nothing");
    assert_eq!(app.me(&key).await.json()["permissions"].as_array().unwrap().len(), 2, "nothing is saved yet");
    let back = [&change[..], &[("step", "back")]].concat();
    let form = ann.post(&format!("{set}/edit"), &back).await;
    assert_eq!((form.status, form.body.matches(" checked").count()), (200, 1));
    assert_eq!(saves(&ann, &set, &change).await.status, 303);
    assert_eq!(app.me(&key).await.json()["permissions"], serde_json::json!(["templates.view"]));
    let log = crate::harness::activity(&app.db);
    assert_eq!(log.last().unwrap().action, "permission_set.changed");
}

#[db_test]
async fn effects_that_the_preview_did_not_show_are_shown_before_saving(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (ben, leo) = (app.add_user("Ben", BuiltInSet::Reader).await, app.add_user("Leo", BuiltInSet::Reader).await);
    let set = makes_set(&ann, "Writers", &["templates.view", "templates.edit"]).await;
    let version = version(&ann, &set).await;
    let mut change = fields("Writers", &["templates.view"]);
    change.push(("version", &version));
    let edit = format!("{set}/edit");

    // Nobody had it when the form was opened, and a page without a preview is no preview.
    give(&app, &ben, &set);
    let shown = ann.post(&set, &change).await;
    assert_eq!(shown.status, 422);
    shown.shows("the people or tokens affected have changed in the meantime").shows("1 user").shows("Ben");
    assert_eq!(confirms(&ann, &set, &change, "0").await.status, 422);

    // It is given to one more, who makes a token that loses something.
    let first = ann.post(&edit, &change).await.field("affected").unwrap();
    give(&app, &leo, &set);
    let shown = confirms(&ann, &set, &change, &first).await;
    assert_eq!(shown.status, 422);
    shown.shows("the people or tokens affected have changed in the meantime").shows("2 users").shows("Leo");
    let second = shown.field("affected").unwrap();
    let key = leo.makes_token_with("Excel", "read_write").await;
    let shown = confirms(&ann, &set, &change, &second).await;
    assert_eq!(shown.status, 422);
    shown.shows("Excel").shows("Loses Templates: Create and edit");
    assert_eq!(app.me(&key).await.json()["permissions"].as_array().unwrap().len(), 2, "nothing is saved yet");
    // A token that only reads loses nothing.
    leo.makes_token("Reports").await;
    let third = shown.field("affected").unwrap();
    assert_eq!(confirms(&ann, &set, &change, &third).await.status, 303);
    assert_eq!(app.me(&key).await.json()["permissions"].as_array().unwrap().len(), 1);
    // Another name is noticed by nobody, however many have it.
    assert_eq!(
        ann.post(&edit, &[("name", "Scribes"), ("permission", "templates.view"), ("version", "2")]).await.status,
        303
    );
}

#[db_test]
async fn the_count_links_to_the_users_of_a_set(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (ben, leo) = (app.add_user("Ben", BuiltInSet::Reader).await, app.add_user("Leo", BuiltInSet::Reader).await);
    let set =
        makes_set(&ann, "Guards", &["platform.permission_sets", "templates.view", "inspections.view", "assets.view"])
            .await;
    let people = format!("{ORG}/users?set={}", set.rsplit_once('/').unwrap().1);
    assert!(!ann.get(&set).await.body.contains(&people), "nobody has it");
    give(&app, &ben, &set);
    ann.invites("zoe@example.org", "Guards").await;
    ann.invites("max@example.org", "Reader").await;
    assert!(ann.get(&set).await.body.contains(&people));
    let list = ann.get(&people).await;
    list.shows("ben@example.org").shows("zoe@example.org");
    for other in [&ann.email, &leo.email, "max@example.org"] {
        assert!(!list.body.split("id=\"people\"").nth(1).unwrap().contains(other), "{other}");
    }
    assert!(!ann.get(&format!("{people}&state=deactivated")).await.text().contains("ben@example.org"));
    ann.get(&format!("{people}&state=deactivated")).await.shows("Nobody in this organization matches your choice");
    // One that there is not chooses nobody's.
    ann.get(org!("/users?set=99999")).await.shows("leo@example.org").shows("ben@example.org");
    // Who does not manage users is not led there.
    assert!(!ben.get(&set).await.body.contains(&people));
}

#[db_test]
async fn nobody_grants_permissions_that_they_do_not_hold(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    let helpers = makes_set(&ann, "Helpers", &["platform.permission_sets", "templates.view"]).await;
    give(&app, &ben, &helpers);
    let form = ben.get(&format!("{SETS}/new")).await;
    assert_eq!(form.body.matches(" disabled").count(), 19);
    let refused = ben.post(SETS, &fields("Mine", &["templates.view", "assets.view"])).await;
    assert_eq!(refused.status, 422);
    refused.shows("You do not hold: Assets: View.");
    makes_set(&ben, "Mine", &["templates.view"]).await;
    // What is in a set that he lacks may stay or go; nothing of the kind may come.
    let anns = makes_set(&ann, "Ann's", &["templates.delete", "templates.share"]).await;
    assert_eq!(
        changes(&ben, &anns, "Ann's", &["templates.delete", "templates.share", "templates.view"]).await.status,
        303
    );
    assert_eq!(changes(&ben, &anns, "Ann's", &["templates.delete"]).await.status, 303);
    assert_eq!(changes(&ben, &anns, "Ann's", &["templates.delete", "templates.share"]).await.status, 422);
    assert_eq!(changes(&ben, &helpers, "Helpers", &["platform.permission_sets", "platform.users"]).await.status, 422);
}

#[db_test]
async fn built_in_sets_cannot_be_changed_and_foreign_ones_are_not_found(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let set = makes_set(&ann, "Ours", &["assets.view"]).await;
    let stranger = app.add_organization("elsewhere", "Stranger").await;
    let foreign = set.replace(SLUG, "elsewhere");
    for (person, path) in [(&ann, ADMINISTRATOR), (&stranger, foreign.as_str())] {
        let change = [&fields("Changed", &["assets.view"])[..], &[("version", "1")]].concat();
        assert_eq!(person.get(&format!("{path}/edit")).await.status, 404, "{path}");
        assert_eq!(person.post(&format!("{path}/edit"), &change).await.status, 404, "{path}");
        assert_eq!(person.post(path, &change).await.status, 404, "{path}");
        assert_eq!(person.post(&format!("{path}/deletion"), &[]).await.status, 404, "{path}");
    }
    assert_eq!(stranger.get(&foreign).await.status, 404);
    for wrong in ["abc", "-1", "99999999999999999999", "0"] {
        assert_eq!(ann.get(&format!("{SETS}/{wrong}")).await.status, 404, "{wrong}");
    }
    ann.get(ADMINISTRATOR).await.shows("cannot be changed");
}

#[db_test]
async fn a_name_is_taken_whatever_its_case_and_shown_as_typed(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let longest = "é".repeat(100);
    for name in ["<img src=x onerror=alert(1)>", "=1+1\"'&", "Équipe terrain", longest.as_str()] {
        let set = makes_set(&ann, name, &["assets.view"]).await;
        ann.get(&set).await.shows(name);
        ann.get(SETS).await.shows(name);
        assert!(!ann.get(SETS).await.body.contains("<img"));
    }
    for taken in ["équipe TERRAIN", "administrator", "Lecteur", " STANDARD "] {
        let refused = ann.post(SETS, &fields(taken, &["assets.view"])).await;
        assert_eq!(refused.status, 422, "{taken}");
        refused.shows("This name is already taken");
    }
    for (name, permissions) in
        [(" ", vec!["assets.view"]), ("x", vec![]), ("x", vec!["no.such"]), ("a\u{202e}b", vec!["assets.view"])]
    {
        assert_eq!(ann.post(SETS, &fields(name, &permissions)).await.status, 422, "{name:?} {permissions:?}");
    }
    assert_eq!(ann.post(SETS, &fields(&"é".repeat(101), &["assets.view"])).await.status, 422);
    // Its own name in another case is no other set's.
    let set = makes_set(&ann, "Night shift", &["assets.view"]).await;
    assert_eq!(changes(&ann, &set, "NIGHT SHIFT", &["assets.view"]).await.status, 303);
    assert_eq!(changes(&ann, &set, "équipe terrain", &["assets.view"]).await.status, 422);
}

#[db_test]
async fn of_two_who_change_the_same_set_the_second_is_told(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let set = makes_set(&ann, "Shared", &["assets.view"]).await;
    let shown = version(&ann, &set).await;
    assert_eq!(changes(&ann, &set, "First", &["assets.view", "assets.edit"]).await.status, 303);
    let second = [&fields("Second", &["assets.view"])[..], &[("version", shown.as_str())]].concat();
    for path in [set.clone(), format!("{set}/edit")] {
        let told = ann.post(&path, &second).await;
        assert_eq!(told.status, 422);
        told.shows("Somebody else changed this").shows("First").shows("Assets: Create and edit");
        assert_eq!(told.field("name").as_deref(), Some("Second"), "what was typed is not lost");
    }
    ann.get(&set).await.shows("First");
    // Having seen it, they can save after all.
    assert_eq!(changes(&ann, &set, "Second", &["assets.view"]).await.status, 303);
}

#[db_test]
async fn a_set_is_deleted_only_when_nobody_has_it(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    let set = makes_set(&ann, "Guards", &["assets.view"]).await;
    give(&app, &ben, &set);
    let sql = |text: &'static str| {
        app.db.write::<_, StorageError>(|connection| Ok(sql_query(text).execute(connection)?)).expect("it runs");
    };
    let deletion = format!("{set}/deletion");
    assert_eq!(ann.post(&deletion, &[]).await.status, 422);
    ann.get(&deletion).await.shows("Ben");
    sql("UPDATE memberships SET is_active = FALSE WHERE id = (SELECT max(id) FROM memberships)");
    let refused = ann.post(&deletion, &[]).await;
    assert_eq!(refused.status, 422);
    refused.shows("Somebody still has this").shows("1 deactivated user");
    // Who was removed does not count, and comes back with the set of their invitation.
    sql("UPDATE memberships SET removed_at = 1 WHERE id = (SELECT max(id) FROM memberships)");
    assert_eq!(ann.post(&deletion, &[]).await.status, 303);
    ann.get(SETS).await.shows("No permission sets of your own yet");
}

#[db_test]
async fn a_set_that_somebody_is_invited_with_stays_until_the_invitation_has_expired(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let set = makes_set(&ann, "Guests", &["assets.view"]).await;
    ann.invites("leo@example.org", "Guests").await;
    ann.get(SETS).await.shows("Guests 1 permission 0 users 1 invitation");
    let deletion = format!("{set}/deletion");
    let refused = ann.post(&deletion, &[]).await;
    assert_eq!(refused.status, 422);
    refused.shows("1 invitation");
    app.clock.advance(7 * 86_400);
    ann.signs_in().await;
    assert_eq!(ann.post(&deletion, &[]).await.status, 303);
    assert_eq!(ann.get(&set).await.status, 404);
}

#[db_test]
async fn the_last_administrator_keeps_every_permission(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    let (first, second) = (makes_set(&ann, "Owners", &ALL).await, makes_set(&ann, "Chairs", &ALL).await);
    give(&app, &ann, &first);
    let refused = changes(&ann, &first, "Owners", &ALL[1..]).await;
    assert_eq!(refused.status, 422);
    refused.shows("At least one user must hold every permission");
    // Two who take each other's away at the same moment: one of them stays.
    give(&app, &ben, &second);
    for _ in 0..5 {
        let (a, b) = (version(&ann, &second).await, version(&ben, &first).await);
        let (a, b) = (
            [&fields("Chairs", &ALL[..18])[..], &[("version", &a)]].concat(),
            [&fields("Owners", &ALL[..18])[..], &[("version", &b)]].concat(),
        );
        let (to_ben, to_ann) =
            (ann.post(&format!("{second}/edit"), &a).await, ben.post(&format!("{first}/edit"), &b).await);
        let (to_ben, to_ann) = (to_ben.field("affected").unwrap(), to_ann.field("affected").unwrap());
        let (a, b) = ([&a[..], &[("affected", &to_ben)]].concat(), [&b[..], &[("affected", &to_ann)]].concat());
        let both = join_all([ann.post(&second, &a), ben.post(&first, &b)]).await;
        let mut answers: Vec<u16> = both.iter().map(|answer| answer.status).collect();
        answers.sort_unstable();
        assert_eq!(answers, [303, 422], "{}", both[0].text());
        let (winner, lost, name) =
            if both[0].status == 303 { (&ann, &second, "Chairs") } else { (&ben, &first, "Owners") };
        assert_eq!(changes(winner, lost, name, &ALL).await.status, 303);
    }
}

#[db_test]
async fn adding_permissions_needs_the_password_and_removing_them_does_not(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Reader).await;
    let set = makes_set(&ann, "Guards", &["assets.view", "assets.edit"]).await;
    give(&app, &ben, &set);
    app.clock.advance(11 * 60);
    assert_eq!(changes(&ann, &set, "Guards", &["assets.view"]).await.status, 303);
    let version = version(&ann, &set).await;
    let mut more = fields("Guards", &["assets.view", "assets.share"]);
    more.push(("version", &version));
    let asked = saves(&ann, &set, &more).await;
    assert_eq!(asked.status, 422);
    assert!(asked.body.contains("name=\"password\""), "{}", asked.body);
    assert_eq!(saves(&ann, &set, &[&more[..], &[("password", "not the password at all")]].concat()).await.status, 422);
    assert_eq!(saves(&ann, &set, &[&more[..], &[("password", PASSWORD)]].concat()).await.status, 303);
}

#[db_test]
async fn selecting_a_group_without_scripts_saves_nothing(db: TestDb) {
    let (_app, ann) = TestApp::with_user(db, "Ann").await;
    let mut form = fields("Half done", &["assets.view"]);
    form.push(("pick", "all.templates"));
    let again = ann.post(SETS, &form).await;
    assert_eq!((again.status, again.body.matches(" checked").count()), (200, 5));
    assert_eq!(again.field("name").as_deref(), Some("Half done"));
    form.pop();
    form.push(("pick", "none.assets"));
    assert_eq!(ann.post(SETS, &form).await.body.matches(" checked").count(), 0);
    ann.get(SETS).await.shows("No permission sets of your own yet");
}
