//! What time it is.

use crate::domain::time::Timestamp;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Furthest that a leading clock may jump, in milliseconds. Beyond it somebody has set a clock, and to go on would expire
/// tokens, or let expired ones live.
const FURTHEST_JUMP: i64 = 5 * 60 * 1000;

/// The one clock of a running Jeton. Clones share it, so a test that moves it moves it for everybody.
///
/// Alone it is the machine's. Where nodes share a Postgres they go by the clock there (L7): each reading of the epoch tells
/// its time, and from one to the next this machine's steady clock counts on, whatever it takes for the time of day.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Hands>);

#[derive(Debug, Default)]
struct Hands {
    /// Seconds by which tests have moved it.
    ahead: AtomicI64,
    /// The second at which it stands still; 0 while it runs.
    stopped: AtomicI64,
    /// How far the leading clock's time since 1970 is ahead of the steady clock, in milliseconds; 0 while it follows none.
    lead: AtomicI64,
}

/// The leading clock jumped further than a running clock can.
#[derive(Debug, thiserror::Error)]
#[error(
    "the clock of the database jumped by {0} ms against this machine's: nothing is decided until it is back, or Jeton is started anew"
)]
pub struct Jumped(i64);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// This moment.
    pub fn now(&self) -> Timestamp {
        let base = match self.0.stopped.load(Relaxed) {
            0 => self.running(),
            stopped => stopped,
        };
        Timestamp::from_seconds(base).plus(self.0.ahead.load(Relaxed))
    }

    fn running(&self) -> i64 {
        match self.0.lead.load(Relaxed) {
            0 => system().as_secs().try_into().unwrap_or(i64::MAX),
            lead => (steady() + lead).div_euclid(1000),
        }
    }

    /// Follows a leading clock that shows `time` at this moment, in milliseconds since 1970.
    ///
    /// # Errors
    /// [`Jumped`], if it has not gone on evenly since the last time.
    pub fn follow(&self, time: i64) -> Result<(), Jumped> {
        let lead = time - steady();
        match self.0.lead.load(Relaxed) {
            before if before != 0 && (lead - before).abs() > FURTHEST_JUMP => Err(Jumped(lead - before)),
            _ => {
                self.0.lead.store(lead, Relaxed);
                Ok(())
            }
        }
    }

    /// Moves the clock by `seconds` for everybody who shares it. For tests.
    pub fn advance(&self, seconds: i64) {
        self.0.ahead.fetch_add(seconds, Relaxed);
    }

    /// Stands still from now on: only [`Clock::advance`] moves it. For tests.
    pub fn stop(&self) {
        self.0.stopped.store(self.running(), Relaxed);
    }
}

/// The machine's clock in milliseconds since 1970: what SQLite, which has none of its own, goes by as well.
pub fn milliseconds() -> i64 {
    system().as_millis().try_into().unwrap_or(i64::MAX)
}

/// The machine's clock: time since 1970.
fn system() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Milliseconds on the machine's steady clock, which nobody can set.
fn steady() -> i64 {
    static BEGUN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    BEGUN.elapsed().as_millis().try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_follows_shows_the_others_time_and_notices_a_jump() {
        let clock = Clock::system();
        let there = 1_000_000_000_500;
        assert!(clock.follow(there).is_ok());
        assert!((1_000_000_000..=1_000_000_002).contains(&clock.now().seconds()));
        clock.advance(60);
        assert!((1_000_000_060..=1_000_000_062).contains(&clock.now().seconds()));
        assert!(clock.follow(there + 200_000).is_ok(), "set right by three minutes");
        assert!((1_000_000_260..=1_000_000_262).contains(&clock.now().seconds()));
        assert!(clock.follow(there + 200_000 - 400_000).is_err());
        assert!((1_000_000_260..=1_000_000_262).contains(&clock.now().seconds()), "nothing follows a jump");
    }
}
