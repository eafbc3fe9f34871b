//! The epoch of authority: one number, stepped in each transaction that changes what a token may do.

use super::{AnyConnection, Result, schema::auth_epoch};
use diesel::{QueryableByName, SqliteConnection, prelude::*, sql_types::BigInt};

/// Steps the epoch. It must be the last statement of its transaction: its row is the one all authority changes share,
/// and is to be locked for as short as possible.
///
/// # Errors
/// When the database fails.
pub fn step(connection: &mut AnyConnection) -> Result<()> {
    diesel::update(auth_epoch::table).set(auth_epoch::epoch.eq(auth_epoch::epoch + 1)).execute(connection)?;
    Ok(())
}

/// The epoch of all that is committed at this moment.
///
/// # Errors
/// When the database fails.
pub fn read(connection: &mut AnyConnection) -> Result<i64> {
    Ok(auth_epoch::table.select(auth_epoch::epoch).first(connection)?)
}

#[derive(QueryableByName)]
struct DataVersion {
    #[diesel(sql_type = BigInt)]
    data_version: i64,
}

/// SQLite's number that differs from the one read before on the same connection whenever another connection, of this
/// or of another process, has committed in between. It costs no read of a table (<https://sqlite.org/pragma.html#pragma_data_version>).
///
/// # Errors
/// When the database fails.
pub fn data_version(connection: &mut SqliteConnection) -> Result<i64> {
    Ok(diesel::sql_query("PRAGMA data_version").get_result::<DataVersion>(connection)?.data_version)
}
