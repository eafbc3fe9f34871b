//! Items: made, changed, shared and found by members on pages and by programs with tokens
//! ([`super::requester::Requester`]).
//!
//! Each verb decides by the one function about scope, permission and access, from what the database says in that
//! moment: nothing about items is cached, so no change of them, of their shares and of rules steps the epoch, and what
//! was taken away is gone at its commit.

mod bulk;
mod changing;
mod choices;
mod export;
mod giving;
mod making;
mod offering;
mod once;
mod reached;
mod reading;
mod sharing;
mod summaries;

pub use bulk::{Done, MOST_TOGETHER, Operation, put, together};
pub use changing::{ItemChange, archive, change, delete};
pub use choices::{blank, is_answered, sites};
pub use export::{Export, Exported, export};
pub use giving::give;
pub use making::{ItemForm, Sent, create, form_nonce};
pub use offering::{Candidate, Change, Offer, ShareShown, Wanted, offer, show_share};
pub use once::{create_once, share_once, together_once};
pub use reached::{ByPerson, PEOPLE, ReachedBy, Reacher, SharedWith, by_person, reached_by};
pub use reading::{Feed, Found, Items, ListQuery, count, feed, find, list};
pub use sharing::{ShareForm, end_share, set_level, share};
pub use storage::{
    access::Direction,
    items::{Named, Names},
};
pub use summaries::{Summary, summaries};

use super::{AppError, Result, requester::Standing};
use domain::{
    access::{Level, Recipient, SiteId, SubjectId},
    field::Form,
    item::{ExternalId, Item, ItemKind},
    organization::OrganizationId,
    time::Timestamp,
    token,
};
use storage::{AnyConnection, access::Reachable, access_rules, items, kind_forms, shares};

/// How somebody names an item of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemKey {
    /// By its public id.
    PublicId(String),
    /// By the id that it has in the system where it comes from, in the requester's organization.
    External(ExternalId),
}

impl From<&str> for ItemKey {
    fn from(public_id: &str) -> Self {
        Self::PublicId(public_id.to_owned())
    }
}

/// Returns what `find` finds by an id, in each of the ways in which it may name an item: Jeton's own id comes first.
pub(super) fn by_id<T>(id: &str, mut find: impl FnMut(&ItemKey) -> Result<Option<T>>) -> Result<Option<T>> {
    let external = ExternalId::parse(id).ok().map(ItemKey::External);
    for key in [Some(ItemKey::from(id)), external].into_iter().flatten() {
        let found = find(&key)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Returns the kind with this key, which the requester's organization has.
fn kind_in(standing: &Standing, key: &str) -> Result<ItemKind> {
    ItemKind::parse(key).filter(|kind| kind.is_known(standing.known())).ok_or(AppError::NotFound)
}

/// Returns an item and the level that the subject has on it; `None` if it reaches no such item.
fn find_in(
    connection: &mut AnyConnection,
    standing: &Standing,
    kind: &ItemKind,
    key: &ItemKey,
) -> Result<Option<(Item, Level)>> {
    let reachable = Reachable::read(connection, &standing.facts, kind)?;
    among(connection, &reachable, standing.facts.organization, key)
}

/// Returns the same, among the items that are already known to be within reach of a subject of an organization.
pub(super) fn among(
    connection: &mut AnyConnection,
    reachable: &Reachable,
    organization: OrganizationId,
    key: &ItemKey,
) -> Result<Option<(Item, Level)>> {
    Ok(match key {
        ItemKey::PublicId(id) if token::is_public_id(id) => items::find(connection, reachable, id)?,
        ItemKey::PublicId(_) => None,
        ItemKey::External(id) => items::find_external(connection, reachable, organization, id)?,
    })
}

/// Returns an item of the requester's organization, whoever reaches it.
pub(super) fn own_in(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    kind: &ItemKind,
    key: &ItemKey,
) -> Result<Option<Item>> {
    Ok(match key {
        ItemKey::PublicId(id) if token::is_public_id(id) => items::own(connection, organization, kind, id)?,
        ItemKey::PublicId(_) => None,
        ItemKey::External(id) => items::own_external(connection, organization, kind, id)?,
    })
}

/// Returns the form of a kind whose items have none of their own.
fn form_of_kind(connection: &mut AnyConnection, organization: OrganizationId, kind: &ItemKind) -> Result<Form> {
    if kind.is_templates() || kind.is_inspections() {
        return Ok(Form::default());
    }
    Ok(kind_forms::find(connection, organization, kind)?.map(|(form, _)| form).unwrap_or_default())
}

/// Takes from somebody who is going what they own, and ends what was shared with them.
pub(super) fn forget_subject(connection: &mut AnyConnection, subject: SubjectId, now: Timestamp) -> Result<()> {
    items::disown(connection, subject, now)?;
    forget_recipient(connection, subject.into())
}

/// Ends all shares and access rules for a recipient who is going.
pub(super) fn forget_recipient(connection: &mut AnyConnection, recipient: Recipient) -> Result<()> {
    shares::forget(connection, recipient)?;
    Ok(access_rules::forget(connection, recipient)?)
}

/// Ends what a site that is going gave, and takes its items away from it.
pub(super) fn forget_site(connection: &mut AnyConnection, site: SiteId, now: Timestamp) -> Result<()> {
    items::leave_site(connection, site, now)?;
    forget_recipient(connection, Recipient::Site(site))
}
