//! What time it is.

use crate::domain::time::Timestamp;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// The one clock of a running Jeton. Clones share it, so a test that moves it moves it for everybody.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead: Arc<AtomicI64>,
    /// The second at which it stands still; 0 while it runs.
    stopped: Arc<AtomicI64>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// This moment.
    pub fn now(&self) -> Timestamp {
        let base = match self.stopped.load(Ordering::Relaxed) {
            0 => system(),
            stopped => stopped,
        };
        Timestamp::from_seconds(base).plus(self.ahead.load(Ordering::Relaxed))
    }

    /// Moves the clock by `seconds` for everybody who shares it. For tests.
    pub fn advance(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Stands still from now on: only [`Clock::advance`] moves it. For tests.
    pub fn stop(&self) {
        self.stopped.store(system(), Ordering::Relaxed);
    }
}

/// The machine's clock, in seconds since 1970.
fn system() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}
