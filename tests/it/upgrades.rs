//! Upgrades: a database of the last tagged version works with this version.
//!
//! `schemas/<version>` has such a database for SQLite and for Postgres, filled by that version, and the digests of its
//! migrations. `CONTRIBUTING.md` says how the folder is created.

use crate::{
    activity::breaks,
    harness::{Person, TestApp, TestDb, Trouble, USERS, another_key, change, count, db_test, service::TOKENS},
    schema::{differences, new_database, of_database},
};
use app::clock::Clock;
use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Nullable, SmallInt, Text},
};
use domain::token::{ApiKey, Pepper, TokenKind};
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use storage::{AnyConnection, DatabaseUrl, Db, StorageError, activity};

/// The bytes of the pepper of every kept database.
const PEPPER: [u8; Pepper::LENGTH] = [0x11; Pepper::LENGTH];
const ORG: &str = "/orgs/croix-bleue-sahel";

/// The keys of every kept database, which contains only their digests.
fn key(kind: TokenKind) -> String {
    ApiKey::mint(kind, |buffer| buffer.fill(7)).reveal().to_owned()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the folder of the last tagged version.
fn last_version() -> PathBuf {
    let folders = fs::read_dir(root().join("tests/it/schemas")).expect("a folder");
    let mut folders: Vec<PathBuf> = folders.map(|folder| folder.expect("a folder").path()).collect();
    assert_eq!(folders.len(), 1, "the folder of a version takes the place of the one before: {folders:?}");
    folders.remove(0)
}

fn name_of(db: &TestDb) -> &'static str {
    if db.url.starts_with("sqlite:") { "sqlite" } else { "postgres" }
}

/// Creates an empty database with this name.
fn empty(name: &str) -> TestDb {
    if name == "sqlite" { TestDb::sqlite() } else { TestDb::postgres() }
}

/// Returns the migrations as `sha256sum` prints them.
fn digests() -> String {
    let mut lines = Vec::new();
    for database in ["sqlite", "postgres"] {
        for migration in fs::read_dir(root().join("migrations").join(database)).expect("a folder") {
            let path = migration.expect("a folder").path().join("up.sql");
            let digest = hex::encode(Sha256::digest(fs::read(&path).expect("a migration")));
            lines.push(format!("{digest}  {}\n", path.strip_prefix(root()).expect("a path below").display()));
        }
    }
    lines.sort_unstable_by(|one, other| one[64..].cmp(&other[64..]));
    lines.concat()
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn query(connection: &mut AnyConnection, query: &str) -> Vec<String> {
    let lines: Vec<Line> = sql_query(query).load(connection).expect(query);
    lines.into_iter().map(|line| line.line).collect()
}

/// Returns a whole database as statements that create it again.
fn dump(app: &TestApp) -> String {
    match app.db.address() {
        DatabaseUrl::Sqlite(_) => {
            app.db.read::<_, StorageError>(|connection| Ok(dump_sqlite(connection))).expect("a dump")
        }
        DatabaseUrl::Postgres(parameters) => dump_postgres(&parameters.conninfo()),
    }
}

fn dump_sqlite(connection: &mut AnyConnection) -> String {
    let sources = "SELECT sql || ';' AS line FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'
        ORDER BY type DESC, rowid";
    let mut lines = query(connection, sources);
    let inserts =
        "SELECT 'SELECT ''INSERT INTO ' || t.name || ' (' || group_concat(c.name, ', ') || ') VALUES ('' || ' ||
            group_concat('quote(' || c.name || ')', ' || '', '' || ') || ' || '');'' AS line FROM ' || t.name AS line
        FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'
        GROUP BY t.rowid ORDER BY t.rowid";
    for rows in query(connection, inserts) {
        lines.extend(query(connection, &rows));
    }
    lines.join("\n") + "\n"
}

fn dump_postgres(conninfo: &str) -> String {
    let dumped = Command::new("pg_dump").args(["--inserts", "--no-owner", "--no-privileges", conninfo]).output();
    let dumped = dumped.expect("pg_dump of Debian's postgresql-client");
    assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
    let text = String::from_utf8(dumped.stdout).expect("UTF-8");
    // What is left says the same to every version of Postgres.
    let is_setting =
        |line: &str| ["--", "\\", "SET ", "SELECT pg_catalog.set_config"].iter().any(|begin| line.starts_with(begin));
    let lines = text.lines().filter(|line| !line.is_empty() && !is_setting(line));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Replaces an empty database with a dumped one.
fn load(db: &TestDb, dump: &str) {
    match db.url.strip_prefix("sqlite:") {
        Some(path) => {
            let mut connection = SqliteConnection::establish(path).expect("a new file");
            connection.batch_execute(&format!("PRAGMA foreign_keys = OFF; {dump}")).expect("a dump");
        }
        None => PgConnection::establish(&db.url).expect("a database").batch_execute(dump).expect("a dump"),
    }
}

fn write_pepper(db: &TestDb) {
    fs::write(db.folder().join("pepper"), hex::encode(PEPPER)).expect("a pepper");
}

/// Creates an installation with rows in every table.
async fn filled(db: TestDb) -> TestApp {
    write_pepper(&db);
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    smtp.troubles([Trouble::Says("451 4.3.0 later"); 20]);
    has_tokens(&app, &ann).await;
    let link = ann.invites("leo@example.org", "Reader").await;
    assert_eq!(app.browser("Leo").joins(&link).await.status, 303);
    ann.invites("zoe@example.org", "Reader").await;
    assert_eq!(ann.does("Leo", "password-link").await.status, 200);
    let profile = [("name", "Ann"), ("email", "ann.new@example.org"), ("time_zone", "UTC"), ("theme", "system")];
    ann.get("/account/profile").await;
    assert_eq!(ann.post("/account/profile", &profile).await.status, 303);
    let api = [
        ("name", "Order API"),
        ("address", "https://api.example.org/v1/"),
        ("methods[]", "any"),
        ("path[]", "/**"),
        ("needs[]", "by_method"),
        ("permission[]", ""),
    ];
    assert_eq!(ann.post(&format!("{ORG}/integrations/apis"), &api).await.status, 303);
    let kind = [
        ("singular", "Invoice"),
        ("plural", "Invoices"),
        ("key", "invoices"),
        ("name[]", "Approve"),
        ("action[]", "approve"),
        ("nature[]", "changes"),
    ];
    assert_eq!(ann.post(&format!("{ORG}/kinds"), &kind).await.status, 303);
    for (list, name) in [("groups", "Logistics"), ("sites", "Mopti")] {
        let made = ann.post(&format!("{ORG}/{list}"), &[("name", name)]).await;
        let page = made.header("location").trim_end_matches("?notice=created").to_owned();
        assert_eq!(ann.post(&format!("{page}/members"), &[("people", "leo@example.org")]).await.status, 303);
    }
    crate::items::fill(&app, &ann).await;
    let sync = format!("Bearer {}", ann.makes_token_with("Sync", "read_write").await);
    let headers = [("authorization", &*sync), ("content-type", "application/json"), ("idempotency-key", "a")];
    assert_eq!(app.send("POST", "/api/v1/items/templates", &headers, r#"{"name":"Cold chain"}"#).await.status, 201);
    assert_eq!(ann.revokes("Sync").await.status, 303);
    every_table_has_a_row(&app).await;
    // A dump has neither keys of its own nor the name of the machine.
    for (kind, label) in [(TokenKind::Personal, "Power BI"), (TokenKind::Service, "Warehouse")] {
        let digest = hex::encode(Pepper::new(&PEPPER).digest(&key(kind)).0);
        let digest = match app.db.address() {
            DatabaseUrl::Sqlite(_) => format!("X'{digest}'"),
            DatabaseUrl::Postgres(_) => format!("'\\x{digest}'"),
        };
        change(&app, &format!("UPDATE api_tokens SET digest = {digest} WHERE label = '{label}'"));
    }
    change(&app, "UPDATE nodes SET name = 'node:1'");
    change(&app, "UPDATE revocation_nodes SET node_name = 'node:1'");
    app
}

/// Creates a personal token and a service user's token, both used, and a revoked one.
async fn has_tokens(app: &TestApp, ann: &Person) {
    for key in [ann.makes_token("Power BI").await, ann.makes_service_token("Warehouse").await] {
        assert_eq!(app.me(&key).await.status, 200);
    }
    ann.makes_token("Old export").await;
    assert_eq!(ann.revokes("Old export").await.status, 303);
    app::maintenance::flush_usage(&app.jeton).await.expect("uses are written");
}

async fn every_table_has_a_row(app: &TestApp) {
    let schema = app.db.read::<_, StorageError>(|connection| Ok(of_database(connection))).expect("a schema");
    let tables = schema.iter().filter_map(|line| line.strip_prefix("table ")?.split_once(": primary key"));
    let tables: Vec<&str> = tables.map(|(table, _)| table).collect();
    let mut empty = tables.clone();
    // A node tells of a revocation by itself, within seconds.
    for _ in 0..400 {
        empty.retain(|table| count(app, table) == 0);
        if empty.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert!(tables.len() > 20 && empty.is_empty(), "nothing in {empty:?} of {tables:?}");
}

/// Returns a clock that shows the time just after the newest entry of a dumped database.
fn clock_after(db: &TestDb) -> Clock {
    #[derive(QueryableByName)]
    struct Newest {
        #[diesel(sql_type = BigInt)]
        at: i64,
    }
    let mut connection = DatabaseUrl::parse(&db.url).expect("an address").connect().expect("a connection");
    let newest: Newest = sql_query("SELECT max(at) AS at FROM activity").get_result(&mut connection).expect("a log");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time since 1970").as_secs();
    let clock = Clock::system();
    clock.set(newest.at + 60 - now.cast_signed());
    clock
}

/// Starts this version on a dumped database, and uses it.
async fn goes_on(db: TestDb, dump: &str) {
    write_pepper(&db);
    load(&db, dump);
    let another = empty(name_of(&db));
    let clock = clock_after(&db);
    let app = TestApp::start_by(db, clock).await;
    let upgraded = app.db.read::<_, StorageError>(|connection| Ok(of_database(connection))).expect("a schema");
    let new = of_database(&mut new_database(&another));
    assert_eq!(differences(("upgraded", &upgraded), ("new", &new)), Vec::<String>::new());

    for kind in [TokenKind::Personal, TokenKind::Service] {
        assert_eq!(app.me(&key(kind)).await.status, 200, "{kind:?}");
    }
    assert_eq!(app.me(&another_key()).await.status, 401);
    let ann = app.browser("Ann");
    assert_eq!(ann.signs_in().await.status, 303);
    for (path, text) in [
        ("/account/tokens", "Power BI"),
        (USERS, "Leo"),
        (&format!("{USERS}?q=leo"), "leo@example.org"),
        (USERS, "zoe@example.org"),
        (TOKENS, "Warehouse"),
        (&format!("{ORG}/integrations/inventory?search=power"), "Power BI"),
        (&format!("{ORG}/integrations/apis"), "Order API"),
        (&format!("{ORG}/activity"), "Old export"),
    ] {
        ann.get(path).await.shows(text);
    }
    let new = ann.makes_token("New export").await;
    assert_eq!(app.me(&new).await.status, 200);
    ann.revokes("Power BI").await;
    assert_eq!(app.me(&key(TokenKind::Personal)).await.status, 401);
    let chains = app.db.read(activity::chains).expect("a log");
    assert!(!chains.is_empty());
    for chain in chains {
        assert_eq!(breaks(&app, chain.map_or(0, |id| id.0), None), [], "{chain:?}");
    }
}

#[db_test]
async fn a_database_of_the_last_tagged_version_still_works(db: TestDb) {
    let file = last_version().join(name_of(&db)).with_extension("sql");
    goes_on(db, &fs::read_to_string(file).expect("a dump")).await;
}

/// Version 0.1.0 had no kinds: this goes when its folder goes.
#[db_test]
async fn whoever_could_do_everything_can_also_manage_kinds(db: TestDb) {
    write_pepper(&db);
    load(&db, &fs::read_to_string(last_version().join(name_of(&db)).with_extension("sql")).expect("a dump"));
    let address = DatabaseUrl::parse(&db.url).expect("an address");
    let mut connection = address.connect().expect("a connection");
    for (name, permissions) in [
        ("Everything", "(SELECT permissions FROM permission_sets WHERE built_in = 'administrator')"),
        ("Sets", "'platform.permission_sets platform.integrations'"),
    ] {
        let made = format!(
            "INSERT INTO permission_sets (organization_id, name, permissions, version) VALUES (1, '{name}', {permissions}, 1)"
        );
        assert_eq!(sql_query(made).execute(&mut connection).expect("a set"), 1);
    }
    drop(connection);
    let clock = clock_after(&db);
    let app = TestApp::start_by(db, clock).await;
    let ann = app.browser("Ann");
    assert_eq!(ann.signs_in().await.status, 303);
    ann.get(&format!("{ORG}/permission-sets")).await.shows("Everything 21 permissions").shows("Sets 2 permissions");
    let kind = [("singular", "Invoice"), ("plural", "Invoices"), ("key", "invoices")];
    assert_eq!(ann.post(&format!("{ORG}/kinds"), &kind).await.status, 303);
    ann.get(&format!("{ORG}/permission-sets")).await.shows("Administrator 25 permissions").shows("Everything 21");
    assert_eq!(app.me(&key(TokenKind::Personal)).await.json()["permissions"].as_array().map(Vec::len), Some(13));
}

/// What lists say of the uses of a token.
#[derive(Debug, PartialEq, QueryableByName)]
struct OfUses {
    #[diesel(sql_type = Text)]
    label: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = SmallInt)]
    inactivity_days: i16,
    #[diesel(sql_type = BigInt)]
    idle_since: i64,
    #[diesel(sql_type = Nullable<Text>)]
    address: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    program: Option<String>,
    #[diesel(sql_type = BigInt)]
    refused_count: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    refused_at: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    refused_address: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    refused_program: Option<String>,
}

/// Version 0.1.0 had last uses in the table of tokens: this goes when its folder goes.
#[db_test]
async fn last_uses_move_to_their_own_table(db: TestDb) {
    load(&db, &fs::read_to_string(last_version().join(name_of(&db)).with_extension("sql")).expect("a dump"));
    let address = DatabaseUrl::parse(&db.url).expect("an address");
    let mut connection = address.connect().expect("a connection");
    for change in [
        "UPDATE api_tokens SET refused_count = 3, refused_at = revoked_at + 7, refused_address = '192.0.2.9', \
         refused_program = 'curl/8' WHERE label = 'Old export'",
        "UPDATE api_tokens SET expired_at = created_at + 1, slot = NULL, inactivity_days = 31 WHERE label = 'Warehouse'",
    ] {
        assert_eq!(sql_query(change).execute(&mut connection).expect("a change"), 1, "{change}");
    }
    let before: Vec<OfUses> = sql_query(
        "SELECT label, CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expired_at IS NOT NULL THEN 'expired' \
         ELSE 'active' END AS state, inactivity_days, coalesce(last_used_at, created_at) AS idle_since, \
         last_used_address AS address, last_used_program AS program, \
         refused_count, refused_at, refused_address, refused_program FROM api_tokens ORDER BY id",
    )
    .load(&mut connection)
    .expect("tokens");
    drop(connection);
    Db::open(address.clone()).expect("an upgrade");
    let after: Vec<OfUses> =
        sql_query("SELECT label, token_uses.* FROM token_uses JOIN api_tokens ON id = token_id ORDER BY token_id")
            .load(&mut address.connect().expect("a connection"))
            .expect("uses");
    assert_eq!(before, after);
    let states: Vec<&str> = after.iter().map(|token| &*token.state).collect();
    assert_eq!(states, ["active", "expired", "revoked"]);
    assert_eq!(after.iter().map(|token| token.address.is_some()).collect::<Vec<_>>(), [true, true, false]);
}

/// `JETON_SCHEMAS=folder` keeps it for later versions.
#[db_test]
async fn a_dumped_database_still_works(db: TestDb) {
    let name = name_of(&db);
    let dump = dump(&filled(db).await);
    if let Some(folder) = std::env::var_os("JETON_SCHEMAS").map(PathBuf::from) {
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(name).with_extension("sql"), &dump).expect("a file");
        fs::write(folder.join("migrations.sha256"), digests()).expect("a file");
    }
    goes_on(empty(name), &dump).await;
}

#[test]
fn migrations_of_a_tagged_version_never_change() {
    let tagged = fs::read_to_string(last_version().join("migrations.sha256")).expect("digests");
    let digests = digests();
    let changed: Vec<&str> = tagged.lines().filter(|line| !digests.lines().any(|digest| digest == *line)).collect();
    assert!(!tagged.is_empty() && changed.is_empty(), "changed since they were tagged: {changed:#?}");
}
