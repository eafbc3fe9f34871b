//! A running server and the people who use it, in the terms of the tests:
//!
//! ```ignore
//! let (app, ann) = TestApp::with_user(db, "Ann").await;
//! let key = ann.makes_token("Power BI").await;
//! assert_eq!(app.me(&key).await.status, 200);
//! ```

use super::{Answer, Smtp, TestDb, described};
use app::{Jeton, clock::Clock, mail, random, verify::freshness::unseen};
use domain::{
    organization::OrganizationId,
    permission::BuiltInSet,
    token,
    user::{Email, Theme},
};
use std::{cell::RefCell, collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};
use storage::{AnyConnection, DatabaseUrl, Db, StorageError, epoch::Touched, memberships, organizations, users};

/// The password of everybody in the tests.
pub const PASSWORD: &str = "a long enough sentence";

/// The file in the data folder in which a test may put GitHub's public keys before the start.
pub const GITHUB_KEYS: &str = "github.json";

/// A running server on a free port of the loopback, with an empty database of its own.
pub struct TestApp {
    /// Its address.
    pub url: String,
    /// Its address for programs only.
    pub programs_url: String,
    /// Its clock, which tests move.
    pub clock: Clock,
    /// The application behind it.
    pub jeton: Arc<Jeton>,
    /// Its database, to read and change directly.
    pub db: Db,
    test_db: TestDb,
    handle: actix_web::dev::ServerHandle,
}

/// How a server is started.
#[derive(Default)]
struct Start<'a> {
    public_url: Option<&'a str>,
    mail: Option<mail::Settings>,
    believes_proxies: bool,
    is_demo: bool,
    /// The clock of a newly started machine; none for a machine that has run for a long time.
    young: Option<Clock>,
    /// How many requests a token may send in a minute.
    requests_per_minute: Option<NonZeroU32>,
}

/// Waits until no node answers any more from what it had read before this call, under the default freshness bound.
pub fn wait_for_freshness() {
    std::thread::sleep(unseen(Duration::from_millis(20)));
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // The command is sent immediately; nobody needs to wait for its end.
        drop(self.handle.stop(false));
    }
}

impl TestApp {
    /// Starts a server without users.
    pub async fn start(test_db: TestDb) -> TestApp {
        TestApp::run(test_db, Start::default()).await
    }

    /// Starts a demonstration.
    pub async fn demonstration(test_db: TestDb) -> TestApp {
        TestApp::run(test_db, Start { is_demo: true, ..Start::default() }).await
    }

    /// Starts a server without users on a newly started machine, with this clock.
    pub async fn start_by(test_db: TestDb, clock: Clock) -> TestApp {
        TestApp::run(test_db, Start { young: Some(clock), ..Start::default() }).await
    }

    /// Starts a server without users, with the address `public_url`.
    pub async fn start_behind(test_db: TestDb, public_url: Option<&str>) -> TestApp {
        TestApp::run(test_db, Start { public_url, ..Start::default() }).await
    }

    /// Starts a server without users that sends mail.
    pub async fn start_mailing(test_db: TestDb) -> (TestApp, Smtp) {
        let smtp = Smtp::start();
        (TestApp::start_mailing_through(test_db, &smtp.url()).await, smtp)
    }

    /// Starts a server without users that sends mail through the mail server of this URL.
    pub async fn start_mailing_through(test_db: TestDb, url: &str) -> TestApp {
        TestApp::run(test_db, Start { mail: Some(mail_through(url)), ..Start::default() }).await
    }

    /// Starts a server whose administrator `name` is signed in, and whose tokens may send so many requests in a minute.
    pub async fn with_limit(test_db: TestDb, name: &str, requests_per_minute: u32) -> (TestApp, Person) {
        let requests_per_minute = NonZeroU32::new(requests_per_minute);
        let app = TestApp::run(test_db, Start { requests_per_minute, ..Start::default() }).await;
        let person = app.first_user(name).await;
        (app, person)
    }

    /// Starts a server whose administrator `name` is signed in, and that trusts proxies on the loopback.
    pub async fn with_proxies(test_db: TestDb, name: &str) -> (TestApp, Person) {
        let app = TestApp::run(test_db, Start { believes_proxies: true, ..Start::default() }).await;
        let person = app.first_user(name).await;
        (app, person)
    }

    /// The same, sending mail.
    pub async fn with_proxies_and_mail(test_db: TestDb, name: &str) -> (TestApp, Person, Smtp) {
        let smtp = Smtp::start();
        let mail = Some(mail_through(&smtp.url()));
        let app = TestApp::run(test_db, Start { mail, believes_proxies: true, ..Start::default() }).await;
        let person = app.first_user(name).await;
        (app, person, smtp)
    }

    async fn run(test_db: TestDb, start: Start<'_>) -> TestApp {
        let Start { public_url, mail, believes_proxies, is_demo, young, requests_per_minute } = start;
        let is_young = young.is_some();
        let clock = young.unwrap_or_else(Clock::system);
        let address = DatabaseUrl::parse(&test_db.url).expect("a database URL");
        let settings = app::Settings {
            database: address.clone(),
            data_dir: test_db.folder().to_owned(),
            clock: clock.clone(),
            is_demo,
            mail,
            github_keys: Some(test_db.folder().join(GITHUB_KEYS)).filter(|file| file.exists()),
            requests_per_minute,
        };
        let jeton = Jeton::open(settings).expect("it starts");
        if !is_young {
            clock.settle();
        }
        if is_demo {
            drop(app::demo::fill(&jeton).await.expect("an empty database"));
        }
        let web = web::Settings {
            listen: ([127, 0, 0, 1], 0).into(),
            public_url: public_url.map(|url| web::PublicUrl::parse(url).expect("a URL")),
            trusted_proxies: web::source::TrustedProxies::parse(if believes_proxies { "127.0.0.1" } else { "" })
                .expect("addresses"),
            workers: Some(2),
            verify_listen: Some(([127, 0, 0, 1], 0).into()),
            drain: Duration::ZERO,
        };
        let server = web::bind(jeton, &web).expect("a free port");
        let (url, jeton, handle) = (format!("http://{}", server.address), server.jeton(), server.handle());
        let programs_url = format!("http://{}", server.verify_address.expect("a second listener"));
        actix_web::rt::spawn(server.run());
        let db = Db::open(address).expect("the same database");
        TestApp { url, programs_url, clock, jeton, db, test_db, handle }
    }

    /// Starts a server whose administrator `name` is signed in, set up through its own pages.
    pub async fn with_user(test_db: TestDb, name: &str) -> (TestApp, Person) {
        let app = TestApp::start(test_db).await;
        let person = app.first_user(name).await;
        (app, person)
    }

    /// The same, sending mail.
    pub async fn with_mail(test_db: TestDb, name: &str) -> (TestApp, Person, Smtp) {
        let (app, smtp) = TestApp::start_mailing(test_db).await;
        let person = app.first_user(name).await;
        (app, person, smtp)
    }

    /// Sets the server up and returns the first user, its administrator.
    pub async fn first_user(&self, name: &str) -> Person {
        let person = self.browser(name);
        let answer = person.sets_up(app::setup::code(&self.jeton)).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        person
    }

    /// Returns the settings for another node beside it, with the machine's clock.
    pub fn settings(&self) -> app::Settings {
        app::Settings {
            database: self.db.address().clone(),
            data_dir: self.folder().to_owned(),
            clock: Clock::system(),
            is_demo: false,
            mail: None,
            github_keys: None,
            requests_per_minute: None,
        }
    }

    /// Returns its `DATABASE_URL`.
    pub fn url_of_database(&self) -> &str {
        &self.test_db.url
    }

    /// Changes authority directly in the database, as a command beside the server does. When this returns, the server
    /// no longer answers without the change.
    pub fn change_authority<T>(&self, mut change: impl FnMut(&mut AnyConnection) -> Result<T, StorageError>) -> T {
        let all = |connection: &mut AnyConnection| Ok::<_, StorageError>((change(connection)?, Touched::Everything));
        let changed = self.db.change_keys(all).expect("a change");
        std::thread::sleep(unseen(changed.unseen_for));
        changed.done
    }

    /// Returns the data folder.
    pub fn folder(&self) -> &std::path::Path {
        self.test_db.folder()
    }

    /// Returns somebody's browser, not signed in.
    pub fn browser(&self, name: &str) -> Person {
        Person::at(&self.url, name)
    }

    /// Adds another user to the first organization, signed in. The rows are written directly, which is faster than an
    /// invitation.
    pub async fn add_user(&self, name: &str, set: BuiltInSet) -> Person {
        let first = |connection: &mut AnyConnection| {
            let ann = users::find_by_email(connection, &Email::parse("ann@example.org").expect("an address"))?;
            let ann = ann.expect("Ann has set the installation up").0.id;
            Ok(memberships::first(connection, ann)?.expect("an organization").organization)
        };
        self.add_user_to(name, set, first).await
    }

    /// Adds another organization with this slug, whose only user `name` is its administrator and signed in.
    pub async fn add_organization(&self, slug: &str, name: &str) -> Person {
        let now = self.clock.now();
        let new = |connection: &mut AnyConnection| {
            organizations::insert(connection, &token::public_id(random::fill), (slug, slug), now)
        };
        self.add_user_to(name, BuiltInSet::Administrator, new).await
    }

    async fn add_user_to(
        &self,
        name: &str,
        set: BuiltInSet,
        organization: impl Fn(&mut AnyConnection) -> Result<OrganizationId, StorageError>,
    ) -> Person {
        let person = self.browser(name);
        let hash = self.password_hash();
        let profile = domain::user::Profile {
            name: name.into(),
            email: Email::parse(&person.email).expect("an address"),
            language: None,
            time_zone: "UTC".into(),
            theme: Theme::System,
        };
        let now = self.clock.now();
        self.db
            .write::<_, StorageError>(|connection| {
                let user = users::insert(connection, &profile, &hash, now)?;
                let organization = organization(connection)?;
                let set = organizations::built_in_set(connection, organization, set)?;
                memberships::insert(connection, user, organization, set, now).map(drop)
            })
            .expect("a new user");
        assert_eq!(person.signs_in().await.status, 303);
        person
    }

    /// Returns the stored hash of [`PASSWORD`], taken from the first user, who has the same password.
    fn password_hash(&self) -> String {
        let ann = Email::parse("ann@example.org").expect("an address");
        self.db
            .read::<_, StorageError>(|connection| users::find_by_email(connection, &ann))
            .expect("a database")
            .expect("Ann has set the installation up")
            .1
    }

    /// Sends `GET /api/v1/me` with this key.
    pub async fn me(&self, key: &str) -> Answer {
        self.with_key("GET", "/api/v1/me", key).await
    }

    /// Sends a request with this key.
    pub async fn with_key(&self, method: &str, path: &str, key: &str) -> Answer {
        self.send(method, path, &[("authorization", &format!("Bearer {key}"))], "").await
    }

    /// Sends a request without a key to the listener for programs.
    pub async fn asked_by_program(&self, path: &str) -> Answer {
        Answer::of(client().get(format!("{}{path}", self.programs_url)).send().await.expect("an answer")).await
    }

    /// Sends any request.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let verb = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = client().request(verb, format!("{}{path}", self.url)).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = Answer::of(request.send().await.expect("an answer")).await;
        described::check(method, path, &answer);
        answer
    }
}

/// Returns the settings for sending mail through the server of this URL.
pub fn mail_through(url: &str) -> mail::Settings {
    mail::Settings {
        server: mail::Server::parse(url).expect("a server"),
        from: mail::Sender::parse("Jeton <jeton@example.org>").expect("a sender"),
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().expect("a client")
}

/// A person with a browser, which keeps cookies, sends what browsers send, and puts the form token of the last page
/// into forms.
pub struct Person {
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    base: String,
    http: reqwest::Client,
    cookies: RefCell<BTreeMap<String, String>>,
    /// The last page with a form, whose token goes into the forms that are sent.
    page: RefCell<Option<Answer>>,
}

impl Person {
    /// Returns somebody's browser for the server at `url`.
    pub fn at(url: &str, name: &str) -> Person {
        Person {
            name: name.into(),
            email: format!("{}@example.org", name.to_lowercase()),
            base: url.into(),
            http: client(),
            cookies: RefCell::default(),
            page: RefCell::default(),
        }
    }

    /// Opens a page.
    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], String::new()).await
    }

    /// Opens a part of a page as htmx does.
    pub async fn get_part(&self, path: &str) -> Answer {
        let headers = [("hx-request", "true"), ("hx-target", "aside#panel")];
        self.request("GET", path, &headers, String::new()).await
    }

    /// Sends a form.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.try_post(path, fields).await.expect("an answer")
    }

    /// Sends a form to a server that may stop in the meantime.
    pub async fn try_post(&self, path: &str, fields: &[(&str, &str)]) -> reqwest::Result<Answer> {
        let csrf = self.page.borrow().as_ref().and_then(|page| page.field("csrf")).unwrap_or_default();
        let mut all = vec![("csrf", csrf.as_str())];
        all.retain(|_| !fields.iter().any(|(name, _)| *name == "csrf"));
        all.extend(fields);
        let body = serde_html_form::to_string(&all).expect("a form");
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
        self.try_request("POST", path, &headers, body).await
    }

    /// Sends any request with the cookies of this browser.
    pub async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: String) -> Answer {
        self.try_request(method, path, headers, body).await.expect("an answer")
    }

    async fn try_request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> reqwest::Result<Answer> {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, format!("{}{path}", self.base)).body(body);
        let cookies: Vec<String> =
            self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = Answer::whole(request.send().await?).await?;
        self.keep_cookies(&answer);
        // Only parsed here: most pages are never submitted, and parsing one takes a while.
        if answer.body.contains("name=\"csrf\"") {
            self.page.replace(Some(answer.clone()));
        }
        Ok(answer)
    }

    fn keep_cookies(&self, answer: &Answer) {
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("a cookie");
            let (name, rest) = cookie.split_once('=').expect("a cookie");
            let value = rest.split(';').next().unwrap_or_default();
            let mut cookies = self.cookies.borrow_mut();
            if value.is_empty() || cookie.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.into(), value.into());
            }
        }
    }

    /// Returns name and value of the cookie of this kind: `jeton`, `jeton_device` or `jeton_language`. The cookie's
    /// name includes the installation.
    pub fn cookie(&self, kind: &str) -> Option<(String, String)> {
        let cookies = self.cookies.borrow();
        let is_of_kind = |name: &str| name.rsplit_once('_').is_some_and(|(begin, _)| begin == kind);
        cookies.iter().find(|(name, _)| is_of_kind(name)).map(|(name, value)| (name.clone(), value.clone()))
    }

    /// Stores a cookie that another program has set.
    pub fn takes_cookie(&self, name: &str, value: &str) {
        self.cookies.borrow_mut().insert(name.into(), value.into());
    }

    /// Uses the session of another tab of this browser.
    pub fn follows(&self, tab: &Person) {
        self.cookies.replace(tab.cookies.borrow().clone());
    }

    /// Returns a browser with the same cookies: a second tab, or a thief.
    pub fn copy(&self) -> Person {
        Person {
            name: self.name.clone(),
            email: self.email.clone(),
            base: self.base.clone(),
            http: self.http.clone(),
            cookies: self.cookies.clone(),
            page: self.page.clone(),
        }
    }

    /// Sends the set-up form.
    pub async fn sets_up(&self, code: &str) -> Answer {
        let fields = [
            ("code", code),
            ("name", self.name.as_str()),
            ("email", self.email.as_str()),
            ("organization", "Croix-Bleue Sahel"),
            ("new_password", PASSWORD),
        ];
        let answer = self.post("/setup", &fields).await;
        if answer.status == 303 {
            self.get("/account/profile").await;
        }
        answer
    }

    /// Signs in with [`PASSWORD`].
    pub async fn signs_in(&self) -> Answer {
        self.signs_in_with(PASSWORD).await
    }

    /// Signs in.
    pub async fn signs_in_with(&self, password: &str) -> Answer {
        let answer = self.post("/sign-in", &[("email", &self.email), ("password", password)]).await;
        if answer.status == 303 {
            self.get("/account/profile").await;
        }
        answer
    }

    /// Requests a token; the answer may be anything.
    pub async fn asks_for_token(&self, label: &str, scope: &str, days: &str) -> Answer {
        let form = self.get("/account/tokens/new").await;
        let [nonce, place] = ["nonce", "working_in"].map(|name| form.field(name).expect("a form of one organization"));
        let fields =
            [("label", label), ("scope", scope), ("inactivity", days), ("nonce", &*nonce), ("working_in", &*place)];
        self.post("/account/tokens", &fields).await
    }

    /// Creates a read-only token that expires after 45 days without use, and returns its key.
    pub async fn makes_token(&self, label: &str) -> String {
        self.makes_token_with(label, "read").await
    }

    /// Creates a token with this scope and returns its key.
    pub async fn makes_token_with(&self, label: &str, scope: &str) -> String {
        let answer = self.asks_for_token(label, scope, "45").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.key().expect("a page with the key")
    }

    /// Returns the public id of the token with this label, from the list.
    pub async fn token_id(&self, label: &str) -> String {
        self.get("/account/tokens").await.id_of("/account/tokens/", label)
    }

    /// Revokes the token with this label.
    pub async fn revokes(&self, label: &str) -> Answer {
        let id = self.token_id(label).await;
        self.post(&format!("/account/tokens/{id}/revocation"), &[]).await
    }
}
