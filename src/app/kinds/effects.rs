//! Whom a change of a kind takes something from, and what it lets read-only tokens do.

use super::{Editor, OwnPermission, OwnPermissions, permissions};
use crate::Result;
use domain::{
    activity::{Action, Detail, Source},
    kind::Kind,
    organization::OrganizationId,
    permission::Permissions,
    permission_set::SetName,
    time::Timestamp,
    token::Scope,
};
use sha2::{Digest, Sha256};
use storage::{
    AnyConnection, activity, permission_sets, protected_apis,
    tokens::service_users::{self, Holding},
};

/// What a change of a kind does to those who hold its permissions.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// The permissions that go.
    pub gone: OwnPermissions,
    /// Those that read-only tokens do not get any more, as they now change something.
    pub not_read: OwnPermissions,
    /// Those that read-only tokens get, as they now only read.
    pub now_read: OwnPermissions,
    /// The permission sets that lose any of these, built-in ones first.
    pub sets: Vec<SetLoss>,
    /// The service users with any of those that go, by name.
    pub service_users: Vec<ServiceUserLoss>,
    /// The names of the protected APIs with a rule that asks for one that goes: it then lets nobody through.
    pub apis: Vec<String>,
}

/// What a permission set loses.
#[derive(Clone, Debug)]
pub struct SetLoss {
    /// Its name.
    pub name: SetName,
    /// How many active members have it.
    pub users: i64,
    /// How many of their tokens lose something.
    pub tokens: i64,
    /// What it loses: for its read-only tokens alone if nothing goes.
    pub lost: OwnPermissions,
}

/// What a service user loses.
#[derive(Clone, Debug)]
pub struct ServiceUserLoss {
    /// Its public id.
    pub public_id: String,
    /// Its name.
    pub name: String,
    /// Whether its token is active.
    pub is_active: bool,
    /// What it loses.
    pub lost: OwnPermissions,
}

impl Effects {
    /// Returns whether nothing needs to be shown.
    pub fn is_empty(&self) -> bool {
        self.now_read.is_empty() && self.sets.is_empty() && self.service_users.is_empty() && self.apis.is_empty()
    }

    /// Returns a digest of them, which a page can include; empty if there are none.
    pub fn digest(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        let sets = self.sets.iter().map(|set| format!("set {}: {}\n", set.name.as_str(), set.lost.to_text()));
        let users = self.service_users.iter().map(|user| format!("user {}: {}\n", user.public_id, user.lost.to_text()));
        let apis = self.apis.iter().map(|name| format!("api {name}\n"));
        let now_read = format!("reads {}\n", self.now_read.to_text());
        hex::encode(Sha256::digest(sets.chain(users).chain(apis).chain([now_read]).collect::<String>()))
    }
}

/// What a change of a kind takes away.
pub(super) struct Change {
    gone: OwnPermissions,
    not_read: OwnPermissions,
    now_read: OwnPermissions,
}

impl Change {
    pub(super) fn between(before: &Kind, wanted: &Kind) -> Self {
        let (had, has) = (permissions([before]), permissions([wanted]));
        let reads = |all: &OwnPermissions, one: &OwnPermission| all.get(one.key()).is_some_and(OwnPermission::reads);
        let not_read = had.filter(|one| one.reads() && has.get(one.key()).is_some() && !reads(&has, one));
        let now_read = has.filter(|one| one.reads() && had.get(one.key()).is_some() && !reads(&had, one));
        Self { gone: had.without(&has), not_read, now_read }
    }

    pub(super) fn deletion(kind: &Kind) -> Self {
        let none = OwnPermissions::default;
        Self { gone: permissions([kind]), not_read: none(), now_read: none() }
    }

    pub(super) fn effects(&self, connection: &mut AnyConnection, organization: OrganizationId) -> Result<Effects> {
        let unseen = Effects {
            gone: self.gone.clone(),
            not_read: self.not_read.clone(),
            now_read: self.now_read.clone(),
            ..Effects::default()
        };
        if self.gone.is_empty() && self.not_read.is_empty() {
            return Ok(unseen);
        }
        let mut sets = Vec::new();
        for stored in permission_sets::list(connection, organization)? {
            let held = stored.set.permissions.own();
            let lost = |which: &OwnPermissions| held.filter(|one| which.get(one.key()).is_some());
            let (gone, not_read) = (lost(&self.gone), lost(&self.not_read));
            // A read-only token never had what changes something.
            let reading = gone.filter(OwnPermission::reads).with(&not_read);
            let losing = [(Scope::ReadOnly, &reading), (Scope::ReadWrite, &gone)];
            let lost = gone.with(&not_read);
            if lost.is_empty() {
                continue;
            }
            let mut tokens = 0;
            for (scope, _) in losing.into_iter().filter(|(_, lost)| !lost.is_empty()) {
                tokens += permission_sets::tokens(connection, stored.set.id, scope, 0)?.1;
            }
            let members = permission_sets::affected(connection, stored.set.id, &[])?.members;
            let users = members.iter().filter(|(_, is_active)| *is_active).count();
            let users = i64::try_from(users).unwrap_or(i64::MAX);
            sets.push(SetLoss { name: stored.set.name, users, tokens, lost });
        }
        let users = service_users::holdings(connection, organization)?.into_iter().filter_map(|user| {
            let lost = self.held_by(&user.permissions);
            let Holding { public_id, name, is_active, .. } = user;
            (!lost.is_empty()).then_some(ServiceUserLoss { public_id, name, is_active, lost })
        });
        let service_users = users.collect();
        let apis = protected_apis::asking_for(connection, organization, &self.gone)?;
        Ok(Effects { sets, service_users, apis, ..unseen })
    }

    /// Returns which of those that go are among `permissions`.
    fn held_by(&self, permissions: &Permissions) -> OwnPermissions {
        permissions.own().filter(|one| self.gone.get(one.key()).is_some())
    }

    /// Takes the permissions that go from the permission sets and the service users, so that a later action of the same
    /// key gives them nothing, and records it. The built-in sets are as the organization's kinds are.
    pub(super) fn take_away(
        &self,
        connection: &mut AnyConnection,
        by: &Editor,
        now: Timestamp,
        source: &Source,
    ) -> Result<()> {
        let organization = by.organization();
        for stored in permission_sets::list(connection, organization)? {
            let SetName::Own(name) = &stored.set.name else { continue };
            let Some(left) = self.left(&stored.set.permissions) else { continue };
            permission_sets::update(connection, stored.set.id, stored.version, name, &left)?;
            let detail = Some(Detail::permissions(&stored.set.permissions, &left));
            let entry = by.entry(Action::PermissionSetChanged, now, source);
            activity::insert(connection, &activity::Entry { target_name: Some(name), detail, ..entry })?;
        }
        for user in service_users::holdings(connection, organization)? {
            let Some(left) = self.left(&user.permissions) else { continue };
            service_users::set_permissions(connection, user.id, user.version, &left)?;
            let detail = Some(Detail::permissions(&user.permissions, &left));
            let (token, entry) =
                (Some((&*user.public_id, &*user.name)), by.entry(Action::TokenPermissionsChanged, now, source));
            activity::insert(connection, &activity::Entry { token, detail, ..entry })?;
        }
        Ok(())
    }

    /// Returns what is left of permissions; none if they stay as they are.
    fn left(&self, permissions: &Permissions) -> Option<Permissions> {
        let lost = self.held_by(permissions);
        (!lost.is_empty()).then(|| permissions.without(&lost.into()))
    }
}
