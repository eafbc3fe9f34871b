//! Counters and timers, for `/metrics`.
//!
//! Each thread counts for itself, without locks: whoever asks adds it up. Nothing here names a token or a person.

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
