//! Moments, as whole seconds of UTC.

use chrono::{DateTime, SecondsFormat, Utc};

/// Seconds in a day. Token lifetimes are counted in days of exactly this length, whatever a time zone does (L5, L6).
pub const DAY: i64 = 86_400;

/// Seconds by which a clock may be set right while everything goes on: what seems to come from further ahead was written
/// by a wrong one.
pub const SET_RIGHT: i64 = 5 * 60;

/// A moment in whole seconds since 1970-01-01T00:00:00Z.
///
/// The one form of time in Jeton: databases keep the same number, and only pages turn it into a local date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `seconds` after the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the Unix epoch.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// This moment moved by `seconds`, which may be negative.
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// The latest moment that a clock which is right may have shown by now, as far as it is set right meanwhile.
    pub const fn latest(self) -> Self {
        self.plus(SET_RIGHT)
    }

    /// How many seconds have passed since `earlier`; negative if it lies ahead.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The same moment for programs: `2026-11-21T22:14:54Z` (RFC 3339).
    pub fn rfc3339(self) -> String {
        self.utc().to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// The moment that is written like this.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|at| Self(at.timestamp()))
    }

    /// The same moment for formatting. Moments outside of chrono's range of years become the epoch.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0, 0).unwrap_or_default()
    }
}

/// A moment of this many milliseconds since 1970 for programs: `2026-11-21T22:14:54.012Z` (RFC 3339).
pub fn rfc3339_milliseconds(milliseconds: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(milliseconds)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}
