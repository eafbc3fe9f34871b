//! Inviting somebody: the form, the one page that shows the link, and withdrawing an invitation.

use super::{Manager, link::LinkPage};
use crate::{
    App, PublicUrl,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::{Form, Refused},
    notice::{self, Notice},
    page::{IsHtmx, page},
    routes::path,
    shell::{Nav, Shell},
    sign_in::Nothing,
    words::Errors,
};
use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use app::{AppError, invitations::InviteForm, link_code::LinkCode, mail::Fate, mail::Words};
use askama::Template;
use domain::{
    invitation::{InvitationId, VALID_DAYS},
    permission::BuiltInSet,
    permission_set::SetName,
    user::{Email, shown_email},
};
use std::time::Duration;

/// How long the answer waits for the result of sending the mail.
const PATIENCE: Duration = Duration::from_secs(4);

/// The form.
#[derive(Template)]
#[template(path = "users/invite.html")]
struct InvitePage {
    shell: Shell,
    typed: InviteForm,
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

/// `GET /orgs/{slug}/users/invite`
pub async fn form(app: App, at: Manager, typed: Query<InviteForm>) -> Result<HttpResponse, WebError> {
    page(&invite_page(&app, &at, typed.into_inner()).await?)
}

async fn invite_page(app: &App, at: &Manager, typed: InviteForm) -> Result<InvitePage, WebError> {
    let shell = at.shell(Nav::Users);
    let t = shell.t;
    let sets = app::users::sets_to_give(app, &at.who).await?;
    let chosen = typed.permission_set.parse::<i64>().ok();
    let choices = sets.iter().map(|set| {
        let is_lacking = at.who.grant().may_give(&set.permissions).is_err();
        let is_usual = set.name == SetName::BuiltIn(BuiltInSet::Reader);
        let count = t.invitations_new_set_count(set.permissions.count());
        Choice {
            id: set.id.0,
            name: t.set_name(&set.name).to_owned(),
            explained: if is_lacking { t.invitations_new_set_lacking().into() } else { count },
            // The set that grants least, unless another one was chosen.
            is_chosen: !is_lacking && chosen.map_or(is_usual, |chosen| chosen == set.id.0),
            is_lacking,
        }
    });
    Ok(InvitePage {
        sets: choices.collect(),
        asks_password: !app::sessions::recently_authenticated(app, at.who.actor()),
        action: path::invite(at.slug()),
        back: path::users(at.slug()),
        errors: Errors::default(),
        shell,
        typed,
    })
}

/// `POST /orgs/{slug}/users/invite`: creates the invitation and shows its link once.
///
/// # Errors
/// When the database fails, or with too many wrong passwords.
pub async fn invite(
    app: App,
    url: Data<PublicUrl>,
    at: Manager,
    Form(typed): Form<InviteForm>,
) -> Result<HttpResponse, WebError> {
    let compose = letter(&at, url.0.clone());
    match app::invitations::invite(&app, &at.who, typed.clone(), at.source.clone(), compose).await {
        Ok(invited) => {
            let link = format!("{}{}", url.0, path::invitation(invited.code.reveal()));
            let fate = match invited.sending {
                Some(sending) => Some(sending.fate(PATIENCE).await),
                None => None,
            };
            invited_page(&at, &invited.email, link, fate).show()
        }
        Err(error) => {
            let refused = Refused::new(error)?;
            let form = invite_page(&app, &at, typed).await?;
            let errors = Errors::named(form.shell.t, &form.shell.kinds, &refused.problems);
            refused.page(&InvitePage { errors, ..form })
        }
    }
}

/// The mail with the link, in the language of the user who invites.
fn letter(at: &Manager, url: String) -> impl Fn(&LinkCode) -> Words + Send + 'static {
    let (t, inviter) = (at.t(), at.who.actor().user().name.clone());
    let organization = at.who.membership().organization_name.clone();
    move |code| {
        let link = format!("{url}{}", path::invitation(code.reveal()));
        let text = t.invitations_mail_text(&inviter, &organization, VALID_DAYS, link);
        (t.invitations_mail_subject(&organization), text)
    }
}

fn invited_page(at: &Manager, email: &Email, link: String, fate: Option<Fate>) -> LinkPage {
    let shell = at.shell(Nav::Users);
    let t = shell.t;
    let way = match fate {
        Some(Fate::Sent) => t.invitations_ready_mailed(),
        Some(Fate::Waiting) => t.invitations_ready_mail_waits(),
        Some(Fate::Refused) => t.invitations_ready_mail_failed(),
        None => t.invitations_ready_not_mailed(),
    };
    LinkPage {
        title: t.invitations_ready_title(),
        heading: t.invitations_ready_heading(shown_email(email.as_str())),
        lines: vec![way.to_owned(), t.invitations_ready_text(VALID_DAYS)],
        link,
        once: t.invitations_ready_once(),
        back: path::users(at.slug()),
        back_name: t.users_back().to_owned(),
        another: Some((path::invite(at.slug()), t.invitations_ready_another())),
        shell,
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
    let invitation = app::invitations::find(&app, &at.who, InvitationId(address.1)).await?;
    let t = at.t();
    let confirm = Confirm {
        title: t.invitations_withdraw_title().to_owned(),
        heading: t.invitations_withdraw_heading(shown_email(&invitation.email)),
        text: vec![t.invitations_withdraw_text().to_owned()],
        action: path::invitation_withdrawal(at.slug(), invitation.id.0),
        offer: Offer::End(t.invitations_withdraw_submit()),
        cancel: path::users(at.slug()),
        ..Confirm::default()
    };
    confirm.ask(at.shell(Nav::Users), is_dialog)
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
    if app::invitations::withdraw(&app, &at.who, InvitationId(address.1), at.source.clone()).await? {
        Ok(notice::see(&path::users(at.slug()), &Notice::Withdrawn))
    } else {
        Err(AppError::NotFound.into())
    }
}
