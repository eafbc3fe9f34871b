//! The demonstration's integrations: service users with their tokens.

use super::{CURL, EXCEL, HOUR, MINUTE, PYTHON, Person, R, calls, entry};
use crate::{AppError, Result, random};
use domain::{
    activity::{Action, Detail, Source},
    organization::ServiceUserId,
    permission::{OwnPermissions, Permissions},
    time::{DAY, Timestamp},
    token::{self, ApiKey, InactivityExpiry, Pepper, RevokedBy, TokenId, TokenKind},
};
use storage::{
    AnyConnection, activity,
    tokens::{
        self, Revocation,
        service_users::{self, NewKey, NewServiceUser},
    },
};

/// The samples whose keys scripts get: the name in scripts, and the name of the service user.
const LIVE: [(&str, &str); 2] = [("service", "Power BI, monthly report"), ("verify_tokens", "Order API")];
const SAP: &str = "SAP-CPI/6.2 Apache-HttpClient/4.5.14";
const ETL: &str = "Apache-HttpClient/4.5.13 (Java/11.0.16)";

/// An accepted or refused call: seconds before now, IP address, program.
type Call = (i64, &'static str, &'static str);

/// A service user of the demonstration; times are seconds before now.
struct Sample {
    name: &'static str,
    permissions: &'static str,
    inactivity: InactivityExpiry,
    made: i64,
    used: Option<Call>,
    revoked: Option<i64>,
    /// The calls since it was revoked: how many, and the last one.
    refused: Option<(u32, Call)>,
    /// How long ago it was rotated, and the last call with its old key.
    rotated: Option<(i64, Call)>,
}

const PLAIN: Sample = Sample {
    name: "",
    permissions: "templates.view inspections.view assets.view",
    inactivity: InactivityExpiry::Days45,
    made: 0,
    used: None,
    revoked: None,
    refused: None,
    rotated: None,
};

const SAMPLES: [Sample; 11] = [
    Sample {
        name: "Old ETL server",
        made: 380 * DAY,
        used: Some((62 * DAY, "198.51.100.40", ETL)),
        revoked: Some(61 * DAY),
        refused: Some((41, (12 * MINUTE, "198.51.100.40", ETL))),
        inactivity: InactivityExpiry::Days180,
        ..PLAIN
    },
    Sample {
        name: "KoboToolbox bridge (pilot)",
        made: 210 * DAY,
        used: Some((88 * DAY, "203.0.113.14", PYTHON)),
        inactivity: InactivityExpiry::Days60,
        ..PLAIN
    },
    Sample { name: "Import of the 2024 templates", made: 300 * DAY, revoked: Some(298 * DAY), ..PLAIN },
    Sample {
        name: "SAP stock synchronization",
        permissions: "inspections.view assets.view assets.edit assets.delete",
        made: 340 * DAY,
        used: Some((4 * MINUTE, "198.51.100.23", SAP)),
        rotated: Some((5 * HOUR, (26 * MINUTE, "198.51.100.24", SAP))),
        inactivity: InactivityExpiry::Days31,
        ..PLAIN
    },
    Sample {
        name: "Ministry of Health, weekly export",
        permissions: "inspections.view",
        made: 190 * DAY,
        used: Some((5 * DAY, "203.0.113.66", CURL)),
        inactivity: InactivityExpiry::Days60,
        ..PLAIN
    },
    Sample { name: LIVE[0].1, made: 154 * DAY, used: Some((2 * HOUR, "192.0.2.24", EXCEL)), ..PLAIN },
    Sample {
        name: LIVE[1].1,
        permissions: "platform.verify_tokens",
        made: 148 * DAY,
        used: Some((30, "198.51.100.31", "Python-urllib/3.13")),
        inactivity: InactivityExpiry::Days180,
        ..PLAIN
    },
    Sample {
        name: "Cold chain loggers, Gao and Mopti",
        permissions: "inspections.view inspections.conduct assets.view assets.edit",
        made: 120 * DAY,
        used: Some((40, "203.0.113.7", "fridge-logger/2.3")),
        inactivity: InactivityExpiry::Days31,
        ..PLAIN
    },
    Sample { name: "Dashboard of the Dakar office", made: 75 * DAY, used: Some((42 * DAY, "192.0.2.140", R)), ..PLAIN },
    Sample {
        name: "Provisioning from the directory",
        permissions: "platform.users platform.groups",
        made: 33 * DAY,
        used: Some((9 * HOUR, "198.51.100.90", "Entra-Provisioning/1.0")),
        inactivity: InactivityExpiry::Days180,
        ..PLAIN
    },
    Sample { name: "Translation of templates", permissions: "templates.view templates.edit", made: 3 * DAY, ..PLAIN },
];

/// Adds all of them, created by `maker`. Returns the keys that scripts get, and the service user with the first of
/// them.
pub(super) fn add(
    connection: &mut AnyConnection,
    maker: &Person,
    pepper: &Pepper,
    now: Timestamp,
) -> Result<(Vec<(&'static str, ApiKey)>, ServiceUserId)> {
    let (mut live, mut first) = (Vec::new(), None);
    for (slot, sample) in (1..).zip(&SAMPLES) {
        let (id, key) = add_one(connection, maker, sample, slot, pepper, now)?;
        if let Some((called, _)) = LIVE.into_iter().find(|(_, name)| *name == sample.name) {
            live.push((called, key));
            first = first.or(Some(id));
        }
    }
    Ok((live, first.ok_or(AppError::NotFound)?))
}

fn add_one(
    connection: &mut AnyConnection,
    maker: &Person,
    sample: &Sample,
    slot: i16,
    pepper: &Pepper,
    now: Timestamp,
) -> Result<(ServiceUserId, ApiKey)> {
    let ago = |seconds: i64| now.plus(-seconds);
    let key = ApiKey::mint(TokenKind::Service, random::fill);
    let public_id = token::public_id(random::fill);
    let named = Some((public_id.as_str(), sample.name));
    let source = Source::default();
    let user = NewServiceUser {
        public_id: &public_id,
        organization: maker.organization,
        name: sample.name,
        permissions: Permissions::from_keys(sample.permissions, &OwnPermissions::default()),
        made_by: maker.user,
        made_by_name: maker.name,
    };
    let id = service_users::insert(connection, &user, ago(sample.made))?;
    let new = NewKey {
        service_user: id,
        organization: maker.organization,
        public_id: &public_id,
        name: sample.name,
        inactivity: sample.inactivity,
        digest: pepper.digest(key.reveal()),
        form_nonce: &random::code(),
        slot,
    };
    let mut token = service_users::insert_key(connection, &new, ago(sample.made))?;
    activity::insert(connection, &entry(maker, Action::TokenCreated, ago(sample.made), named, &source))?;
    let by_itself = activity::Entry {
        actor: None,
        actor_name: sample.name,
        ..entry(maker, Action::TokenFirstUsed, now, named, &source)
    };
    if let Some(used) = sample.rotated.map(|(_, last)| last).or(sample.used) {
        let first = ago(sample.made).plus(HOUR);
        note_uses(connection, token, first, used, now)?;
        activity::insert(connection, &activity::Entry { at: first, source: &called(used), ..by_itself.clone() })?;
    }
    if let Some((rotated, _)) = sample.rotated {
        let ends_at = ago(rotated).plus(7 * DAY);
        service_users::let_run_out(connection, token, ends_at, None)?;
        let second = ApiKey::mint(TokenKind::Service, random::fill);
        let digest = pepper.digest(second.reveal());
        let new = NewKey { public_id: &token::public_id(random::fill), digest, form_nonce: &random::code(), ..new };
        token = service_users::insert_key(connection, &new, ago(rotated))?;
        let rotation = entry(maker, Action::TokenRotated, ago(rotated), named, &source);
        activity::insert(connection, &activity::Entry { detail: Some(Detail::Moment(ends_at)), ..rotation })?;
        if let Some(used) = sample.used {
            note_uses(connection, token, ago(rotated).plus(HOUR), used, now)?;
        }
    }
    if let Some(revoked) = sample.revoked {
        let revocation = Revocation { by: RevokedBy::Administrator, name: Some(maker.name), reason: None };
        service_users::revoke(connection, id, token, revocation, ago(revoked))?;
        activity::insert(connection, &entry(maker, Action::TokenRevoked, ago(revoked), named, &source))?;
    } else if tokens::expire(connection, token, now)? {
        activity::insert(
            connection,
            &activity::Entry { action: Action::TokenExpired, actor_name: "", ..by_itself.clone() },
        )?;
    }
    if let Some((count, last)) = sample.refused {
        let (refused, at) = (called(last), ago(last.0));
        tokens::note_refused(connection, &[tokens::Uses { token, at, source: &refused, count: count.into() }])?;
        let (action, count) = (Action::RevokedTokenRefused, count.into());
        activity::insert(connection, &activity::Entry { action, at, count, source: &refused, ..by_itself.clone() })?;
    }
    Ok((id, key))
}

fn called((_, address, program): Call) -> Source {
    Source { address: address.into(), program: program.into(), request_id: String::new() }
}

/// Adds uses from `first` to `last`, often enough that the token never came close to its expiry.
fn note_uses(connection: &mut AnyConnection, id: TokenId, first: Timestamp, last: Call, now: Timestamp) -> Result<()> {
    let (end, source) = (now.plus(-last.0), called(last));
    let mut at = first;
    while at < end {
        tokens::note_use(connection, id, at, &source)?;
        at = at.plus(20 * DAY);
    }
    tokens::note_use(connection, id, end, &source)?;
    calls::add(connection, id, first, end)
}
