//! Answers that are kept for whoever sends their request again with the same key.

use crate::{AnyConnection, Result, expect_column, schema::kept_answers};
use diesel::{prelude::*, sql_query, sql_types::BigInt};
use domain::{time::Timestamp, token::TokenId};

/// The maximum number of answers that are deleted at once.
const BATCH: i64 = 10_000;

/// What makes a request one that is done once for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Once {
    /// SHA-256 of the key that the client gave it.
    pub key: [u8; 32],
    /// SHA-256 of what was sent, and of where to.
    pub request: [u8; 32],
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The status.
    pub status: u16,
    /// The address of what was created; empty for none.
    pub location: String,
    /// The version of what was answered; empty for none.
    pub etag: String,
    /// JSON.
    pub body: String,
}

/// Returns the digest of the request with this key that a token has sent since then, and its answer.
pub fn find(
    connection: &mut AnyConnection,
    token: TokenId,
    key: &[u8; 32],
    since: Timestamp,
) -> Result<Option<(Vec<u8>, KeptAnswer)>> {
    type Row = (Vec<u8>, i64, String, String, String);
    let row: Option<Row> = kept_answers::table
        .find((token.0, key.as_slice()))
        .filter(kept_answers::created_at.gt(since.seconds()))
        .select((
            kept_answers::request_digest,
            kept_answers::status,
            kept_answers::location,
            kept_answers::etag,
            kept_answers::body,
        ))
        .get_result(connection)
        .optional()?;
    let Some((request, status, location, etag, body)) = row else { return Ok(None) };
    let status = expect_column(status.try_into().ok(), "status")?;
    Ok(Some((request, KeptAnswer { status, location, etag, body })))
}

/// Keeps an answer, in the place of an older one with the same key.
pub fn insert(
    connection: &mut AnyConnection,
    token: TokenId,
    once: &Once,
    answer: &KeptAnswer,
    now: Timestamp,
) -> Result<()> {
    diesel::delete(kept_answers::table.find((token.0, once.key.as_slice()))).execute(connection)?;
    diesel::insert_into(kept_answers::table)
        .values((
            kept_answers::token_id.eq(token.0),
            kept_answers::key_digest.eq(once.key.as_slice()),
            kept_answers::request_digest.eq(once.request.as_slice()),
            kept_answers::status.eq(i64::from(answer.status)),
            kept_answers::location.eq(&answer.location),
            kept_answers::etag.eq(&answer.etag),
            kept_answers::body.eq(&answer.body),
            kept_answers::created_at.eq(now.seconds()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Deletes some of the answers that were kept before that or then.
pub fn forget(connection: &mut AnyConnection, until: Timestamp) -> Result<()> {
    sql_query(
        "DELETE FROM kept_answers WHERE (token_id, key_digest) IN \
         (SELECT token_id, key_digest FROM kept_answers WHERE created_at <= $1 LIMIT $2)",
    )
    .bind::<BigInt, _>(until.seconds())
    .bind::<BigInt, _>(BATCH)
    .execute(connection)?;
    Ok(())
}
