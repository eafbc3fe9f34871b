//! Several changes in one transaction, each with its own verdict.

use super::{
    ItemForm, ItemKey,
    changing::{ItemChange, archive_in, change_in, delete_in},
    find_in, kind_in,
    making::create_in,
};
use crate::{
    AppError, Jeton, Result,
    problem::{Field, Problem, Problems},
    random,
    requester::{Changing, Requester},
};
use domain::{
    activity::Source,
    item::{ExternalId, Item, ItemKind},
    token,
};
use storage::{AnyConnection, Failure};

/// The maximum number of changes in one call.
pub const MOST_TOGETHER: usize = 100;

/// A change.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Create an item.
    Create(ItemForm),
    /// Change the item with this external id, or create it. The id of the form is that one, whatever it says.
    Put(ExternalId, ItemForm, Box<ItemChange>),
    /// Change an item.
    Change(ItemKey, Box<ItemChange>),
    /// Archive an item, or take it out of the archive: that, and the version that was shown.
    Archive(ItemKey, bool, Option<i64>),
    /// Delete an item, of which this version was shown.
    Delete(ItemKey, Option<i64>),
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// An item was created.
    Created(Item),
    /// It is as asked for.
    Changed(Item),
    /// It was deleted.
    Deleted(Item),
}

/// Does at most [`MOST_TOGETHER`] changes of items of a kind in one transaction. What is refused or wrong changes
/// nothing and is told in its place; everything else is done.
///
/// # Errors
/// [`AppError::NotFound`] for a kind that is not there; what is wrong with the whole: the database or the clock. Then
/// nothing is done.
pub async fn together(
    jeton: &Jeton,
    by: &Requester,
    kind: &str,
    operations: Vec<Operation>,
    source: Source,
) -> Result<Vec<Result<Done>>> {
    let (kind, operations) = (kind.to_owned(), with_ids(operations));
    jeton.write_for(by, source, move |connection, changing| together_in(connection, changing, &kind, &operations)).await
}

/// Returns at most [`MOST_TOGETHER`] of these operations, each with the public id of what it may create.
pub(super) fn with_ids(operations: Vec<Operation>) -> Vec<(Operation, String)> {
    let id = |operation| (operation, token::public_id(random::fill));
    operations.into_iter().take(MOST_TOGETHER).map(id).collect()
}

pub(super) fn together_in(
    connection: &mut AnyConnection,
    changing: &Changing<'_>,
    kind: &str,
    operations: &[(Operation, String)],
) -> Result<Vec<Result<Done>>> {
    let kind = kind_in(changing.standing, kind)?;
    let mut all = Vec::with_capacity(operations.len());
    for (operation, public_id) in operations {
        match one(connection, changing, &kind, operation, public_id) {
            // After such a failure, nothing of the transaction can be kept.
            Err(error) if error.of_storage().is_some() => return Err(error),
            done => all.push(done),
        }
    }
    Ok(all)
}

fn one(
    connection: &mut AnyConnection,
    changing: &Changing<'_>,
    kind: &ItemKind,
    operation: &Operation,
    public_id: &str,
) -> Result<Done> {
    Ok(match operation {
        Operation::Create(form) => Done::Created(create_in(connection, changing, kind, form, public_id)?),
        Operation::Put(id, form, change) => return put_in(connection, changing, kind, (id, form, change), public_id),
        Operation::Change(key, change) => Done::Changed(change_in(connection, changing, kind, key, change)?),
        Operation::Archive(key, is_archived, version) => {
            Done::Changed(archive_in(connection, changing, kind, key, *is_archived, *version)?)
        }
        Operation::Delete(key, version) => Done::Deleted(delete_in(connection, changing, kind, key, *version)?),
    })
}

/// Changes the item with an external id, or creates it. One that the requester does not reach is not there for them,
/// and its id is taken.
fn put_in(
    connection: &mut AnyConnection,
    changing: &Changing<'_>,
    kind: &ItemKind,
    (id, form, change): (&ExternalId, &ItemForm, &ItemChange),
    public_id: &str,
) -> Result<Done> {
    let key = ItemKey::External(id.clone());
    if find_in(connection, changing.standing, kind, &key)?.is_some() {
        return Ok(Done::Changed(change_in(connection, changing, kind, &key, change)?));
    }
    if change.version.is_some() {
        // What was read is gone.
        return Err(Problems::one(Field::Form, Problem::ChangedMeanwhile).into());
    }
    let form = ItemForm { external_id: id.to_string(), ..form.clone() };
    Ok(Done::Created(create_in(connection, changing, kind, &form, public_id)?))
}

/// Changes the item with an external id of the requester's organization, or creates it.
///
/// # Errors
/// As those of [`super::create`] and [`super::change`].
pub async fn put(
    jeton: &Jeton,
    by: &Requester,
    kind: &str,
    id: ExternalId,
    form: ItemForm,
    change: ItemChange,
    source: Source,
) -> Result<Done> {
    let operation = Operation::Put(id, form, Box::new(change));
    let done = together(jeton, by, kind, vec![operation], source).await?;
    done.into_iter().next().unwrap_or(Err(AppError::NotFound))
}
