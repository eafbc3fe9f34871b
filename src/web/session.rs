//! Sessions of the pages: who is signed in when a request arrives.
//!
//! A session is a row in the database, found by the hash of its key: 32 random bytes that only the browser's cookie
//! has. Its owner and its validity are read from the database, so a session that was ended on any node is ended
//! immediately, and nothing can restore its row (S3).
//!
//! The session is read once per request, before anything that can fail ([`recognize`]). So every answer to the request
//! treats its reader the same way, whatever the request ends in.

use super::{
    App,
    cookies::Ours,
    errors::WebError,
    routes::path,
    shell::{Nav, Shell, ShellOrganization, ShellUser},
    source,
    texts::Texts,
};
use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest,
    body::{BoxBody, MessageBody},
    cookie::Cookie,
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header::ACCEPT_LANGUAGE,
    middleware::Next,
};
use app::{
    AppError,
    authority::Member,
    problem::{Field, Problem, Problems},
    sessions::{Actor, Begin, KeyHash},
    sign_in::Device,
};
use domain::{
    activity::Source,
    leak,
    membership::Membership,
    user::{Language, Theme, shown_email},
};
use std::future::{Ready, ready};

/// Starts a session, under a new key, for a user who has just signed in; a session that the browser had before ends.
/// The answer must set the returned cookie.
pub async fn begin(jeton: &App, request: &HttpRequest, begin: Begin) -> Result<(KeyHash, Cookie<'static>), AppError> {
    let key = app::sessions::begin(jeton, begin).await?;
    for before in Ours::Session.sent(request) {
        app::sessions::forget(jeton, &before).await?;
    }
    Ok((KeyHash::of(&key), Ours::Session.cookie(request, key)))
}

/// Returns the device marks that this browser received when somebody signed in from it.
pub fn devices(request: &HttpRequest) -> Vec<Device> {
    Ours::Device.sent(request).into_iter().map(Device).collect()
}

/// Returns a local path to go to after sign-in; anything else becomes the start page (C4).
pub fn safe_next(next: &str) -> &str {
    let is_local = next.starts_with('/') && !next.starts_with("//");
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_local && is_plain { next } else { path::HOME }
}

/// The preferences of the reader, known for every request, with or without a session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reader {
    /// Their language.
    pub language: Language,
    /// Their theme.
    pub theme: Theme,
}

impl Reader {
    /// Reads the preferences from the address (`?lang=`), a cookie or the browser's headers. The settings of a
    /// signed-in user take precedence over these.
    pub fn of(request: &HttpRequest) -> Self {
        let by_cookie = || Ours::Language.sent(request).iter().find_map(|tag| Language::from_key(tag));
        let by_browser = || {
            let header = request.headers().get(ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok());
            Language::from_accept_language(header.unwrap_or_default())
        };
        let language = asked_language(request).or_else(by_cookie).unwrap_or_else(by_browser);
        Self { language, theme: Theme::System }
    }
}

/// Returns the language that a link in the footer asks for.
fn asked_language(request: &HttpRequest) -> Option<Language> {
    request.query_string().split('&').find_map(|pair| pair.strip_prefix("lang=")).and_then(Language::from_key)
}

/// Returns the cookie that stores a language chosen by a link.
pub fn language_cookie(request: &HttpRequest) -> Option<Cookie<'static>> {
    asked_language(request).map(|language| Ours::Language.cookie(request, language.key().to_owned()))
}

/// The user who is signed in for this request. Anybody else is redirected to sign in, and comes back afterwards.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The authenticated user, which verbs require.
    pub actor: Actor,
    /// Where the request comes from.
    pub source: Source,
    shell: Shell,
}

impl SignedIn {
    /// Returns the frame for a page under this entry of the navigation.
    pub fn shell(&self, nav: Nav) -> Shell {
        Shell { nav, ..self.shell.clone() }
    }

    /// Returns the texts in the reader's language.
    pub const fn t(&self) -> Texts {
        self.shell.t
    }

    /// Returns the address of a page of the user's account, in the organization that they work in.
    pub fn here(&self, page: &str) -> String {
        self.shell.here(page)
    }

    /// Returns the user a request comes from, after it went through [`recognize`].
    pub fn known(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// Returns the form token of this session.
    pub fn form_token(&self) -> &str {
        &self.shell.csrf
    }

    /// Returns the same user in the organization that an address of their account names, if it names one. So a page in
    /// one tab stays with its organization, whichever is selected in another tab.
    pub fn at(self, organization: Option<&str>) -> Self {
        organization.and_then(|id| self.working_in(|at| at.organization_public_id == id)).unwrap_or(self)
    }

    /// Returns the same user in the organization that a form was opened for. A form that names no organization is
    /// accepted only if the user has exactly one.
    ///
    /// # Errors
    /// [`Problem::OtherOrganization`] if they are no longer active there, or if it is unclear which organization is
    /// meant.
    pub fn at_that_of_form(&self, organization: &str) -> Result<Self, Problems> {
        let is_clear = organization.is_empty() && self.actor.memberships().len() == 1;
        let is_meant = |at: &Membership| is_clear || at.organization_public_id == organization;
        self.working_in(is_meant).ok_or_else(|| Problems::one(Field::Form, Problem::OtherOrganization))
    }

    /// Returns the same user in the organization that one of their tokens belongs to.
    ///
    /// # Errors
    /// Not found if they have no such token in an organization where they are active.
    pub async fn at_token(self, app: &App, public_id: &str) -> Result<Self, WebError> {
        let actor = app::tokens::at_token(app, &self.actor, public_id).await?;
        let place = actor.membership().map(|at| at.id);
        Ok(self.working_in(|at| Some(at.id) == place).unwrap_or(self))
    }

    fn working_in(&self, is_meant: impl Fn(&Membership) -> bool) -> Option<Self> {
        let actor = self.actor.working_in(is_meant)?;
        let organization = actor.membership().map(ShellOrganization::of);
        Some(Self { actor, source: self.source.clone(), shell: Shell { organization, ..self.shell.clone() } })
    }
}

/// The middleware that determines who is signed in, and in which organization, before anything else can fail.
///
/// # Errors
/// None of its own: a failure of the database becomes an answer.
pub async fn recognize(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match look(request.request()).await {
        Ok(()) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(error) => Ok(request.error_response(error)),
    }
}

async fn look(request: &HttpRequest) -> Result<(), WebError> {
    let Some(jeton) = request.app_data::<App>() else { return Ok(()) };
    for key in Ours::Session.sent(request) {
        match app::sessions::authenticate(jeton, KeyHash::of(&key)).await {
            Ok(actor) => {
                introduce(request, jeton, actor).await;
                return Ok(());
            }
            Err(AppError::SignedOut) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The membership that the address of the request needs, or why there is none; for the one extractor that asks for it.
pub struct Place(pub Result<Member, AppError>);

/// Makes a user the author of the request from here on.
pub async fn introduce(request: &HttpRequest, jeton: &App, actor: Actor) -> SignedIn {
    let place = match path::organization_of(request.match_info().as_str()) {
        Some(slug) => Some(app::authority::enter(jeton, actor.clone(), slug).await),
        None => None,
    };
    let at = place.as_ref().and_then(|place| place.as_ref().ok()).map(Member::membership).or(actor.membership());
    let user = actor.user();
    let browser = Reader::of(request);
    let reader = Reader { language: user.language.unwrap_or(browser.language), theme: user.theme };
    let shell = Shell {
        user: Some(ShellUser {
            name: user.name.clone(),
            email: shown_email(&user.email),
            is_installation_admin: actor.is_installation_admin(),
            has_shortcuts: user.has_shortcuts,
        }),
        organization: at.map(ShellOrganization::of),
        organizations: actor.memberships().iter().map(|at| (at.slug.clone(), at.organization_name.clone())).collect(),
        csrf: app::forms::token(jeton, &actor),
        ..frame(request, jeton, reader)
    };
    let who = SignedIn { actor, source: source::of(request), shell: shell.clone() };
    let mut extensions = request.extensions_mut();
    extensions.insert(reader);
    // An error page for this request gets the same frame.
    extensions.insert(shell);
    if let Some(place) = place {
        extensions.insert(Place(place));
    }
    extensions.insert(who.clone());
    who
}

/// Makes the pages of the answer say that a form came back.
pub fn note_kept_form(request: &HttpRequest) {
    let mut extensions = request.extensions_mut();
    if let Some(who) = extensions.get_mut::<SignedIn>() {
        who.shell.shows_kept_form = true;
    }
}

impl FromRequest for SignedIn {
    type Error = WebError;
    type Future = Ready<Result<Self, WebError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::known(request).ok_or(WebError::SignedOut))
    }
}

/// Any visitor, on a page that does not need a session.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Where the request comes from.
    pub source: Source,
    /// The frame.
    pub shell: Shell,
}

impl Visitor {
    /// Whoever a request comes from.
    pub fn of(request: &HttpRequest, jeton: &App) -> Self {
        Self { source: source::of(request), shell: frame(request, jeton, Reader::of(request)) }
    }
}

impl FromRequest for Visitor {
    type Error = WebError;
    type Future = Ready<Result<Self, WebError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.app_data::<App>().map(|jeton| Self::of(request, jeton)).ok_or(WebError::SignedOut))
    }
}

fn frame(request: &HttpRequest, jeton: &App, reader: Reader) -> Shell {
    // The links to other languages keep the other parameters of the address, such as the code of the set-up link, but
    // no API key.
    let is_kept = |pair: &&str| !pair.is_empty() && !pair.starts_with("lang=") && !leak::names_a_key(pair);
    let kept: Vec<&str> = request.query_string().split('&').filter(is_kept).collect();
    let query = kept.into_iter().map(|pair| format!("{pair}&")).collect();
    Shell { query, ..Shell::outside(Texts(reader.language), reader.theme, jeton.is_demo()) }
}

#[cfg(test)]
mod tests {
    use super::safe_next;

    #[test]
    fn signing_in_never_redirects_to_another_site() {
        assert_eq!(safe_next("/account/tokens?x=1"), "/account/tokens?x=1");
        for evil in ["//evil", "/\\evil", "/\t/evil", "https://evil", "evil", "", "/ /evil", "/%09\n", "\\\\evil"] {
            assert_eq!(safe_next(evil), "/", "{evil:?}");
        }
    }
}
