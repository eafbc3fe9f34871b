//! A pool of connections that does not stay empty for ever.

use super::{AnyConnection, DatabaseUrl, Result, StorageError};
use diesel::r2d2::{Pool, PooledConnection};
use std::{
    sync::{Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

/// How long somebody waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// When no connection has come back for so long, they hang: longer than Postgres lets a statement run
/// ([`DatabaseUrl::connect`]).
const STUCK: Duration = Duration::from_secs(11);

/// The pool.
///
/// A network or a server that takes everything and answers nothing keeps whoever has a connection, or opens one, waiting,
/// perhaps for ever. So when there is none left and none has come back for long, they keep theirs, and the others get a new
/// pool.
pub struct Connections {
    address: DatabaseUrl,
    size: u32,
    pool: RwLock<Pool<DatabaseUrl>>,
    /// When a connection has last come back.
    came_back: Mutex<Instant>,
}

/// A connection that somebody has.
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
        *self.from.came_back.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl Connections {
    /// At most `size` connections, opened when they are needed.
    ///
    /// # Errors
    /// When there cannot be a pool.
    pub fn to(address: &DatabaseUrl, size: u32) -> Result<Self> {
        let pool = new_pool(address, size)?.into();
        Ok(Self { address: address.clone(), size, pool, came_back: Instant::now().into() })
    }

    /// How many connections are open, and how many of them nobody uses at this moment.
    pub fn state(&self) -> (u32, u32) {
        let state = self.current().state();
        (state.connections, state.idle_connections)
    }

    /// One of the connections.
    ///
    /// # Errors
    /// When there is none in time.
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

    /// Makes a new pool if nothing is to be had from the old one. SQLite's are files, which never do.
    fn renew(&self, old: &Pool<DatabaseUrl>) -> Result<()> {
        let mut came_back = self.came_back.lock().unwrap_or_else(PoisonError::into_inner);
        let is_empty = old.state().idle_connections == 0;
        if matches!(self.address, DatabaseUrl::Postgres(_)) && is_empty && came_back.elapsed() >= STUCK {
            tracing::warn!("there is no connection to the database, and none comes back: all are given up");
            *self.pool.write().unwrap_or_else(PoisonError::into_inner) = new_pool(&self.address, self.size)?;
            *came_back = Instant::now();
        }
        Ok(())
    }
}

fn new_pool(address: &DatabaseUrl, size: u32) -> Result<Pool<DatabaseUrl>> {
    Pool::builder()
        .max_size(size)
        // Connections are opened when they are needed: a start waits for one, and an idle server keeps few.
        .min_idle(Some(0))
        .test_on_check_out(matches!(address, DatabaseUrl::Postgres(_)))
        .connection_timeout(PATIENCE)
        .build(address.clone())
        .map_err(|error| StorageError::Connection(error.to_string()))
}
