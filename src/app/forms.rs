//! Forms: whose they are, and those that were sent when the session in which they were opened had ended.
//!
//! What was typed into such a form is given back to the browser, sealed, and comes with the next sign-in. So nothing of it
//! stands in an address, a log or the database, nobody can fill the database with it, and any node can open it. It opens
//! for the user whom the form was shown to, at the address that it was sent to, and for an hour.

use super::{AppError, Jeton, Result, problem::Problem, problem::Problems, random, seal::Seal, sessions::Actor};
use crate::problem::Field;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{leak, session::IDLE, time::Timestamp, user::UserId};
use serde::{Deserialize, Serialize};
use std::future::Future;
use subtle::ConstantTimeEq;

/// Digits of each half of a form's token.
const HALF: usize = 32;
/// Seconds for which a form is kept.
const KEPT: i64 = IDLE;
/// Most characters of a form that is kept: what a form may have, sealed.
const LARGEST: usize = 24 * 1024;

/// Names and values of a form's fields, in their order.
pub type Fields = Vec<(String, String)>;

/// A form, as it is sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    reader: String,
    path: String,
    sent_at: i64,
    fields: Fields,
}

/// What came back of a form that was kept.
#[derive(Debug, PartialEq, Eq)]
pub enum CameBack {
    /// What was typed.
    Fields(Fields),
    /// Nothing: it was kept for too long.
    TooOld,
    /// Nothing that this user may see, or nothing at all.
    NotTheirs,
}

tokio::task_local! {
    /// Set while a form is only to be shown.
    static ONLY_SHOWN: ();
}

/// Does `work` as far as it writes nothing: whatever would be written is refused with [`Problem::CameBack`], as if the
/// form had been filled in wrongly. Its page then shows it with what was typed, whichever form it is, and none can be
/// forgotten that would act by itself.
pub async fn only_shown<T>(work: impl Future<Output = T>) -> T {
    ONLY_SHOWN.scope((), work).await
}

/// Refuses to write while a form is only to be shown.
///
/// # Errors
/// [`AppError::Invalid`] with [`Problem::CameBack`].
pub(super) fn may_write() -> Result<()> {
    match ONLY_SHOWN.try_with(|()| ()) {
        Ok(()) => Err(AppError::from(Problems::one(Field::Form, Problem::CameBack))),
        Err(_) => Ok(()),
    }
}

/// The token that forms of a session carry, against requests which other sites make a browser send (C1). Its second
/// half stays the same in all sessions of the user.
pub fn token(jeton: &Jeton, actor: &Actor) -> String {
    let session = jeton.pepper.derive("form", actor.session().public_id.as_bytes());
    random::hex(&session[..HALF / 2]) + &mark_of_reader(jeton, actor.user().id)
}

fn mark_of_reader(jeton: &Jeton, UserId(user): UserId) -> String {
    random::hex(&jeton.pepper.derive("form-reader", &user.to_be_bytes())[..HALF / 2])
}

/// Whether a form carries the token of this session.
pub fn is_token(jeton: &Jeton, actor: &Actor, token: &str) -> bool {
    self::token(jeton, actor).as_bytes().ct_eq(token.as_bytes()).into()
}

/// Whether a form was opened by the same user in another session.
pub fn is_of_other_session(jeton: &Jeton, actor: &Actor, token: &str) -> bool {
    let is_same = |reader: &str| mark_of_reader(jeton, actor.user().id).as_bytes().ct_eq(reader.as_bytes()).into();
    reader_of(token).is_some_and(is_same) && !is_token(jeton, actor, token)
}

/// What is to be kept of a form with this token that was sent to `path`, sealed: all but passwords and keys. None if
/// there is nothing, or too much, or it does not say whom it was shown to.
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

/// What was kept of a form that was sent to `path`, for somebody who is signed in again.
pub fn kept(jeton: &Jeton, actor: &Actor, path: &str, sealed: &str) -> CameBack {
    let sealed = BASE64_URL_SAFE_NO_PAD.decode(sealed).ok();
    let opened = sealed.and_then(|sealed| seal(jeton).open(&sealed));
    let kept: Option<Kept> = opened.and_then(|kept| serde_json::from_slice(&kept).ok());
    match kept {
        Some(kept) if kept.reader != mark_of_reader(jeton, actor.user().id) || kept.path != path => CameBack::NotTheirs,
        Some(kept) if jeton.clock.now().since(Timestamp::from_seconds(kept.sent_at)) >= KEPT => CameBack::TooOld,
        Some(kept) => CameBack::Fields(kept.fields),
        None => CameBack::NotTheirs,
    }
}

fn seal(jeton: &Jeton) -> Seal {
    Seal::new(&jeton.pepper, "form-kept")
}

/// The half of a token that says whom its form was shown to.
fn reader_of(token: &str) -> Option<&str> {
    let is_token = token.len() == 2 * HALF && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_token.then(|| &token[HALF..])
}

/// Whether a field may come back.
pub fn is_kept((name, value): &(String, String)) -> bool {
    name != "csrf" && !name.ends_with("password") && !leak::holds_key(value)
}
