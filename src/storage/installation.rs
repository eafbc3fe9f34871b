//! Facts about this installation.

use super::{AnyConnection, Result, schema::installation};
use diesel::prelude::*;
use domain::time::Timestamp;

/// What the database knows about its installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// A value derived from the pepper of the digests, to check a pepper against.
    pub pepper_check: Vec<u8>,
    /// Whether this is a demonstration, whose pages say so.
    pub is_demo: bool,
}

/// Returns the installation, unless the database is new.
pub fn find(connection: &mut AnyConnection) -> Result<Option<Installation>> {
    let row = installation::table.select((installation::pepper_check, installation::is_demo)).get_result(connection);
    Ok(row.optional()?.map(|(pepper_check, is_demo)| Installation { pepper_check, is_demo }))
}

/// Stores the installation of a new database.
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

/// Locks the installation until this transaction ends.
pub fn lock(connection: &mut AnyConnection) -> Result<()> {
    // Writing the same value locks the row on Postgres; on SQLite, the transaction has already locked the whole
    // database.
    diesel::update(installation::table).set(installation::id.eq(installation::id)).execute(connection)?;
    Ok(())
}
