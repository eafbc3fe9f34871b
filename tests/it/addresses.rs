//! Addresses in the configuration have the same meaning as for those who use them: libpq, browsers, proxies.

use crate::harness::{
    Person, TestDb, folder,
    process::{Process, client, command, fails, prints},
};
use diesel::{Connection, PgConnection, RunQueryDsl, connection::SimpleConnection, dsl::sql, sql_types::Text};
use std::{
    io::{BufRead, BufReader},
    process::Command,
};

/// A new Postgres database, and the parts of its address.
struct Server {
    db: TestDb,
    port: String,
    name: String,
    /// The folder of its socket.
    folder: String,
}

impl Server {
    fn new() -> Server {
        let db = TestDb::postgres();
        let place = db.url.split('@').nth(1).unwrap().split('?').next().unwrap();
        let (port, name) = place.strip_prefix("127.0.0.1:").unwrap().split_once('/').unwrap();
        let (port, name) = (port.to_owned(), name.to_owned());
        let folder = sql::<Text>("SELECT current_setting('unix_socket_directories')").get_result(&mut admin(&db.url));
        Server { port, name, folder: folder.unwrap(), db }
    }

    fn jeton(&self, arguments: &[&str], url: &str) -> Command {
        let mut command = command(arguments, self.db.folder());
        command.env("DATABASE_URL", url);
        command
    }
}

fn admin(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap()
}

#[test]
fn a_database_is_found_in_every_way_that_libpq_supports() {
    let server = Server::new();
    let Server { port, name, folder, db } = &server;
    let mut jeton = Process::start(server.jeton(&[], &db.url));
    jeton.first_lines();
    let (small, large) = (folder.replace('/', "%2f"), folder.replace('/', "%2F"));
    for url in [
        format!("postgres://postgres@127.0.0.1:{port}/{name}"),
        format!("postgresql://postgres@localhost:{port},127.0.0.1:{port}/{name}"),
        format!("postgres://postgres@{small}:{port}/{name}"),
        format!("postgres://postgres@{large}:{port}/{name}?application_name=it%27s"),
        format!("postgres:///{name}?host={folder}&port={port}&user=postgres"),
        format!("postgres://postgres@nowhere.example.org:{port}/{name}?hostaddr=127.0.0.1"),
        format!("host={folder} port={port} dbname='{name}' user = postgres"),
        format!("hostaddr=127.0.0.1 port={port} dbname={name} user=postgres password='a \\'b\\\\ '"),
    ] {
        let listed = prints(&mut server.jeton(&["org", "list", "--json"], &url));
        assert_eq!(listed, serde_json::json!([]), "{url}");
    }
    let mut by_environment = server.jeton(&["user", "list"], &format!("postgres:///{name}?port={port}"));
    let said = by_environment.env("PGHOST", folder).env("PGUSER", "postgres").output().unwrap();
    assert_eq!(String::from_utf8(said.stdout).unwrap(), "There is no user yet.\n");
}

#[test]
fn without_tls_a_database_that_libpq_would_seek_elsewhere_is_refused() {
    let server = Server::new();
    let Server { port, name, folder, .. } = &server;
    for (url, variable) in [
        (format!("postgres://ann:s3cret@db.example.org/{name}"), ("PGHOST", "localhost")),
        (format!("postgres:///{name}?host=db.example.org"), ("PGHOST", "localhost")),
        (format!("postgres://localhost:{port}/{name}?hostaddr=192.0.2.7"), ("PGHOST", "localhost")),
        (format!("postgres://localhost,db.example.org/{name}"), ("PGHOST", "localhost")),
        (format!("host={folder},db.example.org dbname={name} password=s3cret"), ("PGHOST", "localhost")),
        (format!("postgres:///{name}"), ("PGHOST", "db.example.org")),
        (format!("postgres://127.0.0.1:{port}/{name}"), ("PGHOSTADDR", "192.0.2.7")),
    ] {
        let said = fails(server.jeton(&[], &url).env(variable.0, variable.1));
        assert!(said.contains("encryption") && said.contains("sslmode=disable"), "{url}: {said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
    let by_service = fails(server.jeton(&[], &server.db.url).env("PGSERVICE", "jeton"));
    assert!(by_service.contains("PGSERVICE"), "{by_service}");
}

#[test]
fn a_database_that_cannot_hold_every_text_is_refused() {
    let server = Server::new();
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let name = format!("{}_{}", server.name, encoding.to_lowercase());
        let made =
            format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'");
        admin(&server.db.url).batch_execute(&made).unwrap();
        let url = server.db.url.replace(&format!("/{}?", server.name), &format!("/{name}?"));
        let said = fails(&mut server.jeton(&[], &url));
        assert!(said.contains(encoding) && said.contains("UTF8") && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn a_password_that_is_not_encoded_is_never_printed() {
    let data = folder();
    for (variable, value) in [
        ("DATABASE_URL", "postgres://jeton:s3@cret9@127.0.0.1/jeton"),
        ("DATABASE_URL", "postgres://jeton:s3/cret9@127.0.0.1/jeton"),
        ("DATABASE_URL", "postgres://jeton:s3%cret9@127.0.0.1/jeton"),
        ("DATABASE_URL", "postgres://jeton:s3cret9"),
        ("JETON_SMTP_URL", "smtp://jeton:s3/cret9@mail.example.org"),
        ("JETON_SMTP_URL", "smtp://jeton:s3#cret9@mail.example.org"),
        ("JETON_SMTP_URL", "smtp://jeton:s3%cret9@mail.example.org"),
        ("JETON_PUBLIC_URL", "https://jeton:s3cret9@jeton.example.org"),
    ] {
        let mut command = command(&[], data.path());
        let said = fails(command.env("JETON_MAIL_FROM", "jeton@example.org").env(variable, value));
        assert!(said.contains(variable) && !said.contains("s3") && !said.contains("cret9"), "{value}: {said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
    }
    for (url, named) in [
        ("sqlite:jeton.db?mode=rwc", "after ?"),
        ("sqlite::memory:", "in a file"),
        ("file:jeton.db", "sqlite:FILE"),
        ("postgres:///jeton?poolsize=5", "poolsize"),
    ] {
        let said = fails(command(&[], data.path()).current_dir(data.path()).env("DATABASE_URL", url));
        assert!(said.contains(named), "{url}: {said}");
    }
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0, "nothing is made");
}

#[actix_web::test]
async fn an_empty_variable_counts_as_unset() {
    let data = folder();
    let mut jeton = command(&[], data.path());
    for variable in [
        "DATABASE_URL",
        "JETON_PUBLIC_URL",
        "JETON_TRUSTED_PROXIES",
        "JETON_VERIFY_LISTEN",
        "JETON_DRAIN_SECONDS",
        "JETON_WORKERS",
        "JETON_SMTP_URL",
        "JETON_MAIL_FROM",
        "JETON_GITHUB_KEYS_FILE",
        "JETON_LOG",
    ] {
        jeton.env(variable, "");
    }
    let mut jeton = Process::start(jeton);
    let (url, _) = jeton.first_lines();
    assert_eq!(client().get(format!("{url}/readyz")).send().await.unwrap().status(), 200);
    assert!(data.path().join("jeton.db").exists());

    // Those that have a value without them, too.
    let mut elsewhere = command(&["user", "list"], data.path());
    let said = fails(elsewhere.current_dir(data.path()).env("JETON_DATA_DIR", "").env("JETON_PUBLIC_URL", ""));
    assert!(said.contains("data/jeton.db"), "{said}");
    let no_link =
        command(&["user", "password-link", "ann@example.org"], data.path()).env("JETON_PUBLIC_URL", "").output();
    assert_eq!(no_link.unwrap().status.code(), Some(2), "it needs an address");
    let typed = fails(&mut command(&["--public-url", ""], data.path()));
    assert!(typed.contains("JETON_PUBLIC_URL"), "{typed}");
}

#[actix_web::test]
async fn the_public_address_is_recognized_in_every_spelling() {
    let data = folder();
    let mut jeton = command(&[], data.path());
    jeton.env("JETON_PUBLIC_URL", "HTTP://Jeton.Exämple.org.:80/").env("JETON_LISTEN", "127.0.0.1:0");
    jeton.env("JETON_VERIFY_LISTEN", "127.0.0.1:0");
    let mut jeton = Process::start(jeton);
    let first = jeton.line();
    assert!(first.ends_with(" serves http://jeton.xn--exmple-cua.org"), "{first}");
    drop(jeton);

    // The start says where it listens only if that is the public address.
    let mut jeton = Process::start(command(&[], data.path()));
    let (url, code) = jeton.first_lines();
    let port = url.rsplit(':').next().unwrap();
    let ann = Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    for (host, status) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("LocalHost:{port}"), 200),
        (format!("localhost.:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        (format!("[0:0:0:0:0:0:0:1]:{port}"), 200),
        ("localhost".into(), 421),
        (format!("localhost..:{port}"), 421),
        (format!("evil.example.org:{port}"), 421),
    ] {
        let asked = client().get(format!("{url}/sign-in")).header("host", &host).send().await.unwrap();
        assert_eq!(asked.status(), status, "{host}");
        let origin = format!("http://{host}");
        let sent = client().post(format!("{url}/sign-in")).header("origin", origin).body("email=a&password=b");
        let sent = sent.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        assert_eq!(sent.status(), if status == 200 { 422 } else { 403 }, "{host}");
    }
}

#[actix_web::test]
async fn proxies_are_trusted_by_network_and_clients_are_read_in_every_form() {
    let data = folder();
    let mut jeton = command(&[], data.path());
    jeton.env("JETON_TRUSTED_PROXIES", "::ffff:127.0.0.0/104, fd00::/8");
    let mut jeton = Process::start(jeton);
    let (url, code) = jeton.first_lines();
    let ann = Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    for (label, header, value, address) in [
        ("a", "x-forwarded-for", "6.6.6.6, 203.0.113.9:51442", "203.0.113.9"),
        ("b", "x-forwarded-for", "[2001:db8::9]:443, fd00::4", "2001:db8::9"),
        ("c", "forwarded", "for=6.6.6.6, for=\"[2001:db8::8]:4711\";proto=https", "2001:db8::8"),
        ("d", "forwarded", "for=unknown", "127.0.0.1"),
    ] {
        let key = ann.makes_token(label).await;
        let me = client().get(format!("{url}/api/v1/me")).bearer_auth(key).header(header, value).send().await.unwrap();
        assert_eq!(me.status(), 200);
        ann.get("/account/tokens").await.shows(address);
    }
}

#[test]
fn a_trusted_network_that_includes_everybody_is_refused() {
    let data = folder();
    for (value, why) in [("10.0.0.1,0.0.0.0/0", "everybody"), ("fe80::1%eth0", "zone"), ("10.0.0.0/99", "length")] {
        let said = fails(command(&[], data.path()).env("JETON_TRUSTED_PROXIES", value));
        assert!(said.contains("JETON_TRUSTED_PROXIES") && said.contains(why), "{said}");
    }
}

#[test]
fn a_database_file_that_cannot_be_used_is_named_with_the_cause() {
    let data = folder();
    let inside = |name: &str| data.path().join(name).display().to_string();
    std::fs::create_dir(inside("folder")).unwrap();
    std::fs::write(inside("text"), "this is a text and no database, as everybody can see from its first sentence")
        .unwrap();
    for (file, cause) in
        [("missing/jeton.db", "No such file"), ("folder", "unable to open"), ("text", "not a database")]
    {
        let mut jeton = command(&[], data.path());
        let said = fails(jeton.env("DATABASE_URL", format!("sqlite:{}", inside(file))));
        assert!(said.contains(&inside(file)) && said.contains(cause), "{file}: {said}");
    }
    // What another program takes for an address is a name here.
    let mut jeton = command(&[], data.path());
    jeton.current_dir(data.path()).env("JETON_DATA_DIR", "file:odd#%41");
    let mut jeton = Process::start(jeton);
    jeton.first_lines();
    assert!(data.path().join("file:odd#%41/jeton.db").is_file());
    let lines = BufReader::new(jeton.child.stderr.take().unwrap()).lines();
    jeton.child.kill().unwrap();
    assert_eq!(lines.count(), 0);
}
