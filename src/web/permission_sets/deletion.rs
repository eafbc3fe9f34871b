//! Deleting a permission set: a confirmation first, as a page of its own or, for htmx, as a dialog.

use super::{Editor, Of, show, uses};
use crate::{
    App,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::{Form, Refused},
    notice::{self, Notice},
    page::IsHtmx,
    routes::path,
    shell::Nav,
    sign_in::Nothing,
    words::Errors,
};
use actix_web::{HttpResponse, web::Path};
use app::{AppError, permission_sets::SetInUse};

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
        return show(app, at, of, None).await;
    }
    confirm(&at, &set).ask(at.shell(Nav::PermissionSets), is_dialog)
}

fn confirm(at: &Editor, set: &SetInUse) -> Confirm {
    let (t, id) = (at.t(), set.stored.set.id);
    let heading = t.permission_sets_delete_heading(set.stored.set.name.as_str());
    Confirm {
        title: heading.clone(),
        heading,
        text: vec![t.permission_sets_delete_text().to_owned()],
        action: path::permission_set_deletion(at.slug(), id),
        offer: Offer::End(t.permission_sets_delete()),
        cancel: path::permission_set(at.slug(), id),
        ..Confirm::default()
    }
}

/// `POST /orgs/{slug}/permission-sets/{id}/deletion`
///
/// # Errors
/// As [`confirm_deletion`].
pub async fn delete(app: App, at: Editor, of: Path<Of>, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    match app::permission_sets::delete(&app, &at.who, of.id(), at.source.clone()).await {
        Ok(_) => Ok(notice::see(&path::permission_sets(at.slug()), &Notice::Deleted)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let set = app::permission_sets::find(&app, &at.who, of.id()).await?;
            let shell = at.shell(Nav::PermissionSets);
            let t = shell.t;
            let why = Errors::new(t, &refused.problems).at("form").map(str::to_owned);
            let why = why.map(|why| format!("{why} ({})", uses(t, &set).join(", ")));
            confirm(&at, &set).impossible(why, t.common_close()).ask_again_with(shell, &refused, Errors::default())
        }
    }
}
