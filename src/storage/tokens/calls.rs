//! How often tokens are used: calls a day, of each key.

use crate::{
    domain::{
        time::{DAY, Timestamp},
        token::TokenId,
    },
    storage::{AnyConnection, Result},
};
use diesel::{prelude::*, sql_query, sql_types::BigInt};

/// Adds accepted uses to those of the day of `at`. A token that is gone counts no more.
///
/// # Errors
/// When the database fails.
pub fn count_calls(connection: &mut AnyConnection, token: TokenId, at: Timestamp, calls: u64) -> Result<()> {
    sql_query(
        "INSERT INTO token_calls (day, calls, token_id) SELECT $1, $2, id FROM api_tokens WHERE id = $3 \
         ON CONFLICT (token_id, day) DO UPDATE SET calls = token_calls.calls + excluded.calls",
    )
    .bind::<BigInt, _>(at.seconds().div_euclid(DAY))
    .bind::<BigInt, _>(i64::try_from(calls).unwrap_or(i64::MAX))
    .bind::<BigInt, _>(token.0)
    .execute(connection)?;
    Ok(())
}
