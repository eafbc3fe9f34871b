//! The fields of the items of a kind: what the organization wants to know of each, besides its name and site.
//!
//! No change of them is a change of authority, and none changes an item: answers stay, also those to a field that is
//! removed, and whoever changes an item next answers what is new.

use super::{Editor, find_in};
use crate::{
    AppError, Jeton, Result,
    problem::{Field, Problem, Problems},
};
use domain::{
    activity::{Action, Source},
    field::{FieldKey, Form, TypedForm},
    item::ItemKind,
    kind::{KindKey, permissions},
    organization::OrganizationId,
    permission::OwnPermissions,
};
use std::collections::BTreeSet;
use storage::{AnyConnection, activity, items, kind_forms, kinds};

/// The fields of a kind.
#[derive(Clone, Debug)]
pub struct KindFields {
    /// The fields.
    pub form: Form,
    /// The version, incremented by each change; 0 if there has never been a field.
    pub version: i64,
    /// Whether there are items that may have answers, so that the types of the fields stay.
    pub is_answered: bool,
}

/// Returns the fields of a kind.
///
/// # Errors
/// [`AppError::NotFound`] for a kind that is not there, and for templates and inspections: they have questions.
pub async fn fields(jeton: &Jeton, organization: OrganizationId, key: &str) -> Result<KindFields> {
    let key = key.to_owned();
    jeton
        .read(move |connection| {
            let (kind, _) = kind_in(connection, organization, &key)?;
            fields_in(connection, organization, &kind)
        })
        .await
}

/// Gives a kind other fields, and returns them. `version` is that which was shown; `None` for whichever. It does not
/// matter if the fields already are as asked.
///
/// # Errors
/// As [`fields`]; [`AppError::Invalid`] with what is wrong ([`Field::Questions`]), including somebody else's change in
/// the meantime ([`Problem::ChangedMeanwhile`]).
pub async fn change_fields(
    jeton: &Jeton,
    by: &Editor,
    key: &str,
    typed: TypedForm,
    version: Option<i64>,
    source: Source,
) -> Result<KindFields> {
    let (by, now, key) = (by.clone(), jeton.clock.now(), key.to_owned());
    jeton
        .write(move |connection| {
            by.begin(connection, now)?;
            let organization = by.organization();
            let kinds = kinds::list(connection, organization)?;
            let known = permissions(kinds.iter().map(|stored| &stored.kind));
            let (kind, name) = kind_in(connection, organization, &key)?;
            let before = fields_in(connection, organization, &kind)?;
            let read = read(&before, &typed, &known);
            if read.as_ref() == Ok(&before.form) {
                return Ok(before);
            }
            if version.is_some_and(|shown| shown != before.version) {
                return Err(Problems::one(Field::Form, Problem::ChangedMeanwhile).into());
            }
            let form = read.map_err(|wrong| Problems::one(Field::Questions, wrong))?;
            kind_forms::set(connection, organization, &kind, &form)?;
            let entry = by.entry(Action::KindFieldsChanged, now, &source);
            activity::insert(connection, &activity::Entry { target_name: Some(&name), ..entry })?;
            fields_in(connection, organization, &kind)
        })
        .await
}

fn read(before: &KindFields, typed: &TypedForm, known: &OwnPermissions) -> std::result::Result<Form, Problem> {
    let keys = before.form.fields().iter().map(|field| field.key.clone());
    let answered: BTreeSet<FieldKey> = if before.is_answered { keys.collect() } else { BTreeSet::new() };
    typed.read(&before.form, &answered, |kind| kind.is_known(known)).map_err(Problem::Questions)
}

/// Returns a kind whose items have its fields, and its name: for one that is built in, its key.
fn kind_in(connection: &mut AnyConnection, organization: OrganizationId, key: &str) -> Result<(ItemKind, String)> {
    let kind = ItemKind::parse(key).filter(|kind| !kind.is_templates() && !kind.is_inspections());
    let kind = kind.ok_or(AppError::NotFound)?;
    if kind.is_built_in() {
        let name = kind.key().to_owned();
        return Ok((kind, name));
    }
    let key = KindKey::parse(key).map_err(|_| AppError::NotFound)?;
    Ok((kind, find_in(connection, organization, &key)?.kind.plural))
}

fn fields_in(connection: &mut AnyConnection, organization: OrganizationId, kind: &ItemKind) -> Result<KindFields> {
    let (form, version) = kind_forms::find(connection, organization, kind)?.unwrap_or_default();
    Ok(KindFields { form, version, is_answered: items::has_any(connection, organization, kind)? })
}
