//! The table of everything that is served, and the addresses that pages link to.

use super::{
    App, PublicUrl, account, activity, api, assets, organizations, origin, page, password_links, session,
    App, PublicUrl, account, api, assets, organizations, origin, page, permission_sets, session,
    App, PublicUrl, account, api, assets, billing, organizations, origin, page, permission_sets, session,
    App, PublicUrl, account, activity, api, assets, inventory, organizations, origin, page, session,
    App, PublicUrl, account, activity, api, assets, invitations, organizations, origin, page, password_links, session,
    App, PublicUrl, account, activity, api, assets, organizations, origin, page, password_links, service_users,
    session,
    session::{SignedIn, Visitor},
    sessions, setup, sign_in, tokens, users, verify,
};
use actix_web::{Handler, HttpResponse, Responder, Route, cookie::Key, guard, middleware::from_fn, web};

/// Addresses, so that no template or handler puts one together by itself.
pub mod path {
    use crate::domain::organization::PermissionSetId;

    /// The first page.
    pub const HOME: &str = "/";
    /// What the API's addresses begin with.
    pub const API: &str = "/api/";
    /// Forward-auth.
    pub const VERIFY: &str = "/verify";
    /// The first set-up.
    pub const SETUP: &str = "/setup";
    /// Signing in.
    pub const SIGN_IN: &str = "/sign-in";
    /// Asking for a link because of a forgotten password.
    pub const FORGOTTEN: &str = "/sign-in/forgotten";
    /// What the address of a link for a new password begins with.
    pub const PASSWORD_LINKS: &str = "/password/";
    /// What the address of an invitation begins with.
    pub const INVITATIONS: &str = "/invitations/";
    /// A user's profile.
    pub const PROFILE: &str = "/account/profile";
    /// A user's password.
    pub const SECURITY: &str = "/account/security";
    /// A user's sessions.
    pub const SESSIONS: &str = "/account/sessions";
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

    /// The organization that a user works in.
    pub const WORKING_IN: &str = "/account/organization";

    /// The first page of an organization.
    pub fn organization(slug: &str) -> String {
        format!("/orgs/{slug}")
    }

    /// An organization's people.
    pub fn users(slug: &str) -> String {
        format!("/orgs/{slug}/users")
    }

    /// A page of an organization's people: a search, a state, and the person behind whom it begins.
    pub fn users_page(slug: &str, words: &str, state: &str, after: Option<i64>) -> String {
        let mut query = vec![("q", words.to_owned()), ("state", state.to_owned())];
        query.extend(after.map(|after| ("after", after.to_string())));
        query.retain(|(_, value)| !value.is_empty());
        match serde_urlencoded::to_string(&query) {
            Ok(query) if !query.is_empty() => format!("{}?{query}", users(slug)),
            _ => users(slug),
        }
    }

    /// An organization's people, after one of them was removed.
    pub fn users_after_removal(slug: &str, membership: i64) -> String {
        format!("{}?removed={membership}", users(slug))
    }

    /// An organization's people, after an invitation was withdrawn.
    pub fn users_after_withdrawal(slug: &str) -> String {
        format!("{}?withdrawn", users(slug))
    }

    /// The page of a person in an organization.
    pub fn person(slug: &str, membership: i64) -> String {
        format!("{}/{membership}", users(slug))
    }

    /// The same after something was done to them.
    pub fn person_after(slug: &str, membership: i64, done: &str) -> String {
        format!("{}?done={done}", person(slug, membership))
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

    /// Making a link for a person's new password.
    pub fn link_for(slug: &str, membership: i64) -> String {
        format!("{}/password-link", person(slug, membership))
    }

    /// Inviting somebody to an organization.
    pub fn invite(slug: &str) -> String {
        format!("{}/invite", users(slug))
    }

    /// The same with the form filled in for somebody who was invited before.
    pub fn invite_again(slug: &str, email: &str, set: i64) -> String {
        let query = serde_urlencoded::to_string([("email", email), ("permission_set", &set.to_string())]);
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

    /// Joining by an invitation with the account that one has.
    pub fn acceptance(code: &str) -> String {
        format!("{INVITATIONS}{code}/acceptance")
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

    /// The API tokens of an organization's service users.
    pub fn service_tokens(slug: &str) -> String {
        format!("/orgs/{slug}/integrations/tokens")
    }

    /// The form for a new API token of a service user.
    pub fn new_service_token(slug: &str) -> String {
        format!("/orgs/{slug}/integrations/tokens/new")
    }

    /// The page of a service user's API token.
    pub fn service_token(slug: &str, public_id: &str) -> String {
        format!("/orgs/{slug}/integrations/tokens/{public_id}")
    }

    /// A part of it, or what is done with it: `name`, `expiry`, `permissions`, `revocation`, `regeneration`, `rotation`,
    /// `old-key`, `deletion`.
    pub fn service_token_part(slug: &str, public_id: &str, part: &str) -> String {
        format!("/orgs/{slug}/integrations/tokens/{public_id}/{part}")
    }

    /// An organization's activity log.
    pub fn activity(slug: &str) -> String {
        format!("/orgs/{slug}/activity")
    }

    /// The activity log as a file, whose name ends like this: `csv` or `jsonl`.
    pub fn activity_export(slug: &str, ending: &str) -> String {
        format!("/orgs/{slug}/activity.{ending}")
    }

    /// The entries of the activity log that fit these fields of its filter.
    pub fn activity_with(slug: &str, fields: &[(&str, &str)]) -> String {
        with_query(&activity(slug), fields)
    }

    /// All tokens of an organization.
    pub fn inventory(slug: &str) -> String {
        format!("/orgs/{slug}/integrations/inventory")
    }

    /// The tokens of an organization that fit these fields of the filter.
    pub fn inventory_with(slug: &str, fields: &[(&str, &str)]) -> String {
        with_query(&inventory(slug), fields)
    }

    /// Where a token of an organization is seen by those who manage them all.
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

    /// An address with the fields that are not empty.
    fn with_query(path: &str, fields: &[(&str, &str)]) -> String {
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

    /// Signing in, and going on to the local path `next`; empty for the first page.
    pub fn sign_in(next: &str) -> String {
        match serde_html_form::to_string([("next", next)]) {
            Ok(query) if !next.is_empty() && next != HOME => format!("{SIGN_IN}?{query}"),
            _ => SIGN_IN.to_owned(),
        }
    }

    /// Signing in after choosing a new password.
    pub fn sign_in_with_new_password() -> String {
        format!("{SIGN_IN}?new_password")
    }

    /// After asking for a link because of a forgotten password.
    pub fn forgotten_asked() -> String {
        format!("{FORGOTTEN}?asked")
    }

    /// The link with which somebody chooses a new password.
    pub fn password_link(code: &str) -> String {
        format!("{PASSWORD_LINKS}{code}")
    }

    /// A path as the log may have it: whoever has the code of a link can use it.
    pub fn without_codes(path: &str) -> &str {
        let secret = [PASSWORD_LINKS, INVITATIONS].into_iter().find(|begin| path.starts_with(begin));
        secret.unwrap_or(path)
    }

    /// The set-up link with its code.
    pub fn setup(code: &str) -> String {
        format!("{SETUP}?code={code}")
    }
}

/// GET and HEAD, which only reads.
fn read<F, Args>(handler: F) -> Route
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::route().guard(guard::Any(guard::Get()).or(guard::Head())).to(handler)
}

/// Puts every route in its place. What is for programs never sees a session; what is for people never sees a bearer token
/// (C3).
pub fn configure(config: &mut web::ServiceConfig, jeton: &App, url: &PublicUrl, cookie_key: &Key) {
    config
        // First what is asked for most often: routes are tried in this order.
        .service(web::resource("/verify").route(web::route().to(verify::verify)))
        .service(web::resource("/api/v1/me").route(read(api::me)))
        .service(web::resource("/api/v1/me/token").route(web::delete().to(api::revoke_own_token)))
        .service(web::resource("/static/{name}").route(read(assets::serve)))
        .service(web::scope("/api").default_service(web::route().to(HttpResponse::NotFound)))
        .service(
            web::scope("")
                .wrap(session::middleware(jeton, url, cookie_key))
                // Wrapped last, so it runs first: another site's request does not even read the session.
                .wrap(from_fn(origin::check))
                .configure(pages)
                .default_service(web::route().to(HttpResponse::NotFound)),
        );
}

fn pages(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/").route(read(home)))
        .service(web::resource("/setup").route(read(setup::form)).route(web::post().to(setup::submit)))
        .service(web::resource("/sign-in").route(read(sign_in::form)).route(web::post().to(sign_in::submit)))
        .service(
            web::resource("/sign-in/forgotten")
                .route(read(password_links::forgotten))
                .route(web::post().to(password_links::ask)),
        )
        .service(
            web::resource("/password/{code}")
                .route(read(password_links::form))
                .route(web::post().to(password_links::submit)),
        )
        .service(web::resource("/sign-out").route(web::post().to(sign_in::sign_out)))
        .service(
            web::resource("/account/profile")
                .route(read(account::profile))
                .route(web::post().to(account::change_profile)),
        )
        .service(web::resource("/account/theme").route(web::post().to(account::change_theme)))
        .service(
            web::resource("/account/security")
                .route(read(account::security))
                .route(web::post().to(account::change_password)),
        )
        .service(web::resource("/account/sessions").route(read(sessions::list)))
        .service(web::resource("/account/sessions/end-others").route(web::post().to(sessions::end_others)))
        .service(web::resource("/account/sessions/{id}/end").route(web::post().to(sessions::end)))
        .service(web::resource("/account/tokens").route(read(tokens::list)).route(web::post().to(tokens::create)))
        .service(web::resource("/account/tokens/new").route(read(tokens::new)))
        .service(
            web::resource("/account/tokens/revocation")
                .route(read(tokens::confirm_bulk))
                .route(web::post().to(tokens::revoke_bulk)),
        )
        .service(web::resource("/account/tokens/{id}").route(read(tokens::show)))
        .service(
            web::resource("/account/tokens/{id}/revocation")
                .route(read(tokens::confirm_revocation))
                .route(web::post().to(tokens::revoke)),
        )
        .service(web::resource("/account/organization").route(web::post().to(organizations::choose)))
        .service(
            web::resource("/organizations/new")
                .route(read(organizations::new))
                .route(web::post().to(organizations::create)),
        )
            web::resource("/invitations/{code}")
                .route(read(invitations::show))
                .route(web::post().to(invitations::join_as_new)),
        )
        .service(web::resource("/invitations/{code}/acceptance").route(web::post().to(invitations::join)))
        .configure(people)
        .service(web::resource("/orgs/{slug}").route(read(organizations::home)))
        .service(web::resource("/orgs/{slug}/activity").route(read(activity::list)))
        .service(web::resource("/orgs/{slug}/activity.csv").route(web::post().to(activity::export_csv)))
        .service(web::resource("/orgs/{slug}/activity.jsonl").route(web::post().to(activity::export_jsonl)));
        .service(
            web::resource("/orgs/{slug}/settings")
                .route(read(organizations::settings))
                .route(web::post().to(organizations::change)),
        )
        .service(web::resource("/orgs/{slug}/billing").route(read(billing::show)))
        .service(web::resource("/orgs/{slug}/billing/seats.csv").route(read(billing::csv)))
        .service(
            web::resource("/orgs/{slug}/permission-sets")
                .route(read(permission_sets::list))
                .route(web::post().to(permission_sets::create)),
        )
        .service(web::resource("/orgs/{slug}/permission-sets/new").route(read(permission_sets::new)))
        .service(
            web::resource("/orgs/{slug}/permission-sets/{id}")
                .route(read(permission_sets::show))
                .route(web::post().to(permission_sets::change)),
        )
        .service(
            web::resource("/orgs/{slug}/permission-sets/{id}/edit")
                .route(read(permission_sets::edit))
                .route(web::post().to(permission_sets::review)),
        )
        .service(
            web::resource("/orgs/{slug}/permission-sets/{id}/deletion")
                .route(read(permission_sets::confirm_deletion))
                .route(web::post().to(permission_sets::delete)),
        .service(web::resource("/orgs/{slug}/activity.jsonl").route(web::post().to(activity::export_jsonl)))
        .service(web::resource("/orgs/{slug}/integrations/inventory").route(read(inventory::list)))
        .service(
            web::resource("/orgs/{slug}/integrations/inventory/{id}/revocation")
                .route(read(inventory::confirm_revocation))
                .route(web::post().to(inventory::revoke)),
        );
}

/// The people of an organization.
fn people(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/orgs/{slug}/users").route(read(users::list)))
        .service(
            web::resource("/orgs/{slug}/users/invite")
                .route(read(users::invite_form))
                .route(web::post().to(users::invite)),
        )
        .service(
            web::resource("/orgs/{slug}/users/invitations/{id}/withdrawal")
                .route(read(users::ask_withdrawal))
                .route(web::post().to(users::withdraw)),
        )
        .service(web::resource("/orgs/{slug}/users/{id}").route(read(users::show)))
        .service(web::resource("/orgs/{slug}/users/{id}/permission-set").route(web::post().to(users::give_set)))
        .service(
            web::resource("/orgs/{slug}/users/{id}/deactivation")
                .route(read(users::ask_deactivation))
                .route(web::post().to(users::deactivate)),
        )
        .service(
            web::resource("/orgs/{slug}/users/{id}/reactivation")
                .route(read(users::ask_reactivation))
                .route(web::post().to(users::reactivate)),
        )
        .service(
            web::resource("/orgs/{slug}/users/{id}/removal")
                .route(read(users::ask_removal))
                .route(web::post().to(users::remove)),
        )
        .service(
            web::resource("/orgs/{slug}/users/{id}/password-link")
                .route(read(users::ask_link))
                .route(web::post().to(users::make_link)),
        .service(web::resource("/orgs/{slug}/activity.jsonl").route(web::post().to(activity::export_jsonl)))
        .configure(integrations);
}

fn integrations(config: &mut web::ServiceConfig) {
    use service_users as tokens;
    config
        .service(web::resource("/orgs/{slug}/integrations").route(read(tokens::first_tab)))
        .service(
            web::resource("/orgs/{slug}/integrations/tokens")
                .route(read(tokens::list))
                .route(web::post().to(tokens::create)),
        )
        .service(web::resource("/orgs/{slug}/integrations/tokens/new").route(read(tokens::new)))
        .service(web::resource("/orgs/{slug}/integrations/tokens/{id}").route(read(tokens::show)))
        .service(
            web::resource("/orgs/{slug}/integrations/tokens/{id}/name")
                .route(read(tokens::edit_name))
                .route(web::post().to(tokens::rename)),
        )
        .service(
            web::resource("/orgs/{slug}/integrations/tokens/{id}/expiry")
                .route(read(tokens::edit_expiry))
                .route(web::post().to(tokens::change_expiry)),
        )
        .service(
            web::resource("/orgs/{slug}/integrations/tokens/{id}/permissions")
                .route(read(tokens::edit_permissions))
                .route(web::post().to(tokens::change_permissions)),
        )
        .service(
            web::resource("/orgs/{slug}/integrations/tokens/{id}/revocation")
                .route(read(tokens::confirm_revocation))
                .route(web::post().to(tokens::revoke)),
        )
        .service(
            web::resource("/orgs/{slug}/integrations/tokens/{id}/regeneration")
                .route(read(tokens::confirm_regeneration))
                .route(web::post().to(tokens::regenerate)),
        )
        .service(
            web::resource("/orgs/{slug}/integrations/tokens/{id}/rotation")
                .route(read(tokens::confirm_rotation))
                .route(web::post().to(tokens::rotate)),
        )
        .service(
            web::resource("/orgs/{slug}/integrations/tokens/{id}/old-key")
                .route(read(tokens::confirm_end_of_old_key))
                .route(web::post().to(tokens::end_old_key)),
        )
        .service(
            web::resource("/orgs/{slug}/integrations/tokens/{id}/deletion")
                .route(read(tokens::confirm_deletion))
                .route(web::post().to(tokens::delete)),
        );
}

/// The first page: the tokens of whoever is signed in.
async fn home(_: Visitor, signed_in: Option<SignedIn>) -> HttpResponse {
    page::see(if signed_in.is_some() { path::TOKENS } else { path::SIGN_IN })
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn the_code_of_a_link_stays_out_of_the_log() {
        assert_eq!(path::without_codes(&path::password_link("secret")), "/password/");
        assert_eq!(path::without_codes(&path::acceptance("secret")), "/invitations/");
        assert_eq!(path::without_codes("/account/tokens"), "/account/tokens");
    }
}
