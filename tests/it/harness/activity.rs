//! The activity log, read directly from the database.

use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types};
use storage::{Db, StorageError};

/// An entry of the log.
#[derive(QueryableByName, Debug)]
pub struct Entry {
    /// What happened.
    #[diesel(sql_type = sql_types::Text)]
    pub action: String,
    /// Who did it.
    #[diesel(sql_type = sql_types::Text)]
    pub actor_name: String,
    /// How many times it happened.
    #[diesel(sql_type = sql_types::BigInt)]
    pub count: i64,
    /// The token's label.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub token_label: Option<String>,
    /// The organization it happened in.
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    pub organization_id: Option<i64>,
}

/// The whole log, oldest first.
pub fn activity(db: &Db) -> Vec<Entry> {
    let all = "SELECT action, actor_name, count, token_label, organization_id FROM activity ORDER BY id";
    db.read::<_, StorageError>(|connection| Ok(sql_query(all).load(connection)?)).expect("a log")
}
