//! A pooler between Jeton and Postgres, such as PgBouncer.
//!
//! One that gives a connection for as long as the client has its own (`pool_mode = session`) is as good as none. One that
//! gives another for each transaction or statement is not: statements that are prepared on one are unknown on the next, or,
//! as all clients give them the same names, are *others* there; settings of one reach all.

use super::{AnyConnection, DatabaseUrl, Result, StorageError};
use diesel::{Connection, PgConnection, RunQueryDsl, dsl::sql, result::Error, select, sql_types::Integer};

/// How often is looked: with others in between, a switch may be missed once.
const TIMES: usize = 3;

/// Refuses a pooler that switches connections under its clients: a second client that is in a transaction gets the one
/// that the first had a moment ago, or the first gets another while that lasts.
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
            // By statements, it lets nobody begin a transaction.
            Err(_) if backend(first).is_ok() => return Err(StorageError::SwitchingPooler),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The number of the server's process behind the connection.
fn backend(connection: &mut PgConnection) -> Result<i32> {
    match select(sql::<Integer>("pg_backend_pid()")).get_result(connection) {
        // Somebody else has got the connection between the two steps of the question.
        Err(Error::DatabaseError(_, said)) if said.message().contains("prepared statement") => {
            Err(StorageError::SwitchingPooler)
        }
        answer => Ok(answer?),
    }
}
