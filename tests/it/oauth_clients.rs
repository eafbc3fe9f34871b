//! Widely used clients, as released, against introspection and revocation: Authlib, openid-client, Apache with
//! mod_auth_openidc, and Django OAuth Toolkit (V13). `docs/introspection.md` shows the same settings.

use crate::harness::{
    Person, TestApp, TestDb, another_key,
    proxy::{Hit, Proxy, Upstream, free_port},
    service::TOKENS,
};
use serde_json::{Value, json};
use std::{
    io::Write,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Debian's packages are for Debian's Python.
const PYTHON: &str = "/usr/bin/python3";

struct Scene {
    app: TestApp,
    ann: Person,
    /// The values that a client gets: Jeton's address, its own credentials, and tokens.
    given: Value,
}

impl Scene {
    async fn set() -> Scene {
        let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
        let caller = ann.asks_for_service_token("Warehouse", "45", &["platform.verify_tokens"]).await;
        let page = ann.service_token("Warehouse").await;
        let revoked = ann.makes_token("revoked").await;
        ann.revokes("revoked").await;
        let given = json!({
            "url": app.url,
            "id": page.strip_prefix(&format!("{TOKENS}/")).expect("an address below the list"),
            "secret": caller.key().expect("a key"),
            "writes": ann.makes_token_with("writes", "read_write").await,
            "reads": ann.makes_token("reads").await,
            "revoked": revoked,
            "unknown": another_key(),
        });
        Scene { app, ann, given }
    }

    /// Returns the output of a program that gets these values.
    async fn told_by(&self, program: &'static str, script: &str) -> Value {
        let script = format!("{}/tests/it/clients/{script}", env!("CARGO_MANIFEST_DIR"));
        let given = self.given.to_string();
        let run = move || {
            let mut command = Command::new(program);
            // Nothing that this machine's user has installed for themselves.
            command.args((program == PYTHON).then_some("-I")).arg(&script);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}; ./test installs it"));
            child.stdin.take().expect("its input").write_all(given.as_bytes()).expect("what it is given");
            let output = child.wait_with_output().expect("its end");
            assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
            serde_json::from_slice(&output.stdout).expect("JSON")
        };
        actix_web::web::block(run).await.expect("a thread")
    }

    fn given(&self, name: &str) -> &str {
        self.given[name].as_str().expect("a text")
    }
}

/// What a client must report about Ann's token.
fn is_of_ann(told: &Value, scope: &str) {
    assert_eq!(told["active"], true, "{told}");
    let fields =
        ["sub", "username", "name", "scope", "token_type"].map(|field| told[field].as_str().unwrap_or_default());
    assert_eq!(fields, ["membership:1", "membership-1", "Ann", scope, "Bearer"]);
    let (issued, ends) = (told["iat"].as_i64().expect("whole seconds"), told["exp"].as_i64().expect("whole seconds"));
    assert!(issued < ends, "{told}");
}

#[actix_web::test]
async fn authlib_understands_the_answers() {
    let scene = Scene::set().await;
    let told = scene.told_by(PYTHON, "authlib_client.py").await;
    for method in ["client_secret_basic", "client_secret_post"] {
        is_of_ann(&told[format!("{method} writes")], "read write");
        is_of_ann(&told[format!("{method} reads")], "read");
        assert_eq!(told[format!("{method} revoked")], json!({ "active": false }));
        assert_eq!(told[format!("{method} unknown")], json!({ "active": false }));
        assert_eq!(told[format!("{method} wrong secret")], json!([401, "invalid_client"]));
    }
    assert_eq!(told["writes enters"], json!(["membership:1", "membership:1", "membership:1"]));
    assert_eq!(told["reads enters"], json!(["membership:1", "insufficient_scope", "insufficient_scope"]));
    for name in ["revoked", "unknown"] {
        assert_eq!(told[format!("{name} enters")], json!(["invalid_token", "invalid_token", "invalid_token"]));
    }
    assert_eq!(told["revocation with a wrong secret"], json!([401, true]));
    assert_eq!(told["revocation"], 200);
    assert_eq!(told["afterwards"], json!([{ "active": false }, "invalid_token"]));
    assert_eq!(scene.app.me(scene.given("writes")).await.status, 401);
}

#[actix_web::test]
async fn openid_client_understands_the_answers() {
    let scene = Scene::set().await;
    let told = scene.told_by("node", "openid_client.mjs").await;
    assert_eq!(told["issuer"], scene.app.url.as_str());
    let refused = json!(["WWWAuthenticateChallengeError", "OAUTH_WWW_AUTHENTICATE_CHALLENGE", null, 401, ["basic"]]);
    for way in ["basic", "post"] {
        if way == "basic" {
            is_of_ann(&told["basic writes"], "read write");
        }
        is_of_ann(&told[format!("{way} reads")], "read");
        assert_eq!(told[format!("{way} revoked")], json!({ "active": false }));
        assert_eq!(told[format!("{way} unknown")], json!({ "active": false }));
        assert_eq!(told[format!("{way} wrong secret")], refused);
        assert_eq!(told[format!("{way} revocation with a wrong secret")], refused);
        assert_eq!(told[format!("{way} revocation")], "done");
        assert_eq!(told[format!("{way} afterwards")], json!({ "active": false }));
    }
    for name in ["writes", "reads"] {
        assert_eq!(scene.app.me(scene.given(name)).await.status, 401);
    }
}

#[actix_web::test]
async fn django_oauth_toolkit_accepts_active_tokens_only() {
    let scene = Scene::set().await;
    let told = scene.told_by(PYTHON, "django_api.py").await;
    for way in ["token", "credentials"] {
        assert_eq!(told[way], json!(["membership-1", "membership-1", "membership-1", 403, 403, 403, 403, 403]));
    }
    assert_eq!(told["wrong secret"], json!([403, 403, 403, 403, 403, 403, 403, 403]));
    let kept = told["kept until exp"].as_f64().expect("seconds");
    assert!((60.0..=120.0).contains(&kept), "{kept}");
    let kept = told["kept for the interval, west"].as_f64().expect("seconds");
    assert!(kept <= 1.0, "{kept}");
    assert_eq!((&told["before"], &told["afterwards"]), (&json!("membership-1"), &json!(403)));
}

/// The configuration of `docs/introspection.md`, in front of an API.
fn apache(scene: &Scene, jeton: u16, port: u16, secret: &str, upstream: &Upstream) -> String {
    let (id, api) = (scene.given("id"), upstream.address());
    format!(
        "Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
OIDCCryptoPassphrase unused
OIDCOAuthIntrospectionEndpoint https://127.0.0.1:{jeton}/oauth2/introspect
OIDCOAuthSSLValidateServer Off
OIDCOAuthClientID {id}
OIDCOAuthClientSecret {secret}
OIDCOAuthTokenIntrospectionInterval 1
<Location />
    AuthType oauth20
    Require claim scope~read
    RequestHeader set X-Remote-User expr=%{{REMOTE_USER}}
</Location>
<Location /admin>
    Require claim scope~write
</Location>
<Location /templates>
    Require claim permissions:templates.view
</Location>
<Location /nobody>
    Require claim permissions:templates
</Location>
ProxyPass / http://{api}/
</VirtualHost>
"
    )
}

#[actix_web::test]
async fn apache_with_mod_auth_openidc_accepts_active_tokens_only() {
    let scene = Scene::set().await;
    let (upstream, ports) = (Upstream::start(), [(); 3].map(|()| free_port()));
    let secrets = [scene.given("secret"), "wrong"];
    let apis = [0, 1].map(|number| apache(&scene, ports[2], ports[number], secrets[number], &upstream));
    // The module wants TLS: what stands before Jeton in real life does it.
    let jeton = scene.app.url.trim_start_matches("http://");
    let proxy = Proxy::with_mod_auth_openidc(ports[0], &apis.concat(), ports[2], jeton);
    let ask = |port: u16, path: &str, key: &str| {
        let head = format!(
            "GET {path} HTTP/1.1\nHost: 127.0.0.1:{port}\nAuthorization: Bearer {key}\nX-Remote-User: evil\nOIDC_CLAIM_sub: \
             evil\nOIDC_CLAIM_scope: write\nConnection: close\n"
        );
        (proxy.send_to(port, &head), upstream.hits())
    };
    let (reads, writes) = (scene.given("reads"), scene.given("writes"));
    for (path, key, scope) in [
        ("/orders", reads, "read"),
        ("/templates", reads, "read"),
        ("/orders", writes, "read write"),
        ("/admin", writes, "read write"),
    ] {
        let (status, hits) = ask(ports[0], path, key);
        let [hit] = &hits[..] else { panic!("{path}: {status} {hits:?}: {}", proxy.log()) };
        let one = |name: &str| Hit::all(hit, name).join(" | ");
        assert_eq!(
            (status, one("x-remote-user"), one("oidc-claim-sub")),
            (200, "membership:1".into(), "membership:1".into())
        );
        assert_eq!((one("oidc-claim-scope"), one("oidc-claim-name")), (scope.into(), "Ann".into()));
    }
    for (path, key) in [
        ("/admin", reads),
        ("/nobody", writes),
        ("/orders", scene.given("revoked")),
        ("/orders", scene.given("unknown")),
        ("/orders", "x"),
        ("/orders", ""),
    ] {
        let (status, hits) = ask(ports[0], path, key);
        assert!(matches!(status, 401 | 403) && hits.is_empty(), "{path} {key}: {status} {hits:?}");
    }
    let (status, hits) = ask(ports[1], "/orders", reads);
    assert!(status == 401 && hits.is_empty(), "{status} {hits:?}");
    // It asks again after the interval.
    scene.ann.revokes("reads").await;
    let begun = Instant::now();
    while ask(ports[0], "/orders", reads).0 == 200 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        actix_web::rt::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(ask(ports[0], "/orders", writes).0, 200);
}
