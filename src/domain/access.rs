//! The decision about a request: token state → subject's state → scope → permission → access to the item.
//!
//! The API, forward-auth and every later protocol call [`decide`], or [`explain`] for what concerns an item; nothing else
//! decides. The checks run in a fixed order, and the first that refuses is the answer, so a [`Refusal`]
//! describes the whole chain: every check before its [`Link`] has passed. [`explain`] runs the same checks and says what
//! each of them answers; the item is looked at last, so that all other refusals are the same for every item and for
//! none. What access there is, [`reach()`] says.

mod explanation;
mod level;
mod reach;
mod recipient;
mod stored;

pub use super::{group::GroupId, site::SiteId};
pub use explanation::{Asked, Change, Check, Explanation, Whose, explain};
pub use level::Level;
pub use reach::{
    AccessRule, AccessRuleId, ItemFacts, Reach, Share, ShareId, Source, SubjectFacts, Way, check_level, reach,
};
pub use recipient::{Recipient, RecipientKind, SubjectId, Unsuitable};
pub use stored::{MOST_RULES, MOST_SHARES, StoredRule, StoredShare};

use super::{
    organization::OrganizationId,
    permission::{BuiltInPermission, OwnPermissions, Permission, Permissions},
    time::Timestamp,
    token::{Life, Scope, TokenId, TokenKind, TokenState},
    user::UserId,
};
use std::sync::Arc;

/// On whose behalf a token acts, and what it may do: the facts of one token as of one state of the database.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The row of the token.
    pub token: TokenId,
    /// Its public id.
    pub token_public_id: String,
    /// Its label or its service user's name.
    pub label: String,
    /// Its kind.
    pub kind: TokenKind,
    /// Its scope.
    pub scope: Scope,
    /// The subject, shared by its tokens.
    pub subject: Arc<Subject>,
}

impl Identity {
    /// Returns whether this token may do this: whether it is among the subject's permissions, limited by the scope.
    pub fn may(&self, permission: BuiltInPermission) -> bool {
        Permissions::from(permission).missing_from(&self.subject.held.permissions, self.scope).is_none()
    }

    /// Returns the keys of the subject's permissions, limited by the scope, separated by spaces.
    pub fn permission_keys(&self) -> &str {
        match self.scope {
            Scope::ReadOnly => &self.subject.held.keys_to_read,
            Scope::ReadWrite => &self.subject.held.keys,
        }
    }
}

/// On whose behalf a request acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The row.
    pub id: SubjectId,
    /// The user; `None` for a service user.
    pub user: Option<UserId>,
    /// A name for programs that never changes, such as `membership:12` or `service_user:k7m2q9xd4t`.
    pub name: String,
    /// The name of the user or service user.
    pub display_name: String,
    /// The id by which other programs of its organization know it.
    pub external_id: Option<String>,
    /// Whether the subject may act at all.
    pub is_active: bool,
    /// What the subject may do, shared by those who may do the same.
    pub held: Arc<Held>,
    /// The subject's organization.
    pub organization: SubjectOrganization,
}

/// The current permissions of a [`Subject`].
#[derive(Debug, PartialEq, Eq)]
pub struct Held {
    /// The permissions.
    pub permissions: Permissions,
    /// Their keys, separated by spaces. They are sent with every answer, so they are joined once.
    pub keys: String,
    /// The same, for tokens that only read.
    pub keys_to_read: String,
    /// The permissions that the organization has added, whoever holds them.
    pub known: OwnPermissions,
}

impl Held {
    /// Joins the keys of permissions in an organization that has added `known`.
    pub fn new(permissions: Permissions, known: OwnPermissions) -> Self {
        let (keys, keys_to_read) = (permissions.keys(), permissions.within(Scope::ReadOnly).keys());
        Self { permissions, keys, keys_to_read, known }
    }
}

impl Subject {
    /// Returns the [`Subject::name`] of the service user with this public id.
    pub fn name_of_service_user(public_id: &str) -> String {
        format!("{SERVICE_USER}{public_id}")
    }

    /// Returns the public id of a service user, which is that of its token as well.
    pub fn service_user(&self) -> Option<&str> {
        self.name.strip_prefix(SERVICE_USER)
    }
}

/// How names of service users begin.
const SERVICE_USER: &str = "service_user:";

/// The organization of a [`Subject`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectOrganization {
    /// The organization.
    pub id: OrganizationId,
    /// Its public id, by which programs know it forever.
    pub public_id: String,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// What a request needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// Whether it changes something.
    pub write: bool,
    /// The permissions that it needs.
    pub permissions: Permissions,
    /// The only organization whose tokens count; a token of another one is refused.
    pub organization: Option<OrganizationId>,
}

impl Demand {
    /// Returns the demand for both this and `other`.
    pub fn and(&self, other: &Self) -> Self {
        Self {
            write: self.write || other.write,
            permissions: self.permissions.with(&other.permissions),
            organization: if self.organization.is_some() { self.organization } else { other.organization },
        }
    }
}

keyed! {
    /// One check of the chain. The key is its name for programs.
    pub enum Link {
        /// The token belongs to the organization that the request concerns, and is active.
        Token = "token",
        /// Its subject is active.
        Subject = "subject",
        /// Its scope covers the request.
        Scope = "scope",
        /// Its subject holds the permission.
        Permission = "permission",
        /// Its subject has the level on the item.
        Access = "access",
    }
}

/// Which check refused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The token belongs to another organization than the request concerns.
    Foreign,
    /// The token was revoked at this time.
    Revoked(Timestamp),
    /// The token was not used for its inactivity period, which ended at this time.
    Expired(Timestamp),
    /// The subject is deactivated.
    SubjectInactive,
    /// The request changes something, but the token is read only.
    ReadOnly,
    /// The subject does not hold this permission, or the token's scope does not include it.
    PermissionMissing(Permission),
    /// The token's organization has no such permission.
    PermissionUnknown,
    /// There is no such item, or none that the subject may view: nobody learns which.
    NotThere,
    /// The subject may view the item, but does not have this level on it.
    LevelMissing(Level),
}

impl Refusal {
    /// Returns which check refused.
    pub const fn link(&self) -> Link {
        match self {
            Self::Foreign | Self::Revoked(_) | Self::Expired(_) => Link::Token,
            Self::SubjectInactive => Link::Subject,
            Self::ReadOnly => Link::Scope,
            Self::PermissionMissing(_) | Self::PermissionUnknown => Link::Permission,
            Self::NotThere | Self::LevelMissing(_) => Link::Access,
        }
    }

    /// Returns the key of the permission or level that is missing, if that is why.
    pub fn needs(&self) -> Option<&str> {
        match self {
            Self::PermissionMissing(permission) => Some(permission.key()),
            Self::LevelMissing(level) => Some(level.key()),
            _ => None,
        }
    }
}

/// The checks that look at no item, in their order.
const BEFORE_ACCESS: [Link; 4] = [Link::Token, Link::Subject, Link::Scope, Link::Permission];

/// Decides whether a request with this token, whose life is `life`, may do what it demands at `now`.
///
/// # Errors
/// The first check that refuses.
pub fn decide(identity: &Identity, life: Life, demand: &Demand, now: Timestamp) -> Result<(), Refusal> {
    BEFORE_ACCESS.into_iter().try_for_each(|link| check(link, identity, life, demand, now))
}

/// One check that looks at no item, on its own. [`decide`] stops at the first that refuses; [`explain`] asks them all.
fn check(link: Link, identity: &Identity, life: Life, demand: &Demand, now: Timestamp) -> Result<(), Refusal> {
    match link {
        Link::Token => check_token(identity, life, demand, now),
        Link::Subject if !identity.subject.is_active => Err(Refusal::SubjectInactive),
        Link::Scope if demand.write && identity.scope == Scope::ReadOnly => Err(Refusal::ReadOnly),
        Link::Permission => {
            let held = &identity.subject.held;
            // Whether a token may change anything is the question of the check before.
            let scope = if demand.write { Scope::ReadWrite } else { identity.scope };
            check_permissions(&held.permissions, &held.known, scope, demand)
        }
        Link::Subject | Link::Scope | Link::Access => Ok(()),
    }
}

fn check_token(identity: &Identity, life: Life, demand: &Demand, now: Timestamp) -> Result<(), Refusal> {
    if demand.organization.is_some_and(|concerned| concerned != identity.subject.organization.id) {
        return Err(Refusal::Foreign);
    }
    match life.state(now) {
        TokenState::Active { .. } => Ok(()),
        TokenState::Revoked { at } => Err(Refusal::Revoked(at)),
        TokenState::Expired { at } => Err(Refusal::Expired(at)),
    }
}

/// The check of permissions: whether somebody who holds these in an organization that has added `known` may do what is
/// demanded with this scope.
///
/// # Errors
/// [`Refusal::PermissionUnknown`] or [`Refusal::PermissionMissing`].
pub fn check_permissions(
    held: &Permissions,
    known: &OwnPermissions,
    scope: Scope,
    demand: &Demand,
) -> Result<(), Refusal> {
    if demand.permissions.own().iter().any(|asked| known.get(asked.key()).is_none()) {
        return Err(Refusal::PermissionUnknown);
    }
    let missing = demand.permissions.missing_from(held, scope);
    missing.map_or(Ok(()), |permission| Err(Refusal::PermissionMissing(permission)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{organization::MembershipId, permission::BuiltInSet, token::InactivityExpiry};

    const LIFE: Life = Life {
        created_at: Timestamp::from_seconds(0),
        last_used_at: None,
        revoked_at: None,
        expired_at: None,
        inactivity: InactivityExpiry::Days45,
        ends_at: None,
    };

    fn own(text: &str) -> OwnPermissions {
        OwnPermissions::parse(text)
    }

    fn identity() -> Identity {
        Identity {
            token: TokenId(1),
            token_public_id: "k7m2q9xd4t".into(),
            label: "Power BI".into(),
            kind: TokenKind::Personal,
            scope: Scope::ReadWrite,
            subject: Subject {
                id: SubjectId::Membership(MembershipId(1)),
                user: Some(UserId(1)),
                name: "membership:1".into(),
                display_name: "Awa Diallo".into(),
                external_id: None,
                is_active: true,
                held: Held::new(
                    BuiltInSet::Standard.permissions().with(&own("invoices.approve invoices.view:r").into()),
                    own("invoices.approve invoices.pay invoices.view:r"),
                )
                .into(),
                organization: SubjectOrganization {
                    id: OrganizationId(1),
                    public_id: "3f9c0a71be".into(),
                    slug: "croix-bleue".into(),
                    name: "Croix-Bleue".into(),
                },
            }
            .into(),
        }
    }

    #[test]
    fn the_first_reason_to_refuse_decides() {
        let now = Timestamp::from_seconds(100);
        let everything =
            Demand { write: true, permissions: BuiltInPermission::PlatformUsers.into(), organization: None };
        let mut token = identity();
        assert_eq!(decide(&token, LIFE, &Demand::default(), now), Ok(()));

        let mut refusals = Vec::new();
        let mut ask = |token: &Identity, now| {
            refusals.push(decide(token, LIFE, &everything, now).map_err(|refusal| refusal.link()))
        };
        ask(&token, now);
        token.scope = Scope::ReadOnly;
        ask(&token, now);
        token.subject = Subject { is_active: false, ..(*token.subject).clone() }.into();
        ask(&token, now);
        ask(&token, Timestamp::from_seconds(InactivityExpiry::Days45.seconds()));
        assert_eq!(refusals, [Link::Permission, Link::Scope, Link::Subject, Link::Token].map(Err));
    }

    #[test]
    fn a_token_of_another_organization_is_unknown_whatever_its_state() {
        let demand = |organization| Demand { organization: Some(OrganizationId(organization)), ..Demand::default() };
        let (start, end) = (Timestamp::from_seconds(1), Timestamp::from_seconds(InactivityExpiry::Days45.seconds()));
        assert_eq!(decide(&identity(), LIFE, &demand(1), start), Ok(()));
        for now in [start, end] {
            assert_eq!(decide(&identity(), LIFE, &demand(2), now), Err(Refusal::Foreign));
        }
    }

    #[test]
    fn a_read_only_token_does_not_pass_on_a_permission_to_change() {
        let mut token = identity();
        token.scope = Scope::ReadOnly;
        let refused = |permissions: Permissions| {
            let demand = Demand { permissions, ..Demand::default() };
            decide(&token, LIFE, &demand, Timestamp::from_seconds(1)).err()
        };
        for key in ["templates.edit", "invoices.approve"] {
            let permission = Permission::named(key).unwrap();
            let demanded = [permission.clone()].into_iter().collect();
            assert_eq!(refused(demanded), Some(Refusal::PermissionMissing(permission)));
        }
        assert_eq!(refused(own("invoices.view").into()), None);
        assert_eq!(token.permission_keys(), "templates.view inspections.view assets.view invoices.view");
    }

    #[test]
    fn a_permission_that_the_organization_does_not_have_is_unknown_whoever_asks() {
        let ask = |key: &str| {
            let demand = Demand { permissions: own(key).into(), ..Demand::default() };
            decide(&identity(), LIFE, &demand, Timestamp::from_seconds(1))
        };
        assert_eq!(ask("invoices.approve"), Ok(()));
        let pay = Permission::named("invoices.pay").unwrap();
        assert_eq!(ask("invoices.pay"), Err(Refusal::PermissionMissing(pay)));
        for unknown in ["invoices.send", "visits.view", "invoices.approve visits.view"] {
            assert_eq!(ask(unknown), Err(Refusal::PermissionUnknown), "{unknown}");
        }
    }

    #[test]
    fn access_to_the_item_is_looked_at_last() {
        let now = Timestamp::from_seconds(100);
        let ask = |token: &Identity, permission: BuiltInPermission, reached| {
            let demand = Demand { write: true, permissions: permission.into(), organization: None };
            let asked = Asked { demand, item: Some((Level::Edit, reached)) };
            explain(Whose::Token(token, LIFE), &asked, now).decision()
        };
        let mut token = identity();
        assert_eq!(ask(&token, BuiltInPermission::AssetsEdit, Some(Level::Manage)), Ok(()));
        assert_eq!(
            ask(&token, BuiltInPermission::AssetsEdit, Some(Level::View)),
            Err(Refusal::LevelMissing(Level::Edit))
        );
        assert_eq!(ask(&token, BuiltInPermission::AssetsEdit, None), Err(Refusal::NotThere));
        assert_eq!(
            [Refusal::NotThere, Refusal::LevelMissing(Level::Edit)].map(|refusal| refusal.link()),
            [Link::Access; 2]
        );
        for reached in [None, Some(Level::View), Some(Level::Manage)] {
            let missing = Refusal::PermissionMissing(BuiltInPermission::AssetsDelete.into());
            assert_eq!(ask(&token, BuiltInPermission::AssetsDelete, reached), Err(missing), "no level makes up for it");
        }
        token.scope = Scope::ReadOnly;
        assert_eq!(ask(&token, BuiltInPermission::AssetsEdit, None), Err(Refusal::ReadOnly));
    }

    #[test]
    fn an_explanation_says_what_every_check_says_and_decides_by_the_first() {
        let now = Timestamp::from_seconds(InactivityExpiry::Days45.seconds());
        let mut token = identity();
        token.scope = Scope::ReadOnly;
        token.subject = Subject { is_active: false, ..(*token.subject).clone() }.into();
        let demand = Demand { write: true, permissions: BuiltInPermission::AssetsDelete.into(), organization: None };
        let asked = Asked { demand, item: Some((Level::Manage, Some(Level::View))) };
        let all = explain(Whose::Token(&token, LIFE), &asked, now);
        assert_eq!(all.refusing().map(|check| check.link).collect::<Vec<_>>(), Link::ALL);
        assert_eq!(all.decision(), decide(&token, LIFE, &asked.demand, now));
        // Somebody without a token has neither its state nor its scope.
        let held = &token.subject.held;
        let subject = Whose::Subject { is_active: true, held: &held.permissions, known: &held.known };
        let of_subject = explain(subject, &asked, now);
        let links: Vec<Link> = of_subject.checks().iter().map(|check| check.link).collect();
        assert_eq!(links, [Link::Subject, Link::Permission, Link::Access]);
        let missing = Refusal::PermissionMissing(BuiltInPermission::AssetsDelete.into());
        assert_eq!(of_subject.decision(), Err(missing));
        let nothing = explain(subject, &Asked { demand: Demand::default(), item: None }, now);
        assert_eq!((nothing.decision(), nothing.checks().len()), (Ok(()), 2));
    }
}
