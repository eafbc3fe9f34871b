//! Searches: who may do something with an item, with which items somebody may do it, and what they may do with one.

use super::{Answer, Desk, Whom, decide};
use crate::{
    Jeton, Result,
    entities::{Entity, SubjectKind},
    items::{by_id, own_in},
};
use domain::{
    access::{AccessRule, Level, Recipient, Share, SubjectId},
    item::{Item, ItemAction, ItemKind, Place},
    organization::{MembershipId, OrganizationId, PermissionSetId, ServiceUserId},
    paging::PageFrom,
    permission::Permissions,
    token::Scope,
};
use storage::{
    AnyConnection,
    access::{self, Direction, Filter, Reachable, members_reaching, service_users_reaching},
    access_rules, items, known_in, permission_sets, shares, tokens,
};

/// A part of the results, and where the next one begins, if there is one.
#[derive(Clone, Debug)]
pub struct Part<T, P> {
    /// The results.
    pub results: Vec<T>,
    /// The place after the last of them.
    pub next: Option<P>,
}

impl<T, P> Default for Part<T, P> {
    fn default() -> Self {
        Self { results: Vec::new(), next: None }
    }
}

/// Names of subjects, by row.
pub type FoundSubjects = Part<String, i64>;

/// Finds the subjects of an organization that may do something with an item, whatever tokens they have: by external id
/// where they have one, otherwise by the id that never changes. At most `limit` after the row `after`.
///
/// # Errors
/// Only when the database fails.
pub async fn subjects(
    jeton: &Jeton,
    organization: OrganizationId,
    kind: String,
    action: String,
    item: Entity,
    after: i64,
    limit: usize,
) -> Result<FoundSubjects> {
    let now = jeton.clock().now();
    jeton
        .read(move |connection| {
            let mut desk = Desk::new(connection, organization, now);
            let Some((found, action)) = desk.wanted(&item, &action)? else { return Ok(Part::default()) };
            let recipients = recipients_of(desk.connection, organization, &found, action.level)?;
            match SubjectKind::from_key(&kind) {
                Some(SubjectKind::User) => desk.members(&recipients, &action, after, limit),
                Some(SubjectKind::ServiceUser) => desk.service_users(&recipients, &action, after, limit),
                Some(SubjectKind::Token) | None => Ok(Part::default()),
            }
        })
        .await
}

/// Finds the items of a kind with which somebody may do something, the one that was changed first first.
///
/// # Errors
/// Only when the database fails.
pub async fn items(
    jeton: &Jeton,
    organization: OrganizationId,
    whom: Whom,
    action: String,
    kind: String,
    after: Option<Place>,
    limit: usize,
) -> Result<Part<Item, Place>> {
    let now = jeton.clock().now();
    jeton
        .read(move |connection| {
            let mut desk = Desk::new(connection, organization, now);
            let Ok(standing) = desk.standing(&whom)? else { return Ok(Part::default()) };
            let kind = ItemKind::parse(&kind);
            let action = kind.as_ref().and_then(|kind| kind.action(&action, standing.known()));
            let (Some(kind), Some(action)) = (kind, action) else { return Ok(Part::default()) };
            // The level that it takes is what the query asks for.
            if decide(&standing, &action, Some(action.level)).is_err() {
                return Ok(Part::default());
            }
            let reachable = Reachable::read(desk.connection, &standing.facts, &kind)?;
            let filter = Filter { at_least: Some(action.level), ..Filter::default() };
            let from = after.map_or(PageFrom::Start, PageFrom::After);
            let one_more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
            let rows = items::page(desk.connection, &reachable, &filter, Direction::Ascending, &from, one_more)?;
            Ok(part(rows.into_iter().map(|(item, _)| item).collect(), limit, Item::place))
        })
        .await
}

/// Finds what somebody may do with an item: the keys of actions, in the order of forms.
///
/// # Errors
/// Only when the database fails.
pub async fn actions(jeton: &Jeton, organization: OrganizationId, whom: Whom, item: Entity) -> Result<Vec<String>> {
    let now = jeton.clock().now();
    jeton
        .read(move |connection| {
            let mut desk = Desk::new(connection, organization, now);
            let (Ok(standing), Some(kind)) = (desk.standing(&whom)?, ItemKind::parse(&item.kind)) else {
                return Ok(Vec::new());
            };
            let reached = desk.find(&standing, &kind, &item.id)?.map(|(_, level)| level);
            let may = |action: &ItemAction| -> Answer { decide(&standing, action, reached) };
            let all = kind.actions(standing.known()).into_iter().filter(|action| may(action).is_ok());
            Ok(all.map(|action| action.key().to_owned()).collect())
        })
        .await
}

impl Desk<'_> {
    /// Returns an item of the organization, whoever reaches it, and one of its actions.
    fn wanted(&mut self, item: &Entity, action: &str) -> Result<Option<(Item, ItemAction)>> {
        let known = known_in(self.connection, self.organization)?;
        let Some(kind) = ItemKind::parse(&item.kind) else { return Ok(None) };
        let Some(action) = kind.action(action, &known) else { return Ok(None) };
        let found = by_id(&item.id, |key| own_in(self.connection, self.organization, &kind, key))?;
        Ok(found.map(|item| (item, action)))
    }

    fn members(
        &mut self,
        recipients: &[Recipient],
        action: &ItemAction,
        after: i64,
        limit: usize,
    ) -> Result<FoundSubjects> {
        let all = permission_sets::list(self.connection, self.organization)?;
        let granting = all.into_iter().filter(|stored| is_granted(&stored.set.permissions, action));
        let sets: Vec<PermissionSetId> = granting.map(|stored| stored.set.id).collect();
        let one_more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let after = MembershipId(after);
        let found = members_reaching(self.connection, self.organization, recipients, &sets, after, one_more)?;
        let Part { results, next } = part(found, limit, |id| id.0);
        let ids: Vec<SubjectId> = results.into_iter().map(SubjectId::Membership).collect();
        Ok(Part { results: self.names(&ids)?, next })
    }

    fn service_users(
        &mut self,
        recipients: &[Recipient],
        action: &ItemAction,
        after: i64,
        limit: usize,
    ) -> Result<FoundSubjects> {
        let one_more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let after = ServiceUserId(after);
        let found = service_users_reaching(self.connection, self.organization, recipients, after, one_more)?;
        let Part { results, next } = part(found, limit, |id| id.0);
        let ids: Vec<SubjectId> = results.into_iter().map(SubjectId::ServiceUser).collect();
        let mut may = Vec::new();
        for subject in tokens::subjects(self.connection, &ids)? {
            if is_granted(&subject.held.permissions, action) {
                may.push(subject.id);
            }
        }
        may.sort_unstable();
        Ok(Part { results: self.names(&may)?, next })
    }

    /// Returns what programs call these subjects, in this order.
    fn names(&mut self, ids: &[SubjectId]) -> Result<Vec<String>> {
        let mut found = tokens::subjects(self.connection, ids)?;
        found.sort_by_key(|subject| subject.id);
        let name = |subject: domain::access::Subject| match (subject.external_id.clone(), subject.service_user()) {
            (Some(id), _) => id,
            (None, Some(id)) => id.to_owned(),
            (None, None) => subject.name,
        };
        Ok(found.into_iter().map(name).collect())
    }
}

/// Returns whether these permissions include that of an action.
fn is_granted(held: &Permissions, action: &ItemAction) -> bool {
    action.demand().permissions.missing_from(held, Scope::ReadWrite).is_none()
}

/// Returns those who have this level or a higher one on an item of the organization, as shares and access rules name
/// them: nobody else has.
fn recipients_of(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    item: &Item,
    least: Level,
) -> Result<Vec<Recipient>> {
    let facts = access::item_facts(connection, item)?;
    let shared = shares::list(connection, item.id)?.into_iter().map(|stored| stored.share);
    let shared = shared.filter(|share: &Share| share.level >= least).map(|share| share.recipient);
    let ruled = access_rules::covering(connection, &facts)?.into_iter().map(|stored| stored.rule);
    let ruled = ruled.filter(|rule: &AccessRule| rule.level >= least).map(|rule| rule.recipient);
    let owner = item.owner.filter(|_| item.organization == organization).map(Recipient::from);
    Ok(owner.into_iter().chain(shared).chain(ruled).collect())
}

/// Cuts rows, of which one more than `limit` was asked for.
fn part<T, P>(mut rows: Vec<T>, limit: usize, place: impl FnOnce(&T) -> P) -> Part<T, P> {
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more).map(place);
    Part { results: rows, next }
}
