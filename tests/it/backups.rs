//! Backups of a SQLite database: created while it is written to, restored, and what happens to tokens that have ended
//! since.

use crate::harness::{
    Person, SLUG, TestDb, contains, folder, org,
    process::{Process, command, fails, prints, status},
};
use diesel::{
    Connection, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    dsl::sql,
    sql_types::{BigInt, Text},
};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};
use tempfile::TempDir;

/// An installation that Ann has set up, whose server may run or not.
struct Installation {
    folder: TempDir,
    server: Option<Process>,
    url: String,
    ann: Person,
}

impl Installation {
    async fn new() -> Installation {
        let folder = folder();
        let mut server = Process::start(command(&[], &data(&folder)));
        let (url, code) = server.first_lines();
        let ann = Person::at(&url, "Ann");
        assert_eq!(ann.sets_up(&code).await.status, 303);
        Installation { folder, server: Some(server), url, ann }
    }

    fn data(&self) -> PathBuf {
        data(&self.folder)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn jeton(&self, arguments: &[&str]) -> Command {
        let mut jeton = command(arguments, &self.data());
        jeton.current_dir(self.folder.path());
        jeton
    }

    fn prints(&self, arguments: &[&str]) -> serde_json::Value {
        prints(&mut self.jeton(&[arguments, &["--json"]].concat()))
    }

    fn fails(&self, arguments: &[&str]) -> String {
        let said = fails(&mut self.jeton(arguments));
        assert_eq!(said.trim().lines().count(), 1, "{said}");
        said
    }

    fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.terminate();
        }
    }

    fn start(&mut self) {
        let mut server = Process::start(self.jeton(&[]));
        self.url = server.line().split_whitespace().last().unwrap().to_owned();
        self.server = Some(server);
    }

    async fn statuses(&self, keys: &[&str]) -> Vec<u16> {
        let mut statuses = Vec::new();
        for key in keys {
            statuses.push(status(&self.url, key).await);
        }
        statuses
    }

    /// Returns the files beside the database that have this word in their names.
    fn files(&self, word: &str) -> Vec<String> {
        let names = fs::read_dir(self.data()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains(word)).collect()
    }
}

fn data(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[actix_web::test]
async fn a_backup_taken_during_writes_is_complete_on_another_server() {
    let here = Installation::new().await;
    let (first, service) = (here.ann.makes_token("first").await, here.ann.makes_service_token("SAP").await);
    let is_over = AtomicBool::new(false);
    let writes = async |tab: Person| {
        let mut written = 0;
        while !is_over.load(Relaxed) {
            written += usize::from(tab.post("/account/theme", &[("theme", "dark")]).await.status == 303);
            tab.post("/account/tokens/revocation", &[]).await;
        }
        written
    };
    let makes = async {
        let mut backups = Vec::new();
        for name in ["one.db", "two.db"] {
            let mut backup = here.jeton(&["backup", name, "--json"]);
            let made = actix_web::rt::task::spawn_blocking(move || prints(&mut backup)).await.unwrap();
            backups.push(made);
        }
        is_over.store(true, Relaxed);
        backups
    };
    let tabs = (0..6).map(|_| writes(here.ann.copy()));
    let (backups, written) = futures_util::future::join(makes, futures_util::future::join_all(tabs)).await;
    assert!(written.iter().all(|count| *count > 0), "{written:?}");
    assert_eq!((&backups[1]["file"], &backups[1]["has_pepper"]), (&"two.db".into(), &true.into()));
    assert_eq!(backups[1]["bytes"], fs::metadata(here.at("two.db")).unwrap().len());
    assert_eq!(mode(&here.at("two.db")), 0o600);

    let mut there = Installation { folder: folder(), server: None, url: String::new(), ann: here.ann.copy() };
    fs::rename(here.at("two.db"), there.at("moved.db")).unwrap();
    let undecided = there.fails(&["restore", "moved.db"]);
    assert!(undecided.contains("--revoke-all") && undecided.contains("--keep-tokens"), "{undecided}");
    assert!(!there.data().exists(), "nothing is made yet");
    assert_eq!(there.prints(&["restore", "moved.db", "--keep-tokens"])["revoked"], 0);
    assert_eq!(there.prints(&["user", "list"]), here.prints(&["user", "list"]));
    let logs = there.prints(&["activity", "verify"]);
    assert!(logs.as_array().unwrap().iter().all(|log| log["is_whole"] == true), "{logs}");
    assert_eq!((mode(&there.data().join("jeton.db")), mode(&there.data().join("pepper"))), (0o600, 0o600));
    there.start();
    assert_eq!(there.statuses(&[&first, &service]).await, [200, 200]);
    let pepper = fs::read_to_string(there.data().join("pepper")).unwrap();
    assert_eq!(pepper, fs::read_to_string(here.data().join("pepper")).unwrap());
    assert!(contains(&fs::read(there.at("moved.db")).unwrap(), pepper.trim().as_bytes()));
    for file in there.files("jeton.db") {
        assert!(!contains(&fs::read(there.data().join(&file)).unwrap(), pepper.trim().as_bytes()), "{file}");
    }
    let ann = Person::at(&there.url, "Ann");
    assert_eq!(ann.signs_in().await.status, 303);
    assert_eq!(there.statuses(&[&ann.makes_token("second").await]).await, [200]);
}

#[actix_web::test]
async fn what_ended_after_a_backup_stays_ended_if_the_old_database_is_there() {
    let mut office = Installation::new().await;
    let ann = office.ann.copy();
    let kept = ann.makes_token("kept").await;
    let revoked = ann.makes_token("revoked").await;
    let regenerated = ann.makes_service_token("regenerated").await;
    let deleted = ann.makes_service_token("deleted").await;
    let rotated = ann.makes_service_token("rotated").await;
    office.prints(&["backup", "backup.db"]);

    assert_eq!(ann.revokes("revoked").await.status, 303);
    for (name, ends) in [("regenerated", "regeneration"), ("deleted", "deletion")] {
        let token = ann.service_token(name).await;
        for question in ["revocation", ends] {
            assert!(matches!(ann.confirms(&token, question).await.status, 200 | 303), "{name} {question}");
        }
    }
    let late = ann.makes_token("late").await;
    let said = office.fails(&["restore", "backup.db", "--replace"]);
    assert!(said.contains("jeton.db") && said.contains("stop the server first"), "{said}");
    assert_eq!(office.statuses(&[&kept, &revoked, &late]).await, [200, 401, 200]);
    office.stop();

    let before = fs::read(office.data().join("jeton.db")).unwrap();
    let said = office.fails(&["restore", "backup.db"]);
    assert!(said.contains("--replace"), "{said}");
    assert_eq!(fs::read(office.data().join("jeton.db")).unwrap(), before, "it is refused until it is confirmed");
    let done = office.prints(&["restore", "backup.db", "--replace"]);
    assert_eq!(done["revoked"], 3, "{done}");
    let set_aside = PathBuf::from(done["replaced"].as_str().unwrap());
    assert!(set_aside.is_file() && mode(&set_aside) == 0o600);
    let sessions = sql::<BigInt>("SELECT count(*) FROM sessions");
    let mut restored = SqliteConnection::establish(&office.data().join("jeton.db").display().to_string()).unwrap();
    assert_eq!(sessions.get_result::<i64>(&mut restored).unwrap(), 0, "everybody is signed out");
    drop(restored);

    office.start();
    let statuses = office.statuses(&[&kept, &rotated, &revoked, &regenerated, &deleted, &late]).await;
    assert_eq!(statuses, [200, 200, 401, 401, 401, 401]);
    let logs = office.prints(&["activity", "verify"]);
    assert!(logs.as_array().unwrap().iter().all(|log| log["is_whole"] == true), "{logs}");
    let newest = office.prints(&["activity", "list", "--org", SLUG, "--limit", "8"]);
    let actions = newest.as_array().unwrap().iter().filter_map(|entry| entry["action"].as_str());
    // A server that finds the time writes at once that the tokens above were used.
    let actions: Vec<&str> = actions.filter(|action| *action != "token.first_used").take(4).collect();
    assert_eq!(actions, ["token.revoked", "token.revoked", "token.revoked", "installation.restored"]);
    let ann = Person::at(&office.url, "Ann");
    assert_eq!(ann.signs_in().await.status, 303);
    ann.get(org!("/activity")).await.shows("restored the database from the backup of");
    ann.get("/account/tokens").await.shows("was restored");

    // The note guards against the same backup, put in place by hand.
    office.stop();
    fs::copy(&set_aside, office.data().join("jeton.db")).unwrap();
    let said = office.fails(&[]);
    assert!(said.contains("older than this node remembers"), "{said}");
}

#[actix_web::test]
async fn all_tokens_of_a_backup_can_be_kept_or_revoked() {
    let mut office = Installation::new().await;
    let keys = [
        office.ann.makes_token("a").await,
        office.ann.makes_token("b").await,
        office.ann.makes_service_token("c").await,
    ];
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    office.prints(&["backup", "backup.db", "--without-pepper"]);
    office.prints(&["token", "revoke", "--unused-for", "0", "--yes"]);
    assert_eq!(office.statuses(&keys).await, [401, 401, 401]);
    office.stop();
    assert_eq!(office.prints(&["restore", "backup.db", "--replace", "--keep-tokens"])["revoked"], 0);
    office.start();
    assert_eq!(office.statuses(&keys).await, [200, 200, 200]);
    office.stop();
    assert_eq!(office.prints(&["restore", "backup.db", "--replace", "--revoke-all"])["revoked"], 3);
    office.start();
    assert_eq!(office.statuses(&keys).await, [401, 401, 401]);
    assert_eq!(office.files("replaced").len(), 2, "each database that was there is kept");
    let both = office.jeton(&["restore", "backup.db", "--replace", "--revoke-all", "--keep-tokens"]).output().unwrap();
    assert_eq!(both.status.code(), Some(2));
}

#[actix_web::test]
async fn a_damaged_database_is_replaced_only_when_unused_and_after_a_decision() {
    let mut office = Installation::new().await;
    let key = office.ann.makes_token("a").await;
    office.prints(&["backup", "backup.db"]);
    let database = office.data().join("jeton.db");
    let destroy = || {
        let mut bytes = fs::read(&database).unwrap();
        bytes[..4096].fill(b'x');
        fs::write(&database, bytes).unwrap();
    };
    destroy();
    let said = office.fails(&["restore", "backup.db", "--replace", "--keep-tokens"]);
    assert!(said.contains("stop the server first"), "{said}");
    office.server.take();
    destroy();
    let said = office.fails(&["restore", "backup.db", "--replace"]);
    assert!(said.contains("--revoke-all"), "{said}");
    office.prints(&["restore", "backup.db", "--replace", "--keep-tokens"]);
    office.start();
    assert_eq!(office.statuses(&[&key]).await, [200]);

    // One that is gone tells nothing either.
    office.stop();
    fs::remove_file(&database).unwrap();
    let said = office.fails(&["restore", "backup.db"]);
    assert!(said.contains("--revoke-all"), "{said}");
    // Nor does one of another installation.
    let other = Installation::new().await;
    drop(other.server);
    fs::copy(data(&other.folder).join("jeton.db"), &database).unwrap();
    let said = office.fails(&["restore", "backup.db", "--replace"]);
    assert!(said.contains("--revoke-all"), "{said}");
    // Nor one that is older than the backup: what has ended since then it cannot know.
    office.prints(&["restore", "backup.db", "--replace", "--keep-tokens"]);
    office.start();
    office.prints(&["token", "revoke", "--unused-for", "0", "--yes"]);
    office.prints(&["backup", "later.db"]);
    office.stop();
    office.prints(&["restore", "backup.db", "--replace", "--keep-tokens"]);
    let forget = "UPDATE auth_epoch SET epoch = 1";
    SqliteConnection::establish(&database.display().to_string()).unwrap().batch_execute(forget).unwrap();
    let said = office.fails(&["restore", "later.db", "--replace"]);
    assert!(said.contains("--revoke-all"), "{said}");
    // Another program that has it open keeps it.
    let mut open = SqliteConnection::establish(&database.display().to_string()).unwrap();
    open.batch_execute("PRAGMA journal_mode = WAL; BEGIN; SELECT * FROM users").unwrap();
    let said = office.fails(&["restore", "backup.db", "--replace", "--keep-tokens"]);
    assert!(said.contains("another program has it open"), "{said}");
}

#[actix_web::test]
async fn an_incomplete_backup_is_refused() {
    let mut office = Installation::new().await;
    let key = office.ann.makes_token("a").await;
    office.prints(&["backup", "backup.db"]);
    office.stop();
    let whole = fs::read(office.at("backup.db")).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(office.at(name), bytes).unwrap();
    write("empty.db", &[]);
    write("page.db", &whole[..4096]);
    write("half.db", &whole[..whole.len() / 2]);
    write("short.db", &whole[..whole.len() - 1]);
    write("cut.db", &whole[..whole.len() - 4096]);
    write("text.db", b"this is a text and no database, as everybody can see from its first sentence");
    let mut holed = whole.clone();
    let middle = whole.len() / 2 / 4096 * 4096;
    holed[middle..middle + 4096].fill(0xff);
    write("holed.db", &holed);
    fs::copy(office.data().join("jeton.db"), office.at("unlabelled.db")).unwrap();
    for name in ["unlabelled.db", "orphan.db", "unsealed.db"] {
        fs::copy(office.at(if name == "unlabelled.db" { "unlabelled.db" } else { "backup.db" }), office.at("new"))
            .unwrap();
        fs::rename(office.at("new"), office.at(name)).unwrap();
    }
    let change = |name: &str, statement: &str| {
        let mut file = SqliteConnection::establish(&office.at(name).display().to_string()).unwrap();
        file.batch_execute(&format!("PRAGMA foreign_keys = OFF; {statement}")).unwrap();
    };
    change("orphan.db", "DELETE FROM users");
    change("unsealed.db", "DELETE FROM jeton_backup");
    for name in [
        "empty.db",
        "page.db",
        "half.db",
        "short.db",
        "cut.db",
        "text.db",
        "holed.db",
        "unlabelled.db",
        "orphan.db",
        "unsealed.db",
        "missing.db",
    ] {
        let said = office.fails(&["restore", name, "--replace", "--keep-tokens"]);
        assert!(said.contains(name), "{name}: {said}");
    }
    assert!(office.files("restoring").is_empty() && office.files("replaced").is_empty());
    office.start();
    assert_eq!(office.statuses(&[&key]).await, [200], "nothing was changed");
}

#[actix_web::test]
async fn a_restore_takes_the_pepper_from_the_backup_or_the_data_folder() {
    let mut office = Installation::new().await;
    let key = office.ann.makes_token("a").await;
    office.prints(&["backup", "with.db"]);
    assert_eq!(office.prints(&["backup", "without.db", "--without-pepper"])["has_pepper"], false);
    office.stop();
    let path = office.data().join("pepper");
    let pepper = fs::read_to_string(&path).unwrap();
    assert!(!contains(&fs::read(office.at("without.db")).unwrap(), pepper.trim().as_bytes()));
    let label = sql::<Text>("SELECT version FROM jeton_backup WHERE pepper IS NULL");
    let mut file = SqliteConnection::establish(&office.at("without.db").display().to_string()).unwrap();
    assert_eq!(label.get_result::<String>(&mut file).unwrap(), env!("CARGO_PKG_VERSION"));

    let restore = |name| ["restore", name, "--replace", "--keep-tokens"];
    fs::remove_file(&path).unwrap();
    let said = office.fails(&restore("without.db"));
    assert!(said.contains("pepper") && said.contains("first"), "{said}");
    let said = office.fails(&["backup", "none.db"]);
    assert!(said.contains("data/pepper") && said.contains("--without-pepper"), "{said}");
    fs::write(&path, format!("{}\n", "0".repeat(64))).unwrap();
    let said = office.fails(&restore("without.db"));
    assert!(said.contains("does not belong"), "{said}");
    let said = office.fails(&["backup", "none.db"]);
    assert!(said.contains("does not belong") && !office.at("none.db").exists(), "{said}");
    let said = office.fails(&["restore", "with.db", "--keep-tokens"]);
    assert!(said.contains("pepper") && said.contains("--replace"), "{said}");
    fs::write(&path, b"\xff\0").unwrap();
    assert!(office.fails(&["restore", "with.db", "--keep-tokens"]).contains("--replace"));
    // Root restores for whoever runs the server.
    let is_root = fs::metadata(&path).unwrap().uid() == 0;
    if is_root {
        chown(office.data(), Some(65_534), Some(65_534)).unwrap();
    }
    office.prints(&restore("with.db"));
    let owner = fs::metadata(office.data()).unwrap().uid();
    for file in ["jeton.db", "pepper", "epoch"] {
        assert_eq!(fs::metadata(office.data().join(file)).unwrap().uid(), owner, "{file}");
    }
    assert_eq!((fs::read_to_string(&path).unwrap(), office.files("pepper.replaced").len()), (pepper, 1));
    office.prints(&restore("without.db"));
    office.start();
    assert_eq!(office.statuses(&[&key]).await, [200]);
}

#[actix_web::test]
async fn a_backup_overwrites_nothing_and_is_not_served() {
    let office = Installation::new().await;
    fs::write(office.at("there.db"), "mine").unwrap();
    let said = office.fails(&["backup", "there.db"]);
    assert!(said.contains("there.db already exists"), "{said}");
    assert_eq!(fs::read_to_string(office.at("there.db")).unwrap(), "mine");
    let said = office.fails(&["backup", "nowhere/new.db"]);
    assert!(said.contains("nowhere/new.db") && said.contains("No such file"), "{said}");
    let words = office.jeton(&["backup", "new?mode=ro#%41.db"]).output().unwrap();
    let words = String::from_utf8(words.stdout).unwrap();
    assert!(words.contains("complete backup") && words.contains("keep it as secret"), "{words}");
    assert!(office.at("new?mode=ro#%41.db").is_file());
    office.prints(&["backup", "new.db"]);
    let said = fails(office.jeton(&[]).env("DATABASE_URL", "sqlite:new.db"));
    assert!(said.contains("new.db: this is a backup") && said.contains("jeton restore"), "{said}");
    let looked = prints(office.jeton(&["user", "list", "--json"]).env("DATABASE_URL", "sqlite:new.db"));
    assert_eq!(looked[0]["email"], "ann@example.org", "to look into it changes nothing");
}

#[test]
fn postgres_is_backed_up_by_its_own_programs() {
    let db = TestDb::postgres();
    let on = |arguments: &[&str]| fails(command(arguments, db.folder()).env("DATABASE_URL", &db.url));
    let said = on(&["backup", "new.db"]);
    assert!(said.contains("pg_dump") && said.contains("pepper"), "{said}");
    assert!(on(&["restore", "new.db"]).contains("pg_restore"));
    assert_eq!(fs::read_dir(db.folder()).unwrap().count(), 0);
}

#[actix_web::test]
async fn postgres_is_restored_by_the_steps_of_the_documentation() {
    let (db, restored) = (TestDb::postgres(), TestDb::postgres());
    let on = |url: &str, arguments: &[&str]| {
        let mut jeton = command(arguments, db.folder());
        jeton.env("DATABASE_URL", url);
        jeton
    };
    let run = |program: &str, arguments: &[&str]| {
        let done = Command::new(program).args(arguments).output().expect(program);
        assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
    };
    let mut server = Process::start(on(&db.url, &[]));
    let (url, code) = server.first_lines();
    let ann = Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    let key = ann.makes_token("a").await;
    let dump = restored.folder().join("jeton.dump").display().to_string();
    run("pg_dump", &["--format=custom", &format!("--file={dump}"), &db.url]);
    assert_eq!(ann.revokes("a").await.status, 303);
    server.terminate();

    run("pg_restore", &["--no-owner", &format!("--dbname={}", restored.url), &dump]);
    run("psql", &[&restored.url, "-c", "DELETE FROM sessions; DELETE FROM password_links"]);
    let revoke = ["token", "revoke", "--unused-for", "0", "--yes", "--reason", "Restored from a backup"];
    for arguments in [&[][..], &revoke[..]] {
        assert!(fails(&mut on(&restored.url, arguments)).contains("older than this node remembers"));
    }
    fs::remove_file(db.folder().join("epoch")).unwrap();
    assert_eq!(prints(&mut on(&restored.url, &[&revoke[..], &["--json"]].concat())).as_array().map(Vec::len), Some(1));
    let mut server = Process::start(on(&restored.url, &[]));
    let url = server.line().split_whitespace().last().unwrap().to_owned();
    assert_eq!(status(&url, &key).await, 401);
}
