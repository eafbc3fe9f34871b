//! Jeton as its operator sees it: a process with a data folder.

use crate::harness::{
    TestDb, folder, org,
    process::{Process, after, client, command, fails, prints, status},
};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    time::Duration,
};

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
async fn a_demonstration_prints_a_working_key_of_each_kind_and_leaves_nothing() {
    let data = folder();
    let mut command = command(&["demo", "--json"], data.path());
    command.env("TMPDIR", "/nonexistent");
    let mut jeton = Process::start(command);
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
    for (name, status) in [("seen", 200), ("unseen", 404)] {
        let address = format!("{url}/api/v1/items/templates/{}", told["items"][name].as_str().unwrap());
        let key = told["tokens"]["service"].as_str().unwrap();
        assert_eq!(client().get(address).bearer_auth(key).send().await.unwrap().status(), status, "{name}");
    }
    // With the last one an API asks about the others.
    let (key, asked) = (told["tokens"]["verify_tokens"].as_str().unwrap(), told["tokens"]["service"].as_str().unwrap());
    let asks = client().post(format!("{url}/oauth2/introspect")).bearer_auth(key);
    let form = asks.header("content-type", "application/x-www-form-urlencoded").body(format!("token={asked}"));
    assert_eq!(form.send().await.unwrap().json::<Value>().await.unwrap()["active"], true);
    let page = client().get(format!("{url}/sign-in")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("demonstration"));
    let made: Vec<_> = fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(made.len() == 1 && made[0].join("jeton.db").exists(), "its folder is in the data folder: {made:?}");
    jeton.terminate();
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0, "its folder is gone");
}

#[actix_web::test]
async fn a_demonstration_leaves_what_is_in_the_data_folder_alone() {
    let data = folder();
    let mut real = Process::start(command(&[], data.path()));
    let (_, code) = real.first_lines();
    assert!(!code.is_empty());
    let demo = ["demo", "--json", "--data-dir", data.path().to_str().unwrap()];
    let mut jeton = Process::start(command(&demo, &data.path().join("elsewhere")));
    let told: Value = serde_json::from_str(&jeton.line()).unwrap();
    assert_eq!(status(told["url"].as_str().unwrap(), told["tokens"]["service"].as_str().unwrap()).await, 200);
    jeton.terminate();
    real.terminate();
    let again = Process::start(command(&[], data.path())).line();
    assert!(again.starts_with("Jeton"), "{again}");
    assert!(!data.path().join("elsewhere").exists());
}

#[actix_web::test]
async fn a_demonstration_uses_the_database_that_it_is_given_if_it_is_empty() {
    let data = folder();
    let kept = db_in(data.path());
    let demo = || command(&["demo", "--json", "--database-url", &kept], data.path());
    let mut jeton = Process::start(demo());
    let told: Value = serde_json::from_str(&jeton.line()).unwrap();
    assert_eq!(status(told["url"].as_str().unwrap(), told["tokens"]["service"].as_str().unwrap()).await, 200);
    assert!(data.path().join("kept.db").exists());
    jeton.terminate();
    let refused = fails(&mut demo());
    assert!(
        refused.contains("a demonstration needs an empty database") && refused.trim().lines().count() == 1,
        "{refused}"
    );
}

#[actix_web::test]
async fn stopping_writes_the_last_uses() {
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
fn a_pepper_of_another_database_prevents_the_start() {
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
fn an_invalid_variable_prevents_the_start_and_is_named() {
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

#[test]
fn the_server_raises_its_limit_of_open_files() {
    let data = folder();
    let limited = after("ulimit -S -n 64 && ulimit -H -n 3000", &command(&["demo"], data.path()));
    let mut jeton = Process::start(limited);
    jeton.line();
    let limits = fs::read_to_string(format!("/proc/{}/limits", jeton.child.id())).unwrap();
    let files: Vec<&str> =
        limits.lines().find(|line| line.starts_with("Max open files")).unwrap().split_whitespace().skip(3).collect();
    assert_eq!(files[..2], ["3000", "3000"], "the soft and the hard limit");
}

/// What was answered before `kill -9` is complete afterwards, on either database.
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
    let inventory = org!("/integrations/inventory");
    assert_eq!(ann.asks_for_token(&key, "read", "45").await.status, 422);
    assert_eq!(ann.post(&format!("{inventory}/search"), &[("search", &key)]).await.status, 303);
    assert_eq!(ann.get(&format!("{inventory}?search={key}")).await.status, 303);
    let called = [("user-agent", &*key), ("authorization", &*format!("Bearer {key}"))];
    assert_eq!(ann.request("GET", "/api/v1/me", &called, String::new()).await.status, 200);
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
    let hex = hex::encode(body);
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

#[actix_web::test]
async fn a_request_is_logged_under_its_id_if_configured() {
    for (level, is_there) in [("debug", true), ("info", false)] {
        let data = folder();
        let mut command = command(&[], data.path());
        command.env("JETON_LOG", level);
        let mut jeton = Process::start(command);
        let (url, _) = jeton.first_lines();
        let answer = client().get(format!("{url}/password/some-code")).send().await.unwrap();
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        assert_eq!(client().get(format!("{url}/verify")).send().await.unwrap().status(), 401);
        let log = jeton.terminate();
        let line = log.lines().find(|line| line.contains(&id) && line.contains("answered"));
        assert_eq!(line.is_some(), is_there, "{log}");
        assert!(line.is_none_or(|line| line.contains("/password/{code}") && line.contains("status=410")), "{line:?}");
        assert!(!log.contains("some-code") && (is_there || !log.contains("/verify")), "{log}");
    }
}

/// If the server's locks are gone, another process that opens and closes the database considers itself the last one.
/// Then it removes the write-ahead log that the server still writes to, and committed changes are lost.
#[actix_web::test]
async fn a_command_beside_a_running_server_leaves_its_log_alone() {
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
