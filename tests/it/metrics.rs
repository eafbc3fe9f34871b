//! The metrics of a node, for Prometheus.

use crate::harness::{TestApp, TestDb, db_test, org};

/// Returns the value in a line.
fn value(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is not in {metrics}")).parse().expect("a number")
}

#[db_test]
async fn answers_are_counted_by_outcome(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    let gone = ann.makes_token("gone").await;
    ann.revokes("gone").await;
    let before = app.asked_by_program("/metrics").await.body;
    for _ in 0..5 {
        assert_eq!(app.with_key("GET", "/verify", &key).await.status, 200);
    }
    assert_eq!(app.with_key("POST", "/verify", &key).await.status, 403);
    assert_eq!(app.with_key("GET", "/verify", &gone).await.status, 401);
    assert_eq!(app.with_key("GET", "/verify", "jtn_p_nonsense").await.status, 401);
    let answer = app.asked_by_program("/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let after = answer.body;
    let grew = |name: &str| value(&after, name) - value(&before, name);
    for (outcome, count) in
        [("accepted", 5.), ("read_only", 1.), ("revoked", 1.), ("malformed", 1.), ("unknown", 0.), ("unavailable", 0.)]
    {
        assert_eq!(grew(&format!("jeton_verifications_total{{outcome=\"{outcome}\"}}")), count, "{outcome}");
    }
    assert_eq!(grew("jeton_http_requests_total{group=\"verify\",status=\"2xx\"}"), 5.);
    assert_eq!(grew("jeton_http_requests_total{group=\"verify\",status=\"4xx\"}"), 3.);
    assert_eq!(grew("jeton_http_request_duration_seconds_count{group=\"verify\"}"), 8.);
    assert_eq!(grew("jeton_http_request_duration_seconds_bucket{group=\"verify\",le=\"+Inf\"}"), 8.);
    let looked_up = grew("jeton_token_lookup_duration_seconds_count");
    assert_eq!(looked_up + grew("jeton_cache_hits_total"), 7., "each that is a key was known or looked up");
    assert!(looked_up >= 2., "each of the two at least once");
    assert!(value(&after, "jeton_epoch") > 0. && value(&after, "jeton_tokens_to_write") >= 1.);
    assert!(value(&after, "jeton_cache_entries") >= 1. && value(&after, "jeton_cache_bytes") >= 100.);
    assert!(value(&after, "jeton_epoch_read_duration_seconds_count") >= 1.);
    assert!(value(&after, "jeton_connections") >= 1. && value(&after, "jeton_connections_refused_total") == 0.);
    assert!(value(&after, "jeton_database_connections{state=\"idle\"}") >= 1.);
}

#[db_test]
async fn each_metric_is_explained_once_and_none_has_a_secret(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    app.me(&key).await;
    let metrics = app.asked_by_program("/metrics").await.body;
    let mut explained = Vec::new();
    for line in metrics.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let name = rest.split(' ').next().expect("a name");
            assert!(!explained.contains(&name), "{name}");
            explained.push(name);
        } else if !line.starts_with('#') {
            assert!(explained.last().is_some_and(|name| line.starts_with(name)), "{line}");
        }
    }
    for private in [&key[6..20], "Ann", "Power BI", "croix"] {
        assert!(!metrics.contains(private), "{private}");
    }
}

#[db_test]
async fn the_listener_for_programs_serves_only_programs(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key = ann.makes_token("Power BI").await;
    for path in ["/", "/sign-in", "/account/tokens", "/static/app.css", org!("/users"), "/setup"] {
        let answer = app.asked_by_program(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    }
    assert_eq!(app.asked_by_program("/.well-known/oauth-authorization-server").await.status, 200);
    let asked = |path: &str| reqwest::Client::new().get(format!("{}{path}", app.programs_url)).bearer_auth(&key).send();
    for path in ["/verify", "/api/v1/me"] {
        assert_eq!(asked(path).await.unwrap().status(), 200, "{path}");
    }
    assert_eq!(ann.revokes("Power BI").await.status, 303);
    assert_eq!(asked("/verify").await.unwrap().status(), 401, "told on the one listener, refused on the other");
    assert_eq!(app.send("GET", "/metrics", &[], "").await.status, 404);
}
