//! Users: listed, added, deactivated and reactivated, blocked, made installation administrators, and given new
//! passwords.

use super::{Operator, Records, entry, find_organization, find_user, unknown};
use crate::{
    AppError, Jeton, Result,
    activity::insert_everywhere,
    email_changes,
    installation::{demote_in, holders, promote_in},
    invitations::{admit, belongs},
    link_code::LinkCode,
    mail,
    problem::{Field, Problem, Problems},
    random,
    sessions::{is_open, why_closed},
    tokens::revoke_in,
    users::{Ending, end_in, is_last_administrator, reactivate_in, refused, withdraw_invitations},
};
use chrono_tz::Tz;
use domain::{
    activity::Action,
    membership::{Person, Standing},
    organization::{OrganizationId, PermissionSetId},
    password_link::MadeBy,
    text,
    time::Timestamp,
    token::RevokedBy,
    user::{self, Password, PasswordError, Profile, Theme, User, UserId},
};
use storage::{
    AnyConnection, activity,
    memberships::{
        self, people,
        places::{self, Place},
    },
    organizations, password_links, sessions, tokens, users,
};

/// The arguments of the command that adds a user, as typed.
#[derive(Clone, Debug)]
pub struct AddForm {
    /// Their e-mail address.
    pub email: String,
    /// Their name; an existing account keeps its own.
    pub name: String,
    /// The slug of the organization.
    pub organization: String,
    /// The name of one of its permission sets.
    pub permission_set: String,
}

impl Records {
    /// Lists all users by e-mail address, with their memberships.
    pub fn users(&mut self) -> Result<Vec<(User, Vec<Place>)>> {
        let mut all: Vec<_> = users::list(&mut self.connection)?.into_iter().map(|user| (user, Vec::new())).collect();
        let places = places::list(&mut self.connection, None)?;
        let at: std::collections::HashMap<UserId, usize> =
            all.iter().enumerate().map(|(index, (user, _))| (user.id, index)).collect();
        for place in places {
            if let Some((_, theirs)) = at.get(&place.user).and_then(|index| all.get_mut(*index)) {
                theirs.push(place);
            }
        }
        Ok(all)
    }
}

/// Returns the slugs of the organizations in which a user is active.
///
/// # Errors
/// [`AppError::Invalid`] at [`Field::Email`] if no user has this e-mail address.
pub async fn organizations_of(jeton: &Jeton, _: Operator, email: &str) -> Result<Vec<String>> {
    let email = email.to_owned();
    jeton
        .read(move |connection| {
            let user = find_user(connection, &email)?;
            let places = places::list(connection, Some(user.id))?.into_iter();
            Ok(places.filter(|place| place.standing == Standing::Active).map(|place| place.slug).collect())
        })
        .await
}

/// Adds a user to an organization. A new user gets an account, and a link to choose its password.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong, including that they are already a member of the organization.
pub async fn add_user(jeton: &Jeton, _: Operator, form: AddForm) -> Result<Option<LinkCode>> {
    let mut problems = Problems::default();
    let email = problems.check(Field::Email, mail::address(&form.email));
    let name = problems.check(Field::Name, user::name(&form.name));
    let (Some(email), Some(name)) = (email, name) else { return Err(problems.into()) };
    // Nobody learns this password.
    let (_, hash) = hashed_random_password(jeton).await?;
    let profile = Profile { name, email, language: None, time_zone: Tz::UTC.name().to_owned(), theme: Theme::System };
    let now = jeton.clock.now();
    jeton
        .change_authority(move |connection| {
            let organization = find_organization(connection, &form.organization)?;
            organizations::lock(connection, organization)?;
            let set = find_set(connection, organization, &form.permission_set)?;
            if let Some(problem) = belongs(connection, organization, &profile.email)? {
                return Err(Problems::one(Field::Email, problem).into());
            }
            let known = users::find_by_email(connection, &profile.email)?;
            let (user, name) = match &known {
                Some((user, _)) => (user.id, user.name.as_str()),
                None => (users::insert(connection, &profile, &hash, now)?, profile.name.as_str()),
            };
            admit(connection, user, organization, set, now)?;
            let joined = entry(Some(organization), Action::UserJoined, now);
            let joined = activity::Entry { target: Some(user), target_name: Some(name), ..joined };
            activity::insert(connection, &joined)?;
            withdraw_invitations(connection, organization, (user, profile.email.as_str()), joined)?;
            match known {
                Some(_) => Ok(None),
                None => make_link(connection, user, name, now).map(Some),
            }
        })
        .await
        .map_err(|error| match error {
            // Somebody else was faster.
            AppError::Storage(error) if error.is_duplicate() => Problems::one(Field::Email, Problem::EmailTaken).into(),
            error => error,
        })
}

/// Deactivates a member of an organization, as its pages do: their tokens there and all their sessions end. Returns
/// false if they are already deactivated.
///
/// # Errors
/// [`AppError::Invalid`] with what does not exist, or at [`Field::Form`] for the last administrator.
pub async fn deactivate_user(jeton: &Jeton, _: Operator, email: &str, slug: &str) -> Result<bool> {
    let (email, slug, now) = (email.to_owned(), slug.to_owned(), jeton.clock.now());
    jeton
        .end_authority(move |connection| {
            let person = find_person(connection, &email, &slug)?;
            if Ending::Deactivation.has_happened(&person) {
                return Ok(false);
            }
            if is_last_administrator(connection, &person)? {
                return Err(refused(Problem::LastAdministrator));
            }
            let by = entry(Some(person.organization), Ending::Deactivation.action(), now);
            end_in(connection, &person, Ending::Deactivation, by)?;
            Ok(true)
        })
        .await
}

/// Reactivates a deactivated member of an organization. Nothing that had stopped comes back. Returns false if they are
/// already active.
///
/// # Errors
/// [`AppError::Invalid`] with what does not exist.
pub async fn reactivate_user(jeton: &Jeton, _: Operator, email: &str, slug: &str) -> Result<bool> {
    let (email, slug, now) = (email.to_owned(), slug.to_owned(), jeton.clock.now());
    jeton
        .change_authority(move |connection| {
            let person = find_person(connection, &email, &slug)?;
            reactivate_in(connection, &person, entry(Some(person.organization), Action::UserReactivated, now))
        })
        .await
}

/// Blocks an account in all organizations, even that of an administrator: its tokens and sessions end, nobody can sign
/// in with it, and its memberships stay but give no access. Returns false if it is already blocked.
///
/// # Errors
/// [`AppError::Invalid`] at [`Field::Email`] if no user has this e-mail address.
pub async fn block_user(jeton: &Jeton, _: Operator, email: &str) -> Result<bool> {
    let (email, now) = (email.to_owned(), jeton.clock.now());
    jeton
        .end_authority(move |connection| {
            let user = find_user(connection, &email)?;
            // Locked, so that no token is created for them meanwhile.
            users::lock(connection, user.id)?;
            if !users::block(connection, user.id, now)? {
                return Ok(false);
            }
            users::end_sessions(connection, user.id)?;
            sessions::delete_all(connection, user.id)?;
            password_links::delete_all(connection, user.id)?;
            email_changes::forget(connection, user.id)?;
            let blocked = entry(None, Action::AccountBlocked, now);
            let blocked = activity::Entry { target: Some(user.id), target_name: Some(&user.name), ..blocked };
            insert_everywhere(connection, user.id, blocked.clone())?;
            for place in places::list(connection, Some(user.id))? {
                let by = activity::Entry { organization: Some(place.organization), ..blocked.clone() };
                revoke_tokens(connection, &place, activity::Entry { action: Action::TokenRevoked, ..by.clone() })?;
                withdraw_invitations(connection, place.organization, (user.id, &user.email), by)?;
            }
            Ok(true)
        })
        .await
}

/// Unblocks an account. Nothing that had stopped comes back. Returns false if it is not blocked.
///
/// # Errors
/// [`AppError::Invalid`] at [`Field::Email`] if no user has this e-mail address.
pub async fn unblock_user(jeton: &Jeton, _: Operator, email: &str) -> Result<bool> {
    let (email, now) = (email.to_owned(), jeton.clock.now());
    jeton
        .change_authority(move |connection| {
            let user = find_user(connection, &email)?;
            let opened = users::unblock(connection, user.id)?;
            if opened {
                let opened = entry(None, Action::AccountUnblocked, now);
                let opened = activity::Entry { target: Some(user.id), target_name: Some(&user.name), ..opened };
                insert_everywhere(connection, user.id, opened)?;
            }
            Ok(opened)
        })
        .await
}

/// Makes a user an installation administrator. Returns false if they already are one.
///
/// # Errors
/// [`AppError::Invalid`] at [`Field::Email`] if no user has this e-mail address, or the user cannot sign in.
pub async fn promote_user(jeton: &Jeton, _: Operator, email: &str) -> Result<bool> {
    let (email, now) = (email.to_owned(), jeton.clock.now());
    jeton
        .write(move |connection| {
            let user = find_user(connection, &email)?;
            promote_in(connection, &user, entry(None, Action::AccountPromoted, now))
        })
        .await
}

/// Removes the role of installation administrator from a user. Returns false if they do not have it.
///
/// # Errors
/// [`AppError::Invalid`] at [`Field::Email`] if no user has this e-mail address, or at [`Field::Form`] if they are the
/// last one.
pub async fn demote_user(jeton: &Jeton, _: Operator, email: &str) -> Result<bool> {
    let (email, now) = (email.to_owned(), jeton.clock.now());
    jeton
        .end(move |connection| {
            let user = find_user(connection, &email)?;
            demote_in(connection, &user, entry(None, Action::AccountDemoted, now))
        })
        .await
}

/// Returns whether anybody administers the installation right now.
pub async fn is_administered(jeton: &Jeton, _: Operator) -> Result<bool> {
    jeton.read(|connection| Ok(holders(connection)?.iter().any(|holder| holder.counts))).await
}

/// Gives a user a new random password, which only this call returns, and ends all their sessions.
///
/// # Errors
/// [`AppError::Invalid`] at [`Field::Email`] if no user has this e-mail address.
pub async fn reset_password(jeton: &Jeton, _: Operator, email: &str) -> Result<String> {
    let (password, hash) = hashed_random_password(jeton).await?;
    let (email, now) = (email.to_owned(), jeton.clock.now());
    jeton
        .write(move |connection| {
            let user = find_user(connection, &email)?;
            let old_hash = users::password_hash(connection, user.id)?;
            users::update_password(connection, user.id, &old_hash, &hash)?.ok_or(AppError::NotFound)?;
            sessions::delete_all(connection, user.id)?;
            password_links::delete_all(connection, user.id)?;
            email_changes::forget(connection, user.id)?;
            let reset = entry(None, Action::PasswordReset, now);
            let reset = activity::Entry { target: Some(user.id), target_name: Some(&user.name), ..reset };
            insert_everywhere(connection, user.id, reset)
        })
        .await?;
    Ok(password)
}

/// Creates a link for a new password, which the operator hands over to the user.
///
/// # Errors
/// [`AppError::Invalid`] at [`Field::Email`] if no user has this e-mail address, or the user cannot sign in.
pub async fn make_password_link(jeton: &Jeton, _: Operator, email: &str) -> Result<LinkCode> {
    let (email, now) = (email.to_owned(), jeton.clock.now());
    jeton
        .write(move |connection| {
            let user = find_user(connection, &email)?;
            if !is_open(connection, &user, now)? {
                return Err(Problems::one(Field::Email, why_closed(&user)).into());
            }
            make_link(connection, user.id, &user.name, now)
        })
        .await
}

/// Creates a random password and its hash.
async fn hashed_random_password(jeton: &Jeton) -> Result<(String, String)> {
    let password = random_password();
    let broken = |error: PasswordError| AppError::Broken(error.to_string());
    let hash = jeton.passwords.hash(Password::chosen(password.clone(), &[]).map_err(broken)?).await?;
    Ok((password, hash))
}

/// Revokes the tokens of a user in one organization. `by` is the log entry about it without a token.
fn revoke_tokens(connection: &mut AnyConnection, place: &Place, by: activity::Entry<'_>) -> Result<()> {
    for (_, token) in tokens::active(connection, place.user)? {
        if token.membership == place.membership {
            revoke_in(connection, &token, RevokedBy::Operator.into(), by.clone())?;
        }
    }
    Ok(())
}

/// Creates a link for a user's new password, and logs that.
fn make_link(connection: &mut AnyConnection, user: UserId, name: &str, now: Timestamp) -> Result<LinkCode> {
    let made = entry(None, Action::PasswordLinkMade, now);
    let made = activity::Entry { target: Some(user), target_name: Some(name), ..made };
    insert_everywhere(connection, user, made)?;
    crate::password_links::make(connection, user, MadeBy::Operator, now)
}

/// Returns a member of the organization with this slug, active or not, and locks the organization for this transaction.
fn find_person(connection: &mut AnyConnection, email: &str, slug: &str) -> Result<Person> {
    let (user, organization) = (find_user(connection, email)?, find_organization(connection, slug)?);
    organizations::lock(connection, organization)?;
    let standing = memberships::standing(connection, user.id, organization)?;
    let (id, _) = standing.filter(|(_, it)| *it != Standing::Removed).ok_or_else(|| unknown(Field::Person))?;
    people::find(connection, organization, id)?.ok_or(AppError::NotFound)
}

/// Finds the permission set of the organization with this name, or a built-in one by its key, ignoring case.
fn find_set(connection: &mut AnyConnection, organization: OrganizationId, name: &str) -> Result<PermissionSetId> {
    let mut all = memberships::sets(connection, organization)?.into_iter();
    let found = all.find(|set| text::fold(set.name.as_str()) == text::fold(name));
    Ok(found.ok_or_else(|| unknown(Field::PermissionSet))?.id)
}

/// Creates a password of five groups of five unambiguous characters: 125 random bits that can be read aloud.
fn random_password() -> String {
    let code = random::code();
    let groups: Vec<&str> = (0..5).filter_map(|group| code.get(group * 5..group * 5 + 5)).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::random_password;
    use domain::user::Password;

    #[test]
    fn a_random_password_is_acceptable() {
        let password = random_password();
        assert_eq!(password.len(), 29);
        assert!(Password::chosen(password.clone(), &[]).is_ok());
        assert_ne!(password, random_password());
    }
}
