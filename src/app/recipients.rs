//! Recipients of shares and access rules, as people and programs name them.

use super::{Result, problem::Problem};
use domain::{
    access::{Level, Recipient, RecipientKind, SubjectId},
    item::ItemKind,
    membership::listed::Called,
    organization::{MembershipId, OrganizationId, is_slug},
    text::{self, is_blank},
    token,
    user::Email,
};
pub use storage::recipients::Known;
use storage::{AnyConnection, audience, memberships::people, organizations, recipients};

/// The maximum number of service users among whom a name is looked for.
const MOST_SERVICE_USERS: i64 = 1_000;

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
    /// If there is no id: the name of a user, service user or group of the giving organization, which no other has.
    pub name: String,
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
    let name = form.name.trim_matches(is_blank);
    if id.is_empty() && !name.is_empty() && at == giving {
        return Ok(called(connection, giving, kind, name)?.map(|recipient| (recipient, giving)));
    }
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

/// Returns the only one of an organization with this name.
fn called(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    kind: RecipientKind,
    name: &str,
) -> Result<Option<Recipient>> {
    let mut found: Vec<Recipient> = match kind {
        RecipientKind::User => {
            let wanted = Called::Name(text::searchable(name));
            let mut all = people::called(connection, organization, std::iter::once(&wanted))?;
            all.remove(&wanted).unwrap_or_default().into_iter().map(Recipient::User).collect()
        }
        RecipientKind::ServiceUser => {
            let everyone = [Recipient::Organization(organization)];
            let all = audience::service_users(connection, organization, &everyone, MOST_SERVICE_USERS)?;
            let named = all.into_iter().filter(|one| text::fold(&one.name) == text::fold(name));
            named.map(|one| Recipient::ServiceUser(one.id)).collect()
        }
        RecipientKind::Group => {
            recipients::group_named(connection, organization, name)?.into_iter().map(Recipient::Group).collect()
        }
        RecipientKind::Site | RecipientKind::Organization => Vec::new(),
    };
    Ok(found.pop().filter(|_| found.is_empty()))
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

/// Returns whom a form names in the organization with this id and slug, and nobody elsewhere.
pub(super) fn own_in(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    slug: &str,
    form: &RecipientForm,
) -> Result<Option<Recipient>> {
    let Some(kind) = RecipientKind::from_key(&form.kind) else { return Ok(None) };
    let here = RecipientForm { organization: slug.to_owned(), ..form.clone() };
    let is_here = form.organization.is_empty() || form.organization == slug;
    Ok(if is_here { find(connection, organization, kind, &here)?.map(|(recipient, _)| recipient) } else { None })
}

/// Returns whether a form may name somebody of another organization.
pub(super) fn may_be_outside(form: &RecipientForm) -> bool {
    match RecipientKind::from_key(&form.kind) {
        Some(RecipientKind::User) => Email::known(&form.id).is_ok(),
        Some(RecipientKind::ServiceUser) => token::is_public_id(&form.id),
        Some(RecipientKind::Organization) => is_slug(&form.organization),
        Some(RecipientKind::Group | RecipientKind::Site) | None => false,
    }
}

/// Reads the address of somebody outside: an e-mail address, the public id of a service user, or the address of a page
/// of an organization. Whether anybody has it is not looked up.
pub(super) fn outside(typed: &str) -> Option<RecipientForm> {
    let typed = typed.trim_matches(is_blank);
    let form = |kind: RecipientKind, id: &str, organization: &str| RecipientForm {
        kind: kind.key().to_owned(),
        id: id.to_owned(),
        organization: organization.to_owned(),
        name: String::new(),
    };
    if Email::known(typed).is_ok() {
        return Some(form(RecipientKind::User, typed, ""));
    }
    // A word of ten letters is not taken for one.
    if token::is_public_id(typed) && typed.contains(|c: char| c.is_ascii_digit()) {
        return Some(form(RecipientKind::ServiceUser, typed, ""));
    }
    slug_of(typed).map(|slug| form(RecipientKind::Organization, "", &slug))
}

/// Returns the slug in the address of a page of an organization.
pub fn slug_of(typed: &str) -> Option<String> {
    let address = typed.trim_matches(is_blank).split(['?', '#']).next().unwrap_or_default();
    let (_, behind) = address.trim_start_matches("https://").trim_start_matches("http://").split_once('/')?;
    let slug = behind.trim_start_matches("orgs/").split('/').next().unwrap_or_default();
    is_slug(slug).then(|| slug.to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_may_be_the_address_of_somebody_outside() {
        let read = |typed: &str| outside(typed).map(|form| (form.kind, form.id, form.organization));
        let organization = |slug: &str| Some(("organization".to_owned(), String::new(), slug.to_owned()));
        for address in [
            "https://jeton.example/orgs/niger",
            "http://jeton.example/orgs/niger/users?q=a",
            "jeton.example/niger",
            "/niger/",
        ] {
            assert_eq!(read(address), organization("niger"), "{address}");
        }
        let user = Some(("user".to_owned(), "ben@niger.example".to_owned(), String::new()));
        assert_eq!(read(" ben@niger.example "), user);
        let service_user = Some(("service_user".to_owned(), "k7m2q9xd4t".to_owned(), String::new()));
        assert_eq!(read("k7m2q9xd4t"), service_user);
        for name in ["", "Niger", "warehouses", "mopti team", "/", "https://jeton.example", "jeton.example/Not A Slug"]
        {
            assert_eq!(read(name), None, "{name}");
        }
    }
}
