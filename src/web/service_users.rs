//! Service users' API tokens, under *Integrations*: the list of them.

mod adding;
mod detail;
mod editing;
mod ending;
mod question;
mod rotation;

pub use adding::{create, new};
pub use detail::show;
pub use editing::{change_expiry, change_permissions, edit_expiry, edit_name, edit_permissions, rename};
pub use ending::{confirm_deletion, confirm_regeneration, confirm_revocation, delete, regenerate, revoke};
pub use rotation::{confirm_end_of_old_key, confirm_rotation, end_old_key, rotate};

use super::{
    App,
    errors::WebError,
    form::Form,
    holder::Holding,
    page::{is_for, page, see},
    revocations::Line,
    routes::path,
    search::{self, Search, Step},
    shell::{Nav, Shell},
    texts::Texts,
    words::{Calendar, Moment},
};
use actix_web::{HttpRequest, HttpResponse, web::Query};
use app::service_users::ServiceTokens;
use askama::Template;
use domain::{
    permission::{ManageIntegrations, Permissions},
    service_user::ServiceToken,
    text,
    token::{KeyFacts, RefusedUses, RevokedBy, SERVICE_LIMIT, TokenState},
};
use serde::Deserialize;
use std::cmp::Reverse;

/// Whoever manages the integrations of an organization.
type Admin = Holding<ManageIntegrations>;

/// How many permissions are named where there is room for a few words; more are counted.
const NAMED: u32 = 3;

/// The list.
#[derive(Template)]
#[template(path = "service_users/list.html")]
struct ListPage {
    shell: Shell,
    organization: String,
    slug: String,
    done: Option<String>,
    /// Since when the token is refused that was revoked just now.
    refused: Option<Line>,
    /// Where the filter is sent.
    search: String,
    /// What is said of an API key that was looked for and found nowhere.
    key_notice: Option<&'static str>,
    filter: Filter,
    states: Vec<(&'static str, &'static str)>,
    sorts: Vec<(&'static str, &'static str)>,
    /// Whether there is no token at all, so that the page explains what one is.
    is_first: bool,
    results: Results,
}

/// The rows alone, for htmx.
#[derive(Template)]
#[template(path = "service_users/_results.html")]
struct ResultsPart {
    results: Results,
}

/// What the filter leaves.
struct Results {
    t: Texts,
    slug: String,
    active: Vec<Row>,
    ended: Vec<Row>,
    is_filtered: bool,
    used_of: String,
    in_all: usize,
    limit: usize,
}

/// A token as the list shows it.
struct Row {
    id: String,
    href: String,
    name: String,
    permissions: String,
    made: Moment,
    used: Option<Moment>,
    /// When it ends or ended.
    end: Moment,
    /// The state in words, and its key.
    state: (String, &'static str),
    has_two_keys: bool,
    /// That it is still called though it is refused.
    alarm: Option<String>,
    is_active: bool,
    revocation: String,
    regeneration: String,
    deletion: String,
}

/// Which tokens are shown, and in which order.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    search: String,
    state: String,
    sort: String,
}

impl Filter {
    fn search(&self) -> Search<'_, 3> {
        let fields = [("search", &*self.search), ("state", &self.state), ("sort", &self.sort)];
        Search { fields, page: path::service_tokens_with, part: "#results" }
    }

    fn is_on(&self) -> bool {
        !self.search.trim().is_empty() || !self.state.is_empty()
    }

    fn takes(&self, token: &ServiceToken, state: &str) -> bool {
        let words = text::words(&self.search);
        let is_found = text::has_words(&token.name, &words) || text::has_words(&token.public_id, &words);
        is_found && (self.state.is_empty() || self.state == state)
    }

    fn sort(&self, tokens: &mut [ServiceToken]) {
        match self.sort.as_str() {
            "used" => tokens.sort_by_key(|token| Reverse(token.key.life.last_used_at)),
            "expiry" => tokens.sort_by_key(|token| token.key.life.expires_at()),
            "made" => tokens.sort_by_key(|token| Reverse((token.made_at, token.id.0))),
            _ => tokens.sort_by_key(|token| (text::searchable(&token.name), token.id.0)),
        }
    }
}

/// What has just been done.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    revoked: Option<String>,
    ended: Option<String>,
    deleted: Option<String>,
    unknown_key: Option<String>,
}

/// `GET /orgs/{slug}/integrations`: the first tab.
pub async fn first_tab(at: Admin) -> HttpResponse {
    see(&path::service_tokens(at.slug()))
}

/// `GET /orgs/{slug}/integrations/tokens`, or to htmx the rows alone.
///
/// # Errors
/// When the database fails.
pub async fn list(
    app: App,
    at: Admin,
    Query(filter): Query<Filter>,
    done: Query<Done>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    if let Some(elsewhere) = filter.search().for_key(&app, &at, &request).await? {
        return Ok(elsewhere);
    }
    let tokens = app::service_users::list(&app, &at.who).await?;
    let t = at.shell(Nav::Integrations).t;
    let key_notice = done.unknown_key.as_ref().map(|_| t.search_unknown_key());
    let (is_first, revoked) = (tokens.active.is_empty() && tokens.ended.is_empty(), done.revoked.clone());
    let done = said(t, &tokens, &done);
    let results = results(&app, &at, &filter, tokens);
    if is_for(&request, "#results") {
        return page(&ResultsPart { results });
    }
    let refused = match revoked.filter(|_| done.is_some()) {
        Some(id) => Line::within(&app, &at, &id).await?,
        None => None,
    };
    page(&ListPage {
        refused,
        organization: at.who.membership().organization_name.clone(),
        slug: at.slug().to_owned(),
        states: vec![
            ("", t.service_all_states()),
            ("active", t.tokens_state_active()),
            ("revoked", t.tokens_state_revoked()),
            ("expired", t.tokens_state_expired()),
        ],
        sorts: vec![
            ("", t.service_sort_name()),
            ("used", t.service_sort_used()),
            ("expiry", t.service_sort_expiry()),
            ("made", t.service_sort_made()),
        ],
        shell: at.shell(Nav::Integrations),
        search: path::service_tokens_search(at.slug()),
        key_notice,
        done,
        filter,
        is_first,
        results,
    })
}

/// `POST /orgs/{slug}/integrations/tokens/search`
///
/// # Errors
/// When the database fails.
pub async fn search(
    app: App,
    at: Admin,
    Form(filter): Form<Filter>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    if let Some(elsewhere) = filter.search().leads(&app, &at, &request).await? {
        return Ok(elsewhere);
    }
    let address = filter.search().address(at.slug());
    let part = list(app, at, Query(filter), Query(Done::default()), request).await?;
    Ok(search::part_at(part, &Step::Replace, &address))
}

fn calendar(app: &App, at: &Admin) -> Calendar {
    let zone = &at.who.actor().user().time_zone;
    Calendar::new(at.shell(Nav::Integrations).t, zone, app.clock().now())
}

/// The sentence about what has just been done.
fn said(t: Texts, tokens: &ServiceTokens, done: &Done) -> Option<String> {
    let name = |id: &Option<String>| {
        tokens.ended.iter().find(|token| Some(&token.public_id) == id.as_ref()).map(|token| &token.name)
    };
    match (name(&done.revoked), name(&done.ended), &done.deleted) {
        (Some(name), _, _) => Some(t.tokens_revoked_notice(name)),
        (_, Some(name), _) => Some(t.tokens_ended_notice(name)),
        (_, _, Some(_)) => Some(t.service_deleted_notice().into()),
        _ => None,
    }
}

fn results(app: &App, at: &Admin, filter: &Filter, tokens: ServiceTokens) -> Results {
    let (t, calendar, in_all) = (at.shell(Nav::Integrations).t, calendar(app, at), tokens.active.len());
    let rows = |mut tokens: Vec<ServiceToken>| -> Vec<Row> {
        tokens.retain(|token| filter.takes(token, state_key(token.key.life.state(calendar.now()))));
        filter.sort(&mut tokens);
        tokens.iter().map(|token| row(t, calendar, at.slug(), token)).collect()
    };
    Results {
        t,
        slug: at.slug().to_owned(),
        active: rows(tokens.active),
        ended: rows(tokens.ended),
        is_filtered: filter.is_on(),
        used_of: t.tokens_used_of(in_all, SERVICE_LIMIT),
        in_all,
        limit: usize::from(SERVICE_LIMIT.unsigned_abs()),
    }
}

const fn state_key(state: TokenState) -> &'static str {
    match state {
        TokenState::Active { .. } => "active",
        TokenState::Expired { .. } => "expired",
        TokenState::Revoked { .. } => "revoked",
    }
}

fn row(t: Texts, calendar: Calendar, slug: &str, token: &ServiceToken) -> Row {
    let part = |part| path::service_token_part(slug, &token.public_id, part);
    let state = token.key.life.state(calendar.now());
    Row {
        id: token.public_id.clone(),
        href: path::service_token(slug, &token.public_id),
        name: token.name.clone(),
        permissions: permissions_in_words(t, token.permissions),
        made: calendar.on_day(token.made_at, |when| t.service_made_by(&token.made_by, when)),
        used: token.key.last_use.as_ref().map(|used| calendar.moment(used.at, |when| t.use_in_a_line(used, &when))),
        end: end(t, calendar, &token.key),
        state: t.state(state, calendar.now()),
        has_two_keys: token.old_key.is_some(),
        alarm: alarm(t, calendar, token),
        is_active: matches!(state, TokenState::Active { .. }),
        revocation: part("revocation"),
        regeneration: part("regeneration"),
        deletion: part("deletion"),
    }
}

/// Permissions in a few words: all, a few by their names, or how many.
fn permissions_in_words(t: Texts, permissions: Permissions) -> String {
    let all = Permissions::all().count();
    match permissions.count() {
        count if count == all => t.service_all_permissions().into(),
        ..=NAMED => t.permission_names(permissions),
        count => t.service_permissions_of(count, all),
    }
}

/// When a token expires if it is not used, or when and how it ended.
fn end(t: Texts, calendar: Calendar, key: &KeyFacts) -> Moment {
    match key.life.state(calendar.now()) {
        TokenState::Active { expires_at } => calendar.on_day(expires_at, |when| t.tokens_expires(when)),
        TokenState::Expired { at } => calendar.on_day(at, |when| t.tokens_expired(when)),
        TokenState::Revoked { at } => calendar
            .moment(at, |when| format!("{} {}", t.tokens_revoked(when), revoked_by(t, key)).trim_end().to_owned()),
    }
}

fn revoked_by(t: Texts, key: &KeyFacts) -> String {
    match (&key.revoked_by_name, key.revoked_by) {
        (Some(name), _) => t.service_revoked_by(name),
        (None, Some(RevokedBy::Leak)) => t.revoked_by_leak(key.revocation_reason.as_deref()),
        (None, Some(RevokedBy::Key)) => t.tokens_revoked_by_key().into(),
        (None, Some(RevokedBy::Operator)) => t.tokens_revoked_by_operator().into(),
        _ => String::new(),
    }
}

/// That somebody goes on calling with a key that is refused, said loudly.
fn alarm(t: Texts, calendar: Calendar, token: &ServiceToken) -> Option<String> {
    let last = |refused: &RefusedUses| t.from_and_with(&refused.last, calendar.when(refused.last.at));
    let is_active = token.key.life.is_active(calendar.now());
    let current = token.key.refused.as_ref().filter(|_| !is_active);
    let replaced = token.replaced_key.as_ref().and_then(|key| key.refused.as_ref());
    current
        .map(|refused| t.service_refused(refused.count, last(refused)))
        .or_else(|| replaced.map(|refused| t.service_replaced_refused(refused.count, last(refused))))
}
