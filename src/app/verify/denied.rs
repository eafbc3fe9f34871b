//! Why a request is not let through: no, or that nothing can be said right now.

use crate::{AppError, clock::Untrusted, secrets};
use domain::{access::Refusal, token::Pepper};
use std::time::Duration;
use storage::{AnyConnection, StorageError, installation};

/// Why a key is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// It is no key of Jeton's.
    #[error("malformed")]
    Malformed,
    /// It has the form of a key, and no token has it.
    #[error("unknown")]
    Unknown,
    /// A link of the chain said no.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// Nothing can be said at the moment.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<Untrusted> for Denied {
    fn from(untrusted: Untrusted) -> Self {
        Self::Unavailable(untrusted.into())
    }
}

impl From<StorageError> for Denied {
    fn from(error: StorageError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<AppError> for Denied {
    fn from(error: AppError) -> Self {
        Self::Unavailable(Unavailable(error.to_string()))
    }
}

/// A request that has no proof by then is answered 503.
pub const TIMEOUT: Duration = Duration::from_millis(500);

/// The epoch could not be read in time: nothing is known, so neither yes nor no may be said.
#[derive(Clone, Debug, thiserror::Error)]
#[error("nothing can be said about tokens: {0}")]
pub struct Unavailable(pub String);

impl Unavailable {
    /// The database took too long.
    pub fn late() -> Self {
        Self(format!("no answer from the database within {} ms", TIMEOUT.as_millis()))
    }
}

impl From<Untrusted> for Unavailable {
    fn from(untrusted: Untrusted) -> Self {
        Self(untrusted.to_string())
    }
}

impl From<StorageError> for Unavailable {
    fn from(error: StorageError) -> Self {
        Self(error.to_string())
    }
}

/// That the pepper belongs to the database.
///
/// # Errors
/// When it does not, or the database fails.
pub fn check_pepper(connection: &mut AnyConnection, pepper: &Pepper) -> Result<(), Unavailable> {
    match installation::find(connection)? {
        Some(installation) if secrets::belongs(&installation, pepper) => Ok(()),
        _ => Err(Unavailable("the pepper does not belong to the database".into())),
    }
}
