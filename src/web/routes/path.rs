//! Addresses, so that no template or handler builds one by itself.

use actix_web::http::Uri;
use domain::{organization::PermissionSetId, user::UserId};

/// The first page.
pub const HOME: &str = "/";
/// The prefix of the addresses of styles, scripts and pictures.
pub const FILES: &str = "/static/";
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

/// The pages that show the description of the API.
pub const DEVELOPERS: &str = "/developers";
/// The page of a part of the API.
pub fn developers_part(part: &str) -> String {
    format!("{DEVELOPERS}/{part}")
}

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
/// The first set-up.
pub const SETUP: &str = "/setup";
/// Who administers the installation.
pub const INSTALLATION_ADMINS: &str = "/installation/administrators";
/// Signing in.
pub const SIGN_IN: &str = "/sign-in";
/// Signing out.
pub const SIGN_OUT: &str = "/sign-out";
/// Requesting a link because of a forgotten password.
pub const FORGOTTEN: &str = "/sign-in/forgotten";
/// The prefix of a link for a new password.
pub const PASSWORD_LINKS: &str = "/password/";
/// The prefix of a link that confirms an e-mail address.
pub const EMAIL_LINKS: &str = "/email/";
/// The prefix of an invitation link.
pub const INVITATIONS: &str = "/invitations/";
/// A user's profile.
pub const PROFILE: &str = "/account/profile";
/// A user's password.
pub const SECURITY: &str = "/account/security";
/// A user's theme.
pub const THEME: &str = "/account/theme";
/// Cancelling the change of a user's e-mail address.
pub const EMAIL_CHANGE_CANCELLATION: &str = "/account/email-change/cancellation";
/// A user's sessions.
pub const SESSIONS: &str = "/account/sessions";
/// Ending all sessions of a user but this one.
pub const OTHER_SESSIONS_END: &str = "/account/sessions/end-others";
/// A user's tokens.
pub const TOKENS: &str = "/account/tokens";
/// The form for a new token.
pub const NEW_TOKEN: &str = "/account/tokens/new";
/// Revoking many tokens.
pub const TOKENS_REVOCATION: &str = "/account/tokens/revocation";

/// Removing the role of installation administrator from a user.
pub fn installation_admin_removal(UserId(user): UserId) -> String {
    format!("{INSTALLATION_ADMINS}/{user}/removal")
}

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

/// The first page of the organization that a user works in.
pub const ORGANIZATIONS: &str = "/orgs";

/// The form for a new organization.
pub const NEW_ORGANIZATION: &str = "/organizations/new";

/// Choosing the organization that a user works in.
pub const WORKING_IN: &str = "/account/organization";

/// The first page of an organization.
pub fn organization(slug: &str) -> String {
    format!("/orgs/{slug}")
}

/// The same page of an organization, under the organization's new slug.
pub fn at_organization(slug: &str, asked: &Uri) -> String {
    let behind = asked.path().splitn(4, '/').nth(3).map(|behind| format!("/{behind}"));
    let query = asked.query().map(|query| format!("?{query}"));
    format!("{}{}{}", organization(slug), behind.unwrap_or_default(), query.unwrap_or_default())
}

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

/// The address of something in the list at this address.
pub fn below(list: &str, id: &str) -> String {
    format!("{list}/{id}")
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

/// Returns whether the form that is sent to this path may be long: with a list of thousands of people, with all
/// questions of a template, or with long answers.
pub fn takes_much(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(
        parts.as_slice(),
        ["", "orgs", _, "groups" | "sites", _, "members"]
            | ["", "orgs", _, "items", _, "new"]
            | ["", "orgs", _, "items", _, _, "edit"]
            | ["", "orgs", _, "kinds", _, "fields"]
    )
}

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

/// An organization's activity log.
pub fn activity(slug: &str) -> String {
    format!("/orgs/{slug}/activity")
}

/// The entry of an organization's activity log at this position.
pub fn activity_entry(slug: &str, position: i64) -> String {
    format!("{}/{position}", activity(slug))
}

/// Searching an organization's activity log.
pub fn activity_search(slug: &str) -> String {
    format!("{}/search", activity(slug))
}

/// The activity log as a file with this extension: `csv` or `jsonl`.
pub fn activity_export(slug: &str, ending: &str) -> String {
    format!("/orgs/{slug}/activity.{ending}")
}

/// The entries of the activity log that match this filter.
pub fn activity_with(slug: &str, fields: &[(&str, &str)]) -> String {
    with_query(&activity(slug), fields)
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

/// An address with the fields that are not empty.
pub fn with_query(path: &str, fields: &[(&str, &str)]) -> String {
    let given: Vec<_> = fields.iter().filter(|(_, value)| !value.is_empty()).collect();
    match serde_html_form::to_string(given) {
        Ok(query) if !query.is_empty() => format!("{path}?{query}"),
        _ => path.to_owned(),
    }
}

/// An organization's seats.
pub fn billing(slug: &str) -> String {
    format!("/orgs/{slug}/billing")
}

/// An organization's seats, to download.
pub fn seats_csv(slug: &str) -> String {
    format!("/orgs/{slug}/billing/seats.csv")
}

/// An organization's name and addresses.
pub fn organization_settings(slug: &str) -> String {
    format!("/orgs/{slug}/settings")
}

/// Ending a session.
pub fn session_end(public_id: &str) -> String {
    format!("{SESSIONS}/{public_id}/end")
}

/// Returns the organization's slug in a path.
pub fn organization_of(path: &str) -> Option<&str> {
    path.strip_prefix("/orgs/")?.split('/').next().filter(|slug| !slug.is_empty())
}

/// Returns the page with the form that is sent to this path. None for forms that are on every page: there is nothing to
/// come back to.
pub fn form_page(action: &str) -> Option<String> {
    if [THEME, WORKING_IN, SIGN_OUT].contains(&action) {
        return None;
    }
    let parts: Vec<&str> = action.trim_start_matches('/').split('/').collect();
    Some(match parts.as_slice() {
        ["account", "tokens"] => NEW_TOKEN.to_owned(),
        ["account", "sessions", ..] => SESSIONS.to_owned(),
        ["account", "email-change", ..] => PROFILE.to_owned(),
        ["invitations", code, "acceptance"] => invitation(code),
        ["orgs", slug, "permission-sets"] => new_permission_set(slug),
        ["orgs", slug, "groups"] => new_group(slug),
        ["orgs", slug, "sites"] => new_site(slug, ""),
        ["orgs", slug, "groups", id, "members", ..] => group(slug, id),
        ["orgs", slug, "sites", id, "members", ..] => site(slug, id),
        ["orgs", .., "external-id"] if action.contains("/users/") => action.trim_end_matches("/external-id").to_owned(),
        ["orgs", slug, "items", kind, id, "archive" | "reopening"] => item(slug, kind, id),
        ["orgs", slug, "access-rules"] => new_access_rule(slug),
        ["orgs", slug, "access-rules", "other-organizations", _, "acceptance"] => givers(slug),
        ["orgs", _, "permission-sets", _] => format!("{action}/edit"),
        ["orgs", slug, "kinds"] => new_kind(slug),
        ["orgs", _, "kinds", _] => format!("{action}/edit"),
        ["orgs", slug, "integrations", "tokens"] => new_service_token(slug),
        ["orgs", slug, "integrations", "apis"] => new_protected_api(slug),
        ["orgs", slug, "activity.csv" | "activity.jsonl"] => activity(slug),
        ["orgs", .., last @ ("search" | "permission-set")] => {
            action.trim_end_matches(last).trim_end_matches('/').to_owned()
        }
        _ => action.to_owned(),
    })
}

/// A page of an account in the organization with this public id.
pub fn working_in(page: &str, organization: &str) -> String {
    extended(page, &format!("working_in={organization}"))
}

/// A page or part of one, as an open page refreshes it for the `look`th time.
pub fn refreshed(page: &str, look: u16) -> String {
    extended(page, &format!("look={look}"))
}

/// An address with more fields in its query.
pub fn extended(page: &str, query: &str) -> String {
    let separator = if page.contains('?') { '&' } else { '?' };
    format!("{page}{separator}{query}")
}

/// Signing in; afterwards it leads to the local path `next`, or to the start page if that is empty.
pub fn sign_in(next: &str) -> String {
    match serde_html_form::to_string([("next", next)]) {
        Ok(query) if !next.is_empty() && next != HOME => format!("{SIGN_IN}?{query}"),
        _ => SIGN_IN.to_owned(),
    }
}

/// The link with which somebody chooses a new password.
pub fn password_link(code: &str) -> String {
    format!("{PASSWORD_LINKS}{code}")
}

/// The link that confirms an e-mail address.
pub fn email_link(code: &str) -> String {
    format!("{EMAIL_LINKS}{code}")
}

/// Returns a path without its code, for the log: anybody who has the code of a link can use it.
pub fn without_codes(path: &str) -> &str {
    let secret = [PASSWORD_LINKS, EMAIL_LINKS, INVITATIONS].into_iter().find(|begin| path.starts_with(begin));
    secret.unwrap_or(path)
}

/// The set-up link with its code.
pub fn setup(code: &str) -> String {
    format!("{SETUP}?code={code}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_an_organization_moves_with_it() {
        for (asked, moved) in [
            ("/orgs/old", "/orgs/new"),
            ("/orgs/old?x=1", "/orgs/new?x=1"),
            ("/orgs/o%6Cd/users/2?q=old/", "/orgs/new/users/2?q=old/"),
            ("/orgs/old/activity.csv", "/orgs/new/activity.csv"),
        ] {
            assert_eq!(at_organization("new", &asked.parse().unwrap()), moved, "{asked}");
        }
    }

    #[test]
    fn the_code_of_a_link_stays_out_of_the_log() {
        assert_eq!(without_codes(&password_link("secret")), "/password/");
        assert_eq!(without_codes(&email_link("secret")), "/email/");
        assert_eq!(without_codes(&acceptance("secret")), "/invitations/");
        assert_eq!(without_codes("/account/tokens"), "/account/tokens");
    }
}
