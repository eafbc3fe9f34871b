//! An empty database for one test.

use tempfile::TempDir;

use super::{guardian, postgres};

/// A new, empty database of one kind, and a folder for a server's data. Both are removed with the test.
pub struct TestDb {
    /// Its `DATABASE_URL`.
    pub url: String,
    folder: TempDir,
}

impl TestDb {
    /// Returns a database file that does not exist yet, in [`TestDb::folder`].
    pub fn sqlite() -> TestDb {
        let folder = folder();
        TestDb { url: format!("sqlite:{}", folder.path().join("jeton.db").display()), folder }
    }

    /// Creates a database in the test process's own cluster.
    pub fn postgres() -> TestDb {
        TestDb { url: postgres::fresh_database(), folder: folder() }
    }

    /// Uses a database elsewhere.
    pub fn at(url: String) -> TestDb {
        TestDb { url, folder: folder() }
    }

    /// Returns the data folder of this test.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

/// A temporary folder that is removed on drop, and with the test process at the latest.
pub fn folder() -> TempDir {
    TempDir::new_in(guardian::scratch()).expect("a temporary folder")
}
