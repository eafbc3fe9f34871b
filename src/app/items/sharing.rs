//! Sharing items, and ending shares.
//!
//! A share or its end changes what a request may reach, and is read from the database by the next one.

use super::{ItemKey, find_in, kind_in};
use crate::{
    AppError, Jeton, Result,
    problem::{Field, Problem, Problems},
    random,
    recipients::{self, RecipientForm},
    requester::{Changing, Requester, Standing},
    tokens::known_form,
};
use domain::{
    access::{Level, MOST_SHARES, Recipient, StoredShare},
    activity::{Action, Detail, Source},
    item::Item,
    kind::CommonAction,
    token,
};
use storage::{AnyConnection, activity, recipients::names, shares};

/// The form for a share, as typed.
#[derive(Clone, Debug, Default)]
pub struct ShareForm {
    /// With whom.
    pub recipient: RecipientForm,
    /// The key of a [`Level`].
    pub level: String,
}

/// Shares an item, or gives the share with that recipient another level. Returns the share as it is then; nothing is
/// written if it already is so.
///
/// # Errors
/// [`AppError::NotFound`] if the requester reaches no such item; [`AppError::Refused`] without the permission, or with
/// a level below *manage*; [`AppError::Invalid`] with what is wrong: at [`Field::Recipient`] that there is none
/// ([`Problem::NoSuchRecipient`]) or none for such items ([`Problem::Unsuitable`]), at [`Field::Level`], or that there
/// are already [`MOST_SHARES`].
pub async fn share(
    jeton: &Jeton,
    by: &Requester,
    kind: &str,
    key: ItemKey,
    form: ShareForm,
    source: Source,
) -> Result<StoredShare> {
    let (kind, public_id) = (kind.to_owned(), token::public_id(random::fill));
    jeton
        .write_for(by, source, move |connection, changing| {
            share_in(connection, changing, (&kind, &key), &form, &public_id)
        })
        .await
}

/// `public_id` is that of a new share.
pub(super) fn share_in(
    connection: &mut AnyConnection,
    changing: &Changing<'_>,
    (kind, key): (&str, &ItemKey),
    form: &ShareForm,
    public_id: &str,
) -> Result<StoredShare> {
    let (item, own) = managed(connection, changing.standing, kind, key)?;
    let mut problems = Problems::default();
    let to = recipients::read_in(connection, item.organization, &item.kind, &form.recipient)?;
    let to = problems.check(Field::Recipient, to);
    let level = problems.check(Field::Level, recipients::level(&form.level).and_then(|level| given(level, own)));
    let (Some((recipient, outside)), Some(level)) = (to, level) else { return Err(problems.into()) };
    if let Some(before) = shares::with(connection, item.id, recipient)? {
        return leveled(connection, changing, &item, before, level);
    }
    if shares::count(connection, item.id)? >= MOST_SHARES {
        return Err(Problems::one(Field::Form, Problem::TooManyShares).into());
    }
    let made_by = changing.by.name();
    let new = shares::NewShare { public_id, item: item.id, recipient, outside, level, made_by };
    shares::insert(connection, &new, changing.now)?;
    write_entry(connection, changing, Action::ItemShared, &item, (recipient, level))?;
    shares::find(connection, item.id, public_id)?.ok_or(AppError::NotFound)
}

/// Gives a share another level. Returns it as it is then.
///
/// # Errors
/// As [`share`]; [`AppError::NotFound`] also if the item has no such share.
pub async fn set_level(
    jeton: &Jeton,
    by: &Requester,
    kind: &str,
    key: ItemKey,
    share: &str,
    level: &str,
    source: Source,
) -> Result<StoredShare> {
    let (kind, share, level) = (kind.to_owned(), known_form(share)?, level.to_owned());
    jeton
        .write_for(by, source, move |connection, changing| {
            let (item, own) = managed(connection, changing.standing, &kind, &key)?;
            let before = shares::find(connection, item.id, &share)?.ok_or(AppError::NotFound)?;
            let mut problems = Problems::default();
            let level = problems.check(Field::Level, recipients::level(&level).and_then(|level| given(level, own)));
            let Some(level) = level else { return Err(problems.into()) };
            leveled(connection, changing, &item, before, level)
        })
        .await
}

/// Ends a share: when this returns, it gives nobody access any more. Returns what it was.
///
/// # Errors
/// As [`set_level`].
pub async fn end_share(
    jeton: &Jeton,
    by: &Requester,
    kind: &str,
    key: ItemKey,
    share: &str,
    source: Source,
) -> Result<StoredShare> {
    let (kind, share) = (kind.to_owned(), known_form(share)?);
    jeton
        .end_for(by, source, move |connection, changing| {
            let (item, _) = managed(connection, changing.standing, &kind, &key)?;
            let before = shares::find(connection, item.id, &share)?.ok_or(AppError::NotFound)?;
            shares::delete(connection, before.share.id)?;
            let ended = (before.share.recipient, before.share.level);
            write_entry(connection, changing, Action::ShareEnded, &item, ended)?;
            Ok(before)
        })
        .await
}

/// Returns the item if the requester may share it, and their level.
pub(super) fn managed(
    connection: &mut AnyConnection,
    standing: &Standing,
    kind: &str,
    key: &ItemKey,
) -> Result<(Item, Level)> {
    let kind = kind_in(standing, kind)?;
    let found = find_in(connection, standing, &kind, key)?;
    standing.check_item(&kind, CommonAction::Share, found.as_ref().map(|(_, level)| *level))?;
    found.ok_or(AppError::NotFound)
}

/// Returns the level if somebody with the level `own` may give it: nobody gives more than they have.
fn given(level: Level, own: Level) -> std::result::Result<Level, Problem> {
    if level <= own { Ok(level) } else { Err(Problem::NotAChoice) }
}

fn leveled(
    connection: &mut AnyConnection,
    changing: &Changing<'_>,
    item: &Item,
    before: StoredShare,
    level: Level,
) -> Result<StoredShare> {
    if before.share.level == level {
        return Ok(before);
    }
    shares::set_level(connection, before.share.id, level)?;
    write_entry(connection, changing, Action::ShareChanged, item, (before.share.recipient, level))?;
    shares::find(connection, item.id, &before.public_id)?.ok_or(AppError::NotFound)
}

fn write_entry(
    connection: &mut AnyConnection,
    changing: &Changing<'_>,
    action: Action,
    item: &Item,
    (recipient, level): (Recipient, Level),
) -> Result<()> {
    let name = names(connection, &[recipient])?.remove(&recipient).map(|known| known.name).unwrap_or_default();
    let (kind, id) = (item.kind.clone(), item.public_id.clone());
    let detail = Some(Detail::Share { kind, id, level, recipient: recipient.kind(), name });
    let entry = activity::Entry { target_name: Some(&item.name), detail, ..changing.entry(action) };
    Ok(activity::insert(connection, &entry)?)
}
