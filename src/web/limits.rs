//! Limits that the operating system sets for this process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Returns how many files, including connections, this process may have open at once; none if there is no limit.
pub fn open_files_limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Raises the limit of open files as far as the system allows: the lower default is for programs that use old
/// interfaces, and would limit a server to about a thousand connections.
pub fn raise_open_files_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!(%error, limit = current, "the limit of open files could not be raised");
    }
}
