//! The page of a person: facts about them, and the permission set that they have.

use super::{Manager, calendar, standing};
use crate::{
    App,
    errors::WebError,
    form::{Form, Refused},
    notice::{self, Message, Notice},
    page::page,
    routes::path,
    shell::{Nav, Shell, initials},
    texts::Texts,
    uses::capitalized,
    words::{Errors, Moment},
};
use actix_web::{HttpResponse, web::Path};
use app::{
    AppError,
    problem::{Field, Problem},
    users::{ExternalIdForm, PersonFacts, SetForm},
};
use askama::Template;
use domain::{
    membership::Standing, organization::MembershipId, permission::BuiltInPermission, permission_set::PermissionSet,
    user::shown_email,
};

/// A person.
#[derive(Template)]
#[template(path = "users/person.html")]
struct PersonPage {
    shell: Shell,
    message: Option<Message>,
    back: String,
    name: String,
    initials: String,
    email: String,
    is_you: bool,
    is_active: bool,
    state: (&'static str, &'static str),
    joined: Moment,
    seen: Option<Moment>,
    tokens: usize,
    set: String,
    /// The sentence that their account is blocked, if it is.
    blocked: Option<String>,
    /// Why the reader may not change this person's access.
    refusal: Option<String>,
    /// The choices: number, name, whether it is chosen, whether it is disabled.
    sets: Vec<(i64, String, bool, bool)>,
    before: i64,
    asks_password: bool,
    errors: Errors,
    /// The groups and sites, each with a link for those who may see it.
    groups: Vec<(String, Option<String>)>,
    sites: Vec<(String, Option<String>)>,
    external_id: String,
    external_id_before: String,
    external_id_action: String,
    set_action: String,
    deactivation: String,
    reactivation: String,
    removal: String,
    link: String,
}

/// `GET /orgs/{slug}/users/{id}`
///
/// # Errors
/// Not found if they do not belong to the organization.
pub async fn show(
    app: App,
    at: Manager,
    address: Path<(String, i64)>,
    notice: Option<Notice>,
) -> Result<HttpResponse, WebError> {
    let person = person_page(&app, &at, MembershipId(address.1), "").await?;
    let message = notice.and_then(|notice| message(&person, &notice));
    page(&PersonPage { message, ..person })
}

fn message(person: &PersonPage, notice: &Notice) -> Option<Message> {
    let t = person.shell.t;
    match notice {
        Notice::SetGiven => Some(Message::done(t.users_person_saved())),
        Notice::ExternalIdSaved => Some(Message::done(t.users_person_external_id_saved())),
        Notice::Unchanged => Some(Message::done(t.users_person_unchanged())),
        Notice::Deactivated if !person.is_active => {
            Some(Message::done(t.users_person_deactivated_notice(&person.name)))
        }
        Notice::Reactivated if person.is_active => Some(Message::done(t.users_person_reactivated_notice(&person.name))),
        _ => None,
    }
}

async fn person_page(app: &App, at: &Manager, id: MembershipId, chosen: &str) -> Result<PersonPage, WebError> {
    let facts = app::users::find(app, &at.who, id).await?;
    if facts.person.standing == Standing::Removed {
        return Err(AppError::NotFound.into());
    }
    let sets = app::users::sets_to_give(app, &at.who).await?;
    let (shell, calendar, slug) = (at.shell(Nav::Users), calendar(app, at), at.slug());
    let PersonFacts { person, tokens, groups, sites, refusal, .. } = facts;
    let held = at.who.grant().held();
    let t = shell.t;
    let chosen = chosen.parse().unwrap_or(person.set.id.0);
    Ok(PersonPage {
        message: None,
        back: path::users(slug),
        initials: initials(&person.name),
        is_you: person.user == at.who.actor().user().id,
        is_active: person.standing == Standing::Active,
        state: standing(t, &person),
        blocked: person.is_blocked.then(|| t.problem(at.kinds(), Field::Person, Problem::Blocked)),
        joined: calendar.full(person.joined_at),
        seen: person.seen_at.map(|seen| calendar.moment(seen, capitalized)),
        tokens,
        set: t.set_name(&person.set.name).to_owned(),
        refusal: refusal.map(|problem| t.problem(at.kinds(), Field::Form, problem)),
        sets: choices(at, t, &sets, chosen, person.set.id.0),
        before: person.set.id.0,
        asks_password: !app::sessions::recently_authenticated(app, at.who.actor()),
        errors: Errors::default(),
        groups: groups
            .into_iter()
            .map(|group| {
                let href =
                    held.contains(BuiltInPermission::PlatformGroups).then(|| path::group(slug, &group.public_id));
                (group.name, href)
            })
            .collect(),
        sites: sites
            .into_iter()
            .map(|site| {
                let href = held.contains(BuiltInPermission::PlatformSites).then(|| path::site(slug, &site.public_id));
                (site.name, href)
            })
            .collect(),
        external_id: person.external_id.clone().unwrap_or_default(),
        external_id_before: person.external_id.unwrap_or_default(),
        external_id_action: path::person_external_id(slug, id.0),
        set_action: path::person_set(slug, id.0),
        deactivation: path::deactivation(slug, id.0),
        reactivation: path::reactivation(slug, id.0),
        removal: path::removal(slug, id.0),
        link: path::link_for(slug, id.0),
        name: person.name,
        email: shown_email(&person.email),
        shell,
    })
}

/// Returns the sets that can be chosen. Those that grant more than the user holds are disabled, except the current one.
fn choices(at: &Manager, t: Texts, sets: &[PermissionSet], chosen: i64, now: i64) -> Vec<(i64, String, bool, bool)> {
    let choice = |set: &PermissionSet| {
        let gives_more = at.who.grant().may_give(&set.permissions).is_err();
        let name = t.set_name(&set.name).to_owned();
        let name = if gives_more { t.users_person_set_more(name) } else { name };
        (set.id.0, name, set.id.0 == chosen, gives_more && set.id.0 != now)
    };
    sets.iter().map(choice).collect()
}

/// `POST /orgs/{slug}/users/{id}/permission-set`
///
/// # Errors
/// Not found if they do not belong to the organization.
pub async fn give_set(
    app: App,
    at: Manager,
    address: Path<(String, i64)>,
    Form(typed): Form<SetForm>,
) -> Result<HttpResponse, WebError> {
    let (id, chosen) = (MembershipId(address.1), typed.permission_set.clone());
    match app::users::give_set(&app, &at.who, id, typed, at.source.clone()).await {
        Ok(has_changed) => {
            let notice = if has_changed { Notice::SetGiven } else { Notice::Unchanged };
            Ok(notice::see(&path::person(at.slug(), id.0), &notice))
        }
        Err(error) => {
            let refused = Refused::new(error)?;
            let person = person_page(&app, &at, id, &chosen).await?;
            let errors = Errors::named(person.shell.t, &person.shell.kinds, &refused.problems);
            refused.page(&PersonPage { errors, ..person })
        }
    }
}

/// `POST /orgs/{slug}/users/{id}/external-id`
///
/// # Errors
/// Not found if they do not belong to the organization.
pub async fn give_external_id(
    app: App,
    at: Manager,
    address: Path<(String, i64)>,
    Form(typed): Form<ExternalIdForm>,
) -> Result<HttpResponse, WebError> {
    let (id, external_id) = (MembershipId(address.1), typed.external_id.clone());
    match app::users::give_external_id(&app, &at.who, id, typed, at.source.clone()).await {
        Ok(has_changed) => {
            let notice = if has_changed { Notice::ExternalIdSaved } else { Notice::Unchanged };
            Ok(notice::see(&path::person(at.slug(), id.0), &notice))
        }
        Err(error) => {
            let refused = Refused::new(error)?;
            let person = person_page(&app, &at, id, "").await?;
            let errors = Errors::new(person.shell.t, &refused.problems);
            refused.page(&PersonPage { errors, external_id, ..person })
        }
    }
}
