//! The installation as a whole: who administers it.
//!
//! Those who do make organizations, and decide who else does. The role hangs on a user and not on a membership, so it
//! counts for nothing while its user is active in no organization or blocked: whoever was let go everywhere was let go
//! here (V5). Of those whose role counts the last one keeps it. Whoever runs the server can give and take it as well
//! ([`super::operator`]).

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
use storage::{AnyConnection, activity, installation, memberships, users};

/// Somebody who administers the installation.
#[derive(Clone, Debug)]
pub struct InstallationAdmin(Actor);

impl InstallationAdmin {
    /// Proof of it, for somebody who is signed in. To others the installation is not there.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub fn of(actor: Actor) -> Result<Self> {
        if actor.is_installation_admin() { Ok(Self(actor)) } else { Err(AppError::NotFound) }
    }

    /// Who it is.
    pub const fn actor(&self) -> &Actor {
        &self.0
    }

    /// Whether they still do, inside the transaction that is to change something. Nobody else gives or takes the role
    /// until it ends, so that of two who take it from each other one has it no more.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if they do not.
    pub(super) fn still(&self, connection: &mut AnyConnection) -> Result<()> {
        installation::lock(connection)?;
        let user = users::find(connection, self.0.user().id)?.ok_or(AppError::SignedOut)?;
        if user.is_installation_admin && counts(connection, &user)? { Ok(()) } else { Err(AppError::NotFound) }
    }
}

/// Whether a role that hangs on this user counts for anything.
fn counts(connection: &mut AnyConnection, user: &User) -> Result<bool> {
    Ok(!user.is_blocked && memberships::first(connection, user.id)?.is_some())
}

/// Somebody with the role, and whether it counts.
#[derive(Clone, Debug)]
pub struct Holder {
    /// Who.
    pub user: User,
    /// Whether the role counts: they are active in an organization, and not blocked.
    pub counts: bool,
}

/// Whom to give the role, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct PromotionForm {
    /// Their e-mail address.
    pub email: String,
    /// The password, if it was asked for.
    pub password: Option<String>,
}

/// Those who administer the installation, by e-mail address.
pub(super) fn holders(connection: &mut AnyConnection) -> Result<Vec<Holder>> {
    let all = users::installation_admins(connection)?.into_iter();
    all.map(|user| Ok(Holder { counts: counts(connection, &user)?, user })).collect()
}

/// Gives somebody the role. `by` is the entry about it without the person. Returns false if they have it.
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

/// Takes the role from somebody, unless nobody else's would count. `by` is the entry about it without the person.
/// Returns false if they do not have it.
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

/// Those who administer the installation, by e-mail address.
pub async fn admins(jeton: &Jeton, _: &InstallationAdmin) -> Result<Vec<Holder>> {
    jeton.read(holders).await
}

/// Lets somebody administer the installation. Returns who it is.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong: nobody has the address, the account is not active anywhere, or a
/// missing password; [`AppError::NotFound`] for one who does not administer the installation any more.
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

/// Somebody who administers the installation, and why the role cannot be taken from them, if so.
///
/// # Errors
/// [`AppError::NotFound`] if they do not.
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

/// Lets somebody no longer administer the installation. Returns false if they did not.
///
/// # Errors
/// [`AppError::Invalid`] at [`Field::Form`] if nobody else would; [`AppError::NotFound`] for nobody, and as
/// [`promote`].
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
