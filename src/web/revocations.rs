//! Revocation receipts: the line on the page of the token, and a page of its own that shows each node.

mod signed;

pub use signed::{key_set, receipt};

use super::{
    App, PublicUrl,
    errors::WebError,
    holder::Holding,
    page::page,
    routes::path,
    session::SignedIn,
    shell::{Nav, Shell},
    texts::Texts,
    words::{Calendar, Moment},
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, Query},
};
use app::{
    AppError,
    revocations::{NodeReceipt, NodeState, Receipt},
};
use askama::Template;
use domain::permission::ManageIntegrations;
use serde::Deserialize;

/// How many times an open page asks, every two seconds, whether the nodes have confirmed: for a minute. No running node
/// takes longer.
const LOOKS: u16 = 30;

/// The page of a receipt among the account's.
#[derive(Template)]
#[template(path = "revocations/own.html")]
struct OwnPage {
    shell: Shell,
    shown: Shown,
}

/// The page of a receipt among the organization's.
#[derive(Template)]
#[template(path = "revocations/show.html")]
struct ReceiptPage {
    shell: Shell,
    shown: Shown,
}

/// The part that changes while nodes confirm, for htmx.
#[derive(Template)]
#[template(path = "revocations/_nodes.html")]
struct NodesPart {
    shown: Shown,
}

/// The line alone, for htmx.
#[derive(Template)]
#[template(path = "revocations/_line.html")]
struct LinePart {
    line: Line,
}

/// One line about a revocation.
pub struct Line {
    /// The texts.
    pub t: Texts,
    /// “Refused by all 3 nodes since 12:03:04.”
    pub words: String,
    /// The page of the receipt.
    pub href: String,
    /// The address of the next refresh, as long as a node has yet to confirm.
    pub next: Option<String>,
}

/// A receipt as its page shows it.
struct Shown {
    t: Texts,
    line: Line,
    label: String,
    id: String,
    /// The page of its token.
    token: String,
    is_old_key: bool,
    revoked: Moment,
    epoch: String,
    nodes: Vec<NodeRow>,
    file: String,
}

/// A node as the table shows it.
struct NodeRow {
    name: String,
    /// “Stopped since”, and the like.
    note: Option<String>,
    since: Option<Moment>,
    last: Option<Moment>,
    /// The text in place of a last accepted use.
    no_last: &'static str,
}

/// How many refreshes there were.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    look: u16,
}

impl Line {
    /// Returns the line about a token of the user, if it was revoked.
    pub async fn of_own(app: &App, who: &SignedIn, public_id: &str) -> Result<Option<Self>, WebError> {
        let (t, zone) = (who.t(), &who.actor.user().time_zone);
        let receipt = app::revocations::receipt_of_own(app, &who.actor, public_id).await?;
        let calendar = Calendar::new(t, zone, app.clock().now());
        Ok(receipt.map(|receipt| Self::new(calendar, t, &receipt, path::token_receipt(public_id), 0)))
    }

    /// Returns the line about any token of the organization, if it was revoked.
    pub async fn within(
        app: &App,
        at: &Holding<ManageIntegrations>,
        public_id: &str,
    ) -> Result<Option<Self>, WebError> {
        let (t, zone) = (at.t(), &at.who.actor().user().time_zone);
        let receipt = app::revocations::receipt_in(app, &at.who, public_id).await?;
        let calendar = Calendar::new(t, zone, app.clock().now());
        Ok(receipt.map(|receipt| Self::new(calendar, t, &receipt, path::receipt(at.slug(), public_id), 0)))
    }

    /// Returns the line about a receipt whose page is at `href`, at refresh number `look`.
    fn new(calendar: Calendar, t: Texts, receipt: &Receipt, href: String, look: u16) -> Self {
        let at = |milliseconds| calendar.to_the_second(milliseconds).words;
        let (nodes, waiting, revoked) = (receipt.alive(), receipt.waiting(), at(receipt.revoked.revoked_at));
        let words = match (nodes, waiting) {
            (..=1, _) => t.revocations_single(revoked),
            (_, 0) => t.revocations_all(nodes, at(receipt.since())),
            _ => t.revocations_waiting(waiting, revoked, nodes),
        };
        let next = (waiting > 0 && look < LOOKS).then(|| path::refreshed(&href, look + 1));
        Self { t, words, href, next }
    }
}

/// `GET /account/tokens/{id}/receipt`
///
/// # Errors
/// Not found if the token was not revoked or belongs to somebody else.
pub async fn show_own(
    app: App,
    who: SignedIn,
    id: Path<String>,
    asked: Query<Asked>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    let who = who.at_token(&app, &id).await?;
    let receipt = app::revocations::receipt_of_own(&app, &who.actor, &id).await?.ok_or(AppError::NotFound)?;
    let shell = who.shell(Nav::Tokens);
    let calendar = Calendar::new(shell.t, &who.actor.user().time_zone, app.clock().now());
    let line = Line::new(calendar, shell.t, &receipt, path::token_receipt(&id), asked.look);
    let shown = shown(calendar, &receipt, line, path::token(&id));
    answer(&request, shown, |shown| page(&OwnPage { shell, shown }))
}

/// `GET /orgs/{slug}/integrations/receipts/{id}`
///
/// # Errors
/// Not found if the token was not revoked or belongs to another organization.
pub async fn show(
    app: App,
    at: Holding<ManageIntegrations>,
    ids: Path<(String, String)>,
    asked: Query<Asked>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    let receipt = app::revocations::receipt_in(&app, &at.who, &ids.1).await?.ok_or(AppError::NotFound)?;
    let shell = at.shell(Nav::Integrations);
    let calendar = Calendar::new(shell.t, &at.who.actor().user().time_zone, app.clock().now());
    let line = Line::new(calendar, shell.t, &receipt, path::receipt(at.slug(), &ids.1), asked.look);
    let token = path::token_of_organization(at.slug(), &ids.1, receipt.revoked.owner.is_none());
    let shown = shown(calendar, &receipt, line, token);
    answer(&request, shown, |shown| page(&ReceiptPage { shell, shown }))
}

/// `GET /account/tokens/{id}/receipt/file`
///
/// # Errors
/// As [`show_own`].
pub async fn own_file(
    app: App,
    url: Data<PublicUrl>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, WebError> {
    let who = who.at_token(&app, &id).await?;
    let receipt = app::revocations::receipt_of_own(&app, &who.actor, &id).await?.ok_or(AppError::NotFound)?;
    let of = who.actor.membership().map(signed::Organization::from).unwrap_or_default();
    signed::download(&app, &url, of, &receipt)
}

/// `GET /orgs/{slug}/integrations/receipts/{id}/file`
///
/// # Errors
/// As [`show`].
pub async fn file(
    app: App,
    url: Data<PublicUrl>,
    at: Holding<ManageIntegrations>,
    ids: Path<(String, String)>,
) -> Result<HttpResponse, WebError> {
    let receipt = app::revocations::receipt_in(&app, &at.who, &ids.1).await?.ok_or(AppError::NotFound)?;
    signed::download(&app, &url, at.who.membership().into(), &receipt)
}

/// Returns the part of the page that htmx asks for, or the whole page.
fn answer(
    request: &HttpRequest,
    shown: Shown,
    whole: impl FnOnce(Shown) -> Result<HttpResponse, WebError>,
) -> Result<HttpResponse, WebError> {
    let target = request.headers().get("hx-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    match target.rsplit_once('#').map(|(_, id)| id) {
        Some("refused") => page(&LinePart { line: shown.line }),
        Some("nodes") => page(&NodesPart { shown }),
        _ => whole(shown),
    }
}

fn shown(calendar: Calendar, receipt: &Receipt, line: Line, token: String) -> Shown {
    let (t, revoked) = (line.t, &receipt.revoked);
    Shown {
        t,
        label: revoked.label.clone(),
        id: revoked.public_id.clone(),
        token,
        is_old_key: revoked.is_old_key,
        revoked: calendar.full_to_the_second(revoked.revoked_at),
        epoch: t.number(revoked.epoch),
        nodes: receipt.nodes.iter().map(|node| node_row(t, calendar, node)).collect(),
        file: path::receipt_file(&line.href),
        line,
    }
}

fn node_row(t: Texts, calendar: Calendar, node: &NodeReceipt) -> NodeRow {
    let when = |milliseconds: Option<i64>| {
        milliseconds.map(|milliseconds| calendar.to_the_second(milliseconds).words).unwrap_or_default()
    };
    // The node started after the revocation.
    let came_later = node.epoch.is_none() && node.since.is_some();
    let note = match node.state {
        NodeState::Gone => Some(t.revocations_gone().to_owned()),
        NodeState::Silent => Some(t.revocations_silent(when(node.seen_at))),
        NodeState::Alive if came_later => Some(t.revocations_later(when(node.since))),
        NodeState::Alive if node.since.is_none() => Some(t.revocations_pending().to_owned()),
        NodeState::Alive => None,
    };
    NodeRow {
        name: node.name.clone(),
        note,
        since: node.since.filter(|_| !came_later).map(|since| calendar.to_the_second(since)),
        last: node.last_accepted_at.map(|last| calendar.to_the_second(last.seconds() * 1000)),
        no_last: match node.since {
            _ if came_later => t.revocations_never(),
            Some(_) => t.revocations_none(),
            None => t.revocations_unknown(),
        },
    }
}
