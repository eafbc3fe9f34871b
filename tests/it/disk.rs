//! A database that cannot be written to: its disk is full, it is read-only, or another process locks it.

use crate::harness::{
    Answer, Person, TestApp, TestDb, change, db_test, folder,
    process::{Process, after, client, command, status},
};
use app::Jeton;
use diesel::{RunQueryDsl, sql_query};
use rustix::process::{Pid, Resource, Rlimit, getuid, prlimit};
use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};
use storage::StorageError;

/// A server with a signed-in user and a token of hers.
struct Served {
    jeton: Process,
    url: String,
    programs_url: String,
    ann: Person,
    key: String,
}

impl Served {
    /// Starts a server with its data in this folder, after some shell commands.
    async fn after(first: &str, data: &Path) -> Served {
        let mut jeton = Process::start(after(first, &command(&["--verify-listen", "127.0.0.1:0"], data)));
        let mut address = || jeton.line().split_whitespace().last().expect("an address").to_owned();
        let (url, programs_url) = (address(), address());
        (0..2).for_each(|_| drop(jeton.line()));
        let link = jeton.line();
        let ann = Person::at(&url, "Ann");
        assert_eq!(ann.sets_up(link.rsplit('=').next().expect("a code")).await.status, 303);
        let key = ann.makes_token("Power BI").await;
        Served { jeton, url, programs_url, ann, key }
    }

    /// Returns the line of `/readyz` about changes, and whether the node is ready.
    async fn changes(&self) -> (u16, String) {
        let answer = client().get(format!("{}/readyz", self.url)).send().await.unwrap();
        let status = answer.status().as_u16();
        let lines = answer.text().await.unwrap();
        (status, lines.lines().find(|line| line.starts_with("changes")).unwrap_or_default().to_owned())
    }

    /// Waits until changes are saved again.
    async fn is_well_again(&self) {
        for _ in 0..600 {
            if self.changes().await == (200, "changes: ok".into()) {
                return;
            }
            actix_web::rt::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{:?}", self.changes().await);
    }

    async fn metric(&self, name: &str) -> String {
        let answer = client().get(format!("{}/metrics", self.programs_url)).send().await.unwrap();
        let metrics = answer.text().await.unwrap();
        metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} "))).expect("such a line").to_owned()
    }

    /// Returns a program's answer to a request with this key.
    async fn program(&self, method: &str, path: &str, body: String) -> (u16, String) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = client().request(method, format!("{}{path}", self.url)).bearer_auth(&self.key);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// Limits the size of each file that a process writes.
fn limit_files(process: &Process, size: Option<u64>) {
    let id = Pid::from_raw(process.child.id().try_into().unwrap());
    prlimit(id, Resource::Fsize, Rlimit { current: size, maximum: None }).unwrap();
}

fn is_put_off(answer: &Answer, words: &str) {
    assert_eq!((answer.status, answer.header("retry-after")), (503, "10"), "{}", answer.text());
    answer.shows(words);
}

/// This works everywhere, unlike a full disk: a limit on the file size makes each write fail as a quota does.
#[actix_web::test]
async fn on_a_full_disk_every_answer_says_so_and_later_all_works() {
    let data = folder();
    // A write beyond the limit is an error then, and no signal.
    let mut served = Served::after("trap '' XFSZ", data.path()).await;
    let (ann, key) = (&served.ann, &served.key);
    assert_eq!(served.changes().await, (200, "changes: ok".into()));
    let elsewhere = Person::at(&served.url, "Ann");
    assert_eq!(elsewhere.signs_in().await.status, 303);
    limit_files(&served.jeton, Some(0));

    is_put_off(&ann.asks_for_token("Excel", "read", "45").await, "Nothing was saved");
    is_put_off(&ann.revokes("Power BI").await, "NOT revoked");
    is_put_off(&ann.post("/account/sessions/end-others", &[]).await, "NOT revoked");
    is_put_off(&ann.post("/sign-out", &[]).await, "NOT revoked");
    let other = Person::at(&served.url, "Ann");
    is_put_off(
        &other.post("/sign-in?lang=fr", &[("email", &ann.email), ("password", crate::harness::PASSWORD)]).await,
        "Rien n’a été enregistré",
    );
    for (method, path, body) in
        [("DELETE", "/api/v1/me/token", String::new()), ("POST", "/oauth2/revoke", format!("token={key}"))]
    {
        let (status, told) = served.program(method, path, body).await;
        assert!(status == 503 && told.contains("STILL WORKS"), "{path}: {status} {told}");
    }
    for path in ["/account/tokens", "/account/tokens/new", "/account/sessions", "/account/profile"] {
        assert_eq!(ann.get(path).await.status, 200, "{path}");
    }
    assert_eq!(status(&served.url, key).await, 200);
    assert_eq!(served.changes().await, (200, "changes: not saved; the log says why".into()));
    assert_eq!(served.metric("jeton_database_failing").await, "1");

    limit_files(&served.jeton, None);
    served.is_well_again().await;
    assert_eq!(served.metric("jeton_database_failing").await, "0");
    let excel = ann.makes_token("Excel").await;
    assert_eq!(ann.revokes("Power BI").await.status, 303);
    assert_eq!((status(&served.url, key).await, status(&served.url, &excel).await), (401, 200));
    let log = served.jeton.terminate();
    let lines = |words: &str| log.lines().filter(|line| line.contains(words)).count();
    assert_eq!(
        (lines("the database fails"), lines("database works again"), lines("a request failed")),
        (1, 1, 0),
        "{log}"
    );
}

/// A separate file system for a server, which only the server's namespace sees.
struct SmallDisk {
    data: PathBuf,
}

impl SmallDisk {
    /// Returns the shell commands that mount it. This fails where neither root nor other users may mount: nothing else
    /// shows the effects of a full disk.
    fn first(data: &Path, kilobytes: u32) -> String {
        let users = if getuid().is_root() { "" } else { "r" };
        let data = data.display();
        format!(
            "exec unshare -{users}m sh -c 'mount -t tmpfs -o size={kilobytes}k,mode=0700 none {data} && exec \"$@\"' sh \"$@\"; false"
        )
    }

    fn of(served: &Served, data: &Path) -> SmallDisk {
        let root = format!("/proc/{}/root", served.jeton.child.id());
        SmallDisk { data: Path::new(&root).join(data.strip_prefix("/").unwrap()) }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.data.join(name)
    }

    /// Fills the file system completely.
    fn fill(&self) {
        let mut file = File::options().append(true).create(true).open(self.file("filler")).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            let block = vec![1; size];
            while file.write_all(&block).is_ok() {}
        }
        assert_eq!(file.write_all(&[1]).unwrap_err().kind(), ErrorKind::StorageFull);
    }
}

#[actix_web::test]
async fn on_a_full_disk_access_can_still_be_ended() {
    let data = folder();
    let served = Served::after(&SmallDisk::first(data.path(), 12_000), data.path()).await;
    let (ann, url) = (&served.ann, &served.url);
    let disk = SmallDisk::of(&served, data.path());
    let mut keys = vec![("Power BI".to_owned(), served.key.clone())];
    for number in 0..6 {
        let label = format!("token {number}");
        keys.push((label.clone(), ann.makes_token(&label).await));
    }
    let kept = || fs::metadata(disk.file("jeton.db-reserve")).map(|file| file.len()).ok();
    while kept() != Some(1 << 20) {
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
    disk.fill();
    // SQLite may find room in files that it has.
    for number in 0.. {
        let label = format!("one more {number}");
        let answer = ann.asks_for_token(&label, "read", "45").await;
        if answer.status != 200 {
            is_put_off(&answer, "Nothing was saved");
            break;
        }
        assert_eq!(ann.revokes(&label).await.status, 303);
    }

    // Somebody signs in, and ends everything.
    let tab = Person::at(url, "Ann");
    assert_eq!(tab.signs_in().await.status, 303);
    for (label, key) in &keys {
        assert_eq!(status(url, key).await, 200);
        assert_eq!(tab.revokes(label).await.status, 303, "{label}");
        assert_eq!(status(url, key).await, 401, "{label}");
    }
    assert_eq!(tab.post("/account/sessions/end-others", &[]).await.status, 303);
    assert_eq!(ann.get("/account/tokens").await.status, 303, "signed out");
    assert_eq!(kept(), Some(0));
    // What is left is for that alone.
    is_put_off(&tab.asks_for_token("one more", "read", "45").await, "Nothing was saved");
    assert_eq!(served.changes().await, (200, "changes: not saved; the log says why".into()));

    fs::remove_file(disk.file("filler")).unwrap();
    served.is_well_again().await;
    assert_eq!(kept(), Some(1 << 20));
    let key = tab.makes_token("one more").await;
    assert_eq!(status(url, &key).await, 200);
}

/// The marker of a full disk is an empty file, which the next start and the commands see as well.
#[actix_web::test]
async fn the_reserve_is_only_for_what_ends_access() {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    let key = ann.makes_token("Power BI").await;
    let reserve = app.folder().join("jeton.db-reserve");
    while fs::metadata(&reserve).map(|file| file.len()).ok() != Some(1 << 20) {
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
    fs::write(&reserve, "").unwrap();
    drop(Jeton::open(app.settings()).expect("it starts"));
    // Nobody fills it before something has been refused.
    let other = app.browser("Ann");
    assert_eq!(other.signs_in().await.status, 303);
    assert_eq!(other.revokes("Power BI").await.status, 303);
    assert_eq!(app.me(&key).await.status, 401);
    is_put_off(&ann.asks_for_token("Excel", "read", "45").await, "Nothing was saved");
    while app.jeton.database_fails() {
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
    ann.makes_token("Excel").await;
}

#[db_test]
async fn pages_do_not_wait_for_writers(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    app.clock.advance(120);
    let (held, holding) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let db = app.db.clone();
    let writer = std::thread::spawn(move || {
        db.write::<_, StorageError>(|connection| {
            sql_query("UPDATE sessions SET seen_at = seen_at").execute(connection)?;
            sql_query("UPDATE memberships SET permission_set_id = permission_set_id").execute(connection)?;
            held.send(()).unwrap();
            released.recv().unwrap_err();
            Ok(())
        })
    });
    holding.recv().unwrap();
    for path in ["/account/tokens", "/account/tokens/new", "/account/sessions", "/account/profile"] {
        assert_eq!(ann.get(path).await.status, 200, "{path}");
    }
    assert_eq!(app.me(&key).await.status, 200);
    drop(release);
    writer.join().unwrap().unwrap();
}

#[db_test]
async fn a_defect_is_not_reported_as_a_database_failure(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let nonce = ann.get("/account/tokens/new").await.field("nonce").unwrap();
    change(&app, "ALTER TABLE api_tokens RENAME TO gone");
    let fields = [("label", "Excel"), ("scope", "read"), ("inactivity", "45"), ("nonce", &nonce)];
    assert_eq!(ann.post("/account/tokens", &fields).await.status, 500);
    assert!(!app.jeton.database_fails());
}

/// Only the error code of Postgres is the same in every language, and diesel does not pass it on.
#[actix_web::test]
async fn a_full_disk_of_postgres_is_recognized_in_any_language() {
    let (app, ann) = TestApp::with_user(TestDb::postgres(), "Ann").await;
    let key = ann.makes_token("Power BI").await;
    for (code, words) in [("53100", "n''a pas pu étendre le fichier"), ("58030", "konnte Datei nicht schreiben")] {
        change(
            &app,
            &format!(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION '{words}' USING ERRCODE = '{code}'; END $$"
            ),
        );
        change(
            &app,
            "CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON api_tokens FOR EACH ROW EXECUTE FUNCTION full_disk()",
        );
        is_put_off(&ann.asks_for_token("Excel", "read", "45").await, "Nothing was saved");
        is_put_off(&ann.revokes("Power BI").await, "NOT revoked");
        assert_eq!(app.me(&key).await.status, 200);
        change(&app, "DROP FUNCTION full_disk CASCADE");
    }
    assert_eq!(ann.revokes("Power BI").await.status, 303);
    assert_eq!(app.me(&key).await.status, 401);
}
