//! Service users and the keys of their tokens.
//!
//! A service user has one token. Each key that it ever had is a row of `api_tokens`; the newest is the current one, and
//! the previous one may keep working for a while after a rotation.

mod old_keys;

pub use old_keys::{RunningOut, end_old_key, let_run_out, running_out};

use super::{
    ACTIVE, KeyRow, Revocation, Revoked, expires_at, note_revoked,
    uses::{self, Unused},
};
use crate::{
    AnyConnection, Result, expect_column, known_in,
    schema::{api_tokens, service_users, token_uses},
};
use diesel::prelude::*;
use domain::{
    organization::{OrganizationId, ServiceUserId},
    permission::{OwnPermissions, Permissions},
    service_user::ServiceToken,
    text,
    time::Timestamp,
    token::{InactivityExpiry, KeyDigest, KeyFacts, Pepper, RevokedBy, Scope, TokenId, TokenKind},
    user::UserId,
};
use std::collections::HashMap;

/// A service user to be stored.
pub struct NewServiceUser<'a> {
    /// The public id.
    pub public_id: &'a str,
    /// The organization.
    pub organization: OrganizationId,
    /// Its name.
    pub name: &'a str,
    /// Its permissions.
    pub permissions: Permissions,
    /// The user who creates it.
    pub made_by: UserId,
    /// Their name.
    pub made_by_name: &'a str,
}

/// A key to be stored.
pub struct NewKey<'a> {
    /// The service user.
    pub service_user: ServiceUserId,
    /// The organization.
    pub organization: OrganizationId,
    /// The id of this key among the keys of the service user.
    pub public_id: &'a str,
    /// The service user's name.
    pub name: &'a str,
    /// Its inactivity expiry.
    pub inactivity: InactivityExpiry,
    /// Its digest.
    pub digest: KeyDigest,
    /// The nonce of the form that created it.
    pub form_nonce: &'a str,
    /// Its slot among the active tokens of service users, from 1.
    pub slot: i16,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = service_users)]
struct Row {
    id: i64,
    public_id: String,
    name: String,
    permissions: String,
    created_at: i64,
    created_by_name: String,
    version: i64,
    external_id: Option<String>,
}

impl Row {
    /// Builds the token with its keys, oldest first.
    fn token(self, mut keys: Vec<KeyFacts>, known: &OwnPermissions, now: Timestamp) -> Result<ServiceToken> {
        let key = expect_column(keys.pop(), "service_users without a key")?;
        let (old_key, replaced_key) = match keys.pop() {
            Some(old) if old.life.ends_at.is_some() && old.life.is_active(now) => (Some(old), None),
            Some(old) if old.refused.is_some() || old.revoked_by == Some(RevokedBy::Leak) => (None, Some(old)),
            _ => (None, None),
        };
        Ok(ServiceToken {
            id: ServiceUserId(self.id),
            public_id: self.public_id,
            name: self.name,
            permissions: Permissions::from_keys(&self.permissions, known),
            created_at: Timestamp::from_seconds(self.created_at),
            made_by: self.created_by_name,
            external_id: self.external_id,
            version: self.version,
            key,
            old_key,
            replaced_key,
        })
    }
}

/// Lists the service users of an organization, newest first.
pub fn list(connection: &mut AnyConnection, organization: OrganizationId, now: Timestamp) -> Result<Vec<ServiceToken>> {
    let rows: Vec<Row> = service_users::table
        .filter(service_users::organization_id.eq(organization.0))
        .order(service_users::id.desc())
        .select(Row::as_select())
        .load(connection)?;
    // By organization and kind: joined with service users, Postgres would read all tokens.
    let keys: Vec<(i64, KeyRow)> = api_tokens::table
        .inner_join(token_uses::table)
        .filter(api_tokens::organization_id.eq(organization.0).and(api_tokens::kind.eq(TokenKind::Service.key())))
        .order(api_tokens::id)
        .select((api_tokens::service_user_id.assume_not_null(), KeyRow::as_select()))
        .load(connection)?;
    with_keys(rows, keys, &known_in(connection, organization)?, now)
}

fn with_keys(
    rows: Vec<Row>,
    keys: Vec<(i64, KeyRow)>,
    known: &OwnPermissions,
    now: Timestamp,
) -> Result<Vec<ServiceToken>> {
    let mut of_user: HashMap<i64, Vec<KeyFacts>> = HashMap::new();
    for (user, key) in keys {
        of_user.entry(user).or_default().push(key.facts()?);
    }
    rows.into_iter()
        .map(|row| {
            let keys = of_user.remove(&row.id).unwrap_or_default();
            row.token(keys, known, now)
        })
        .collect()
}

/// Returns the service users of an organization with these public ids, in the same order. Those of another organization
/// are left out.
pub fn these(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    public_ids: Vec<String>,
    now: Timestamp,
) -> Result<Vec<ServiceToken>> {
    let rows: Vec<Row> = service_users::table
        .filter(service_users::organization_id.eq(organization.0).and(service_users::public_id.eq_any(&public_ids)))
        .select(Row::as_select())
        .load(connection)?;
    let keys: Vec<(i64, KeyRow)> = api_tokens::table
        .inner_join(token_uses::table)
        .filter(api_tokens::service_user_id.eq_any(rows.iter().map(|row| Some(row.id)).collect::<Vec<_>>()))
        .order(api_tokens::id)
        .select((api_tokens::service_user_id.assume_not_null(), KeyRow::as_select()))
        .load(connection)?;
    let mut tokens = with_keys(rows, keys, &known_in(connection, organization)?, now)?;
    tokens.sort_by_key(|token| public_ids.iter().position(|id| *id == token.public_id));
    Ok(tokens)
}

/// Returns a service user of an organization by its public id; `None` for one of another organization.
pub fn find(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    public_id: &str,
    now: Timestamp,
) -> Result<Option<ServiceToken>> {
    let row: Option<Row> = service_users::table
        .filter(service_users::organization_id.eq(organization.0).and(service_users::public_id.eq(public_id)))
        .select(Row::as_select())
        .get_result(connection)
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let keys: Vec<KeyRow> = api_tokens::table
        .inner_join(token_uses::table)
        .filter(api_tokens::service_user_id.eq(row.id))
        .order(api_tokens::id)
        .select(KeyRow::as_select())
        .load(connection)?;
    let keys: Result<Vec<KeyFacts>> = keys.into_iter().map(KeyRow::facts).collect();
    row.token(keys?, &known_in(connection, organization)?, now).map(Some)
}

/// Returns the organization of the service user with this public id.
pub fn organization_of(connection: &mut AnyConnection, public_id: &str) -> Result<Option<OrganizationId>> {
    let id: Option<i64> = service_users::table
        .filter(service_users::public_id.eq(public_id))
        .select(service_users::organization_id)
        .get_result(connection)
        .optional()?;
    Ok(id.map(OrganizationId))
}

/// Returns the service user to whom a key belongs; `None` for personal tokens.
pub fn of_token(connection: &mut AnyConnection, token: TokenId) -> Result<Option<ServiceUserId>> {
    let id: Option<Option<i64>> =
        api_tokens::table.find(token.0).select(api_tokens::service_user_id).get_result(connection).optional()?;
    Ok(id.flatten().map(ServiceUserId))
}

/// Returns whether a form has already created a key.
pub fn was_sent(connection: &mut AnyConnection, organization: OrganizationId, form_nonce: &str) -> Result<bool> {
    let made = api_tokens::table
        .filter(api_tokens::organization_id.eq(organization.0).and(api_tokens::form_nonce.eq(form_nonce)))
        .select(api_tokens::id);
    Ok(diesel::select(diesel::dsl::exists(made)).get_result(connection)?)
}

/// Stores a service user.
pub fn insert(connection: &mut AnyConnection, new: &NewServiceUser<'_>, now: Timestamp) -> Result<ServiceUserId> {
    let id = diesel::insert_into(service_users::table)
        .values((
            service_users::public_id.eq(new.public_id),
            service_users::organization_id.eq(new.organization.0),
            service_users::name.eq(new.name),
            service_users::permissions.eq(new.permissions.keys()),
            service_users::created_at.eq(now.seconds()),
            service_users::created_by.eq(new.made_by.0),
            service_users::created_by_name.eq(new.made_by_name),
            service_users::version.eq(1),
        ))
        .returning(service_users::id)
        .get_result(connection)?;
    Ok(ServiceUserId(id))
}

/// Stores a key, which is the current one from now on.
///
/// # Errors
/// When the database fails; [`crate::StorageError::is_duplicate`] if the slot is taken or the form was sent before.
pub fn insert_key(connection: &mut AnyConnection, new: &NewKey<'_>, now: Timestamp) -> Result<TokenId> {
    let id = diesel::insert_into(api_tokens::table)
        .values((
            api_tokens::public_id.eq(new.public_id),
            api_tokens::kind.eq(TokenKind::Service.key()),
            api_tokens::organization_id.eq(new.organization.0),
            api_tokens::service_user_id.eq(new.service_user.0),
            api_tokens::label.eq(new.name),
            api_tokens::search.eq(text::searchable(new.name)),
            api_tokens::scope.eq(Scope::ReadWrite.key()),
            api_tokens::digest.eq(&new.digest.0[..]),
            api_tokens::pepper_version.eq(Pepper::VERSION),
            api_tokens::form_nonce.eq(new.form_nonce),
            api_tokens::created_at.eq(now.seconds()),
            api_tokens::slot.eq(new.slot),
        ))
        .returning(api_tokens::id)
        .get_result(connection)?;
    let (token, organization) = (TokenId(id), new.organization);
    uses::begin(
        connection,
        &Unused { token, organization, kind: TokenKind::Service, inactivity: new.inactivity },
        now,
    )?;
    Ok(token)
}

/// Returns the slot of a token among the active ones of its organization, if it has one.
pub fn slot(connection: &mut AnyConnection, key: TokenId) -> Result<Option<i16>> {
    Ok(api_tokens::table.find(key.0).select(api_tokens::slot).get_result(connection)?)
}

/// Returns the slots that are taken by the active tokens of an organization's service users.
pub fn slots(connection: &mut AnyConnection, organization: OrganizationId) -> Result<Vec<i16>> {
    Ok(api_tokens::table
        .filter(api_tokens::organization_id.eq(organization.0).and(api_tokens::kind.eq(TokenKind::Service.key())))
        .filter(api_tokens::slot.is_not_null())
        .select(api_tokens::slot.assume_not_null())
        .load(connection)?)
}

/// Returns how many tokens of an organization's service users are active.
pub fn count_active(connection: &mut AnyConnection, organization: OrganizationId, now: Timestamp) -> Result<usize> {
    let count: i64 = api_tokens::table
        .inner_join(token_uses::table)
        .filter(api_tokens::organization_id.eq(organization.0).and(api_tokens::kind.eq(TokenKind::Service.key())))
        .filter(api_tokens::slot.is_not_null().and(expires_at().gt(now.seconds())))
        .count()
        .get_result(connection)?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// Increments the version. Returns false if it is not `version` any more, as somebody else was faster.
fn step(connection: &mut AnyConnection, id: ServiceUserId, version: i64) -> Result<bool> {
    let stepped = diesel::update(service_users::table.find(id.0).filter(service_users::version.eq(version)))
        .set(service_users::version.eq(version + 1))
        .execute(connection)?;
    Ok(stepped == 1)
}

/// Changes the name. Returns false if `version` is not the newest.
pub fn rename(connection: &mut AnyConnection, id: ServiceUserId, version: i64, name: &str) -> Result<bool> {
    if !step(connection, id, version)? {
        return Ok(false);
    }
    diesel::update(service_users::table.find(id.0)).set(service_users::name.eq(name)).execute(connection)?;
    diesel::update(api_tokens::table.filter(api_tokens::service_user_id.eq(id.0)))
        .set((api_tokens::label.eq(name), api_tokens::search.eq(text::searchable(name))))
        .execute(connection)?;
    Ok(true)
}

/// Changes the permissions. Returns false if `version` is not the newest.
pub fn set_permissions(
    connection: &mut AnyConnection,
    id: ServiceUserId,
    version: i64,
    permissions: &Permissions,
) -> Result<bool> {
    if !step(connection, id, version)? {
        return Ok(false);
    }
    diesel::update(service_users::table.find(id.0))
        .set(service_users::permissions.eq(permissions.keys()))
        .execute(connection)?;
    Ok(true)
}

/// The permissions of a service user, and its names.
#[derive(Clone, Debug)]
pub struct Holding {
    /// The row.
    pub id: ServiceUserId,
    /// The public id.
    pub public_id: String,
    /// The name.
    pub name: String,
    /// What it holds.
    pub permissions: Permissions,
    /// Its version.
    pub version: i64,
    /// Whether its token has neither been revoked nor is known to have expired.
    pub is_active: bool,
}

/// Lists what the service users of an organization hold, whatever the state of their tokens, by name.
pub fn holdings(connection: &mut AnyConnection, organization: OrganizationId) -> Result<Vec<Holding>> {
    let known = known_in(connection, organization)?;
    let rows: Vec<Row> = service_users::table
        .filter(service_users::organization_id.eq(organization.0))
        .order((service_users::name, service_users::id))
        .select(Row::as_select())
        .load(connection)?;
    let active: Vec<i64> = api_tokens::table
        .filter(api_tokens::organization_id.eq(organization.0).and(api_tokens::kind.eq(TokenKind::Service.key())))
        .filter(api_tokens::slot.is_not_null())
        .select(api_tokens::service_user_id.assume_not_null())
        .load(connection)?;
    let holding = |row: Row| Holding {
        id: ServiceUserId(row.id),
        is_active: active.contains(&row.id),
        permissions: Permissions::from_keys(&row.permissions, &known),
        public_id: row.public_id,
        name: row.name,
        version: row.version,
    };
    Ok(rows.into_iter().map(holding).collect())
}

/// Changes the inactivity expiry of its active keys. Returns false if `version` is not the newest.
pub fn set_inactivity(
    connection: &mut AnyConnection,
    id: ServiceUserId,
    version: i64,
    inactivity: InactivityExpiry,
) -> Result<bool> {
    if !step(connection, id, version)? {
        return Ok(false);
    }
    let keys = api_tokens::table.filter(api_tokens::service_user_id.eq(id.0)).select(api_tokens::id);
    diesel::update(token_uses::table.filter(token_uses::token_id.eq_any(keys)))
        .filter(token_uses::state.eq(ACTIVE))
        .set(token_uses::inactivity_days.eq(inactivity.days()))
        .execute(connection)?;
    Ok(true)
}

/// Revokes a key and older ones that have not ended; with the current key, that is all of them. Returns whether there
/// was any.
pub fn revoke(
    connection: &mut AnyConnection,
    id: ServiceUserId,
    key: TokenId,
    revocation: Revocation<'_>,
    now: Timestamp,
) -> Result<bool> {
    let alive = api_tokens::revoked_at.is_null().and(api_tokens::expired_at.is_null());
    let revoked: Vec<i64> = diesel::update(api_tokens::table.filter(api_tokens::service_user_id.eq(id.0)))
        .filter(api_tokens::id.le(key.0))
        .filter(alive)
        .set(Revoked::new(revocation, now))
        .returning(api_tokens::id)
        .get_results(connection)?;
    // If only an old key is revoked, because it was found or given back, the token keeps working.
    let newer = api_tokens::table.filter(api_tokens::service_user_id.eq(id.0).and(api_tokens::id.gt(key.0)));
    let is_old_key = diesel::select(diesel::dsl::exists(newer)).get_result(connection)?;
    note_revoked(connection, &revoked, is_old_key)
}

/// Deletes a service user and all its keys.
pub fn delete(connection: &mut AnyConnection, id: ServiceUserId) -> Result<()> {
    // Uses first: who writes uses locks those before they count them, which needs the key.
    let keys = api_tokens::table.filter(api_tokens::service_user_id.eq(id.0)).select(api_tokens::id);
    diesel::delete(token_uses::table.filter(token_uses::token_id.eq_any(keys))).execute(connection)?;
    diesel::delete(api_tokens::table.filter(api_tokens::service_user_id.eq(id.0))).execute(connection)?;
    diesel::delete(service_users::table.find(id.0)).execute(connection)?;
    Ok(())
}
