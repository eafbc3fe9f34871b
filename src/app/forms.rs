//! Forms: their tokens, and the forms that were sent after their session had ended.
//!
//! The content of such a form is encrypted and returned to the browser, which sends it with the next sign-in. So it
//! appears in no address, log or database, nobody can fill the database with it, and any node can decrypt it. It can be
//! opened for an hour, only for the user to whom the form was shown, and only at the address to which it was sent.

use super::{AppError, Jeton, Result, problem::Problem, problem::Problems, seal::Seal, sessions::Actor};
use crate::problem::Field;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{leak, session::IDLE, time::Timestamp, user::UserId};
use serde::{Deserialize, Serialize};
use std::future::Future;
use subtle::ConstantTimeEq;

/// The number of digits in each half of a form's token.
const HALF: usize = 32;
/// How long a form is kept, in seconds.
const KEPT: i64 = IDLE;
/// The maximum size of a kept form in characters: that of the largest form, encrypted.
const LARGEST: usize = 24 * 1024;

/// Names and values of a form's fields, in their order.
pub type Fields = Vec<(String, String)>;

/// The encrypted content of a kept form.
#[derive(Serialize, Deserialize)]
struct Kept {
    reader: String,
    path: String,
    sent_at: i64,
    fields: Fields,
}

/// What was restored of a kept form.
#[derive(Debug, PartialEq, Eq)]
pub enum Restored {
    /// The fields as typed.
    Fields(Fields),
    /// Nothing, as it was kept for too long.
    TooOld,
    /// Nothing, as this user may not see it, or it cannot be decrypted.
    NotTheirs,
}

tokio::task_local! {
    /// Set while a form may only be shown.
    static ONLY_SHOWN: ();
}

/// Runs `work` without letting it write: each write is refused with [`Problem::KeptForm`], as if the form had been
/// filled in wrongly. Its page then shows the form with what was typed. This works for every form, so none can be
/// overlooked and change something by itself.
pub async fn only_shown<T>(work: impl Future<Output = T>) -> T {
    ONLY_SHOWN.scope((), work).await
}

/// Refuses to write while a form may only be shown.
///
/// # Errors
/// [`AppError::Invalid`] with [`Problem::KeptForm`].
pub(super) fn may_write() -> Result<()> {
    match ONLY_SHOWN.try_with(|()| ()) {
        Ok(()) => Err(AppError::from(Problems::one(Field::Form, Problem::KeptForm))),
        Err(_) => Ok(()),
    }
}

/// Returns the CSRF token of the session's forms (C1). Its second half is the same in all sessions of the user.
pub fn token(jeton: &Jeton, actor: &Actor) -> String {
    let session = jeton.pepper.derive("form", actor.session().public_id.as_bytes());
    hex::encode(&session[..HALF / 2]) + &mark_of_reader(jeton, actor.user().id)
}

fn mark_of_reader(jeton: &Jeton, UserId(user): UserId) -> String {
    hex::encode(&jeton.pepper.derive("form-reader", &user.to_be_bytes())[..HALF / 2])
}

/// Returns whether a form has the token of this session.
pub fn is_token(jeton: &Jeton, actor: &Actor, token: &str) -> bool {
    self::token(jeton, actor).as_bytes().ct_eq(token.as_bytes()).into()
}

/// Returns whether the same user opened a form in another session.
pub fn is_of_other_session(jeton: &Jeton, actor: &Actor, token: &str) -> bool {
    let is_same = |reader: &str| mark_of_reader(jeton, actor.user().id).as_bytes().ct_eq(reader.as_bytes()).into();
    reader_of(token).is_some_and(is_same) && !is_token(jeton, actor, token)
}

/// Encrypts a form with this token that was sent to `path`, without passwords and API keys. Returns `None` if nothing
/// is left, if it is too large, or if the token does not say to whom it was shown.
pub fn keep(jeton: &Jeton, token: &str, path: &str, fields: &[(String, String)]) -> Option<String> {
    let fields: Fields = fields.iter().filter(|field| is_kept(field)).cloned().collect();
    if fields.is_empty() {
        return None;
    }
    let kept = Kept {
        reader: reader_of(token)?.to_owned(),
        path: path.to_owned(),
        sent_at: jeton.clock.now().seconds(),
        fields,
    };
    let sealed = seal(jeton).close(serde_json::to_vec(&kept).ok()?)?;
    Some(BASE64_URL_SAFE_NO_PAD.encode(sealed)).filter(|sealed| sealed.len() <= LARGEST)
}

/// Restores a kept form that was sent to `path`, for a user who has signed in again.
pub fn restore(jeton: &Jeton, actor: &Actor, path: &str, sealed: &str) -> Restored {
    let sealed = BASE64_URL_SAFE_NO_PAD.decode(sealed).ok();
    let opened = sealed.and_then(|sealed| seal(jeton).open(&sealed));
    let kept: Option<Kept> = opened.and_then(|kept| serde_json::from_slice(&kept).ok());
    match kept {
        Some(kept) if kept.reader != mark_of_reader(jeton, actor.user().id) || kept.path != path => Restored::NotTheirs,
        Some(kept) if jeton.clock.now().since(Timestamp::from_seconds(kept.sent_at)) >= KEPT => Restored::TooOld,
        Some(kept) => Restored::Fields(kept.fields),
        None => Restored::NotTheirs,
    }
}

fn seal(jeton: &Jeton) -> Seal {
    Seal::new(&jeton.pepper, "form-kept")
}

/// Returns the half of a token that says to whom its form was shown.
fn reader_of(token: &str) -> Option<&str> {
    let is_token = token.len() == 2 * HALF && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_token.then(|| &token[HALF..])
}

/// Returns whether a field may be kept.
pub fn is_kept((name, value): &(String, String)) -> bool {
    name != "csrf" && !name.ends_with("password") && !leak::holds_key(value)
}
