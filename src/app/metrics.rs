//! Counters and timers, for `/metrics`.
//!
//! Each thread has its own counters, without locks; a scrape adds them up. Nothing here names a token or a person.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// A counter that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Creates a counter at zero.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// One more.
    pub fn count(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// Returns the count.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A histogram of durations.
#[derive(Debug, Default)]
pub struct Durations {
    /// One bucket for each of [`Durations::UP_TO`], and one for everything longer.
    buckets: [Counter; Durations::UP_TO.len() + 1],
    nanoseconds: AtomicU64,
}

impl Durations {
    /// The upper bounds of the buckets, in microseconds.
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

/// The sum of [`Durations`].
#[derive(Clone, Debug, Default)]
pub struct Timed {
    /// The number of durations in each bucket, not cumulative.
    pub buckets: [u64; Durations::UP_TO.len() + 1],
    /// The sum of all durations, in seconds.
    pub seconds: f64,
}

impl Timed {
    /// Adds the durations of another thread.
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
    fn a_duration_is_counted_in_its_bucket() {
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
