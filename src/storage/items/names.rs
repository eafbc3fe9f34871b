//! The names of what items refer to, for a page of them at once.

use crate::{
    AnyConnection, Result,
    schema::{items, memberships, organizations, service_users, sites, users},
};
use diesel::prelude::*;
use domain::{
    access::{SiteId, SubjectId},
    item::{Item, ItemId},
    organization::{MembershipId, OrganizationId, ServiceUserId},
};
use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

/// What something is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// For programs: a public id, or the name of a subject, such as `membership:12`.
    pub id: String,
    /// For people.
    pub name: String,
}

/// The names of what some items refer to.
#[derive(Clone, Debug, Default)]
pub struct Names {
    owners: HashMap<SubjectId, Named>,
    sites: HashMap<SiteId, Named>,
    templates: HashMap<ItemId, Named>,
    organizations: HashMap<OrganizationId, Named>,
}

impl Names {
    /// Returns the owner of an item; `None` if nobody owns it.
    pub fn owner(&self, item: &Item) -> Option<&Named> {
        self.owners.get(&item.owner?)
    }

    /// Returns the site that an item is at.
    pub fn site(&self, item: &Item) -> Option<&Named> {
        self.sites.get(&item.site?)
    }

    /// Returns the template of an inspection.
    pub fn template(&self, item: &Item) -> Option<&Named> {
        self.templates.get(&item.template?)
    }

    /// Returns the organization of an item.
    pub fn organization(&self, item: &Item) -> Option<&Named> {
        self.organizations.get(&item.organization)
    }
}

type Row = (i64, String, String);

/// Reads the names of what these items refer to.
pub fn names<'a>(connection: &mut AnyConnection, of: impl Iterator<Item = &'a Item> + Clone) -> Result<Names> {
    let owner = |item: &Item| item.owner;
    let member = |item: &Item| match owner(item) {
        Some(SubjectId::Membership(id)) => Some(id.0),
        _ => None,
    };
    let service_user = |item: &Item| match owner(item) {
        Some(SubjectId::ServiceUser(id)) => Some(id.0),
        _ => None,
    };
    let mut names = Names::default();
    let members: Vec<(i64, String)> = match ids(of.clone().filter_map(member)) {
        ids if ids.is_empty() => Vec::new(),
        ids => memberships::table
            .inner_join(users::table)
            .filter(memberships::id.eq_any(ids))
            .select((memberships::id, users::name))
            .load(connection)?,
    };
    for (id, name) in members {
        let named = Named { id: format!("membership:{id}"), name };
        names.owners.insert(SubjectId::Membership(MembershipId(id)), named);
    }
    let service_users: Vec<Row> = match ids(of.clone().filter_map(service_user)) {
        ids if ids.is_empty() => Vec::new(),
        ids => service_users::table
            .filter(service_users::id.eq_any(ids))
            .select((service_users::id, service_users::public_id, service_users::name))
            .load(connection)?,
    };
    for (id, public_id, name) in service_users {
        let named = Named { id: format!("service_user:{public_id}"), name };
        names.owners.insert(SubjectId::ServiceUser(ServiceUserId(id)), named);
    }
    let at: Vec<Row> = match ids(of.clone().filter_map(|item| Some(item.site?.0))) {
        ids if ids.is_empty() => Vec::new(),
        ids => sites::table
            .filter(sites::id.eq_any(ids))
            .select((sites::id, sites::public_id, sites::name))
            .load(connection)?,
    };
    names.sites = named(at, SiteId);
    let templates: Vec<Row> = match ids(of.clone().filter_map(|item| Some(item.template?.0))) {
        ids if ids.is_empty() => Vec::new(),
        ids => items::table
            .filter(items::id.eq_any(ids))
            .select((items::id, items::public_id, items::name))
            .load(connection)?,
    };
    names.templates = named(templates, ItemId);
    let all: Vec<Row> = organizations::table
        .filter(organizations::id.eq_any(ids(of.map(|item| item.organization.0))))
        .select((organizations::id, organizations::public_id, organizations::name))
        .load(connection)?;
    names.organizations = named(all, OrganizationId);
    Ok(names)
}

fn ids(all: impl Iterator<Item = i64>) -> Vec<i64> {
    all.collect::<BTreeSet<_>>().into_iter().collect()
}

fn named<K: Eq + Hash>(rows: Vec<Row>, key: impl Fn(i64) -> K) -> HashMap<K, Named> {
    rows.into_iter().map(|(id, public_id, name)| (key(id), Named { id: public_id, name })).collect()
}
