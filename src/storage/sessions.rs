//! Sessions of the web pages.

use super::{
    AnyConnection, Result,
    schema::{sessions, users},
};
use diesel::prelude::*;
use domain::{
    organization::OrganizationId,
    session::{ABSOLUTE, IDLE, Session, SessionLife},
    time::Timestamp,
    user::UserId,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct Row {
    public_id: String,
    user_id: i64,
    generation: i64,
    started_at: i64,
    seen_at: i64,
    proved_at: i64,
    address: String,
    program: String,
    organization_id: Option<i64>,
}

impl Row {
    fn session(self) -> Session {
        Session {
            public_id: self.public_id,
            user: UserId(self.user_id),
            generation: self.generation,
            life: SessionLife {
                started_at: Timestamp::from_seconds(self.started_at),
                seen_at: Timestamp::from_seconds(self.seen_at),
            },
            proved_at: Timestamp::from_seconds(self.proved_at),
            address: self.address,
            program: self.program,
            organization: self.organization_id.map(OrganizationId),
        }
    }
}

/// Stores a new session under the hash of its key.
pub fn insert(connection: &mut AnyConnection, key_hash: &[u8], new: &Session) -> Result<()> {
    diesel::insert_into(sessions::table)
        .values((
            sessions::key_hash.eq(key_hash),
            sessions::public_id.eq(&new.public_id),
            sessions::user_id.eq(new.user.0),
            sessions::generation.eq(new.generation),
            sessions::started_at.eq(new.life.started_at.seconds()),
            sessions::seen_at.eq(new.life.seen_at.seconds()),
            sessions::proved_at.eq(new.proved_at.seconds()),
            sessions::address.eq(&new.address),
            sessions::program.eq(&new.program),
            sessions::organization_id.eq(new.organization.map(|id| id.0)),
        ))
        .execute(connection)?;
    Ok(())
}

/// Returns the active session with this key hash. One that has expired, or whose user has a newer generation, is not
/// active.
pub fn find(connection: &mut AnyConnection, key_hash: &[u8], now: Timestamp) -> Result<Option<Session>> {
    let row = sessions::table
        .inner_join(users::table)
        .filter(sessions::key_hash.eq(key_hash).and(sessions::generation.eq(users::session_generation)))
        .select(Row::as_select())
        .get_result(connection)
        .optional()?;
    Ok(row.map(Row::session).filter(|session| !session.life.has_ended(now)))
}

/// Returns whether the session with this public id is active.
pub fn is_alive(connection: &mut AnyConnection, public_id: &str, now: Timestamp) -> Result<bool> {
    let row = sessions::table
        .inner_join(users::table)
        .filter(sessions::public_id.eq(public_id).and(sessions::generation.eq(users::session_generation)))
        .select(Row::as_select())
        .get_result(connection)
        .optional()?;
    Ok(row.map(Row::session).is_some_and(|session| !session.life.has_ended(now)))
}

/// Lists the active sessions of a user, the one used last first.
pub fn list(connection: &mut AnyConnection, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
    let rows: Vec<Row> = sessions::table
        .inner_join(users::table)
        .filter(sessions::user_id.eq(user.0).and(sessions::generation.eq(users::session_generation)))
        .order((sessions::seen_at.desc(), sessions::public_id))
        .select(Row::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(Row::session).filter(|session| !session.life.has_ended(now)).collect())
}

/// Records that a session was used. Returns false if it has ended, as an ended session must not come back (S3).
pub fn touch(connection: &mut AnyConnection, public_id: &str, now: Timestamp) -> Result<bool> {
    let touched = diesel::update(sessions::table.filter(sessions::public_id.eq(public_id)))
        .set(sessions::seen_at.eq(now.seconds()))
        .execute(connection)?;
    Ok(touched == 1)
}

/// Records that the password was entered in a session. Returns false if the session has ended.
pub fn prove(connection: &mut AnyConnection, public_id: &str, now: Timestamp) -> Result<bool> {
    let proved = diesel::update(sessions::table.filter(sessions::public_id.eq(public_id)))
        .set(sessions::proved_at.eq(now.seconds()))
        .execute(connection)?;
    Ok(proved == 1)
}

/// Stores the current organization of a session. Returns false if the session has ended.
pub fn choose_organization(
    connection: &mut AnyConnection,
    public_id: &str,
    organization: OrganizationId,
) -> Result<bool> {
    let chosen = diesel::update(sessions::table.filter(sessions::public_id.eq(public_id)))
        .set(sessions::organization_id.eq(organization.0))
        .execute(connection)?;
    Ok(chosen == 1)
}

/// Moves one session to a new generation, in the transaction that ended all the others.
pub fn keep(connection: &mut AnyConnection, public_id: &str, generation: i64, now: Timestamp) -> Result<()> {
    diesel::update(sessions::table.filter(sessions::public_id.eq(public_id)))
        .set((sessions::generation.eq(generation), sessions::proved_at.eq(now.seconds())))
        .execute(connection)?;
    Ok(())
}

/// Ends the session with this key hash, if there is one.
pub fn delete_by_key(connection: &mut AnyConnection, key_hash: &[u8]) -> Result<()> {
    diesel::delete(sessions::table.filter(sessions::key_hash.eq(key_hash))).execute(connection)?;
    Ok(())
}

/// Ends one session of a user. Returns false if the user has no such session.
pub fn delete(connection: &mut AnyConnection, user: UserId, public_id: &str) -> Result<bool> {
    let of_user = sessions::user_id.eq(user.0).and(sessions::public_id.eq(public_id));
    Ok(diesel::delete(sessions::table.filter(of_user)).execute(connection)? == 1)
}

/// Ends all sessions of a user except one. Returns how many.
pub fn delete_others(connection: &mut AnyConnection, user: UserId, kept: &str) -> Result<usize> {
    let others = sessions::user_id.eq(user.0).and(sessions::public_id.ne(kept));
    Ok(diesel::delete(sessions::table.filter(others)).execute(connection)?)
}

/// Deletes all sessions of a user.
pub fn delete_all(connection: &mut AnyConnection, user: UserId) -> Result<()> {
    diesel::delete(sessions::table.filter(sessions::user_id.eq(user.0))).execute(connection)?;
    Ok(())
}

/// Deletes the rows of expired sessions.
pub fn sweep(connection: &mut AnyConnection, now: Timestamp) -> Result<usize> {
    let idle = sessions::seen_at.le(now.plus(-IDLE).seconds());
    let old = sessions::started_at.le(now.plus(-ABSOLUTE).seconds());
    let ahead = now.latest().seconds();
    let ahead = sessions::seen_at.gt(ahead).or(sessions::started_at.gt(ahead));
    Ok(diesel::delete(sessions::table.filter(idle.or(old).or(ahead))).execute(connection)?)
}
