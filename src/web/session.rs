//! Sessions of the pages: who is signed in with this request.
//!
//! actix-session carries the cookie; the sessions themselves are rows of our own table, found by the hash of their key.
//! The state that it hands to handlers is only that key: who it belongs to, and whether it still does, is read from the
//! database by whoever needs to know, so a session that was ended anywhere is ended at once, and nothing can bring its row
//! back (S3).

use super::{
    App, PublicUrl,
    errors::WebError,
    shell::{Nav, Shell, ShellOrganization, ShellUser},
    source,
    texts::Texts,
};
use crate::{
    app::{
        Jeton,
        sessions::{Actor, Begin, KeyHash},
        sign_in::Device,
    },
    domain::{
        activity::Source,
        leak,
        user::{Language, Theme, UserId, shown_email},
    },
};
use actix_session::{
    Session, SessionExt, SessionMiddleware,
    storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError},
};
use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    cookie::{Cookie, Key, SameSite, time::Duration},
    dev::Payload,
    http::header::ACCEPT_LANGUAGE,
    web::Data,
};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, future::Future, pin::Pin};

/// The one entry of the state of a session that is going on: its key.
const KEY: &str = "key";
/// The one entry of the state of a session that is to be stored.
const BEGIN: &str = "begin";
/// The cookie that keeps the language of somebody who is not signed in.
const LANGUAGE: &str = "jeton_language";
/// The cookie that marks a browser from which somebody has signed in.
const DEVICE: &str = "jeton_device";

/// The key that signs session cookies.
pub fn cookie_key(jeton: &Jeton) -> Key {
    Key::from(&jeton.cookie_secret())
}

/// The middleware that carries the cookie. Over TLS its name begins with `__Host-`, which browsers take from this host
/// alone; browsers drop such cookies on plain HTTP, where the name is another (S1).
pub fn middleware(jeton: &App, url: &PublicUrl, key: &Key) -> SessionMiddleware<Store> {
    let name = if url.is_https() { "__Host-jeton" } else { "jeton" };
    SessionMiddleware::builder(Store(jeton.clone()), key.clone())
        .cookie_name(name.into())
        .cookie_secure(url.is_https())
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .build()
}

/// Our table behind actix-session.
pub struct Store(App);

type State = HashMap<String, String>;

/// What a handler leaves in the state for a session that begins.
#[derive(Serialize, Deserialize)]
struct Beginning {
    user: i64,
    generation: i64,
    address: String,
    program: String,
    request_id: String,
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> anyhow::Error {
    anyhow::Error::new(error)
}

impl SessionStore for Store {
    /// Asks nobody: whether there is such a session is asked once, by [`SignedIn`].
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        let json = serde_json::to_string(key.as_ref()).map_err(|error| LoadError::Deserialization(other(error)))?;
        Ok(Some(State::from([(KEY.to_owned(), json)])))
    }

    async fn save(&self, state: State, _: &Duration) -> Result<SessionKey, SaveError> {
        let json = state.get(BEGIN).ok_or_else(|| SaveError::Other(anyhow::anyhow!("nobody signed in")))?;
        let beginning: String = serde_json::from_str(json).map_err(|error| SaveError::Serialization(other(error)))?;
        let new: Beginning =
            serde_json::from_str(&beginning).map_err(|error| SaveError::Serialization(other(error)))?;
        let source = Source { address: new.address, program: new.program, request_id: new.request_id };
        let begin = Begin { user: UserId(new.user), generation: new.generation, source };
        let key = self.0.begin_session(begin).await.map_err(|error| SaveError::Other(other(error)))?;
        key.try_into().map_err(|error| SaveError::Other(other(error)))
    }

    /// The state of a session never changes; a handler that tried would bring an ended session back.
    async fn update(&self, _: SessionKey, _: State, _: &Duration) -> Result<SessionKey, UpdateError> {
        Err(UpdateError::Other(anyhow::anyhow!("the state of a session does not change")))
    }

    async fn update_ttl(&self, _: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        self.0.drop_session(key.as_ref()).await.map_err(other)
    }
}

/// Begins a session for somebody who has just signed in, under a new key; one that the browser had before ends.
///
/// # Errors
/// When the state cannot be written.
pub fn begin(session: &Session, begin: Begin) -> Result<(), WebError> {
    let broken = |error: String| WebError::App(crate::app::AppError::Broken(error));
    let beginning = Beginning {
        user: begin.user.0,
        generation: begin.generation,
        address: begin.source.address,
        program: begin.source.program,
        request_id: begin.source.request_id,
    };
    let json = serde_json::to_string(&beginning).map_err(|error| broken(error.to_string()))?;
    session.clear();
    session.insert(BEGIN, json).map_err(|error| broken(error.to_string()))?;
    session.renew();
    Ok(())
}

/// The session that this request came with, living or not.
pub fn key(request: &HttpRequest) -> Option<KeyHash> {
    let key: Option<String> = request.get_session().get(KEY).ok().flatten();
    key.map(|key| KeyHash::of(&key))
}

/// The mark that this browser got when somebody signed in from it.
pub fn device(request: &HttpRequest) -> Option<Device> {
    request.cookie(DEVICE).map(|cookie| Device(cookie.value().to_owned()))
}

/// The cookie with a browser's mark, for a year.
pub fn device_cookie(device: Device, url: &PublicUrl) -> Cookie<'static> {
    Cookie::build(DEVICE, device.0)
        .path("/sign-in")
        .http_only(true)
        .secure(url.is_https())
        .same_site(SameSite::Lax)
        .max_age(Duration::days(365))
        .finish()
}

/// A local path to go to after signing in; anything else becomes the first page (C4).
pub fn safe_next(next: &str) -> &str {
    let is_local = next.starts_with('/') && !next.starts_with("//");
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_local && is_plain { next } else { "/" }
}

/// How whoever reads this wants it: known for every request, with or without a session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reader {
    /// Their language.
    pub language: Language,
    /// Their theme.
    pub theme: Theme,
}

impl Reader {
    /// As the address (`?lang=`), a cookie or the browser says. The settings of whoever is signed in come before these.
    pub fn of(request: &HttpRequest) -> Self {
        let by_cookie = || request.cookie(LANGUAGE).and_then(|cookie| Language::from_tag(cookie.value()));
        let by_browser = || {
            let header = request.headers().get(ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok());
            Language::from_accept_language(header.unwrap_or_default())
        };
        let language = asked_language(request).or_else(by_cookie).unwrap_or_else(by_browser);
        Self { language, theme: Theme::System }
    }
}

/// The language that a link in the footer asks for.
fn asked_language(request: &HttpRequest) -> Option<Language> {
    request.query_string().split('&').find_map(|pair| pair.strip_prefix("lang=")).and_then(Language::from_tag)
}

/// The cookie that keeps a language asked for by a link.
pub fn language_cookie(request: &HttpRequest) -> Option<Cookie<'static>> {
    asked_language(request).map(|language| {
        let secure = request.app_data::<Data<PublicUrl>>().is_some_and(|url| url.is_https());
        Cookie::build(LANGUAGE, language.tag())
            .path("/")
            .http_only(true)
            .secure(secure)
            .same_site(SameSite::Lax)
            .max_age(Duration::days(365))
            .finish()
    })
}

/// Somebody who is signed in, at this request. Whoever is not is sent to sign in and comes back.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Proof of it, which verbs ask for.
    pub actor: Actor,
    /// Where the request comes from.
    pub source: Source,
    shell: Shell,
}

impl SignedIn {
    /// The frame for a page under this entry of the navigation.
    pub fn shell(&self, nav: Nav) -> Shell {
        Shell { nav, ..self.shell.clone() }
    }
}

impl FromRequest for SignedIn {
    type Error = WebError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, WebError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let signed_out = || WebError::SignedOut { next: next_after_sign_in(&request) };
            let jeton = request.app_data::<App>().ok_or_else(signed_out)?;
            let key = key(&request).ok_or_else(signed_out)?;
            let csrf = jeton.form_token(&key);
            let actor = match jeton.authenticate(key).await {
                Err(crate::app::AppError::SignedOut) => return Err(signed_out()),
                authenticated => authenticated?,
            };
            let user = actor.user();
            let browser = Reader::of(&request);
            let reader = Reader { language: user.language.unwrap_or(browser.language), theme: user.theme };
            request.extensions_mut().insert(reader);
            let who = ShellUser {
                name: user.name.clone(),
                email: shown_email(&user.email),
                is_installation_admin: actor.is_installation_admin(),
            };
            let organizations = actor.memberships().iter();
            let shell = Shell {
                user: Some(who),
                organization: actor.membership().map(ShellOrganization::of),
                organizations: organizations.map(|at| (at.slug.clone(), at.organization_name.clone())).collect(),
                csrf,
                ..frame(&request, jeton, reader)
            };
            // An error page that this request ends in has the same frame.
            request.extensions_mut().insert(shell.clone());
            Ok(Self { actor, source: source::of(&request), shell })
        })
    }
}

/// Anybody, on a page that needs nobody signed in.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Where the request comes from.
    pub source: Source,
    /// The frame.
    pub shell: Shell,
}

impl FromRequest for Visitor {
    type Error = WebError;
    type Future = std::future::Ready<Result<Self, WebError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let visitor = request
            .app_data::<App>()
            .map(|jeton| Self { source: source::of(request), shell: frame(request, jeton, Reader::of(request)) });
        std::future::ready(visitor.ok_or(WebError::SignedOut { next: String::new() }))
    }
}

fn frame(request: &HttpRequest, jeton: &App, reader: Reader) -> Shell {
    // The links to other languages keep the rest of the address, such as the code of the set-up link, but no API key.
    let is_kept = |pair: &&str| !pair.is_empty() && !pair.starts_with("lang=") && !leak::names_a_key(pair);
    let kept: Vec<&str> = request.query_string().split('&').filter(is_kept).collect();
    let query = kept.into_iter().map(|pair| format!("{pair}&")).collect();
    Shell { query, ..Shell::outside(Texts(reader.language), reader.theme, jeton.is_demo()) }
}

/// Where to go after signing in: to the page that was asked for, without an API key in its address; what was to be
/// changed is not changed unseen.
fn next_after_sign_in(request: &HttpRequest) -> String {
    match request.method().is_safe() {
        true if leak::names_a_key(request.query_string()) => request.path().to_owned(),
        true => request.uri().to_string(),
        false => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::safe_next;

    #[test]
    fn after_signing_in_nobody_is_sent_elsewhere() {
        assert_eq!(safe_next("/account/tokens?x=1"), "/account/tokens?x=1");
        for evil in ["//evil", "/\\evil", "/\t/evil", "https://evil", "evil", "", "/ /evil", "/%09\n", "\\\\evil"] {
            assert_eq!(safe_next(evil), "/", "{evil:?}");
        }
    }
}
