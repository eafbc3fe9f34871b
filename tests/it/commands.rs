//! What commands need, and what they leave behind: no database of their own, no output to a reader that is gone, no
//! more rights than their work takes.

use crate::harness::{
    Person, TestDb, db_test, folder,
    process::{Process, client, command, fails, prints},
};
use diesel::{Connection, PgConnection, connection::SimpleConnection};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

const LOOKING: [&[&str]; 5] =
    [&["user", "list"], &["org", "list"], &["token", "list"], &["activity", "list"], &["activity", "verify"]];

const CHANGING: [&[&str]; 6] = [
    &["user", "create", "ann@example.org", "--name", "Ann", "--org", "x", "--public-url", "https://jeton.example.org"],
    &["user", "reset-password", "ann@example.org"],
    &["user", "deactivate", "ann@example.org"],
    &["org", "create", "X", "--administrator", "ann@example.org"],
    &["token", "revoke", "k7m2q9xd4t"],
    &["token", "revoke", "--unused-for", "90", "--yes"],
];

fn on(db: &TestDb, arguments: &[&str]) -> Command {
    let mut command = command(arguments, db.folder());
    command.env("DATABASE_URL", &db.url);
    command
}

#[db_test]
async fn no_command_creates_a_database(db: TestDb) {
    let elsewhere = db.folder().join("elsewhere");
    for arguments in LOOKING.iter().chain(&CHANGING) {
        for data in [db.folder(), &elsewhere] {
            let output = on(&db, arguments).env("JETON_DATA_DIR", data).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{arguments:?}: {said}");
            let place = if db.url.starts_with("sqlite:") { "/jeton.db" } else { "DATABASE_URL" };
            assert!(
                said.contains(&format!("{place}: there is no database")) && said.contains("jeton serve"),
                "{arguments:?}: {said}"
            );
        }
    }
    assert_eq!(fs::read_dir(db.folder()).unwrap().count(), 0);
    // Without an address, the folder that is looked into is named.
    let mut lost = on(&db, &["user", "list"]);
    let said = fails(lost.env_remove("DATABASE_URL").env_remove("JETON_DATA_DIR").current_dir(db.folder()));
    assert!(said.contains("data/jeton.db: there is no database"), "{said}");
    assert_eq!(fs::read_dir(db.folder()).unwrap().count(), 0);
    if let Ok(mut connection) = PgConnection::establish(&db.url) {
        connection.batch_execute("SELECT 1/count(*) FROM pg_tables WHERE schemaname = 'public'").unwrap_err();
    }
    // Nor a pepper for a database whose own is missing.
    Process::start(on(&db, &[])).first_lines();
    fs::remove_file(db.folder().join("pepper")).unwrap();
    for arguments in CHANGING {
        assert!(fails(&mut on(&db, arguments)).contains("the pepper is missing"));
    }
    assert!(!db.folder().join("pepper").exists());
    assert!(on(&db, &["user", "list"]).output().unwrap().status.success(), "which takes none");
}

#[db_test]
async fn a_database_of_an_older_version_is_left_as_it_is(db: TestDb) {
    Process::start(on(&db, &[])).first_lines();
    let forget = "DELETE FROM __diesel_schema_migrations \
                  WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)";
    match PgConnection::establish(&db.url) {
        Ok(mut connection) => connection.batch_execute(forget).unwrap(),
        Err(_) => sqlite(&db).batch_execute(forget).unwrap(),
    }
    for arguments in LOOKING.iter().chain(&CHANGING) {
        let said = fails(&mut on(&db, arguments));
        assert!(said.contains("older version") && said.contains("jeton serve"), "{said}");
    }
}

#[db_test]
async fn an_empty_list_says_so(db: TestDb) {
    let mut jeton = Process::start(on(&db, &[]));
    let (url, code) = jeton.first_lines();
    let listed = |arguments: &[&str]| String::from_utf8(on(&db, arguments).output().unwrap().stdout).unwrap();
    for (arguments, nothing) in [
        (&["user", "list"], "There is no user yet.\n"),
        (&["org", "list"], "There is no organization yet.\n"),
        (&["token", "list"], "No active token matches.\n"),
        (&["activity", "list"], "The log has no entry yet.\n"),
        (&["activity", "verify"], "The log has no entry yet.\n"),
    ] {
        assert_eq!(listed(arguments), nothing);
        assert_eq!(listed(&[arguments, &["--json"][..]].concat()), "[]\n", "{arguments:?}");
    }
    let ann = Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    assert_eq!(listed(&["token", "revoke", "--unused-for", "1", "--yes"]), "No active token matches.\n");
    assert_eq!(listed(&["token", "revoke", "--unused-for", "1", "--yes", "--json"]), "[]\n");
}

#[db_test]
async fn a_closed_output_is_no_error(db: TestDb) {
    let mut jeton = Process::start(on(&db, &[]));
    let (url, code) = jeton.first_lines();
    let ann = Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    let key = ann.makes_token("Power BI").await;
    let unread = |arguments: &[&str]| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let Output { status, stderr, .. } = on(&db, arguments).stdout(writer).output().unwrap();
        (status.code(), String::from_utf8(stderr).unwrap())
    };
    for arguments in LOOKING {
        assert_eq!(unread(arguments), (Some(0), String::new()), "{arguments:?}");
        assert_eq!(unread(&[arguments, &["--json"]].concat()), (Some(0), String::new()), "{arguments:?}");
    }
    assert_eq!(unread(&["--help"]), (Some(0), String::new()));
    // What is wrong is still an error, and what was asked is still done.
    let (status, said) = unread(&["token", "revoke", "--owner", "ann@example.org"]);
    assert!(status == Some(1) && said.contains("add --yes"), "{said}");
    assert_eq!(unread(&["token", "revoke", "--owner", "ann@example.org", "--yes"]), (Some(0), String::new()));
    assert_eq!(client().get(format!("{url}/api/v1/me")).bearer_auth(&key).send().await.unwrap().status(), 401);
}

#[actix_web::test]
async fn a_server_runs_although_nobody_reads_its_output() {
    let data = folder();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut jeton = command(&[], data.path());
    let mut jeton = jeton.env("JETON_LISTEN", format!("127.0.0.1:{port}")).stdout(writer).spawn().unwrap();
    let asked = || client().get(format!("http://127.0.0.1:{port}/healthz")).send();
    let mut is_there = false;
    for _ in 0..200 {
        is_there = is_there || asked().await.is_ok_and(|answer| answer.status() == 200);
        if is_there || jeton.try_wait().unwrap().is_some() {
            break;
        }
        actix_web::rt::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    jeton.kill().unwrap();
    jeton.wait().unwrap();
    assert!(is_there);
}

fn sqlite(db: &TestDb) -> diesel::SqliteConnection {
    diesel::SqliteConnection::establish(db.url.strip_prefix("sqlite:").unwrap()).unwrap()
}

/// Returns a command run by a user who owns nothing: root could do anything.
fn of_nobody(arguments: &[&str], data: &Path) -> Command {
    let program = data.parent().unwrap().join("jeton");
    if !program.exists() {
        fs::copy(env!("CARGO_BIN_EXE_jeton"), &program).unwrap();
    }
    let mut theirs = Command::new("setpriv");
    theirs.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program).args(arguments);
    theirs.env_clear().env("PATH", "/usr/bin:/bin").env("JETON_DATA_DIR", data);
    theirs.stdin(Stdio::null());
    theirs
}

/// Makes a folder readable for everybody and writable only for its owner.
fn readable(folder: &Path) {
    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    set(folder.parent().unwrap(), 0o755);
    set(folder, 0o755);
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        set(&path, if path.ends_with("pepper") { 0o600 } else { 0o644 });
    }
}

#[actix_web::test]
async fn commands_that_only_read_work_on_a_read_only_file() {
    let outside = folder();
    let data = outside.path().join("data");
    let mut jeton = Process::start(command(&[], &data));
    let (url, code) = jeton.first_lines();
    let ann = Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    ann.makes_token("Power BI").await;
    readable(&data);
    for is_running in [true, false] {
        if !is_running {
            jeton.terminate();
            readable(&data);
        }
        for arguments in LOOKING {
            let seen = prints(&mut of_nobody(&[arguments, &["--json"]].concat(), &data));
            assert!(!seen.as_array().unwrap().is_empty(), "{arguments:?}, running: {is_running}");
            if !is_running {
                prints(&mut command(&[arguments, &["--json"]].concat(), &data));
                let is_log = |name: &str| name.ends_with("-wal") || name.ends_with("-shm");
                let names = fs::read_dir(&data).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
                assert!(!names.collect::<Vec<_>>().iter().any(|name| is_log(name)), "its owner leaves nothing behind");
            }
        }
        for arguments in CHANGING {
            let said = fails(&mut of_nobody(arguments, &data));
            assert!(said.contains("Permission denied") && said.contains("pepper"), "{said}");
        }
    }
    fs::set_permissions(data.join("jeton.db"), Permissions::from_mode(0o600)).unwrap();
    let said = fails(&mut of_nobody(&["user", "list"], &data));
    assert!(said.contains("jeton.db") && said.contains("Permission denied"), "{said}");
    // A copy on a disk that is read only, which a log without its database's other files cannot be read from.
    fs::set_permissions(data.join("jeton.db"), Permissions::from_mode(0o644)).unwrap();
    fs::write(data.join("jeton.db-wal"), "what was committed last").unwrap();
    let said = fails(&mut of_nobody(&["user", "list"], &data));
    assert!(said.contains("jeton.db"), "{said}");
}

#[actix_web::test]
async fn commands_that_only_read_work_with_a_read_only_role() {
    let db = TestDb::postgres();
    let mut jeton = Process::start(on(&db, &[]));
    let (url, code) = jeton.first_lines();
    let ann = Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    ann.makes_token("Power BI").await;
    let mut admin = PgConnection::establish(&db.url).unwrap();
    let role = format!("reader_{}", std::process::id());
    admin
        .batch_execute(&format!(
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE {role} LOGIN; \
             GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"
        ))
        .unwrap();
    let url = db.url.replace("postgres@", &format!("{role}@"));
    let nowhere = folder();
    for arguments in LOOKING {
        let seen = prints(command(&[arguments, &["--json"]].concat(), nowhere.path()).env("DATABASE_URL", &url));
        assert!(!seen.as_array().unwrap().is_empty(), "{arguments:?}");
    }
    let revoke = ["token", "revoke", "--unused-for", "0", "--yes", "--json"];
    let said = fails(on(&db, &revoke).env("DATABASE_URL", &url));
    assert!(said.contains("permission denied"), "{said}");
    assert!(!prints(&mut on(&db, &["token", "list", "--json"])).as_array().unwrap().is_empty(), "nothing is revoked");
    // Changing things takes rows alone, and so does serving, once the schema is there.
    let rows = format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}; \
                        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"
    );
    admin.batch_execute(&rows).unwrap();
    assert_eq!(prints(on(&db, &revoke).env("DATABASE_URL", &url)).as_array().map(Vec::len), Some(1));
    jeton.terminate();
    let mut again = on(&db, &[]);
    again.env("DATABASE_URL", &url);
    Process::start(again).line();
}
