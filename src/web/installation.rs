//! The installation administrators: listing them, adding one, and removing the role.

use super::{
    App,
    errors::WebError,
    form::{Form, Refused},
    holder::Administering,
    page::{IsHtmx, page, see},
    question::Question,
    routes::path,
    shell::{Nav, Shell, initials},
    sign_in::Nothing,
    words::Errors,
};
use actix_web::{
    HttpResponse,
    web::{Path, Query},
};
use app::{
    installation::{Holder, PromotionForm},
    problem::Field,
};
use askama::Template;
use domain::user::UserId;
use serde::Deserialize;

/// What has just been done.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    added: Option<String>,
    removed: Option<String>,
}

/// The list, and the form that adds to it.
#[derive(Template)]
#[template(path = "installation/administrators.html")]
struct AdminsPage {
    shell: Shell,
    done: Option<&'static str>,
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
pub async fn list(app: App, at: Administering, done: Query<Done>) -> Result<HttpResponse, WebError> {
    let form = admins_page(&app, &at, PromotionForm::default()).await?;
    let t = form.shell.t;
    let done =
        done.added.as_ref().map(|_| t.installation_added()).or(done.removed.as_ref().map(|_| t.installation_removed()));
    page(&AdminsPage { done, ..form })
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
        done: None,
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
        Ok(_) => Ok(see(&path::installation_admins_after("added"))),
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
    question(&app, &at, UserId(*id)).await?.ask(at.shell(Nav::InstallationAdmins), is_dialog)
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
        Ok(_) => Ok(see(&path::installation_admins_after("removed"))),
        Err(error) => {
            let refused = Refused::new(error)?;
            question(&app, &at, id).await?.ask_again(at.shell(Nav::InstallationAdmins), &refused)
        }
    }
}

async fn question(app: &App, at: &Administering, id: UserId) -> Result<Question, WebError> {
    let (user, refusal) = app::installation::admin(app, &at.who, id).await?;
    let shell = at.shell(Nav::InstallationAdmins);
    let t = shell.t;
    let mut lines = vec![t.installation_remove_text().to_owned()];
    if id == at.who.actor().user().id {
        lines.insert(0, t.installation_remove_yourself().to_owned());
    }
    Ok(Question {
        t,
        csrf: shell.csrf,
        title: t.installation_remove_title().to_owned(),
        heading: t.installation_remove_heading(&user.name),
        lines,
        action: path::installation_admin_removal(id),
        submit: t.installation_remove(),
        is_destructive: true,
        cancel: path::INSTALLATION_ADMINS.to_owned(),
        asks_password: false,
        refusal: refusal.map(|problem| t.problem(Field::Form, problem)),
        errors: Errors::default(),
        is_dialog: false,
    })
}
