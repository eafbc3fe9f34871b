//! Groups: created, renamed and deleted by whoever has *Platform management: Groups*, on pages or with a token. Who is
//! in them is changed by [`super::members`].
//!
//! Nothing about groups is cached, so no change of them steps the epoch: the next request already reads it.

use super::{
    AppError, Jeton, Result,
    authority::Caller,
    items::forget_recipient,
    problem::{Field, Problem, Problems},
    random,
    tokens::known_form,
};
use domain::{
    access::Recipient,
    activity::{Action, Detail, Source},
    group::{CountedGroup, GroupId, MOST_GROUPS},
    organization::OrganizationId,
    paging::{ByName, PageFrom},
    permission::ManageGroups,
    text, token,
};
use serde::Deserialize;
use storage::{AnyConnection, activity, groups};

/// The number of groups on a page of the list.
pub const PAGE: usize = 50;

type Manager = Caller<ManageGroups>;

/// The form for a group, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct GroupForm {
    /// The name.
    pub name: String,
    /// For a change: the version that was shown.
    pub version: String,
}

/// A page of the list.
#[derive(Clone, Debug)]
pub struct Groups {
    /// The groups, by name.
    pub groups: Vec<CountedGroup>,
    /// The place where the page begins, if there is one before it.
    pub previous: Option<ByName>,
    /// The place where it ends, if there is another one.
    pub next: Option<ByName>,
}

/// Returns a page of at most `size` groups with all of these words in their name.
pub async fn list(jeton: &Jeton, at: &Manager, words: String, from: PageFrom<ByName>, size: usize) -> Result<Groups> {
    let organization = at.organization();
    jeton
        .read(move |connection| {
            let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
            let mut from = from;
            let mut groups = groups::list(connection, organization, &words, &from, limit)?;
            if matches!(from, PageFrom::Before(_)) && groups.len() <= size {
                // Nothing comes before these groups, so this is the first page, which is full.
                from = PageFrom::Start;
                groups = groups::list(connection, organization, &words, &from, limit)?;
            }
            let (has_previous, has_next) = from.arrange(&mut groups, size);
            let place = |listed: &CountedGroup| ByName::of(&listed.group.name, listed.group.id.0);
            let previous = groups.first().filter(|_| has_previous).map(place);
            let next = groups.last().filter(|_| has_next).map(place);
            Ok(Groups { groups, previous, next })
        })
        .await
}

/// Returns a group of the organization.
///
/// # Errors
/// [`AppError::NotFound`] if it does not exist or belongs to another organization.
pub async fn find(jeton: &Jeton, at: &Manager, id: &str) -> Result<CountedGroup> {
    let (organization, id) = (at.organization(), known_form(id)?);
    jeton.read(move |connection| find_in(connection, organization, &id)).await
}

/// Creates a group and returns its public id.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong with the name, or that there are already [`MOST_GROUPS`].
pub async fn create(jeton: &Jeton, at: &Manager, name: &str, source: Source) -> Result<String> {
    let name = read_name(name)?;
    let (at, now, id) = (at.clone(), jeton.clock.now(), token::public_id(random::fill));
    jeton
        .write(move |connection| {
            at.begin(connection, now)?;
            let organization = at.organization();
            if groups::count_all(connection, organization)? >= MOST_GROUPS {
                return Err(Problems::one(Field::Form, Problem::TooManyGroups).into());
            }
            must_be_free(connection, organization, &name, None)?;
            groups::insert(connection, organization, &id, &name, now)?;
            let entry = at.entry(Action::GroupCreated, now, &source);
            activity::insert(connection, &activity::Entry { target_name: Some(&name), ..entry })?;
            Ok(id.clone())
        })
        .await
}

/// Renames a group, of which `version` was shown; `None` for whichever version.
///
/// # Errors
/// [`AppError::NotFound`] if it belongs to another organization; [`AppError::Invalid`] with what is wrong, including
/// somebody else's change in the meantime ([`Problem::ChangedMeanwhile`]).
pub async fn rename(
    jeton: &Jeton,
    at: &Manager,
    id: &str,
    name: &str,
    version: Option<i64>,
    source: Source,
) -> Result<()> {
    let (id, name) = (known_form(id)?, read_name(name)?);
    let (at, now) = (at.clone(), jeton.clock.now());
    jeton
        .write(move |connection| {
            at.begin(connection, now)?;
            let before = find_in(connection, at.organization(), &id)?.group;
            if version.is_some_and(|shown| shown != before.version) {
                return Err(Problems::one(Field::Form, Problem::ChangedMeanwhile).into());
            }
            if before.name == name {
                return Ok(());
            }
            must_be_free(connection, at.organization(), &name, Some(before.id))?;
            groups::rename(connection, before.id, &name)?;
            let detail = Some(Detail::words(&before.name));
            let entry = at.entry(Action::GroupRenamed, now, &source);
            Ok(activity::insert(connection, &activity::Entry { target_name: Some(&name), detail, ..entry })?)
        })
        .await
}

/// Deletes a group, of which `version` was shown; `None` for whichever version. Its members lose at once what it gave
/// them.
///
/// # Errors
/// As [`rename`].
pub async fn delete(jeton: &Jeton, at: &Manager, id: &str, version: Option<i64>, source: Source) -> Result<()> {
    let (at, now, id) = (at.clone(), jeton.clock.now(), known_form(id)?);
    jeton
        .end(move |connection| {
            at.begin(connection, now)?;
            let CountedGroup { group, members } = find_in(connection, at.organization(), &id)?;
            if version.is_some_and(|shown| shown != group.version) {
                return Err(Problems::one(Field::Form, Problem::ChangedMeanwhile).into());
            }
            forget_recipient(connection, Recipient::Group(group.id))?;
            groups::delete(connection, group.id)?;
            let entry = at.entry(Action::GroupDeleted, now, &source);
            let entry = activity::Entry { target_name: Some(&group.name), count: members, ..entry };
            Ok(activity::insert(connection, &entry)?)
        })
        .await
}

pub(super) fn find_in(connection: &mut AnyConnection, organization: OrganizationId, id: &str) -> Result<CountedGroup> {
    groups::find(connection, organization, id)?.ok_or(AppError::NotFound)
}

fn read_name(typed: &str) -> Result<String> {
    text::line(typed).map_err(|error| Problems::one(Field::GroupName, error.into()).into())
}

fn must_be_free(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    name: &str,
    own: Option<GroupId>,
) -> Result<()> {
    match groups::is_taken(connection, organization, name, own)? {
        true => Err(Problems::one(Field::GroupName, Problem::NameTaken).into()),
        false => Ok(()),
    }
}
