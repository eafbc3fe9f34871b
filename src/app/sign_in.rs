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

/// A mark of a browser from which a user has signed in. It is not a credential: it only gives the browser its own rate
/// limit when strangers try the account's password (S7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device(pub String);

/// Creates an attempt from a browser with this mark, if the account knows it.
pub(super) fn attempt<'a>(account: &'a str, device: Option<&'a Device>, source: &'a Source) -> Attempt<'a> {
    Attempt { account, known_by: device.map(|device| device.0.as_str()), address: &source.address }
}

/// Checks an e-mail address and password. For an unknown address, the work and the answer are the same.
///
/// # Errors
/// [`AppError::Invalid`] at [`Field::Form`] if they do not match or the user cannot sign in;
/// [`AppError::TooManyAttempts`]; [`AppError::Busy`].
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
                // Whoever sees this message has entered the right password.
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
/// When the database fails. It is not an error if the session has already ended.
pub async fn sign_out(jeton: &Jeton, actor: &Actor, source: Source) -> Result<()> {
    match crate::sessions::end(jeton, actor, actor.session().public_id.clone(), source).await {
        Err(AppError::NotFound) => Ok(()),
        done => done,
    }
}

/// Creates a mark for a browser from which this user has just signed in.
pub fn mark_device(jeton: &Jeton, email: &str) -> Device {
    let id = hex::encode(random::bytes::<16>());
    let proof = device_mac(jeton, &folded_email(email), &id);
    Device(format!("{id}{proof}"))
}

/// Returns the browser's mark that belongs to this account, if it has one.
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
    hex::encode(jeton.pepper.derive("device", format!("{id} {account}").as_bytes()))
}
