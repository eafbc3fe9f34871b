//! Recipients of shares and access rules, as people and programs name them.

use super::{Result, problem::Problem};
use domain::{
    access::{Level, Recipient, RecipientKind, SubjectId},
    item::ItemKind,
    organization::{MembershipId, OrganizationId, is_slug},
    text::is_blank,
    token,
    user::Email,
};
use storage::{AnyConnection, organizations, recipients};

/// A recipient, as typed.
#[derive(Clone, Debug, Default)]
pub struct RecipientForm {
    /// The key of a [`RecipientKind`].
    pub kind: String,
    /// Whom it is: of a user the e-mail address, or `membership:12`; of a service user, group or site the public id; of
    /// an organization nothing.
    pub id: String,
    /// The address (the slug) of the organization to which it belongs, or which it is; empty for the giving one. A user
    /// is looked for there alone, or, without one, also elsewhere: in the first organization that they have joined.
    pub organization: String,
}

/// A recipient, and its organization if that is another one than the giving one.
pub(super) type To = (Recipient, Option<OrganizationId>);

/// Finds whom a form names, who may be given access to items of `kind` by an organization.
pub(super) fn read_in(
    connection: &mut AnyConnection,
    giving: OrganizationId,
    kind: &ItemKind,
    form: &RecipientForm,
) -> Result<std::result::Result<To, Problem>> {
    let Some(recipient_kind) = RecipientKind::from_key(&form.kind) else { return Ok(Err(Problem::NotAChoice)) };
    let found = match find(connection, giving, recipient_kind, form)? {
        Some(found) => found,
        None => return Ok(Err(Problem::NoSuchRecipient)),
    };
    let (recipient, of) = found;
    if let Err(why) = recipient.check(of, giving, kind) {
        return Ok(Err(Problem::Unsuitable(why)));
    }
    Ok(Ok((recipient, (of != giving).then_some(of))))
}

fn find(
    connection: &mut AnyConnection,
    giving: OrganizationId,
    kind: RecipientKind,
    form: &RecipientForm,
) -> Result<Option<(Recipient, OrganizationId)>> {
    let slug = form.organization.trim_matches(is_blank);
    let named = match slug {
        "" => None,
        slug if !is_slug(slug) => return Ok(None),
        slug => match organizations::find(connection, slug)? {
            None => return Ok(None),
            found => found,
        },
    };
    let (id, at) = (form.id.trim_matches(is_blank), named.unwrap_or(giving));
    Ok(match kind {
        RecipientKind::User => user(connection, id, giving, named)?.map(|(id, of)| (Recipient::User(id), of)),
        RecipientKind::ServiceUser if token::is_public_id(id) => recipients::service_user(connection, id)?
            .filter(|(_, of)| named.is_none_or(|named| named == *of))
            .map(|(id, of)| (Recipient::ServiceUser(id), of)),
        RecipientKind::ServiceUser => None,
        RecipientKind::Group | RecipientKind::Site if !token::is_public_id(id) => None,
        RecipientKind::Group => recipients::group(connection, at, id)?.map(|id| (Recipient::Group(id), at)),
        RecipientKind::Site => recipients::site(connection, at, id)?.map(|id| (Recipient::Site(id), at)),
        RecipientKind::Organization => Some((Recipient::Organization(at), at)),
    })
}

fn user(
    connection: &mut AnyConnection,
    id: &str,
    giving: OrganizationId,
    named: Option<OrganizationId>,
) -> Result<Option<(MembershipId, OrganizationId)>> {
    if let Some(member) = member_of_name(id) {
        let of = recipients::organization_of(connection, member)?;
        let fits = of.filter(|of| *of == named.unwrap_or(giving));
        return Ok(fits.map(|of| (member, of)));
    }
    let Ok(email) = Email::known(id) else { return Ok(None) };
    let all = recipients::memberships_of(connection, &email.folded())?;
    let at = |wanted: OrganizationId| all.iter().find(|(_, of)| *of == wanted).copied();
    Ok(match named {
        Some(named) => at(named),
        None => at(giving).or_else(|| all.first().copied()),
    })
}

/// Reads the name of a membership for programs, such as `membership:12`.
fn member_of_name(name: &str) -> Option<MembershipId> {
    name.strip_prefix("membership:")?.parse().ok().map(MembershipId)
}

/// Returns the subject of an organization with this name for programs.
pub(super) fn subject_in(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    name: &str,
) -> Result<Option<SubjectId>> {
    if let Some(member) = member_of_name(name) {
        let of = recipients::organization_of(connection, member)?;
        return Ok((of == Some(organization)).then_some(SubjectId::Membership(member)));
    }
    let Some(id) = name.strip_prefix("service_user:").filter(|id| token::is_public_id(id)) else { return Ok(None) };
    let found = recipients::service_user(connection, id)?.filter(|(_, of)| *of == organization);
    Ok(found.map(|(id, _)| SubjectId::ServiceUser(id)))
}

/// Reads the key of a level.
pub(super) fn level(key: &str) -> std::result::Result<Level, Problem> {
    Level::from_key(key).ok_or(Problem::NotAChoice)
}
