//! Changing, archiving and deleting items.

use super::{
    ItemKey, find_in, form_of_kind, kind_in,
    making::{Sent, external_in, read_answers, read_questions, site_in, strength, write_entry},
};
use crate::{
    AppError, Jeton, Result,
    problem::{Field, Problem, Problems},
    requester::{Changing, Requester},
};
use domain::{
    activity::{Action, Source},
    field::TypedForm,
    item::{self, Contents, Item, ItemKind},
    kind::CommonAction,
};
use storage::{AnyConnection, items};

/// A change of an item; `None` leaves something as it is.
#[derive(Clone, Debug, Default)]
pub struct ItemChange {
    /// The version that was shown; `None` for whichever version. It does not matter if the item already is as asked.
    pub version: Option<i64>,
    /// The new name.
    pub name: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// The public id of another site; empty for none.
    pub site: Option<String>,
    /// Another external id; empty for none.
    pub external_id: Option<String>,
    /// Other questions of a template.
    pub questions: Option<TypedForm>,
    /// Other answers.
    pub answers: Sent,
    /// Whether an inspection is finished.
    pub is_finished: Option<bool>,
    /// Whether it is archived.
    pub is_archived: Option<bool>,
}

/// Changes an item, and returns it as it is then. Nothing is written if nothing changes: so the same form may be sent
/// twice.
///
/// # Errors
/// [`AppError::NotFound`] if the requester reaches no such item; [`AppError::Refused`] without the permission, or with
/// a level below *edit*; [`AppError::Invalid`] with everything that is wrong, including somebody else's change in the
/// meantime ([`Problem::ChangedMeanwhile`]).
pub async fn change(
    jeton: &Jeton,
    by: &Requester,
    kind: &str,
    key: ItemKey,
    change: ItemChange,
    source: Source,
) -> Result<Item> {
    let kind = kind.to_owned();
    jeton
        .write_for(by, source, move |connection, changing| {
            let kind = kind_in(changing.standing, &kind)?;
            change_in(connection, changing, &kind, &key, &change)
        })
        .await
}

pub(super) fn change_in(
    connection: &mut AnyConnection,
    changing: &Changing<'_>,
    kind: &ItemKind,
    key: &ItemKey,
    change: &ItemChange,
) -> Result<Item> {
    let standing = changing.standing;
    let before = allowed(connection, changing, kind, key, CommonAction::Edit, None)?;
    let is_stale = change.version.is_some_and(|shown| shown != before.version);
    let of_kind = form_of_kind(connection, before.organization, kind)?;
    let held = items::contents(connection, before.id, &of_kind)?;
    let mut problems = Problems::default();
    let mut after = before.clone();
    if let Some(name) = &change.name {
        after.name = problems.check(Field::ItemName, item::name(name)).unwrap_or_default();
    }
    let mut contents = held.clone();
    if let Some(description) = &change.description {
        contents.description = problems.check(Field::Description, item::description(description)).unwrap_or_default();
    }
    if let Some(site) = &change.site {
        // Whoever shares an item with another organization knows its sites; the other one does not.
        let site = if before.organization == standing.facts.organization {
            site_in(connection, standing, site)?
        } else {
            Err(Problem::NotAChoice)
        };
        after.site = problems.check(Field::Site, site).flatten();
    }
    if let Some(external_id) = &change.external_id {
        let external_id = external_in(connection, standing, kind, external_id, Some(&before))?;
        after.external_id = problems.check(Field::ExternalId, external_id).flatten();
    }
    let questions = change.questions.as_ref();
    if !kind.is_templates() && questions.is_some_and(|questions| !questions.fields.is_empty()) {
        problems.check::<(), _>(Field::Questions, Err(Problem::NoQuestionsHere));
    }
    if let Some(questions) = questions.filter(|_| kind.is_templates()) {
        // Whoever reads answers to them knows them by their keys.
        let is_answered = items::is_used(connection, before.id)?;
        let keys = held.form.fields().iter().map(|field| field.key.clone());
        let answered = if is_answered { keys.collect() } else { Default::default() };
        let questions = read_questions(standing, questions, &held.form, &answered);
        contents.form = problems.check(Field::Questions, questions).unwrap_or_default();
    }
    let is_finished = change.is_finished.unwrap_or(before.finished_at.is_some());
    if kind.is_inspections() {
        after.finished_at = is_finished.then(|| before.finished_at.unwrap_or(changing.now));
    }
    let form = if kind.is_inspections() { &held.form } else { &of_kind };
    let is_answering = !matches!(change.answers, Sent::Nothing) || (is_finished && before.is_draft());
    if is_answering && !kind.is_templates() {
        let strength = strength(kind, is_finished);
        let answers = read_answers(connection, standing, form, &change.answers, &held.answers, strength)?;
        contents.answers = problems.check(Field::Answers, answers).unwrap_or_default();
    }
    if let Some(is_archived) = change.is_archived.filter(|is| *is != before.archived_at.is_some()) {
        after.archived_at = is_archived.then_some(changing.now);
    }
    let checked = problems.none();
    let changes_nothing = checked.is_ok() && after == before && contents == held;
    if is_stale && !changes_nothing {
        return Err(Problems::one(Field::Form, Problem::ChangedMeanwhile).into());
    }
    checked?;
    if changes_nothing {
        return Ok(before);
    }
    let contents = Some(&contents).filter(|contents| **contents != held);
    if after.archived_at == before.archived_at {
        return written(connection, changing, &after, contents, Action::ItemChanged);
    }
    if contents.is_some() || (Item { archived_at: before.archived_at, ..after.clone() }) != before {
        write_entry(connection, changing, Action::ItemChanged, &after)?;
    }
    let action = if after.archived_at.is_some() { Action::ItemArchived } else { Action::ItemUnarchived };
    written(connection, changing, &after, contents, action)
}

/// Archives an item, or takes it out of the archive. Returns the item; nothing is written if it already is so.
///
/// # Errors
/// As [`change`].
pub async fn archive(
    jeton: &Jeton,
    by: &Requester,
    kind: &str,
    key: ItemKey,
    is_archived: bool,
    version: Option<i64>,
    source: Source,
) -> Result<Item> {
    let kind = kind.to_owned();
    jeton
        .write_for(by, source, move |connection, changing| {
            let kind = kind_in(changing.standing, &kind)?;
            archive_in(connection, changing, &kind, &key, is_archived, version)
        })
        .await
}

pub(super) fn archive_in(
    connection: &mut AnyConnection,
    changing: &Changing<'_>,
    kind: &ItemKind,
    key: &ItemKey,
    is_archived: bool,
    version: Option<i64>,
) -> Result<Item> {
    let before = allowed(connection, changing, kind, key, CommonAction::Edit, version)?;
    if before.archived_at.is_some() == is_archived {
        return Ok(before);
    }
    let after = Item { archived_at: is_archived.then_some(changing.now), ..before };
    let action = if is_archived { Action::ItemArchived } else { Action::ItemUnarchived };
    written(connection, changing, &after, None, action)
}

/// Deletes an item, with its shares; and with a template, the access rules of it, while its inspections stay. Returns
/// the item as it was.
///
/// # Errors
/// As [`change`], with the level *manage*.
pub async fn delete(
    jeton: &Jeton,
    by: &Requester,
    kind: &str,
    key: ItemKey,
    version: Option<i64>,
    source: Source,
) -> Result<Item> {
    let kind = kind.to_owned();
    jeton
        .end_for(by, source, move |connection, changing| {
            let kind = kind_in(changing.standing, &kind)?;
            delete_in(connection, changing, &kind, &key, version)
        })
        .await
}

pub(super) fn delete_in(
    connection: &mut AnyConnection,
    changing: &Changing<'_>,
    kind: &ItemKind,
    key: &ItemKey,
    version: Option<i64>,
) -> Result<Item> {
    let item = allowed(connection, changing, kind, key, CommonAction::Delete, version)?;
    items::delete(connection, &item, changing.now)?;
    write_entry(connection, changing, Action::ItemDeleted, &item)?;
    Ok(item)
}

/// Returns the item if the requester may do this with it, and it is what they have seen.
fn allowed(
    connection: &mut AnyConnection,
    changing: &Changing<'_>,
    kind: &ItemKind,
    key: &ItemKey,
    action: CommonAction,
    version: Option<i64>,
) -> Result<Item> {
    let found = find_in(connection, changing.standing, kind, key)?;
    changing.standing.check_item(kind, action, found.as_ref().map(|(_, level)| *level))?;
    let (item, _) = found.ok_or(AppError::NotFound)?;
    if version.is_some_and(|shown| shown != item.version) {
        return Err(Problems::one(Field::Form, Problem::ChangedMeanwhile).into());
    }
    Ok(item)
}

fn written(
    connection: &mut AnyConnection,
    changing: &Changing<'_>,
    after: &Item,
    contents: Option<&Contents>,
    action: Action,
) -> Result<Item> {
    if !items::update(connection, after, contents, changing.now)? {
        return Err(Problems::one(Field::Form, Problem::ChangedMeanwhile).into());
    }
    write_entry(connection, changing, action, after)?;
    items::own(connection, after.organization, &after.kind, &after.public_id)?.ok_or(AppError::NotFound)
}
