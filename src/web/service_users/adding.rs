//! Creating a token: the form, and the one answer that shows its key.

use super::{Admin, calendar};
use crate::{
    App, PublicUrl,
    errors::WebError,
    form::{FormWith, Refused},
    page::{page, secret_page},
    permissions::{PermissionFields, Pressed, chosen, picked},
    routes::path,
    samples::Samples,
    shell::{Nav, Shell},
    texts::Texts,
    words::{Calendar, Errors},
};
use actix_web::{HttpResponse, web::Data};
use app::{
    problem::{Field, Problem, Problems},
    service_users::{NewKey, ServiceTokenForm, ServiceTokens},
};
use askama::Template;
use domain::{
    permission::Permissions,
    service_user::ServiceToken,
    text::TextError,
    token::{InactivityExpiry, SERVICE_LIMIT},
};

/// How many of the longest unused tokens are suggested for revocation when the limit is reached.
const NAMED: usize = 5;

/// The form.
#[derive(Template)]
#[template(path = "service_users/new.html")]
struct NewPage {
    shell: Shell,
    organization: String,
    slug: String,
    typed: ServiceTokenForm,
    fields: PermissionFields,
    nonce: String,
    errors: Errors,
    periods: Vec<i16>,
    asks_password: bool,
    full: Option<Full>,
}

/// What could be revoked to make room for another token.
pub(super) struct Full {
    pub(super) in_all: usize,
    pub(super) idle: Vec<Idle>,
    pub(super) list: String,
}

/// A token that could be revoked.
pub(super) struct Idle {
    pub(super) href: String,
    pub(super) revocation: String,
    pub(super) name: String,
    pub(super) used: String,
}

/// The answer with the key.
#[derive(Template)]
#[template(path = "service_users/key.html")]
struct KeyPage<'a> {
    shell: Shell,
    name: &'a str,
    /// How long the old key keeps working beside the new one.
    until: Option<String>,
    key: &'a str,
    samples: Samples,
    done: String,
}

/// `GET /orgs/{slug}/integrations/tokens/new`
pub async fn new(app: App, at: Admin) -> Result<HttpResponse, WebError> {
    let usual = InactivityExpiry::default().days().to_string();
    let empty = ServiceTokenForm { inactivity: usual, ..ServiceTokenForm::default() };
    page(&new_page(&app, &at, empty, at.who.grant().held().clone(), None).await?)
}

/// `POST /orgs/{slug}/integrations/tokens`: creates the token and shows its key once. A press of *select all* or *none*
/// without JavaScript creates nothing.
///
/// # Errors
/// When the database fails, or with too many wrong passwords.
pub async fn create(
    app: App,
    url: Data<PublicUrl>,
    at: Admin,
    FormWith(typed, pressed): FormWith<ServiceTokenForm, Pressed>,
) -> Result<HttpResponse, WebError> {
    let known = at.who.grant().known();
    let chosen = chosen(&typed.permissions, known);
    if !pressed.pick.is_empty() {
        let picked = picked(&pressed.pick, known, &chosen, at.who.grant().held()).unwrap_or(chosen);
        return page(&new_page(&app, &at, typed, picked, None).await?);
    }
    match app::service_users::create(&app, &at.who, typed.clone(), at.source.clone()).await {
        Ok(created) => key_page(&app, &at, &url, &created),
        Err(error) => {
            let refused = Refused::new(error)?;
            refused.page(&new_page(&app, &at, typed, chosen, Some(&refused.problems)).await?)
        }
    }
}

/// Returns the answer that shows a key, for every action that creates one.
pub(super) fn key_page(app: &App, at: &Admin, url: &PublicUrl, new: &NewKey) -> Result<HttpResponse, WebError> {
    let shell = at.shell(Nav::Integrations);
    let (token, key, calendar) = (&new.token, new.key.reveal(), calendar(app, at));
    let until = token.old_key.as_ref().and_then(|old| old.life.ends_at);
    secret_page(&KeyPage {
        name: &token.name,
        until: until.map(|until| shell.t.service_users_rotation_until(calendar.exact(until))),
        key,
        samples: Samples::new(&url.0, key),
        done: match until {
            Some(_) => path::service_token(at.slug(), &token.public_id),
            None => path::service_tokens(at.slug()),
        },
        shell,
    })
}

async fn new_page(
    app: &App,
    at: &Admin,
    typed: ServiceTokenForm,
    chosen: Permissions,
    problems: Option<&Problems>,
) -> Result<NewPage, WebError> {
    let shell = at.shell(Nav::Integrations);
    let tokens = app::service_users::list(app, &at.who).await?;
    let at_form = problems.and_then(|problems| problems.at(Field::Form));
    let at_password = problems.and_then(|problems| problems.at(Field::Password));
    // A form that has already created its token must not create another one unless it is sent on purpose, as a new
    // form.
    let is_used_up = typed.nonce.is_empty() || matches!(at_form, Some(Problem::SentBefore | Problem::NotAChoice));
    let full = full(shell.t, calendar(app, at), at.slug(), &tokens);
    let mut errors = problems.map(|problems| worded(at, problems)).unwrap_or_default();
    if full.is_some() && at_form == Some(Problem::ServiceLimitReached) {
        // The list of tokens that could be revoked says the same and more.
        errors = Errors::default();
    }
    Ok(NewPage {
        organization: at.who.membership().organization_name.clone(),
        slug: at.slug().to_owned(),
        fields: PermissionFields::new(shell.t, at.kinds(), &chosen, at.who.grant().held()),
        nonce: if is_used_up { app::tokens::form_nonce() } else { typed.nonce.clone() },
        periods: InactivityExpiry::ALL.map(InactivityExpiry::days).to_vec(),
        asks_password: at_password.is_some() || !app::sessions::recently_authenticated(app, at.who.actor()),
        errors,
        full,
        typed,
        shell,
    })
}

fn worded(at: &Admin, problems: &Problems) -> Errors {
    let t = at.t();
    let mut errors = Errors::named(t, at.kinds(), problems);
    if problems.at(Field::Name) == Some(Problem::Text(TextError::Empty)) {
        errors = errors.reworded("name", t.service_users_name_empty());
    }
    if problems.at(Field::Form) == Some(Problem::SentBefore) {
        errors = errors.reworded("form", t.service_users_sent_before());
    }
    errors
}

/// Returns the tokens that could be revoked if the limit is reached, longest unused first.
pub(super) fn full(t: Texts, calendar: Calendar, slug: &str, tokens: &ServiceTokens) -> Option<Full> {
    let in_all = tokens.active.len();
    if in_all < usize::from(SERVICE_LIMIT.unsigned_abs()) {
        return None;
    }
    let mut active: Vec<&ServiceToken> = tokens.active.iter().collect();
    active.sort_by_key(|token| (token.key.life.idle_since(), token.id.0));
    let idle = active.into_iter().take(NAMED).map(|token| Idle {
        href: path::service_token(slug, &token.public_id),
        revocation: path::service_token_part(slug, &token.public_id, "revocation"),
        name: token.name.clone(),
        used: match &token.key.last_use {
            Some(used) => t.use_in_a_line(used, &calendar.when(used.at)),
            None => t.tokens_never_used().into(),
        },
    });
    Some(Full { in_all, idle: idle.collect(), list: path::service_tokens(slug) })
}
