//! How many requests a token may send to Jeton's own API and to the feeds (R9).
//!
//! Each node counts by itself, in memory: a limit keeps one program from taking what all others need, and for that it
//! need not be the same number everywhere. Each token has a bucket, which is full again after a minute without requests and
//! is forgotten then: there are at most as many buckets as tokens that were used in the last two minutes.
//!
//! `GET /api/v1/me` counts like all others, also where it is answered from memory: programs ask it about the tokens of
//! their own clients, so a client that floods them would flood Jeton. It costs one lookup in a map of the threads, about
//! a hundredth of the answer. Only `/verify` and introspection are not limited, whose callers cannot choose how often
//! they must ask, and revoking, which must always be possible.

use super::{Jeton, verify::Accepted};
use domain::token::TokenId;
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use std::num::NonZeroU32;

type Buckets = RateLimiter<TokenId, DefaultKeyedStateStore<TokenId>, DefaultClock, StateInformationMiddleware>;

/// The buckets of the tokens.
pub struct RequestLimit {
    /// None without a limit.
    buckets: Option<(NonZeroU32, Buckets)>,
    clock: DefaultClock,
}

/// How many more requests a token may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The number of requests in a minute, and at once.
    pub limit: u32,
    /// How many of them are left right now.
    pub remaining: u32,
}

/// A token has sent too many requests; the next one is allowed after this many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// The number of requests in a minute.
    pub limit: u32,
    /// After how many seconds the next one is allowed: at least 1.
    pub seconds: u64,
}

impl RequestLimit {
    /// Creates full buckets with so many requests, which fill again within a minute; `None` for no limit.
    pub fn new(per_minute: Option<NonZeroU32>) -> Self {
        let buckets = |limit| {
            let buckets = RateLimiter::keyed(Quota::per_minute(limit)).with_middleware::<StateInformationMiddleware>();
            (limit, buckets)
        };
        Self { buckets: per_minute.map(buckets), clock: DefaultClock::default() }
    }

    /// Takes one request of a token; `None` without a limit.
    ///
    /// # Errors
    /// [`TooMany`] if none is left.
    pub fn take(&self, token: TokenId) -> Result<Option<Allowance>, TooMany> {
        let Some((limit, buckets)) = &self.buckets else { return Ok(None) };
        let limit = limit.get();
        match buckets.check_key(&token) {
            Ok(left) => Ok(Some(Allowance { limit, remaining: left.remaining_burst_capacity() })),
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now());
                // Rounded up: whoever waits for so long must not come too early.
                Err(TooMany { limit, seconds: (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1) })
            }
        }
    }

    /// Forgets buckets that are full again.
    pub fn sweep(&self) {
        if let Some((_, buckets)) = &self.buckets {
            buckets.retain_recent();
            buckets.shrink_to_fit();
        }
    }
}

impl Jeton {
    /// Takes one request of an accepted token; `None` without a limit.
    ///
    /// # Errors
    /// [`TooMany`] if none is left.
    pub fn take_request(&self, accepted: &Accepted) -> Result<Option<Allowance>, TooMany> {
        self.request_limit.take(accepted.identity().token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_has_its_own_requests() {
        let limit = RequestLimit::new(NonZeroU32::new(2));
        let left = |token| limit.take(TokenId(token)).map(|left| left.map(|left| left.remaining));
        assert_eq!((left(1), left(1)), (Ok(Some(1)), Ok(Some(0))));
        let refused = left(1).unwrap_err();
        assert!(refused.limit == 2 && (1..=30).contains(&refused.seconds), "{refused:?}");
        assert_eq!(left(2), Ok(Some(1)));
        limit.sweep();
        assert!(left(1).is_err(), "what was sent is remembered");
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let limit = RequestLimit::new(None);
        assert!((0..1000).all(|_| limit.take(TokenId(1)) == Ok(None)));
    }
}
