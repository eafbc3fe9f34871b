//! What the activity log tells: who did what, when, through which token.

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The first organization and its administrator were made.
    InstallationSetUp,
    /// Somebody signed in.
    SessionStarted,
    /// Somebody signed out.
    SessionEnded,
    /// Somebody ended other sessions of theirs.
    OtherSessionsEnded,
    /// Somebody changed their password, which ended their other sessions.
    PasswordChanged,
    /// An operator gave somebody a new password, which ended their sessions.
    PasswordReset,
    /// Somebody changed their name, e-mail address or settings.
    ProfileChanged,
    /// A personal token was made.
    TokenCreated,
    /// A token was used for the first time.
    TokenFirstUsed,
    /// A token was revoked.
    TokenRevoked,
    /// A token was not used for its inactivity period.
    TokenExpired,
    /// A revoked token was used again, and refused.
    RevokedTokenRefused,
}

impl Action {
    /// The stable name in the database and in exports.
    pub const fn key(self) -> &'static str {
        match self {
            Self::InstallationSetUp => "installation.set_up",
            Self::SessionStarted => "session.started",
            Self::SessionEnded => "session.ended",
            Self::OtherSessionsEnded => "session.others_ended",
            Self::PasswordChanged => "password.changed",
            Self::PasswordReset => "password.reset",
            Self::ProfileChanged => "profile.changed",
            Self::TokenCreated => "token.created",
            Self::TokenFirstUsed => "token.first_used",
            Self::TokenRevoked => "token.revoked",
            Self::TokenExpired => "token.expired",
            Self::RevokedTokenRefused => "token.refused",
        }
    }
}

/// Where a request came from: what the log, the lists of sessions and of tokens say about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The address of the client.
    pub address: String,
    /// What the client calls itself (`User-Agent`), 200 characters at most, without control characters.
    pub program: String,
    /// The id of the request in logs and error answers.
    pub request_id: String,
}
