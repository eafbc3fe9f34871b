//! Creating a service user with its token.

use super::{Admin, NewKey, expire_all, find_in, free_slot, period, write_entry};
use crate::{
    Jeton, Result,
    permission_sets::{chosen, may_give},
    problem::{Field, Problems},
    random,
    tokens::checked_nonce,
};
use domain::{
    activity::{Action, Source},
    text, token,
};
use serde::Deserialize;
use storage::tokens::service_users::{self, NewKey as KeyRow, NewServiceUser};

/// The form for a new token, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServiceTokenForm {
    /// The service user's name.
    pub name: String,
    /// A number of days.
    pub inactivity: String,
    /// Permission keys.
    #[serde(rename = "permission")]
    pub permissions: Vec<String>,
    /// The password, if the form asked for it.
    pub password: Option<String>,
    /// The nonce of this form, so that sending it twice creates only one token (L4).
    pub nonce: String,
}

/// Creates a service user with its token.
///
/// # Errors
/// [`AppError::Invalid`](crate::AppError::Invalid) with what is wrong: a field, a permission that the caller lacks, a
/// missing password, the limit of active tokens, or a form that was sent before.
pub async fn create(jeton: &Jeton, at: &Admin, form: ServiceTokenForm, source: Source) -> Result<NewKey> {
    let mut problems = Problems::default();
    let name = problems.check(Field::Name, text::line(&form.name));
    let inactivity = problems.choice(Field::Inactivity, period(&form.inactivity));
    let wanted = problems.check(Field::Permissions, chosen(&form.permissions, at.grant().known()));
    let nonce = problems.choice(Field::Form, checked_nonce(form.nonce));
    let (Some(name), Some(inactivity), Some(permissions), Some(nonce)) = (name, inactivity, wanted, nonce) else {
        return Err(problems.into());
    };
    may_give(at.grant(), &permissions, Field::Permissions)?;
    crate::sessions::require_reauthentication(jeton, at.actor(), form.password.clone(), &source).await?;
    // Expired tokens are ended below to free their slots: tokens that have just been used must not be among them.
    crate::maintenance::flush_usage(jeton).await?;

    let (key, digest) = crate::service_users::mint(jeton);
    let (at, clock, public_id) = (at.clone(), jeton.clock.clone(), token::public_id(random::fill));
    let now = clock.now();
    let token = jeton
        .write(move |connection| {
            let grant = at.begin(connection)?;
            // A permission may have gone since, with its kind.
            let permissions = chosen(&form.permissions, grant.known())
                .map_err(|problem| Problems::one(Field::Permissions, problem))?;
            may_give(&grant, &permissions, Field::Permissions)?;
            if clock.is_settled() {
                expire_all(connection, &at, now, &source)?;
            }
            let slot = free_slot(connection, &at, &nonce)?;
            let new = NewServiceUser {
                public_id: &public_id,
                organization: grant.organization(),
                name: &name,
                permissions,
                made_by: at.actor().user().id,
                made_by_name: &at.actor().user().name,
            };
            let service_user = service_users::insert(connection, &new, now)?;
            let new = KeyRow {
                service_user,
                organization: grant.organization(),
                public_id: &public_id,
                name: &name,
                inactivity,
                digest,
                form_nonce: &nonce,
                slot,
            };
            service_users::insert_key(connection, &new, now)?;
            let token = find_in(connection, grant.organization(), &public_id, now)?;
            write_entry(connection, &at, Action::TokenCreated, &token, None, now, &source)?;
            Ok(token)
        })
        .await?;
    Ok(NewKey { token, key })
}
