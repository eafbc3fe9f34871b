//! Addresses as people type them or cut them short, and the page that each leads to, on this host, with its query.
//! Users who may not see that page get an error there.
//!
//! This applies only to pages. Addresses for programs must match exactly, and forward-auth is closed at every address
//! that it does not have.

use super::Group;
use super::path::{
    FORGOTTEN, INSTALLATION_ADMINS, ORGANIZATIONS, PROFILE, SECURITY, SESSIONS, SIGN_IN, SIGN_OUT, TOKENS,
};
use crate::page::see;
use actix_web::{HttpRequest, HttpResponse};

/// Address and page. A name in braces stands for the same part in both; the first address that matches is used.
pub const ADDRESSES: [(&str, &str); 55] = [
    ("/login", SIGN_IN),
    ("/log-in", SIGN_IN),
    ("/signin", SIGN_IN),
    ("/logout", SIGN_OUT),
    ("/log-out", SIGN_OUT),
    ("/signout", SIGN_OUT),
    ("/forgot-password", FORGOTTEN),
    ("/password", SECURITY),
    ("/account/password", SECURITY),
    ("/change-password", SECURITY),
    // Password managers look for it here: <https://w3c.github.io/webappsec-change-password-url/>.
    ("/.well-known/change-password", SECURITY),
    ("/account", PROFILE),
    ("/account/settings", PROFILE),
    ("/account/email-change", PROFILE),
    ("/profile", PROFILE),
    ("/settings", PROFILE),
    ("/account/sessions/{id}", SESSIONS),
    ("/sessions", SESSIONS),
    ("/tokens", TOKENS),
    ("/organizations", ORGANIZATIONS),
    ("/installation", INSTALLATION_ADMINS),
    ("/installation/administrators/{id}", INSTALLATION_ADMINS),
    ("/admin", INSTALLATION_ADMINS),
    ("/orgs/{slug}/members", "/orgs/{slug}/users"),
    ("/orgs/{slug}/people", "/orgs/{slug}/users"),
    ("/orgs/{slug}/users/search", "/orgs/{slug}/users"),
    ("/orgs/{slug}/users/invitations", "/orgs/{slug}/users"),
    ("/orgs/{slug}/users/invitations/{id}", "/orgs/{slug}/users"),
    ("/orgs/{slug}/groups/search", "/orgs/{slug}/groups"),
    ("/orgs/{slug}/groups/{id}/members", "/orgs/{slug}/groups"),
    ("/orgs/{slug}/groups/{id}/members/search", "/orgs/{slug}/groups"),
    ("/orgs/{slug}/groups/{id}/members/{member}", "/orgs/{slug}/groups"),
    ("/orgs/{slug}/sites/search", "/orgs/{slug}/sites"),
    ("/orgs/{slug}/sites/{id}/members", "/orgs/{slug}/sites"),
    ("/orgs/{slug}/sites/{id}/members/search", "/orgs/{slug}/sites"),
    ("/orgs/{slug}/sites/{id}/members/{member}", "/orgs/{slug}/sites"),
    ("/orgs/{slug}/items", "/orgs/{slug}"),
    ("/orgs/{slug}/items/{kind}/search", "/orgs/{slug}/items/{kind}"),
    ("/orgs/{slug}/items/{kind}/{id}/archive", "/orgs/{slug}/items/{kind}"),
    ("/orgs/{slug}/items/{kind}/{id}/reopening", "/orgs/{slug}/items/{kind}"),
    ("/orgs/{slug}/items/{kind}/{id}/shares", "/orgs/{slug}/items/{kind}"),
    ("/orgs/{slug}/items/{kind}/{id}/people/search", "/orgs/{slug}/items/{kind}"),
    ("/orgs/{slug}/rules", "/orgs/{slug}/access-rules"),
    ("/orgs/{slug}/access-rules/search", "/orgs/{slug}/access-rules"),
    ("/orgs/{slug}/access-rules/other-organizations/{id}", "/orgs/{slug}/access-rules/other-organizations"),
    ("/orgs/{slug}/access-rules/other-organizations/{id}/acceptance", "/orgs/{slug}/access-rules/other-organizations"),
    ("/orgs/{slug}/tokens", "/orgs/{slug}/integrations/tokens"),
    ("/orgs/{slug}/apis", "/orgs/{slug}/integrations/apis"),
    ("/orgs/{slug}/inventory", "/orgs/{slug}/integrations/inventory"),
    ("/orgs/{slug}/log", "/orgs/{slug}/activity"),
    ("/orgs/{slug}/activity/search", "/orgs/{slug}/activity"),
    ("/orgs/{slug}/integrations/tokens/search", "/orgs/{slug}/integrations/tokens"),
    ("/orgs/{slug}/integrations/inventory/search", "/orgs/{slug}/integrations/inventory"),
    ("/orgs/{slug}/integrations/inventory/{id}", "/orgs/{slug}/integrations/inventory?search={id}"),
    ("/orgs/{slug}/integrations/receipts", "/orgs/{slug}/integrations/inventory?state=revoked"),
];

/// Redirects a short address to this page.
pub fn lead(request: &HttpRequest, page: &str) -> HttpResponse {
    let pattern = request.match_pattern().unwrap_or_default();
    // Use the values as they were sent: decoding could change their meaning.
    let parts = pattern.split('/').zip(request.path().split('/')).filter(|(name, _)| name.starts_with('{'));
    see_with_query(request, &parts.fold(page.to_owned(), |page, (name, part)| page.replace(name, part)))
}

/// Answers an unknown address: redirects to the page whose address differs only by extra slashes, or by upper case in
/// an address without variable parts.
pub async fn otherwise(request: HttpRequest) -> HttpResponse {
    match meant(&request) {
        Some(page) if request.method().is_safe() => see_with_query(&request, &page),
        _ => HttpResponse::NotFound().finish(),
    }
}

/// Each page's address begins with a fixed word, so none of them leads to another host.
fn meant(request: &HttpRequest) -> Option<String> {
    let (asked, served) = (request.path(), request.resource_map());
    let parts: Vec<&str> = asked.split('/').filter(|part| !part.is_empty()).collect();
    let plain = format!("/{}", parts.join("/"));
    let small = plain.to_ascii_lowercase();
    let is_page = |path: &str| path != asked && Group::of(path) == Group::Pages;
    if is_page(&plain) && served.has_resource(&plain) {
        return Some(plain);
    }
    let is_fixed = || served.match_pattern(&small).is_some_and(|pattern| !pattern.contains('{'));
    (is_page(&small) && is_fixed()).then_some(small)
}

fn see_with_query(request: &HttpRequest, page: &str) -> HttpResponse {
    let mark = if page.contains('?') { '&' } else { '?' };
    let query = request.uri().query().map(|query| format!("{mark}{query}"));
    see(&format!("{page}{}", query.unwrap_or_default()))
}
