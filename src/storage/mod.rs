//! Rows in, domain types out: one file a noun, all SQL of Jeton.
//!
//! A noun's file never imports another noun's. Transactions are opened by `app` through [`Db::read`], [`Db::write`] and
//! [`Db::change_authority`]; the functions here take the open connection.
//!
//! A single row is read by `get_result`, not by `first`: with its `LIMIT`, diesel does not keep the statement prepared on
//! the enum of connections, which costs as much again as the query.

pub mod activity;
mod connection;
mod db;
pub mod epoch;
pub mod installation;
pub mod memberships;
pub mod organizations;
pub mod password_links;
pub mod people;
pub mod permission_sets;
mod schema;
pub mod seats;
pub mod sessions;
pub mod tokens;
pub mod users;

pub use connection::{Address, AnyConnection};
pub use db::{Db, RolledBack};

/// What can go wrong between Jeton and its database. The text is for the log, never for a page.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A statement failed.
    #[error("database: {0}")]
    Query(#[from] diesel::result::Error),
    /// No connection could be had.
    #[error("database connection: {0}")]
    Connection(String),
    /// The schema could not be brought up to date.
    #[error("migration: {0}")]
    Migration(String),
    /// A row holds what this version cannot read.
    #[error("database row: {0} is not understood")]
    Row(String),
}

impl StorageError {
    /// Whether it may work again in a moment: no connection, or a statement that took too long.
    pub fn is_passing(&self) -> bool {
        use diesel::result::{DatabaseErrorKind::ClosedConnection, Error};
        match self {
            Self::Connection(_) | Self::Query(Error::DatabaseError(ClosedConnection, _)) => true,
            Self::Query(Error::DatabaseError(_, information)) => {
                let message = information.message();
                message.contains("statement timeout") || message.contains("database is locked")
            }
            _ => false,
        }
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
fn known<T>(value: Option<T>, word: &str) -> Result<T> {
    value.ok_or_else(|| StorageError::Row(format!("{word:?}")))
}
