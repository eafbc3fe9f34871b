//! What a change of access does to those behind its recipient: who gets more, who loses something, and who keeps it by
//! something else. It is told before somebody decides.

use super::Result;
use domain::{
    access::{AccessRule, ItemFacts, Level, Reach, Recipient, Share, SubjectFacts, SubjectId, reach},
    item::ItemKind,
    kind::CommonAction,
    membership::{Person, Standing},
    organization::OrganizationId,
    paging::PageFrom,
    permission::Permissions,
};
use std::collections::HashMap;
pub use storage::audience::Size;
use storage::{
    AnyConnection, access,
    audience::{self, ServiceUser},
    memberships::people::{self, Filter},
    recipients::{self, Known},
};

/// The maximum number of people, and of service users, who are looked at one by one.
const MOST: i64 = 400;

/// What a change does.
#[derive(Clone, Debug)]
pub struct Effect {
    /// How many there are behind the recipient; `None` if they belong to another organization.
    pub size: Option<Size>,
    /// What it does to each of them; `None` where there are too many, or they belong to another organization.
    pub each: Option<Vec<Affected>>,
    /// The names of the recipients in [`Affected::after`].
    pub names: HashMap<Recipient, Known>,
}

/// What a change does to somebody.
#[derive(Clone, Debug)]
pub struct Affected {
    /// Their name.
    pub name: String,
    /// The level that they have.
    pub before: Option<Level>,
    /// All ways that they will have.
    pub after: Reach,
    /// The highest level that their permissions let them use.
    pub allowed: Option<Level>,
}

/// Somebody behind a recipient.
pub(super) struct Behind {
    pub(super) facts: SubjectFacts,
    pub(super) name: String,
    pub(super) permissions: Permissions,
}

/// What gives access to an item, before or after a change.
pub(super) struct Given<'a> {
    pub(super) shares: &'a [Share],
    pub(super) rules: &'a [AccessRule],
}

/// Finds out what a change does to those behind a recipient in the organization `of`; `None` for another one than that
/// of whoever asks, about which nothing is said.
pub(super) fn effect_in(
    connection: &mut AnyConnection,
    item: &ItemFacts,
    (recipient, of): (Recipient, Option<OrganizationId>),
    (before, after): (&Given<'_>, &Given<'_>),
) -> Result<Effect> {
    let Some(of) = of else { return Ok(Effect { size: None, each: None, names: HashMap::new() }) };
    let size = audience::size(connection, recipient)?;
    if size.people > MOST || size.service_users > MOST {
        return Ok(Effect { size: Some(size), each: None, names: HashMap::new() });
    }
    let behind = behind_in(connection, of, &[recipient])?;
    let affected = |one: Behind| Affected {
        before: reach(&one.facts, item, before.shares, before.rules).level(),
        after: reach(&one.facts, item, after.shares, after.rules),
        allowed: allowed(&item.kind, &one.permissions),
        name: one.name,
    };
    let each: Vec<Affected> = behind.into_iter().map(affected).collect();
    let ways: Vec<Recipient> = each.iter().flat_map(|one| one.after.ways()).map(|way| way.recipient).collect();
    Ok(Effect { size: Some(size), each: Some(each), names: recipients::names(connection, &ways)? })
}

/// Lists the active people, then the service users of an organization for whom some recipients stand, by name.
fn behind_in(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    recipients: &[Recipient],
) -> Result<Vec<Behind>> {
    let filter = Filter { is_active: Some(true), behind: Some(recipients.to_vec()), ..Filter::default() };
    let people = people::list(connection, organization, &filter, PageFrom::Start, MOST)?;
    let mut behind = of_people(connection, organization, people)?;
    let service_users = audience::service_users(connection, organization, recipients, MOST)?;
    behind.extend(of_service_users(connection, organization, service_users)?);
    Ok(behind)
}

/// Adds to people what their access depends on.
pub(super) fn of_people(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    people: Vec<Person>,
) -> Result<Vec<Behind>> {
    let ids: Vec<_> = people.iter().map(|person| person.membership).collect();
    let mut facts = access::members_facts(connection, organization, &ids)?;
    let behind = |person: Person| {
        let facts = facts.remove(&person.membership)?;
        Some(Behind { facts, name: person.name, permissions: person.set.permissions })
    };
    Ok(people.into_iter().filter(|person| person.standing == Standing::Active).filter_map(behind).collect())
}

/// The same for service users.
pub(super) fn of_service_users(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    all: Vec<ServiceUser>,
) -> Result<Vec<Behind>> {
    let mut behind = Vec::with_capacity(all.len());
    for ServiceUser { id, name, permissions, .. } in all {
        let facts = access::subject_facts(connection, SubjectId::ServiceUser(id), organization)?;
        behind.push(Behind { facts, name, permissions });
    }
    Ok(behind)
}

/// Returns the highest level on items of a kind of which permissions let somebody use something.
pub(super) fn allowed(kind: &ItemKind, permissions: &Permissions) -> Option<Level> {
    let actions = CommonAction::ALL.into_iter();
    let held = actions.filter(|action| kind.permission(*action).is_some_and(|held| permissions.includes(&held)));
    held.map(CommonAction::level).max()
}
