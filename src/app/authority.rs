//! Authority as values: whoever holds one of these has been found to have it, and a forgotten check does not compile.
//!
//! An [`Actor`] is signed in; a [`Member`] is active in an organization; a [`Holder`] has one of its permissions, and an
//! [`Administrator`] all of them. Verbs that change something ask once more inside their transaction (`still`).

use super::{AppError, Jeton, Result, sessions::Actor};
use domain::{
    activity::{Action, Source},
    membership::Membership,
    organization::is_slug,
    permission::{Authority, OrgGrant, Permissions},
    time::Timestamp,
};
use std::ops::Deref;
use storage::{AnyConnection, activity, memberships, organizations};

/// Somebody at work in one of the organizations that they are active in.
#[derive(Clone, Debug)]
pub struct Member {
    actor: Actor,
    membership: Membership,
}

impl Member {
    /// Who it is.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Their place in the organization.
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// The same with proof that they hold the permission of `A`.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] with the permission that is missing.
    pub fn holding<A: Authority>(self) -> Result<Holder<A>> {
        let grant = self.membership.permissions.grant(self.membership.organization).map_err(AppError::Forbidden)?;
        Ok(Holder { member: self, grant })
    }

    /// The same with proof that they are an administrator: somebody who holds every permission.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] with a permission that is missing.
    pub fn administrating(self) -> Result<Administrator> {
        lacks_nothing(self.membership.permissions)?;
        Ok(Administrator(self))
    }

    /// An entry of the organization's activity log about what they do.
    pub(super) fn entry<'a>(&'a self, action: Action, at: Timestamp, source: &'a Source) -> activity::Entry<'a> {
        activity::Entry { organization: Some(self.membership.organization), ..self.actor.entry(action, at, source) }
    }
}

/// A [`Member`] who holds the permission of `A`: what the verbs of an organization ask for.
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
    /// What they may do, as it was when the request began: enough to read.
    pub fn grant(&self) -> &OrgGrant<A> {
        &self.grant
    }

    /// What they may do at this moment, inside the transaction that is to change something: whoever lost the permission
    /// while the request was on its way changes nothing any more.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for somebody who is not active any more; [`AppError::Forbidden`] for one who lost it.
    pub fn still(&self, connection: &mut AnyConnection) -> Result<OrgGrant<A>> {
        let held = memberships::permissions(connection, self.membership.id)?.ok_or(AppError::NotFound)?;
        held.grant(self.membership.organization).map_err(AppError::Forbidden)
    }
}

/// A [`Member`] who holds every permission.
#[derive(Clone, Debug)]
pub struct Administrator(Member);

impl Administrator {
    /// Who it is.
    pub fn member(&self) -> &Member {
        &self.0
    }

    /// Whether they still are one, inside the transaction that is to change something.
    ///
    /// # Errors
    /// As [`Holder::still`].
    pub fn still(&self, connection: &mut AnyConnection) -> Result<()> {
        let held = memberships::permissions(connection, self.0.membership.id)?.ok_or(AppError::NotFound)?;
        lacks_nothing(held)
    }
}

fn lacks_nothing(held: Permissions) -> Result<()> {
    match Permissions::all().without(held).iter().next() {
        Some(missing) => Err(AppError::Forbidden(missing)),
        None => Ok(()),
    }
}

/// The organization that has or had this part of addresses, for somebody who is active in it. One that they are not
/// active in is as little there as one that does not exist (A3).
///
/// # Errors
/// [`AppError::NotFound`].
pub async fn enter(jeton: &Jeton, actor: Actor, slug: &str) -> Result<Member> {
    let found = actor.memberships().iter().find(|at| at.slug == slug).cloned();
    if let Some(membership) = found {
        return Ok(Member { membership, actor });
    }
    if !is_slug(slug) {
        return Err(AppError::NotFound);
    }
    let slug = slug.to_owned();
    let former = jeton.read(move |connection| Ok(organizations::find(connection, &slug)?)).await?;
    let found = actor.memberships().iter().find(|at| Some(at.organization) == former).cloned();
    Ok(Member { membership: found.ok_or(AppError::NotFound)?, actor })
}
