//! The sessions of a user, and ending them.

use super::{
    App,
    errors::WebError,
    form::Form,
    notice::{self, Message, Notice},
    page::page,
    routes::path,
    session::SignedIn,
    shell::{Nav, Shell},
    sign_in::{self, Nothing},
    words::{Calendar, Moment},
};
use actix_web::{HttpRequest, HttpResponse, web::Path};
use askama::Template;
use domain::session::Session as StoredSession;

/// The list.
#[derive(Template)]
#[template(path = "sessions/list.html")]
struct SessionsPage {
    shell: Shell,
    message: Option<Message>,
    rows: Vec<Row>,
}

/// A session as the list shows it.
struct Row {
    device: String,
    address: String,
    seen: Moment,
    started: Moment,
    is_this: bool,
    end: String,
}

/// `GET /account/sessions`
pub async fn list(app: App, who: SignedIn, notice: Option<Notice>) -> Result<HttpResponse, WebError> {
    let sessions = app::sessions::list(&app, &who.actor).await?;
    let shell = who.shell(Nav::Sessions);
    let calendar = Calendar::new(shell.t, &who.actor.user().time_zone, app.clock().now());
    let this = who.actor.session().public_id.as_str();
    let (mut rows, others): (Vec<_>, Vec<_>) = sessions.iter().partition(|session| session.public_id == this);
    rows.extend(others);
    let rows = rows.into_iter().map(|session| row(&shell, calendar, session, this)).collect();
    let message = match notice {
        Some(Notice::SessionsEnded(0)) => Some(Message::done(shell.t.sessions_none_ended())),
        Some(Notice::SessionsEnded(count)) => Some(Message::done(shell.t.sessions_ended(count))),
        _ => None,
    };
    page(&SessionsPage { shell, message, rows })
}

fn row(shell: &Shell, calendar: Calendar, session: &StoredSession, this: &str) -> Row {
    let t = shell.t;
    Row {
        device: t.device(&session.program),
        address: session.address.clone(),
        seen: calendar.moment(session.life.seen_at, |when| t.sessions_seen(when)),
        started: calendar.moment(session.life.started_at, |when| t.sessions_started(when)),
        is_this: session.public_id == this,
        end: path::session_end(&session.public_id),
    }
}

/// `POST /account/sessions/{id}/end`
///
/// # Errors
/// Not found if the user has no such session.
pub async fn end(
    app: App,
    who: SignedIn,
    request: HttpRequest,
    id: Path<String>,
    _: Form<Nothing>,
) -> Result<HttpResponse, WebError> {
    let id = id.into_inner();
    let is_this = who.actor.session().public_id == id;
    app::sessions::end(&app, &who.actor, id, who.source.clone()).await?;
    if is_this { sign_in::leave(&request) } else { Ok(notice::see(path::SESSIONS, &Notice::SessionsEnded(1))) }
}

/// `POST /account/sessions/end-others`
pub async fn end_others(app: App, who: SignedIn, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    let count = app::sessions::end_others(&app, &who.actor, who.source.clone()).await?;
    Ok(notice::see(path::SESSIONS, &Notice::SessionsEnded(count)))
}
