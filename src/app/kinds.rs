//! Kinds: created, changed and deleted by holders of *Platform management: Kinds*, on pages and through the API.
//!
//! The actions of a kind become permissions. So a change of a kind is a change of authority: administrators hold new
//! ones at once, and those that go leave the permission sets and the service users in the same transaction. Whoever
//! takes something from somebody by a page has seen from whom ([`Effects`]).

mod effects;
mod fields;
mod form;

pub use effects::{Effects, ServiceUserLoss, SetLoss};
pub use fields::{KindFields, change_fields, fields};
pub use form::{CHANGES, KindForm, READS, TypedAction};

use super::{
    AppError, Jeton, Result,
    authority::Caller,
    problem::{Field, Problem, Problems},
};
use domain::{
    activity::{Action, Detail, Source},
    item::ItemKind,
    kind::{Kind, KindKey, MOST_KINDS, StoredKind, is_name_of_built_in, permissions},
    organization::OrganizationId,
    permission::{BuiltInSet, ManageKinds, OwnPermission, OwnPermissions},
    text,
    time::Timestamp,
};
use effects::Change;
use storage::{
    AnyConnection, access_rules, activity, items, kind_forms, kinds, memberships, organizations, password_links,
};

type Editor = Caller<ManageKinds>;

/// Lists the own kinds of an organization by name.
pub async fn list(jeton: &Jeton, organization: OrganizationId) -> Result<Vec<StoredKind>> {
    jeton.read(move |connection| Ok(kinds::list(connection, organization)?)).await
}

/// Returns an own kind of an organization.
///
/// # Errors
/// [`AppError::NotFound`] if it has none with this key.
pub async fn find(jeton: &Jeton, organization: OrganizationId, key: &str) -> Result<StoredKind> {
    let key = known_form(key)?;
    jeton.read(move |connection| find_in(connection, organization, &key)).await
}

/// Creates a kind, and returns it.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong: a field, or that there are already [`MOST_KINDS`].
pub async fn create(jeton: &Jeton, by: &Editor, form: KindForm, source: Source) -> Result<StoredKind> {
    let kind = form.read(None)?;
    let (by, now) = (by.clone(), jeton.clock.now());
    jeton
        .change_authority(move |connection| {
            by.begin(connection, now)?;
            let organization = by.organization();
            let all = kinds::list(connection, organization)?;
            if all.len() >= MOST_KINDS {
                return Err(Problems::one(Field::Form, Problem::TooManyKinds).into());
            }
            must_be_free(&all, &kind, None)?;
            kinds::insert(connection, organization, &kind, now)?;
            let added = permissions([&kind]);
            give_to_administrators(connection, organization)?;
            write_entry(
                connection,
                &by,
                Action::KindCreated,
                &kind,
                (&OwnPermissions::default(), &added),
                now,
                &source,
            )?;
            find_in(connection, organization, &kind.key)
        })
        .await
}

/// Returns whom a change of a kind takes something from, without doing it.
///
/// # Errors
/// As [`change`] would find them.
pub async fn preview(jeton: &Jeton, by: &Editor, key: &str, form: KindForm) -> Result<(StoredKind, Effects)> {
    let (organization, key) = (by.organization(), known_form(key)?);
    jeton
        .read(move |connection| {
            let before = find_in(connection, organization, &key)?;
            let wanted = checked(connection, organization, &before, &form)?;
            let effects = Change::between(&before.kind, &wanted).effects(connection, organization)?;
            Ok((before, effects))
        })
        .await
}

/// Changes the names and the own actions of a kind. Returns the kind as it is then.
///
/// # Errors
/// [`AppError::NotFound`] if the organization has no such kind; [`AppError::Invalid`] with what is wrong: a field,
/// somebody else's change in the meantime ([`Problem::ChangedMeanwhile`]), a change that takes something from others
/// than the page showed ([`Problem::AffectedMeanwhile`]), or a missing password if read-only tokens get a permission.
pub async fn change(jeton: &Jeton, by: &Editor, key: &str, form: KindForm, source: Source) -> Result<StoredKind> {
    let (_, effects) = preview(jeton, by, key, form.clone()).await?;
    // This lets read-only tokens do what they could not. A program has no password.
    if let (Some(member), false) = (by.member(), effects.now_read.is_empty()) {
        crate::sessions::require_reauthentication(jeton, member.actor(), form.password.clone(), &source).await?;
    }
    let (by, now, key) = (by.clone(), jeton.clock.now(), known_form(key)?);
    jeton
        .change_authority(move |connection| {
            by.begin(connection, now)?;
            let organization = by.organization();
            let before = find_in(connection, organization, &key)?;
            let wanted = checked(connection, organization, &before, &form)?;
            if wanted == before.kind {
                return Ok(before);
            }
            let change = Change::between(&before.kind, &wanted);
            must_be_shown(connection, &by, &change, &form.affected)?;
            change.take_away(connection, &by, now, &source)?;
            kinds::update(connection, organization, before.id, &wanted)?;
            let (had, has) = (permissions([&before.kind]), permissions([&wanted]));
            if !has.without(&had).is_empty() {
                give_to_administrators(connection, organization)?;
            }
            write_entry(connection, &by, Action::KindChanged, &wanted, (&had, &has), now, &source)?;
            find_in(connection, organization, &key)
        })
        .await
}

/// Returns a kind, and whom its deletion takes something from, without doing it.
///
/// # Errors
/// [`AppError::NotFound`] if the organization has no such kind.
pub async fn deletion(jeton: &Jeton, by: &Editor, key: &str) -> Result<(StoredKind, Effects)> {
    let (organization, key) = (by.organization(), known_form(key)?);
    jeton
        .read(move |connection| {
            let before = find_in(connection, organization, &key)?;
            let effects = Change::deletion(&before.kind).effects(connection, organization)?;
            Ok((before, effects))
        })
        .await
}

/// Deletes a kind that has no items, and returns it. `affected` is what [`Effects::digest`] said of the page that was
/// shown.
///
/// # Errors
/// [`AppError::NotFound`] if the organization has no such kind; [`AppError::Invalid`] with
/// [`Problem::AffectedMeanwhile`] if it takes something from others than the page showed, or [`Problem::HasItems`].
pub async fn delete(jeton: &Jeton, by: &Editor, key: &str, affected: Option<String>, source: Source) -> Result<Kind> {
    let (by, now, key) = (by.clone(), jeton.clock.now(), known_form(key)?);
    jeton
        .change_authority(move |connection| {
            by.begin(connection, now)?;
            let organization = by.organization();
            // The lock on the organization, which whoever adds an item takes too, is where to ask whether it has any.
            let before = find_in(connection, organization, &key)?;
            forget_kind(connection, organization, &before.kind)?;
            let change = Change::deletion(&before.kind);
            must_be_shown(connection, &by, &change, &affected)?;
            change.take_away(connection, &by, now, &source)?;
            kinds::delete(connection, organization, before.id)?;
            let (had, has) = (permissions([&before.kind]), OwnPermissions::default());
            write_entry(connection, &by, Action::KindDeleted, &before.kind, (&had, &has), now, &source)?;
            Ok(before.kind)
        })
        .await
}

/// Checks that a kind has no items, and deletes what is said about them: its fields and its access rules.
fn forget_kind(connection: &mut AnyConnection, organization: OrganizationId, kind: &Kind) -> Result<()> {
    let kind = ItemKind::parse(kind.key.as_str()).ok_or(AppError::NotFound)?;
    if items::has_any(connection, organization, &kind)? {
        return Err(Problems::one(Field::Form, Problem::HasItems).into());
    }
    access_rules::forget_kind(connection, organization, &kind)?;
    Ok(kind_forms::delete(connection, organization, &kind)?)
}

fn known_form(key: &str) -> Result<KindKey> {
    KindKey::parse(key).map_err(|_| AppError::NotFound)
}

fn find_in(connection: &mut AnyConnection, organization: OrganizationId, key: &KindKey) -> Result<StoredKind> {
    let mut all = kinds::list(connection, organization)?.into_iter();
    all.find(|stored| stored.kind.key == *key).ok_or(AppError::NotFound)
}

/// Reads a form that changes `before`.
fn checked(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    before: &StoredKind,
    form: &KindForm,
) -> Result<Kind> {
    if form.version.parse() != Ok(before.version) {
        return Err(Problems::one(Field::Form, Problem::ChangedMeanwhile).into());
    }
    let wanted = form.read(Some(&before.kind))?;
    must_be_free(&kinds::list(connection, organization)?, &wanted, Some(before.id))?;
    Ok(wanted)
}

/// Checks that no other kind has the key or the name, ignoring case.
fn must_be_free(all: &[StoredKind], kind: &Kind, own: Option<i64>) -> Result<()> {
    let mut problems = Problems::default();
    let mut others = all.iter().filter(|other| Some(other.id) != own);
    let name = text::fold(&kind.plural);
    if is_name_of_built_in(&kind.plural) || others.clone().any(|other| text::fold(&other.kind.plural) == name) {
        problems.check(Field::Plural, Err::<(), _>(Problem::NameTaken));
    }
    if others.any(|other| other.kind.key == kind.key) {
        problems.check(Field::Key, Err::<(), _>(Problem::KeyTaken));
    }
    Ok(problems.none()?)
}

/// Checks that a page has shown whom a change takes something from. A program asks without one.
fn must_be_shown(
    connection: &mut AnyConnection,
    by: &Editor,
    change: &Change,
    affected: &Option<String>,
) -> Result<()> {
    let Some(shown) = affected else { return Ok(()) };
    let effects = change.effects(connection, by.organization())?;
    if effects.digest() == *shown { Ok(()) } else { Err(Problems::one(Field::Form, Problem::AffectedMeanwhile).into()) }
}

/// Checks that somebody holds the new permissions: the active administrators. If nobody did, nobody could ever grant
/// them.
fn give_to_administrators(connection: &mut AnyConnection, organization: OrganizationId) -> Result<()> {
    if !memberships::has_administrator(connection, organization, None)? {
        return Err(Problems::one(Field::Form, Problem::NobodyWouldHold).into());
    }
    // Links for a new password are deleted: whoever has one may not be allowed to create it any more.
    let administrators = organizations::built_in_set(connection, organization, BuiltInSet::Administrator)?;
    Ok(password_links::delete_for_set(connection, administrators)?)
}

fn write_entry(
    connection: &mut AnyConnection,
    by: &Editor,
    action: Action,
    kind: &Kind,
    (had, has): (&OwnPermissions, &OwnPermissions),
    now: Timestamp,
    source: &Source,
) -> Result<()> {
    let entry = by.entry(action, now, source);
    let entry = activity::Entry { target_name: Some(&kind.plural), detail: Detail::kind(had, has), ..entry };
    Ok(activity::insert(connection, &entry)?)
}
