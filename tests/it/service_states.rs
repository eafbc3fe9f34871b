//! The states of service users' tokens: random walks against a model, and races for the last place.
//!
//! They call the same verbs as pages and commands, so that thousands of operations take seconds. With `JETON_SOAK=1`
//! they are as long as the requirements demand (CONTRIBUTING.md).

use crate::harness::{DAY, PASSWORD, SLUG, TestApp, TestDb, db_test, random::Random};
use app::{
    AppError, Jeton,
    authority::Holder,
    clock::Moment,
    problem::{Field, Problem},
    service_users::{ExpiryForm, NameForm, NewKey, RegenerateForm, RotateForm, ServiceTokenForm},
    sessions::{Begin, KeyHash},
    verify::{Verifier, denied::Denied},
};
use domain::{
    access::{Demand, Refusal},
    activity::Source,
    permission::ManageIntegrations,
    user::{Email, UserId},
};
use futures_util::future::join_all;
use storage::{StorageError, users};

const HOUR: i64 = 3600;
/// Returns the number for normal tests, or the one for a soak test.
fn many(in_tests: usize, in_a_soak: usize) -> usize {
    if std::env::var_os("JETON_SOAK").is_some() { in_a_soak } else { in_tests }
}

/// Ann's authority, as long as nobody removes it.
async fn at_work(app: &TestApp) -> Holder<ManageIntegrations> {
    let email = Email::parse("ann@example.org").unwrap();
    let ann: UserId =
        app.db.read::<_, StorageError>(|connection| users::find_by_email(connection, &email)).unwrap().unwrap().0.id;
    let key =
        app::sessions::begin(&app.jeton, Begin { user: ann, generation: 0, source: Source::default() }).await.unwrap();
    let actor = app::sessions::authenticate(&app.jeton, KeyHash::of(&key)).await.unwrap();
    app::authority::enter(&app.jeton, actor, SLUG).await.unwrap().holding().unwrap()
}

async fn create(jeton: &Jeton, at: &Holder<ManageIntegrations>, name: &str) -> Result<NewKey, AppError> {
    let form = ServiceTokenForm {
        name: name.into(),
        inactivity: "31".into(),
        permissions: vec!["templates.view".into()],
        password: Some(PASSWORD.into()),
        nonce: app::tokens::form_nonce(),
    };
    app::service_users::create(jeton, at, form, Source::default()).await
}

async fn regenerate(jeton: &Jeton, at: &Holder<ManageIntegrations>, id: &str) -> Result<NewKey, AppError> {
    let form = RegenerateForm { password: Some(PASSWORD.into()), nonce: app::tokens::form_nonce() };
    app::service_users::regenerate(jeton, at, id, form, Source::default()).await
}

fn problem(error: &AppError) -> Option<Problem> {
    let AppError::Invalid(problems) = error else { return None };
    [Field::Form, Field::Inactivity].into_iter().find_map(|field| problems.at(field))
}

/// A key as the model knows it.
#[derive(Clone, Debug)]
struct Key {
    text: String,
    made: i64,
    used: Option<i64>,
    days: i64,
    revoked: bool,
    ends: Option<i64>,
    quiet: Option<i64>,
    /// Whether the inactivity period has ever passed, whatever happened to the key later.
    expired: bool,
}

impl Key {
    fn new(text: &str, now: i64, days: i64) -> Key {
        Key { text: text.into(), made: now, used: None, days, revoked: false, ends: None, quiet: None, expired: false }
    }

    fn works(&self, now: i64) -> bool {
        let over = self.used.unwrap_or(self.made).max(self.made) + self.days * DAY;
        !self.revoked && !self.expired && now < over && self.ends.is_none_or(|ends| now < ends)
    }
}

/// A token as the model knows it: its keys, oldest first.
#[derive(Clone, Debug)]
struct Token {
    id: String,
    version: i64,
    keys: Vec<Key>,
}

impl Token {
    fn current(&mut self) -> &mut Key {
        self.keys.last_mut().unwrap()
    }

    fn works(&self, now: i64) -> bool {
        self.keys.last().unwrap().works(now)
    }

    fn old(&mut self, now: i64) -> Option<&mut Key> {
        let before = self.keys.len().checked_sub(2)?;
        Some(&mut self.keys[before]).filter(|key| key.ends.is_some() && key.works(now))
    }
}

struct Walk {
    app: TestApp,
    at: Holder<ManageIntegrations>,
    verifier: Verifier,
    random: Random,
    tokens: Vec<Token>,
    /// Keys of deleted tokens.
    gone: Vec<String>,
}

impl Walk {
    async fn start(db: TestDb) -> Walk {
        let (app, _) = TestApp::with_user(db, "Ann").await;
        app.clock.stop();
        let at = at_work(&app).await;
        let verifier = app.jeton.verifier().unwrap();
        Walk { app, at, verifier, random: Random::new(), tokens: Vec::new(), gone: Vec::new() }
    }

    fn now(&self) -> i64 {
        self.app.clock.now().seconds()
    }

    fn active(&self) -> usize {
        self.tokens.iter().filter(|token| token.works(self.now())).count()
    }

    async fn step(&mut self) -> String {
        let now = self.now();
        // What ran out stays so, whatever is changed later.
        for key in self.tokens.iter_mut().flat_map(|token| &mut token.keys) {
            key.expired |= !key.works(now) && !key.revoked && key.ends.is_none_or(|ends| now < ends);
        }
        let choice = self.random.next(100);
        if choice < 12 || self.tokens.is_empty() {
            return self.creates().await;
        }
        let which = self.random.next(self.tokens.len());
        match choice {
            12..45 => self.uses_a_key(which).await,
            45..52 => self.waits().await,
            52..60 => self.revokes(which).await,
            60..72 => self.regenerates(which).await,
            72..82 => self.rotates(which).await,
            82..86 => self.ends_the_old_key(which).await,
            86..89 => self.deletes(which).await,
            89..94 => self.changes_the_expiry(which).await,
            _ => self.renames(which).await,
        }
    }

    async fn creates(&mut self) -> String {
        let (now, has_room) = (self.now(), self.active() < 20);
        let made = create(&self.app.jeton, &self.at, "walker").await;
        assert_eq!(made.is_ok(), has_room, "create with {} active: {made:?}", self.active());
        if let Ok(made) = made {
            let key = Key::new(made.key.reveal(), now, 31);
            self.tokens.push(Token { id: made.token.public_id, version: 1, keys: vec![key] });
        }
        "create".into()
    }

    async fn uses_a_key(&mut self, which: usize) -> String {
        let now = self.now();
        if !self.gone.is_empty() && self.random.next(10) == 0 {
            let key = self.gone[self.random.next(self.gone.len())].clone();
            let denied = self.verifier.verify(&key, Demand::default(), Moment::now(), Source::default).await;
            assert!(matches!(denied, Err(Denied::Unknown)), "a deleted key: {denied:?}");
            return "use of a deleted key".into();
        }
        let token = &mut self.tokens[which];
        let index = if self.random.next(2) == 0 { token.keys.len() - 1 } else { self.random.next(token.keys.len()) };
        let key = &mut token.keys[index];
        let verdict = self.verifier.verify(&key.text, Demand::default(), Moment::now(), Source::default).await;
        match &verdict {
            Ok(accepted) => assert_eq!(accepted.identity().token_public_id, token.id),
            Err(Denied::Refused(Refusal::Revoked(_) | Refusal::Expired(_))) => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(verdict.is_ok(), key.works(now), "{key:?} at {now}: {verdict:?}");
        if verdict.is_ok() {
            key.used = Some(now);
        }
        "use".into()
    }

    async fn waits(&mut self) -> String {
        // Uses reach the database once a minute, so they always do before hours have passed.
        app::maintenance::flush_usage(&self.app.jeton).await.unwrap();
        let seconds = [1, HOUR - 1, HOUR, 7 * HOUR, DAY, 6 * DAY, 31 * DAY - 1][self.random.next(7)];
        self.app.clock.advance(seconds);
        app::maintenance::run(&self.app.jeton).await;
        // The session ended, too.
        self.at = at_work(&self.app).await;
        let now = self.now();
        for token in &mut self.tokens {
            let new_used = token.keys.last().unwrap().used.is_some();
            let replaced = token.keys.last().unwrap().made;
            let Some(old) = token.old(now) else { continue };
            let quiet_since = old.used.unwrap_or(replaced).max(replaced);
            if new_used && old.quiet.is_some_and(|quiet| now - quiet_since >= quiet) {
                old.revoked = true;
            }
        }
        format!("wait {seconds} s")
    }

    async fn revokes(&mut self, which: usize) -> String {
        let (now, token) = (self.now(), &mut self.tokens[which]);
        let revoked =
            app::service_users::revoke(&self.app.jeton, &self.at, &token.id, Source::default()).await.unwrap();
        assert_eq!(revoked, token.works(now));
        if revoked {
            token.keys.iter_mut().filter(|key| !key.expired).for_each(|key| key.revoked = true);
        }
        "revoke".into()
    }

    async fn regenerates(&mut self, which: usize) -> String {
        let (now, has_room) = (self.now(), self.active() < 20);
        let token = &mut self.tokens[which];
        let made = regenerate(&self.app.jeton, &self.at, &token.id).await;
        let expected = if token.works(now) {
            Some(Problem::StillActive)
        } else {
            (!has_room).then_some(Problem::ServiceLimitReached)
        };
        match made {
            Ok(made) => {
                assert_eq!(expected, None);
                let days = token.current().days;
                token.keys.push(Key::new(made.key.reveal(), now, days));
            }
            Err(error) => assert_eq!(problem(&error), expected),
        }
        "regenerate".into()
    }

    async fn rotates(&mut self, which: usize) -> String {
        let now = self.now();
        let (hours, quiet) = ([1, 24, 168][self.random.next(3)], [None, Some(1), Some(24)][self.random.next(3)]);
        let form = RotateForm {
            hours: hours.to_string(),
            quiet: quiet.map(|quiet: i64| quiet.to_string()).unwrap_or_default(),
            password: Some(PASSWORD.into()),
            nonce: app::tokens::form_nonce(),
        };
        let token = &mut self.tokens[which];
        let made = app::service_users::rotate(&self.app.jeton, &self.at, &token.id, form, Source::default()).await;
        let expected = match token.works(now) {
            false => Some(Problem::HasEnded),
            true => token.old(now).is_some().then_some(Problem::OverlapRunning),
        };
        match made {
            Ok(made) => {
                assert_eq!(expected, None);
                let old = token.current();
                (old.ends, old.quiet) = (Some(now + hours * HOUR), quiet.map(|quiet| quiet * HOUR));
                let days = old.days;
                token.keys.push(Key::new(made.key.reveal(), now, days));
                assert!(token.keys.iter().filter(|key| key.works(now)).count() <= 2);
            }
            Err(error) => assert_eq!(problem(&error), expected),
        }
        "rotate".into()
    }

    async fn ends_the_old_key(&mut self, which: usize) -> String {
        let (now, token) = (self.now(), &mut self.tokens[which]);
        let ended =
            app::service_users::end_old_key(&self.app.jeton, &self.at, &token.id, Source::default()).await.unwrap();
        let old = token.old(now);
        assert_eq!(ended, old.is_some());
        if let Some(old) = old {
            old.revoked = true;
        }
        "end the old key".into()
    }

    async fn deletes(&mut self, which: usize) -> String {
        let (now, id) = (self.now(), self.tokens[which].id.clone());
        let deleted = app::service_users::delete(&self.app.jeton, &self.at, &id, Source::default()).await;
        if self.tokens[which].works(now) {
            assert_eq!(problem(&deleted.unwrap_err()), Some(Problem::StillActive));
        } else {
            deleted.unwrap();
            let token = self.tokens.swap_remove(which);
            self.gone.extend(token.keys.into_iter().map(|key| key.text));
            let missing = app::service_users::find(&self.app.jeton, &self.at, &id).await;
            assert!(matches!(missing, Err(AppError::NotFound)));
        }
        "delete".into()
    }

    async fn changes_the_expiry(&mut self, which: usize) -> String {
        let now = self.now();
        let (days, confirmed) = ([31, 45, 60, 180][self.random.next(4)], self.random.next(2) == 0);
        let token = &mut self.tokens[which];
        let (works, version) = (token.works(now), token.version);
        let changed = Key { days, ..token.current().clone() };
        let form = ExpiryForm { inactivity: days.to_string(), version: version.to_string(), confirmed };
        let done =
            app::service_users::change_expiry(&self.app.jeton, &self.at, &token.id, form, Source::default()).await;
        let is_same = days == token.current().days;
        let expected = match () {
            () if !works => Some(Problem::HasEnded),
            () if !is_same && !changed.works(now) && !confirmed => Some(Problem::WouldExpire),
            () => None,
        };
        assert_eq!(done.as_ref().err().map(problem), expected.map(Some));
        if done.is_ok() && !is_same {
            token.version += 1;
            token.keys.iter_mut().filter(|key| !key.revoked && !key.expired).for_each(|key| key.days = days);
        }
        "change the expiry".into()
    }

    async fn renames(&mut self, which: usize) -> String {
        let (now, is_stale) = (self.now(), self.random.next(3) == 0);
        let token = &mut self.tokens[which];
        let version = if is_stale { token.version - 1 } else { token.version };
        let form = NameForm { name: format!("walker {}", self.random.next(1000)), version: version.to_string() };
        let done =
            app::service_users::rename(&self.app.jeton, &self.at, &token.id, form.clone(), Source::default()).await;
        let expected = match () {
            () if !token.works(now) => Some(Problem::HasEnded),
            () => is_stale.then_some(Problem::ChangedMeanwhile),
        };
        assert_eq!(done.as_ref().err().map(problem), expected.map(Some));
        if done.is_ok() {
            let stored = app::service_users::find(&self.app.jeton, &self.at, &token.id).await.unwrap();
            assert_eq!(stored.name, form.name);
            token.version = stored.version;
        }
        "rename".into()
    }
}

#[db_test]
async fn a_random_walk_finds_no_difference_from_the_model(db: TestDb) {
    let mut walk = Walk::start(db).await;
    let steps = many(500, 10_000);
    let mut last = Vec::new();
    for step in 0..steps {
        let done = walk.step().await;
        last.push(format!("{step}: {done}"));
        let listed = app::service_users::list(&walk.app.jeton, &walk.at).await.unwrap();
        let mut active: Vec<&str> = listed.active.iter().map(|token| token.public_id.as_str()).collect();
        let now = walk.now();
        let mut expected: Vec<&str> =
            walk.tokens.iter().filter(|token| token.works(now)).map(|token| token.id.as_str()).collect();
        active.sort_unstable();
        expected.sort_unstable();
        assert_eq!(active, expected, "after {:?}", last.split_off(last.len().saturating_sub(8)));
        assert_eq!(listed.active.len() + listed.ended.len(), walk.tokens.len());
    }
}

#[db_test]
async fn of_many_concurrent_requests_for_the_twentieth_place_one_wins(db: TestDb) {
    let (app, _) = TestApp::with_user(db, "Ann").await;
    let at = at_work(&app).await;
    let mut ended = Vec::new();
    for n in 0..24 {
        let made = create(&app.jeton, &at, &format!("token {n}")).await;
        let made = match made {
            Ok(made) => made,
            Err(error) => panic!("{n}: {error}"),
        };
        if n < 5 {
            app::service_users::revoke(&app.jeton, &at, &made.token.public_id, Source::default()).await.unwrap();
            ended.push(made.token.public_id);
        }
    }
    for round in 0..many(6, 1000) {
        let creations = join_all((0..25).map(|_| create(&app.jeton, &at, "one more")));
        let regenerations = join_all((0..25).map(|n| regenerate(&app.jeton, &at, &ended[n % ended.len()])));
        let (created, regenerated) = futures_util::future::join(creations, regenerations).await;
        let all: Vec<Result<NewKey, AppError>> = created.into_iter().chain(regenerated).collect();
        for error in all.iter().filter_map(|answer| answer.as_ref().err()) {
            let reason = problem(error);
            let is_expected = matches!(reason, Some(Problem::ServiceLimitReached | Problem::StillActive));
            assert!(is_expected, "round {round}: {error}");
        }
        let won: Vec<NewKey> = all.into_iter().filter_map(Result::ok).collect();
        assert_eq!(won.len(), 1, "round {round}");
        assert_eq!(app::service_users::list(&app.jeton, &at).await.unwrap().active.len(), 20, "round {round}");
        let id = &won[0].token.public_id;
        assert!(app::service_users::revoke(&app.jeton, &at, id, Source::default()).await.unwrap());
        if !ended.contains(id) {
            app::service_users::delete(&app.jeton, &at, id, Source::default()).await.unwrap();
        }
    }
}
