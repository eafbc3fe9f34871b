//! The configuration of proxies that ask Jeton about each request to a protected API.
//!
//! Each configuration removes what a client sends in the identity headers, including spellings that a CGI program
//! cannot distinguish from them (`Jeton_Subject`). It refuses requests that name these headers in `Connection`, which
//! would remove Jeton's own values. It also removes headers in which clients tell a framework another method or path;
//! if a spelling is not removed, Jeton receives it and takes it into account. Each configuration refuses everything
//! when Jeton does not answer. All names contain the API's id, so that a proxy can have the configurations of several
//! APIs. `tests/it/proxies.rs` runs exactly these texts.

use crate::{
    PublicUrl,
    routes::path,
    texts::Texts,
    verify::{IDENTITY, OVERRIDING},
};
use domain::protected_api::BaseUrl;

/// By default, nginx sends no server name and verifies no certificate, and it follows only two of a chain of three.
const NGINX_TLS: &str = "    proxy_ssl_server_name on;\n    proxy_ssl_verify on;\n    proxy_ssl_verify_depth 3;\n    \
                         proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;\n";

/// The configuration of a kind of proxy.
pub struct Configuration {
    /// Its name.
    pub name: &'static str,
    /// The texts it consists of.
    pub files: Vec<File>,
}

/// A text to paste.
pub struct File {
    /// Its id on the page.
    pub id: &'static str,
    /// Where to paste it.
    pub hint: String,
    /// The text.
    pub text: String,
}

/// The values in the texts.
struct Facts<'a> {
    /// Jeton's own address.
    jeton: &'a str,
    /// Jeton's host, with the port if one is written.
    jeton_host: &'a str,
    is_https: bool,
    /// The API's public id.
    id: &'a str,
    /// The address that the proxy asks.
    verify: String,
    api: &'a BaseUrl,
}

impl Configuration {
    /// Returns the values for the API at `api` with this public id.
    pub fn all(t: Texts, url: &PublicUrl, api: &BaseUrl, public_id: &str) -> Vec<Self> {
        let verify = format!("{}{public_id}", path::VERIFY_APIS);
        let facts =
            Facts { jeton: &url.0, jeton_host: url.host(), is_https: url.is_https(), id: public_id, verify, api };
        let one = |name, id, hint: String, text| Self { name, files: vec![File { id, hint, text }] };
        let host = api.host();
        vec![
            one("nginx", "nginx", t.protected_apis_hint_nginx(host), facts.nginx()),
            one("Caddy", "caddy", t.protected_apis_hint_caddy(host), facts.caddy()),
            Self {
                name: "Apache",
                files: vec![
                    File { id: "apache", hint: t.protected_apis_hint_apache(host), text: facts.apache() },
                    File { id: "apache-lua", hint: t.protected_apis_hint_lua(facts.lua_file()), text: facts.lua() },
                ],
            },
            one("Traefik", "traefik", t.protected_apis_hint_traefik().into(), facts.traefik()),
            one("Envoy", "envoy", t.protected_apis_hint_envoy().into(), facts.envoy()),
            Self {
                name: "HAProxy",
                files: vec![
                    File { id: "haproxy", hint: t.protected_apis_hint_haproxy().into(), text: facts.haproxy() },
                    File {
                        id: "haproxy-lua",
                        hint: t.protected_apis_hint_haproxy_lua(facts.haproxy_file()),
                        text: facts.haproxy_lua(),
                    },
                ],
            },
        ]
    }
}

/// Returns a line for each identity header: `line` gets its name as usually written, and in lower case.
fn each(line: impl Fn(&str, &str) -> String) -> String {
    IDENTITY.iter().map(|name| line(&usual(name.as_str()), name.as_str())).collect()
}

/// Returns a line for each header in which clients state another method or path.
fn each_overriding(line: impl Fn(&str) -> String) -> String {
    OVERRIDING.iter().map(|name| line(name)).collect()
}

/// Returns the other spellings of this name, with `_` instead of some or all `-`: CGI programs cannot distinguish them.
fn aliases(name: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for (index, word) in name.split('-').enumerate() {
        let joints: &[&str] = if index == 0 { &[""] } else { &["-", "_"] };
        all = all.iter().flat_map(|begun| joints.iter().map(move |joint| format!("{begun}{joint}{word}"))).collect();
    }
    all.retain(|alias| alias != name);
    all
}

/// Converts `jeton-subject` to `Jeton-Subject`.
fn usual(name: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('-').map(capital).collect::<Vec<_>>().join("-")
}

impl Facts<'_> {
    /// nginx takes an answer other than 200, 401 and 403 for a failure: of these, 404 is handed on, for an item that is not
    /// there.
    fn nginx(&self) -> String {
        let variable = |name: &str| name.replace('-', "_");
        let told = each(|_, name| format!("    auth_request_set ${0} $upstream_http_{0};\n", variable(name)));
        let set = each(|usual, name| format!("    proxy_set_header {usual} ${};\n", variable(name)));
        let off = each_overriding(|name| format!("    proxy_set_header {name} \"\";\n"));
        let tls = if self.is_https { NGINX_TLS } else { "" };
        format!(
            "location {path} {{\n    auth_request /_jeton_{id};\n    auth_request_set $jeton_status $upstream_status;\n    \
             error_page 500 = @jeton_{id};\n{told}{set}{off}    proxy_set_header Host $host;\n    \
             proxy_pass http://127.0.0.1:3000;\n}}\nlocation @jeton_{id} {{\n    \
             if ($jeton_status = 404) {{ return 404; }}\n    return 500;\n}}\nlocation = /_jeton_{id} {{\n    internal;\n    \
             proxy_pass {jeton}{verify};\n{tls}    proxy_pass_request_body off;\n    \
             proxy_set_header Content-Length \"\";\n    proxy_set_header X-Original-Method $request_method;\n    \
             proxy_set_header X-Original-URI $request_uri;\n    proxy_set_header X-Forwarded-For $remote_addr;\n}}\n",
            path = self.api.path(),
            id = self.id,
            jeton = self.jeton,
            verify = self.verify,
        )
    }

    /// The question mark drops the client's own parameters.
    fn caddy(&self) -> String {
        let names = IDENTITY.iter().map(|name| usual(name.as_str())).collect::<Vec<_>>().join(" ");
        let off = each_overriding(|name| {
            format!("        request_header -{name}\n        request_header -{}\n", name.replace('-', "_"))
        });
        format!(
            "{site} {{\n    @{id} path {path}*\n    route @{id} {{\n        \
             @odd header_regexp Connection (?i)jeton|authorization|x-forwarded\n        respond @odd 403\n        \
             request_header -Jeton-*\n        request_header -Jeton_*\n{off}        \
             forward_auth {jeton} {{\n            uri {verify}?\n            \
             header_up Host {{upstream_hostport}}\n            copy_headers {names}\n        }}\n        \
             reverse_proxy 127.0.0.1:3000\n    }}\n}}\n",
            site = self.api.site(),
            id = self.id,
            path = self.api.path(),
            jeton = self.jeton,
            verify = self.verify,
        )
    }

    fn apache(&self) -> String {
        format!(
            "<Location \"{path}\">\n    Require all granted\n    \
             LuaHookAccessChecker {file} check\n    ProxyPass http://127.0.0.1:3000{path}\n</Location>\n",
            path = self.api.path(),
            file = self.lua_file(),
        )
    }

    fn lua_file(&self) -> String {
        format!("/etc/apache2/jeton-{}.lua", self.id)
    }

    /// Debian's Apache has no equivalent of `auth_request`, and its module for introspection caches answers for minutes
    /// and supports no rules.
    fn lua(&self) -> String {
        let library = if self.is_https { "ssl.https" } else { "socket.http" };
        self.filled(include_str!("apache.lua")).replace("LUA_HTTP", library)
    }

    fn traefik(&self) -> String {
        let headers = each(|usual, _| format!("          - {usual}\n"));
        let off = |name: String| format!("          {name}: \"\"\n");
        let aliases = each(|usual, _| aliases(usual).into_iter().map(off).collect())
            + &each_overriding(|name| off(name.to_owned()) + &off(name.replace('-', "_")));
        let host = self.api.host().split(':').next().unwrap_or_default();
        format!(
            "http:\n  routers:\n    api-{id}:\n      \
             rule: \"Host(`{host}`) && PathPrefix(`{path}`)\"\n      \
             middlewares: [jeton-aliases-{id}, jeton-{id}]\n      service: api-{id}\n  middlewares:\n    \
             jeton-aliases-{id}:\n      headers:\n        customRequestHeaders:\n{aliases}    \
             jeton-{id}:\n      forwardAuth:\n        address: \"{jeton}{verify}\"\n        \
             trustForwardHeader: false\n        authResponseHeaders:\n{headers}  services:\n    api-{id}:\n      loadBalancer:\n        servers:\n          \
             - url: \"http://127.0.0.1:3000\"\n",
            path = self.api.path(),
            id = self.id,
            jeton = self.jeton,
            verify = self.verify,
        )
    }

    fn envoy(&self) -> String {
        let port = if self.is_https { 443 } else { 80 };
        let (host, port) = match self.jeton_host.rsplit_once(':') {
            Some((host, written)) => (host, written.to_owned()),
            None => (self.jeton_host, port.to_string()),
        };
        let tls = if self.is_https {
            format!(
                "    transport_socket:\n      name: envoy.transport_sockets.tls\n      typed_config:\n        \
                 \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext\n        \
                 sni: {host}\n        common_tls_context:\n          validation_context:\n            \
                 trusted_ca: {{ filename: /etc/ssl/certs/ca-certificates.crt }}\n            \
                 match_typed_subject_alt_names: [{{ san_type: DNS, matcher: {{ exact: {host} }} }}]\n"
            )
        } else {
            String::new()
        };
        self.filled(include_str!("envoy.yaml"))
            .replace("JETON_URL", self.jeton)
            .replace("JETON_HOST", host)
            .replace("JETON_PORT", &port)
            .replace("JETON_VERIFY", &self.verify)
            .replace("YAML_OVERRIDING", &OVERRIDING.map(str::to_lowercase).join(", "))
            .replace("JETON_TLS\n", &tls)
    }

    fn haproxy(&self) -> String {
        let overriding = OVERRIDING.map(|name| name.to_lowercase().replace('-', ".")).join("|");
        self.filled(include_str!("haproxy.cfg"))
            .replace("HAPROXY_FILE", &self.haproxy_file())
            .replace("REG_OVERRIDING", &overriding)
    }

    fn haproxy_file(&self) -> String {
        format!("/etc/haproxy/jeton-{}.lua", self.id)
    }

    fn haproxy_lua(&self) -> String {
        self.filled(include_str!("haproxy.lua"))
    }

    /// Fills in a template with the values that most of them need.
    fn filled(&self, template: &str) -> String {
        let list = |names: &[String]| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        template
            .replace("JETON_ADDRESS", &format!("{}{}", self.jeton, self.verify))
            .replace("API_ID", self.id)
            .replace("API_HOST", self.api.host())
            .replace("API_PATH", self.api.path())
            .replace("LUA_IDENTITY", &list(&IDENTITY.each_ref().map(|name| usual(name.as_str()))))
            .replace("LUA_OVERRIDING", &list(&OVERRIDING.map(str::to_owned)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::user::Language;

    #[test]
    fn every_configuration_asks_about_this_api_and_passes_on_each_header() {
        let url = PublicUrl("https://jeton.example.org".into());
        let api = BaseUrl::parse("https://api.example.org/v1/").unwrap();
        let all = Configuration::all(Texts(Language::En), &url, &api, "k7m2q9xd4t");
        assert_eq!(all.len(), 6);
        for Configuration { name, files } in all {
            let text: String = files.iter().map(|file| file.text.as_str()).collect();
            for part in ["/verify/apis/k7m2q9xd4t", "jeton.example.org", "127.0.0.1:3000", "/v1/"] {
                let is_split = name == "Envoy" && part == "127.0.0.1:3000";
                assert!(is_split || text.contains(part), "{name}: {part} is not in {text}");
            }
            for header in IDENTITY {
                assert!(name == "Envoy" || text.contains(&usual(header.as_str())), "{name}: {header}");
            }
            let text = text.to_lowercase().replace('.', "-");
            for header in OVERRIDING {
                assert!(text.contains(&header.to_lowercase()), "{name}: {header}");
            }
        }
    }
    #[test]
    fn a_proxy_can_have_the_configurations_of_two_apis() {
        let url = PublicUrl("https://jeton.example.org".into());
        let names = |id: &str, address: &str| -> Vec<String> {
            let api = BaseUrl::parse(address).unwrap();
            let all = Configuration::all(Texts(Language::En), &url, &api, id).into_iter();
            let texts: String =
                all.filter(|of| of.name != "Envoy").flat_map(|of| of.files).map(|file| file.text).collect();
            let is_name = |line: &&str| {
                let is_of_traefik = line.starts_with("    ") && line.ends_with(':') && !line.starts_with("     ");
                let is_of_haproxy = line.starts_with("backend") || line.starts_with("core.");
                let is_of_others =
                    line.starts_with("location") || line.contains(".lua") || line.trim().starts_with("@");
                is_of_others || is_of_traefik || is_of_haproxy
            };
            texts.lines().filter(is_name).filter(|line| !line.contains("@odd")).map(str::to_owned).collect()
        };
        let orders = names("k7m2q9xd4t", "https://api.example.org/v1/");
        let stock = names("9m8nb0v732", "https://api.example.org/v2/");
        assert_eq!(orders.len(), 12, "{orders:?}");
        assert!(orders.iter().all(|name| !stock.contains(name)), "{orders:?} {stock:?}");
    }
    #[test]
    fn over_tls_a_proxy_verifies_the_certificate() {
        let api = BaseUrl::parse("https://api.example.org/v1/").unwrap();
        let texts = |url: &str| -> Vec<String> {
            let all = Configuration::all(Texts(Language::En), &PublicUrl(url.into()), &api, "k7m2q9xd4t");
            all.into_iter().map(|of| of.files.into_iter().map(|file| file.text).collect()).collect()
        };
        let [nginx, _, _, _, envoy, _] = &texts("https://jeton.example.org:8443")[..] else { panic!("six proxies") };
        assert!(nginx.contains("proxy_ssl_verify on;"), "{nginx}");
        assert!(envoy.contains("exact: jeton.example.org }") && envoy.contains("port_value: 8443"), "{envoy}");
        for text in texts("http://jeton.example.org") {
            assert!(!text.contains("_ssl_") && !text.contains("trusted_ca") && !text.contains("JETON_"), "{text}");
        }
    }
}
