//! The table of everything that is served except forward-auth, which [`super::forward_auth`] answers, and the addresses
//! that pages link to.

mod group;
pub mod path;
pub mod pattern;
mod route;
pub mod short;

use super::{
    account, activity, api, assets, billing, developers, email_changes, evaluations, explanations, finish, groups,
    health, installation, inventory, invitations, kept_forms, leaks, members, metrics, oauth, openapi, organizations,
    origin, page, password_links, revocations, service_users, session,
    session::{SignedIn, Visitor},
    sessions, setup, sign_in, sites, tokens, users,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::Method,
    middleware::from_fn,
    web::{self, ServiceConfig},
};
use domain::permission::{ManageGroups, ManageSites};
pub use group::Group;
use route::{Route, at, reads};
use std::future::ready;

/// Registers all routes. Routes for programs never see a session; routes for people never see a bearer token (C3).
pub fn configure(config: &mut ServiceConfig) {
    serve(programs(), config);
    serve(assets(), config);
    config.service(web::scope("/api").default_service(web::route().to(HttpResponse::NotFound))).service(
        web::scope("")
            .wrap(from_fn(kept_forms::middleware))
            .wrap(from_fn(session::recognize))
            // Wrapped last, so it runs first: for a request from another site, not even the session is read.
            .wrap(from_fn(origin::check))
            .configure(short_addresses)
            .configure(|config| serve(pages(), config))
            .default_service(web::route().to(short::otherwise)),
    );
}

/// Registers what the listener for programs serves (`--verify-listen`): nothing for people, and what is only for the
/// operator.
pub fn configure_for_programs(config: &mut ServiceConfig) {
    serve(programs(), config);
    serve(operation(), config);
    config.default_service(web::route().to(finish::not_found));
}

/// Returns every method and address that the two listeners serve, read from the code that configures them. HEAD goes
/// with GET. It excludes [`short::ADDRESSES`], CORS preflights, and forward-auth.
pub fn served() -> Vec<(Method, &'static str)> {
    let routes = [programs(), assets(), pages(), operation()].into_iter().flatten();
    routes.flat_map(|route| route.served().collect::<Vec<_>>()).collect()
}

/// Returns every method and address of the API, as [`served`].
pub fn served_to_programs() -> Vec<(Method, &'static str)> {
    programs().into_iter().flat_map(|route| route.served().collect::<Vec<_>>()).collect()
}

fn serve(routes: Vec<Route>, config: &mut ServiceConfig) {
    for route in routes {
        config.service(route.resource());
    }
}

fn programs() -> Vec<Route> {
    vec![
        at("/api/v1/me").reads(api::me).shared(),
        at("/api/v1/me/token").deletes(api::revoke_own_token).shared(),
        at(path::API_KINDS).reads(api::kinds::list).posts(api::kinds::create).shared(),
        at("/api/v1/kinds/{key}").reads(api::kinds::show).puts(api::kinds::change).deletes(api::kinds::delete).shared(),
        at("/api/v1/kinds/{key}/fields").reads(api::kinds::fields).puts(api::kinds::change_fields).shared(),
        at(path::API_GROUPS).reads(api::groups::list).posts(api::groups::create).shared(),
        at("/api/v1/groups/{id}")
            .reads(api::groups::show)
            .patches(api::groups::change)
            .deletes(api::groups::delete)
            .shared(),
        at("/api/v1/groups/{id}/members")
            .reads(api::members::list::<ManageGroups>)
            .posts(api::members::add::<ManageGroups>)
            .shared(),
        at("/api/v1/groups/{id}/members/removal").posts(api::members::remove::<ManageGroups>).shared(),
        at("/api/v1/groups/{id}/members/{member}").deletes(api::members::remove_one::<ManageGroups>).shared(),
        at(path::API_SITES).reads(api::sites::list).posts(api::sites::create).shared(),
        at("/api/v1/sites/{id}")
            .reads(api::sites::show)
            .patches(api::sites::change)
            .deletes(api::sites::delete)
            .shared(),
        at("/api/v1/sites/{id}/members")
            .reads(api::members::list::<ManageSites>)
            .posts(api::members::add::<ManageSites>)
            .shared(),
        at("/api/v1/sites/{id}/members/removal").posts(api::members::remove::<ManageSites>).shared(),
        at("/api/v1/sites/{id}/members/{member}").deletes(api::members::remove_one::<ManageSites>).shared(),
        at(path::API_ACCESS_RULES).reads(api::access_rules::list).posts(api::access_rules::create).shared(),
        at("/api/v1/access-rules/{id}")
            .reads(api::access_rules::show)
            .puts(api::access_rules::change)
            .deletes(api::access_rules::delete)
            .shared(),
        at("/api/v1/items/{kind}").reads(api::items::list).posts(api::items::create).shared(),
        at("/api/v1/items/{kind}/bulk").posts(api::items::bulk::together).shared(),
        at("/api/v1/items/{kind}/by-external-id/{external_id}").puts(api::items::put).shared(),
        at("/api/v1/items/{kind}/{id}")
            .reads(api::items::show)
            .patches(api::items::change)
            .deletes(api::items::delete)
            .shared(),
        at("/api/v1/items/{kind}/{id}/shares")
            .reads(api::items::shares::list)
            .posts(api::items::shares::share)
            .shared(),
        at("/api/v1/items/{kind}/{id}/shares/{share}").deletes(api::items::shares::end).shared(),
        at("/api/v1/explanation").posts(api::explanation::show).shared(),
        at("/feed/{kind}").reads(api::items::feed::show),
        at(path::WHO_AM_I).reads(api::items::feed::who_am_i),
        at("/api/v1/leaks").reads(leaks::describe).posts(leaks::report).shared(),
        at("/api/v1/revocations/{id}").reads(revocations::receipt).shared(),
        at(path::KEY_SET).reads(revocations::key_set).shared(),
        at(path::INTROSPECTION).posts(oauth::introspect),
        at(path::BATCH_INTROSPECTION).posts(oauth::introspect_batch),
        at(path::REVOCATION).posts(oauth::revoke).shared(),
        at(path::EVALUATION).posts(evaluations::one),
        at(path::EVALUATIONS).posts(evaluations::several),
        at(path::SUBJECT_SEARCH).posts(evaluations::search_subjects),
        at(path::RESOURCE_SEARCH).posts(evaluations::search_items),
        at(path::ACTION_SEARCH).posts(evaluations::search_actions),
        at(path::DECISION_METADATA).reads(evaluations::metadata).shared(),
        at(path::SERVER_METADATA).reads(oauth::server_metadata).shared(),
        at(path::RESOURCE_METADATA).reads(oauth::resource_metadata).shared(),
        at("/healthz").reads(health::healthz),
        at("/readyz").reads(health::readyz),
        at(path::OPENAPI).reads(openapi::show).shared(),
    ]
}

fn assets() -> Vec<Route> {
    vec![at("/static/{name}").reads(assets::serve)]
}

fn operation() -> Vec<Route> {
    vec![at("/metrics").reads(metrics::show)]
}

/// Registered before the pages, because the part in braces of a page's address would match some of them. Forms are not
/// affected.
fn short_addresses(config: &mut ServiceConfig) {
    for (address, page) in short::ADDRESSES {
        let lead = move |request: HttpRequest| ready(short::lead(&request, page));
        config.service(web::resource(address).guard(reads()).route(web::to(lead)));
    }
}

fn pages() -> Vec<Route> {
    let mut pages = vec![
        at("/").reads(home),
        at("/setup").reads(setup::form).posts(setup::submit),
        at("/sign-in").reads(sign_in::form).posts(sign_in::submit),
        at("/sign-in/forgotten").reads(password_links::forgotten).posts(password_links::ask),
        at("/password/{code}").reads(password_links::form).posts(password_links::submit),
        at("/sign-out").reads(sign_in::ask_sign_out).posts(sign_in::sign_out),
        at("/account/profile").reads(account::profile).posts(account::change_profile),
        at("/account/email-change/cancellation").posts(email_changes::cancel),
        at("/email/{code}").reads(email_changes::show).posts(email_changes::prove),
        at("/account/theme").posts(account::change_theme),
        at("/account/security").reads(account::security).posts(account::change_password),
        at("/account/sessions").reads(sessions::list),
        at("/account/sessions/end-others").posts(sessions::end_others),
        at("/account/sessions/{id}/end").posts(sessions::end),
        at("/account/tokens").reads(tokens::list).posts(tokens::create),
        at("/account/tokens/new").reads(tokens::new),
        at("/account/tokens/revocation").reads(tokens::confirm_bulk).posts(tokens::revoke_bulk),
        at("/account/tokens/{id}").reads(tokens::show),
        at("/account/tokens/{id}/revocation").reads(tokens::confirm_revocation).posts(tokens::revoke),
        at("/account/tokens/{id}/receipt").reads(revocations::show_own),
        at("/account/tokens/{id}/receipt/file").reads(revocations::own_file),
        at("/account/organization").posts(organizations::choose),
        at("/organizations/new").reads(organizations::new).posts(organizations::create),
        at("/installation/administrators").reads(installation::list).posts(installation::promote),
        at("/installation/administrators/{id}/removal").reads(installation::ask).posts(installation::demote),
        at("/invitations/{code}").reads(invitations::show).posts(invitations::join_as_new),
        at("/invitations/{code}/acceptance").posts(invitations::join),
        at("/orgs").reads(organizations::own),
        at(path::DEVELOPERS).reads(developers::overview),
        at("/developers/{part}").reads(developers::part),
    ];
    for part in [
        organization(),
        people(),
        group_pages(),
        site_pages(),
        permission_sets(),
        kinds(),
        item_pages(),
        access_rules(),
        integrations(),
        protected_apis(),
    ] {
        pages.extend(part);
    }
    pages
}

/// The pages of an organization as a whole.
fn organization() -> Vec<Route> {
    vec![
        at("/orgs/{slug}").reads(organizations::home),
        at("/orgs/{slug}/settings").reads(organizations::settings).posts(organizations::change),
        at("/orgs/{slug}/activity").reads(activity::list),
        at("/orgs/{slug}/activity/search").posts(activity::search),
        at("/orgs/{slug}/activity/{id}").reads(activity::show),
        at("/orgs/{slug}/activity.csv").posts(activity::export_csv),
        at("/orgs/{slug}/activity.jsonl").posts(activity::export_jsonl),
        at("/orgs/{slug}/billing").reads(billing::show),
        at("/orgs/{slug}/billing/seats.csv").reads(billing::csv),
    ]
}

/// The permission sets of an organization.
fn permission_sets() -> Vec<Route> {
    use super::permission_sets as sets;
    vec![
        at("/orgs/{slug}/permission-sets").reads(sets::list).posts(sets::create),
        at("/orgs/{slug}/permission-sets/new").reads(sets::new),
        at("/orgs/{slug}/permission-sets/{id}").reads(sets::show).posts(sets::change),
        at("/orgs/{slug}/permission-sets/{id}/edit").reads(sets::edit).posts(sets::review),
        at("/orgs/{slug}/permission-sets/{id}/deletion").reads(sets::confirm_deletion).posts(sets::delete),
    ]
}

/// The kinds of an organization.
fn kinds() -> Vec<Route> {
    use super::kinds;
    vec![
        at("/orgs/{slug}/kinds").reads(kinds::list).posts(kinds::create),
        at("/orgs/{slug}/kinds/new").reads(kinds::new),
        at("/orgs/{slug}/kinds/{key}").reads(kinds::show).posts(kinds::change),
        at("/orgs/{slug}/kinds/{key}/edit").reads(kinds::edit).posts(kinds::review),
        at("/orgs/{slug}/kinds/{key}/fields").reads(kinds::edit_fields).posts(kinds::save_fields),
        at("/orgs/{slug}/kinds/{key}/deletion").reads(kinds::confirm_deletion).posts(kinds::delete),
    ]
}

/// The items of an organization.
fn item_pages() -> Vec<Route> {
    use super::items;
    vec![
        at("/orgs/{slug}/explanation").reads(explanations::show).posts(explanations::submit),
        at("/orgs/{slug}/items/{kind}.csv").reads(items::download),
        at("/orgs/{slug}/items/{kind}").reads(items::list),
        at("/orgs/{slug}/items/{kind}/search").posts(items::search),
        at("/orgs/{slug}/items/{kind}/new").reads(items::new).posts(items::create),
        at("/orgs/{slug}/items/{kind}/{id}").reads(items::show),
        at("/orgs/{slug}/items/{kind}/{id}/edit").reads(items::edit).posts(items::save),
        at("/orgs/{slug}/items/{kind}/{id}/inspection").reads(items::ask_start).posts(items::start),
        at("/orgs/{slug}/items/{kind}/{id}/reopening").posts(items::reopen),
        at("/orgs/{slug}/items/{kind}/{id}/owner").reads(items::ask_owner).posts(items::give),
        at("/orgs/{slug}/items/{kind}/{id}/archive").posts(items::archive),
        at("/orgs/{slug}/items/{kind}/{id}/deletion").reads(items::confirm_deletion).posts(items::delete),
        at("/orgs/{slug}/items/{kind}/{id}/people").reads(items::by_person::list),
        at("/orgs/{slug}/items/{kind}/{id}/people/search").posts(items::by_person::search),
        at("/orgs/{slug}/items/{kind}/{id}/share").reads(items::sharing::ask).posts(items::sharing::share),
        at("/orgs/{slug}/items/{kind}/{id}/shares/{share}")
            .reads(items::sharing::ask_level)
            .posts(items::sharing::change_level),
        at("/orgs/{slug}/items/{kind}/{id}/shares/{share}/end").reads(items::confirm_end).posts(items::end),
    ]
}

/// The access rules of an organization, and what others share with it.
fn access_rules() -> Vec<Route> {
    use super::{access_rules as rules, refused_organizations as givers};
    vec![
        at("/orgs/{slug}/access-rules").reads(rules::list).posts(rules::create),
        at("/orgs/{slug}/access-rules/search").posts(rules::search),
        at("/orgs/{slug}/access-rules/new").reads(rules::new),
        at("/orgs/{slug}/access-rules/other-organizations").reads(givers::list),
        at("/orgs/{slug}/access-rules/other-organizations/{id}/refusal").reads(givers::ask).posts(givers::refuse),
        at("/orgs/{slug}/access-rules/other-organizations/{id}/acceptance").posts(givers::accept),
        at("/orgs/{slug}/access-rules/{id}").reads(rules::edit).posts(rules::change),
        at("/orgs/{slug}/access-rules/{id}/deletion").reads(rules::confirm_deletion).posts(rules::delete),
    ]
}

/// The people of an organization.
fn people() -> Vec<Route> {
    vec![
        at("/orgs/{slug}/users").reads(users::list),
        at("/orgs/{slug}/users/search").posts(users::search),
        at("/orgs/{slug}/users/invite").reads(users::invite_form).posts(users::invite),
        at("/orgs/{slug}/users/invitations/{id}/withdrawal").reads(users::ask_withdrawal).posts(users::withdraw),
        at("/orgs/{slug}/users/{id}").reads(users::show),
        at("/orgs/{slug}/users/{id}/permission-set").posts(users::give_set),
        at("/orgs/{slug}/users/{id}/external-id").posts(users::give_external_id),
        at("/orgs/{slug}/users/{id}/deactivation").reads(users::ask_deactivation).posts(users::deactivate),
        at("/orgs/{slug}/users/{id}/reactivation").reads(users::ask_reactivation).posts(users::reactivate),
        at("/orgs/{slug}/users/{id}/removal").reads(users::ask_removal).posts(users::remove),
        at("/orgs/{slug}/users/{id}/password-link").reads(users::ask_link).posts(users::make_link),
    ]
}

/// The groups of an organization.
fn group_pages() -> Vec<Route> {
    type By = ManageGroups;
    vec![
        at("/orgs/{slug}/groups").reads(groups::list).posts(groups::create),
        at("/orgs/{slug}/groups/search").posts(groups::search),
        at("/orgs/{slug}/groups/new").reads(groups::new),
        at("/orgs/{slug}/groups/{id}").reads(members::show::<By>),
        at("/orgs/{slug}/groups/{id}/name").reads(groups::edit_name).posts(groups::rename),
        at("/orgs/{slug}/groups/{id}/deletion").reads(groups::confirm_deletion).posts(groups::delete),
        at("/orgs/{slug}/groups/{id}/members").posts(members::add::<By>),
        at("/orgs/{slug}/groups/{id}/members/search").posts(members::search::<By>),
        at("/orgs/{slug}/groups/{id}/members/{member}/removal").posts(members::remove::<By>),
        at("/orgs/{slug}/groups/{id}/emptying").reads(members::confirm_emptying::<By>).posts(members::empty::<By>),
    ]
}

/// The sites of an organization.
fn site_pages() -> Vec<Route> {
    type By = ManageSites;
    vec![
        at("/orgs/{slug}/sites").reads(sites::list).posts(sites::create),
        at("/orgs/{slug}/sites/search").posts(sites::search),
        at("/orgs/{slug}/sites/new").reads(sites::new),
        at("/orgs/{slug}/sites/{id}").reads(members::show::<By>),
        at("/orgs/{slug}/sites/{id}/name").reads(sites::edit_name).posts(sites::rename),
        at("/orgs/{slug}/sites/{id}/place").reads(sites::choose_place).posts(sites::relocate),
        at("/orgs/{slug}/sites/{id}/deletion").reads(sites::confirm_deletion).posts(sites::delete),
        at("/orgs/{slug}/sites/{id}/members").posts(members::add::<By>),
        at("/orgs/{slug}/sites/{id}/members/search").posts(members::search::<By>),
        at("/orgs/{slug}/sites/{id}/members/{member}/removal").posts(members::remove::<By>),
        at("/orgs/{slug}/sites/{id}/emptying").reads(members::confirm_emptying::<By>).posts(members::empty::<By>),
    ]
}

/// The protected APIs of an organization.
fn protected_apis() -> Vec<Route> {
    use super::protected_apis as apis;
    vec![
        at("/orgs/{slug}/integrations/apis").reads(apis::list).posts(apis::create),
        at("/orgs/{slug}/integrations/apis/new").reads(apis::new),
        at("/orgs/{slug}/integrations/apis/{id}").reads(apis::show),
        at("/orgs/{slug}/integrations/apis/{id}/edit").reads(apis::edit).posts(apis::change),
        at("/orgs/{slug}/integrations/apis/{id}/deletion").reads(apis::confirm_deletion).posts(apis::delete),
    ]
}

/// The tokens of an organization.
fn integrations() -> Vec<Route> {
    use service_users as tokens;
    vec![
        at("/orgs/{slug}/integrations").reads(tokens::first_tab),
        at("/orgs/{slug}/integrations/inventory").reads(inventory::list),
        at("/orgs/{slug}/integrations/inventory/search").posts(inventory::search),
        at("/orgs/{slug}/integrations/inventory/{id}/revocation")
            .reads(inventory::confirm_revocation)
            .posts(inventory::revoke),
        at("/orgs/{slug}/integrations/receipts/{id}").reads(revocations::show),
        at("/orgs/{slug}/integrations/receipts/{id}/file").reads(revocations::file),
        at("/orgs/{slug}/integrations/tokens").reads(tokens::list).posts(tokens::create),
        at("/orgs/{slug}/integrations/tokens/search").posts(tokens::search),
        at("/orgs/{slug}/integrations/tokens/new").reads(tokens::new),
        at("/orgs/{slug}/integrations/tokens/{id}").reads(tokens::show),
        at("/orgs/{slug}/integrations/tokens/{id}/name").reads(tokens::edit_name).posts(tokens::rename),
        at("/orgs/{slug}/integrations/tokens/{id}/external-id")
            .reads(tokens::edit_external_id)
            .posts(tokens::change_external_id),
        at("/orgs/{slug}/integrations/tokens/{id}/expiry").reads(tokens::edit_expiry).posts(tokens::change_expiry),
        at("/orgs/{slug}/integrations/tokens/{id}/permissions")
            .reads(tokens::edit_permissions)
            .posts(tokens::change_permissions),
        at("/orgs/{slug}/integrations/tokens/{id}/revocation").reads(tokens::confirm_revocation).posts(tokens::revoke),
        at("/orgs/{slug}/integrations/tokens/{id}/regeneration")
            .reads(tokens::confirm_regeneration)
            .posts(tokens::regenerate),
        at("/orgs/{slug}/integrations/tokens/{id}/rotation").reads(tokens::confirm_rotation).posts(tokens::rotate),
        at("/orgs/{slug}/integrations/tokens/{id}/old-key")
            .reads(tokens::confirm_end_of_old_key)
            .posts(tokens::end_old_key),
        at("/orgs/{slug}/integrations/tokens/{id}/deletion").reads(tokens::confirm_deletion).posts(tokens::delete),
    ]
}

/// The start page: the tokens of the signed-in user.
async fn home(_: Visitor, signed_in: Option<SignedIn>) -> HttpResponse {
    page::see(if signed_in.is_some() { path::TOKENS } else { path::SIGN_IN })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_in_the_group_of_its_kind() {
        let groups = |routes: Vec<Route>| routes.into_iter().flat_map(Route::served).map(|(_, path)| Group::of(path));
        assert!(groups(programs()).chain(groups(operation())).all(Group::is_for_programs));
        assert!(groups(assets()).all(|group| group == Group::Files));
        assert!(groups(pages()).all(|group| group == Group::Pages));
    }
}
