//! The HTML validators, from `node_modules`: html-validate with the rules of `tests/htmlvalidate.json`, and the Nu HTML
//! checker, which is that of the W3C.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use super::db::folder;

/// What is wrong with these pages, a line each: `page:line:column: message (rule)`. One run of each validator for all of
/// them, since starting one takes longer than a page.
pub fn validate<N: AsRef<str>, H: AsRef<str>>(pages: &[(N, H)]) -> Vec<String> {
    let folder = folder();
    let files: Vec<_> = (0..pages.len()).map(|number| folder.path().join(format!("{number}.html"))).collect();
    for (file, (_, html)) in files.iter().zip(pages) {
        std::fs::write(file, html.as_ref()).expect("a page is written");
    }
    let mut problems = html_validate(&folder, &files);
    problems.extend(nu(&folder, &files));
    let name = |number: usize| pages.get(number).map_or("?", |(name, _)| name.as_ref());
    problems.into_iter().map(|(number, problem)| format!("{}:{problem}", name(number))).collect()
}

/// Problems, each with the number of its page.
type Problems = Vec<(usize, String)>;

/// The number of a page by its file.
fn number(file: &Value) -> usize {
    let stem = Path::new(file.as_str().unwrap_or_default()).file_stem().and_then(|stem| stem.to_str()?.parse().ok());
    stem.unwrap_or(usize::MAX)
}

/// Runs a validator, whose report in JSON goes into a file: a long one through a pipe would be cut off when it ends.
fn report(validator: &mut Command, folder: &TempDir, name: &str) -> Value {
    let report = folder.path().join(name);
    let file = std::fs::File::create(&report).expect("a file for the report");
    let Output { stderr, .. } = validator.current_dir(folder.path()).stdout(file).output().expect("the validator runs");
    let written = std::fs::read(&report).expect("a report");
    serde_json::from_slice(&written)
        .unwrap_or_else(|error| panic!("{validator:?} gave no report ({error}): {}", String::from_utf8_lossy(&stderr)))
}

fn html_validate(folder: &TempDir, files: &[PathBuf]) -> Problems {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let validator = root.join("node_modules/.bin/html-validate");
    assert!(validator.exists(), "html-validate is not installed; ./test installs it");
    let mut command = Command::new(validator);
    command.arg("--config").arg(root.join("tests/htmlvalidate.json")).args(["--formatter", "json"]).args(files);
    let report = report(&mut command, folder, "html-validate.json");
    let of_page = |result: &Value| -> Problems {
        let messages = result["messages"].as_array().into_iter().flatten();
        let problem = |message: &Value| {
            let text = message["message"].as_str().unwrap_or_default();
            format!(
                "{}:{}: {text} ({})",
                message["line"],
                message["column"],
                message["ruleId"].as_str().unwrap_or_default()
            )
        };
        messages.map(|message| (number(&result["filePath"]), problem(message))).collect()
    };
    report.as_array().into_iter().flatten().flat_map(of_page).collect()
}

fn nu(folder: &TempDir, files: &[PathBuf]) -> Problems {
    let jar = Path::new(env!("CARGO_MANIFEST_DIR")).join("node_modules/vnu-jar/build/dist/vnu.jar");
    assert!(jar.exists(), "the Nu HTML checker is not installed; ./test installs it");
    let mut command = Command::new("java");
    command.args(["-Xss8m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar"]).arg(jar);
    command.args(["--format", "json", "--stdout", "--exit-zero-always"]).args(files);
    let report = report(&mut command, folder, "nu.json");
    let problem = |message: &Value| {
        let text = message["message"].as_str().unwrap_or_default();
        format!("{}:{}: {text} (nu)", message["lastLine"], message["lastColumn"])
    };
    report["messages"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|message| (number(&message["url"]), problem(message)))
        .collect()
}
