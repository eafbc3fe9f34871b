//! Kinds of items.

use super::{
    Part,
    describe::{delete, get, post, put},
};
use crate::{
    api::kinds::{Told, ToldFields, Wanted, WantedFields},
    routes::{path, pattern},
};
use domain::kind::{MOST_ACTIONS, MOST_KINDS};
use serde_json::{Value, json};

fn kind() -> Value {
    json!({
        "key": "invoices", "built_in": false, "singular": "Invoice", "plural": "Invoices",
        "actions": [
            { "key": "view", "permission": "invoices.view", "reads": true, "level": "view" },
            { "key": "approve", "name": "Approve", "permission": "invoices.approve", "reads": false, "level": "edit" }
        ]
    })
}

fn fields() -> Value {
    json!({ "fields": [{ "key": "power", "label": "Power", "required": true, "type": "number" }] })
}

fn wanted() -> Value {
    json!({
        "key": "invoices", "singular": "Invoice", "plural": "Invoices",
        "actions": [{ "key": "approve", "name": "Approve", "reads": false }]
    })
}

/// Kinds.
pub fn part() -> Part {
    let operations = vec![
        get(path::API_KINDS, "listKinds", "List the kinds of the organization")
            .says("Built-in ones first, then the organization’s own by name, all on one page. Any token may ask.")
            .lists::<Told<'_>>("All kinds.", kind())
            .fails(&[400, 401, 429, 503]),
        post(path::API_KINDS, "createKind", "Create a kind")
            .says(&format!(
                "Each action becomes a permission, `<kind>.<action>`. An organization has up to {MOST_KINDS} own kinds, each with \
                 up to {MOST_ACTIONS} own actions. Takes *Platform management: Kinds*."
            ))
            .takes::<Wanted>(wanted())
            .answers::<Told<'_>>(201, "The new kind.", kind())
            .with_headers(201, &["ETag", "Location"])
            .fails(&[400, 401, 403, 429, 503]),
        get(pattern::KIND, "readKind", "Read a kind")
            .says("Only an own kind has a version.")
            .answers::<Told<'_>>(200, "The kind.", kind())
            .fails(&[400, 401, 404, 429, 503]),
        put(pattern::KIND, "changeKind", "Change a kind")
            .says(
                "Replaces the names and the own actions; the key never changes. Permissions of actions that are left out leave \
                 all permission sets and service users at once.",
            )
            .if_match(true)
            .takes::<Wanted>(wanted())
            .answers::<Told<'_>>(200, "The kind as it is now.", kind())
            .with_headers(200, &["ETag"])
            .fails(&[400, 401, 403, 404, 429, 503]),
        get(pattern::KIND_FIELDS, "readFields", "Read the fields of a kind")
            .says("Templates and inspections have none: they have questions.")
            .answers::<ToldFields<'_>>(200, "The fields, in order.", fields())
            .with_headers(200, &["ETag"])
            .fails(&[400, 401, 404, 429, 503]),
        put(pattern::KIND_FIELDS, "changeFields", "Change the fields of a kind")
            .says("Replaces all of them. A field keeps its answers by its key.")
            .if_match(true)
            .takes::<WantedFields>(fields())
            .answers::<ToldFields<'_>>(200, "The fields as they are now.", fields())
            .with_headers(200, &["ETag"])
            .fails(&[400, 401, 403, 404, 429, 503]),
        delete(pattern::KIND, "deleteKind", "Delete a kind")
            .says("One that has items cannot be deleted. Its permissions leave all permission sets and service users at once.")
            .nothing(204, "It is deleted.")
            .fails(&[400, 401, 403, 404, 422, 429, 503]),
    ];
    Part { name: "Kinds", words: "What sorts of items there are, and what may be done with them.", operations }
}
