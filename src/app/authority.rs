//! Authority as values: only a check creates one, so a forgotten check does not compile.
//!
//! An [`Actor`] is signed in; a [`Member`] is active in an organization; a [`Holder`] has one of its permissions, and
//! an [`Administrator`] all of them. A [`Caller`] is a holder, or a token whose subject has the permission. Verbs that
//! change something check again inside their transaction (`still`).

use super::{AppError, Jeton, Result, sessions::Actor, verify::Accepted};
use domain::{
    access::{Demand, decide},
    activity::{Action, Source},
    kind::Kind,
    membership::Membership,
    organization::{OrganizationId, is_slug},
    permission::{Authority, BuiltInPermission, OrgGrant, OwnPermissions, Permissions},
    time::Timestamp,
};
use std::{ops::Deref, sync::Arc};
use storage::{AnyConnection, activity, memberships, organizations, tokens};

/// A signed-in user, working in one of the organizations in which they are active.
#[derive(Clone, Debug)]
pub struct Member {
    actor: Actor,
    membership: Membership,
    kinds: Arc<[Kind]>,
}

impl Member {
    /// The signed-in user.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Their membership in the organization.
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// The organization's own kinds by name, which pages need to name permissions.
    pub fn kinds(&self) -> &Arc<[Kind]> {
        &self.kinds
    }

    /// Returns a [`Holder`] if they hold the permission of `A`.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] with the missing permission.
    pub fn holding<A: Authority>(self) -> Result<Holder<A>> {
        let Membership { organization, permissions, known, .. } = &self.membership;
        let grant = permissions.grant(*organization, known).map_err(AppError::Forbidden)?;
        Ok(Holder { member: self, grant })
    }

    /// Returns an [`Administrator`] if they hold every built-in permission.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] with one of the missing permissions.
    pub fn administrating(self) -> Result<Administrator> {
        lacks_nothing(&self.membership.permissions)?;
        Ok(Administrator(self))
    }

    /// Creates an entry of the organization's activity log about what they do.
    pub(super) fn entry<'a>(&'a self, action: Action, at: Timestamp, source: &'a Source) -> activity::Entry<'a> {
        activity::Entry { organization: Some(self.membership.organization), ..self.actor.entry(action, at, source) }
    }
}

/// A [`Member`] who holds the permission of `A`. The verbs of an organization require one.
#[derive(Clone, Debug)]
pub struct Holder<A> {
    member: Member,
    grant: OrgGrant<A>,
}

impl<A> Deref for Holder<A> {
    type Target = Member;

    fn deref(&self) -> &Member {
        &self.member
    }
}

impl<A: Authority> Holder<A> {
    /// What they could do when the request began: sufficient for reading.
    pub fn grant(&self) -> &OrgGrant<A> {
        &self.grant
    }

    /// Locks the organization for this transaction, which changes something, and checks again what they may do.
    ///
    /// # Errors
    /// As [`Holder::still`].
    pub fn begin(&self, connection: &mut AnyConnection) -> Result<OrgGrant<A>> {
        organizations::lock(connection, self.membership.organization)?;
        self.still(connection)
    }

    /// Checks again what they may do, inside the transaction that changes something: a user who has lost the permission
    /// since the request began changes nothing.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if they are not active any more; [`AppError::Forbidden`] if they have lost the
    /// permission.
    pub fn still(&self, connection: &mut AnyConnection) -> Result<OrgGrant<A>> {
        let found = memberships::permissions(connection, self.membership.id)?;
        let (held, known) = found.ok_or(AppError::NotFound)?;
        held.grant(self.membership.organization, &known).map_err(AppError::Forbidden)
    }
}

/// Whoever has the authority `A` in an organization: a [`Holder`] on its pages, or the subject of a token. The verbs
/// that pages and the API share require one.
#[derive(Clone, Debug)]
pub struct Caller<A> {
    grant: OrgGrant<A>,
    by: By,
}

#[derive(Clone, Debug)]
enum By {
    Member(Box<Member>),
    Token(Accepted),
}

impl<A: Authority> From<&Holder<A>> for Caller<A> {
    fn from(holder: &Holder<A>) -> Self {
        Self { grant: holder.grant.clone(), by: By::Member(holder.member.clone().into()) }
    }
}

impl<A: Authority> Caller<A> {
    /// Returns the caller on whose behalf a token was accepted.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] with the missing permission.
    pub fn with_token(accepted: Accepted) -> Result<Self> {
        let identity = accepted.identity();
        let held = &identity.subject.held;
        let permissions = held.permissions.within(identity.scope);
        let grant = permissions.grant(identity.subject.organization.id, &held.known).map_err(AppError::Forbidden)?;
        Ok(Self { grant, by: By::Token(accepted) })
    }

    /// The organization.
    pub fn organization(&self) -> OrganizationId {
        self.grant.organization()
    }

    /// The permissions that the organization has added.
    pub(super) fn known(&self) -> &OwnPermissions {
        self.grant.known()
    }

    /// The name of the user or service user.
    pub(super) fn name(&self) -> &str {
        match &self.by {
            By::Member(member) => &member.actor.user().name,
            By::Token(accepted) => &accepted.identity().subject.display_name,
        }
    }

    /// The member; `None` for a program.
    pub fn member(&self) -> Option<&Member> {
        match &self.by {
            By::Member(member) => Some(member),
            By::Token(_) => None,
        }
    }

    /// Locks the organization for this transaction, which changes something, and checks again whether the caller may do
    /// that now.
    ///
    /// # Errors
    /// As [`Holder::still`]; for a token that has ended or only reads, [`AppError::Forbidden`].
    pub(super) fn begin(&self, connection: &mut AnyConnection, now: Timestamp) -> Result<()> {
        organizations::lock(connection, self.organization())?;
        let (held, known) = match &self.by {
            By::Member(member) => {
                memberships::permissions(connection, member.membership.id)?.ok_or(AppError::NotFound)?
            }
            By::Token(accepted) => return may_change(connection, accepted, A::PERMISSION, now),
        };
        held.grant::<A>(self.organization(), &known).map(drop).map_err(AppError::Forbidden)
    }

    /// Creates an entry of the organization's activity log about what they do.
    pub(super) fn entry<'a>(&'a self, action: Action, at: Timestamp, source: &'a Source) -> activity::Entry<'a> {
        match &self.by {
            By::Member(member) => member.entry(action, at, source),
            By::Token(accepted) => super::verify::usage::entry(accepted.identity(), action, at, 1, source),
        }
    }
}

/// Decides about a token again, as it is now.
fn may_change(
    connection: &mut AnyConnection,
    accepted: &Accepted,
    permission: BuiltInPermission,
    now: Timestamp,
) -> Result<()> {
    let known = accepted.identity();
    let current = tokens::current(connection, known)?;
    let (identity, life) = current.ok_or(AppError::Forbidden(permission))?;
    let demand = Demand { write: true, permissions: permission.into(), ..Demand::default() };
    decide(&identity, life, &demand, now).map_err(|_| AppError::Forbidden(permission))
}

/// A [`Member`] who holds every built-in permission. Those that the organization adds do not matter: a new kind must
/// not take the organization's own pages from somebody.
#[derive(Clone, Debug)]
pub struct Administrator(Member);

impl Administrator {
    /// The member.
    pub fn member(&self) -> &Member {
        &self.0
    }

    /// Checks again that they do, inside the transaction that changes something.
    ///
    /// # Errors
    /// As [`Holder::still`].
    pub fn still(&self, connection: &mut AnyConnection) -> Result<()> {
        let (held, _) = memberships::permissions(connection, self.0.membership.id)?.ok_or(AppError::NotFound)?;
        lacks_nothing(&held)
    }
}

fn lacks_nothing(held: &Permissions) -> Result<()> {
    match BuiltInPermission::ALL.into_iter().find(|permission| !held.contains(*permission)) {
        Some(missing) => Err(AppError::Forbidden(missing)),
        None => Ok(()),
    }
}

/// Finds the organization with this slug, current or former, for a user who is active in it. To everybody else, it does
/// not exist (A3).
///
/// # Errors
/// [`AppError::NotFound`].
pub async fn enter(jeton: &Jeton, actor: Actor, slug: &str) -> Result<Member> {
    let found = actor.memberships().iter().find(|at| at.slug == slug).cloned();
    let membership = match found {
        Some(membership) => membership,
        None if is_slug(slug) => {
            let slug = slug.to_owned();
            let former = jeton.read(move |connection| Ok(organizations::find(connection, &slug)?)).await?;
            let found = actor.memberships().iter().find(|at| Some(at.organization) == former).cloned();
            found.ok_or(AppError::NotFound)?
        }
        None => return Err(AppError::NotFound),
    };
    Ok(Member { kinds: kinds_of(jeton, &membership).await?, membership, actor })
}

async fn kinds_of(jeton: &Jeton, at: &Membership) -> Result<Arc<[Kind]>> {
    if at.known.is_empty() {
        return Ok(Arc::default());
    }
    let all = crate::kinds::list(jeton, at.organization).await?;
    Ok(all.into_iter().map(|stored| stored.kind).collect())
}
