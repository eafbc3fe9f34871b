//! The sessions of a user, and ending them.

use super::{
    App,
    errors::WebError,
    form::Form,
    page::{page, see},
    routes::path,
    session::SignedIn,
    shell::{Nav, Shell},
    sign_in::{self, Nothing},
    words::{Calendar, Moment},
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Path, Query},
};
use askama::Template;
use domain::session::Session as StoredSession;
use serde::Deserialize;

/// The list.
#[derive(Template)]
#[template(path = "sessions/list.html")]
struct SessionsPage {
    shell: Shell,
    done: Option<String>,
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

/// What has just been done.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    ended: Option<u32>,
}

/// `GET /account/sessions`
pub async fn list(app: App, who: SignedIn, done: Query<Done>) -> Result<HttpResponse, WebError> {
    let sessions = app::sessions::list(&app, &who.actor).await?;
    let shell = who.shell(Nav::Sessions);
    let calendar = Calendar::new(shell.t, &who.actor.user().time_zone, app.clock().now());
    let this = who.actor.session().public_id.as_str();
    let (mut rows, others): (Vec<_>, Vec<_>) = sessions.iter().partition(|session| session.public_id == this);
    rows.extend(others);
    let rows = rows.into_iter().map(|session| row(&shell, calendar, session, this)).collect();
    let done = done.ended.map(|ended| match ended {
        0 => shell.t.sessions_none_ended().to_owned(),
        ended => shell.t.sessions_ended(ended),
    });
    page(&SessionsPage { shell, done, rows })
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
    if is_this { sign_in::leave(&request) } else { Ok(see(&ended(1))) }
}

/// `POST /account/sessions/end-others`
pub async fn end_others(app: App, who: SignedIn, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    let count = app::sessions::end_others(&app, &who.actor, who.source.clone()).await?;
    Ok(see(&ended(count)))
}

fn ended(count: usize) -> String {
    format!("{}?ended={count}", path::SESSIONS)
}
