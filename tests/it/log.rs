//! The log, and that nothing important depends on it.

use crate::harness::{
    Person, Smtp, Trouble, folder,
    process::{Process, client, command, prints, status},
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    os::fd::AsFd,
    path::Path,
    process::{ChildStderr, Command},
};

fn serving(data: &Path, smtp: &Smtp, level: &str) -> Process {
    let mut command = command(&["--verify-listen", "127.0.0.1:0"], data);
    command.env("JETON_SMTP_URL", smtp.url()).env("JETON_MAIL_FROM", "jeton@example.org").env("JETON_LOG", level);
    Process::start(command)
}

/// Returns the address of a new server, its address for programs, and the code of its set-up link.
fn first_lines(jeton: &mut Process) -> (String, String, String) {
    let lines: Vec<String> = (0..5).map(|_| jeton.line()).collect();
    let address = |line: &String| line.split_whitespace().last().unwrap().to_owned();
    (address(&lines[0]), address(&lines[1]), lines[4].rsplit('=').next().unwrap().to_owned())
}

/// Checks the result of an hour with such a log: requests are answered, mail is sent, even after one that failed, and a
/// stop writes the last uses and reports success.
async fn goes_on(mut jeton: Process, url: &str, ann: &Person, data: &Path, smtp: &Smtp) {
    let key = ann.makes_token("Power BI").await;
    assert_eq!(status(url, &key).await, 200);
    smtp.troubles([Trouble::Says("550 5.1.1 nobody of that name")]);
    for tries in 1..=2 {
        assert_eq!(ann.post("/sign-in/forgotten", &[("email", &ann.email)]).await.status, 303);
        while smtp.tries() < tries {
            actix_web::rt::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
    assert_eq!(smtp.mails(1).await.len(), 1);
    assert!(Command::new("kill").args(["-TERM", &jeton.child.id().to_string()]).status().unwrap().success());
    assert!(jeton.child.wait().unwrap().success());
    let tokens = prints(&mut command(&["token", "list", "--json"], data));
    assert!(tokens[0].to_string().contains("\"last_used_at\":\"2"), "{tokens}");
}

#[actix_web::test]
async fn the_server_runs_on_when_the_reader_of_the_log_is_gone() {
    for level in ["info", "debug"] {
        let (data, smtp) = (folder(), Smtp::start());
        let mut jeton = serving(data.path(), &smtp, level);
        let (url, _, code) = first_lines(&mut jeton);
        drop(jeton.child.stderr.take());
        let ann = Person::at(&url, "Ann");
        assert_eq!(ann.sets_up(&code).await.status, 303);
        goes_on(jeton, &url, &ann, data.path(), &smtp).await;
    }
}

/// The capacity of a pipe in bytes.
fn unread(log: &ChildStderr) -> u64 {
    rustix::io::ioctl_fionread(log.as_fd()).unwrap()
}

#[actix_web::test]
async fn the_server_does_not_wait_for_a_slow_reader_of_the_log() {
    let (data, smtp) = (folder(), Smtp::start());
    let mut jeton = serving(data.path(), &smtp, "trace");
    let (url, programs_url, code) = first_lines(&mut jeton);
    let mut log = jeton.child.stderr.take().unwrap();
    let ann = Person::at(&url, "Ann");
    assert_eq!(ann.sets_up(&code).await.status, 303);
    let http = client();
    let lost = async || {
        let metrics = http.get(format!("{programs_url}/metrics")).send().await.unwrap().text().await.unwrap();
        metrics.lines().any(|line| line.strip_prefix("jeton_log_lines_lost_total ").is_some_and(|lost| lost != "0"))
    };
    while !lost().await {
        for _ in 0..100 {
            assert_eq!(http.get(format!("{url}/healthz")).send().await.unwrap().status(), 200);
        }
    }
    assert!(unread(&log) > 32 * 1024, "the pipe is full");
    goes_on(jeton, &url, &ann, data.path(), &smtp).await;
    // The end waits for the reader no more than a moment.
    let mut written = Vec::new();
    log.read_to_end(&mut written).unwrap();
    assert!(!written.is_empty());
}

/// Does, this many times, what strangers can do to a log.
async fn annoy(url: &str, times: usize) {
    let address = url.trim_start_matches("http://");
    let http = client();
    for _ in 0..times {
        for bytes in [
            &b"GET / HTTP/1.1\r\nHost: x\r\nX: \x7f\r\n\r\n"[..],
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"POST /sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"GET /\xc3\xa9 HTTP/1.1\r\n\r\n",
        ] {
            let mut connection = TcpStream::connect(address).unwrap();
            connection.write_all(bytes).unwrap();
            connection.shutdown(std::net::Shutdown::Write).unwrap();
            drop(connection.read_to_end(&mut Vec::new()));
        }
        let stale = "jeton=AAAA%2Fnot-signed-by-this-server";
        http.get(format!("{url}/account/tokens")).header("cookie", stale).send().await.unwrap();
        http.get(format!("{url}/verify")).bearer_auth("jtn_p_nonsense").send().await.unwrap();
    }
}

#[actix_web::test]
async fn strangers_cannot_fill_the_log() {
    for level in [None, Some("info"), Some("warn,jeton=info")] {
        let data = folder();
        let mut command = command(&["--verify-listen", "127.0.0.1:0"], data.path());
        command.envs(level.map(|level| ("JETON_LOG", level)));
        let mut jeton = Process::start(command);
        let (url, programs_url, _) = first_lines(&mut jeton);
        annoy(&url, 40).await;
        let metrics = client().get(format!("{programs_url}/metrics")).send().await.unwrap().text().await.unwrap();
        let counted = metrics.lines().find_map(|line| line.strip_prefix("jeton_requests_malformed_total ")).unwrap();
        assert!(counted.parse::<u32>().unwrap() >= 80, "{counted}");
        let log = jeton.terminate();
        assert!(log.lines().count() < 5 && !log.contains("ERROR"), "{level:?}: {log}");
    }
}

#[actix_web::test]
async fn a_verbose_log_is_limited_and_says_what_was_left_out() {
    let data = folder();
    let mut command = command(&[], data.path());
    command.env("JETON_LOG", "info,jeton_app=debug");
    let mut jeton = Process::start(command);
    let (url, _) = jeton.first_lines();
    annoy(&url, 50).await;
    let log = jeton.terminate();
    // Of some places in actix, twenty lines each.
    let of_actix: Vec<&str> = log.lines().filter(|line| line.contains(" actix_http")).collect();
    assert!((20..80).contains(&of_actix.len()), "{}: {log}", of_actix.len());
    let more = log.lines().filter(|line| line.contains("left out") && line.contains("left_out=")).count();
    assert!(more >= 1, "{log}");
}
