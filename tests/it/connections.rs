//! What happens to connections: those that wait forever, those that send something other than a request, and too many.

use crate::harness::{
    Nginx, Person, TestApp, TestDb, folder,
    process::{Process, client, command},
    proxy::{Proxy, free_port},
    service::TOKENS,
};
use socket2::{Domain, Socket, Type};
use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Longer than any timeout, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);
const GOOD: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Starts a server that is ready; from then on its own threads serve.
async fn served() -> TestApp {
    let app = TestApp::start(TestDb::sqlite()).await;
    assert_eq!(app.send("GET", "/healthz", &[], "").await.status, 200);
    assert_eq!(client().get(format!("{}/healthz", app.programs_url)).send().await.unwrap().status(), 200);
    app
}

fn connect(url: &str) -> TcpStream {
    let stream = TcpStream::connect(url.trim_start_matches("http://")).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time");
    stream
}

/// Returns everything that is answered until the connection is closed.
fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        // Closed with bytes unread.
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends this on a new connection, and returns everything that is answered until it is closed.
fn answers(url: &str, sent: &[u8]) -> String {
    let mut stream = connect(url);
    stream.write_all(sent).expect("a request");
    rest(&mut stream)
}

/// Heads that actix-http refuses by itself, with its status for them.
fn refused_heads() -> Vec<(&'static str, Vec<u8>)> {
    let headers = |headers: &str| format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").into_bytes();
    vec![
        ("400", headers("X: \x7f\r\n")),
        ("400", headers("X: \x01\r\n")),
        ("400", headers("X Y: z\r\n")),
        ("400", headers(": z\r\n")),
        ("400", headers("Host: other\r\n")),
        ("400", headers("Content-Length: 1\r\nContent-Length: 2\r\n")),
        ("400", headers("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")),
        ("400", headers("Transfer-Encoding: gzip\r\n")),
        ("400", headers("Content-Length: +1\r\n")),
        ("431", headers(&"X: y\r\n".repeat(97))),
        ("431", headers(&format!("X: {}\r\n", "y".repeat(300_000)))),
        ("400", "GET /é HTTP/1.1\r\nHost: localhost\r\n\r\n".into()),
        ("400", "GET / HTTP/1.1\r\n\r\n".into()),
        ("400", "GET / HTTP/3.7\r\nHost: localhost\r\n\r\n".into()),
        ("400", "GET /\r\nHost: localhost\r\n\r\n".into()),
        ("400", "\0\0\0\0\r\n\r\n".into()),
        ("400", "\x16\x03\x01\x02\x00\x01\x00\x01\r\n".into()),
    ]
}

#[actix_web::test]
async fn a_malformed_request_gets_400_and_closes_its_connection() {
    let app = served().await;
    for (status, head) in refused_heads() {
        for url in [&app.url, &app.programs_url] {
            // As the first request, after another one, and right behind another one.
            let shown = String::from_utf8_lossy(&head[..head.len().min(80)]).into_owned();
            let first = answers(url, &head);
            let behind = answers(url, &[GOOD.as_bytes(), &head].concat());
            let mut stream = connect(url);
            stream.write_all(GOOD.as_bytes()).unwrap();
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
            stream.write_all(&head).unwrap();
            let after = rest(&mut stream);
            let (good, behind) = behind.split_once("\r\n\r\nok\n").expect(&shown);
            assert!(good.starts_with("HTTP/1.1 200"), "{shown}: {good}");
            for answer in [first.as_str(), behind, &after] {
                let head = answer.split("\r\n\r\n").next().unwrap_or_default();
                assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{shown}: {answer}");
                assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{shown}: {answer}");
                for header in [
                    "connection: close",
                    "content-security-policy: default-src 'none'; frame-ancestors 'none'",
                    "x-content-type-options: nosniff",
                    "cache-control: no-store",
                    "content-type: application/problem+json",
                    "x-request-id: ",
                    "date: ",
                ] {
                    assert!(head.contains(&format!("\r\n{header}")), "{shown}: {header}: {answer}");
                }
            }
        }
    }
}

#[actix_web::test]
async fn a_malformed_request_of_a_proxy_gets_a_status_that_it_passes_on() {
    let app = served().await;
    for headers in ["X: \x7f\r\n".to_owned(), "X: y\r\n".repeat(100)] {
        for path in ["/verify", "/verify?scope=write", "/verify/apis/k7m2q9xd4t"] {
            let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
            for sent in [head.clone(), format!("{GOOD}{head}")] {
                let answer = answers(&app.url, sent.as_bytes());
                let answer = answer.rsplit("HTTP/1.1 ").next().unwrap();
                assert!(answer.starts_with("403 "), "{answer}");
                for header in
                    ["jeton-subject: \r\n", "jeton-permissions: \r\n", "www-authenticate: Bearer ", "connection: close"]
                {
                    assert!(answer.contains(header), "{header}: {answer}");
                }
            }
        }
    }
}

/// A client that neither continues nor closes its connection.
struct Slow {
    what: &'static str,
    sent: String,
    reads: bool,
}

#[actix_web::test]
async fn a_client_that_stalls_is_disconnected_at_every_stage() {
    let app = served().await;
    let slow = |what, sent: String| Slow { what, sent, reads: true };
    let form = "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nContent-Type: \
                application/x-www-form-urlencoded\r\n";
    let chunks = "POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    let clients = [
        slow("nothing", String::new()),
        slow("a byte", "G".into()),
        slow("a head without an end", GOOD[..GOOD.len() - 2].into()),
        slow("a head behind a request", format!("{GOOD}{GOOD}GET / HTTP/1.1\r\nHo")),
        slow("a head behind a body", format!("{chunks}1\r\nx\r\n0\r\n\r\nG")),
        slow("a body with a length", format!("{form}Content-Length: 9\r\n\r\nemail")),
        slow("a body with a length that nobody reads", GOOD.replace("\r\n\r\n", "\r\nContent-Length: 9\r\n\r\n1")),
        slow("chunks", format!("{form}Transfer-Encoding: chunked\r\n\r\n5\r\nem")),
        slow("chunks that nobody reads", format!("{chunks}5\r\nab")),
        slow("the size of a chunk", format!("{chunks}5")),
        slow("a trailer", format!("{chunks}0\r\nX: y\r\n")),
        slow("a refused request", format!("{form}Content-Length: 99999999\r\n\r\nemail")),
        Slow {
            what: "reading answers",
            sent: "GET /static/app.css HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(500),
            reads: false,
        },
    ];
    let watched = clients.map(|client| {
        let url = app.url.clone();
        thread::spawn(move || {
            let mut stream = connect(&url);
            stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
            // Whoever reads nothing cannot send without end either.
            let _cut_short = stream.write_all(client.sent.as_bytes());
            if client.reads {
                drop(rest(&mut stream));
            } else {
                let begun = Instant::now();
                while stream.take_error().unwrap().is_none() && stream.peer_addr().is_ok() && !is_closed(&stream) {
                    assert!(begun.elapsed() < PATIENCE, "{}", client.what);
                    thread::sleep(Duration::from_millis(200));
                }
            }
            client.what
        })
    });
    for client in watched {
        client.join().expect("it was cut off");
    }
    // Who asks now and then stays.
    let mut stream = connect(&app.url);
    for _ in 0..3 {
        stream.write_all(GOOD.as_bytes()).unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        actix_web::rt::time::sleep(Duration::from_secs(4)).await;
    }
}

/// Returns whether the other end has closed the connection: then nothing can be sent to it.
fn is_closed(stream: &TcpStream) -> bool {
    let mut stream = stream;
    stream.set_nonblocking(true).unwrap();
    let sent = stream.write(b"G");
    stream.set_nonblocking(false).unwrap();
    sent.is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock)
}

/// Opens a connection from a loopback address, which a client can choose on Linux.
fn connect_from(address: [u8; 4], to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::new(IpAddr::V4(Ipv4Addr::from(address)), 0).into())?;
    socket.connect(&to.into())?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket.into())
}

/// Returns the status of a request over a new connection; 0 for none.
fn status_from(address: [u8; 4], to: SocketAddr) -> u16 {
    let ask = || -> std::io::Result<u16> {
        let mut stream = connect_from(address, to)?;
        stream.write_all(GOOD.as_bytes())?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        stream.shutdown(Shutdown::Both)?;
        Ok(std::str::from_utf8(&answer[9..]).ok().and_then(|status| status.parse().ok()).unwrap_or_default())
    };
    ask().unwrap_or_default()
}

/// Returns the shell commands for a process that may open so many files.
fn with_files(most: u32, command: &Command) -> Command {
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -n {most}; exec \"$0\" \"$@\"")]).arg(command.get_program());
    limited.args(command.get_args()).env_clear();
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    limited
}

#[actix_web::test]
async fn one_client_cannot_take_all_connections_and_files() {
    let data = folder();
    let port = free_port();
    let mut jeton = command(&[], data.path());
    jeton.env("JETON_VERIFY_LISTEN", format!("127.0.0.1:{port}"));
    let mut jeton = Process::start(with_files(256, &jeton));
    let url = jeton.line().split_whitespace().last().unwrap().to_owned();
    let code = std::iter::repeat_with(|| jeton.line()).find_map(|line| Some(line.split_once("code=")?.1.to_owned()));
    let main: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
    let programs = SocketAddr::from(([127, 0, 0, 1], port));
    let ann = Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code.unwrap()).await.status, 303);
    let key = ann.makes_token("Power BI").await;

    // Four clients, each with more connections than the process may open files.
    let is_over = Arc::new(AtomicBool::new(false));
    let attackers: Vec<_> = (1..=4)
        .map(|n| {
            let is_over = Arc::clone(&is_over);
            thread::spawn(move || {
                let mut held = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    for to in [main, programs] {
                        // A refused one is tried again.
                        if let Ok(mut stream) = connect_from([127, 0, 0, 10 + n], to) {
                            let _refused = stream.write_all(format!("{GOOD}G").as_bytes());
                            held.push(stream);
                        }
                    }
                    if held.len() > 150 {
                        held.drain(..20);
                    }
                    thread::sleep(Duration::from_millis(5));
                }
            })
        })
        .collect();
    thread::sleep(Duration::from_secs(3));
    let mut served = [0; 2];
    for _ in 0..60 {
        for (served, to) in served.iter_mut().zip([main, programs]) {
            *served += u32::from(status_from([127, 0, 0, 9], to) == 200);
        }
        thread::sleep(Duration::from_millis(50));
    }
    let me = client().get(format!("{url}/api/v1/me")).bearer_auth(&key).send().await.unwrap();
    is_over.store(true, Ordering::Relaxed);
    for attacker in attackers {
        attacker.join().unwrap();
    }
    assert_eq!((served, me.status().as_u16()), ([60, 60], 200));
    // The log has had its file, and nothing to say.
    let log = jeton.terminate();
    assert!(!log.contains("ERROR") && !log.contains("open files"), "{log}");
}

#[actix_web::test]
async fn a_client_with_too_many_connections_is_told_so() {
    let data = folder();
    let mut jeton = Process::start(with_files(256, &command(&[], data.path())));
    let url = jeton.line().split_whitespace().last().unwrap().to_owned();
    let main: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
    let mut held = Vec::new();
    let told = (0..200).find_map(|_| {
        let mut stream = connect_from([127, 0, 0, 7], main).unwrap();
        stream.write_all(GOOD.as_bytes()).unwrap();
        let mut answer = [0; 4096];
        let length = stream.read(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        held.push(stream);
        (!answer.starts_with("HTTP/1.1 200")).then_some(answer)
    });
    let told = told.expect("a refusal").to_ascii_lowercase();
    assert!(told.starts_with("http/1.1 503") && told.contains("\r\nconnection: close\r\n"), "{told}");
    assert!(told.contains("\r\nretry-after: 1\r\n"), "{told}");
    assert_eq!(status_from([127, 0, 0, 9], main), 200);
}

#[actix_web::test]
async fn an_offer_of_another_protocol_is_ignored() {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    let key = ann.makes_token("Power BI").await;
    let offers = [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n",
        "upgrade: h2c, websocket\r\nconnection: upgrade\r\n",
    ];
    for offer in offers {
        let mut stream = connect(&app.url);
        for _ in 0..20 {
            for path in ["/verify", "/api/v1/me"] {
                let head =
                    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n{offer}\r\n");
                stream.write_all(head.as_bytes()).unwrap();
                let mut answer = [0; 4096];
                let length = stream.read(&mut answer).unwrap();
                let answer = String::from_utf8_lossy(&answer[..length]).to_ascii_lowercase();
                assert!(answer.starts_with("http/1.1 200"), "{offer}: {answer}");
                assert!(!answer.contains("\r\nconnection:") && !answer.contains("\r\nupgrade:"), "{offer}: {answer}");
            }
        }
        // One that comes in pieces cannot be taken out; then the connection is closed, and the answer says so.
        let mut stream = connect(&app.url);
        stream.set_nodelay(true).unwrap();
        for byte in format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{offer}\r\n").as_bytes() {
            stream.write_all(&[*byte]).unwrap();
            thread::sleep(Duration::from_millis(1));
        }
        let answer = rest(&mut stream).to_ascii_lowercase();
        assert!(answer.contains("\r\nconnection: close\r\n"), "{offer}: {answer}");
    }
}

#[actix_web::test]
async fn javas_client_and_curl_introspect_over_plain_http() {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    let caller = ann.asks_for_service_token("Warehouse", "45", &["platform.verify_tokens"]).await;
    let page = ann.service_token("Warehouse").await;
    let (id, secret) = (page.strip_prefix(&format!("{TOKENS}/")).unwrap().to_owned(), caller.key().unwrap());
    let url = app.url.clone();
    actix_web::web::block(move || {
        let output = Command::new("java")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients/Introspect.java"))
            .args([&format!("{url}/oauth2/introspect"), &id, &secret, "300"])
            .output()
            .expect("java; ./test installs it");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "300 of 300");
        let again = format!("{url}/oauth2/introspect");
        let form = format!("token={secret}&client_id={id}&client_secret={secret}");
        let output = Command::new("curl")
            .args(["--http2", "--silent", "--show-error", "--write-out", " %{num_connects}", "--data", &form])
            .args([&again, &again, &again])
            .output()
            .expect("curl; ./test installs it");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(said.matches("\"active\":true").count(), 3, "{said}");
        // The first request opened the connection that the others use.
        assert!(said.ends_with(" 0") && said.contains("} 1{"), "{said}");
    })
    .await
    .unwrap();
}

/// Returns how many of so many valid POSTs get another status than the expected 401, while other clients send invalid
/// requests through the same proxy.
fn lost(proxy: &str, posts: u32) -> u32 {
    let address = proxy.trim_start_matches("http://").to_owned();
    let is_over = Arc::new(AtomicBool::new(false));
    let strangers: Vec<_> = (0..3)
        .map(|_| {
            let (address, is_over) = (address.clone(), Arc::clone(&is_over));
            thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    for (_, head) in refused_heads().into_iter().filter(|(_, head)| head.len() < 10_000) {
                        let mut stream = connect(&address);
                        // The proxy refuses most of them by itself.
                        let _refused = stream.write_all(&head).and_then(|()| stream.read(&mut [0; 512]).map(drop));
                    }
                }
            })
        })
        .collect();
    let honest: Vec<_> = (0..2)
        .map(|_| {
            let address = address.clone();
            thread::spawn(move || {
                let post = "POST /oauth2/introspect HTTP/1.1\r\nHost: localhost\r\nContent-Type: \
                            application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\ntoken=x";
                let mut stream = connect(&address);
                let asks = |stream: &mut TcpStream| -> std::io::Result<String> {
                    stream.write_all(post.as_bytes())?;
                    let mut answer = [0; 8192];
                    let length = stream.read(&mut answer)?;
                    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
                };
                let mut lost = 0;
                for _ in 0..posts / 2 {
                    let answer = asks(&mut stream).unwrap_or_default();
                    let is_lost = !answer.starts_with("HTTP/1.1 401");
                    lost += u32::from(is_lost);
                    // nginx closes after 1,000 requests, and says so.
                    if is_lost || answer.to_ascii_lowercase().contains("connection: close") {
                        stream = connect(&address);
                    }
                }
                lost
            })
        })
        .collect();
    let lost = honest.into_iter().map(|client| client.join().unwrap()).sum();
    is_over.store(true, Ordering::Relaxed);
    strangers.into_iter().for_each(|stranger| stranger.join().unwrap());
    lost
}

#[actix_web::test]
async fn bad_requests_through_a_proxy_cost_nobody_else_an_answer() {
    let posts = if std::env::var_os("JETON_SOAK").is_some() { 5_000 } else { 600 };
    let (app, _ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    let jeton = app.url.trim_start_matches("http://").to_owned();
    let nginx = Nginx::before(std::slice::from_ref(&jeton));
    let caddy = Proxy::caddy_before(free_port(), &jeton);
    let caddy_url = format!("http://127.0.0.1:{}", caddy.port());
    let lost = actix_web::web::block(move || [lost(&nginx.url, posts), lost(&caddy_url, posts)]).await.unwrap();
    assert_eq!(lost, [0, 0], "of {posts} each, behind nginx and Caddy");
}
