//! An SMTP server on the loopback that keeps the mails it receives, for tests to read.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// A mail as the server received it.
#[derive(Clone, Debug)]
pub struct Received {
    /// The recipient in the envelope.
    pub to: Vec<String>,
    /// Headers and text as they were transmitted.
    pub raw: String,
}

impl Received {
    /// Returns a header, as it was sent.
    pub fn header(&self, name: &str) -> Option<&str> {
        let headers = self.raw.split("\r\n\r\n").next()?;
        headers.split("\r\n").find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }

    /// Returns the text, decoded if it was sent as quoted-printable.
    pub fn text(&self) -> String {
        let body = self.raw.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        if self.header("Content-Transfer-Encoding") != Some("quoted-printable") {
            return body.into();
        }
        let (mut bytes, joined) = (Vec::new(), body.replace("=\r\n", ""));
        let mut parts = joined.split('=');
        bytes.extend(parts.next().unwrap_or_default().bytes());
        for part in parts {
            bytes.push(u8::from_str_radix(&part[..2], 16).expect("two digits"));
            bytes.extend(part[2..].bytes());
        }
        String::from_utf8(bytes).expect("UTF-8")
    }

    /// Returns the path of the link for a new password in the text.
    pub fn link(&self) -> String {
        self.link_to("/password/")
    }

    /// Returns the path in the text that has this prefix.
    pub fn link_to(&self, begin: &str) -> String {
        let text = self.text();
        let at = text.find(begin).unwrap_or_else(|| panic!("no link in: {text}"));
        text[at..].split_whitespace().next().expect("a link").into()
    }
}

/// What happens instead of accepting a mail.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// The recipient is answered with this line.
    Says(&'static str),
    /// The connection is closed in the middle.
    HangsUp,
}

/// The server. It stops when this is dropped.
pub struct Smtp {
    address: SocketAddr,
    desk: Arc<Desk>,
    over: Arc<AtomicBool>,
}

/// The state that all its connections share.
#[derive(Default)]
struct Desk {
    received: Mutex<Vec<Received>>,
    troubles: Mutex<VecDeque<Trouble>>,
    tries: AtomicUsize,
}

impl Smtp {
    /// Starts on a free port.
    pub fn start() -> Smtp {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let smtp = Smtp { address, desk: Arc::default(), over: Arc::default() };
        let (desk, over) = (Arc::clone(&smtp.desk), Arc::clone(&smtp.over));
        std::thread::spawn(move || {
            for connection in listener.incoming().take_while(|_| !over.load(Ordering::SeqCst)) {
                let desk = Arc::clone(&desk);
                // A client may close the connection at any time.
                std::thread::spawn(move || drop(converse(&connection.expect("a connection"), &desk)));
            }
        });
        smtp
    }

    /// Returns its `JETON_SMTP_URL`.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Makes this happen to the next mails, one each.
    pub fn troubles(&self, troubles: impl IntoIterator<Item = Trouble>) {
        self.desk.troubles.lock().expect("no test fails in there").extend(troubles);
    }

    /// Returns how many mails were tried, accepted or not.
    pub fn tries(&self) -> usize {
        self.desk.tries.load(Ordering::SeqCst)
    }

    /// Returns all mails, once there are this many.
    pub async fn mails(&self, count: usize) -> Vec<Received> {
        for _ in 0..1200 {
            let received = self.desk.received.lock().expect("no test fails in there").clone();
            if received.len() >= count {
                return received;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{count} mails have not come, only {:#?}", self.desk.received.lock())
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        drop(TcpStream::connect(self.address));
    }
}

fn converse(stream: &TcpStream, desk: &Desk) -> std::io::Result<()> {
    let (mut lines, mut to) = (BufReader::new(stream), Vec::new());
    let say = |words: &str| (&*stream).write_all(format!("{words}\r\n").as_bytes());
    say("220 ready")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        match line.split([' ', '\r']).next() {
            Some("RCPT") => {
                desk.tries.fetch_add(1, Ordering::SeqCst);
                match desk.troubles.lock().expect("no test fails in there").pop_front() {
                    Some(Trouble::Says(words)) => {
                        say(words)?;
                        continue;
                    }
                    Some(Trouble::HangsUp) => return Ok(()),
                    None => to.push(line.split(['<', '>']).nth(1).unwrap_or_default().to_owned()),
                }
            }
            Some("DATA") => {
                say("354 go on")?;
                let mut raw = String::new();
                while !raw.ends_with("\r\n.\r\n") {
                    lines.read_line(&mut raw)?;
                }
                raw.truncate(raw.len() - 3);
                let mail = Received { to: std::mem::take(&mut to), raw };
                desk.received.lock().expect("no test fails in there").push(mail);
            }
            Some("QUIT") => return say("221 bye"),
            _ => {}
        }
        say("250 fine")?;
    }
}
