//! The inventory: administrators see all tokens of the organization, and can revoke personal ones with a reason.

use super::{
    AppError, Jeton, Result,
    authority::Holder,
    problem::{Field, Problems},
    tokens::{known_form, overlay},
};
use domain::{
    activity::{Action, Detail, Source},
    organization::OrganizationId,
    paging::PageFrom,
    permission::{Authority, BuiltInPermission, ManageIntegrations},
    text,
    time::Timestamp,
    token::{
        self, RevokedBy, TokenId, TokenKind,
        listing::{Listed, Order, Place, Sort},
    },
};
use storage::{
    AnyConnection, activity, people, revocations,
    tokens::{
        self, Revocation,
        inventory::{self, Filter, PageRequest, State},
    },
};

/// The number of tokens on a page.
pub const PAGE: usize = 50;
/// The maximum number of people with the same name whose tokens are listed together.
const NAMESAKES: i64 = 20;

/// The filters of the inventory; an empty one matches everything.
#[derive(Clone, Debug, Default)]
pub struct InventoryForm {
    /// Words of a label or name, or a public id.
    pub search: String,
    /// The key of a kind.
    pub kind: String,
    /// A state: `active`, `revoked` or `expired`.
    pub state: String,
    /// The name or e-mail address of a user.
    pub owner: String,
    /// A number of days without use.
    pub unused: String,
    /// The sort order, if one was chosen.
    pub sort: Option<Sort>,
}

impl InventoryForm {
    /// Returns the sort order: the chosen one, otherwise longest unused first with that filter, or newest first.
    pub fn sort(&self) -> Sort {
        let usual = match self.unused.trim().is_empty() {
            true => Sort::descending(Order::Created),
            false => Sort::ascending(Order::LastUse),
        };
        self.sort.unwrap_or(usual)
    }
}

/// A page of the inventory.
#[derive(Clone, Debug, Default)]
pub struct InventoryPage {
    /// Its tokens.
    pub tokens: Vec<Listed>,
    /// The start of the page, if there is a previous page.
    pub previous: Option<Place>,
    /// The end of the page, if there is a next page.
    pub next: Option<Place>,
    /// The keys on the page whose revocation has a receipt.
    pub receipts: Vec<TokenId>,
}

/// Returns a page of the tokens of the organization.
///
/// # Errors
/// [`AppError::Invalid`] with invalid filters.
pub async fn page(
    jeton: &Jeton,
    at: &Holder<ManageIntegrations>,
    form: InventoryForm,
    from: PageFrom<Place>,
) -> Result<InventoryPage> {
    let (organization, now, verifier) = (at.grant().organization(), jeton.clock.now(), jeton.verifier.clone());
    jeton
        .read(move |connection| {
            let filter = filter(connection, organization, &form, now)?;
            let Page { mut tokens, previous, next } =
                page_in(connection, organization, &filter, form.sort(), from, now)?;
            for token in &mut tokens {
                overlay(&verifier, &mut token.key);
            }
            // Drops tokens whose last use is not yet in the database.
            tokens.retain(|token| filter.idle_since.is_none_or(|since| token.key.life.idle_since() <= since));
            let revoked = tokens.iter().filter(|token| token.key.life.revoked_at.is_some());
            let revoked: Vec<_> = revoked.map(|token| token.key.token).collect();
            let receipts = if revoked.is_empty() { Vec::new() } else { revocations::of_keys(connection, &revoked)? };
            Ok(InventoryPage { tokens, previous, next, receipts })
        })
        .await
}

/// Finds the token of the organization with this key, for callers who may see its tokens or activity log. Returns its
/// public id, and whether it belongs to a service user.
pub async fn find_by_key<A: Authority>(jeton: &Jeton, at: &Holder<A>, key: &str) -> Result<Option<(String, bool)>> {
    let (held, organization) = (at.grant().held(), at.grant().organization());
    let may_see =
        held.contains(BuiltInPermission::PlatformIntegrations) || held.contains(BuiltInPermission::PlatformActivity);
    if !may_see || token::kind_of_key(key).is_err() {
        return Ok(None);
    }
    let digest = jeton.pepper.digest(key);
    let found = jeton.read(move |connection| Ok(tokens::identities(connection, &[digest])?)).await?.pop();
    let found = found.map(|(_, (identity, _))| identity);
    let found = found.filter(|identity| identity.subject.organization.id == organization);
    Ok(found.map(|identity| (identity.token_public_id, identity.kind == TokenKind::Service)))
}

/// Returns a personal token of a member of the organization.
///
/// # Errors
/// [`AppError::NotFound`] if there is none in this organization.
pub async fn token_of_member(jeton: &Jeton, at: &Holder<ManageIntegrations>, public_id: &str) -> Result<Listed> {
    let (organization, public_id) = (at.grant().organization(), known_form(public_id)?);
    let find =
        move |connection: &mut AnyConnection| Ok(inventory::find_personal(connection, organization, &public_id)?);
    let mut token = jeton.read(find).await?.ok_or(AppError::NotFound)?;
    overlay(&jeton.verifier, &mut token.key);
    Ok(token)
}

/// Revokes a member's personal token for a reason that its owner can read. When this returns, no node accepts the token
/// any more. Returns false if it had already ended.
///
/// # Errors
/// [`AppError::NotFound`] if there is none in this organization; [`AppError::Invalid`] without a reason.
pub async fn revoke_token_of_member(
    jeton: &Jeton,
    at: &Holder<ManageIntegrations>,
    public_id: &str,
    reason: &str,
    source: Source,
) -> Result<bool> {
    let public_id = known_form(public_id)?;
    let mut problems = Problems::default();
    let Some(reason) = problems.check(Field::Reason, text::reason(reason)) else { return Err(problems.into()) };
    let (at, now) = (at.clone(), jeton.clock.now());
    jeton
        .end_keys(move |connection| {
            let organization = at.still(connection)?.organization();
            let token = inventory::find_personal(connection, organization, &public_id)?.ok_or(AppError::NotFound)?;
            let name = at.actor().user().name.as_str();
            let revocation = Revocation { by: RevokedBy::Administrator, name: Some(name), reason: Some(&reason) };
            let revoked = tokens::revoke(connection, token.key.token, revocation, now)?;
            if revoked {
                let entry = activity::Entry {
                    target: token.owner.as_ref().map(|owner| owner.id),
                    target_name: token.owner.as_ref().map(|owner| owner.name.as_str()),
                    token: Some((&token.public_id, &token.label)),
                    detail: Some(Detail::words(&reason)),
                    ..at.entry(Action::TokenRevoked, now, &source)
                };
                activity::insert(connection, &entry)?;
            }
            Ok((revoked, tokens::touched(connection, token.key.token)?))
        })
        .await
}

/// A page of a list of tokens.
pub(super) struct Page {
    pub(super) tokens: Vec<Listed>,
    pub(super) previous: Option<Place>,
    pub(super) next: Option<Place>,
}

/// Returns the tokens before or after a position in the order of the list, and where there are more.
pub(super) fn page_in(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    filter: &Filter,
    sort: Sort,
    from: PageFrom<Place>,
    now: Timestamp,
) -> Result<Page> {
    let request = PageRequest { sort, from, limit: i64::try_from(PAGE + 1).unwrap_or(i64::MAX) };
    let mut found = inventory::page(connection, organization, filter, &request, now)?;
    let (has_previous, has_next) = request.from.arrange(&mut found, PAGE);
    let (places, tokens): (Vec<Place>, Vec<Listed>) = found.into_iter().unzip();
    let previous = places.first().filter(|_| has_previous).cloned();
    let next = places.last().filter(|_| has_next).cloned();
    Ok(Page { tokens, previous, next })
}

/// Converts a form to a filter of the storage crate.
pub(super) fn filter(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    form: &InventoryForm,
    now: Timestamp,
) -> Result<Filter> {
    let mut problems = Problems::default();
    let given = |typed: &str| Some(typed.trim().to_owned()).filter(|typed| !typed.is_empty());
    let kind = given(&form.kind).and_then(|kind| problems.choice(Field::Kind, TokenKind::from_key(&kind)));
    let state = given(&form.state).and_then(|state| problems.choice(Field::Form, state_of(&state)));
    let days: Option<i64> = given(&form.unused)
        .and_then(|days| problems.choice(Field::Form, days.parse().ok().filter(|days| (0..=3650).contains(days))));
    let owners = match given(&form.owner) {
        None => None,
        Some(typed) => {
            let found = people::named(connection, organization, &typed, NAMESAKES)?;
            problems.choice(Field::Person, Some(found).filter(|found| !found.is_empty()))
        }
    };
    problems.none()?;
    let idle_since = days.map(|days| inventory::idle_for(days, now));
    Ok(Filter { kind, state, owners, idle_since, search: given(&form.search) })
}

fn state_of(key: &str) -> Option<State> {
    match key {
        "active" => Some(State::Active),
        "revoked" => Some(State::Revoked),
        "expired" => Some(State::Expired),
        _ => None,
    }
}
