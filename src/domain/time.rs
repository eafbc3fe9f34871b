//! Points in time, as whole seconds of UTC.

use chrono::{DateTime, SecondsFormat, Utc};

/// Seconds in a day. Token lifetimes are counted in days of exactly this length, whatever a time zone does (L5, L6).
pub const DAY: i64 = 86_400;

/// By how many seconds a clock may be corrected while everything keeps working: times that are further in the future
/// were written by a wrong clock.
pub const SET_RIGHT: i64 = 5 * 60;

/// A point in time in whole seconds since 1970-01-01T00:00:00Z.
///
/// This is the only form of time in Jeton: databases store the same number, and only pages convert it to a local date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Creates the time `seconds` after the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Returns the seconds since the Unix epoch.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// Returns this time plus `seconds`, which may be negative.
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Returns the latest time that a right clock may have shown by now, given the usual corrections.
    pub const fn latest(self) -> Self {
        self.plus(SET_RIGHT)
    }

    /// Returns how many seconds have passed since `earlier`; negative if it is in the future.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Formats this time for programs: `2026-11-21T22:14:54Z` (RFC 3339).
    pub fn rfc3339(self) -> String {
        self.utc().to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// Reads a time written like this.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|at| Self(at.timestamp()))
    }

    /// Converts this time for formatting. Times outside of chrono's range of years become the epoch.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0, 0).unwrap_or_default()
    }
}

/// Formats a time in milliseconds since 1970 for programs: `2026-11-21T22:14:54.012Z` (RFC 3339).
pub fn rfc3339_milliseconds(milliseconds: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(milliseconds)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}
