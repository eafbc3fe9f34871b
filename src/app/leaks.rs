//! Reports of leaked keys: active keys are revoked, and their owners told.
//!
//! Anybody may report, as whoever has a key could use or revoke it anyway. Many keys are looked up in one read, and
//! malformed keys not at all. Only active keys cost a transaction, one for all of them.

mod github;

pub use github::GitHub;
pub use github::is_of_github;

use super::{
    Jeton, Result,
    mail::{Mail, Words},
    tokens::revoke_key,
};
use domain::{
    access::Identity,
    activity::{Action, Detail, Source},
    leak,
    permission::BuiltInPermission,
    time::Timestamp,
    token::{KeyDigest, Life, RevokedBy, kind_of_key},
    user::{Email, User, UserId},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use storage::{
    AnyConnection, activity,
    epoch::Touched,
    memberships::people,
    tokens::{self, Revocation},
    users,
};

/// The maximum number of keys in one statement.
const CHUNK: usize = 500;
/// The maximum number of people of an organization who are told about a service user's key.
const TOLD: i64 = 50;

/// How long to wait for one mail before the next.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A report.
#[derive(Clone, Debug)]
pub struct Found {
    /// The keys in it.
    pub keys: Vec<String>,
    /// The URL where they were found, if the report has one.
    pub url: Option<String>,
}

/// An active key.
struct Leak {
    identity: Arc<Identity>,
    place: Option<String>,
}

/// Takes a report from the rate limit, before anything of it is read.
///
/// # Errors
/// [`super::AppError::TooManyAttempts`] for an IP address that has sent too many.
pub fn take_report(jeton: &Jeton, source: &Source) -> Result<()> {
    jeton.attempts.take_report(&source.address)
}

/// Revokes the active ones among these keys: when this returns, no node accepts them any more. Mails their owners;
/// `compose` writes the mails. Users are told about their own keys, those who manage integrations about service users'
/// keys. Returns for each key whether a token has or had it, which must not be shown to everybody.
///
/// # Errors
/// When the database fails, in which case nothing was revoked.
pub async fn revoke(
    jeton: Arc<Jeton>,
    found: Vec<Found>,
    source: Source,
    compose: impl Fn(&User, &[Arc<Identity>]) -> Words + Send + 'static,
) -> Result<Vec<bool>> {
    let digests: Vec<Vec<KeyDigest>> =
        found.iter().map(|found| found.keys.iter().map(|key| jeton.pepper.digest(key)).collect()).collect();
    let mut known = known_keys(&jeton, found.iter().flat_map(|found| &found.keys)).await?;
    let is_known = |digest: &KeyDigest| known.contains_key(digest);
    let answers: Vec<bool> = digests.iter().map(|digests| digests.iter().any(is_known)).collect();
    let now = jeton.clock.now();
    let mut live = Vec::new();
    for (found, digests) in found.iter().zip(&digests) {
        let place = found.url.as_deref().and_then(leak::place);
        for (identity, life) in digests.iter().filter_map(|digest| known.remove(digest)) {
            if life.is_active(now) {
                live.push(Leak { identity: Arc::new(identity), place: place.clone() });
            }
        }
    }
    if !live.is_empty() {
        // In the order of organizations and tokens, so that two reports at the same time never deadlock.
        live.sort_unstable_by_key(|leak| (leak.identity.subject.organization.id, leak.identity.token));
        let request_id = source.request_id.clone();
        let revoked = jeton.end_keys(move |connection| revoke_all(connection, &live, now, &source)).await?;
        if jeton.mail.is_some() {
            tokio::spawn(async move { tell_owners(&jeton, revoked, compose, &request_id).await });
        }
    }
    Ok(answers)
}

/// Returns the keys that a token has or had, by their digests.
pub(super) async fn known_keys(jeton: &Jeton, keys: impl IntoIterator<Item = &String>) -> Result<Known> {
    let keys = keys.into_iter().filter(|key| kind_of_key(key).is_ok());
    let mut asked: Vec<KeyDigest> = keys.map(|key| jeton.pepper.digest(key)).collect();
    asked.sort_unstable_by_key(|digest| digest.0);
    asked.dedup();
    if asked.is_empty() { Ok(Known::new()) } else { jeton.read(move |connection| look_up(connection, &asked)).await }
}

/// Sends one mail to each owner. Errors are only logged, as the keys are revoked in any case.
async fn tell_owners(
    jeton: &Jeton,
    revoked: Vec<Arc<Identity>>,
    compose: impl Fn(&User, &[Arc<Identity>]) -> Words,
    request_id: &str,
) {
    let owners = match jeton.read(move |connection| owners(connection, &revoked)).await {
        Ok(owners) => owners,
        Err(error) => return tracing::error!(id = request_id, %error, "the owners of leaked keys could not be told"),
    };
    for (owner, keys) in owners {
        let (subject, text) = compose(&owner, &keys);
        let Ok(to) = Email::known(&owner.email) else { continue };
        match crate::mail::send(jeton, Mail { to, subject, text }, request_id).await {
            // One after the other, so that many mails do not fill the queue.
            Ok(sending) => drop(sending.fate(TIMEOUT).await),
            Err(error) => tracing::error!(id = request_id, %error, "an owner of leaked keys could not be told"),
        }
    }
}

pub(super) type Known = HashMap<KeyDigest, (Identity, Life)>;

/// Looks up keys by their digests.
pub(super) fn look_up(connection: &mut AnyConnection, asked: &[KeyDigest]) -> Result<Known> {
    let mut known = HashMap::new();
    for chunk in asked.chunks(CHUNK) {
        known.extend(tokens::identities(connection, chunk)?);
    }
    Ok(known)
}

/// Revokes all tokens first, then writes all log entries: a transaction that has written to an organization's log never
/// waits for a token. Returns the keys that had not already ended.
fn revoke_all(
    connection: &mut AnyConnection,
    live: &[Leak],
    now: Timestamp,
    source: &Source,
) -> Result<(Vec<Arc<Identity>>, Touched)> {
    let (mut revoked, mut touched) = (Vec::new(), Vec::new());
    for leak in live {
        touched.push(tokens::touched(connection, leak.identity.token)?);
        let revocation = Revocation { by: RevokedBy::Leak, name: None, reason: leak.place.as_deref() };
        if revoke_key(connection, &leak.identity, revocation, now)? {
            revoked.push(leak);
        }
    }
    let entries: Vec<_> = revoked.iter().map(|leak| entry(leak, now, source)).collect();
    activity::insert_all(connection, &entries)?;
    Ok((revoked.into_iter().map(|leak| Arc::clone(&leak.identity)).collect(), touched.into_iter().collect()))
}

fn entry<'a>(leak: &'a Leak, now: Timestamp, source: &'a Source) -> activity::Entry<'a> {
    let Identity { subject, token_public_id, label, .. } = &*leak.identity;
    activity::Entry {
        target: subject.user,
        target_name: subject.user.map(|_| subject.display_name.as_str()),
        token: Some((token_public_id, label)),
        detail: leak.place.as_deref().map(Detail::words),
        ..activity::Entry::new(Some(subject.organization.id), Action::TokenLeaked, now, source)
    }
}

/// Returns whom to tell about which keys.
fn owners(connection: &mut AnyConnection, revoked: &[Arc<Identity>]) -> Result<Vec<(User, Vec<Arc<Identity>>)>> {
    let mut of: HashMap<UserId, Vec<Arc<Identity>>> = HashMap::new();
    for identity in revoked {
        let users = match identity.subject.user {
            Some(user) => vec![user],
            None => people::holders(
                connection,
                identity.subject.organization.id,
                BuiltInPermission::PlatformIntegrations,
                TOLD,
            )?,
        };
        for user in users {
            of.entry(user).or_default().push(Arc::clone(identity));
        }
    }
    let mut owners = Vec::new();
    for (user, keys) in of {
        owners.extend(users::find(connection, user)?.map(|user| (user, keys)));
    }
    Ok(owners)
}
