//! A Postgres role that may not change the schema is enough once the schema exists (A11): set up as `docs/operate.md`
//! says.

use crate::harness::{
    Person, TestDb,
    process::{Process, client, command, fails, status},
};
use diesel::{Connection, PgConnection, RunQueryDsl, connection::SimpleConnection, sql_query};
use regex::Regex;
use std::process::Command;

/// The name of the migration that was added last.
fn newest_migration() -> String {
    let all = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres")).unwrap();
    all.map(|migration| migration.unwrap().file_name().into_string().unwrap()).max().unwrap()
}

const GUIDE: &str = include_str!("../../docs/operate.md");

/// A database with an owner, and a role that only serves.
struct Roles {
    db: TestDb,
    owner: String,
    server: String,
}

impl Roles {
    fn new() -> Roles {
        let id = std::process::id();
        let roles = Roles { db: TestDb::postgres(), owner: format!("owner_{id}"), server: format!("server_{id}") };
        roles.run(&roles.db.url, 0);
        roles
    }

    /// Runs the statements of one code block in the guide.
    fn run(&self, url: &str, place: usize) {
        let text =
            GUIDE.split("```sql\n").nth(place + 1).and_then(|rest| rest.split("```").next()).expect("statements");
        let text = Regex::new(r"\bjeton_owner\b").unwrap().replace_all(text, &self.owner);
        let text = Regex::new(r"\bjeton\b").unwrap().replace_all(&text, &self.server);
        let mut connection = PgConnection::establish(url).unwrap();
        for statement in text.split_inclusive(';').filter(|statement| !statement.trim().is_empty()) {
            connection.batch_execute(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    }

    /// Returns the address of the database for a role.
    fn url(&self, role: &str) -> String {
        let (server, parameters) = (self.db.url.rsplit_once('/').unwrap().0, "sslmode=disable");
        format!("{}/{}?{parameters}", server.replace("postgres@", &format!("{role}@")), self.server)
    }

    fn jeton(&self, role: &str, arguments: &[&str]) -> Command {
        let mut jeton = command(arguments, self.db.folder());
        jeton.env("DATABASE_URL", self.url(role));
        jeton
    }
}

#[actix_web::test]
async fn a_role_without_rights_to_the_schema_works_as_documented() {
    let roles = Roles::new();
    let refused = fails(&mut roles.jeton(&roles.server, &[]));
    assert!(refused.contains("may not create or change tables: 0001_start"), "{refused}");

    let mut first = Process::start(roles.jeton(&roles.owner, &[]));
    let (url, code) = first.first_lines();
    assert_eq!(status(&url, "none").await, 401, "it serves, and takes signals");
    first.terminate();
    roles.run(&roles.url(&roles.owner), 1);

    let mut server = Process::start(roles.jeton(&roles.server, &[]));
    let (url, _) = server.first_lines();
    let ann = Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    let (kept, revoked) = (ann.makes_token("kept").await, ann.makes_service_token("SAP").await);
    assert_eq!((status(&url, &kept).await, status(&url, &revoked).await), (200, 200));
    let token = ann.service_token("SAP").await;
    assert_eq!(ann.confirms(&token, "revocation").await.status, 303);
    assert_eq!((status(&url, &kept).await, status(&url, &revoked).await), (200, 401));
    assert_eq!(client().get(format!("{url}/readyz")).send().await.unwrap().status(), 200);
    let said = server.terminate();
    assert!(!said.contains("permission denied"), "{said}");

    let mut connection = PgConnection::establish(&roles.url(&roles.server)).unwrap();
    for forbidden in [
        "CREATE TABLE mine (id INT)",
        "ALTER TABLE users ADD COLUMN mine INT",
        "UPDATE activity SET at = 0",
        "DELETE FROM activity",
        "DELETE FROM __diesel_schema_migrations",
    ] {
        let refused = sql_query(forbidden).execute(&mut connection).unwrap_err().to_string();
        assert!(refused.contains("permission denied") || refused.contains("must be owner"), "{forbidden}: {refused}");
    }

    let mut owner = PgConnection::establish(&roles.url(&roles.owner)).unwrap();
    let newest = "DELETE FROM __diesel_schema_migrations \
                  WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)";
    assert_eq!(sql_query(newest).execute(&mut owner).unwrap(), 1);
    let refused = fails(&mut roles.jeton(&roles.server, &[]));
    let newest = newest_migration();
    assert!(refused.contains(&format!("may not create or change tables: {newest}.")), "only missing ones: {refused}");
}
