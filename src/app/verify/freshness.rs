//! For how long a node may answer from memory after it has read the epoch.
//!
//! Each answer needs a read of the epoch that began at most the freshness bound F ago, or after the request arrived. On
//! the other side, whoever changes authority commits and then waits a little longer than F before anybody is told of the
//! change ([`unseen`]). So a request that starts after the answer to a revocation is refused on every node:
//!
//! - The request starts after the answer, so after the commit and the wait.
//! - The read that its node relies on began at most F before, so after the commit: it has seen the new epoch, and the
//!   cache was brought up to it before anybody could rely on the read.
//!
//! This rests on two things. The monotonic clocks of two machines run at the same speed to within 1 %, which the wait
//! allows for. And no machine is stopped as a whole without its clock going on: so the clock here counts the time of a
//! suspension. With F = 0, nothing of this is needed: each request waits for a read of its own.
//!
//! A request is judged by the moment at which it arrived, which is the only time that its clock is read: a read that
//! began later counts in any case, and a cache that has become newer meanwhile only refuses more.
//!
//! F stands in the row of the epoch, so each read brings the F that it is good for.

#[cfg(test)]
mod model;

use crate::clock::Moment;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

/// What a wait allows for, besides clocks of different speed.
const MARGIN: Duration = Duration::from_millis(1);
/// How long a thread may take to wake up and begin a read.
const WAKING: Duration = Duration::from_micros(100);

/// Returns how long a change must be waited for after its commit, if nodes may answer without it for `bound`. Two clocks
/// that differ in speed by 1 % measure the same time.
pub fn unseen(bound: Duration) -> Duration {
    if bound.is_zero() { bound } else { bound + bound / 100 + MARGIN }
}

/// Until when this node may answer from memory, by its own monotonic clock.
#[derive(Debug, Default)]
pub struct Freshness {
    /// In nanoseconds; 0 for not at all.
    until: AtomicU64,
    /// When a busy node should read the epoch again, so that no request has to wait for it.
    renew_at: AtomicU64,
    /// How often this process has changed authority.
    changes: AtomicU64,
    /// Held while `until` follows `changes`.
    following: Mutex<()>,
}

/// A read that is about to begin.
#[derive(Clone, Copy, Debug)]
pub struct Begun {
    at: Moment,
    changes: u64,
}

impl Freshness {
    /// Returns whether this node may answer a request from memory that arrived at this moment.
    pub fn lasts(&self, arrived: Moment) -> bool {
        nanoseconds(arrived.since_start()) < self.until.load(SeqCst)
    }

    /// Begins a read of the epoch. Must be called before the read.
    pub fn begin_read(&self) -> Begun {
        Begun { at: Moment::now(), changes: self.changes.load(SeqCst) }
    }

    /// Lets this node answer from memory until `bound` after the beginning of a read. Must be called after the cache was
    /// brought up to what was read. Without effect if this process has changed authority since the read began.
    pub fn renew(&self, begun: Begun, bound: Duration) {
        if bound.is_zero() {
            return;
        }
        let _following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        if self.changes.load(SeqCst) != begun.changes {
            return;
        }
        let took = begun.at.elapsed();
        let ahead = (took + took / 2 + WAKING).min(bound / 2);
        // An older and longer bound that was read before still holds: changes wait for it.
        let until = begun.at.since_start() + bound;
        self.until.fetch_max(nanoseconds(until), SeqCst);
        self.renew_at.fetch_max(nanoseconds(until - ahead), SeqCst);
    }

    /// Ends it, because this process has changed authority: the next answer needs a new read.
    pub fn forget(&self) {
        let _following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        self.changes.fetch_add(1, SeqCst);
        self.until.store(0, SeqCst);
    }

    /// Returns how long a busy node should wait before it reads the epoch again.
    pub fn renew_in(&self) -> Duration {
        Duration::from_nanos(self.renew_at.load(SeqCst)).saturating_sub(Moment::now().since_start())
    }
}

fn nanoseconds(time: Duration) -> u64 {
    time.as_nanos().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn a_node_answers_from_memory_only_within_the_bound_of_a_read() {
        let freshness = Freshness::default();
        assert!(!freshness.lasts(Moment::now()), "nothing was read yet");
        freshness.renew(freshness.begin_read(), Duration::ZERO);
        assert!(!freshness.lasts(Moment::now()), "with a bound of zero, each request reads");
        let begun = freshness.begin_read();
        std::thread::sleep(Duration::from_millis(5));
        freshness.renew(begun, Duration::from_millis(5));
        assert!(!freshness.lasts(Moment::now()), "a read counts from its beginning");
        freshness.renew(freshness.begin_read(), LONG);
        assert!(freshness.lasts(Moment::now()));
    }

    #[test]
    fn a_change_of_this_process_ends_it_also_for_reads_that_had_begun() {
        let freshness = Freshness::default();
        let begun = freshness.begin_read();
        freshness.renew(begun, LONG);
        freshness.forget();
        assert!(!freshness.lasts(Moment::now()));
        freshness.renew(begun, LONG);
        assert!(!freshness.lasts(Moment::now()), "it began before the change");
        freshness.renew(freshness.begin_read(), LONG);
        assert!(freshness.lasts(Moment::now()));
    }

    #[test]
    fn a_shorter_bound_does_not_end_a_longer_one_that_changes_still_wait_for() {
        let freshness = Freshness::default();
        freshness.renew(freshness.begin_read(), LONG);
        freshness.renew(freshness.begin_read(), Duration::ZERO);
        assert!(freshness.lasts(Moment::now()));
    }

    #[test]
    fn a_change_is_waited_for_longer_than_the_bound() {
        assert_eq!(unseen(Duration::ZERO), Duration::ZERO);
        assert_eq!(unseen(Duration::from_millis(20)), Duration::from_micros(21_200));
        assert_eq!(unseen(Duration::from_secs(1)), Duration::from_millis(1011));
    }
}
