//! Who reaches an item, and by what: each share and rule, and each person once.

use super::{ItemKey, find_in, kind_in, own_in};
use crate::{
    AppError, Jeton, Result,
    access_rules::{ListedRule, named},
    audience::{Behind, of_people, of_service_users},
    requester::{Requester, Standing},
};
use domain::{
    access::{AccessRule, ItemFacts, Level, Reach, Recipient, Share, StoredShare, check_level, reach},
    item::Item,
    kind::CommonAction,
    organization::MembershipId,
    paging::PageFrom,
    permission::BuiltInPermission,
    permission_set::SetName,
};
use std::collections::HashMap;
use storage::{
    AnyConnection, access, access_rules, audience,
    items::{self, Names},
    memberships::people::{self, Filter},
    recipients::{self, Known},
    shares,
};

/// The number of people on a page.
pub const PEOPLE: usize = 25;
/// The maximum number of service users that are named.
const MOST_SERVICE_USERS: i64 = 100;

/// Who reaches an item, and by what.
#[derive(Clone, Debug)]
pub struct ReachedBy {
    /// The item.
    pub item: Item,
    /// Its owner, by [`Names::owner`], and its site.
    pub names: Names,
    /// The requester's level; `None` for a holder of *Users* who does not reach the item.
    pub level: Option<Level>,
    /// Its shares, the oldest first.
    pub shares: Vec<SharedWith>,
    /// The access rules that cover it, the oldest first.
    pub rules: Vec<ListedRule>,
}

/// A share, and whom it names.
#[derive(Clone, Debug)]
pub struct SharedWith {
    /// The share.
    pub by: StoredShare,
    /// The recipient.
    pub recipient: Known,
}

/// Who reaches an item, each once.
#[derive(Clone, Debug)]
pub struct ByPerson {
    /// The item.
    pub item: Item,
    /// A page of the active people of its organization, by name.
    pub people: Vec<Reacher>,
    /// The person before whom there is another page.
    pub previous: Option<MembershipId>,
    /// The person after whom there is another page.
    pub next: Option<MembershipId>,
    /// The service users of its organization, on the first page alone.
    pub service_users: Vec<Reacher>,
    /// Those of other organizations with their level, on the first page alone.
    pub outside: Vec<(Known, Level)>,
    /// The names of the recipients in [`Reacher::reach`].
    pub names: HashMap<Recipient, Known>,
}

/// A person or service user who reaches an item.
#[derive(Clone, Debug)]
pub struct Reacher {
    /// Their name.
    pub name: String,
    /// Whether they are the one who asks.
    pub is_requester: bool,
    /// All ways by which they reach it.
    pub reach: Reach,
    /// What level and permissions together let them do.
    pub may: Vec<CommonAction>,
    /// What the level would let them do, but their permissions do not.
    pub lacks: Vec<CommonAction>,
    /// The permission set of a user.
    pub set: Option<SetName>,
}

/// Returns who reaches an item, and by what: for those who manage it, and for holders of *Users* of its organization,
/// even if they do not reach it themselves.
///
/// # Errors
/// [`AppError::NotFound`] for others who do not reach it; [`AppError::Refused`] with the level for those who do.
pub async fn reached_by(jeton: &Jeton, by: &Requester, kind: &str, key: ItemKey) -> Result<ReachedBy> {
    let kind = kind.to_owned();
    jeton.read_for(by, move |connection, standing| reached_by_in(connection, standing, &kind, &key)).await
}

pub(super) fn reached_by_in(
    connection: &mut AnyConnection,
    standing: &Standing,
    kind: &str,
    key: &ItemKey,
) -> Result<ReachedBy> {
    let (item, level) = seen_in(connection, standing, kind, key)?;
    let facts = access::item_facts(connection, &item)?;
    let shared = shares::list(connection, item.id)?;
    let rules = access_rules::covering(connection, &facts)?;
    let to: Vec<Recipient> = shared.iter().map(|one| one.share.recipient).collect();
    let known = recipients::names(connection, &to)?;
    let with = |by: StoredShare| Some(SharedWith { recipient: known.get(&by.share.recipient)?.clone(), by });
    let shares = shared.into_iter().filter_map(with).collect();
    let rules = named(connection, rules)?;
    let names = items::names(connection, std::iter::once(&item))?;
    Ok(ReachedBy { item, names, level, shares, rules })
}

/// Returns an item to somebody who may see who reaches it, and their own level.
fn seen_in(
    connection: &mut AnyConnection,
    standing: &Standing,
    kind: &str,
    key: &ItemKey,
) -> Result<(Item, Option<Level>)> {
    let kind = kind_in(standing, kind)?;
    let organization = standing.facts.organization;
    let looks_after = standing.holds(BuiltInPermission::PlatformUsers);
    let (item, level) = match find_in(connection, standing, &kind, key)? {
        Some((item, level)) => (item, Some(level)),
        None if looks_after => (own_in(connection, organization, &kind, key)?.ok_or(AppError::NotFound)?, None),
        None => return Err(AppError::NotFound),
    };
    if !looks_after || item.organization != organization {
        standing.check(&kind, CommonAction::View)?;
        check_level(level, Level::Manage).map_err(AppError::Refused)?;
    }
    Ok((item, level))
}

/// Returns a page of the people who reach an item and have all of these words in their name or address, and on the
/// first page whoever else reaches it.
///
/// # Errors
/// As [`reached_by`].
pub async fn by_person(
    jeton: &Jeton,
    by: &Requester,
    kind: &str,
    key: ItemKey,
    words: String,
    from: PageFrom<MembershipId>,
) -> Result<ByPerson> {
    let kind = kind.to_owned();
    jeton
        .read_for(by, move |connection, standing| {
            let (item, _) = seen_in(connection, standing, &kind, &key)?;
            let facts = access::item_facts(connection, &item)?;
            let given = Everything::read(connection, &facts)?;
            let to = given.recipients(&facts);
            let filter = Filter { words, is_active: Some(true), behind: Some(to.clone()), ..Filter::default() };
            let (found, previous, next) = people_in(connection, &item, &filter, from)?;
            let sets: Vec<SetName> = found.iter().map(|person| person.set.name.clone()).collect();
            let behind = of_people(connection, item.organization, found)?;
            let people = behind.into_iter().zip(sets).map(|(one, set)| given.reacher(standing, &facts, one, Some(set)));
            let people = people.collect();
            let is_first = matches!(from, PageFrom::Start) && filter.words.trim().is_empty();
            let (mut service_users, mut outside) = (Vec::new(), Vec::new());
            if is_first {
                let found = audience::service_users(connection, item.organization, &to, MOST_SERVICE_USERS)?;
                let behind = of_service_users(connection, item.organization, found)?;
                service_users.extend(behind.into_iter().map(|one| given.reacher(standing, &facts, one, None)));
                outside = given.outside(connection)?;
            }
            let names = recipients::names(connection, &to)?;
            Ok(ByPerson { item, people, previous, next, service_users, outside, names })
        })
        .await
}

type Page = (Vec<domain::membership::Person>, Option<MembershipId>, Option<MembershipId>);

fn people_in(
    connection: &mut AnyConnection,
    item: &Item,
    filter: &Filter,
    mut from: PageFrom<MembershipId>,
) -> Result<Page> {
    let limit = i64::try_from(PEOPLE + 1).unwrap_or(i64::MAX);
    let mut found = people::list(connection, item.organization, filter, from, limit)?;
    if matches!(from, PageFrom::Before(_)) && found.len() <= PEOPLE {
        // Nobody comes before these people, so this is the first page, which is full.
        from = PageFrom::Start;
        found = people::list(connection, item.organization, filter, from, limit)?;
    }
    let (has_previous, has_next) = from.arrange(&mut found, PEOPLE);
    let previous = found.first().filter(|_| has_previous).map(|person| person.membership);
    let next = found.last().filter(|_| has_next).map(|person| person.membership);
    Ok((found, previous, next))
}

/// All shares of an item, and all rules that cover it.
struct Everything {
    shares: Vec<Share>,
    rules: Vec<AccessRule>,
    /// Recipients of other organizations.
    foreign: Vec<(Recipient, Level)>,
}

impl Everything {
    fn read(connection: &mut AnyConnection, item: &ItemFacts) -> Result<Self> {
        let (shares, rules) = (shares::list(connection, item.id)?, access_rules::covering(connection, item)?);
        let shared =
            shares.iter().filter(|one| one.outside.is_some()).map(|one| (one.share.recipient, one.share.level));
        let ruled = rules.iter().filter(|one| one.outside.is_some()).map(|one| (one.rule.recipient, one.rule.level));
        let foreign = shared.chain(ruled).collect();
        let shares = shares.into_iter().map(|one| one.share).collect();
        Ok(Self { shares, rules: rules.into_iter().map(|one| one.rule).collect(), foreign })
    }

    fn recipients(&self, item: &ItemFacts) -> Vec<Recipient> {
        let given = self.shares.iter().map(|one| one.recipient).chain(self.rules.iter().map(|one| one.recipient));
        item.owner.map(Recipient::from).into_iter().chain(given).collect()
    }

    fn reacher(&self, standing: &Standing, item: &ItemFacts, one: Behind, set: Option<SetName>) -> Reacher {
        let reach = reach(&one.facts, item, &self.shares, &self.rules);
        let within = CommonAction::ALL.into_iter().filter(|action| reach.level() >= Some(action.level()));
        let holds = |action: &CommonAction| {
            item.kind.permission(*action).is_some_and(|permission| one.permissions.includes(&permission))
        };
        let (may, lacks) = within.partition(holds);
        Reacher { is_requester: one.facts.id == standing.facts.id, name: one.name, reach, may, lacks, set }
    }

    /// Returns the others with the highest level of each, by name.
    fn outside(&self, connection: &mut AnyConnection) -> Result<Vec<(Known, Level)>> {
        let mut highest: HashMap<Recipient, Level> = HashMap::new();
        for (recipient, level) in &self.foreign {
            let known = highest.entry(*recipient).or_insert(*level);
            *known = (*level).max(*known);
        }
        let names = recipients::names(connection, &highest.keys().copied().collect::<Vec<_>>())?;
        let mut all: Vec<(Known, Level)> =
            highest.into_iter().filter_map(|(one, level)| Some((names.get(&one)?.clone(), level))).collect();
        all.sort_by_cached_key(|(known, _)| domain::text::searchable(&known.name));
        Ok(all)
    }
}
