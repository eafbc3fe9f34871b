//! The pages for somebody who opens the link of an invitation.

use super::{
    App,
    errors::WebError,
    form::{Form, OpenForm, Refused},
    page::{keep_address, page, page_with, see, with_cookie},
    routes::path,
    session::{self, SignedIn, Visitor},
    shell::{Nav, Shell},
    sign_in::Nothing,
    words::Errors,
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Path};
use app::{
    AppError,
    invitations::{NewPerson, is_for},
};
use askama::Template;
use domain::{invitation::Invitation, user::shown_email};
use serde::Deserialize;

/// The values typed by somebody without an account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    name: String,
    new_password: String,
    time_zone: String,
}

/// The invitation, and what the person who opened it can do.
#[derive(Template)]
#[template(path = "invitations/invitation.html")]
struct InvitationPage {
    shell: Shell,
    invitation: Invitation,
    set: String,
    reader: InvitationReader,
    /// The address that the form is sent to.
    action: String,
    /// The sign-in page, which leads back to here.
    sign_in: String,
    typed: Typed,
    errors: Errors,
}

/// Who has opened an invitation.
enum InvitationReader {
    /// Somebody who is not signed in; no account has the invited address.
    New,
    /// Somebody who is not signed in; an account has the invited address.
    HasAccount,
    /// The invited user.
    Invited,
    /// Somebody who already belongs to the organization.
    Member(String),
    /// Somebody else: this is their address.
    Other(String),
}

/// What stands there once a link does not work any more, or never did.
#[derive(Template)]
#[template(path = "invitations/gone.html")]
struct GonePage {
    shell: Shell,
}

/// `GET /invitations/{code}`: changes nothing, because programs that scan mail also open links.
pub async fn show(
    app: App,
    visitor: Visitor,
    signed_in: Option<SignedIn>,
    code: Path<String>,
) -> Result<HttpResponse, WebError> {
    let shell = signed_in.as_ref().map_or(visitor.shell, |who| who.shell(Nav::None));
    let answer = match app::invitations::find_by_code(&app, &code).await {
        Ok(found) => page(&invitation_page(shell, signed_in.as_ref(), &code, found)),
        Err(error) => gone(shell, error),
    };
    answer.map(keep_address)
}

fn invitation_page(
    shell: Shell,
    signed_in: Option<&SignedIn>,
    code: &str,
    (invitation, has_account): (Invitation, bool),
) -> InvitationPage {
    let reader = match signed_in {
        None if has_account => InvitationReader::HasAccount,
        None => InvitationReader::New,
        Some(who) if who.actor.memberships().iter().any(|at| at.organization == invitation.organization) => {
            InvitationReader::Member(path::organization(&invitation.slug))
        }
        Some(who) if is_for(&invitation, &who.actor.user().email) => InvitationReader::Invited,
        Some(who) => InvitationReader::Other(shown_email(&who.actor.user().email)),
    };
    let invitation = Invitation { email: shown_email(&invitation.email), ..invitation };
    let link = path::invitation(code);
    InvitationPage {
        set: shell.t.set_name(&invitation.set.name).to_owned(),
        action: if matches!(reader, InvitationReader::Invited) { path::acceptance(code) } else { link.clone() },
        sign_in: path::sign_in(&link),
        typed: Typed::default(),
        errors: Errors::default(),
        shell,
        invitation,
        reader,
    }
}

/// `POST /invitations/{code}`: creates an account and signs it in.
pub async fn join_as_new(
    app: App,
    visitor: Visitor,
    request: HttpRequest,
    code: Path<String>,
    OpenForm(typed): OpenForm<Typed>,
) -> Result<HttpResponse, WebError> {
    let Visitor { source, shell } = visitor;
    let form = NewPerson {
        name: typed.name.clone(),
        password: typed.new_password.clone(),
        language: Some(shell.t.0),
        time_zone: typed.time_zone.clone(),
    };
    let answer = match app::invitations::join_as_new(&app, &code, form, source).await {
        Ok(begin) => {
            let (_, cookie) = session::begin(&app, &request, begin).await?;
            with_cookie(see(path::HOME), &cookie)
        }
        Err(AppError::NotFound) => gone(shell, AppError::NotFound),
        Err(error) => {
            let refused = Refused::new(error)?;
            let errors = Errors::new(shell.t, &refused.problems);
            match app::invitations::find_by_code(&app, &code).await {
                Ok(found) => {
                    let again = invitation_page(shell, None, &code, found);
                    refused.page(&InvitationPage { typed, errors, ..again })
                }
                Err(error) => gone(shell, error),
            }
        }
    };
    answer.map(keep_address)
}

/// `POST /invitations/{code}/acceptance`: a user with an account joins.
pub async fn join(app: App, who: SignedIn, code: Path<String>, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    let answer = match app::invitations::join(&app, &who.actor, &code, who.source.clone()).await {
        Ok(slug) => Ok(see(&path::organization(&slug))),
        Err(error) => gone(who.shell(Nav::None), error),
    };
    answer.map(keep_address)
}

fn gone(shell: Shell, error: AppError) -> Result<HttpResponse, WebError> {
    match error {
        AppError::NotFound => page_with(StatusCode::GONE, &GonePage { shell }),
        other => Err(other.into()),
    }
}
