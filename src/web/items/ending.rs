//! Ending a share: a confirmation that says who loses what, and who keeps what, and by what.

use super::{Here, OneShare};
use crate::{
    App,
    confirm::{Confirm, Offer},
    effects::Effects,
    errors::WebError,
    form::{Form, Refused},
    holder::AtWork,
    notice::{self, Notice},
    page::IsHtmx,
    routes::path,
    sign_in::Nothing,
};
use actix_web::{HttpResponse, web::Path};
use app::{
    AppError,
    items::{Change, ShareShown},
};

/// `GET /orgs/{slug}/items/{kind}/{id}/shares/{share}/end`
///
/// # Errors
/// Not found if they reach no such item or it has no such share; 403 if they may not share it.
pub async fn confirm_end(
    app: App,
    at: AtWork,
    one: Path<OneShare>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    confirm(&app, &here, &one).await?.ask(here.shell(), is_dialog)
}

async fn confirm(app: &App, here: &Here, one: &OneShare) -> Result<Confirm<Effects>, WebError> {
    let key = one.id.as_str().into();
    let shown = app::items::show_share(app, &here.by, &one.kind, key, &one.share, Change::End).await?;
    let ShareShown { share, recipient, effect, .. } = &shown;
    let (t, calendar) = (here.t(), here.calendar(app));
    let heading = t.sharing_end_heading(t.recipient(share.share.recipient, &recipient.name));
    let question = Confirm {
        title: heading.clone(),
        heading,
        text: vec![t.sharing_end_gives(t.level_verb(share.share.level), calendar.day(share.created_at))],
        action: path::share_end(here.at.slug(), &one.kind, &one.id, &one.share),
        offer: Offer::End(t.sharing_end_button()),
        cancel: here.item(&one.id),
        ..Confirm::default()
    };
    Ok(question.with(Effects { told: t.losses(effect), after: t.sharing_tokens_too() }))
}

/// `POST /orgs/{slug}/items/{kind}/{id}/shares/{share}/end`
///
/// # Errors
/// As [`confirm_end`].
pub async fn end(app: App, at: AtWork, one: Path<OneShare>, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    let (key, source) = (one.id.as_str().into(), here.at.source.clone());
    match app::items::end_share(&app, &here.by, &one.kind, key, &one.share, source).await {
        Ok(_) => {
            // Whoever has ended their own access has no page of the item any more.
            let page = match app::items::find(&app, &here.by, &one.kind, one.id.as_str().into()).await {
                Err(AppError::NotFound) => here.list(),
                _ => here.item(&one.id),
            };
            Ok(notice::see(&page, &Notice::ShareEnded))
        }
        Err(error) => {
            let refused = Refused::new(error)?;
            confirm(&app, &here, &one).await?.ask_again(here.shell(), &refused)
        }
    }
}
