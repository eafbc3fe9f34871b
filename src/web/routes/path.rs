//! Addresses, so that no template or handler builds one by itself.

mod items;
mod people;
mod programs;
mod tokens;

pub use items::*;
pub use people::*;
pub use programs::*;
pub use tokens::*;

use actix_web::http::Uri;
use domain::user::UserId;

/// The first page.
pub const HOME: &str = "/";
/// The prefix of the addresses of styles, scripts and pictures.
pub const FILES: &str = "/static/";
/// The pages that show the description of the API.
pub const DEVELOPERS: &str = "/developers";

/// The page of a part of the API.
pub fn developers_part(part: &str) -> String {
    format!("{DEVELOPERS}/{part}")
}

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

/// Removing the role of installation administrator from a user.
pub fn installation_admin_removal(UserId(user): UserId) -> String {
    format!("{INSTALLATION_ADMINS}/{user}/removal")
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

/// The address of something in the list at this address.
pub fn below(list: &str, id: &str) -> String {
    format!("{list}/{id}")
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
