//! Addresses of tokens, receipts and protected APIs.

use super::with_query;

/// A user's tokens.
pub const TOKENS: &str = "/account/tokens";
/// The form for a new token.
pub const NEW_TOKEN: &str = "/account/tokens/new";
/// Revoking many tokens.
pub const TOKENS_REVOCATION: &str = "/account/tokens/revocation";

/// The page of a token.
pub fn token(public_id: &str) -> String {
    format!("{TOKENS}/{public_id}")
}

/// Revoking a token.
pub fn token_revocation(public_id: &str) -> String {
    format!("{TOKENS}/{public_id}/revocation")
}

/// The receipt of the revocation of a token.
pub fn token_receipt(public_id: &str) -> String {
    format!("{TOKENS}/{public_id}/receipt")
}

/// The API tokens of an organization's service users.
pub fn service_tokens(slug: &str) -> String {
    format!("/orgs/{slug}/integrations/tokens")
}

/// Searching them.
pub fn service_tokens_search(slug: &str) -> String {
    format!("{}/search", service_tokens(slug))
}

/// The API tokens of service users that match this filter.
pub fn service_tokens_with(slug: &str, fields: &[(&str, &str)]) -> String {
    with_query(&service_tokens(slug), fields)
}

/// The form for a new API token of a service user.
pub fn new_service_token(slug: &str) -> String {
    format!("/orgs/{slug}/integrations/tokens/new")
}

/// The page of a service user's API token.
pub fn service_token(slug: &str, public_id: &str) -> String {
    format!("/orgs/{slug}/integrations/tokens/{public_id}")
}

/// A part of that page, or an action on the token: `name`, `expiry`, `permissions`, `revocation`, `regeneration`,
/// `rotation`, `old-key`, `deletion`.
pub fn service_token_part(slug: &str, public_id: &str, part: &str) -> String {
    format!("/orgs/{slug}/integrations/tokens/{public_id}/{part}")
}

/// An organization's protected APIs.
pub fn protected_apis(slug: &str) -> String {
    format!("/orgs/{slug}/integrations/apis")
}

/// The form for a new protected API.
pub fn new_protected_api(slug: &str) -> String {
    format!("/orgs/{slug}/integrations/apis/new")
}

/// The page of a protected API.
pub fn protected_api(slug: &str, public_id: &str) -> String {
    format!("/orgs/{slug}/integrations/apis/{public_id}")
}

/// An action on it: `edit`, `deletion`.
pub fn protected_api_part(slug: &str, public_id: &str, part: &str) -> String {
    format!("/orgs/{slug}/integrations/apis/{public_id}/{part}")
}

/// All tokens of an organization.
pub fn inventory(slug: &str) -> String {
    format!("/orgs/{slug}/integrations/inventory")
}

/// Searching all tokens of an organization.
pub fn inventory_search(slug: &str) -> String {
    format!("{}/search", inventory(slug))
}

/// The tokens of an organization that match this filter.
pub fn inventory_with(slug: &str, fields: &[(&str, &str)]) -> String {
    with_query(&inventory(slug), fields)
}

/// The page where members who manage all tokens see this one.
pub fn token_of_organization(slug: &str, public_id: &str, is_service: bool) -> String {
    if is_service {
        format!("{}/{public_id}", service_tokens(slug))
    } else {
        inventory_with(slug, &[("search", public_id)])
    }
}

/// Revoking somebody's personal token.
pub fn inventory_revocation(slug: &str, public_id: &str) -> String {
    format!("/orgs/{slug}/integrations/inventory/{public_id}/revocation")
}

/// The receipt of the revocation of any token of an organization.
pub fn receipt(slug: &str, public_id: &str) -> String {
    format!("/orgs/{slug}/integrations/receipts/{public_id}")
}

/// The signed file of the receipt at this path.
pub fn receipt_file(receipt: &str) -> String {
    format!("{receipt}/file")
}
