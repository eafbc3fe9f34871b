//! Why a request is not accepted: it is refused, or its token cannot be verified right now.

use crate::{AppError, clock::Untrusted, secrets};
use domain::{access::Refusal, token::Pepper};
use std::time::Duration;
use storage::{AnyConnection, StorageError, installation};

/// Why a key is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// It is not an API key of Jeton.
    #[error("malformed")]
    Malformed,
    /// It has the form of an API key, but no token has it.
    #[error("unknown")]
    Unknown,
    /// A check refused the request.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// Tokens cannot be verified right now.
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

/// The timeout of verification: a request whose token has not been verified by then is answered with 503.
pub const TIMEOUT: Duration = Duration::from_millis(500);

/// Tokens cannot be verified right now, so a request may be neither accepted nor refused.
#[derive(Clone, Debug, thiserror::Error)]
#[error("tokens cannot be verified right now: {0}")]
pub struct Unavailable(pub String);

impl Unavailable {
    /// The database did not answer within [`TIMEOUT`].
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

/// Checks that the pepper belongs to the database.
///
/// # Errors
/// When it does not, or the database fails.
pub fn check_pepper(connection: &mut AnyConnection, pepper: &Pepper) -> Result<(), Unavailable> {
    match installation::find(connection)? {
        Some(installation) if secrets::belongs(&installation, pepper) => Ok(()),
        _ => Err(Unavailable("the pepper does not belong to the database".into())),
    }
}
