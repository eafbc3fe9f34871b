//! What whoever runs the server does at its command line: help people who cannot sign in, add and deactivate them, make
//! organizations, and revoke tokens.
//!
//! An operator holds no permission and needs none, so what pages check about whoever asks is left out here; all else is
//! what the pages' verbs do, through the same functions.

pub mod organizations;
pub mod tokens;
pub mod users;

use super::{
    AppError, Result,
    problem::{Field, Problem, Problems},
};
use crate::{
    domain::{
        activity::{Action, Source},
        organization::OrganizationId,
        time::Timestamp,
        user::Email,
    },
    storage::{AnyConnection, activity, users::User},
};

/// How the activity log names whoever works at the command line.
pub const NAME: &str = "operator";

/// No request: entries of an operator name no address.
static NOWHERE: Source = Source { address: String::new(), program: String::new(), request_id: String::new() };

/// Proof that somebody works at the server's own command line, where the database and the pepper can be read. Only the
/// commands make one.
#[derive(Clone, Copy, Debug)]
pub struct Operator(());

impl Operator {
    /// Whoever runs a command of `jeton` on the server.
    pub(crate) const fn at_the_command_line() -> Self {
        Self(())
    }
}

/// An entry about what an operator does.
const fn entry(organization: Option<OrganizationId>, action: Action, at: Timestamp) -> activity::Entry<'static> {
    activity::Entry { actor_name: NAME, ..activity::Entry::new(organization, action, at, &NOWHERE) }
}

/// That the command names something that there is not.
fn unknown(field: Field) -> AppError {
    Problems::one(field, Problem::NotAChoice).into()
}

/// The user with this e-mail address.
fn find_user(connection: &mut AnyConnection, email: &str) -> Result<User> {
    let email = Email::known(email).map_err(|_| unknown(Field::Email))?;
    let found = crate::storage::users::find_by_email(connection, &email)?;
    Ok(found.ok_or_else(|| unknown(Field::Email))?.0)
}

/// The organization with this slug.
fn find_organization(connection: &mut AnyConnection, slug: &str) -> Result<OrganizationId> {
    crate::storage::organizations::find(connection, slug)?.ok_or_else(|| unknown(Field::Organization))
}
