//! Where the database is, as given by `DATABASE_URL`.
//!
//! The address of a Postgres database is parsed here once, by the rules of libpq (`conninfo_parse` and
//! `conninfo_uri_parse` in its `fe-connect.c`), and libpq gets the parsed parameters: so what was checked is what is
//! used.

use domain::percent::{self, RESERVED};
use std::{collections::BTreeMap, fmt, net::IpAddr, path::PathBuf};

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Parameters),
}

/// The parameters with which libpq connects. One may be a password, so `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct Parameters(BTreeMap<String, String>);

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parameters(…)")
    }
}

/// The error for a query that does not have libpq's form.
const NO_PAIRS: &str = "after ? there must be parameters of the form name=value, with & between them";

/// The result of parsing an address; the error says what is wrong.
type Read<T> = std::result::Result<T, String>;

/// libpq's parameters (<https://www.postgresql.org/docs/18/libpq-connect.html>). `service` is not among them, as a file
/// that is not read here would decide about the host. Nor is `replication`, which makes another kind of connection.
#[rustfmt::skip]
const KNOWN: [&str; 48] = [
    "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname", "fallback_application_name",
    "gssdelegation", "gssencmode", "gsslib", "host", "hostaddr", "keepalives", "keepalives_count", "keepalives_idle",
    "keepalives_interval", "krbsrvname", "load_balance_hosts", "max_protocol_version", "min_protocol_version",
    "oauth_client_id", "oauth_client_secret", "oauth_issuer", "oauth_scope", "options", "passfile", "password", "port",
    "require_auth", "requirepeer", "scram_client_key", "scram_server_key", "ssl_max_protocol_version",
    "ssl_min_protocol_version", "sslcert", "sslcertmode", "sslcompression", "sslcrl", "sslcrldir", "sslkey",
    "sslkeylogfile", "sslmode", "sslnegotiation", "sslpassword", "sslrootcert", "sslsni", "target_session_attrs",
    "tcp_user_timeout", "user",
];

/// libpq's timeouts for a network that drops all packets, unless the address has its own: without them, a connection
/// whose other end has silently gone keeps its client waiting for minutes (R4).
const LIMITS: [(&str, &str); 5] = [
    ("connect_timeout", "2"),
    ("tcp_user_timeout", "2000"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "1"),
    ("keepalives_count", "3"),
];

impl DatabaseUrl {
    /// Parses `sqlite:FILE`, or the address of a Postgres database in either of libpq's forms: `postgres://…`, or
    /// `host=… dbname=…`. `variable` looks up environment variables, from which libpq takes what the address leaves
    /// out.
    ///
    /// # Errors
    /// A sentence without anything that may be a password. Postgres on another host is refused, as this build has no
    /// TLS for it; `sslmode=disable` says that the network in between is trusted.
    pub fn parse_in(text: &str, variable: impl Fn(&str) -> Option<String>) -> Read<Self> {
        let text = text.trim();
        if let Some(file) = text.strip_prefix("sqlite:") {
            return sqlite(file).map(Self::Sqlite);
        }
        let uri = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
        let parameters = match uri {
            Some(rest) => Parameters::from_uri(rest)?,
            None if text.split_once('=').is_some_and(|(name, _)| is_name(name.trim())) => Parameters::from_pairs(text)?,
            None if text.starts_with("file:") => {
                return Err("write sqlite:FILE, with only the name of the file, without file: before it".into());
            }
            None => return Err("it must begin with postgres:// or sqlite:".into()),
        };
        parameters.check(variable)?;
        Ok(Self::Postgres(parameters))
    }

    /// [`DatabaseUrl::parse_in`] without environment variables.
    ///
    /// # Errors
    /// As [`DatabaseUrl::parse_in`].
    pub fn parse(text: &str) -> Read<Self> {
        Self::parse_in(text, |_| None)
    }

    /// Returns a name of the database for people, without the password.
    pub fn place(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(_) => "DATABASE_URL".into(),
        }
    }
}

/// Parses the file of `sqlite:FILE`. Refuses texts that other programs take for more than a name, as they would become
/// files with odd names here.
fn sqlite(file: &str) -> Read<PathBuf> {
    let file = file.strip_prefix("//").unwrap_or(file);
    let problem = match file {
        "" => "it has no file name, as in sqlite:data/jeton.db",
        ":memory:" => "Jeton keeps its data in a file: write sqlite:FILE, or use jeton demo to try Jeton",
        _ if file.starts_with("file:") => "write sqlite:FILE, with only the name of the file, without file: before it",
        _ if file.contains('?') => {
            "write sqlite:FILE, with only the name of the file: Jeton knows no parameters after ? for SQLite"
        }
        _ => return Ok(file.into()),
    };
    Err(problem.into())
}

impl Parameters {
    /// Parses what follows `postgres://`.
    fn from_uri(rest: &str) -> Read<Self> {
        let mut read = Self(BTreeMap::new());
        // For libpq, the user and password end with the first @ before any slash.
        let head = rest.split('/').next().unwrap_or_default();
        let (login, rest) = if head.contains('@') { rest.split_once('@') } else { None }.unwrap_or(("", rest));
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        if login.contains(['?', '#']) || place.contains('@') {
            return Err(RESERVED.into());
        }
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (hosts, database) = place.split_once('/').unwrap_or((place, ""));
        let (hosts, ports) = hosts_and_ports(hosts)?;
        for (name, value) in
            [("user", user), ("password", password), ("host", &hosts), ("port", &ports), ("dbname", database)]
        {
            if !value.is_empty() {
                read.0.insert(name.into(), decoded(value)?);
            }
        }
        match read.take_query(query) {
            Err(_) if query.contains('@') => Err(RESERVED.into()),
            taken => taken.map(|()| read),
        }
    }

    fn take_query(&mut self, query: &str) -> Read<()> {
        let mut before = "";
        for pair in query.strip_suffix('&').unwrap_or(query).split('&').filter(|_| !query.is_empty()) {
            let (name, value) = pair.split_once('=').filter(|(_, value)| !value.contains('=')).ok_or(NO_PAIRS)?;
            match (decoded(name)?.as_str(), decoded(value)?) {
                // As other programs write it.
                ("ssl", value) if value == "true" => self.take("sslmode", "require".into(), before),
                (name, value) => self.take(name, value, before),
            }?;
            before = name;
        }
        Ok(())
    }

    /// Parses `host=… dbname=…`. A value with a space is enclosed in `'`; `\` takes the next character as it is.
    fn from_pairs(text: &str) -> Read<Self> {
        let mut read = Self(BTreeMap::new());
        let (mut rest, mut before) = (text, "");
        while !rest.is_empty() {
            let (name, after) =
                rest.split_once('=').ok_or("a parameter has no value; enclose a value with a space in '")?;
            let (value, after) = value_and_rest(after.trim_start())?;
            read.take(name.trim_end(), value, before)?;
            (rest, before) = (after.trim_start(), name.trim_end());
        }
        Ok(read)
    }

    /// Takes one parameter; the last one with the same name counts.
    fn take(&mut self, name: &str, value: String, before: &str) -> Read<()> {
        if KNOWN.contains(&name) {
            self.0.insert(name.into(), value);
            return Ok(());
        }
        Err(match name {
            "service" | "servicefile" => "Jeton reads no service files of Postgres: write host, dbname and user".into(),
            // What follows a password may be the rest of it.
            _ if before == "password" || !is_name(name) => {
                "it has a parameter that libpq does not know; in a value, write & as %26 and = as %3D after ?; enclose \
                 a value with a space in '"
                    .into()
            }
            _ => format!("libpq does not know a parameter {name}"),
        })
    }

    /// Returns the hosts to which libpq connects: names, addresses, paths of sockets, or nothing for its default, which
    /// is local.
    fn hosts(&self, variable: &impl Fn(&str) -> Option<String>) -> Vec<String> {
        let list = |name, fallback| self.0.get(name).cloned().or_else(|| variable(fallback)).unwrap_or_default();
        let (names, addresses) = (list("host", "PGHOST"), list("hostaddr", "PGHOSTADDR"));
        let (names, addresses): (Vec<&str>, Vec<&str>) = (names.split(',').collect(), addresses.split(',').collect());
        let chosen = |index: usize| {
            let at = |list: &[&str]| list.get(index).copied().unwrap_or_default().to_owned();
            let address = at(&addresses);
            if address.is_empty() { at(&names) } else { address }
        };
        (0..names.len().max(addresses.len())).map(chosen).collect()
    }

    fn check(&self, variable: impl Fn(&str) -> Option<String>) -> Read<()> {
        if variable("PGSERVICE").is_some_and(|service| !service.is_empty()) {
            return Err("the variable PGSERVICE is set, but Jeton reads no service files of Postgres: unset it".into());
        }
        let ports = self.0.get("port").map_or("", String::as_str);
        if ports.split(',').any(|port| !port.trim().bytes().all(|digit| digit.is_ascii_digit())) {
            let form = "postgres://USER:PASSWORD@HOST:PORT/DATABASE, with an IPv6 address in brackets";
            return Err(format!("the port is not a number; the address must look like {form}"));
        }
        let tls = self.0.get("sslmode").cloned().or_else(|| variable("PGSSLMODE")).unwrap_or_default();
        if matches!(tls.as_str(), "require" | "verify-ca" | "verify-full") {
            return Err(format!("this build of Jeton has no TLS for Postgres, so sslmode={tls} is not possible"));
        }
        for host in self.hosts(&variable) {
            if host.chars().skip(1).any(|c| c == '@') {
                return Err(RESERVED.into());
            }
            if !is_local(&host) && tls != "disable" {
                return Err(format!(
                    "the database on {host} would be reached without encryption, because this build of Jeton has no \
                     TLS for Postgres; add sslmode=disable if the network in between is trusted"
                ));
            }
        }
        Ok(())
    }

    /// Returns the parameters as libpq reads them, with the timeouts for a bad network.
    pub fn conninfo(&self) -> String {
        let ours = LIMITS.iter().filter(|(name, _)| !self.0.contains_key(*name)).copied();
        let all = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(ours);
        let pair =
            |(name, value): (&str, &str)| format!("{name}='{}'", value.replace('\\', "\\\\").replace('\'', "\\'"));
        all.map(pair).collect::<Vec<_>>().join(" ")
    }
}

/// Returns whether the connection does not leave the machine.
fn is_local(host: &str) -> bool {
    host.is_empty()
        || host.starts_with(['/', '@'])
        || host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
}

/// Returns whether a text may be the name of a parameter.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
}

/// Parses the lists of hosts and of ports of `HOST:PORT,HOST:PORT,…`; an IPv6 address is in brackets.
fn hosts_and_ports(text: &str) -> Read<(String, String)> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for place in text.split(',') {
        let (host, port) = match place.strip_prefix('[') {
            None => place.split_once(':').unwrap_or((place, "")),
            Some(rest) => {
                let closed = rest.split_once(']').filter(|(host, _)| !host.is_empty());
                let (host, port) = closed.ok_or("an IPv6 address must be in brackets, as in [::1]")?;
                let port = if port.is_empty() { Some(port) } else { port.strip_prefix(':') };
                (host, port.ok_or("only : and the port may follow an IPv6 address in brackets")?)
            }
        };
        hosts.push(host);
        ports.push(port);
    }
    Ok((hosts.join(","), ports.join(",")))
}

/// Parses a value of `name=value …`, and returns it and what follows it.
fn value_and_rest(text: &str) -> Read<(String, &str)> {
    let quoted = text.strip_prefix('\'');
    let text = quoted.unwrap_or(text);
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, literal)| literal)),
            '\'' if quoted.is_some() => return Ok((value, &text[at + 1..])),
            c if quoted.is_none() && c.is_ascii_whitespace() => return Ok((value, &text[at..])),
            c => value.push(c),
        }
    }
    if quoted.is_some() { Err("a value begins with ' but does not end with it".into()) } else { Ok((value, "")) }
}

/// Decodes percent-encoding. As for libpq, a space is an error.
fn decoded(text: &str) -> Read<String> {
    let text = text.trim_matches(' ');
    if text.contains(' ') {
        return Err("write a space in it as %20".into());
    }
    Ok(percent::decode(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Parameters {
        match DatabaseUrl::parse(text) {
            Ok(DatabaseUrl::Postgres(parameters)) => parameters,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn parameters(text: &str) -> Vec<(String, String)> {
        read(text).0.into_iter().collect()
    }

    fn refused(text: &str) -> String {
        DatabaseUrl::parse(text).expect_err(text)
    }

    #[test]
    fn the_scheme_chooses_the_database() {
        assert_eq!(DatabaseUrl::parse("sqlite:data/x.db"), Ok(DatabaseUrl::Sqlite("data/x.db".into())));
        assert_eq!(DatabaseUrl::parse("sqlite:///srv/x.db\n"), Ok(DatabaseUrl::Sqlite("/srv/x.db".into())));
        for wrong in ["mysql://x", "mysql://u:p=w@h/d", "jeton.db", "", "postgres:/x", "jdbc:postgresql://h/d?user=u"] {
            assert!(refused(wrong).contains("must begin with"), "{wrong}");
        }
        for wrong in [
            "sqlite:x.db?mode=rwc",
            "sqlite://x.db?cache=shared",
            "sqlite:x.db?",
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite:file:x.db",
            "file:x.db?mode=rwc",
            "file:///srv/x.db",
            "sqlite:",
            "sqlite://",
        ] {
            assert!(refused(wrong).contains("sqlite:"), "{wrong}");
        }
    }

    #[test]
    fn addresses_mean_what_they_mean_to_libpq() {
        for (text, expected) in [
            ("postgres://", vec![]),
            ("postgresql:///d", vec![("dbname", "d")]),
            ("postgres://127.0.0.1", vec![("host", "127.0.0.1")]),
            (
                "postgres://u:p@127.0.0.1:5432/d",
                vec![("dbname", "d"), ("host", "127.0.0.1"), ("password", "p"), ("port", "5432"), ("user", "u")],
            ),
            ("postgres://u@[::1]:5433/", vec![("host", "::1"), ("port", "5433"), ("user", "u")]),
            ("postgres://u:@%2frun%2Fpostgresql/d", vec![("dbname", "d"), ("host", "/run/postgresql"), ("user", "u")]),
            ("postgres:///d?host=/run&port=5433", vec![("dbname", "d"), ("host", "/run"), ("port", "5433")]),
            ("postgres:///d?host=%2frun&", vec![("dbname", "d"), ("host", "/run")]),
            ("postgres://localhost/d?host=/run", vec![("dbname", "d"), ("host", "/run")]),
            ("postgres://localhost,[::1]:2/d", vec![("dbname", "d"), ("host", "localhost,::1"), ("port", ",2")]),
            ("postgres://@localhost", vec![("host", "localhost")]),
            (
                "postgres://u:p%40%2f%3A%25é@localhost?ssl%6dode=prefer",
                vec![("host", "localhost"), ("password", "p@/:%é"), ("sslmode", "prefer"), ("user", "u")],
            ),
            ("postgres:///d?user=a@b&password=p@ss", vec![("dbname", "d"), ("password", "p@ss"), ("user", "a@b")]),
            ("host=/run dbname=d", vec![("dbname", "d"), ("host", "/run")]),
            (
                "host = localhost  port= 5433 password='p \\'w\\\\'",
                vec![("host", "localhost"), ("password", "p 'w\\"), ("port", "5433")],
            ),
            ("dbname=a\\ b user=''", vec![("dbname", "a b"), ("user", "")]),
            ("dbname=a dbname=b", vec![("dbname", "b")]),
        ] {
            let owned: Vec<_> = expected.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
            assert_eq!(parameters(text), owned, "{text}");
        }
    }

    #[test]
    fn libpq_is_given_what_was_read() {
        let limits = "tcp_user_timeout='2000' keepalives_idle='5' keepalives_interval='1' keepalives_count='3'";
        let text = read("postgres://u:it's%5C@localhost/d%20d?connect_timeout=9").conninfo();
        let own = r"connect_timeout='9' dbname='d d' host='localhost' password='it\'s\\' user='u'";
        assert_eq!(text, format!("{own} {limits}"));
        assert_eq!(read(&text).conninfo(), read(&text).conninfo());
        assert!(!format!("{:?}", read("postgres://u:secret@localhost")).contains("secret"));
    }

    #[test]
    fn a_remote_database_needs_a_setting_for_encryption() {
        for local in [
            "postgres://LOCALHOST/d",
            "postgres://127.9.9.9/d",
            "postgres://[::ffff:127.0.0.1]/d",
            "postgres:///d?host=/run",
            "postgres://%40jeton/d",
            "postgres:///d?host=db.example.org&hostaddr=127.0.0.1",
            "host=db hostaddr=::1",
            "host=''",
            "postgres://localhost,%2Frun,[::1]/d",
        ] {
            assert!(DatabaseUrl::parse(local).is_ok(), "{local}");
        }
        for (remote, host) in [
            ("postgres://ann:secret@db.example.org:5432/jeton", "db.example.org"),
            ("postgres:///jeton?host=db.example.org", "db.example.org"),
            ("postgres://localhost/jeton?host=db.example.org&sslmode=prefer", "db.example.org"),
            ("postgres://localhost/jeton?hostaddr=192.0.2.7", "192.0.2.7"),
            ("postgres:///jeton?hostaddr=127.0.0.1,192.0.2.7", "192.0.2.7"),
            ("postgres://localhost,db.example.org/jeton", "db.example.org"),
            ("postgres://[2001:db8::7]/jeton", "2001:db8::7"),
            ("postgres://127.evil.example.org/jeton", "127.evil.example.org"),
            ("postgres://%64b.example.org/jeton?application_name=sslmode=disable", "="),
            ("postgres://db.example.org/jeton?application_name=sslmode%3Ddisable", "db.example.org"),
            ("host=db.example.org password='sslmode=disable'", "db.example.org"),
            ("hostaddr=192.0.2.7 host=localhost", "192.0.2.7"),
        ] {
            let said = refused(remote);
            assert!(said.contains(host) && !said.contains("secret"), "{remote}: {said}");
        }
        assert!(DatabaseUrl::parse("postgres://ann@db.example.org/jeton?sslmode=disable").is_ok());
        assert!(DatabaseUrl::parse("host=db.example.org sslmode = disable").is_ok());
        for wanted in ["postgres://localhost?ssl=true", "host=localhost sslmode=verify-full"] {
            assert!(refused(wanted).contains("no TLS"), "{wanted}");
        }
    }

    #[test]
    fn variables_that_libpq_reads_are_checked_too() {
        let with = |text: &str, name: &'static str, value: &'static str| {
            DatabaseUrl::parse_in(text, |asked| (asked == name).then(|| value.to_owned()))
        };
        for (text, name, value) in [
            ("postgres:///d", "PGHOST", "db.example.org"),
            ("dbname=d", "PGHOST", "db.example.org"),
            ("postgres://localhost/d", "PGHOSTADDR", "192.0.2.7"),
            ("postgres://localhost/d", "PGSERVICE", "jeton"),
            ("postgres://localhost/d", "PGSSLMODE", "require"),
        ] {
            let said = with(text, name, value).expect_err(text);
            assert!(said.contains(value) || said.contains(name), "{said}");
        }
        assert!(with("postgres://localhost/d", "PGHOST", "db.example.org").is_ok());
        assert!(with("postgres://db.example.org/d", "PGSSLMODE", "disable").is_ok());
        assert!(with("postgres://db.example.org/d", "PGHOSTADDR", "127.0.0.1").is_ok());
        assert!(with("sqlite:x.db", "PGSERVICE", "jeton").is_ok());
    }

    #[test]
    fn an_unencoded_password_is_explained_and_never_printed() {
        for wrong in [
            "postgres://jeton:x7q@k9z@127.0.0.1/jeton",
            "postgres://jeton:x7q@k9z@db.example.org",
            "postgres://jeton:x7q/k9z@127.0.0.1/jeton",
            "postgres://jeton:x7q?k9z@127.0.0.1/jeton",
            "postgres://jeton:x7q#k9z@127.0.0.1/jeton",
            "postgres://jeton:x7q?k9=z@127.0.0.1/jeton",
            "postgres://x7q@k9z@127.0.0.1/jeton",
            "postgres://127.0.0.1?user=x7q@k9z",
            "postgres://jeton:5/x7q?k9z=a@127.0.0.1/jeton",
        ] {
            assert_eq!(refused(wrong), RESERVED, "{wrong}");
        }
        for wrong in [
            "postgres://jeton:x7q%k9z@127.0.0.1/jeton",
            "postgres://jeton:x7q%00k9z@localhost",
            "postgres://jeton:x7qk9z",
            "postgres://jeton:x7q k9z@localhost",
            "postgres:///d?password=x7q&k9z=1",
            "postgres:///d?password=x7q=k9z",
            "host=localhost password=x7q k9z",
            "host=localhost password=x7q k9z=1",
            "host=localhost password='x7qk9z",
            "postgres://jeton:x7qk9z@[::1",
            "postgres://jeton:x7qk9z@[::1]x",
            "postgres://jeton:x7qk9z@localhost:x/d",
            "postgres://jeton:x7q%ffk9z@localhost",
            "postgres://jeton:x7q/k9z?host=x7q@127.0.0.1/jeton",
        ] {
            let said = refused(wrong);
            assert!(!["x7q", "k9z"].iter().any(|piece| said.contains(piece)), "{wrong}: {said}");
        }
        for (unknown, name) in [
            ("postgres:///d?sslmodus=disable", "sslmodus"),
            ("postgres:///d?pool_size=5", "pool_size"),
            ("host=localhost datenbank=x", "datenbank"),
            ("postgres://u:p@localhost/d?pool_size=5", "pool_size"),
            ("postgres:///d?service=x", "service file"),
            ("postgres:///d?ssl=1", "ssl"),
            ("postgres:///d?schema=public", "schema"),
            ("postgres:///d?replication=true", "replication"),
        ] {
            assert!(refused(unknown).contains(name), "{unknown}");
        }
    }
}
