//! The commands of the operator, who helps people who cannot sign in, adds and deactivates them, creates organizations,
//! and revokes tokens.
//!
//! An operator needs no permission, so the checks of the caller that pages make are left out here. Everything else is
//! done by the same functions as for pages.

pub mod clock;
pub mod freshness;
pub mod organizations;
pub mod tokens;
pub mod users;

use super::{
    AppError, Result,
    clock::Clock,
    problem::{Field, Problem, Problems},
};
pub use clock::confirm_clock;
use domain::{
    activity::{Action, Source},
    organization::OrganizationId,
    time::Timestamp,
    user::{Email, User},
};
pub use freshness::{freshness, set_freshness};
pub use organizations::{create_organization_for, rename_organization};
use storage::{AnyConnection, DatabaseUrl, activity, epoch, organizations as rows};
pub use tokens::{revoke_token, revoke_tokens};
pub use users::{
    add_user, block_user, deactivate_user, demote_user, is_administered, make_password_link, organizations_of,
    promote_user, reactivate_user, reset_password, unblock_user,
};

/// The name of the operator in the activity log.
pub const NAME: &str = "operator";

/// The source of the operator's log entries, which have no IP address, as there is no request.
static NOWHERE: Source = Source { address: String::new(), program: String::new(), request_id: String::new() };

/// The evidence that the caller is a command on the server itself, where the database and the pepper can be read. Only
/// commands create one.
#[derive(Clone, Copy, Debug)]
pub struct Operator(());

impl Operator {
    /// Creates the evidence, for a `jeton` command on the server.
    pub const fn at_the_command_line() -> Self {
        Self(())
    }
}

/// What the operator reads: only the database, so that it needs neither the right to write nor the pepper.
pub struct Records {
    pub(super) connection: AnyConnection,
    now: Timestamp,
}

impl Records {
    /// Opens an existing database.
    ///
    /// # Errors
    /// When there is no database, or it cannot be read.
    pub fn open(_: Operator, database: &DatabaseUrl, clock: &Clock) -> Result<Self> {
        let mut connection = database.connect_to_read()?;
        if let Some(time) = epoch::reading(&mut connection)?.time {
            clock.follow(time);
        }
        Ok(Self { connection, now: clock.now() })
    }
}

/// Creates a log entry about what the operator does.
pub(super) fn entry(organization: Option<OrganizationId>, action: Action, at: Timestamp) -> activity::Entry<'static> {
    activity::Entry { actor_name: NAME, ..activity::Entry::new(organization, action, at, &NOWHERE) }
}

/// Writes an entry into the log of each organization. While there is none, the entry belongs to no organization.
pub(super) fn insert_everywhere(connection: &mut AnyConnection, entry: activity::Entry<'_>) -> Result<()> {
    let mut places: Vec<_> = rows::all(connection)?.into_iter().map(|named| Some(named.id)).collect();
    places.sort_unstable();
    if places.is_empty() {
        places.push(None);
    }
    let entries = places.into_iter().map(|organization| activity::Entry { organization, ..entry.clone() });
    Ok(activity::insert_all(connection, &entries.collect::<Vec<_>>())?)
}

/// Returns the error for a name that does not exist.
fn unknown(field: Field) -> AppError {
    Problems::one(field, Problem::NotAChoice).into()
}

/// Finds the user with this e-mail address.
fn find_user(connection: &mut AnyConnection, email: &str) -> Result<User> {
    let email = Email::known(email).map_err(|_| unknown(Field::Email))?;
    let found = storage::users::find_by_email(connection, &email)?;
    Ok(found.ok_or_else(|| unknown(Field::Email))?.0)
}

/// Finds the organization with this slug.
fn find_organization(connection: &mut AnyConnection, slug: &str) -> Result<OrganizationId> {
    storage::organizations::find(connection, slug)?.ok_or_else(|| unknown(Field::Organization))
}
