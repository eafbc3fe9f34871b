//! The installation as a whole: who administers it.
//!
//! Installation administrators create organizations, and decide who else is one. The role belongs to a user, not to a
//! membership, so it has no effect while the user is blocked or active in no organization: whoever has lost access
//! everywhere has lost it here too (V5). The last user whose role is effective keeps it. The operator can grant and
//! remove the role as well ([`super::operator`]).

use super::{
    AppError, Jeton, Result,
    activity::insert_everywhere,
    problem::{Field, Problem, Problems},
    sessions::Actor,
};
use domain::{
    activity::{Action, Source},
    user::{Email, User, UserId},
};
use serde::Deserialize;
use storage::{AnyConnection, activity, installation, memberships, users};

/// A signed-in installation administrator.
#[derive(Clone, Debug)]
pub struct InstallationAdmin(Actor);

impl InstallationAdmin {
    /// Checks that a signed-in user has the role. For others, its pages do not exist.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub fn of(actor: Actor) -> Result<Self> {
        if actor.is_installation_admin() { Ok(Self(actor)) } else { Err(AppError::NotFound) }
    }

    /// The signed-in user.
    pub const fn actor(&self) -> &Actor {
        &self.0
    }

    /// Checks again that they have the role, inside the transaction that changes something. Nobody else can grant or
    /// remove the role until the transaction ends, so that of two administrators who remove each other, only one
    /// succeeds.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if they do not have the role.
    pub(super) fn still(&self, connection: &mut AnyConnection) -> Result<()> {
        installation::lock(connection)?;
        let user = users::find(connection, self.0.user().id)?.ok_or(AppError::SignedOut)?;
        if user.is_installation_admin && counts(connection, &user)? { Ok(()) } else { Err(AppError::NotFound) }
    }
}

/// Returns whether the role is effective for this user.
fn counts(connection: &mut AnyConnection, user: &User) -> Result<bool> {
    Ok(!user.is_blocked && memberships::first(connection, user.id)?.is_some())
}

/// A user with the role, and whether it is effective.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The user.
    pub user: User,
    /// Whether the role is effective: the user is active in an organization, and not blocked.
    pub counts: bool,
}

/// The form that grants the role, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PromotionForm {
    /// Their e-mail address.
    pub email: String,
    /// The password, if the form asked for it.
    pub password: Option<String>,
}

/// Lists the installation administrators by e-mail address.
pub(super) fn holders(connection: &mut AnyConnection) -> Result<Vec<Holder>> {
    let all = users::installation_admins(connection)?.into_iter();
    all.map(|user| Ok(Holder { counts: counts(connection, &user)?, user })).collect()
}

/// Grants a user the role. `by` is the log entry about it without the person. Returns false if they already have it.
pub(super) fn promote_in(connection: &mut AnyConnection, user: &User, by: activity::Entry<'_>) -> Result<bool> {
    installation::lock(connection)?;
    if !counts(connection, user)? {
        let problem = if user.is_blocked { Problem::Blocked } else { Problem::ActiveNowhere };
        return Err(Problems::one(Field::Email, problem).into());
    }
    let is_new = users::set_installation_admin(connection, user.id, true)?;
    if is_new {
        insert_everywhere(connection, user.id, to(user, by))?;
    }
    Ok(is_new)
}

/// Removes the role from a user, unless nobody else's role is effective. `by` is the log entry about it without the
/// person. Returns false if they do not have it.
pub(super) fn demote_in(connection: &mut AnyConnection, user: &User, by: activity::Entry<'_>) -> Result<bool> {
    installation::lock(connection)?;
    let all = holders(connection)?;
    if !all.iter().any(|holder| holder.user.id == user.id) {
        return Ok(false);
    }
    if !all.iter().any(|holder| holder.counts && holder.user.id != user.id) {
        return Err(Problems::one(Field::Form, Problem::LastInstallationAdmin).into());
    }
    users::set_installation_admin(connection, user.id, false)?;
    insert_everywhere(connection, user.id, to(user, by))?;
    Ok(true)
}

fn to<'a>(user: &'a User, by: activity::Entry<'a>) -> activity::Entry<'a> {
    activity::Entry { target: Some(user.id), target_name: Some(&user.name), ..by }
}

/// Lists the installation administrators by e-mail address.
pub async fn admins(jeton: &Jeton, _: &InstallationAdmin) -> Result<Vec<Holder>> {
    jeton.read(holders).await
}

/// Makes a user an installation administrator, and returns the user.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong: nobody has the address, the user is not active in any organization, or a
/// missing password; [`AppError::NotFound`] if the caller is not an installation administrator any more.
pub async fn promote(jeton: &Jeton, by: &InstallationAdmin, form: PromotionForm, source: Source) -> Result<UserId> {
    let mut problems = Problems::default();
    let email = problems.check(Field::Email, Email::parse(&form.email));
    let Some(email) = email else { return Err(problems.into()) };
    crate::sessions::require_reauthentication(jeton, by.actor(), form.password, &source).await?;
    let (by, now) = (by.clone(), jeton.clock.now());
    jeton
        .end(move |connection| {
            by.still(connection)?;
            let found = users::find_by_email(connection, &email)?;
            let (user, _) = found.ok_or_else(|| Problems::one(Field::Email, Problem::NotAChoice))?;
            promote_in(connection, &user, by.actor().entry(Action::AccountPromoted, now, &source))?;
            Ok(user.id)
        })
        .await
}

/// Returns an installation administrator, and why their role cannot be removed, if so.
///
/// # Errors
/// [`AppError::NotFound`] if they do not have the role.
pub async fn admin(jeton: &Jeton, _: &InstallationAdmin, id: UserId) -> Result<(User, Option<Problem>)> {
    jeton
        .read(move |connection| {
            let all = holders(connection)?;
            let others = all.iter().any(|holder| holder.counts && holder.user.id != id);
            let found = all.into_iter().find(|holder| holder.user.id == id).ok_or(AppError::NotFound)?;
            Ok((found.user, (!others).then_some(Problem::LastInstallationAdmin)))
        })
        .await
}

/// Removes the role from an installation administrator. Returns false if they do not have it.
///
/// # Errors
/// [`AppError::Invalid`] at [`Field::Form`] if they are the last one; [`AppError::NotFound`] if there is no such user,
/// and as [`promote`].
pub async fn demote(jeton: &Jeton, by: &InstallationAdmin, id: UserId, source: Source) -> Result<bool> {
    let (by, now) = (by.clone(), jeton.clock.now());
    jeton
        .write(move |connection| {
            by.still(connection)?;
            let user = users::find(connection, id)?.ok_or(AppError::NotFound)?;
            demote_in(connection, &user, by.actor().entry(Action::AccountDemoted, now, &source))
        })
        .await
}
