//! API tokens.

mod calls;
mod identity;
pub mod inventory;
pub mod service_users;

pub use calls::count_calls;
pub use identity::{identities, identity, touched};

use super::{
    AnyConnection, Result,
    connection::MultiBackend,
    known,
    schema::{api_tokens, users},
};
use crate::domain::{
    activity::Source,
    organization::{MembershipId, OrganizationId},
    time::Timestamp,
    token::{InactivityExpiry, KeyDigest, Life, Pepper, Scope, TokenId, TokenKind},
    user::UserId,
};
use diesel::{dsl::sql, prelude::*, sql_types::BigInt};

/// Who revoked a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokedBy {
    /// Its owner, on a page.
    Owner,
    /// Whoever held its key, through the API.
    Key,
    /// Whoever runs the server, at the command line.
    Operator,
    /// An administrator of the organization.
    Administrator,
    /// Its owner was deactivated or left the organization.
    Membership,
    /// A new key took its place.
    Replaced,
}

impl RevokedBy {
    const fn key(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Key => "key",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
            Self::Membership => "membership",
            Self::Replaced => "replaced",
        }
    }

    fn from_key(key: &str) -> Option<Self> {
        [Self::Owner, Self::Key, Self::Operator, Self::Administrator, Self::Membership, Self::Replaced]
            .into_iter()
            .find(|by| by.key() == key)
    }
}

/// Who revokes a token, and why.
#[derive(Clone, Copy, Debug)]
pub struct Revocation<'a> {
    /// Who or what.
    pub by: RevokedBy,
    /// The name of whoever does it, if it is not the owner.
    pub name: Option<&'a str>,
    /// The reason that they give.
    pub reason: Option<&'a str>,
}

impl From<RevokedBy> for Revocation<'_> {
    fn from(by: RevokedBy) -> Self {
        Self { by, name: None, reason: None }
    }
}

/// Refused uses of a token since it was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedUses {
    /// How many.
    pub count: i64,
    /// The last of them.
    pub last: LastUse,
}

/// The last accepted use of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// When.
    pub at: Timestamp,
    /// From which address.
    pub address: String,
    /// By which program.
    pub program: String,
}

/// A personal token as lists and its page show it.
#[derive(Clone, Debug)]
pub struct Token {
    /// The row.
    pub id: TokenId,
    /// Whose it is, in which organization.
    pub membership: MembershipId,
    /// The id that may be shown.
    pub public_id: String,
    /// Its label.
    pub label: String,
    /// How far it reaches.
    pub scope: Scope,
    /// The moments that decide whether it lives.
    pub life: Life,
    /// Its last accepted use.
    pub last_use: Option<LastUse>,
    /// Who revoked it, if somebody did.
    pub revoked_by: Option<RevokedBy>,
    /// The name of whoever revoked it, if it was not the owner.
    pub revoked_by_name: Option<String>,
    /// The reason that they gave.
    pub revocation_reason: Option<String>,
    /// Its refused uses since it was revoked.
    pub refused: Option<RefusedUses>,
}

/// A personal token with its owner, as an operator sees it.
#[derive(Clone, Debug)]
pub struct OwnedToken {
    /// The token.
    pub token: Token,
    /// Whose it is.
    pub owner: UserId,
    /// Their e-mail address.
    pub owner_email: String,
    /// In which organization.
    pub organization: OrganizationId,
}

/// A personal token to be stored.
pub struct NewToken<'a> {
    /// The id that may be shown.
    pub public_id: &'a str,
    /// In which organization.
    pub organization: OrganizationId,
    /// Whose it is there.
    pub membership: MembershipId,
    /// The same user.
    pub user: UserId,
    /// Its label.
    pub label: &'a str,
    /// How far it reaches.
    pub scope: Scope,
    /// When it expires.
    pub inactivity: InactivityExpiry,
    /// What is kept of its key.
    pub digest: KeyDigest,
    /// The form that asked for it.
    pub form_nonce: &'a str,
    /// Its place among the active tokens of its user, from 1.
    pub slot: i16,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
struct LifeRow {
    created_at: i64,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
    expired_at: Option<i64>,
    inactivity_days: i16,
    ends_at: Option<i64>,
}

impl LifeRow {
    fn life(self) -> Result<Life> {
        Ok(Life {
            created_at: Timestamp::from_seconds(self.created_at),
            last_used_at: self.last_used_at.map(Timestamp::from_seconds),
            revoked_at: self.revoked_at.map(Timestamp::from_seconds),
            expired_at: self.expired_at.map(Timestamp::from_seconds),
            inactivity: known(InactivityExpiry::from_days(self.inactivity_days), "inactivity_days")?,
            ends_at: self.ends_at.map(Timestamp::from_seconds),
        })
    }
}

/// A key and what has become of it.
#[derive(Clone, Debug)]
pub struct KeyFacts {
    /// Its row.
    pub token: TokenId,
    /// The moments that decide whether it lives.
    pub life: Life,
    /// Its last accepted use.
    pub last_use: Option<LastUse>,
    /// Who revoked it, if somebody did.
    pub revoked_by: Option<RevokedBy>,
    /// The name of whoever revoked it, if it was not the owner.
    pub revoked_by_name: Option<String>,
    /// The reason that they gave.
    pub revocation_reason: Option<String>,
    /// Its refused uses since it was revoked.
    pub refused: Option<RefusedUses>,
    /// An old key ends after this many seconds without use, once its replacement is used.
    pub quiet_seconds: Option<i64>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
struct KeyRow {
    id: i64,
    #[diesel(embed)]
    life: LifeRow,
    last_used_address: Option<String>,
    last_used_program: Option<String>,
    revoked_by: Option<String>,
    revoked_by_name: Option<String>,
    revocation_reason: Option<String>,
    #[diesel(embed)]
    refused: RefusedRow,
    quiet_seconds: Option<i64>,
}

impl KeyRow {
    fn facts(self) -> Result<KeyFacts> {
        let life = self.life.life()?;
        let last_use = life.last_used_at.map(|at| LastUse {
            at,
            address: self.last_used_address.unwrap_or_default(),
            program: self.last_used_program.unwrap_or_default(),
        });
        Ok(KeyFacts {
            token: TokenId(self.id),
            life,
            last_use,
            revoked_by: self.revoked_by.map(|word| known(RevokedBy::from_key(&word), &word)).transpose()?,
            revoked_by_name: self.revoked_by_name,
            revocation_reason: self.revocation_reason,
            refused: self.refused.uses(),
            quiet_seconds: self.quiet_seconds,
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
struct Row {
    membership_id: Option<i64>,
    public_id: String,
    label: String,
    scope: String,
    slot: Option<i16>,
    #[diesel(embed)]
    key: KeyRow,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
struct RefusedRow {
    refused_count: i64,
    refused_at: Option<i64>,
    refused_address: Option<String>,
    refused_program: Option<String>,
}

impl RefusedRow {
    fn uses(self) -> Option<RefusedUses> {
        let last = LastUse {
            at: Timestamp::from_seconds(self.refused_at?),
            address: self.refused_address.unwrap_or_default(),
            program: self.refused_program.unwrap_or_default(),
        };
        Some(RefusedUses { count: self.refused_count, last })
    }
}

impl Row {
    fn token(self) -> Result<Token> {
        let key = self.key.facts()?;
        Ok(Token {
            id: key.token,
            membership: MembershipId(known(self.membership_id, "membership_id")?),
            public_id: self.public_id,
            label: self.label,
            scope: known(Scope::from_key(&self.scope), &self.scope)?,
            life: key.life,
            last_use: key.last_use,
            revoked_by: key.revoked_by,
            revoked_by_name: key.revoked_by_name,
            revocation_reason: key.revocation_reason,
            refused: key.refused,
        })
    }
}

/// The tokens of a user in all organizations: those that take a place, and those that ended no earlier than `since`;
/// newest first.
///
/// # Errors
/// When the database fails.
pub fn list(connection: &mut AnyConnection, user: UserId, since: Timestamp) -> Result<Vec<Token>> {
    let ended_lately = api_tokens::revoked_at.ge(since.seconds()).or(api_tokens::expired_at.ge(since.seconds()));
    let shown = ended_lately.assume_not_null().or(api_tokens::slot.is_not_null());
    api_tokens::table
        .filter(api_tokens::user_id.eq(user.0).and(shown))
        .order(api_tokens::id.desc())
        .select(Row::as_select())
        .load::<Row>(connection)?
        .into_iter()
        .map(Row::token)
        .collect()
}

/// A token of a membership by its public id. One of somebody else is none.
///
/// # Errors
/// When the database fails.
pub fn find(connection: &mut AnyConnection, membership: MembershipId, public_id: &str) -> Result<Option<Token>> {
    api_tokens::table
        .filter(api_tokens::membership_id.eq(membership.0).and(api_tokens::public_id.eq(public_id)))
        .select(Row::as_select())
        .get_result(connection)
        .optional()?
        .map(Row::token)
        .transpose()
}

/// The tokens that take a place, of one user or of all, newest first. Some may have expired since.
///
/// # Errors
/// When the database fails.
pub fn list_owned(connection: &mut AnyConnection, owner: Option<UserId>) -> Result<Vec<OwnedToken>> {
    let mut query = api_tokens::table
        .inner_join(users::table.on(api_tokens::user_id.eq(users::id.nullable())))
        .filter(api_tokens::slot.is_not_null())
        .order(api_tokens::id.desc())
        .select((Row::as_select(), users::id, users::email, api_tokens::organization_id))
        .into_boxed::<MultiBackend>();
    if let Some(owner) = owner {
        query = query.filter(users::id.eq(owner.0));
    }
    query.load::<(Row, i64, String, i64)>(connection)?.into_iter().map(owned).collect()
}

/// A token by its public id, whosever it is.
///
/// # Errors
/// When the database fails.
pub fn find_owned(connection: &mut AnyConnection, public_id: &str) -> Result<Option<OwnedToken>> {
    api_tokens::table
        .inner_join(users::table.on(api_tokens::user_id.eq(users::id.nullable())))
        .filter(api_tokens::public_id.eq(public_id))
        .select((Row::as_select(), users::id, users::email, api_tokens::organization_id))
        .get_result(connection)
        .optional()?
        .map(owned)
        .transpose()
}

fn owned((row, owner, owner_email, organization): (Row, i64, String, i64)) -> Result<OwnedToken> {
    Ok(OwnedToken {
        token: row.token()?,
        owner: UserId(owner),
        owner_email,
        organization: OrganizationId(organization),
    })
}

/// The token that a form made, if it was sent before.
///
/// # Errors
/// When the database fails.
pub fn find_by_form(connection: &mut AnyConnection, user: UserId, form_nonce: &str) -> Result<Option<Token>> {
    api_tokens::table
        .filter(api_tokens::user_id.eq(user.0).and(api_tokens::form_nonce.eq(form_nonce)))
        .select(Row::as_select())
        .get_result(connection)
        .optional()?
        .map(Row::token)
        .transpose()
}

/// The tokens of a user, in all organizations, that take a place, with the place of each. Some may have expired since.
///
/// # Errors
/// When the database fails.
pub fn in_places(connection: &mut AnyConnection, user: UserId) -> Result<Vec<(i16, Token)>> {
    api_tokens::table
        .filter(api_tokens::user_id.eq(user.0).and(api_tokens::slot.is_not_null()))
        .order(api_tokens::id.desc())
        .select(Row::as_select())
        .load::<Row>(connection)?
        .into_iter()
        .map(|row| Ok((known(row.slot, "slot")?, row.token()?)))
        .collect()
}

/// Stores a personal token.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] if the place is taken or the form was sent before.
pub fn insert(connection: &mut AnyConnection, new: &NewToken<'_>, now: Timestamp) -> Result<TokenId> {
    let id = diesel::insert_into(api_tokens::table)
        .values((
            api_tokens::public_id.eq(new.public_id),
            api_tokens::kind.eq(TokenKind::Personal.key()),
            api_tokens::organization_id.eq(new.organization.0),
            api_tokens::membership_id.eq(new.membership.0),
            api_tokens::user_id.eq(new.user.0),
            api_tokens::label.eq(new.label),
            api_tokens::scope.eq(new.scope.key()),
            api_tokens::inactivity_days.eq(new.inactivity.days()),
            api_tokens::digest.eq(&new.digest.0[..]),
            api_tokens::pepper_version.eq(Pepper::VERSION),
            api_tokens::form_nonce.eq(new.form_nonce),
            api_tokens::created_at.eq(now.seconds()),
            api_tokens::slot.eq(new.slot),
        ))
        .returning(api_tokens::id)
        .get_result(connection)?;
    Ok(TokenId(id))
}

/// Revokes a token that has not ended yet. Returns false if it has.
///
/// # Errors
/// When the database fails.
pub fn revoke<'a>(
    connection: &mut AnyConnection,
    id: TokenId,
    revocation: impl Into<Revocation<'a>>,
    now: Timestamp,
) -> Result<bool> {
    let revocation = revocation.into();
    let alive = api_tokens::revoked_at.is_null().and(api_tokens::expired_at.is_null());
    let revoked = diesel::update(api_tokens::table.find(id.0).filter(alive))
        .set((
            api_tokens::revoked_at.eq(now.seconds()),
            api_tokens::revoked_by.eq(revocation.by.key()),
            api_tokens::revoked_by_name.eq(revocation.name),
            api_tokens::revocation_reason.eq(revocation.reason),
            api_tokens::slot.eq(None::<i16>),
        ))
        .execute(connection)?;
    Ok(revoked == 1)
}

/// Adds refused uses of a revoked token, of which `source` tells about the last.
///
/// # Errors
/// When the database fails.
pub fn note_refused(
    connection: &mut AnyConnection,
    id: TokenId,
    count: i64,
    at: Timestamp,
    source: &Source,
) -> Result<()> {
    diesel::update(api_tokens::table.find(id.0))
        .set((
            api_tokens::refused_count.eq(api_tokens::refused_count + count),
            api_tokens::refused_at.eq(at.seconds()),
            api_tokens::refused_address.eq(&source.address),
            api_tokens::refused_program.eq(&source.program),
        ))
        .execute(connection)?;
    Ok(())
}

/// Writes down that a token has expired and gives its place free, unless it was used or revoked meanwhile.
///
/// # Errors
/// When the database fails.
pub fn expire(connection: &mut AnyConnection, id: TokenId, now: Timestamp) -> Result<bool> {
    let expired =
        diesel::update(api_tokens::table.find(id.0).filter(api_tokens::slot.is_not_null()).filter(is_due(now)))
            .set((api_tokens::expired_at.eq(counted_from_last_use().nullable()), api_tokens::slot.eq(None::<i16>)))
            .execute(connection)?;
    Ok(expired == 1)
}

/// A token whose period has ended: what the log needs to know of it.
pub struct Due {
    /// The row.
    pub id: TokenId,
    /// Its public id.
    pub public_id: String,
    /// Its label.
    pub label: String,
    /// Its organization.
    pub organization: OrganizationId,
}

/// Tokens whose inactivity period has ended without that being written down, `limit` at most.
///
/// # Errors
/// When the database fails.
pub fn due(connection: &mut AnyConnection, now: Timestamp, limit: i64) -> Result<Vec<Due>> {
    let rows: Vec<(i64, String, String, i64)> = api_tokens::table
        .filter(api_tokens::slot.is_not_null())
        .filter(is_due(now))
        .order((api_tokens::organization_id, api_tokens::id))
        .limit(limit)
        .select((api_tokens::id, api_tokens::public_id, api_tokens::label, api_tokens::organization_id))
        .load(connection)?;
    let due = |(id, public_id, label, organization)| Due {
        id: TokenId(id),
        public_id,
        label,
        organization: OrganizationId(organization),
    };
    Ok(rows.into_iter().map(due).collect())
}

/// [`Life::expires_at`] in SQL, word for word the expression of the index `api_tokens_due`.
fn counted_from_last_use() -> diesel::expression::SqlLiteral<BigInt> {
    sql("(coalesce(last_used_at, created_at) + inactivity_days * 86400)")
}

fn is_due(now: Timestamp) -> diesel::dsl::LtEq<diesel::expression::SqlLiteral<BigInt>, i64> {
    counted_from_last_use().le(now.seconds())
}

/// What became of writing down a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotedUse {
    /// It was the first.
    First,
    /// It was a later one, or a newer one stands there already.
    Later,
    /// Nothing was written, since the token has ended.
    Ended,
}

/// Writes down a use that was accepted at `at`. The stored moment never moves back, and a token that had ended by then is
/// left alone (L8, V16). One that was revoked since keeps the uses from before.
///
/// # Errors
/// When the database fails.
pub fn note_use(connection: &mut AnyConnection, id: TokenId, at: Timestamp, source: &Source) -> Result<NotedUse> {
    let before: Option<Option<i64>> =
        api_tokens::table.find(id.0).select(api_tokens::last_used_at).get_result(connection).optional()?;
    let Some(before) = before else { return Ok(NotedUse::Ended) };
    if before.is_some_and(|before| before >= at.seconds()) {
        return Ok(NotedUse::Later);
    }
    let not_revoked = api_tokens::revoked_at.is_null().or(api_tokens::revoked_at.ge(at.seconds()).assume_not_null());
    let not_newer = api_tokens::last_used_at.is_null().or(api_tokens::last_used_at.lt(at.seconds()).assume_not_null());
    let written = diesel::update(api_tokens::table.find(id.0))
        .filter(api_tokens::expired_at.is_null().and(not_revoked).and(not_newer))
        // At its very end the token is expired: the use and the end of the period cannot both win.
        .filter(counted_from_last_use().gt(at.seconds()))
        .set((
            api_tokens::last_used_at.eq(at.seconds()),
            api_tokens::last_used_address.eq(&source.address),
            api_tokens::last_used_program.eq(&source.program),
        ))
        .execute(connection)?;
    Ok(match (written, before) {
        (0, _) => NotedUse::Ended,
        (_, None) => NotedUse::First,
        (_, Some(_)) => NotedUse::Later,
    })
}
