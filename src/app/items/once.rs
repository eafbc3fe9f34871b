//! The same verbs for programs that may send a request again ([`crate::kept_answers`]).

use super::{
    Done, Found, ItemForm, ItemKey, Operation, ReachedBy, ShareForm,
    bulk::{together_in, with_ids},
    kind_in,
    making::create_in,
    reached::reached_by_in,
    reading::found_in,
    sharing::{managed, share_in},
};
use crate::{
    AppError, Jeton, Result,
    kept_answers::{KeptAnswer, Once, Outcome},
    random,
    requester::Requester,
};
use domain::{access::StoredShare, activity::Source, item::Item, kind::CommonAction, token};

/// As [`super::create`]. `told` writes the answer: it gets the item, with everything about it if the requester may view
/// it.
///
/// # Errors
/// As those of [`super::create`].
pub async fn create_once(
    jeton: &Jeton,
    by: &Requester,
    kind: &str,
    form: ItemForm,
    source: Source,
    once: Once,
    told: impl Fn(&Item, Option<Found>) -> Result<KeptAnswer> + Send + 'static,
) -> Result<Outcome> {
    let (named, kind, public_id) = (kind.to_owned(), kind.to_owned(), token::public_id(random::fill));
    jeton
        .once_for(
            by,
            source,
            once,
            move |_, changing| {
                let kind = kind_in(changing.standing, &named)?;
                changing.standing.check(&kind, CommonAction::Edit)
            },
            move |connection, changing| {
                let kind = kind_in(changing.standing, &kind)?;
                let item = create_in(connection, changing, &kind, &form, &public_id)?;
                let key = ItemKey::PublicId(item.public_id.clone());
                told(&item, seen(found_in(connection, changing.standing, &kind, &key))?)
            },
        )
        .await
}

/// As [`super::together`]; `told` writes the answer.
///
/// # Errors
/// As those of [`super::together`].
pub async fn together_once(
    jeton: &Jeton,
    by: &Requester,
    kind: &str,
    operations: Vec<Operation>,
    source: Source,
    once: Once,
    told: impl Fn(&[Result<Done>]) -> Result<KeptAnswer> + Send + 'static,
) -> Result<Outcome> {
    let (named, kind, operations) = (kind.to_owned(), kind.to_owned(), with_ids(operations));
    jeton
        .once_for(
            by,
            source,
            once,
            move |_, changing| kind_in(changing.standing, &named).map(drop),
            move |connection, changing| told(&together_in(connection, changing, &kind, &operations)?),
        )
        .await
}

/// As [`super::share`]. `told` writes the answer: it gets the share, with all others of the item if the requester may
/// see them.
///
/// # Errors
/// As those of [`super::share`].
pub async fn share_once(
    jeton: &Jeton,
    by: &Requester,
    (kind, key): (&str, ItemKey),
    form: ShareForm,
    source: Source,
    once: Once,
    told: impl Fn(&StoredShare, Option<ReachedBy>) -> Result<KeptAnswer> + Send + 'static,
) -> Result<Outcome> {
    let public_id = token::public_id(random::fill);
    let (asked, kind) = ((kind.to_owned(), key.clone()), kind.to_owned());
    jeton
        .once_for(
            by,
            source,
            once,
            move |connection, changing| managed(connection, changing.standing, &asked.0, &asked.1).map(drop),
            move |connection, changing| {
                let share = share_in(connection, changing, (&kind, &key), &form, &public_id)?;
                told(&share, seen(reached_by_in(connection, changing.standing, &kind, &key))?)
            },
        )
        .await
}

/// Returns nothing in the place of what the requester may not see.
fn seen<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(seen) => Ok(Some(seen)),
        Err(AppError::NotFound | AppError::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
