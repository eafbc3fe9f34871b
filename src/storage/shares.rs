//! Shares: levels on one item.

use super::{AnyConnection, Result, expect_column, schema::shares};
use diesel::prelude::*;
use domain::{
    access::{Level, Recipient, RecipientKind, Share, ShareId, StoredShare},
    item::ItemId,
    organization::OrganizationId,
    time::Timestamp,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = shares)]
struct Row {
    id: i64,
    public_id: String,
    item_id: i64,
    recipient_kind: String,
    recipient_id: i64,
    outside_organization_id: Option<i64>,
    level: String,
    created_at: i64,
    created_by_name: String,
}

impl Row {
    fn share(self) -> Result<StoredShare> {
        let kind = expect_column(RecipientKind::from_key(&self.recipient_kind), &self.recipient_kind)?;
        Ok(StoredShare {
            public_id: self.public_id,
            share: Share {
                id: ShareId(self.id),
                item: ItemId(self.item_id),
                recipient: Recipient::new(kind, self.recipient_id),
                level: expect_column(Level::from_key(&self.level), &self.level)?,
            },
            outside: self.outside_organization_id.map(OrganizationId),
            created_at: Timestamp::from_seconds(self.created_at),
            made_by: self.created_by_name,
        })
    }
}

/// A share to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewShare<'a> {
    /// Its public id.
    pub public_id: &'a str,
    /// The item.
    pub item: ItemId,
    /// Who gets the level.
    pub recipient: Recipient,
    /// Their organization, if it is another one than that of the item.
    pub outside: Option<OrganizationId>,
    /// The level.
    pub level: Level,
    /// The name of whoever creates it.
    pub made_by: &'a str,
}

/// Lists the shares of an item, the oldest first.
pub fn list(connection: &mut AnyConnection, item: ItemId) -> Result<Vec<StoredShare>> {
    let rows: Vec<Row> =
        shares::table.filter(shares::item_id.eq(item.0)).order(shares::id).select(Row::as_select()).load(connection)?;
    rows.into_iter().map(Row::share).collect()
}

/// Lists with whom these items are shared.
pub fn recipients_of(connection: &mut AnyConnection, items: &[ItemId]) -> Result<Vec<(ItemId, Recipient)>> {
    let ids: Vec<i64> = items.iter().map(|item| item.0).collect();
    let rows: Vec<(i64, String, i64)> = shares::table
        .filter(shares::item_id.eq_any(ids))
        .select((shares::item_id, shares::recipient_kind, shares::recipient_id))
        .load(connection)?;
    let read = |(item, kind, id): (i64, String, i64)| {
        let kind = expect_column(RecipientKind::from_key(&kind), &kind)?;
        Ok((ItemId(item), Recipient::new(kind, id)))
    };
    rows.into_iter().map(read).collect()
}

/// Returns the share of an item with this public id; `None` for one of another item.
pub fn find(connection: &mut AnyConnection, item: ItemId, public_id: &str) -> Result<Option<StoredShare>> {
    let row: Option<Row> = shares::table
        .filter(shares::item_id.eq(item.0).and(shares::public_id.eq(public_id)))
        .select(Row::as_select())
        .get_result(connection)
        .optional()?;
    row.map(Row::share).transpose()
}

/// Returns the share of an item with this recipient.
pub fn with(connection: &mut AnyConnection, item: ItemId, recipient: Recipient) -> Result<Option<StoredShare>> {
    let row: Option<Row> = shares::table
        .filter(shares::item_id.eq(item.0).and(shares::recipient_kind.eq(recipient.kind().key())))
        .filter(shares::recipient_id.eq(recipient.id()))
        .select(Row::as_select())
        .get_result(connection)
        .optional()?;
    row.map(Row::share).transpose()
}

/// Returns how many shares an item has.
pub fn count(connection: &mut AnyConnection, item: ItemId) -> Result<i64> {
    Ok(shares::table.filter(shares::item_id.eq(item.0)).count().get_result(connection)?)
}

/// Creates a share.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] if the item is already shared with the recipient.
pub fn insert(connection: &mut AnyConnection, new: &NewShare<'_>, now: Timestamp) -> Result<()> {
    diesel::insert_into(shares::table)
        .values((
            shares::public_id.eq(new.public_id),
            shares::item_id.eq(new.item.0),
            shares::recipient_kind.eq(new.recipient.kind().key()),
            shares::recipient_id.eq(new.recipient.id()),
            shares::outside_organization_id.eq(new.outside.map(|outside| outside.0)),
            shares::level.eq(new.level.key()),
            shares::created_at.eq(now.seconds()),
            shares::created_by_name.eq(new.made_by),
        ))
        .execute(connection)?;
    Ok(())
}

/// Changes the level of a share.
pub fn set_level(connection: &mut AnyConnection, id: ShareId, level: Level) -> Result<()> {
    diesel::update(shares::table.find(id.0)).set(shares::level.eq(level.key())).execute(connection)?;
    Ok(())
}

/// Ends a share. Returns false if it had already ended.
pub fn delete(connection: &mut AnyConnection, id: ShareId) -> Result<bool> {
    Ok(diesel::delete(shares::table.find(id.0)).execute(connection)? == 1)
}

/// Ends all shares with a recipient, who is going.
pub fn forget(connection: &mut AnyConnection, recipient: Recipient) -> Result<()> {
    let with = shares::recipient_kind.eq(recipient.kind().key()).and(shares::recipient_id.eq(recipient.id()));
    diesel::delete(shares::table.filter(with)).execute(connection)?;
    Ok(())
}
