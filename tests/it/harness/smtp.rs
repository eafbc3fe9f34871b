//! An SMTP server on the loopback that keeps what it gets, for tests to read.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A mail as the server got it.
#[derive(Clone, Debug)]
pub struct Received {
    /// To whom the envelope says it goes.
    pub to: Vec<String>,
    /// Headers and text as they came over the line.
    pub raw: String,
}

impl Received {
    /// A header, as it was sent.
    pub fn header(&self, name: &str) -> Option<&str> {
        let headers = self.raw.split("\r\n\r\n").next()?;
        headers.split("\r\n").find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }

    /// The text, decoded if it was sent as quoted-printable.
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

    /// The path of the link in the text.
    pub fn link(&self) -> String {
        let text = self.text();
        let at = text.find("/password/").unwrap_or_else(|| panic!("no link in: {text}"));
        text[at..].split_whitespace().next().expect("a link").into()
    }
}

/// The server. It ends when this is dropped.
pub struct Smtp {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    over: Arc<AtomicBool>,
}

impl Smtp {
    /// Starts on a free port.
    pub fn start() -> Smtp {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let smtp = Smtp { address, received: Arc::default(), over: Arc::default() };
        let (received, over) = (Arc::clone(&smtp.received), Arc::clone(&smtp.over));
        std::thread::spawn(move || {
            for connection in listener.incoming().take_while(|_| !over.load(Ordering::SeqCst)) {
                let received = Arc::clone(&received);
                // A client may go away whenever it likes.
                std::thread::spawn(move || drop(converse(&connection.expect("a connection"), &received)));
            }
        });
        smtp
    }

    /// What `JETON_SMTP_URL` would say.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Everything that has come, once there are this many mails.
    pub async fn mails(&self, count: usize) -> Vec<Received> {
        for _ in 0..400 {
            let received = self.received.lock().expect("no test fails in there").clone();
            if received.len() >= count {
                return received;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{count} mails have not come, only {:#?}", self.received.lock())
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        drop(TcpStream::connect(self.address));
    }
}

fn converse(stream: &TcpStream, received: &Mutex<Vec<Received>>) -> std::io::Result<()> {
    let (mut lines, mut to) = (BufReader::new(stream), Vec::new());
    let say = |words: &str| (&*stream).write_all(format!("{words}\r\n").as_bytes());
    say("220 ready")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        match line.split([' ', '\r']).next() {
            Some("RCPT") => to.push(line.split(['<', '>']).nth(1).unwrap_or_default().to_owned()),
            Some("DATA") => {
                say("354 go on")?;
                let mut raw = String::new();
                while !raw.ends_with("\r\n.\r\n") {
                    lines.read_line(&mut raw)?;
                }
                raw.truncate(raw.len() - 3);
                let mail = Received { to: std::mem::take(&mut to), raw };
                received.lock().expect("no test fails in there").push(mail);
            }
            Some("QUIT") => return say("221 bye"),
            _ => {}
        }
        say("250 fine")?;
    }
}
