//! The demonstration's calls per day: many on working days, few on weekends.

use crate::Result;
use domain::{
    activity::Source,
    calls::{DAYS, day_of},
    time::{DAY, Timestamp},
    token::TokenId,
};
use storage::{AnyConnection, tokens};

/// Adds calls with a key on most days from `first` to its `last` use.
pub(super) fn add(connection: &mut AnyConnection, key: TokenId, first: Timestamp, last: Timestamp) -> Result<()> {
    let (source, mut days) = (Source::default(), Vec::new());
    let pace = 4 + key.0 % 7 * 11;
    for day in day_of(first).max(day_of(last) - DAYS)..=day_of(last) {
        // 1 January 1970 was a Thursday.
        let is_weekend = matches!((day + 4) % 7, 0 | 6);
        let wave = (day * 13 + key.0 * 5) % 17;
        let calls = if is_weekend { wave / 6 } else { pace + pace * wave / 12 };
        let at = Timestamp::from_seconds(day * DAY);
        days.push(tokens::Uses { token: key, at, source: &source, count: u64::try_from(calls).unwrap_or_default() });
    }
    Ok(tokens::count_calls(connection, &days)?)
}
