//! PgBouncer from Debian's package, between Jeton and Postgres.

use super::{guardian::Guardian, postgres::free_port};
use std::{ffi::OsStr, net::TcpStream, time::Duration};

/// `$1` is its port, `$2` that of Postgres, `$3` how long a client keeps a connection. It refuses to run as root.
const START: &str = r#"
as=
[ "$(id -u)" = 0 ] && as="setpriv --reuid=postgres --regid=postgres --init-groups"
cat >"$folder/pgbouncer.ini" <<END
[databases]
* = host=127.0.0.1 port=$2 user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $1
unix_socket_dir =
auth_type = any
pool_mode = $3
default_pool_size = 60
END
chmod 755 "$folder"; chmod 644 "$folder/pgbouncer.ini"
PATH="$PATH:/usr/sbin"
$as pgbouncer "$folder/pgbouncer.ini" </dev/null >"$folder/log" 2>&1 &
# Immediate. A shell lets what it starts behind itself ignore SIGQUIT.
stop="kill -s TERM $!; wait $!"
"#;

/// The pooler, which runs until this value is dropped.
pub struct PgBouncer {
    _guardian: Guardian,
}

impl PgBouncer {
    /// Starts a pooler in front of the database of this URL, and returns it with the URL that leads through it.
    pub fn before(url: &str, pool_mode: &str) -> (PgBouncer, String) {
        let (start, rest) = url.split_once("127.0.0.1:").expect("a URL of the loopback");
        let server: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let port = free_port().expect("a free port");
        let own = port.to_string();
        let arguments = [own.as_str(), server.as_str(), pool_mode].map(OsStr::new);
        let guardian = Guardian::start(START, &arguments).expect("a folder");
        let through = format!("{start}127.0.0.1:{port}{}", &rest[server.len()..]);
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return (PgBouncer { _guardian: guardian }, through);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("PgBouncer does not start; ./test installs it: {}", guardian.log());
    }
}
