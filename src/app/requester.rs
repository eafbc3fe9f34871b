//! Who asks for something about items: a member on a page, or a program with a token. The same verbs serve both.

use super::{AppError, Jeton, Result, authority::Member, entities::Named, verify::Accepted, verify::usage};
use domain::{
    access::{
        Asked, Demand, Explanation, Identity, Level, Refusal, Subject, SubjectFacts, SubjectId, Whose,
        check_permissions, explain,
    },
    activity::{Action, Source},
    item::ItemKind,
    kind::CommonAction,
    organization::OrganizationId,
    permission::{OwnPermissions, Permissions},
    time::Timestamp,
    token::{Life, Scope, TokenId},
};
use storage::{AnyConnection, access, activity, memberships, organizations, tokens};

/// Whoever asks, with what they might do when the request began.
#[derive(Clone, Debug)]
pub struct Requester(By);

#[derive(Clone, Debug)]
enum By {
    Member(Box<Member>),
    Token(Accepted),
}

impl From<Member> for Requester {
    fn from(member: Member) -> Self {
        Self(By::Member(member.into()))
    }
}

impl From<Accepted> for Requester {
    fn from(accepted: Accepted) -> Self {
        Self(By::Token(accepted))
    }
}

impl Requester {
    /// The subject for whom they ask.
    pub fn subject(&self) -> SubjectId {
        match &self.0 {
            By::Member(member) => SubjectId::Membership(member.membership().id),
            By::Token(accepted) => accepted.identity().subject.id,
        }
    }

    /// The token of a program.
    pub(super) fn token(&self) -> Option<TokenId> {
        match &self.0 {
            By::Member(_) => None,
            By::Token(accepted) => Some(accepted.identity().token),
        }
    }

    /// The organization of the subject.
    pub fn organization(&self) -> OrganizationId {
        match &self.0 {
            By::Member(member) => member.membership().organization,
            By::Token(accepted) => accepted.identity().subject.organization.id,
        }
    }

    /// The name of the subject.
    pub fn name(&self) -> &str {
        match &self.0 {
            By::Member(member) => &member.actor().user().name,
            By::Token(accepted) => &accepted.identity().subject.display_name,
        }
    }

    /// Returns whether they may do something with items of a kind, as far as scope and permissions go: whether a page
    /// offers it.
    pub fn may(&self, kind: &ItemKind, action: CommonAction) -> bool {
        let Some(demand) = demand(kind, action) else { return false };
        let (held, known, scope) = match &self.0 {
            By::Member(member) => {
                let at = member.membership();
                (&at.permissions, &at.known, Scope::ReadWrite)
            }
            By::Token(accepted) => {
                let Identity { subject, scope, .. } = accepted.identity();
                (&subject.held.permissions, &subject.held.known, *scope)
            }
        };
        check_permissions(held, known, scope, &demand).is_ok()
    }

    /// Reads what their access depends on, for reading.
    pub(super) fn standing(&self, connection: &mut AnyConnection, now: Timestamp) -> Result<Standing> {
        let rights = match &self.0 {
            By::Member(member) => {
                let at = member.membership();
                Rights::Subject { is_active: true, held: at.permissions.clone(), known: at.known.clone() }
            }
            By::Token(accepted) => Rights::Token { identity: accepted.identity().clone(), life: accepted.life() },
        };
        self.with(connection, rights, now)
    }

    /// Locks their organization for this transaction, which changes something, and reads again what they may do.
    ///
    /// # Errors
    /// As those of [`Requester::again`].
    pub(super) fn begin(&self, connection: &mut AnyConnection, now: Timestamp) -> Result<Standing> {
        organizations::lock(connection, self.organization())?;
        self.again(connection, now)
    }

    /// Reads again what they may do, and what their access depends on, for what goes on after the request has begun.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a member who is not active any more; [`AppError::SignedOut`] for a token that is
    /// gone.
    pub(super) fn again(&self, connection: &mut AnyConnection, now: Timestamp) -> Result<Standing> {
        let rights = match &self.0 {
            By::Member(member) => {
                let found = memberships::permissions(connection, member.membership().id)?;
                let (held, known) = found.ok_or(AppError::NotFound)?;
                Rights::Subject { is_active: true, held, known }
            }
            By::Token(accepted) => {
                let found = tokens::current(connection, accepted.identity())?;
                let (identity, life) = found.ok_or(AppError::SignedOut)?;
                Rights::Token { identity, life }
            }
        };
        self.with(connection, rights, now)
    }

    fn with(&self, connection: &mut AnyConnection, rights: Rights, now: Timestamp) -> Result<Standing> {
        let facts = access::subject_facts(connection, self.subject(), self.organization())?;
        Ok(Standing { rights, facts, now })
    }

    /// Creates an entry of the organization's activity log about what they do.
    pub(super) fn entry<'a>(&'a self, action: Action, at: Timestamp, source: &'a Source) -> activity::Entry<'a> {
        match &self.0 {
            By::Member(member) => member.entry(action, at, source),
            By::Token(accepted) => usage::entry(accepted.identity(), action, at, 1, source),
        }
    }
}

/// What somebody may do, and what their access depends on, as it was when it was read.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    rights: Rights,
    pub(super) facts: SubjectFacts,
    pub(super) now: Timestamp,
}

#[derive(Clone, Debug)]
enum Rights {
    /// A subject without a token, such as a member on a page.
    Subject {
        is_active: bool,
        held: Permissions,
        known: OwnPermissions,
    },
    Token {
        identity: Identity,
        life: Life,
    },
}

impl Standing {
    /// Reads what the access of a token depends on, on whose behalf it may act.
    pub(super) fn of_token(
        connection: &mut AnyConnection,
        (identity, life): (Identity, Life),
        now: Timestamp,
    ) -> Result<Self> {
        let subject = &identity.subject;
        let facts = access::subject_facts(connection, subject.id, subject.organization.id)?;
        Ok(Self { rights: Rights::Token { identity, life }, facts, now })
    }

    /// Reads what the access of a subject depends on, whatever token it may use.
    pub(super) fn of_subject(connection: &mut AnyConnection, subject: &Subject, now: Timestamp) -> Result<Self> {
        let facts = access::subject_facts(connection, subject.id, subject.organization.id)?;
        let (held, known) = (subject.held.permissions.clone(), subject.held.known.clone());
        Ok(Self { rights: Rights::Subject { is_active: subject.is_active, held, known }, facts, now })
    }

    /// Returns whose standing it is.
    pub(super) fn named(&self, connection: &mut AnyConnection) -> Result<Named> {
        match &self.rights {
            Rights::Token { identity, life } => Ok(Named::Token(identity.clone().into(), *life)),
            Rights::Subject { .. } => {
                let found = tokens::subjects(connection, &[self.facts.id])?.pop();
                Ok(Named::Subject(found.ok_or(AppError::NotFound)?.into()))
            }
        }
    }

    /// The permissions that the organization has added.
    pub(super) fn known(&self) -> &OwnPermissions {
        match &self.rights {
            Rights::Subject { known, .. } => known,
            Rights::Token { identity, .. } => &identity.subject.held.known,
        }
    }

    /// Returns whether the subject holds a permission, whatever the scope of its token.
    pub(super) fn holds(&self, permission: domain::permission::BuiltInPermission) -> bool {
        match &self.rights {
            Rights::Subject { held, .. } => held.contains(permission),
            Rights::Token { identity, .. } => identity.may(permission),
        }
    }

    /// Decides about something that concerns no item yet.
    ///
    /// # Errors
    /// [`AppError::Refused`] with the first check that refuses; [`AppError::NotFound`] for a kind that is not there.
    pub(super) fn check(&self, kind: &ItemKind, action: CommonAction) -> Result<()> {
        let demand = demand(kind, action).ok_or(AppError::NotFound)?;
        self.explain(&Asked { demand, item: None }).decision().map_err(refused)
    }

    /// Decides about something with an item on which the subject has the level `reached`; `None` where it sees none.
    ///
    /// # Errors
    /// As [`Standing::check`]; [`AppError::NotFound`] for an item that is not there for the subject.
    pub(super) fn check_item(&self, kind: &ItemKind, action: CommonAction, reached: Option<Level>) -> Result<()> {
        let demand = demand(kind, action).ok_or(AppError::NotFound)?;
        self.explain(&Asked { demand, item: Some((action.level(), reached)) }).decision().map_err(refused)
    }

    /// Asks each check about something that the subject wants to do.
    pub(super) fn explain(&self, asked: &Asked) -> Explanation {
        let whose = match &self.rights {
            Rights::Subject { is_active, held, known } => Whose::Subject { is_active: *is_active, held, known },
            Rights::Token { identity, life } => Whose::Token(identity, *life),
        };
        explain(whose, asked, self.now)
    }
}

/// Returns what it takes to do something with items of a kind.
fn demand(kind: &ItemKind, action: CommonAction) -> Option<Demand> {
    let permissions = [kind.permission(action)?].into_iter().collect();
    Some(Demand { write: !action.reads(), permissions, organization: None })
}

fn refused(refusal: Refusal) -> AppError {
    match refusal {
        Refusal::NotThere | Refusal::PermissionUnknown => AppError::NotFound,
        refusal => AppError::Refused(refusal),
    }
}

impl Jeton {
    /// Runs a verb that reads, with what the requester may do.
    pub(super) async fn read_for<T: Send + 'static>(
        &self,
        by: &Requester,
        work: impl FnOnce(&mut AnyConnection, &Standing) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (by, now) = (by.clone(), self.clock.now());
        self.read(move |connection| {
            let standing = by.standing(connection, now)?;
            work(connection, &standing)
        })
        .await
    }

    /// Runs a verb that changes something, in one transaction, with what the requester may do then.
    pub(super) async fn write_for<T: Send + 'static>(
        &self,
        by: &Requester,
        source: Source,
        mut work: impl FnMut(&mut AnyConnection, &Changing<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (by, now) = (by.clone(), self.clock.now());
        self.write(move |connection| {
            let standing = by.begin(connection, now)?;
            work(connection, &Changing { by: &by, standing: &standing, now, source: &source })
        })
        .await
    }

    /// [`Jeton::write_for`] for verbs that end access.
    pub(super) async fn end_for<T: Send + 'static>(
        &self,
        by: &Requester,
        source: Source,
        mut work: impl FnMut(&mut AnyConnection, &Changing<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (by, now) = (by.clone(), self.clock.now());
        self.end(move |connection| {
            let standing = by.begin(connection, now)?;
            work(connection, &Changing { by: &by, standing: &standing, now, source: &source })
        })
        .await
    }
}

/// A change that somebody is making, inside its transaction.
pub(super) struct Changing<'a> {
    pub(super) by: &'a Requester,
    pub(super) standing: &'a Standing,
    pub(super) now: Timestamp,
    pub(super) source: &'a Source,
}

impl<'a> Changing<'a> {
    /// Creates an entry of the organization's activity log about it.
    pub(super) fn entry(&self, action: Action) -> activity::Entry<'a> {
        self.by.entry(action, self.now, self.source)
    }
}
