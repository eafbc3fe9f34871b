//! The installation administrators: listing them, adding one, and removing the role.

use super::{
    App,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::{Form, Refused},
    holder::Administering,
    notice::{self, Message, Notice},
    page::{IsHtmx, page, see},
    routes::path,
    shell::{Nav, Shell, initials},
    sign_in::Nothing,
    words::Errors,
};
use actix_web::{HttpResponse, web::Path};
use app::{
    installation::{Holder, PromotionForm},
    problem::Field,
};
use askama::Template;
use domain::user::UserId;

/// The list, and the form that adds to it.
#[derive(Template)]
#[template(path = "installation/administrators.html")]
struct AdminsPage {
    shell: Shell,
    message: Option<Message>,
    rows: Vec<Row>,
    typed: PromotionForm,
    errors: Errors,
    asks_password: bool,
}

/// An installation administrator, as the list shows them.
struct Row {
    name: String,
    initials: String,
    email: String,
    is_you: bool,
    /// Why the role has no effect, if it has none.
    without_effect: Option<&'static str>,
    removal: String,
}

/// `GET /installation/administrators`
///
/// # Errors
/// Not found unless they administer the installation.
pub async fn list(app: App, at: Administering, notice: Option<Notice>) -> Result<HttpResponse, WebError> {
    let form = admins_page(&app, &at, PromotionForm::default()).await?;
    let t = form.shell.t;
    let message = match notice {
        Some(Notice::Added) => Some(Message::done(t.installation_added())),
        Some(Notice::Removed(_)) => Some(Message::done(t.installation_removed())),
        _ => None,
    };
    page(&AdminsPage { message, ..form })
}

async fn admins_page(app: &App, at: &Administering, typed: PromotionForm) -> Result<AdminsPage, WebError> {
    let shell = at.shell(Nav::InstallationAdmins);
    let (t, you) = (shell.t, at.who.actor().user().id);
    let row = |Holder { user, counts }: Holder| Row {
        initials: initials(&user.name),
        is_you: user.id == you,
        without_effect: (!counts)
            .then(|| if user.is_blocked { t.installation_blocked() } else { t.installation_inactive() }),
        removal: path::installation_admin_removal(user.id),
        name: user.name,
        email: user.email,
    };
    Ok(AdminsPage {
        rows: app::installation::admins(app, &at.who).await?.into_iter().map(row).collect(),
        asks_password: !app::sessions::recently_authenticated(app, at.who.actor()),
        message: None,
        errors: Errors::default(),
        shell,
        typed,
    })
}

/// `POST /installation/administrators`
///
/// # Errors
/// Not found unless they administer the installation.
pub async fn promote(app: App, at: Administering, Form(typed): Form<PromotionForm>) -> Result<HttpResponse, WebError> {
    match app::installation::promote(&app, &at.who, typed.clone(), at.source.clone()).await {
        Ok(_) => Ok(notice::see(path::INSTALLATION_ADMINS, &Notice::Added)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let form = admins_page(&app, &at, typed).await?;
            let errors = Errors::new(form.shell.t, &refused.problems);
            refused.page(&AdminsPage { errors, ..form })
        }
    }
}

/// `GET /installation/administrators/{id}/removal`
///
/// # Errors
/// Not found unless both administer the installation.
pub async fn ask(
    app: App,
    at: Administering,
    id: Path<i64>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    confirm(&app, &at, UserId(*id)).await?.ask(at.shell(Nav::InstallationAdmins), is_dialog)
}

/// `POST /installation/administrators/{id}/removal`
///
/// # Errors
/// Not found unless they administer the installation, and for nobody.
pub async fn demote(app: App, at: Administering, id: Path<i64>, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    let id = UserId(*id);
    match app::installation::demote(&app, &at.who, id, at.source.clone()).await {
        // A user who has removed their own role can no longer see the list.
        Ok(_) if id == at.who.actor().user().id => Ok(see(path::PROFILE)),
        Ok(_) => Ok(notice::see(path::INSTALLATION_ADMINS, &Notice::Removed(id.0))),
        Err(error) => {
            let refused = Refused::new(error)?;
            confirm(&app, &at, id).await?.ask_again(at.shell(Nav::InstallationAdmins), &refused)
        }
    }
}

async fn confirm(app: &App, at: &Administering, id: UserId) -> Result<Confirm, WebError> {
    let (user, refusal) = app::installation::admin(app, &at.who, id).await?;
    let t = at.t();
    let mut text = vec![t.installation_remove_text().to_owned()];
    if id == at.who.actor().user().id {
        text.insert(0, t.installation_remove_yourself().to_owned());
    }
    let confirm = Confirm {
        title: t.installation_remove_title().to_owned(),
        heading: t.installation_remove_heading(&user.name),
        text,
        action: path::installation_admin_removal(id),
        offer: Offer::End(t.installation_remove()),
        cancel: path::INSTALLATION_ADMINS.to_owned(),
        ..Confirm::default()
    };
    Ok(match refusal {
        Some(problem) => confirm.impossible(Some(t.problem(&[], Field::Form, problem)), t.common_close()),
        None => confirm,
    })
}
