//! The demonstration's items: some shared, some under a rule, at sites, with a group.

use super::{Person, entry};
use crate::{AppError, Result, random};
use domain::{
    access::{Level, Recipient, SiteId, SubjectId},
    activity::{Action, Detail, Source},
    field::{FieldType, Form, TypedField, TypedForm},
    item::{Contents, ItemId, ItemKind},
    organization::ServiceUserId,
    time::{DAY, Timestamp},
    token,
};
use std::collections::BTreeSet;
use storage::{
    AnyConnection,
    access_rules::{self, Wanted},
    activity, groups,
    items::{self, NewItem},
    members::{self, Of},
    recipients,
    shares::{self, NewShare},
    sites::{self, NewSite},
};

const VACCINES: [(&str, FieldType); 8] = [
    ("On arrival", FieldType::Heading),
    ("Temperature on the display (°C)", FieldType::Number),
    ("Is the door closed and sealed?", FieldType::YesNo),
    ("Vaccines past their date", FieldType::LongText),
    ("Before you leave", FieldType::Heading),
    ("Is the generator fuelled?", FieldType::YesNo),
    ("Next visit", FieldType::Date),
    ("Remarks", FieldType::LongText),
];
const INCIDENTS: [(&str, FieldType); 3] =
    [("What happened?", FieldType::LongText), ("When?", FieldType::Date), ("Was anybody hurt?", FieldType::YesNo)];
const FRIDGES: [&str; 4] = ["Fridge Mopti-01", "Fridge Mopti-02", "Cool box Mopti-07", "Generator Mopti"];

/// The public ids of two templates of the demonstration.
#[derive(Clone, Debug)]
pub struct Templates {
    /// One that the service user with a key reaches.
    pub seen: String,
    /// One that it does not reach.
    pub unseen: String,
}

struct Made {
    id: ItemId,
    public_id: String,
}

/// Adds everything, made by `by`, of which `colleague` and the service user `reader` reach some.
pub(super) fn add(
    connection: &mut AnyConnection,
    by: &Person,
    colleague: &Person,
    reader: ServiceUserId,
    now: Timestamp,
) -> Result<Templates> {
    let at = now.plus(-60 * DAY);
    let mali = site(connection, by, "Mali", None, at)?;
    let mopti = site(connection, by, "Mopti", Some(mali), at)?;
    let group_id = token::public_id(random::fill);
    groups::insert(connection, by.organization, &group_id, "Cold chain team", at)?;
    write_entry(connection, by, Action::GroupCreated, "Cold chain team", None, at)?;
    let group = recipients::group(connection, by.organization, &group_id)?.ok_or(AppError::NotFound)?;
    members::add(connection, Of::Group(group), by.organization, &[by.membership, colleague.membership], at)?;

    let vaccines = template(connection, by, "Vaccine fridge, weekly check", &VACCINES, at)?;
    let incidents = template(connection, by, "Incident report", &INCIDENTS, at)?;
    share(connection, by, &vaccines, Recipient::ServiceUser(reader), at)?;
    share(connection, by, &vaccines, Recipient::Group(group), at)?;
    for name in FRIDGES {
        make(connection, by, "assets", name, Some(mopti), Form::default(), at)?;
    }
    let wanted = Wanted {
        kind: kind("assets")?,
        site: Some(mali),
        template: None,
        recipient: Recipient::ServiceUser(reader),
        outside: None,
        level: Level::View,
    };
    access_rules::insert(connection, by.organization, &token::public_id(random::fill), &wanted, by.name, at)?;
    Ok(Templates { seen: vaccines.public_id, unseen: incidents.public_id })
}

fn kind(key: &str) -> Result<ItemKind> {
    ItemKind::parse(key).ok_or(AppError::NotFound)
}

fn site(
    connection: &mut AnyConnection,
    by: &Person,
    name: &str,
    parent: Option<SiteId>,
    at: Timestamp,
) -> Result<SiteId> {
    let public_id = token::public_id(random::fill);
    let level = if parent.is_some() { 2 } else { 1 };
    sites::insert(connection, by.organization, NewSite { public_id: &public_id, name, parent, level }, at)?;
    write_entry(connection, by, Action::SiteCreated, name, None, at)?;
    recipients::site(connection, by.organization, &public_id)?.ok_or(AppError::NotFound)
}

fn template(
    connection: &mut AnyConnection,
    by: &Person,
    name: &str,
    questions: &[(&str, FieldType)],
    at: Timestamp,
) -> Result<Made> {
    let typed = |(label, field_type): &(&str, FieldType)| TypedField {
        label: (*label).to_owned(),
        field_type: field_type.key().to_owned(),
        ..TypedField::default()
    };
    let form = TypedForm { fields: questions.iter().map(typed).collect() };
    let form = form.read(&Form::default(), &BTreeSet::new(), |_| true);
    let form = form.map_err(|error| AppError::Broken(format!("the demonstration: {error:?}")))?;
    make(connection, by, "templates", name, None, form, at)
}

fn make(
    connection: &mut AnyConnection,
    by: &Person,
    key: &str,
    name: &str,
    site: Option<SiteId>,
    form: Form,
    at: Timestamp,
) -> Result<Made> {
    let (kind, public_id) = (kind(key)?, token::public_id(random::fill));
    let contents = Contents { form, ..Contents::default() };
    let new = NewItem {
        public_id: &public_id,
        organization: by.organization,
        kind: &kind,
        external_id: None,
        name,
        owner: Some(SubjectId::Membership(by.membership)),
        site,
        template: None,
        finished_at: None,
        contents: &contents,
    };
    let id = items::insert(connection, &new, at)?;
    let detail = Detail::Item { kind, id: public_id.clone() };
    write_entry(connection, by, Action::ItemCreated, name, Some(detail), at)?;
    Ok(Made { id, public_id })
}

fn share(connection: &mut AnyConnection, by: &Person, item: &Made, recipient: Recipient, at: Timestamp) -> Result<()> {
    let new = NewShare {
        public_id: &token::public_id(random::fill),
        item: item.id,
        recipient,
        outside: None,
        level: Level::View,
        made_by: by.name,
    };
    Ok(shares::insert(connection, &new, at)?)
}

fn write_entry(
    connection: &mut AnyConnection,
    by: &Person,
    action: Action,
    name: &str,
    detail: Option<Detail>,
    at: Timestamp,
) -> Result<()> {
    let source = Source::default();
    let entry = activity::Entry { target_name: Some(name), detail, ..entry(by, action, at, None, &source) };
    Ok(activity::insert(connection, &entry)?)
}
