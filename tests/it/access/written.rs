//! Random worlds in a database: many at once, each with rows of its own.

use diesel::{RunQueryDsl, connection::SimpleConnection, sql_query};
use domain::{
    access::{Recipient, SubjectId},
    item::{ExternalId, Item, ItemId},
    organization::{MembershipId, OrganizationId, ServiceUserId},
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};
use storage::AnyConnection;
use test_worlds::World;

/// No world has as many rows in a table.
const ROOM: i64 = 100;

/// How many rows a statement writes.
const TOGETHER: usize = 500;

/// A world whose rows have the numbers that follow `offset`.
pub struct Written {
    /// The world.
    pub world: World,
    /// What is added to each number of a row.
    pub offset: i64,
}

impl Written {
    /// Returns the subject of the world as the database knows it.
    pub fn subject(&self, id: SubjectId) -> SubjectId {
        match id {
            SubjectId::Membership(MembershipId(id)) => SubjectId::Membership(MembershipId(self.row(id))),
            SubjectId::ServiceUser(ServiceUserId(id)) => SubjectId::ServiceUser(ServiceUserId(self.row(id))),
        }
    }

    /// Returns an organization of the world as the database knows it.
    pub fn organization(&self, id: OrganizationId) -> OrganizationId {
        OrganizationId(self.row(id.0))
    }

    /// Returns the row of an item.
    pub fn item(&self, id: ItemId) -> ItemId {
        ItemId(self.row(id.0))
    }

    /// Returns the external id of an item.
    pub fn external_id(&self, id: ItemId) -> ExternalId {
        ExternalId::parse(&format!("x{}", self.row(id.0))).expect("an external id")
    }

    /// Returns which item of the world a row is.
    pub fn known(&self, id: ItemId) -> ItemId {
        ItemId(id.0 - self.offset)
    }

    /// When an item was changed: several share a second.
    pub fn modified_at(id: ItemId) -> Timestamp {
        Timestamp::from_seconds(1_000 + id.0 * 7 % 4)
    }

    /// Whether an item is archived.
    pub fn is_archived(id: ItemId) -> bool {
        id.0 % 5 == 0
    }

    /// The row of an item without anything that access does not depend on.
    pub fn stored(&self, item: &test_worlds::Item) -> Item {
        Item {
            id: self.item(item.id),
            public_id: String::new(),
            organization: self.organization(item.organization),
            kind: item.kind.clone(),
            external_id: None,
            name: String::new(),
            owner: item.owner.map(|owner| self.subject(owner)),
            site: item.site.map(|site| domain::access::SiteId(self.row(site.0))),
            template: item.template.map(|template| self.item(template)),
            archived_at: None,
            finished_at: None,
            version: 1,
            created_at: Timestamp::from_seconds(0),
            modified_at: Self::modified_at(item.id),
        }
    }

    const fn row(&self, id: i64) -> i64 {
        self.offset + id
    }
}

/// The rows of all tables, as text.
#[derive(Default)]
struct Rows(BTreeMap<usize, Vec<String>>);

/// The tables with their columns, each after those that it refers to.
const TABLES: [&str; 14] = [
    "users (id, name, search, email, email_folded, password_hash, time_zone, theme, session_generation, \
     is_installation_admin, created_at)",
    "organizations (id, public_id, slug, name, created_at)",
    "permission_sets (id, organization_id, name, permissions, version)",
    "memberships (id, user_id, organization_id, permission_set_id, search, is_active, created_at)",
    "service_users (id, public_id, organization_id, name, permissions, created_at, created_by, created_by_name, version)",
    "groups (id, public_id, organization_id, name, name_folded, search, created_at, version)",
    "group_members (group_id, membership_id, added_at)",
    "sites (id, public_id, organization_id, parent_id, level, name, name_folded, search, created_at, version)",
    "site_ancestors (site_id, ancestor_id)",
    "site_members (site_id, membership_id, added_at)",
    "items (id, public_id, organization_id, kind, external_id, name, search, owner_membership_id, owner_service_user_id, site_id, \
     template_id, archived_at, version, created_at, modified_at)",
    "shares (public_id, item_id, recipient_kind, recipient_id, level, created_at, created_by_name)",
    "access_rules (public_id, organization_id, kind, site_id, template_id, recipient_kind, recipient_id, level, \
     created_at, created_by_name, version)",
    "refused_organizations (organization_id, refused_id, created_at)",
];

impl Rows {
    fn add(&mut self, table: &str, row: String) {
        let named = |columns: &&str| columns.starts_with(&format!("{table} "));
        let at = TABLES.iter().position(named).expect("a table");
        self.0.entry(at).or_default().push(format!("({row})"));
    }
}

fn or_null(row: Option<i64>) -> String {
    row.map_or("NULL".to_owned(), |row| row.to_string())
}

/// Writes worlds into a database, the first behind `first` others.
pub fn write(connection: &mut AnyConnection, first: usize, worlds: Vec<World>) -> Vec<Written> {
    let mut rows = Rows::default();
    let number = |at: usize| i64::try_from(first + at).expect("few") * ROOM;
    let written: Vec<Written> =
        worlds.into_iter().enumerate().map(|(at, world)| Written { world, offset: number(at) }).collect();
    for written in &written {
        add(&mut rows, written);
    }
    connection
        .in_transaction(|connection| {
            for (table, rows) in &rows.0 {
                for some in rows.chunks(TOGETHER) {
                    let statement = format!("INSERT INTO {} VALUES {}", TABLES[*table], some.join(","));
                    match connection {
                        AnyConnection::Sqlite(sqlite) => sqlite.batch_execute(&statement)?,
                        AnyConnection::Postgres(postgres) => postgres.batch_execute(&statement)?,
                    }
                }
            }
            let count = format!(
                "INSERT INTO item_counts (organization_id, kind, state, site_id, count) \
                 SELECT organization_id, kind, CASE WHEN archived_at IS NULL THEN 0 ELSE 1 END, coalesce(site_id, 0), \
                 count(*) FROM items WHERE organization_id >= {} GROUP BY 1, 2, 3, 4",
                number(0)
            );
            sql_query(count).execute(connection)?;
            Ok(())
        })
        .expect("rows of worlds");
    written
}

fn add(rows: &mut Rows, written: &Written) {
    let Written { world, offset } = written;
    let row = |id: i64| offset + id;
    for organization in &world.organizations {
        let id = row(organization.0);
        rows.add("organizations", format!("{id}, 'o{id}', 'o{id}', 'O', 0"));
        rows.add("permission_sets", format!("{id}, {id}, 'All', '', 1"));
    }
    // The user who has made everything, and one for each membership.
    let users = std::iter::once(0).chain(world.subjects.iter().filter_map(|subject| match subject.id {
        SubjectId::Membership(id) => Some(id.0),
        SubjectId::ServiceUser(_) => None,
    }));
    for id in users.map(row) {
        rows.add("users", format!("{}, 'U', 'u', 'u{id}', 'u{id}', '', 'UTC', 'system', 0, FALSE, 0", id + 1));
    }
    for site in &world.sites {
        let (id, parent) = (row(site.id.0), site.parent.map(|parent| row(parent.0)));
        let above = |site: &domain::access::SiteId| world.sites.iter().find(|row| row.id == *site)?.parent;
        let all: Vec<_> = std::iter::successors(Some(site.id), above).collect();
        let (organization, level) = (row(site.organization.0), all.len());
        rows.add(
            "sites",
            format!("{id}, 's{id}', {organization}, {}, {level}, 's', 's{id}', 's', 0, 1", or_null(parent)),
        );
        for above in all {
            rows.add("site_ancestors", format!("{id}, {}", row(above.0)));
        }
    }
    for group in &world.groups {
        let (id, organization) = (row(group.id.0), row(group.organization.0));
        rows.add("groups", format!("{id}, 'g{id}', {organization}, 'g{id}', 'g{id}', 'g', 0, 1"));
    }
    for subject in &world.subjects {
        let organization = row(subject.organization.0);
        match subject.id {
            SubjectId::ServiceUser(id) => {
                let (id, maker) = (row(id.0), row(0) + 1);
                rows.add("service_users", format!("{id}, 'v{id}', {organization}, 'V', '', 0, {maker}, 'U', 1"));
            }
            SubjectId::Membership(id) => {
                let id = row(id.0);
                rows.add("memberships", format!("{id}, {}, {organization}, {organization}, 'm', TRUE, 0", id + 1));
                for group in &subject.groups {
                    rows.add("group_members", format!("{}, {id}, 0", row(group.0)));
                }
                for site in &subject.sites {
                    rows.add("site_members", format!("{}, {id}, 0", row(site.0)));
                }
            }
        }
    }
    for item in &world.items {
        let (id, Item { owner, site, template, organization, .. }) = (row(item.id.0), written.stored(item));
        let (member, service_user) = match owner {
            None => (None, None),
            Some(SubjectId::Membership(id)) => (Some(id.0), None),
            Some(SubjectId::ServiceUser(id)) => (None, Some(id.0)),
        };
        rows.add(
            "items",
            format!(
                "{id}, 'i{id}', {}, '{}', 'x{id}', 'i', 'i', {}, {}, {}, {}, {}, 1, 0, {}",
                organization.0,
                item.kind.key(),
                or_null(member),
                or_null(service_user),
                or_null(site.map(|site| site.0)),
                or_null(template.map(|template| template.0)),
                or_null(Written::is_archived(item.id).then_some(9)),
                Written::modified_at(item.id).seconds()
            ),
        );
    }
    let to = |recipient: Recipient| format!("'{}', {}", recipient.kind().key(), row(recipient.id()));
    // Of shares with the same recipient, a database has one; so of two, the lower is left out.
    let mut shares = world.shares.clone();
    shares.sort_by_key(|share| std::cmp::Reverse(share.level));
    let mut known = BTreeSet::new();
    shares.retain(|share| known.insert((share.item, share.recipient)));
    for share in shares {
        let (id, item) = (row(share.id.0), row(share.item.0));
        rows.add("shares", format!("'h{id}', {item}, {}, '{}', 0, 'U'", to(share.recipient), share.level.key()));
    }
    let mut rules = world.rules.clone();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.level));
    let mut known = BTreeSet::new();
    rules.retain(|rule| known.insert((rule.organization, rule.kind.clone(), rule.site, rule.template, rule.recipient)));
    for rule in rules {
        let (id, organization) = (row(rule.id.0), row(rule.organization.0));
        let site = or_null(rule.site.map(|site| row(site.0)));
        let template = or_null(rule.template.map(|template| row(template.0)));
        let (kind, level, to) = (rule.kind.key(), rule.level.key(), to(rule.recipient));
        rows.add(
            "access_rules",
            format!("'r{id}', {organization}, '{kind}', {site}, {template}, {to}, '{level}', 0, 'U', 1"),
        );
    }
    for (receiving, refused) in &world.refusals {
        rows.add("refused_organizations", format!("{}, {}, 0", row(receiving.0), row(refused.0)));
    }
}
