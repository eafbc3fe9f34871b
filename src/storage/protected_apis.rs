//! Protected APIs and their rules.

use super::{
    AnyConnection, Result, StorageError, expect_column,
    schema::{protected_api_rules as rules, protected_apis as apis},
};
use diesel::{dsl::count_star, prelude::*};
use domain::{
    item::ItemKind,
    organization::OrganizationId,
    permission::{OwnPermission, OwnPermissions, Permission},
    protected_api::{BaseUrl, ListedApi, Methods, Needs, Pattern, ProtectedApi, Rule, StoredApi},
    time::Timestamp,
};

/// A protected API to be stored.
#[derive(Clone, Debug)]
pub struct NewApi<'a> {
    /// Its name.
    pub name: &'a str,
    /// The base address of its requests.
    pub address: &'a BaseUrl,
    /// Its rules, in order.
    pub rules: &'a [Rule],
    /// Whether CORS preflights may pass.
    pub lets_preflights: bool,
}

/// Lists the protected APIs of an organization by name.
pub fn list(connection: &mut AnyConnection, organization: OrganizationId) -> Result<Vec<ListedApi>> {
    let rows: Vec<(i64, String, String, String)> = apis::table
        .filter(apis::organization_id.eq(organization.0))
        .order((apis::name, apis::id))
        .select((apis::id, apis::public_id, apis::name, apis::address))
        .load(connection)?;
    let counts: Vec<(i64, i64)> = rules::table
        .inner_join(apis::table)
        .filter(apis::organization_id.eq(organization.0))
        .group_by(rules::protected_api_id)
        .select((rules::protected_api_id, count_star()))
        .load(connection)?;
    let count = |id| counts.iter().find(|(of, _)| *of == id).map_or(0, |(_, count)| *count);
    let listed = |(id, public_id, name, address)| ListedApi { public_id, name, address, rules: count(id) };
    Ok(rows.into_iter().map(listed).collect())
}

/// Returns the protected API with this public id, of any organization, for verification.
pub fn find(connection: &mut AnyConnection, public_id: &str) -> Result<Option<StoredApi>> {
    type Row = (i64, String, i64, String, String, i64, i64, bool);
    let row: Option<Row> = apis::table
        .filter(apis::public_id.eq(public_id))
        .select((
            apis::id,
            apis::public_id,
            apis::organization_id,
            apis::name,
            apis::address,
            apis::created_at,
            apis::version,
            apis::lets_preflights,
        ))
        .get_result(connection)
        .optional()?;
    let Some((id, public_id, organization, name, address, created_at, version, lets_preflights)) = row else {
        return Ok(None);
    };
    let api = ProtectedApi {
        organization: OrganizationId(organization),
        address: BaseUrl::parse(&address).map_err(|error| StorageError::Row(format!("{address:?}: {error}")))?,
        rules: rules_of(connection, id)?,
        lets_preflights,
    };
    Ok(Some(StoredApi { id, public_id, name, api, created_at: Timestamp::from_seconds(created_at), version }))
}

/// Methods, path, what it needs, permission and kind of items.
type RuleRow = (String, String, String, Option<String>, Option<String>);

/// Reads all rules or fails: a rule that this version cannot read must not be skipped.
fn rules_of(connection: &mut AnyConnection, id: i64) -> Result<Vec<Rule>> {
    let rows: Vec<RuleRow> = rules::table
        .filter(rules::protected_api_id.eq(id))
        .order(rules::position)
        .select((rules::methods, rules::path, rules::needs, rules::permission, rules::item_kind))
        .load(connection)?;
    rows.into_iter()
        .map(|(methods, path, needs, permission, kind)| {
            Ok(Rule {
                methods: expect_column(Methods::from_key(&methods), &methods)?,
                path: Pattern::parse(&path).map_err(|error| StorageError::Row(format!("{path:?}: {error}")))?,
                needs: expect_column(Needs::from_key(&needs), &needs)?,
                permission: permission.map(|key| expect_column(Permission::named(&key), &key)).transpose()?,
                item: kind.map(|key| expect_column(ItemKind::parse(&key), &key)).transpose()?,
            })
        })
        .collect()
}

/// Lists the names of the protected APIs of an organization that have a rule with one of these permissions.
pub fn asking_for(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    permissions: &OwnPermissions,
) -> Result<Vec<String>> {
    let keys = permissions.iter().map(OwnPermission::key);
    Ok(apis::table
        .inner_join(rules::table)
        .filter(apis::organization_id.eq(organization.0).and(rules::permission.eq_any(keys)))
        .select(apis::name)
        .distinct()
        .order(apis::name)
        .load(connection)?)
}

/// Creates a protected API.
pub fn insert(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    public_id: &str,
    new: &NewApi<'_>,
    now: Timestamp,
) -> Result<()> {
    let id: i64 = diesel::insert_into(apis::table)
        .values((
            apis::public_id.eq(public_id),
            apis::organization_id.eq(organization.0),
            apis::name.eq(new.name),
            apis::address.eq(new.address.as_str()),
            apis::created_at.eq(now.seconds()),
            apis::version.eq(1),
            apis::lets_preflights.eq(new.lets_preflights),
        ))
        .returning(apis::id)
        .get_result(connection)?;
    insert_rules(connection, id, new.rules)
}

/// Changes a protected API's name, address and rules.
pub fn update(connection: &mut AnyConnection, id: i64, new: &NewApi<'_>) -> Result<()> {
    diesel::update(apis::table.find(id))
        .set((
            apis::name.eq(new.name),
            apis::address.eq(new.address.as_str()),
            apis::version.eq(apis::version + 1),
            apis::lets_preflights.eq(new.lets_preflights),
        ))
        .execute(connection)?;
    diesel::delete(rules::table.filter(rules::protected_api_id.eq(id))).execute(connection)?;
    insert_rules(connection, id, new.rules)
}

fn insert_rules(connection: &mut AnyConnection, id: i64, all: &[Rule]) -> Result<()> {
    for (position, rule) in (1_i16..).zip(all) {
        diesel::insert_into(rules::table)
            .values((
                rules::protected_api_id.eq(id),
                rules::position.eq(position),
                rules::methods.eq(rule.methods.key()),
                rules::path.eq(rule.path.to_string()),
                rules::needs.eq(rule.needs.key()),
                rules::permission.eq(rule.permission.as_ref().map(Permission::key)),
                rules::item_kind.eq(rule.item.as_ref().map(ItemKind::key)),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// Deletes a protected API and its rules.
pub fn delete(connection: &mut AnyConnection, id: i64) -> Result<()> {
    diesel::delete(apis::table.find(id)).execute(connection)?;
    Ok(())
}
