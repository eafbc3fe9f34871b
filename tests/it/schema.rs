//! Both databases have the same schema, and `storage/schema.rs` describes the same one to diesel.
//!
//! A schema is read from the database itself as a set of lines, such as `column users.name text not null`, so a
//! difference is named by its own line.

use crate::harness::TestDb;
use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text};
use regex::Regex;
use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};
use storage::{AnyConnection, DatabaseUrl, Db};

/// The lines of a schema.
pub type Schema = BTreeSet<String>;

/// Types that have another name in SQLite, and their names in Postgres. In SQLite only an INTEGER key is generated
/// automatically.
const TYPES: [(&str, &str); 2] = [("blob", "bytea"), ("integer", "bigint")];

const SQLITE: &str = "
    WITH tables AS (
        SELECT name, sql FROM sqlite_master
        WHERE type = 'table' AND name NOT LIKE 'sqlite^_%' ESCAPE '^' AND name <> '__diesel_schema_migrations'
    ), columns AS (
        SELECT t.name || '.' || c.name AS name, c.type, c.\"notnull\" OR c.pk AND c.type = 'INTEGER' AS is_never_null,
            coalesce(c.dflt_value, CASE WHEN c.pk AND t.sql LIKE '%AUTOINCREMENT%' THEN 'generated' END) AS default_value
        FROM tables t, pragma_table_info(t.name) c
    )
    SELECT 'column ' || name AS about, type || iif(is_never_null, ' NOT NULL', ' NULL') AS definition FROM columns
    UNION ALL
    SELECT 'default of ' || name, default_value FROM columns WHERE default_value IS NOT NULL
    UNION ALL
    SELECT 'table ' || t.name || ':', 'PRIMARY KEY (' || (SELECT group_concat(name, ', ') FROM
        (SELECT name FROM pragma_table_info(t.name) WHERE pk > 0 ORDER BY pk)) || ')' FROM tables t
    UNION ALL
    SELECT 'table ' || t.name || ':', 'UNIQUE (' || (SELECT group_concat(name, ', ') FROM
        (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) || ')'
        FROM tables t, pragma_index_list(t.name) i WHERE i.origin = 'u'
    UNION ALL
    SELECT 'table ' || t.name || ':', 'FOREIGN KEY (' || f.\"from\" || ') REFERENCES ' || f.\"table\" || ' (' || f.\"to\" ||
        ')' || CASE f.on_delete WHEN 'NO ACTION' THEN '' ELSE ' ON DELETE ' || f.on_delete END
        FROM tables t, pragma_foreign_key_list(t.name) f
    UNION ALL
    SELECT 'index', sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
    UNION ALL
    SELECT 'source ' || name, sql FROM tables";

const POSTGRES: &str = "
    WITH tables AS (
        SELECT oid, relname AS name FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname <> '__diesel_schema_migrations'
    ), columns AS (
        SELECT tables.name || '.' || attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull,
            coalesce(pg_get_expr(adbin, adrelid), CASE WHEN attidentity <> '' THEN 'generated' END) AS default_value
        FROM tables JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    )
    SELECT 'column ' || name AS about, type || CASE WHEN attnotnull THEN ' NOT NULL' ELSE ' NULL' END AS definition
        FROM columns
    UNION ALL
    SELECT 'default of ' || name, default_value FROM columns WHERE default_value IS NOT NULL
    UNION ALL
    SELECT 'table ' || name || ':', pg_get_constraintdef(pg_constraint.oid)
        FROM tables JOIN pg_constraint ON conrelid = tables.oid WHERE contype IN ('p', 'u', 'f', 'c')
    UNION ALL
    SELECT 'index', pg_get_indexdef(indexrelid) FROM tables JOIN pg_index ON indrelid = tables.oid
        WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))";

static CAST: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"::\w+").expect("a pattern"));
static BETWEEN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(\w+) between (\w+) and").expect("a pattern"));

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    about: String,
    #[diesel(sql_type = Text)]
    definition: String,
}

/// Reads the schema that a database really has.
pub fn of_database(connection: &mut AnyConnection) -> Schema {
    let (query, types) = match connection {
        AnyConnection::Sqlite(_) => (SQLITE, &TYPES[..]),
        AnyConnection::Postgres(_) => (POSTGRES, &[][..]),
    };
    let rows: Vec<Row> = sql_query(query).load(connection).expect("a schema");
    rows.iter().flat_map(|row| lines(row, types)).collect()
}

fn lines(Row { about, definition }: &Row, types: &[(&str, &str)]) -> Vec<String> {
    match about.split_once(' ') {
        Some(("source", table)) => checks(table, definition),
        Some(("column", _)) => vec![format!("{about} {}", translated(&in_one_form(definition), types))],
        _ => vec![format!("{about} {}", in_one_form(definition))],
    }
}

/// Reads the checks of a table, which SQLite keeps as they were written.
fn checks(table: &str, source: &str) -> Vec<String> {
    let code: String = source.lines().filter_map(|line| line.split("--").next()).collect();
    let check = |rest: &str| format!("table {table}: check {}", in_one_form(in_parentheses(rest)));
    code.split("CHECK (").skip(1).map(check).collect()
}

/// Returns the part before the closing parenthesis of a text whose opening one was removed.
fn in_parentheses(text: &str) -> &str {
    let mut depth = 1;
    let end = text.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    });
    &text[..end.expect("a closing parenthesis")]
}

/// Normalizes what each database writes in its own way. Parentheses are ignored.
fn in_one_form(sql: &str) -> String {
    let mut is_literal = false;
    let mut plain = String::new();
    for c in sql.chars() {
        is_literal ^= c == '\'';
        match c {
            _ if is_literal => plain.push(c),
            '(' | ')' | '[' | ']' => plain.push(' '),
            '"' => {}
            _ => plain.push(c.to_ascii_lowercase()),
        }
    }
    let plain = CAST.replace_all(&plain, "");
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ").replace(" ,", ",");
    let plain = plain.replace("= any array", "in").replace(" using btree", "").replace(" public.", " ");
    BETWEEN.replace_all(&plain, "$1 >= $2 and $1 <=").into_owned()
}

fn translated(column: &str, types: &[(&str, &str)]) -> String {
    types.iter().fold(column.to_owned(), |column, (sqlite, postgres)| column.replace(sqlite, postgres))
}

/// Returns the columns and primary keys that diesel knows, except those of backups.
fn of_diesel() -> Schema {
    let source =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/storage/schema.rs")).expect("a file");
    let source: String = source.lines().filter(|line| !line.contains("///")).collect();
    let table = Regex::new(r"table! \{\s*(\w+) \(([\w, ]+)\) \{([^}]*)\}").expect("a pattern");
    let column = Regex::new(r"(\w+) -> (Nullable<)?(\w+)").expect("a pattern");
    let mut lines = Schema::new();
    for [name, key, columns] in table.captures_iter(&source).map(|table| table.extract().1) {
        if name == "jeton_backup" {
            continue;
        }
        lines.insert(format!("table {name}: primary key {key}"));
        for column in column.captures_iter(columns) {
            let null = if column.get(2).is_some() { "null" } else { "not null" };
            lines.insert(format!("column {name}.{} {} {null}", &column[1], of_diesel_type(&column[3])));
        }
    }
    lines
}

fn of_diesel_type(name: &str) -> &str {
    match name {
        "BigInt" => "bigint",
        "SmallInt" => "smallint",
        "Text" => "text",
        "Binary" => "bytea",
        "Bool" => "boolean",
        other => other,
    }
}

/// Returns the lines of each schema that the other lacks.
pub fn differences((name, one): (&str, &Schema), (other_name, other): (&str, &Schema)) -> Vec<String> {
    let only = |name: &str, one: &Schema, other: &Schema| -> Vec<String> {
        one.difference(other).map(|line| format!("only {name}: {line}")).collect()
    };
    [only(name, one, other), only(other_name, other, one)].concat()
}

/// Opens a connection to a new database that the program has created.
pub fn new_database(db: &TestDb) -> AnyConnection {
    let address = DatabaseUrl::parse(&db.url).expect("an address");
    Db::open(address.clone()).expect("a database");
    address.connect().expect("a connection")
}

fn change(connection: &mut AnyConnection, statement: &str) {
    match connection {
        AnyConnection::Sqlite(sqlite) => sqlite.batch_execute(statement),
        AnyConnection::Postgres(postgres) => postgres.batch_execute(statement),
    }
    .expect(statement);
}

#[test]
fn both_databases_have_the_same_schema() {
    let (sqlite, postgres) = (TestDb::sqlite(), TestDb::postgres());
    let [sqlite, postgres] = [&sqlite, &postgres].map(|db| of_database(&mut new_database(db)));
    assert!(sqlite.len() > 300, "{sqlite:#?}");
    assert_eq!(differences(("SQLite", &sqlite), ("Postgres", &postgres)), Vec::<String>::new());
}

#[test]
fn the_schema_of_diesel_is_that_of_the_databases() {
    let mut schema = of_database(&mut new_database(&TestDb::sqlite()));
    schema.retain(|line| line.starts_with("column ") || line.contains(": primary key "));
    assert_eq!(differences(("SQLite", &schema), ("diesel", &of_diesel())), Vec::<String>::new());
}

#[test]
fn differences_between_schemas_are_named() {
    let in_both = [
        ("ALTER TABLE users ADD COLUMN nickname TEXT DEFAULT 'x'", "column users.nickname text null"),
        ("ALTER TABLE users ADD COLUMN size BIGINT NOT NULL DEFAULT 1", "default of users.size 1"),
        ("ALTER TABLE mails RENAME COLUMN tries TO attempts", "column mails.tries bigint not null"),
        ("DROP INDEX users_search", "index create index users_search on users search"),
        (
            "DROP INDEX seats_current; CREATE INDEX seats_current ON seats (membership_id) WHERE ended_at IS NULL",
            "unique",
        ),
        ("DROP INDEX activity_action; CREATE INDEX activity_action ON activity (action, at)", "activity action, at"),
        ("DROP INDEX api_tokens_ending; CREATE INDEX api_tokens_ending ON api_tokens (ends_at)", "revoked_at is null"),
        ("CREATE TABLE notes (id BIGINT NOT NULL PRIMARY KEY)", "table notes: primary key id"),
    ];
    let in_postgres = [
        ("ALTER TABLE users ALTER COLUMN name DROP NOT NULL", "column users.name text null"),
        ("ALTER TABLE seats ALTER COLUMN began_at TYPE INTEGER", "column seats.began_at integer not null"),
        (
            "ALTER TABLE sessions DROP CONSTRAINT sessions_user_id_fkey",
            "table sessions: foreign key user_id references users",
        ),
        ("ALTER TABLE api_tokens DROP CONSTRAINT api_tokens_digest_key", "table api_tokens: unique digest"),
        (
            "ALTER TABLE users DROP CONSTRAINT users_theme_check",
            "table users: check theme in 'system', 'light', 'dark'",
        ),
        ("ALTER TABLE token_calls DROP CONSTRAINT token_calls_pkey", "table token_calls: primary key token_id, day"),
    ];
    for db in [TestDb::sqlite(), TestDb::postgres()] {
        let mut connection = new_database(&db);
        let further = if matches!(connection, AnyConnection::Postgres(_)) { &in_postgres[..] } else { &[] };
        let mut before = of_database(&mut connection);
        for (statement, line) in in_both.iter().chain(further) {
            change(&mut connection, statement);
            let after = of_database(&mut connection);
            let found = differences(("before", &before), ("after", &after));
            assert!(found.iter().any(|found| found.contains(line)), "{statement}: {found:#?}");
            before = after;
        }
    }
}
