//! nginx from Debian's package, as a load balancer in front of several nodes.

use super::{guardian::Guardian, postgres::free_port};
use std::{ffi::OsStr, net::TcpStream, time::Duration};

/// `$1` is the port, the others are the nodes. By default, nginx tries the next node if one does not answer;
/// `max_fails=0` lets it ask a node that has just come back.
const START: &str = r#"
port=$1; shift
{
    echo "daemon off; pid $folder/pid; error_log $folder/log warn; events { worker_connections 512; } worker_processes 1;"
    echo "http { access_log off;"
    for kind in client_body proxy fastcgi uwsgi scgi; do echo "${kind}_temp_path $folder/$kind;"; done
    echo "upstream jeton {"
    for node; do echo "server $node max_fails=0;"; done
    echo "keepalive 16; }"
    echo "server { listen 127.0.0.1:$port; location / {"
    echo 'proxy_pass http://jeton; proxy_http_version 1.1; proxy_set_header Connection "";'
    echo "} } }"
} >"$folder/nginx.conf"
chmod 755 "$folder"
PATH="$PATH:/usr/sbin" nginx -e "$folder/log" -p "$folder" -c "$folder/nginx.conf" </dev/null >>"$folder/log" 2>&1 &
stop="kill -s TERM $!; wait $!"
"#;

/// The proxy, which runs until this is dropped.
pub struct Nginx {
    /// Its address.
    pub url: String,
    guardian: Guardian,
}

impl Nginx {
    /// Starts a load balancer for the nodes at these addresses.
    pub fn before(nodes: &[String]) -> Nginx {
        let port = free_port().expect("a free port");
        let text = port.to_string();
        let arguments: Vec<&OsStr> =
            std::iter::once(text.as_str()).chain(nodes.iter().map(String::as_str)).map(OsStr::new).collect();
        let guardian = Guardian::start(START, &arguments).expect("a folder");
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Nginx { url: format!("http://127.0.0.1:{port}"), guardian };
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("nginx does not start; ./test installs it: {}", guardian.log());
    }

    /// Returns its log, warnings and worse.
    pub fn log(&self) -> String {
        self.guardian.log()
    }
}
