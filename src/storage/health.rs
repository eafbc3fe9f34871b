//! The health of the database: it counts as failing from its last failure until a real write succeeds.
//!
//! On a full disk, earlier successes prove nothing: a change may fit into space that is already allocated, and a change
//! of nothing needs no space.

use super::{StorageError, Trouble};
use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// How often a SQLite database is written to, to check that it can be.
const EVERY: Duration = Duration::from_secs(60);

/// What this process knows.
#[derive(Debug, Default)]
pub struct Health {
    state: Mutex<State>,
    failures: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    fails: bool,
    lacks_room: bool,
    checked: Option<Instant>,
}

impl Health {
    /// Whether the database is failing.
    pub fn fails(&self) -> bool {
        self.state().fails
    }

    /// Whether it has failed for lack of space since the last successful write.
    pub fn lacks_room(&self) -> bool {
        self.state().lacks_room
    }

    /// How often the database has failed since the start.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// Whether a write should check the database now.
    pub fn is_due(&self, is_alone: bool) -> bool {
        let state = self.state();
        state.fails || (is_alone && state.checked.is_none_or(|checked| checked.elapsed() >= EVERY))
    }

    /// Records that the database has failed, and logs only the first failure.
    pub fn failed(&self, error: &StorageError) {
        self.failures.fetch_add(1, Relaxed);
        let mut state = self.state();
        state.lacks_room |= matches!(error, StorageError::Trouble(Trouble::Full | Trouble::Disk, _));
        if !std::mem::replace(&mut state.fails, true) {
            tracing::error!(%error, "the database fails: changes are refused until it works again");
        }
    }

    /// Records that a write that needed space has succeeded.
    pub fn proved(&self) {
        let mut state = self.state();
        (state.checked, state.lacks_room) = (Some(Instant::now()), false);
        if std::mem::replace(&mut state.fails, false) {
            tracing::info!("the database works again");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
