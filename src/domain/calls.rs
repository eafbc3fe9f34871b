//! How often a token was used: calls per day.

use super::time::{DAY, Timestamp};

/// For how many days calls are kept and shown, including today.
pub const DAYS: i64 = 90;

/// Returns the day of a time, in days since 1970 in UTC: the same for everybody.
pub const fn day_of(at: Timestamp) -> i64 {
    at.seconds().div_euclid(DAY)
}

/// The calls of a token on each of the last [`DAYS`] days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    first: i64,
    per_day: Vec<i64>,
}

impl Calls {
    /// Creates empty counts for the days up to `now`.
    pub fn until(now: Timestamp) -> Self {
        Self { first: day_of(now) - DAYS + 1, per_day: (0..DAYS).map(|_| 0).collect() }
    }

    /// Returns the first day that is counted.
    pub const fn first(&self) -> i64 {
        self.first
    }

    /// Adds calls of a day, unless the day is outside of the range.
    pub fn add(&mut self, day: i64, calls: i64) {
        let index = usize::try_from(day - self.first);
        if let Some(before) = index.ok().and_then(|index| self.per_day.get_mut(index)) {
            *before = before.saturating_add(calls);
        }
    }

    /// Returns the calls of each day with the time at which it began, oldest first.
    pub fn days(&self) -> Vec<(Timestamp, i64)> {
        let at = |day: i64| Timestamp::from_seconds(day * DAY);
        (self.first..).zip(&self.per_day).map(|(day, calls)| (at(day), *calls)).collect()
    }

    /// Returns the number of all calls.
    pub fn total(&self) -> i64 {
        self.per_day.iter().fold(0, |total: i64, calls| total.saturating_add(*calls))
    }

    /// Returns the highest number of calls on one day.
    pub fn most(&self) -> i64 {
        self.per_day.iter().copied().max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_ninety_days_are_counted() {
        let now = Timestamp::from_seconds(1_000 * DAY + DAY - 1);
        let mut calls = Calls::until(now);
        for day in [910, 911, 1_000, 1_000, 1_001] {
            calls.add(day, 2);
        }
        assert_eq!((calls.total(), calls.most(), calls.days().len()), (6, 4, 90));
        let used: Vec<_> =
            calls.days().into_iter().filter(|(_, calls)| *calls > 0).map(|(at, calls)| (day_of(at), calls)).collect();
        assert_eq!(used, [(911, 2), (1_000, 4)]);
    }
}
