//! Deleting a permission set: a confirmation first, as a page of its own or, for htmx, as a dialog.

use super::{Editor, Of, show, uses};
use crate::{
    App,
    errors::WebError,
    form::{Form, Refused},
    page::{IsHtmx, page, see},
    routes::path,
    shell::{Nav, Shell},
    sign_in::Nothing,
    texts::Texts,
    words::Errors,
};
use actix_web::{
    HttpResponse,
    web::{Path, Query},
};
use app::{AppError, permission_sets::SetInUse};
use askama::Template;

/// The question.
struct Confirm {
    t: Texts,
    csrf: String,
    action: String,
    name: String,
    cancel: String,
    /// Who still has it, if that is why it cannot be deleted.
    refused: Option<String>,
    is_dialog: bool,
}

/// The question as a page.
#[derive(Template)]
#[template(path = "permission_sets/deletion.html")]
struct ConfirmPage {
    shell: Shell,
    confirm: Confirm,
}

/// The question as a dialog.
#[derive(Template)]
#[template(path = "permission_sets/_dialog.html")]
struct ConfirmDialog {
    confirm: Confirm,
}

/// `GET /orgs/{slug}/permission-sets/{id}/deletion`: one that is in use shows its page instead.
///
/// # Errors
/// Not found if it does not exist, belongs to another organization, or is built in.
pub async fn confirm_deletion(
    app: App,
    at: Editor,
    of: Path<Of>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let set = app::permission_sets::find(&app, &at.who, of.id()).await?;
    if !set.is_own() {
        return Err(AppError::NotFound.into());
    }
    if !set.is_unused() {
        return show(app, at, of, Query(super::Done::default())).await;
    }
    let confirm = Confirm { is_dialog, ..question(&at, &set) };
    if is_dialog {
        page(&ConfirmDialog { confirm })
    } else {
        page(&ConfirmPage { shell: at.shell(Nav::PermissionSets), confirm })
    }
}

fn question(at: &Editor, set: &SetInUse) -> Confirm {
    let (shell, id) = (at.shell(Nav::PermissionSets), set.stored.set.id);
    Confirm {
        t: shell.t,
        csrf: shell.csrf,
        action: path::permission_set_deletion(at.slug(), id),
        name: set.stored.set.name.as_str().to_owned(),
        cancel: path::permission_set(at.slug(), id),
        refused: None,
        is_dialog: false,
    }
}

/// `POST /orgs/{slug}/permission-sets/{id}/deletion`
///
/// # Errors
/// As [`confirm_deletion`].
pub async fn delete(app: App, at: Editor, of: Path<Of>, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    match app::permission_sets::delete(&app, &at.who, of.id(), at.source.clone()).await {
        Ok(_) => Ok(see(&format!("{}?deleted", path::permission_sets(at.slug())))),
        Err(error) => {
            let refused = Refused::new(error)?;
            let set = app::permission_sets::find(&app, &at.who, of.id()).await?;
            let t = at.shell(Nav::PermissionSets).t;
            let why = Errors::new(t, &refused.problems).at("form").map(str::to_owned);
            let why = why.map(|why| format!("{why} ({})", uses(t, &set).join(", ")));
            let confirm = Confirm { refused: why, ..question(&at, &set) };
            refused.page(&ConfirmPage { shell: at.shell(Nav::PermissionSets), confirm })
        }
    }
}
