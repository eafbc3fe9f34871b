//! Giving an item to another owner.

use super::{ItemKey, find_in, kind_in};
use crate::{
    AppError, Jeton, Result,
    problem::{Field, Problem, Problems},
    recipients::{self, RecipientForm},
    requester::{Changing, Requester},
};
use domain::{
    access::{Level, Recipient, RecipientKind, SubjectId},
    activity::{Action, Detail, Source},
    item::Item,
    kind::CommonAction,
    organization::{MembershipId, OrganizationId},
};
use storage::{AnyConnection, activity, items, memberships, recipients::names};

/// Gives an item to an active user of its organization, named by e-mail address or `membership:12`: they own it then,
/// and whoever did reaches it only by shares and access rules. Returns the item; nothing is written if it is theirs.
///
/// # Errors
/// [`AppError::NotFound`] if the requester reaches no such item; [`AppError::Refused`] without the permission to share,
/// or with a level below *manage*; [`AppError::Invalid`] at [`Field::Recipient`] if there is no such user.
pub async fn give(jeton: &Jeton, by: &Requester, kind: &str, key: ItemKey, to: &str, source: Source) -> Result<Item> {
    let (kind, to) = (kind.to_owned(), to.to_owned());
    jeton
        .write_for(by, source, move |connection, changing| {
            let kind = kind_in(changing.standing, &kind)?;
            let found = find_in(connection, changing.standing, &kind, &key)?;
            changing.standing.check_item(&kind, CommonAction::Share, found.as_ref().map(|(_, level)| *level))?;
            let (item, _) = found.ok_or(AppError::NotFound)?;
            let form = RecipientForm { kind: RecipientKind::User.key().into(), id: to.clone(), ..Default::default() };
            let to = match recipients::read_in(connection, item.organization, &kind, &form)? {
                Ok((Recipient::User(member), None)) => active(connection, member, item.organization)?,
                _ => None,
            };
            let to = to.ok_or_else(|| Problems::one(Field::Recipient, Problem::NoSuchRecipient))?;
            let owner = Some(SubjectId::Membership(to));
            if item.owner == owner {
                return Ok(item);
            }
            let given = Item { owner, ..item };
            if !items::update(connection, &given, None, changing.now)? {
                return Err(Problems::one(Field::Form, Problem::ChangedMeanwhile).into());
            }
            write_entry(connection, changing, &given, to)?;
            items::own(connection, given.organization, &kind, &given.public_id)?.ok_or(AppError::NotFound)
        })
        .await
}

fn active(
    connection: &mut AnyConnection,
    member: MembershipId,
    organization: OrganizationId,
) -> Result<Option<MembershipId>> {
    let of = storage::recipients::organization_of(connection, member)?;
    let is_active = of == Some(organization) && memberships::permissions(connection, member)?.is_some();
    Ok(is_active.then_some(member))
}

fn write_entry(connection: &mut AnyConnection, changing: &Changing<'_>, item: &Item, to: MembershipId) -> Result<()> {
    let to = Recipient::User(to);
    let name = names(connection, &[to])?.remove(&to).map(|known| known.name).unwrap_or_default();
    let (kind, id) = (item.kind.clone(), item.public_id.clone());
    let detail = Some(Detail::Share { kind, id, level: Level::Manage, recipient: to.kind(), name });
    let entry = activity::Entry { target_name: Some(&item.name), detail, ..changing.entry(Action::ItemGiven) };
    Ok(activity::insert(connection, &entry)?)
}
