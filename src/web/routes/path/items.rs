//! Addresses of items, of what gives access to them, and of their kinds.

use super::with_query;

/// An organization's items of a kind.
pub fn items(slug: &str, kind: &str) -> String {
    format!("/orgs/{slug}/items/{kind}")
}

/// Searching them.
pub fn items_search(slug: &str, kind: &str) -> String {
    format!("{}/search", items(slug, kind))
}

/// The list of items of a kind with this filter and page.
pub fn items_with(slug: &str, kind: &str, fields: &[(&str, &str)]) -> String {
    with_query(&items(slug, kind), fields)
}

/// The form for a new item.
pub fn new_item(slug: &str, kind: &str) -> String {
    format!("{}/new", items(slug, kind))
}

/// The same list as a file, with everything that it has.
pub fn items_csv(slug: &str, kind: &str, fields: &[(&str, &str)]) -> String {
    with_query(&format!("{}.csv", items(slug, kind)), fields)
}

/// The page of an item.
pub fn item(slug: &str, kind: &str, public_id: &str) -> String {
    format!("{}/{public_id}", items(slug, kind))
}

/// A share of an item.
pub fn share(slug: &str, kind: &str, public_id: &str, share: &str) -> String {
    format!("{}/shares/{share}", item(slug, kind, public_id))
}

/// Ending a share of an item.
pub fn share_end(slug: &str, kind: &str, public_id: &str, of: &str) -> String {
    format!("{}/end", share(slug, kind, public_id, of))
}

/// An action on it: `edit`, `archive`, `inspection`, `reopening`, `owner`, `deletion`, `share`, `people`,
/// `people/search`.
pub fn item_part(slug: &str, kind: &str, public_id: &str, part: &str) -> String {
    format!("{}/{part}", item(slug, kind, public_id))
}

/// Why somebody may do something with an item, or not.
pub fn explanation(slug: &str) -> String {
    format!("/orgs/{slug}/explanation")
}

/// The answer to a question about it.
pub fn explanation_with(slug: &str, fields: &[(&str, &str)]) -> String {
    with_query(&explanation(slug), fields)
}

/// An organization's access rules.
pub fn access_rules(slug: &str) -> String {
    format!("/orgs/{slug}/access-rules")
}

/// The list of access rules with this filter and page.
pub fn access_rules_with(slug: &str, fields: &[(&str, &str)]) -> String {
    with_query(&access_rules(slug), fields)
}

/// Searching them.
pub fn access_rules_search(slug: &str) -> String {
    format!("{}/search", access_rules(slug))
}

/// The form for a new access rule.
pub fn new_access_rule(slug: &str) -> String {
    format!("{}/new", access_rules(slug))
}

/// An access rule, as a form.
pub fn access_rule(slug: &str, public_id: &str) -> String {
    format!("{}/{public_id}", access_rules(slug))
}

/// Deleting an access rule.
pub fn access_rule_deletion(slug: &str, public_id: &str) -> String {
    format!("{}/deletion", access_rule(slug, public_id))
}

/// What other organizations share with one.
pub fn givers(slug: &str) -> String {
    format!("{}/other-organizations", access_rules(slug))
}

/// Refusing what an organization shares.
pub fn refusal(slug: &str, giver: &str) -> String {
    format!("{}/{giver}/refusal", givers(slug))
}

/// Accepting it again.
pub fn acceptance_of(slug: &str, giver: &str) -> String {
    format!("{}/{giver}/acceptance", givers(slug))
}

/// An organization's kinds.
pub fn kinds(slug: &str) -> String {
    format!("/orgs/{slug}/kinds")
}

/// The form for a new kind.
pub fn new_kind(slug: &str) -> String {
    format!("/orgs/{slug}/kinds/new")
}

/// A kind.
pub fn kind(slug: &str, key: &str) -> String {
    format!("/orgs/{slug}/kinds/{key}")
}

/// An action on it: `edit`, `fields`, `deletion`.
pub fn kind_part(slug: &str, key: &str, part: &str) -> String {
    format!("/orgs/{slug}/kinds/{key}/{part}")
}
