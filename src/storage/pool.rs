//! A pool of connections that recovers when all its connections hang.

use super::{AnyConnection, DatabaseUrl, Result, StorageError};
use diesel::r2d2::{Pool, PooledConnection};
use std::{
    sync::{Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

/// The timeout for getting a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// If no connection has been returned for this long, they hang: it is longer than Postgres lets a statement run
/// ([`DatabaseUrl::connect`]).
const STUCK: Duration = Duration::from_secs(11);

/// The pool.
///
/// If the network drops all packets or the server hangs, whoever has or opens a connection may wait forever. So when no
/// connection is free and none has been returned for long, the waiting threads keep theirs, and all others get a new
/// pool.
pub struct Connections {
    address: DatabaseUrl,
    size: u32,
    pool: RwLock<Pool<DatabaseUrl>>,
    /// When a connection was last returned.
    last_returned: Mutex<Instant>,
}

/// A connection taken from the pool.
pub struct Taken<'a> {
    pooled: PooledConnection<DatabaseUrl>,
    from: &'a Connections,
}

impl Taken<'_> {
    /// The connection.
    pub fn connection(&mut self) -> &mut AnyConnection {
        &mut self.pooled.connection
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.from.last_returned.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl Connections {
    /// Creates a pool of at most `size` connections, which are opened when needed.
    ///
    /// # Errors
    /// When the pool cannot be created.
    pub fn to(address: &DatabaseUrl, size: u32) -> Result<Self> {
        let pool = new_pool(address, size)?.into();
        Ok(Self { address: address.clone(), size, pool, last_returned: Instant::now().into() })
    }

    /// Returns how many connections are open, and how many of them are idle.
    pub fn state(&self) -> (u32, u32) {
        let state = self.current().state();
        (state.connections, state.idle_connections)
    }

    /// Takes a connection.
    ///
    /// # Errors
    /// When none is available in time.
    pub fn take(&self) -> Result<Taken<'_>> {
        let pool = self.current();
        match pool.get() {
            Ok(pooled) => Ok(Taken { pooled, from: self }),
            Err(error) => {
                self.renew(&pool)?;
                Err(StorageError::Connection(error.to_string()))
            }
        }
    }

    fn current(&self) -> Pool<DatabaseUrl> {
        self.pool.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the pool if all its connections hang. Those of SQLite are files, which never hang.
    fn renew(&self, old: &Pool<DatabaseUrl>) -> Result<()> {
        let mut last_returned = self.last_returned.lock().unwrap_or_else(PoisonError::into_inner);
        let is_empty = old.state().idle_connections == 0;
        if matches!(self.address, DatabaseUrl::Postgres(_)) && is_empty && last_returned.elapsed() >= STUCK {
            tracing::warn!("no connection to the database is free and none is returned: all are abandoned");
            *self.pool.write().unwrap_or_else(PoisonError::into_inner) = new_pool(&self.address, self.size)?;
            *last_returned = Instant::now();
        }
        Ok(())
    }
}

fn new_pool(address: &DatabaseUrl, size: u32) -> Result<Pool<DatabaseUrl>> {
    Pool::builder()
        .max_size(size)
        // Connections are opened when needed: a start waits for one only, and an idle server keeps few.
        .min_idle(Some(0))
        .test_on_check_out(matches!(address, DatabaseUrl::Postgres(_)))
        .connection_timeout(PATIENCE)
        .build(address.clone())
        .map_err(|error| StorageError::Connection(error.to_string()))
}
