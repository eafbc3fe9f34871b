//! A pooler between Jeton and Postgres, such as PgBouncer.
//!
//! A pooler that assigns a connection for as long as the client is connected (`pool_mode = session`) works like
//! Postgres itself. One that assigns another connection for each transaction or statement does not: statements that are
//! prepared on one connection are unknown on the next, or, as all clients use the same names, are *different*
//! statements there; and the settings of one client affect all.

use super::{AnyConnection, DatabaseUrl, Result, StorageError};
use diesel::{Connection, PgConnection, RunQueryDsl, dsl::sql, result::Error, select, sql_types::Integer};

/// How often to check: because of other clients, one check may miss a switch.
const TIMES: usize = 3;

/// Refuses a pooler that switches the connections of its clients: a second client in a transaction gets the connection
/// that the first had just before, or the first one gets another meanwhile.
///
/// # Errors
/// [`StorageError::SwitchingPooler`], or when the database fails.
pub fn refuse_if_it_switches(address: &DatabaseUrl, first: &mut AnyConnection) -> Result<()> {
    let (DatabaseUrl::Postgres(_), AnyConnection::Postgres(first)) = (address, first) else { return Ok(()) };
    let AnyConnection::Postgres(mut second) = address.connect()? else { return Ok(()) };
    for _ in 0..TIMES {
        let before = backend(first)?;
        let seen = second.transaction::<_, StorageError, _>(|second| Ok((backend(second)?, backend(first)?)));
        match seen {
            Ok((during, after)) if during != before && after == before => {}
            Ok(_) => return Err(StorageError::SwitchingPooler),
            // A pooler in statement mode refuses transactions.
            Err(_) if backend(first).is_ok() => return Err(StorageError::SwitchingPooler),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Returns the number of the server process of the connection.
fn backend(connection: &mut PgConnection) -> Result<i32> {
    match select(sql::<Integer>("pg_backend_pid()")).get_result(connection) {
        // Another client got the connection between the two steps of the query.
        Err(Error::DatabaseError(_, said)) if said.message().contains("prepared statement") => {
            Err(StorageError::SwitchingPooler)
        }
        answer => Ok(answer?),
    }
}
