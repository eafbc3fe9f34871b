//! Who changes kinds.

use crate::{AppError, Result, authority::Holder, verify::Accepted, verify::usage};
use domain::{
    access::{Demand, decide},
    activity::{Action, Source},
    organization::OrganizationId,
    permission::{Authority, ManageKinds},
    time::Timestamp,
};
use storage::{AnyConnection, activity, organizations, tokens};

/// Somebody with the authority to manage kinds. Verbs check it again inside their transaction.
#[derive(Clone, Debug)]
pub enum Author {
    /// A member, on a page.
    Member(Box<Holder<ManageKinds>>),
    /// A program, whose token was accepted for this ([`Author::demand`]).
    Program(Accepted),
}

impl Author {
    /// Returns what a program's token needs.
    pub fn demand() -> Demand {
        Demand { write: true, permissions: ManageKinds::PERMISSION.into(), organization: None }
    }

    /// The organization whose kinds they manage.
    pub fn organization(&self) -> OrganizationId {
        match self {
            Self::Member(holder) => holder.grant().organization(),
            Self::Program(accepted) => accepted.identity().subject.organization.id,
        }
    }

    /// Locks the organization for this transaction, which changes something, and checks again what they may do.
    pub(super) fn begin(&self, connection: &mut AnyConnection, now: Timestamp) -> Result<OrganizationId> {
        let organization = self.organization();
        match self {
            Self::Member(holder) => drop(holder.begin(connection)?),
            Self::Program(accepted) => {
                organizations::lock(connection, organization)?;
                let found = tokens::current(connection, accepted.identity())?;
                let may = found.is_some_and(|(identity, life)| decide(&identity, life, &Self::demand(), now).is_ok());
                if !may {
                    return Err(AppError::Forbidden(ManageKinds::PERMISSION));
                }
            }
        }
        Ok(organization)
    }

    /// Creates an entry of the organization's activity log about what they do.
    pub(super) fn entry<'a>(&'a self, action: Action, at: Timestamp, source: &'a Source) -> activity::Entry<'a> {
        match self {
            Self::Member(holder) => holder.entry(action, at, source),
            Self::Program(accepted) => usage::entry(accepted.identity(), action, at, 1, source),
        }
    }
}
