//! Service users' API tokens, under *Integrations*: the list of them.

mod adding;
mod confirm;
mod detail;
mod editing;
mod ending;
mod rotation;

pub use adding::{create, new};
pub use detail::show;
pub use editing::{
    change_expiry, change_external_id, change_permissions, edit_expiry, edit_external_id, edit_name, edit_permissions,
    rename,
};
pub use ending::{confirm_deletion, confirm_regeneration, confirm_revocation, delete, regenerate, revoke};
pub use rotation::{confirm_end_of_old_key, confirm_rotation, end_old_key, rotate};

use super::{
    App,
    errors::WebError,
    form::{Form, Refused},
    holder::Holding,
    notice::{Message, Notice},
    page::{is_for, page, see},
    revocations::Line,
    routes::path,
    search::{self, Search, Step},
    shell::{Nav, Shell},
    tables::{self, Controls, End, Used},
    texts::Texts,
    words::{Calendar, Errors, Moment},
};
use actix_web::{HttpRequest, HttpResponse, web::Query};
use app::{
    AppError,
    service_users::{ServiceTokensForm, ServiceTokensPage},
};
use askama::Template;
use domain::{
    permission::{ManageIntegrations, Permissions},
    service_user::ServiceToken,
    token::{KeyFacts, RefusedUses, RevokedBy, SERVICE_LIMIT, TokenState},
};
use serde::Deserialize;

/// A member who manages the integrations of an organization.
type Admin = Holding<ManageIntegrations>;

/// How many permissions are named where there is little room; more are only counted.
const NAMED: usize = 3;

/// The list.
#[derive(Template)]
#[template(path = "service_users/list.html")]
struct ListPage {
    shell: Shell,
    organization: String,
    slug: String,
    message: Option<Message>,
    states: [(&'static str, &'static str); 4],
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

/// The tokens that match the filter.
struct Results {
    t: Texts,
    slug: String,
    /// The address that the filter is sent to.
    search: String,
    /// The same list without filters.
    unfiltered: String,
    filter: Filter,
    errors: Errors,
    rows: Vec<Row>,
    controls: Controls,
    used_of: String,
    active: usize,
    limit: usize,
}

/// A token as the list shows it.
struct Row {
    id: String,
    href: String,
    name: String,
    permissions: String,
    created: Moment,
    created_by: String,
    used: Option<Used>,
    end: End,
    /// Who or what revoked it.
    note: Option<String>,
    /// The name of the state and its key.
    state: (String, &'static str),
    has_two_keys: bool,
    /// The warning that it is still being called although it is refused.
    alarm: Option<String>,
    is_active: bool,
    revocation: String,
    regeneration: String,
    deletion: String,
}

/// Which tokens are shown, in which order, and from which position.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    search: String,
    state: String,
    sort: String,
    before: String,
    after: String,
}

impl Filter {
    fn search(&self) -> Search<'_, 3> {
        let fields = [("search", &*self.search), ("state", &self.state), (tables::SORT, &self.sort)];
        Search { fields, page: path::service_tokens_with, part: "#results" }
    }

    fn is_on(&self) -> bool {
        !self.search.trim().is_empty() || !self.state.is_empty()
    }

    fn form(&self) -> ServiceTokensForm {
        let sort = tables::sort(&self.sort);
        ServiceTokensForm { search: self.search.clone(), state: self.state.clone(), sort }
    }
}

/// `GET /orgs/{slug}/integrations`: the first tab.
pub async fn first_tab(at: Admin) -> HttpResponse {
    see(&path::service_tokens(at.slug()))
}

/// `GET /orgs/{slug}/integrations/tokens`, or to htmx the rows alone.
pub async fn list(
    app: App,
    at: Admin,
    Query(filter): Query<Filter>,
    notice: Option<Notice>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    if let Some(elsewhere) = filter.search().for_key(&app, &at, &request).await? {
        return Ok(elsewhere);
    }
    let from = tables::page_from(&filter.before, &filter.after);
    let (found, refused) = match app::service_users::page(&app, &at.who, filter.form(), from).await {
        Ok(found) => (found, None),
        Err(error) => (ServiceTokensPage::default(), Some(Refused::new(error)?)),
    };
    let shell = at.shell(Nav::Integrations);
    let t = shell.t;
    let errors = refused.as_ref().map(|refused| Errors::new(t, &refused.problems)).unwrap_or_default();
    let results = results(&app, &at, filter, &found, errors).await?;
    if is_for(&request, "#results") {
        let part = ResultsPart { results };
        return refused.map_or_else(|| page(&part), |refused| refused.page(&part));
    }
    let message = message(&app, &at, notice).await?;
    let whole = ListPage {
        message,
        organization: at.who.membership().organization_name.clone(),
        slug: at.slug().to_owned(),
        states: [
            ("", t.service_users_all_states()),
            ("active", t.tokens_state_active()),
            ("revoked", t.tokens_state_revoked()),
            ("expired", t.tokens_state_expired()),
        ],
        is_first: results.rows.is_empty() && !results.filter.is_on() && results.controls.is_whole(),
        shell,
        results,
    };
    refused.map_or_else(|| page(&whole), |refused| refused.page(&whole))
}

/// `POST /orgs/{slug}/integrations/tokens/search`
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
    let part = list(app, at, Query(filter), None, request).await?;
    Ok(search::part_at(part, &Step::Replace, &address))
}

fn calendar(app: &App, at: &Admin) -> Calendar {
    let zone = &at.who.actor().user().time_zone;
    Calendar::new(at.t(), zone, app.clock().now())
}

async fn message(app: &App, at: &Admin, notice: Option<Notice>) -> Result<Option<Message>, WebError> {
    let t = at.t();
    Ok(match notice {
        Some(Notice::Revoked(id)) => match ended(app, at, &id).await? {
            Some(token) => {
                let refused = Line::within(app, at, &id).await?;
                Some(Message { refused, ..Message::done(t.tokens_revoked_notice(token.name)) })
            }
            None => None,
        },
        Some(Notice::HadEnded(id)) => {
            ended(app, at, &id).await?.map(|token| Message::done(t.tokens_ended_notice(token.name)))
        }
        Some(Notice::Deleted) => Some(Message::done(t.service_users_deleted_notice())),
        Some(Notice::UnknownKey) => Some(Message::failed(t.search_unknown_key())),
        _ => None,
    })
}

/// Returns a token that no longer works.
async fn ended(app: &App, at: &Admin, id: &str) -> Result<Option<ServiceToken>, WebError> {
    match app::service_users::find(app, &at.who, id).await {
        Ok(token) => Ok(Some(token).filter(|token| !token.key.life.is_active(app.clock().now()))),
        Err(AppError::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn results(
    app: &App,
    at: &Admin,
    filter: Filter,
    found: &ServiceTokensPage,
    errors: Errors,
) -> Result<Results, WebError> {
    let (t, slug, calendar) = (at.t(), at.slug(), calendar(app, at));
    let active = app::service_users::count_active(app, &at.who).await?;
    let sorts = [filter.form().sort(), ServiceTokensForm::default().sort()];
    let ends = [found.previous.as_ref(), found.next.as_ref()];
    Ok(Results {
        t,
        slug: slug.to_owned(),
        search: path::service_tokens_search(slug),
        unfiltered: path::service_tokens_with(slug, &[(tables::SORT, &filter.sort)]),
        rows: found.tokens.iter().map(|token| row(at, calendar, token)).collect(),
        controls: Controls::new(t, slug, &filter.search(), sorts, ends),
        errors,
        filter,
        used_of: t.tokens_used_of(active, SERVICE_LIMIT),
        active,
        limit: usize::from(SERVICE_LIMIT.unsigned_abs()),
    })
}

fn row(at: &Admin, calendar: Calendar, token: &ServiceToken) -> Row {
    let (t, slug) = (at.t(), at.slug());
    let part = |part| path::service_token_part(slug, &token.public_id, part);
    let state = token.key.life.state(calendar.now());
    Row {
        id: token.public_id.clone(),
        href: path::service_token(slug, &token.public_id),
        name: token.name.clone(),
        permissions: permissions_in_words(at, &token.permissions),
        created: calendar.date(token.created_at),
        created_by: t.tables_by(&token.made_by),
        used: token.key.last_use.as_ref().map(|used| Used::new(t, calendar, used)),
        end: End::new(t, calendar, &token.key),
        note: Some(revoked_by(t, &token.key)).filter(|by| !by.is_empty()).map(|by| t.tokens_revoked(by)),
        state: t.state_in_column(state, calendar.now()),
        has_two_keys: token.old_key.is_some(),
        alarm: alarm(t, calendar, token),
        is_active: matches!(state, TokenState::Active { .. }),
        revocation: part("revocation"),
        regeneration: part("regeneration"),
        deletion: part("deletion"),
    }
}

/// Returns a short text about permissions: all, a few names, or a number.
fn permissions_in_words(at: &Admin, permissions: &Permissions) -> String {
    let (t, all) = (at.t(), Permissions::everything(at.who.grant().known()).count());
    match permissions.count() {
        count if count == all => t.service_users_all_permissions().into(),
        ..=NAMED => t.permission_names(at.kinds(), permissions),
        count => t.service_users_permissions_of(count, all),
    }
}

fn revoked_by(t: Texts, key: &KeyFacts) -> String {
    match (&key.revoked_by_name, key.revoked_by) {
        (Some(name), _) => t.tables_by(name),
        (None, Some(RevokedBy::Leak)) => t.revoked_by_leak(key.revocation_reason.as_deref()),
        (None, Some(RevokedBy::Key)) => t.tokens_revoked_by_key().into(),
        (None, Some(RevokedBy::Operator)) => t.tokens_revoked_by_operator().into(),
        _ => String::new(),
    }
}

/// Returns the prominent warning that a refused key is still being called.
fn alarm(t: Texts, calendar: Calendar, token: &ServiceToken) -> Option<String> {
    let last = |refused: &RefusedUses| t.from_and_with(&refused.last, calendar.when(refused.last.at));
    let is_active = token.key.life.is_active(calendar.now());
    let current = token.key.refused.as_ref().filter(|_| !is_active);
    let replaced = token.replaced_key.as_ref().and_then(|key| key.refused.as_ref());
    current
        .map(|refused| t.service_users_refused(refused.count, last(refused)))
        .or_else(|| replaced.map(|refused| t.service_users_replaced_refused(refused.count, last(refused))))
}
