//! What people did in the demonstration over the months: enough for several pages of the activity log and for its
//! filters.

use super::{DAY, HOUR, MINUTE, Person, entry};
use crate::{Result, random};
use domain::{
    activity::{Action, Detail, Source},
    time::Timestamp,
    token::{self, ApiKey, InactivityExpiry, Pepper, RevokedBy, Scope, TokenKind},
};
use storage::{
    AnyConnection, activity,
    tokens::{self, NewToken, Revocation},
};

const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
const PHONE: &str =
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36";
const EDGE: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0";

/// The number of days of history.
const DAYS: i64 = 200;

fn source(address: &str, program: &str) -> Source {
    Source { address: address.into(), program: program.into(), request_id: hex::encode(random::bytes::<8>()) }
}

/// Adds the history: sign-ins on working days, sometimes something else, and a token that an administrator revoked.
pub fn add(connection: &mut AnyConnection, people: &[Person], pepper: &Pepper, now: Timestamp) -> Result<()> {
    let [awa, ibrahim, lea, ..] = people else { return Ok(()) };
    for day in (1..DAYS).rev() {
        let morning = now.plus(-day * DAY + HOUR);
        for (person, every, address, program, minutes) in [
            (awa, 1, "192.0.2.24", FIREFOX, 4),
            (ibrahim, 3, "192.0.2.31", EDGE, 31),
            (lea, 5, "203.0.113.9", PHONE, 57),
        ] {
            if day % 7 < 5 && day % every == 0 {
                let source = source(address, program);
                let at = morning.plus((minutes + day % 11) * MINUTE);
                activity::insert(connection, &entry(person, Action::SessionStarted, at, None, &source))?;
                if day % 4 == 0 {
                    let later = at.plus(7 * HOUR);
                    activity::insert(connection, &entry(person, Action::SessionEnded, later, None, &source))?;
                }
            }
        }
        let rare = match day {
            180 | 61 => Some((ibrahim, Action::PasswordChanged)),
            150 => Some((lea, Action::ProfileChanged)),
            97 => Some((awa, Action::OtherSessionsEnded)),
            33 => Some((awa, Action::ProfileChanged)),
            _ => None,
        };
        if let Some((person, action)) = rare {
            let source = source("192.0.2.24", FIREFOX);
            activity::insert(connection, &entry(person, action, morning.plus(2 * HOUR), None, &source))?;
        }
    }
    add_revoked(connection, awa, ibrahim, pepper, now)?;
    add_leaked(connection, awa, pepper, now)
}

/// Adds a leak: Awa published a script with its key, and somebody who searches for leaks reported it.
fn add_leaked(connection: &mut AnyConnection, awa: &Person, pepper: &Pepper, now: Timestamp) -> Result<()> {
    const LABEL: &str = "Script for the annual report";
    const PLACE: &str = "https://github.com/awa-diallo/annual-report/blob/main/fetch.py";
    let (public_id, made, leaked) = (token::public_id(random::fill), now.plus(-24 * DAY), now.plus(-17 * DAY));
    let new = NewToken {
        public_id: &public_id,
        organization: awa.organization,
        membership: awa.membership,
        user: awa.user,
        label: LABEL,
        scope: Scope::ReadOnly,
        inactivity: InactivityExpiry::Days45,
        digest: pepper.digest(ApiKey::mint(TokenKind::Personal, random::fill).reveal()),
        form_nonce: &random::code(),
        slot: 10,
    };
    let id = tokens::insert(connection, &new, made)?;
    let (named, browser) = (Some((public_id.as_str(), LABEL)), source("192.0.2.24", FIREFOX));
    activity::insert(connection, &entry(awa, Action::TokenCreated, made, named, &browser))?;
    tokens::note_use(connection, id, leaked.plus(-3 * HOUR), &source("192.0.2.24", super::PYTHON))?;
    super::calls::add(connection, id, made, leaked.plus(-3 * HOUR))?;
    tokens::revoke(connection, id, Revocation { by: RevokedBy::Leak, name: None, reason: Some(PLACE) }, leaked)?;
    let scanner = source("192.30.252.10", "GitHub-Hookshot/7f2c1a");
    let told = activity::Entry {
        target: Some(awa.user),
        target_name: Some(awa.name),
        detail: Some(Detail::words(PLACE)),
        token: named,
        ..activity::Entry::new(Some(awa.organization), Action::TokenLeaked, leaked, &scanner)
    };
    Ok(activity::insert(connection, &told)?)
}

/// Adds a revoked token: Ibrahim's tablet was stolen, and Awa revoked its token.
fn add_revoked(
    connection: &mut AnyConnection,
    awa: &Person,
    ibrahim: &Person,
    pepper: &Pepper,
    now: Timestamp,
) -> Result<()> {
    const LABEL: &str = "Tablet of the Gao team";
    const REASON: &str = "The tablet was stolen on the road to Gao";
    let (public_id, made, revoked) = (token::public_id(random::fill), now.plus(-70 * DAY), now.plus(-9 * DAY));
    let new = NewToken {
        public_id: &public_id,
        organization: ibrahim.organization,
        membership: ibrahim.membership,
        user: ibrahim.user,
        label: LABEL,
        scope: Scope::ReadWrite,
        inactivity: InactivityExpiry::Days180,
        digest: pepper.digest(ApiKey::mint(TokenKind::Personal, random::fill).reveal()),
        form_nonce: &random::code(),
        slot: 9,
    };
    let id = tokens::insert(connection, &new, made)?;
    let (named, browser) = (Some((public_id.as_str(), LABEL)), source("192.0.2.31", EDGE));
    activity::insert(connection, &entry(ibrahim, Action::TokenCreated, made, named, &browser))?;
    let tablet = source("198.51.100.40", "okhttp/4.12.0");
    tokens::note_use(connection, id, revoked.plus(-DAY), &tablet)?;
    activity::insert(connection, &entry(ibrahim, Action::TokenFirstUsed, made.plus(DAY), named, &tablet))?;
    let by_awa = Revocation { by: RevokedBy::Administrator, name: Some(awa.name), reason: Some(REASON) };
    tokens::revoke(connection, id, by_awa, revoked)?;
    let browser = source("192.0.2.24", FIREFOX);
    let told = activity::Entry {
        target: Some(ibrahim.user),
        target_name: Some(ibrahim.name),
        detail: Some(Detail::words(REASON)),
        ..entry(awa, Action::TokenRevoked, revoked, named, &browser)
    };
    activity::insert(connection, &told)?;
    let refused = entry(ibrahim, Action::RevokedTokenRefused, revoked.plus(5 * HOUR), named, &tablet);
    Ok(activity::insert(connection, &activity::Entry { count: 14, ..refused })?)
}
