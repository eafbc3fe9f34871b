//! What verification counts and times, for `/metrics`.
//!
//! Each thread has its own counters, without locks; a scrape adds them up. Nothing here names a token or a person.

use super::denied::{Denied, Unavailable};
use crate::{
    Jeton,
    metrics::{Counter, Durations, Timed},
};
use domain::access::Refusal;

/// The outcomes of verifications, in the order of the counters.
pub const OUTCOMES: [&str; 10] = [
    "accepted",
    "malformed",
    "unknown",
    "revoked",
    "expired",
    "inactive_user",
    "read_only",
    "permission_missing",
    "access_missing",
    "unavailable",
];

/// The counters of one thread's verifier.
#[derive(Debug, Default)]
pub struct Verifications {
    outcomes: [Counter; OUTCOMES.len()],
    /// Keys that were in the cache.
    pub known: Counter,
    /// How long the lookups of the other keys took.
    pub lookups: Durations,
}

impl Verifications {
    /// Counts a decision.
    pub fn count<T>(&self, decided: &Result<T, Denied>) {
        let outcome = match decided {
            Ok(_) => 0,
            Err(Denied::Malformed) => 1,
            // A token of another organization does not exist for the caller.
            Err(Denied::Unknown | Denied::Refused(Refusal::Foreign)) => 2,
            Err(Denied::Refused(Refusal::Revoked(_))) => 3,
            Err(Denied::Refused(Refusal::Expired(_))) => 4,
            Err(Denied::Refused(Refusal::SubjectInactive)) => 5,
            Err(Denied::Refused(Refusal::ReadOnly)) => 6,
            Err(Denied::Refused(Refusal::PermissionMissing(_) | Refusal::PermissionUnknown)) => 7,
            Err(Denied::Refused(Refusal::NotThere | Refusal::LevelMissing(_))) => 8,
            Err(Denied::Unavailable(Unavailable(_))) => 9,
        };
        if let Some(counter) = self.outcomes.get(outcome) {
            counter.count();
        }
    }
}

/// What a node has measured since its start, and its current state.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// The number of verifications by outcome, as in [`OUTCOMES`].
    pub outcomes: [u64; OUTCOMES.len()],
    /// Keys that were in the cache.
    pub known: u64,
    /// How long the lookups of the other keys took.
    pub lookups: Timed,
    /// How long the reads of the epoch from the database took.
    pub epoch_reads: Timed,
    /// The epoch that was read last; `None` before the first read.
    pub epoch: Option<i64>,
    /// Tokens in the cache.
    pub cached: u64,
    /// The size of those tokens in bytes.
    pub cached_bytes: u64,
    /// Tokens with uses that are not yet in the database.
    pub waiting: usize,
    /// Whether the database is failing.
    pub database_fails: bool,
    /// The number of failed database operations.
    pub database_failures: u64,
    /// Database connections of pages and the API: all open ones, and the idle ones among them.
    pub connections: (u32, u32),
}

impl Measured {
    /// Adds the counts of one thread.
    pub fn add(&mut self, counted: &Verifications) {
        for (sum, outcome) in self.outcomes.iter_mut().zip(&counted.outcomes) {
            *sum += outcome.get();
        }
        self.known += counted.known.get();
        self.lookups.add(&counted.lookups);
    }
}

impl Jeton {
    /// Returns what this node has measured.
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
