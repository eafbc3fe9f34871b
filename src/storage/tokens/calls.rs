//! How often tokens are used: calls per day with each key.

use crate::{
    AnyConnection, Result,
    schema::{api_tokens, token_calls},
};
use diesel::{prelude::*, sql_query, sql_types::BigInt};
use domain::{organization::ServiceUserId, token::TokenId};

/// The maximum number of rows that are deleted at once.
const BATCH: i64 = 10_000;

/// Returns the calls with these keys since a day, as pairs of day and number; a day may appear several times.
pub fn calls_since(connection: &mut AnyConnection, keys: &[TokenId], first_day: i64) -> Result<Vec<(i64, i64)>> {
    let keys: Vec<i64> = keys.iter().map(|key| key.0).collect();
    Ok(token_calls::table
        .filter(token_calls::token_id.eq_any(keys).and(token_calls::day.ge(first_day)))
        .select((token_calls::day, token_calls::calls))
        .load(connection)?)
}

/// Lists all keys that a service user ever had.
pub fn keys_of(connection: &mut AnyConnection, service_user: ServiceUserId) -> Result<Vec<TokenId>> {
    let keys: Vec<i64> = api_tokens::table
        .filter(api_tokens::service_user_id.eq(service_user.0))
        .select(api_tokens::id)
        .load(connection)?;
    Ok(keys.into_iter().map(TokenId).collect())
}

/// Deletes some of the calls before a day.
pub fn forget_calls(connection: &mut AnyConnection, first_day: i64) -> Result<()> {
    sql_query(
        "DELETE FROM token_calls WHERE (token_id, day) IN \
         (SELECT token_id, day FROM token_calls WHERE day < $1 LIMIT $2)",
    )
    .bind::<BigInt, _>(first_day)
    .bind::<BigInt, _>(BATCH)
    .execute(connection)?;
    Ok(())
}
