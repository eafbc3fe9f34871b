//! A new key without an interruption: the old one keeps working beside it for some time.

use super::{
    Admin,
    adding::key_page,
    calendar,
    confirm::{TokenPath, about, ask_for_key_again, to_token},
};
use crate::{
    App, PublicUrl,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::{Form, Refused},
    notice::{self, Notice},
    page::IsHtmx,
    routes::path,
    shell::Nav,
    sign_in::Nothing,
    texts::Texts,
    words::Errors,
};
use actix_web::{HttpResponse, web::Data};
use app::service_users::RotateForm;
use askama::Template;
use domain::service_user::ServiceToken;

/// The choices for how many hours the old key keeps working at most.
const HOURS: [i64; 4] = [1, 24, 72, 168];
/// The choices for after how many unused hours the old key ends earlier.
const QUIET: [i64; 3] = [1, 6, 24];

/// The fields that choose how long the old key keeps working: values and texts, and which one is chosen.
#[derive(Template)]
#[template(path = "service_users/_overlap.html")]
struct Overlap {
    t: Texts,
    typed: RotateForm,
    hours: Vec<(String, String)>,
    quiet: Vec<(String, String)>,
    errors: Errors,
}

fn choices(t: Texts, hours: &[i64]) -> Vec<(String, String)> {
    let words = |hours: i64| match hours {
        48.. => t.service_users_rotation_days_choice(hours / 24),
        _ => t.service_users_rotation_hours_choice(hours),
    };
    hours.iter().map(|hours| (hours.to_string(), words(*hours))).collect()
}

fn quiet_choices(t: Texts) -> Vec<(String, String)> {
    let never = (String::new(), t.service_users_rotation_quiet_no().to_owned());
    std::iter::once(never).chain(choices(t, &QUIET)).collect()
}

fn rotation(app: &App, at: &Admin, token: &ServiceToken, typed: RotateForm, errors: Errors) -> Confirm<Overlap> {
    let t = at.t();
    let confirm = Confirm {
        title: t.service_users_rotation_title().to_owned(),
        heading: t.service_users_rotation_heading(&token.name),
        text: vec![t.service_users_rotation_text().into()],
        asks_password: !app::sessions::recently_authenticated(app, at.who.actor()),
        offer: Offer::Do(t.service_users_rotation_submit()),
        ..about(at, token, "rotation")
    };
    confirm.with(Overlap { t, typed, hours: choices(t, &HOURS), quiet: quiet_choices(t), errors })
}

/// `GET …/tokens/{id}/rotation`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn confirm_rotation(
    app: App,
    at: Admin,
    ids: TokenPath,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let token = app::service_users::find(&app, &at.who, &ids.1).await?;
    if !token.key.life.is_active(app.clock().now()) || token.old_key.is_some() {
        return to_token(&at, &ids);
    }
    let typed = RotateForm { nonce: app::tokens::form_nonce(), ..RotateForm::default() };
    rotation(&app, &at, &token, typed, Errors::default()).ask(at.shell(Nav::Integrations), is_dialog)
}

/// `POST …/tokens/{id}/rotation`: gives the token a second key and shows it once.
///
/// # Errors
/// Not found if it does not exist or belongs to another organization; too many wrong passwords.
pub async fn rotate(
    app: App,
    url: Data<PublicUrl>,
    at: Admin,
    ids: TokenPath,
    Form(typed): Form<RotateForm>,
) -> Result<HttpResponse, WebError> {
    match app::service_users::rotate(&app, &at.who, &ids.1, typed.clone(), at.source.clone()).await {
        Ok(new) => key_page(&app, &at, &url, &new),
        Err(error) => {
            let refused = Refused::new(error)?;
            let token = app::service_users::find(&app, &at.who, &ids.1).await?;
            let errors = Errors::named(at.t(), at.kinds(), &refused.problems);
            ask_for_key_again(rotation(&app, &at, &token, typed, errors), &at, &refused)
        }
    }
}

/// `GET …/tokens/{id}/old-key`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn confirm_end_of_old_key(
    app: App,
    at: Admin,
    ids: TokenPath,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let token = app::service_users::find(&app, &at.who, &ids.1).await?;
    let Some(old) = &token.old_key else { return to_token(&at, &ids) };
    let (t, calendar) = (at.t(), calendar(&app, &at));
    let last_use = match &old.last_use {
        Some(used) => t.service_users_old_last_use(t.from_and_with(used, calendar.when(used.at))),
        None => t.service_users_old_never_used().into(),
    };
    let confirm = Confirm {
        title: t.service_users_old_title().to_owned(),
        heading: t.service_users_old_heading(&token.name),
        text: vec![last_use, t.service_users_old_text().into()],
        offer: Offer::End(t.service_users_rotation_end_old()),
        ..about(&at, &token, "old-key")
    };
    confirm.ask(at.shell(Nav::Integrations), is_dialog)
}

/// `POST …/tokens/{id}/old-key`: ends the old key, if it has not ended yet.
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn end_old_key(app: App, at: Admin, ids: TokenPath, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    app::service_users::end_old_key(&app, &at.who, &ids.1, at.source.clone()).await?;
    Ok(notice::see(&path::service_token(at.slug(), &ids.1), &Notice::OldKeyEnded))
}
