//! What whoever runs the server does at its command line: help people who cannot sign in, and revoke tokens.

use super::{AppError, Jeton, Result, password_links::LinkCode, random};
use crate::{
    domain::{
        activity::{Action, Source},
        password_link::MadeBy,
        time::{DAY, Timestamp},
        token,
        user::{Email, Password, PasswordError, UserId},
    },
    storage::{
        AnyConnection, activity, memberships, organizations, password_links, sessions,
        tokens::{
            self, OwnedToken, RevokedBy,
            service_users::{self, ServiceToken},
        },
        users::{self, User},
    },
};

/// How the activity log names whoever works at the command line.
pub const NAME: &str = "operator";

/// Proof that somebody works at the server's own command line, where the database and the pepper can be read. Only the
/// commands make one.
#[derive(Clone, Copy, Debug)]
pub struct Operator(());

impl Operator {
    /// Whoever runs a command of `jeton` on the server.
    pub(crate) const fn at_the_command_line() -> Self {
        Self(())
    }
}

/// Which tokens an operator lists.
#[derive(Clone, Debug, Default)]
pub struct TokenFilter {
    /// Only those of the user with this e-mail address.
    pub owner: Option<String>,
    /// Only those without a use in this many days; a token never used counts from its creation.
    pub unused_for: Option<u16>,
}

impl Jeton {
    /// All users, by e-mail address.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn users(&self, _: Operator) -> Result<Vec<User>> {
        self.read(|connection| Ok(users::list(connection)?)).await
    }

    /// Gives a user a new random password, which is returned this once, and ends all their sessions.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if no user has this e-mail address.
    pub async fn reset_password(&self, _: Operator, email: &str) -> Result<String> {
        let email = Email::parse(email).map_err(|_| AppError::NotFound)?;
        let password = random_password();
        let broken = |error: PasswordError| AppError::Broken(error.to_string());
        let hash = self.passwords.hash(Password::chosen(password.clone(), &[]).map_err(broken)?).await?;
        let now = self.clock.now();
        self.write(move |connection| {
            let (user, old_hash) = users::find_by_email(connection, &email)?.ok_or(AppError::NotFound)?;
            users::update_password(connection, user.id, &old_hash, &hash)?.ok_or(AppError::NotFound)?;
            sessions::delete_all(connection, user.id)?;
            password_links::delete_all(connection, user.id)?;
            write_entry(connection, user.id, Action::PasswordReset, None, now)
        })
        .await?;
        Ok(password)
    }

    /// Makes a link with which a user chooses a new password; whoever runs the server hands it to them.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if no user has this e-mail address.
    pub async fn make_password_link(&self, _: Operator, email: &str) -> Result<LinkCode> {
        let email = Email::parse(email).map_err(|_| AppError::NotFound)?;
        let now = self.clock.now();
        self.write(move |connection| {
            let (user, _) = users::find_by_email(connection, &email)?.ok_or(AppError::NotFound)?;
            write_entry(connection, user.id, Action::PasswordLinkMade, None, now)?;
            LinkCode::make(connection, user.id, MadeBy::Operator, now)
        })
        .await
    }

    /// The active tokens of all users that the filter takes, newest first.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if no user has the e-mail address.
    pub async fn all_tokens(&self, _: Operator, filter: TokenFilter) -> Result<Vec<OwnedToken>> {
        let now = self.clock.now();
        self.read(move |connection| {
            let owner = match &filter.owner {
                None => None,
                Some(email) => {
                    let email = Email::parse(email).map_err(|_| AppError::NotFound)?;
                    Some(users::find_by_email(connection, &email)?.ok_or(AppError::NotFound)?.0.id)
                }
            };
            let mut all = tokens::list_owned(connection, owner)?;
            all.retain(|owned| owned.token.life.is_active(now));
            if let Some(days) = filter.unused_for {
                let idle = |owned: &OwnedToken| now.since(owned.token.life.idle_since()) >= i64::from(days) * DAY;
                all.retain(idle);
            }
            Ok(all)
        })
        .await
    }

    /// The active tokens of all service users, with the slugs of their organizations, newest first in each; with
    /// `unused_for` only those without a use in so many days.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn all_service_tokens(
        &self,
        _: Operator,
        unused_for: Option<u16>,
    ) -> Result<Vec<(String, ServiceToken)>> {
        let now = self.clock.now();
        self.read(move |connection| {
            let mut all = Vec::new();
            for (organization, slug) in organizations::slugs(connection)? {
                let tokens = service_users::list(connection, organization, now)?;
                all.extend(tokens.into_iter().map(|token| (slug.clone(), token)));
            }
            let idle_since = now.plus(-unused_for.map_or(0, i64::from) * DAY);
            let is_meant = |token: &ServiceToken| unused_for.is_none() || token.key.life.idle_since() <= idle_since;
            all.retain(|(_, token)| token.key.life.is_active(now) && is_meant(token));
            Ok(all)
        })
        .await
    }

    /// Revokes a token, of a person or of a service user. When this returns, no node accepts it any more. Returns false if it had ended before.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if there is no token with this public id.
    pub async fn revoke_any_token(&self, _: Operator, public_id: &str) -> Result<bool> {
        if !token::is_public_id(public_id) {
            return Err(AppError::NotFound);
        }
        let (public_id, now) = (public_id.to_owned(), self.clock.now());
        self.change_authority(move |connection| {
            let Some(owned) = tokens::find_owned(connection, &public_id)? else {
                return revoke_service_token(connection, &public_id, now);
            };
            let revoked = tokens::revoke(connection, owned.token.id, RevokedBy::Operator, now)?;
            if revoked {
                write_entry(connection, owned.owner, Action::TokenRevoked, Some(&owned), now)?;
            }
            Ok(revoked)
        })
        .await
    }
}

/// Revokes the token of the service user with this public id, with all its keys.
fn revoke_service_token(connection: &mut AnyConnection, public_id: &str, now: Timestamp) -> Result<bool> {
    let organization = service_users::organization_of(connection, public_id)?.ok_or(AppError::NotFound)?;
    let token = service_users::find(connection, organization, public_id, now)?.ok_or(AppError::NotFound)?;
    let revoked = token.key.life.is_active(now)
        && service_users::revoke(connection, token.id, token.key.token, RevokedBy::Operator.into(), now)?;
    if revoked {
        let source = Source::default();
        let entry = activity::Entry {
            actor_name: NAME,
            token: Some((&token.public_id, &token.name)),
            ..activity::Entry::new(Some(organization), Action::TokenRevoked, now, &source)
        };
        activity::insert(connection, &entry)?;
    }
    Ok(revoked)
}

/// Writes an entry about what an operator did to a user or their token, into the log of the token's organization, or else of
/// the one that the user works in.
fn write_entry(
    connection: &mut AnyConnection,
    user: UserId,
    action: Action,
    token: Option<&OwnedToken>,
    now: Timestamp,
) -> Result<()> {
    let organization = match token {
        Some(owned) => Some(owned.organization),
        None => memberships::first(connection, user)?.map(|membership| membership.organization),
    };
    let name = users::find(connection, user)?.map(|user| user.name);
    let source = Source::default();
    let entry = activity::Entry {
        actor_name: NAME,
        target: Some(user),
        target_name: name.as_deref(),
        token: token.map(|owned| (owned.token.public_id.as_str(), owned.token.label.as_str())),
        ..activity::Entry::new(organization, action, now, &source)
    };
    Ok(activity::insert(connection, &entry)?)
}

/// Five groups of five clear characters: 125 random bits that can be read aloud.
fn random_password() -> String {
    let code = random::code();
    let groups: Vec<&str> = (0..5).filter_map(|group| code.get(group * 5..group * 5 + 5)).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::random_password;
    use crate::domain::user::Password;

    #[test]
    fn a_random_password_may_be_chosen() {
        let password = random_password();
        assert_eq!(password.len(), 29);
        assert!(Password::chosen(password.clone(), &[]).is_ok());
        assert_ne!(password, random_password());
    }
}
