//! Revoking an active token, and deleting an ended one.

use super::{Admin, at_form, expire, find_in, write_entry};
use crate::{Jeton, Result, problem::Problem, tokens::known_form};
use domain::{
    access::SubjectId,
    activity::{Action, Source},
    token::RevokedBy,
};
use storage::tokens::{Revocation, service_users, touched};

/// Revokes an active token. When this returns, no node accepts it any more. Returns false if it had already ended.
///
/// # Errors
/// [`AppError::NotFound`](crate::AppError::NotFound).
pub async fn revoke(jeton: &Jeton, at: &Admin, id: &str, source: Source) -> Result<bool> {
    let (at, id, now) = (at.clone(), known_form(id)?, jeton.clock.now());
    jeton
        .end_keys(move |connection| {
            let grant = at.begin(connection)?;
            let token = find_in(connection, grant.organization(), &id, now)?;
            let touched = touched(connection, token.key.token)?;
            let name = Some(at.actor().user().name.as_str());
            let revocation = Revocation { by: RevokedBy::Administrator, name, reason: None };
            let revoked = token.key.life.is_active(now)
                && service_users::revoke(connection, token.id, token.key.token, revocation, now)?;
            if revoked {
                write_entry(connection, &at, Action::TokenRevoked, &token, None, now, &source)?;
            }
            Ok((revoked, touched))
        })
        .await
}

/// Deletes a token that has ended, and its service user. The activity log keeps its name, which this returns.
///
/// # Errors
/// [`AppError::NotFound`](crate::AppError::NotFound); [`Problem::StillActive`] for an active token.
pub async fn delete(jeton: &Jeton, at: &Admin, id: &str, source: Source) -> Result<String> {
    let (at, id) = (at.clone(), known_form(id)?);
    // Refused uses that are still in memory are counted before the rows are deleted.
    crate::maintenance::flush_usage(jeton).await?;
    let now = jeton.clock.now();
    jeton
        .change_keys(move |connection| {
            let grant = at.begin(connection)?;
            let token = find_in(connection, grant.organization(), &id, now)?;
            if token.key.life.is_active(now) {
                return Err(at_form(Problem::StillActive));
            }
            let touched = touched(connection, token.key.token)?;
            expire(connection, &at, &token, now, &source)?;
            crate::items::forget_subject(connection, SubjectId::ServiceUser(token.id), now)?;
            service_users::delete(connection, token.id)?;
            write_entry(connection, &at, Action::TokenDeleted, &token, None, now, &source)?;
            Ok((token.name, touched))
        })
        .await
}
