//! What whoever runs the server does at its command line: help people who cannot sign in, add and deactivate them, make
//! organizations, and revoke tokens.
//!
//! An operator holds no permission and needs none, so what pages check about whoever asks is left out here; all else is
//! what the pages' verbs do, through the same functions.

pub mod clock;
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
pub use organizations::{create_organization_for, rename_organization};
use storage::{AnyConnection, DatabaseUrl, activity, epoch, organizations as rows};
pub use tokens::{revoke_token, revoke_tokens};
pub use users::{
    add_user, block_user, deactivate_user, demote_user, is_administered, make_password_link, organizations_of,
    promote_user, reactivate_user, reset_password, unblock_user,
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
    pub const fn at_the_command_line() -> Self {
        Self(())
    }
}

/// What an operator looks at: the database and nothing else, so that it takes no right to change anything, and no
/// pepper.
pub struct Records {
    pub(super) connection: AnyConnection,
    now: Timestamp,
}

impl Records {
    /// Opens what is there.
    ///
    /// # Errors
    /// When there is no database, or none that can be read.
    pub fn open(_: Operator, database: &DatabaseUrl, clock: &Clock) -> Result<Self> {
        let mut connection = database.connect_to_read()?;
        if let (_, Some(time)) = epoch::read_with_time(&mut connection)? {
            clock.follow(time);
        }
        Ok(Self { connection, now: clock.now() })
    }
}

/// An entry about what an operator does.
pub(super) fn entry(organization: Option<OrganizationId>, action: Action, at: Timestamp) -> activity::Entry<'static> {
    activity::Entry { actor_name: NAME, ..activity::Entry::new(organization, action, at, &NOWHERE) }
}

/// Writes an entry into the log of each organization, or beside them while there is none.
pub(super) fn insert_everywhere(connection: &mut AnyConnection, entry: activity::Entry<'_>) -> Result<()> {
    let mut places: Vec<_> = rows::all(connection)?.into_iter().map(|named| Some(named.id)).collect();
    places.sort_unstable();
    if places.is_empty() {
        places.push(None);
    }
    let entries = places.into_iter().map(|organization| activity::Entry { organization, ..entry.clone() });
    Ok(activity::insert_all(connection, &entries.collect::<Vec<_>>())?)
}

/// That the command names something that there is not.
fn unknown(field: Field) -> AppError {
    Problems::one(field, Problem::NotAChoice).into()
}

/// The user with this e-mail address.
fn find_user(connection: &mut AnyConnection, email: &str) -> Result<User> {
    let email = Email::known(email).map_err(|_| unknown(Field::Email))?;
    let found = storage::users::find_by_email(connection, &email)?;
    Ok(found.ok_or_else(|| unknown(Field::Email))?.0)
}

/// The organization with this slug.
fn find_organization(connection: &mut AnyConnection, slug: &str) -> Result<OrganizationId> {
    storage::organizations::find(connection, slug)?.ok_or_else(|| unknown(Field::Organization))
}
