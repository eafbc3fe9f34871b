//! Groups and sites of users.

use super::{
    Part,
    describe::{Described, delete, get, patch, post},
    shapes::list_query,
};
use crate::{
    api::{
        groups::{Group, Wanted as WantedGroup},
        members::{Listed, Member},
        sites::{Changed as ChangedSite, Site, Wanted as WantedSite},
    },
    routes::{path, pattern},
};
use domain::membership::listed::MOST_LISTED;
use serde_json::{Value, json};

/// What each operation here may answer because of its token.
const TOKEN: &[u16] = &[400, 401, 403, 429, 503];
const TOKEN_AND_ID: &[u16] = &[400, 401, 403, 404, 429, 503];

fn group() -> Value {
    json!({ "id": "k7m2q9xd4t", "name": "Logistics", "members": 12, "created_at": "2026-11-28T09:00:00Z", "version": 3 })
}

fn site() -> Value {
    json!({
        "id": "k7m2q9xd4t", "name": "Mopti", "parent": "3f9c0a71be", "level": 2, "members": 4, "members_in_all": 31,
        "created_at": "2026-11-28T09:00:00Z", "version": 3
    })
}

/// Groups.
pub fn groups() -> Part {
    let mut operations = vec![
        get(path::API_GROUPS, "listGroups", "List groups by name")
            .query(list_query())
            .lists::<Group>("A page of groups.", group())
            .fails(TOKEN),
        post(path::API_GROUPS, "createGroup", "Create a group")
            .takes::<WantedGroup>(json!({ "name": "Logistics" }))
            .answers::<Group>(201, "The new group.", group())
            .with_headers(201, &["ETag", "Location"])
            .fails(TOKEN),
        get(pattern::GROUP, "readGroup", "Read a group")
            .answers::<Group>(200, "The group.", group())
            .with_headers(200, &["ETag"])
            .fails(TOKEN_AND_ID),
        patch(pattern::GROUP, "changeGroup", "Rename a group")
            .if_match(false)
            .takes::<WantedGroup>(json!({ "name": "Transport" }))
            .answers::<Group>(200, "The group as it is now.", group())
            .with_headers(200, &["ETag"])
            .fails(TOKEN_AND_ID),
        delete(pattern::GROUP, "deleteGroup", "Delete a group")
            .says("What was shared with the group ends for its members at once.")
            .if_match(false)
            .nothing(204, "It is deleted.")
            .fails(TOKEN_AND_ID),
    ];
    operations.extend(members(pattern::GROUP_MEMBERS, "Group"));
    Part {
        name: "Groups",
        words: "Groups of users, with whom items are shared together. For tokens whose subject has *Platform management: Groups*.",
        operations,
    }
}

/// Sites.
pub fn sites() -> Part {
    let mut operations = vec![
        get(path::API_SITES, "listSites", "List sites by name")
            .query(list_query())
            .lists::<Site>("A page of sites.", site())
            .fails(TOKEN),
        post(path::API_SITES, "createSite", "Create a site")
            .says("Sites are up to 8 levels deep.")
            .takes::<WantedSite>(json!({ "name": "Mopti", "parent": "3f9c0a71be" }))
            .answers::<Site>(201, "The new site.", site())
            .with_headers(201, &["ETag", "Location"])
            .fails(TOKEN_AND_ID),
        get(pattern::SITE, "readSite", "Read a site")
            .answers::<Site>(200, "The site.", site())
            .with_headers(200, &["ETag"])
            .fails(TOKEN_AND_ID),
        patch(pattern::SITE, "changeSite", "Rename or move a site")
            .says("What is left out stays as it is. `\"parent\": null` moves the site out of the one that it is in.")
            .if_match(false)
            .takes::<ChangedSite>(json!({ "name": "Mopti-Sévaré" }))
            .answers::<Site>(200, "The site as it is now.", site())
            .with_headers(200, &["ETag"])
            .fails(TOKEN_AND_ID),
        delete(pattern::SITE, "deleteSite", "Delete a site")
            .says("A site with others in it cannot be deleted. Its items stay, at no site.")
            .if_match(false)
            .nothing(204, "It is deleted.")
            .fails(TOKEN_AND_ID)
            .fails(&[422]),
    ];
    operations.extend(members(pattern::SITE_MEMBERS, "Site"));
    Part {
        name: "Sites",
        words: "Places, in one another: whoever is assigned to one belongs to all below it. For tokens whose subject has \
                *Platform management: Sites*.",
        operations,
    }
}

/// The members of a group or site: all, several at once, and one.
fn members([all, removal, one]: [&'static str; 3], of: &str) -> Vec<Described> {
    let member = json!({
        "id": "membership:12", "name": "Awa Diallo", "email": "awa@example.org", "external_id": "HR-7", "is_active": true,
        "since": "2026-11-28T09:00:00Z"
    });
    let people =
        || json!({ "members": [{ "id": "membership:12" }, { "email": "awa@example.org" }, { "external_id": "HR-7" }] });
    let changed = |name: &str| {
        let (schema, mut counts) = (json!({ "type": "integer", "minimum": 0 }), serde_json::Map::new());
        counts.insert(name.to_owned(), schema.clone());
        counts.insert("listed".to_owned(), schema);
        json!({ "type": "object", "required": [name, "listed"], "properties": counts })
    };
    let says = format!("All of them, or nobody: up to {MOST_LISTED} people, each named in one way.");
    let of_lower = of.to_lowercase();
    vec![
        get(all, &format!("list{of}Members"), &format!("List the members of a {of_lower}"))
            .query(list_query())
            .lists::<Member>("A page of members.", member)
            .fails(TOKEN_AND_ID),
        post(all, &format!("add{of}Members"), &format!("Add members to a {of_lower}"))
            .says(&says)
            .takes::<Listed>(people())
            .answers_with(
                200,
                "How many were named, and how many of them are new.",
                changed("added"),
                json!({ "added": 2, "listed": 3 }),
            )
            .fails(TOKEN_AND_ID),
        post(removal, &format!("remove{of}Members"), &format!("Remove members from a {of_lower}"))
            .says(&says)
            .takes::<Listed>(people())
            .answers_with(
                200,
                "How many were named, and how many of them were removed.",
                changed("removed"),
                json!({ "removed": 2, "listed": 3 }),
            )
            .fails(TOKEN_AND_ID),
        delete(one, &format!("remove{of}Member"), &format!("Remove one member from a {of_lower}"))
            .nothing(204, "They are no member any more.")
            .fails(TOKEN_AND_ID),
    ]
}
