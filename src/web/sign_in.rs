//! Signing in and out.

use super::{
    App,
    confirm::{Confirm, Offer},
    cookies::Ours,
    errors::WebError,
    form::{Form, OpenForm, Refused},
    notice::{self, Message, Notice},
    page::{self, page, page_with, see},
    routes::path,
    session::{self, SignedIn, Visitor},
    shell::{Nav, Shell},
    source,
    words::Errors,
};
use actix_web::{
    HttpRequest, HttpResponse,
    cookie::Cookie,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
    web::Query,
};
use app::{
    AppError,
    demo::{GUESTS, Guest, PASSWORD},
};
use askama::Template;
use domain::user::shown_email;
use serde::Deserialize;

/// The name of the field with a kept form.
pub const KEPT: &str = "kept";

/// What was typed into the form.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    email: String,
    password: String,
    next: String,
    /// A kept form, sealed, that comes back afterwards.
    #[serde(skip)]
    kept: Option<String>,
}

impl Typed {
    /// The values typed at the address of a kept form.
    pub fn again(email: String, password: String, kept: String) -> Self {
        Self { email, password, kept: Some(kept), ..Self::default() }
    }

    /// The kept form, sealed.
    pub fn kept(&self) -> &str {
        self.kept.as_deref().unwrap_or_default()
    }
}

/// The form.
#[derive(Template)]
#[template(path = "sign_in/form.html")]
struct SignInPage {
    shell: Shell,
    /// The address that the form is sent to: that of the kept form, if there is one.
    action: String,
    typed: Typed,
    errors: Errors,
    message: Option<Message>,
}

impl SignInPage {
    fn new(shell: Shell, typed: Typed) -> Self {
        Self { shell, action: path::SIGN_IN.to_owned(), typed, errors: Errors::default(), message: None }
    }

    /// Shows the form at the address of a kept form.
    fn at_form(request: &HttpRequest, jeton: &App, typed: Typed) -> Self {
        let shell = Visitor::of(request, jeton).shell;
        Self {
            message: Some(Message::undone(shell.t.sign_in_ended_kept())),
            action: request.path().to_owned(),
            // A link to another language would lose the kept form.
            ..Self::new(Shell { has_languages: false, ..shell }, typed)
        }
    }

    /// The users whom anybody can sign in as, and their roles: none unless this is a demonstration.
    fn guests(&self) -> impl Iterator<Item = (&'static Guest, &'static str)> {
        let (guests, t): (&[Guest], _) = (if self.shell.demo { &GUESTS } else { &[] }, self.shell.t);
        guests.iter().map(move |guest| (guest, t.built_in_set(guest.set)))
    }
}

/// The page that is shown instead while there is no user.
#[derive(Template)]
#[template(path = "sign_in/not_set_up.html")]
struct NotSetUpPage {
    shell: Shell,
}

/// The query: where to go afterwards.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    next: String,
}

/// `GET /sign-in`
pub async fn form(
    app: App,
    visitor: Visitor,
    signed_in: Option<SignedIn>,
    asked: Query<Asked>,
    notice: Option<Notice>,
) -> Result<HttpResponse, WebError> {
    if signed_in.is_some() {
        return Ok(see(session::safe_next(&asked.next)));
    }
    if app::setup::is_needed(&app).await? {
        return page(&NotSetUpPage { shell: visitor.shell });
    }
    let t = visitor.shell.t;
    let message = match notice {
        Some(Notice::PasswordSet) => Some(Message::done(t.password_links_set())),
        Some(Notice::EmailConfirmed) => Some(Message::done(t.email_changes_proved())),
        Some(Notice::SignedOut) => Some(Message::done(t.sign_in_signed_out())),
        Some(Notice::SignInAgain) => Some(Message::undone(t.sign_in_ended())),
        _ => None,
    };
    let typed = Typed { next: asked.into_inner().next, ..Typed::default() };
    page(&SignInPage { message, ..SignInPage::new(visitor.shell, typed) })
}

/// `POST /sign-in`
///
/// # Errors
/// Too many attempts, or too many at once.
pub async fn submit(
    app: App,
    visitor: Visitor,
    request: HttpRequest,
    OpenForm(typed): OpenForm<Typed>,
) -> Result<HttpResponse, WebError> {
    match enter(&request, &app, &typed).await {
        Ok((_, cookies)) => {
            let answer = see(session::safe_next(&typed.next));
            cookies.iter().try_fold(answer, page::with_cookie)
        }
        Err(error) => refuse(error, SignInPage::new(visitor.shell, typed)),
    }
}

/// `GET /sign-out`: asks for confirmation, because a GET request must not end anything.
///
/// # Errors
/// When the template fails.
pub async fn ask_sign_out(who: Option<SignedIn>) -> Result<HttpResponse, WebError> {
    let Some(who) = who else { return Ok(see(path::SIGN_IN)) };
    let t = who.t();
    let confirm = Confirm {
        title: t.layout_sign_out().into(),
        heading: t.sign_in_out_heading().into(),
        text: vec![t.sign_in_out_who(shown_email(&who.actor.user().email))],
        action: path::SIGN_OUT.into(),
        offer: Offer::Do(t.layout_sign_out()),
        cancel: path::HOME.into(),
        ..Confirm::default()
    };
    confirm.ask(who.shell(Nav::None), false)
}

/// Signs in, and makes the user the author of the rest of the request. The answer must set the returned cookies.
///
/// # Errors
/// [`AppError::Invalid`] when the form must be shown again; too many attempts; busy.
pub async fn enter(
    request: &HttpRequest,
    app: &App,
    typed: &Typed,
) -> Result<(SignedIn, [Cookie<'static>; 2]), AppError> {
    let (password, devices) = (typed.password.clone(), session::devices(request));
    let begin = app::sign_in::sign_in(app, &typed.email, password, devices, source::of(request)).await?;
    let (key, cookie) = session::begin(app, request, begin).await?;
    let who = session::introduce(request, app, app::sessions::authenticate(app, key).await?).await;
    Ok((who, [cookie, Ours::Device.cookie(request, app::sign_in::mark_device(app, &typed.email).0)]))
}

fn refuse(error: AppError, form: SignInPage) -> Result<HttpResponse, WebError> {
    let refused = Refused::new(error)?;
    let errors = Errors::new(form.shell.t, &refused.problems);
    refused.page(&SignInPage { errors, ..form })
}

/// Returns the answer to a form that was sent when nobody was signed in any more.
///
/// # Errors
/// When the template fails.
pub fn ask(request: &HttpRequest, jeton: &App, kept: String) -> Result<HttpResponse, WebError> {
    let typed = Typed { kept: Some(kept), ..Typed::default() };
    page_with(StatusCode::FORBIDDEN, &SignInPage::at_form(request, jeton, typed))
}

/// Returns the same answer after a failed sign-in.
///
/// # Errors
/// The error itself, if it is not about the form.
pub fn again(request: &HttpRequest, jeton: &App, typed: Typed, error: AppError) -> Result<HttpResponse, WebError> {
    refuse(error, SignInPage::at_form(request, jeton, typed))
}

/// The form of the sign-out button, which contains only its token.
#[derive(Debug, Deserialize)]
pub struct Nothing {}

/// `POST /sign-out`
pub async fn sign_out(
    app: App,
    who: SignedIn,
    request: HttpRequest,
    _: Form<Nothing>,
) -> Result<HttpResponse, WebError> {
    app::sign_in::sign_out(&app, &who.actor, who.source.clone()).await?;
    leave(&request)
}

/// Removes the cookie of an ended session from the browser, and says that the user is signed out.
///
/// # Errors
/// When the cookie cannot be encoded.
pub fn leave(request: &HttpRequest) -> Result<HttpResponse, WebError> {
    let mut answer =
        page::with_cookie(notice::see(path::SIGN_IN, &Notice::SignedOut), &Ours::Session.removal(request))?;
    // Pages are not stored anyway; this also drops those that the browser keeps for *Back* (C9).
    answer.headers_mut().insert(HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\""));
    Ok(answer)
}
