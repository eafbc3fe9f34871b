//! Why somebody may do something with an item, or not: what each check says, what gives access, and the smallest changes
//! that would open it.
//!
//! Who asks learns no more than they may know anyway: about themself, about users with *Users*, about service users with
//! *Integrations*; about an item that they reach themself or, with *Users*, any of their organization.

mod finding;

pub use finding::{Choice, Outcome, Typed, ask};

use super::{
    AppError, Jeton, Result,
    entities::{Entity, Named, find_subject},
    items::{among, by_id, own_in},
    requester::{Requester, Standing},
};
use domain::{
    access::{
        AccessRule, Asked, Change, Explanation, Identity, Level, Recipient, Share, Source, StoredRule, StoredShare,
        Subject, SubjectId, Way, reach,
    },
    item::{Item, ItemAction, ItemKind},
    kind::CommonAction,
    permission::BuiltInPermission,
    time::Timestamp,
    token::Life,
};
use std::collections::HashMap;
use storage::{
    AnyConnection,
    access::{self, Reachable},
    access_rules,
    items::{self, Names},
    recipients::{self, Known},
    shares,
};

/// What somebody wants to know.
#[derive(Clone, Debug, Default)]
pub struct Why {
    /// For whom: a subject or token of the organization; whoever asks if there is none.
    pub whom: Option<Entity>,
    /// The key of an action of the item's kind.
    pub action: String,
    /// The item.
    pub item: Entity,
}

/// Why the answer is yes or no.
#[derive(Clone, Debug)]
pub struct Explained {
    /// For whom it was asked.
    pub subject: Box<Subject>,
    /// The token with its life, if it was asked for one.
    pub token: Option<(Box<Identity>, Life)>,
    /// What was asked.
    pub action: ItemAction,
    /// The item.
    pub item: Item,
    /// The names of what it refers to.
    pub names: Names,
    /// What each check says.
    pub explanation: Explanation,
    /// The ways by which the subject reaches the item.
    pub ways: Vec<Way>,
    /// The shares that give the subject nothing, as far as whoever asks may know them.
    pub other_shares: Vec<StoredShare>,
    /// The access rules that do not.
    pub other_rules: Vec<StoredRule>,
    /// The names of their recipients.
    pub recipients: HashMap<Recipient, Known>,
    /// The smallest changes that together open it, each with whether whoever asks may make it. `None` if nothing does.
    pub changes: Option<Vec<(Change, bool)>>,
    /// When it was decided.
    pub at: Timestamp,
}

/// Explains whether somebody may do something with an item.
///
/// # Errors
/// [`AppError::NotFound`] for a subject, kind, action or item that is not there, or that whoever asks may not know.
pub async fn explain(jeton: &Jeton, by: &Requester, why: Why) -> Result<Explained> {
    jeton.read_for(by, move |connection, standing| Viewer { standing }.explain(connection, &why)).await
}

/// Whoever asks.
struct Viewer<'a> {
    standing: &'a Standing,
}

impl Viewer<'_> {
    fn explain(&self, connection: &mut AnyConnection, why: &Why) -> Result<Explained> {
        let whom = self.whom(connection, why.whom.as_ref())?;
        let kind = ItemKind::parse(&why.item.kind).ok_or(AppError::NotFound)?;
        let action = kind.action(&why.action, self.standing.known()).ok_or(AppError::NotFound)?;
        let (item, own_level) = self.item(connection, &kind, &why.item.id)?;
        let (subject, token) = match &whom {
            Named::Subject(subject) => (subject.clone(), None),
            Named::Token(identity, life) => (Box::new((*identity.subject).clone()), Some((identity.clone(), *life))),
        };
        let standing = whom.standing(connection, self.standing.now)?;
        let facts = access::item_facts(connection, &item)?;
        let shared = shares::list(connection, item.id)?;
        let rules = access_rules::covering(connection, &facts)?;
        let reach = reach(
            &standing.facts,
            &facts,
            &shared.iter().map(|one| one.share).collect::<Vec<Share>>(),
            &rules.iter().map(|one| one.rule.clone()).collect::<Vec<AccessRule>>(),
        );
        let asked = Asked { demand: action.demand(), item: Some((action.level, reach.level())) };
        let explanation = standing.explain(&asked);
        let credentials = token.as_ref().map(|(identity, _)| (identity.kind, identity.scope));
        let changes = explanation.changes(credentials, Some(action.level));
        let with_may = |change: Change| {
            let may = self.may(&change, &subject, &item, own_level);
            (change, may)
        };
        let changes = changes.map(|all| all.into_iter().map(with_may).collect());
        // Who else reaches the item, and by what, is for those who manage it and for holders of *Users*.
        let sees_others = own_level == Some(Level::Manage) || self.looks_after(&item);
        let gives = |source: Source| reach.ways().iter().any(|way| way.source == source);
        let other_shares = shared.into_iter().filter(|one| sees_others && !gives(Source::Share(one.share.id)));
        let other_shares: Vec<StoredShare> = other_shares.collect();
        let other_rules = rules.into_iter().filter(|one| sees_others && !gives(Source::Rule(one.rule.id)));
        let other_rules: Vec<StoredRule> = other_rules.collect();
        let named: Vec<Recipient> = (reach.ways().iter().map(|way| way.recipient))
            .chain(other_shares.iter().map(|one| one.share.recipient))
            .chain(other_rules.iter().map(|one| one.rule.recipient))
            .collect();
        let recipients = recipients::names(connection, &named)?;
        let names = items::names(connection, std::iter::once(&item))?;
        let (ways, at) = (reach.ways().to_vec(), self.standing.now);
        Ok(Explained {
            subject,
            token,
            action,
            item,
            names,
            explanation,
            ways,
            other_shares,
            other_rules,
            recipients,
            changes,
            at,
        })
    }

    /// Returns for whom it is asked, if whoever asks may know.
    fn whom(&self, connection: &mut AnyConnection, whom: Option<&Entity>) -> Result<Named> {
        let Some(entity) = whom else { return self.standing.named(connection) };
        let found = find_subject(connection, self.standing.facts.organization, entity)?;
        let found = found.map_err(|_| AppError::NotFound)?;
        if self.may_know(found.subject().id) { Ok(found) } else { Err(AppError::NotFound) }
    }

    fn may_know(&self, subject: SubjectId) -> bool {
        let needed = match subject {
            SubjectId::Membership(_) => BuiltInPermission::PlatformUsers,
            SubjectId::ServiceUser(_) => BuiltInPermission::PlatformIntegrations,
        };
        subject == self.standing.facts.id || self.standing.holds(needed)
    }

    /// Returns the item, and the level on it of whoever asks.
    fn item(&self, connection: &mut AnyConnection, kind: &ItemKind, id: &str) -> Result<(Item, Option<Level>)> {
        let organization = self.standing.facts.organization;
        let reachable = Reachable::read(connection, &self.standing.facts, kind)?;
        let found = by_id(id, |key| {
            if let Some((item, level)) = among(connection, &reachable, organization, key)?
                && self.standing.check(kind, CommonAction::View).is_ok()
            {
                return Ok(Some((item, Some(level))));
            }
            if !self.standing.holds(BuiltInPermission::PlatformUsers) {
                return Ok(None);
            }
            Ok(own_in(connection, organization, kind, key)?.map(|item| (item, None)))
        })?;
        found.ok_or(AppError::NotFound)
    }

    fn looks_after(&self, item: &Item) -> bool {
        let is_own = item.organization == self.standing.facts.organization;
        is_own && self.standing.holds(BuiltInPermission::PlatformUsers)
    }

    /// Returns whether whoever asks may make a change.
    fn may(&self, change: &Change, subject: &Subject, item: &Item, own_level: Option<Level>) -> bool {
        let holds = |permission| self.standing.holds(permission);
        match (change, subject.id) {
            (Change::Activate, _) => holds(BuiltInPermission::PlatformUsers),
            (Change::Regenerate, _) | (Change::Grant(_), SubjectId::ServiceUser(_)) => {
                holds(BuiltInPermission::PlatformIntegrations)
            }
            (Change::Grant(_), SubjectId::Membership(_)) => holds(BuiltInPermission::PlatformPermissionSets),
            (Change::NewToken(_), id) => id == self.standing.facts.id,
            (Change::Share(_), _) => {
                own_level == Some(Level::Manage) && self.standing.check(&item.kind, CommonAction::Share).is_ok()
            }
        }
    }
}
