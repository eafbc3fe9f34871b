//! How often passwords may be tried, and mails asked for (S7).
//!
//! Three buckets: one an account, one a client address, one for all. The keys come from what the server knows: the folded
//! e-mail address and the address of the connection (or what a configured proxy says of it). Whoever has signed in from a
//! browser before has a bucket of their own there, so that strangers who empty the account's bucket do not lock its owner
//! out. Mails have a narrower bucket an account, so that nobody's mailbox can be filled from here.

use super::AppError;
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use std::{net::IpAddr, num::NonZeroU32, time::Duration};

/// The buckets.
pub struct Attempts {
    accounts: DefaultKeyedRateLimiter<String>,
    addresses: DefaultKeyedRateLimiter<String>,
    everybody: DefaultKeyedRateLimiter<()>,
    mails: DefaultKeyedRateLimiter<String>,
    reports: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
}

fn quota(burst: u32, every: Duration) -> Quota {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    Quota::with_period(every).unwrap_or_else(|| Quota::per_minute(burst)).allow_burst(burst)
}

impl Attempts {
    /// Full buckets: 10 tries an account and then one every 30 s; 30 an address, one every 2 s; 200 in all, 20 a second; 3
    /// mails an account, one every 10 minutes; 30 reports of leaked keys an address, one every 2 s.
    pub fn new() -> Self {
        Self {
            accounts: RateLimiter::keyed(quota(10, Duration::from_secs(30))),
            addresses: RateLimiter::keyed(quota(30, Duration::from_secs(2))),
            everybody: RateLimiter::keyed(quota(200, Duration::from_millis(50))),
            mails: RateLimiter::keyed(quota(3, Duration::from_secs(600))),
            reports: RateLimiter::keyed(quota(30, Duration::from_secs(2))),
            clock: DefaultClock::default(),
        }
    }

    /// Takes one try from each bucket. `account` is the folded e-mail address; `device`, if it is known to belong to the
    /// account's owner, stands for the account instead.
    ///
    /// # Errors
    /// [`AppError::TooManyAttempts`] with the seconds until the next.
    pub fn take(&self, account: &str, device: Option<&str>, address: &str) -> Result<(), AppError> {
        let account = match device {
            Some(device) => format!("{account} {device}"),
            None => account.to_owned(),
        };
        self.take_from(&self.accounts, &account, address)
    }

    /// Takes one mail to `account`, the folded e-mail address, whether there is such an account or not.
    ///
    /// # Errors
    /// [`AppError::TooManyAttempts`] with the seconds until the next.
    pub fn take_mail(&self, account: &str, address: &str) -> Result<(), AppError> {
        self.take_from(&self.mails, account, address)
    }

    /// Takes one report of leaked keys from `address`. Reports empty no other bucket: strangers send them.
    ///
    /// # Errors
    /// [`AppError::TooManyAttempts`] with the seconds until the next.
    pub fn take_report(&self, address: &str) -> Result<(), AppError> {
        self.reports.check_key(&network(address)).map_err(|until| self.wait(&until))
    }

    fn wait(&self, until: &governor::NotUntil<<DefaultClock as Clock>::Instant>) -> AppError {
        AppError::TooManyAttempts(until.wait_time_from(self.clock.now()).as_secs().saturating_add(1))
    }

    fn take_from(&self, bucket: &DefaultKeyedRateLimiter<String>, key: &str, address: &str) -> Result<(), AppError> {
        let wait = |until: governor::NotUntil<_>| self.wait(&until);
        self.everybody.check_key(&()).map_err(wait)?;
        self.addresses.check_key(&network(address)).map_err(wait)?;
        bucket.check_key(&key.to_owned()).map_err(wait)
    }

    /// Forgets what has filled up again.
    pub fn sweep(&self) {
        self.accounts.retain_recent();
        self.mails.retain_recent();
        self.reports.retain_recent();
        self.addresses.retain_recent();
    }
}

/// What counts as one client: an IPv4 address, or the /64 of an IPv6 address, which one household has to itself.
fn network(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.to_string(),
            None => format!("{:x?}", &v6.segments()[..4]),
        },
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_tried_ten_times_from_anywhere_and_its_owner_still_gets_in() {
        let attempts = Attempts::new();
        let let_in = (0..25).filter(|n| attempts.take("awa@example.org", None, &format!("10.0.0.{n}")).is_ok()).count();
        assert_eq!(let_in, 10);
        assert!(attempts.take("awa@example.org", Some("her laptop"), "10.0.1.1").is_ok());
        assert!(attempts.take("leo@example.org", None, "10.0.1.2").is_ok());
    }

    #[test]
    fn one_address_is_let_through_thirty_times_whatever_accounts_it_tries() {
        let attempts = Attempts::new();
        let let_in = |address: fn(u32) -> String| {
            (0..60).filter(|n| attempts.take(&format!("{n}@{}", address(0)), None, &address(*n)).is_ok()).count()
        };
        assert_eq!(let_in(|_| "192.0.2.7".into()), 30);
        assert_eq!(let_in(|n| format!("2001:db8:1:2::{n:x}")), 30);
    }
}
