//! Items, their shares, and feeds.

use super::{
    Part,
    describe::{By, InQuery, delete, get, patch, post, put, shape},
    shapes::list_query,
};
use crate::{
    api::items::{
        bulk::Together,
        shares::{Told as ToldShare, Wanted as WantedShare},
        told::{Told, ToldWhole},
        wanted::{Changed, Put, Wanted},
    },
    routes::{path, pattern},
};
use app::items::MOST_TOGETHER;
use domain::{
    access::MOST_SHARES,
    item::{LONGEST_DESCRIPTION, LONGEST_NAME},
};
use serde_json::{Value, json};

const TOKEN: &[u16] = &[400, 401, 403, 404, 429, 503];

fn item() -> Value {
    json!({
        "id": "q2w4e6r8t1", "kind": "assets", "external_id": "INV-7", "name": "Fridge Mopti-02",
        "owner": { "id": "membership:12", "name": "Awa Diallo" }, "site": { "id": "k7m2q9xd4t", "name": "Mopti" },
        "template": null, "archived_at": null, "finished_at": null, "created_at": "2026-11-27T08:00:00Z",
        "modified_at": "2026-11-28T09:00:00Z", "version": 3, "level": "manage"
    })
}

fn whole() -> Value {
    let mut whole = item();
    whole["description"] = "Next to the door".into();
    whole["questions"] = json!([{ "key": "power", "label": "Power", "required": true, "type": "number" }]);
    whole["answers"] = json!({ "power": 120 });
    whole
}

fn share() -> Value {
    json!({
        "id": "z9y8x7w6v5", "level": "view", "created_at": "2026-11-28T09:00:00Z", "created_by": "Awa Diallo",
        "recipient": { "type": "group", "id": "k7m2q9xd4t", "name": "Logistics", "organization": "Croix-Bleue Sahel" }
    })
}

/// The parameters of lists and feeds of items.
fn query() -> Vec<InQuery> {
    let text = || json!({ "type": "string" });
    let choice = || json!({ "type": "string", "enum": ["", "true", "false", "both"] });
    let moment = || {
        json!({
            "type": "string",
            "anyOf": [{ "format": "date-time" }, { "maxLength": 0 }],
            "example": "2026-11-28T09:00:00Z",
        })
    };
    let mut all = list_query();
    all.extend([
        ("site", "The id of a site: only items there and below.", text()),
        ("template", "The id of a template: only its inspections.", text()),
        ("owner", "`membership:12`, `service_user:k7m2q9xd4t`, `me` or `nobody`.", text()),
        (
            "archived",
            "Whether items are archived. Without it, lists have only those that are not, feeds all.",
            choice(),
        ),
        ("completed", "Whether inspections are finished.", choice()),
        ("modified_after", "Only what was changed then or later. Write `+` as `%2B`.", moment()),
        ("modified_before", "Only what was changed earlier.", moment()),
    ]);
    all
}

/// Items.
pub fn part() -> Part {
    let operations = vec![
        get(pattern::ITEMS, "listItems", "List the items that the token reaches")
            .says("The one that was changed last comes first.")
            .query(query())
            .lists::<Told>("A page of items.", item())
            .table()
            .fails(TOKEN),
        post(pattern::ITEMS, "createItem", "Create an item")
            .says(&format!(
                "Only a template has `questions`; an inspection is started from a `template`, whose questions it keeps. A name has \
                 up to {LONGEST_NAME} characters, a description {LONGEST_DESCRIPTION}. The token’s subject owns the item."
            ))
            .takes::<Wanted>(json!({ "name": "Fridge Mopti-02", "site": "k7m2q9xd4t", "external_id": "INV-7" }))
            .answers::<ToldWhole>(201, "The new item; only its id and version for a token that may not view it.", whole())
            .with_headers(201, &["ETag", "Location"])
            .once()
            .fails(TOKEN),
        post(pattern::ITEMS_TOGETHER, "changeItems", "Do several changes together")
            .says(&format!(
                "Up to {MOST_TOGETHER} operations in one transaction. What is refused changes nothing and is told in its place; the \
                 rest is done."
            ))
            .takes::<Together>(json!({ "operations": [
                { "create": { "name": "Fridge Gao-01" } },
                { "put": { "external_id": "INV-7", "item": { "name": "Fridge Mopti-02" } } },
                { "change": { "id": "q2w4e6r8t1", "version": 3, "item": { "archived": true } } },
                { "delete": { "id": "z9y8x7w6v5" } }
            ] }))
            .answers_with(200, "What became of each operation, in its place.", results(), json!({ "results": [
                { "status": 201, "id": "q2w4e6r8t1", "version": 1 },
                { "status": 404, "detail": "There is no such item." }
            ] }))
            .once()
            .fails(TOKEN),
        put(pattern::ITEM_BY_EXTERNAL_ID, "putItem", "Change the item with your own id, or create it")
            .says("What is left out of an item that there is stays as it is. Encode the id: `/` is `%2F`.")
            .if_match(false)
            .takes::<Put>(json!({ "name": "Fridge Mopti-02" }))
            .answers::<ToldWhole>(200, "The item as it is now.", whole())
            .with_headers(200, &["ETag"])
            .answers::<ToldWhole>(201, "The new item.", whole())
            .with_headers(201, &["ETag", "Location"])
            .fails(TOKEN),
        get(pattern::ITEM, "readItem", "Read an item")
            .answers::<ToldWhole>(200, "The item.", whole())
            .with_headers(200, &["ETag"])
            .fails(TOKEN),
        patch(pattern::ITEM, "changeItem", "Change, archive or finish an item")
            .says("What is left out stays as it is. `null` takes an answer, the site or the external id away.")
            .if_match(false)
            .takes::<Changed>(json!({ "name": "Freezer", "site": null, "archived": true }))
            .answers::<ToldWhole>(200, "The item as it is now.", whole())
            .with_headers(200, &["ETag"])
            .fails(TOKEN),
        delete(pattern::ITEM, "deleteItem", "Delete an item")
            .if_match(false)
            .nothing(204, "It is deleted.")
            .fails(TOKEN),
        get(pattern::SHARES, "listShares", "List the shares of an item")
            .says("For those who manage the item, and for holders of *Users*.")
            .lists::<ToldShare>("All shares, the oldest first.", share())
            .fails(TOKEN),
        post(pattern::SHARES, "shareItem", "Share an item")
            .says(&format!(
                "A recipient who has a share already gets another level. A recipient has a `type` and an `id`: a `user` by e-mail \
                 address or subject id, a `service_user`, `group` or `site` by id, or the whole `organization`. `organization` \
                 is the slug of another one. An item has up to {MOST_SHARES} shares."
            ))
            .takes::<WantedShare>(json!({ "recipient": { "type": "user", "id": "awa@example.org" }, "level": "view" }))
            .answers::<ToldShare>(200, "The share; only its id and level for a token that may not view the item.", share())
            .once()
            .fails(TOKEN),
        delete(pattern::SHARE, "endShare", "End a share")
            .says("From the answer on, on every node.")
            .nothing(204, "It has ended.")
            .fails(TOKEN),
    ];
    Part {
        name: "Items",
        words: "What a token reaches: what its subject owns, and what shares and access rules give it. It also needs the \
                permission of the kind, such as `assets.edit`.",
        operations,
    }
}

fn results() -> Value {
    json!({
        "type": "object",
        "required": ["results"],
        "properties": { "results": { "type": "array", "items": {
            "type": "object",
            "required": ["status"],
            "properties": {
                "status": { "type": "integer" },
                "id": { "type": "string" },
                "version": { "type": "integer" },
                "detail": { "type": "string" },
                "errors": { "type": "array", "items": {
                    "type": "object",
                    "required": ["field", "detail"],
                    "properties": { "field": { "type": "string" }, "detail": { "type": "string" } },
                } },
            },
        } } },
    })
}

/// Feeds.
pub fn feeds() -> Part {
    let operations = vec![
        get(pattern::FEED, "readFeed", "Export items")
            .says(
                "All that the token reaches, the oldest change first. Follow `next_page` until it is `null`. An item that is changed \
                 meanwhile comes again. Access is decided again on each page.",
            )
            .by(By::TokenOrBasic)
            .query(query())
            .answers_with(200, "A page of the feed.", feed(), json!({
                "metadata": { "next_page": path::feed_page("inspections", "limit=50&cursor=MTc5NTg1NTYwMC43"), "remaining_records": 120 },
                "data": [{ "id": "q2w4e6r8t1", "name": "Cold chain", "modified_at": "2026-11-28T09:00:00Z", "archived": false }]
            }))
            .table()
            .fails(TOKEN),
        get(path::WHO_AM_I, "whoAmI", "Whom the key acts for, in the form of the feeds")
            .by(By::TokenOrBasic)
            .answers_with(200, "The subject.", who_am_i(), json!({
                "user_id": "membership:1", "organisation_id": "3f9c0a71be", "firstname": "Awa", "lastname": "Diallo"
            }))
            .fails(&[400, 401, 429, 503]),
    ];
    Part { name: "Feeds", words: "Exports for programs that take everything, and for spreadsheets.", operations }
}

fn feed() -> Value {
    let text = || json!({ "type": "string" });
    json!({
        "type": "object",
        "required": ["metadata", "data"],
        "properties": {
            "metadata": {
                "type": "object",
                "required": ["next_page", "remaining_records"],
                "properties": {
                    "next_page": { "type": ["string", "null"], "description": "The address of the next page." },
                    "remaining_records": { "type": "integer", "minimum": 0 },
                },
            },
            "data": { "type": "array", "items": {
                "type": "object",
                "properties": {
                    "id": text(),
                    "name": text(),
                    "modified_at": { "type": "string", "format": "date-time" },
                    "archived": { "type": "boolean" },
                    "description": text(),
                    "organisation_id": text(),
                    "owner_id": text(),
                    "owner_name": text(),
                    "author_id": text(),
                    "author_name": text(),
                    "created_at": { "type": "string", "format": "date-time" },
                    "site_id": text(),
                    "template_id": text(),
                    "template_name": text(),
                    "date_started": text(),
                    "date_completed": { "type": ["string", "null"] },
                    "date_modified": text(),
                    "code": text(),
                    "fields": { "type": "string", "description": "The answers of an asset, as JSON in a text." },
                    "state": { "type": "string", "enum": ["active", "archived"] },
                    "answers": shape("Answers"),
                },
            } },
        },
    })
}

fn who_am_i() -> Value {
    let text = || json!({ "type": "string" });
    json!({
        "type": "object",
        "required": ["user_id", "organisation_id", "firstname", "lastname"],
        "properties": { "user_id": text(), "organisation_id": text(), "firstname": text(), "lastname": text() },
    })
}
