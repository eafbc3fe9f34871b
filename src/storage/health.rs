//! Whether the database does what it is asked: as the last failure told, until a real write proves that it does again.
//!
//! What went well before proves nothing on a full disk: a change may find its room in a place that is there already, and
//! one that changes nothing needs none.

use super::{StorageError, Trouble};
use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// How often a SQLite database is written to, to know whether it can be.
const EVERY: Duration = Duration::from_secs(60);

/// What is known.
#[derive(Debug, Default)]
pub struct Health {
    state: Mutex<State>,
    failures: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    fails: bool,
    lacks_room: bool,
    proven: Option<Instant>,
}

impl Health {
    /// Whether it fails.
    pub fn fails(&self) -> bool {
        self.state().fails
    }

    /// Whether it has failed for want of room since then.
    pub fn lacks_room(&self) -> bool {
        self.state().lacks_room
    }

    /// How often it has failed since the start.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// Whether a write should prove it now.
    pub fn is_due(&self, is_alone: bool) -> bool {
        let state = self.state();
        state.fails || (is_alone && state.proven.is_none_or(|proven| proven.elapsed() >= EVERY))
    }

    /// It has failed. Only a change is worth a line in the log.
    pub fn failed(&self, error: &StorageError) {
        self.failures.fetch_add(1, Relaxed);
        let mut state = self.state();
        state.lacks_room |= matches!(error, StorageError::Trouble(Trouble::Full | Trouble::Disk, _));
        if !std::mem::replace(&mut state.fails, true) {
            tracing::error!(%error, "the database fails: what is to be saved is refused until it is well again");
        }
    }

    /// A write has gone well that needed room.
    pub fn proved(&self) {
        let mut state = self.state();
        (state.proven, state.lacks_room) = (Some(Instant::now()), false);
        if std::mem::replace(&mut state.fails, false) {
            tracing::info!("the database is well again");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
