//! The HTML validator: html-validate from `node_modules`, with the rules of `tests/htmlvalidate.json`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::db::folder;

/// What is wrong with these pages, a line each: `page:line:column: message (rule)`. One run for all of them, since
/// starting the validator takes longer than a page.
pub fn validate<N: AsRef<str>, H: AsRef<str>>(pages: &[(N, H)]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = folder();
    let files: Vec<_> = (0..pages.len()).map(|number| folder.path().join(format!("{number}.html"))).collect();
    for (file, (_, html)) in files.iter().zip(pages) {
        std::fs::write(file, html.as_ref()).expect("a page is written");
    }
    let validator = root.join("node_modules/.bin/html-validate");
    assert!(validator.exists(), "html-validate is not installed; ./test installs it");
    // A long report through a pipe would be cut off when the validator ends.
    let report = folder.path().join("report.json");
    let output = Command::new(validator)
        .arg("--config")
        .arg(root.join("tests/htmlvalidate.json"))
        .args(["--formatter", "json"])
        .args(&files)
        .current_dir(folder.path())
        .stdout(std::fs::File::create(&report).expect("a file for the report"))
        .output()
        .expect("html-validate runs");
    let written = std::fs::read(&report).expect("a report");
    let report: Value = serde_json::from_slice(&written).unwrap_or_else(|error| {
        panic!("html-validate gave no report ({error}): {}", String::from_utf8_lossy(&output.stderr))
    });
    let mut problems = Vec::new();
    for result in report.as_array().into_iter().flatten() {
        let file = Path::new(result["filePath"].as_str().unwrap_or_default());
        let number = file.file_stem().and_then(|stem| stem.to_str()?.parse::<usize>().ok());
        let page = number.and_then(|number| pages.get(number)).map_or("?", |(name, _)| name.as_ref());
        for message in result["messages"].as_array().into_iter().flatten() {
            problems.push(format!(
                "{page}:{}:{}: {} ({})",
                message["line"],
                message["column"],
                message["message"].as_str().unwrap_or_default(),
                message["ruleId"].as_str().unwrap_or_default(),
            ));
        }
    }
    problems
}
