//! Subjects and items, as programs name them: by type and id.

use super::{Result, recipients::subject_in, requester::Standing};
use domain::{
    access::{Identity, Link, Subject, SubjectId},
    keyed,
    organization::OrganizationId,
    text::{self, LONGEST_EXTERNAL_ID},
    time::Timestamp,
    token::{self, Life},
    user::Email,
};
use storage::{AnyConnection, external_ids, recipients, tokens};

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
pub(super) fn find_subject(
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
