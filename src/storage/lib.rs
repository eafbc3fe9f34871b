//! All SQL of Jeton: rows in, domain types out, with one file for each noun.
//!
//! The file of a noun never imports that of another. `app` opens transactions with [`Db::read`], [`Db::write`] and
//! [`Db::change_keys`]; the functions here take the open connection.
//!
//! A single row is read with `get_result`, not with `first`: because of its `LIMIT`, diesel does not cache the prepared
//! statement on the enum of connections, which doubles the cost of the query.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr))]

pub mod access;
pub mod access_rules;
pub mod activity;
pub mod audience;
pub mod backups;
mod connection;
mod database_url;
mod db;
pub mod directory;
pub mod email_changes;
pub mod epoch;
mod existing;
pub mod external_ids;
pub mod groups;
mod health;
mod in_use;
pub mod installation;
pub mod invitations;
pub mod items;
pub mod kept_answers;
pub mod kind_forms;
pub mod kinds;
pub mod mails;
pub mod members;
pub mod memberships;
pub mod nodes;
pub mod organizations;
pub mod password_links;
pub mod people;
pub mod permission_sets;
mod pool;
mod pooler;
pub mod protected_apis;
pub mod recipients;
pub mod refused_organizations;
mod reserve;
pub mod revocations;
mod schema;
pub mod seats;
pub mod sessions;
pub mod shares;
pub mod sites;
pub mod tokens;
mod trouble;
pub mod users;

use diesel::prelude::*;
use domain::{
    organization::{OrganizationId, PermissionSetId},
    permission::{BuiltInSet, OwnPermissions, Permissions},
    permission_set::{PermissionSet, SetName},
    text,
    user::shown_email,
};

pub use connection::{AnyConnection, folder_of};
pub use database_url::DatabaseUrl;
pub use db::{Changed, Db, bring_up_to_date};
pub use health::Health;
pub use in_use::{InUse, ServerLock};
pub use trouble::{Failure, Trouble};

/// The errors of the database. The text is for the log and for commands, never for a page.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A statement failed.
    #[error("database: {0}")]
    Query(#[from] diesel::result::Error),
    /// The database cannot do anything of the kind right now, whatever the statement.
    #[error("database: {1}")]
    Trouble(Trouble, String),
    /// No connection could be opened.
    #[error("database connection: {0}")]
    Connection(String),
    /// There is no database.
    #[error(
        "{0}: there is no database of Jeton; jeton serve creates one. --data-dir (JETON_DATA_DIR) and --database-url \
         (DATABASE_URL) say where it is"
    )]
    Missing(String),
    /// Its schema is that of an older version.
    #[error("{0}: this database is of an older version of Jeton; jeton serve brings it up to date")]
    Older(String),
    /// It is a backup.
    #[error("{0}: this is a backup; restore it with jeton restore")]
    Backup(String),
    /// The database cannot store every text.
    #[error(
        "the encoding of the database is {0}, and Jeton needs UTF8: create one with CREATE DATABASE … ENCODING \
         'UTF8' TEMPLATE template0"
    )]
    Encoding(String),
    /// The schema could not be migrated.
    #[error("migration: {0}")]
    Migration(String),
    /// The schema could not be migrated, as the role may not change it.
    #[error(
        "the database must be migrated, but its role may not create or change tables: {0}. Start jeton serve once with \
         the role that owns the tables"
    )]
    MayNotMigrate(String),
    /// The database is a standby, which may lag behind its primary (V7).
    #[error(
        "the database is a standby, or still in recovery: it may lack the newest revocations, so Jeton does not use it"
    )]
    Standby,
    /// A pooler gives each transaction another connection.
    #[error(
        "the pooler in front of the database gives each transaction another connection, so Jeton's prepared statements \
         would fail: set pool_mode = session for its database (PgBouncer), or connect Jeton to Postgres directly"
    )]
    SwitchingPooler,
    /// A row has a value that this version cannot read.
    #[error("database row: {0} is not understood")]
    Row(String),
}

impl StorageError {
    /// Returns whether the database failed, not Jeton itself: the same call may succeed later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Connection(_) | Self::Standby | Self::Trouble(..))
    }

    /// Returns whether the database cannot be reached, or is busy.
    pub fn is_away(&self) -> bool {
        self.is_passing() && !matches!(self, Self::Trouble(trouble, _) if *trouble != Trouble::Away)
    }

    /// Returns whether a row could not be written because its unique value already exists.
    pub fn is_duplicate(&self) -> bool {
        use diesel::result::{DatabaseErrorKind::UniqueViolation, Error::DatabaseError};
        matches!(self, Self::Query(DatabaseError(UniqueViolation, _)))
    }
}

/// The result of storage functions.
pub type Result<T> = std::result::Result<T, StorageError>;

/// Unwraps a domain value that was parsed from a word in the database.
fn expect_column<T>(value: Option<T>, word: &str) -> Result<T> {
    value.ok_or_else(|| StorageError::Row(format!("{word:?}")))
}

/// Reads a permission set from its columns, in an organization that has added `known`.
fn permission_set(
    id: i64,
    built_in: Option<String>,
    name: String,
    permissions: &str,
    known: &OwnPermissions,
) -> Result<PermissionSet> {
    let name = match built_in {
        Some(key) => SetName::BuiltIn(expect_column(BuiltInSet::from_key(&key), &key)?),
        None => SetName::Own(name),
    };
    let permissions = granted(name == SetName::BuiltIn(BuiltInSet::Administrator), permissions, known);
    Ok(PermissionSet { id: PermissionSetId(id), name, permissions })
}

/// Returns what a permission set grants in an organization that has added `known`: *Administrator* everything, whatever
/// was stored when there was less.
fn granted(is_administrator: bool, permissions: &str, known: &OwnPermissions) -> Permissions {
    if is_administrator { Permissions::everything(known) } else { Permissions::from_keys(permissions, known) }
}

/// Returns the permissions that an organization has added.
pub fn known_in(connection: &mut AnyConnection, organization: OrganizationId) -> Result<OwnPermissions> {
    use schema::organizations;
    let known: Option<String> = organizations::table
        .find(organization.0)
        .select(organizations::own_permissions)
        .get_result(connection)
        .optional()?;
    Ok(OwnPermissions::parse(&known.unwrap_or_default()))
}

/// Returns a LIKE pattern for each word of a search, which matches the word anywhere in a searchable text. Special
/// characters are escaped with `\\`.
fn patterns(words: &str) -> Vec<String> {
    let escaped = |word: &str| word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    text::words(words).iter().map(|word| format!("%{}%", escaped(word))).collect()
}

/// Returns the text by which people are sorted and searched: the name, then the address as people read it and as it is
/// mailed.
fn searchable_person(name: &str, email: &str) -> String {
    let shown = shown_email(email);
    let mailed = if shown == email { "" } else { email };
    text::searchable(&format!("{name} {shown} {mailed}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn wildcards_in_a_search_are_literal() {
        assert_eq!(super::patterns(" Léa  50%_\\ "), ["%lea%", "%50\\%\\_\\\\%"]);
    }
}
