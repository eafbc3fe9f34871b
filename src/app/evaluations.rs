//! Decisions for programs that ask in the words of the OpenID AuthZEN Authorization API 1.0: may this subject do this
//! with this item, and which subjects, items and actions make the answer yes?
//!
//! Who asks knows one organization, their own: what belongs to others is unknown, except for items that others share
//! with its subjects. What is unknown is never an error: the answer is no.

mod searching;

pub use searching::{FoundSubjects, Part, actions, items, subjects};

use super::{
    Jeton, Result,
    entities::{Entity, find_subject},
    items::{among, by_id},
    requester::Standing,
    verify::Accepted,
};
use domain::{
    access::{Asked, Level, Link, Refusal, SubjectId},
    item::{Item, ItemAction, ItemKind},
    organization::OrganizationId,
    time::Timestamp,
};
use std::collections::HashMap;
use storage::{AnyConnection, access::Reachable};

/// The maximum number of questions in one request.
pub const MOST_QUESTIONS: usize = 1_000;

/// For whom a program asks.
#[derive(Clone, Debug)]
pub enum Whom {
    /// A subject by name.
    Named(Entity),
    /// The holder of an API key, which was verified; none if it was not accepted.
    Holder(Option<Box<Accepted>>),
}

/// Whether a subject may do something with an item.
#[derive(Clone, Debug)]
pub struct Question {
    /// The subject.
    pub whom: Whom,
    /// The key of an action of the item's kind.
    pub action: String,
    /// The item: by its public id, or by the id that the organization's own programs gave it.
    pub item: Entity,
}

/// Why the answer is no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct No {
    /// The first check that says no.
    pub stopped_by: Link,
    /// The permission or level that is missing, if that is what it is.
    pub needs: Option<String>,
}

/// The answer to a question.
pub type Answer = std::result::Result<(), No>;

impl From<Link> for No {
    fn from(stopped_by: Link) -> Self {
        Self { stopped_by, needs: None }
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self { stopped_by: refusal.link(), needs: refusal.needs().map(str::to_owned) }
    }
}

/// Answers questions of a program of an organization, in their order.
///
/// # Errors
/// Only when the database fails.
pub async fn evaluate(jeton: &Jeton, organization: OrganizationId, questions: Vec<Question>) -> Result<Vec<Answer>> {
    let now = jeton.clock().now();
    jeton
        .read(move |connection| {
            let mut desk = Desk::new(connection, organization, now);
            questions.iter().map(|question| desk.answer(question)).collect()
        })
        .await
}

/// What has been read for the questions of one request, so that nothing is read twice.
struct Desk<'a> {
    connection: &'a mut AnyConnection,
    organization: OrganizationId,
    now: Timestamp,
    standings: HashMap<Entity, std::result::Result<Standing, Link>>,
    reachable: HashMap<(SubjectId, ItemKind), Reachable>,
}

impl<'a> Desk<'a> {
    fn new(connection: &'a mut AnyConnection, organization: OrganizationId, now: Timestamp) -> Self {
        Self { connection, organization, now, standings: HashMap::new(), reachable: HashMap::new() }
    }

    fn answer(&mut self, question: &Question) -> Result<Answer> {
        let standing = match self.standing(&question.whom)? {
            Ok(standing) => standing,
            Err(link) => return Ok(Err(link.into())),
        };
        let kind = ItemKind::parse(&question.item.kind);
        let action = kind.as_ref().and_then(|kind| kind.action(&question.action, standing.known()));
        let (Some(kind), Some(action)) = (kind, action) else { return Ok(Err(Link::Permission.into())) };
        let reached = self.find(&standing, &kind, &question.item.id)?.map(|(_, level)| level);
        Ok(decide(&standing, &action, reached))
    }

    /// Returns what somebody may do; the check that stops them if they may do nothing, whatever is asked.
    fn standing(&mut self, whom: &Whom) -> Result<std::result::Result<Standing, Link>> {
        let entity = match whom {
            Whom::Holder(None) => return Ok(Err(Link::Token)),
            Whom::Holder(Some(accepted)) => {
                let token = (accepted.identity().clone(), accepted.life());
                return Ok(Ok(Standing::of_token(self.connection, token, self.now)?));
            }
            Whom::Named(entity) => entity,
        };
        if let Some(known) = self.standings.get(entity) {
            return Ok(known.clone());
        }
        let found = self.named(entity)?;
        self.standings.insert(entity.clone(), found.clone());
        Ok(found)
    }

    fn named(&mut self, entity: &Entity) -> Result<std::result::Result<Standing, Link>> {
        Ok(match find_subject(self.connection, self.organization, entity)? {
            Ok(found) => Ok(found.standing(self.connection, self.now)?),
            Err(link) => Err(link),
        })
    }

    /// Returns the item with this id that the subject reaches, and its level.
    fn find(&mut self, standing: &Standing, kind: &ItemKind, id: &str) -> Result<Option<(Item, Level)>> {
        let known = (standing.facts.id, kind.clone());
        if !self.reachable.contains_key(&known) {
            let read = Reachable::read(self.connection, &standing.facts, kind)?;
            self.reachable.insert(known.clone(), read);
        }
        let Some(reachable) = self.reachable.get(&known) else { return Ok(None) };
        by_id(id, |key| among(self.connection, reachable, self.organization, key))
    }
}

/// Returns the answer for somebody who has `reached` this level on the item.
fn decide(standing: &Standing, action: &ItemAction, reached: Option<Level>) -> Answer {
    let asked = Asked { demand: action.demand(), item: Some((action.level, reached)) };
    standing.explain(&asked).decision().map_err(No::from)
}
