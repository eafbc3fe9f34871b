//! More people of the demonstration, and its invitations.

use super::{HOUR, MINUTE, Person};
use crate::{AppError, Result, random};
use BuiltInSet::{Administrator, Reader, Standard};
use domain::{
    activity::{Action, Source},
    permission::BuiltInSet,
    time::{DAY, Timestamp},
    user::{Email, Language, Profile, Theme},
};
use storage::{
    AnyConnection, activity,
    invitations::{self, NewInvitation},
    memberships, organizations, users,
};

/// A person; times are seconds before now.
struct Sample {
    name: &'static str,
    email: &'static str,
    set: BuiltInSet,
    joined: i64,
    seen: Option<i64>,
    deactivated: Option<i64>,
}

const fn sample(name: &'static str, email: &'static str, set: BuiltInSet, joined: i64, seen: i64) -> Sample {
    Sample { name, email, set, joined, seen: Some(seen), deactivated: None }
}

const SAMPLES: [Sample; 11] = [
    sample("Fatoumata Keïta", "fatoumata@demo.example", Administrator, 390 * DAY, 2 * HOUR),
    sample("Moussa Coulibaly", "moussa@demo.example", Standard, 361 * DAY, 26 * HOUR),
    sample("Élodie Perrin", "elodie@demo.example", Standard, 340 * DAY, 4 * DAY),
    sample("Salif Ouédraogo", "salif@demo.example", Standard, 302 * DAY, 18 * MINUTE),
    sample("Mariam Sanogo", "mariam@demo.example", Standard, 275 * DAY, 3 * DAY),
    Sample {
        deactivated: Some(33 * DAY),
        ..sample("Jean-Baptiste N’Guessan", "jean-baptiste@demo.example", Standard, 244 * DAY, 40 * DAY)
    },
    sample("Aïcha Maïga", "aicha@demo.example", Reader, 198 * DAY, 9 * DAY),
    sample("Thomas Weber", "thomas@demo.example", Reader, 120 * DAY, 35 * DAY),
    sample("Oumar Cissé", "oumar@demo.example", Standard, 88 * DAY, 5 * HOUR),
    sample("Nana Abena Owusu", "abena@demo.example", Reader, 41 * DAY, 6 * DAY),
    Sample { seen: None, ..sample("Kadiatou Bah", "kadiatou@demo.example", Reader, 2 * DAY, 0) },
];

/// Adds the people, and two invitations by `host`, one of which has expired.
pub fn add(connection: &mut AnyConnection, host: &Person, password_hash: &str, now: Timestamp) -> Result<()> {
    for sample in &SAMPLES {
        join(connection, host, sample, password_hash, now)?;
    }
    for (email, set, ago) in [("bakary@demo.example", Standard, 2 * DAY), ("sophie@demo.example", Reader, 12 * DAY)] {
        let (email, at) = (address(email)?, now.plus(-ago));
        let new = NewInvitation {
            organization: host.organization,
            email: &email,
            set: organizations::built_in_set(connection, host.organization, set)?,
            // The hash of a code that nobody has.
            code_hash: &random::bytes::<32>(),
            invited_by: host.user,
            invited_by_name: host.name,
        };
        invitations::insert(connection, &new, at)?;
        write_entry(connection, host, Action::UserInvited, email.as_str(), at)?;
    }
    Ok(())
}

fn join(
    connection: &mut AnyConnection,
    host: &Person,
    sample: &Sample,
    password_hash: &str,
    now: Timestamp,
) -> Result<()> {
    let ago = |seconds: i64| now.plus(-seconds);
    let profile = Profile {
        name: sample.name.into(),
        email: address(sample.email)?,
        language: Some(Language::Fr),
        time_zone: "Africa/Bamako".into(),
        theme: Theme::System,
    };
    let user = users::insert(connection, &profile, password_hash, ago(sample.joined))?;
    let set = organizations::built_in_set(connection, host.organization, sample.set)?;
    let membership = memberships::insert(connection, user, host.organization, set, ago(sample.joined))?;
    let source = Source::default();
    let joined = activity::Entry::new(Some(host.organization), Action::UserJoined, ago(sample.joined), &source);
    activity::insert(connection, &activity::Entry { actor: Some(user), actor_name: sample.name, ..joined })?;
    if let Some(seen) = sample.seen {
        memberships::note_seen(connection, membership, ago(seen))?;
    }
    if let Some(ended) = sample.deactivated {
        memberships::deactivate(connection, membership, false, ago(ended))?;
        write_entry(connection, host, Action::UserDeactivated, sample.name, ago(ended))?;
    }
    Ok(())
}

fn address(email: &str) -> Result<Email> {
    Email::parse(email).map_err(|error| AppError::Broken(error.to_string()))
}

fn write_entry(
    connection: &mut AnyConnection,
    host: &Person,
    action: Action,
    target: &str,
    at: Timestamp,
) -> Result<()> {
    let source = Source::default();
    let entry = super::entry(host, action, at, None, &source);
    Ok(activity::insert(connection, &activity::Entry { target_name: Some(target), ..entry })?)
}
