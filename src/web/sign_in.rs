//! Signing in and out.

use super::{
    App, PublicUrl,
    errors::WebError,
    form::{Form, OpenForm, Refused},
    page::{page, see},
    question::Question,
    routes::path,
    session::{self, SignedIn, Visitor},
    shell::{Nav, Shell},
    words::Errors,
};
use crate::{
    app::demo::{GUESTS, Guest, PASSWORD},
    domain::user::shown_email,
};
use actix_session::Session;
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HeaderName, HeaderValue},
    web::{Data, Query},
};
use askama::Template;
use serde::Deserialize;

/// What was typed into the form.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    email: String,
    password: String,
    next: String,
}

/// The form.
#[derive(Template)]
#[template(path = "sign_in/form.html")]
struct SignInPage {
    shell: Shell,
    typed: Typed,
    errors: Errors,
    /// What has just been done.
    done: Option<&'static str>,
}

impl SignInPage {
    /// Those whom anybody can sign in as, and their role: nobody unless this is a demonstration.
    fn guests(&self) -> impl Iterator<Item = (&'static Guest, &'static str)> {
        let (guests, t): (&[Guest], _) = (if self.shell.demo { &GUESTS } else { &[] }, self.shell.t);
        guests.iter().map(move |guest| (guest, t.built_in_set(guest.set)))
    }
}

/// What is said instead while there is no user.
#[derive(Template)]
#[template(path = "sign_in/not_set_up.html")]
struct NotSetUpPage {
    shell: Shell,
}

/// What the address says: where to go afterwards, and what has just been done.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    next: String,
    signed_out: Option<String>,
    new_password: Option<String>,
    new_email: Option<String>,
}

/// `GET /sign-in`
///
/// # Errors
/// When the database fails.
pub async fn form(
    app: App,
    visitor: Visitor,
    signed_in: Option<SignedIn>,
    asked: Query<Asked>,
) -> Result<HttpResponse, WebError> {
    if signed_in.is_some() {
        return Ok(see(session::safe_next(&asked.next)));
    }
    if app.needs_setup().await? {
        return page(&NotSetUpPage { shell: visitor.shell });
    }
    let Asked { next, signed_out, new_password, new_email } = asked.into_inner();
    let (t, typed) = (visitor.shell.t, Typed { next, ..Typed::default() });
    let said = [
        (new_password, t.password_link_set()),
        (new_email, t.email_change_proved()),
        (signed_out, t.sign_in_signed_out()),
    ];
    let done = said.into_iter().find(|(done, _)| done.is_some()).map(|(_, words)| words);
    page(&SignInPage { shell: visitor.shell, typed, errors: Errors::default(), done })
}

/// `POST /sign-in`
///
/// # Errors
/// Too many attempts, or too many at once.
pub async fn submit(
    app: App,
    url: Data<PublicUrl>,
    visitor: Visitor,
    session: Session,
    request: HttpRequest,
    OpenForm(typed): OpenForm<Typed>,
) -> Result<HttpResponse, WebError> {
    let device = session::device(&request);
    match app.sign_in(&typed.email, typed.password.clone(), device, visitor.source).await {
        Ok(begin) => {
            session::begin(&session, begin)?;
            let mut answer = see(session::safe_next(&typed.next));
            let cookie = session::device_cookie(app.mark_device(&typed.email), &url);
            // A cookie that cannot be written is a comfort less, not a sign-in less.
            answer.add_cookie(&cookie).ok();
            Ok(answer)
        }
        Err(error) => {
            let refused = Refused::new(error)?;
            let errors = Errors::new(visitor.shell.t, &refused.problems);
            refused.page(&SignInPage { shell: visitor.shell, typed, errors, done: None })
        }
    }
}

/// `GET /sign-out`: asks first, since reading an address ends nothing.
///
/// # Errors
/// When the template fails.
pub async fn ask_sign_out(who: Option<SignedIn>) -> Result<HttpResponse, WebError> {
    let Some(who) = who else { return Ok(see(path::SIGN_IN)) };
    let shell = who.shell(Nav::None);
    let question = Question {
        t: shell.t,
        csrf: shell.csrf.clone(),
        title: shell.t.layout_sign_out().into(),
        heading: shell.t.sign_in_out_heading().into(),
        lines: vec![shell.t.sign_in_out_who(shown_email(&who.actor.user().email))],
        action: path::SIGN_OUT.into(),
        submit: shell.t.layout_sign_out(),
        is_destructive: false,
        cancel: path::HOME.into(),
        asks_password: false,
        refusal: None,
        errors: Errors::default(),
        is_dialog: false,
    };
    question.ask(shell, false)
}

/// The form of the sign-out button, which carries nothing but its token.
#[derive(Debug, Deserialize)]
pub struct Nothing {}

/// `POST /sign-out`
///
/// # Errors
/// When the database fails.
pub async fn sign_out(app: App, who: SignedIn, session: Session, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    app.sign_out(&who.actor, who.source.clone()).await?;
    Ok(leave(&session))
}

/// Takes the cookie from the browser of a session that has ended, and says so.
pub fn leave(session: &Session) -> HttpResponse {
    session.purge();
    let mut answer = see(&format!("{}?signed_out", path::SIGN_IN));
    // Pages are not stored anyway; this also drops those that the browser keeps to go back to (C9).
    answer.headers_mut().insert(HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\""));
    answer
}
