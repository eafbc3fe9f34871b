//! The table of every route × actor with its answer. A served route that is missing here fails the test.

mod programs;

use crate::harness::{ORG, Person, SLUG, TestApp, TestDb, db_test, org};
use domain::permission::BuiltInSet;
use scraper::ElementRef;
use std::collections::BTreeSet;

/// What each actor gets: a visitor, Ann who owns the things in the address, Ben who does not, and a key in the header.
struct Row {
    method: &'static str,
    path: &'static str,
    visitor: u16,
    owner: u16,
    other: u16,
    key: u16,
}

const fn row(method: &'static str, path: &'static str, [visitor, owner, other, key]: [u16; 4]) -> Row {
    Row { method, path, visitor, owner, other, key }
}

/// `{token}` and `{session}` are Ann's. POST sends a form that contains only the session's token.
const TABLE: &[Row] = &[
    row("GET", "/", [303, 303, 303, 303]),
    row("GET", "/static/{name}", [404, 404, 404, 404]),
    row("GET", "/setup", [404, 404, 404, 404]),
    row("POST", "/setup", [404, 404, 404, 404]),
    row("GET", "/sign-in", [200, 303, 303, 200]),
    row("POST", "/sign-in", [422, 422, 422, 422]),
    row("GET", "/sign-in/forgotten", [200, 200, 200, 200]),
    row("POST", "/sign-in/forgotten", [404, 404, 404, 404]),
    row("GET", "/password/{code}", [410, 410, 410, 410]),
    row("POST", "/password/{code}", [410, 410, 410, 410]),
    row("GET", "/invitations/{code}", [410, 410, 410, 410]),
    row("POST", "/invitations/{code}", [410, 410, 410, 410]),
    row("POST", "/invitations/{code}/acceptance", [303, 410, 410, 303]),
    row("GET", "/account/profile", [303, 200, 200, 303]),
    row("POST", "/account/profile", [303, 422, 422, 303]),
    row("POST", "/account/email-change/cancellation", [303, 303, 303, 303]),
    row("GET", "/email/{code}", [410, 410, 410, 410]),
    row("POST", "/email/{code}", [410, 410, 410, 410]),
    row("POST", "/account/theme", [303, 422, 422, 303]),
    row("GET", "/account/security", [303, 200, 200, 303]),
    row("POST", "/account/security", [303, 422, 422, 303]),
    row("GET", "/account/sessions", [303, 200, 200, 303]),
    row("POST", "/account/sessions/{session}/end", [303, 303, 404, 303]),
    row("POST", "/account/sessions/end-others", [303, 303, 303, 303]),
    row("GET", "/account/tokens", [303, 200, 200, 303]),
    row("POST", "/account/tokens", [303, 422, 422, 303]),
    row("GET", "/account/tokens/new", [303, 200, 200, 303]),
    row("GET", "/account/tokens/revocation", [303, 200, 200, 303]),
    row("POST", "/account/tokens/revocation", [303, 422, 422, 303]),
    row("GET", "/account/tokens/{token}", [303, 200, 404, 303]),
    // It has not been revoked yet.
    row("GET", "/account/tokens/{token}/receipt", [303, 404, 404, 303]),
    row("GET", "/account/tokens/{token}/receipt/file", [303, 404, 404, 303]),
    row("GET", "/api/v1/revocations/{token}", [401, 401, 401, 404]),
    row("GET", "/account/tokens/{token}/revocation", [303, 200, 404, 303]),
    row("POST", "/account/tokens/{token}/revocation", [303, 303, 404, 303]),
    row("POST", "/account/organization", [303, 400, 400, 303]),
    row("GET", "/orgs", [303, 303, 303, 303]),
    row("GET", "/developers", [200, 200, 200, 200]),
    row("GET", "/developers/{part}", [200, 200, 200, 200]),
    row("GET", "/organizations/new", [303, 200, 404, 303]),
    row("POST", "/organizations/new", [303, 422, 404, 303]),
    row("GET", "/api/v1/me", [401, 401, 401, 200]),
    // The key only reads.
    row("GET", "/api/v1/kinds", [401, 401, 401, 200]),
    row("POST", "/api/v1/kinds", [401, 401, 401, 403]),
    row("GET", "/api/v1/kinds/{key}", [401, 401, 401, 200]),
    row("PUT", "/api/v1/kinds/{key}", [401, 401, 401, 403]),
    row("DELETE", "/api/v1/kinds/{key}", [401, 401, 401, 403]),
    row("GET", "/api/v1/kinds/{key}/fields", [401, 401, 401, 200]),
    row("PUT", "/api/v1/kinds/{key}/fields", [401, 401, 401, 403]),
    row("GET", "/api/v1/groups", [401, 401, 401, 200]),
    row("POST", "/api/v1/groups", [401, 401, 401, 403]),
    row("GET", "/api/v1/groups/{id}", [401, 401, 401, 404]),
    row("PATCH", "/api/v1/groups/{id}", [401, 401, 401, 403]),
    row("DELETE", "/api/v1/groups/{id}", [401, 401, 401, 403]),
    row("GET", "/api/v1/groups/{id}/members", [401, 401, 401, 404]),
    row("POST", "/api/v1/groups/{id}/members", [401, 401, 401, 403]),
    row("POST", "/api/v1/groups/{id}/members/removal", [401, 401, 401, 403]),
    row("DELETE", "/api/v1/groups/{id}/members/{member}", [401, 401, 401, 403]),
    row("GET", "/api/v1/sites", [401, 401, 401, 200]),
    row("POST", "/api/v1/sites", [401, 401, 401, 403]),
    row("GET", "/api/v1/sites/{id}", [401, 401, 401, 404]),
    row("PATCH", "/api/v1/sites/{id}", [401, 401, 401, 403]),
    row("DELETE", "/api/v1/sites/{id}", [401, 401, 401, 403]),
    row("GET", "/api/v1/sites/{id}/members", [401, 401, 401, 404]),
    row("POST", "/api/v1/sites/{id}/members", [401, 401, 401, 403]),
    row("POST", "/api/v1/sites/{id}/members/removal", [401, 401, 401, 403]),
    row("DELETE", "/api/v1/sites/{id}/members/{member}", [401, 401, 401, 403]),
    row("GET", "/api/v1/access-rules", [401, 401, 401, 200]),
    row("POST", "/api/v1/access-rules", [401, 401, 401, 403]),
    row("GET", "/api/v1/access-rules/{id}", [401, 401, 401, 404]),
    row("PUT", "/api/v1/access-rules/{id}", [401, 401, 401, 403]),
    row("DELETE", "/api/v1/access-rules/{id}", [401, 401, 401, 403]),
    row("GET", "/api/v1/items/{kind}", [401, 401, 401, 200]),
    row("POST", "/api/v1/items/{kind}", [401, 401, 401, 403]),
    row("POST", "/api/v1/items/{kind}/bulk", [401, 401, 401, 403]),
    row("PUT", "/api/v1/items/{kind}/by-external-id/{external_id}", [401, 401, 401, 403]),
    row("GET", "/api/v1/items/{kind}/{id}", [401, 401, 401, 404]),
    row("PATCH", "/api/v1/items/{kind}/{id}", [401, 401, 401, 403]),
    row("DELETE", "/api/v1/items/{kind}/{id}", [401, 401, 401, 403]),
    row("GET", "/api/v1/items/{kind}/{id}/shares", [401, 401, 401, 404]),
    row("POST", "/api/v1/items/{kind}/{id}/shares", [401, 401, 401, 403]),
    row("DELETE", "/api/v1/items/{kind}/{id}/shares/{share}", [401, 401, 401, 403]),
    row("POST", "/api/v1/explanation", [401, 401, 401, 400]),
    row("GET", "/feed/{kind}", [401, 401, 401, 200]),
    row("GET", "/accounts/user/v1/user:WhoAmI", [401, 401, 401, 200]),
    row("GET", "/api/v1/leaks", [200, 200, 200, 200]),
    row("POST", "/api/v1/leaks", [400, 400, 400, 400]),
    row("POST", "/oauth2/introspect", [401, 401, 401, 403]),
    row("POST", "/oauth2/introspect/batch", [400, 400, 400, 400]),
    row("POST", "/oauth2/revoke", [400, 400, 400, 400]),
    row("POST", "/access/v1/evaluation", [401, 401, 401, 403]),
    row("POST", "/access/v1/evaluations", [401, 401, 401, 403]),
    row("POST", "/access/v1/search/subject", [401, 401, 401, 403]),
    row("POST", "/access/v1/search/resource", [401, 401, 401, 403]),
    row("POST", "/access/v1/search/action", [401, 401, 401, 403]),
    row("GET", "/.well-known/authzen-configuration", [200, 200, 200, 200]),
    row("GET", "/.well-known/oauth-authorization-server", [200, 200, 200, 200]),
    row("GET", "/.well-known/jwks.json", [200, 200, 200, 200]),
    row("GET", "/.well-known/oauth-protected-resource", [200, 200, 200, 200]),
    row("GET", "/healthz", [200, 200, 200, 200]),
    row("GET", "/readyz", [200, 200, 200, 200]),
    row("GET", "/openapi.json", [200, 200, 200, 200]),
    // It is on the listener for programs.
    row("GET", "/metrics", [404, 404, 404, 404]),
    row("GET", "/verify", [401, 401, 401, 200]),
    row("POST", "/verify", [401, 401, 401, 403]),
    row("PUT", "/verify", [401, 401, 401, 403]),
    row("PATCH", "/verify", [401, 401, 401, 403]),
    row("DELETE", "/verify", [401, 401, 401, 403]),
    row("GET", "/verify/{behind:.*}", [401, 401, 401, 403]),
    row("POST", "/verify/{behind:.*}", [401, 401, 401, 403]),
    row("GET", "/verify/token/{behind:.*}", [401, 401, 401, 200]),
    row("POST", "/verify/token/{behind:.*}", [401, 401, 401, 403]),
    row("GET", "/verify/else", [403, 403, 403, 403]),
    row("GET", "/nowhere", [404, 404, 404, 404]),
    row("GET", "/sign-out", [303, 200, 200, 303]),
    row("POST", "/sign-out", [303, 303, 303, 303]),
    row("DELETE", "/api/v1/me/token", [401, 401, 401, 204]),
];

/// What each actor gets on the pages of an organization: a visitor, Ann who administers it, Reader who is a member
/// without management permissions, Stranger who administers another organization, and a key in the header.
struct OrgRow {
    method: &'static str,
    path: &'static str,
    answers: [u16; 5],
}

const fn org(method: &'static str, path: &'static str, answers: [u16; 5]) -> OrgRow {
    OrgRow { method, path, answers }
}

/// `{slug}` is Ann's organization, `{token}` a personal token of hers and `{service}` the token of a service user, both
/// active; `{member}` is Ben, `{invitation}` a pending one, `{set}` a permission set of the organization's own, `{api}`
/// a protected API, `{key}` a kind of the organization's own, `{item}` an item of Ann's of the kind `{kind}`, `{entry}`
/// the first of the log. POST sends a form that contains only the session's token.
const ORGANIZATION: &[OrgRow] = &[
    org("GET", "/orgs/{slug}", [303, 303, 303, 404, 303]),
    org("GET", "/orgs/{slug}/explanation", [303, 200, 200, 404, 303]),
    org("POST", "/orgs/{slug}/explanation", [303, 303, 303, 404, 303]),
    org("GET", "/orgs/{slug}/users", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/users/search", [303, 303, 403, 404, 303]),
    org("POST", "/orgs/{slug}/activity/search", [303, 303, 403, 404, 303]),
    org("POST", "/orgs/{slug}/integrations/inventory/search", [303, 303, 403, 404, 303]),
    org("POST", "/orgs/{slug}/integrations/tokens/search", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/users/invite", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/users/invite", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/users/invitations/{invitation}/withdrawal", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/users/invitations/{invitation}/withdrawal", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/users/{member}", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/users/{member}/permission-set", [303, 422, 403, 404, 303]),
    org("POST", "/orgs/{slug}/users/{member}/external-id", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/users/{member}/password-link", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/users/{member}/password-link", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/groups", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/groups", [303, 422, 403, 404, 303]),
    org("POST", "/orgs/{slug}/groups/search", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/groups/new", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/groups/{group}", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/groups/{group}/name", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/groups/{group}/name", [303, 422, 403, 404, 303]),
    org("POST", "/orgs/{slug}/groups/{group}/members", [303, 422, 403, 404, 303]),
    org("POST", "/orgs/{slug}/groups/{group}/members/search", [303, 303, 403, 404, 303]),
    org("POST", "/orgs/{slug}/groups/{group}/members/{member}/removal", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/groups/{group}/emptying", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/groups/{group}/emptying", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/groups/{group}/deletion", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/groups/{group}/deletion", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/groups/zzzzzzzzzz", [303, 404, 403, 404, 303]),
    org("GET", "/orgs/{slug}/sites", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/sites", [303, 422, 403, 404, 303]),
    org("POST", "/orgs/{slug}/sites/search", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/sites/new", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/sites/{site}", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/sites/{site}/name", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/sites/{site}/name", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/sites/{site}/place", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/sites/{site}/place", [303, 422, 403, 404, 303]),
    org("POST", "/orgs/{slug}/sites/{site}/members", [303, 422, 403, 404, 303]),
    org("POST", "/orgs/{slug}/sites/{site}/members/search", [303, 303, 403, 404, 303]),
    org("POST", "/orgs/{slug}/sites/{site}/members/{member}/removal", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/sites/{site}/emptying", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/sites/{site}/emptying", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/sites/{site}/deletion", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/sites/{site}/deletion", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/sites/zzzzzzzzzz", [303, 404, 403, 404, 303]),
    org("GET", "/orgs/{slug}/users/{member}/deactivation", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/users/{member}/deactivation", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/users/{member}/reactivation", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/users/{member}/reactivation", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/users/{member}/removal", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/users/{member}/removal", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/activity", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/activity/{entry}", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/activity/99999", [303, 404, 403, 404, 303]),
    org("POST", "/orgs/{slug}/activity.csv", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/activity.jsonl", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/inventory", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/inventory/{token}/revocation", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/integrations/inventory/{token}/revocation", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/apis", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/integrations/apis", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/apis/new", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/apis/{api}", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/apis/{api}/edit", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/integrations/apis/{api}/edit", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/apis/{api}/deletion", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/integrations/apis/{api}/deletion", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/receipts/{service}", [303, 404, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/receipts/{service}/file", [303, 404, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/tokens", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/integrations/tokens", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/tokens/new", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/tokens/{service}", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/tokens/{service}/name", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/integrations/tokens/{service}/name", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/tokens/{service}/external-id", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/integrations/tokens/{service}/external-id", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/tokens/{service}/expiry", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/integrations/tokens/{service}/expiry", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/tokens/{service}/permissions", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/integrations/tokens/{service}/permissions", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/tokens/{service}/rotation", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/integrations/tokens/{service}/rotation", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/tokens/{service}/old-key", [303, 303, 403, 404, 303]),
    org("POST", "/orgs/{slug}/integrations/tokens/{service}/old-key", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/tokens/{service}/regeneration", [303, 303, 403, 404, 303]),
    org("POST", "/orgs/{slug}/integrations/tokens/{service}/regeneration", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/tokens/{service}/deletion", [303, 303, 403, 404, 303]),
    org("POST", "/orgs/{slug}/integrations/tokens/{service}/deletion", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/tokens/{service}/revocation", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/integrations/tokens/{service}/revocation", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/integrations/tokens/zzzzzzzzzz", [303, 404, 403, 404, 303]),
    org("GET", "/orgs/{slug}/permission-sets", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/permission-sets", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/permission-sets/new", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/permission-sets/{set}", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/permission-sets/{set}", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/permission-sets/{set}/edit", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/permission-sets/{set}/edit", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/permission-sets/{set}/deletion", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/permission-sets/{set}/deletion", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/kinds", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/kinds", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/kinds/new", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/kinds/{key}", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/kinds/{key}", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/kinds/{key}/edit", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/kinds/{key}/edit", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/kinds/{key}/fields", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/kinds/{key}/fields", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/kinds/{key}/deletion", [303, 200, 403, 404, 303]),
    // Who loses something by it has not been shown.
    org("POST", "/orgs/{slug}/kinds/{key}/deletion", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/items/{kind}.csv", [303, 200, 200, 404, 303]),
    org("GET", "/orgs/{slug}/items/{kind}", [303, 200, 200, 404, 303]),
    org("POST", "/orgs/{slug}/items/{kind}/search", [303, 303, 303, 404, 303]),
    // Reader may view items of the kind, but reaches none.
    org("GET", "/orgs/{slug}/items/{kind}/{item}", [303, 200, 404, 404, 303]),
    org("POST", "/orgs/{slug}/items/{kind}/{item}/archive", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/items/{kind}/new", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/items/{kind}/new", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/items/{kind}/{item}/edit", [303, 200, 404, 404, 303]),
    org("POST", "/orgs/{slug}/items/{kind}/{item}/edit", [303, 422, 404, 404, 303]),
    // Only templates have inspections, and only those are reopened.
    org("GET", "/orgs/{slug}/items/{kind}/{item}/inspection", [303, 303, 404, 404, 303]),
    org("POST", "/orgs/{slug}/items/{kind}/{item}/inspection", [303, 404, 404, 404, 303]),
    org("POST", "/orgs/{slug}/items/{kind}/{item}/reopening", [303, 404, 404, 404, 303]),
    org("GET", "/orgs/{slug}/items/{kind}/{item}/owner", [303, 200, 404, 404, 303]),
    org("POST", "/orgs/{slug}/items/{kind}/{item}/owner", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/items/{kind}/{item}/people", [303, 200, 404, 404, 303]),
    org("POST", "/orgs/{slug}/items/{kind}/{item}/people/search", [303, 303, 404, 404, 303]),
    org("GET", "/orgs/{slug}/items/{kind}/{item}/share", [303, 200, 403, 404, 303]),
    // Without the button that shares, the form is only shown.
    org("POST", "/orgs/{slug}/items/{kind}/{item}/share", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/items/{kind}/{item}/shares/{share}", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/items/{kind}/{item}/shares/{share}", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/items/{kind}/{item}/shares/{share}/end", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/items/{kind}/{item}/shares/{share}/end", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/items/{kind}/{item}/deletion", [303, 200, 404, 404, 303]),
    org("POST", "/orgs/{slug}/items/{kind}/{item}/deletion", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/access-rules", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/access-rules", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/access-rules/search", [303, 303, 403, 404, 303]),
    org("GET", "/orgs/{slug}/access-rules/new", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/access-rules/{rule}", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/access-rules/{rule}", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/access-rules/{rule}/deletion", [303, 200, 403, 404, 303]),
    // It does not say which version was shown.
    org("POST", "/orgs/{slug}/access-rules/{rule}/deletion", [303, 422, 403, 404, 303]),
    org("GET", "/orgs/{slug}/access-rules/other-organizations", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/access-rules/other-organizations/{giver}/refusal", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/access-rules/other-organizations/{giver}/refusal", [303, 303, 403, 404, 303]),
    org("POST", "/orgs/{slug}/access-rules/other-organizations/{giver}/acceptance", [303, 303, 403, 404, 303]),
    // `{user}` is Ann, the only one who administers the installation.
    org("GET", "/installation/administrators", [303, 200, 404, 404, 303]),
    org("POST", "/installation/administrators", [303, 422, 404, 404, 303]),
    org("GET", "/installation/administrators/{user}/removal", [303, 200, 404, 404, 303]),
    org("POST", "/installation/administrators/{user}/removal", [303, 422, 404, 404, 303]),
    org("GET", "/orgs/{slug}/billing", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/billing/seats.csv", [303, 200, 403, 404, 303]),
    org("GET", "/orgs/{slug}/settings", [303, 200, 403, 404, 303]),
    org("POST", "/orgs/{slug}/settings", [303, 422, 403, 404, 303]),
];

/// Rows about things that do not exist.
const NOTHING: [&str; 6] = [
    "/nowhere",
    "/verify/else",
    "/orgs/{slug}/integrations/tokens/zzzzzzzzzz",
    "/orgs/{slug}/activity/99999",
    "/orgs/{slug}/groups/zzzzzzzzzz",
    "/orgs/{slug}/sites/zzzzzzzzzz",
];

/// Returns method and path of every row of both tables.
fn every_row() -> impl Iterator<Item = (&'static str, &'static str)> {
    let organization = ORGANIZATION.iter().map(|row| (row.method, row.path));
    TABLE.iter().map(|row| (row.method, row.path)).chain(organization)
}

/// Returns the addresses of all pages whose parts in braces are in [`things`].
pub fn reading() -> impl Iterator<Item = &'static str> {
    let is_page = |path: &str| !is_for_programs(path) && !path.starts_with("/static/") && !path.contains("{code}");
    every_row()
        .filter(|(method, _)| *method == "GET")
        .map(|(_, path)| path)
        .filter(move |path| is_page(path) && *path != "/setup" && !NOTHING.contains(path))
}

/// Creates two new people, and returns the addresses of what Ann owns.
async fn cast(db: TestDb) -> (TestApp, Person, Person, String, String, String) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("script").await;
    ann.makes_token("Power BI").await;
    let token = ann.token_id("Power BI").await;
    let ben = app.add_user("Ben", BuiltInSet::Administrator).await;
    let session = another_session(&app, &ann).await;
    (app, ann, ben, key, token, session)
}

/// Returns the id of a session that Ann has on another device.
async fn another_session(app: &TestApp, ann: &Person) -> String {
    app.browser("Ann").signs_in().await;
    // The form of the session that looks has a button without a name of its own.
    let of_a_session = |form: ElementRef| {
        let id = form.attr("action")?.strip_prefix("/account/sessions/")?.strip_suffix("/end")?;
        Some(id.to_owned())
    };
    ann.get("/account/sessions").await.first("form:has([aria-label])", of_a_session).expect("another session")
}

/// A server that contains everything that an address may be about, with Ann, who may do everything, and a key of hers.
struct Furnished {
    app: TestApp,
    ann: Person,
    key: String,
    things: Vec<(&'static str, String)>,
}

impl Furnished {
    async fn new(db: TestDb) -> Furnished {
        let (app, ann) = TestApp::with_user(db, "Ann").await;
        let key = ann.makes_token("script").await;
        let mut things = Vec::from(things(&app, &ann).await);
        things.push(("{session}", another_session(&app, &ann).await));
        Furnished { app, ann, key, things }
    }

    /// Returns every method with an address to send it to.
    fn every_route(&self) -> impl Iterator<Item = (&'static str, String)> {
        every_row().map(|(method, path)| (method, address(path, &self.things)))
    }
}

/// Returns the path of a row with its braces filled in.
fn address(path: &str, things: &[(&str, String)]) -> String {
    let path = path.replace("{name}", "none.css").replace("{part}", "items").replace("{behind:.*}", "apis/0123456789");
    things.iter().fold(path, |path, (name, id)| path.replace(name, id))
}

/// Returns whether no browser uses this address: then sessions are ignored and nothing can be forged.
fn is_for_programs(path: &str) -> bool {
    [
        "/api/",
        "/access/",
        "/feed/",
        "/accounts/",
        "/oauth2/",
        "/.well-known/",
        "/verify",
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
    ]
    .iter()
    .any(|begin| path.starts_with(begin))
}

async fn ask(person: &Person, method: &str, path: &str) -> u16 {
    match method {
        "POST" => person.post(path, &[]).await.status,
        _ => person.request(method, path, &[("sec-fetch-site", "same-origin")], String::new()).await.status,
    }
}

/// Returns the values of the names in the addresses of [`ORGANIZATION`], once it exists. Ann has a token `script`.
pub async fn things(app: &TestApp, ann: &Person) -> [(&'static str, String); 17] {
    let last = |path: &str| path.trim_end_matches("?notice=created").rsplit('/').next().expect("an id").to_owned();
    ann.makes_service_token("Workato").await;
    app.add_user("Ben", BuiltInSet::Standard).await;
    let cleo = app.add_user("Cleo", BuiltInSet::Standard).await;
    ann.invites("leo@example.org", "Reader").await;
    let new_set = [("name", "Guards"), ("permission", "assets.view")];
    let set = ann.post(org!("/permission-sets"), &new_set).await;
    has_kind(ann).await;
    let new_api = [("name", "Order API"), ("address", "https://api.example.org")];
    let api = ann.post(org!("/integrations/apis"), &new_api).await;
    let group = ann.post(org!("/groups"), &[("name", "Logistics")]).await;
    let site = ann.post(org!("/sites"), &[("name", "Mopti")]).await;
    let by = crate::items::at(app, ann).await;
    let item = crate::items::make(&app.jeton, &by, "assets", "Fridge").await;
    let share = crate::items::share(&app.jeton, &by, &item, crate::items::user(&cleo), "view").await.expect("a share");
    let giver = crate::items::giver(app).await;
    [
        ("{share}", share),
        ("{rule}", crate::items::any_rule(app, ann, "inspections").await),
        ("{giver}", giver),
        ("{kind}", "assets".into()),
        ("{item}", item.public_id),
        ("{slug}", SLUG.into()),
        ("{token}", ann.token_id("script").await),
        ("{service}", last(&ann.service_token("Workato").await)),
        ("{member}", last(&ann.page_of("Ben").await)),
        ("{invitation}", "1".into()),
        ("{set}", last(set.header("location"))),
        ("{api}", last(api.header("location"))),
        ("{key}", "invoices".into()),
        ("{group}", last(group.header("location"))),
        ("{site}", last(site.header("location"))),
        ("{user}", "1".into()),
        ("{entry}", "1".into()),
    ]
}

async fn has_kind(ann: &Person) {
    let kind = [("singular", "Invoice"), ("plural", "Invoices"), ("key", "invoices")];
    assert_eq!(ann.post(org!("/kinds"), &kind).await.status, 303);
}

/// Returns the names of all text fields of forms and addresses, from the sources.
fn text_fields() -> Vec<String> {
    let mut names = Vec::new();
    for (_, source) in ["app", "web"].into_iter().flat_map(crate::structure::room) {
        for form in source.split("Deserialize").skip(1).filter_map(|rest| rest.split_once("struct ")) {
            let fields = form.1.split('}').next().unwrap_or_default().lines();
            let texts = fields.filter(|line| line.contains(": String") || line.contains(": Option<String>"));
            names.extend(
                texts.filter_map(|line| Some(line.trim().trim_start_matches("pub ").split_once(':')?.0.to_owned())),
            );
        }
    }
    names.sort();
    names.dedup();
    names
}

#[db_test]
async fn no_nul_in_an_address_or_a_form_reaches_the_database(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_token("script").await;
    let things = things(&app, &ann).await;
    let fields = text_fields();
    assert!(
        ["search", "owner", "q", "person", "next", "email", "label"]
            .iter()
            .all(|name| fields.iter().any(|field| field == name)),
        "{fields:?}"
    );
    let with_nul = |names: &[String]| names.iter().map(|name| format!("{name}=a%00b")).collect::<Vec<_>>().join("&");
    let mut wrong = Vec::new();
    for (method, path) in every_row() {
        let fill = |path: &str| address(path, &things);
        let csrf = ann.get("/account/tokens/new").await.field("csrf").unwrap();
        let headers = [("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded")];
        // One part of the path after the other.
        for (start, _) in path.match_indices('{') {
            let end = start + path[start..].find('}').unwrap() + 1;
            for nul in ["%00", "a%00b", "0123456%00"] {
                let odd = fill(&format!("{}{nul}{}", &path[..start], &path[end..]));
                let answer = ann.request(method, &odd, &headers, format!("csrf={csrf}")).await;
                // What is no address below `/verify` may not be asked for.
                let is_refused = answer.status == 403 && path.starts_with("/verify");
                if !is_refused && !matches!(answer.status, 400 | 401 | 404 | 410) {
                    wrong.push(format!("{method} {odd}: {}", answer.status));
                }
            }
        }
        let path = fill(path);
        let searches =
            ["/users", "/activity", "/inventory", "/tokens", "/search"].iter().any(|end| path.ends_with(end));
        let mut queries = vec![with_nul(&fields)];
        queries.extend(fields.iter().filter(|_| searches).map(|name| with_nul(std::slice::from_ref(name))));
        for query in queries {
            let (address, body) = match method {
                "GET" => (format!("{path}?{query}"), String::new()),
                _ => (path.clone(), format!("csrf={csrf}&{query}")),
            };
            let answer = ann.request(method, &address, &headers, body).await;
            if answer.status >= 500 {
                wrong.push(format!("{method} {address}: {}", answer.status));
            }
            if ann.get("/account/profile").await.status != 200 {
                ann.signs_in().await;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (path, field) in [("users", "q"), ("integrations/inventory", "search"), ("integrations/tokens", "search")] {
        let list = ann.get(&format!("{ORG}/{path}?{field}=%00")).await;
        assert!(list.status == 200 && !list.text().contains("Workato") && !list.body.contains("Ben</a>"), "{path}");
    }
    for (path, field) in [("activity", "person"), ("integrations/inventory", "owner")] {
        let list = ann.get(&format!("{ORG}/{path}?{field}=a%00b")).await;
        assert_eq!(list.status, 422, "{path}");
        list.shows("Nobody in this organization has this name");
    }
}

#[db_test]
async fn each_actor_gets_the_answer_of_the_table(db: TestDb) {
    let (app, ann, ben, key, token, session) = cast(db).await;
    has_kind(&ann).await;
    let things =
        [("{token}", token), ("{session}", session), ("{key}", "invoices".into()), ("{kind}", "assets".into())];
    let mut wrong = Vec::new();
    for row in TABLE {
        let path = address(row.path, &things);
        let visitor = app.browser("Visitor");
        let form = [
            ("authorization", &*format!("Bearer {key}")),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        // Those who may not go first: what they are refused must still be there for the owner.
        let got = [
            ask(&visitor, row.method, &path).await,
            ask(&ben, row.method, &path).await,
            ask(&ann, row.method, &path).await,
            app.send(row.method, &path, &form, "").await.status,
        ];
        if got != [row.visitor, row.other, row.owner, row.key] {
            wrong.push(format!("{} {}: visitor, other, owner, key got {got:?}", row.method, row.path));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[db_test]
async fn each_actor_gets_the_answer_of_the_table_of_organizations(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("script").await;
    let reader = app.add_user("Reader", BuiltInSet::Reader).await;
    let stranger = app.add_organization("elsewhere", "Stranger").await;
    let things = things(&app, &ann).await;
    let mut wrong = Vec::new();
    for OrgRow { method, path, answers } in ORGANIZATION {
        let path = address(path, &things);
        let visitor = app.browser("Visitor");
        let bearer = format!("Bearer {key}");
        let form = [
            ("authorization", bearer.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let (visitor, stranger) = (ask(&visitor, method, &path).await, ask(&stranger, method, &path).await);
        let reader = ask(&reader, method, &path).await;
        let ann = ask(&ann, method, &path).await;
        let got = [visitor, ann, reader, stranger, app.send(method, &path, &form, "").await.status];
        if got != *answers {
            wrong.push(format!("{method} {path}: visitor, Ann, reader, stranger, key got {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[db_test]
async fn methods_that_a_route_does_not_accept_get_405_with_those_that_it_does(db: TestDb) {
    let Furnished { ann, things, .. } = &Furnished::new(db).await;
    let mut wrong = Vec::new();
    let paths: BTreeSet<&str> = every_row().map(|(_, path)| path).filter(|path| has_methods(path)).collect();
    for path in paths {
        let mut taken: Vec<&str> = every_row().filter(|(_, other)| *other == path).map(|(method, _)| method).collect();
        if let Some(reads) = taken.iter().position(|method| *method == "GET") {
            taken.insert(reads + 1, "HEAD");
        }
        let address = address(path, things);
        for method in ["PUT", "PATCH", "OPTIONS", "PROPFIND"].into_iter().filter(|method| !taken.contains(method)) {
            let answer = ann.request(method, &address, &[("sec-fetch-site", "same-origin")], String::new()).await;
            if answer.status != 405 || answer.body.is_empty() || answer.header("allow") != taken.join(", ") {
                wrong.push(format!("{method} {path}: {}, allows {:?}", answer.status, answer.header("allow")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Returns whether this listener answers 405 there: forward-auth accepts every method, and it does not have the other
/// addresses.
fn has_methods(path: &str) -> bool {
    !path.starts_with("/verify") && !matches!(path, "/nowhere" | "/metrics")
}

#[db_test]
async fn head_is_answered_as_get_without_a_body(db: TestDb) {
    let Furnished { app, key, things, .. } = &Furnished::new(db).await;
    let mut wrong = Vec::new();
    let rows = TABLE.iter().map(|row| (row.method, row.path, row.key));
    let rows = rows.chain(ORGANIZATION.iter().map(|row| (row.method, row.path, row.answers[4])));
    for (_, path, status) in rows.filter(|(method, path, _)| *method == "GET" && has_methods(path)) {
        let head = app.with_key("HEAD", &address(path, things), key).await;
        if (head.status, head.body.as_str()) != (status, "") {
            wrong.push(format!("{path}: {} {}", head.status, head.body));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[db_test]
async fn only_jetons_own_pages_can_change_something_through_a_browser(db: TestDb) {
    let furnished = Furnished::new(db).await;
    let Furnished { app, ann, key, .. } = &furnished;
    let csrf = ann.get("/account/tokens/new").await.field("csrf").unwrap();
    let other_sites: [&[(&str, &str)]; 8] = [
        &[],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "cross-site"), ("origin", &app.url)],
        &[("origin", "null")],
        &[("origin", "https://evil.example")],
        &[("sec-fetch-mode", "no-cors")],
    ];
    for (_, path) in furnished.every_route().filter(|(method, path)| *method == "POST" && !is_for_programs(path)) {
        for headers in other_sites {
            let mut headers = headers.to_vec();
            headers.push(("content-type", "application/x-www-form-urlencoded"));
            let answer = ann.request("POST", &path, &headers, format!("csrf={csrf}")).await;
            assert_eq!(answer.status, 403, "{path} {headers:?}");
            assert_eq!(answer.header("set-cookie"), "");
        }
        for kind in ["multipart/form-data; boundary=x", "text/plain", "application/json", ""] {
            let headers = [("content-type", kind), ("sec-fetch-site", "same-origin")];
            let answer = ann.request("POST", &path, &headers, format!("csrf={csrf}")).await;
            assert!(matches!(answer.status, 400 | 403), "{path} {kind}: {}", answer.status);
        }
    }
    assert_eq!(app.me(key).await.status, 200, "nothing was revoked");
}

#[db_test]
async fn a_form_of_another_session_is_refused(db: TestDb) {
    let (app, ann, ben, key, token, _) = cast(db).await;
    let of_ben = ben.get("/account/tokens/new").await.field("csrf").unwrap();
    for wrong in ["", "0", of_ben.as_str()] {
        let path = format!("/account/tokens/{token}/revocation");
        let answer = ann.post(&path, &[("csrf", wrong)]).await;
        assert_eq!(answer.status, 403, "{wrong:?}");
        assert!(!answer.text().is_empty());
    }
    assert_eq!(app.me(&key).await.status, 200);
}

#[db_test]
async fn reading_changes_nothing(db: TestDb) {
    let furnished = Furnished::new(db).await;
    let Furnished { app, ann, key, .. } = &furnished;
    app::maintenance::flush_usage(&app.jeton).await.unwrap();
    let before = crate::harness::activity(&app.db).len();
    for (_, path) in furnished.every_route().filter(|(method, _)| *method == "GET") {
        ann.get(&path).await;
        ann.get_part(&path).await;
    }
    let entries = crate::harness::activity(&app.db);
    let new: Vec<&str> = entries[before..].iter().map(|entry| entry.action.as_str()).collect();
    // The seats, the only download that is a link: that somebody took them is written down.
    assert_eq!(new, ["data.exported"; 2]);
    assert_eq!(app.me(key).await.status, 200);
}

#[db_test]
async fn every_answer_has_its_security_headers(db: TestDb) {
    let furnished = Furnished::new(db).await;
    let Furnished { app, ann, key, .. } = &furnished;
    let mut answers = Vec::new();
    for (method, path) in furnished.every_route() {
        answers.push((path.clone(), ann.request(method, &path, &[], String::new()).await));
        answers.push((path.clone(), app.with_key(method, &path, key).await));
    }
    let page = app.browser("Visitor").get("/sign-in").await.body;
    let css = page.split('"').find(|part| part.starts_with("/static/app-")).expect("a style sheet").to_owned();
    answers.push((css.clone(), app.send("GET", &css, &[], "").await));
    answers.push(("oversize".into(), ann.post("/account/theme", &[("theme", &"x".repeat(90_000))]).await));
    for (path, answer) in &answers {
        assert_ne!(answer.header("x-request-id"), "", "{path}");
        let is_shared =
            ["/api/", "/.well-known/", "/oauth2/revoke", "/openapi.json"].iter().any(|begin| path.starts_with(begin));
        assert_eq!(answer.header("access-control-allow-origin"), if is_shared { "*" } else { "" }, "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "", "{path}");
        let caching = answer.header("cache-control");
        assert!(caching == "no-store" || path.starts_with("/static/app-"), "{path}: {caching:?} {}", answer.status);
        if path.starts_with("/verify") {
            assert_eq!(answer.body, "", "{path}: a browser that is led there has nothing to be warned of");
            continue;
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy").is_empty(), is_for_programs(path), "{path}");
    }
    let css = &answers[answers.len() - 2].1;
    assert_eq!(css.header("cache-control"), "public, max-age=31536000, immutable");
}

#[test]
fn the_table_names_every_route_and_no_other() {
    let ids = [
        "{giver}",
        "{group}",
        "{item}",
        "{rule}",
        "{site}",
        "{token}",
        "{session}",
        "{service}",
        "{member}",
        "{invitation}",
        "{set}",
        "{api}",
        "{user}",
        "{entry}",
    ];
    let generic = |path: &str| ids.iter().fold(path.to_owned(), |path, id| path.replace(id, "{id}"));
    let served: BTreeSet<_> =
        web::routes::served().into_iter().map(|(m, path)| format!("{m} {}", generic(path))).collect();
    // Forward-auth is no route: it is answered before them.
    let rows = every_row().filter(|(_, path)| !NOTHING.contains(path) && !path.starts_with("/verify"));
    let named: BTreeSet<_> = rows.map(|(method, path)| format!("{method} {}", generic(path))).collect();
    let missing: Vec<_> = served.difference(&named).collect();
    let unknown: Vec<_> = named.difference(&served).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "not in the table: {missing:?}, not served: {unknown:?}");
}
