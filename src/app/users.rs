//! The members of an organization: listed, and their access changed, by holders of *Platform management: Users*.
//!
//! Managing users must not be a way to become an administrator (A4): nobody grants what they do not hold, and nobody
//! decides about somebody who may do more than they. Whatever ends or reduces somebody's access first locks the
//! organization's row, so that if two administrators end each other's access at the same time, one of them stays.

mod ending;

pub use ending::{Ending, end, reactivate};
pub(super) use ending::{end_in, reactivate_in, withdraw_invitations};

use super::{
    AppError, Jeton, Result,
    authority::Holder,
    external_ids::give_in,
    link_code::LinkCode,
    problem::{Field, Problem, Problems},
    tokens::overlay,
};
use domain::{
    access::SubjectId,
    activity::{Action, Detail, Source},
    group::Group,
    invitation::Invitation,
    keyed,
    membership::{Person, Standing},
    organization::{MembershipId, PermissionSetId},
    paging::PageFrom,
    password_link::MadeBy,
    permission::{ManageUsers, OrgGrant},
    permission_set::PermissionSet,
    site::Site,
    text,
    time::Timestamp,
};
use ending::{refusal, stops};
use serde::Deserialize;
use storage::{
    AnyConnection, activity,
    epoch::{Fact, Touched},
    external_ids::Known,
    groups, invitations,
    memberships::{
        self,
        people::{self, Filter},
    },
    password_links, sessions, sites, tokens, users,
};

/// The number of people on a page of the list.
pub const PAGE: i64 = 50;
/// The maximum number of invitations in the list; a search finds the others.
pub const INVITATIONS: i64 = 100;

pub(super) type Manager = Holder<ManageUsers>;

keyed! {
    /// The filter of the list.
    #[derive(Default)]
    pub enum Shown {
        /// All members, and everybody who is invited.
        #[default]
        Everybody = "",
        /// Active members.
        Active = "active",
        /// Deactivated members.
        Deactivated = "deactivated",
        /// Invited people.
        Invited = "invited",
    }
}

/// A page of the list.
#[derive(Clone, Debug)]
pub struct People {
    /// The people, by name.
    pub people: Vec<Person>,
    /// The first person, if there is a previous page.
    pub previous: Option<MembershipId>,
    /// The last person, if there is a next page.
    pub next: Option<MembershipId>,
    /// The invitations, newest first.
    pub invitations: Vec<Invitation>,
}

/// A person, and what would stop if their access ended.
#[derive(Clone, Debug)]
pub struct PersonFacts {
    /// The person.
    pub person: Person,
    /// How many active tokens they have in this organization.
    pub tokens: usize,
    /// How many sessions they have, in all organizations.
    pub sessions: usize,
    /// How many of their invitations nobody has accepted yet.
    pub invitations: i64,
    /// Their groups, by name.
    pub groups: Vec<Group>,
    /// The sites to which they are assigned, by name.
    pub sites: Vec<Site>,
    /// Why the caller cannot end their access, if so.
    pub refusal: Option<Problem>,
    /// Why the caller cannot create a link for their new password, if so.
    pub link_refusal: Option<Problem>,
}

/// The form for another permission set, as chosen.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SetForm {
    /// The number of the set.
    pub permission_set: String,
    /// The number of the set that they had when the form was opened.
    pub before: String,
    /// The password, if the form asked for it.
    pub password: Option<String>,
}

/// The form for another external id, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ExternalIdForm {
    /// The id; empty for none.
    pub external_id: String,
    /// The id when the form was opened.
    pub before: String,
}

pub(super) fn refused(problem: Problem) -> AppError {
    Problems::one(Field::Form, problem).into()
}

/// Returns a page of the organization's members, and the invitations.
pub async fn list(
    jeton: &Jeton,
    manager: &Manager,
    words: String,
    shown: Shown,
    set: Option<PermissionSetId>,
    from: PageFrom<MembershipId>,
) -> Result<People> {
    let organization = manager.grant().organization();
    jeton
        .read(move |connection| {
            let is_active = match shown {
                Shown::Everybody | Shown::Invited => None,
                Shown::Active => Some(true),
                Shown::Deactivated => Some(false),
            };
            let filter = Filter { words, is_active, set, ..Filter::default() };
            let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
            let mut from = from;
            let mut people = match shown {
                Shown::Invited => Vec::new(),
                _ => people::list(connection, organization, &filter, from, PAGE + 1)?,
            };
            if matches!(from, PageFrom::Before(_)) && people.len() <= page && shown != Shown::Invited {
                // Nobody comes before these people, so this is the first page, which is full and has the invitations.
                from = PageFrom::Start;
                people = people::list(connection, organization, &filter, from, PAGE + 1)?;
            }
            let shows_invitations = matches!(shown, Shown::Everybody | Shown::Invited) && from == PageFrom::Start;
            let invitations = if shows_invitations {
                invitations::list(connection, organization, &filter.words, set, INVITATIONS)?
            } else {
                Vec::new()
            };
            let (has_previous, has_next) = from.arrange(&mut people, page);
            let previous = people.first().filter(|_| has_previous).map(|first| first.membership);
            let next = people.last().filter(|_| has_next).map(|last| last.membership);
            Ok(People { people, previous, next, invitations })
        })
        .await
}

/// Returns a current or former member of the organization, and what would stop if their access ended.
///
/// # Errors
/// [`AppError::NotFound`] if they never were a member.
pub async fn find(jeton: &Jeton, manager: &Manager, id: MembershipId) -> Result<PersonFacts> {
    let (grant, now, verifier) = (manager.grant().clone(), jeton.clock.now(), jeton.verifier.clone());
    jeton
        .read(move |connection| {
            let organization = grant.organization();
            let person = people::find(connection, organization, id)?.ok_or(AppError::NotFound)?;
            let mut all = tokens::active(connection, person.user)?;
            all.iter_mut().for_each(|(_, token)| overlay(&verifier, &mut token.key));
            let tokens = all.iter().filter(|(_, token)| stops(token, &person, now)).count();
            let sessions = sessions::list(connection, person.user, now)?.len();
            let invitations = invitations::count_by(connection, organization, person.user)?;
            let refusal = refusal(connection, &grant, &person)?;
            let link_refusal = link_refusal(connection, &grant, &person)?;
            let (groups, sites) = (groups::of_member(connection, id)?, sites::of_member(connection, id)?);
            Ok(PersonFacts { person, tokens, sessions, invitations, groups, sites, refusal, link_refusal })
        })
        .await
}

/// Lists the permission sets of the organization.
pub async fn sets_to_give(jeton: &Jeton, manager: &Manager) -> Result<Vec<PermissionSet>> {
    let organization = manager.grant().organization();
    jeton.read(move |connection| Ok(memberships::sets(connection, organization)?)).await
}

/// Gives a member another permission set. Returns false if they already have it.
///
/// # Errors
/// [`AppError::NotFound`] if they are not a member of the organization; [`AppError::Invalid`] with what is wrong: the
/// choice, a missing password if the set grants them more, or that the caller may not decide about them.
pub async fn give_set(
    jeton: &Jeton,
    manager: &Manager,
    id: MembershipId,
    form: SetForm,
    source: Source,
) -> Result<bool> {
    let at_set = |problem| AppError::from(Problems::one(Field::PermissionSet, problem));
    let set = form.permission_set.parse().map(PermissionSetId).map_err(|_| at_set(Problem::NotAChoice))?;
    let before = form.before.parse().map(PermissionSetId).map_err(|_| at_set(Problem::NotAChoice))?;
    let organization = manager.grant().organization();
    let (given, had) = jeton
        .read(move |connection| Ok(memberships::sets(connection, organization)?))
        .await
        .map(|sets| (find_set(&sets, set), find_set(&sets, before)))?;
    let (given, had) = given.zip(had).ok_or_else(|| at_set(Problem::NotAChoice))?;
    if !given.permissions.without(&had.permissions).is_empty() {
        crate::sessions::require_reauthentication(jeton, manager.actor(), form.password, &source).await?;
    }
    let (manager, now) = (manager.clone(), jeton.clock.now());
    jeton
        .change_keys(move |connection| {
            let touched = Touched::from(Fact::Subject(SubjectId::Membership(id)));
            let grant = manager.begin(connection)?;
            let person = belonging(connection, &grant, id)?;
            // Read again, as the set itself may have been changed meanwhile.
            let given = find_set(&memberships::sets(connection, organization)?, set);
            let given = given.ok_or_else(|| at_set(Problem::NotAChoice))?;
            if person.set.id == given.id {
                return Ok((false, touched));
            }
            if person.set.id != before {
                return Err(refused(Problem::ChangedMeanwhile));
            }
            grant.may_give(&given.permissions).map_err(|lacking| at_set(Problem::NotHeld(lacking)))?;
            grant.may_give(&person.set.permissions).map_err(|lacking| refused(Problem::MayDoMore(lacking)))?;
            if !given.is_administrators(grant.known()) && is_last_administrator(connection, &person)? {
                return Err(refused(Problem::LastAdministrator));
            }
            memberships::give_set(connection, id, given.id)?;
            // Links for a new password are deleted: whoever has one may not be allowed to create it any more.
            password_links::delete_all(connection, person.user)?;
            let entry = activity::Entry {
                detail: Some(Detail::PermissionSet(given.name.clone())),
                ..about(&manager, &person, Action::UserPermissionSetChanged, now, &source)
            };
            activity::insert(connection, &entry)?;
            Ok((true, touched))
        })
        .await
}

/// Gives a member another external id, or none. Returns false if they already have it.
///
/// # Errors
/// [`AppError::NotFound`] if they are not a member of the organization; [`AppError::Invalid`] with what is wrong: the
/// id, that somebody else has it, that it was changed meanwhile, or that the caller may not decide about them.
pub async fn give_external_id(
    jeton: &Jeton,
    manager: &Manager,
    id: MembershipId,
    form: ExternalIdForm,
    source: Source,
) -> Result<bool> {
    let mut problems = Problems::default();
    let Some(wanted) = problems.check(Field::ExternalId, text::external_id(&form.external_id)) else {
        return Err(problems.into());
    };
    let (manager, now) = (manager.clone(), jeton.clock.now());
    jeton
        .change_keys(move |connection| {
            let grant = manager.begin(connection)?;
            let person = belonging(connection, &grant, id)?;
            let touched = Touched::from(Fact::Subject(SubjectId::Membership(id)));
            if person.external_id == wanted {
                return Ok((false, touched));
            }
            if person.external_id.as_deref().unwrap_or_default() != form.before {
                return Err(refused(Problem::ChangedMeanwhile));
            }
            grant.may_give(&person.set.permissions).map_err(|lacking| refused(Problem::MayDoMore(lacking)))?;
            give_in(connection, grant.organization(), Known::Member(id), wanted.as_deref())?;
            let entry = about(&manager, &person, Action::UserExternalIdChanged, now, &source);
            activity::insert(connection, &activity::Entry { detail: wanted.as_deref().map(Detail::words), ..entry })?;
            Ok((true, touched))
        })
        .await
}

/// Creates a link for a new password, which the caller hands over to a member who forgot theirs. The link gives access
/// to the member's account, so the caller must hold all that the member may do, and the account must not give access to
/// anything else.
///
/// # Errors
/// [`AppError::NotFound`] if they are not a member of the organization; [`AppError::Invalid`] with a missing password,
/// or at [`Field::Form`] with the reason.
pub async fn make_link(
    jeton: &Jeton,
    manager: &Manager,
    id: MembershipId,
    password: Option<String>,
    source: Source,
) -> Result<LinkCode> {
    crate::sessions::require_reauthentication(jeton, manager.actor(), password, &source).await?;
    let (manager, now) = (manager.clone(), jeton.clock.now());
    jeton
        .write(move |connection| {
            let grant = manager.begin(connection)?;
            let person = belonging(connection, &grant, id)?;
            users::lock(connection, person.user)?;
            if let Some(problem) = link_refusal(connection, &grant, &person)? {
                return Err(refused(problem));
            }
            let code = crate::password_links::make(connection, person.user, MadeBy::Administrator, now)?;
            activity::insert(connection, &about(&manager, &person, Action::PasswordLinkMade, now, &source))?;
            Ok(code)
        })
        .await
}

/// Returns why a caller with `grant` cannot create a link for a member's new password, if so.
fn link_refusal(
    connection: &mut AnyConnection,
    grant: &OrgGrant<ManageUsers>,
    person: &Person,
) -> Result<Option<Problem>> {
    if person.standing != Standing::Active {
        return Ok(Some(Problem::IsDeactivated));
    }
    if person.is_blocked {
        return Ok(Some(Problem::Blocked));
    }
    if let Err(lacking) = grant.may_give(&person.set.permissions) {
        return Ok(Some(Problem::MayDoMore(lacking)));
    }
    let opens_more =
        person.is_installation_admin || memberships::belongs_elsewhere(connection, person.user, person.organization)?;
    Ok(opens_more.then_some(Problem::BelongsElsewhere))
}

fn find_set(sets: &[PermissionSet], id: PermissionSetId) -> Option<PermissionSet> {
    sets.iter().find(|set| set.id == id).cloned()
}

/// Returns a member of the organization, active or not.
pub(super) fn belonging(
    connection: &mut AnyConnection,
    grant: &OrgGrant<ManageUsers>,
    id: MembershipId,
) -> Result<Person> {
    let person = people::find(connection, grant.organization(), id)?;
    person.filter(|person| person.standing != Standing::Removed).ok_or(AppError::NotFound)
}

pub(super) fn is_last_administrator(connection: &mut AnyConnection, person: &Person) -> Result<bool> {
    let mut has_one = |except| memberships::has_administrator(connection, person.organization, except);
    Ok(!has_one(Some(person.membership))? && has_one(None)?)
}

/// Creates a log entry about what is done to a person.
pub(super) fn about<'a>(
    manager: &'a Manager,
    person: &'a Person,
    action: Action,
    now: Timestamp,
    source: &'a Source,
) -> activity::Entry<'a> {
    to(person, manager.entry(action, now, source))
}

fn to<'a>(person: &'a Person, by: activity::Entry<'a>) -> activity::Entry<'a> {
    activity::Entry { target: Some(person.user), target_name: Some(&person.name), ..by }
}
