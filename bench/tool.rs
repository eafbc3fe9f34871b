//! What `bench/run` needs and the shell has not: a bare actix server to compare with, and a database full of tokens.
//!
//! ```text
//! jeton-bench bare 127.0.0.1:8081 /verify=512 /list=14000
//! jeton-bench fill DATA_FOLDER DATABASE_URL TOKENS KEYS_FILE
//! ```

use actix_web::{App, HttpResponse, HttpServer, web};
use jeton::{
    app::{Jeton, Settings, clock::Clock, random, setup::SetupForm},
    domain::{
        activity::Source,
        organization::{MembershipId, OrganizationId},
        permission::BuiltInSet,
        time::{DAY, Timestamp},
        token::{ApiKey, InactivityExpiry, PERSONAL_LIMIT, Pepper, Scope, TokenKind, public_id},
        user::{Email, Theme, UserId},
    },
    storage::{
        Address, AnyConnection, Db, StorageError, memberships, organizations,
        tokens::{self, NewToken},
        users::{self, Profile},
    },
};
use std::{error::Error, fs, path::Path};

/// The first user, with whom `bench/run` signs in.
const EMAIL: &str = "ann@example.org";
const PASSWORD: &str = "a long enough sentence";

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["bare", address, ref routes @ ..] => bare(address, routes).await,
        ["fill", folder, url, count, keys] => fill(Path::new(folder), url, count.parse()?, Path::new(keys)).await,
        _ => Err("bare ADDRESS PATH=BYTES… | fill DATA_FOLDER DATABASE_URL TOKENS KEYS_FILE".into()),
    }
}

/// Serves bodies of the given sizes on one worker, and does nothing else.
async fn bare(address: &str, routes: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut bodies = Vec::new();
    for route in routes {
        let (path, size) = route.split_once('=').ok_or("a route is PATH=BYTES")?;
        bodies.push((path.to_owned(), web::Bytes::from(vec![b'x'; size.parse()?])));
    }
    let server = HttpServer::new(move || {
        bodies.iter().fold(App::new(), |app, (path, body)| {
            let body = body.clone();
            let answer = move || std::future::ready(HttpResponse::Ok().body(body.clone()));
            app.route(path, web::get().to(answer))
        })
    });
    Ok(server.workers(1).bind(address)?.run().await?)
}

/// Fills an empty database: one user set up as by the first page, others beside them, ten tokens each. Writes the keys
/// to a file, those of the first user first.
async fn fill(folder: &Path, url: &str, count: usize, keys: &Path) -> Result<(), Box<dyn Error>> {
    let database = Address::parse(url)?;
    let clock = Clock::system();
    let now = clock.now();
    let settings =
        Settings { database: database.clone(), data_dir: folder.to_owned(), clock, is_demo: false, mail: None };
    let jeton = Jeton::open(settings)?;
    let form = SetupForm {
        name: "Ann".into(),
        email: EMAIL.into(),
        organization: "Croix-Bleue Sahel".into(),
        password: PASSWORD.into(),
        ..SetupForm::default()
    };
    jeton.set_up(form, Source::default()).await?;
    let pepper = pepper(folder)?;

    let written = Db::open(database)?.write::<_, StorageError>(|connection| {
        let ann = Email::parse(EMAIL).map_err(|error| StorageError::Row(error.to_string()))?;
        let (ann, hash) = users::find_by_email(connection, &ann)?.ok_or(StorageError::Row(EMAIL.into()))?;
        let home = memberships::first(connection, ann.id)?.ok_or(StorageError::Row("membership".into()))?;
        let mut made = Vec::with_capacity(count);
        let mut number = 0;
        while made.len() < count {
            let (user, membership) = match number {
                0 => (ann.id, home.id),
                _ => add_user(connection, home.organization, number, &hash, now)?,
            };
            number += 1;
            for slot in (1..=PERSONAL_LIMIT).take(count - made.len()) {
                let key = ApiKey::mint(TokenKind::Personal, random::fill);
                let new = NewToken {
                    public_id: &public_id(random::fill),
                    organization: home.organization,
                    membership,
                    user,
                    label: &format!("Nightly export {slot}, warehouse {number}"),
                    scope: if slot % 2 == 0 { Scope::ReadWrite } else { Scope::ReadOnly },
                    inactivity: InactivityExpiry::Days45,
                    digest: pepper.digest(key.reveal()),
                    form_nonce: &random::code(),
                    slot,
                };
                let token = tokens::insert(connection, &new, now.plus(-20 * DAY))?;
                let program = "python-requests/2.32.4".into();
                let source = Source { address: "192.0.2.24".into(), program, request_id: String::new() };
                tokens::note_use(connection, token, now.plus(-i64::from(slot) * DAY), &source)?;
                made.push(key);
            }
        }
        Ok(made)
    })?;
    let lines: String = written.iter().map(|key| format!("{}\n", key.reveal())).collect();
    Ok(fs::write(keys, lines)?)
}

fn add_user(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    number: usize,
    hash: &str,
    now: Timestamp,
) -> Result<(UserId, MembershipId), StorageError> {
    let email = Email::parse(&format!("person-{number}@example.org"));
    let profile = Profile {
        name: format!("Person {number}"),
        email: email.map_err(|error| StorageError::Row(error.to_string()))?,
        language: None,
        time_zone: "UTC".into(),
        theme: Theme::System,
    };
    let user = users::insert(connection, &profile, hash, now)?;
    let set = organizations::built_in_set(connection, organization, BuiltInSet::Standard)?;
    Ok((user, memberships::insert(connection, user, organization, set, now)?))
}

/// The pepper that [`Jeton::open`] has left in the data folder: 64 hexadecimal digits.
fn pepper(folder: &Path) -> Result<Pepper, Box<dyn Error>> {
    let text = fs::read_to_string(folder.join("pepper"))?;
    let mut bytes = [0; Pepper::LENGTH];
    for (byte, digits) in bytes.iter_mut().zip(text.trim().as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits)?, 16)?;
    }
    Ok(Pepper::new(&bytes))
}
