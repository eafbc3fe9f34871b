//! The description of the API: it names everything that there is and nothing else, and is right about it. What the server
//! really answers is compared in `harness::described`.

use crate::harness::{
    TestApp, TestDb, db_test,
    described::{DOCUMENT, resolved, validator},
};
use domain::{
    field, item,
    kind::{LONGEST_KEY, MOST_ACTIONS},
    membership::listed::MOST_LISTED,
    text,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// The addresses that are answered before the routes.
const FORWARD_AUTH: [&str; 3] = ["GET /verify", "GET /verify/token/{path}", "GET /verify/apis/{id}"];

/// Each operation with its method and address.
fn operations() -> impl Iterator<Item = (String, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").iter();
        methods.map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
    })
}

/// Visits each value of the document, with its place.
fn each<'a>(value: &'a Value, place: &str, visit: &mut impl FnMut(&str, &'a Value)) {
    visit(place, value);
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| each(inner, &format!("{place}/{key}"), visit)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, inner)| each(inner, &format!("{place}/{at}"), visit))
        }
        _ => {}
    }
}

#[test]
fn every_route_of_the_api_is_described_and_nothing_else() {
    let served = web::routes::served_to_programs().into_iter().map(|(method, path)| format!("{method} {path}"));
    let served: BTreeSet<String> = served.chain(FORWARD_AUTH.map(str::to_owned)).collect();
    let described: BTreeSet<String> = operations().map(|(at, _)| at).collect();
    let (missing, unknown): (Vec<_>, Vec<_>) =
        (served.difference(&described).collect(), described.difference(&served).collect());
    assert!(missing.is_empty() && unknown.is_empty(), "not described: {missing:?}; not served: {unknown:?}");
}

#[test]
fn each_operation_is_whole() {
    let mut ids = BTreeSet::new();
    for (at, operation) in operations() {
        assert!(ids.insert(operation["operationId"].as_str().expect("an id")), "{at}");
        assert!(operation["summary"].as_str().is_some_and(|summary| summary.len() > 5), "{at}");
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{at}");
        let parameters: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().map(resolved).collect();
        let named: BTreeSet<&str> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        let path = at.split(' ').nth(1).expect("a path");
        let in_path: BTreeSet<&str> = path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
        assert_eq!(named, in_path, "{at}");
        let responses = operation["responses"].as_object().expect("responses");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{at}");
        for parameter in parameters {
            assert!(parameter["description"].is_string() && parameter["schema"].is_object(), "{at}: {parameter}");
        }
    }
    assert!(ids.len() > 50, "{}", ids.len());
}

#[test]
fn every_reference_leads_somewhere_and_everything_is_used() {
    let mut used = BTreeSet::new();
    each(&DOCUMENT, "", &mut |_, value| {
        if let Some(reference) = value["$ref"].as_str() {
            assert!(!resolved(value).is_null(), "{reference}");
            used.insert(reference.to_owned());
        }
    });
    for part in ["schemas", "responses", "headers", "parameters"] {
        for name in DOCUMENT["components"][part].as_object().expect("components").keys() {
            assert!(used.contains(&format!("#/components/{part}/{name}")), "{part}: nothing needs {name}");
        }
    }
}

#[test]
fn every_example_fits_its_schema() {
    let mut count = 0;
    each(&DOCUMENT, "", &mut |place, value| {
        let (schema, example) = (&value["schema"], &value["example"]);
        if schema.is_object() && !example.is_null() {
            count += 1;
            let wrong: Vec<String> =
                validator(place, schema).iter_errors(example).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{place}: {wrong:?}");
        }
    });
    assert!(count > 50, "{count}");
}

/// The macro takes numbers only.
#[test]
fn limits_are_those_of_the_code() {
    let number = |pointer: &str| DOCUMENT.pointer(&format!("/components/schemas/{pointer}")).and_then(Value::as_u64);
    for (pointer, limit) in [
        ("GroupWanted/properties/name/maxLength", text::LONGEST),
        ("SiteWanted/properties/name/maxLength", text::LONGEST),
        ("KindWanted/properties/singular/maxLength", text::LONGEST),
        ("KindWanted/properties/actions/maxItems", MOST_ACTIONS),
        ("ItemWanted/properties/name/maxLength", item::LONGEST_NAME),
        ("ItemWanted/properties/description/maxLength", item::LONGEST_DESCRIPTION),
        ("ItemChange/properties/name/maxLength", item::LONGEST_NAME),
        ("ItemPut/properties/description/maxLength", item::LONGEST_DESCRIPTION),
        ("Field/properties/label/maxLength", field::LONGEST_LABEL),
        ("Field/properties/help/maxLength", field::LONGEST_HELP),
        ("Field/properties/choices/maxItems", field::MOST_CHOICES),
        ("ItemWanted/properties/questions/maxItems", field::MOST_FIELDS),
        ("People/properties/members/maxItems", MOST_LISTED),
        ("Operations/properties/operations/maxItems", app::items::MOST_TOGETHER),
    ] {
        assert_eq!(number(pointer), u64::try_from(limit).ok(), "{pointer}");
    }
    let key = DOCUMENT.pointer("/components/schemas/ActionWanted/properties/key/pattern").and_then(Value::as_str);
    assert_eq!(key, Some(&*format!("^[a-z][a-z0-9_]{{1,{}}}$", LONGEST_KEY - 1)));
}

#[db_test]
async fn anybody_may_read_the_description_which_says_nothing_about_the_installation(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    ann.makes_token("script").await;
    let told = app.send("GET", "/openapi.json", &[], "").await;
    assert_eq!((told.status, told.header("content-type")), (200, "application/json"));
    assert_eq!(told.header("access-control-allow-origin"), "*", "tools in a browser read it, too");
    assert_eq!(&told.json(), *DOCUMENT, "the same on every server");
    for fact in [&*app.url, "127.0.0.1", "ann@example.org"] {
        assert!(!told.body.contains(fact), "{fact}");
    }
}
