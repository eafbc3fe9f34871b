//! The table of everything that is served but forward-auth, which [`super::front`] answers, and the addresses that pages link
//! to.

pub mod path;
pub mod short;

use super::{
    account, activity, api, assets, billing, came_back,
    cors::preflight,
    email_changes, finish, health, installation, inventory, invitations, leaks, metrics, oauth, organizations, origin,
    page, password_links, revocations, service_users, session,
    session::{SignedIn, Visitor},
    sessions, setup, sign_in, tokens, users,
};
use actix_web::{
    Handler, HttpRequest, HttpResponse, Responder, Route,
    guard::{self, Guard},
    middleware::from_fn,
    web,
};
use std::future::ready;

fn reads() -> impl Guard {
    guard::Any(guard::Get()).or(guard::Head())
}

/// GET and HEAD, which only reads.
fn read<F, Args>(handler: F) -> Route
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::route().guard(reads()).to(handler)
}

/// Puts every route in its place. What is for programs never sees a session; what is for people never sees a bearer token
/// (C3).
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .configure(programs)
        .service(web::resource("/static/{name}").route(read(assets::serve)))
        .service(web::scope("/api").default_service(web::route().to(HttpResponse::NotFound)))
        .service(
            web::scope("")
                .wrap(from_fn(came_back::bring_back))
                .wrap(from_fn(session::recognize))
                // Wrapped last, so it runs first: another site's request does not even read the session.
                .wrap(from_fn(origin::check))
                .configure(pages)
                .default_service(web::route().to(short::otherwise)),
        );
}

/// What the listener for programs serves (`--verify-listen`): nothing that is for people, and what is for the operator alone.
pub fn configure_for_programs(config: &mut web::ServiceConfig) {
    config
        .configure(programs)
        .service(web::resource("/metrics").route(read(metrics::show)))
        .default_service(web::route().to(finish::not_found));
}

fn programs(config: &mut web::ServiceConfig) {
    const READS: &str = "GET, HEAD";
    config
        .service(web::resource("/api/v1/me").route(read(api::me)).route(preflight(READS)))
        .service(
            web::resource("/api/v1/me/token").route(web::delete().to(api::revoke_own_token)).route(preflight("DELETE")),
        )
        .service(
            web::resource("/api/v1/leaks")
                .route(read(leaks::describe))
                .route(web::post().to(leaks::report))
                .route(preflight("GET, HEAD, POST")),
        )
        .service(web::resource("/api/v1/revocations/{id}").route(read(revocations::receipt)).route(preflight(READS)))
        .service(web::resource(path::KEY_SET).route(read(revocations::key_set)).route(preflight(READS)))
        .service(web::resource(path::INTROSPECTION).route(web::post().to(oauth::introspect)))
        .service(web::resource(path::BATCH_INTROSPECTION).route(web::post().to(oauth::introspect_batch)))
        .service(web::resource(path::REVOCATION).route(web::post().to(oauth::revoke)).route(preflight("POST")))
        .service(web::resource(path::SERVER_METADATA).route(read(oauth::server_metadata)).route(preflight(READS)))
        .service(web::resource(path::RESOURCE_METADATA).route(read(oauth::resource_metadata)).route(preflight(READS)))
        .service(web::resource("/healthz").route(read(health::healthz)))
        .service(web::resource("/readyz").route(read(health::readyz)));
}

fn pages(config: &mut web::ServiceConfig) {
    // First, since some are what the part in braces of a page's address would take. Forms pass them by.
    for (address, page) in short::ADDRESSES {
        let lead = move |request: HttpRequest| ready(short::lead(&request, page));
        config.service(web::resource(address).guard(reads()).route(web::to(lead)));
    }
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
        .service(web::resource("/sign-out").route(read(sign_in::ask_sign_out)).route(web::post().to(sign_in::sign_out)))
        .service(
            web::resource("/account/profile")
                .route(read(account::profile))
                .route(web::post().to(account::change_profile)),
        )
        .service(web::resource("/account/email-change/cancellation").route(web::post().to(email_changes::cancel)))
        .service(
            web::resource("/email/{code}").route(read(email_changes::show)).route(web::post().to(email_changes::prove)),
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
        .service(web::resource("/account/tokens/{id}/receipt").route(read(revocations::show_own)))
        .service(web::resource("/account/tokens/{id}/receipt/file").route(read(revocations::own_file)))
        .service(web::resource("/account/organization").route(web::post().to(organizations::choose)))
        .service(
            web::resource("/organizations/new")
                .route(read(organizations::new))
                .route(web::post().to(organizations::create)),
        )
        .service(
            web::resource("/installation/administrators")
                .route(read(installation::list))
                .route(web::post().to(installation::promote)),
        )
        .service(
            web::resource("/installation/administrators/{id}/removal")
                .route(read(installation::ask))
                .route(web::post().to(installation::demote)),
        )
        .service(
            web::resource("/invitations/{code}")
                .route(read(invitations::show))
                .route(web::post().to(invitations::join_as_new)),
        )
        .service(web::resource("/invitations/{code}/acceptance").route(web::post().to(invitations::join)))
        .service(web::resource("/orgs").route(read(organizations::own)))
        .configure(organization)
        .configure(people)
        .configure(permission_sets)
        .configure(integrations)
        .configure(protected_apis);
}

/// What belongs to an organization as a whole.
fn organization(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/orgs/{slug}").route(read(organizations::home)))
        .service(
            web::resource("/orgs/{slug}/settings")
                .route(read(organizations::settings))
                .route(web::post().to(organizations::change)),
        )
        .service(web::resource("/orgs/{slug}/activity").route(read(activity::list)))
        .service(web::resource("/orgs/{slug}/activity/search").route(web::post().to(activity::search)))
        .service(web::resource("/orgs/{slug}/activity/{id}").route(read(activity::show)))
        .service(web::resource("/orgs/{slug}/activity.csv").route(web::post().to(activity::export_csv)))
        .service(web::resource("/orgs/{slug}/activity.jsonl").route(web::post().to(activity::export_jsonl)))
        .service(web::resource("/orgs/{slug}/billing").route(read(billing::show)))
        .service(web::resource("/orgs/{slug}/billing/seats.csv").route(read(billing::csv)));
}

/// The permission sets of an organization.
fn permission_sets(config: &mut web::ServiceConfig) {
    use super::permission_sets as sets;
    config
        .service(
            web::resource("/orgs/{slug}/permission-sets").route(read(sets::list)).route(web::post().to(sets::create)),
        )
        .service(web::resource("/orgs/{slug}/permission-sets/new").route(read(sets::new)))
        .service(
            web::resource("/orgs/{slug}/permission-sets/{id}")
                .route(read(sets::show))
                .route(web::post().to(sets::change)),
        )
        .service(
            web::resource("/orgs/{slug}/permission-sets/{id}/edit")
                .route(read(sets::edit))
                .route(web::post().to(sets::review)),
        )
        .service(
            web::resource("/orgs/{slug}/permission-sets/{id}/deletion")
                .route(read(sets::confirm_deletion))
                .route(web::post().to(sets::delete)),
        );
}

/// The people of an organization.
fn people(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/orgs/{slug}/users").route(read(users::list)))
        .service(web::resource("/orgs/{slug}/users/search").route(web::post().to(users::search)))
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
        );
}

/// The protected APIs of an organization.
fn protected_apis(config: &mut web::ServiceConfig) {
    use super::protected_apis as apis;
    config
        .service(
            web::resource("/orgs/{slug}/integrations/apis").route(read(apis::list)).route(web::post().to(apis::create)),
        )
        .service(web::resource("/orgs/{slug}/integrations/apis/new").route(read(apis::new)))
        .service(web::resource("/orgs/{slug}/integrations/apis/{id}").route(read(apis::show)))
        .service(
            web::resource("/orgs/{slug}/integrations/apis/{id}/edit")
                .route(read(apis::edit))
                .route(web::post().to(apis::change)),
        )
        .service(
            web::resource("/orgs/{slug}/integrations/apis/{id}/deletion")
                .route(read(apis::confirm_deletion))
                .route(web::post().to(apis::delete)),
        );
}

/// The tokens of an organization.
fn integrations(config: &mut web::ServiceConfig) {
    use service_users as tokens;
    config
        .service(web::resource("/orgs/{slug}/integrations").route(read(tokens::first_tab)))
        .service(web::resource("/orgs/{slug}/integrations/inventory").route(read(inventory::list)))
        .service(web::resource("/orgs/{slug}/integrations/inventory/search").route(web::post().to(inventory::search)))
        .service(
            web::resource("/orgs/{slug}/integrations/inventory/{id}/revocation")
                .route(read(inventory::confirm_revocation))
                .route(web::post().to(inventory::revoke)),
        )
        .service(web::resource("/orgs/{slug}/integrations/receipts/{id}").route(read(revocations::show)))
        .service(web::resource("/orgs/{slug}/integrations/receipts/{id}/file").route(read(revocations::file)))
        .service(
            web::resource("/orgs/{slug}/integrations/tokens")
                .route(read(tokens::list))
                .route(web::post().to(tokens::create)),
        )
        .service(web::resource("/orgs/{slug}/integrations/tokens/search").route(web::post().to(tokens::search)))
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
