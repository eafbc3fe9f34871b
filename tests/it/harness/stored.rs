//! All data of an installation, as bytes to search.

use super::TestApp;
use diesel::{
    QueryResult, QueryableByName, RunQueryDsl, query_builder::SqlQuery, query_dsl::LoadQuery, sql_query,
    sql_types::BigInt,
};
use std::process::Command;
use storage::{DatabaseUrl, StorageError};

/// Returns every file of the data folder, and with Postgres a dump of the whole database.
pub fn everything_stored(app: &TestApp) -> Vec<u8> {
    let mut stored = Vec::new();
    for file in std::fs::read_dir(app.folder()).expect("the data folder") {
        stored.extend(std::fs::read(file.expect("a file").path()).expect("a readable file"));
    }
    if let DatabaseUrl::Postgres(parameters) = app.db.address() {
        let dump =
            Command::new("pg_dump").arg(parameters.conninfo()).output().expect("pg_dump of Debian's postgresql-client");
        assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
        stored.extend(dump.stdout);
    }
    assert!(contains(&stored, b"ann@example.org"), "what is searched is the real thing");
    stored
}

/// Returns whether `needle` is anywhere in `hay`.
pub fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

/// A row with a number.
#[derive(QueryableByName)]
pub struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Returns how many rows there are; `rows` is the SQL after FROM.
pub fn count(app: &TestApp, rows: &str) -> i64 {
    app.db.read::<_, StorageError>(|connection| Ok(count_in(connection, rows)?)).expect("a number")
}

/// The same over a separate connection.
pub fn count_in<C>(connection: &mut C, rows: &str) -> QueryResult<i64>
where
    SqlQuery: for<'query> LoadQuery<'query, C, Count>,
{
    let sql = format!("SELECT count(*) AS count FROM {rows}");
    Ok(sql_query(sql).get_result::<Count>(connection)?.count)
}

/// Changes the database directly.
pub fn change(app: &TestApp, sql: &str) {
    app.db.write::<_, StorageError>(|connection| Ok(sql_query(sql).execute(connection).map(drop)?)).expect("a change");
}
