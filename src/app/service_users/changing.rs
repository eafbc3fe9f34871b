//! Changing the name, the inactivity expiry and the permissions of an active token.

use super::{Admin, at_form, expire, find_in, period, write_entry};
use crate::{
    Jeton, Result,
    external_ids::give_in,
    permission_sets::{chosen, may_give},
    problem::{Field, Problem, Problems},
    tokens::known_form,
};
use domain::{
    activity::{Action, Detail, Source},
    service_user::ServiceToken,
    text,
    time::Timestamp,
    token,
};
use storage::{
    AnyConnection,
    external_ids::Known,
    tokens::{service_users, touched},
};

/// The form for a new name, as typed.
#[derive(Clone, Debug, Default)]
pub struct NameForm {
    /// The name.
    pub name: String,
    /// The version that was shown.
    pub version: String,
}

/// The form for another inactivity expiry, as chosen.
#[derive(Clone, Debug, Default)]
pub struct ExpiryForm {
    /// A number of days.
    pub inactivity: String,
    /// The version that was shown.
    pub version: String,
    /// Whether the change may expire the token at once.
    pub confirmed: bool,
}

/// The form for other permissions, as chosen.
#[derive(Clone, Debug, Default)]
pub struct PermissionsForm {
    /// Permission keys.
    pub permissions: Vec<String>,
    /// The version that was shown.
    pub version: String,
    /// The password, if the form asked for it.
    pub password: Option<String>,
}

/// The form for another external id, as typed.
#[derive(Clone, Debug, Default)]
pub struct ExternalIdForm {
    /// The id; empty for none.
    pub external_id: String,
    /// The version that was shown.
    pub version: String,
}

/// Changes a service user's name.
///
/// # Errors
/// [`AppError::NotFound`](crate::AppError::NotFound); [`AppError::Invalid`](crate::AppError::Invalid) with what is
/// wrong with the name, or at [`Field::Form`] if the token has ended or was changed meanwhile.
pub async fn rename(jeton: &Jeton, at: &Admin, id: &str, form: NameForm, source: Source) -> Result<()> {
    let mut problems = Problems::default();
    let name = problems.check(Field::Name, text::line(&form.name));
    let version = problems.choice(Field::Form, form.version.parse().ok());
    let (Some(name), Some(version)) = (name, version) else { return Err(problems.into()) };
    change(jeton, at, id, version, move |change| {
        if change.token.name == name {
            return Ok(());
        }
        is_newest(service_users::rename(change.connection, change.token.id, version, &name)?)?;
        let renamed = ServiceToken { name: name.clone(), ..change.token.clone() };
        let before = Some(Detail::words(&change.token.name));
        write_entry(change.connection, change.at, Action::TokenRenamed, &renamed, before, change.now, &source)
    })
    .await
}

/// Changes the inactivity expiry of a token, which counts from its last use.
///
/// # Errors
/// As [`rename`]; [`Problem::WouldExpire`] if the token would expire at once and this was not confirmed.
pub async fn change_expiry(jeton: &Jeton, at: &Admin, id: &str, form: ExpiryForm, source: Source) -> Result<()> {
    let mut problems = Problems::default();
    let inactivity = problems.choice(Field::Inactivity, period(&form.inactivity));
    let version = problems.choice(Field::Form, form.version.parse().ok());
    let (Some(inactivity), Some(version)) = (inactivity, version) else { return Err(problems.into()) };
    change(jeton, at, id, version, move |change| {
        let life = token::Life { inactivity, ..change.token.key.life };
        if life == change.token.key.life {
            return Ok(());
        }
        if !life.is_active(change.now) && !form.confirmed {
            return Err(Problems::one(Field::Inactivity, Problem::WouldExpire).into());
        }
        is_newest(service_users::set_inactivity(change.connection, change.token.id, version, inactivity)?)?;
        let days = Detail::Days(inactivity.days().into());
        let Change { connection, at, token, now } = change;
        write_entry(connection, at, Action::TokenExpiryChanged, token, Some(days), *now, &source)?;
        expire(connection, at, token, *now, &source)
    })
    .await
}

/// Changes the permissions of a service user.
///
/// # Errors
/// As [`rename`]; [`Problem::NotHeld`] if a permission is added that the caller lacks; one that the service user
/// already holds may stay. Adding permissions requires the password, removing them does not.
pub async fn change_permissions(
    jeton: &Jeton,
    at: &Admin,
    id: &str,
    form: PermissionsForm,
    source: Source,
) -> Result<()> {
    let mut problems = Problems::default();
    let wanted = problems.check(Field::Permissions, chosen(&form.permissions, at.grant().known()));
    let version = problems.choice(Field::Form, form.version.parse().ok());
    let (Some(wanted), Some(version)) = (wanted, version) else { return Err(problems.into()) };
    let before = crate::service_users::find(jeton, at, id).await?.permissions;
    may_give(at.grant(), &wanted.without(&before), Field::Permissions)?;
    if !wanted.without(&before).is_empty() {
        crate::sessions::require_reauthentication(jeton, at.actor(), form.password.clone(), &source).await?;
    }
    change(jeton, at, id, version, move |change| {
        let before = &change.token.permissions;
        if wanted == *before {
            return Ok(());
        }
        let grant = change.at.still(change.connection)?;
        // A permission may have gone since, with its kind.
        let wanted =
            chosen(&form.permissions, grant.known()).map_err(|problem| Problems::one(Field::Permissions, problem))?;
        may_give(&grant, &wanted.without(before), Field::Permissions)?;
        is_newest(service_users::set_permissions(change.connection, change.token.id, version, &wanted)?)?;
        let detail = Detail::permissions(before, &wanted);
        let Change { connection, at, token, now } = change;
        write_entry(connection, at, Action::TokenPermissionsChanged, token, Some(detail), *now, &source)
    })
    .await
}

/// Gives a service user another external id, or none.
///
/// # Errors
/// As [`rename`]; [`Problem::ExternalIdTaken`].
pub async fn change_external_id(
    jeton: &Jeton,
    at: &Admin,
    id: &str,
    form: ExternalIdForm,
    source: Source,
) -> Result<()> {
    let mut problems = Problems::default();
    let wanted = problems.check(Field::ExternalId, text::external_id(&form.external_id));
    let version = problems.choice(Field::Form, form.version.parse().ok());
    let (Some(wanted), Some(version)) = (wanted, version) else { return Err(problems.into()) };
    change(jeton, at, id, version, move |change| {
        if change.token.external_id == wanted {
            return Ok(());
        }
        let Change { connection, at, token, now } = change;
        give_in(connection, at.grant().organization(), Known::ServiceUser(token.id), wanted.as_deref())?;
        let detail = wanted.as_deref().map(Detail::words);
        write_entry(connection, at, Action::TokenExternalIdChanged, token, detail, *now, &source)
    })
    .await
}

/// Runs a change of an active token, of which `version` was shown.
async fn change(
    jeton: &Jeton,
    at: &Admin,
    id: &str,
    version: i64,
    mut work: impl FnMut(&mut Change<'_>) -> Result<()> + Send + 'static,
) -> Result<()> {
    crate::maintenance::flush_usage(jeton).await?;
    let (at, id, now) = (at.clone(), known_form(id)?, jeton.clock.now());
    jeton
        .change_keys(move |connection| {
            let grant = at.begin(connection)?;
            let token = find_in(connection, grant.organization(), &id, now)?;
            if !token.key.life.is_active(now) {
                return Err(at_form(Problem::HasEnded));
            }
            is_newest(token.version == version)?;
            work(&mut Change { connection, at: &at, token: &token, now })?;
            Ok(((), touched(connection, token.key.token)?))
        })
        .await
}

/// A change of a token, inside its transaction.
struct Change<'a> {
    connection: &'a mut AnyConnection,
    at: &'a Admin,
    token: &'a ServiceToken,
    now: Timestamp,
}

fn is_newest(stepped: bool) -> Result<()> {
    if stepped { Ok(()) } else { Err(at_form(Problem::ChangedMeanwhile)) }
}
