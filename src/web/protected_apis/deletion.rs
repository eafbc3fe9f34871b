//! Deleting a protected API: a confirmation first, as a page of its own or, for htmx, as a dialog.

use super::{Admin, Of};
use crate::{
    App,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::Form,
    notice::{self, Notice},
    page::IsHtmx,
    routes::path,
    shell::Nav,
    sign_in::Nothing,
};
use actix_web::{HttpResponse, web::Path};

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
    let t = at.t();
    let heading = t.protected_apis_delete_heading(stored.name);
    let confirm = Confirm {
        title: heading.clone(),
        heading,
        text: vec![t.protected_apis_delete_text().to_owned()],
        action: path::protected_api_part(at.slug(), &of.id, "deletion"),
        offer: Offer::End(t.protected_apis_delete()),
        cancel: path::protected_api(at.slug(), &of.id),
        ..Confirm::default()
    };
    confirm.ask(at.shell(Nav::Integrations), is_dialog)
}

/// `POST /orgs/{slug}/integrations/apis/{id}/deletion`
///
/// # Errors
/// As [`confirm_deletion`].
pub async fn delete(app: App, at: Admin, of: Path<Of>, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    app::protected_apis::delete(&app, &at.who, &of.id, at.source.clone()).await?;
    Ok(notice::see(&path::protected_apis(at.slug()), &Notice::Deleted))
}
