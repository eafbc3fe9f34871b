//! What a node remembers of tokens and their subjects, and what it forgets when something changes.

use crate::harness::{ORG, Person, TestApp, TestDb, db_test, org};
use domain::permission::BuiltInSet;

/// The tokens that were looked up in the database so far.
async fn lookups(app: &TestApp) -> u64 {
    let metrics = app.asked_by_program("/metrics").await.body;
    let count = metrics.lines().find_map(|line| line.strip_prefix("jeton_token_lookup_duration_seconds_count "));
    count.expect("the count of lookups").parse().expect("a number")
}

/// Sends one request that needs *Templates: Create and edit* with each key.
async fn edit_templates(app: &TestApp, keys: &[String]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for key in keys {
        statuses.push(app.with_key("POST", "/verify?permission=templates.edit", key).await.status);
    }
    statuses
}

/// Sends requests until every worker of the node knows these keys.
async fn all_are_known(app: &TestApp, keys: &[String]) {
    for _ in 0..100 {
        let before = lookups(app).await;
        edit_templates(app, keys).await;
        if lookups(app).await == before {
            return;
        }
    }
    panic!("the node does not remember the keys");
}

async fn three_tokens(person: &Person) -> Vec<String> {
    let mut keys = Vec::new();
    for label in ["one", "two", "three"] {
        keys.push(person.makes_token_with(label, "read_write").await);
    }
    keys
}

#[db_test]
async fn what_changes_about_a_user_counts_for_all_their_tokens_and_no_others(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let ben = app.add_user("Ben", BuiltInSet::Standard).await;
    let (of_ann, of_ben) = (three_tokens(&ann).await, three_tokens(&ben).await);
    all_are_known(&app, &[&of_ann[..], &of_ben].concat()).await;
    let before = lookups(&app).await;
    for (set, status) in [("Reader", 403), ("Standard", 200)] {
        assert_eq!(ann.gives("Ben", set).await.status, 303);
        assert_eq!(edit_templates(&app, &of_ben).await, [status; 3], "{set}");
    }
    assert_eq!(lookups(&app).await, before + 6, "each of Ben's tokens once after each change");
    assert_eq!(edit_templates(&app, &of_ann).await, [200; 3]);
    assert_eq!(ann.does("Ben", "deactivation").await.status, 303);
    assert_eq!(edit_templates(&app, &of_ben).await, [401; 3]);
    assert_eq!(edit_templates(&app, &of_ann).await, [200; 3]);
    assert_eq!(lookups(&app).await, before + 9, "none of Ann's");
}

#[db_test]
async fn a_changed_set_counts_for_all_tokens_of_its_organization_and_no_other(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (ben, eve) = (app.add_user("Ben", BuiltInSet::Reader).await, app.add_organization("elsewhere", "Eve").await);
    let may_edit = [("name", "Scribes"), ("permission", "templates.view"), ("permission", "templates.edit")];
    assert_eq!(ann.post(org!("/permission-sets"), &may_edit).await.status, 303);
    assert_eq!(ann.gives("Ben", "Scribes").await.status, 303);
    let (of_ben, of_eve) = (three_tokens(&ben).await, three_tokens(&eve).await);
    assert_eq!(edit_templates(&app, &of_ben).await, [200; 3]);
    all_are_known(&app, &of_eve).await;
    let before = lookups(&app).await;
    let set = format!("{ORG}/permission-sets/{}", ann.set_number("Scribes").await);
    let may_view = [("name", "Scribes"), ("permission", "templates.view"), ("version", "1")];
    let preview = ann.post(&format!("{set}/edit"), &may_view).await;
    let affected = preview.field("affected").expect("a preview");
    assert_eq!(ann.post(&set, &[&may_view[..], &[("affected", &affected)]].concat()).await.status, 303);
    assert_eq!(edit_templates(&app, &of_ben).await, [403; 3]);
    assert_eq!(edit_templates(&app, &of_eve).await, [200; 3]);
    assert_eq!(lookups(&app).await, before + 3, "only Ben's");
}

#[db_test]
async fn what_changes_about_a_service_user_counts_for_its_old_and_new_keys(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (service, personal) =
        (ann.makes_service_token("Exports").await, ann.makes_token_with("Power BI", "read_write").await);
    all_are_known(&app, &[service.clone(), personal.clone()]).await;
    let before = lookups(&app).await;
    let token = ann.service_token("Exports").await;
    assert_eq!(ann.changes(&token, "permissions", &[("permission", "templates.view")]).await.status, 303);
    assert_eq!(edit_templates(&app, &[service, personal]).await, [403, 200]);
    assert_eq!(lookups(&app).await, before + 1, "only the service user's");
}

#[db_test]
async fn a_changed_protected_api_forgets_no_token(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let keys = three_tokens(&ann).await;
    all_are_known(&app, &keys).await;
    let before = lookups(&app).await;
    let api = [("name", "Depot"), ("address", "https://api.example.org/v1/")];
    assert_eq!(ann.post(org!("/integrations/apis"), &api).await.status, 303);
    assert_eq!(edit_templates(&app, &keys).await, [200; 3]);
    assert_eq!(lookups(&app).await, before);
}
