//! Signing in and out.

use super::{
    AppError, Jeton, Result,
    attempts::Attempt,
    problem::{Field, Problem, Problems},
    random,
    sessions::{Actor, Begin, is_open, why_closed},
};
use domain::{
    activity::{Action, Source},
    user::{Email, Password, PasswordError, folded_email},
};
use storage::{activity, memberships, users};
use subtle::ConstantTimeEq;

/// A user's mark on a browser that they have signed in from: not a credential, only a place of its own in the queue when
/// strangers try the account's password (S7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device(pub String);

/// An attempt of somebody at a browser with this mark, which is known to belong to the account.
pub(super) fn attempt<'a>(account: &'a str, device: Option<&'a Device>, source: &'a Source) -> Attempt<'a> {
    Attempt { account, known_by: device.map(|device| device.0.as_str()), address: &source.address }
}

/// Checks an e-mail address and password. For an unknown address the same work is done, and the answer is the same.
///
/// # Errors
/// [`AppError::Invalid`] at [`Field::Form`] when they do not belong together, or the account is not open; too many
/// attempts; busy.
pub async fn sign_in(
    jeton: &Jeton,
    email: &str,
    password: String,
    devices: Vec<Device>,
    source: Source,
) -> Result<Begin> {
    let wrong = || AppError::from(Problems::one(Field::Form, Problem::WrongCredentials));
    let mut problems = Problems::default();
    let address = problems.check(Field::Email, Email::known(email));
    if password.is_empty() {
        problems.check(Field::Password, Err::<(), _>(PasswordError::Empty));
    }
    let Some(address) = address.filter(|_| !password.is_empty()) else { return Err(problems.into()) };
    let password = Password::given(password).map_err(|_| wrong())?;

    let account = address.folded();
    let device = known_device(jeton, &account, devices);
    jeton.attempts.take(attempt(&account, device.as_ref(), &source))?;

    let found = jeton.read(move |connection| Ok(users::find_by_email(connection, &address)?)).await?;
    let (user, hash) = found.unzip();
    let matches = jeton.passwords.verify(password, hash).await?;
    let user = user.filter(|_| matches).ok_or_else(wrong)?;

    let begin = Begin { user: user.id, generation: user.session_generation, source };
    let (signed_in, now) = (begin.clone(), jeton.clock.now());
    jeton
        .write_with_reserve(move |connection| {
            if !is_open(connection, &user, now)? {
                // Whoever reads this has entered the right password.
                return Err(Problems::one(Field::Form, why_closed(&user)).into());
            }
            let membership = memberships::first(connection, user.id)?;
            if let Some(membership) = &membership {
                memberships::note_seen(connection, membership.id, now)?;
            }
            let organization = membership.map(|membership| membership.organization);
            let entry = activity::Entry {
                actor: Some(user.id),
                actor_name: &user.name,
                ..activity::Entry::new(organization, Action::SessionStarted, now, &signed_in.source)
            };
            activity::insert(connection, &entry)?;
            Ok(())
        })
        .await?;
    Ok(begin)
}

/// Ends the session of this request.
///
/// # Errors
/// When the database fails. A session that is gone already is no error: it has ended.
pub async fn sign_out(jeton: &Jeton, actor: &Actor, source: Source) -> Result<()> {
    match crate::sessions::end(jeton, actor, actor.session().public_id.clone(), source).await {
        Err(AppError::NotFound) => Ok(()),
        done => done,
    }
}

/// A new mark for a browser from which this account has just signed in.
pub fn mark_device(jeton: &Jeton, email: &str) -> Device {
    let id = random::hex(&random::bytes::<16>());
    let proof = device_mac(jeton, &folded_email(email), &id);
    Device(format!("{id}{proof}"))
}

/// That of a browser's marks which says that this account's owner has signed in from it.
pub(super) fn known_device(jeton: &Jeton, account: &str, devices: Vec<Device>) -> Option<Device> {
    devices.into_iter().find(|device| knows_device(jeton, account, device))
}

fn knows_device(jeton: &Jeton, account: &str, device: &Device) -> bool {
    match device.0.split_at_checked(32) {
        Some((id, proof)) => proof.as_bytes().ct_eq(device_mac(jeton, account, id).as_bytes()).into(),
        None => false,
    }
}

fn device_mac(jeton: &Jeton, account: &str, id: &str) -> String {
    random::hex(&jeton.pepper.derive("device", format!("{id} {account}").as_bytes()))
}
