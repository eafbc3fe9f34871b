//! Organizations: switching between them, and where each begins.

use super::{
    App, errors::WebError, form::Form, holder::AtWork, page::see, routes::path, session::SignedIn, shell::Nav,
};
use actix_web::HttpResponse;
use serde::Deserialize;

/// The choice of an organization.
#[derive(Debug, Deserialize)]
pub struct Choice {
    organization: String,
}

/// `POST /account/organization`: works in another organization from now on.
///
/// # Errors
/// Not found for an organization that they are not active in.
pub async fn choose(app: App, who: SignedIn, Form(choice): Form<Choice>) -> Result<HttpResponse, WebError> {
    app.choose_organization(&who.actor, &choice.organization).await?;
    Ok(see(&path::organization(&choice.organization)))
}

/// `GET /orgs/{slug}`: the first section that they may see, or their own tokens.
pub async fn home(at: AtWork) -> HttpResponse {
    let first = at.shell(Nav::None).sections().into_iter().next();
    see(&first.map_or_else(|| path::TOKENS.to_owned(), |section| section.href))
}
