//! Addresses of an organization's people: users, invitations, groups, sites and permission sets.

use super::{INVITATIONS, with_query};
use domain::organization::PermissionSetId;

/// An organization's people.
pub fn users(slug: &str) -> String {
    format!("/orgs/{slug}/users")
}

/// Searching an organization's people.
pub fn users_search(slug: &str) -> String {
    format!("{}/search", users(slug))
}

/// The list of an organization's people with this filter and page.
pub fn users_with(slug: &str, fields: &[(&str, &str)]) -> String {
    with_query(&users(slug), fields)
}

/// The list of an organization's people who have a permission set.
pub fn users_with_set(slug: &str, set: PermissionSetId) -> String {
    users_with(slug, &[("set", &set.0.to_string())])
}

/// The page of a person in an organization.
pub fn person(slug: &str, membership: i64) -> String {
    format!("{}/{membership}", users(slug))
}

/// Giving a person another permission set.
pub fn person_set(slug: &str, membership: i64) -> String {
    format!("{}/permission-set", person(slug, membership))
}

/// Deactivating a person.
pub fn deactivation(slug: &str, membership: i64) -> String {
    format!("{}/deactivation", person(slug, membership))
}

/// Reactivating a person.
pub fn reactivation(slug: &str, membership: i64) -> String {
    format!("{}/reactivation", person(slug, membership))
}

/// Removing a person.
pub fn removal(slug: &str, membership: i64) -> String {
    format!("{}/removal", person(slug, membership))
}

/// Creating a link for a person's new password.
pub fn link_for(slug: &str, membership: i64) -> String {
    format!("{}/password-link", person(slug, membership))
}

/// Inviting somebody to an organization.
pub fn invite(slug: &str) -> String {
    format!("{}/invite", users(slug))
}

/// The same, with the form filled in for somebody who was invited before.
pub fn invite_again(slug: &str, email: &str, set: i64) -> String {
    let query = serde_html_form::to_string([("email", email), ("permission_set", &set.to_string())]);
    format!("{}?{}", invite(slug), query.unwrap_or_default())
}

/// Withdrawing an invitation.
pub fn invitation_withdrawal(slug: &str, invitation: i64) -> String {
    format!("{}/invitations/{invitation}/withdrawal", users(slug))
}

/// The link of an invitation.
pub fn invitation(code: &str) -> String {
    format!("{INVITATIONS}{code}")
}

/// Accepting an invitation with an existing account.
pub fn acceptance(code: &str) -> String {
    format!("{INVITATIONS}{code}/acceptance")
}

/// Giving a person another external id.
pub fn person_external_id(slug: &str, membership: i64) -> String {
    format!("{}/external-id", person(slug, membership))
}

/// An organization's groups.
pub fn groups(slug: &str) -> String {
    format!("/orgs/{slug}/groups")
}

/// Searching an organization's groups.
pub fn groups_search(slug: &str) -> String {
    format!("{}/search", groups(slug))
}

/// The list of an organization's groups with this filter and page.
pub fn groups_with(slug: &str, fields: &[(&str, &str)]) -> String {
    with_query(&groups(slug), fields)
}

/// The form for a new group.
pub fn new_group(slug: &str) -> String {
    format!("{}/new", groups(slug))
}

/// The page of a group.
pub fn group(slug: &str, public_id: &str) -> String {
    format!("{}/{public_id}", groups(slug))
}

/// The page of the group that the field `id` names, with the other fields as filter and page of its members.
pub fn group_with(slug: &str, fields: &[(&str, &str)]) -> String {
    with_members(&groups(slug), fields)
}

/// An action on a group: `name`, `deletion`, `members`, `members/search`, `emptying`.
pub fn group_part(slug: &str, public_id: &str, part: &str) -> String {
    format!("{}/{part}", group(slug, public_id))
}

/// An organization's sites.
pub fn sites(slug: &str) -> String {
    format!("/orgs/{slug}/sites")
}

/// Searching an organization's sites.
pub fn sites_search(slug: &str) -> String {
    format!("{}/search", sites(slug))
}

/// An organization's sites with this filter.
pub fn sites_with(slug: &str, fields: &[(&str, &str)]) -> String {
    with_query(&sites(slug), fields)
}

/// The form for a new site in another one, or in none.
pub fn new_site(slug: &str, parent: &str) -> String {
    with_query(&format!("{}/new", sites(slug)), &[("parent", parent)])
}

/// The page of a site.
pub fn site(slug: &str, public_id: &str) -> String {
    format!("{}/{public_id}", sites(slug))
}

/// The page of the site that the field `id` names, with the other fields as filter and page of its people.
pub fn site_with(slug: &str, fields: &[(&str, &str)]) -> String {
    with_members(&sites(slug), fields)
}

/// An action on a site: `name`, `place`, `deletion`, `members`, `members/search`, `emptying`.
pub fn site_part(slug: &str, public_id: &str, part: &str) -> String {
    format!("{}/{part}", site(slug, public_id))
}

/// Taking a person out of the group or site whose members are at this address.
pub fn member_removal(members: &str, membership: i64) -> String {
    format!("{members}/{membership}/removal")
}

fn with_members(list: &str, fields: &[(&str, &str)]) -> String {
    let (id, others): (Vec<_>, Vec<_>) = fields.iter().copied().partition(|(name, _)| *name == "id");
    let id = id.first().map(|(_, id)| format!("/{id}")).unwrap_or_default();
    with_query(&format!("{list}{id}"), &others)
}

/// An organization's permission sets.
pub fn permission_sets(slug: &str) -> String {
    format!("/orgs/{slug}/permission-sets")
}

/// The form for a new permission set.
pub fn new_permission_set(slug: &str) -> String {
    format!("/orgs/{slug}/permission-sets/new")
}

/// The form for a new permission set, with what another one has.
pub fn permission_set_copy(slug: &str, PermissionSetId(id): PermissionSetId) -> String {
    format!("/orgs/{slug}/permission-sets/new?copy={id}")
}

/// A permission set.
pub fn permission_set(slug: &str, PermissionSetId(id): PermissionSetId) -> String {
    format!("/orgs/{slug}/permission-sets/{id}")
}

/// Changing a permission set.
pub fn permission_set_edit(slug: &str, PermissionSetId(id): PermissionSetId) -> String {
    format!("/orgs/{slug}/permission-sets/{id}/edit")
}

/// Deleting a permission set.
pub fn permission_set_deletion(slug: &str, PermissionSetId(id): PermissionSetId) -> String {
    format!("/orgs/{slug}/permission-sets/{id}/deletion")
}
