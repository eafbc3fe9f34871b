//! Addresses for programs: the API, verification, decisions, feeds, and checks of the server.

/// The prefix of the API's addresses.
pub const API: &str = "/api/";
/// What the API says about the token that asks.
pub const ME: &str = "/api/v1/me";
/// The kinds of the organization of the token that asks.
pub const API_KINDS: &str = "/api/v1/kinds";

/// A kind of that organization.
pub fn api_kind(key: &str) -> String {
    format!("{API_KINDS}/{key}")
}

/// An item of a kind.
pub fn api_item(kind: &str, id: &str) -> String {
    format!("/api/v1/items/{kind}/{id}")
}

/// The prefix of the addresses of feeds.
pub const FEED: &str = "/feed/";

/// A page of the feed of a kind.
pub fn feed_page(kind: &str, query: &str) -> String {
    format!("{FEED}{kind}?{query}")
}

/// Whom a key acts for, in the form of the feeds.
pub const WHO_AM_I: &str = "/accounts/user/v1/user:WhoAmI";
/// The access rules of the token's organization.
pub const API_ACCESS_RULES: &str = "/api/v1/access-rules";
/// The description of the API.
pub const OPENAPI: &str = "/openapi.json";
/// The groups of the token's organization.
pub const API_GROUPS: &str = "/api/v1/groups";
/// The sites of the token's organization.
pub const API_SITES: &str = "/api/v1/sites";
/// Reports of publicly exposed keys.
pub const LEAKS: &str = "/api/v1/leaks";
/// The prefix of the addresses of OAuth endpoints.
pub const OAUTH: &str = "/oauth2/";
/// Introspection (RFC 7662).
pub const INTROSPECTION: &str = "/oauth2/introspect";
/// Introspection of many tokens at once.
pub const BATCH_INTROSPECTION: &str = "/oauth2/introspect/batch";
/// Revocation (RFC 7009).
pub const REVOCATION: &str = "/oauth2/revoke";
/// The beginning of addresses for decisions.
pub const DECISIONS: &str = "/access/";
/// One decision.
pub const EVALUATION: &str = "/access/v1/evaluation";
/// Several decisions.
pub const EVALUATIONS: &str = "/access/v1/evaluations";
/// Who may do something with an item.
pub const SUBJECT_SEARCH: &str = "/access/v1/search/subject";
/// With which items somebody may do something.
pub const RESOURCE_SEARCH: &str = "/access/v1/search/resource";
/// What somebody may do with an item.
pub const ACTION_SEARCH: &str = "/access/v1/search/action";
/// Where the addresses for decisions are.
pub const DECISION_METADATA: &str = "/.well-known/authzen-configuration";
/// The prefix of the addresses of metadata (RFC 8615).
pub const WELL_KNOWN: &str = "/.well-known/";
/// Metadata of the authorization server (RFC 8414).
pub const SERVER_METADATA: &str = "/.well-known/oauth-authorization-server";
/// Metadata of Jeton's own API as a protected resource (RFC 9728).
pub const RESOURCE_METADATA: &str = "/.well-known/oauth-protected-resource";
/// The public keys of signed receipts (RFC 7517).
pub const KEY_SET: &str = "/.well-known/jwks.json";
/// The prefix of the addresses of forward-auth.
pub const VERIFY: &str = "/verify";
/// The same for a proxy that appends the path of the client's request.
pub const VERIFY_TOKEN: &str = "/verify/token";
/// The prefix of the addresses of forward-auth for protected APIs.
pub const VERIFY_APIS: &str = "/verify/apis/";
/// Whether requests are served.
pub const HEALTH: &str = "/healthz";
/// Whether this node should get requests.
pub const READINESS: &str = "/readyz";
/// The metrics of this node.
pub const METRICS: &str = "/metrics";
