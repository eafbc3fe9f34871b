//! Items, shares and access rules, through the verbs that pages and the API call.

mod api;
mod cases;
pub mod forms;
mod inspections;
mod lists;
mod once;
mod pages;
mod sharing;
mod templates;

use crate::harness::{Person, SLUG, TestApp, TestDb, db_test, org};
use app::{
    AppError, Jeton,
    access_rules::{self, Manager, RuleForm},
    authority::{Caller, Holder, Member},
    clock::Moment,
    items::{self, Done, ItemChange, ItemForm, ItemKey, ListQuery, Operation, Sent, ShareForm},
    problem::{Field, Problem},
    recipients::RecipientForm,
    refused_organizations,
    requester::Requester,
    sessions::{Begin, KeyHash},
};
use domain::{
    access::{Demand, Level, Recipient, Refusal, Source as By},
    activity::Source,
    field::{FieldType, Form, TypedAnswers, TypedForm},
    item::{ExternalId, Item},
    paging::PageFrom,
    permission::{BuiltInSet, ManageKinds, ManageUsers},
    user::Email,
};
use std::collections::BTreeSet;
use storage::{StorageError, access::Direction, epoch, kind_forms, organizations, users};

/// A member, as their session makes one.
async fn member(app: &TestApp, person: &Person, slug: &str) -> Member {
    let email = Email::parse(&person.email).unwrap();
    let found = app.db.read::<_, StorageError>(|connection| users::find_by_email(connection, &email)).unwrap();
    let begin = Begin { user: found.unwrap().0.id, generation: 0, source: Source::default() };
    let key = app::sessions::begin(&app.jeton, begin).await.unwrap();
    let actor = app::sessions::authenticate(&app.jeton, KeyHash::of(&key)).await.unwrap();
    app::authority::enter(&app.jeton, actor, slug).await.unwrap()
}

pub async fn at(app: &TestApp, person: &Person) -> Requester {
    member(app, person, SLUG).await.into()
}

/// Whoever manages users, and so access rules.
async fn manager(app: &TestApp, person: &Person, slug: &str) -> Manager {
    let holder: Holder<ManageUsers> = member(app, person, slug).await.holding().unwrap();
    Caller::from(&holder)
}

/// A program with a key.
async fn program(app: &TestApp, key: &str) -> Requester {
    let verifier = app.jeton.verifier().unwrap();
    verifier.verify(key, Demand::default(), Moment::now(), Source::default).await.expect("a good key").into()
}

fn named(name: &str) -> ItemForm {
    ItemForm { name: name.into(), ..ItemForm::default() }
}

pub async fn make(jeton: &Jeton, by: &Requester, kind: &str, name: &str) -> Item {
    items::create(jeton, by, kind, named(name), Source::default()).await.expect("an item")
}

fn key(item: &Item) -> ItemKey {
    item.public_id.as_str().into()
}

/// The names in a list, the one that was changed last first.
async fn list(jeton: &Jeton, by: &Requester, kind: &str) -> Vec<String> {
    let (query, direction) = (ListQuery::default(), Direction::Descending);
    let page = items::list(jeton, by, kind, query.clone(), direction, PageFrom::Start, 50).await.expect("a list");
    assert_eq!(items::count(jeton, by, kind, query).await.unwrap(), page.items.len() as i64);
    page.items.into_iter().map(|(item, _)| item.name).collect()
}

/// Makes a template with a question of each type below a heading.
pub async fn make_template(jeton: &Jeton, by: &Requester, name: &str) -> Item {
    let mut questions = TypedForm::default();
    for (of, label) in [
        (FieldType::Heading, "Fridge"),
        (FieldType::YesNo, "Does the fridge have power?"),
        (FieldType::Number, "Temperature"),
        (FieldType::OneOf, "What do the vial monitors show?"),
        (FieldType::SeveralOf, "Which vaccines are out of stock?"),
        (FieldType::Heading, "Report"),
        (FieldType::Item, "Which fridge is it?"),
        (FieldType::Date, "When was it last defrosted?"),
        (FieldType::Text, "Who opened the door for you?"),
        (FieldType::LongText, "What else should the coordinator know?"),
    ] {
        let at = questions.add(of).unwrap();
        let field = &mut questions.fields[at];
        field.label = label.into();
        field.help = if of == FieldType::Number { "Read it on the middle shelf." } else { "" }.into();
        (field.choices, field.kind) = ("All good to use\nSome past the discard point".into(), "assets".into());
    }
    let form = ItemForm { questions, ..named(name) };
    items::create(jeton, by, "templates", form, Source::default()).await.expect("a template")
}

/// Lets somebody view all inspections, by an access rule.
pub async fn inspections_are_shared_with(app: &TestApp, ann: &Person, person: &Person) {
    let users = manager(app, ann, SLUG).await;
    let form = rule("inspections", user(person), "view");
    access_rules::create(&app.jeton, &users, form, Source::default()).await.expect("a rule");
}

/// Puts a row into each table about items and access to them.
pub async fn fill(app: &TestApp, ann: &Person) {
    let (by, jeton) = (at(app, ann).await, &*app.jeton);
    let item = make(jeton, &by, "assets", "Fridge Mopti-02").await;
    share(jeton, &by, &item, everyone(), "view").await.unwrap();
    let users = manager(app, ann, SLUG).await;
    access_rules::create(jeton, &users, rule("assets", everyone(), "view"), Source::default()).await.unwrap();
    let form = questions(&["Serial number"]).read(&Form::default(), &BTreeSet::new(), |_| true).unwrap();
    let now = app.clock.now();
    let filled = app.db.write::<_, StorageError>(|connection| {
        kind_forms::set(connection, item.organization, &item.kind, &form)?;
        let other = organizations::insert(connection, "o7m2q9xd4t", ("elsewhere", "Elsewhere"), now)?;
        storage::refused_organizations::refuse(connection, item.organization, other, now)
    });
    assert!(filled.unwrap());
}

pub fn everyone() -> RecipientForm {
    RecipientForm { kind: "organization".into(), ..RecipientForm::default() }
}

/// Makes an access rule, and returns its public id.
pub async fn any_rule(app: &TestApp, ann: &Person, kind: &str) -> String {
    let users = manager(app, ann, SLUG).await;
    let made = access_rules::create(&app.jeton, &users, rule(kind, everyone(), "view"), Source::default()).await;
    made.expect("a rule")
}

/// Lets another organization share something with Ann's, and returns its public id.
pub async fn giver(app: &TestApp) -> String {
    let gil = app.add_organization("giving", "Gil").await;
    let at = member(app, &gil, "giving").await;
    let id = at.membership().organization_public_id.clone();
    let by: Requester = at.into();
    let pump = make(&app.jeton, &by, "assets", "Pump").await;
    let whole = RecipientForm { organization: SLUG.into(), ..everyone() };
    share(&app.jeton, &by, &pump, whole, "view").await.expect("a share");
    id
}

pub fn user(person: &Person) -> RecipientForm {
    RecipientForm { kind: "user".into(), id: person.email.clone(), ..RecipientForm::default() }
}

pub async fn share(
    jeton: &Jeton,
    by: &Requester,
    item: &Item,
    to: RecipientForm,
    level: &str,
) -> Result<String, AppError> {
    let form = ShareForm { recipient: to, level: level.into() };
    let shared = items::share(jeton, by, item.kind.key(), key(item), form, Source::default()).await;
    shared.map(|share| share.public_id)
}

async fn rename(jeton: &Jeton, by: &Requester, item: &Item, name: &str) -> Result<Item, AppError> {
    let change = ItemChange { name: Some(name.into()), ..ItemChange::default() };
    items::change(jeton, by, item.kind.key(), key(item), change, Source::default()).await
}

fn problem<T: std::fmt::Debug>(result: Result<T, AppError>, field: Field) -> Option<Problem> {
    match result {
        Err(AppError::Invalid(problems)) => problems.at(field).clone(),
        other => panic!("{other:?}"),
    }
}

fn is_not_found<T>(result: Result<T, AppError>) -> bool {
    matches!(result, Err(AppError::NotFound))
}

fn lacks<T>(result: Result<T, AppError>, level: Level) -> bool {
    matches!(result, Err(AppError::Refused(Refusal::LevelMissing(needed))) if needed == level)
}

#[db_test]
async fn an_item_is_its_owners_until_it_is_shared_and_again_when_the_share_ends(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let (ann, ben_at, jeton) = (at(&app, &ann).await, at(&app, &ben).await, &*app.jeton);
    let before = app.db.read(epoch::read).unwrap();
    let fridge = make(jeton, &ann, "assets", "Fridge Mopti-02").await;
    assert_eq!(
        (list(jeton, &ann, "assets").await, list(jeton, &ben_at, "assets").await),
        (vec![fridge.name.clone()], vec![])
    );
    assert!(is_not_found(items::find(jeton, &ben_at, "assets", key(&fridge)).await));
    assert!(is_not_found(rename(jeton, &ben_at, &fridge, "Mine").await));

    let id = share(jeton, &ann, &fridge, user(&ben), "view").await.unwrap();
    let found = items::find(jeton, &ben_at, "assets", key(&fridge)).await.unwrap();
    assert_eq!((found.level, list(jeton, &ben_at, "assets").await), (Level::View, vec![fridge.name.clone()]));
    let [way] = found.reach.ways() else { panic!("{:?}", found.reach) };
    assert!(matches!((way.source, way.recipient), (By::Share(_), Recipient::User(_))));
    assert!(lacks(rename(jeton, &ben_at, &fridge, "Mine").await, Level::Edit));
    assert!(lacks(items::reached_by(jeton, &ben_at, "assets", key(&fridge)).await, Level::Manage));

    // The same again is the same share, with another level.
    assert_eq!(share(jeton, &ann, &fridge, user(&ben), "edit").await.unwrap(), id);
    let renamed = rename(jeton, &ben_at, &fridge, "Fridge Mopti-03").await.unwrap();
    assert_eq!((renamed.version, renamed.owner), (2, fridge.owner));
    let refused = share(jeton, &ben_at, &fridge, user(&ben), "manage").await;
    assert!(matches!(refused, Err(AppError::Refused(Refusal::PermissionMissing(_)))), "{refused:?}");
    let by = items::reached_by(jeton, &ann, "assets", key(&fridge)).await.unwrap();
    assert_eq!(by.shares.iter().map(|one| one.recipient.name.as_str()).collect::<Vec<_>>(), ["Ben"]);

    items::end_share(jeton, &ann, "assets", key(&fridge), &id, Source::default()).await.unwrap();
    assert!(is_not_found(items::find(jeton, &ben_at, "assets", key(&fridge)).await));
    assert!(is_not_found(items::end_share(jeton, &ann, "assets", key(&fridge), &id, Source::default()).await));
    assert_eq!(app.db.read(epoch::read).unwrap(), before, "no token has to be read again");
}

#[db_test]
async fn a_level_gives_no_permission_and_a_read_only_token_changes_nothing(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let rita = app.add_user("Rita", BuiltInSet::Reader).await;
    let (reading, writing) = (ann.makes_token("Power BI").await, ann.makes_token_with("Sync", "read_write").await);
    let (ann_at, jeton) = (at(&app, &ann).await, &*app.jeton);
    let van = make(jeton, &ann_at, "assets", "Van").await;
    share(jeton, &ann_at, &van, user(&rita), "manage").await.unwrap();
    let refused = rename(jeton, &at(&app, &rita).await, &van, "Car").await;
    assert!(matches!(refused, Err(AppError::Refused(Refusal::PermissionMissing(_)))), "{refused:?}");

    let (reading, writing) = (program(&app, &reading).await, program(&app, &writing).await);
    assert_eq!(list(jeton, &reading, "assets").await, ["Van"]);
    for refused in [
        rename(jeton, &reading, &van, "Car").await.map(drop),
        items::create(jeton, &reading, "assets", named("Car"), Source::default()).await.map(drop),
        items::delete(jeton, &reading, "assets", key(&van), None, Source::default()).await.map(drop),
        share(jeton, &reading, &van, user(&rita), "view").await.map(drop),
    ] {
        assert!(matches!(refused, Err(AppError::Refused(Refusal::ReadOnly))), "{refused:?}");
    }
    assert_eq!(rename(jeton, &writing, &van, "Car").await.unwrap().name, "Car");
    ann.revokes("Sync").await;
    let refused = rename(jeton, &writing, &van, "Bus").await;
    assert!(matches!(refused, Err(AppError::Refused(Refusal::Revoked(_)))), "{refused:?}");
}

fn questions(labels: &[&str]) -> TypedForm {
    let mut form = TypedForm::default();
    for label in labels {
        let index = form.add(FieldType::Text).unwrap();
        form.fields[index].label = (*label).into();
    }
    form
}

#[db_test]
async fn an_inspection_keeps_the_questions_that_it_was_started_with(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let (ann, ben_at, jeton) = (at(&app, &ann).await, at(&app, &ben).await, &*app.jeton);
    let form = ItemForm { questions: questions(&["Temperature"]), ..named("Fridge") };
    let template = items::create(jeton, &ann, "templates", form, Source::default()).await.unwrap();
    let start = || ItemForm { template: template.public_id.clone(), ..ItemForm::default() };
    let unseen = items::create(jeton, &ben_at, "inspections", start(), Source::default()).await;
    assert_eq!(problem(unseen, Field::Template), Some(Problem::NotAChoice));
    share(jeton, &ann, &template, user(&ben), "view").await.unwrap();
    let inspection = items::create(jeton, &ben_at, "inspections", start(), Source::default()).await.unwrap();
    assert!(inspection.is_draft() && inspection.name == "Fridge" && inspection.template == Some(template.id));
    assert!(is_not_found(items::find(jeton, &ann, "inspections", key(&inspection)).await), "no level on inspections");

    let change = ItemChange { questions: Some(questions(&["Colour"])), ..ItemChange::default() };
    items::change(jeton, &ann, "templates", key(&template), change, Source::default()).await.unwrap();
    let found = items::find(jeton, &ben_at, "inspections", key(&inspection)).await.unwrap();
    assert_eq!(found.form.fields().iter().map(|field| field.label.as_str()).collect::<Vec<_>>(), ["Temperature"]);

    let finish = |answer: &str| ItemChange {
        answers: Sent::Typed(TypedAnswers::from_iter([("temperature".to_owned(), answer.to_owned())])),
        is_finished: Some(true),
        ..ItemChange::default()
    };
    let unanswered =
        items::change(jeton, &ben_at, "inspections", key(&inspection), finish(" "), Source::default()).await;
    assert!(matches!(problem(unanswered, Field::Answers), Some(Problem::Answers(wrong)) if wrong.len() == 1));
    let done = items::change(jeton, &ben_at, "inspections", key(&inspection), finish("4"), Source::default()).await;
    assert!(done.unwrap().finished_at.is_some());

    items::delete(jeton, &ann, "templates", key(&template), None, Source::default()).await.unwrap();
    let found = items::find(jeton, &ben_at, "inspections", key(&inspection)).await.unwrap();
    assert_eq!((found.item.template, found.form.fields().len()), (None, 1));
}

#[db_test]
async fn two_editors_notice_each_other_and_nothing_is_written_twice(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (ann, jeton) = (at(&app, &ann).await, &*app.jeton);
    let item = make(jeton, &ann, "assets", "Van").await;
    let change = |name: &str| ItemChange { version: Some(1), name: Some(name.into()), ..ItemChange::default() };
    let send = |name| items::change(jeton, &ann, "assets", key(&item), change(name), Source::default());
    assert_eq!(send("Van").await.unwrap().version, 1, "nothing changes");
    assert_eq!(send("Car").await.unwrap().version, 2);
    assert_eq!(problem(send("Bus").await, Field::Form), Some(Problem::ChangedMeanwhile));
    let archive = |is| items::archive(jeton, &ann, "assets", key(&item), is, None, Source::default());
    assert_eq!((archive(true).await.unwrap().version, archive(true).await.unwrap().version), (3, 3));
    assert_eq!(archive(false).await.unwrap().archived_at, None);
    items::delete(jeton, &ann, "assets", key(&item), Some(4), Source::default()).await.unwrap();
    assert!(is_not_found(items::delete(jeton, &ann, "assets", key(&item), None, Source::default()).await));
}

#[db_test]
async fn an_external_id_names_one_item_of_a_kind(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (ann, jeton) = (at(&app, &ann).await, &*app.jeton);
    let form = || ItemForm { external_id: "INV/7".into(), ..named("Seven") };
    let id = ExternalId::parse("INV/7").unwrap();
    items::create(jeton, &ann, "assets", form(), Source::default()).await.unwrap();
    items::create(jeton, &ann, "templates", form(), Source::default()).await.unwrap();
    let twice = items::create(jeton, &ann, "assets", form(), Source::default()).await;
    assert_eq!(problem(twice, Field::ExternalId), Some(Problem::ItemIdTaken));
    let put = |id: &str, name: &str| {
        let change = ItemChange { name: Some(name.into()), ..ItemChange::default() };
        items::put(jeton, &ann, "assets", ExternalId::parse(id).unwrap(), named(name), change, Source::default())
    };
    assert!(matches!(put("INV/7", "New name").await.unwrap(), Done::Changed(item) if item.version == 2));
    assert!(matches!(put("INV/8", "Eight").await.unwrap(), Done::Created(item) if item.external_id.is_some()));
    let found = items::find(jeton, &ann, "assets", ItemKey::External(id)).await.unwrap();
    assert_eq!(found.item.name, "New name");
}

#[db_test]
async fn each_of_several_changes_has_its_own_verdict(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (ann, jeton) = (at(&app, &ann).await, &*app.jeton);
    let item = make(jeton, &ann, "assets", "Van").await;
    let rename = ItemChange { name: Some("Car".into()), ..ItemChange::default() };
    let operations = vec![
        Operation::Create(named("Bus")),
        Operation::Create(named(" ")),
        Operation::Change(key(&item), Box::new(rename)),
        Operation::Delete("aaaaaaaaaa".into(), None),
        Operation::Delete(key(&item), Some(1)),
    ];
    let done = items::together(jeton, &ann, "assets", operations, Source::default()).await.unwrap();
    let verdicts: Vec<&str> = done
        .iter()
        .map(|one| match one {
            Ok(Done::Created(_)) => "created",
            Ok(Done::Changed(_)) => "changed",
            Ok(Done::Deleted(_)) => "deleted",
            Err(AppError::NotFound) => "not found",
            Err(AppError::Invalid(_)) => "invalid",
            Err(_) => "other",
        })
        .collect();
    assert_eq!(verdicts, ["created", "invalid", "changed", "not found", "invalid"]);
    assert_eq!(list(jeton, &ann, "assets").await.len(), 2);
}

#[db_test]
async fn many_changes_of_a_second_are_each_on_one_page_of_a_feed(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (ann, jeton) = (at(&app, &ann).await, &*app.jeton);
    let operations = (0..90).map(|number| Operation::Create(named(&format!("Item {number}")))).collect();
    items::together(jeton, &ann, "assets", operations, Source::default()).await.unwrap();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let feed = items::feed(jeton, &ann, "assets", ListQuery::default(), after, 20).await.unwrap();
        seen.extend(feed.page.items.iter().map(|(item, _)| item.public_id.clone()));
        assert_eq!(feed.remaining, 90 - seen.len() as i64);
        assert_eq!(feed.contents.len(), feed.page.items.len());
        match feed.page.next {
            None => break,
            next => after = next,
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 90);
}

#[db_test]
async fn what_somebody_owned_stays_when_they_leave(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let (ann_at, jeton) = (at(&app, &ann).await, &*app.jeton);
    let item = make(jeton, &at(&app, &ben).await, "assets", "Van").await;
    let other = make(jeton, &ann_at, "assets", "Car").await;
    share(jeton, &ann_at, &other, user(&ben), "view").await.unwrap();
    let users = manager(&app, &ann, SLUG).await;
    let form = rule("assets", RecipientForm { kind: "organization".into(), ..RecipientForm::default() }, "manage");
    access_rules::create(jeton, &users, form, Source::default()).await.unwrap();
    let holder: Holder<ManageUsers> = member(&app, &ann, SLUG).await.holding().unwrap();
    let Some(domain::access::SubjectId::Membership(id)) = item.owner else { panic!("{item:?}") };
    let ending = app::users::Ending::Removal;
    assert!(app::users::end(jeton, &holder, id, ending, Source::default()).await.unwrap());
    let found = items::find(jeton, &ann_at, "assets", key(&item)).await.unwrap();
    assert_eq!((found.item.owner, found.item.version), (None, 2));
    let by = items::reached_by(jeton, &ann_at, "assets", key(&other)).await.unwrap();
    assert!(by.shares.is_empty(), "{by:?}");
    let nobodys = ListQuery { owner: "nobody".into(), ..ListQuery::default() };
    assert_eq!(items::count(jeton, &ann_at, "assets", nobodys).await.unwrap(), 1);
}

fn rule(kind: &str, recipient: RecipientForm, level: &str) -> RuleForm {
    RuleForm { kind: kind.into(), recipient, level: level.into(), ..RuleForm::default() }
}

#[db_test]
async fn an_access_rule_covers_what_is_made_later_until_it_is_deleted(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let key_of_service_user = ann.asks_for_service_token("Workato", "45", &["assets.view"]).await.key().unwrap();
    let (ann_at, jeton) = (at(&app, &ann).await, &*app.jeton);
    let users = manager(&app, &ann, SLUG).await;
    let everyone = || RecipientForm { kind: "organization".into(), ..RecipientForm::default() };
    let create = |form| access_rules::create(jeton, &users, form, Source::default());
    let id = create(rule("assets", everyone(), "view")).await.unwrap();
    assert_eq!(problem(create(rule("assets", everyone(), "edit")).await, Field::Form), Some(Problem::SameAccessRule));
    assert_eq!(problem(create(rule("invoices", everyone(), "view")).await, Field::Kind), Some(Problem::NotAChoice));
    assert_eq!(problem(create(rule("assets", everyone(), "own")).await, Field::Level), Some(Problem::NotAChoice));
    let of_template = RuleForm { template: "aaaaaaaaaa".into(), ..rule("assets", everyone(), "view") };
    assert_eq!(problem(create(of_template).await, Field::Template), Some(Problem::NoTemplate));

    make(jeton, &ann_at, "assets", "Van").await;
    let workato = program(&app, &key_of_service_user).await;
    assert_eq!(list(jeton, &workato, "assets").await, ["Van"]);
    let listed = access_rules::list(jeton, &users, None).await.unwrap();
    assert_eq!((listed.len(), listed[0].stored.rule.level), (1, Level::View));

    // Somebody else's rule is not there.
    let eve = app.add_organization("elsewhere", "Eve").await;
    let others = manager(&app, &eve, "elsewhere").await;
    assert!(is_not_found(access_rules::find(jeton, &others, &id).await));
    assert!(is_not_found(access_rules::delete(jeton, &others, &id, None, Source::default()).await));
    let stale = access_rules::delete(jeton, &users, &id, Some(7), Source::default()).await;
    assert_eq!(problem(stale, Field::Form), Some(Problem::ChangedMeanwhile));
    access_rules::delete(jeton, &users, &id, Some(1), Source::default()).await.unwrap();
    assert!(is_not_found(access_rules::delete(jeton, &users, &id, None, Source::default()).await));
    assert_eq!(list(jeton, &workato, "assets").await, [""; 0]);
}

#[db_test]
async fn another_organization_reaches_what_is_shared_with_it_until_it_refuses(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let eve = app.add_organization("elsewhere", "Eve").await;
    let (ann_at, jeton) = (at(&app, &ann).await, &*app.jeton);
    let eve_at: Requester = member(&app, &eve, "elsewhere").await.into();
    let item = make(jeton, &ann_at, "assets", "Van").await;
    let whole =
        RecipientForm { kind: "organization".into(), organization: "elsewhere".into(), ..RecipientForm::default() };
    share(jeton, &ann_at, &item, whole, "view").await.unwrap();
    assert_eq!(list(jeton, &eve_at, "assets").await, ["Van"]);
    let nobody = share(jeton, &ann_at, &item, RecipientForm { id: "x@example.org".into(), ..user(&eve) }, "view").await;
    assert_eq!(problem(nobody, Field::Recipient), Some(Problem::NoSuchRecipient));
    share(jeton, &ann_at, &item, user(&eve), "edit").await.unwrap();
    assert_eq!(rename(jeton, &eve_at, &item, "Car").await.unwrap().name, "Car");

    let users = manager(&app, &eve, "elsewhere").await;
    let givers = refused_organizations::givers(jeton, &users).await.unwrap();
    let [giver] = &givers[..] else { panic!("{givers:?}") };
    assert_eq!((giver.shares, giver.rules, giver.is_refused), (2, 0, false));
    let refuse = || refused_organizations::refuse(jeton, &users, &giver.public_id, Source::default());
    assert!(refuse().await.unwrap() && !refuse().await.unwrap());
    assert_eq!(list(jeton, &eve_at, "assets").await, [""; 0]);
    assert!(refused_organizations::accept(jeton, &users, &giver.public_id, Source::default()).await.unwrap());
    assert_eq!(list(jeton, &eve_at, "assets").await, ["Car"]);
    let of_ann = manager(&app, &ann, SLUG).await;
    let unknown = refused_organizations::refuse(jeton, &of_ann, &giver.public_id, Source::default()).await;
    assert!(is_not_found(unknown), "nobody shares anything with Ann's organization");
}

#[db_test]
async fn a_kind_with_items_stays(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let kind = [("singular", "Invoice"), ("plural", "Invoices"), ("key", "invoices")];
    assert_eq!(ann.post(&format!("{}/kinds", org!("")), &kind).await.status, 303);
    let (ann_at, jeton) = (at(&app, &ann).await, &*app.jeton);
    let item = make(jeton, &ann_at, "invoices", "2026-0042").await;
    let eve = app.add_organization("elsewhere", "Eve").await;
    let outside = share(jeton, &ann_at, &item, user(&eve), "view").await;
    assert!(matches!(problem(outside, Field::Recipient), Some(Problem::Unsuitable(_))));
    let holder: Holder<ManageKinds> = member(&app, &ann, SLUG).await.holding().unwrap();
    let by = Caller::from(&holder);
    let delete = || app::kinds::delete(jeton, &by, "invoices", None, Source::default());
    assert_eq!(problem(delete().await, Field::Form), Some(Problem::HasItems));
    items::delete(jeton, &ann_at, "invoices", key(&item), None, Source::default()).await.unwrap();
    delete().await.unwrap();
    assert!(is_not_found(items::count(jeton, &at(&app, &ann).await, "invoices", ListQuery::default()).await));
}
