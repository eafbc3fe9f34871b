//! All tokens of the organization, and revoking somebody's with a reason.

use super::{
    App,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::{Form, Refused},
    holder::Holding,
    notice::{self, Message, Notice},
    page::{IsHtmx, is_for, page},
    revocations::Line,
    routes::path,
    search::{self, Search, Step},
    shell::{Nav, Shell},
    tables::{self, Controls, End, Used},
    texts::Texts,
    words::{Calendar, Errors, Moment},
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Path, Query},
};
use app::inventory::{InventoryForm, InventoryPage};
use askama::Template;
use domain::{
    permission::ManageIntegrations,
    text::LONGEST_REASON,
    token::{LastUse, RevokedBy, TokenKind, TokenState, listing::Listed},
    user::shown_email,
};
use serde::Deserialize;

/// The choices of days without use.
const UNUSED: [i64; 4] = [30, 60, 90, 180];

/// The filter, as it was typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sought {
    search: String,
    kind: String,
    state: String,
    owner: String,
    unused: String,
    sort: String,
    before: String,
    after: String,
}

impl Sought {
    fn filters(&self) -> [(&str, &str); 5] {
        [
            ("search", &self.search),
            ("kind", &self.kind),
            ("state", &self.state),
            ("owner", &self.owner),
            ("unused", &self.unused),
        ]
    }

    fn search(&self) -> Search<'_, 6> {
        let [search, kind, state, owner, unused] = self.filters();
        let fields = [search, kind, state, owner, unused, (tables::SORT, &self.sort)];
        Search { fields, page: path::inventory_with, part: "#inventory" }
    }

    fn is_empty(&self) -> bool {
        self.filters().iter().all(|(_, value)| value.trim().is_empty())
    }

    fn form(&self) -> InventoryForm {
        InventoryForm {
            search: self.search.clone(),
            kind: self.kind.clone(),
            state: self.state.clone(),
            owner: self.owner.clone(),
            unused: self.unused.clone(),
            sort: tables::sort(&self.sort),
        }
    }
}

/// The page.
#[derive(Template)]
#[template(path = "inventory/list.html")]
struct ListPage {
    shell: Shell,
    message: Option<Message>,
    states: [(&'static str, &'static str); 3],
    unused: Vec<(String, String)>,
    list: List,
}

/// The tokens alone, for htmx.
#[derive(Template)]
#[template(path = "inventory/_list.html")]
struct ListPart {
    list: List,
}

/// The tokens that were found, and the links to more.
struct List {
    t: Texts,
    /// The address that the filter is sent to.
    search: String,
    /// The same list without filters.
    unfiltered: String,
    sought: Sought,
    errors: Errors,
    rows: Vec<Row>,
    controls: Controls,
}

/// A token as the list shows it.
struct Row {
    id: String,
    /// The page of the token; only for service users' tokens.
    href: Option<String>,
    label: String,
    owner: Option<(String, String)>,
    scope: &'static str,
    created: Moment,
    used: Option<Used>,
    end: End,
    /// Who or what revoked it, and why.
    note: String,
    state: (String, &'static str),
    revocation: Option<String>,
    /// The receipt of its revocation; for other tokens it is on their page.
    receipt: Option<String>,
}

/// `GET /orgs/{slug}/integrations/inventory`: the page, or to htmx the tokens alone.
pub async fn list(
    app: App,
    at: Holding<ManageIntegrations>,
    Query(sought): Query<Sought>,
    notice: Option<Notice>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    if let Some(elsewhere) = sought.search().for_key(&app, &at, &request).await? {
        return Ok(elsewhere);
    }
    let (found, refused) = match app::inventory::page(
        &app,
        &at.who,
        sought.form(),
        tables::page_from(&sought.before, &sought.after),
    )
    .await
    {
        Ok(found) => (found, None),
        Err(error) => (InventoryPage::default(), Some(Refused::new(error)?)),
    };
    let shell = at.shell(Nav::Integrations);
    let errors = refused.as_ref().map(|refused| Errors::new(shell.t, &refused.problems)).unwrap_or_default();
    let list = found_list(&app, &at, sought, &found, errors);
    if is_for(&request, "#inventory") {
        let part = ListPart { list };
        return refused.map_or_else(|| page(&part), |refused| refused.page(&part));
    }
    let t = shell.t;
    let states = [
        ("active", t.inventory_state_active()),
        ("revoked", t.inventory_state_revoked()),
        ("expired", t.inventory_state_expired()),
    ];
    let unused = UNUSED.map(|days| (days.to_string(), t.common_days(days))).to_vec();
    let message = message(&app, &at, notice).await?;
    let whole = ListPage { shell, message, states, unused, list };
    refused.map_or_else(|| page(&whole), |refused| refused.page(&whole))
}

/// `POST /orgs/{slug}/integrations/inventory/search`
pub async fn search(
    app: App,
    at: Holding<ManageIntegrations>,
    Form(sought): Form<Sought>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    if let Some(elsewhere) = sought.search().leads(&app, &at, &request).await? {
        return Ok(elsewhere);
    }
    let address = sought.search().address(at.slug());
    Ok(search::part_at(list(app, at, Query(sought), None, request).await?, &Step::Replace, &address))
}

async fn message(
    app: &App,
    at: &Holding<ManageIntegrations>,
    notice: Option<Notice>,
) -> Result<Option<Message>, WebError> {
    let t = at.t();
    Ok(match notice {
        Some(Notice::Revoked(id)) => match names(app, at, &id).await {
            Some((label, owner)) => {
                let refused = Line::within(app, at, &id).await?;
                Some(Message { refused, ..Message::done(t.inventory_revoked_notice(label, owner)) })
            }
            None => None,
        },
        Some(Notice::HadEnded(id)) => {
            names(app, at, &id).await.map(|(label, owner)| Message::done(t.inventory_ended_notice(label, owner)))
        }
        Some(Notice::UnknownKey) => Some(Message::failed(t.search_unknown_key())),
        _ => None,
    })
}

/// Returns the label of a member's token, and the owner's name.
async fn names(app: &App, at: &Holding<ManageIntegrations>, id: &str) -> Option<(String, String)> {
    let token = app::inventory::token_of_member(app, &at.who, id).await.ok()?;
    Some((token.label, token.owner.map(|owner| owner.name).unwrap_or_default()))
}

fn calendar(app: &App, at: &Holding<ManageIntegrations>) -> Calendar {
    Calendar::new(at.t(), &at.who.actor().user().time_zone, app.clock().now())
}

fn found_list(
    app: &App,
    at: &Holding<ManageIntegrations>,
    sought: Sought,
    found: &InventoryPage,
    errors: Errors,
) -> List {
    let (t, slug, calendar) = (at.t(), at.slug(), calendar(app, at));
    let form = sought.form();
    let usual = InventoryForm { sort: None, ..form.clone() }.sort();
    let ends = [found.previous.as_ref(), found.next.as_ref()];
    List {
        search: path::inventory_search(slug),
        unfiltered: path::inventory_with(slug, &[(tables::SORT, &sought.sort)]),
        rows: found.tokens.iter().map(|token| row(t, calendar, slug, found, token)).collect(),
        controls: Controls::new(t, slug, &sought.search(), [form.sort(), usual], ends),
        errors,
        sought,
        t,
    }
}

fn row(t: Texts, calendar: Calendar, slug: &str, found: &InventoryPage, token: &Listed) -> Row {
    let state = token.key.life.state(calendar.now());
    let is_service = token.kind == TokenKind::Service;
    let has_receipt = !is_service && found.receipts.contains(&token.key.token);
    let may_revoke = !is_service && matches!(state, TokenState::Active { .. });
    Row {
        id: token.public_id.clone(),
        href: is_service.then(|| path::token_of_organization(slug, &token.public_id, true)),
        label: token.label.clone(),
        owner: token.owner.as_ref().map(|owner| (owner.name.clone(), shown_email(&owner.email))),
        scope: t.scope(token.scope),
        created: calendar.date(token.key.life.created_at),
        used: token.key.last_use.as_ref().map(|used| Used::new(t, calendar, used)),
        end: End::new(t, calendar, &token.key),
        note: note(t, token),
        state: t.state_in_column(state, calendar.now()),
        revocation: may_revoke.then(|| path::inventory_revocation(slug, &token.public_id)),
        receipt: has_receipt.then(|| path::receipt(slug, &token.public_id)),
    }
}

/// Returns who or what revoked a token, and why: “Revoked by Ann · Reason: laptop stolen”.
fn note(t: Texts, token: &Listed) -> String {
    let key = &token.key;
    let reason = key.revocation_reason.as_deref();
    if key.revoked_by == Some(RevokedBy::Leak) {
        return t.tokens_revoked(t.revoked_by_leak(reason));
    }
    let by = key.revoked_by_name.as_ref().map(|name| t.tokens_revoked(t.tables_by(name)));
    let why = reason.map(|reason| t.tokens_revoked_because(reason));
    [by, why].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn last_use(t: Texts, used: &LastUse, when: &str) -> String {
    let from = (!used.address.is_empty()).then(|| t.tokens_used_from(&used.address));
    let with = (!used.program.is_empty()).then(|| t.tokens_used_with(t.program(&used.program)));
    [Some(t.tokens_used(when)), from, with].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The field for the reason of a revocation.
#[derive(Template)]
#[template(path = "inventory/_reason.html")]
struct ReasonField {
    t: Texts,
    reason: String,
    errors: Errors,
}

impl ReasonField {
    const LONGEST: usize = LONGEST_REASON;
}

/// `GET /orgs/{slug}/integrations/inventory/{id}/revocation`
///
/// # Errors
/// Not found if the organization has no such personal token.
pub async fn confirm_revocation(
    app: App,
    at: Holding<ManageIntegrations>,
    ids: Path<(String, String)>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let token = app::inventory::token_of_member(&app, &at.who, &ids.1).await?;
    if !token.key.life.is_active(app.clock().now()) {
        return Ok(notice::see(&path::inventory(at.slug()), &Notice::HadEnded(token.public_id)));
    }
    confirm(&app, &at, &token, Reason::default(), Errors::default()).ask(at.shell(Nav::Integrations), is_dialog)
}

fn confirm(
    app: &App,
    at: &Holding<ManageIntegrations>,
    token: &Listed,
    Reason { reason }: Reason,
    errors: Errors,
) -> Confirm<ReasonField> {
    let (t, calendar) = (at.t(), calendar(app, at));
    let owner = token.owner.as_ref().map(|owner| owner.name.as_str()).unwrap_or_default();
    let last_use = match &token.key.last_use {
        Some(used) => format!("{}.", last_use(t, used, &calendar.when(used.at))),
        None => t.tokens_revocation_never_used().into(),
    };
    let confirm = Confirm {
        title: t.tokens_revocation_title().to_owned(),
        heading: t.inventory_heading(&token.label, owner),
        text: vec![last_use, t.inventory_told(owner)],
        action: path::inventory_revocation(at.slug(), &token.public_id),
        offer: Offer::End(t.tokens_revoke()),
        cancel: path::inventory(at.slug()),
        ..Confirm::default()
    };
    confirm.with(ReasonField { t, reason, errors })
}

/// The reason.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Reason {
    reason: String,
}

/// `POST /orgs/{slug}/integrations/inventory/{id}/revocation`
///
/// # Errors
/// Not found if the organization has no such personal token.
pub async fn revoke(
    app: App,
    at: Holding<ManageIntegrations>,
    ids: Path<(String, String)>,
    Form(typed): Form<Reason>,
) -> Result<HttpResponse, WebError> {
    let id = ids.1.as_str();
    match app::inventory::revoke_token_of_member(&app, &at.who, id, &typed.reason, at.source.clone()).await {
        Ok(was_active) => {
            let notice = if was_active { Notice::Revoked(id.into()) } else { Notice::HadEnded(id.into()) };
            Ok(notice::see(&path::inventory(at.slug()), &notice))
        }
        Err(error) => {
            let refused = Refused::new(error)?;
            let token = app::inventory::token_of_member(&app, &at.who, id).await?;
            let shell = at.shell(Nav::Integrations);
            let errors = Errors::new(shell.t, &refused.problems);
            confirm(&app, &at, &token, typed, errors).ask_again(shell, &refused)
        }
    }
}
