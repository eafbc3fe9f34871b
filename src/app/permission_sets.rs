//! Permission sets: created, changed and deleted by holders of *Platform management: Permission sets*.
//!
//! A change of a set changes what all its members and their tokens may do. So a change that affects somebody is only
//! saved after a preview. Every change of a set first locks the organization's row, so that only one transaction at a
//! time checks that nobody grants what they do not hold and that an administrator is left.

use super::{
    AppError, Jeton, Result,
    authority::Holder,
    problem::{Field, Problem, Problems},
};
use domain::{
    activity::{Action, Detail, Source},
    organization::PermissionSetId,
    permission::{Authority, BuiltInSet, ManagePermissionSets, OrgGrant, OwnPermissions, Permission, Permissions},
    permission_set::{SetMember, SetName, SetToken, StoredSet},
    text,
    time::Timestamp,
    token::Scope,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use storage::{
    AnyConnection, activity,
    epoch::{Fact, Touched},
    memberships, organizations, password_links,
    permission_sets::{self, Affected, Uses},
};

/// The maximum number of members that a page names.
pub const MOST_NAMES: usize = 10;
/// The maximum number of tokens that a preview names.
const MOST_TOKENS: usize = 50;

type Editor = Holder<ManagePermissionSets>;

/// A permission set and its members.
#[derive(Clone, Debug)]
pub struct SetInUse {
    /// The set.
    pub stored: StoredSet,
    /// How many members have it.
    pub uses: Uses,
    /// The first members by name, at most [`MOST_NAMES`]; empty in a list of sets.
    pub members: Vec<SetMember>,
}

impl SetInUse {
    /// Returns how many members have it, active or not.
    pub const fn count(&self) -> i64 {
        self.uses.active + self.uses.deactivated
    }

    /// Returns whether nobody has it, and nobody is invited with it.
    pub const fn is_unused(&self) -> bool {
        self.count() + self.uses.invited == 0
    }

    /// Returns whether it is one of the organization's own sets.
    pub const fn is_own(&self) -> bool {
        matches!(self.stored.set.name, SetName::Own(_))
    }
}

/// The form for a permission set, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SetForm {
    /// The name.
    pub name: String,
    /// Keys of permissions.
    #[serde(rename = "permission")]
    pub permissions: Vec<String>,
    /// For a change: the version of the set that was shown.
    pub version: String,
    /// [`Preview::affected`] of the preview that was shown; empty without one.
    pub affected: String,
    /// The password, if the form asked for it.
    pub password: Option<String>,
}

/// What a change of a permission set would do.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The set as it is.
    pub before: SetInUse,
    /// Its new name.
    pub name: String,
    /// Its new permissions.
    pub wanted: Permissions,
    /// The tokens that lose permissions, at most 50 of them, and which permissions.
    pub tokens: Vec<(SetToken, Permissions)>,
    /// How many tokens lose permissions.
    pub losing: i64,
    /// A digest of the affected members and of their tokens that lose permissions; empty if nobody is affected.
    pub affected: String,
}

impl Preview {
    /// Returns the permissions that the set would grant in addition.
    pub fn added(&self) -> Permissions {
        self.wanted.without(&self.before.stored.set.permissions)
    }

    /// Returns the permissions that the set would not grant any more.
    pub fn taken(&self) -> Permissions {
        self.before.stored.set.permissions.without(&self.wanted)
    }

    /// Returns whether the change affects nobody.
    pub const fn affects_nobody(&self) -> bool {
        self.affected.is_empty()
    }
}

/// Lists the permission sets of the organization, built-in ones first.
pub async fn list(jeton: &Jeton, at: &Editor) -> Result<Vec<SetInUse>> {
    let (organization, now) = (at.grant().organization(), jeton.clock.now());
    jeton
        .read(move |connection| {
            let uses = permission_sets::uses(connection, organization, now)?;
            let in_use = |stored: StoredSet| SetInUse {
                uses: uses.get(&stored.set.id).copied().unwrap_or_default(),
                members: Vec::new(),
                stored,
            };
            Ok(permission_sets::list(connection, organization)?.into_iter().map(in_use).collect())
        })
        .await
}

/// Returns a permission set of the organization.
///
/// # Errors
/// [`AppError::NotFound`] if it does not exist or belongs to another organization.
pub async fn find(jeton: &Jeton, at: &Editor, id: PermissionSetId) -> Result<SetInUse> {
    let (at, now) = (at.clone(), jeton.clock.now());
    jeton.read(move |connection| in_use(connection, &at, id, now)).await
}

/// Creates a permission set.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong: the name, or permissions that the caller does not hold.
pub async fn create(jeton: &Jeton, at: &Editor, form: SetForm, source: Source) -> Result<PermissionSetId> {
    let (_, wanted) = read(&form, at.grant().known())?;
    may_give(at.grant(), &wanted, Field::Permissions)?;
    let (at, now) = (at.clone(), jeton.clock.now());
    jeton
        .write(move |connection| {
            let grant = at.begin(connection)?;
            let (name, wanted) = read(&form, grant.known())?;
            may_give(&grant, &wanted, Field::Permissions)?;
            must_be_free(connection, &at, &name, None)?;
            let id = permission_sets::insert(connection, grant.organization(), &name, &wanted)?;
            let entry = at.entry(Action::PermissionSetCreated, now, &source);
            activity::insert(connection, &activity::Entry { target_name: Some(&name), ..entry })?;
            Ok(id)
        })
        .await
}

/// Returns what a change would do, without doing it.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Invalid`] with what is wrong, as [`change`] would find it.
pub async fn preview(jeton: &Jeton, at: &Editor, id: PermissionSetId, form: SetForm) -> Result<Preview> {
    let (at, now) = (at.clone(), jeton.clock.now());
    jeton
        .read(move |connection| {
            let before = in_use(connection, &at, id, now)?;
            is_newest(&form, &before.stored)?;
            let (name, wanted) = read(&form, at.grant().known())?;
            let change = Change { name: &name, wanted: &wanted };
            change.check(connection, &at, at.grant(), &before.stored)?;
            let (mut tokens, mut losing) = (Vec::new(), 0);
            for scope in Scope::ALL {
                let lost = lost(&before.stored, &wanted, scope);
                if !lost.is_empty() {
                    let room = MOST_TOKENS.saturating_sub(tokens.len()).try_into().unwrap_or(0);
                    let (first, count) = permission_sets::tokens(connection, id, scope, room)?;
                    tokens.extend(first.into_iter().map(|token| (token, lost.clone())));
                    losing += count;
                }
            }
            let affected = affected(connection, &before.stored, &wanted)?;
            Ok(Preview { before, name: name.clone(), wanted: wanted.clone(), tokens, losing, affected })
        })
        .await
}

/// Changes the name and the permissions of one of the organization's own sets. Permissions that the caller does not
/// hold may stay in the set or be removed, but not be added.
///
/// # Errors
/// [`AppError::NotFound`] for a set of another organization, or a built-in one; [`AppError::Invalid`] with what is
/// wrong: the name, permissions that the caller does not hold, a missing password if permissions are added, somebody
/// else's change in the meantime ([`Problem::ChangedMeanwhile`]), a change that affects others than the preview showed
/// ([`Problem::AffectedMeanwhile`]), or that nobody would be left who holds every permission.
pub async fn change(jeton: &Jeton, at: &Editor, id: PermissionSetId, form: SetForm, source: Source) -> Result<()> {
    let before = find(jeton, at, id).await?.stored;
    is_newest(&form, &before)?;
    let (_, wanted) = read(&form, at.grant().known())?;
    let added = wanted.without(&before.set.permissions);
    may_give(at.grant(), &added, Field::Permissions)?;
    if !added.is_empty() {
        crate::sessions::require_reauthentication(jeton, at.actor(), form.password.clone(), &source).await?;
    }
    let (at, now) = (at.clone(), jeton.clock.now());
    jeton
        .change_keys(move |connection| {
            let grant = at.begin(connection)?;
            let touched = Touched::from(Fact::SubjectsOf(grant.organization()));
            let before = permission_sets::find(connection, grant.organization(), id)?.ok_or(AppError::NotFound)?;
            is_newest(&form, &before)?;
            let (name, wanted) = read(&form, grant.known())?;
            Change { name: &name, wanted: &wanted }.check(connection, &at, &grant, &before)?;
            if before.set.name.as_str() == name && before.set.permissions == wanted {
                return Ok(((), touched));
            }
            if form.affected != affected(connection, &before, &wanted)? {
                return Err(Problems::one(Field::Form, Problem::AffectedMeanwhile).into());
            }
            permission_sets::update(connection, id, before.version, &name, &wanted)?;
            if !wanted.without(&before.set.permissions).is_empty() {
                // Links for a new password are deleted: whoever has one may not be allowed to create it any more.
                password_links::delete_for_set(connection, id)?;
            }
            if before.set.is_administrators(grant.known())
                && !memberships::has_administrator(connection, grant.organization(), None)?
            {
                return Err(Problems::one(Field::Permissions, Problem::LastAdministrator).into());
            }
            let detail = Detail::permissions(&before.set.permissions, &wanted);
            let entry = at.entry(Action::PermissionSetChanged, now, &source);
            let entry = activity::Entry { target_name: Some(&name), detail: Some(detail), ..entry };
            Ok((activity::insert(connection, &entry)?, touched))
        })
        .await
}

/// Deletes one of the organization's own sets that is not in use. Returns its name.
///
/// # Errors
/// [`AppError::NotFound`] for a set of another organization, or a built-in one; [`AppError::Invalid`] with
/// [`Problem::InUse`] while a member has it, active or not, or somebody is invited with it.
pub async fn delete(jeton: &Jeton, at: &Editor, id: PermissionSetId, source: Source) -> Result<String> {
    let (at, now) = (at.clone(), jeton.clock.now());
    jeton
        .write(move |connection| {
            let grant = at.begin(connection)?;
            let set = in_use(connection, &at, id, now)?;
            let SetName::Own(name) = &set.stored.set.name else { return Err(AppError::NotFound) };
            if !set.is_unused() {
                return Err(Problems::one(Field::Form, Problem::InUse).into());
            }
            let reader = organizations::built_in_set(connection, grant.organization(), BuiltInSet::Reader)?;
            permission_sets::delete(connection, id, reader, now)?;
            let entry = at.entry(Action::PermissionSetDeleted, now, &source);
            activity::insert(connection, &activity::Entry { target_name: Some(name), ..entry })?;
            Ok(name.clone())
        })
        .await
}

fn in_use(connection: &mut AnyConnection, at: &Editor, id: PermissionSetId, now: Timestamp) -> Result<SetInUse> {
    let organization = at.grant().organization();
    let stored = permission_sets::find(connection, organization, id)?.ok_or(AppError::NotFound)?;
    let uses = permission_sets::uses(connection, organization, now)?.remove(&id).unwrap_or_default();
    let members = permission_sets::members(connection, id, i64::try_from(MOST_NAMES).unwrap_or(i64::MAX))?;
    Ok(SetInUse { stored, uses, members })
}

/// A requested change.
struct Change<'a> {
    name: &'a str,
    wanted: &'a Permissions,
}

impl Change<'_> {
    /// Checks whether a caller with `grant` may make the change to the current set.
    fn check(
        &self,
        connection: &mut AnyConnection,
        at: &Editor,
        grant: &OrgGrant<ManagePermissionSets>,
        before: &StoredSet,
    ) -> Result<()> {
        if matches!(before.set.name, SetName::BuiltIn(_)) {
            return Err(AppError::NotFound);
        }
        may_give(grant, &self.wanted.without(&before.set.permissions), Field::Permissions)?;
        must_be_free(connection, at, self.name, Some(before.set.id))
    }
}

/// Checks that nobody has changed the set since the form was opened. This comes first: a kind may have gone meanwhile,
/// and its permissions with it.
fn is_newest(form: &SetForm, before: &StoredSet) -> Result<()> {
    if form.version.parse() == Ok(before.version) {
        Ok(())
    } else {
        Err(Problems::one(Field::Form, Problem::ChangedMeanwhile).into())
    }
}

/// Returns the permissions that a token with this scope loses if its owner has the set.
fn lost(before: &StoredSet, wanted: &Permissions, scope: Scope) -> Permissions {
    before.set.permissions.within(scope).without(&wanted.within(scope))
}

/// Returns [`Preview::affected`]: a digest of whom a preview affects, which a page can include.
fn affected(connection: &mut AnyConnection, before: &StoredSet, wanted: &Permissions) -> Result<String> {
    let losing: Vec<Scope> = Scope::ALL.into_iter().filter(|scope| !lost(before, wanted, *scope).is_empty()).collect();
    let affected = permission_sets::affected(connection, before.set.id, &losing)?;
    if affected.members.is_empty() || before.set.permissions == *wanted {
        return Ok(String::new());
    }
    Ok(hex::encode(Sha256::digest(listed(&affected))))
}

/// Whom a change affects, as text: nodes of different versions must write it alike.
fn listed(affected: &Affected) -> String {
    let members = affected.members.iter().map(|(id, is_active)| format!("{} {is_active}\n", id.0));
    members.chain(affected.tokens.iter().map(|id| format!("token {}\n", id.0))).collect()
}

/// Reads the name and the permissions of a form, in an organization that has added `known`.
fn read(form: &SetForm, known: &OwnPermissions) -> Result<(String, Permissions)> {
    let mut problems = Problems::default();
    let name = problems.check(Field::SetName, text::line(&form.name));
    let wanted = problems.check(Field::Permissions, chosen(&form.permissions, known));
    if name.as_ref().is_some_and(|name| BuiltInSet::has_name(name)) {
        problems.check(Field::SetName, Err::<(), _>(Problem::NameTaken));
    }
    match (name, wanted) {
        (Some(name), Some(wanted)) if problems == Problems::default() => Ok((name, wanted)),
        _ => Err(problems.into()),
    }
}

/// Checks that no other set of the organization has this name, ignoring case.
fn must_be_free(connection: &mut AnyConnection, at: &Editor, name: &str, own: Option<PermissionSetId>) -> Result<()> {
    let name = text::fold(name);
    let all = permission_sets::list(connection, at.grant().organization())?;
    let is_taken = all.iter().any(|other| Some(other.set.id) != own && text::fold(other.set.name.as_str()) == name);
    if is_taken { Err(Problems::one(Field::SetName, Problem::NameTaken).into()) } else { Ok(()) }
}

/// Returns the permissions with these keys, in an organization that has added `known`; there must be at least one, and
/// no unknown one.
pub(super) fn chosen(keys: &[String], known: &OwnPermissions) -> std::result::Result<Permissions, Problem> {
    let all: Option<Permissions> = keys.iter().map(|key| Permission::of(key, known)).collect();
    match all {
        None => Err(Problem::NotAChoice),
        Some(none) if none.is_empty() => Err(Problem::NothingChosen),
        Some(some) => Ok(some),
    }
}

/// Checks that the caller holds everything that they want to grant.
pub(super) fn may_give<A: Authority>(grant: &OrgGrant<A>, wanted: &Permissions, field: Field) -> Result<()> {
    grant.may_give(wanted).map_err(|lacking| Problems::one(field, Problem::NotHeld(lacking)).into())
}
