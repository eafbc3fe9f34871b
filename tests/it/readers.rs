//! A program that nobody here wrote reads lists and feeds: pandas, as released.

use crate::harness::{TestApp, TestDb, db_test};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::Write,
    process::{Command, Stdio},
};

/// The Python with the packages that `./test` installs.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/proxies/bin/python3");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients/read_feeds.py");

/// Returns what the script prints.
async fn read(given: Value) -> Value {
    let run = move || {
        let mut command = Command::new(PYTHON);
        command.args(["-I", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{PYTHON}: {error}; ./test installs it"));
        child.stdin.take().expect("its input").write_all(given.to_string().as_bytes()).expect("what it is given");
        let output = child.wait_with_output().expect("its end");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    actix_web::web::block(run).await.expect("a thread")
}

fn names(read: &Value) -> BTreeSet<&str> {
    read["names"].as_array().expect("names").iter().map(|name| name.as_str().expect("a text")).collect()
}

#[db_test]
async fn pandas_reads_every_row_of_lists_and_feeds(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token_with("pandas", "read_write").await;
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let question = json!({ "label": "Temperature", "type": "number" });
    let template = json!({ "name": "Cold chain", "questions": [question, { "label": "Note", "type": "text" }] });
    let made = app.send("POST", "/api/v1/items/templates", &headers, &template.to_string()).await;
    let template = made.json()["id"].clone();
    let mut all: Vec<String> = (0..118).map(|number| format!("Inspection {number}")).collect();
    all.extend(["Réfrigérateur; été, \"bleu\"".into(), "温度".into()]);
    for some in all.chunks(60) {
        let create = |name: &String| {
            let answers = json!({ "temperature": 4.5, "note": "=1, \"+2\"" });
            json!({ "create": { "name": name, "template": template, "answers": answers } })
        };
        let many: Vec<Value> = some.iter().map(create).collect();
        let body = json!({ "operations": many }).to_string();
        let done = app.send("POST", "/api/v1/items/inspections/bulk", &headers, &body).await;
        assert!(done.json()["results"].as_array().unwrap().iter().all(|one| one["status"] == 201), "{}", done.body);
    }
    let read = read(json!({ "url": app.url, "key": key, "kind": "inspections" })).await;
    assert_eq!((&read["remaining"], &read["times"]), (&json!([80, 40, 0]), &json!(true)), "{read}");
    let ids = |part: &str| read[part]["ids"].as_array().unwrap().iter().map(Value::to_string).collect::<BTreeSet<_>>();
    assert_eq!(ids("feed").len(), 120);
    assert!(names(&read["feed"]).contains("温度") && names(&read["feed"]).len() == 120);
    for list in ["feed", "list"] {
        for encoding in ["identity", "gzip"] {
            let table = format!("{list} as {encoding} table");
            assert_eq!(read[&table]["columns"][0], "id", "{read}");
            assert_eq!((&read[&table]["rows"], ids(&table)), (&json!(120), ids("feed")));
            assert_eq!(names(&read[&table]), names(&read["feed"]));
            let answers = read[format!("{list} as {encoding} answers")].as_array().unwrap();
            assert!(answers.len() == 120 && answers.iter().all(|answer| *answer == json!(4.5)), "{answers:?}");
        }
    }
}
