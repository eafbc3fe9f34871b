//! What verification counts and times, for `/metrics`.
//!
//! Each thread counts for itself, without locks: whoever asks adds it up. Nothing here names a token or a person.

use super::denied::{Denied, Unavailable};
use crate::{
    Jeton,
    metrics::{Counter, Durations, Timed},
};
use domain::access::Refusal;

/// How questions about tokens end, in the order in which they are counted.
pub const OUTCOMES: [&str; 9] = [
    "accepted",
    "malformed",
    "unknown",
    "revoked",
    "expired",
    "inactive_user",
    "read_only",
    "permission_missing",
    "unavailable",
];

/// What the verifier of one thread counts.
#[derive(Debug, Default)]
pub struct Verifications {
    outcomes: [Counter; OUTCOMES.len()],
    /// Keys that were in the cache.
    pub known: Counter,
    /// How long it took to look up those that were not.
    pub lookups: Durations,
}

impl Verifications {
    /// Counts what was decided.
    pub fn count<T>(&self, decided: &Result<T, Denied>) {
        let outcome = match decided {
            Ok(_) => 0,
            Err(Denied::Malformed) => 1,
            // Of another organization: for whoever asks there is no such token.
            Err(Denied::Unknown | Denied::Refused(Refusal::Foreign)) => 2,
            Err(Denied::Refused(Refusal::Revoked(_))) => 3,
            Err(Denied::Refused(Refusal::Expired(_))) => 4,
            Err(Denied::Refused(Refusal::SubjectInactive)) => 5,
            Err(Denied::Refused(Refusal::ReadOnly)) => 6,
            Err(Denied::Refused(Refusal::PermissionMissing(_))) => 7,
            Err(Denied::Unavailable(Unavailable(_))) => 8,
        };
        if let Some(counter) = self.outcomes.get(outcome) {
            counter.count();
        }
    }
}

/// What a node measured since its start, and what it holds at this moment.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// How questions about tokens ended, as in [`OUTCOMES`].
    pub outcomes: [u64; OUTCOMES.len()],
    /// Keys that were in the cache.
    pub known: u64,
    /// How long it took to look up those that were not.
    pub lookups: Timed,
    /// How long it took to read the epoch from the database.
    pub epoch_reads: Timed,
    /// The epoch that was read last; none before the first.
    pub epoch: Option<i64>,
    /// Tokens in the cache.
    pub cached: u64,
    /// Bytes that they take.
    pub cached_bytes: u64,
    /// Tokens with uses that are not yet in the database.
    pub waiting: usize,
    /// Whether the database fails.
    pub database_fails: bool,
    /// How often it has failed to do what it was asked.
    pub database_failures: u64,
    /// Connections of pages and the API to the database: all that are open, and those that nobody uses.
    pub connections: (u32, u32),
}

impl Measured {
    /// Adds what one thread counted.
    pub fn add(&mut self, counted: &Verifications) {
        for (sum, outcome) in self.outcomes.iter_mut().zip(&counted.outcomes) {
            *sum += outcome.get();
        }
        self.known += counted.known.get();
        self.lookups.add(&counted.lookups);
    }
}

impl Jeton {
    /// What this node measured.
    pub fn measured(&self) -> Measured {
        let health = self.db.health();
        Measured {
            database_fails: health.fails(),
            database_failures: health.failures(),
            connections: self.db.connections(),
            ..self.verifier.measured()
        }
    }
}
