//! Jeton as its operator meets it: a process with a data folder.

use crate::harness::{TestDb, folder};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

/// A `jeton` process that is ended with the test.
struct Process {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn command(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jeton"));
    command
        .args(arguments)
        .env_clear()
        .env("TMPDIR", data)
        .env("JETON_DATA_DIR", data)
        .env("JETON_LISTEN", "127.0.0.1:0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Process {
    fn start(mut command: Command) -> Process {
        let mut child = command.spawn().expect("jeton starts");
        let lines = BufReader::new(child.stdout.take().expect("its output"));
        Process { child, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// Where a new server is reached, and the code of its set-up link.
    fn first_lines(&mut self) -> (String, String) {
        let url = self.line().split_whitespace().last().expect("an address").to_owned();
        (0..2).for_each(|_| drop(self.line()));
        (url, self.line().trim().rsplit('=').next().expect("a code").to_owned())
    }

    /// Sends SIGTERM and returns what it still printed on standard error.
    fn terminate(&mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        let mut rest = String::new();
        self.child.stderr.take().expect("its log").read_to_string(&mut rest).expect("text");
        assert!(self.child.wait().expect("its end").success(), "{rest}");
        rest
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
}

async fn status(url: &str, key: &str) -> u16 {
    client().get(format!("{url}/api/v1/me")).bearer_auth(key).send().await.unwrap().status().as_u16()
}

fn fails(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().expect("jeton starts");
    assert!(!status.success());
    String::from_utf8(stderr).unwrap()
}

#[actix_web::test]
async fn without_any_configuration_it_serves_and_prints_the_set_up_link() {
    let data = folder();
    let mut jeton = Process::start(command(&[], data.path()));
    let first = jeton.line();
    let url = first.split_whitespace().last().unwrap().to_owned();
    assert!(url.starts_with("http://127.0.0.1:"), "{first}");
    assert!(jeton.line().contains("no user"));
    jeton.line();
    let link = jeton.line().trim().to_owned();
    assert!(link.starts_with(&format!("{url}/setup?code=")), "{link}");
    assert_eq!(client().get(&link).send().await.unwrap().status(), 200);

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data.path().join("pepper")), 0o600);
    assert!(data.path().join("jeton.db").exists());
    jeton.terminate();
}

#[actix_web::test]
async fn a_demonstration_prints_one_live_key_of_each_kind_and_leaves_nothing() {
    let data = folder();
    let mut jeton = Process::start(command(&["demo", "--json"], data.path()));
    let told: Value = serde_json::from_str(&jeton.line()).unwrap();
    let url = told["url"].as_str().unwrap();
    assert_eq!(told["users"].as_array().unwrap().len(), 3);
    let kinds = [("personal_read_only", "read"), ("personal_read_write", "read write"), ("service", "read write")];
    for (kind, scope) in kinds {
        let key = told["tokens"][kind].as_str().unwrap();
        let me = client().get(format!("{url}/api/v1/me")).bearer_auth(key).send().await.unwrap();
        assert_eq!(me.status(), 200, "{kind}");
        assert_eq!(me.json::<Value>().await.unwrap()["scope"], scope);
    }
    let page = client().get(format!("{url}/sign-in")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("demonstration"));
    jeton.terminate();
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0, "its folder is gone");
}

#[actix_web::test]
async fn a_stop_writes_down_the_last_uses() {
    let data = folder();
    let mut demo = Process::start(command(&["demo", "--json", "--database-url", &db_in(data.path())], data.path()));
    let told: Value = serde_json::from_str(&demo.line()).unwrap();
    let key = told["tokens"]["personal_read_write"].as_str().unwrap();
    assert_eq!(status(told["url"].as_str().unwrap(), key).await, 200);
    demo.terminate();
}

fn db_in(data: &Path) -> String {
    format!("sqlite:{}", data.join("kept.db").display())
}

#[test]
fn it_refuses_to_start_with_a_pepper_that_is_not_the_databases() {
    let data = folder();
    Process::start(command(&[], data.path())).line();
    let pepper = data.path().join("pepper");

    fs::write(&pepper, format!("{}\n", "0".repeat(64))).unwrap();
    let wrong = fails(&mut command(&[], data.path()));
    assert!(wrong.contains("pepper") && wrong.contains("does not belong"), "{wrong}");
    assert!(!wrong.contains("0000000000"), "the pepper itself is not printed");

    fs::write(&pepper, "not a pepper").unwrap();
    assert!(fails(&mut command(&[], data.path())).contains("64 hexadecimal digits"));

    fs::remove_file(&pepper).unwrap();
    let missing = fails(&mut command(&[], data.path()));
    assert!(missing.contains("missing"), "{missing}");
    assert!(!pepper.exists(), "no new one is made up");
}

#[test]
fn it_refuses_what_it_cannot_use_and_says_which_variable() {
    let data = folder();
    for (variable, value) in [
        ("JETON_LISTEN", "8080"),
        ("JETON_LISTEN", "0.0.0.0:0"),
        ("JETON_PUBLIC_URL", "jeton.example.org"),
        ("JETON_TRUSTED_PROXIES", "everybody"),
        ("JETON_WORKERS", "many"),
        ("JETON_SMTP_URL", "smtp://ann:secret@mail.example.org?tls=maybe"),
        ("JETON_SMTP_URL", "mail.example.org"),
        ("JETON_MAIL_FROM", "Jeton"),
        ("DATABASE_URL", "mysql://ann:secret@127.0.0.1/x"),
        ("DATABASE_URL", "postgres://ann:secret@db.example.org/x"),
    ] {
        let mut command = command(&[], data.path());
        command.env("JETON_SMTP_URL", "smtp://localhost").env("JETON_MAIL_FROM", "jeton@example.org");
        let said = fails(command.env(variable, value));
        let named = if value == "0.0.0.0:0" { "JETON_PUBLIC_URL" } else { variable };
        assert!(said.contains(named), "{variable}={value}: {said}");
        assert!(!said.contains("secret"), "{said}");
        assert_eq!(said.trim().lines().count(), 1, "one line, no panic: {said}");
    }
    let half = fails(command(&[], data.path()).env("JETON_SMTP_URL", "smtp://ann:secret@mail.example.org"));
    assert!(half.contains("JETON_MAIL_FROM") && !half.contains("secret"), "{half}");
    let nobody = fails(command(&[], data.path()).env("DATABASE_URL", "postgres://ann:secret@127.0.0.1:1/x"));
    assert!(nobody.contains("database") && !nobody.contains("secret"), "{nobody}");
    fs::write(data.path().join("file"), "").unwrap();
    let no_folder = fails(command(&[], data.path()).env("JETON_DATA_DIR", data.path().join("file/below")));
    assert!(no_folder.contains("file/below"), "{no_folder}");
}

/// What was answered before `kill -9` is there afterwards, whole, on either database.
async fn survives_kills(db: TestDb) {
    let start = || {
        let mut command = command(&[], db.folder());
        command.env("DATABASE_URL", &db.url);
        Process::start(command)
    };
    let mut jeton = start();
    let (url, code) = jeton.first_lines();
    let ann = crate::harness::Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);

    let (mut alive, mut dead) = (Vec::new(), Vec::new());
    for round in 0..6 {
        let url = if round == 0 {
            url.clone()
        } else {
            jeton = start();
            jeton.line().split_whitespace().last().unwrap().to_owned()
        };
        let ann = crate::harness::Person::at(&url, "Ann");
        assert_eq!(ann.signs_in().await.status, 303);
        let label = format!("round {round}");
        let key = ann.makes_token(&label).await;
        alive.push(key);
        if round % 2 == 1 {
            assert_eq!(ann.revokes(&label).await.status, 303);
            dead.extend(alive.pop());
        }
        // More writes are under way when it is killed; whether those are kept is open, half of one is not.
        let tab = ann.copy();
        let writes =
            futures_util::future::join_all((0..8).map(|_| tab.try_post("/account/theme", &[("theme", "dark")])));
        let kill = async {
            actix_web::rt::time::sleep(Duration::from_millis(4)).await;
            jeton.child.kill().unwrap();
            jeton.child.wait().unwrap();
        };
        futures_util::future::join(writes, kill).await;
    }
    let mut jeton = start();
    let url = jeton.line().split_whitespace().last().unwrap().to_owned();
    for key in &alive {
        assert_eq!(status(&url, key).await, 200);
    }
    for key in &dead {
        assert_eq!(status(&url, key).await, 401);
    }
}

#[actix_web::test]
async fn what_was_answered_survives_kill_9_on_sqlite() {
    survives_kills(TestDb::sqlite()).await;
}

#[actix_web::test]
async fn what_was_answered_survives_kill_9_on_postgres() {
    survives_kills(TestDb::postgres()).await;
}

#[actix_web::test]
async fn no_secret_is_in_the_log_or_on_the_disk() {
    let data = folder();
    let mut jeton = Process::start({
        let mut command = command(&[], data.path());
        command.env("JETON_LOG", "trace");
        command
    });
    let (url, code) = jeton.first_lines();
    // The log is read while it is written, so that a full pipe stops nobody.
    let mut log = jeton.child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
    });
    let ann = crate::harness::Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    let key = ann.makes_token("Power BI").await;
    assert_eq!(status(&url, &key).await, 200);
    client().get(format!("{url}/api/v1/me?access_token={key}")).send().await.unwrap();
    ann.revokes("Power BI").await;
    assert_eq!(status(&url, &key).await, 401);
    let asked = ["user", "password-link", "ann@example.org", "--json", "--public-url", &url];
    let link = prints(&mut command(&asked, data.path()))["link"].as_str().unwrap().to_owned();
    assert_eq!(client().get(&link).send().await.unwrap().status(), 200);
    let link_code = link.rsplit('/').next().unwrap();
    drop(jeton);
    let mut kept = reader.join().unwrap().into_bytes();
    assert!(!kept.is_empty());
    for file in fs::read_dir(data.path()).unwrap() {
        kept.extend(fs::read(file.unwrap().path()).unwrap());
    }
    let body = &key[6..38];
    let hex: String = body.bytes().map(|byte| format!("{byte:02x}")).collect();
    for secret in [body, &body[..16], &body[16..], hex.as_str(), crate::harness::PASSWORD, link_code] {
        assert!(!crate::harness::contains(&kept, secret.as_bytes()), "{secret}");
    }
}

#[actix_web::test]
async fn mail_that_cannot_be_sent_is_in_the_log_under_the_id_of_its_request() {
    let data = folder();
    let mut command = command(&[], data.path());
    // Nobody listens there.
    command.env("JETON_SMTP_URL", "smtp://ann:secret@127.0.0.1:1").env("JETON_MAIL_FROM", "jeton@example.org");
    let mut jeton = Process::start(command);
    let (url, code) = jeton.first_lines();
    let ann = crate::harness::Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    let answer = ann.post("/sign-in/forgotten", &[("email", &ann.email)]).await;
    assert_eq!(answer.status, 303);
    let (say, lines) = std::sync::mpsc::channel();
    let mut log = BufReader::new(jeton.child.stderr.take().unwrap()).lines();
    std::thread::spawn(move || log.by_ref().map_while(Result::ok).try_for_each(|line| say.send(line)));
    let next = || lines.recv_timeout(Duration::from_secs(20)).expect("a line about the mail");
    let line = std::iter::repeat_with(next).find(|line| line.contains("a mail could not be sent")).unwrap();
    assert!(line.contains(answer.header("x-request-id")), "{line}");
    assert!(!["secret", "/password/", "ann@example.org"].iter().any(|word| line.contains(word)), "{line}");
}

fn prints(command: &mut Command) -> Value {
    let Output { status, stdout, stderr } = command.output().expect("jeton starts");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    serde_json::from_slice(&stdout).expect("JSON")
}

/// An operator's commands beside a running server.
async fn operates(db: TestDb) {
    let jeton = |arguments: &[&str]| {
        let mut command = command(arguments, db.folder());
        command.env("DATABASE_URL", &db.url);
        command
    };
    let mut server = Process::start(jeton(&[]));
    let (url, code) = server.first_lines();
    let ann = crate::harness::Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    let key = ann.makes_token("Power <BI>").await;
    assert_eq!(status(&url, &key).await, 200);

    assert_eq!(prints(&mut jeton(&["user", "list", "--json"]))[0]["email"], "ann@example.org");
    let tokens = prints(&mut jeton(&["token", "list", "--owner", "ANN@example.org", "--json"]));
    assert_eq!((tokens[0]["label"].as_str(), tokens[0]["scope"].as_str()), (Some("Power <BI>"), Some("read")));
    assert!(!tokens.to_string().contains(&key[6..20]));
    assert_eq!(prints(&mut jeton(&["token", "list", "--unused-for", "1", "--json"])), Value::Array(Vec::new()));
    assert!(fails(&mut jeton(&["token", "list", "--owner", "eve@example.org"])).contains("not found"));

    let id = tokens[0]["id"].as_str().unwrap();
    assert_eq!(prints(&mut jeton(&["token", "revoke", id, "--json"]))["revoked"], true);
    assert_eq!(status(&url, &key).await, 401, "the running server refuses it at once");
    assert_eq!(prints(&mut jeton(&["token", "revoke", id, "--json"]))["revoked"], false);
    assert!(fails(&mut jeton(&["token", "revoke", "zzzzzzzzzz"])).contains("not found"));

    let key = ann.makes_service_token("SAP").await;
    assert_eq!(status(&url, &key).await, 200);
    let tokens = prints(&mut jeton(&["token", "list", "--json"]));
    assert_eq!((tokens[0]["kind"].as_str(), tokens[0]["owner"].as_str()), (Some("service"), Some("croix-bleue-sahel")));
    let id = tokens[0]["id"].as_str().unwrap();
    assert_eq!(prints(&mut jeton(&["token", "revoke", id, "--json"]))["revoked"], true);
    assert_eq!(status(&url, &key).await, 401);
    assert_eq!(prints(&mut jeton(&["token", "revoke", id, "--json"]))["revoked"], false);

    let entries = prints(&mut jeton(&["activity", "list", "--org", "croix-bleue-sahel", "--limit", "2", "--json"]));
    assert_eq!((entries[0]["action"].as_str(), entries.as_array().map(Vec::len)), (Some("token.revoked"), Some(2)));
    assert!(fails(&mut jeton(&["activity", "list", "--org", "elsewhere"])).contains("not found"));
    let whole = prints(&mut jeton(&["activity", "verify", "--json"]));
    let is_whole = |log: &Value| log["is_whole"] == true;
    assert!(whole.as_array().is_some_and(|logs| !logs.is_empty() && logs.iter().all(is_whole)), "{whole}");
    let noted = format!("1:{}", "0".repeat(64));
    let elsewhere = fails(&mut jeton(&["activity", "verify", "--org", "croix-bleue-sahel", "--head", &noted]));
    assert!(elsewhere.contains("tampered with: croix-bleue-sahel"), "{elsewhere}");

    let asked = ["user", "password-link", "ANN@example.org", "--json", "--public-url", &url];
    let link = prints(&mut jeton(&asked))["link"].as_str().unwrap().to_owned();
    let path = link.strip_prefix(&url).unwrap();
    assert_eq!(ann.get(path).await.status, 200);
    assert_eq!(ann.post(path, &[("new_password", "another long enough sentence")]).await.status, 303);
    assert_eq!(ann.get("/account/tokens").await.status, 303, "the session has ended");
    assert_eq!(ann.signs_in_with("another long enough sentence").await.status, 303);
    let link = prints(&mut jeton(&asked))["link"].as_str().unwrap().to_owned();
    assert!(
        fails(&mut jeton(&["user", "password-link", "eve@example.org", "--public-url", &url])).contains("not found")
    );

    let reset = prints(&mut jeton(&["user", "reset-password", "ann@example.org", "--json"]));
    assert_eq!(ann.get("/account/tokens").await.status, 303, "the session has ended");
    assert_eq!(ann.signs_in().await.status, 422, "the old password is worth nothing");
    assert_eq!(ann.signs_in_with(reset["password"].as_str().unwrap()).await.status, 303);
    assert_eq!(ann.get(link.strip_prefix(&url).unwrap()).await.status, 410, "a new password ends links");
    assert!(fails(&mut jeton(&["user", "reset-password", "eve@example.org"])).contains("not found"));
}

#[actix_web::test]
async fn an_operator_helps_and_revokes_beside_a_running_server_on_sqlite() {
    operates(TestDb::sqlite()).await;
}

#[actix_web::test]
async fn an_operator_helps_and_revokes_beside_a_running_server_on_postgres() {
    operates(TestDb::postgres()).await;
}

/// Another process that opens and closes the database takes itself for the last one if the server's locks are gone; then it
/// removes the log that the server still writes to, and what was answered is lost.
#[actix_web::test]
async fn a_command_beside_a_running_server_leaves_its_log_in_place() {
    let data = folder();
    let mut server = Process::start(command(&[], data.path()));
    let (url, code) = server.first_lines();
    let ann = crate::harness::Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    let files = || {
        ["jeton.db-wal", "jeton.db-shm"].map(|name| fs::metadata(data.path().join(name)).map(|file| file.ino()).ok())
    };
    let before = files();
    assert!(before.iter().all(Option::is_some));
    for round in 0..3 {
        // Many at once make the pool open new connections, beside those that hold locks.
        let tabs: Vec<_> = (0..12).map(|_| ann.copy()).collect();
        futures_util::future::join_all(tabs.iter().map(|tab| tab.get("/account/tokens"))).await;
        prints(&mut command(&["user", "list", "--json"], data.path()));
        assert_eq!(files(), before, "round {round}");
    }
    // The kernel's own list: the server holds a lock on the database after all the connections that it opened.
    let database = fs::metadata(data.path().join("jeton.db")).unwrap().ino();
    let locks = fs::read_to_string("/proc/locks").unwrap();
    let holder = format!(" {} ", server.child.id());
    let is_held = |line: &str| line.contains(&holder) && line.contains(&format!(":{database} "));
    assert!(locks.lines().any(is_held), "{locks}");
    let key = ann.makes_token("Power BI").await;
    let tokens = prints(&mut command(&["token", "list", "--json"], data.path()));
    prints(&mut command(&["token", "revoke", tokens[0]["id"].as_str().unwrap(), "--json"], data.path()));
    assert_eq!(status(&url, &key).await, 401);
}
