//! Organizations: who works in one, and with what authority.

use super::{AppError, Jeton, Result, sessions::Actor};
use crate::{
    domain::{
        activity::{Action, Source},
        organization::is_slug,
        permission::{Authority, OrgGrant},
        time::Timestamp,
    },
    storage::{
        AnyConnection, activity,
        memberships::{self, Membership},
        sessions,
    },
};
use std::ops::Deref;

/// Somebody at work in one of the organizations that they are active in.
#[derive(Clone, Debug)]
pub struct Member {
    actor: Actor,
    membership: Membership,
}

impl Member {
    /// The organization with this part of addresses, for somebody who is active in it. One that they are not active in is
    /// as little there as one that does not exist (A3).
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub fn enter(actor: Actor, slug: &str) -> Result<Self> {
        let membership = actor.memberships().iter().find(|membership| membership.slug == slug).cloned();
        Ok(Self { membership: membership.ok_or(AppError::NotFound)?, actor })
    }

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

impl Jeton {
    /// Chooses the organization that the pages of this session are about from now on.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if they are not active in it.
    pub async fn choose_organization(&self, actor: &Actor, slug: &str) -> Result<()> {
        if !is_slug(slug) {
            return Err(AppError::NotFound);
        }
        let member = Member::enter(actor.clone(), slug)?;
        let session = actor.session().public_id.clone();
        let organization = member.membership.organization;
        self.write(move |connection| {
            let there = sessions::choose_organization(connection, &session, organization)?;
            if there { Ok(()) } else { Err(AppError::SignedOut) }
        })
        .await
    }
}
