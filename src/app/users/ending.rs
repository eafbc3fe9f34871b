//! Ending a member's access, and reactivating it.

use super::{Manager, belonging, is_last_administrator, refused, to};
use crate::{AppError, Jeton, Result, problem::Problem};
use domain::{
    access::SubjectId,
    activity::{Action, Source},
    membership::{Person, Standing},
    organization::{MembershipId, OrganizationId},
    permission::{ManageUsers, OrgGrant},
    time::Timestamp,
    token::{RevokedBy, Token},
    user::UserId,
};
use storage::{
    AnyConnection, activity,
    epoch::Fact,
    invitations,
    memberships::{self, people},
    sessions,
    tokens::{self, Revocation},
    users,
};

/// How a member's access ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// They stay on the list and can be reactivated.
    Deactivation,
    /// They leave the list, and need an invitation to return.
    Removal,
}

impl Ending {
    /// Returns whether this has already happened.
    pub(crate) fn has_happened(self, person: &Person) -> bool {
        match self {
            Self::Deactivation => person.standing != Standing::Active,
            Self::Removal => person.standing == Standing::Removed,
        }
    }

    /// Returns the action in the activity log.
    pub(crate) const fn action(self) -> Action {
        match self {
            Self::Deactivation => Action::UserDeactivated,
            Self::Removal => Action::UserRemoved,
        }
    }
}

/// Ends a member's access: when this returns, no node accepts their tokens in this organization any more, all their
/// sessions have ended, their seat is free, and invitations by them or for them are withdrawn. Returns false if this
/// had already happened.
///
/// # Errors
/// [`AppError::NotFound`] if they never were a member of the organization; [`AppError::Invalid`] at
/// [`Field::Form`](crate::problem::Field::Form) if the caller may not decide about them, or they are the last
/// administrator.
pub async fn end(jeton: &Jeton, manager: &Manager, id: MembershipId, ending: Ending, source: Source) -> Result<bool> {
    // A token that has just been used must not count as expired.
    crate::maintenance::flush_before_ending(jeton).await?;
    let (manager, now) = (manager.clone(), jeton.clock.now());
    jeton
        .end_keys(move |connection| {
            let grant = manager.begin(connection)?;
            let person = people::find(connection, grant.organization(), id)?.ok_or(AppError::NotFound)?;
            let subject = SubjectId::Membership(id);
            if ending.has_happened(&person) {
                return Ok((false, Fact::Subject(subject).into()));
            }
            if let Some(problem) = refusal(connection, &grant, &person)? {
                return Err(refused(problem));
            }
            end_in(connection, &person, ending, manager.entry(ending.action(), now, &source))?;
            Ok((true, tokens::touched_subject(connection, subject)?))
        })
        .await
}

/// Reactivates a deactivated member. Nothing that had stopped comes back, and they take a new seat. Returns false if
/// they are already active.
///
/// # Errors
/// [`AppError::NotFound`] if they are not a member of the organization; [`AppError::Invalid`] with a missing password,
/// or at [`Field::Form`](crate::problem::Field::Form) if they would get permissions that the caller does not hold.
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
        .change_keys(move |connection| {
            let grant = manager.begin(connection)?;
            let person = belonging(connection, &grant, id)?;
            grant.may_give(&person.set.permissions).map_err(|lacking| refused(Problem::NotHeld(lacking)))?;
            let entry = manager.entry(Action::UserReactivated, now, &source);
            let touched = Fact::Subject(SubjectId::Membership(id)).into();
            Ok((reactivate_in(connection, &person, entry)?, touched))
        })
        .await
}

/// Returns why a caller with `grant` cannot end a member's access, if so.
pub(super) fn refusal(
    connection: &mut AnyConnection,
    grant: &OrgGrant<ManageUsers>,
    person: &Person,
) -> Result<Option<Problem>> {
    if let Err(lacking) = grant.may_give(&person.set.permissions) {
        return Ok(Some(Problem::MayDoMore(lacking)));
    }
    Ok(is_last_administrator(connection, person)?.then_some(Problem::LastAdministrator))
}

/// Returns whether a token stops with the member's access.
pub(super) fn stops(token: &Token, person: &Person, now: Timestamp) -> bool {
    token.membership == person.membership && token.key.life.is_active(now)
}

/// Ends a member's access, with the organization locked. `by` is the log entry about it without the person: who does
/// it, and when. The caller must have checked that this is allowed.
pub(crate) fn end_in(
    connection: &mut AnyConnection,
    person: &Person,
    ending: Ending,
    by: activity::Entry<'_>,
) -> Result<()> {
    // Locked, so that no token is created for them meanwhile.
    users::lock(connection, person.user)?;
    memberships::deactivate(connection, person.membership, ending == Ending::Removal, by.at)?;
    if ending == Ending::Removal {
        crate::items::forget_subject(connection, SubjectId::Membership(person.membership), by.at)?;
    }
    let revocation = Revocation { by: RevokedBy::Membership, name: Some(by.actor_name), reason: None };
    let mut stopped = tokens::active(connection, person.user)?;
    stopped.retain(|(_, token)| stops(token, person, by.at));
    for (_, token) in &stopped {
        tokens::revoke(connection, token.key.token, revocation, by.at)?;
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

/// Withdraws the invitations to an organization that a user has sent, and those for their own address. `by` says who
/// does it, and when.
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

/// Reactivates a member, with the organization locked. `by` is the log entry about it without the person. Returns false
/// if they are already active.
pub(crate) fn reactivate_in(connection: &mut AnyConnection, person: &Person, by: activity::Entry<'_>) -> Result<bool> {
    let activated = memberships::activate(connection, person.membership, person.organization, person.set.id, by.at)?;
    if activated {
        activity::insert(connection, &to(person, by.clone()))?;
    }
    Ok(activated)
}
