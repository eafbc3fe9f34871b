//! Typed texts: one form of them everywhere, nothing misleading in them, and one kind of search.

use crate::harness::{
    Answer, ORG, PASSWORD, Person, TestApp, TestDb, USERS, another_key, contains, db_test, everything_stored, org,
    service::TOKENS, with_another_letter,
};
use domain::permission::BuiltInSet;

const INVENTORY: &str = org!("/integrations/inventory");
const LOG: &str = org!("/activity");

/// Returns the answers of every form with a field whose text others read, if somebody types `text` there.
async fn typed_everywhere(app: &TestApp, ann: &Person, text: &str) -> Vec<(&'static str, Answer)> {
    let token = ann.token_id("Power BI").await;
    let service = ann.service_token("Workato").await;
    let profile = [("name", text), ("email", "ann@example.org"), ("time_zone", "UTC"), ("theme", "system")];
    let address = [("name", "Orders"), ("address", &*format!("https://example.org/{text}"))];
    let rule = [
        ("name", "Orders"),
        ("address", "https://example.org/"),
        ("methods[]", "any"),
        ("path[]", &*format!("/{text}")),
        ("needs[]", "read"),
        ("permission[]", ""),
    ];
    let link = ann.invites("leo@example.org", "Reader").await;
    vec![
        ("label", ann.asks_for_token(text, "read", "45").await),
        ("service user", ann.asks_for_service_token(text, "45", &["templates.view"]).await),
        ("other name", ann.changes(&service, "name", &[("name", text)]).await),
        (
            "permission set",
            ann.post(&format!("{ORG}/permission-sets"), &[("name", text), ("permission", "assets.view")]).await,
        ),
        ("protected API", ann.post(&format!("{ORG}/integrations/apis"), &[("name", text), address[1]]).await),
        ("group", ann.post(&format!("{ORG}/groups"), &[("name", text)]).await),
        ("site", ann.post(&format!("{ORG}/sites"), &[("name", text)]).await),
        ("external id", ann.post(&format!("{USERS}/1/external-id"), &[("external_id", text)]).await),
        ("address", ann.post(&format!("{ORG}/integrations/apis"), &address).await),
        ("rule", ann.post(&format!("{ORG}/integrations/apis"), &rule).await),
        ("reason", ann.post(&format!("{INVENTORY}/{token}/revocation"), &[("reason", text)]).await),
        ("person", ann.post("/account/profile", &profile).await),
        (
            "organization",
            ann.post(
                &format!("{ORG}/settings"),
                &[("organization", text), ("slug", "x"), ("before", "Croix-Bleue Sahel")],
            )
            .await,
        ),
        ("new organization", ann.post("/organizations/new", &[("organization", text), ("slug", "other")]).await),
        ("new person", app.browser("Leo").post(&link, &[("name", text), ("new_password", PASSWORD)]).await),
        ("invitation", ann.asks_to_invite(&format!("{text}@example.org"), "Reader").await),
    ]
}

async fn with_tokens(db: crate::harness::TestDb) -> (TestApp, Person, String, String) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let personal = ann.makes_token("Power BI").await;
    let service = ann.makes_service_token("Workato").await;
    (app, ann, personal, service)
}

#[db_test]
async fn no_field_accepts_invisible_or_misleading_characters(db: TestDb) {
    let (app, ann, ..) = with_tokens(db).await;
    for (text, words) in [
        ("\u{200b}\u{2060}", ""),
        ("\u{3164}", ""),
        ("\u{2800} \u{ad}", ""),
        ("a\u{0}b", ""),
        ("Power\u{202e}BI", "an invisible character (U+202E)"),
        ("Power\u{200b}BI", "an invisible character (U+200B)"),
        ("\u{feff}Power", "an invisible character (U+FEFF)"),
        ("a\u{e0041}b", "an invisible character (U+E0041)"),
    ] {
        for (field, answer) in typed_everywhere(&app, &ann, text).await {
            if field == "rule" {
                continue;
            }
            assert_eq!(answer.status, 422, "{field} {text:?}");
            assert!(answer.body.contains("aria-invalid=\"true\""), "{field} {text:?}");
            if field != "address" {
                answer.shows(words);
            }
        }
    }
    ann.get("/account/tokens").await.shows("1 of 10");
}

#[db_test]
async fn an_api_key_is_refused_wherever_it_would_be_stored(db: TestDb) {
    let (app, ann, key, _) = with_tokens(db).await;
    for text in [key.clone(), format!("CI={key}"), key[..40].to_owned()] {
        for (field, answer) in typed_everywhere(&app, &ann, &text).await {
            assert_eq!(answer.status, 422, "{field}");
            answer.shows("This is an API key, and others could read it here.");
        }
    }
    ann.post(
        "/account/profile",
        &[("name", "Ann"), ("email", "ann@example.org"), ("language", "fr"), ("time_zone", "UTC"), ("theme", "system")],
    )
    .await;
    ann.asks_for_token(&key, "read", "45").await.shows("Ceci est une clé API, et d’autres pourraient la lire ici.");
    // What a client calls itself is kept as well.
    let headers = [("authorization", &*format!("Bearer {key}")), ("user-agent", &*format!("cron {key}"))];
    assert_eq!(app.send("GET", "/api/v1/me", &headers, "").await.status, 200);
    app::maintenance::flush_usage(&app.jeton).await.unwrap();
    assert!(contains(&everything_stored(&app), "cron jtn_…".as_bytes()));
    for part in [&key[6..20], &key[20..38]] {
        assert!(!contains(&everything_stored(&app), part.as_bytes()), "kept");
    }
    assert_eq!(app.me(&key).await.status, 200);
}

#[db_test]
async fn equivalent_unicode_texts_are_equal(db: TestDb) {
    let (_app, ann, ..) = with_tokens(db).await;
    ann.asks_for_token(" E\u{301}quipe\u{a0} Nord ", "read", "45").await.shows("Équipe Nord");
    assert!(ann.get("/account/tokens").await.body.contains(">Équipe Nord</a>"));
    let sets = format!("{ORG}/permission-sets");
    let (apis, address) = (format!("{ORG}/integrations/apis"), ("address", "https://example.org/"));
    let set = |name: &'static str| [("name", name), ("permission", "assets.view")];
    assert_eq!(ann.post(&sets, &set("Équipe Straße")).await.status, 303);
    assert_eq!(ann.post(&apis, &[("name", "Équipe Straße"), address]).await.status, 303);
    for same in ["E\u{301}quipe Straße", "ÉQUIPE  STRASSE", "Ｅ\u{301}quipe\u{3000}strasse"] {
        ann.post(&sets, &set(same)).await.shows("This name is already taken");
        ann.post(&apis, &[("name", same), address]).await.shows("This name is already taken");
    }
    for built_in in ["ADMINISTRATOR", "Ａdministrator"] {
        ann.post(&sets, &set(built_in)).await.shows("This name is already taken");
    }
    let renamed = ann
        .post(
            &format!("{ORG}/settings"),
            &[("organization", "Ho\u{302}pital Ségou"), ("slug", ""), ("before", "Croix-Bleue Sahel")],
        )
        .await;
    assert!(renamed.header("location").starts_with("/orgs/hopital-segou/"), "{}", renamed.header("location"));
}

#[db_test]
async fn an_account_is_found_however_its_domain_is_written(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let link = ann.invites("Claire@exämple.org", "Reader").await;
    ann.get(&format!("{USERS}?q=exämple")).await.shows("Claire@exämple.org");
    ann.get(LOG).await.shows("Ann invited Claire@exämple.org");
    // What Chromium sends of the same address, and what a keyboard may.
    let again = ann.invites("claire@xn--exmple-cua.org", "Reader").await;
    assert_eq!(app.browser("Claire").get(&link).await.status, 410, "there is one invitation for one address");
    let claire = app.browser("Claire");
    claire.get(&again).await.shows("claire@exämple.org");
    assert_eq!(claire.joins(&again).await.status, 303);
    for typed in [
        "claire@exämple.org",
        "CLAIRE@EXÄMPLE.ORG",
        "claire@exa\u{308}mple.org",
        "claire@xn--exmple-cua.org",
        "claire@exämple。org",
    ] {
        let device = app.browser("Claire");
        let signed_in = device.post("/sign-in", &[("email", typed), ("password", PASSWORD)]).await;
        assert_eq!(signed_in.status, 303, "{typed}");
        device.get("/account/profile").await.shows("claire@exämple.org");
        // The mark of the browser is for the account.
        assert_eq!(
            device.post("/sign-in", &[("email", "claire@exämple.org"), ("password", PASSWORD)]).await.status,
            303
        );
        ann.asks_to_invite(typed, "Reader").await.shows("already belongs to the organization");
    }
    claire.makes_token("Of Claire").await;
    for owner in ["claire@exämple.org", "Claire@xn--exmple-cua.org", "claire"] {
        ann.get(&format!("{INVENTORY}?owner={owner}")).await.shows("Of Claire");
        ann.get(&format!("{LOG}?person={owner}")).await.shows("Claire joined");
    }
    let profile = [("name", "Claire"), ("email", "claire@exämple.org"), ("time_zone", "UTC"), ("theme", "dark")];
    app.clock.advance(11 * 60);
    assert_eq!(claire.post("/account/profile", &profile).await.status, 303, "the same address is no new one");
    let taken = [
        ("name", "Ann"),
        ("email", "claire@EXÄMPLE.org"),
        ("time_zone", "UTC"),
        ("theme", "dark"),
        ("password", PASSWORD),
    ];
    ann.post("/account/profile", &taken).await.shows("Another user already has this e-mail address");
    assert!(!contains(&everything_stored(&app), "exämple".as_bytes()), "rows have one form");
}

#[db_test]
async fn mail_goes_to_the_ascii_form_of_a_domain(db: TestDb) {
    let (app, ann, smtp) = TestApp::with_mail(db, "Ann").await;
    let link = ann.invites("claire@exämple.org", "Reader").await;
    assert_eq!(app.browser("Claire").joins(&link).await.status, 303);
    assert_eq!(app.browser("Claire").post("/sign-in/forgotten", &[("email", "CLAIRE@exämple.org")]).await.status, 303);
    for mail in smtp.mails(2).await {
        assert_eq!(mail.to, ["claire@xn--exmple-cua.org"]);
        assert!(mail.raw.is_ascii());
    }
    // What stands before the @ has no such form: only a server that speaks SMTPUTF8 takes it, and this one does
    // not.
    ann.asks_to_invite("éloïse@example.org", "Reader")
        .await
        .shows("The mail could not be sent, and Jeton does not try again");
    assert!(
        app::mail::Sender::parse("Jeton <jeton@exämple.org>")
            .is_ok_and(|sender| format!("{sender:?}").contains("xn--exmple-cua.org"))
    );
}

#[db_test]
async fn a_password_is_the_same_on_every_keyboard(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let (composed, decomposed) =
        ("un été à la mer, épuisé", "un e\u{301}te\u{301} a\u{300} la mer, e\u{301}puise\u{301}");
    let link = ann.invites("leo@example.org", "Reader").await;
    let leo = app.browser("Leo");
    assert_eq!(leo.post(&link, &[("name", "Leo"), ("new_password", decomposed)]).await.status, 303);
    for (typed, status) in
        [(composed, 303), (decomposed, 303), ("un\u{a0}été à la mer, épuisé", 303), ("un ete a la mer, epuise", 422)]
    {
        assert_eq!(app.browser("Leo").signs_in_with(typed).await.status, status, "{typed:?}");
    }
    app.clock.advance(11 * 60);
    let fields = [("password", composed), ("new_password", "another long enough sentence")];
    leo.get("/account/security").await;
    assert_eq!(leo.post("/account/security", &fields).await.status, 303, "where it is asked for again, too");
}

#[db_test]
async fn every_search_finds_names_with_and_without_accents(db: TestDb) {
    let (app, ann) = TestApp::with_user(db, "Ann").await;
    let lea = app.add_user("Lea", BuiltInSet::Reader).await;
    let name = [("name", "Léa Traoré-Œuvray"), ("email", "lea@example.org"), ("time_zone", "UTC"), ("theme", "system")];
    assert_eq!(lea.post("/account/profile", &name).await.status, 303);
    lea.makes_token("Entrepôt de Ségou").await;
    ann.makes_token("Somewhere else").await;
    ann.makes_service_token("Łódź straße").await;
    for (typed, finds_lea) in [
        ("traore-oeuvray lea", true),
        ("LÉA", true),
        ("Le\u{301}a Traore\u{301}", true),
        ("Ｔraoré", true),
        ("Ann", false),
    ] {
        let found = ann.get(&format!("{USERS}?q={typed}")).await;
        assert_eq!(found.body.contains("Léa Traoré"), finds_lea, "{typed}");
    }
    for typed in ["léa traoré-œuvray", "LEA TRAORE-OEUVRAY", "Le\u{301}a Traore\u{301}-Œuvray", "lea@example.org"] {
        let (tokens, log) =
            (ann.get(&format!("{INVENTORY}?owner={typed}")).await, ann.get(&format!("{LOG}?person={typed}")).await);
        tokens.shows("Entrepôt");
        assert!(!tokens.text().contains("Somewhere else"), "{typed}");
        log.shows("Léa Traoré-Œuvray created the token");
    }
    for (typed, found) in [("entrepot", true), ("SEGOU ENTREPÔT", true), ("Se\u{301}gou", true), ("segou x", false)] {
        let list = ann.get(&format!("{INVENTORY}?search={typed}")).await;
        assert_eq!(
            (list.text().contains("Entrepôt de Ségou"), list.text().contains("Somewhere")),
            (found, false),
            "{typed}"
        );
    }
    for (typed, found) in [("lodz", true), ("STRASSE łódź", true), ("Ło\u{301}dz", true), ("segou", false)] {
        for path in [TOKENS, INVENTORY] {
            let list = ann.get(&format!("{path}?search={typed}")).await;
            assert_eq!(list.text().contains("Łódź straße"), found, "{path} {typed}");
        }
    }
    for long in ["_".repeat(40_000), "%25".repeat(10_000), "\u{fdfa}".repeat(3_000)] {
        for path in [INVENTORY, TOKENS] {
            assert_eq!(ann.get(&format!("{path}?search={long}")).await.status, 200, "{path}");
        }
    }
    ann.changes(&ann.service_token("Łódź straße").await, "name", &[("name", "Kraków")]).await;
    ann.get(&format!("{INVENTORY}?search=krakow")).await.shows("Kraków");
}

/// Returns where a search leads for the key of the personal token, and for that of the service token.
async fn found_by_key(ann: &Person) -> (String, String) {
    (format!("{INVENTORY}?search={}", ann.token_id("Power BI").await), ann.service_token("Workato").await)
}

#[db_test]
async fn searching_for_a_key_finds_its_token_without_the_key_in_an_address(db: TestDb) {
    let (_app, ann, personal, service) = with_tokens(db).await;
    let (of_personal, of_service) = found_by_key(&ann).await;
    let users = format!("{USERS}/search");
    let (tokens, inventory, log) = (format!("{TOKENS}/search"), format!("{INVENTORY}/search"), format!("{LOG}/search"));
    for (key, found, label) in [(&personal, &of_personal, "Power BI"), (&service, &of_service, "Workato")] {
        for typed in [key.clone(), format!(" Bearer {key}\r\n"), format!("\"{key}\",")] {
            for (path, field) in [
                (&inventory, "search"),
                (&inventory, "owner"),
                (&tokens, "search"),
                (&users, "q"),
                (&log, "token"),
                (&log, "person"),
            ] {
                let answer = ann.post(path, &[(field, &typed)]).await;
                assert_eq!((answer.status, answer.header("location")), (303, found.as_str()), "{path} {field}");
                assert_eq!(answer.header("cache-control"), "no-store");
            }
        }
        ann.get(found).await.shows(label);
    }
}

#[db_test]
async fn an_address_with_a_key_in_it_leads_to_its_token(db: TestDb) {
    let (_app, ann, personal, service) = with_tokens(db).await;
    let (of_personal, of_service) = found_by_key(&ann).await;
    for (key, found) in [(&personal, &of_personal), (&service, &of_service)] {
        for page in [
            format!("{INVENTORY}?search={key}"),
            format!("{USERS}?q={key}&state=active"),
            format!("{LOG}?person=%20{key}"),
        ] {
            let answer = ann.get(&page).await;
            assert_eq!((answer.status, answer.header("location")), (303, found.as_str()), "{page}");
            assert_eq!((answer.header("cache-control"), answer.body.as_str()), ("no-store", ""));
        }
    }
}

#[db_test]
async fn htmx_is_led_to_the_token_of_a_key(db: TestDb) {
    let (_app, ann, personal, _) = with_tokens(db).await;
    let (of_personal, _) = found_by_key(&ann).await;
    let htmx = [
        ("hx-request", "true"),
        ("hx-target", "div#inventory"),
        ("sec-fetch-site", "same-origin"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let csrf = ann.get(INVENTORY).await.field("csrf").unwrap();
    let typed = format!("csrf={csrf}&search={personal}");
    let part = ann.request("POST", &format!("{INVENTORY}/search"), &htmx, typed).await;
    assert_eq!((part.status, part.header("hx-redirect"), part.body.as_str()), (200, of_personal.as_str(), ""));
}

#[db_test]
async fn a_search_for_an_unknown_key_says_that_no_token_has_it(db: TestDb) {
    let (_app, ann, personal, _) = with_tokens(db).await;
    for unknown in [another_key(), personal[..40].to_owned(), with_another_letter(&personal, 43)] {
        for path in [INVENTORY, TOKENS, LOG] {
            let answer = ann.post(&format!("{path}/search"), &[("search", &unknown), ("token", &unknown)]).await;
            assert_eq!(answer.header("location"), format!("{path}?notice=unknown-key"));
            ann.get(answer.header("location"))
                .await
                .shows("No token of this organization has the API key that you searched for.");
        }
        let answer = ann.post(&format!("{USERS}/search"), &[("q", &unknown)]).await;
        assert_eq!(answer.header("location"), format!("{USERS}?notice=unknown-key"));
        ann.get(answer.header("location")).await.shows("That was an API key.");
    }
}

#[db_test]
async fn a_search_for_the_key_of_a_foreign_token_does_not_find_it(db: TestDb) {
    let (app, _ann, personal, _) = with_tokens(db).await;
    let eve = app.add_organization("elsewhere", "Eve").await;
    let there = "/orgs/elsewhere/integrations/inventory";
    eve.get(there).await;
    assert_eq!(
        eve.post(&format!("{there}/search"), &[("search", &personal)]).await.header("location"),
        format!("{there}?notice=unknown-key")
    );
}

#[db_test]
async fn a_search_for_a_key_leads_users_only_to_what_they_may_see(db: TestDb) {
    let (app, ann, personal, _) = with_tokens(db).await;
    let id = ann.token_id("Power BI").await;
    let (users, log) = (format!("{USERS}/search"), format!("{LOG}/search"));
    for (name, permission, path, field, led) in [
        ("Guard", "platform.users", &users, "q", format!("{USERS}?notice=unknown-key")),
        ("Auditor", "platform.activity", &log, "token", format!("{LOG}?token={id}")),
    ] {
        let person = app.add_user(name, BuiltInSet::Reader).await;
        assert_eq!(
            ann.post(&format!("{ORG}/permission-sets"), &[("name", name), ("permission", permission)]).await.status,
            303
        );
        let page = ann.page_of(name).await;
        let (number, before) = (ann.set_number(name).await, ann.get(&page).await.field("before").unwrap());
        let given =
            ann.post(&format!("{page}/permission-set"), &[("permission_set", &number), ("before", &before)]).await;
        assert_eq!(given.status, 303, "{}", given.text());
        person.get(path.trim_end_matches("/search")).await;
        assert_eq!(person.post(path, &[(field, &personal)]).await.header("location"), led, "{name}");
    }
}

#[db_test]
async fn no_page_repeats_a_key_from_its_address(db: TestDb) {
    let (app, ann, key, _) = with_tokens(db).await;
    let visitor = app.browser("Visitor");
    for page in [
        format!("{INVENTORY}?search={key}"),
        format!("/account/tokens?x={key}&y=1"),
        format!("{LOG}?person={}", key.replace("jtn_", "%6Atn%5F")),
    ] {
        let sent_away = visitor.get(&page).await;
        let path = page.split('?').next().unwrap().replace('/', "%2F");
        assert_eq!(sent_away.header("location"), format!("/sign-in?next={path}"));
    }
    for page in [format!("/sign-in?x={key}&y=1"), format!("/setup?code={key}")] {
        assert!(!visitor.get(&page).await.body.contains(&key[6..20]), "{page}");
    }
    assert!(!ann.get(&format!("/account/tokens?x={key}")).await.body.contains(&key[6..20]));
}

#[db_test]
async fn a_search_is_sent_as_a_form_and_leads_to_its_address(db: TestDb) {
    let (_app, ann, ..) = with_tokens(db).await;
    for (page, part, fields, address, header) in [
        (
            INVENTORY,
            "div#inventory",
            [("search", "power bi"), ("state", "active")],
            "?search=power+bi&state=active",
            "hx-replace-url",
        ),
        (TOKENS, "div#results", [("search", "work"), ("sort", "used")], "?search=work&sort=used", "hx-replace-url"),
        (USERS, "div#people", [("q", "ann"), ("state", "active")], "?q=ann&state=active", "hx-replace-url"),
        (LOG, "div#log", [("person", "Ann"), ("kind", "tokens")], "?person=Ann&kind=tokens", "hx-push-url"),
    ] {
        let (path, address) = (format!("{page}/search"), format!("{page}{address}"));
        let form = ann.get(page).await;
        let (_, search) = form.body.split_once(&format!("method=\"post\" action=\"{path}\"")).expect("a search");
        assert!(!search.split("</form>").next().unwrap().contains("hx-get"), "{page}");
        assert_eq!(ann.post(&path, &fields).await.header("location"), address);
        let csrf = form.field("csrf").unwrap();
        let body = serde_html_form::to_string([("csrf", csrf.as_str()), fields[0], fields[1]]).unwrap();
        let htmx = [
            ("hx-request", "true"),
            ("hx-target", part),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let answer = ann.request("POST", &path, &htmx, body).await;
        assert_eq!((answer.status, answer.header(header)), (200, address.as_str()), "{page}");
        assert!(!answer.body.contains("<html"), "{page}");
        let shown = ann.get(&address).await;
        assert!(shown.status == 200 && shown.body.contains(fields[0].1), "{page}");
    }
    assert_eq!(ann.post(&format!("{LOG}/search"), &[]).await.header("location"), LOG);
}
