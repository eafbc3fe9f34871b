//! The activity log: read page by page, exported as a file, and verified against tampering.

use super::{
    AppError, Jeton, Result,
    authority::Holder,
    operator::Records,
    problem::{Field, Problems},
};
use domain::{
    activity::{Action, ActionGroup, Break, Detail, Hash, Key, Logged, Source},
    membership::Standing,
    organization::OrganizationId,
    paging::PageFrom,
    permission::ReadActivity,
    time::Timestamp,
    token,
    user::UserId,
};
use std::collections::{HashMap, HashSet};
use storage::{
    AnyConnection,
    activity::{self, Filter, Walk},
    memberships::places,
    organizations, people, sessions,
    tokens::inventory,
};

/// The number of entries on a page.
pub const PAGE: usize = 40;
/// The number of entries of an export that are in memory at once. After each batch, the export checks whether it is
/// still allowed.
const BATCH: i64 = 1000;
/// The maximum number of people with the same name whose entries are listed together.
const NAMESAKES: i64 = 5;
/// The maximum number of people that a field proposes.
const PROPOSED: i64 = 100;

/// The kind of entries to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// All actions of a group.
    Group(ActionGroup),
    /// One action.
    One(Action),
}

impl Kind {
    /// Returns the kind with this key, which is that of a group or of an action.
    pub fn from_key(key: &str) -> Option<Self> {
        ActionGroup::from_key(key).map(Self::Group).or_else(|| Action::from_key(key).map(Self::One))
    }

    fn actions(self) -> Vec<Action> {
        match self {
            Self::Group(group) => group.actions().collect(),
            Self::One(action) => vec![action],
        }
    }
}

/// The filters of the log; an empty one matches everything.
#[derive(Clone, Debug, Default)]
pub struct LogForm {
    /// The name or e-mail address of a member of the organization.
    pub person: String,
    /// The public id of a token.
    pub token: String,
    /// The key of a [`Kind`].
    pub kind: String,
    /// The earliest time, inclusive.
    pub since: Option<Timestamp>,
    /// The latest time, exclusive.
    pub until: Option<Timestamp>,
}

/// A page of the log.
#[derive(Clone, Debug, Default)]
pub struct LogPage {
    /// Its entries, newest first.
    pub entries: Vec<Logged>,
    /// Whether there are newer ones.
    pub has_newer: bool,
    /// Whether there are older ones.
    pub has_older: bool,
    /// The position and hash of the last entry of the whole log.
    pub head: Option<(i64, Hash)>,
    /// The e-mail addresses of members of the organization whom entries name.
    pub people: HashMap<UserId, String>,
    /// The existing tokens that entries name, and whether each belongs to a service user.
    pub tokens: HashMap<String, bool>,
    /// Proposals for the person field: name and e-mail address.
    pub proposed: Vec<(String, String)>,
}

/// An export in progress: each call of [`export_more`] returns the next entries.
pub struct Export {
    reader: Holder<ReadActivity>,
    filter: Filter,
    from: PageFrom<Key>,
}

/// Returns a page of the organization's log.
///
/// # Errors
/// [`AppError::Invalid`] with invalid filters.
pub async fn page(jeton: &Jeton, reader: &Holder<ReadActivity>, form: LogForm, from: PageFrom<Key>) -> Result<LogPage> {
    let organization = reader.grant().organization();
    jeton
        .read(move |connection| {
            let filter = filter(connection, organization, &form)?;
            page_in(connection, organization, &filter, from)
        })
        .await
}

/// Returns a page without entries, for invalid filters.
pub async fn empty_page(jeton: &Jeton, reader: &Holder<ReadActivity>) -> Result<LogPage> {
    let organization = reader.grant().organization();
    jeton
        .read(move |connection| {
            let head = activity::head(connection, Some(organization))?;
            Ok(LogPage { head, proposed: people::proposed(connection, organization, PROPOSED)?, ..LogPage::default() })
        })
        .await
}

/// Returns the entry of the organization's log at this position.
///
/// # Errors
/// [`AppError::NotFound`] if there is none.
pub async fn find(jeton: &Jeton, reader: &Holder<ReadActivity>, position: i64) -> Result<LogPage> {
    let organization = reader.grant().organization();
    jeton
        .read(move |connection| {
            let entry = activity::at(connection, organization, position)?.ok_or(AppError::NotFound)?;
            with_names(connection, organization, vec![entry])
        })
        .await
}

/// Begins an export of the log, and logs that. `what` is the name of the file.
///
/// # Errors
/// As [`page`].
pub async fn export(
    jeton: &Jeton,
    reader: &Holder<ReadActivity>,
    form: LogForm,
    what: &'static str,
    source: Source,
) -> Result<Export> {
    let (writer, now) = (reader.clone(), jeton.clock.now());
    let filter = jeton
        .write(move |connection| {
            let organization = writer.still(connection)?.organization();
            let filter = filter(connection, organization, &form)?;
            let entry = writer.entry(Action::Exported, now, &source);
            activity::insert(connection, &activity::Entry { detail: Some(Detail::words(what)), ..entry })?;
            Ok(filter)
        })
        .await?;
    Ok(Export { reader: reader.clone(), filter, from: PageFrom::Start })
}

/// Returns the next entries of an export, newest first; none at its end.
///
/// # Errors
/// When the session has ended or the permission has been lost meanwhile: no answer outlives its authority (V12).
pub async fn export_more(jeton: &Jeton, export: &mut Export) -> Result<Vec<Logged>> {
    let (reader, filter, from, now) = (export.reader.clone(), export.filter.clone(), export.from, jeton.clock.now());
    let entries = jeton
        .read(move |connection| {
            if !sessions::is_alive(connection, &reader.actor().session().public_id, now)? {
                return Err(AppError::SignedOut);
            }
            let organization = reader.still(connection)?.organization();
            Ok(activity::page(connection, Some(organization), &filter, from, BATCH)?)
        })
        .await?;
    if let Some(last) = entries.last() {
        export.from = PageFrom::After(last.key());
    }
    Ok(entries)
}

/// Converts a form to a filter of the storage crate.
fn filter(connection: &mut AnyConnection, organization: OrganizationId, form: &LogForm) -> Result<Filter> {
    let mut problems = Problems::default();
    let given = |typed: &str| Some(typed.trim().to_owned()).filter(|typed| !typed.is_empty());
    let token =
        given(&form.token).and_then(|id| problems.choice(Field::Token, Some(id).filter(|id| token::is_public_id(id))));
    let actions = given(&form.kind).and_then(|kind| problems.choice(Field::Kind, Kind::from_key(&kind)));
    let people = match given(&form.person) {
        None => None,
        Some(typed) => {
            let found = people::named(connection, organization, &typed, NAMESAKES)?;
            problems.choice(Field::Person, Some(found).filter(|found| !found.is_empty()))
        }
    };
    problems.none()?;
    Ok(Filter { people, token, actions: actions.map(Kind::actions), since: form.since, until: form.until })
}

fn page_in(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    filter: &Filter,
    from: PageFrom<Key>,
) -> Result<LogPage> {
    // One more than the page shows, to know whether there are more.
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut entries = activity::page(connection, Some(organization), filter, from, limit)?;
    let (has_newer, has_older) = from.arrange(&mut entries, PAGE);
    Ok(LogPage {
        head: activity::head(connection, Some(organization))?,
        proposed: people::proposed(connection, organization, PROPOSED)?,
        has_newer,
        has_older,
        ..with_names(connection, organization, entries)?
    })
}

/// Adds to entries what the database knows about the people and tokens that they name.
fn with_names(connection: &mut AnyConnection, organization: OrganizationId, entries: Vec<Logged>) -> Result<LogPage> {
    let named: HashSet<UserId> = entries.iter().flat_map(|entry| [entry.actor, entry.target]).flatten().collect();
    let ids: HashSet<String> = entries.iter().filter_map(|entry| Some(entry.token.as_ref()?.0.clone())).collect();
    Ok(LogPage {
        people: people::addresses(connection, organization, named.into_iter().collect())?.into_iter().collect(),
        tokens: inventory::still_there(connection, organization, ids.into_iter().collect())?.into_iter().collect(),
        entries,
        ..LogPage::default()
    })
}

/// Writes an entry about a user's account as a whole into the log of each organization in which they are active. If
/// there is none, the entry belongs to no organization.
pub(super) fn insert_everywhere(
    connection: &mut AnyConnection,
    user: UserId,
    entry: activity::Entry<'_>,
) -> Result<()> {
    let mut all = places::list(connection, Some(user))?;
    all.retain(|place| place.standing == Standing::Active);
    // In the order of organizations, so that two transactions do not deadlock.
    for place in &all {
        activity::insert(connection, &activity::Entry { organization: Some(place.organization), ..entry.clone() })?;
    }
    if all.is_empty() {
        activity::insert(connection, &activity::Entry { organization: None, ..entry })?;
    }
    Ok(())
}

/// The result of verifying the log of an organization.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The organization's slug; `None` for entries that belong to no organization.
    pub slug: Option<String>,
    /// How many entries were verified.
    pub entries: i64,
    /// The position and hash of the last entry.
    pub head: Option<(i64, Hash)>,
    /// What is wrong; empty if nothing was tampered with.
    pub breaks: Vec<Break>,
}

impl Records {
    /// Returns the newest entries of an organization's log, or of all logs, newest first.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if no organization has this slug.
    pub fn activity(&mut self, slug: Option<&str>, limit: i64) -> Result<Vec<(Option<String>, Logged)>> {
        let slugs = slugs(&mut self.connection)?;
        let mut found = Vec::new();
        for chain in chains(&mut self.connection, slug)? {
            let slug = chain.and_then(|id| slugs.get(&id).cloned());
            let entries = activity::page(&mut self.connection, chain, &Filter::default(), PageFrom::Start, limit)?;
            found.extend(entries.into_iter().map(|entry| (slug.clone(), entry)));
        }
        found.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.key()));
        found.truncate(usize::try_from(limit).unwrap_or_default());
        Ok(found)
    }

    /// Verifies every entry and the hash chain of an organization's log, or of all logs. `noted` is the position and
    /// hash of an entry, as recorded elsewhere.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if no organization has this slug.
    pub fn verify_activity(&mut self, slug: Option<&str>, noted: Option<(i64, Hash)>) -> Result<Vec<Checked>> {
        let slugs = slugs(&mut self.connection)?;
        let mut checked = Vec::new();
        for chain in chains(&mut self.connection, slug)? {
            let mut walk = Walk::new(chain, noted);
            loop {
                while walk.step(&mut self.connection, BATCH)? {}
                if walk.end(&mut self.connection)? {
                    break;
                }
            }
            checked.push(Checked {
                slug: chain.and_then(|id| slugs.get(&id).cloned()),
                entries: walk.entries,
                head: (walk.entries > 0).then_some((walk.position, walk.hash)),
                breaks: walk.breaks,
            });
        }
        Ok(checked)
    }
}

fn slugs(connection: &mut AnyConnection) -> Result<HashMap<OrganizationId, String>> {
    Ok(organizations::all(connection)?.into_iter().map(|named| (named.id, named.slug)).collect())
}

/// Returns the chain of the organization with this slug, or all chains.
fn chains(connection: &mut AnyConnection, slug: Option<&str>) -> Result<Vec<Option<OrganizationId>>> {
    let Some(slug) = slug else { return Ok(activity::chains(connection)?) };
    let found = organizations::find(connection, slug)?.ok_or(AppError::NotFound)?;
    Ok(vec![Some(found)])
}
