//! The addresses of the API that have a part in braces, for its description.

/// A kind.
pub const KIND: &str = "/api/v1/kinds/{key}";
/// The fields of a kind.
pub const KIND_FIELDS: &str = "/api/v1/kinds/{key}/fields";
/// Why somebody may do something with an item, or not.
pub const EXPLANATION: &str = "/api/v1/explanation";
/// An access rule.
pub const ACCESS_RULE: &str = "/api/v1/access-rules/{id}";
/// A group.
pub const GROUP: &str = "/api/v1/groups/{id}";
/// Its members, removing some, and one of them.
pub const GROUP_MEMBERS: [&str; 3] =
    ["/api/v1/groups/{id}/members", "/api/v1/groups/{id}/members/removal", "/api/v1/groups/{id}/members/{member}"];
/// A site.
pub const SITE: &str = "/api/v1/sites/{id}";
/// Its members, removing some, and one of them.
pub const SITE_MEMBERS: [&str; 3] =
    ["/api/v1/sites/{id}/members", "/api/v1/sites/{id}/members/removal", "/api/v1/sites/{id}/members/{member}"];
/// The items of a kind.
pub const ITEMS: &str = "/api/v1/items/{kind}";
/// Several changes of them together.
pub const ITEMS_TOGETHER: &str = "/api/v1/items/{kind}/bulk";
/// An item by the caller's own id.
pub const ITEM_BY_EXTERNAL_ID: &str = "/api/v1/items/{kind}/by-external-id/{external_id}";
/// An item.
pub const ITEM: &str = "/api/v1/items/{kind}/{id}";
/// Its shares.
pub const SHARES: &str = "/api/v1/items/{kind}/{id}/shares";
/// One of them.
pub const SHARE: &str = "/api/v1/items/{kind}/{id}/shares/{share}";
/// The feed of a kind.
pub const FEED: &str = "/feed/{kind}";
/// The receipt of a revocation.
pub const RECEIPT: &str = "/api/v1/revocations/{id}";
/// Revoking the token that asks.
pub const OWN_TOKEN: &str = "/api/v1/me/token";
/// Forward-auth for Envoy, which appends a path.
pub const VERIFY_TOKEN: &str = "/verify/token/{path}";
/// Forward-auth for a protected API.
pub const VERIFY_API: &str = "/verify/apis/{id}";
