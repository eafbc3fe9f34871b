//! Somebody's access ends, and begins again.

use super::{Manager, belonging, is_last_administrator, refused, to};
use crate::{AppError, Jeton, Result, problem::Problem};
use domain::{
    activity::{Action, Source},
    membership::{Person, Standing},
    organization::{MembershipId, OrganizationId},
    permission::{ManageUsers, OrgGrant},
    time::Timestamp,
    token::{RevokedBy, Token},
    user::UserId,
};
use storage::{
    AnyConnection, activity, invitations,
    memberships::{self, people},
    organizations, sessions,
    tokens::{self, Revocation},
    users,
};

/// How somebody's access ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// They stay on the list and can be reactivated.
    Deactivation,
    /// They leave the list, and need an invitation to return.
    Removal,
}

impl Ending {
    /// Whether it would change nothing any more.
    pub(crate) fn has_happened(self, person: &Person) -> bool {
        match self {
            Self::Deactivation => person.standing != Standing::Active,
            Self::Removal => person.standing == Standing::Removed,
        }
    }

    /// What the activity log calls it.
    pub(crate) const fn action(self) -> Action {
        match self {
            Self::Deactivation => Action::UserDeactivated,
            Self::Removal => Action::UserRemoved,
        }
    }
}

/// Ends somebody's access: their tokens in this organization are refused from the moment that this returns, wherever
/// they are signed in they are signed out, their seat is free, and invitations by them or for them are withdrawn.
/// Returns false if that was so before.
///
/// # Errors
/// [`AppError::NotFound`] for somebody who never belonged to the organization; [`AppError::Invalid`] at
/// [`Field::Form`](crate::problem::Field::Form) if whoever asks may not decide about them, or they are the last
/// administrator.
pub async fn end(jeton: &Jeton, manager: &Manager, id: MembershipId, ending: Ending, source: Source) -> Result<bool> {
    // A token that was used a moment ago must not be taken for expired.
    crate::maintenance::flush_before_ending(jeton).await?;
    let (manager, now) = (manager.clone(), jeton.clock.now());
    jeton
        .end_authority(move |connection| {
            organizations::lock(connection, manager.grant().organization())?;
            let grant = manager.still(connection)?;
            let person = people::find(connection, grant.organization(), id)?.ok_or(AppError::NotFound)?;
            if ending.has_happened(&person) {
                return Ok(false);
            }
            if let Some(problem) = refusal(connection, &grant, &person)? {
                return Err(refused(problem));
            }
            end_in(connection, &person, ending, manager.entry(ending.action(), now, &source))?;
            Ok(true)
        })
        .await
}

/// Makes somebody who was deactivated active again. Nothing that had stopped comes back, and they take a new seat.
/// Returns false if they are active.
///
/// # Errors
/// [`AppError::NotFound`] for somebody who does not belong to the organization; [`AppError::Invalid`] with a missing
/// password, or at [`Field::Form`](crate::problem::Field::Form) if they would get what whoever asks does not hold.
pub async fn reactivate(
    jeton: &Jeton,
    manager: &Manager,
    id: MembershipId,
    password: Option<String>,
    source: Source,
) -> Result<bool> {
    crate::sessions::require_reauthentication(jeton, manager.actor(), password, &source).await?;
    let (manager, now) = (manager.clone(), jeton.clock.now());
    jeton
        .change_authority(move |connection| {
            organizations::lock(connection, manager.grant().organization())?;
            let grant = manager.still(connection)?;
            let person = belonging(connection, &grant, id)?;
            grant.may_give(person.set.permissions).map_err(|lacking| refused(Problem::NotHeld(lacking)))?;
            reactivate_in(connection, &person, manager.entry(Action::UserReactivated, now, &source))
        })
        .await
}

/// Why somebody's access cannot be ended by whoever holds `grant`.
pub(super) fn refusal(
    connection: &mut AnyConnection,
    grant: &OrgGrant<ManageUsers>,
    person: &Person,
) -> Result<Option<Problem>> {
    if let Err(lacking) = grant.may_give(person.set.permissions) {
        return Ok(Some(Problem::MayDoMore(lacking)));
    }
    Ok(is_last_administrator(connection, person)?.then_some(Problem::LastAdministrator))
}

/// Whether a token stops with somebody's membership.
pub(super) fn stops(token: &Token, person: &Person, now: Timestamp) -> bool {
    token.membership == person.membership && token.life.is_active(now)
}

/// Ends somebody's access, with the organization locked. `by` is the entry about it without the person: who does it, and
/// when. Whoever calls this has checked that it may be done.
pub(crate) fn end_in(
    connection: &mut AnyConnection,
    person: &Person,
    ending: Ending,
    by: activity::Entry<'_>,
) -> Result<()> {
    // No token is being made for them meanwhile.
    users::lock(connection, person.user)?;
    memberships::deactivate(connection, person.membership, ending == Ending::Removal, by.at)?;
    let revocation = Revocation { by: RevokedBy::Membership, name: Some(by.actor_name), reason: None };
    let mut stopped = tokens::active(connection, person.user)?;
    stopped.retain(|(_, token)| stops(token, person, by.at));
    for (_, token) in &stopped {
        tokens::revoke(connection, token.id, revocation, by.at)?;
    }
    if person.standing == Standing::Active {
        users::end_sessions(connection, person.user)?;
        sessions::delete_all(connection, person.user)?;
    }
    activity::insert(connection, &to(person, by.clone()))?;
    for (_, token) in &stopped {
        let token = Some((token.public_id.as_str(), token.label.as_str()));
        let entry = activity::Entry { action: Action::TokenRevoked, token, ..to(person, by.clone()) };
        activity::insert(connection, &entry)?;
    }
    withdraw_invitations(connection, person.organization, (person.user, &person.email), by)
}

/// Withdraws the invitations to an organization that a user has made and those for their own address. `by` says who does
/// it, and when.
pub(crate) fn withdraw_invitations(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    (user, email): (UserId, &str),
    by: activity::Entry<'_>,
) -> Result<()> {
    for (id, email) in invitations::by_or_for(connection, organization, user, email)? {
        invitations::delete(connection, organization, id)?;
        let entry = activity::Entry { action: Action::InvitationWithdrawn, target_name: Some(&email), ..by.clone() };
        activity::insert(connection, &entry)?;
    }
    Ok(())
}

/// Makes somebody active again, with the organization locked. `by` is the entry about it without the person. Returns false
/// if they are active.
pub(crate) fn reactivate_in(connection: &mut AnyConnection, person: &Person, by: activity::Entry<'_>) -> Result<bool> {
    let activated = memberships::activate(connection, person.membership, person.organization, person.set.id, by.at)?;
    if activated {
        activity::insert(connection, &to(person, by.clone()))?;
    }
    Ok(activated)
}
