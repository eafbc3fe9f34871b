//! The demonstration's calls per day: busy on working days, quiet at the end of the week.

use crate::{
    app::Result,
    domain::{
        calls::{DAYS, day_of},
        time::{DAY, Timestamp},
        token::TokenId,
    },
    storage::{AnyConnection, tokens},
};

/// Adds calls with a key on most days from `first` to its `last` use.
pub(super) fn add(connection: &mut AnyConnection, key: TokenId, first: Timestamp, last: Timestamp) -> Result<()> {
    let pace = 4 + key.0 % 7 * 11;
    for day in day_of(first).max(day_of(last) - DAYS)..=day_of(last) {
        // 1970 began on a Thursday.
        let is_weekend = matches!((day + 4) % 7, 0 | 6);
        let wave = (day * 13 + key.0 * 5) % 17;
        let calls = if is_weekend { wave / 6 } else { pace + pace * wave / 12 };
        if let Some(calls) = u64::try_from(calls).ok().filter(|calls| *calls > 0) {
            tokens::count_calls(connection, key, Timestamp::from_seconds(day * DAY), calls)?;
        }
    }
    Ok(())
}
