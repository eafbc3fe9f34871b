//! The nodes on one database. Times are in milliseconds since 1970, by the database's clock.

use super::{AnyConnection, Result, schema::nodes};
use diesel::{prelude::*, sql_query};

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = nodes)]
pub struct Node {
    /// A random id, chosen at its start.
    pub id: String,
    /// Its name for people: host and process.
    pub name: String,
    /// When it registered.
    pub came_at: i64,
    /// The epoch when it registered.
    pub first_epoch: i64,
    /// When its last heartbeat was.
    pub seen_at: i64,
    /// The epoch that it had read at that time.
    pub epoch: i64,
}

/// Registers a node.
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

/// Allocates space in Postgres and releases it: enough for Postgres to access its disk.
///
/// # Errors
/// When there is no space, or nothing can be written.
pub fn take_room(connection: &mut AnyConnection) -> Result<()> {
    // The error rolls back the row.
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

/// Records the heartbeat of a node. Returns false if there is no node with this id.
pub fn hear_from(connection: &mut AnyConnection, id: &str, epoch: i64, at: i64) -> Result<bool> {
    let heard = diesel::update(nodes::table.filter(nodes::id.eq(id)))
        .set((nodes::seen_at.eq(at), nodes::epoch.eq(epoch)))
        .execute(connection)?;
    Ok(heard == 1)
}

/// Lists all nodes.
pub fn list(connection: &mut AnyConnection) -> Result<Vec<Node>> {
    Ok(nodes::table.order((nodes::name, nodes::id)).select(Node::as_select()).load(connection)?)
}

/// Deregisters a node.
pub fn remove(connection: &mut AnyConnection, id: &str) -> Result<()> {
    diesel::delete(nodes::table.filter(nodes::id.eq(id))).execute(connection)?;
    Ok(())
}

/// Deletes the nodes other than `us` whose last heartbeat is older than `before`.
pub fn forget(connection: &mut AnyConnection, before: i64, us: &str) -> Result<()> {
    diesel::delete(nodes::table.filter(nodes::seen_at.lt(before).and(nodes::id.ne(us)))).execute(connection)?;
    Ok(())
}
