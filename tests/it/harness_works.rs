//! Tests that the harness works as the other tests expect.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use diesel::connection::SimpleConnection;
use diesel::sql_types::Integer;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

use crate::harness::{Browser, Setup, TestDb, db_test, folder, html};

const POLICY: &str =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'";

const FORM: &str = r#"<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Tokens</title><meta name="viewport" content="width=device-width"><link rel="icon" href="/static/icon.svg">
<link rel="stylesheet" href="/static/page.css"><script src="/static/page.js"></script></head>
<body><main><h1>Tokens</h1>
<noscript><p>Scripts are off</p></noscript><p id="scripts"></p><p id="clock"></p><p>Languages: {languages}</p>
<form action="/made" method="post">
<p><label for="label">Label *</label> <input type="text" id="label" name="label" value="old"></p>
<fieldset><legend>Scope</legend><label><input type="radio" name="scope" value="read" checked> Read only</label>
<label><input type="radio" name="scope" value="write"> Read&nbsp;&amp; write</label></fieldset>
<p><label class="drawn"><input class="hidden" type="checkbox" name="sure"> I am sure</label></p>
<p><label for="expiry">Expiry</label> <select id="expiry" name="expiry"><option value="31">31 days</option><option value="45" selected>45 days</option></select></p>
<p><button type="submit">Generate</button></p></form>
<ul><li>First <button type="button">Revoke</button></li><li>Second <button type="button" id="second">Revoke</button></li></ul>
<p><a href="/">Tokens again</a></p><details><summary>More</summary><p>Hidden facts</p></details>
<button type="button" id="copy">Copy</button>
<button type="button" id="ask">Ask</button><dialog id="dialog"><h2>Really?</h2><button type="button" id="yes">Revoke</button></dialog>
</main></body></html>"#;

const SCRIPT: &str = r#"addEventListener("DOMContentLoaded", () => {
const by = (id) => document.getElementById(id);
by("scripts").textContent = "Scripts are on";
setTimeout(() => by("clock").textContent = "A moment later", 300);
by("second").onclick = () => by("scripts").textContent = "Second revoked";
by("yes").onclick = () => { by("dialog").close(); by("scripts").textContent = "Really revoked"; };
by("ask").onclick = () => by("dialog").showModal();
by("copy").onclick = async () => {
  if (!navigator.clipboard) { by("scripts").textContent = "No clipboard"; return; }
  await navigator.clipboard.writeText("jtn_p_copied"); by("scripts").textContent = "Copied"; };
});"#;

const STYLE: &str = ":root { color-scheme: light dark } .hidden { position: absolute; opacity: 0; pointer-events: none } \
    @media (prefers-color-scheme: dark) { h1 { border-top: 3px solid } }";

/// A server with one form, on a free loopback port. Stops on drop.
struct Site {
    base: String,
    handle: ServerHandle,
}

impl Site {
    async fn start() -> Site {
        let server = HttpServer::new(|| {
            App::new()
                .route("/", web::get().to(form))
                .route("/made", web::post().to(made))
                .route("/inline", web::get().to(|| page("<h1>Inline</h1><p style='color: red'>refused</p>")))
                .route(
                    "/bad",
                    web::get().to(|| page("<h1>Bad</h1><img src='/static/icon.svg'><div role='list'><p>x</p></div>")),
                )
                .route("/wide", web::get().to(|| page("<h1>Wide</h1><table><tr><td>x<hr width=700></table>")))
                .route("/static/page.js", web::get().to(|| file("text/javascript", SCRIPT)))
                .route("/static/page.css", web::get().to(|| file("text/css", STYLE)))
                .route(
                    "/static/icon.svg",
                    web::get().to(|| file("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>")),
                )
        });
        let server = server.workers(1).bind(("127.0.0.1", 0)).expect("a free port");
        let base = format!("http://{}", server.addrs()[0]);
        let server = server.disable_signals().run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Site { base, handle }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn file(kind: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok().content_type(kind).body(text)
}

async fn page(body: &'static str) -> HttpResponse {
    respond(format!("<!DOCTYPE html><html lang=en><title>A page</title><main>{body}</main></html>"))
}

async fn form(request: HttpRequest) -> HttpResponse {
    let languages = request.headers().get("accept-language").and_then(|value| value.to_str().ok()).unwrap_or("none");
    respond(FORM.replace("{languages}", languages))
}

async fn made(body: String) -> HttpResponse {
    respond(format!(
        "<!DOCTYPE html><html lang=en><title>Made</title><main><h1>Made</h1><p>{body}</p><p>«\u{202f}Révoquer\u{a0}?\u{202f}»</p></main></html>"
    ))
}

fn respond(page: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("Content-Security-Policy", POLICY))
        .content_type("text/html; charset=utf-8")
        .body(page)
}

#[derive(QueryableByName)]
struct One {
    #[diesel(sql_type = Integer)]
    one: i32,
}

/// This also shows that each database is separate: otherwise the table would exist already the second time.
#[db_test]
async fn a_fresh_database_answers_and_is_empty(db: TestDb) {
    let sql = "CREATE TABLE things (one INTEGER)";
    let select = sql_query("SELECT 1 AS one");
    for db in [&db, &if db.url.starts_with("postgres:") { TestDb::postgres() } else { TestDb::sqlite() }] {
        assert!(db.folder().is_dir());
        let answer: One = match db.url.strip_prefix("sqlite:") {
            Some(file) => {
                let mut connection = SqliteConnection::establish(file).unwrap();
                connection.batch_execute(sql).unwrap();
                select.clone().get_result(&mut connection).unwrap()
            }
            None => {
                let mut connection = PgConnection::establish(&db.url).unwrap();
                connection.batch_execute(sql).unwrap();
                select.clone().get_result(&mut connection).unwrap()
            }
        };
        assert_eq!(answer.one, 1);
    }
}

#[test]
fn many_threads_get_a_database_each() {
    let urls: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| TestDb::postgres().url)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let different: std::collections::HashSet<_> = urls.iter().collect();
    assert_eq!(different.len(), 8);
}

#[test]
fn a_folder_is_removed_on_drop() {
    let folder = folder();
    let path = folder.path().to_owned();
    assert!(path.is_dir());
    drop(folder);
    assert!(!path.exists());
}

#[actix_web::test]
async fn a_person_fills_a_form_with_javascript() {
    let site = Site::start().await;
    let browser = Browser::new(&site.base).await;
    browser.go("/").await;
    assert_eq!(browser.title().await, "Tokens");
    browser.sees("Scripts are on").await;
    browser.sees_no("Scripts are off").await;
    browser.sees("A moment later").await;
    let changed = browser.changed(&browser.sent().await).await.expect("what scripts made of it");
    assert!(changed.contains("A moment later"), "{changed}");
    browser.sees("Languages: en-US,en").await;
    fill_and_generate(&browser).await;
    browser.back().await;
    browser.is_at("/").await;
    browser.click_in("Second", "Revoke").await;
    browser.sees("Second revoked").await;
    browser.click("Ask").await;
    browser.click("Revoke").await;
    browser.sees("Really revoked").await;
    browser.click("Copy").await;
    browser.sees("Copied").await;
    assert_eq!(browser.clipboard().await, "jtn_p_copied");
    browser.reload().await;
    browser.sees("Scripts are on").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[actix_web::test]
async fn a_person_fills_a_form_without_javascript() {
    let site = Site::start().await;
    let browser = Browser::without_javascript(&site.base).await;
    browser.go("/").await;
    browser.sees("Scripts are off").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let text = browser.text().await;
    assert!(!text.contains("Scripts are on") && !text.contains("A moment later"), "{text}");
    fill_and_generate(&browser).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.go("/").await;
    assert_eq!(browser.changed(&browser.sent().await).await, None);
    assert_eq!(browser.axe().await, Vec::<String>::new());
    browser.sees("Scripts are off").await;
    browser.reload().await;
    browser.sees("Scripts are off").await;
    browser.sees_no("Scripts are on").await;
}

async fn fill_and_generate(browser: &Browser) {
    assert_eq!(browser.value("Label").await, "old");
    browser.fill("Label", "Power BI").await;
    browser.choose("Read & write").await;
    browser.choose("I am sure").await;
    browser.unchoose("I am sure").await;
    assert_eq!(browser.value("I am sure").await, "false");
    browser.choose("I am sure").await;
    browser.fill("Expiry", "31 days").await;
    assert_eq!(browser.value("Expiry").await, "31 days");
    browser.sees_no("Hidden facts").await;
    browser.click("More").await;
    browser.sees("Hidden facts").await;
    browser.click("Generate").await;
    browser.is_at("/made").await;
    browser.sees("label=Power+BI&scope=write&sure=on&expiry=31").await;
    browser.sees("« Révoquer ? »").await;
    assert!(browser.html().await.contains("«\u{202f}Révoquer"));
}

#[actix_web::test]
async fn french_dark_and_narrow_without_a_clipboard() {
    let site = Site::start().await;
    let setup = Setup { language: "fr", dark: true, size: (320, 640), clipboard: false, ..Setup::default() };
    let browser = Browser::with(&site.base, setup).await;
    browser.go("/").await;
    browser.sees("Languages: fr,en").await;
    let dark = "return matchMedia('(prefers-color-scheme: dark)').matches";
    assert_eq!(browser.evaluate(dark).await, true);
    assert_eq!(browser.evaluate("return navigator.language").await, "fr");
    assert_eq!(browser.evaluate("return innerWidth").await, 320);
    browser.click("Copy").await;
    browser.sees("No clipboard").await;
    assert_eq!(browser.too_wide_by().await, 0);
    browser.go("/wide").await;
    assert!(browser.too_wide_by().await > 300);
    assert_eq!(browser.evaluate(dark).await, true);
    browser.set_dark(false).await;
    assert_eq!(browser.evaluate(dark).await, false);
    let folder = folder();
    let picture = folder.path().join("pictures/wide.png");
    browser.screenshot(&picture).await;
    assert!(std::fs::read(&picture).unwrap().starts_with(b"\x89PNG"));
    browser.resize(1280, 900).await;
    assert_eq!(browser.too_wide_by().await, 0);
}

#[actix_web::test]
async fn keys_move_the_focus() {
    let site = Site::start().await;
    let browser = Browser::new(&site.base).await;
    browser.go("/").await;
    browser.press(thirtyfour::Key::Tab).await;
    assert_eq!(browser.driver().active_element().await.unwrap().id().await.unwrap().as_deref(), Some("label"));
    assert_eq!(browser.evaluate("return document.activeElement.id").await, "label");
}

#[actix_web::test]
async fn axe_and_the_console_find_planted_problems_and_no_others() {
    let site = Site::start().await;
    let browser = Browser::new(&site.base).await;
    browser.go("/").await;
    assert_eq!(browser.axe().await, Vec::<String>::new());
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.go("/bad").await;
    let problems = browser.axe().await;
    assert!(problems.iter().any(|line| line.starts_with("image-alt (critical): img")), "{problems:#?}");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.go("/inline").await;
    let complaints = browser.complaints().await;
    assert!(complaints.iter().any(|line| line.contains("Content Security Policy")), "{complaints:#?}");
    browser.go("/no-such-page").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[actix_web::test]
async fn a_failed_search_lists_what_is_there() {
    let site = Site::start().await;
    let base = site.base.clone();
    // In a thread of its own, as a test that panics would be.
    let test = std::thread::Builder::new().name("a_look_in_vain".to_owned());
    let test = test.spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let mut browser = Browser::new(&base).await;
            browser.patience = Duration::from_secs(1);
            browser.go("/").await;
            browser.click("Revoke").await;
        });
    });
    let outcome = actix_web::web::block(move || test.unwrap().join()).await.unwrap();
    let message = *outcome.unwrap_err().downcast::<String>().unwrap();
    assert!(message.starts_with("click “Revoke”: 2 of them") && message.contains("45 days"), "{message}");
    let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join("a_look_in_vain.png");
    assert!(picture.is_file());
    std::fs::remove_file(picture).unwrap();
}

#[actix_web::test]
async fn the_validator_finds_planted_problems_and_no_others() {
    let form = FORM.replace("{languages}", "en");
    let problems = html::validate(&[
        ("good", form.as_str()),
        (
            "bad",
            "<!DOCTYPE html>\n<html lang=\"en\"><head><title>Bad</title></head><body><p>\n<div>x</div></p></body></html>",
        ),
    ])
    .await;
    for validator in ["(nu)", "(no-implicit-close)"] {
        assert!(problems.iter().any(|line| line.starts_with("bad:") && line.ends_with(validator)), "{problems:#?}");
    }
    assert!(problems.iter().all(|line| line.starts_with("bad:")), "{problems:#?}");
}

/// Tells this program, when the test below starts it again, that it is the one to be killed.
const TO_BE_KILLED: &str = "JETON_TEST_TO_BE_KILLED";

/// A killed test process leaves no server, no browser and no folder. This test runs itself again, in a process that
/// holds everything until it is killed.
#[actix_web::test]
async fn a_killed_test_process_leaves_nothing_behind() {
    if std::env::var_os(TO_BE_KILLED).is_some() {
        return hold_everything_until_killed().await;
    }
    let temporary = folder();
    std::fs::set_permissions(temporary.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    let mut other = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "harness_works::a_killed_test_process_leaves_nothing_behind"])
        .env("TMPDIR", temporary.path())
        .env(TO_BE_KILLED, "1")
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mark = temporary.path().to_str().unwrap();
    let processes = || {
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        all.filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok())
            .filter(|line| line.contains(mark))
            .count()
    };
    let ready = temporary.path().join("ready");
    let was_ready = soon(|| ready.exists());
    let running = processes();
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(was_ready && running > 3, "Postgres and Chromium run: {running} processes");
    std::fs::remove_file(ready).unwrap();
    assert!(soon(|| processes() == 0), "processes are left");
    assert!(soon(|| std::fs::read_dir(temporary.path()).unwrap().count() == 0), "folders are left");
}

async fn hold_everything_until_killed() {
    let _db = TestDb::postgres();
    let site = Site::start().await;
    let browser = Browser::new(&site.base).await;
    browser.go("/").await;
    std::fs::write(std::env::temp_dir().join("ready"), "").unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
}

fn soon(is_so: impl Fn() -> bool) -> bool {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(60) {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}
