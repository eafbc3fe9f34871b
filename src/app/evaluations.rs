//! Decisions for programs that ask in the words of the OpenID AuthZEN Authorization API 1.0: may this subject do this
//! with this item, and which subjects, items and actions make the answer yes?
//!
//! Who asks knows one organization, their own: what belongs to others is unknown, except for items that others share
//! with its subjects. What is unknown is never an error: the answer is no.

mod searching;

pub use searching::{FoundSubjects, Part, actions, items, subjects};

use super::{
    Jeton, Result,
    items::{ItemKey, among},
    recipients::subject_in,
    requester::Standing,
    verify::Accepted,
};
use domain::{
    access::{Asked, Identity, Level, Link, Refusal, Subject, SubjectId},
    item::{ExternalId, Item, ItemAction, ItemKind},
    keyed,
    organization::OrganizationId,
    text::{self, LONGEST_EXTERNAL_ID},
    time::Timestamp,
    token::{self, Life},
    user::Email,
};
use std::collections::HashMap;
use storage::{AnyConnection, access::Reachable, external_ids, recipients, tokens};

/// The maximum number of questions in one request.
pub const MOST_QUESTIONS: usize = 1_000;

keyed! {
    /// What kinds of subjects a program can name. The key is the `type`.
    pub enum SubjectKind {
        /// A member, by `membership:12`, external id or e-mail address.
        User = "user",
        /// A service user, by public id, `service_user:` and that, or external id.
        ServiceUser = "service_user",
        /// A token, by its public id: what its subject may do within its scope, while it is active.
        Token = "token",
    }
}

/// A subject or an item, as a program names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Entity {
    /// What it is: the key of a [`SubjectKind`], or of a kind of items.
    pub kind: String,
    /// Which one.
    pub id: String,
}

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
        let needs = match &refusal {
            Refusal::PermissionMissing(permission) => Some(permission.key().to_owned()),
            Refusal::LevelMissing(level) => Some(level.key().to_owned()),
            _ => None,
        };
        Self { stopped_by: refusal.link(), needs }
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
        Ok(match find_named(self.connection, self.organization, entity)? {
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
        for key in keys(id) {
            let found = among(self.connection, reachable, self.organization, &key)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// Returns the answer for somebody who has `reached` this level on the item.
fn decide(standing: &Standing, action: &ItemAction, reached: Option<Level>) -> Answer {
    let asked = Asked { demand: action.demand(), item: Some((action.level, reached)) };
    standing.explain(&asked).decision().map_err(No::from)
}

/// Returns the ways in which an id may name an item: Jeton's own comes first.
pub(super) fn keys(id: &str) -> impl Iterator<Item = ItemKey> {
    let external = ExternalId::parse(id).ok().map(ItemKey::External);
    [Some(ItemKey::from(id)), external].into_iter().flatten()
}

/// Whom a name names.
#[derive(Clone, Debug)]
pub(super) enum Named {
    /// A subject.
    Subject(Box<Subject>),
    /// A token.
    Token(Box<Identity>, Life),
}

impl Named {
    /// Returns the subject.
    pub(super) fn subject(&self) -> &Subject {
        match self {
            Self::Subject(subject) => subject,
            Self::Token(identity, _) => &identity.subject,
        }
    }

    /// Reads what their access depends on.
    pub(super) fn standing(self, connection: &mut AnyConnection, now: Timestamp) -> Result<Standing> {
        match self {
            Self::Subject(subject) => Standing::of_subject(connection, &subject, now),
            Self::Token(identity, life) => Standing::of_token(connection, (*identity, life), now),
        }
    }
}

/// Finds whom a program names in an organization; otherwise the check that says no to whoever is unknown.
pub(super) fn find_named(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    entity: &Entity,
) -> Result<std::result::Result<Named, Link>> {
    let kind = SubjectKind::from_key(&entity.kind);
    let (Some(kind), Ok(id)) = (kind, text::exact(&entity.id, LONGEST_EXTERNAL_ID)) else {
        return Ok(Err(Link::Subject));
    };
    if kind == SubjectKind::Token {
        let found = match token::is_public_id(&id) {
            true => tokens::named(connection, organization, &id)?,
            false => None,
        };
        return Ok(found.map(|(identity, life)| Named::Token(identity.into(), life)).ok_or(Link::Token));
    }
    let found = subject(connection, organization, kind, &id)?;
    Ok(found.map(|subject| Named::Subject(subject.into())).ok_or(Link::Subject))
}

/// Finds a member or service user of an organization. The external id comes before the e-mail address: only
/// administrators set it, and people change their address themselves.
fn subject(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    kind: SubjectKind,
    id: &str,
) -> Result<Option<Subject>> {
    let name = match kind {
        SubjectKind::ServiceUser if token::is_public_id(id) => Subject::name_of_service_user(id),
        _ => id.to_owned(),
    };
    let mut found = subject_in(connection, organization, &name)?;
    if found.is_none() {
        found = external_ids::find(connection, organization, id)?.map(SubjectId::from);
    }
    if let (None, SubjectKind::User, Ok(email)) = (found, kind, Email::known(id)) {
        let all = recipients::memberships_of(connection, &email.folded())?;
        found = all.iter().find(|(_, of)| *of == organization).map(|(id, _)| SubjectId::Membership(*id));
    }
    let is_kind = |id: &SubjectId| matches!(id, SubjectId::Membership(_)) == (kind == SubjectKind::User);
    let Some(id) = found.filter(is_kind) else { return Ok(None) };
    Ok(tokens::subjects(connection, &[id])?.pop())
}
