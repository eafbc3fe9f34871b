//! What billing counts: seats by calendar month, in UTC.

use super::time::Timestamp;
use chrono::{Datelike, NaiveDate};

/// A calendar month, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// Returns the month of this time.
    pub fn of(at: Timestamp) -> Self {
        let day = at.utc();
        Self { year: day.year(), month: day.month() }
    }

    /// Returns the previous month.
    pub const fn before(self) -> Self {
        match self.month {
            1 => Self { year: self.year - 1, month: 12 },
            month => Self { month: month - 1, ..self },
        }
    }

    /// Returns the next month.
    pub const fn after(self) -> Self {
        match self.month {
            12 => Self { year: self.year + 1, month: 1 },
            month => Self { month: month + 1, ..self },
        }
    }

    /// Returns its year.
    pub const fn year(self) -> i32 {
        self.year
    }

    /// Returns its number in the year, from 1.
    pub const fn number(self) -> u32 {
        self.month
    }

    /// Returns its first day.
    pub fn first_day(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or_default()
    }

    /// Returns the time at which it begins, which is when the previous one ends.
    pub fn start(self) -> Timestamp {
        Timestamp::from_seconds(self.first_day().and_time(chrono::NaiveTime::MIN).and_utc().timestamp())
    }

    /// `2026-11`
    pub fn key(self) -> String {
        format!("{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_at_midnight_utc() {
        // 2026-12-31T23:59:59Z
        let last = Timestamp::from_seconds(1_798_761_599);
        let december = Month::of(last);
        assert_eq!(december.key(), "2026-12");
        assert_eq!(december.after().key(), "2027-01");
        assert_eq!(december.after().start(), last.plus(1));
        assert_eq!(Month::of(last.plus(1)), december.after());
        assert_eq!(december.after().before(), december);
        assert_eq!(december.before().start().rfc3339(), "2026-11-01T00:00:00Z");
    }
}
