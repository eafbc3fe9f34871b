//! Inviting somebody: the form, the one page that shows the link, and withdrawing an invitation.

use super::{Manager, question::Question};
use crate::{
    app::{
        AppError,
        invitations::{InviteForm, Invited},
    },
    domain::{
        invitation::InvitationId,
        permission::BuiltInSet,
        permission_set::SetName,
    },
    web::{
        App, PublicUrl,
        errors::WebError,
        form::{Form, Refused},
        page::{IsHtmx, page, secret_page, see},
        routes::path,
        shell::{Nav, Shell},
        sign_in::Nothing,
        words::Errors,
    },
};
use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use askama::Template;
use serde::Deserialize;

/// What was typed into the form, or stands in the address of an empty one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    email: String,
    permission_set: String,
    password: Option<String>,
}

impl Typed {
    fn form(&self) -> InviteForm {
        let Self { email, permission_set, password } = self.clone();
        InviteForm { email, permission_set, password }
    }
}

/// The form.
#[derive(Template)]
#[template(path = "users/invite.html")]
struct InvitePage {
    shell: Shell,
    typed: Typed,
    errors: Errors,
    sets: Vec<Choice>,
    asks_password: bool,
    action: String,
    back: String,
}

/// A permission set that can be chosen.
struct Choice {
    id: i64,
    name: String,
    explained: String,
    is_chosen: bool,
    is_lacking: bool,
}

/// The page with the link.
#[derive(Template)]
#[template(path = "users/invited.html")]
struct InvitedPage<'a> {
    shell: Shell,
    email: &'a str,
    link: String,
    back: String,
    another: String,
}

/// `GET /orgs/{slug}/users/invite`
///
/// # Errors
/// When the database fails.
pub async fn form(app: App, at: Manager, typed: Query<Typed>) -> Result<HttpResponse, WebError> {
    page(&invite_page(&app, &at, typed.into_inner()).await?)
}

async fn invite_page(app: &App, at: &Manager, typed: Typed) -> Result<InvitePage, WebError> {
    let shell = at.shell(Nav::Users);
    let t = shell.t;
    let sets = app.sets_to_give(&at.who).await?;
    let chosen = typed.permission_set.parse::<i64>().ok();
    let choices = sets.iter().map(|set| {
        let is_lacking = at.who.grant().may_give(set.permissions).is_err();
        let is_usual = set.name == SetName::BuiltIn(BuiltInSet::Reader);
        let count = t.invite_set_count(set.permissions.count());
        Choice {
            id: set.id.0,
            name: t.set_name(&set.name),
            explained: if is_lacking { t.invite_set_lacking().into() } else { count },
            // The choice that gives least, unless another was made.
            is_chosen: !is_lacking && chosen.map_or(is_usual, |chosen| chosen == set.id.0),
            is_lacking,
        }
    });
    Ok(InvitePage {
        sets: choices.collect(),
        asks_password: !app.has_proof(at.who.actor()),
        action: path::invite(at.slug()),
        back: path::users(at.slug()),
        errors: Errors::default(),
        shell,
        typed,
    })
}

/// `POST /orgs/{slug}/users/invite`: makes the invitation and shows its link, this once.
///
/// # Errors
/// When the database fails, or with too many wrong passwords.
pub async fn invite(
    app: App,
    url: Data<PublicUrl>,
    at: Manager,
    Form(typed): Form<Typed>,
) -> Result<HttpResponse, WebError> {
    match app.invite(&at.who, typed.form(), at.source.clone()).await {
        Ok(invited) => secret_page(&invited_page(&at, &url, &invited)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let form = invite_page(&app, &at, typed).await?;
            let errors = Errors::new(form.shell.t, &refused.problems);
            refused.page(&InvitePage { errors, ..form })
        }
    }
}

fn invited_page<'a>(at: &Manager, url: &PublicUrl, invited: &'a Invited) -> InvitedPage<'a> {
    InvitedPage {
        shell: at.shell(Nav::Users),
        email: invited.email.as_str(),
        link: format!("{}{}", url.0, path::invitation(invited.code.reveal())),
        back: path::users(at.slug()),
        another: path::invite(at.slug()),
    }
}

/// `GET /orgs/{slug}/users/invitations/{id}/withdrawal`
///
/// # Errors
/// Not found if there is no such invitation any more.
pub async fn ask_withdrawal(
    app: App,
    at: Manager,
    address: Path<(String, i64)>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let invitation = app.invitation(&at.who, InvitationId(address.1)).await?;
    let shell = at.shell(Nav::Users);
    let t = shell.t;
    let question = Question {
        t,
        csrf: shell.csrf,
        title: t.invite_withdraw_title().to_owned(),
        heading: t.invite_withdraw_heading(&invitation.email),
        lines: vec![t.invite_withdraw_text().to_owned()],
        action: path::invitation_withdrawal(at.slug(), invitation.id.0),
        submit: t.invite_withdraw_submit(),
        is_destructive: true,
        cancel: path::users(at.slug()),
        asks_password: false,
        refusal: None,
        errors: Errors::default(),
        is_dialog: false,
    };
    question.ask(&at, is_dialog)
}

/// `POST /orgs/{slug}/users/invitations/{id}/withdrawal`
///
/// # Errors
/// Not found if there is no such invitation any more: it may have been accepted.
pub async fn withdraw(
    app: App,
    at: Manager,
    address: Path<(String, i64)>,
    _: Form<Nothing>,
) -> Result<HttpResponse, WebError> {
    if app.withdraw_invitation(&at.who, InvitationId(address.1), at.source.clone()).await? {
        Ok(see(&path::users_after_withdrawal(at.slug())))
    } else {
        Err(AppError::NotFound.into())
    }
}
