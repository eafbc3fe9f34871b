//! Personal tokens.

use super::KeyRow;
use crate::{
    AnyConnection, Result,
    connection::MultiBackend,
    expect_column,
    schema::{api_tokens, token_uses, users},
    tokens::uses::{self, Unused},
};
use diesel::prelude::*;
use domain::{
    organization::{MembershipId, OrganizationId},
    text,
    time::Timestamp,
    token::{InactivityExpiry, KeyDigest, OwnedToken, Pepper, Scope, Token, TokenId, TokenKind},
    user::UserId,
};

/// A personal token to be stored.
pub struct NewToken<'a> {
    /// The public id.
    pub public_id: &'a str,
    /// The organization.
    pub organization: OrganizationId,
    /// The owner's membership there.
    pub membership: MembershipId,
    /// The owner.
    pub user: UserId,
    /// Its label.
    pub label: &'a str,
    /// Its scope.
    pub scope: Scope,
    /// Its inactivity expiry.
    pub inactivity: InactivityExpiry,
    /// The digest of its key.
    pub digest: KeyDigest,
    /// The nonce of the form that created it.
    pub form_nonce: &'a str,
    /// Its slot among the active tokens of its user, from 1.
    pub slot: i16,
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

impl Row {
    fn token(self) -> Result<Token> {
        Ok(Token {
            key: self.key.facts()?,
            membership: MembershipId(expect_column(self.membership_id, "membership_id")?),
            public_id: self.public_id,
            label: self.label,
            scope: expect_column(Scope::from_key(&self.scope), &self.scope)?,
        })
    }
}

/// Lists the tokens of a user in all organizations: those that have a slot, and those that ended since `since`; newest
/// first.
pub fn list(connection: &mut AnyConnection, user: UserId, since: Timestamp) -> Result<Vec<Token>> {
    let ended_lately = api_tokens::revoked_at.ge(since.seconds()).or(api_tokens::expired_at.ge(since.seconds()));
    let shown = ended_lately.assume_not_null().or(api_tokens::slot.is_not_null());
    api_tokens::table
        .inner_join(token_uses::table)
        .filter(api_tokens::user_id.eq(user.0).and(shown))
        .order(api_tokens::id.desc())
        .select(Row::as_select())
        .load::<Row>(connection)?
        .into_iter()
        .map(Row::token)
        .collect()
}

/// Returns a token of a membership by its public id; `None` for somebody else's.
pub fn find(connection: &mut AnyConnection, membership: MembershipId, public_id: &str) -> Result<Option<Token>> {
    api_tokens::table
        .inner_join(token_uses::table)
        .filter(api_tokens::membership_id.eq(membership.0).and(api_tokens::public_id.eq(public_id)))
        .select(Row::as_select())
        .get_result(connection)
        .optional()?
        .map(Row::token)
        .transpose()
}

/// Lists the tokens that have a slot, of one user or of all, newest first. Some may have expired since.
pub fn list_owned(connection: &mut AnyConnection, owner: Option<UserId>) -> Result<Vec<OwnedToken>> {
    let mut query = api_tokens::table
        .inner_join(token_uses::table)
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

/// Returns a token by its public id, whoever owns it.
pub fn find_owned(connection: &mut AnyConnection, public_id: &str) -> Result<Option<OwnedToken>> {
    api_tokens::table
        .inner_join(token_uses::table)
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

/// Returns the token that a form created, if it was sent before.
pub fn find_by_form(connection: &mut AnyConnection, user: UserId, form_nonce: &str) -> Result<Option<Token>> {
    api_tokens::table
        .inner_join(token_uses::table)
        .filter(api_tokens::user_id.eq(user.0).and(api_tokens::form_nonce.eq(form_nonce)))
        .select(Row::as_select())
        .get_result(connection)
        .optional()?
        .map(Row::token)
        .transpose()
}

/// Lists the tokens of a user in all organizations that have a slot, with the slot of each. Some may have expired
/// since.
pub fn active(connection: &mut AnyConnection, user: UserId) -> Result<Vec<(i16, Token)>> {
    api_tokens::table
        .inner_join(token_uses::table)
        .filter(api_tokens::user_id.eq(user.0).and(api_tokens::slot.is_not_null()))
        .order(api_tokens::id.desc())
        .select(Row::as_select())
        .load::<Row>(connection)?
        .into_iter()
        .map(|row| Ok((expect_column(row.slot, "slot")?, row.token()?)))
        .collect()
}

/// Stores a personal token.
///
/// # Errors
/// When the database fails; [`crate::StorageError::is_duplicate`] if the slot is taken or the form was sent before.
pub fn insert(connection: &mut AnyConnection, new: &NewToken<'_>, now: Timestamp) -> Result<TokenId> {
    let id = diesel::insert_into(api_tokens::table)
        .values((
            api_tokens::public_id.eq(new.public_id),
            api_tokens::kind.eq(TokenKind::Personal.key()),
            api_tokens::organization_id.eq(new.organization.0),
            api_tokens::membership_id.eq(new.membership.0),
            api_tokens::user_id.eq(new.user.0),
            api_tokens::label.eq(new.label),
            api_tokens::search.eq(text::searchable(new.label)),
            api_tokens::scope.eq(new.scope.key()),
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
        &Unused { token, organization, kind: TokenKind::Personal, inactivity: new.inactivity },
        now,
    )?;
    Ok(token)
}
