//! Requests about one item: `{item}` in the path of a rule stands for the item's external id.
//!
//! Only the external id, as the API behind the proxy knows its records by no other id of Jeton's: where one item's
//! external id is another's public id, accepting both would decide about the wrong one.

use super::{Closed, Rule, word::Word};
use crate::{
    access::{Demand, Level},
    item::{ExternalId, ItemKind},
    kind::CommonAction,
    permission::{OwnPermissions, Permission},
};

/// What a request to a protected API needs: of its token, and on the item in its path, if there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demanded {
    /// What its token needs.
    pub demand: Demand,
    /// What its subject needs on an item.
    pub item: Option<ItemDemand>,
}

/// A level on an item of the organization of a protected API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemDemand {
    /// The kind of the item.
    pub kind: ItemKind,
    /// What stands in the path.
    id: String,
    uses: Vec<Use>,
}

/// What is to be done with the item.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Use {
    permission: Option<Permission>,
    write: bool,
}

impl From<Demand> for Demanded {
    fn from(demand: Demand) -> Self {
        Self { demand, item: None }
    }
}

impl Demanded {
    /// Returns what both this and `other` need.
    ///
    /// # Errors
    /// [`Closed::Ambiguous`] if they are about two items.
    pub fn and(self, other: Self) -> Result<Self, Closed> {
        let item = match (self.item, other.item) {
            (Some(one), Some(other)) => Some(one.and(other)?),
            (one, other) => one.or(other),
        };
        Ok(Self { demand: self.demand.and(&other.demand), item })
    }
}

impl ItemDemand {
    /// Creates what a rule needs on the item that this part of a path names.
    ///
    /// # Errors
    /// [`Closed::Ambiguous`] if a server might read another id.
    pub(super) fn new(rule: &Rule, kind: &ItemKind, part: &Word, write: bool) -> Result<Self, Closed> {
        if !part.is_canonical() {
            return Err(Closed::Ambiguous);
        }
        let uses = vec![Use { permission: rule.permission.clone(), write }];
        Ok(Self { kind: kind.clone(), id: part.as_str().to_owned(), uses })
    }

    fn and(mut self, other: Self) -> Result<Self, Closed> {
        if (&self.kind, &self.id) != (&other.kind, &other.id) {
            return Err(Closed::Ambiguous);
        }
        self.uses.extend(other.uses);
        Ok(self)
    }

    /// Returns the external id of the item; `None` if no item can have it.
    pub fn id(&self) -> Option<ExternalId> {
        ExternalId::parse(&self.id).ok()
    }

    /// Returns the level that is needed, in an organization that has added `known`.
    pub fn level(&self, known: &OwnPermissions) -> Level {
        let level = |one: &Use| {
            let of_permission = one.permission.as_ref().and_then(|permission| level_of(permission, &self.kind, known));
            of_permission.unwrap_or(if one.write { Level::Edit } else { Level::View })
        };
        self.uses.iter().map(level).max().unwrap_or(Level::Manage)
    }
}

/// Returns the level on items of a kind that the action of a permission needs, in an organization that has added
/// `known`; `None` if the permission is about something else.
pub fn level_of(permission: &Permission, kind: &ItemKind, known: &OwnPermissions) -> Option<Level> {
    match permission {
        Permission::BuiltIn(permission) => permission.level().filter(|_| permission.group().key() == kind.key()),
        Permission::Own(permission) => {
            let (of, action) = permission.parts();
            let reads = || known.get(permission.key()).is_some_and(|known| known.reads());
            let level = match CommonAction::from_key(action) {
                Some(action) => action.level(),
                None if reads() => Level::View,
                None => Level::Edit,
            };
            (of == kind.key()).then_some(level)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(key: &str) -> ItemKind {
        ItemKind::parse(key).unwrap()
    }

    fn about(id: &str, permission: &str, write: bool) -> Result<ItemDemand, Closed> {
        let uses = vec![Use { permission: Permission::named(permission), write }];
        Ok(ItemDemand { kind: kind("invoices"), id: id.to_owned(), uses })
    }

    #[test]
    fn the_action_of_the_permission_decides_about_the_level() {
        let known = OwnPermissions::parse("invoices.view:r invoices.print:r invoices.approve lines.view:r");
        for (permission, level) in [
            ("invoices.view", Some(Level::View)),
            ("invoices.print", Some(Level::View)),
            ("invoices.approve", Some(Level::Edit)),
            ("invoices.edit", Some(Level::Edit)),
            ("invoices.delete", Some(Level::Manage)),
            ("invoices.share", Some(Level::Manage)),
            ("lines.view", None),
            ("templates.view", None),
            ("platform.users", None),
        ] {
            let named = Permission::named(permission).unwrap();
            assert_eq!(level_of(&named, &kind("invoices"), &known), level, "{permission}");
            for (write, by_method) in [(false, Level::View), (true, Level::Edit)] {
                let demanded = about("7", permission, write).unwrap().level(&known);
                assert_eq!(demanded, level.unwrap_or(by_method), "{permission}");
            }
        }
        let conduct = Permission::named("inspections.conduct").unwrap();
        assert_eq!(level_of(&conduct, &kind("inspections"), &known), Some(Level::Edit));
        assert_eq!(about("7", "", true).unwrap().level(&known), Level::Edit);
    }

    #[test]
    fn what_is_asked_twice_needs_the_higher_level_and_concerns_one_item() {
        let both = about("7", "invoices.view", false).and_then(|one| one.and(about("7", "invoices.delete", true)?));
        assert_eq!(both.unwrap().level(&OwnPermissions::default()), Level::Manage);
        let two = about("7", "", false).and_then(|one| one.and(about("8", "", false)?));
        assert_eq!(two, Err(Closed::Ambiguous));
        let none = Demanded::from(Demand { write: true, ..Demand::default() });
        let one = Demanded { item: about("7", "", false).ok(), ..Demanded::default() };
        let both = none.and(one).unwrap();
        assert!(both.demand.write && both.item.is_some());
    }

    #[test]
    fn no_item_has_an_id_that_is_too_long() {
        assert!(about(&"é".repeat(255), "", false).unwrap().id().is_some());
        assert_eq!(about(&"é".repeat(256), "", false).unwrap().id(), None);
    }
}
