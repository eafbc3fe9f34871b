//! Facts about this installation.

use super::{AnyConnection, Result, schema::installation};
use diesel::prelude::*;
use domain::time::Timestamp;

/// What the database knows of the installation that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Tells whether a pepper is the one that the token digests were made with.
    pub pepper_check: Vec<u8>,
    /// Whether this is a demonstration, whose pages say so.
    pub is_demo: bool,
}

/// The installation, unless the database is new.
pub fn find(connection: &mut AnyConnection) -> Result<Option<Installation>> {
    let row = installation::table.select((installation::pepper_check, installation::is_demo)).get_result(connection);
    Ok(row.optional()?.map(|(pepper_check, is_demo)| Installation { pepper_check, is_demo }))
}

/// Writes down the installation of a new database.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] if another node was first.
pub fn insert(connection: &mut AnyConnection, new: &Installation, now: Timestamp) -> Result<()> {
    diesel::insert_into(installation::table)
        .values((
            installation::id.eq(1),
            installation::pepper_check.eq(&new.pepper_check),
            installation::is_demo.eq(new.is_demo),
            installation::created_at.eq(now.seconds()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Holds back every other transaction that locks the installation until this one ends.
pub fn lock(connection: &mut AnyConnection) -> Result<()> {
    // A write of the same value locks the row on Postgres; on SQLite the transaction has the whole database already.
    diesel::update(installation::table).set(installation::id.eq(installation::id)).execute(connection)?;
    Ok(())
}
