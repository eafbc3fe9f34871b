//! Searches. Their forms are sent as POST, with and without scripts, and lead to an address with the search text, so
//! that pasted text never gets into an address before it was checked. An API key in it never does, because browsers and
//! proxy logs keep addresses; a key finds its token by its digest.
//!
//! If somebody puts a key into an address anyway, the page redirects away from it immediately.

use super::{
    App,
    errors::WebError,
    holder::Holding,
    notice::Notice,
    page::{is_for, is_htmx, see},
    routes::path,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HeaderName, HeaderValue},
};
use domain::{
    leak,
    permission::{Authority, BuiltInPermission},
};

/// The search of a page.
pub struct Search<'a, const N: usize> {
    /// Its fields, as they were typed.
    pub fields: [(&'a str, &'a str); N],
    /// The address of the page with these fields, in the organization with this slug.
    pub page: fn(&str, &[(&str, &str)]) -> String,
    /// The part of the page that changes with them.
    pub part: &'static str,
}

impl<const N: usize> Search<'_, N> {
    /// Returns the address of the search.
    pub fn address(&self, slug: &str) -> String {
        (self.page)(slug, &self.fields)
    }

    /// Returns the address of the same search with another value in one field.
    pub fn with(&self, slug: &str, name: &str, value: &str) -> String {
        let others = self.fields.iter().copied().filter(|(field, _)| *field != name);
        (self.page)(slug, &others.chain([(name, value)]).collect::<Vec<_>>())
    }

    /// Returns where a search with an API key leads: to the token if the user may see it, otherwise to the page, which
    /// says that it was not found. None for any other search.
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
        let sees_tokens = at.who.grant().held().contains(BuiltInPermission::PlatformIntegrations);
        let address = match found {
            Some((id, is_service)) if sees_tokens => path::token_of_organization(at.slug(), &id, is_service),
            Some((id, _)) => path::activity_with(at.slug(), &[("token", &id)]),
            None => Notice::UnknownKey.at(&(self.page)(at.slug(), &[])),
        };
        Ok(Some(lead(request, &address)))
    }

    /// Returns where the form leads: as [`Search::for_key`] says, or to the page with the results. None if only the
    /// changed part should be answered.
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

/// Leads the browser to an address, also when htmx asks.
pub fn lead(request: &HttpRequest, address: &str) -> HttpResponse {
    if is_htmx(request) { HttpResponse::Ok().insert_header(("hx-redirect", address)).finish() } else { see(address) }
}

/// How the address of a search gets into the browser's history.
pub enum Step {
    /// Replacing the previous one, as while somebody types.
    Replace,
    /// After the previous one, so that *Back* returns to it.
    Push,
}

/// Returns the part of a page that a search changes, and sets the browser's address to this one, except while somebody
/// is still typing a key.
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
