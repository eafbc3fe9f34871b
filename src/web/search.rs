//! Searches. Their forms are sent as POST, with scripts and without, and lead to an address that has what was looked
//! for: so that what somebody pastes into one stands in no address before it was looked at. An API key among it never
//! does, since addresses are kept by browsers and by the logs of proxies; it finds its token by its digest.
//!
//! An address that somebody put a key into all the same is left at once.

use super::{
    App,
    errors::WebError,
    holder::Holding,
    page::{is_for, is_htmx, see},
    routes::path,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HeaderName, HeaderValue},
};
use domain::{
    leak,
    permission::{Authority, Permission},
};

/// What a page was asked to look for.
pub struct Search<'a, const N: usize> {
    /// Its fields, as they were typed.
    pub fields: [(&'a str, &'a str); N],
    /// The address of the page with such fields, in the organization with this slug.
    pub page: fn(&str, &[(&str, &str)]) -> String,
    /// The part of the page that changes with them.
    pub part: &'static str,
}

impl<const N: usize> Search<'_, N> {
    /// The address of what is looked for.
    pub fn address(&self, slug: &str) -> String {
        (self.page)(slug, &self.fields)
    }

    /// The address of the same with another value in one field.
    pub fn with(&self, slug: &str, name: &str, value: &str) -> String {
        let others = self.fields.iter().copied().filter(|(field, _)| *field != name);
        (self.page)(slug, &others.chain([(name, value)]).collect::<Vec<_>>())
    }

    /// Where a search leads that has an API key in one of its fields: to the token, for those who may see it, else to
    /// the page, which says that there is none. None for any other search.
    pub async fn for_key<A: Authority>(
        &self,
        app: &App,
        at: &Holding<A>,
        request: &HttpRequest,
    ) -> Result<Option<HttpResponse>, WebError> {
        if !self.fields.iter().any(|(_, typed)| leak::holds_key(typed)) {
            return Ok(None);
        }
        let found = match self.fields.iter().find_map(|(_, typed)| leak::keys_in(typed).pop()) {
            Some(key) => app::inventory::find_by_key(app, &at.who, &key).await?,
            None => None,
        };
        let sees_tokens = at.who.grant().held().contains(Permission::PlatformIntegrations);
        let address = match found {
            Some((id, is_service)) if sees_tokens => path::token_of_organization(at.slug(), &id, is_service),
            Some((id, _)) => path::activity_with(at.slug(), &[("token", &id)]),
            None => (self.page)(at.slug(), &[("unknown_key", "1")]),
        };
        Ok(Some(lead(request, &address)))
    }

    /// Where a form leads that was sent: as [`Search::for_key`] says, or to the page with what is looked for. None
    /// where only its part is to be answered.
    pub async fn leads<A: Authority>(
        &self,
        app: &App,
        at: &Holding<A>,
        request: &HttpRequest,
    ) -> Result<Option<HttpResponse>, WebError> {
        let for_key = self.for_key(app, at, request).await?;
        Ok(for_key.or_else(|| (!is_for(request, self.part)).then(|| see(&self.address(at.slug())))))
    }
}

fn lead(request: &HttpRequest, address: &str) -> HttpResponse {
    if is_htmx(request) { HttpResponse::Ok().insert_header(("hx-redirect", address)).finish() } else { see(address) }
}

/// How the address of a search comes into the history of the browser.
pub enum Step {
    /// In the place of the one before, as while somebody types.
    Replace,
    /// Behind the one before, so that there is a way back to it.
    Push,
}

/// The part of a page that a search changes, whose address is this one from then on: not while somebody still types a
/// key.
pub fn part_at(mut part: HttpResponse, step: &Step, address: &str) -> HttpResponse {
    let header = match step {
        Step::Replace => "hx-replace-url",
        Step::Push => "hx-push-url",
    };
    if let Ok(address) = HeaderValue::from_str(address)
        && !leak::names_a_key(address.to_str().unwrap_or_default())
    {
        part.headers_mut().insert(HeaderName::from_static(header), address);
    }
    part
}
