//! The servers at work on one database. Moments are in milliseconds since 1970, by the database's clock.

use super::{AnyConnection, Result, schema::nodes};
use diesel::{prelude::*, sql_query};

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = nodes)]
pub struct Node {
    /// Chosen at its start.
    pub id: String,
    /// Its name for people: host and process.
    pub name: String,
    /// When it came.
    pub came_at: i64,
    /// The epoch that it began with.
    pub first_epoch: i64,
    /// When it was heard from last.
    pub seen_at: i64,
    /// The epoch that it had read then.
    pub epoch: i64,
}

/// Adds a server.
pub fn insert(connection: &mut AnyConnection, node: &Node) -> Result<()> {
    diesel::insert_into(nodes::table)
        .values((
            nodes::id.eq(&node.id),
            nodes::name.eq(&node.name),
            nodes::came_at.eq(node.came_at),
            nodes::first_epoch.eq(node.first_epoch),
            nodes::seen_at.eq(node.seen_at),
            nodes::epoch.eq(node.epoch),
        ))
        .execute(connection)?;
    Ok(())
}

/// Takes room in a Postgres, and gives it back: as much as makes it ask its disk.
///
/// # Errors
/// When there is none, or nothing can be written.
pub fn take_room(connection: &mut AnyConnection) -> Result<()> {
    // The error takes the row back.
    let taken: diesel::QueryResult<()> = connection.transaction(|connection| {
        sql_query(
            "INSERT INTO nodes (id, name, came_at, first_epoch, seen_at, epoch) \
             SELECT 'room', string_agg(md5(random()::text), ''), 0, 0, 0, 0 FROM generate_series(1, 8000)",
        )
        .execute(connection)?;
        Err(diesel::result::Error::RollbackTransaction)
    });
    match taken {
        Err(diesel::result::Error::RollbackTransaction) => Ok(()),
        taken => Ok(taken?),
    }
}

/// Notes that a server was heard from. Returns false if there is none with this id.
pub fn hear_from(connection: &mut AnyConnection, id: &str, epoch: i64, at: i64) -> Result<bool> {
    let heard = diesel::update(nodes::table.filter(nodes::id.eq(id)))
        .set((nodes::seen_at.eq(at), nodes::epoch.eq(epoch)))
        .execute(connection)?;
    Ok(heard == 1)
}

/// All of them.
pub fn list(connection: &mut AnyConnection) -> Result<Vec<Node>> {
    Ok(nodes::table.order((nodes::name, nodes::id)).select(Node::as_select()).load(connection)?)
}

/// Removes a server that stops.
pub fn remove(connection: &mut AnyConnection, id: &str) -> Result<()> {
    diesel::delete(nodes::table.filter(nodes::id.eq(id))).execute(connection)?;
    Ok(())
}

/// Removes those others than `us` that were not heard from since a moment.
pub fn forget(connection: &mut AnyConnection, before: i64, us: &str) -> Result<()> {
    diesel::delete(nodes::table.filter(nodes::seen_at.lt(before).and(nodes::id.ne(us)))).execute(connection)?;
    Ok(())
}
