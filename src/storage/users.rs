//! Users: people who sign in.

use super::{AnyConnection, Result, expect_column, schema::users};
use diesel::prelude::*;
use domain::{
    text,
    time::Timestamp,
    user::{Email, Language, Profile, Theme, User, UserId},
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct Row {
    id: i64,
    name: String,
    email: String,
    language: Option<String>,
    time_zone: String,
    theme: String,
    session_generation: i64,
    is_installation_admin: bool,
    blocked_at: Option<i64>,
    has_shortcuts: bool,
}

impl Row {
    fn user(self) -> Result<User> {
        let language = self.language.map(|tag| expect_column(Language::from_key(&tag), &tag)).transpose()?;
        Ok(User {
            id: UserId(self.id),
            name: self.name,
            email: self.email,
            language,
            time_zone: self.time_zone,
            theme: expect_column(Theme::from_key(&self.theme), &self.theme)?,
            session_generation: self.session_generation,
            is_installation_admin: self.is_installation_admin,
            is_blocked: self.blocked_at.is_some(),
            has_shortcuts: self.has_shortcuts,
        })
    }
}

/// Returns whether there is any user.
pub fn any(connection: &mut AnyConnection) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(users::table.select(users::id))).get_result(connection)?)
}

/// Creates a user.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] if the e-mail address is taken.
pub fn insert(connection: &mut AnyConnection, new: &Profile, password_hash: &str, now: Timestamp) -> Result<UserId> {
    let id = diesel::insert_into(users::table)
        .values((
            users::name.eq(&new.name),
            users::search.eq(text::searchable(&new.name)),
            users::email.eq(new.email.as_str()),
            users::email_folded.eq(new.email.folded()),
            users::password_hash.eq(password_hash),
            users::language.eq(new.language.map(Language::key)),
            users::time_zone.eq(&new.time_zone),
            users::theme.eq(new.theme.key()),
            users::session_generation.eq(0),
            users::is_installation_admin.eq(false),
            users::created_at.eq(now.seconds()),
        ))
        .returning(users::id)
        .get_result(connection)?;
    Ok(UserId(id))
}

/// Returns the user with this id.
pub fn find(connection: &mut AnyConnection, id: UserId) -> Result<Option<User>> {
    users::table.find(id.0).select(Row::as_select()).get_result(connection).optional()?.map(Row::user).transpose()
}

/// Lists all users by e-mail address.
pub fn list(connection: &mut AnyConnection) -> Result<Vec<User>> {
    let rows: Vec<Row> = users::table.order(users::email_folded).select(Row::as_select()).load(connection)?;
    rows.into_iter().map(Row::user).collect()
}

/// Returns the user with this e-mail address, and the hash of their password.
pub fn find_by_email(connection: &mut AnyConnection, email: &Email) -> Result<Option<(User, String)>> {
    let found: Option<(Row, String)> = users::table
        .filter(users::email_folded.eq(email.folded()))
        .select((Row::as_select(), users::password_hash))
        .get_result(connection)
        .optional()?;
    found.map(|(row, hash)| Ok((row.user()?, hash))).transpose()
}

/// Returns the hash of a user's password.
pub fn password_hash(connection: &mut AnyConnection, id: UserId) -> Result<String> {
    Ok(users::table.find(id.0).select(users::password_hash).get_result(connection)?)
}

/// Changes a user's e-mail address.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] if it is taken.
pub fn update_email(connection: &mut AnyConnection, id: UserId, new: &Email) -> Result<()> {
    diesel::update(users::table.find(id.0))
        .set((users::email.eq(new.as_str()), users::email_folded.eq(new.folded())))
        .execute(connection)?;
    Ok(())
}

/// Changes a user's settings except the e-mail address.
pub fn update_settings(connection: &mut AnyConnection, id: UserId, new: &Profile) -> Result<()> {
    diesel::update(users::table.find(id.0))
        .set((
            users::name.eq(&new.name),
            users::search.eq(text::searchable(&new.name)),
            users::language.eq(new.language.map(Language::key)),
            users::time_zone.eq(&new.time_zone),
            users::theme.eq(new.theme.key()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Changes whether single keys do something in lists.
pub fn update_shortcuts(connection: &mut AnyConnection, id: UserId, has_shortcuts: bool) -> Result<()> {
    diesel::update(users::table.find(id.0)).set(users::has_shortcuts.eq(has_shortcuts)).execute(connection)?;
    Ok(())
}

/// Changes only a user's theme.
pub fn update_theme(connection: &mut AnyConnection, id: UserId, theme: Theme) -> Result<()> {
    diesel::update(users::table.find(id.0)).set(users::theme.eq(theme.key())).execute(connection)?;
    Ok(())
}

/// Changes a user's password if its hash still is `old_hash`, and ends all their sessions by incrementing the
/// generation. Returns the new generation, or `None` if the password was changed meanwhile.
pub fn update_password(
    connection: &mut AnyConnection,
    id: UserId,
    old_hash: &str,
    new_hash: &str,
) -> Result<Option<i64>> {
    Ok(diesel::update(users::table.find(id.0).filter(users::password_hash.eq(old_hash)))
        .set((users::password_hash.eq(new_hash), users::session_generation.eq(users::session_generation + 1)))
        .returning(users::session_generation)
        .get_result(connection)
        .optional()?)
}

/// Ends all sessions of a user, and sign-ins in progress, by incrementing the generation.
pub fn end_sessions(connection: &mut AnyConnection, id: UserId) -> Result<()> {
    diesel::update(users::table.find(id.0))
        .set(users::session_generation.eq(users::session_generation + 1))
        .execute(connection)?;
    Ok(())
}

/// Lists the installation administrators by e-mail address.
pub fn installation_admins(connection: &mut AnyConnection) -> Result<Vec<User>> {
    let rows: Vec<Row> = users::table
        .filter(users::is_installation_admin.eq(true))
        .order(users::email_folded)
        .select(Row::as_select())
        .load(connection)?;
    rows.into_iter().map(Row::user).collect()
}

/// Grants or removes the role of installation administrator. Returns false if nothing changes.
pub fn set_installation_admin(connection: &mut AnyConnection, id: UserId, is_one: bool) -> Result<bool> {
    let other = users::table.find(id.0).filter(users::is_installation_admin.ne(is_one));
    Ok(diesel::update(other).set(users::is_installation_admin.eq(is_one)).execute(connection)? == 1)
}

/// Blocks an account. Returns false if it is already blocked.
pub fn block(connection: &mut AnyConnection, id: UserId, now: Timestamp) -> Result<bool> {
    let open = users::table.find(id.0).filter(users::blocked_at.is_null());
    Ok(diesel::update(open).set(users::blocked_at.eq(now.seconds())).execute(connection)? == 1)
}

/// Unblocks an account. Returns false if it is not blocked.
pub fn unblock(connection: &mut AnyConnection, id: UserId) -> Result<bool> {
    let blocked = users::table.find(id.0).filter(users::blocked_at.is_not_null());
    Ok(diesel::update(blocked).set(users::blocked_at.eq(None::<i64>)).execute(connection)? == 1)
}

/// Locks a user until this transaction ends. Limits are counted under this lock.
pub fn lock(connection: &mut AnyConnection, id: UserId) -> Result<()> {
    // Writing the same value locks the row on Postgres like SELECT … FOR UPDATE, and also works on SQLite.
    diesel::update(users::table.find(id.0)).set(users::id.eq(users::id)).execute(connection)?;
    Ok(())
}
