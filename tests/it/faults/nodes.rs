//! Nodes as processes on one database, each behind a link of its own.

use crate::harness::{
    Person, TestDb, folder,
    link::Link,
    process::{Process, command, prints},
};
use app::random;
use domain::{
    organization::{MembershipId, OrganizationId},
    permission::BuiltInSet,
    time::Timestamp,
    token::{ApiKey, InactivityExpiry, PERSONAL_LIMIT, Pepper, Scope, TokenKind, public_id},
    user::{Email, Theme, UserId},
};
use rustix::process::Signal;
use std::{cell::Cell, fs, path::Path, time::Duration};
use storage::{DatabaseUrl, Db, StorageError, memberships, organizations, tokens, users};
use tempfile::TempDir;

/// The users with tokens, besides Ann.
const OWNERS: i64 = 4;
/// The maximum number of tokens that are active at the same time.
pub const MOST: usize = OWNERS as usize * PERSONAL_LIMIT as usize;

/// The nodes.
pub struct Nodes {
    /// The address of each.
    pub urls: Vec<String>,
    /// The link between each node and the database.
    pub links: Vec<Link>,
    /// The database, without anything in between.
    pub db: Db,
    /// Ann, signed in at the first node.
    pub ann: Person,
    processes: Vec<Process>,
    through: Vec<String>,
    http: reqwest::Client,
    pepper: Pepper,
    organization: OrganizationId,
    owners: Vec<(UserId, MembershipId)>,
    places: Cell<usize>,
    data: TempDir,
    database: TestDb,
}

impl Nodes {
    /// Starts this many nodes; Ann has set up the first.
    pub async fn start(database: TestDb, count: usize) -> Nodes {
        let data = folder();
        let (links, through): (Vec<_>, Vec<_>) = (0..count).map(|_| Link::before(&database.url)).unzip();
        let mut processes = vec![process(data.path(), &through[0])];
        let (first, code) = processes[0].first_lines();
        let mut urls = vec![first];
        let ann = Person::at(&urls[0], "Ann");
        assert_eq!(ann.sets_up(&code).await.status, 303);
        for url in &through[1..] {
            let mut process = process(data.path(), url);
            urls.push(address(&mut process));
            processes.push(process);
        }
        let db = Db::open(DatabaseUrl::parse(&database.url).expect("a URL")).expect("the database");
        let (organization, owners) = owners(&db);
        Nodes {
            urls,
            links,
            db,
            ann,
            processes,
            through,
            http: http(),
            pepper: pepper(data.path()),
            organization,
            owners,
            places: Cell::new(0),
            data,
            database,
        }
    }

    /// Creates new tokens that expire after 45 days without use, last used this many seconds ago, and returns their
    /// keys. They replace the previous ones.
    pub fn tokens(&self, count: usize, unused: i64) -> Vec<String> {
        assert!(count <= MOST);
        let made = self.db.write::<_, StorageError>(|connection| {
            let now = app::clock::Clock::system().now().plus(-unused);
            let mut keys = Vec::new();
            for _ in 0..count {
                let place = self.places.replace((self.places.get() + 1) % MOST);
                let (user, membership) = self.owners[place % self.owners.len()];
                let key = ApiKey::mint(TokenKind::Personal, random::fill);
                let new = tokens::NewToken {
                    public_id: &public_id(random::fill),
                    organization: self.organization,
                    membership,
                    user,
                    label: "Nightly export",
                    scope: Scope::ReadOnly,
                    inactivity: InactivityExpiry::Days45,
                    digest: self.digest(key.reveal()),
                    form_nonce: &random::code(),
                    slot: (place / self.owners.len()) as i16 + 1,
                };
                tokens::insert(connection, &new, now)?;
                keys.push(key.reveal().to_owned());
            }
            Ok(keys)
        });
        made.expect("new tokens")
    }

    /// Returns the digest of a key in the database.
    pub fn digest(&self, key: &str) -> domain::token::KeyDigest {
        self.pepper.digest(key)
    }

    /// Returns the last use of a token from the database.
    pub fn last_use(&self, key: &str) -> Option<Timestamp> {
        let digest = self.digest(key);
        let found = self
            .db
            .read::<_, StorageError>(|connection| tokens::identities(connection, &[digest]))
            .expect("the database");
        let [(_, (_, life))] = &found[..] else { panic!("a token") };
        life.last_used_at
    }

    /// Returns the status with which a node answers a verification request.
    pub async fn verify(&self, node: usize, key: &str) -> u16 {
        self.send("GET", node, "/verify", key).await.unwrap_or_else(|error| panic!("node {node}: {error:?}"))
    }

    /// Makes a token revoke itself at a node. None if that takes too long: a write over a slow link makes others wait.
    pub async fn revoke(&self, node: usize, key: &str) -> Option<u16> {
        match self.send("DELETE", node, "/api/v1/me/token", key).await {
            Ok(status) => Some(status),
            Err(error) if error.is_timeout() => None,
            Err(error) => panic!("node {node}: {error:?}"),
        }
    }

    async fn send(&self, method: &str, node: usize, path: &str, key: &str) -> reqwest::Result<u16> {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self.http.request(method, format!("{}{path}", self.urls[node])).bearer_auth(key);
        Ok(request.timeout(Duration::from_secs(20)).send().await?.status().as_u16())
    }

    /// Waits until a node gives this answer about a key; before that, it may be unable to answer, but must not give the
    /// opposite answer.
    pub async fn says(&self, expected: u16, node: usize, key: &str) {
        let mut last = 0;
        for _ in 0..300 {
            last = self.verify(node, key).await;
            if last == expected {
                return;
            }
            assert_eq!(last, 503, "node {node}");
            actix_web::rt::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("node {node} does not say {expected}, but {last}");
    }

    /// The same for every node and key.
    pub async fn all_say(&self, expected: u16, keys: &[String]) {
        for node in 0..self.urls.len() {
            for key in keys {
                self.says(expected, node, key).await;
            }
        }
    }

    /// Sets the freshness bound with the command, while all nodes run.
    pub async fn set_freshness(&self, milliseconds: u16) {
        let (bound, data) = (milliseconds.to_string(), self.data.path().to_owned());
        let url = self.database.url.clone();
        let set = move || {
            let mut set = command(&["freshness", &bound, "--json"], &data);
            assert_eq!(prints(set.env("DATABASE_URL", url))["milliseconds"], milliseconds);
        };
        actix_web::rt::task::spawn_blocking(set).await.expect("a command");
    }

    /// Stops the process of a node between two of its instructions (SIGSTOP).
    pub fn stand_still(&self, node: usize) {
        self.processes[node].signal(Signal::STOP);
    }

    /// Lets it go on (SIGCONT).
    pub fn go_on(&self, node: usize) {
        self.processes[node].signal(Signal::CONT);
    }

    /// Kills a node with `kill -9`.
    pub fn kill(&mut self, node: usize) {
        self.processes[node].child.kill().expect("our own process");
        self.processes[node].child.wait().expect("its end");
    }

    /// Asks a node to stop, and returns whether it stopped without a failure.
    pub fn stop(&mut self, node: usize) -> bool {
        let id = self.processes[node].child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        self.processes[node].child.wait().expect("its end").success()
    }

    /// Starts a node that was killed.
    pub fn start_again(&mut self, node: usize) {
        self.processes[node] = process(self.data.path(), &self.through[node]);
        self.urls[node] = address(&mut self.processes[node]);
    }
}

/// Returns a client that closes connections earlier than the nodes do.
fn http() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().pool_idle_timeout(Duration::from_secs(1));
    client.build().expect("a client")
}

fn process(data: &Path, url: &str) -> Process {
    let mut command = command(&["--drain-seconds", "0", "--workers", "2"], data);
    // Faults fill the log, and nobody empties a pipe.
    command.env("DATABASE_URL", url).stderr(std::process::Stdio::null());
    Process::start(command)
}

fn address(process: &mut Process) -> String {
    process.line().split_whitespace().last().expect("an address").to_owned()
}

/// Returns the pepper that the first node has created: 64 hexadecimal digits.
fn pepper(data: &Path) -> Pepper {
    let text = fs::read_to_string(data.join("pepper")).expect("a pepper");
    let mut bytes = [0; Pepper::LENGTH];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).expect("digits");
    }
    Pepper::new(&bytes)
}

fn owners(db: &Db) -> (OrganizationId, Vec<(UserId, MembershipId)>) {
    let made = db.write::<_, StorageError>(|connection| {
        let ann = Email::parse("ann@example.org").expect("an address");
        let (ann, hash) = users::find_by_email(connection, &ann)?.expect("Ann");
        let organization = memberships::first(connection, ann.id)?.expect("her organization").organization;
        let set = organizations::built_in_set(connection, organization, BuiltInSet::Standard)?;
        let now = app::clock::Clock::system().now();
        let mut owners = Vec::new();
        for number in 0..OWNERS {
            let profile = domain::user::Profile {
                name: format!("Person {number}"),
                email: Email::parse(&format!("person-{number}@example.org")).expect("an address"),
                language: None,
                time_zone: "UTC".into(),
                theme: Theme::System,
            };
            let user = users::insert(connection, &profile, &hash, now)?;
            owners.push((user, memberships::insert(connection, user, organization, set, now)?));
        }
        Ok((organization, owners))
    });
    made.expect("people with tokens")
}
