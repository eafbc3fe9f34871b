//! Rate limits of password attempts and requested mails (S7).
//!
//! An attempt passes the narrow buckets first: that of its IP address, then that of the account. It takes from the
//! bucket for everybody last, and only if the others let it through, so that refused attempts keep nobody else out. The
//! buckets' keys are facts that the server knows: the folded e-mail address, and the IP address of the connection (or
//! what a configured proxy says it is).
//!
//! Clients that the account knows, by a session or because the user has signed in from this browser before, share no
//! bucket with strangers. Each has its own, and all clients known to an account share one bucket of the account instead
//! of one of their IP address. So they are kept out neither by somebody who tries the account's password, nor by a
//! flood of attempts from anywhere, nor by many users behind the same IP address.
//!
//! Mails have smaller buckets, by sender and by recipient, so that Jeton cannot be used to flood a mailbox.

use super::AppError;
use domain::{organization::OrganizationId, user::UserId};
use governor::{
    DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use std::{net::IpAddr, num::NonZeroU32, time::Duration};

type Buckets = DefaultKeyedRateLimiter<String>;

/// The token buckets of all limits.
pub struct Attempts {
    accounts: Buckets,
    clients: Buckets,
    networks: Buckets,
    everybody: Buckets,
    mails: Buckets,
    senders: Buckets,
    reports: Buckets,
    clock: DefaultClock,
}

/// An attempt that concerns an account.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The folded e-mail address, whether it has an account or not.
    pub account: &'a str,
    /// How the account knows the client, if it does: by its session, or by the mark of its browser.
    pub known_by: Option<&'a str>,
    /// The IP address of the client.
    pub address: &'a str,
}

fn buckets(burst: u32, every: Duration) -> Buckets {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    RateLimiter::keyed(Quota::with_period(every).unwrap_or_else(|| Quota::per_minute(burst)).allow_burst(burst))
}

impl Attempts {
    /// Creates full buckets: 10 attempts per account and then one every 30 s; 30 per client, then one every 2 s; 120
    /// per network, then 2 a second; 200 in total, then 20 a second; 3 mails of a kind per recipient, then one every 10
    /// minutes; 60 invitations per sender, then one a minute; 30 reports of leaked keys per client, then one every 2 s.
    pub fn new() -> Self {
        Self {
            accounts: buckets(10, Duration::from_secs(30)),
            clients: buckets(30, Duration::from_secs(2)),
            networks: buckets(120, Duration::from_millis(500)),
            everybody: buckets(200, Duration::from_millis(50)),
            mails: buckets(3, Duration::from_secs(600)),
            senders: buckets(60, Duration::from_secs(60)),
            reports: buckets(30, Duration::from_secs(2)),
            clock: DefaultClock::default(),
        }
    }

    /// Takes one password attempt.
    ///
    /// # Errors
    /// [`AppError::TooManyAttempts`] with the seconds until the next attempt.
    pub fn take(&self, attempt: Attempt<'_>) -> Result<(), AppError> {
        self.take_from(&self.accounts, attempt)
    }

    /// Takes one mail with a link for a new password.
    ///
    /// # Errors
    /// [`AppError::TooManyAttempts`] with the seconds until the next attempt.
    pub fn take_password_mail(&self, attempt: Attempt<'_>) -> Result<(), AppError> {
        self.take_from(&self.mails, attempt)
    }

    /// Takes one mailed invitation to `recipient`, a folded e-mail address, from the limits of the sender and of the
    /// organization.
    ///
    /// # Errors
    /// [`AppError::TooManyAttempts`] with the seconds until the next attempt.
    pub fn take_invitation(
        &self,
        UserId(sender): UserId,
        OrganizationId(organization): OrganizationId,
        recipient: &str,
    ) -> Result<(), AppError> {
        self.take_one(&self.senders, format!("user {sender}"))?;
        self.take_one(&self.senders, format!("organization {organization}"))?;
        self.take_one(&self.mails, format!("invitation {recipient}"))
    }

    /// Takes one change of a user's e-mail address to the folded `email`, whether Jeton mails the address or only shows
    /// that it is taken.
    ///
    /// # Errors
    /// [`AppError::TooManyAttempts`] with the seconds until the next attempt.
    pub fn take_new_email(&self, UserId(user): UserId, email: &str) -> Result<(), AppError> {
        self.take_one(&self.mails, format!("new address of {user}"))?;
        self.take_one(&self.mails, format!("new address {email}"))
    }

    /// Takes one report of leaked keys from `address`. Reports use no other bucket, as strangers send them.
    ///
    /// # Errors
    /// [`AppError::TooManyAttempts`] with the seconds until the next attempt.
    pub fn take_report(&self, address: &str) -> Result<(), AppError> {
        self.take_one(&self.reports, client(address))
    }

    fn take_from(&self, bucket: &Buckets, Attempt { account, known_by, address }: Attempt<'_>) -> Result<(), AppError> {
        if let Some(mark) = known_by {
            self.take_one(bucket, format!("{account} {mark}"))?;
            return self.take_one(&self.clients, account.to_owned());
        }
        self.take_one(&self.clients, client(address))?;
        if let Some(network) = network(address) {
            self.take_one(&self.networks, network)?;
        }
        self.take_one(bucket, account.to_owned())?;
        self.take_one(&self.everybody, String::new())
    }

    fn take_one(&self, buckets: &Buckets, key: String) -> Result<(), AppError> {
        let wait = |until: NotUntil<_>| until.wait_time_from(self.clock.now()).as_secs().saturating_add(1);
        buckets.check_key(&key).map_err(|until| AppError::TooManyAttempts(wait(until)))
    }

    /// Drops buckets that are full again.
    pub fn sweep(&self) {
        for buckets in [&self.accounts, &self.clients, &self.networks, &self.mails, &self.senders, &self.reports] {
            buckets.retain_recent();
        }
    }
}

/// Returns what counts as one client: an IPv4 address, or the /64 of an IPv6 address, which belongs to one household.
fn client(address: &str) -> String {
    prefix(address, 4).unwrap_or_else(|| address.to_owned())
}

/// Returns the /48 of an IPv6 address. Anybody can get one, and with it 65,536 clients.
fn network(address: &str) -> Option<String> {
    prefix(address, 3)
}

/// Returns the first groups of an IPv6 address. IPv4-mapped addresses have been converted to IPv4 before.
fn prefix(address: &str, groups: usize) -> Option<String> {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) => Some(format!("{:x?}", &v6.segments()[..groups])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Attempt<'_> =
        Attempt { account: "awa@example.org", known_by: Some("her laptop"), address: "192.0.2.7" };

    /// Returns how many of `tries` attempts by strangers are let through.
    fn let_in(attempts: &Attempts, tries: usize, of: impl Fn(usize) -> (String, String)) -> usize {
        let is_let_in = |number: &usize| {
            let (account, address) = of(*number);
            attempts.take(Attempt { account: &account, known_by: None, address: &address }).is_ok()
        };
        (0..tries).filter(is_let_in).count()
    }

    #[test]
    fn an_account_gets_ten_attempts_and_its_owner_still_signs_in() {
        let attempts = Attempts::new();
        assert_eq!(let_in(&attempts, 25, |n| ("awa@example.org".into(), format!("10.0.0.{n}"))), 10);
        assert!(attempts.take(OWNER).is_ok());
        assert_eq!(let_in(&attempts, 1, |_| ("leo@example.org".into(), "10.0.1.2".into())), 1);
    }

    #[test]
    fn one_client_gets_thirty_attempts_whatever_the_accounts() {
        let clients: [fn(usize) -> String; 3] =
            [|_| "192.0.2.7".into(), |n| format!("2001:db8:1:2::{n:x}"), |n| format!("2001:db8:1:2:{n:x}::")];
        for address in clients {
            let attempts = Attempts::new();
            let garbage = |n: usize| (format!("{n}@b"), address(n));
            assert_eq!(let_in(&attempts, 60, garbage), 30);
        }
    }

    #[test]
    fn failed_attempts_of_one_client_do_not_count_for_others() {
        let honest = |n: usize| (format!("awa{n}@example.org"), format!("10.1.{n}.1"));
        let garbage = |n: usize| format!("{n}@b");
        for (what, storm) in [
            ("one address", (&|_| "192.0.2.7".to_owned()) as &dyn Fn(usize) -> String),
            ("one household", &|n| format!("2001:db8:1:2::{n:x}")),
            ("the networks of one hand", &|n| format!("2001:db8:1:{n:x}::1")),
            ("five addresses", &|n| format!("192.0.2.{}", n % 5)),
        ] {
            let attempts = Attempts::new();
            let through = let_in(&attempts, 20_000, |n| (garbage(n), storm(n)));
            assert!(through <= 155, "{what}: {through}");
            assert_eq!(let_in(&attempts, 10, honest), 10, "{what}");
        }
        // One account from many IP addresses: attempts that the account's bucket refuses keep nobody else out either.
        let attempts = Attempts::new();
        assert_eq!(let_in(&attempts, 20_000, |n| ("eve@b".into(), format!("10.{}.{}.2", n / 200, n % 200))), 10);
        assert_eq!(let_in(&attempts, 10, honest), 10);
        // Requested mails take from the same bucket for everybody.
        let attempts = Attempts::new();
        for n in 0..20_000 {
            let attempt = Attempt { account: &garbage(n), known_by: None, address: "192.0.2.7" };
            drop(attempts.take_password_mail(attempt));
        }
        assert_eq!(let_in(&attempts, 10, honest), 10);
    }

    #[test]
    fn no_number_of_attempts_locks_out_a_known_browser() {
        let attempts = Attempts::new();
        // From so many IP addresses that they cannot be told apart from honest ones; the owner's is among them.
        let_in(&attempts, 20_000, |n| (format!("{n}@b"), format!("192.0.{}.{}", n / 200, n % 200)));
        assert_eq!(let_in(&attempts, 1, |_| ("leo@example.org".into(), "10.0.0.1".into())), 0, "strangers wait");
        assert!((0..10).all(|_| attempts.take(OWNER).is_ok()));
        assert!(attempts.take(OWNER).is_err(), "a stolen session or mark has ten attempts, too");
        assert!(attempts.take(Attempt { known_by: Some("her phone"), ..OWNER }).is_ok());
        assert!(attempts.take_password_mail(OWNER).is_ok());
        let marks: Vec<String> = (0..100).map(|n| format!("mark {n}")).collect();
        let marked = |mark: &&String| attempts.take(Attempt { known_by: Some(mark), ..OWNER }).is_ok();
        let through = marks.iter().filter(marked).count();
        assert!(through <= 30, "many marks of one account are one client: {through}");
    }

    #[test]
    fn invitations_are_limited_by_sender_and_by_receiver() {
        let attempts = Attempts::new();
        let invite = |sender, organization, recipient: &str| {
            attempts.take_invitation(UserId(sender), OrganizationId(organization), recipient).is_ok()
        };
        assert_eq!((0..60).filter(|n| invite(*n, *n, "leo@example.org")).count(), 3, "of many organizations");
        assert_eq!((0..100).filter(|n| invite(100, 100 + n, &format!("{n}@b"))).count(), 60, "of one sender");
        assert_eq!((0..100).filter(|n| invite(1000 + n, 200, &format!("{n}@c"))).count(), 60, "of one organization");
        assert!(invite(2000, 2000, "zoe@example.org"));
    }

    #[test]
    fn changes_of_address_are_limited_by_user_and_by_address() {
        let attempts = Attempts::new();
        assert_eq!((0..80).filter(|n| attempts.take_new_email(UserId(1), &format!("{n}@b")).is_ok()).count(), 3);
        assert_eq!((2..80).filter(|n| attempts.take_new_email(UserId(*n), "awa@example.org").is_ok()).count(), 3);
    }
}
