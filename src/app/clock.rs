//! The current time, and whether it can be trusted.
//!
//! A leading clock gives the time of day: the database's clock where nodes share a Postgres (L7), otherwise the
//! machine's. It is compared with the machine's monotonic clock, which nobody can set. If the two diverge by more than
//! a usual correction, somebody has set the leading clock, or it was wrong before: Jeton cannot know which. It then
//! decides and writes nothing until the old time is back, the new time has been steady for longer than the old one was,
//! or the operator confirms the new time. The same applies if at the start the clock shows a time before the newest
//! entry of the activity log, as on a machine without a clock battery.
//!
//! A clock that is ahead from the start looks like a correct one. So Jeton permanently ends what is too old only after
//! the clock has been steady for some time ([`Clock::is_settled`]).

mod correction;
mod doubt;

pub use correction::reconsider;
pub use doubt::Untrusted;

use domain::time::Timestamp;
use doubt::Trust;
use rustix::time::{ClockId, clock_gettime};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How long the clock must be steady before Jeton permanently ends what is too old, in seconds.
const SETTLED: i64 = 60 * 60;
/// The lead before the first reading.
const NONE: i64 = i64::MIN;
/// The monotonic clock, on Linux the one that includes suspend: a laptop that was suspended has no wrong clock.
#[cfg(any(target_os = "linux", target_os = "android"))]
const STEADY: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const STEADY: ClockId = ClockId::Monotonic;

/// A moment by the machine's monotonic clock, which nobody can set. Where the system has such a clock, it counts the
/// time during which the machine was suspended.
#[derive(Clone, Copy, Debug)]
pub struct Moment(Duration);

impl Moment {
    /// Returns the current moment.
    pub fn now() -> Self {
        let now = clock_gettime(STEADY);
        Self(Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.try_into().unwrap_or_default()))
    }

    /// Returns how long ago it was.
    pub fn elapsed(self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }

    /// Returns the time since the clock began.
    pub(super) const fn since_start(self) -> Duration {
        self.0
    }
}

/// The clock of a running Jeton. Clones share it, so a test that moves it moves it for all of them.
#[derive(Clone, Debug)]
pub struct Clock(Arc<State>);

#[derive(Debug)]
struct State {
    /// By how many seconds tests have advanced the clock, as if that time had passed.
    ahead: AtomicI64,
    /// By how many seconds tests have set the leading clock ahead.
    set: AtomicI64,
    /// The second at which tests have stopped the clock; 0 while it runs.
    stopped: AtomicI64,
    /// Whether the leading clock is another machine's.
    follows: AtomicBool,
    /// The lead: how far the leading clock's time since 1970 is ahead of the monotonic clock, in milliseconds, when it
    /// was last trusted; [`NONE`] before the first reading.
    lead: AtomicI64,
    /// Whether there is a [`doubt::Doubt`].
    is_doubted: AtomicBool,
    trust: Mutex<Trust>,
}

impl Clock {
    /// Creates a clock that shows the machine's time.
    pub fn system() -> Self {
        let trust = Trust { since: 0, lead: NONE, doubt: None };
        Self(Arc::new(State {
            ahead: 0.into(),
            set: 0.into(),
            stopped: 0.into(),
            follows: false.into(),
            lead: NONE.into(),
            is_doubted: false.into(),
            trust: trust.into(),
        }))
    }

    /// Returns the current time. While the leading clock is in doubt, the monotonic clock continues the old time.
    pub fn now(&self) -> Timestamp {
        self.at(Moment::now())
    }

    fn at(&self, moment: Moment) -> Timestamp {
        let milliseconds = match self.0.stopped.load(Relaxed) {
            0 => self.running(moment),
            stopped => (stopped + self.0.ahead.load(Relaxed)) * 1000,
        };
        Timestamp::from_seconds(milliseconds.div_euclid(1000))
    }

    /// Returns the current time, if the clock can be trusted.
    ///
    /// # Errors
    /// [`Untrusted`] says why it is not.
    pub fn trusted(&self) -> std::result::Result<Timestamp, Untrusted> {
        self.trusted_at(Moment::now())
    }

    /// Returns the time of this moment, if the clock can be trusted. A request is decided at one moment.
    ///
    /// # Errors
    /// As [`Clock::trusted`].
    pub fn trusted_at(&self, moment: Moment) -> std::result::Result<Timestamp, Untrusted> {
        let now = self.at(moment);
        if self.is_doubted() { Err(self.untrusted()) } else { Ok(now) }
    }

    /// Whether the leading clock was in doubt when it was last read.
    pub(super) fn is_doubted(&self) -> bool {
        self.0.is_doubted.load(Relaxed)
    }

    /// Returns whether the clock has been steady for long enough to permanently end what is too old.
    pub fn is_settled(&self) -> bool {
        self.steady_for() >= SETTLED
    }

    /// Returns for how many seconds the clock has been steady.
    pub(super) fn steady_for(&self) -> i64 {
        if self.trusted().is_err() { 0 } else { (self.steady() - self.trust().since) / 1000 }
    }

    fn running(&self, moment: Moment) -> i64 {
        let steady = self.steady_at(moment);
        if self.0.follows.load(Relaxed) {
            return steady + self.0.lead.load(Relaxed);
        }
        let shown = milliseconds() + self.moved();
        self.look(shown - steady, steady);
        if self.0.is_doubted.load(Relaxed) { steady + self.0.lead.load(Relaxed) } else { shown }
    }

    /// Follows the clock of another machine, which now shows `time`, in milliseconds since 1970.
    pub fn follow(&self, time: i64) {
        let (steady, time) = (self.steady(), time + self.moved());
        self.look(time - steady, steady);
        self.0.follows.store(true, Relaxed);
    }

    /// Returns the milliseconds of the machine's monotonic clock, which nobody can set.
    fn steady(&self) -> i64 {
        self.steady_at(Moment::now())
    }

    fn steady_at(&self, moment: Moment) -> i64 {
        let since_start: i64 = moment.0.as_millis().try_into().unwrap_or(i64::MAX);
        since_start + self.0.ahead.load(Relaxed) * 1000
    }

    /// Returns by how many milliseconds tests have moved the leading clock.
    fn moved(&self) -> i64 {
        (self.0.ahead.load(Relaxed) + self.0.set.load(Relaxed)) * 1000
    }

    fn trust(&self) -> MutexGuard<'_, Trust> {
        // No panic can leave a partial change.
        self.0.trust.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Advances the clock for everybody who shares it, as if `seconds` had passed. For tests.
    pub fn advance(&self, seconds: i64) {
        self.0.ahead.fetch_add(seconds, Relaxed);
    }

    /// Sets the leading clock `seconds` ahead of the right time, as somebody might do by mistake. For tests.
    pub fn set(&self, seconds: i64) {
        self.0.set.store(seconds, Relaxed);
    }

    /// Makes the clock count as steady for a long time. For tests.
    pub fn settle(&self) {
        self.now();
        self.trust().since -= 100 * SETTLED * 1000;
    }

    /// Stops the clock: from now on, only [`Clock::advance`] moves it. For tests.
    pub fn stop(&self) {
        let now = self.now().seconds();
        self.0.stopped.store(now - self.0.ahead.load(Relaxed), Relaxed);
    }
}

/// Returns the machine's time in milliseconds since 1970, which is also the time of SQLite, as it has no clock of its
/// own.
pub fn milliseconds() -> i64 {
    system().as_millis().try_into().unwrap_or(i64::MAX)
}

/// Returns the machine's time since 1970.
fn system() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60;
    const DAY: i64 = 86_400;

    #[test]
    fn a_clock_follows_its_source_and_detects_a_jump() {
        let clock = Clock::system();
        let there = 1_000_000_000_500;
        clock.follow(there);
        assert!((1_000_000_000..=1_000_000_002).contains(&clock.now().seconds()));
        clock.advance(60);
        assert!((1_000_000_060..=1_000_000_062).contains(&clock.now().seconds()));
        clock.follow(there + 200_000);
        assert!((1_000_000_260..=1_000_000_262).contains(&clock.trusted().unwrap().seconds()), "a small correction");
        clock.follow(there + 200_000 - 400_000);
        let said = clock.trusted().unwrap_err().to_string();
        assert!(said.contains("of the database jumped from 2001-09-09T01:51:0"), "{said}");
        assert!((1_000_000_260..=1_000_000_262).contains(&clock.now().seconds()), "nothing follows a jump");
        clock.follow(there + 200_000 - 60_000);
        assert!((1_000_000_200..=1_000_000_202).contains(&clock.trusted().unwrap().seconds()), "it is back");
    }

    #[test]
    fn a_clock_set_by_hours_is_not_trusted_until_it_is_back() {
        let clock = Clock::system();
        let before = clock.trusted().unwrap().seconds();
        for (set, is_believed) in [(290, true), (-9, true), (-310, false), (20, true), (60 * DAY, false), (0, true)] {
            clock.set(set);
            assert_eq!(clock.trusted().is_ok(), is_believed, "{set}");
            assert!((before - 9..=before + 300).contains(&clock.now().seconds()), "{set}");
        }
        // In steps, as somebody corrects it: it has to be steady again.
        clock.settle();
        assert!(clock.is_settled());
        for set in [250, 500, 750] {
            clock.set(set);
            assert!(clock.trusted().is_ok());
        }
        assert!(!clock.is_settled());
        clock.advance(SETTLED);
        assert!(clock.is_settled());
        clock.set(DAY);
        assert!(!clock.is_settled());
        clock.set(750);
        assert!(clock.trusted().is_ok() && !clock.is_settled(), "it has only just returned to the old time");
    }

    #[test]
    fn passing_time_is_no_jump_however_long() {
        let clock = Clock::system();
        let before = clock.trusted().unwrap().seconds();
        clock.advance(8 * 3600);
        assert!(clock.trusted().unwrap().seconds() >= before + 8 * 3600);
    }

    #[test]
    fn the_time_that_was_steady_for_longer_is_trusted() {
        let clock = Clock::system();
        clock.now();
        clock.advance(20 * MINUTE);
        clock.set(DAY);
        clock.now();
        let lasts = |seconds| {
            clock.advance(seconds);
            clock.correction().unwrap().has_lasted
        };
        assert!(!lasts(19 * MINUTE));
        clock.set(2 * DAY);
        assert!(!lasts(0) && !lasts(19 * MINUTE), "it has jumped again");
        assert!(lasts(MINUTE));
        let correction = clock.correction().unwrap();
        assert_eq!((correction.by, correction.until.since(correction.from)), (2 * DAY, 20 * MINUTE));
        clock.accept(&correction);
        assert!((0..=2).contains(&clock.trusted().unwrap().since(correction.now)));
        assert!(!clock.is_settled());

        let young = Clock::system();
        young.now();
        young.set(-DAY);
        assert!(!young.correction().unwrap().has_lasted);
        young.advance(5 * MINUTE);
        assert!(young.correction().unwrap().has_lasted);
    }

    #[test]
    fn a_clock_behind_the_log_is_not_trusted_until_it_is_corrected() {
        let clock = Clock::system();
        let newest = clock.now().plus(-1);
        let behind = Clock::system();
        behind.set(-400 * DAY);
        behind.compare(Some(newest));
        let said = behind.trusted().unwrap_err().to_string();
        assert!(said.contains(&format!("the newest entry of the activity log is from {}", newest.rfc3339())), "{said}");
        behind.set(-290);
        assert!(behind.trusted().is_ok() && !behind.is_settled());

        behind.set(-400 * DAY);
        let other = Clock::system();
        other.set(-400 * DAY);
        other.compare(Some(newest));
        assert!(other.trusted().is_err());
        other.compare(Some(newest.plus(-400 * DAY)));
        assert!(other.trusted().is_ok(), "the operator has confirmed the time with a new entry");
    }
}
