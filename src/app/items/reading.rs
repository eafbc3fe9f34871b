//! Lists, feeds, and one item with everything about it.

use super::{Exported, ItemKey, find_in, form_of_kind, kind_in};
use crate::{
    AppError, Jeton, Result,
    recipients::subject_in,
    requester::{Requester, Standing},
};
use domain::{
    access::{AccessRule, Level, Reach, Recipient, Share, reach},
    field::Form,
    item::{Contents, Item, ItemKind, Place},
    kind::CommonAction,
    organization::OrganizationId,
    paging::PageFrom,
    time::Timestamp,
    token,
};
use std::collections::{HashMap, hash_map::Entry};
use storage::{
    AnyConnection,
    access::{self, Direction, Filter, OwnedBy, Reachable},
    access_rules,
    items::{self, Names},
    recipients::{self, Known},
    shares,
};

/// What a list shows, as asked for. An empty text matches everything.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Words that must all appear in the name.
    pub words: String,
    /// The public id of a site of the requester's organization: only items there and below.
    pub site: String,
    /// The public id of a template that the requester reaches: only its inspections.
    pub template: String,
    /// Only items of an owner: `membership:12`, `service_user:k7m2q9xd4t`, `me` or `nobody`.
    pub owner: String,
    /// Only items that are archived, or that are not.
    pub archived: Option<bool>,
    /// Only inspections that are finished, or drafts.
    pub finished: Option<bool>,
    /// Only items that were changed at this time or later: nothing is missed, but what was changed in that very second
    /// may come again.
    pub modified_since: Option<Timestamp>,
    /// Only items that were changed before this time.
    pub modified_before: Option<Timestamp>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Items {
    /// The items, each with the requester's level.
    pub items: Vec<(Item, Level)>,
    /// The names of what they refer to.
    pub names: Names,
    /// The place where the page begins, if there is one before it.
    pub previous: Option<Place>,
    /// The place where it ends, if there is another one.
    pub next: Option<Place>,
}

/// A page of a feed: oldest change first.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The page.
    pub page: Items,
    /// What each item holds, in the same order.
    pub contents: Vec<Contents>,
    /// How many items come after this page.
    pub remaining: i64,
}

/// An item with everything about it that somebody who may view it sees.
#[derive(Clone, Debug)]
pub struct Found {
    /// The item.
    pub item: Item,
    /// The names of what it refers to.
    pub names: Names,
    /// The requester's level.
    pub level: Level,
    /// By what they reach it.
    pub reach: Reach,
    /// The names of the recipients in [`Found::reach`].
    pub recipients: HashMap<Recipient, Known>,
    /// What it holds.
    pub contents: Contents,
    /// The form that its answers answer: its own, or that of its kind.
    pub form: Form,
}

/// Returns a page of at most `size` items of a kind that the requester reaches.
///
/// # Errors
/// [`AppError::NotFound`] for a kind, site, template or owner that is not there; [`AppError::Refused`] without the
/// permission to view items of the kind.
pub async fn list(
    jeton: &Jeton,
    by: &Requester,
    kind: &str,
    query: ListQuery,
    direction: Direction,
    from: PageFrom<Place>,
    size: usize,
) -> Result<Items> {
    let kind = kind.to_owned();
    jeton
        .read_for(by, move |connection, standing| {
            let (reachable, filter) = asked(connection, standing, &kind, &query)?;
            page_in(connection, &reachable, &filter, direction, from, size)
        })
        .await
}

/// Counts the items of a list.
///
/// # Errors
/// As [`list`].
pub async fn count(jeton: &Jeton, by: &Requester, kind: &str, query: ListQuery) -> Result<i64> {
    let kind = kind.to_owned();
    jeton
        .read_for(by, move |connection, standing| {
            let (reachable, filter) = asked(connection, standing, &kind, &query)?;
            Ok(items::count(connection, &reachable, &filter, Direction::Ascending, None)?)
        })
        .await
}

/// Returns the page of a feed after a place.
///
/// # Errors
/// As [`list`].
pub async fn feed(
    jeton: &Jeton,
    by: &Requester,
    kind: &str,
    query: ListQuery,
    after: Option<Place>,
    size: usize,
) -> Result<Feed> {
    let kind = kind.to_owned();
    jeton
        .read_for(by, move |connection, standing| {
            let (reachable, filter) = asked(connection, standing, &kind, &query)?;
            let from = after.map_or(PageFrom::Start, PageFrom::After);
            let page = page_in(connection, &reachable, &filter, Direction::Ascending, from, size)?;
            let remaining = match page.next {
                None => 0,
                next => items::count(connection, &reachable, &filter, Direction::Ascending, next)?,
            };
            let Exported { page, contents } = exported(connection, page)?;
            Ok(Feed { page, contents, remaining })
        })
        .await
}

/// Adds what each item of a page holds. One that was deleted meanwhile is left out.
pub(super) fn exported(connection: &mut AnyConnection, mut page: Items) -> Result<Exported> {
    let mut forms: HashMap<OrganizationId, Form> = HashMap::new();
    for (item, _) in &page.items {
        if let Entry::Vacant(unread) = forms.entry(item.organization) {
            unread.insert(form_of_kind(connection, item.organization, &item.kind)?);
        }
    }
    let none = Form::default();
    let form = |item: &Item| forms.get(&item.organization).unwrap_or(&none);
    let held = items::contents_of(connection, page.items.iter().map(|(item, _)| item), form)?;
    let there = std::mem::take(&mut page.items).into_iter().zip(held);
    let (items, contents) = there.filter_map(|(item, held)| Some((item, held?))).unzip();
    page.items = items;
    Ok(Exported { page, contents })
}

pub(super) fn asked(
    connection: &mut AnyConnection,
    standing: &Standing,
    kind: &str,
    query: &ListQuery,
) -> Result<(Reachable, Filter)> {
    let kind = kind_in(standing, kind)?;
    standing.check(&kind, CommonAction::View)?;
    let filter = filter(connection, standing, query)?;
    Ok((Reachable::read(connection, &standing.facts, &kind)?, filter))
}

fn filter(connection: &mut AnyConnection, standing: &Standing, query: &ListQuery) -> Result<Filter> {
    let organization = standing.facts.organization;
    let site = match query.site.as_str() {
        "" => None,
        site if !token::is_public_id(site) => return Err(AppError::NotFound),
        site => Some(recipients::site(connection, organization, site)?.ok_or(AppError::NotFound)?),
    };
    let template = match query.template.as_str() {
        "" => None,
        template => Some(template_of(connection, standing, template)?.ok_or(AppError::NotFound)?.id),
    };
    let owner = match query.owner.as_str() {
        "" => None,
        "nobody" => Some(OwnedBy::Nobody),
        "me" => Some(OwnedBy::Subject(standing.facts.id)),
        owner => Some(OwnedBy::Subject(subject_in(connection, organization, owner)?.ok_or(AppError::NotFound)?)),
    };
    Ok(Filter {
        words: query.words.clone(),
        site,
        template,
        owner,
        archived: query.archived,
        finished: query.finished,
        modified_since: query.modified_since,
        at_least: None,
        modified_before: query.modified_before,
    })
}

/// Returns the template with this public id, if the subject reaches it.
pub(crate) fn template_of(connection: &mut AnyConnection, standing: &Standing, id: &str) -> Result<Option<Item>> {
    let Some(templates) = ItemKind::parse("templates") else { return Ok(None) };
    Ok(find_in(connection, standing, &templates, &id.into())?.map(|(template, _)| template))
}

pub(super) fn page_in(
    connection: &mut AnyConnection,
    reachable: &Reachable,
    filter: &Filter,
    direction: Direction,
    mut from: PageFrom<Place>,
    size: usize,
) -> Result<Items> {
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    let mut rows = items::page(connection, reachable, filter, direction, &from, limit)?;
    if matches!(from, PageFrom::Before(_)) && rows.len() <= size {
        // Nothing comes before these items, so this is the first page, which is full.
        from = PageFrom::Start;
        rows = items::page(connection, reachable, filter, direction, &from, limit)?;
    }
    let (has_previous, has_next) = from.arrange(&mut rows, size);
    let names = items::names(connection, rows.iter().map(|(item, _)| item))?;
    let place = |(item, _): &(Item, Level)| item.place();
    let previous = rows.first().filter(|_| has_previous).map(place);
    let next = rows.last().filter(|_| has_next).map(place);
    Ok(Items { items: rows, names, previous, next })
}

/// Returns an item with everything about it, and by what the requester reaches it.
///
/// # Errors
/// [`AppError::NotFound`] if they reach no such item; [`AppError::Refused`] without the permission.
pub async fn find(jeton: &Jeton, by: &Requester, kind: &str, key: ItemKey) -> Result<Found> {
    let kind = kind.to_owned();
    jeton
        .read_for(by, move |connection, standing| {
            let kind = kind_in(standing, &kind)?;
            found_in(connection, standing, &kind, &key)
        })
        .await
}

pub(super) fn found_in(
    connection: &mut AnyConnection,
    standing: &Standing,
    kind: &ItemKind,
    key: &ItemKey,
) -> Result<Found> {
    let found = find_in(connection, standing, kind, key)?;
    standing.check_item(kind, CommonAction::View, found.as_ref().map(|(_, level)| *level))?;
    let (item, level) = found.ok_or(AppError::NotFound)?;
    let facts = access::item_facts(connection, &item)?;
    let shared: Vec<Share> = shares::list(connection, item.id)?.into_iter().map(|one| one.share).collect();
    let rules = access_rules::covering(connection, &facts)?.into_iter().map(|one| one.rule);
    let reach = reach(&standing.facts, &facts, &shared, &rules.collect::<Vec<AccessRule>>());
    let named: Vec<Recipient> = reach.ways().iter().map(|way| way.recipient).collect();
    let recipients = recipients::names(connection, &named)?;
    let of_kind = form_of_kind(connection, item.organization, kind)?;
    let contents = items::contents(connection, item.id, &of_kind)?;
    let form = if kind.is_templates() || kind.is_inspections() { contents.form.clone() } else { of_kind };
    let names = items::names(connection, std::iter::once(&item))?;
    Ok(Found { item, names, level, reach, recipients, contents, form })
}
