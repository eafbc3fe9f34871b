//! Servers that stop and start while clients send requests.

use crate::harness::{
    Nginx, Person, TestDb, folder,
    process::{Process, client, command, status},
};
use diesel::{Connection, PgConnection, RunQueryDsl, sql_types::BigInt};
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// Starts a node that stops `drain` seconds after it is told to.
fn node(data: &Path, url: &str, listen: &str, drain: &str) -> Process {
    let mut command = command(&["--drain-seconds", drain], data);
    command.env("DATABASE_URL", url).env("JETON_LISTEN", listen);
    Process::start(command)
}

fn ask_to_stop(process: &Process) {
    let id = process.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
}

#[actix_web::test]
async fn a_stopping_node_announces_it_and_keeps_serving() {
    let (data, db) = (folder(), TestDb::sqlite());
    let mut jeton = node(data.path(), &db.url, "127.0.0.1:0", "2");
    let (url, code) = jeton.first_lines();
    let ann = Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    let key = ann.makes_token("Power BI").await;
    let http = client();
    let ready = async || http.get(format!("{url}/readyz")).send().await;
    let answer = ready().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get("connection")), (200, None));

    let begun = Instant::now();
    ask_to_stop(&jeton);
    while ready().await.unwrap().status() == 200 {
        assert!(begun.elapsed() < Duration::from_secs(1));
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
    let answer = ready().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get("connection")), (503, None));
    assert_eq!(answer.text().await.unwrap(), "serving: about to stop\ntokens: ok\nchanges: ok\nclock: ok\n");
    assert_eq!(http.get(format!("{url}/healthz")).send().await.unwrap().status(), 200);
    assert_eq!(status(&url, &key).await, 200);
    assert_eq!(ann.get("/account/tokens").await.status, 200);
    assert!(jeton.child.wait().unwrap().success());
    assert!(begun.elapsed() >= Duration::from_secs(2));
    assert!(ready().await.is_err());
}

/// Sends a request over this connection, and returns the head of the answer.
fn head(connection: &mut TcpStream) -> String {
    connection.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let (mut answer, mut part) = (String::new(), [0; 1024]);
    while !answer.ends_with("\r\n\r\nok\n") {
        let length = connection.read(&mut part).unwrap();
        assert!(length > 0, "closed after {answer:?}");
        answer += std::str::from_utf8(&part[..length]).unwrap();
    }
    answer
}

#[actix_web::test]
async fn after_draining_connections_are_closed_with_their_next_answer() {
    let (data, db) = (folder(), TestDb::sqlite());
    let mut jeton = node(data.path(), &db.url, "127.0.0.1:0", "1");
    let address = jeton.line().split_whitespace().last().unwrap().trim_start_matches("http://").to_owned();
    let mut connection = TcpStream::connect(&address).unwrap();
    assert!(head(&mut connection).starts_with("HTTP/1.1 200"));
    // Proxies keep theirs for a minute.
    std::thread::sleep(Duration::from_secs(6));
    assert!(head(&mut connection).starts_with("HTTP/1.1 200"));
    let begun = Instant::now();
    ask_to_stop(&jeton);
    loop {
        let head = head(&mut connection);
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        if head.contains("connection: close") {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(begun.elapsed() >= Duration::from_secs(1), "others may still not know");
    assert_eq!(TcpStream::connect(&address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(connection.read(&mut [0; 1]).unwrap(), 0);
    assert!(jeton.child.wait().unwrap().success());
}

#[actix_web::test]
async fn a_second_signal_stops_immediately() {
    let (data, db) = (folder(), TestDb::sqlite());
    let mut jeton = node(data.path(), &db.url, "127.0.0.1:0", "600");
    let first = jeton.line();
    let url = first.split_whitespace().last().unwrap();
    // It listens for signals once it serves.
    assert_eq!(client().get(format!("{url}/healthz")).send().await.unwrap().status(), 200);
    let begun = Instant::now();
    ask_to_stop(&jeton);
    actix_web::rt::time::sleep(Duration::from_millis(200)).await;
    ask_to_stop(&jeton);
    assert!(jeton.child.wait().unwrap().success());
    assert!(begun.elapsed() < Duration::from_secs(60));
}

/// What clients of a proxy saw.
#[derive(Default)]
struct Seen {
    is_over: AtomicBool,
    well: AtomicU32,
    /// The failures.
    wrong: std::sync::Mutex<Vec<String>>,
}

/// Sends requests until it is over. nginx retries a GET on the other node, but never a POST that it has sent.
async fn ask(url: String, key: String, seen: Arc<Seen>, pause: Duration) {
    let http = client();
    while !seen.is_over.load(Ordering::Relaxed) {
        for request in [
            http.get(format!("{url}/api/v1/me")),
            http.get(format!("{url}/verify")),
            http.post(format!("{url}/verify")).body("two words"),
        ] {
            match request.bearer_auth(&key).send().await {
                Ok(answer) if answer.status() == 200 => drop(seen.well.fetch_add(1, Ordering::Relaxed)),
                other => seen.wrong.lock().unwrap().push(format!("{:?}", other.map(|answer| answer.status()))),
            }
        }
        actix_web::rt::time::sleep(pause).await;
    }
}

/// Returns the number of all calls in the database.
fn calls(url: &str) -> i64 {
    let mut connection = PgConnection::establish(url).unwrap();
    let sum = diesel::dsl::sql::<BigInt>("(SELECT sum(calls)::bigint FROM token_calls)");
    diesel::select(sum).get_result(&mut connection).unwrap()
}

/// R10, with nginx as packaged by Debian: it uses the other node if one does not answer.
#[actix_web::test]
async fn restarting_nodes_one_after_another_loses_no_request() {
    let (data, db) = (folder(), TestDb::postgres());
    let mut nodes = [node(data.path(), &db.url, "127.0.0.1:0", "1"), node(data.path(), &db.url, "127.0.0.1:0", "1")];
    let (first, code) = nodes[0].first_lines();
    let second = nodes[1].line().split_whitespace().last().unwrap().to_owned();
    let urls = [first, second];
    let ann = Person::at(&urls[0], "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    let key = ann.makes_token_with("Power BI", "read_write").await;
    let addresses = urls.each_ref().map(|url| url.trim_start_matches("http://").to_owned());
    let nginx = Nginx::before(&addresses);
    // On a busy machine its first look at the database may come too late.
    let mut first = 0;
    for _ in 0..50 {
        first = status(&nginx.url, &key).await;
        if first == 200 {
            break;
        }
        actix_web::rt::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(first, 200);

    // A load that is steady, and leaves others some of the machine; by hand one that is far too much for it.
    let (clients, pause, rounds) = match std::env::var_os("JETON_SOAK") {
        None => (6, Duration::from_millis(2), 2),
        Some(_) => (96, Duration::ZERO, 8),
    };
    let seen = Arc::new(Seen::default());
    let clients: Vec<_> = (0..clients)
        .map(|_| actix_web::rt::spawn(ask(nginx.url.clone(), key.clone(), Arc::clone(&seen), pause)))
        .collect();
    for _ in 0..rounds {
        for (process, address) in nodes.iter_mut().zip(&addresses) {
            let before = seen.well.load(Ordering::Relaxed);
            ask_to_stop(process);
            // Waiting for it without keeping the clients from asking.
            while process.child.try_wait().unwrap().is_none() {
                actix_web::rt::time::sleep(Duration::from_millis(10)).await;
            }
            assert!(process.child.wait().unwrap().success());
            *process = node(data.path(), &db.url, address, "1");
            let url = format!("http://{address}/readyz");
            while client().get(&url).send().await.is_err() {
                actix_web::rt::time::sleep(Duration::from_millis(10)).await;
            }
            assert!(seen.well.load(Ordering::Relaxed) > before, "requests came meanwhile");
        }
    }
    seen.is_over.store(true, Ordering::Relaxed);
    futures_util::future::join_all(clients).await;
    let wrong = seen.wrong.lock().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {}: {:?}\n{}",
        wrong.len(),
        seen.well.load(Ordering::Relaxed),
        &wrong[..wrong.len().min(5)],
        nginx.log()
    );

    // Each use is in the database once both have ended.
    nodes.iter_mut().for_each(|node| drop(node.terminate()));
    assert_eq!(calls(&db.url), i64::from(seen.well.load(Ordering::Relaxed)) + 1);
}
