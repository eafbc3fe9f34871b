//! What the confirmations before something is done to a token have in common.

use super::Admin;
use crate::{confirm::Confirm, errors::WebError, form::Refused, page::see, routes::path, shell::Nav, words::Errors};
use actix_web::{HttpResponse, web::Path};
use app::problem::{Field, Problem};
use askama::Template;
use domain::service_user::ServiceToken;

/// The parts of an address: the organization and the token.
pub(super) type TokenPath = Path<(String, String)>;

/// Returns the beginning of a confirmation: its addresses.
pub(super) fn about(at: &Admin, token: &ServiceToken, part: &str) -> Confirm {
    Confirm {
        action: path::service_token_part(at.slug(), &token.public_id, part),
        cancel: path::service_token(at.slug(), &token.public_id),
        ..Confirm::default()
    }
}

/// Asks again for a new key, with the reason why no key was created. Some reasons leave only the way back.
///
/// # Errors
/// When the template fails.
pub(super) fn ask_for_key_again<F: Template>(
    confirm: Confirm<F>,
    at: &Admin,
    refused: &Refused,
) -> Result<HttpResponse, WebError> {
    let shell = at.shell(Nav::Integrations);
    let at_form = refused.problems.at(Field::Form);
    let mut errors = Errors::named(shell.t, &shell.kinds, &refused.problems);
    if at_form == Some(Problem::SentBefore) {
        errors = errors.reworded("form", shell.t.service_users_regenerate_sent_before());
    }
    if matches!(at_form, None | Some(Problem::TryLater(_) | Problem::KeptForm)) {
        let asks_password = confirm.asks_password || refused.problems.at(Field::Password).is_some();
        Confirm { asks_password, ..confirm }.ask_again_with(shell, refused, errors)
    } else {
        let back = shell.t.service_users_back();
        confirm.impossible(None, back).ask_again_with(shell, refused, errors)
    }
}

/// Redirects to the page of the token if there is nothing to confirm.
pub(super) fn to_token(at: &Admin, ids: &TokenPath) -> Result<HttpResponse, WebError> {
    Ok(see(&path::service_token(at.slug(), &ids.1)))
}
