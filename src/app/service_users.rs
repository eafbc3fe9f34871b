//! Service users' API tokens: created, changed, renewed and ended by holders of *Platform management: Integrations*.
//!
//! Every change first locks the organization's row, so that only one transaction at a time checks limits and states.
//! Every verb checks again inside its transaction what the caller may do.

mod changing;
mod ending;
mod making;
mod renewing;

pub use changing::{ExpiryForm, ExternalIdForm, NameForm, PermissionsForm};
pub use changing::{change_expiry, change_external_id, change_permissions, rename};
pub use ending::{delete, revoke};
pub use making::ServiceTokenForm;
pub use making::create;
pub(crate) use renewing::end_quiet_keys;
pub use renewing::{LONGEST_OVERLAP, RegenerateForm, RotateForm};
pub use renewing::{end_old_key, regenerate, rotate};

use super::{
    AppError, Jeton, Result,
    authority::Holder,
    inventory::{self, InventoryForm},
    problem::{Field, Problem, Problems},
    random,
    tokens::known_form,
    verify::Shared,
};
use domain::{
    activity::{Action, Detail, Source},
    organization::OrganizationId,
    paging::PageFrom,
    permission::ManageIntegrations,
    service_user::ServiceToken,
    time::Timestamp,
    token::{
        ApiKey, InactivityExpiry, KeyDigest, SERVICE_LIMIT, TokenKind,
        listing::{Order, Place, Sort},
    },
};
use std::iter;
use storage::{
    AnyConnection, activity,
    tokens::{self, service_users},
};

type Admin = Holder<ManageIntegrations>;

/// The tokens of an organization's service users.
#[derive(Clone, Debug)]
pub struct ServiceTokens {
    /// The active tokens, newest first.
    pub active: Vec<ServiceToken>,
    /// The tokens that have ended, newest first.
    pub ended: Vec<ServiceToken>,
}

/// The filters of the list; an empty one matches everything.
#[derive(Clone, Debug, Default)]
pub struct ServiceTokensForm {
    /// Words of a name, or a public id.
    pub search: String,
    /// A state: `active`, `revoked` or `expired`.
    pub state: String,
    /// The sort order, if one was chosen.
    pub sort: Option<Sort>,
}

impl ServiceTokensForm {
    /// Returns the sort order: the chosen one, otherwise active tokens first, by name.
    pub fn sort(&self) -> Sort {
        self.sort.unwrap_or(Sort::ascending(Order::State))
    }
}

/// A page of the tokens of an organization's service users.
#[derive(Clone, Debug, Default)]
pub struct ServiceTokensPage {
    /// Its tokens.
    pub tokens: Vec<ServiceToken>,
    /// The start of the page, if there is a previous page.
    pub previous: Option<Place>,
    /// The end of the page, if there is a next page.
    pub next: Option<Place>,
}

/// A token with its new key, which is available only now.
#[derive(Debug)]
pub struct NewKey {
    /// The token.
    pub token: ServiceToken,
    /// Its new key.
    pub key: ApiKey,
}

/// Lists the tokens of the organization's service users.
pub async fn list(jeton: &Jeton, at: &Admin) -> Result<ServiceTokens> {
    let (organization, now) = (at.grant().organization(), jeton.clock.now());
    let mut all = jeton.read(move |connection| Ok(service_users::list(connection, organization, now)?)).await?;
    all.iter_mut().for_each(|token| overlay(&jeton.verifier, token));
    let (active, ended) = all.into_iter().partition(|token| token.key.life.is_active(now));
    Ok(ServiceTokens { active, ended })
}

/// Returns a page of the tokens of the organization's service users.
///
/// # Errors
/// [`AppError::Invalid`] with invalid filters.
pub async fn page(
    jeton: &Jeton,
    at: &Admin,
    form: ServiceTokensForm,
    from: PageFrom<Place>,
) -> Result<ServiceTokensPage> {
    let (organization, now, verifier) = (at.grant().organization(), jeton.clock.now(), jeton.verifier.clone());
    let sort = form.sort();
    let kind = TokenKind::Service.key().to_owned();
    let form = InventoryForm { search: form.search, state: form.state, kind, ..InventoryForm::default() };
    jeton
        .read(move |connection| {
            let filter = inventory::filter(connection, organization, &form, now)?;
            let page = inventory::page_in(connection, organization, &filter, sort, from, now)?;
            let ids = page.tokens.into_iter().map(|token| token.public_id).collect();
            let mut tokens = service_users::these(connection, organization, ids, now)?;
            tokens.iter_mut().for_each(|token| overlay(&verifier, token));
            Ok(ServiceTokensPage { tokens, previous: page.previous, next: page.next })
        })
        .await
}

/// Returns how many of the tokens are active.
pub async fn count_active(jeton: &Jeton, at: &Admin) -> Result<usize> {
    let (organization, now) = (at.grant().organization(), jeton.clock.now());
    jeton.read(move |connection| Ok(service_users::count_active(connection, organization, now)?)).await
}

/// Returns the token with this public id.
///
/// # Errors
/// [`AppError::NotFound`] if it does not exist or belongs to another organization.
pub async fn find(jeton: &Jeton, at: &Admin, public_id: &str) -> Result<ServiceToken> {
    let (organization, public_id) = (at.grant().organization(), known_form(public_id)?);
    let now = jeton.clock.now();
    let mut token = jeton.read(move |connection| find_in(connection, organization, &public_id, now)).await?;
    overlay(&jeton.verifier, &mut token);
    Ok(token)
}

fn mint(jeton: &Jeton) -> (ApiKey, KeyDigest) {
    let key = ApiKey::mint(TokenKind::Service, random::fill);
    let digest = jeton.pepper.digest(key.reveal());
    (key, digest)
}

fn at_form(problem: Problem) -> AppError {
    Problems::one(Field::Form, problem).into()
}

fn period(typed: &str) -> Option<InactivityExpiry> {
    typed.parse().ok().and_then(InactivityExpiry::from_days)
}

fn find_in(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    public_id: &str,
    now: Timestamp,
) -> Result<ServiceToken> {
    service_users::find(connection, organization, public_id, now)?.ok_or(AppError::NotFound)
}

fn overlay(verifier: &Shared, token: &mut ServiceToken) {
    for key in iter::once(&mut token.key).chain(&mut token.old_key) {
        crate::tokens::overlay(verifier, key);
    }
}

fn write_entry(
    connection: &mut AnyConnection,
    at: &Admin,
    action: Action,
    token: &ServiceToken,
    detail: Option<Detail>,
    now: Timestamp,
    source: &Source,
) -> Result<()> {
    let entry = at.entry(action, now, source);
    let token = Some((token.public_id.as_str(), token.name.as_str()));
    Ok(activity::insert(connection, &activity::Entry { token, detail, ..entry })?)
}

/// Records that a token has expired, if it has.
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

/// Ends the organization's expired tokens, which frees their slots.
fn expire_all(connection: &mut AnyConnection, at: &Admin, now: Timestamp, source: &Source) -> Result<()> {
    for token in service_users::list(connection, at.grant().organization(), now)? {
        if !token.key.life.is_active(now) {
            expire(connection, at, &token, now, source)?;
        }
    }
    Ok(())
}

/// Returns the lowest free slot for an active token of the organization's service users. The organization's row is
/// locked, so that nobody can take the slot between counting and taking it (L1, L2).
fn free_slot(connection: &mut AnyConnection, at: &Admin, nonce: &str) -> Result<i16> {
    let organization = at.grant().organization();
    if service_users::was_sent(connection, organization, nonce)? {
        return Err(at_form(Problem::SentBefore));
    }
    let taken = service_users::slots(connection, organization)?;
    let free = (1..=SERVICE_LIMIT).find(|slot| !taken.contains(slot));
    free.ok_or_else(|| at_form(Problem::ServiceLimitReached))
}
