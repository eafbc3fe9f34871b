//! How often a token was used on each day.

use super::{Jeton, Result};
use domain::{
    calls::{Calls, day_of},
    service_user::ServiceToken,
    token::{Token, TokenId},
};
use storage::{AnyConnection, tokens};

/// Returns the calls with a personal token. Calls of the last minute that another node has not yet written are missing.
pub async fn of_token(jeton: &Jeton, token: &Token) -> Result<Calls> {
    let id = token.key.token;
    count(jeton, move |_| Ok(vec![id])).await
}

/// Returns the calls with all keys of a service user's token, as [`of_token`].
pub async fn of_service_user(jeton: &Jeton, token: &ServiceToken) -> Result<Calls> {
    let id = token.id;
    count(jeton, move |connection| Ok(tokens::keys_of(connection, id)?)).await
}

async fn count(
    jeton: &Jeton,
    keys: impl FnOnce(&mut AnyConnection) -> Result<Vec<TokenId>> + Send + 'static,
) -> Result<Calls> {
    let (mut calls, verifier) = (Calls::until(jeton.clock.now()), jeton.verifier.clone());
    jeton
        .read(move |connection| {
            let keys = keys(connection)?;
            for (day, count) in tokens::calls_since(connection, &keys, calls.first())? {
                calls.add(day, count);
            }
            for (at, count) in keys.into_iter().filter_map(|key| verifier.usage().not_yet_counted(key)) {
                calls.add(day_of(at), i64::try_from(count).unwrap_or(i64::MAX));
            }
            Ok(calls)
        })
        .await
}

/// Deletes the counts of days that are not shown any more.
pub(super) async fn sweep(jeton: &Jeton) -> Result<()> {
    let first = Calls::until(jeton.clock.now()).first();
    jeton.write(move |connection| Ok(tokens::forget_calls(connection, first)?)).await
}
