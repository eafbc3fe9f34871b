//! Reverse proxies with the configuration that Jeton's own page shows, in front of an API that records the requests it
//! receives.

use super::{Answer, guardian::Guardian};
use regex::Regex;
use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long a proxy may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request that the API behind the proxy has received.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The request line.
    pub line: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Hit {
    /// Returns the values of the headers that a CGI program would not distinguish from this one.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let alike = |other: &str| other.replace('_', "-") == name;
        self.headers.iter().filter(|(other, _)| alike(other)).map(|(_, value)| value.as_str()).collect()
    }
}

/// An API that answers everything with 200, even to pages of other sites.
pub struct Upstream {
    address: SocketAddr,
    hits: Arc<Mutex<Vec<Hit>>>,
}

impl Upstream {
    /// Starts it on a free port; it ends with the tests.
    pub fn start() -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let upstream = Upstream { address: listener.local_addr().expect("an address"), hits: Arc::default() };
        let hits = Arc::clone(&upstream.hits);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let hits = Arc::clone(&hits);
                // A proxy may close the connection at any time.
                std::thread::spawn(move || drop(serve(&connection.expect("a connection"), &hits)));
            }
        });
        upstream
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the requests since the last call.
    pub fn hits(&self) -> Vec<Hit> {
        std::mem::take(&mut self.hits.lock().expect("no test fails in there"))
    }
}

fn serve(stream: &TcpStream, hits: &Mutex<Vec<Hit>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream);
    let mut read = || -> std::io::Result<String> {
        let mut line = String::new();
        lines.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    };
    let line = read()?;
    if line.is_empty() {
        return Ok(());
    }
    let mut headers = Vec::new();
    loop {
        let header = read()?;
        let Some((name, value)) = header.split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    hits.lock().expect("no test fails in there").push(Hit { line, headers });
    (&*stream).write_all(
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\nAccess-Control-Allow-Origin: *\r\n\
          Access-Control-Allow-Headers: authorization\r\nAccess-Control-Allow-Methods: GET, DELETE\r\n\r\n",
    )
}

/// A kind of proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// nginx.
    Nginx,
    /// Caddy.
    Caddy,
    /// Apache.
    Apache,
    /// Traefik.
    Traefik,
    /// Envoy.
    Envoy,
    /// HAProxy.
    Haproxy,
}

/// A running proxy. It ends when this is dropped.
pub struct Proxy {
    port: u16,
    _folder: TempDir,
    guardian: Guardian,
}

/// Returns a port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

impl Proxy {
    /// Starts a proxy on this port with the configuration from the page of a protected API.
    pub fn start(kind: Kind, port: u16, page: &Answer, upstream: &Upstream) -> Proxy {
        let folder = readable_folder();
        let path = folder.path();
        let filled = |id: &str| {
            let lua = path.join("jeton.lua").display().to_string();
            let api = upstream.address.to_string();
            let text = page.code(id).replace("127.0.0.1:3000", &api);
            Regex::new("/etc/[a-z0-9]+/jeton-[0-9a-z]+\\.lua").expect("a pattern").replace(&text, lua).into_owned()
        };
        let command = match kind {
            Kind::Nginx => nginx(path, port, &filled("nginx")),
            Kind::Caddy => caddy(path, &filled("caddy")),
            Kind::Apache => {
                write(path, "jeton.lua", &filled("apache-lua"));
                apache(path, &["lua"], &format!("Listen 127.0.0.1:{port}\n{}", filled("apache")))
            }
            Kind::Traefik => traefik(path, port, &filled("traefik")),
            Kind::Envoy => {
                let api = format!("address: 127.0.0.1, port_value: {}", upstream.address.port());
                let text = filled("envoy").replace("address: 127.0.0.1, port_value: 3000", &api);
                envoy(path, port, &text)
            }
            Kind::Haproxy => {
                write(path, "jeton.lua", &filled("haproxy-lua"));
                write(path, "haproxy.cfg", &filled("haproxy").replace(":8000", &format!("127.0.0.1:{port}")));
                "PATH=\"$PATH:/usr/sbin\" haproxy -db -f \"$1/haproxy.cfg\"".into()
            }
        };
        Proxy::run(&format!("{kind:?}"), port, folder, &command)
    }

    /// Starts Caddy with its defaults, forwarding everything to Jeton at this address.
    pub fn caddy_before(port: u16, jeton: &str) -> Proxy {
        let folder = readable_folder();
        let command = caddy(
            folder.path(),
            &format!("http://127.0.0.1:{port}, http://localhost:{port} {{\nreverse_proxy {jeton}\n}}\n"),
        );
        Proxy::run("Caddy", port, folder, &command)
    }

    /// Starts Apache with mod_auth_openidc, and with this configuration, which makes it listen on `port`. On `tls` it
    /// forwards everything to Jeton at this address, with an untrusted certificate.
    pub fn with_mod_auth_openidc(port: u16, text: &str, tls: u16, jeton: &str) -> Proxy {
        let folder = readable_folder();
        let made = Command::new("openssl")
            .args("req -x509 -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout key.pem -out cert.pem".split(' '))
            .current_dir(folder.path())
            .output()
            .expect("openssl; ./test installs it");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let files = folder.path().display();
        let text = format!(
            "Listen 127.0.0.1:{tls}\n<VirtualHost 127.0.0.1:{tls}>\nSSLEngine on\nSSLCertificateFile {files}/cert.pem\n\
             SSLCertificateKeyFile {files}/key.pem\nProxyPass / http://{jeton}/\n</VirtualHost>\n{text}"
        );
        let command = apache(folder.path(), &["headers", "authn_core", "authz_user", "ssl", "auth_openidc"], &text);
        Proxy::run("Apache with mod_auth_openidc", port, folder, &command)
    }

    fn run(name: &str, port: u16, folder: TempDir, command: &str) -> Proxy {
        let path = folder.path();
        let start = format!("cd \"$1\"; {command} </dev/null >\"$folder/log\" 2>&1 & stop=\"kill $!; wait $!\"");
        let guardian = Guardian::start(&start, &[OsStr::new(path)]).expect("a shell");
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < PATIENCE, "{name} does not start; ./test installs it: {}", guardian.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Proxy { port, _folder: folder, guardian }
    }

    /// Returns its log.
    pub fn log(&self) -> String {
        self.guardian.log()
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends a request unchanged, without its last empty lines, and returns the status of the answer; 0 for none.
    pub fn send(&self, head: &str) -> u16 {
        self.send_to(self.port, head)
    }

    /// Sends a request to another of its ports.
    pub fn send_to(&self, port: u16, head: &str) -> u16 {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the proxy");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time");
        let head = head.trim_end().replace('\n', "\r\n") + "\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("a request");
        let mut answer = [0; 64];
        let mut length = 0;
        while length < 12 {
            match stream.read(&mut answer[length..]) {
                Ok(0) | Err(_) => return 0,
                Ok(more) => length += more,
            }
        }
        std::str::from_utf8(&answer[9..12]).ok().and_then(|status| status.parse().ok()).unwrap_or_default()
    }
}

/// A proxy that is started by root reads its files as another user.
fn readable_folder() -> TempDir {
    let folder = super::folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("our own folder");
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("our own folder");
}

fn nginx(folder: &Path, port: u16, text: &str) -> String {
    let temporary: String =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|kind| format!("{kind}_temp_path {kind};\n")).concat();
    let whole = format!(
        "daemon off;\npid nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}server {{\nlisten \
         127.0.0.1:{port};\n{text}}}\n}}\n"
    );
    write(folder, "nginx.conf", &whole);
    "PATH=\"$PATH:/usr/sbin\" nginx -e stderr -p \"$1\" -c \"$1/nginx.conf\"".into()
}

fn caddy(folder: &Path, text: &str) -> String {
    write(folder, "Caddyfile", &format!("{{\nadmin off\n}}\n{text}"));
    "HOME=\"$1\" XDG_DATA_HOME=\"$1\" XDG_CONFIG_HOME=\"$1\" caddy run --adapter caddyfile --config \"$1/Caddyfile\""
        .into()
}

fn apache(folder: &Path, modules: &[&str], text: &str) -> String {
    let modules: String = [&["mpm_event", "authz_core", "proxy", "proxy_http"], modules]
        .concat()
        .iter()
        .map(|module| format!("LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so\n"))
        .collect();
    let folder_text = folder.display();
    let whole = format!(
        "ServerName localhost\nDefaultRuntimeDir {folder_text}\nPidFile {folder_text}/pid\nErrorLog /dev/stderr\nMutex \
         posixsem\nUser www-data\nGroup www-data\n{modules}{text}"
    );
    write(folder, "apache.conf", &whole);
    "/usr/sbin/apache2 -DFOREGROUND -f \"$1/apache.conf\"".into()
}

/// The folder where `./test` puts the proxies that Debian does not have.
const PROXIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/proxies");

fn traefik(folder: &Path, port: u16, text: &str) -> String {
    write(folder, "api.yml", text);
    let file = folder.join("api.yml");
    let whole = format!(
        "entryPoints:\n  web:\n    address: \"127.0.0.1:{port}\"\nproviders:\n  file:\n    filename: {}\nglobal:\n  \
         checkNewVersion: false\n  sendAnonymousUsage: false\n",
        file.display()
    );
    write(folder, "traefik.yml", &whole);
    format!("{PROXIES}/bin/traefik --configFile=\"$1/traefik.yml\"")
}

fn envoy(folder: &Path, port: u16, text: &str) -> String {
    let own = "address: 0.0.0.0, port_value: 8000";
    write(folder, "envoy.yaml", &text.replace(own, &format!("address: 127.0.0.1, port_value: {port}")));
    format!(
        "$(echo {PROXIES}/lib/python3*/site-packages/envoy/_bin/envoy) -c \"$1/envoy.yaml\" --use-dynamic-base-id \
         --concurrency 1 -l warn"
    )
}
