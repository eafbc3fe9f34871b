//! A person at a browser: Debian's headless Chromium, through one chromedriver for the test process. Starting Chromium
//! takes longer than most tests, so the next test with the same language reuses the browser of a test that has passed,
//! in a new tab, without cookies, cache and console.
//!
//! Every check polls until it finds what a person would wait for; on timeout it panics with the content of the page and
//! saves a screenshot in `target/tmp/`. Texts are compared with every kind of space as a plain one, so a test can write
//! «Révoquer ?» as it is typed. The browser of a test that panics closes; the others close with the test process, even
//! when it is killed. They can only reach loopback addresses.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::error::WebDriverResult;
use thirtyfour::{ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver, WebElement};

use super::guardian::Guardian;

/// chromedriver chooses a free port and prints it. It runs in a session of its own, so everything that it starts can be
/// stopped by the session's id; what Chromium writes to the home folder or to /tmp goes into the folder.
const START: &str = r#"
mkdir "$folder/home" "$folder/tmp" "$folder/profiles"
HOME="$folder/home" TMPDIR="$folder/tmp" XDG_CONFIG_HOME= XDG_CACHE_HOME= XDG_DATA_HOME= DISPLAY= \
    setsid "$1" --port=0 </dev/null >"$folder/log" 2>&1 &
stop="kill -s KILL -- -$!; wait $!"
"#;

struct Driver {
    url: String,
    guardian: Guardian,
}

impl Driver {
    fn start() -> Result<Driver, String> {
        let program = program("chromedriver").ok_or("chromedriver is not installed; ./test installs it")?;
        let guardian = Guardian::start(START, &[program.as_os_str()])?;
        let started = Instant::now();
        loop {
            let log = guardian.log();
            let port = log.split_once("started successfully on port ").and_then(|(_, rest)| rest.split_once('.'));
            if let Some((port, _)) = port {
                return Ok(Driver { url: format!("http://127.0.0.1:{port}"), guardian });
            }
            if started.elapsed() > Duration::from_secs(30) {
                return Err(format!("chromedriver does not start: {log}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn get() -> &'static Driver {
        static DRIVER: OnceLock<Result<Driver, String>> = OnceLock::new();
        match DRIVER.get_or_init(Driver::start) {
            Ok(driver) => driver,
            Err(error) => panic!("{error}"),
        }
    }
}

fn program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// What kind of person, with what kind of screen.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// Whether the page's own scripts run.
    pub javascript: bool,
    /// The preferred language in `Accept-Language`: `en` or `fr`.
    pub language: &'static str,
    /// Whether the system is set to dark.
    pub dark: bool,
    /// Width and height of the page's window, in CSS pixels.
    pub size: (u32, u32),
    /// Whether the browser has the clipboard API, which is missing at a plain-HTTP address in a local network.
    pub clipboard: bool,
    /// The local port to which the browser resolves `http://jeton.test`, a plain-HTTP address in a local network.
    pub jeton_test: Option<u16>,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup { javascript: true, language: "en", dark: false, size: (1280, 900), clipboard: true, jeton_test: None }
    }
}

/// A Chromium with a profile of its own, which tests use one after another.
struct Chromium {
    driver: WebDriver,
    profile: TempDir,
    language: &'static str,
}

/// Browsers of tests that have passed.
static IDLE: Mutex<Vec<Chromium>> = Mutex::new(Vec::new());

impl Chromium {
    /// Returns an idle browser for this setup if there is one, otherwise a new one.
    async fn get(setup: Setup) -> Chromium {
        if setup.jeton_test.is_none()
            && let Some(chromium) = Chromium::idle(setup.language)
        {
            match chromium.forget().await {
                Ok(()) => return chromium,
                Err(error) => eprintln!("a browser cannot be used again: {error}"),
            }
            chromium.close();
        }
        Chromium::start(setup).await
    }

    fn idle(language: &str) -> Option<Chromium> {
        let mut idle = IDLE.lock().expect("no test fails in there");
        let index = idle.iter().position(|chromium| chromium.language == language)?;
        Some(idle.swap_remove(index))
    }

    async fn start(setup: Setup) -> Chromium {
        let service = Driver::get();
        let profile = TempDir::new_in(service.guardian.folder().join("profiles")).expect("a folder for the profile");
        let driver = open(service, profile.path(), setup).await.expect("Chromium starts");
        Chromium { driver, profile, language: setup.language }
    }

    /// Removes everything of the previous test: settings for its tabs go with the tabs.
    async fn forget(&self) -> WebDriverResult<()> {
        let tabs = self.driver.windows().await?;
        let new = self.driver.new_tab().await?;
        for tab in tabs {
            self.driver.switch_to_window(tab).await?;
            self.driver.close_window().await?;
        }
        self.driver.switch_to_window(new).await?;
        for command in ["Network.clearBrowserCookies", "Network.clearBrowserCache", "Browser.resetPermissions"] {
            self.driver.cdp().send_raw(command, ()).await?;
        }
        self.driver.browser_log().await.map(drop)
    }

    /// Closes it, waits until it has closed, and returns its folder. This does not use thirtyfour, which would need the
    /// thread that is waiting.
    fn close(self) -> TempDir {
        let close = || -> std::io::Result<()> {
            let address = Driver::get().url.trim_start_matches("http://").to_owned();
            let mut connection = std::net::TcpStream::connect(&address)?;
            connection.set_read_timeout(Some(Duration::from_secs(20)))?;
            let session = self.driver.session_id();
            write!(connection, "DELETE /session/{session} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
            // The answer comes when the browser has closed; chromedriver keeps the connection open afterwards.
            connection.read(&mut [0; 1024]).map(drop)
        };
        if let Err(error) = close() {
            eprintln!("a browser does not close: {error}");
        }
        // Tells thirtyfour that it has been closed.
        let _ = self.driver.leak();
        self.profile
    }
}

/// One open browser.
pub struct Browser {
    /// Present until it is closed.
    chromium: Option<Chromium>,
    base: String,
    javascript: bool,
    is_reusable: bool,
    /// How long a check waits.
    pub patience: Duration,
}

impl Browser {
    /// Opens a browser with JavaScript, English and the light theme, for the server at `base` (such as
    /// `http://127.0.0.1:1234`).
    pub async fn new(base: &str) -> Browser {
        Browser::with(base, Setup::default()).await
    }

    /// Like [`Browser::new`], with JavaScript switched off in its settings.
    pub async fn without_javascript(base: &str) -> Browser {
        Browser::with(base, Setup { javascript: false, ..Setup::default() }).await
    }

    /// Opens a browser with this setup.
    pub async fn with(base: &str, setup: Setup) -> Browser {
        let browser = Browser {
            chromium: Some(Chromium::get(setup).await),
            base: base.trim_end_matches('/').to_owned(),
            javascript: setup.javascript,
            is_reusable: setup.jeton_test.is_none(),
            patience: Duration::from_secs(30),
        };
        browser.prepare(setup).await.expect("Chromium takes its settings");
        browser
    }

    /// Closes it, and returns the folder in which it kept everything.
    pub fn close(mut self) -> TempDir {
        self.chromium.take().expect("a browser closes once").close()
    }

    async fn prepare(&self, setup: Setup) -> WebDriverResult<()> {
        self.system_is_dark(setup.dark).await?;
        self.resize(setup.size.0, setup.size.1).await;
        self.page_scripts(setup.javascript).await?;
        let cdp = self.driver().cdp();
        // From now on, answers are kept for `sent`.
        cdp.send_raw("Network.enable", ()).await?;
        if setup.clipboard {
            let permissions = json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
            cdp.send_raw("Browser.grantPermissions", permissions).await?;
        } else {
            let script = json!({ "source": "delete Navigator.prototype.clipboard" });
            cdp.send_raw("Page.enable", ()).await?;
            cdp.send_raw("Page.addScriptToEvaluateOnNewDocument", script).await?;
        }
        Ok(())
    }

    async fn page_scripts(&self, run: bool) -> WebDriverResult<()> {
        let value = json!({ "value": !run });
        self.driver().cdp().send_raw("Emulation.setScriptExecutionDisabled", value).await.map(drop)
    }

    async fn system_is_dark(&self, dark: bool) -> WebDriverResult<()> {
        let scheme = if dark { "dark" } else { "light" };
        // No animations: checks and screenshots see the page at rest.
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.driver().cdp().send_raw("Emulation.setEmulatedMedia", features).await.map(drop)
    }

    /// Switches the system between light and dark while the page is open.
    pub async fn set_dark(&self, dark: bool) {
        self.system_is_dark(dark).await.expect("the colour scheme changes");
    }

    /// Changes the size of the page's window.
    pub async fn resize(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.driver().cdp().send_raw("Emulation.setDeviceMetricsOverride", metrics).await.expect("the window changes");
    }

    /// Returns thirtyfour's own handle, for anything that has no method here.
    pub fn driver(&self) -> &WebDriver {
        &self.chromium.as_ref().expect("it is open").driver
    }

    /// Opens a path of the server (or a whole URL), and waits until it is loaded.
    pub async fn go(&self, path: &str) {
        let url = if path.starts_with('/') { format!("{}{path}", self.base) } else { path.to_owned() };
        if let Err(error) = self.driver().goto(&url).await {
            self.give_up(&format!("“{url}” does not open: {error}")).await;
        }
    }

    /// Presses the *back* button.
    pub async fn back(&self) {
        self.driver().back().await.expect("the browser goes back");
    }

    /// Presses the *forward* button.
    pub async fn forward(&self) {
        self.driver().forward().await.expect("the browser goes forward");
    }

    /// Opens a second tab and continues in it, with JavaScript.
    pub async fn open_tab(&self) {
        let tab = self.driver().new_tab().await.expect("a tab opens");
        self.driver().switch_to_window(tab).await.expect("the tab comes to the front");
    }

    /// Sets a cookie of the server.
    pub async fn takes_cookie(&self, name: &str, value: &str) {
        let cookie = json!({ "url": self.base, "name": name, "value": value, "httpOnly": true, "sameSite": "Lax" });
        self.driver().cdp().send_raw("Network.setCookie", cookie).await.expect("the cookie is taken");
    }

    /// Reloads the page.
    pub async fn reload(&self) {
        self.driver().refresh().await.expect("the page loads again");
    }

    /// Returns the address of the page without that of the server.
    pub async fn path(&self) -> String {
        let url = self.driver().current_url().await.expect("the page has an address").to_string();
        url.strip_prefix(&self.base).map(str::to_owned).unwrap_or(url)
    }

    /// Waits until the address is `path`.
    pub async fn is_at(&self, path: &str) {
        self.wait(&format!("the address {path}"), async || {
            let now = self.path().await;
            Ok(if now == path { Ok(()) } else { Err(format!("it is {now}")) })
        })
        .await;
    }

    /// Clicks the only visible link, button, tab, menu item or summary with this text (or accessible name): the one
    /// with exactly this text, otherwise one that begins with it, otherwise one that contains it. While a modal dialog
    /// is open, it looks only in the dialog.
    pub async fn click(&self, text: &str) {
        self.click_found(text, None).await;
    }

    /// Like [`Browser::click`], in the smallest row, item, section, form or dialog that contains the text `part`.
    pub async fn click_in(&self, part: &str, text: &str) {
        self.click_found(text, Some(part)).await;
    }

    /// Double-clicks, as people do who treat every button like a desktop icon.
    pub async fn double_click(&self, text: &str) {
        self.act("click", text, None, async |element| {
            self.driver()
                .action_chain_with_delay(Some(Duration::ZERO), Some(Duration::ZERO))
                .double_click_element(&element)
                .perform()
                .await
                .map(Ok)
        })
        .await;
    }

    async fn click_found(&self, text: &str, part: Option<&str>) {
        self.act("click", text, part, async |element| element.click().await.map(Ok)).await;
    }

    /// Replaces the content of the field with this label. In a select, chooses the option with the text.
    pub async fn fill(&self, label: &str, value: &str) {
        self.act("field", label, None, async |field| {
            if field.tag_name().await? == "select" {
                let script = "const [field, wanted] = arguments, plain = (t) => t.replace(/\\s+/g, ' ').trim();
                    const option = [...field.options].find((o) => plain(o.text) === plain(wanted))
                        || [...field.options].find((o) => plain(o.text).startsWith(plain(wanted)));
                    if (!option) return [...field.options].map((o) => plain(o.text)).join(' | ');
                    field.value = option.value;
                    field.dispatchEvent(new Event('input', { bubbles: true }));
                    field.dispatchEvent(new Event('change', { bubbles: true }));
                    return null;";
                let missing = self.script(script, vec![field.to_json()?, json!(value)]).await?;
                return Ok(match missing.as_str() {
                    None => Ok(()),
                    Some(options) => Err(format!("it has no option “{value}”, only: {options}")),
                });
            }
            field.clear().await?;
            field.send_keys(value).await.map(Ok)
        })
        .await;
    }

    /// Selects the radio button or checks the box with this label, if it is not selected yet.
    pub async fn choose(&self, label: &str) {
        self.set_chosen(label, true).await;
    }

    /// Unchecks the box with this label.
    pub async fn unchoose(&self, label: &str) {
        self.set_chosen(label, false).await;
    }

    async fn set_chosen(&self, label: &str, chosen: bool) {
        self.act("field", label, None, async |field| {
            if field.is_selected().await? == chosen {
                return Ok(Ok(()));
            }
            // If the label is drawn over a hidden input, a person clicks the label.
            let script = "const [field] = arguments; field.scrollIntoView({ block: 'center' });
                const box = field.getBoundingClientRect();
                const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
                return hit === field ? field : [...field.labels].find((label) => label.getClientRects().length) ?? field;";
            let target = self.script(script, vec![field.to_json()?]).await?;
            WebElement::from_json(target, field.handle().clone())?.click().await?;
            let now = field.is_selected().await?;
            Ok(if now == chosen { Ok(()) } else { Err("it keeps its state".to_owned()) })
        })
        .await;
    }

    /// Returns the value of the field with this label; for a checkbox or radio button `true` or `false`.
    pub async fn value(&self, label: &str) -> String {
        let script = "const f = arguments[0]; return /^(checkbox|radio)$/.test(f.type) ? String(f.checked)
            : f.tagName === 'SELECT' ? f.selectedOptions[0]?.text.trim() ?? '' : f.value";
        let value = std::cell::RefCell::new(String::new());
        self.act("field", label, None, async |field| {
            let found = self.script(script, vec![field.to_json()?]).await?;
            found.as_str().unwrap_or_default().clone_into(&mut value.borrow_mut());
            Ok(Ok(()))
        })
        .await;
        value.into_inner()
    }

    /// Presses keys where the focus is: text, or `thirtyfour::Key`s.
    pub async fn press(&self, keys: impl Into<thirtyfour::TypingData>) {
        let focused = self.driver().active_element().await.expect("something has the focus");
        focused.send_keys(keys).await.expect("keys are pressed");
    }

    /// Waits until the page shows the text. It ignores the content of fields: see [`Browser::value`].
    pub async fn sees(&self, text: &str) {
        self.wait(&format!("“{text}”"), async || {
            Ok(if plain(&self.read().await?).contains(&plain(text)) {
                Ok(())
            } else {
                Err("it is not there".to_owned())
            })
        })
        .await;
    }

    /// Waits until the page does not show the text, or no longer shows it.
    pub async fn sees_no(&self, text: &str) {
        self.wait(&format!("no “{text}”"), async || {
            Ok(if plain(&self.read().await?).contains(&plain(text)) { Err("it is there".to_owned()) } else { Ok(()) })
        })
        .await;
    }

    /// Returns the text that the page shows, in lines, with every kind of space as a plain one.
    pub async fn text(&self) -> String {
        self.read().await.expect("the page has a text").lines().map(plain).collect::<Vec<_>>().join("\n")
    }

    /// Returns the current page as HTML.
    pub async fn html(&self) -> String {
        self.driver().source().await.expect("the page has a source")
    }

    /// Returns the page as the server sent it, byte for byte.
    pub async fn sent(&self) -> String {
        let cdp = self.driver().cdp();
        let tree = cdp.send_raw("Page.getFrameTree", ()).await.expect("the page is in a frame");
        let request = json!({ "requestId": tree["frameTree"]["frame"]["loaderId"] });
        let answer = cdp.send_raw("Network.getResponseBody", request).await.expect("the answer is kept");
        answer["body"].as_str().unwrap_or_default().to_owned()
    }

    /// Returns the current page as HTML if scripts have changed what the server sent.
    pub async fn changed(&self, sent: &str) -> Option<String> {
        let script = "const sent = new DOMParser().parseFromString(arguments[0], 'text/html');
            return sent.documentElement.outerHTML !== document.documentElement.outerHTML";
        let is_changed = self.script(script, vec![json!(sent)]).await.expect("the script runs");
        if is_changed == true { Some(self.html().await) } else { None }
    }

    /// Returns the title of the page.
    pub async fn title(&self) -> String {
        self.driver().title().await.expect("the page has a title")
    }

    /// Runs a script in the page, even if the page's own scripts are off, and returns its result.
    pub async fn evaluate(&self, script: &str) -> Value {
        self.script(script, Vec::new()).await.expect("the script runs")
    }

    /// Waits until the script returns true, in this page or in the next one.
    pub async fn until(&self, script: &str) {
        self.wait(script, async || match self.script(script, Vec::new()).await? {
            Value::Bool(true) => Ok(Ok(())),
            other => Ok(Err(format!("it returns {other}"))),
        })
        .await;
    }

    /// Returns the content of the clipboard.
    pub async fn clipboard(&self) -> String {
        let script =
            "const done = arguments[0]; navigator.clipboard.readText().then(done, (e) => done('cannot be read: ' + e))";
        let text = self.driver().execute_async(script, Vec::new()).await.expect("the clipboard is read");
        text.json().as_str().unwrap_or_default().to_owned()
    }

    /// Returns by how many CSS pixels the page is wider than its window: 0 if no horizontal scrolling is needed.
    pub async fn too_wide_by(&self) -> i64 {
        self.evaluate("const d = document.scrollingElement; return d.scrollWidth - innerWidth")
            .await
            .as_i64()
            .unwrap_or(0)
            .max(0)
    }

    /// Saves a screenshot of the whole page, as PNG. Folders are created.
    pub async fn screenshot(&self, path: impl AsRef<Path>) {
        let path = path.as_ref();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).expect("a folder for pictures");
        }
        self.picture(path).await.expect("a picture of the page");
    }

    async fn picture(&self, path: &Path) -> WebDriverResult<()> {
        // The window is enlarged to the page for the screenshot: capturing beyond the window leaves sticky parts where
        // they were.
        let size =
            self.script("return [innerWidth, innerHeight, document.documentElement.scrollHeight]", Vec::new()).await?;
        let [width, height, whole] = [0, 1, 2].map(|index| size[index].as_u64().unwrap_or(800) as u32);
        self.resize(width, whole.clamp(height, 8000)).await;
        let taken = self.driver().screenshot(path).await;
        self.resize(width, height).await;
        taken
    }

    /// Returns the findings of axe-core for the current page, one line for each element, best practices included.
    /// axe-core needs timers, so scripts may run during the check even without JavaScript; the page's own scripts were
    /// left out when it was parsed, and stay out.
    pub async fn axe(&self) -> Vec<String> {
        static AXE: OnceLock<String> = OnceLock::new();
        let source = AXE.get_or_init(|| {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("node_modules/axe-core/axe.min.js");
            std::fs::read_to_string(file).expect("axe-core is not installed; ./test installs it")
        });
        if !self.javascript {
            self.page_scripts(true).await.expect("scripts can be switched on");
        }
        self.script(source.as_str(), Vec::new()).await.expect("axe-core loads");
        let script = "const done = arguments[0];
            axe.run(document, { resultTypes: ['violations'] }).then((result) => done(result.violations.flatMap((rule) =>
                rule.nodes.map((node) => `${rule.id} (${node.impact}): ${node.target.join(' ')}: ${node.failureSummary.replace(/\\s+/g, ' ')} ${node.html.slice(0, 200)}`))),
                (error) => done(['axe-core failed: ' + error]))";
        let found = self.driver().execute_async(script, Vec::new()).await.expect("axe-core runs");
        if !self.javascript {
            self.page_scripts(false).await.expect("scripts can be switched off");
        }
        let lines = found.json().as_array().expect("axe-core gives a list");
        lines.iter().map(|line| line.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Returns everything that the browser has written to its console since the last call, as `LEVEL source: message`.
    pub async fn console(&self) -> Vec<String> {
        let entries = self.driver().browser_log().await.expect("the console is read");
        entries
            .into_iter()
            .map(|entry| format!("{} {}: {}", entry.level, entry.source.unwrap_or_default(), entry.message))
            .collect()
    }

    /// Returns the warnings and errors in [`Browser::console`]: broken scripts, refusals by the content security
    /// policy, missing assets. A page with an error status (such as a 422 form) does not count.
    pub async fn complaints(&self) -> Vec<String> {
        let mut lines = self.console().await;
        lines.retain(|line| {
            let serious = line.starts_with("SEVERE") || line.starts_with("WARNING");
            let status_of_a_page = line.contains("the server responded with a status of") && !line.contains("/static/");
            // Chromium's own pages, such as its new tab, are not ours to fix.
            let of_the_browser = line.contains(" chrome://");
            serious && !status_of_a_page && !of_the_browser
        });
        lines
    }

    async fn script(&self, script: &str, arguments: Vec<Value>) -> WebDriverResult<Value> {
        Ok(self.driver().execute(script, arguments).await?.json().clone())
    }

    async fn read(&self) -> WebDriverResult<String> {
        let text = self.script("return document.body ? document.body.innerText : ''", Vec::new()).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Finds an element with `page.js` and acts on it, repeatedly until that succeeds.
    async fn act(
        &self,
        kind: &str,
        text: &str,
        part: Option<&str>,
        action: impl AsyncFn(WebElement) -> WebDriverResult<Result<(), String>>,
    ) {
        let place = part.map(|part| format!(" in “{part}”")).unwrap_or_default();
        self.wait(&format!("{kind} “{text}”{place}"), async || {
            let found = self.script(include_str!("page.js"), vec![json!(kind), json!(text), json!(part)]).await?;
            match found["error"].as_str() {
                Some(error) => Ok(Err(error.to_owned())),
                None => action(WebElement::from_json(found["element"].clone(), self.driver().handle().clone())?).await,
            }
        })
        .await;
    }

    /// Retries until it succeeds. Errors of the driver count as "not yet": an element may go stale between two
    /// commands.
    async fn wait(&self, what: &str, attempt: impl AsyncFn() -> WebDriverResult<Result<(), String>>) {
        let started = Instant::now();
        loop {
            let why = match attempt().await {
                Ok(Ok(())) => return,
                Ok(Err(why)) => why,
                Err(error) => error.to_string(),
            };
            if started.elapsed() > self.patience {
                self.give_up(&format!("{what}: {why}")).await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn give_up(&self, what: &str) -> ! {
        let test = std::thread::current().name().unwrap_or("test").replace("::", "-");
        let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.png"));
        let taken = match self.picture(&picture).await {
            Ok(()) => picture.display().to_string(),
            Err(error) => format!("none: {error}"),
        };
        let text = self.read().await.unwrap_or_default();
        panic!("{what}\npicture: {taken}\nat {}:\n{text}", self.path().await);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let Some(chromium) = self.chromium.take() else { return };
        if self.is_reusable && !std::thread::panicking() {
            IDLE.lock().expect("no test fails in there").push(chromium);
        } else {
            drop(chromium.close());
        }
    }
}

async fn open(service: &Driver, profile: &Path, setup: Setup) -> WebDriverResult<WebDriver> {
    let mut wanted = DesiredCapabilities::chrome();
    if let Some(chromium) = program("chromium") {
        wanted.add_experimental_option("binary", chromium)?;
    }
    let profile = format!("--user-data-dir={}", profile.display());
    let language = format!("--lang={}", setup.language);
    // Only loopback addresses resolve, whatever Chromium tries to reach.
    let named = setup.jeton_test.map(|port| format!("MAP jeton.test 127.0.0.1:{port}, ")).unwrap_or_default();
    let resolver = format!(
        "--host-resolver-rules={named}MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost"
    );
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--disable-breakpad",
        "--disable-extensions",
        "--hide-scrollbars",
        "--force-color-profile=srgb",
        "--no-proxy-server",
        &resolver,
        &profile,
        &language,
    ];
    wanted.add_experimental_option("args", arguments)?;
    let languages = if setup.language == "en" { "en-US,en".to_owned() } else { format!("{},en", setup.language) };
    let settings = json!({
        "intl.accept_languages": languages,
        "credentials_enable_service": false,
        "profile.password_manager_leak_detection": false,
    });
    wanted.add_experimental_option("prefs", settings)?;
    wanted.set_browser_log_level(LoggingPrefsLogLevel::All)?;
    // A reused connection would be driven by the runtime of the test that opened it, and the next test has another one.
    WebDriver::builder(&service.url, wanted).keep_alive(false).await
}

/// Returns the text with every run of spaces of any kind as one plain space.
fn plain(text: &str) -> String {
    text.split(|letter: char| letter.is_whitespace() || letter == '\u{200b}')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
