//! A new e-mail address: the mails about it, the page behind the link that confirms it, and cancelling it.

use super::{
    App, PublicUrl,
    errors::WebError,
    form::{Form, OpenForm},
    notice::{self, Notice},
    page::{keep_address, page, page_with},
    routes::path,
    session::{SignedIn, Visitor},
    shell::Shell,
    sign_in::Nothing,
    texts::Texts,
};
use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use app::{
    AppError,
    email_changes::{Compose, Letter},
    mail::Words,
};
use askama::Template;
use domain::email_change::HOURS;

/// The page behind a link.
#[derive(Template)]
#[template(path = "email_changes/proof.html")]
struct ProofPage {
    shell: Shell,
    code: String,
    name: String,
    old: String,
    new: String,
}

/// The page for a link that no longer works, or never did.
#[derive(Template)]
#[template(path = "email_changes/gone.html")]
struct GonePage {
    shell: Shell,
}

/// Writes the mails, each in the language of the account that it is about, or in that of this page.
pub fn compose(t: Texts, url: &PublicUrl) -> impl Compose + use<> {
    let site = url.0.clone();
    move |letter| words(t, &site, letter)
}

fn words(t: Texts, site: &str, letter: Letter<'_>) -> Words {
    let (Letter::Proof(user, _) | Letter::Taken(user) | Letter::Asked(user, _) | Letter::Changed(user, _)) = letter;
    let t = user.language.map_or(t, Texts);
    let (name, email) = (&user.name, &user.email);
    let (subject, text) = match letter {
        Letter::Proof(_, code) => {
            let link = format!("{site}{}", path::email_link(code.reveal()));
            (t.email_changes_proof_subject(), t.email_changes_proof_text(name, email, site, HOURS, link))
        }
        Letter::Taken(_) => (t.email_changes_taken_subject(), t.email_changes_taken_text(name, site, email)),
        Letter::Asked(_, new) => {
            (t.email_changes_asked_subject(), t.email_changes_asked_text(name, site, new.as_str()))
        }
        Letter::Changed(_, new) => {
            (t.email_changes_changed_subject(), t.email_changes_changed_text(name, site, new.as_str(), email))
        }
    };
    (subject.to_owned(), text)
}

/// `GET /email/{code}`: changes nothing, because programs that scan mail also open links.
pub async fn show(app: App, visitor: Visitor, code: Path<String>) -> Result<HttpResponse, WebError> {
    let (code, shell) = (code.into_inner(), visitor.shell);
    let answer = match app::email_changes::find_by_code(&app, &code).await {
        Ok((user, change)) => page(&ProofPage { shell, code, name: user.name, old: user.email, new: change.email }),
        Err(AppError::NotFound) => gone(shell),
        Err(error) => Err(error.into()),
    };
    answer.map(keep_address)
}

/// `POST /email/{code}`: makes the new address take effect.
pub async fn prove(
    app: App,
    url: Data<PublicUrl>,
    visitor: Visitor,
    signed_in: Option<SignedIn>,
    code: Path<String>,
    _: OpenForm<Nothing>,
) -> Result<HttpResponse, WebError> {
    let answer = match app::email_changes::confirm(&app, &code, visitor.source, compose(visitor.shell.t, &url)).await {
        Ok(user) if signed_in.is_some_and(|who| who.actor.user().id == user) => {
            Ok(notice::see(path::PROFILE, &Notice::EmailConfirmed))
        }
        Ok(_) => Ok(notice::see(path::SIGN_IN, &Notice::EmailConfirmed)),
        Err(AppError::NotFound) => gone(visitor.shell),
        Err(error) => Err(error.into()),
    };
    answer.map(keep_address)
}

/// `POST /account/email-change/cancellation`
pub async fn cancel(app: App, who: SignedIn, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    app::email_changes::cancel(&app, &who.actor, who.source.clone()).await?;
    Ok(notice::see(path::PROFILE, &Notice::EmailCancelled))
}

fn gone(shell: Shell) -> Result<HttpResponse, WebError> {
    page_with(StatusCode::GONE, &GonePage { shell })
}
