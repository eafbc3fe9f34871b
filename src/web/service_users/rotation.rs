//! A new key without an interruption: the old one goes on working beside it for a while.

use super::{
    Admin,
    adding::key_page,
    calendar,
    ending::{Confirm, asked, refused_renewal},
};
use crate::{
    app::service_users::RotateForm,
    storage::tokens::service_users::ServiceToken,
    web::{
        App, PublicUrl,
        errors::WebError,
        form::{Form, Refused},
        page::{IsHtmx, page, see},
        routes::path,
        shell::{Nav, Shell},
        sign_in::Nothing,
        texts::Texts,
    },
};
use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use askama::Template;
use serde::Deserialize;

/// For how many hours the old key goes on working at the most, as it can be chosen.
const HOURS: [i64; 4] = [1, 24, 72, 168];
/// After how many quiet hours it ends before that, as it can be chosen.
const QUIET: [i64; 3] = [1, 6, 24];

/// What was chosen.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Typed {
    hours: String,
    quiet: String,
    password: Option<String>,
    nonce: String,
}

impl Default for Typed {
    /// A day, and no earlier end.
    fn default() -> Self {
        Self { hours: "24".into(), quiet: String::new(), password: None, nonce: String::new() }
    }
}

/// The question for how long, as a page.
#[derive(Template)]
#[template(path = "service_users/rotation.html")]
struct RotationPage {
    shell: Shell,
    confirm: Confirm,
    typed: Typed,
    hours: Vec<(String, String)>,
    quiet: Vec<(String, String)>,
}

/// The question for how long, as a dialog.
#[derive(Template)]
#[template(path = "service_users/_dialog_rotation.html")]
struct RotationDialog {
    confirm: Confirm,
    typed: Typed,
    hours: Vec<(String, String)>,
    quiet: Vec<(String, String)>,
}

fn choices(t: Texts, hours: &[i64]) -> Vec<(String, String)> {
    let words = |hours: i64| match hours {
        48.. => t.rotation_days_choice(hours / 24),
        _ => t.rotation_hours_choice(hours),
    };
    hours.iter().map(|hours| (hours.to_string(), words(*hours))).collect()
}

fn quiet_choices(t: Texts) -> Vec<(String, String)> {
    let never = (String::new(), t.rotation_quiet_no().to_owned());
    std::iter::once(never).chain(choices(t, &QUIET)).collect()
}

fn question(app: &App, at: &Admin, token: &ServiceToken, nonce: String) -> Confirm {
    let t = at.shell(Nav::Integrations).t;
    Confirm {
        title: t.rotation_title(),
        heading: t.rotation_heading(&token.name),
        text: vec![t.rotation_text().into()],
        submit: t.rotation_submit(),
        nonce: Some(nonce),
        asks_password: !app.has_proof(at.who.actor()),
        ..Confirm::new(at, token, "rotation", false)
    }
}

/// `GET …/tokens/{id}/rotation`
///
/// # Errors
/// Not found if there is none, or it belongs to another organization.
pub async fn confirm_rotation(
    app: App,
    at: Admin,
    ids: Path<(String, String)>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let token = app.service_token(&at.who, &ids.1).await?;
    if !token.key.life.is_active(app.clock().now()) || token.old_key.is_some() {
        return Ok(see(&path::service_token(at.slug(), &ids.1)));
    }
    let confirm = Confirm { is_dialog, ..question(&app, &at, &token, app.form_nonce()) };
    let (t, typed) = (confirm.t, Typed::default());
    let (hours, quiet) = (choices(t, &HOURS), quiet_choices(t));
    if is_dialog {
        page(&RotationDialog { confirm, typed, hours, quiet })
    } else {
        page(&RotationPage { shell: at.shell(Nav::Integrations), confirm, typed, hours, quiet })
    }
}

/// `POST …/tokens/{id}/rotation`: gives the token a second key and shows it, this once.
///
/// # Errors
/// Not found if there is none, or it belongs to another organization; too many wrong passwords.
pub async fn rotate(
    app: App,
    url: Data<PublicUrl>,
    at: Admin,
    ids: Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Result<HttpResponse, WebError> {
    let Typed { hours, quiet, password, nonce } = typed.clone();
    let form = RotateForm { hours, quiet, password, nonce };
    match app.rotate_service_token(&at.who, &ids.1, form, at.source.clone()).await {
        Ok(new) => key_page(&app, &at, &url, &new),
        Err(error) => {
            let refused = Refused::new(error)?;
            let token = app.service_token(&at.who, &ids.1).await?;
            let again = question(&app, &at, &token, typed.nonce.clone());
            let confirm = refused_renewal(again, &refused.problems);
            let (hours, quiet) = (choices(confirm.t, &HOURS), quiet_choices(confirm.t));
            let shell = at.shell(Nav::Integrations);
            refused.page(&RotationPage { shell, confirm, typed, hours, quiet })
        }
    }
}

/// `GET …/tokens/{id}/old-key`
///
/// # Errors
/// Not found if there is none, or it belongs to another organization.
pub async fn confirm_end_of_old_key(
    app: App,
    at: Admin,
    ids: Path<(String, String)>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let token = app.service_token(&at.who, &ids.1).await?;
    let Some(old) = &token.old_key else { return Ok(see(&path::service_token(at.slug(), &ids.1))) };
    let (t, calendar) = (at.shell(Nav::Integrations).t, calendar(&app, &at));
    let last_use = match &old.last_use {
        Some(used) => t.service_end_old_last_use(t.from_and_with(used, calendar.when(used.at))),
        None => t.service_end_old_never_used().into(),
    };
    asked(
        &at,
        Confirm {
            title: t.service_end_old_title(),
            heading: t.service_end_old_heading(&token.name),
            text: vec![last_use, t.service_end_old_text().into()],
            submit: t.rotation_end_old(),
            is_destructive: true,
            ..Confirm::new(&at, &token, "old-key", is_dialog)
        },
    )
}

/// `POST …/tokens/{id}/old-key`: ends it, if it has not ended before.
///
/// # Errors
/// Not found if there is none, or it belongs to another organization.
pub async fn end_old_key(
    app: App,
    at: Admin,
    ids: Path<(String, String)>,
    _: Form<Nothing>,
) -> Result<HttpResponse, WebError> {
    app.end_old_key(&at.who, &ids.1, at.source.clone()).await?;
    Ok(see(&format!("{}?saved=old-key", path::service_token(at.slug(), &ids.1))))
}
