//! Which keys were revoked at which epoch, and since when each node refuses them. Times are in milliseconds since 1970,
//! by the database's clock.

use super::{
    AnyConnection, Result, expect_column,
    schema::{revocation_nodes, revocations},
};
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use domain::{organization::OrganizationId, time::Timestamp, token::TokenId, user::UserId};

/// A revoked key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedKey {
    /// Its row.
    pub key: TokenId,
    /// The public id of its token.
    pub public_id: String,
    /// The label or name of its token when it was revoked.
    pub label: String,
    /// Its organization.
    pub organization: OrganizationId,
    /// Its owner; `None` for a service user's key.
    pub owner: Option<UserId>,
    /// Whether it was the old key of a token whose new key keeps working.
    pub is_old_key: bool,
    /// The epoch of the revocation.
    pub epoch: i64,
    /// When it was revoked, just before the commit.
    pub revoked_at: i64,
}

/// A node that has read the epoch of a revocation or a later one: it refuses the key in all requests from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusing {
    /// The revoked key.
    pub key: TokenId,
    /// The node.
    pub node_id: String,
    /// Its name.
    pub node_name: String,
    /// The first such epoch that it read.
    pub epoch: i64,
    /// When it had read that epoch.
    pub since: i64,
    /// When it last accepted the key, if it still knows.
    pub last_accepted_at: Option<Timestamp>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = revocations)]
struct Row {
    token_id: i64,
    public_id: String,
    label: String,
    organization_id: i64,
    user_id: Option<i64>,
    is_old_key: bool,
    epoch: Option<i64>,
    revoked_at: Option<i64>,
}

impl Row {
    fn key(self) -> Result<RevokedKey> {
        Ok(RevokedKey {
            key: TokenId(self.token_id),
            public_id: self.public_id,
            label: self.label,
            organization: OrganizationId(self.organization_id),
            owner: self.user_id.map(UserId),
            is_old_key: self.is_old_key,
            epoch: expect_column(self.epoch, "epoch")?,
            revoked_at: expect_column(self.revoked_at, "revoked_at")?,
        })
    }
}

/// Returns the keys of the newest revocation of a token: one, or two if it was revoked while both its keys worked.
pub fn newest(connection: &mut AnyConnection, public_id: &str) -> Result<Vec<RevokedKey>> {
    let of_token = revocations::public_id.eq(public_id);
    let last: Option<i64> =
        revocations::table.filter(of_token).select(diesel::dsl::max(revocations::epoch)).get_result(connection)?;
    let Some(last) = last else { return Ok(Vec::new()) };
    revocations::table
        .filter(of_token.and(revocations::epoch.eq(last)))
        .order(revocations::token_id)
        .select(Row::as_select())
        .load::<Row>(connection)?
        .into_iter()
        .map(Row::key)
        .collect()
}

/// Returns those of these keys that have a receipt.
pub fn of_keys(connection: &mut AnyConnection, keys: &[TokenId]) -> Result<Vec<TokenId>> {
    let keys: Vec<i64> = keys.iter().map(|key| key.0).collect();
    let found: Vec<i64> =
        revocations::table.filter(revocations::token_id.eq_any(keys)).select(revocations::token_id).load(connection)?;
    Ok(found.into_iter().map(TokenId).collect())
}

/// Returns the keys that were revoked after the epoch `after`, up to `until`, with the epoch of each.
pub fn between(connection: &mut AnyConnection, after: i64, until: i64) -> Result<Vec<(TokenId, i64)>> {
    let found: Vec<(i64, Option<i64>)> = revocations::table
        .filter(revocations::epoch.gt(after).and(revocations::epoch.le(until)))
        .order(revocations::token_id)
        .select((revocations::token_id, revocations::epoch))
        .load(connection)?;
    Ok(found.into_iter().filter_map(|(key, epoch)| Some((TokenId(key), epoch?))).collect())
}

/// Records that a node refuses a key. An earlier record stays.
pub fn note_refusing(connection: &mut AnyConnection, refusing: &Refusing) -> Result<()> {
    sql_query(
        "INSERT INTO revocation_nodes (node_id, node_name, epoch, refuses_since, last_accepted_at, token_id) \
         SELECT $1, $2, $3, $4, $5, token_id FROM revocations WHERE token_id = $6 ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(&refusing.node_id)
    .bind::<Text, _>(&refusing.node_name)
    .bind::<BigInt, _>(refusing.epoch)
    .bind::<BigInt, _>(refusing.since)
    .bind::<Nullable<BigInt>, _>(refusing.last_accepted_at.map(Timestamp::seconds))
    .bind::<BigInt, _>(refusing.key.0)
    .execute(connection)?;
    Ok(())
}

/// Returns the nodes that have reported that they refuse these keys.
pub fn refusing(connection: &mut AnyConnection, keys: &[TokenId]) -> Result<Vec<Refusing>> {
    let keys: Vec<i64> = keys.iter().map(|key| key.0).collect();
    let found: Vec<(i64, String, String, i64, i64, Option<i64>)> = revocation_nodes::table
        .filter(revocation_nodes::token_id.eq_any(keys))
        .order((revocation_nodes::node_name, revocation_nodes::node_id, revocation_nodes::token_id))
        .select(revocation_nodes::all_columns)
        .load(connection)?;
    let refusing = |(key, node_id, node_name, epoch, since, last_accepted_at): (_, _, _, _, _, Option<i64>)| Refusing {
        key: TokenId(key),
        node_id,
        node_name,
        epoch,
        since,
        last_accepted_at: last_accepted_at.map(Timestamp::from_seconds),
    };
    Ok(found.into_iter().map(refusing).collect())
}

/// Deletes revocations before a time.
pub fn forget(connection: &mut AnyConnection, before: i64) -> Result<()> {
    diesel::delete(revocations::table.filter(revocations::revoked_at.lt(before))).execute(connection)?;
    Ok(())
}

/// Deletes the revocations of the current transaction, which adds an invented past.
pub fn forget_unfinished(connection: &mut AnyConnection) -> Result<()> {
    diesel::delete(revocations::table.filter(revocations::epoch.is_null())).execute(connection)?;
    Ok(())
}
