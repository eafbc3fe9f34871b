//! What is counted and timed while Jeton runs, for `/metrics`.
//!
//! Each thread counts for itself, without locks: whoever asks adds it up. Nothing here names a token or a person.

use super::{Jeton, freshness::Unproven, verify::Denied};
use domain::access::Refusal;
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// None so far.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// One more.
    pub fn count(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// How many so far.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// How long something took, again and again.
#[derive(Debug, Default)]
pub struct Durations {
    /// One for each of [`Durations::UP_TO`], and one for what took longer.
    buckets: [Counter; Durations::UP_TO.len() + 1],
    nanoseconds: AtomicU64,
}

impl Durations {
    /// The upper ends of the buckets, in microseconds.
    pub const UP_TO: [u64; 11] = [50, 100, 250, 500, 1_000, 2_500, 10_000, 50_000, 250_000, 1_000_000, 5_000_000];

    /// One more.
    pub fn count(&self, took: Duration) {
        let bucket = Self::UP_TO.iter().position(|up_to| took <= Duration::from_micros(*up_to));
        if let Some(bucket) = self.buckets.get(bucket.unwrap_or(Self::UP_TO.len())) {
            bucket.count();
        }
        self.nanoseconds.fetch_add(took.as_nanos().try_into().unwrap_or(u64::MAX), Relaxed);
    }
}

/// [`Durations`], added up.
#[derive(Clone, Debug, Default)]
pub struct Timed {
    /// How many in each bucket, not added up.
    pub buckets: [u64; Durations::UP_TO.len() + 1],
    /// All of them together, in seconds.
    pub seconds: f64,
}

impl Timed {
    /// Adds those of another thread.
    pub fn add(&mut self, durations: &Durations) {
        for (sum, bucket) in self.buckets.iter_mut().zip(&durations.buckets) {
            *sum += bucket.get();
        }
        self.seconds += Duration::from_nanos(durations.nanoseconds.load(Relaxed)).as_secs_f64();
    }
}

/// How questions about tokens end, in the order in which they are counted.
pub const OUTCOMES: [&str; 9] = [
    "accepted",
    "malformed",
    "unknown",
    "revoked",
    "expired",
    "inactive_user",
    "read_only",
    "permission_missing",
    "unproven",
];

/// What the verifier of one thread counts.
#[derive(Debug, Default)]
pub struct Verifications {
    outcomes: [Counter; OUTCOMES.len()],
    /// Keys that were in the cache.
    pub known: Counter,
    /// How long it took to look up those that were not.
    pub lookups: Durations,
}

impl Verifications {
    /// Counts what was decided.
    pub fn count<T>(&self, decided: &Result<T, Denied>) {
        let outcome = match decided {
            Ok(_) => 0,
            Err(Denied::Malformed) => 1,
            // Of another organization: for whoever asks there is no such token.
            Err(Denied::Unknown | Denied::Refused(Refusal::Foreign)) => 2,
            Err(Denied::Refused(Refusal::Revoked(_))) => 3,
            Err(Denied::Refused(Refusal::Expired(_))) => 4,
            Err(Denied::Refused(Refusal::SubjectInactive)) => 5,
            Err(Denied::Refused(Refusal::ReadOnly)) => 6,
            Err(Denied::Refused(Refusal::PermissionMissing(_))) => 7,
            Err(Denied::Unproven(Unproven(_))) => 8,
        };
        if let Some(counter) = self.outcomes.get(outcome) {
            counter.count();
        }
    }
}

/// What a node measured since its start, and what it holds at this moment.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// How questions about tokens ended, as in [`OUTCOMES`].
    pub outcomes: [u64; OUTCOMES.len()],
    /// Keys that were in the cache.
    pub known: u64,
    /// How long it took to look up those that were not.
    pub lookups: Timed,
    /// How long it took to read the epoch from the database.
    pub epoch_reads: Timed,
    /// The epoch that was read last; none before the first.
    pub epoch: Option<i64>,
    /// Tokens in the cache.
    pub cached: u64,
    /// Bytes that they take.
    pub cached_bytes: u64,
    /// Tokens with uses that are not yet in the database.
    pub waiting: usize,
    /// Whether the database fails.
    pub database_fails: bool,
    /// How often it has failed to do what it was asked.
    pub database_failures: u64,
    /// Connections of pages and the API to the database: all that are open, and those that nobody uses.
    pub connections: (u32, u32),
}

impl Measured {
    /// Adds what one thread counted.
    pub fn add(&mut self, counted: &Verifications) {
        for (sum, outcome) in self.outcomes.iter_mut().zip(&counted.outcomes) {
            *sum += outcome.get();
        }
        self.known += counted.known.get();
        self.lookups.add(&counted.lookups);
    }
}

impl Jeton {
    /// What this node measured.
    pub fn measured(&self) -> Measured {
        let health = self.db.health();
        Measured {
            database_fails: health.fails(),
            database_failures: health.failures(),
            connections: self.db.connections(),
            ..self.verifier.measured()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_where_it_belongs() {
        let durations = Durations::default();
        for microseconds in [0, 50, 51, 5_000_000, 5_000_001] {
            durations.count(Duration::from_micros(microseconds));
        }
        let mut timed = Timed::default();
        timed.add(&durations);
        assert_eq!(timed.buckets, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert!((timed.seconds - 10.000_102).abs() < 1e-6);
    }
}
