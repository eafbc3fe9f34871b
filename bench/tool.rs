//! What `bench/run` needs and the shell has not: a bare actix server to compare with, and databases full of tokens, or of
//! everything that lists show.
//!
//! ```text
//! jeton-bench bare 127.0.0.1:8081 /verify=512 /list=14000
//! jeton-bench fill DATA_FOLDER DATABASE_URL TOKENS KEYS_FILE
//! jeton-bench items DATA_FOLDER DATABASE_URL ITEMS
//! jeton-bench item-plans DATABASE_URL
//! jeton-bench lists DATA_FOLDER DATABASE_URL ROWS
//! jeton-bench plans DATABASE_URL ROWS
//! jeton-bench uses DATABASE_URL TOKENS FLUSHES
//! ```

mod items;
mod lists;
mod tokens;
mod uses;

use actix_web::{App, HttpResponse, HttpServer, web};
use app::{Jeton, Settings, clock::Clock, random, setup::SetupForm};
use domain::{
    access::SubjectId,
    activity::{Action, Source},
    item::ItemKind,
    organization::{MembershipId, OrganizationId, ServiceUserId},
    paging::PageFrom,
    time::Timestamp,
    token::{ApiKey, KeyDigest, Pepper, TokenKind},
    user::UserId,
};
use std::{error::Error, fs, path::Path};
use storage::{
    AnyConnection, DatabaseUrl, Db, StorageError, access, activity,
    memberships::people,
    tokens::{inventory, service_users},
};

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
        ["items", folder, url, items] => fill_items(Path::new(folder), url, items.parse()?).await,
        ["item-plans", url] => item_plans(url),
        ["lists", folder, url, rows] => fill_lists(Path::new(folder), url, rows.parse()?).await,
        ["plans", url, rows] => plans(url, rows.parse()?),
        ["uses", url, tokens, flushes] => write_uses(url, tokens.parse()?, flushes.parse()?),
        _ => {
            Err("bare ADDRESS PATH=BYTES… | fill FOLDER URL TOKENS KEYS_FILE | items FOLDER URL ITEMS | item-plans URL | lists FOLDER URL ROWS | plans URL ROWS \
                 | uses URL TOKENS FLUSHES"
                .into())
        }
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
    let database = DatabaseUrl::parse(url)?;
    set_up(folder, &database).await?;
    let now = Clock::system().now().seconds();
    let minted: Vec<ApiKey> = (0..count).map(|_| ApiKey::mint(TokenKind::Personal, random::fill)).collect();
    let pepper = pepper(folder)?;
    let digests: Vec<KeyDigest> = minted.iter().map(|key| pepper.digest(key.reveal())).collect();
    Db::open(database)?.write::<_, StorageError>(|connection| tokens::fill(connection, &digests, now))?;
    let lines: String = minted.iter().map(|key| format!("{}\n", key.reveal())).collect();
    Ok(fs::write(keys, lines)?)
}

/// Fills an empty database with so many items, and prints the key of each who asks, a line each: the name and the key.
async fn fill_items(folder: &Path, url: &str, count: i64) -> Result<(), Box<dyn Error>> {
    let database = DatabaseUrl::parse(url)?;
    set_up(folder, &database).await?;
    let (pepper, now) = (pepper(folder)?, Clock::system().now().seconds());
    let kind = |is_member| if is_member { TokenKind::Personal } else { TokenKind::Service };
    let keys: Vec<ApiKey> =
        items::ASKING.iter().map(|(_, is_member, _)| ApiKey::mint(kind(*is_member), random::fill)).collect();
    let digests: Vec<KeyDigest> = keys.iter().map(|key| pepper.digest(key.reveal())).collect();
    Db::open(database)?.write::<_, StorageError>(|connection| items::fill(connection, count, &digests, now))?;
    for ((name, ..), key) in items::ASKING.iter().zip(&keys) {
        println!("{name}\t{}", key.reveal());
    }
    Ok(())
}

/// Prints how the database carries out what the first page of a list and of a feed asks for.
fn item_plans(url: &str) -> Result<(), Box<dyn Error>> {
    let kind = ItemKind::parse("assets").ok_or("a kind")?;
    Db::open(DatabaseUrl::parse(url)?)?.read::<_, StorageError>(|connection| {
        for (name, is_member, row) in items::ASKING {
            let subject = match is_member {
                true => SubjectId::Membership(MembershipId(row)),
                false => SubjectId::ServiceUser(ServiceUserId(row)),
            };
            let facts = access::subject_facts(connection, subject, HOME)?;
            let reachable = access::Reachable::read(connection, &facts, &kind)?;
            let (list, feed) = (access::Direction::Descending, access::Direction::Ascending);
            let hidden = access::Filter { archived: Some(false), ..access::Filter::default() };
            let start = PageFrom::Start;
            let page = |connection: &mut AnyConnection| {
                storage::items::page(connection, &reachable, &hidden, list, &start, PAGE)
            };
            show(&format!("List: {name}"), &lists::plans(connection, page)?);
            let all = access::Filter::default();
            let count = |connection: &mut AnyConnection| {
                let page = storage::items::page(connection, &reachable, &all, feed, &start, PAGE)?;
                let last = page.last().map(|(item, _)| item.place());
                storage::items::count(connection, &reachable, &all, feed, last)
            };
            show(&format!("Feed: {name}"), &lists::plans(connection, count)?);
        }
        Ok(())
    })?;
    Ok(())
}

/// Writes a use of each of the first tokens again and again, and prints how long each time took, in milliseconds: to write the
/// last uses, and altogether.
fn write_uses(url: &str, tokens: i64, flushes: i64) -> Result<(), Box<dyn Error>> {
    let (db, now) = (Db::open(DatabaseUrl::parse(url)?)?, Clock::system().now());
    for flush in 0..flushes {
        let (noted, whole) = uses::write(&db, tokens, now.plus(flush))?;
        println!("{:.1}\t{:.1}", noted.as_secs_f64() * 1000., whole.as_secs_f64() * 1000.);
    }
    Ok(())
}

/// Sets up an empty database as by the first page.
async fn set_up(folder: &Path, database: &DatabaseUrl) -> Result<(), Box<dyn Error>> {
    let settings = Settings {
        database: database.clone(),
        data_dir: folder.to_owned(),
        clock: Clock::system(),
        is_demo: false,
        mail: None,
        github_keys: None,
        requests_per_minute: None,
    };
    let form = SetupForm {
        name: "Ann".into(),
        email: EMAIL.into(),
        organization: "Croix-Bleue Sahel".into(),
        password: PASSWORD.into(),
        ..SetupForm::default()
    };
    app::setup::set_up(&Jeton::open(settings)?, form, Source::default()).await?;
    Ok(())
}

/// Fills an empty database with an organization of so many people, tokens and entries, and prints its pages, a line each: the
/// name and the address.
async fn fill_lists(folder: &Path, url: &str, rows: i64) -> Result<(), Box<dyn Error>> {
    let database = DatabaseUrl::parse(url)?;
    set_up(folder, &database).await?;
    let now = Clock::system().now();
    let db = Db::open(database)?;
    db.write::<_, StorageError>(|connection| lists::fill(connection, rows, now.seconds()))?;
    let middle = db.read::<_, StorageError>(|connection| middle(connection, now, rows))?;
    let home = "/orgs/croix-bleue-sahel";
    let place =
        |place: domain::token::listing::Place| format!("{}.{}.{}.{}", place.rank, place.seconds, place.id, place.name);
    let (newest, unused, named) = (place(middle.newest), place(middle.unused), place(middle.named));
    let (person, entry) = (middle.person.0, format!("{}.{}", middle.entry.at.seconds(), middle.entry.id));
    println!("tokens of service users, 20\t{home}/integrations/tokens");
    println!("inventory\t{home}/integrations/inventory");
    println!("inventory, a page in the middle\t{home}/integrations/inventory?after={newest}");
    println!("inventory, unused for 60 days\t{home}/integrations/inventory?unused=60");
    println!("inventory, unused for 60 days, further down\t{home}/integrations/inventory?unused=60&after={unused}");
    println!("inventory by name, a page in the middle\t{home}/integrations/inventory?sort=name&after={named}");
    println!("users\t{home}/users");
    println!("users, a page in the middle\t{home}/users?after={person}");
    println!("activity log\t{home}/activity");
    println!("activity log, a page in the middle\t{home}/activity?before={entry}");
    Ok(())
}

/// Places in the middle of lists, around which the list of a hundred rows has a whole page, too.
struct Middle {
    newest: domain::token::listing::Place,
    unused: domain::token::listing::Place,
    named: domain::token::listing::Place,
    person: MembershipId,
    entry: domain::activity::Key,
}

const HOME: OrganizationId = OrganizationId(1);
/// One more than a page shows, as pages ask for.
const PAGE: i64 = 51;

fn unused_since(now: Timestamp) -> inventory::Filter {
    inventory::Filter { idle_since: Some(inventory::idle_for(60, now)), ..inventory::Filter::default() }
}

fn request(
    sort: domain::token::listing::Sort,
    from: PageFrom<domain::token::listing::Place>,
    limit: i64,
) -> inventory::PageRequest {
    inventory::PageRequest { sort, from, limit }
}

const NEWEST: domain::token::listing::Sort =
    domain::token::listing::Sort::descending(domain::token::listing::Order::Created);
const UNUSED: domain::token::listing::Sort =
    domain::token::listing::Sort::ascending(domain::token::listing::Order::LastUse);
const NAMED: domain::token::listing::Sort =
    domain::token::listing::Sort::ascending(domain::token::listing::Order::Name);

fn middle(connection: &mut AnyConnection, now: Timestamp, rows: i64) -> Result<Middle, StorageError> {
    let none = || StorageError::Row("too few rows".into());
    let half = rows / 2 - 25;
    let mut last = |filter: &inventory::Filter, sort, count| {
        let request = request(sort, PageFrom::Start, count);
        let page = inventory::page(connection, HOME, filter, &request, now)?;
        Ok::<_, StorageError>(page.into_iter().next_back().ok_or_else(none)?.0)
    };
    let all = inventory::Filter::default();
    let (newest, named) = (last(&all, NEWEST, half)?, last(&all, NAMED, half)?);
    let unused = last(&unused_since(now), UNUSED, rows / 40)?;
    let people = people::list(connection, HOME, &people::Filter::default(), PageFrom::Start, half)?;
    let log = activity::page(connection, Some(HOME), &activity::Filter::default(), PageFrom::Start, half)?;
    Ok(Middle {
        newest,
        unused,
        named,
        person: people.last().ok_or_else(none)?.membership,
        entry: log.last().ok_or_else(none)?.key(),
    })
}

/// Prints how the database carries out what pages in the middle of the lists ask for.
fn plans(url: &str, rows: i64) -> Result<(), Box<dyn Error>> {
    let now = Clock::system().now();
    let (owner, set) = (UserId(500), inventory::Filter::default());
    Db::open(DatabaseUrl::parse(url)?)?.read::<_, StorageError>(|connection| {
        let Middle { newest, unused, named, person, entry } = middle(connection, now, rows)?;
        let newest = request(NEWEST, PageFrom::After(newest), PAGE);
        let unused = request(UNUSED, PageFrom::After(unused), PAGE);
        let named = request(NAMED, PageFrom::After(named), PAGE);
        let state = |state| inventory::Filter { state: Some(state), ..set.clone() };
        for (name, filter, request) in [
            ("Inventory: personal tokens, tokens of service users", set.clone(), &newest),
            ("Inventory: active", state(inventory::State::Active), &newest),
            ("Inventory: revoked", state(inventory::State::Revoked), &newest),
            ("Inventory: expired, and about to be", state(inventory::State::Expired), &newest),
            ("Inventory: unused for 60 days", unused_since(now), &unused),
            ("Inventory: by name", set.clone(), &named),
            ("Inventory: of one owner", inventory::Filter { owners: Some(vec![owner]), ..set.clone() }, &newest),
        ] {
            let page = |connection: &mut AnyConnection| inventory::page(connection, HOME, &filter, request, now);
            show(name, &lists::plans(connection, page)?);
        }
        let twenty = |connection: &mut AnyConnection| service_users::list(connection, HOME, now);
        show("Tokens of service users", &lists::plans(connection, twenty)?);
        for (name, is_active) in [("Users", None), ("Users: active", Some(true))] {
            let filter = people::Filter { is_active, ..people::Filter::default() };
            let from = PageFrom::After(person);
            show(name, &lists::plans(connection, |connection| people::list(connection, HOME, &filter, from, PAGE))?);
        }
        let all = activity::Filter::default();
        for (name, filter) in [
            ("Activity log", all.clone()),
            ("Activity log: by or about one person", activity::Filter { people: Some(vec![owner]), ..all.clone() }),
            ("Activity log: one kind", activity::Filter { actions: Some(vec![Action::TokenRevoked]), ..all }),
        ] {
            let from = PageFrom::After(entry);
            show(
                name,
                &lists::plans(connection, |connection| activity::page(connection, Some(HOME), &filter, from, PAGE))?,
            );
        }
        Ok(())
    })?;
    Ok(())
}

fn show(name: &str, plans: &[String]) {
    println!("-- {name}\n{}\n", plans.join("\n\n"));
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
