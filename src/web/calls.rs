//! The chart of a token's calls per day.

use super::{texts::Texts, words::Calendar};
use domain::{
    calls::{Calls, DAYS},
    time::Timestamp,
};

/// The width of a day in the chart, with the gap after it, and the height of the chart.
const DAY_WIDTH: usize = 4;
const HEIGHT: i64 = 100;

/// The chart, as pages show it.
pub struct Chart {
    /// The texts.
    pub t: Texts,
    /// “1,234 calls in the last 90 days”
    pub total: String,
    /// “Most on 12 October: 310”, if there was a call.
    pub most: Option<String>,
    /// The first day.
    pub first: Day,
    /// A bar for each day with calls.
    pub bars: Vec<Bar>,
    /// The days with calls, newest first.
    pub days: Vec<Day>,
}

/// A bar.
pub struct Bar {
    /// From the left.
    pub x: usize,
    /// From the top.
    pub y: i64,
    /// To the bottom.
    pub height: i64,
    /// “12 October: 310”
    pub words: String,
}

/// A day with its calls.
pub struct Day {
    /// `2026-10-12`
    pub machine: String,
    /// “12 October”
    pub words: String,
    /// “1,234”
    pub calls: String,
}

impl Chart {
    /// Draws the chart with the texts `t`. Its days are in UTC, whatever the reader's time zone is.
    pub fn new(t: Texts, now: Timestamp, calls: &Calls) -> Self {
        let calendar = Calendar::new(t, "UTC", now);
        let day = |(at, calls): (Timestamp, i64)| Day {
            machine: at.utc().format("%Y-%m-%d").to_string(),
            words: calendar.day(at),
            calls: t.number(calls),
        };
        let (days, most) = (calls.days(), calls.most().max(1));
        let bar = |(index, (at, calls)): (usize, (Timestamp, i64))| {
            // Keep a single call visible beside millions.
            let height = (calls.saturating_mul(HEIGHT) / most).max(2);
            let words = t.calls_on(calendar.day(at), t.number(calls));
            Bar { x: index * DAY_WIDTH, y: HEIGHT - height, height, words }
        };
        Self {
            t,
            total: if calls.total() == 0 { t.calls_none(DAYS) } else { t.calls_total(calls.total(), DAYS) },
            most: days
                .iter()
                .rfind(|(_, calls)| *calls == most)
                .map(|(at, calls)| t.calls_most(calendar.day(*at), t.number(*calls))),
            first: day(days.first().copied().unwrap_or((now, 0))),
            bars: days.iter().copied().enumerate().filter(|(_, (_, calls))| *calls > 0).map(bar).collect(),
            days: days.iter().copied().rev().filter(|(_, calls)| *calls > 0).map(day).collect(),
        }
    }
}
