//! Deleting a protected API: a confirmation first, as a page of its own or, for htmx, as a dialog.

use super::{Admin, Of};
use crate::{
    App,
    errors::WebError,
    form::Form,
    page::{IsHtmx, page, see},
    routes::path,
    shell::{Nav, Shell},
    sign_in::Nothing,
    texts::Texts,
};
use actix_web::{HttpResponse, web::Path};
use askama::Template;

/// The question.
struct Confirm {
    t: Texts,
    csrf: String,
    action: String,
    name: String,
    cancel: String,
    is_dialog: bool,
}

/// The question as a page.
#[derive(Template)]
#[template(path = "protected_apis/deletion.html")]
struct ConfirmPage {
    shell: Shell,
    confirm: Confirm,
}

/// The question as a dialog.
#[derive(Template)]
#[template(path = "protected_apis/_dialog.html")]
struct ConfirmDialog {
    confirm: Confirm,
}

/// `GET /orgs/{slug}/integrations/apis/{id}/deletion`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn confirm_deletion(
    app: App,
    at: Admin,
    of: Path<Of>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let stored = app::protected_apis::find(&app, &at.who, &of.id).await?;
    let shell = at.shell(Nav::Integrations);
    let confirm = Confirm {
        t: shell.t,
        csrf: shell.csrf.clone(),
        action: path::protected_api_part(at.slug(), &of.id, "deletion"),
        name: stored.name,
        cancel: path::protected_api(at.slug(), &of.id),
        is_dialog,
    };
    if is_dialog { page(&ConfirmDialog { confirm }) } else { page(&ConfirmPage { shell, confirm }) }
}

/// `POST /orgs/{slug}/integrations/apis/{id}/deletion`
///
/// # Errors
/// As [`confirm_deletion`].
pub async fn delete(app: App, at: Admin, of: Path<Of>, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    app::protected_apis::delete(&app, &at.who, &of.id, at.source.clone()).await?;
    Ok(see(&format!("{}?deleted", path::protected_apis(at.slug()))))
}
