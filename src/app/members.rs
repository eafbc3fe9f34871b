//! The members of groups and sites: listed, added and removed in the same way, by whoever manages groups or sites.
//!
//! Only current members of the same organization can be in one, active or deactivated; a service user never is. Whoever
//! leaves the organization leaves its groups and sites in the same transaction (`storage::memberships`). A list of
//! thousands is one statement, and one entry of the log.

use super::{
    AppError, Jeton, Result,
    authority::Caller,
    groups,
    problem::{Field, Problem, Problems},
    sites,
    tokens::known_form,
};
use domain::{
    activity::{Action, Detail, Source},
    membership::{
        Person, Standing,
        listed::{self, Called, MOST_LISTED},
    },
    organization::{MembershipId, OrganizationId},
    paging::PageFrom,
    permission::{Authority, ManageGroups, ManageSites},
    time::Timestamp,
    user::EmailError,
};
use std::collections::{HashMap, HashSet};
use storage::{
    AnyConnection, activity, external_ids,
    members::{self, Of},
    memberships::people::{self, Filter},
};

/// The number of people on a page.
pub const PAGE: usize = 50;

/// An authority over sets of members.
pub trait Gathers: Authority + Send + Sync {
    /// The actions in the activity log: one person added, several added, one removed, several removed.
    const ACTIONS: [Action; 4];

    /// Returns the set with this public id, and its name.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if it does not exist or belongs to another organization.
    fn find_in(connection: &mut AnyConnection, organization: OrganizationId, id: &str) -> Result<(Of, String)>;
}

impl Gathers for ManageGroups {
    const ACTIONS: [Action; 4] =
        [Action::GroupMemberAdded, Action::GroupMembersAdded, Action::GroupMemberRemoved, Action::GroupMembersRemoved];

    fn find_in(connection: &mut AnyConnection, organization: OrganizationId, id: &str) -> Result<(Of, String)> {
        let group = groups::find_in(connection, organization, id)?.group;
        Ok((Of::Group(group.id), group.name))
    }
}

impl Gathers for ManageSites {
    const ACTIONS: [Action; 4] =
        [Action::SiteMemberAdded, Action::SiteMembersAdded, Action::SiteMemberRemoved, Action::SiteMembersRemoved];

    fn find_in(connection: &mut AnyConnection, organization: OrganizationId, id: &str) -> Result<(Of, String)> {
        let site = sites::find_in(connection, organization, id)?.site;
        Ok((Of::Site(site.id), site.name))
    }
}

/// A page of the people in a group or site.
#[derive(Clone, Debug)]
pub struct Members {
    /// The people, by name, and since when they are in it.
    pub people: Vec<(Person, Timestamp)>,
    /// The first person, if there is a previous page.
    pub previous: Option<MembershipId>,
    /// The last person, if there is a next page.
    pub next: Option<MembershipId>,
}

/// How a program names a member.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Whom {
    /// By the number of the membership.
    Id(MembershipId),
    /// By an e-mail address or a name.
    Called(Called),
    /// By the id of another program.
    ExternalId(String),
}

/// An entry of a list of people to be added or removed.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The number of its line, or its place in an array.
    pub place: usize,
    /// What was typed.
    pub typed: String,
    /// Whom it names.
    pub whom: std::result::Result<Whom, EmailError>,
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongEntry {
    /// The number of its line, or its place in an array.
    pub place: usize,
    /// What was typed.
    pub typed: String,
    /// What is wrong.
    pub why: Why,
}

/// Why an entry names no member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is no e-mail address.
    Malformed(EmailError),
    /// No current member of the organization is called like this.
    Nobody,
    /// Several have this name.
    Several,
}

/// The result of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This many were added or removed; the others already were, or were not, there.
    Done {
        /// How many were added or removed.
        changed: usize,
        /// How many different people the list names.
        listed: usize,
    },
    /// Nothing was done, as these entries are wrong.
    Refused(Vec<WrongEntry>),
}

/// Returns a page of at most `size` people in a group or site, with all of these words in their name or address.
///
/// # Errors
/// [`AppError::NotFound`] if it does not exist or belongs to another organization.
pub async fn page<A: Gathers>(
    jeton: &Jeton,
    at: &Caller<A>,
    id: &str,
    words: String,
    from: PageFrom<MembershipId>,
    size: usize,
) -> Result<Members> {
    let (organization, id) = (at.organization(), known_form(id)?);
    jeton
        .read(move |connection| {
            let (of, _) = A::find_in(connection, organization, &id)?;
            let filter = Filter { words, of: Some(of), ..Filter::default() };
            let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
            let mut from = from;
            let mut found = people::list(connection, organization, &filter, from, limit)?;
            if matches!(from, PageFrom::Before(_)) && found.len() <= size {
                // Nobody comes before these people, so this is the first page, which is full.
                from = PageFrom::Start;
                found = people::list(connection, organization, &filter, from, limit)?;
            }
            let (has_previous, has_next) = from.arrange(&mut found, size);
            let ids: Vec<MembershipId> = found.iter().map(|person| person.membership).collect();
            let since = members::since(connection, of, &ids)?;
            let since = |person: &Person| since.get(&person.membership).copied().unwrap_or(person.joined_at);
            let people = found.into_iter().map(|person| (since(&person), person)).map(|(at, who)| (who, at)).collect();
            let previous = ids.first().copied().filter(|_| has_previous);
            Ok(Members { people, previous, next: ids.last().copied().filter(|_| has_next) })
        })
        .await
}

/// Adds everybody in a list of e-mail addresses and names, as somebody pasted it, or nobody.
///
/// # Errors
/// [`AppError::NotFound`] if the group or site does not exist or belongs to another organization;
/// [`AppError::Invalid`] at [`Field::People`] if the list is empty or too long.
pub async fn add_pasted<A: Gathers>(
    jeton: &Jeton,
    at: &Caller<A>,
    id: &str,
    pasted: &str,
    source: Source,
) -> Result<Outcome> {
    let entry =
        |listed::ListEntry { line, typed, called }| Entry { place: line, typed, whom: called.map(Whom::Called) };
    add(jeton, at, id, listed::read(pasted).into_iter().map(entry).collect(), source).await
}

/// Adds everybody in a list, or nobody.
///
/// # Errors
/// As [`add_pasted`].
pub async fn add<A: Gathers>(
    jeton: &Jeton,
    at: &Caller<A>,
    id: &str,
    entries: Vec<Entry>,
    source: Source,
) -> Result<Outcome> {
    let (at, id, now) = (at.clone(), known_form(id)?, jeton.clock.now());
    check_length(&entries)?;
    jeton
        .write(move |connection| {
            at.begin(connection, now)?;
            let (of, name) = A::find_in(connection, at.organization(), &id)?;
            let wanted = match resolve(connection, at.organization(), &entries)? {
                Ok(wanted) => wanted,
                Err(wrong) => return Ok(Outcome::Refused(wrong)),
            };
            let added = members::add(connection, of, at.organization(), &wanted, now)?;
            let [one, several, ..] = A::ACTIONS;
            note(connection, &at, &name, &added, [one, several], now, &source)?;
            Ok(Outcome::Done { changed: added.len(), listed: wanted.len() })
        })
        .await
}

/// Removes everybody in a list, or nobody. They lose at once what the group or site gave them.
///
/// # Errors
/// As [`add_pasted`].
pub async fn remove<A: Gathers>(
    jeton: &Jeton,
    at: &Caller<A>,
    id: &str,
    entries: Vec<Entry>,
    source: Source,
) -> Result<Outcome> {
    let (at, id, now) = (at.clone(), known_form(id)?, jeton.clock.now());
    check_length(&entries)?;
    jeton
        .end(move |connection| {
            at.begin(connection, now)?;
            let (of, name) = A::find_in(connection, at.organization(), &id)?;
            let unwanted = match resolve(connection, at.organization(), &entries)? {
                Ok(unwanted) => unwanted,
                Err(wrong) => return Ok(Outcome::Refused(wrong)),
            };
            let removed = members::remove(connection, of, Some(&unwanted))?;
            let [.., one, several] = A::ACTIONS;
            note(connection, &at, &name, &removed, [one, several], now, &source)?;
            Ok(Outcome::Done { changed: removed.len(), listed: unwanted.len() })
        })
        .await
}

/// Removes one member. Returns their name, and whether they were in the group or site.
///
/// # Errors
/// [`AppError::NotFound`] if the group or site, or the membership, does not exist or belongs to another organization.
pub async fn remove_one<A: Gathers>(
    jeton: &Jeton,
    at: &Caller<A>,
    id: &str,
    member: MembershipId,
    source: Source,
) -> Result<(String, bool)> {
    let (at, id, now) = (at.clone(), known_form(id)?, jeton.clock.now());
    jeton
        .end(move |connection| {
            at.begin(connection, now)?;
            let (of, name) = A::find_in(connection, at.organization(), &id)?;
            let person = people::find(connection, at.organization(), member)?;
            let person = person.filter(|person| person.standing != Standing::Removed).ok_or(AppError::NotFound)?;
            let removed = members::remove(connection, of, Some(&[member]))?;
            let [.., one, several] = A::ACTIONS;
            note(connection, &at, &name, &removed, [one, several], now, &source)?;
            Ok((person.name, !removed.is_empty()))
        })
        .await
}

/// Removes all members. Returns how many they were.
///
/// # Errors
/// [`AppError::NotFound`] if the group or site does not exist or belongs to another organization.
pub async fn empty<A: Gathers>(jeton: &Jeton, at: &Caller<A>, id: &str, source: Source) -> Result<usize> {
    let (at, id, now) = (at.clone(), known_form(id)?, jeton.clock.now());
    jeton
        .end(move |connection| {
            at.begin(connection, now)?;
            let (of, name) = A::find_in(connection, at.organization(), &id)?;
            let removed = members::remove(connection, of, None)?;
            let [.., one, several] = A::ACTIONS;
            note(connection, &at, &name, &removed, [one, several], now, &source)?;
            Ok(removed.len())
        })
        .await
}

fn check_length(entries: &[Entry]) -> Result<()> {
    match entries.len() {
        0 => Err(Problems::one(Field::People, Problem::NobodyListed).into()),
        length if length > MOST_LISTED => Err(Problems::one(Field::People, Problem::TooManyListed).into()),
        _ => Ok(()),
    }
}

/// Returns the members whom a list names, each once, or what is wrong with it.
fn resolve(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    entries: &[Entry],
) -> Result<std::result::Result<Vec<MembershipId>, Vec<WrongEntry>>> {
    let named = || entries.iter().filter_map(|entry| entry.whom.as_ref().ok());
    let called: HashSet<&Called> = named()
        .filter_map(|whom| match whom {
            Whom::Called(called) => Some(called),
            _ => None,
        })
        .collect();
    let known_by_call = people::called(connection, organization, called.into_iter())?;
    let external_ids = named().filter_map(|whom| match whom {
        Whom::ExternalId(id) => Some(id.as_str()),
        _ => None,
    });
    let known_by_id = external_ids::members(connection, organization, &external_ids.collect::<Vec<_>>())?;
    let numbers = named().filter_map(|whom| match whom {
        Whom::Id(id) => Some(*id),
        _ => None,
    });
    let current = people::current(connection, organization, &numbers.collect::<Vec<_>>())?;
    let find = |whom: &Whom| match whom {
        Whom::Id(id) => current.get(id).copied().ok_or(Why::Nobody),
        Whom::ExternalId(id) => known_by_id.get(id).copied().ok_or(Why::Nobody),
        Whom::Called(called) => only_one(&known_by_call, called),
    };
    let (mut members, mut wrong) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for Entry { place, typed, whom } in entries {
        match whom.as_ref().map_err(|error| Why::Malformed(*error)).and_then(find) {
            Ok(member) if seen.insert(member) => members.push(member),
            Ok(_) => {}
            Err(why) => wrong.push(WrongEntry { place: *place, typed: typed.clone(), why }),
        }
    }
    Ok(if wrong.is_empty() { Ok(members) } else { Err(wrong) })
}

fn only_one(known: &HashMap<Called, Vec<MembershipId>>, called: &Called) -> std::result::Result<MembershipId, Why> {
    match known.get(called).map(Vec::as_slice) {
        None | Some([]) => Err(Why::Nobody),
        Some([only]) => Ok(*only),
        Some(_) => Err(Why::Several),
    }
}

/// Writes one entry about those who were added to a set with this name, or removed from it.
fn note<A: Gathers>(
    connection: &mut AnyConnection,
    at: &Caller<A>,
    name: &str,
    whom: &[MembershipId],
    [one, several]: [Action; 2],
    now: Timestamp,
    source: &Source,
) -> Result<()> {
    match whom {
        [] => {}
        [only] => {
            let person = people::find(connection, at.organization(), *only)?.ok_or(AppError::NotFound)?;
            let detail = Some(Detail::words(name));
            let entry = at.entry(one, now, source);
            let target_name = Some(person.name.as_str());
            let entry = activity::Entry { target: Some(person.user), target_name, detail, ..entry };
            activity::insert(connection, &entry)?;
        }
        many => {
            let entry = at.entry(several, now, source);
            let count = i64::try_from(many.len()).unwrap_or(i64::MAX);
            let detail = Some(Detail::members(many));
            activity::insert(connection, &activity::Entry { target_name: Some(name), count, detail, ..entry })?;
        }
    }
    Ok(())
}
