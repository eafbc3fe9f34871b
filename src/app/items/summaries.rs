//! Who reaches the items of a list, in few words: what shares and rules name, not who stands behind it. So it is as
//! cheap as the page.

use crate::{
    Jeton, Result,
    requester::{Requester, Standing},
};
use domain::{
    access::{AccessRule, ItemFacts, Level, Recipient, RecipientKind, SiteId},
    item::{Item, ItemId},
    organization::OrganizationId,
    permission::BuiltInPermission,
    text::searchable,
};
use std::collections::{BTreeSet, HashMap, hash_map::Entry};
use storage::{
    AnyConnection, access, access_rules,
    recipients::{self, Known},
    shares,
};

/// Who reaches an item besides its owner.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Whether everyone in its organization does.
    pub everyone: bool,
    /// The only recipient in its organization, if there is one.
    pub only: Option<Known>,
    /// How many recipients of each kind there are in its organization.
    pub counts: Vec<(RecipientKind, usize)>,
    /// The names of the other organizations that reach it, or some of whose people do.
    pub outside: Vec<String>,
    /// Whether the requester owns it; `None` if nobody does.
    pub is_own: Option<bool>,
}

/// Returns who reaches those of these items that the requester may know it of: those that they manage, and for holders
/// of *Users* those of their organization.
///
/// # Errors
/// When the database fails.
pub async fn summaries(jeton: &Jeton, by: &Requester, items: &[(Item, Level)]) -> Result<HashMap<ItemId, Summary>> {
    let items = items.to_vec();
    jeton
        .read_for(by, move |connection, standing| {
            let looks_after = standing.holds(BuiltInPermission::PlatformUsers);
            let may_see = |(item, level): &&(Item, Level)| {
                *level == Level::Manage || (looks_after && item.organization == standing.facts.organization)
            };
            let seen: Vec<&Item> = items.iter().filter(may_see).map(|(item, _)| item).collect();
            summaries_in(connection, standing, &seen)
        })
        .await
}

fn summaries_in(
    connection: &mut AnyConnection,
    standing: &Standing,
    items: &[&Item],
) -> Result<HashMap<ItemId, Summary>> {
    let ids: Vec<ItemId> = items.iter().map(|item| item.id).collect();
    let mut reached: HashMap<ItemId, BTreeSet<Recipient>> = HashMap::new();
    for (item, recipient) in shares::recipients_of(connection, &ids)? {
        reached.entry(item).or_default().insert(recipient);
    }
    let (mut rules, mut above) = (HashMap::new(), HashMap::new());
    for item in items {
        let rules = rules_of(connection, &mut rules, item)?;
        let facts = facts_of(connection, &mut above, item)?;
        let covering = rules.iter().filter(|rule| rule.covers(&facts)).map(|rule| rule.recipient);
        reached.entry(item.id).or_default().extend(covering);
    }
    let all: BTreeSet<Recipient> = reached.values().flatten().copied().collect();
    let names = recipients::names(connection, &all.into_iter().collect::<Vec<_>>())?;
    let summary = |item: &&Item| {
        let mut to = reached.remove(&item.id).unwrap_or_default();
        if let Some(owner) = item.owner {
            to.remove(&owner.into());
        }
        let known = to.iter().filter_map(|one| names.get(one));
        (item.id, told(item, standing, known))
    };
    Ok(items.iter().map(summary).collect())
}

type Rules = HashMap<OrganizationId, Vec<AccessRule>>;

/// Returns the rules for items of the kind of an item in its organization, which are read once.
fn rules_of<'a>(connection: &mut AnyConnection, read: &'a mut Rules, item: &Item) -> Result<&'a [AccessRule]> {
    Ok(match read.entry(item.organization) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(unread) => {
            let rules = access_rules::list(connection, item.organization, Some(&item.kind))?;
            unread.insert(rules.into_iter().map(|one| one.rule).collect())
        }
    })
}

fn facts_of(
    connection: &mut AnyConnection,
    read: &mut HashMap<SiteId, BTreeSet<SiteId>>,
    item: &Item,
) -> Result<ItemFacts> {
    if let Some(site) = item.site
        && !read.contains_key(&site)
    {
        let above = access::sites_above(connection, site)?;
        read.insert(site, above);
    }
    Ok(ItemFacts {
        id: item.id,
        organization: item.organization,
        kind: item.kind.clone(),
        owner: item.owner,
        sites: item.site.and_then(|site| read.get(&site).cloned()).unwrap_or_default(),
        template: item.template,
    })
}

fn told<'a>(item: &Item, standing: &Standing, recipients: impl Iterator<Item = &'a Known>) -> Summary {
    let (inside, outside): (Vec<&Known>, Vec<&Known>) =
        recipients.partition(|one| one.organization == item.organization);
    let count = |kind| (kind, inside.iter().filter(|one| one.recipient.kind() == kind).count());
    let names: BTreeSet<(String, String)> =
        outside.iter().map(|one| (searchable(&one.organization_name), one.organization_name.clone())).collect();
    Summary {
        everyone: inside.iter().any(|one| one.recipient.kind() == RecipientKind::Organization),
        only: if let [only] = inside[..] { Some(only.clone()) } else { None },
        counts: RecipientKind::ALL.into_iter().map(count).filter(|(_, count)| *count > 0).collect(),
        outside: names.into_iter().map(|(_, name)| name).collect(),
        is_own: item.owner.map(|owner| owner == standing.facts.id),
    }
}
