//! The demonstration: an invented organization with people, tokens and history, with something to show on every page.

mod calls;
mod history;
mod items;
mod neighbours;
mod people;
mod permission_sets;
mod protected_apis;
mod service_users;

use super::{AppError, Jeton, Result, StartError, random};
use domain::{
    activity::{Action, Source},
    organization::{MembershipId, OrganizationId},
    permission::BuiltInSet,
    time::{DAY, Timestamp},
    token::{self, ApiKey, InactivityExpiry, RevokedBy, Scope, TokenKind},
    user::{Email, Language, Password, Profile, Theme, UserId},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use storage::{
    AnyConnection, activity, memberships, organizations, revocations,
    tokens::{self, NewToken},
    users,
};

/// The password of everybody in a demonstration, which is not secret.
pub const PASSWORD: &str = "jeton demonstration 2026";
const HOUR: i64 = 3600;
const MINUTE: i64 = 60;

/// The error for a database that is in use.
pub const NOT_EMPTY: &str = "DATABASE_URL: a demonstration needs an empty database, and this one is in use";

/// A folder that is deleted when this is dropped.
pub struct Folder(PathBuf);

impl Folder {
    /// Creates a new folder in `parent`, or in the system's temporary folder. A demonstration touches nothing else in
    /// `parent`, so it never touches real data.
    ///
    /// # Errors
    /// When the folder cannot be created.
    pub fn create(parent: Option<PathBuf>) -> std::result::Result<Self, StartError> {
        let parent = parent.unwrap_or_else(std::env::temp_dir);
        let path = parent.join(format!("jeton-demo-{}", hex::encode(random::bytes::<6>())));
        super::secrets::create_folder(&path)?;
        Ok(Self(path))
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "the demonstration's folder could not be deleted");
        }
    }
}

/// A person as whom everybody can sign in.
#[derive(Clone, Copy, Debug)]
pub struct Guest {
    /// Their name.
    pub name: &'static str,
    /// Their e-mail address.
    pub email: &'static str,
    /// Their permission set.
    pub set: BuiltInSet,
    language: Option<Language>,
    zone: &'static str,
}

/// All guests.
pub const GUESTS: [Guest; 3] = [
    Guest {
        name: "Awa Diallo",
        email: "awa@demo.example",
        set: BuiltInSet::Administrator,
        language: None,
        zone: "Africa/Bamako",
    },
    Guest {
        name: "Ibrahim Traoré",
        email: "ibrahim@demo.example",
        set: BuiltInSet::Standard,
        language: Some(Language::Fr),
        zone: "Africa/Bamako",
    },
    Guest {
        name: "Léa Martin",
        email: "lea@demo.example",
        set: BuiltInSet::Reader,
        language: Some(Language::Fr),
        zone: "Europe/Paris",
    },
];

/// One active key of each kind, by its name in scripts, and two templates.
pub struct Keys(Vec<(&'static str, ApiKey)>, items::Templates);

impl Keys {
    /// Returns JSON for scripts: `url`, `users`, `tokens`, and `items`: the ids of a template that the service user's
    /// token sees, and of one that it does not see.
    pub fn json(&self, url: &str) -> Value {
        let user = |guest: &Guest| json!({ "email": guest.email, "password": PASSWORD, "role": guest.set.key() });
        let users: Vec<Value> = GUESTS.iter().map(user).collect();
        let tokens: serde_json::Map<String, Value> =
            self.0.iter().map(|(name, key)| ((*name).to_owned(), key.reveal().into())).collect();
        let items = json!({ "seen": self.1.seen, "unseen": self.1.unseen });
        json!({ "url": url, "users": users, "tokens": tokens, "items": items })
    }

    /// Returns text for people.
    pub fn words(&self, url: &str) -> String {
        let mut words =
            format!("A demonstration of Jeton serves {url}\n\nSign in with the password \"{PASSWORD}\" as:\n");
        for guest in &GUESTS {
            words += &format!("    {}  ({})\n", guest.email, guest.set.key());
        }
        for (name, key) in &self.0 {
            words += &format!("\n{name}:\n    curl -H 'Authorization: Bearer {}' {url}/api/v1/me\n", key.reveal());
        }
        words
    }
}

/// A token of the demonstration: times are seconds before now.
struct Sample {
    label: &'static str,
    scope: Scope,
    inactivity: InactivityExpiry,
    made: i64,
    used: Option<(i64, &'static str, &'static str)>,
    ended: Option<i64>,
}

const EXCEL: &str = "Microsoft.Data.Mashup (https://go.microsoft.com/fwlink/?LinkID=304225)";
const CURL: &str = "curl/8.14.1";
const R: &str = "httr2/1.2.1 r-curl/6.4.0 libcurl/8.14.1";
const PYTHON: &str = "python-requests/2.32.4";

const SAMPLES: [Sample; 8] = [
    sample(
        "Power BI, office laptop",
        Scope::ReadOnly,
        InactivityExpiry::Days45,
        212 * DAY,
        Some((3 * MINUTE, "192.0.2.24", EXCEL)),
        None,
    ),
    sample(
        "Nightly export, server bamako-2",
        Scope::ReadWrite,
        InactivityExpiry::Days180,
        154 * DAY,
        Some((20 * HOUR, "198.51.100.7", CURL)),
        None,
    ),
    sample(
        "R scripts, Léa's workstation",
        Scope::ReadOnly,
        InactivityExpiry::Days45,
        97 * DAY,
        Some((41 * DAY, "192.0.2.31", R)),
        None,
    ),
    sample("Field tablet 12", Scope::ReadWrite, InactivityExpiry::Days31, 2 * DAY, None, None),
    sample(
        "Stock reconciliation, Ségou warehouse",
        Scope::ReadWrite,
        InactivityExpiry::Days180,
        131 * DAY,
        Some((94 * DAY, "203.0.113.80", PYTHON)),
        None,
    ),
    sample(
        "Old phone",
        Scope::ReadOnly,
        InactivityExpiry::Days60,
        150 * DAY,
        Some((50 * DAY, "192.0.2.77", CURL)),
        Some(49 * DAY),
    ),
    sample(
        "Workshop, 12 October",
        Scope::ReadOnly,
        InactivityExpiry::Days31,
        40 * DAY,
        Some((40 * DAY, "192.0.2.90", PYTHON)),
        None,
    ),
    sample(
        "Trial of the new dashboard",
        Scope::ReadOnly,
        InactivityExpiry::Days45,
        20 * DAY,
        None,
        Some(20 * DAY - HOUR),
    ),
];

const fn sample(
    label: &'static str,
    scope: Scope,
    inactivity: InactivityExpiry,
    made: i64,
    used: Option<(i64, &'static str, &'static str)>,
    ended: Option<i64>,
) -> Sample {
    Sample { label, scope, inactivity, made, used, ended }
}

/// A person of the demonstration, in their organization.
struct Person {
    user: UserId,
    name: &'static str,
    membership: MembershipId,
    organization: OrganizationId,
}

/// Fills an empty database with the demonstration.
///
/// # Errors
/// [`AppError::Broken`] if the database already has users.
pub async fn fill(jeton: &Jeton) -> Result<Keys> {
    if !crate::setup::is_needed(jeton).await? {
        return Err(AppError::Broken(NOT_EMPTY.into()));
    }
    let password = Password::given(PASSWORD.into()).map_err(|error| AppError::Broken(error.to_string()))?;
    let hash = jeton.passwords.hash(password).await?;
    let (now, pepper) = (jeton.clock.now(), jeton.pepper.clone());
    jeton
        .write(move |connection| {
            let begun = now.plus(-400 * DAY);
            let organization = organizations::insert(
                connection,
                &token::public_id(random::fill),
                ("croix-bleue-sahel", "Croix-Bleue Sahel"),
                begun,
            )?;
            let mut people = Vec::new();
            for Guest { name, email, set, language, zone } in GUESTS {
                let email_address = Email::parse(email).map_err(|error| AppError::Broken(error.to_string()))?;
                let profile = Profile {
                    name: name.into(),
                    email: email_address,
                    language,
                    time_zone: zone.into(),
                    theme: Theme::System,
                };
                let user = users::insert(connection, &profile, &hash, begun)?;
                let set_id = organizations::built_in_set(connection, organization, set)?;
                let membership = memberships::insert(connection, user, organization, set_id, begun)?;
                people.push(Person { user, name, membership, organization });
            }
            let [awa, ibrahim, ..] = &people[..] else { return Err(AppError::NotFound) };
            set_up_entry(connection, awa, begun)?;
            permission_sets::add(connection, awa, begun)?;
            neighbours::add(connection, awa, begun)?;
            let mint = || ApiKey::mint(TokenKind::Personal, random::fill);
            let mut slot = 0;
            let mut keys = Vec::new();
            for sample in &SAMPLES {
                slot += 1;
                let key = mint();
                add(connection, awa, sample, slot, pepper.digest(key.reveal()), now)?;
                match sample.label {
                    "Power BI, office laptop" => keys.push(("personal_read_only", key)),
                    "Nightly export, server bamako-2" => keys.push(("personal_read_write", key)),
                    _ => {}
                }
            }
            for (slot, sample) in (1..).zip(&SAMPLES[2..4]) {
                add(connection, ibrahim, sample, slot, pepper.digest(mint().reveal()), now)?;
            }
            people::add(connection, awa, &hash, now)?;
            permission_sets::give(connection, awa)?;
            history::add(connection, &people, &pepper, now)?;
            protected_apis::add(connection, awa, now)?;
            let (live, reader) = service_users::add(connection, awa, &pepper, now)?;
            keys.extend(live);
            let templates = items::add(connection, awa, ibrahim, reader, now)?;
            revocations::forget_unfinished(connection)?;
            Ok(Keys(keys, templates))
        })
        .await
}

fn set_up_entry(connection: &mut AnyConnection, person: &Person, at: Timestamp) -> Result<()> {
    Ok(activity::insert(connection, &entry(person, Action::InstallationSetUp, at, None, &Source::default()))?)
}

fn entry<'a>(
    person: &'a Person,
    action: Action,
    at: Timestamp,
    token: Option<(&'a str, &'a str)>,
    source: &'a Source,
) -> activity::Entry<'a> {
    activity::Entry {
        actor: Some(person.user),
        actor_name: person.name,
        token,
        ..activity::Entry::new(Some(person.organization), action, at, source)
    }
}

/// Adds a token with its history, as if time had passed.
fn add(
    connection: &mut AnyConnection,
    owner: &Person,
    sample: &Sample,
    slot: i16,
    digest: token::KeyDigest,
    now: Timestamp,
) -> Result<()> {
    let public_id = token::public_id(random::fill);
    let new = NewToken {
        public_id: &public_id,
        organization: owner.organization,
        membership: owner.membership,
        user: owner.user,
        label: sample.label,
        scope: sample.scope,
        inactivity: sample.inactivity,
        digest,
        form_nonce: &random::code(),
        slot,
    };
    let ago = |seconds: i64| now.plus(-seconds);
    let named = Some((public_id.as_str(), sample.label));
    let id = tokens::insert(connection, &new, ago(sample.made))?;
    activity::insert(connection, &entry(owner, Action::TokenCreated, ago(sample.made), named, &Source::default()))?;
    if let Some((used, address, program)) = sample.used {
        let source = Source { address: address.into(), program: program.into(), request_id: String::new() };
        let mut at = ago(sample.made).plus(HOUR.min(sample.made - used));
        loop {
            if tokens::note_use(connection, id, at, &source)? == tokens::NotedUse::First {
                activity::insert(connection, &entry(owner, Action::TokenFirstUsed, at, named, &source))?;
            }
            if at >= ago(used) {
                break;
            }
            // Often enough that it never came close to its expiry.
            at = at.plus(20 * DAY).min(ago(used));
        }
        calls::add(connection, id, ago(sample.made), ago(used))?;
    }
    if let Some(ended) = sample.ended {
        tokens::revoke(connection, id, RevokedBy::Owner, ago(ended))?;
        activity::insert(connection, &entry(owner, Action::TokenRevoked, ago(ended), named, &Source::default()))?;
    } else if tokens::expire(connection, id, now)? {
        activity::insert(connection, &entry(owner, Action::TokenExpired, now, named, &Source::default()))?;
    }
    Ok(())
}
