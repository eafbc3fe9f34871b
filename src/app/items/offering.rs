//! What a page needs before an item is shared, and before a share changes or ends: with whom, what they have already,
//! and what it will do. Nothing is said about other organizations that somebody who knows only an address does not know:
//! an address that nobody has is answered like any other.

use super::{ItemKey, sharing::managed};
use crate::{
    AppError, Jeton, Result,
    audience::{Effect, Given, Size, effect_in},
    recipients::{self as typed, RecipientForm},
    requester::Requester,
    tokens::known_form,
};
use domain::{
    access::{AccessRule, ItemFacts, Level, Recipient, Share, ShareId, Source, StoredShare, SubjectId, Way, reach},
    item::Item,
    organization::OrganizationId,
    paging::PageFrom,
    text::{has_words, words},
};
use storage::{
    AnyConnection, access, access_rules, audience, groups,
    memberships::people::{self, Filter},
    organizations,
    recipients::{self, Known},
    shares, sites,
};

/// How many of each kind of recipient a search finds.
const EACH: usize = 5;
/// How many of each there are before anything is searched for.
const EACH_AT_FIRST: usize = 3;
/// The maximum number of service users that are searched.
const MOST_SERVICE_USERS: i64 = 1_000;

/// What somebody has typed and chosen so far.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Words of a name, or the address of somebody or something outside.
    pub words: String,
    /// How the page calls everybody in the requester's organization, which words find, too.
    pub everyone: String,
    /// Who is chosen, if anybody.
    pub recipient: Option<RecipientForm>,
    /// The key of the chosen level.
    pub level: String,
}

/// With whom an item can be shared.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The item.
    pub item: Item,
    /// The requester's level, the highest that they can give.
    pub own: Level,
    /// The requester's organization.
    pub organization: organizations::Named,
    /// Who is found in it, the chosen one first if the search does not find them.
    pub found: Vec<Candidate>,
    /// Whether there are more.
    pub has_more: bool,
    /// Whoever outside has the address that was typed or chosen.
    pub outside: Option<RecipientForm>,
    /// What sharing with the chosen one does.
    pub effect: Option<Effect>,
}

/// Somebody in the requester's organization.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Who.
    pub known: Known,
    /// How many they are, if they may be several.
    pub size: Option<Size>,
    /// The highest level that they have already, and by what.
    pub has: Option<Way>,
    /// Whether they are chosen.
    pub is_chosen: bool,
}

/// A share, and what its change would do.
#[derive(Clone, Debug)]
pub struct ShareShown {
    /// The item.
    pub item: Item,
    /// The requester's level.
    pub own: Level,
    /// The share.
    pub share: StoredShare,
    /// With whom.
    pub recipient: Known,
    /// What the change does.
    pub effect: Effect,
}

/// What becomes of a share.
#[derive(Clone, Debug)]
pub enum Change {
    /// It gets the level with this key; the same if there is none.
    Level(String),
    /// It ends.
    End,
}

/// Returns with whom an item can be shared, among those whom a search finds.
///
/// # Errors
/// As [`super::share`], but nothing that was typed is wrong.
pub async fn offer(jeton: &Jeton, by: &Requester, kind: &str, key: ItemKey, wanted: Wanted) -> Result<Offer> {
    let kind = kind.to_owned();
    jeton
        .read_for(by, move |connection, standing| {
            let (item, own) = managed(connection, standing, &kind, &key)?;
            let organization = organizations::named(connection, standing.facts.organization)?;
            Search::new(connection, &item, &organization)?.offer(own, &wanted)
        })
        .await
}

/// Returns a share of an item, and what a change of it does.
///
/// # Errors
/// As [`super::set_level`], but no level is wrong.
pub async fn show_share(
    jeton: &Jeton,
    by: &Requester,
    kind: &str,
    key: ItemKey,
    share: &str,
    change: Change,
) -> Result<ShareShown> {
    let (kind, share) = (kind.to_owned(), known_form(share)?);
    jeton
        .read_for(by, move |connection, standing| {
            let (item, own) = managed(connection, standing, &kind, &key)?;
            let share = shares::find(connection, item.id, &share)?.ok_or(AppError::NotFound)?;
            let to = share.share.recipient;
            let recipient = recipients::names(connection, &[to])?.remove(&to).ok_or(AppError::NotFound)?;
            let level = match &change {
                Change::Level(key) => Level::from_key(key).or(Some(share.share.level)),
                Change::End => None,
            };
            let of = (recipient.organization == standing.facts.organization).then_some(recipient.organization);
            let effect = effect_of(connection, &item, (to, of), level)?;
            Ok(ShareShown { item, own, share, recipient, effect })
        })
        .await
}

/// Finds out what it does if the item is shared with a recipient at a level, or not at all any more.
fn effect_of(
    connection: &mut AnyConnection,
    item: &Item,
    (recipient, of): (Recipient, Option<OrganizationId>),
    level: Option<Level>,
) -> Result<Effect> {
    let facts = access::item_facts(connection, item)?;
    let before: Vec<Share> = shares::list(connection, item.id)?.into_iter().map(|one| one.share).collect();
    let others = before.iter().filter(|one| one.recipient != recipient).copied();
    let new = level.map(|level| Share { id: ShareId(0), item: item.id, recipient, level });
    let after: Vec<Share> = others.chain(new).collect();
    let rules: Vec<_> = access_rules::covering(connection, &facts)?.into_iter().map(|one| one.rule).collect();
    let (before, after) = (Given { shares: &before, rules: &rules }, Given { shares: &after, rules: &rules });
    effect_in(connection, &facts, (recipient, of), (&before, &after))
}

/// A search for recipients of an item.
struct Search<'a> {
    connection: &'a mut AnyConnection,
    item: &'a Item,
    facts: ItemFacts,
    shares: Vec<Share>,
    rules: Vec<AccessRule>,
    /// The requester's organization. It may share an item of another one that it manages, with its own people.
    organization: &'a organizations::Named,
}

impl<'a> Search<'a> {
    fn new(connection: &'a mut AnyConnection, item: &'a Item, organization: &'a organizations::Named) -> Result<Self> {
        let facts = access::item_facts(connection, item)?;
        let shares = shares::list(connection, item.id)?.into_iter().map(|one| one.share).collect();
        let rules = access_rules::covering(connection, &facts)?.into_iter().map(|one| one.rule).collect();
        Ok(Self { connection, item, facts, shares, rules, organization })
    }

    fn offer(mut self, own: Level, wanted: &Wanted) -> Result<Offer> {
        let chosen = match &wanted.recipient {
            Some(form) => typed::own_in(self.connection, self.organization.id, &self.organization.slug, form)?,
            None => None,
        };
        let (mut recipients, has_more) = self.find(wanted)?;
        if let Some(chosen) = chosen.filter(|chosen| !recipients.contains(chosen)) {
            recipients.insert(0, chosen);
        }
        let outside = self.outside(wanted, chosen)?;
        let mut known = recipients::names(self.connection, &recipients)?;
        let mut found = Vec::with_capacity(recipients.len());
        for known in recipients.into_iter().filter_map(|one| known.remove(&one)) {
            found.push(self.candidate(known, chosen)?);
        }
        let level = Level::from_key(&wanted.level);
        let effect = match (chosen, level) {
            (Some(chosen), Some(level)) => {
                let to = (chosen, Some(self.organization.id));
                Some(effect_of(self.connection, self.item, to, Some(level))?)
            }
            _ => None,
        };
        let (item, organization) = (self.item.clone(), self.organization.clone());
        Ok(Offer { item, own, organization, found, has_more, outside, effect })
    }

    /// Returns whom the words find, and whether there are more.
    fn find(&mut self, wanted: &Wanted) -> Result<(Vec<Recipient>, bool)> {
        let (at, typed) = (self.organization.id, words(&wanted.words));
        let each = if typed.is_empty() { EACH_AT_FIRST } else { EACH };
        let limit = i64::try_from(each + 1).unwrap_or(i64::MAX);
        let mut found: [Vec<Recipient>; 4] = Default::default();
        let filter = Filter { words: wanted.words.clone(), is_active: Some(true), ..Filter::default() };
        let people = people::list(self.connection, at, &filter, PageFrom::Start, limit)?;
        found[0].extend(people.iter().map(|person| Recipient::User(person.membership)));
        // Groups and sites are nobody's business outside their organization.
        if self.item.organization == at {
            let groups = groups::list(self.connection, at, &wanted.words, &PageFrom::Start, limit)?;
            found[1].extend(groups.iter().map(|one| Recipient::Group(one.group.id)));
            let sites = sites::list(self.connection, at, &wanted.words, &PageFrom::Start, limit)?;
            found[2].extend(sites.iter().map(|one| Recipient::Site(one.site.id)));
        }
        let everyone = Recipient::Organization(at);
        let all = audience::service_users(self.connection, at, &[everyone], MOST_SERVICE_USERS)?;
        let fit = all.iter().filter(|one| has_words(&one.name, &typed));
        found[3].extend(fit.take(each + 1).map(|one| Recipient::ServiceUser(one.id)));
        let has_more = found.iter().any(|some| some.len() > each);
        let mut all: Vec<Recipient> = found.iter().flat_map(|some| some.iter().take(each)).copied().collect();
        all.extend(has_words(&wanted.everyone, &typed).then_some(everyone));
        Ok((all, has_more))
    }

    /// Returns whoever outside was chosen; otherwise whose address was typed, unless that is somebody inside.
    fn outside(&mut self, wanted: &Wanted, chosen: Option<Recipient>) -> Result<Option<RecipientForm>> {
        if self.item.organization != self.organization.id {
            return Ok(None);
        }
        if let Some(form) = wanted.recipient.as_ref().filter(|form| chosen.is_none() && typed::may_be_outside(form)) {
            return Ok(Some(form.clone()));
        }
        let Some(form) = typed::outside(&wanted.words) else { return Ok(None) };
        let inside = typed::own_in(self.connection, self.organization.id, &self.organization.slug, &form)?;
        Ok(inside.is_none().then_some(form))
    }

    fn candidate(&mut self, known: Known, chosen: Option<Recipient>) -> Result<Candidate> {
        let recipient = known.recipient;
        let several = !matches!(recipient, Recipient::User(_) | Recipient::ServiceUser(_));
        let size = if several { Some(audience::size(self.connection, recipient)?) } else { None };
        let has = self.has(recipient)?;
        Ok(Candidate { size, has, is_chosen: chosen == Some(recipient), known })
    }

    /// Returns what somebody has already: a subject by whatever way, a group, site or organization itself.
    fn has(&mut self, recipient: Recipient) -> Result<Option<Way>> {
        let subject = match recipient {
            Recipient::User(id) => Some(SubjectId::Membership(id)),
            Recipient::ServiceUser(id) => Some(SubjectId::ServiceUser(id)),
            _ => None,
        };
        if let Some(subject) = subject {
            let facts = access::subject_facts(self.connection, subject, self.organization.id)?;
            return Ok(reach(&facts, &self.facts, &self.shares, &self.rules).ways().first().copied());
        }
        let shared = self.shares.iter().filter(|one| one.recipient == recipient);
        let shared = shared.map(|one| (one.level, Source::Share(one.id)));
        let ruled = self.rules.iter().filter(|one| one.recipient == recipient);
        let ruled = ruled.map(|one| (one.level, Source::Rule(one.id)));
        let highest = shared.chain(ruled).max_by_key(|(level, source)| (*level, std::cmp::Reverse(*source)));
        Ok(highest.map(|(level, source)| Way { level, source, recipient }))
    }
}
