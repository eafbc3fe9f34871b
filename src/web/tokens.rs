//! Personal API tokens: the list, and beside it the token that is selected.

mod adding;
mod revocation;

use adding::Asked;
pub use adding::{create, new};
pub use revocation::{confirm_bulk, confirm_revocation, revoke, revoke_bulk};

use super::{
    App,
    calls::Chart,
    errors::WebError,
    notice::{Message, Notice},
    page::{is_for, page},
    revocations::Line,
    routes::path,
    session::SignedIn,
    shell::{Nav, Shell},
    texts::Texts,
    uses::capitalized,
    words::{Calendar, Moment},
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Path, Query},
};
use app::tokens::TokenList;
use askama::Template;
use domain::{
    calls::Calls,
    token::{PERSONAL_LIMIT, RevokedBy, Token, TokenState},
};

/// The list, with the panel of the selected token.
#[derive(Template)]
#[template(path = "tokens/list.html")]
struct ListPage {
    shell: Shell,
    list: String,
    message: Option<Message>,
    /// Whether there is no token at all, so that the page explains what one is.
    is_first: bool,
    active: Vec<Row>,
    ended: Vec<Row>,
    /// “4 of 10”
    used_of: String,
    in_all: usize,
    limit: usize,
    selected: Option<Detail>,
    is_swapped: bool,
}

/// The panel alone, for htmx.
#[derive(Template)]
#[template(path = "tokens/_panel.html")]
struct PanelPart {
    t: Texts,
    list: String,
    selected: Option<Detail>,
    is_swapped: bool,
}

/// The page for a user who is not active in any organization.
#[derive(Template)]
#[template(path = "tokens/no_membership.html")]
struct NoMembershipPage {
    shell: Shell,
}

/// A token as the list shows it.
struct Row {
    id: String,
    href: String,
    label: String,
    scope: &'static str,
    writes: bool,
    made: Moment,
    used: Option<Moment>,
    /// When it ends or ended.
    end: Moment,
    /// The name of the state and its key.
    state: (String, &'static str),
    is_selected: bool,
}

/// A token as its panel shows it.
struct Detail {
    id: String,
    label: String,
    scope: &'static str,
    scope_explained: &'static str,
    state: (String, &'static str),
    made: Moment,
    used: Option<Moment>,
    /// From where and by what program it was used, one line each.
    used_by: Vec<String>,
    end_name: &'static str,
    end: Moment,
    end_explained: String,
    is_active: bool,
    /// The line about since when it is refused.
    refused: Option<Line>,
    calls: Chart,
    revocation: String,
}

/// `GET /account/tokens`
pub async fn list(
    app: App,
    who: SignedIn,
    asked: Query<Asked>,
    notice: Option<Notice>,
) -> Result<HttpResponse, WebError> {
    let who = who.at(asked.working_in.as_deref());
    if who.actor.membership().is_none() {
        return page(&NoMembershipPage { shell: who.shell(Nav::Tokens) });
    }
    let tokens = app::tokens::list(&app, &who.actor).await?;
    let message = message(&app, &who, &tokens, notice).await?;
    page(&ListPage { message, ..list_page(&who, calendar(&app, &who), &tokens, None) })
}

/// `GET /account/tokens/{id}`: the list with this token selected, or to htmx the panel alone.
///
/// # Errors
/// Not found if it does not exist or belongs to somebody else.
pub async fn show(app: App, who: SignedIn, id: Path<String>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let who = who.at_token(&app, &id).await?;
    let token = app::tokens::find(&app, &who.actor, &id).await?;
    let calls = app::calls::of_token(&app, &token).await?;
    let (t, calendar) = (who.t(), calendar(&app, &who));
    let refused = if token.key.life.revoked_at.is_some() { Line::of_own(&app, &who, &id).await? } else { None };
    let selected = Detail { refused, ..detail(t, calendar, &token, &calls) };
    if is_for(&request, "#panel") {
        let list = who.here(path::TOKENS);
        return page(&PanelPart { t, list, selected: Some(selected), is_swapped: true });
    }
    let tokens = app::tokens::list(&app, &who.actor).await?;
    page(&list_page(&who, calendar, &tokens, Some(selected)))
}

fn calendar(app: &App, who: &SignedIn) -> Calendar {
    Calendar::new(who.t(), &who.actor.user().time_zone, app.clock().now())
}

async fn message(
    app: &App,
    who: &SignedIn,
    tokens: &TokenList,
    notice: Option<Notice>,
) -> Result<Option<Message>, WebError> {
    let t = who.t();
    let label = |id: &str| tokens.ended.iter().find(|token| token.public_id == id).map(|token| &token.label);
    Ok(match notice {
        Some(Notice::Revoked(id)) => match label(&id) {
            Some(label) => {
                let refused = Line::of_own(app, who, &id).await?;
                Some(Message { refused, ..Message::done(t.tokens_revoked_notice(label)) })
            }
            None => None,
        },
        Some(Notice::HadEnded(id)) => label(&id).map(|label| Message::done(t.tokens_ended_notice(label))),
        Some(Notice::RevokedMany(0)) => Some(Message::done(t.tokens_revoked_none_notice())),
        Some(Notice::RevokedMany(many)) => Some(Message::done(t.tokens_revoked_many_notice(many))),
        _ => None,
    })
}

fn list_page(who: &SignedIn, calendar: Calendar, tokens: &TokenList, selected: Option<Detail>) -> ListPage {
    let shell = who.shell(Nav::Tokens);
    let t = shell.t;
    let chosen = selected.as_ref().map(|token| token.id.as_str());
    let rows = |tokens: &[Token]| tokens.iter().map(|token| row(t, calendar, token, chosen)).collect::<Vec<_>>();
    ListPage {
        list: shell.here(path::TOKENS),
        message: None,
        is_first: tokens.active.is_empty() && tokens.ended.is_empty() && selected.is_none(),
        active: rows(&tokens.active),
        ended: rows(&tokens.ended),
        used_of: t.tokens_used_of(tokens.in_all, PERSONAL_LIMIT),
        in_all: tokens.in_all,
        limit: usize::from(PERSONAL_LIMIT.unsigned_abs()),
        selected,
        is_swapped: false,
        shell,
    }
}

fn row(t: Texts, calendar: Calendar, token: &Token, selected: Option<&str>) -> Row {
    Row {
        id: token.public_id.clone(),
        href: path::token(&token.public_id),
        label: token.label.clone(),
        scope: t.scope(token.scope),
        writes: token.scope == domain::token::Scope::ReadWrite,
        made: calendar.on_day(token.key.life.created_at, |when| t.tokens_created_at(when)),
        used: token.key.last_use.as_ref().map(|used| calendar.moment(used.at, |when| t.use_in_a_line(used, &when))),
        end: end(t, calendar, token),
        state: t.state(token.key.life.state(calendar.now()), calendar.now()),
        is_selected: selected == Some(token.public_id.as_str()),
    }
}

/// Returns when a token expires if it is not used, or when and how it ended.
fn end(t: Texts, calendar: Calendar, token: &Token) -> Moment {
    match token.key.life.state(calendar.now()) {
        TokenState::Active { expires_at } => calendar.on_day(expires_at, |when| t.tokens_expires(when)),
        TokenState::Expired { at } => calendar.on_day(at, |when| t.tokens_expired(when)),
        TokenState::Revoked { at } => calendar
            .moment(at, |when| format!("{} {}", t.tokens_revoked(when), revoked_by(t, token)).trim_end().to_owned()),
    }
}

/// Returns who revoked a token, and why if they gave a reason.
fn revoked_by(t: Texts, token: &Token) -> String {
    if token.key.revoked_by == Some(RevokedBy::Leak) {
        return t.revoked_by_leak(token.key.revocation_reason.as_deref());
    }
    let who = match (token.key.revoked_by, &token.key.revoked_by_name) {
        (Some(RevokedBy::Owner), _) => t.tokens_revoked_by_owner().into(),
        (Some(RevokedBy::Key), _) => t.tokens_revoked_by_key().into(),
        (Some(RevokedBy::Operator), _) => t.tokens_revoked_by_operator().into(),
        (Some(RevokedBy::Administrator), Some(name)) => t.tokens_revoked_by_named(name),
        (Some(RevokedBy::Administrator), None) => t.tokens_revoked_by_administrator().into(),
        (Some(RevokedBy::Membership), _) => t.tokens_revoked_by_membership().into(),
        (Some(RevokedBy::Replaced | RevokedBy::Leak) | None, _) => String::new(),
    };
    match &token.key.revocation_reason {
        Some(reason) => format!("{who}. {}", t.tokens_revoked_because(reason)),
        None => who,
    }
}

fn detail(t: Texts, calendar: Calendar, token: &Token, calls: &Calls) -> Detail {
    let state = token.key.life.state(calendar.now());
    let days = token.key.life.inactivity.days();
    let (end_name, at, end_explained) = match state {
        TokenState::Active { expires_at } => (t.tokens_fact_expires(), expires_at, t.tokens_after_days(days)),
        TokenState::Expired { at } => (t.tokens_fact_expired(), at, t.tokens_after_days_past(days)),
        TokenState::Revoked { at } => (t.tokens_fact_revoked(), at, revoked_by(t, token)),
    };
    Detail {
        id: token.public_id.clone(),
        label: token.label.clone(),
        scope: t.scope(token.scope),
        scope_explained: t.scope_explained(token.scope),
        state: t.state(state, calendar.now()),
        made: calendar.full(token.key.life.created_at),
        used: token.key.last_use.as_ref().map(|used| calendar.moment(used.at, capitalized)),
        used_by: token.key.last_use.as_ref().map(|used| t.use_in_lines(used)).unwrap_or_default(),
        end_name,
        end: calendar.full(at),
        end_explained,
        is_active: matches!(state, TokenState::Active { .. }),
        refused: None,
        calls: Chart::new(t, calendar.now(), calls),
        revocation: path::token_revocation(&token.public_id),
    }
}
