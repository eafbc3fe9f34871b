//! Rows in, domain types out: one file a noun, all SQL of Jeton.
//!
//! A noun's file never imports another noun's. Transactions are opened by `app` through [`Db::read`], [`Db::write`] and
//! [`Db::change_authority`]; the functions here take the open connection.
//!
//! A single row is read by `get_result`, not by `first`: with its `LIMIT`, diesel does not keep the statement prepared on
//! the enum of connections, which costs as much again as the query.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr))]

pub mod activity;
pub mod backups;
mod connection;
mod database_url;
mod db;
pub mod email_changes;
pub mod epoch;
mod existing;
mod health;
mod in_use;
pub mod installation;
pub mod invitations;
pub mod mails;
pub mod memberships;
pub mod nodes;
pub mod organizations;
pub mod password_links;
pub mod people;
pub mod permission_sets;
mod pool;
mod pooler;
pub mod protected_apis;
mod reserve;
pub mod revocations;
mod schema;
pub mod seats;
pub mod sessions;
pub mod tokens;
mod trouble;
pub mod users;

use domain::{
    organization::PermissionSetId,
    permission::{BuiltInSet, Permissions},
    permission_set::{PermissionSet, SetName},
    text,
    user::shown_email,
};

pub use connection::{AnyConnection, folder_of};
pub use database_url::DatabaseUrl;
pub use db::{Db, bring_up_to_date};
pub use health::Health;
pub use in_use::InUse;
pub use trouble::{Failure, Trouble};

/// What can go wrong between Jeton and its database. The text is for the log, never for a page.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A statement failed.
    #[error("database: {0}")]
    Query(#[from] diesel::result::Error),
    /// It cannot do what it was asked, whatever that was.
    #[error("database: {1}")]
    Trouble(Trouble, String),
    /// No connection could be had.
    #[error("database connection: {0}")]
    Connection(String),
    /// There is none.
    #[error(
        "{0}: there is no database of Jeton; jeton serve makes one. --data-dir (JETON_DATA_DIR) and --database-url \
         (DATABASE_URL) say where it is"
    )]
    Missing(String),
    /// Its schema is that of an older version.
    #[error("{0}: this database is of an older version of Jeton; jeton serve brings it up to date")]
    Older(String),
    /// It is a backup.
    #[error("{0}: this is a backup, which jeton restore puts in place")]
    Backup(String),
    /// It cannot hold every text.
    #[error(
        "the encoding of the database is {0}, and Jeton needs UTF8: make another one with CREATE DATABASE … ENCODING \
         'UTF8' TEMPLATE template0"
    )]
    Encoding(String),
    /// The schema could not be brought up to date.
    #[error("migration: {0}")]
    Migration(String),
    /// It could not, since whoever asks may not change it.
    #[error(
        "migrations of the database are still to be done, and its role may not make or change tables: {0}. Start jeton serve \
         once with the role that owns the tables"
    )]
    MayNotMigrate(String),
    /// It only follows another server, and may be behind it (V7).
    #[error(
        "the database is a standby, or not yet recovered: it may not know of the newest revocations, so it is asked nothing"
    )]
    Standby,
    /// A pooler before it gives each transaction another connection.
    #[error(
        "the pooler before the database gives each transaction another connection, and Jeton's statements would go astray: \
         set pool_mode = session for its database (PgBouncer), or give Jeton the address of Postgres itself"
    )]
    SwitchingPooler,
    /// A row holds what this version cannot read.
    #[error("database row: {0} is not understood")]
    Row(String),
}

impl StorageError {
    /// Whether the database fails, not Jeton: the same may work again once that is over.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Connection(_) | Self::Standby | Self::Trouble(..))
    }

    /// Whether it cannot be reached, or is busy with others.
    pub fn is_away(&self) -> bool {
        self.is_passing() && !matches!(self, Self::Trouble(trouble, _) if *trouble != Trouble::Away)
    }

    /// Whether a row could not be written since its unique value is there already.
    pub fn is_duplicate(&self) -> bool {
        use diesel::result::{DatabaseErrorKind::UniqueViolation, Error::DatabaseError};
        matches!(self, Self::Query(DatabaseError(UniqueViolation, _)))
    }
}

/// What storage functions return.
pub type Result<T> = std::result::Result<T, StorageError>;

/// Reads a word of the database that stands for a value of the domain.
fn expect_column<T>(value: Option<T>, word: &str) -> Result<T> {
    value.ok_or_else(|| StorageError::Row(format!("{word:?}")))
}

/// Reads a permission set from its columns.
fn permission_set(id: i64, built_in: Option<String>, name: String, permissions: &str) -> Result<PermissionSet> {
    let name = match built_in {
        Some(key) => SetName::BuiltIn(expect_column(BuiltInSet::from_key(&key), &key)?),
        None => SetName::Own(name),
    };
    Ok(PermissionSet { id: PermissionSetId(id), name, permissions: Permissions::from_keys(permissions) })
}

/// A pattern of LIKE for each word of a search, with `\\` before what is to be taken as it is: the word stands anywhere in a
/// text in its searchable form.
fn patterns(words: &str) -> Vec<String> {
    let escaped = |word: &str| word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    text::words(words).iter().map(|word| format!("%{}%", escaped(word))).collect()
}

/// What people are sorted and searched by: the name, then the address as they read it and as it is mailed.
fn searchable_person(name: &str, email: &str) -> String {
    let shown = shown_email(email);
    let mailed = if shown == email { "" } else { email };
    text::searchable(&format!("{name} {shown} {mailed}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_search_means_its_signs_literally() {
        assert_eq!(super::patterns(" Léa  50%_\\ "), ["%lea%", "%50\\%\\_\\\\%"]);
    }
}
