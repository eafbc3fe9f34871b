//! The one decision about a request: token state → subject's state → scope → permission.
//!
//! The API, forward-auth and every later protocol call [`decide`]; there is no second place that decides. The links are
//! asked in a fixed order and the first that says no is the answer, so a [`Refusal`] tells the whole chain: what stands
//! before its [`Link`] said yes. Access to an item becomes the next link when there are items.

use super::{
    organization::OrganizationId,
    permission::{Permission, Permissions},
    time::Timestamp,
    token::{Life, Scope, TokenId, TokenKind, TokenState},
    user::UserId,
};
use std::sync::Arc;

/// Whom a token speaks for and how far: the facts of one token at one moment of the database.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The row of the token.
    pub token: TokenId,
    /// Its public id.
    pub token_public_id: String,
    /// Its label or its service user's name.
    pub label: String,
    /// Whose credential it is.
    pub kind: TokenKind,
    /// How far it reaches.
    pub scope: Scope,
    /// The subject.
    pub subject: Subject,
    /// The keys of [`Identity::permissions`], separated by spaces: sent with every answer, so put together
    /// once, and shared by the many tokens that have the same.
    pub permission_keys: Arc<str>,
    /// The subject's organization.
    pub organization: OrganizationId,
    /// What programs know the organization by, for ever.
    pub organization_public_id: Arc<str>,
    /// The organization's part of addresses.
    pub organization_slug: Arc<str>,
    /// The organization's name.
    pub organization_name: Arc<str>,
}

impl Identity {
    /// What this token may do: the subject's permissions as far as its scope lets them through.
    pub fn permissions(&self) -> Permissions {
        self.subject.permissions.within(self.scope)
    }
}

/// For whom a request acts.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The person; a service user has none.
    pub user: Option<UserId>,
    /// A name for programs that stays the same for ever, such as `membership:12` or `service_user:k7m2q9xd4t`.
    pub name: String,
    /// The person's or the service user's name.
    pub display_name: String,
    /// Whether the subject may act at all.
    pub is_active: bool,
    /// What the subject may do at this moment.
    pub permissions: Permissions,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// It changes something.
    pub write: bool,
    /// It needs these permissions.
    pub permissions: Permissions,
    /// It is a matter of this organization alone: a token of another one is none.
    pub organization: Option<OrganizationId>,
}

impl Demand {
    /// This and `other` together.
    pub const fn and(self, other: Self) -> Self {
        Self {
            write: self.write || other.write,
            permissions: self.permissions.with(other.permissions),
            organization: if self.organization.is_some() { self.organization } else { other.organization },
        }
    }
}

/// One link of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// The token is one of the organization that the request concerns, and lives.
    Token,
    /// Its subject may act.
    Subject,
    /// Its scope covers the request.
    Scope,
    /// Its subject holds the permission.
    Permission,
}

/// The link that said no, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The token is one of another organization than the request concerns.
    Foreign,
    /// The token was revoked at this moment.
    Revoked(Timestamp),
    /// The token had not been used for its inactivity period, which ended at this moment.
    Expired(Timestamp),
    /// The subject is deactivated.
    SubjectInactive,
    /// The request changes something and the token only reads.
    ReadOnly,
    /// The subject does not hold this permission, or the token's scope makes it worthless.
    PermissionMissing(Permission),
}

impl Refusal {
    /// Which link it was.
    pub const fn link(self) -> Link {
        match self {
            Self::Foreign | Self::Revoked(_) | Self::Expired(_) => Link::Token,
            Self::SubjectInactive => Link::Subject,
            Self::ReadOnly => Link::Scope,
            Self::PermissionMissing(_) => Link::Permission,
        }
    }
}

/// Decides whether a request with this token, of which `life` tells, may do what it demands at `now`.
///
/// # Errors
/// The first link that says no.
pub fn decide(identity: &Identity, life: Life, demand: Demand, now: Timestamp) -> Result<(), Refusal> {
    if demand.organization.is_some_and(|concerned| concerned != identity.organization) {
        return Err(Refusal::Foreign);
    }
    match life.state(now) {
        TokenState::Active { .. } => {}
        TokenState::Revoked { at } => return Err(Refusal::Revoked(at)),
        TokenState::Expired { at } => return Err(Refusal::Expired(at)),
    }
    if !identity.subject.is_active {
        return Err(Refusal::SubjectInactive);
    }
    if demand.write && identity.scope == Scope::ReadOnly {
        return Err(Refusal::ReadOnly);
    }
    let missing = demand.permissions.without(identity.permissions());
    missing.iter().next().map_or(Ok(()), |permission| Err(Refusal::PermissionMissing(permission)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{permission::BuiltInSet, token::InactivityExpiry};

    const LIFE: Life = Life {
        created_at: Timestamp::from_seconds(0),
        last_used_at: None,
        revoked_at: None,
        expired_at: None,
        inactivity: InactivityExpiry::Days45,
        ends_at: None,
    };

    fn identity() -> Identity {
        Identity {
            token: TokenId(1),
            token_public_id: "k7m2q9xd4t".into(),
            label: "Power BI".into(),
            kind: TokenKind::Personal,
            scope: Scope::ReadWrite,
            subject: Subject {
                user: Some(UserId(1)),
                name: "membership:1".into(),
                display_name: "Awa Diallo".into(),
                is_active: true,
                permissions: BuiltInSet::Standard.permissions(),
            },
            permission_keys: "".into(),
            organization: OrganizationId(1),
            organization_public_id: "3f9c0a71be".into(),
            organization_slug: "croix-bleue".into(),
            organization_name: "Croix-Bleue".into(),
        }
    }

    #[test]
    fn the_first_link_that_says_no_decides() {
        let now = Timestamp::from_seconds(100);
        let everything = Demand { write: true, permissions: Permission::PlatformUsers.into(), organization: None };
        let mut token = identity();
        assert_eq!(decide(&token, LIFE, Demand::default(), now), Ok(()));

        let mut refusals = Vec::new();
        let mut ask =
            |token: &Identity, now| refusals.push(decide(token, LIFE, everything, now).map_err(Refusal::link));
        ask(&token, now);
        token.scope = Scope::ReadOnly;
        ask(&token, now);
        token.subject.is_active = false;
        ask(&token, now);
        ask(&token, Timestamp::from_seconds(InactivityExpiry::Days45.seconds()));
        assert_eq!(refusals, [Link::Permission, Link::Scope, Link::Subject, Link::Token].map(Err));
    }

    #[test]
    fn a_token_of_another_organization_is_none_whatever_its_state() {
        let demand = |organization| Demand { organization: Some(OrganizationId(organization)), ..Demand::default() };
        let (start, end) = (Timestamp::from_seconds(1), Timestamp::from_seconds(InactivityExpiry::Days45.seconds()));
        assert_eq!(decide(&identity(), LIFE, demand(1), start), Ok(()));
        for now in [start, end] {
            assert_eq!(decide(&identity(), LIFE, demand(2), now), Err(Refusal::Foreign));
        }
    }

    #[test]
    fn a_read_only_token_does_not_pass_on_a_permission_to_change() {
        let mut token = identity();
        token.scope = Scope::ReadOnly;
        let demand = Demand { permissions: Permission::TemplatesEdit.into(), ..Demand::default() };
        let refused = decide(&token, LIFE, demand, Timestamp::from_seconds(1));
        assert_eq!(refused, Err(Refusal::PermissionMissing(Permission::TemplatesEdit)));
    }
}
