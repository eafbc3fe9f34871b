//! Days, without a time and a time zone.

use chrono::NaiveDate;
use std::fmt::{Display, Formatter, Result as Formatted};

/// A day of the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(NaiveDate);

impl Date {
    /// Reads a day that exists, written as `YYYY-MM-DD` (ISO 8601), as browsers send it.
    pub fn parse(text: &str) -> Option<Self> {
        let shape = text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
        let is_day = shape && text.len() == 10 && !text.starts_with("0000");
        is_day.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Self)).flatten()
    }

    /// Returns the day for formatting.
    pub const fn day(self) -> NaiveDate {
        self.0
    }
}

impl Display for Date {
    fn fmt(&self, f: &mut Formatter<'_>) -> Formatted {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn only_days_that_exist_are_read() {
        for day in ["2026-11-27", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(Date::parse(day).map(|day| day.to_string()).as_deref(), Some(day));
        }
        for wrong in [
            "",
            "2026-02-30",
            "2025-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "0000-01-01",
            "26-11-27",
            "2026-1-7",
            "27/11/2026",
            "2026-11-27T00:00",
            " 2026-11-27",
            "+2026-11-2",
            "2026-11-２７",
            "20261127",
        ] {
            assert_eq!(Date::parse(wrong), None, "{wrong}");
        }
    }
}
