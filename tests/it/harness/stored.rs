//! All that an installation keeps, as bytes to search.

use super::TestApp;
use jeton::storage::Address;
use std::process::Command;

/// Every file of the data folder, and with Postgres a dump of the whole database.
pub fn everything_stored(app: &TestApp) -> Vec<u8> {
    let mut stored = Vec::new();
    for file in std::fs::read_dir(app.folder()).expect("the data folder") {
        stored.extend(std::fs::read(file.expect("a file").path()).expect("a readable file"));
    }
    if let Address::Postgres(parameters) = app.db.address() {
        let dump =
            Command::new("pg_dump").arg(parameters.conninfo()).output().expect("pg_dump of Debian's postgresql-client");
        assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
        stored.extend(dump.stdout);
    }
    assert!(contains(&stored, b"ann@example.org"), "what is searched is the real thing");
    stored
}

/// Whether `needle` stands anywhere in `hay`.
pub fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}
