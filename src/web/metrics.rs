//! `/metrics`, in the text format of Prometheus (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! It contains no token, person or organization. Still, it is only for the operator, and is served only where no
//! outside traffic arrives: on the listener for programs (`--verify-listen`). A request that a proxy on the same
//! machine forwards looks like a local one, so an address alone proves nothing.

use super::{
    App,
    node::{CLASSES, ConnectionCounts, NodeThread},
    routes::Group,
};
use actix_web::{HttpRequest, HttpResponse};
use app::{
    background, log,
    metrics::{Durations, Timed},
    verify::metrics::{Measured, OUTCOMES},
};
use std::{
    fmt::{Display, Write},
    rc::Rc,
};

/// `GET /metrics`: the metrics of this node since its start.
pub async fn show(request: HttpRequest, jeton: App) -> HttpResponse {
    let mut text = Metrics::default();
    text.one(
        "build_info",
        "gauge",
        "Always 1; the label contains the running version.",
        &[("version", env!("CARGO_PKG_VERSION"))],
        1,
    );
    tokens(&mut text, &jeton.measured());
    let is_right = u8::from(jeton.clock().trusted().is_ok());
    text.one("clock_trusted", "gauge", "0 while the clock cannot be believed, and nothing is decided.", &[], is_right);
    if let Some(thread) = request.app_data::<Rc<NodeThread>>() {
        requests(&mut text, thread);
    }
    let (lost, left_out) = log::missing();
    text.one(
        "log_lines_lost_total",
        "counter",
        "Log lines that were lost because their reader was too slow.",
        &[],
        lost,
    );
    text.one(
        "log_lines_left_out_total",
        "counter",
        "Log lines that were left out because there were too many.",
        &[],
        left_out,
    );
    let panics = background::panics();
    text.one("background_panics_total", "counter", "Background tasks that were restarted after a panic.", &[], panics);
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text.0)
}

fn tokens(text: &mut Metrics, measured: &Measured) {
    text.head("verifications_total", "counter", "Verifications of tokens, by result.");
    for (outcome, count) in OUTCOMES.iter().zip(measured.outcomes) {
        text.line("verifications_total", &[("outcome", outcome)], count);
    }
    text.one("cache_hits_total", "counter", "Keys that were found in the cache.", &[], measured.known);
    text.head(
        "token_lookup_duration_seconds",
        "histogram",
        "How long it took to look up a key that was not in the cache.",
    );
    text.times("token_lookup_duration_seconds", &[], &measured.lookups);
    text.head("epoch_read_duration_seconds", "histogram", "How long it took to read the epoch from the database.");
    text.times("epoch_read_duration_seconds", &[], &measured.epoch_reads);
    if let Some(epoch) = measured.epoch {
        text.one("epoch", "gauge", "The last epoch read. It only increases.", &[], epoch);
    }
    text.one("cache_entries", "gauge", "Tokens in the cache.", &[], measured.cached);
    text.one("cache_bytes", "gauge", "Approximate size of the cached tokens in bytes.", &[], measured.cached_bytes);
    text.one("tokens_to_write", "gauge", "Tokens with uses not yet in the database.", &[], measured.waiting);
    let fails = u8::from(measured.database_fails);
    text.one("database_failing", "gauge", "1 while the database does not save what it is asked to.", &[], fails);
    let failures = measured.database_failures;
    text.one("database_failures_total", "counter", "Database operations that failed.", &[], failures);
    let (open, idle) = measured.connections;
    text.head("database_connections", "gauge", "Database connections of pages and the API.");
    text.line("database_connections", &[("state", "idle")], idle);
    text.line("database_connections", &[("state", "used")], open.saturating_sub(idle));
}

fn requests(text: &mut Metrics, thread: &NodeThread) {
    let requests = thread.node.requests();
    text.head("http_requests_total", "counter", "Answered requests, by group of routes and class of status.");
    for (group, sum) in Group::ALL.into_iter().zip(&requests) {
        for (class, count) in CLASSES.iter().zip(sum.classes) {
            text.line("http_requests_total", &[("group", group.key()), ("status", class)], count);
        }
    }
    text.head("http_request_duration_seconds", "histogram", "From the head of a request to that of its answer.");
    for (group, sum) in Group::ALL.into_iter().zip(&requests) {
        text.times("http_request_duration_seconds", &[("group", group.key())], &sum.took);
    }
    let ConnectionCounts { opened, closed, refused, malformed } = &thread.node.connections;
    let open = opened.get().saturating_sub(closed.get());
    text.one("connections", "gauge", "Open connections of clients.", &[], open);
    text.one(
        "connections_refused_total",
        "counter",
        "Connections that were refused because there were too many.",
        &[],
        refused.get(),
    );
    text.one("requests_malformed_total", "counter", "Requests that could not be parsed.", &[], malformed.get());
    let is_stopping = u8::from(thread.node.is_stopping());
    text.one("stopping", "gauge", "1 while this node is about to stop.", &[], is_stopping);
}

/// The text being built. Each name begins with `jeton_`; label values are fixed words and need no escaping.
#[derive(Default)]
struct Metrics(String);

type Labels<'a> = [(&'a str, &'a str)];

impl Metrics {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.add(format_args!("# HELP jeton_{name} {help}\n# TYPE jeton_{name} {kind}\n"));
    }

    fn line(&mut self, name: &str, labels: &Labels<'_>, value: impl Display) {
        self.add(format_args!("jeton_{name}"));
        for (index, (label, value)) in labels.iter().enumerate() {
            self.add(format_args!("{}{label}=\"{value}\"", if index == 0 { '{' } else { ',' }));
        }
        self.add(format_args!("{} {value}\n", if labels.is_empty() { "" } else { "}" }));
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, labels: &Labels<'_>, value: impl Display) {
        self.head(name, kind, help);
        self.line(name, labels, value);
    }

    /// Writes a histogram; its buckets are cumulative, as the format requires.
    fn times(&mut self, name: &str, labels: &Labels<'_>, timed: &Timed) {
        let ends =
            Durations::UP_TO.iter().map(|end| (std::time::Duration::from_micros(*end).as_secs_f64()).to_string());
        let mut count = 0;
        for (end, bucket) in ends.chain(["+Inf".to_owned()]).zip(timed.buckets) {
            count += bucket;
            let labels: Vec<_> = labels.iter().copied().chain([("le", end.as_str())]).collect();
            self.line(&format!("{name}_bucket"), &labels, count);
        }
        self.line(&format!("{name}_sum"), labels, timed.seconds);
        self.line(&format!("{name}_count"), labels, count);
    }

    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        self.0.write_fmt(text).unwrap_or_default();
    }
}
