//! The operator's commands, beside a running server: their changes take effect immediately.

use crate::harness::{
    PASSWORD, Person, SLUG, TestDb, db_test, org,
    process::{Process, command, fails, prints, status},
};
use diesel::{RunQueryDsl, sql_query};
use serde_json::Value;
use std::process::Command;
use storage::{DatabaseUrl, Db, StorageError};

/// A running server, which Ann has set up, and its database.
struct Office {
    url: String,
    ann: Person,
    db: TestDb,
    // Ends with the test.
    _server: Process,
}

impl Office {
    async fn open(db: TestDb) -> Office {
        let mut command = command(&[], db.folder());
        command.env("DATABASE_URL", &db.url);
        let mut server = Process::start(command);
        let (url, code) = server.first_lines();
        let ann = Person::at(&url, "Ann");
        assert_eq!(ann.sets_up(&code).await.status, 303);
        Office { url, ann, db, _server: server }
    }

    /// Returns a command of the operator.
    fn jeton(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments, self.db.folder());
        command.env("DATABASE_URL", &self.db.url).env("JETON_PUBLIC_URL", &self.url);
        command
    }

    fn prints(&self, arguments: &[&str]) -> Value {
        prints(&mut self.jeton(&[arguments, &["--json"]].concat()))
    }

    /// Runs a command that fails, and returns its error message.
    fn fails(&self, arguments: &[&str]) -> String {
        fails(&mut self.jeton(arguments))
    }

    /// Adds a user to the first organization as the operator does, signed in.
    async fn adds(&self, name: &str, set: &str) -> Person {
        let person = Person::at(&self.url, name);
        let created = ["user", "create", &person.email, "--name", name, "--org", SLUG, "--permission-set", set];
        let added = self.prints(&created);
        let link = added["link"].as_str().expect("a link").strip_prefix(&self.url).expect("to this server").to_owned();
        assert_eq!(person.post(&link, &[("new_password", PASSWORD)]).await.status, 303);
        assert_eq!(person.signs_in().await.status, 303);
        person
    }

    /// Returns the log of an organization, newest first: action, actor and target.
    fn log(&self, org: &str) -> Vec<(String, String, String)> {
        let entries = self.prints(&["activity", "list", "--org", org]);
        let word = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        let row = |entry: &Value| (word(entry, "action"), word(entry, "actor"), word(entry, "target"));
        entries.as_array().expect("entries").iter().map(row).collect()
    }

    /// Returns how often an action of the operator on `target` is in the log of an organization.
    fn logged(&self, org: &str, action: &str, target: &str) -> usize {
        let is_it =
            |(what, who, whom): &&(String, String, String)| what == action && who == "operator" && whom == target;
        self.log(org).iter().filter(is_it).count()
    }

    fn shows_whole_logs(&self) {
        assert!(self.prints(&["activity", "verify"]).as_array().unwrap().iter().all(|log| log["is_whole"] == true));
    }

    /// Changes the database directly.
    fn change(&self, sql: &str) {
        let db = Db::open(DatabaseUrl::parse(&self.db.url).expect("an address")).expect("the database");
        db.write::<_, StorageError>(|connection| Ok(sql_query(sql).execute(connection).map(drop)?)).expect("a change");
    }
}

async fn works_in(person: &Person, org: &str) {
    assert_eq!(person.post("/account/organization", &[("organization", org)]).await.status, 303);
}

fn labels(tokens: &Value) -> Vec<&str> {
    let mut labels: Vec<&str> =
        tokens.as_array().expect("a list").iter().filter_map(|token| token["label"].as_str()).collect();
    labels.sort_unstable();
    labels
}

#[db_test]
async fn the_operator_lists_and_revokes_a_token(db: TestDb) {
    let office = Office::open(db).await;
    let (url, ann, jeton) = (office.url.as_str(), &office.ann, |arguments: &[&str]| office.jeton(arguments));
    let key = ann.makes_token("Power <BI>").await;
    assert_eq!(status(url, &key).await, 200);

    let tokens = prints(&mut jeton(&["token", "list", "--owner", "ANN@example.org", "--json"]));
    assert_eq!((tokens[0]["label"].as_str(), tokens[0]["scope"].as_str()), (Some("Power <BI>"), Some("read")));
    assert!(!tokens.to_string().contains(&key[6..20]));
    assert_eq!(prints(&mut jeton(&["token", "list", "--unused-for", "1", "--json"])), Value::Array(Vec::new()));
    assert!(fails(&mut jeton(&["token", "list", "--owner", "eve@example.org"])).contains("no user has this"));

    let id = tokens[0]["id"].as_str().unwrap();
    assert_eq!(prints(&mut jeton(&["token", "revoke", id, "--json"]))["revoked"], true);
    assert_eq!(status(url, &key).await, 401, "the running server refuses it immediately");
    assert_eq!(prints(&mut jeton(&["token", "revoke", id, "--json"]))["revoked"], false);
    assert!(fails(&mut jeton(&["token", "revoke", "zzzzzzzzzz"])).contains("not found"));

    let key = ann.makes_service_token("SAP").await;
    assert_eq!(status(url, &key).await, 200);
    let tokens = prints(&mut jeton(&["token", "list", "--json"]));
    assert_eq!((tokens[0]["kind"].as_str(), tokens[0]["owner"].as_str()), (Some("service"), Some(SLUG)));
    let id = tokens[0]["id"].as_str().unwrap();
    assert_eq!(prints(&mut jeton(&["token", "revoke", id, "--json"]))["revoked"], true);
    assert_eq!(status(url, &key).await, 401);
    assert_eq!(prints(&mut jeton(&["token", "revoke", id, "--json"]))["revoked"], false);
}

#[db_test]
async fn the_operator_reads_and_verifies_the_activity_log(db: TestDb) {
    let office = Office::open(db).await;
    let jeton = |arguments: &[&str]| office.jeton(arguments);
    office.ann.makes_token("Power BI").await;
    office.ann.revokes("Power BI").await;
    let entries = prints(&mut jeton(&["activity", "list", "--org", SLUG, "--limit", "2", "--json"]));
    assert_eq!((entries[0]["action"].as_str(), entries.as_array().map(Vec::len)), (Some("token.revoked"), Some(2)));
    assert!(fails(&mut jeton(&["activity", "list", "--org", "elsewhere"])).contains("not found"));
    let whole = prints(&mut jeton(&["activity", "verify", "--json"]));
    let is_whole = |log: &Value| log["is_whole"] == true;
    assert!(whole.as_array().is_some_and(|logs| !logs.is_empty() && logs.iter().all(is_whole)), "{whole}");
    let noted = format!("1:{}", "0".repeat(64));
    let elsewhere = fails(&mut jeton(&["activity", "verify", "--org", SLUG, "--head", &noted]));
    assert!(elsewhere.contains(&format!("tampered with: {SLUG}")), "{elsewhere}");
}

#[db_test]
async fn the_operator_resets_a_password(db: TestDb) {
    let office = Office::open(db).await;
    let (url, ann, jeton) = (office.url.as_str(), &office.ann, |arguments: &[&str]| office.jeton(arguments));
    assert_eq!(prints(&mut jeton(&["user", "list", "--json"]))[0]["email"], "ann@example.org");
    let asked = ["user", "password-link", "ANN@example.org", "--json", "--public-url", url];
    let link = prints(&mut jeton(&asked))["link"].as_str().unwrap().to_owned();
    let path = link.strip_prefix(url).unwrap();
    assert_eq!(ann.get(path).await.status, 200);
    assert_eq!(ann.post(path, &[("new_password", "another long enough sentence")]).await.status, 303);
    assert_eq!(ann.get("/account/tokens").await.status, 303, "the session has ended");
    assert_eq!(ann.signs_in_with("another long enough sentence").await.status, 303);
    let link = prints(&mut jeton(&asked))["link"].as_str().unwrap().to_owned();
    assert!(
        fails(&mut jeton(&["user", "password-link", "eve@example.org", "--public-url", url]))
            .contains("no user has this")
    );

    let reset = prints(&mut jeton(&["user", "reset-password", "ann@example.org", "--json"]));
    assert_eq!(ann.get("/account/tokens").await.status, 303, "the session has ended");
    assert_eq!(ann.signs_in().await.status, 422, "the old password is worth nothing");
    assert_eq!(ann.signs_in_with(reset["password"].as_str().unwrap()).await.status, 303);
    assert_eq!(ann.get(link.strip_prefix(url).unwrap()).await.status, 410, "a new password ends links");
    assert!(fails(&mut jeton(&["user", "reset-password", "eve@example.org"])).contains("no user has this"));
}

#[db_test]
async fn a_new_user_gets_a_link_and_an_existing_one_joins(db: TestDb) {
    let office = Office::open(db).await;
    let ben = office.adds("Ben", "READER").await;
    assert_eq!(ben.get(org!("/users")).await.status, 403, "a reader manages nobody");
    assert_eq!(office.logged(SLUG, "user.joined", "Ben"), 1);
    assert_eq!(office.logged(SLUG, "password.link_made", "Ben"), 1);
    let listed = office.prints(&["user", "list"]);
    let place = &listed[1]["organizations"][0];
    assert_eq!(
        (&listed[1]["name"], &place["slug"], &place["permission_set"]),
        (&"Ben".into(), &SLUG.into(), &"reader".into())
    );

    let create = |email: &str, name: &str, org: &str, set: &str| {
        let args = ["user", "create", email, "--name", name, "--org", org, "--permission-set", set];
        fails(&mut office.jeton(&args))
    };
    for (said, told) in [
        (create("BEN@example.org", "Ben", SLUG, "reader"), "already belongs to the organization"),
        (create("eve@example.org", "Eve", "elsewhere", "reader"), "no organization has this slug"),
        (create("eve@example.org", "Eve", SLUG, "boss"), "no permission set with this name"),
        (create("eve", "Eve", SLUG, "reader"), "a complete e-mail address"),
        (create("eve@example.org", " ", SLUG, "reader"), "the name is empty"),
    ] {
        assert!(said.contains(told) && said.trim().lines().count() == 1, "{said}");
    }
    assert_eq!(office.prints(&["user", "list"]).as_array().unwrap().len(), 2, "Eve was not made");

    // Somebody who has an account joins with it, and keeps their password.
    office.prints(&["org", "create", "Hôpital de Ségou", "--administrator", "ann@example.org"]);
    let join = ["user", "create", "ben@example.org", "--name", "Benjamin", "--org", "hopital-de-segou"];
    let joined = office.prints(&join);
    assert_eq!((&joined["created"], &joined["link"]), (&Value::Bool(false), &Value::Null));
    works_in(&ben, "hopital-de-segou").await;
    assert_eq!(office.logged("hopital-de-segou", "user.joined", "Ben"), 1, "under the name that he has");

    // What an invitation was for is done.
    let invitation = office.ann.invites("cleo@example.org", "Reader").await;
    let cleo = office.adds("Cleo", "standard").await;
    assert_eq!(cleo.get(&invitation).await.status, 410);
    assert_eq!(office.logged(SLUG, "user.invitation_withdrawn", "cleo@example.org"), 1);
}

#[db_test]
async fn deactivating_ends_tokens_and_sessions_in_each_organization(db: TestDb) {
    let office = Office::open(db).await;
    let (url, ben) = (&office.url, office.adds("Ben", "standard").await);
    office.prints(&["org", "create", "Second", "--administrator", "ann@example.org"]);
    office.prints(&["user", "create", "ben@example.org", "--name", "Ben", "--org", "second"]);
    let here = ben.makes_token("here").await;
    works_in(&ben, "second").await;
    let there = ben.makes_token("there").await;
    assert_eq!((status(url, &here).await, status(url, &there).await), (200, 200));

    let deactivate = ["user", "deactivate", "BEN@example.org"];
    assert_eq!(office.prints(&[&deactivate[..], &["--org", SLUG]].concat())[0]["deactivated"], true);
    assert_eq!((status(url, &here).await, status(url, &there).await), (401, 200));
    assert_eq!(ben.get("/account/tokens").await.status, 303, "he is signed out");
    let rest = office.prints(&deactivate);
    assert_eq!((rest.as_array().unwrap().len(), &rest[0]["organization"]), (1, &"second".into()));
    assert_eq!(status(url, &there).await, 401);
    assert_eq!(office.prints(&deactivate), Value::Array(Vec::new()), "twice is once");
    assert_eq!(office.prints(&[&deactivate[..], &["--org", SLUG]].concat())[0]["deactivated"], false);
    for org in [SLUG, "second"] {
        assert_eq!(office.logged(org, "user.deactivated", "Ben"), 1, "{org}");
        assert_eq!(office.logged(org, "token.revoked", "Ben"), 1, "{org}");
    }
    assert!(office.fails(&["user", "deactivate", "eve@example.org"]).contains("no user has this"));
    assert!(office.fails(&["user", "deactivate", "ben@example.org", "--org", "third"]).contains("no organization"));
}

#[db_test]
async fn reactivating_lets_a_user_in_but_restores_no_token(db: TestDb) {
    let office = Office::open(db).await;
    let (url, ben) = (&office.url, office.adds("Ben", "standard").await);
    let here = ben.makes_token("here").await;
    office.prints(&["user", "deactivate", "ben@example.org"]);
    let reactivate = ["user", "reactivate", "ben@example.org", "--org", SLUG];
    assert_eq!(office.prints(&reactivate)["reactivated"], true);
    assert_eq!(office.prints(&reactivate)["reactivated"], false);
    assert_eq!(status(url, &here).await, 401, "the token stays revoked");
    assert_eq!(ben.signs_in().await.status, 303);
    let again = ben.makes_token("again").await;
    assert_eq!(status(url, &again).await, 200);
    assert_eq!(office.logged(SLUG, "user.reactivated", "Ben"), 1);
    office.prints(&["org", "create", "Third", "--administrator", "ann@example.org"]);
    assert!(office.fails(&["user", "reactivate", "ben@example.org", "--org", "third"]).contains("does not belong"));
}

#[db_test]
async fn the_last_administrator_of_an_organization_stays(db: TestDb) {
    let office = Office::open(db).await;
    let key = office.ann.makes_token("Power BI").await;
    let refused = office.fails(&["user", "deactivate", "ann@example.org"]);
    assert!(refused.contains(&format!("{SLUG}: At least one user must hold")), "{refused}");
    assert_eq!(status(&office.url, &key).await, 200);
    // What can end does.
    office.adds("Ben", "administrator").await;
    office.prints(&["org", "create", "Second", "--administrator", "ann@example.org"]);
    let output = office.jeton(&["user", "deactivate", "ann@example.org", "--json"]).output().unwrap();
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), done.as_array().map(Vec::len)), (Some(1), Some(1)));
    assert_eq!((&done[0]["organization"], &done[0]["deactivated"]), (&SLUG.into(), &Value::Bool(true)));
    assert!(String::from_utf8_lossy(&output.stderr).contains("second: At least one user must hold"));
    assert_eq!(status(&office.url, &key).await, 401);
    assert_eq!(
        (office.logged(SLUG, "user.deactivated", "Ann"), office.logged("second", "user.deactivated", "Ann")),
        (1, 0)
    );
}

#[db_test]
async fn of_two_administrators_deactivated_concurrently_one_stays(db: TestDb) {
    let office = Office::open(db).await;
    office.adds("Ben", "administrator").await;
    let both = ["ann@example.org", "ben@example.org"]
        .map(|email| office.jeton(&["user", "deactivate", email]).spawn().expect("jeton starts"));
    let done = both.map(|child| child.wait_with_output().expect("its end").status.success());
    assert_eq!(done.iter().filter(|done| **done).count(), 1);
    assert_eq!(office.prints(&["org", "list"])[0]["seats"], 1);
}

const BLOCK: [&str; 3] = ["user", "block", "BEN@example.org"];

/// Opens an office with Ben, who also administers a second organization, where he works, and has a token in each of
/// them: here and there.
async fn with_ben_in_two_organizations(db: TestDb) -> (Office, Person, [String; 2]) {
    let office = Office::open(db).await;
    let ben = office.adds("Ben", "standard").await;
    office.prints(&["org", "create", "Second", "--administrator", "ben@example.org"]);
    let here = ben.makes_token("here").await;
    works_in(&ben, "second").await;
    let there = ben.makes_token("there").await;
    (office, ben, [here, there])
}

#[db_test]
async fn a_blocked_account_can_do_nothing_even_as_an_administrator(db: TestDb) {
    let (office, ben, [here, there]) = with_ben_in_two_organizations(db).await;
    let url = &office.url;
    assert_eq!(office.prints(&BLOCK)["blocked"], true);
    assert_eq!(office.prints(&BLOCK)["blocked"], false, "twice is once");
    assert_eq!((status(url, &here).await, status(url, &there).await), (401, 401));
    assert_eq!(ben.get("/account/tokens").await.status, 303);
    assert_eq!(ben.post("/account/tokens", &[("label", "x")]).await.status, 403);
    let refused = ben.signs_in().await;
    assert_eq!(refused.status, 422);
    refused.shows("This account is blocked");
    assert!(office.fails(&["user", "block", "eve@example.org"]).contains("no user has this"));
}

#[db_test]
async fn invitations_and_password_links_of_a_blocked_account_end(db: TestDb) {
    let (office, ben, _) = with_ben_in_two_organizations(db).await;
    let invitation = ben.get("/orgs/second/users/invite").await.body;
    let (_, set) = invitation.split_once("name=\"permission_set\" value=\"").unwrap();
    let set = set.split('"').next().unwrap().to_owned();
    let form = [("email", "eve@example.org"), ("permission_set", set.as_str())];
    let invitation = ben.post("/orgs/second/users/invite", &form).await.link("/invitations/").unwrap();
    let link = office.prints(&["user", "password-link", "ben@example.org"])["link"].as_str().unwrap().to_owned();

    assert_eq!(office.prints(&BLOCK)["blocked"], true);
    assert_eq!(office.ann.get(&invitation).await.status, 410, "whom he invited does not come in his place");
    assert_eq!(office.ann.get(link.strip_prefix(office.url.as_str()).unwrap()).await.status, 410);
}

#[db_test]
async fn nobody_but_an_operator_brings_a_blocked_account_back(db: TestDb) {
    let (office, ..) = with_ben_in_two_organizations(db).await;
    assert_eq!(office.prints(&BLOCK)["blocked"], true);
    office.ann.get(org!("/users")).await.shows("Blocked");
    office.ann.does("Ben", "password-link").await.shows("This account is blocked");
    for command in [
        &["user", "password-link", "ben@example.org"][..],
        &["user", "promote", "ben@example.org"],
        &["org", "create", "Third", "--administrator", "ben@example.org"],
    ] {
        assert!(office.fails(command).contains("has blocked this account"), "{command:?}");
    }
    office.prints(&["user", "deactivate", "ben@example.org", "--org", SLUG]);
    let create = ["user", "create", "ben@example.org", "--name", "B", "--org", SLUG];
    assert!(office.fails(&create).contains("deactivated"));
    let listed = office.prints(&["user", "list"]);
    assert_eq!((&listed[1]["email"], &listed[1]["is_blocked"]), (&"ben@example.org".into(), &Value::Bool(true)));
}

#[db_test]
async fn blocking_is_logged_once_in_each_organization_of_the_account(db: TestDb) {
    let (office, ..) = with_ben_in_two_organizations(db).await;
    assert_eq!(office.prints(&BLOCK)["blocked"], true);
    assert_eq!(office.prints(&BLOCK)["blocked"], false);
    office.prints(&["user", "deactivate", "ben@example.org", "--org", SLUG]);
    for org in [SLUG, "second"] {
        let logged = ["account.blocked", "token.revoked"].map(|action| office.logged(org, action, "Ben"));
        assert_eq!(logged, [1, 1], "{org}");
    }
    office.shows_whole_logs();
}

#[db_test]
async fn an_unblocked_account_works_again_but_nothing_that_had_stopped(db: TestDb) {
    let (office, ben, [here, there]) = with_ben_in_two_organizations(db).await;
    let url = &office.url;
    assert_eq!(office.prints(&BLOCK)["blocked"], true);
    office.prints(&["user", "deactivate", "ben@example.org", "--org", SLUG]);

    let unblock = ["user", "unblock", "ben@example.org"];
    assert_eq!(office.prints(&unblock)["unblocked"], true);
    assert_eq!(office.prints(&unblock)["unblocked"], false);
    assert_eq!(ben.signs_in().await.status, 303);
    let statuses = (status(url, &here).await, status(url, &there).await);
    assert_eq!(statuses, (401, 401), "nothing that had stopped comes back");
    works_in(&ben, "second").await;
    assert_eq!(status(url, &ben.makes_token("again").await).await, 200);
    assert_eq!(ben.get("/orgs/second/users").await.status, 200, "he administers it still");
    office.shows_whole_logs();
}

#[db_test]
async fn the_operator_adds_and_removes_installation_administrators(db: TestDb) {
    let office = Office::open(db).await;
    let ben = office.adds("Ben", "administrator").await;
    let last = office.fails(&["user", "demote", "ann@example.org"]);
    assert!(last.contains("jeton user promote") && last.trim().lines().count() == 1, "{last}");
    assert_eq!(office.prints(&["user", "promote", "BEN@example.org"])["promoted"], true);
    assert_eq!(office.prints(&["user", "promote", "ben@example.org"])["promoted"], false);
    assert_eq!(ben.get("/installation/administrators").await.status, 200);
    let both = ["ann@example.org", "ben@example.org"]
        .map(|email| office.jeton(&["user", "demote", email]).spawn().expect("jeton starts"));
    let done = both.map(|child| child.wait_with_output().expect("its end").status.success());
    assert_eq!(done.iter().filter(|done| **done).count(), 1, "of two at once one stays");
    office.prints(&["user", "promote", "ann@example.org"]);
    office.prints(&["user", "promote", "ben@example.org"]);
    assert_eq!(office.prints(&["user", "demote", "ben@example.org"])["demoted"], true);
    assert_eq!(office.prints(&["user", "demote", "ben@example.org"])["demoted"], false);
    assert_eq!(ben.get("/installation/administrators").await.status, 404);
    assert_eq!(office.prints(&["user", "list"])[0]["is_installation_admin"], true);
    assert_eq!(office.logged(SLUG, "account.demoted", "Ben") + office.logged(SLUG, "account.demoted", "Ann"), 2);

    // The first user can be removed; the command says that nobody has the role then.
    let gone = office.jeton(&["user", "deactivate", "ann@example.org"]).output().unwrap();
    assert!(gone.status.success());
    assert!(String::from_utf8_lossy(&gone.stderr).contains("nobody administers the installation"));
    assert_eq!(office.ann.signs_in().await.status, 422);
    office.prints(&["user", "promote", "ben@example.org"]);
    assert_eq!(ben.get("/organizations/new").await.status, 200);
    assert!(office.fails(&["user", "promote", "ann@example.org"]).contains("not active in any organization"));
    assert!(office.fails(&["user", "promote", "eve@example.org"]).contains("no user has this"));
}

/// Fails to create an organization, and returns the error message.
fn fails_to_create(office: &Office, name: &str, slug: &str, administrator: &str) -> String {
    office.fails(&["org", "create", name, "--slug", slug, "--administrator", administrator])
}

#[db_test]
async fn an_organization_is_created_for_its_administrator(db: TestDb) {
    let office = Office::open(db).await;
    let ben = office.adds("Ben", "reader").await;
    for (name, slug, administrator, told) in [
        ("Hôpital", SLUG, "ben@example.org", "Another organization uses or used this address"),
        ("Hôpital", "Hôpital", "ben@example.org", "lower-case letters"),
        (" ", "hopital", "ben@example.org", "Enter the name"),
        ("Hôpital", "hopital", "eve@example.org", "no user has this"),
    ] {
        let said = fails_to_create(&office, name, slug, administrator);
        assert!(said.contains(told), "{said}");
    }
    let made = office.prints(&["org", "create", "Hôpital <Ségou>", "--administrator", "BEN@example.org"]);
    assert_eq!(made["slug"], "hopital-segou");
    let twice = fails_to_create(&office, "Hôpital", "hopital-segou", "ben@example.org");
    assert!(twice.contains("Another organization"), "{twice}");
    works_in(&ben, "hopital-segou").await;
    assert_eq!(ben.get("/orgs/hopital-segou/users").await.status, 200, "he administers it");
    assert_eq!(office.ann.get("/orgs/hopital-segou/users").await.status, 404, "she is not in it");
    assert_eq!(office.logged("hopital-segou", "organization.created", "Hôpital <Ségou>"), 1);
    assert_eq!(office.logged("hopital-segou", "user.joined", "Ben"), 1);
}

#[db_test]
async fn an_organization_is_renamed_and_keeps_its_id(db: TestDb) {
    let office = Office::open(db).await;
    let ben = office.adds("Ben", "reader").await;
    let made = office.prints(&["org", "create", "Hôpital <Ségou>", "--administrator", "BEN@example.org"]);
    works_in(&ben, "hopital-segou").await;
    let key = ben.makes_token("there").await;
    assert_eq!(office.prints(&["org", "rename", "hopital-segou", "Clinique"])["slug"], "hopital-segou");
    assert_eq!(
        office.prints(&["org", "rename", "hopital-segou", "Clinique", "--slug", "clinique"])["slug"],
        "clinique"
    );
    assert_eq!(status(&office.url, &key).await, 200);
    ben.get("/orgs/clinique/settings").await.shows("Clinique");
    assert_eq!(ben.get("/orgs/hopital-segou/settings").await.header("location"), "/orgs/clinique/settings");
    let taken = fails_to_create(&office, "Hôpital", "hopital-segou", "ann@example.org");
    assert!(taken.contains("uses or used this address"), "{taken}");
    assert!(
        office.fails(&["org", "rename", SLUG, "X", "--slug", "hopital-segou"]).contains("uses or used this address")
    );
    // By its former slug it is the same organization, with the same id.
    let again = office.prints(&["org", "rename", "hopital-segou", "Clinique"]);
    assert_eq!((&again["slug"], &again["id"]), (&"clinique".into(), &made["id"]));
    assert_eq!(office.logged("hopital-segou", "organization.created", "Hôpital <Ségou>"), 1);
    assert!(office.fails(&["org", "rename", "hopital", "Clinique"]).contains("no organization has this slug"));
    assert!(office.fails(&["org", "rename", "clinique", "X", "--slug", SLUG]).contains("Another organization"));
    assert_eq!(office.logged("clinique", "organization.changed", "Clinique"), 3);
    let all = office.prints(&["org", "list"]);
    assert_eq!(all[1]["id"], made["id"]);
    assert_eq!(office.prints(&["token", "list", "--org", "hopital-segou"])[0]["organization_id"], made["id"]);
    assert_eq!(
        (&all[0]["slug"], &all[0]["seats"], all[1]["name"].as_str()),
        (&SLUG.into(), &2.into(), Some("Clinique"))
    );
    assert_eq!(all[1]["permission_sets"], serde_json::json!(["administrator", "standard", "reader"]));
}

/// An office with two tokens of Ben's, one of them unused for long, one of Ann's and one of a service user.
struct ManyTokens {
    office: Office,
    ben: Person,
    old: String,
    new: String,
    hers: String,
    service: String,
}

impl ManyTokens {
    async fn make(db: TestDb) -> ManyTokens {
        let office = Office::open(db).await;
        let ben = office.adds("Ben", "standard").await;
        let mut keys = Vec::new();
        for label in ["old", "new"] {
            let made = ben.asks_for_token(label, "read", "180").await;
            keys.push(made.key().expect("a key"));
        }
        let [old, new] = <[String; 2]>::try_from(keys).expect("two keys");
        let (hers, service) = (office.ann.makes_token("hers").await, office.ann.makes_service_token("SAP").await);
        office.change("UPDATE api_tokens SET created_at = created_at - 100 * 86400 WHERE label = 'old'");
        office.change(
            "UPDATE token_uses SET idle_since = idle_since - 100 * 86400 \
             WHERE token_id = (SELECT id FROM api_tokens WHERE label = 'old')",
        );
        ManyTokens { office, ben, old, new, hers, service }
    }

    async fn status(&self, key: &str) -> u16 {
        status(&self.office.url, key).await
    }
}

fn revoke(rest: &[&'static str]) -> Vec<&'static str> {
    [&["token", "revoke"], rest].concat()
}

/// Revokes the tokens that nobody has used for long.
fn revoke_idle() -> Vec<&'static str> {
    revoke(&["--unused-for", "90", "--yes", "--reason", "Unused <since> August"])
}

#[db_test]
async fn many_tokens_are_revoked_only_by_a_filter_and_a_reason_that_make_sense(db: TestDb) {
    let tokens = ManyTokens::make(db).await;
    let office = &tokens.office;
    for wrong in [revoke(&[]), revoke(&["--yes"]), revoke(&["aaaaaaaaaa", "--owner", "ben@example.org"])] {
        assert!(office.fails(&wrong).contains("Usage"), "{wrong:?}");
    }
    assert!(office.fails(&revoke(&["--owner", "eve@example.org", "--yes"])).contains("no user has this"));
    assert!(office.fails(&revoke(&["--org", "elsewhere", "--yes"])).contains("no organization has this"));
    assert!(
        office.fails(&revoke(&["--owner", "ben@example.org", "--yes", "--reason", " "])).contains("Enter a reason")
    );
    for key in [&tokens.old, &tokens.new, &tokens.hers, &tokens.service] {
        assert_eq!(tokens.status(key).await, 200);
    }
}

#[db_test]
async fn many_tokens_are_only_listed_unless_the_operator_says_yes(db: TestDb) {
    let tokens = ManyTokens::make(db).await;
    let shown = tokens.office.jeton(&revoke(&["--owner", "ben@example.org", "--json"])).output().unwrap();
    assert_eq!(shown.status.code(), Some(1));
    assert_eq!(labels(&serde_json::from_slice(&shown.stdout).unwrap()), ["new", "old"]);
    assert!(String::from_utf8_lossy(&shown.stderr).contains("add --yes to revoke these 2 tokens"));
    assert_eq!(tokens.status(&tokens.new).await, 200);
}

#[db_test]
async fn tokens_unused_for_long_are_revoked_with_a_reason(db: TestDb) {
    let tokens = ManyTokens::make(db).await;
    assert_eq!(labels(&tokens.office.prints(&revoke_idle())), ["old"]);
    assert_eq!((tokens.status(&tokens.old).await, tokens.status(&tokens.new).await), (401, 200));
    tokens.ben.get("/account/tokens").await.shows("Unused <since> August");
    assert_eq!(labels(&tokens.office.prints(&revoke_idle())), [""; 0], "twice is once");
}

#[db_test]
async fn all_tokens_of_an_owner_that_still_work_are_revoked(db: TestDb) {
    let tokens = ManyTokens::make(db).await;
    tokens.office.prints(&revoke_idle());
    assert_eq!(labels(&tokens.office.prints(&revoke(&["--owner", "ben@example.org", "--yes"]))), ["new"]);
    let others = (tokens.status(&tokens.hers).await, tokens.status(&tokens.service).await);
    assert_eq!((tokens.status(&tokens.new).await, others), (401, (200, 200)));
    assert_eq!(tokens.office.logged(SLUG, "token.revoked", "Ben"), 2);
    tokens.office.shows_whole_logs();
}

#[db_test]
async fn all_tokens_of_an_organization_are_revoked_and_no_others(db: TestDb) {
    let tokens = ManyTokens::make(db).await;
    let (office, ann) = (&tokens.office, &tokens.office.ann);
    office.prints(&["org", "create", "Second", "--administrator", "ann@example.org"]);
    works_in(ann, "second").await;
    let elsewhere = ann.makes_token("elsewhere").await;
    assert_eq!(labels(&office.prints(&["token", "list", "--org", "second"])), ["elsewhere"]);
    assert_eq!(labels(&office.prints(&revoke(&["--owner", "ben@example.org", "--yes"]))), ["new", "old"]);
    assert_eq!(labels(&office.prints(&revoke(&["--org", SLUG, "--yes"]))), ["SAP", "hers"]);
    let statuses =
        [tokens.status(&tokens.hers).await, tokens.status(&tokens.service).await, tokens.status(&elsewhere).await];
    assert_eq!(statuses, [401, 401, 200]);
    office.shows_whole_logs();
}

#[db_test]
async fn a_new_password_is_logged_in_each_organization_of_the_user(db: TestDb) {
    let office = Office::open(db).await;
    office.adds("Ben", "standard").await;
    for name in ["Second", "Third"] {
        office.prints(&["org", "create", name, "--administrator", "ben@example.org"]);
    }
    office.prints(&["user", "deactivate", "ben@example.org", "--org", SLUG]);
    office.prints(&["user", "reset-password", "ben@example.org"]);
    let link = office.prints(&["user", "password-link", "ben@example.org"])["link"].as_str().unwrap().to_owned();
    let someone = Person::at(&office.url, "Ben");
    let path = link.strip_prefix(&office.url).unwrap();
    assert_eq!(someone.post(path, &[("new_password", PASSWORD)]).await.status, 303);
    for org in ["second", "third"] {
        assert_eq!(office.logged(org, "password.reset", "Ben"), 1, "{org}");
        assert_eq!(office.logged(org, "password.link_made", "Ben"), 1, "{org}");
        let own = |(action, actor, _): &&(String, String, String)| action == "password.reset" && actor == "Ben";
        assert_eq!(office.log(org).iter().filter(own).count(), 1, "{org}: by the link");
    }
    assert_eq!(office.logged(SLUG, "password.reset", "Ben"), 0, "he is not active there");
}
