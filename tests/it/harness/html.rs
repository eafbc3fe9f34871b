//! The HTML validators, from `node_modules`: html-validate with the rules of `tests/htmlvalidate.json`, and the Nu HTML
//! checker, which is that of the W3C. Starting one takes longer than many pages, so each runs as one service for the test
//! process.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::guardian::Guardian;
use super::postgres::free_port;

/// `$1` is the html-validate service, `$2` the Nu HTML checker, `$3` its port.
const START: &str = r#"
node "$1" </dev/null >>"$folder/log" 2>&1 &
stop="kill -s KILL $!; wait $!"
java -Xss8m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dnu.validator.servlet.bind-address=127.0.0.1 \
    -cp "$2" nu.validator.servlet.Main "$3" </dev/null >>"$folder/log" 2>&1 &
stop="$stop; kill -s KILL $!; wait $!"
"#;

/// Starts the validators if they are not running, so that they are ready when they are needed.
pub fn start() -> &'static Guardian {
    static VALIDATORS: OnceLock<Guardian> = OnceLock::new();
    VALIDATORS.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let service = root.join("tests/it/harness/html_validate.mjs");
        let checker = root.join("node_modules/vnu-jar/build/dist/vnu.jar");
        assert!(checker.exists(), "the Nu HTML checker is not installed; ./test installs it");
        let port = free_port().expect("a free port").to_string();
        let arguments = [service.as_os_str(), checker.as_os_str(), OsStr::new(&port)];
        Guardian::start(START, &arguments).expect("the validators start")
    })
}

/// Returns the errors of these pages, one line each: `page:line:column: message (rule)`.
pub async fn validate<N: AsRef<str>, H: AsRef<str>>(pages: &[(N, H)]) -> Vec<String> {
    let html_validate = address("html-validate at ").await;
    let nu = format!("{}?out=json", address("Checker service started at ").await);
    // The Nu HTML checker answers only clients that send a `User-Agent`.
    let client = reqwest::Client::builder().no_proxy().user_agent("jeton-tests").build().expect("a client");
    let mut problems = Vec::new();
    for (name, html) in pages {
        let (name, html) = (name.as_ref(), html.as_ref());
        let (of_one, of_other) = tokio::join!(ask(&client, &html_validate, html), ask(&client, &nu, html));
        problems.extend(messages(&of_one).map(|message| format!("{name}:{}", of_html_validate(message))));
        problems.extend(messages(&of_other["messages"]).map(|message| format!("{name}:{}", of_nu(message))));
    }
    problems
}

/// Waits until the service that writes this to the log has written its address.
async fn address(before: &str) -> String {
    let (guardian, started) = (start(), Instant::now());
    loop {
        let log = guardian.log();
        if let Some(address) = log.lines().find_map(|line| line.strip_prefix(before)) {
            return address.to_owned();
        }
        assert!(started.elapsed() < Duration::from_secs(120), "a validator does not start: {log}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn ask(client: &reqwest::Client, address: &str, html: &str) -> Value {
    let request = client.post(address).header("content-type", "text/html; charset=utf-8").body(html.to_owned());
    let answer = request.send().await.expect("the validator answers");
    answer.json().await.expect("a report")
}

fn messages(report: &Value) -> impl Iterator<Item = &Value> {
    report.as_array().unwrap_or_else(|| panic!("no list of messages: {report}")).iter()
}

fn of_html_validate(message: &Value) -> String {
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    format!("{}:{}: {} ({})", message["line"], message["column"], text("message"), text("ruleId"))
}

fn of_nu(message: &Value) -> String {
    let text = message["message"].as_str().unwrap_or_default();
    format!("{}:{}: {text} (nu)", message["lastLine"], message["lastColumn"])
}
