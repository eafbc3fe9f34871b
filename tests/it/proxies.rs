//! Real proxies with the configuration that the page of a protected API shows: whatever a client sends, only requests
//! that Jeton has allowed reach the API, and the API learns whom a request is for only from Jeton (V10, V11).

use crate::harness::{
    Person, TestApp, TestDb,
    link::{Link, Way},
    org,
    proxy::{Hit, Kind, Proxy, Upstream, free_port},
};

const APIS: &str = org!("/integrations/apis");
const IDENTITY: [&str; 6] =
    ["jeton-subject", "jeton-organization", "jeton-organization-id", "jeton-scope", "jeton-permissions", "jeton-token"];

/// The fields of a form with four rules.
const RULES: &[(&str, &str)] = &[
    ("methods[]", "reads"),
    ("path[]", "/orders/**"),
    ("item[]", ""),
    ("needs[]", "read"),
    ("permission[]", "templates.view"),
    ("methods[]", "any"),
    ("path[]", "/admin/**"),
    ("item[]", ""),
    ("needs[]", "read_write"),
    ("permission[]", "platform.billing"),
    ("methods[]", "any"),
    ("path[]", "/public/**"),
    ("item[]", ""),
    ("needs[]", "by_method"),
    ("permission[]", ""),
    ("methods[]", "any"),
    ("path[]", "/fridges/{item}/**"),
    ("item[]", "assets"),
    ("needs[]", "by_method"),
    ("permission[]", "assets.view"),
];

/// Refused requests of a client that may only read orders: the request line without its version, and headers.
const REFUSED: &[(&str, &[&str])] = &[
    ("POST /v1/orders/5", &[]),
    ("DELETE /v1/public/5", &[]),
    ("GET /v1/admin/5", &[]),
    ("GET /v1/other", &[]),
    ("get /v1/public/5", &[]),
    // The words of other proxies, forged: they say less than what is asked for.
    ("POST /v1/public/5", &["X-Original-Method: GET", "X-Forwarded-Method: GET", "X-HTTP-Method-Override: GET"]),
    ("GET /v1/admin/5", &["X-Original-URI: /v1/orders/5"]),
    ("GET /v1/admin/5", &["X-Forwarded-Uri: /v1/orders/5", "X-Forwarded-Prefix: /v1/orders"]),
    ("GET /v1/admin/5", &["X-Original-URL: http://127.0.0.1/v1/orders/5", "X-Rewrite-URL: /v1/orders/5"]),
    ("GET /v1/admin/5", &["X-Original-URI: /v1/orders/5", "X-Original-URI: /v1/orders/6"]),
    ("GET /v1/admin/5", &["X-Forwarded-Uri: /v1/orders/5", "X-Forwarded-Uri: /v1/orders/5"]),
    ("GET /v1/admin/5", &["X_Original_URI: /v1/orders/5", "X_Forwarded_Uri: /v1/orders/5"]),
    ("POST /v1/public/5", &["X_Original_Method: GET", "X_Forwarded_Method: GET", "x-original-method: GET"]),
    // Headers that are taken off on the way, if the client has its will.
    (
        "GET /v1/admin/5",
        &["Connection: close, X-Original-URI, X-Forwarded-Uri, X-Original-Method", "X-Original-URL: /v1/orders/5"],
    ),
    ("POST /v1/public/5", &["Connection: close, X-Original-Method, X-Forwarded-Method", "X-Original-Method: GET"]),
    ("GET /v1/admin/5", &["Connection: close", "Connection: X-Forwarded-Uri, X-Original-URI"]),
    // Paths that not everybody reads in the same way.
    ("GET /v1/orders/../admin/5", &[]),
    ("GET /v1/orders/%2e%2e/admin/5", &[]),
    ("GET /v1/orders/..%2fadmin/5", &[]),
    ("GET /v1/orders/%2e%2e%2fadmin/5", &[]),
    ("GET /v1/orders/..%5cadmin/5", &[]),
    ("GET /v1/orders/..\\admin\\5", &[]),
    ("GET /v1/orders/..;/admin/5", &[]),
    ("GET /v1/orders/%2e%2e;/admin/5", &[]),
    ("GET /v1/orders/%252e%252e/admin/5", &[]),
    ("GET /v1/orders/%c0%ae%c0%ae/admin/5", &[]),
    ("GET /v1/orders//../admin/5", &[]),
    ("GET /v1//admin/5", &[]),
    ("GET //v1/admin/5", &[]),
    ("GET /v1/./admin/5", &[]),
    ("GET /v1/Admin/5", &[]),
    ("GET /v1/adm%C4%B1n/5", &[]),
    ("GET /v1/admin%E2%80%8B/5", &[]),
    ("GET /v1/admin./5", &[]),
    ("GET /v1/admin%20/5", &[]),
    ("GET /v1/%EF%BD%81dmin/5", &[]),
    ("GET /v1/admin;x/5", &[]),
    ("GET /v1/%61dmin/5", &[]),
    ("GET /v1/orders/5%00", &[]),
    ("GET /v1/orders/5%0d%0aX: y", &[]),
    ("GET http://127.0.0.1/v1/admin/5", &[]),
    // More keys than one, or one elsewhere.
    ("GET /v1/orders/5", &["Authorization: Bearer jtn_p_x"]),
];

/// Allowed requests of the same client.
const ACCEPTED: &[(&str, &[&str])] = &[
    ("GET /v1/orders/5", &[]),
    ("GET /v1/orders/5/lines?scope=write&permission=none&page=2&page=3", &[]),
    ("HEAD /v1/orders/caf%C3%A9", &[]),
    ("GET /v1/public/", &["Cookie: jeton=1; session=x", "Content-Type: application/json"]),
    ("GET /v1/orders/5", &["X-Forwarded-For: 6.6.6.6", "Accept: */*"]),
];

/// Headers that a client may send to impersonate somebody else.
const FORGED: &[&[&str]] = &[
    &[
        "Jeton-Subject: evil",
        "Jeton-Organization: evil",
        "Jeton-Organization-Id: evil",
        "Jeton-Scope: evil",
        "Jeton-Permissions: evil",
        "Jeton-Token: evil",
    ],
    &["jeton-subject: evil", "JETON-SUBJECT: evil"],
    &[
        "Jeton_Subject: evil",
        "jeton_token: evil",
        "JETON_PERMISSIONS: evil",
        "Jeton_Scope: evil",
        "Jeton_Organization: evil",
        "Jeton_Organization_Id: evil",
        "Jeton-Organization_Id: evil",
        "Jeton_Organization-Id: evil",
    ],
    &["Connection: close, Jeton-Subject, Jeton-Scope", "Jeton-Subject: evil"],
    &["Connection: close", "Connection: jeton-permissions", "Jeton-Permissions: evil"],
    &["Connection: close, Authorization", "Jeton-Subject: evil"],
];

/// Headers in which a client may state another method or path than that of its request.
const OVERRIDING: &[&str] = &[
    "X-HTTP-Method-Override: DELETE",
    "X-HTTP-Method: DELETE",
    "X-Method-Override: DELETE",
    "x-http-method-override: delete",
    "X_HTTP_Method_Override: DELETE",
    "X_HTTP_Method: DELETE",
    "X_Method_Override: DELETE",
    "X-HTTP_Method-Override: DELETE",
    "X_HTTP-Method_Override: DELETE",
    "X-Original-URL: /v1/admin/5",
    "X-Rewrite-URL: /v1/admin/5",
    "X_Rewrite_URL: /v1/admin/5",
    "X_Original-URL: /v1/admin/5",
];

/// A CORS preflight: a browser asks whether a page of another site may send a request.
const PREFLIGHT: &[&str] = &[
    "Origin: https://dash.example.org",
    "Access-Control-Request-Method: GET",
    "Access-Control-Request-Headers: authorization",
];

struct Scene {
    app: TestApp,
    ann: Person,
    page: String,
    link: Link,
    proxy: Proxy,
    upstream: Upstream,
    reads: String,
    found: Vec<String>,
}

impl Scene {
    async fn set(kind: Kind) -> Scene {
        let (app, ann) = TestApp::with_proxies(TestDb::sqlite(), "Ann").await;
        let (port, upstream) = (free_port(), Upstream::start());
        let address = format!("http://127.0.0.1:{port}/v1");
        let named = [("name", "Order API"), ("address", address.as_str())];
        let made = ann.post(APIS, &[&named, RULES].concat()).await;
        let page = made.header("location").trim_end_matches("?notice=created").to_owned();
        let mut shown = ann.get(&page).await;
        assert_eq!(shown.status, 200, "{}", made.body);
        // The proxy reaches Jeton through a link that can be cut.
        let own = app.url.rsplit(':').next().expect("a port");
        let link = Link::to(own.parse().expect("a port"));
        shown.body = shown.body.replace(own, &link.port().to_string());
        let reads = ann.makes_token("reads").await;
        let proxy = Proxy::start(kind, port, &shown, &upstream);
        Scene { app, ann, page, link, proxy, upstream, reads, found: Vec::new() }
    }

    /// Sends a request, and returns its status and the request that reached the API, if any.
    fn send(&self, line: &str, key: &str, headers: &[&str], version: &str) -> (u16, Vec<Hit>) {
        let mut head = format!("{line} {version}\nHost: 127.0.0.1:{}\n", self.proxy.port());
        if !key.is_empty() {
            head += &format!("Authorization: Bearer {key}\n");
        }
        for header in headers {
            head += &format!("{header}\n");
        }
        if !headers.iter().any(|header| header.starts_with("Connection")) {
            head += "Connection: close\n";
        }
        let status = self.proxy.send(&head);
        (status, self.upstream.hits())
    }

    fn is_refused(&mut self, line: &str, key: &str, headers: &[&str]) {
        let (status, hits) = self.send(line, key, headers, "HTTP/1.1");
        if !hits.is_empty() || (200..400).contains(&status) {
            self.found.push(format!("let in: {line} {headers:?}: {status} {hits:?}"));
        }
    }

    /// Gives the API these rules, and the other values of the form.
    async fn changes(&self, fields: &[(&str, &str)]) {
        let edit = format!("{}/edit", self.page);
        let version = self.ann.get(&edit).await.field("version").expect("a version");
        let address = format!("http://127.0.0.1:{}/v1", self.proxy.port());
        let named = [("name", "Order API"), ("address", &*address), ("version", &*version)];
        assert_eq!(self.ann.post(&edit, &[&named, fields].concat()).await.status, 303);
    }

    /// Checks that nobody learns whether there is an item, and that nothing reaches the API.
    fn is_not_there(&mut self, line: &str, key: &str) {
        let (status, hits) = self.send(line, key, &[], "HTTP/1.1");
        if !hits.is_empty() || status != 404 {
            self.found.push(format!("not 404: {line}: {status} {hits:?}"));
        }
    }

    /// Checks that no header reaches the API that tells a framework another method or path.
    fn tells_nothing_else(&mut self, line: &str, key: &str, header: &str) {
        let (status, hits) = self.send(line, key, &[header], "HTTP/1.1");
        let name = header.split(':').next().unwrap_or_default().to_lowercase().replace('_', "-");
        if !hits.iter().all(|hit| hit.all(&name).is_empty()) || (hits.is_empty() && status < 400) {
            self.found.push(format!("told: {line} {header}: {status} {hits:?}"));
        }
    }

    /// Checks that a request without a key reaches the API without any identity, whatever its client forges.
    fn asks_for_nobody(&mut self, line: &str, headers: &[&str], forged: &[&str]) {
        let (status, hits) = self.send(line, "", &[headers, forged].concat(), "HTTP/1.1");
        let is_nobody = |hit: &Hit| IDENTITY.iter().all(|name| hit.all(name).iter().all(|value| value.is_empty()));
        let is_stopped = hits.is_empty() && status >= 400 && !forged.is_empty();
        let is_let_in = status == 200 && hits.len() == 1 && hits.iter().all(is_nobody);
        if !is_stopped && !is_let_in {
            self.found.push(format!("not for nobody: {line} {forged:?}: {status} {hits:?}"));
        }
    }

    fn is_accepted(&mut self, line: &str, key: &str, headers: &[&str], version: &str) {
        let (status, hits) = self.send(line, key, headers, version);
        let [hit] = &hits[..] else {
            return self.found.push(format!("not let in: {line} {headers:?}: {status} {hits:?}"));
        };
        let is_whole = status == 200 && hit.line.starts_with(line);
        if !is_whole || !is_of_ann(hit) {
            self.found.push(format!("not as it should be: {line} {headers:?}: {status} {hit:?}"));
        }
    }
}

/// Returns whether all identity headers come from Jeton, each once.
fn is_of_ann(hit: &Hit) -> bool {
    let one = |name: &str| matches!(hit.all(name)[..], [value] if !value.is_empty() && !value.contains("evil"));
    IDENTITY.iter().all(|name| one(name)) && hit.all("jeton-subject") == ["membership:1"]
}

async fn lets_in_only_what_jeton_lets_in(kind: Kind) {
    let mut scene = Scene::set(kind).await;
    let reads = scene.reads.clone();
    let writes = scene.ann.makes_token_with("writes", "read_write").await;
    let foreign =
        scene.app.add_organization("elsewhere", "Stranger").await.makes_token_with("foreign", "read_write").await;
    // Traefik listens before it has all its routes.
    let begun = std::time::Instant::now();
    while scene.send("GET /v1/orders/5", &reads, &[], "HTTP/1.1").0 == 404 && begun.elapsed().as_secs() < 10 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    for (line, headers) in ACCEPTED {
        scene.is_accepted(line, &reads, headers, "HTTP/1.1");
    }
    // Envoy takes none as it is shown.
    if kind != Kind::Envoy {
        scene.is_accepted("GET /v1/orders/5", &reads, &[], "HTTP/1.0");
    }
    scene.is_accepted("DELETE /v1/admin/5", &writes, &[], "HTTP/1.1");
    let fridge = r#"{"name":"Fridge","external_id":"F 1"}"#;
    let as_ann = [("authorization", &*format!("Bearer {writes}")), ("content-type", "application/json")];
    assert_eq!(scene.app.send("POST", "/api/v1/items/assets", &as_ann, fridge).await.status, 201);
    scene.is_accepted("GET /v1/fridges/F%201/doors?page=2", &reads, &[], "HTTP/1.1");
    scene.is_accepted("DELETE /v1/fridges/F%201", &writes, &[], "HTTP/1.1");
    scene.is_refused("DELETE /v1/fridges/F%201", &reads, &[]);
    scene.is_refused("GET /v1/fridges/F%25201", &reads, &[]);
    for line in ["GET /v1/fridges/F%202", "GET /v1/fridges/f%201/doors"] {
        scene.is_not_there(line, &reads);
    }
    for (line, headers) in REFUSED {
        scene.is_refused(line, &reads, headers);
    }
    for key in ["", "jtn_p_x", &foreign, &format!("{reads}x")] {
        scene.is_refused("GET /v1/orders/5", key, &[]);
        scene.is_refused("GET /v1/orders/5", key, &["Jeton-Subject: membership:1", "Jeton-Scope: read write"]);
    }
    scene.is_refused(&format!("GET /v1/orders/5?access_token={reads}"), "", &[]);
    for headers in FORGED {
        let (status, hits) = scene.send("GET /v1/orders/5", &reads, headers, "HTTP/1.1");
        if !hits.iter().all(is_of_ann) || (hits.is_empty() && status < 400) {
            scene.found.push(format!("somebody else: {headers:?}: {status} {hits:?}"));
        }
    }
    for header in OVERRIDING {
        scene.tells_nothing_else("GET /v1/public/5", &reads, header);
    }
    scene.is_refused("OPTIONS /v1/orders/5", "", PREFLIGHT);
    scene.changes(&[RULES, &[("preflights", "yes")]].concat()).await;
    scene.asks_for_nobody("OPTIONS /v1/orders/5", PREFLIGHT, &[]);
    for forged in FORGED {
        scene.asks_for_nobody("OPTIONS /v1/orders/5", PREFLIGHT, forged);
    }
    scene.is_refused("OPTIONS /v1/orders/5", "", &PREFLIGHT[..1]);
    scene.is_refused("OPTIONS /v1/other", "", PREFLIGHT);
    scene.is_refused("GET /v1/orders/5", "", PREFLIGHT);
    scene.is_refused("DELETE /v1/public/5", "", &[PREFLIGHT, &["X-HTTP-Method-Override: OPTIONS"]].concat());
    scene.is_accepted("OPTIONS /v1/orders/5", &reads, PREFLIGHT, "HTTP/1.1");
    // From the moment of the answer on.
    scene.ann.revokes("reads").await;
    scene.is_refused("GET /v1/orders/5", &reads, &[]);
    scene.is_accepted("GET /v1/orders/5", &writes, &[], "HTTP/1.1");
    scene.changes(&[]).await;
    scene.is_refused("GET /v1/orders/5", &writes, &[]);
    scene.link.set(Way::Cut);
    for line in ["GET /v1/orders/5", "GET /v1/public/5", "POST /v1/public/5"] {
        let (status, hits) = scene.send(line, &writes, &[], "HTTP/1.1");
        // No client is told that its key lacks a permission, because nobody knows that (V3). 0 is no answer.
        if !hits.is_empty() || (1..500).contains(&status) {
            scene.found.push(format!("without Jeton: {line}: {status} {hits:?}"));
        }
    }
    assert!(scene.found.is_empty(), "{} findings:\n{}", scene.found.len(), scene.found.join("\n"));
}

#[actix_web::test]
async fn nginx_passes_only_what_jeton_allows() {
    lets_in_only_what_jeton_lets_in(Kind::Nginx).await;
}

#[actix_web::test]
async fn caddy_passes_only_what_jeton_allows() {
    lets_in_only_what_jeton_lets_in(Kind::Caddy).await;
}

#[actix_web::test]
async fn apache_passes_only_what_jeton_allows() {
    lets_in_only_what_jeton_lets_in(Kind::Apache).await;
}

#[actix_web::test]
async fn traefik_passes_only_what_jeton_allows() {
    lets_in_only_what_jeton_lets_in(Kind::Traefik).await;
}

#[actix_web::test]
async fn envoy_passes_only_what_jeton_allows() {
    lets_in_only_what_jeton_lets_in(Kind::Envoy).await;
}

#[actix_web::test]
async fn haproxy_passes_only_what_jeton_allows() {
    lets_in_only_what_jeton_lets_in(Kind::Haproxy).await;
}
