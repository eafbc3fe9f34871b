//! A forgotten password: requesting a link by mail, and choosing a new password behind it.

use super::{
    App, PublicUrl,
    errors::WebError,
    form::{OpenForm, Refused},
    notice::{self, Notice},
    page::{keep_address, page, page_with},
    routes::path,
    session::{self, Visitor},
    shell::Shell,
    texts::Texts,
    words::Errors,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use app::{AppError, link_code::LinkCode, mail::Words};
use askama::Template;
use domain::{
    password_link::MINUTES,
    user::{User, shown_email},
};
use serde::Deserialize;

/// The values typed into the form that requests a link.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TypedEmail {
    email: String,
}

/// The form that requests a link; if no mail is sent, an explanation whom to ask.
#[derive(Template)]
#[template(path = "password_links/forgotten.html")]
struct ForgottenPage {
    shell: Shell,
    sends_mail: bool,
    typed: TypedEmail,
    errors: Errors,
}

/// The page after a request for a link, which is the same whether a link was sent or not.
#[derive(Template)]
#[template(path = "password_links/asked.html")]
struct AskedPage {
    shell: Shell,
}

/// `GET /sign-in/forgotten`
///
/// # Errors
/// When the page cannot be rendered.
pub async fn forgotten(app: App, visitor: Visitor, notice: Option<Notice>) -> Result<HttpResponse, WebError> {
    let (shell, sends_mail) = (visitor.shell, app.sends_mail());
    if sends_mail && notice == Some(Notice::LinkRequested) {
        return page(&AskedPage { shell });
    }
    page(&ForgottenPage { shell, sends_mail, typed: TypedEmail::default(), errors: Errors::default() })
}

/// `POST /sign-in/forgotten`: one answer, whether there is a user with this e-mail address or not (S6).
///
/// # Errors
/// Not found where no mail is sent.
pub async fn ask(
    app: App,
    url: Data<PublicUrl>,
    visitor: Visitor,
    request: HttpRequest,
    OpenForm(typed): OpenForm<TypedEmail>,
) -> Result<HttpResponse, WebError> {
    let (t, devices) = (visitor.shell.t, session::devices(&request));
    let compose = move |user: &User, code: &LinkCode| mail(t, &url, user, code);
    match app::password_links::mail_to(app.into_inner(), &typed.email, devices, visitor.source, compose).await {
        Ok(()) => Ok(notice::see(path::FORGOTTEN, &Notice::LinkRequested)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let errors = Errors::new(t, &refused.problems);
            refused.page(&ForgottenPage { shell: visitor.shell, sends_mail: true, typed, errors })
        }
    }
}

/// The mail with the link, in the user's language, or that of the page where it was requested. The address is the
/// configured one (C10).
fn mail(t: Texts, url: &PublicUrl, user: &User, code: &LinkCode) -> Words {
    let t = user.language.map_or(t, Texts);
    let link = format!("{}{}", url.0, path::password_link(code.reveal()));
    let text = t.password_links_mail_text(&user.name, shown_email(&user.email), &url.0, MINUTES, link);
    (t.password_links_mail_subject().to_owned(), text)
}

/// What was typed into the form behind a link.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TypedPassword {
    new_password: String,
}

/// The form behind a link.
#[derive(Template)]
#[template(path = "password_links/form.html")]
struct LinkPage {
    shell: Shell,
    code: String,
    email: String,
    errors: Errors,
}

/// The page for a link that no longer works, or never did.
#[derive(Template)]
#[template(path = "password_links/gone.html")]
struct GonePage {
    shell: Shell,
    sends_mail: bool,
}

/// `GET /password/{code}`: changes nothing, because programs that scan mail also open links.
pub async fn form(app: App, visitor: Visitor, code: Path<String>) -> Result<HttpResponse, WebError> {
    let code = code.into_inner();
    let answer = match app::password_links::find_user(&app, &code).await {
        Ok(user) => {
            page(&LinkPage { shell: visitor.shell, code, email: shown_email(&user.email), errors: Errors::default() })
        }
        Err(AppError::NotFound) => gone(&app, visitor.shell),
        Err(error) => Err(error.into()),
    };
    answer.map(keep_address)
}

/// `POST /password/{code}`: sets the password; the user then signs in with it.
pub async fn submit(
    app: App,
    visitor: Visitor,
    code: Path<String>,
    OpenForm(typed): OpenForm<TypedPassword>,
) -> Result<HttpResponse, WebError> {
    let (code, shell) = (code.into_inner(), visitor.shell);
    let answer = match app::password_links::redeem(&app, &code, typed.new_password, visitor.source).await {
        Ok(()) => Ok(notice::see(path::SIGN_IN, &Notice::PasswordSet)),
        Err(AppError::NotFound) => gone(&app, shell),
        Err(error) => {
            let refused = Refused::new(error)?;
            let errors = Errors::new(shell.t, &refused.problems);
            match app::password_links::find_user(&app, &code).await {
                Ok(user) => refused.page(&LinkPage { shell, code, email: shown_email(&user.email), errors }),
                Err(_) => gone(&app, shell),
            }
        }
    };
    answer.map(keep_address)
}

fn gone(app: &App, shell: Shell) -> Result<HttpResponse, WebError> {
    page_with(StatusCode::GONE, &GonePage { shell, sends_mail: app.sends_mail() })
}
