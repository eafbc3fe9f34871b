//! The epoch, which each change of authority increases.

use crate::harness::{TestApp, TestDb};
use std::{sync::mpsc, thread, time::Duration};
use storage::{
    AnyConnection, StorageError,
    epoch::{self, Touched},
};

/// Increases the epoch as the last statement of a transaction does, and returns the new value.
fn step(connection: &mut AnyConnection) -> Result<i64, StorageError> {
    epoch::step(connection, &Touched::Everything)?;
    epoch::read(connection)
}

/// V6: the second transaction that increases the epoch waits for the first to commit, so no node reads the second epoch
/// without the first change.
async fn follows_the_order_of_commits(db: TestDb) {
    let (app, _ann) = TestApp::with_user(db, "Ann").await;
    let before = app.db.read(epoch::read).unwrap();
    let ((held, holding), (release, released)) = (mpsc::channel(), mpsc::channel::<()>());
    let ((done, second_done), db) = (mpsc::channel(), app.db.clone());
    let first = thread::spawn(move || {
        db.write(|connection| {
            let epoch = step(connection)?;
            held.send(()).unwrap();
            released.recv().unwrap_err();
            Ok::<_, StorageError>(epoch)
        })
    });
    holding.recv().unwrap();
    let db = app.db.clone();
    let second = thread::spawn(move || {
        let epoch = db.write::<_, StorageError>(step);
        done.send(()).unwrap();
        epoch
    });
    assert!(second_done.recv_timeout(Duration::from_millis(300)).is_err(), "the second does not wait");
    assert_eq!(app.db.read(epoch::read).unwrap(), before, "nobody sees a step before its commit");
    drop(release);
    let (first, second) = (first.join().unwrap().unwrap(), second.join().unwrap().unwrap());
    assert!(before < first && first < second, "{before} {first} {second}");
}

#[actix_web::test]
async fn epochs_are_in_the_order_of_commits() {
    follows_the_order_of_commits(TestDb::sqlite()).await;
    follows_the_order_of_commits(TestDb::postgres()).await;
}
