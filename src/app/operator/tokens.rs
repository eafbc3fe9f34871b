//! Tokens of people and of service users: listed, and revoked one by one or in bulk.

use super::{Operator, Records, entry, find_organization, find_user};
use crate::{
    AppError, Jeton, Result,
    problem::{Field, Problems},
    tokens::{known_form, revoke_in},
};
use domain::{
    activity::{Action, Detail},
    organization::OrganizationId,
    service_user::ServiceToken,
    text,
    time::{DAY, Timestamp},
    token::{Life, OwnedToken, RevokedBy},
};
use storage::{
    AnyConnection, activity,
    organizations::{self, Named},
    tokens::{self, Revocation, service_users},
    users,
};

/// A filter of tokens; a token must match all its conditions.
#[derive(Clone, Debug, Default)]
pub struct TokenFilter {
    /// Only tokens of the user with this e-mail address, so no tokens of service users.
    pub owner: Option<String>,
    /// Only tokens in the organization with this slug.
    pub organization: Option<String>,
    /// Only tokens without a use in this many days; a token that was never used counts from its creation.
    pub unused_for: Option<u16>,
}

/// A token of either kind.
#[derive(Clone, Debug)]
pub enum AnyToken {
    /// A personal token.
    Personal(Box<OwnedToken>),
    /// A service user's token.
    Service(Box<ServiceToken>),
}

impl AnyToken {
    /// Returns the times that decide whether the token is active; for a service user's token, those of its current key.
    pub const fn life(&self) -> &Life {
        match self {
            Self::Personal(owned) => &owned.token.key.life,
            Self::Service(token) => &token.key.life,
        }
    }
}

/// A token and its organization.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The organization.
    pub organization: Named,
    /// The token.
    pub token: AnyToken,
}

impl Records {
    /// Lists the active tokens that match the filter: personal tokens, then those of service users, newest first.
    ///
    /// # Errors
    /// [`AppError::Invalid`] if no user has the e-mail address, or no organization the slug.
    pub fn tokens(&mut self, filter: &TokenFilter) -> Result<Vec<Placed>> {
        find(&mut self.connection, filter, self.now)
    }
}

/// Revokes the active tokens that match the filter, all or none, and returns them. When this returns, no node accepts
/// any of them. Uses of the last minute that a running server has not yet written are not taken into account.
///
/// # Errors
/// As [`Records::tokens`]; [`AppError::Invalid`] at [`Field::Reason`].
pub async fn revoke_tokens(
    jeton: &Jeton,
    _: Operator,
    filter: TokenFilter,
    reason: Option<String>,
) -> Result<Vec<Placed>> {
    let (reason, now) = (read_reason(reason)?, jeton.clock.now());
    jeton
        .end_authority(move |connection| {
            let mut found = find(connection, &filter, now)?;
            // In the order of organizations, so that two transactions do not deadlock.
            found.sort_by_key(|placed| placed.organization.id);
            let mut revoked = Vec::new();
            for placed in found {
                if revoke_any(connection, placed.organization.id, &placed.token, reason.as_deref(), now)? {
                    revoked.push(placed);
                }
            }
            Ok(revoked)
        })
        .await
}

/// Revokes a personal token or one of a service user. When this returns, no node accepts it any more. Returns false if
/// it had already ended.
///
/// # Errors
/// [`AppError::NotFound`] if there is no token with this public id; [`AppError::Invalid`] at [`Field::Reason`].
pub async fn revoke_token(jeton: &Jeton, _: Operator, public_id: &str, reason: Option<String>) -> Result<bool> {
    let (public_id, reason, now) = (known_form(public_id)?, read_reason(reason)?, jeton.clock.now());
    jeton
        .end_authority(move |connection| {
            let (organization, token) = find_one(connection, &public_id, now)?;
            revoke_any(connection, organization, &token, reason.as_deref(), now)
        })
        .await
}

fn read_reason(typed: Option<String>) -> Result<Option<String>> {
    let read = |typed: String| text::reason(&typed);
    Ok(typed.map(read).transpose().map_err(|error| Problems::one(Field::Reason, error.into()))?)
}

fn find(connection: &mut AnyConnection, filter: &TokenFilter, now: Timestamp) -> Result<Vec<Placed>> {
    let owner = filter.owner.as_deref().map(|email| find_user(connection, email)).transpose()?;
    let only = filter.organization.as_deref().map(|slug| find_organization(connection, slug)).transpose()?;
    let mut places = organizations::all(connection)?;
    places.retain(|place| only.is_none_or(|only| only == place.id));
    let mut found = Vec::new();
    for owned in tokens::list_owned(connection, owner.as_ref().map(|user| user.id))? {
        if let Some(place) = places.iter().find(|place| place.id == owned.organization) {
            found.push(Placed { organization: place.clone(), token: AnyToken::Personal(Box::new(owned)) });
        }
    }
    if owner.is_none() {
        for place in &places {
            let tokens = service_users::list(connection, place.id, now)?.into_iter().map(Box::new);
            let placed = |token| Placed { organization: place.clone(), token: AnyToken::Service(token) };
            found.extend(tokens.map(placed));
        }
    }
    let is_idle =
        |life: &Life| filter.unused_for.is_none_or(|days| now.since(life.idle_since()) >= i64::from(days) * DAY);
    found.retain(|placed| placed.token.life().is_active(now) && is_idle(placed.token.life()));
    Ok(found)
}

fn find_one(connection: &mut AnyConnection, public_id: &str, now: Timestamp) -> Result<(OrganizationId, AnyToken)> {
    if let Some(owned) = tokens::find_owned(connection, public_id)? {
        return Ok((owned.organization, AnyToken::Personal(Box::new(owned))));
    }
    let organization = service_users::organization_of(connection, public_id)?.ok_or(AppError::NotFound)?;
    let token = service_users::find(connection, organization, public_id, now)?.ok_or(AppError::NotFound)?;
    Ok((organization, AnyToken::Service(Box::new(token))))
}

/// Revokes a token; a service user's token with all its keys. Returns false if it had already ended.
fn revoke_any(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    token: &AnyToken,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    let revocation = Revocation { by: RevokedBy::Operator, name: None, reason };
    let by = entry(Some(organization), Action::TokenRevoked, now);
    match token {
        AnyToken::Personal(owned) => {
            let name = users::find(connection, owned.owner)?.map(|user| user.name);
            let by = activity::Entry { target: Some(owned.owner), target_name: name.as_deref(), ..by };
            revoke_in(connection, &owned.token, revocation, by)
        }
        AnyToken::Service(token) => {
            let revoked = token.key.life.is_active(now)
                && service_users::revoke(connection, token.id, token.key.token, revocation, now)?;
            if revoked {
                let named = Some((token.public_id.as_str(), token.name.as_str()));
                activity::insert(
                    connection,
                    &activity::Entry { token: named, detail: reason.map(Detail::words), ..by },
                )?;
            }
            Ok(revoked)
        }
    }
}
