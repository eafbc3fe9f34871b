//! Account settings: profile, theme and password.

use super::{
    App, PublicUrl, email_changes,
    errors::WebError,
    form::{Form, Refused},
    notice::{self, Message, Notice},
    page::{page, see},
    routes::path,
    session::{self, SignedIn},
    shell::{Nav, Shell},
    texts::Texts,
    words::{Calendar, Errors},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{Uri, header::REFERER},
    web::Data,
};
use app::{account::ProfileForm, sessions::Actor};
use askama::Template;
use domain::{
    time::Timestamp,
    user::{Theme, shown_email},
};
use serde::Deserialize;

/// Returns the form as it is filled in at first.
fn filled_in(actor: &Actor) -> ProfileForm {
    let user = actor.user();
    ProfileForm {
        name: user.name.clone(),
        email: shown_email(&user.email),
        language: user.language.map(|language| language.key().to_owned()).unwrap_or_default(),
        time_zone: user.time_zone.clone(),
        theme: user.theme.key().to_owned(),
        shortcuts: if user.has_shortcuts { "yes".to_owned() } else { String::new() },
        password: None,
    }
}

/// The profile.
#[derive(Template)]
#[template(path = "account/profile.html")]
struct ProfilePage {
    shell: Shell,
    message: Option<Message>,
    /// The notice that a new e-mail address waits for confirmation.
    waits: Option<String>,
    email_hint: &'static str,
    typed: ProfileForm,
    errors: Errors,
    /// The current time in the user's zone.
    local_time: String,
    /// Zones outside the regions: UTC, and the user's own if it has an outdated name.
    loose_zones: Vec<String>,
    regions: Vec<Region>,
    themes: Vec<(&'static str, &'static str)>,
}

impl ProfilePage {
    fn new(who: &SignedIn, now: Timestamp, typed: ProfileForm) -> Self {
        let shell = who.shell(Nav::Profile);
        let regions = regions(shell.t);
        let zone = who.actor.user().time_zone.as_str();
        let mut loose_zones = vec![String::from("UTC")];
        if zone != "UTC" && !regions.iter().any(|region| region.zones.iter().any(|known| known.id == zone)) {
            loose_zones.push(zone.to_owned());
        }
        let local_time = Calendar::new(shell.t, zone, now).clock_time(now);
        let themes = Theme::ALL.into_iter().map(|theme| (theme.key(), theme_name(shell.t, theme))).collect();
        Self {
            shell,
            message: None,
            waits: None,
            email_hint: "",
            typed,
            errors: Errors::default(),
            local_time,
            loose_zones,
            regions,
            themes,
        }
    }
}

/// The time zones of one part of the world.
struct Region {
    name: &'static str,
    zones: Vec<Zone>,
}

/// A time zone: its IANA name, and the place that it is named after.
struct Zone {
    id: &'static str,
    place: String,
}

fn regions(t: Texts) -> Vec<Region> {
    let names = [
        ("Africa/", t.account_zone_africa()),
        ("America/", t.account_zone_america()),
        ("Antarctica/", t.account_zone_antarctica()),
        ("Asia/", t.account_zone_asia()),
        ("Atlantic/", t.account_zone_atlantic()),
        ("Australia/", t.account_zone_australia()),
        ("Europe/", t.account_zone_europe()),
        ("Indian/", t.account_zone_indian()),
        ("Pacific/", t.account_zone_pacific()),
    ];
    names.into_iter().map(|(prefix, name)| Region { name, zones: zones(prefix) }).collect()
}

fn zones(prefix: &str) -> Vec<Zone> {
    let ids = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    let named = ids.filter_map(|id| id.strip_prefix(prefix).map(|place| (id, place)));
    named.map(|(id, place)| Zone { id, place: place.replace('_', " ").replace('/', ", ") }).collect()
}

fn theme_name(t: Texts, theme: Theme) -> &'static str {
    match theme {
        Theme::System => t.theme_system(),
        Theme::Light => t.theme_light(),
        Theme::Dark => t.theme_dark(),
    }
}

/// `GET /account/profile`
pub async fn profile(app: App, who: SignedIn, notice: Option<Notice>) -> Result<HttpResponse, WebError> {
    let form = profile_page(&app, &who, filled_in(&who.actor)).await?;
    let t = form.shell.t;
    let message = match notice {
        Some(Notice::Saved) => Some(Message::done(t.account_profile_saved())),
        Some(Notice::EmailConfirmed) => Some(Message::done(t.email_changes_proved())),
        Some(Notice::EmailCancelled) => Some(Message::done(t.email_changes_cancelled())),
        _ => None,
    };
    page(&ProfilePage { message, ..form })
}

async fn profile_page(app: &App, who: &SignedIn, typed: ProfileForm) -> Result<ProfilePage, WebError> {
    let now = app.clock().now();
    let waits = app::email_changes::waiting(app, &who.actor).await?;
    let user = who.actor.user();
    let waits = waits.map(|change| {
        let t = who.t();
        let until = Calendar::new(t, &user.time_zone, now).exact(change.expires_at);
        t.email_changes_waits(change.email, &user.email, until)
    });
    let form = ProfilePage::new(who, now, typed);
    let t = form.shell.t;
    let email_hint =
        if app.sends_mail() { t.account_profile_email_hint_proof() } else { t.account_profile_email_hint() };
    Ok(ProfilePage { waits, email_hint, ..form })
}

/// `POST /account/profile`
///
/// # Errors
/// When the database fails, or with too many wrong passwords or new addresses.
pub async fn change_profile(
    app: App,
    url: Data<PublicUrl>,
    who: SignedIn,
    Form(typed): Form<ProfileForm>,
) -> Result<HttpResponse, WebError> {
    let compose = email_changes::compose(who.t(), &url);
    match app::account::change_profile(&app, &who.actor, typed.clone(), who.source.clone(), compose).await {
        // If a new e-mail address waits for confirmation, the page says so itself.
        Ok(_) => Ok(notice::see(path::PROFILE, &Notice::Saved)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let form = profile_page(&app, &who, typed).await?;
            let errors = Errors::new(form.shell.t, &refused.problems);
            refused.page(&ProfilePage { errors, ..form })
        }
    }
}

/// What the theme switch in the menu sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TypedTheme {
    theme: String,
}

/// `POST /account/theme`: then back to the page where the switch was used.
///
/// # Errors
/// When there is no such theme.
pub async fn change_theme(
    app: App,
    who: SignedIn,
    request: HttpRequest,
    Form(typed): Form<TypedTheme>,
) -> Result<HttpResponse, WebError> {
    app::account::change_theme(&app, &who.actor, &typed.theme).await?;
    Ok(see(&page_before(&request)))
}

/// Returns the path of the page that a request was made from. The page that shows a key has the address of the list,
/// and leads there.
fn page_before(request: &HttpRequest) -> String {
    let referer = request.headers().get(REFERER).and_then(|referer| referer.to_str().ok());
    let uri = referer.and_then(|referer| referer.parse::<Uri>().ok());
    let path = uri.as_ref().and_then(|uri| uri.path_and_query()).map_or(path::PROFILE, |path| path.as_str());
    session::safe_next(path).to_owned()
}

/// What was typed into the password form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TypedPassword {
    password: String,
    new_password: String,
}

/// The password form.
#[derive(Template)]
#[template(path = "account/security.html")]
struct SecurityPage {
    shell: Shell,
    message: Option<Message>,
    errors: Errors,
    email: String,
}

impl SecurityPage {
    fn new(who: &SignedIn) -> Self {
        let email = who.actor.user().email.clone();
        Self { shell: who.shell(Nav::Security), message: None, errors: Errors::default(), email }
    }
}

/// `GET /account/security`
///
/// # Errors
/// When the page cannot be rendered.
pub async fn security(who: SignedIn, notice: Option<Notice>) -> Result<HttpResponse, WebError> {
    let form = SecurityPage::new(&who);
    let message = (notice == Some(Notice::Saved)).then(|| Message::done(form.shell.t.account_security_saved()));
    page(&SecurityPage { message, ..form })
}

/// `POST /account/security`
///
/// # Errors
/// When the database fails, or with too many wrong passwords.
pub async fn change_password(
    app: App,
    who: SignedIn,
    Form(typed): Form<TypedPassword>,
) -> Result<HttpResponse, WebError> {
    match app::account::change_password(&app, &who.actor, typed.password, typed.new_password, who.source.clone()).await
    {
        Ok(()) => Ok(notice::see(path::SECURITY, &Notice::Saved)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let form = SecurityPage::new(&who);
            let errors = Errors::new(form.shell.t, &refused.problems);
            refused.page(&SecurityPage { errors, ..form })
        }
    }
}
