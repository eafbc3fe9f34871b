//! Service users' API tokens: made, changed, rotated and ended by those who hold *Platform management: Integrations*.
//!
//! Whatever changes one of them first locks the organization's row, so that limits are counted and states looked at by one
//! at a time; every verb looks again at what whoever asks may do at that moment.

use super::{
    AppError, Jeton, Result,
    organizations::Holder,
    permission_sets::{chosen, may_give},
    problem::{Field, Problem, Problems},
    random,
    tokens::{checked_nonce, known_form},
    verify::Shared,
};
use crate::{
    domain::{
        activity::{Action, Source},
        organization::OrganizationId,
        permission::{ManageIntegrations, OrgGrant},
        text,
        time::Timestamp,
        token::{self, ApiKey, InactivityExpiry, KeyDigest, SERVICE_LIMIT, TokenKind},
    },
    storage::{
        AnyConnection, activity, organizations,
        tokens::{
            self, KeyFacts, Revocation, RevokedBy,
            service_users::{self, NewKey as KeyRow, NewServiceUser, ServiceToken},
        },
    },
};

const HOUR: i64 = 3600;
/// Most hours that an old key goes on working beside a new one: seven days.
pub const LONGEST_OVERLAP: i64 = 7 * 24;

type Admin = Holder<ManageIntegrations>;

/// The tokens of an organization's service users.
#[derive(Clone, Debug)]
pub struct ServiceTokens {
    /// Those that work, newest first.
    pub active: Vec<ServiceToken>,
    /// Those that have ended, newest first.
    pub ended: Vec<ServiceToken>,
}

/// A token whose key was just made: the only moment at which there is one to show.
#[derive(Debug)]
pub struct NewKey {
    /// The token.
    pub token: ServiceToken,
    /// Its new key.
    pub key: ApiKey,
}

/// What the form for a new token asks for, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct ServiceTokenForm {
    /// The service user's name.
    pub name: String,
    /// A number of days.
    pub inactivity: String,
    /// Permission keys.
    pub permissions: Vec<String>,
    /// The password, if it was asked for.
    pub password: Option<String>,
    /// What tells this form from every other, so that sending it twice makes one token (L4).
    pub nonce: String,
}

/// Another name, as it was typed, for the version that was shown.
#[derive(Clone, Debug, Default)]
pub struct NameForm {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
}

/// Another inactivity expiry, as it was chosen, for the version that was shown.
#[derive(Clone, Debug, Default)]
pub struct ExpiryForm {
    /// A number of days.
    pub inactivity: String,
    /// The version.
    pub version: String,
    /// Whether it may expire the token at once.
    pub confirmed: bool,
}

/// Other permissions, as they were chosen, for the version that was shown.
#[derive(Clone, Debug, Default)]
pub struct PermissionsForm {
    /// Permission keys.
    pub permissions: Vec<String>,
    /// The version.
    pub version: String,
    /// The password, if it was asked for.
    pub password: Option<String>,
}

/// A new key for a token that has ended.
#[derive(Clone, Debug, Default)]
pub struct RegenerateForm {
    /// The password, if it was asked for.
    pub password: Option<String>,
    /// As [`ServiceTokenForm::nonce`].
    pub nonce: String,
}

/// A new key for a token that works, beside the old one.
#[derive(Clone, Debug, Default)]
pub struct RotateForm {
    /// For how many hours the old key goes on working at the most: 1 to [`LONGEST_OVERLAP`].
    pub hours: String,
    /// After how many hours without a use it ends before that, once the new key is in use; empty for not at all.
    pub quiet: String,
    /// The password, if it was asked for.
    pub password: Option<String>,
    /// As [`ServiceTokenForm::nonce`].
    pub nonce: String,
}

impl Jeton {
    /// The tokens of the organization's service users.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn service_tokens(&self, at: &Admin) -> Result<ServiceTokens> {
        let (organization, now) = (at.grant().organization(), self.clock.now());
        let mut all = self.read(move |connection| Ok(service_users::list(connection, organization, now)?)).await?;
        all.iter_mut().for_each(|token| overlay(&self.verifier, token));
        let (active, ended) = all.into_iter().partition(|token| token.key.life.is_active(now));
        Ok(ServiceTokens { active, ended })
    }

    /// One of them.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if there is none, or it belongs to another organization.
    pub async fn service_token(&self, at: &Admin, public_id: &str) -> Result<ServiceToken> {
        let (organization, public_id) = (at.grant().organization(), known_form(public_id)?);
        let now = self.clock.now();
        let mut token = self.read(move |connection| find(connection, organization, &public_id, now)).await?;
        overlay(&self.verifier, &mut token);
        Ok(token)
    }

    /// Makes a service user with its token.
    ///
    /// # Errors
    /// [`AppError::Invalid`] with what is wrong: a field, a permission that the maker lacks, a missing password, the limit
    /// of active tokens, or a form that was sent before.
    pub async fn create_service_token(&self, at: &Admin, form: ServiceTokenForm, source: Source) -> Result<NewKey> {
        let mut problems = Problems::default();
        let name = problems.check(Field::Name, text::line(&form.name));
        let inactivity = problems.choice(Field::Inactivity, period(&form.inactivity));
        let wanted = problems.check(Field::Permissions, chosen(&form.permissions));
        let nonce = problems.choice(Field::Form, checked_nonce(form.nonce));
        let (Some(name), Some(inactivity), Some(permissions), Some(nonce)) = (name, inactivity, wanted, nonce) else {
            return Err(problems.into());
        };
        may_give(at.grant(), permissions, Field::Permissions)?;
        self.need_proof(at.actor(), form.password, &source).await?;
        // Places of expired tokens are given free below: none that was used a moment ago may be among them.
        self.flush_usage().await?;

        let (key, digest) = self.mint();
        let (at, now, public_id) = (at.clone(), self.clock.now(), token::public_id(random::fill));
        let token = self
            .write(move |connection| {
                let grant = begin(connection, &at)?;
                may_give(&grant, permissions, Field::Permissions)?;
                let slot = free_slot(connection, &at, &nonce, now, &source)?;
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
                let token = find(connection, grant.organization(), &public_id, now)?;
                write_entry(connection, &at, Action::TokenCreated, &token, None, now, &source)?;
                Ok(token)
            })
            .await?;
        Ok(NewKey { token, key })
    }

    /// Gives a service user another name.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`] with what is wrong with the name, or at [`Field::Form`] that the token
    /// has ended or was changed meanwhile.
    pub async fn rename_service_token(&self, at: &Admin, id: &str, form: NameForm, source: Source) -> Result<()> {
        let mut problems = Problems::default();
        let name = problems.check(Field::Name, text::line(&form.name));
        let version = problems.choice(Field::Form, form.version.parse().ok());
        let (Some(name), Some(version)) = (name, version) else { return Err(problems.into()) };
        self.change(at, id, version, move |change| {
            if change.token.name == name {
                return Ok(());
            }
            is_newest(service_users::rename(change.connection, change.token.id, version, &name)?)?;
            let renamed = ServiceToken { name: name.clone(), ..change.token.clone() };
            let before = Some(change.token.name.as_str());
            write_entry(change.connection, change.at, Action::TokenRenamed, &renamed, before, change.now, &source)
        })
        .await
    }

    /// Changes after how long without use a token expires, counted from its last use.
    ///
    /// # Errors
    /// As [`Jeton::rename_service_token`]; [`Problem::WouldExpire`] when that would expire it at once and this was not
    /// confirmed.
    pub async fn change_service_token_expiry(
        &self,
        at: &Admin,
        id: &str,
        form: ExpiryForm,
        source: Source,
    ) -> Result<()> {
        let mut problems = Problems::default();
        let inactivity = problems.choice(Field::Inactivity, period(&form.inactivity));
        let version = problems.choice(Field::Form, form.version.parse().ok());
        let (Some(inactivity), Some(version)) = (inactivity, version) else { return Err(problems.into()) };
        self.change(at, id, version, move |change| {
            let life = token::Life { inactivity, ..change.token.key.life };
            if life == change.token.key.life {
                return Ok(());
            }
            if !life.is_active(change.now) && !form.confirmed {
                return Err(Problems::one(Field::Inactivity, Problem::WouldExpire).into());
            }
            is_newest(service_users::set_inactivity(change.connection, change.token.id, version, inactivity)?)?;
            let days = inactivity.days().to_string();
            let Change { connection, at, token, now } = change;
            write_entry(connection, at, Action::TokenExpiryChanged, token, Some(&days), *now, &source)?;
            expire(connection, at, token, *now, &source)
        })
        .await
    }

    /// Changes what a service user may do.
    ///
    /// # Errors
    /// As [`Jeton::rename_service_token`]; [`Problem::NotHeld`] when a permission is added that the editor lacks; one that
    /// the service user holds already may stay. Adding asks for the password, taking away does not.
    pub async fn change_service_token_permissions(
        &self,
        at: &Admin,
        id: &str,
        form: PermissionsForm,
        source: Source,
    ) -> Result<()> {
        let mut problems = Problems::default();
        let wanted = problems.check(Field::Permissions, chosen(&form.permissions));
        let version = problems.choice(Field::Form, form.version.parse().ok());
        let (Some(wanted), Some(version)) = (wanted, version) else { return Err(problems.into()) };
        let before = self.service_token(at, id).await?.permissions;
        may_give(at.grant(), wanted.without(before), Field::Permissions)?;
        if !wanted.without(before).is_empty() {
            self.need_proof(at.actor(), form.password, &source).await?;
        }
        self.change(at, id, version, move |change| {
            let before = change.token.permissions;
            if wanted == before {
                return Ok(());
            }
            may_give(&change.at.still(change.connection)?, wanted.without(before), Field::Permissions)?;
            is_newest(service_users::set_permissions(change.connection, change.token.id, version, wanted)?)?;
            let detail = wanted.difference(before);
            let Change { connection, at, token, now } = change;
            write_entry(connection, at, Action::TokenPermissionsChanged, token, Some(&detail), *now, &source)
        })
        .await
    }

    /// Runs a change of a token that works, of which `version` was shown.
    async fn change(
        &self,
        at: &Admin,
        id: &str,
        version: i64,
        mut work: impl FnMut(&mut Change<'_>) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        self.flush_usage().await?;
        let (at, id, now) = (at.clone(), known_form(id)?, self.clock.now());
        self.change_authority(move |connection| {
            let grant = begin(connection, &at)?;
            let token = find(connection, grant.organization(), &id, now)?;
            if !token.key.life.is_active(now) {
                return Err(at_form(Problem::HasEnded));
            }
            is_newest(token.version == version)?;
            work(&mut Change { connection, at: &at, token: &token, now })
        })
        .await
    }

    /// Revokes a token: all its keys stop at once. When this returns, no node accepts one any more. Returns false if it had
    /// ended before.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn revoke_service_token(&self, at: &Admin, id: &str, source: Source) -> Result<bool> {
        let (at, id, now) = (at.clone(), known_form(id)?, self.clock.now());
        self.change_authority(move |connection| {
            let grant = begin(connection, &at)?;
            let token = find(connection, grant.organization(), &id, now)?;
            let name = Some(at.actor().user().name.as_str());
            let revocation = Revocation { by: RevokedBy::Administrator, name, reason: None };
            let revoked = token.key.life.is_active(now)
                && service_users::revoke(connection, token.id, token.key.token, revocation, now)?;
            if revoked {
                write_entry(connection, &at, Action::TokenRevoked, &token, None, now, &source)?;
            }
            Ok(revoked)
        })
        .await
    }

    /// Gives a token that has ended a new key; the old one stays dead for ever. Takes a place again.
    ///
    /// # Errors
    /// As [`Jeton::create_service_token`]; [`Problem::StillActive`] for a token that works.
    pub async fn regenerate_service_token(
        &self,
        at: &Admin,
        id: &str,
        form: RegenerateForm,
        source: Source,
    ) -> Result<NewKey> {
        let nonce = checked_nonce(form.nonce).ok_or_else(|| at_form(Problem::NotAChoice))?;
        self.prove_to_renew(at, id, form.password, &source).await?;
        let (key, digest) = self.mint();
        let (at, id, now) = (at.clone(), known_form(id)?, self.clock.now());
        let token = self
            .change_authority(move |connection| {
                let (grant, token) = begin_renewal(connection, &at, &id, &nonce, now)?;
                if token.key.life.is_active(now) {
                    return Err(at_form(Problem::StillActive));
                }
                expire(connection, &at, &token, now, &source)?;
                let slot = free_slot(connection, &at, &nonce, now, &source)?;
                add_key(connection, &grant, &token, digest, &nonce, slot, now)?;
                write_entry(connection, &at, Action::TokenRegenerated, &token, None, now, &source)?;
                find(connection, grant.organization(), &id, now)
            })
            .await?;
        Ok(NewKey { token, key })
    }

    /// Gives a token that works a new key, while the old one goes on working for a while: both count as one.
    ///
    /// # Errors
    /// As [`Jeton::create_service_token`]; [`Problem::HasEnded`] for a token that does not work, [`Problem::OverlapRunning`]
    /// while an older key still works.
    pub async fn rotate_service_token(&self, at: &Admin, id: &str, form: RotateForm, source: Source) -> Result<NewKey> {
        let mut problems = Problems::default();
        let hours = problems.choice(Field::Hours, hours(&form.hours));
        let quiet = match form.quiet.as_str() {
            "" => Some(None),
            typed => problems.choice(Field::Quiet, self::hours(typed)).map(Some),
        };
        let nonce = problems.choice(Field::Form, checked_nonce(form.nonce));
        let (Some(hours), Some(quiet), Some(nonce)) = (hours, quiet, nonce) else { return Err(problems.into()) };
        self.prove_to_renew(at, id, form.password, &source).await?;
        let (key, digest) = self.mint();
        let (at, id, now) = (at.clone(), known_form(id)?, self.clock.now());
        let token = self
            .change_authority(move |connection| {
                let (grant, token) = begin_renewal(connection, &at, &id, &nonce, now)?;
                if !token.key.life.is_active(now) {
                    return Err(at_form(Problem::HasEnded));
                }
                if token.old_key.is_some() {
                    return Err(at_form(Problem::OverlapRunning));
                }
                let slot = service_users::slot(connection, token.key.token)?;
                let slot = slot.ok_or_else(|| AppError::Broken("an active token has no place".into()))?;
                let ends_at = now.plus(hours * HOUR);
                let quiet_seconds = quiet.map(|hours| hours * HOUR);
                service_users::let_run_out(connection, token.key.token, ends_at, quiet_seconds)?;
                add_key(connection, &grant, &token, digest, &nonce, slot, now)?;
                let until = ends_at.rfc3339();
                write_entry(connection, &at, Action::TokenRotated, &token, Some(&until), now, &source)?;
                find(connection, grant.organization(), &id, now)
            })
            .await?;
        Ok(NewKey { token, key })
    }

    /// Ends the old key of a token whose new one goes on. Returns false if there is none that works.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn end_old_key(&self, at: &Admin, id: &str, source: Source) -> Result<bool> {
        let (at, id, now) = (at.clone(), known_form(id)?, self.clock.now());
        self.change_authority(move |connection| {
            let grant = begin(connection, &at)?;
            let token = find(connection, grant.organization(), &id, now)?;
            let Some(old) = &token.old_key else { return Ok(false) };
            let ended = service_users::end_old_key(connection, old.token, now)?;
            if ended {
                write_entry(connection, &at, Action::OldKeyEnded, &token, None, now, &source)?;
            }
            Ok(ended)
        })
        .await
    }

    /// Deletes a token that has ended, with its service user. The activity log keeps its name, which this returns.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`Problem::StillActive`] for a token that works.
    pub async fn delete_service_token(&self, at: &Admin, id: &str, source: Source) -> Result<String> {
        let (at, id) = (at.clone(), known_form(id)?);
        // Refused uses that are still in memory are counted before the rows go.
        self.flush_usage().await?;
        let now = self.clock.now();
        self.change_authority(move |connection| {
            let grant = begin(connection, &at)?;
            let token = find(connection, grant.organization(), &id, now)?;
            if token.key.life.is_active(now) {
                return Err(at_form(Problem::StillActive));
            }
            expire(connection, &at, &token, now, &source)?;
            service_users::delete(connection, token.id)?;
            write_entry(connection, &at, Action::TokenDeleted, &token, None, now, &source)?;
            Ok(token.name)
        })
        .await
    }

    /// What has to be proven before a token gets a new key: whoever asks holds all that it may do, and is who they are.
    async fn prove_to_renew(&self, at: &Admin, id: &str, password: Option<String>, source: &Source) -> Result<()> {
        let token = self.service_token(at, id).await?;
        may_give(at.grant(), token.permissions, Field::Form)?;
        self.need_proof(at.actor(), password, source).await?;
        self.flush_usage().await
    }

    fn mint(&self) -> (ApiKey, KeyDigest) {
        let key = ApiKey::mint(TokenKind::Service, random::fill);
        let digest = self.pepper.digest(key.reveal());
        (key, digest)
    }

    /// Ends the old keys whose time is over or that have been quiet for long enough, beside a new one that is in use.
    ///
    /// A key whose time is over is refused without this; here it is written down. Quiet is looked at once a minute, and
    /// another node may hold a use of the last minute: an old key ends up to two minutes later than it says.
    pub(super) async fn end_quiet_keys(&self) -> Result<()> {
        let due = move |old: &service_users::RunningOut, now: Timestamp| {
            let quiet_since = old.last_used_at.map_or(old.replaced_at, |used| used.max(old.replaced_at));
            let is_quiet = old.quiet_seconds.is_some_and(|quiet| now.since(quiet_since) >= quiet);
            match () {
                () if now >= old.ends_at => Some(old.ends_at),
                () if is_quiet && old.replacement_is_used => Some(now),
                () => None,
            }
        };
        let now = self.clock.now();
        let any = self.read(|connection| Ok(service_users::running_out(connection)?)).await?;
        if !any.iter().any(|old| due(old, now).is_some()) {
            return Ok(());
        }
        self.change_authority(move |connection| {
            let source = Source::default();
            for old in service_users::running_out(connection)? {
                let Some(at) = due(&old, now) else { continue };
                if service_users::end_old_key(connection, old.key, at)? {
                    let entry = activity::Entry::new(Some(old.organization), Action::OldKeyEnded, now, &source);
                    let token = Some((old.public_id.as_str(), old.name.as_str()));
                    activity::insert(connection, &activity::Entry { token, ..entry })?;
                }
            }
            Ok(())
        })
        .await
    }
}

/// A change of a token, inside its transaction.
struct Change<'a> {
    connection: &'a mut AnyConnection,
    at: &'a Admin,
    token: &'a ServiceToken,
    now: Timestamp,
}

fn at_form(problem: Problem) -> AppError {
    Problems::one(Field::Form, problem).into()
}

fn is_newest(stepped: bool) -> Result<()> {
    if stepped { Ok(()) } else { Err(at_form(Problem::ChangedMeanwhile)) }
}

fn period(typed: &str) -> Option<InactivityExpiry> {
    typed.parse().ok().and_then(InactivityExpiry::from_days)
}

fn hours(typed: &str) -> Option<i64> {
    typed.parse().ok().filter(|hours| (1..=LONGEST_OVERLAP).contains(hours))
}

/// Lets nobody else change tokens of the organization until this transaction ends, and looks again at what `at` may do.
fn begin(connection: &mut AnyConnection, at: &Admin) -> Result<OrgGrant<ManageIntegrations>> {
    organizations::lock(connection, at.grant().organization())?;
    at.still(connection)
}

/// As [`begin`], for a new key of the token with this id.
fn begin_renewal(
    connection: &mut AnyConnection,
    at: &Admin,
    id: &str,
    nonce: &str,
    now: Timestamp,
) -> Result<(OrgGrant<ManageIntegrations>, ServiceToken)> {
    let grant = begin(connection, at)?;
    if service_users::was_sent(connection, grant.organization(), nonce)? {
        return Err(at_form(Problem::SentBefore));
    }
    let token = find(connection, grant.organization(), id, now)?;
    may_give(&grant, token.permissions, Field::Form)?;
    Ok((grant, token))
}

fn find(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    public_id: &str,
    now: Timestamp,
) -> Result<ServiceToken> {
    service_users::find(connection, organization, public_id, now)?.ok_or(AppError::NotFound)
}

fn overlay(verifier: &Shared, token: &mut ServiceToken) {
    for KeyFacts { token, life, last_use, .. } in std::iter::once(&mut token.key).chain(&mut token.old_key) {
        verifier.usage().overlay(*token, life, last_use);
    }
}

fn add_key(
    connection: &mut AnyConnection,
    grant: &OrgGrant<ManageIntegrations>,
    token: &ServiceToken,
    digest: KeyDigest,
    nonce: &str,
    slot: i16,
    now: Timestamp,
) -> Result<()> {
    let new = KeyRow {
        service_user: token.id,
        organization: grant.organization(),
        public_id: &token::public_id(random::fill),
        name: &token.name,
        inactivity: token.key.life.inactivity,
        digest,
        form_nonce: nonce,
        slot,
    };
    service_users::insert_key(connection, &new, now)?;
    Ok(())
}

fn write_entry(
    connection: &mut AnyConnection,
    at: &Admin,
    action: Action,
    token: &ServiceToken,
    detail: Option<&str>,
    now: Timestamp,
    source: &Source,
) -> Result<()> {
    let entry = at.entry(action, now, source);
    let token = Some((token.public_id.as_str(), token.name.as_str()));
    Ok(activity::insert(connection, &activity::Entry { token, detail, ..entry })?)
}

/// Writes down that a token has expired, if it has.
fn expire(
    connection: &mut AnyConnection,
    at: &Admin,
    token: &ServiceToken,
    now: Timestamp,
    source: &Source,
) -> Result<()> {
    if tokens::expire(connection, token.key.token, now)? {
        let named = Some((token.public_id.as_str(), token.name.as_str()));
        let entry = activity::Entry::new(Some(at.grant().organization()), Action::TokenExpired, now, source);
        activity::insert(connection, &activity::Entry { token: named, ..entry })?;
    }
    Ok(())
}

/// The lowest free place among the active tokens of the organization's service users, whose row is locked: counting and
/// taking a place cannot be torn apart (L1, L2). Places of tokens that have expired are given free first.
fn free_slot(connection: &mut AnyConnection, at: &Admin, nonce: &str, now: Timestamp, source: &Source) -> Result<i16> {
    let organization = at.grant().organization();
    if service_users::was_sent(connection, organization, nonce)? {
        return Err(at_form(Problem::SentBefore));
    }
    for token in service_users::list(connection, organization, now)? {
        if !token.key.life.is_active(now) {
            expire(connection, at, &token, now, source)?;
        }
    }
    let taken = service_users::slots(connection, organization)?;
    let free = (1..=SERVICE_LIMIT).find(|slot| !taken.contains(slot));
    free.ok_or_else(|| at_form(Problem::ServiceLimitReached))
}
