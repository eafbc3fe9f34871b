//! Invitations: created and withdrawn by those who manage users, accepted by whoever has the link.
//!
//! The code in the link is a secret like an API key: it appears in one answer (and one mail), and the database stores
//! its SHA-256. Whoever has the link creates an account with the invited address, or, if there is one, must sign in to
//! it: a link gives nobody access to an existing account.

use super::{
    AppError, Jeton, Result,
    link_code::{LinkCode, hash},
    mail::{self, Mail, Sending, Words},
    problem::{Field, Problem, Problems},
    sessions::{Actor, Begin},
    users::Manager,
};
use chrono_tz::Tz;
use domain::{
    activity::{Action, Source},
    invitation::{Invitation, InvitationId},
    membership::Standing,
    organization::{OrganizationId, PermissionSetId},
    time::Timestamp,
    user::{self, Email, Language, Password, Profile, Theme, UserId, folded_email},
};
use serde::Deserialize;
use std::{str::FromStr, sync::Arc};
use storage::{
    AnyConnection, activity,
    epoch::Fact,
    invitations::{self, NewInvitation},
    memberships, organizations, password_links, sessions, users,
};

/// The form for an invitation, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct InviteForm {
    /// Their e-mail address.
    pub email: String,
    /// The number of a permission set.
    pub permission_set: String,
    /// The password, if the form asked for it.
    pub password: Option<String>,
}

/// A new invitation with its code, which is available only now.
#[derive(Debug)]
pub struct Invited {
    /// The invited address.
    pub email: Email,
    /// The code.
    pub code: Arc<LinkCode>,
    /// The mail with the link, where mail is sent.
    pub sending: Option<Sending>,
}

/// The form for an invited person who has no account yet, as typed.
#[derive(Clone, Debug, Default)]
pub struct NewPerson {
    /// Their name.
    pub name: String,
    /// Their new password.
    pub password: String,
    /// The language of the page, which becomes theirs.
    pub language: Option<Language>,
    /// The IANA name of the browser's time zone, which becomes theirs; an unknown name means UTC.
    pub time_zone: String,
}

/// Invites somebody by their e-mail address. Where mail is sent, mails them the link; `compose` writes the mail. An
/// open invitation for the same address is replaced.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong: a field, a missing password, a permission set that grants more than the
/// caller holds, or that the person is already a member; [`AppError::TooManyAttempts`] for too many mails.
pub async fn invite(
    jeton: &Jeton,
    manager: &Manager,
    form: InviteForm,
    source: Source,
    compose: impl Fn(&LinkCode) -> Words + Send + 'static,
) -> Result<Invited> {
    let mut problems = Problems::default();
    let email = problems.check(Field::Email, mail::address(&form.email));
    let set = problems.choice(Field::PermissionSet, form.permission_set.parse().map(PermissionSetId).ok());
    let (Some(email), Some(set)) = (email, set) else { return Err(problems.into()) };
    crate::sessions::require_reauthentication(jeton, manager.actor(), form.password, &source).await?;
    let mailer = jeton.mail.clone();
    if mailer.is_some() {
        let organization = manager.grant().organization();
        jeton.attempts.take_invitation(manager.actor().user().id, organization, &email.folded())?;
    }
    let code = Arc::new(LinkCode::new());
    let (manager, now, address, code_hash) = (manager.clone(), jeton.clock.now(), email.clone(), code.hash());
    let (posting, told) = (mailer.clone(), Arc::clone(&code));
    let posted = jeton.write(move |connection| {
        let grant = manager.begin(connection)?;
        let organization = grant.organization();
        let at_set = |problem| AppError::from(Problems::one(Field::PermissionSet, problem));
        let mut sets = memberships::sets(connection, organization)?.into_iter();
        let chosen = sets.find(|known| known.id == set).ok_or_else(|| at_set(Problem::NotAChoice))?;
        grant.may_give(&chosen.permissions).map_err(|lacking| at_set(Problem::NotHeld(lacking)))?;
        if let Some(problem) = belongs(connection, organization, &address)? {
            return Err(Problems::one(Field::Email, problem).into());
        }
        invitations::delete_for(connection, organization, &address)?;
        let actor = manager.actor().user();
        let new = NewInvitation {
            organization,
            email: &address,
            set,
            code_hash: &code_hash,
            invited_by: actor.id,
            invited_by_name: &actor.name,
        };
        invitations::insert(connection, &new, now)?;
        write_entry(connection, &manager, Action::UserInvited, address.as_str(), now, &source)?;
        let Some(mailer) = &posting else { return Ok(None) };
        let (subject, text) = compose(&told);
        let mail = Mail { to: address.clone(), subject, text };
        mailer.post(connection, &mail, &source.request_id, now).map(Some)
    });
    let posted = posted.await?;
    let sending = mailer.zip(posted).map(|(mailer, posted)| mailer.send(posted));
    Ok(Invited { email, code, sending })
}

/// Returns an invitation of the organization.
///
/// # Errors
/// [`AppError::NotFound`] if there is none.
pub async fn find(jeton: &Jeton, manager: &Manager, id: InvitationId) -> Result<Invitation> {
    let organization = manager.grant().organization();
    jeton.read(move |connection| invitations::find(connection, organization, id)?.ok_or(AppError::NotFound)).await
}

/// Withdraws an invitation of the organization: its link stops working. Returns false if there is none, as it was
/// already accepted, withdrawn or replaced.
pub async fn withdraw(jeton: &Jeton, manager: &Manager, id: InvitationId, source: Source) -> Result<bool> {
    let (manager, now) = (manager.clone(), jeton.clock.now());
    jeton
        .end(move |connection| {
            let organization = manager.still(connection)?.organization();
            let Some(invitation) = invitations::find(connection, organization, id)? else { return Ok(false) };
            if !invitations::delete(connection, organization, id)? {
                return Ok(false);
            }
            write_entry(connection, &manager, Action::InvitationWithdrawn, &invitation.email, now, &source)?;
            Ok(true)
        })
        .await
}

/// Returns the invitation of a link, and whether there is already an account with its address.
///
/// # Errors
/// [`AppError::NotFound`] if there is no such link, or it does not work any more.
pub async fn find_by_code(jeton: &Jeton, code: &str) -> Result<(Invitation, bool)> {
    let (hash, now) = (hash(code), jeton.clock.now());
    jeton
        .read(move |connection| {
            let invitation = invitations::find_by_code(connection, &hash, now)?.ok_or(AppError::NotFound)?;
            let has_account = users::find_by_email(connection, &address_of(&invitation)?)?.is_some();
            Ok((invitation, has_account))
        })
        .await
}

/// Creates an account for whoever has the link of an invitation, and makes them a member. Of two uses at the same time,
/// one wins.
///
/// # Errors
/// [`AppError::NotFound`] as for [`find_by_code`]; [`AppError::Invalid`] with what is wrong, such as an existing
/// account with this address.
pub async fn join_as_new(jeton: &Jeton, code: &str, form: NewPerson, source: Source) -> Result<Begin> {
    let (invitation, has_account) = find_by_code(jeton, code).await?;
    if has_account {
        // Whoever has the link can send the form as often as they like, which must not cost a password hash each time.
        return Err(Problems::one(Field::Form, Problem::EmailTaken).into());
    }
    let mut problems = Problems::default();
    let name = problems.check(Field::Name, user::name(&form.name));
    let own = [form.name.as_str(), invitation.email.as_str(), invitation.organization_name.as_str()];
    let password = problems.check(Field::NewPassword, Password::chosen(form.password, &own));
    let (Some(name), Some(password)) = (name, password) else { return Err(problems.into()) };
    let password_hash = jeton.passwords.hash(password).await?;
    let time_zone = Tz::from_str(&form.time_zone).unwrap_or(Tz::UTC).name().to_owned();
    let email = address_of(&invitation)?;
    let profile = Profile { name, email, language: form.language, time_zone, theme: Theme::System };
    let (code_hash, now) = (hash(code), jeton.clock.now());
    jeton
        .change_keys(move |connection| {
            organizations::lock(connection, invitation.organization)?;
            let invitation = invitations::take(connection, &code_hash, now)?.ok_or(AppError::NotFound)?;
            let user = users::insert(connection, &profile, &password_hash, now).map_err(|error| {
                if error.is_duplicate() {
                    Problems::one(Field::Form, Problem::EmailTaken).into()
                } else {
                    AppError::from(error)
                }
            })?;
            memberships::insert(connection, user, invitation.organization, invitation.set.id, now)?;
            write_joined(connection, &invitation, (user, &profile.name), now, &source)?;
            let begin = Begin { user, generation: 0, source: source.clone() };
            Ok((begin, Fact::SubjectsOf(invitation.organization).into()))
        })
        .await
}

/// Makes a signed-in user a member by an invitation for their address, and the organization their current one. A
/// removed user gets the same membership again, without the access that they had. Returns the organization's slug. Of
/// two uses at the same time, one wins.
///
/// # Errors
/// [`AppError::NotFound`] as for [`find_by_code`], and if the invitation is for somebody else or the user is already a
/// member.
pub async fn join(jeton: &Jeton, actor: &Actor, code: &str, source: Source) -> Result<String> {
    let (found, _) = find_by_code(jeton, code).await?;
    let (actor, code_hash, now) = (actor.clone(), hash(code), jeton.clock.now());
    jeton
        .change_keys(move |connection| {
            organizations::lock(connection, found.organization)?;
            let invitation = invitations::take(connection, &code_hash, now)?.ok_or(AppError::NotFound)?;
            let user = actor.user();
            if !is_for(&invitation, &user.email) {
                return Err(AppError::NotFound);
            }
            let (organization, set) = (invitation.organization, invitation.set.id);
            if !admit(connection, user.id, organization, set, now)? {
                return Err(AppError::NotFound);
            }
            sessions::choose_organization(connection, &actor.session().public_id, organization)?;
            write_joined(connection, &invitation, (user.id, &user.name), now, &source)?;
            Ok((invitation.slug, Fact::SubjectsOf(organization).into()))
        })
        .await
}

/// Returns whether an invitation is for this address.
pub fn is_for(invitation: &Invitation, email: &str) -> bool {
    folded_email(&invitation.email) == folded_email(email)
}

fn address_of(invitation: &Invitation) -> Result<Email> {
    Email::known(&invitation.email).map_err(|error| AppError::Broken(error.to_string()))
}

/// Returns the problem if the user with this address is already a member of the organization.
pub(super) fn belongs(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    address: &Email,
) -> Result<Option<Problem>> {
    let Some((user, _)) = users::find_by_email(connection, address)? else { return Ok(None) };
    let standing = memberships::standing(connection, user.id, organization)?;
    Ok(match standing {
        Some((_, Standing::Active)) => Some(Problem::IsMember),
        Some((_, Standing::Deactivated)) => Some(Problem::IsDeactivated),
        Some((_, Standing::Removed)) | None => None,
    })
}

/// Makes a user a member, with the organization locked; a former member gets the same membership again. Returns false
/// if the user is already a member, active or not.
///
/// # Errors
/// [`AppError::Invalid`] at [`Field::Email`] if the operator has blocked the user.
pub(super) fn admit(
    connection: &mut AnyConnection,
    user: UserId,
    organization: OrganizationId,
    set: PermissionSetId,
    now: Timestamp,
) -> Result<bool> {
    users::lock(connection, user)?;
    if users::find(connection, user)?.is_some_and(|user| user.is_blocked) {
        return Err(Problems::one(Field::Email, Problem::Blocked).into());
    }
    match memberships::standing(connection, user, organization)? {
        None => memberships::insert(connection, user, organization, set, now).map(drop)?,
        Some((id, Standing::Removed)) => memberships::activate(connection, id, organization, set, now).map(drop)?,
        Some((_, Standing::Active | Standing::Deactivated)) => return Ok(false),
    }
    // A link for a new password that an administrator of another organization created would give access to this one,
    // too.
    password_links::delete_all(connection, user)?;
    Ok(true)
}

/// Writes a log entry about an address. It may have no account, or one that only belongs to other organizations: the
/// entry does not reveal which.
fn write_entry(
    connection: &mut AnyConnection,
    manager: &Manager,
    action: Action,
    address: &str,
    now: Timestamp,
    source: &Source,
) -> Result<()> {
    let entry = manager.entry(action, now, source);
    Ok(activity::insert(connection, &activity::Entry { target_name: Some(address), ..entry })?)
}

fn write_joined(
    connection: &mut AnyConnection,
    invitation: &Invitation,
    (user, name): (UserId, &str),
    now: Timestamp,
    source: &Source,
) -> Result<()> {
    let entry = activity::Entry::new(Some(invitation.organization), Action::UserJoined, now, source);
    Ok(activity::insert(connection, &activity::Entry { actor: Some(user), actor_name: name, ..entry })?)
}
