//! Revocation by anybody who has the key (RFC 7009).

use super::caller::{ClientFields, OAuthError, caller, is_named, token};
use crate::{App, errors::WebError, form::OpenForm, source};
use actix_web::{HttpRequest, HttpResponse};
use domain::{access::Demand, leak};
use serde::Deserialize;

/// The form of RFC 7009, section 2.1. `token_type_hint` is ignored: the key itself shows its kind.
#[derive(Deserialize)]
pub struct RevocationForm {
    token: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// `POST /oauth2/revoke`: revokes a token by its key, and answers 200 even if there is nothing to revoke. Having the
/// key is enough, as it is for using it; a caller that identifies itself must do so correctly. Extra characters around
/// a key, such as a line break, do not prevent the revocation.
///
/// # Errors
/// When the form has no token, the caller's credentials are wrong, or the database fails.
pub async fn revoke(
    jeton: App,
    request: HttpRequest,
    form: Result<OpenForm<RevocationForm>, WebError>,
) -> Result<HttpResponse, actix_web::Error> {
    let OpenForm(form) = form.map_err(OAuthError::of_body)?;
    let fields = ClientFields::new(form.client_id, form.client_secret);
    if is_named(&request, &fields) {
        caller(&request, &fields, Demand::default()).await?;
    }
    let keys = leak::keys_in(&token(form.token)?);
    app::tokens::revoke_by_keys(&jeton, &keys, source::of(&request)).await.map_err(WebError::from)?;
    Ok(HttpResponse::Ok().finish())
}
