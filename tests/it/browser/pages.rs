//! Every page, in each language: axe-core and the validators find nothing, the console is empty, and nothing needs
//! horizontal scrolling on the smallest screen. axe-core, which takes longest, checks each page dark in one language
//! and light in the other, wide in one and narrow in the other; the combination changes from page to page. With
//! `JETON_SCREENSHOTS=FOLDER`, screenshots of each page are saved there: light, dark and narrow.

use super::{NOTHING, ann_at, speaks_as_the_browser};
use crate::harness::{Browser, DAY, PASSWORD, Person, Setup, Smtp, TestApp, TestDb, change, html, lists, org};
use diesel::{RunQueryDsl, sql_query};
use domain::permission::BuiltInSet;
use std::{path::PathBuf, time::Duration};
use storage::{AnyConnection, StorageError};
use thirtyfour::By;

/// A script that finds what is cut off on the right: it sticks out of the window, or of an element that hides its
/// overflow. Scrollable elements and ellipses are intended.
const CUT_OFF: &str = "const meant = (e) => e.closest('.visually-hidden, .subnav, .skip-link, [popover]:not(:popover-open)');
    const hides = (e) => /clip|hidden/.test(getComputedStyle(e).overflowX) && getComputedStyle(e).textOverflow !== 'ellipsis';
    const visible = [...document.body.querySelectorAll('*')].filter((e) => e.checkVisibility() && !meant(e) && !e.closest('svg'));
    return visible
        .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 || (hides(e) && e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1))
        .map((e) => e.outerHTML.slice(0, 120))";

/// How to get to a page. Steps without a language work in all.
enum Step {
    /// An address; `{code}` is the code of the set-up link, `{link}` the link in the first mail, `{proof}` that for a
    /// new address, `{Label}` the public id of a token.
    Go(&'static str),
    /// Types into the field with this name.
    Type(&'static str, &'static str),
    /// Clicks the first element that the selector finds, and waits until the second selector finds one.
    Press(&'static str, &'static str),
    /// In another tab, Ann sends these fields to this address.
    Send(&'static str, &'static [(&'static str, &'static str)]),
}
use Step::{Go, Press, Send, Type};

type Page = (&'static str, &'static [Step]);

/// Sends the form of the page and gets it back with messages.
const REFUSED: Step =
    Press("main form.form [type=submit]:not([aria-hidden], [name=pick])", "[aria-invalid], .notice[data-tone=error]");

/// The same for a form that has another button first.
const REFUSED_AT_END: Step = Press("main .at-end [type=submit]", "[aria-invalid], .notice[data-tone=error]");

/// The pages of items where there are none.
const NO_ITEMS: &[Page] =
    &[("templates empty", &[Go(org!("/items/templates"))]), ("inspections empty", &[Go(org!("/items/inspections"))])];

/// Sends a form whose buttons are in a bar, and gets it back with messages.
const REFUSED_AT_BAR: Step = Press(".bottom-bar .btn:not([href])", "[aria-invalid], .notice[data-tone=error]");

/// Opens the editor of a template.
const EDITED: Step = Press("[href$=edit]", ".questions");

/// Asks whether to start an inspection.
const ASKED: Step = Press("[href$=inspection]", "dialog:modal");

/// Starts it.
const STARTED: Step = Press("dialog [type=submit]", "form.answers");

/// The pages of items.
const ITEMS: &[Page] = &[
    ("assets", &[Go(org!("/items/assets"))]),
    ("assets, none found", &[Go(org!("/items/assets?q=none"))]),
    ("asset", &[Go(org!("/items/assets")), Press(".data-table tbody a", "h1")]),
    ("template", &[Go(org!("/items/templates")), Press(".data-table tbody a", "h1")]),
    ("asset, new", &[Go(org!("/items/assets/new"))]),
    ("asset, new with errors", &[Go(org!("/items/assets/new")), REFUSED_AT_BAR]),
    (
        "asset, edit",
        &[Go(org!("/items/assets")), Press(".data-table tbody a", "[href$=edit]"), Press("[href$=edit]", "#name")],
    ),
    ("template, new", &[Go(org!("/items/templates/new"))]),
    ("template editor", &[Go(org!("/items/templates")), Press(".data-table tbody a", "[href$=edit]"), EDITED]),
    (
        "template editor, question added",
        &[
            Go(org!("/items/templates")),
            Press(".data-table tbody a", "[href$=edit]"),
            EDITED,
            Press("#add-one_of", "details[open]"),
        ],
    ),
    (
        "template editor with errors",
        &[
            Go(org!("/items/templates")),
            Press(".data-table tbody a", "[href$=edit]"),
            EDITED,
            Press("#add-one_of", "details[open]"),
            REFUSED_AT_BAR,
        ],
    ),
    ("inspect", &[Go(org!("/items/templates")), ASKED]),
    ("inspection", &[Go(org!("/items/templates")), ASKED, STARTED]),
    (
        "inspection with errors",
        &[Go(org!("/items/templates")), ASKED, STARTED, Press(".bottom-bar .btn:last-child", "[aria-invalid]")],
    ),
    ("kind without fields", &[Go(org!("/kinds/assets/fields"))]),
    (
        "kind, fields",
        &[
            Go(org!("/kinds/assets/fields")),
            Press("#add-text", "details[open]"),
            Type("label[]", "Serial number"),
            Press("#add-item", "#label-2"),
        ],
    ),
    (
        "asset, deletion",
        &[
            Go(org!("/items/assets")),
            Press(".data-table tbody a", "[href$=deletion]"),
            Press("[href$=deletion]", "dialog:modal"),
        ],
    ),
];

/// Sharing an item. `{asset}` is the id of the newest one.
const SHARING: &[Page] = &[
    ("asset, shared", &[Go(org!("/items/assets/{asset}"))]),
    ("asset, person by person", &[Go(org!("/items/assets/{asset}/people"))]),
    ("asset, person by person, nobody found", &[Go(org!("/items/assets/{asset}/people?q=nobody"))]),
    ("asset, share dialog", &[Go(org!("/items/assets/{asset}")), Press("[href$='/share']", "dialog:modal")]),
    (
        "asset, share with a group",
        &[
            Go(org!("/items/assets/{asset}/share")),
            Type("find", "cold"),
            Press("#sharing [value^=group]:first-of-type", ".effect"),
        ],
    ),
    (
        "asset, share outside",
        &[
            Go(org!("/items/assets/{asset}/share")),
            Type("find", "https://jeton.example/orgs/croix-bleue-niger"),
            Press("[name=with][value*=niger]", ".effect[data-tone=warning]"),
        ],
    ),
    (
        "asset, share with errors",
        &[Go(org!("/items/assets/{asset}/share")), Press(".share [name=share]", "#recipient-error")],
    ),
    (
        "asset, level of a share",
        &[
            Go(org!("/items/assets/{asset}")),
            Press(".access-table [data-variant=ghost]", "dialog:modal"),
            Press("#level-manage", ".effect"),
        ],
    ),
    ("asset, end of a share", &[Go(org!("/items/assets/{asset}")), Press("[href$='/end']", "dialog:modal")]),
];

const NO_RULES: &[Page] = &[
    ("access rules empty", &[Go(org!("/access-rules"))]),
    ("other organizations, none", &[Go(org!("/access-rules/other-organizations"))]),
];

const RULES: &[Page] = &[
    ("access rules", &[Go(org!("/access-rules"))]),
    ("access rules, none found", &[Go(org!("/access-rules?q=none"))]),
    ("access rule", &[Go(org!("/access-rules")), Press(".rule-list [data-variant=outline]", ".sentence-now")]),
    ("access rule, deletion", &[Go(org!("/access-rules")), Press("[href$=deletion]", "dialog:modal")]),
    ("access rule new", &[Go(org!("/access-rules/new"))]),
    (
        "access rule new, filled in",
        &[Go(org!("/access-rules/new")), Type("name", "Mopti team"), Press("main h1", ".sentence-now")],
    ),
    ("access rule new with errors", &[Go(org!("/access-rules/new")), Press("[name=save]", "[aria-invalid]")]),
    ("other organizations", &[Go(org!("/access-rules/other-organizations"))]),
    (
        "other organizations, refusal",
        &[Go(org!("/access-rules/other-organizations")), Press("main [data-dialog]", "dialog:modal")],
    ),
    (
        "other organizations, refused",
        &[
            Go(org!("/access-rules/other-organizations")),
            Press("main [data-dialog]", "dialog:modal"),
            Press("dialog [type=submit]", ".notice[data-tone=ok]"),
        ],
    ),
];

const BEFORE_SET_UP: &[Page] = &[
    ("not set up", &[Go("/sign-in")]),
    ("set-up", &[Go("/setup?code={code}")]),
    ("set-up with errors", &[Go("/setup?code={code}"), Type("name", "A"), REFUSED]),
    ("set-up link wrong", &[Go("/setup?code=wrong")]),
];
const SIGNED_OUT: &[Page] = &[
    ("sign-in", &[Go("/sign-in")]),
    ("sign-in with errors", &[Go("/sign-in"), REFUSED]),
    ("sign-in refused", &[Go("/sign-in"), Type("email", "ann@example.org"), Type("password", "not this one"), REFUSED]),
    ("not found", &[Go("/no/such/page")]),
    ("developers", &[Go("/developers")]),
    ("developers, tokens", &[Go("/developers/tokens")]),
    ("developers, items", &[Go("/developers/items"), Press(".try summary", ".try[open] form")]),
    ("forgotten password without mail", &[Go("/sign-in"), Press("a[href='/sign-in/forgotten']", "h1")]),
    ("password link gone without mail", &[Go("/password/0000000000")]),
];
const DEMONSTRATION: &[Page] = &[("demonstration, sign-in", &[Go("/sign-in")])];
const FORGOTTEN: &[Page] = &[
    ("forgotten password", &[Go("/sign-in/forgotten")]),
    ("forgotten password with errors", &[Go("/sign-in/forgotten"), Type("email", "ann"), REFUSED]),
    (
        "forgotten password, asked",
        &[
            Go("/sign-in/forgotten"),
            Type("email", "ann@example.org"),
            Press("main [type=submit]", "main:not(:has(form)) a"),
        ],
    ),
    ("password link", &[Go("{link}")]),
    ("password link with errors", &[Go("{link}"), Type("new_password", "short"), REFUSED]),
    (
        "sign-in with the new password",
        &[
            Go("{link}"),
            Type("new_password", "another long enough sentence"),
            Press("main [type=submit]", ".notice[data-tone=ok]"),
        ],
    ),
    ("password link gone", &[Go("{link}")]),
];
const NEW_ADDRESS: &[Page] = &[
    ("profile where mail is sent", &[Go("/account/profile")]),
    (
        "profile, new address asked for",
        &[
            Go("/account/profile"),
            Type("email", "ann.diallo@new.example.org"),
            Press("main .actions:last-child [type=submit]", "main .notice form"),
        ],
    ),
    ("new address", &[Go("{proof}")]),
    ("new address proved", &[Go("{proof}"), Press("main [type=submit]", ".notice[data-tone=ok]")]),
    ("new address gone", &[Go("{proof}")]),
    (
        "profile, new address cancelled",
        &[
            Go("/account/profile"),
            Type("email", "ann@example.org"),
            Press("main .actions:last-child [type=submit]", "main .notice form"),
            Press("main .notice [type=submit]", ".notice[data-tone=ok]"),
        ],
    ),
];
const NEWCOMER: &[Page] = &[
    ("profile", &[Go("/account/profile")]),
    ("profile with errors", &[Go("/account/profile"), Type("name", " "), Type("email", "nobody"), REFUSED]),
    ("profile saved", &[Go("/account/profile"), Press("main .actions [type=submit]", ".notice[data-tone=ok]")]),
    ("security", &[Go("/account/security")]),
    ("security with errors", &[Go("/account/security"), Type("new_password", "short"), REFUSED]),
    ("user menu", &[Go("/account/security"), Press(".user-button", "#user-menu:popover-open")]),
    ("sessions", &[Go("/account/sessions")]),
    ("sign-out", &[Go("/logout")]),
    ("tokens empty", &[Go("/account/tokens")]),
    ("service tokens empty", &[Go(org!("/integrations/tokens"))]),
    ("new", &[Go("/account/tokens/new")]),
    ("new with errors", &[Go("/account/tokens/new"), REFUSED]),
    ("not found while signed in", &[Go("/account/tokens/zzzzzzzzzz")]),
];
const WITH_TOKENS: &[Page] = &[
    ("tokens", &[Go("/account/tokens")]),
    ("token", &[Go("/account/tokens/{Power BI, office laptop}")]),
    ("token selected", &[Go("/account/tokens"), Press("[data-token]", "#panel[data-selected]")]),
    ("token never used", &[Go("/account/tokens/{R scripts}")]),
    ("token revoked", &[Go("/account/tokens/{Lost phone}")]),
    ("token leaked", &[Go("/account/tokens/{Published script}")]),
    (
        "token, calls in numbers",
        &[Go("/account/tokens/{Power BI, office laptop}"), Press(".calls summary", ".calls details[open] table")],
    ),
    ("token expired", &[Go("/account/tokens/{Excel, 2019}")]),
    ("revocation", &[Go("/account/tokens/{Power BI, office laptop}/revocation")]),
    (
        "revocation dialog",
        &[Go("/account/tokens/{Power BI, office laptop}"), Press("#panel [data-dialog]", "dialog:modal")],
    ),
    ("bulk revocation", &[Go("/account/tokens/revocation")]),
    ("bulk revocation dialog", &[Go("/account/tokens"), Press("section [data-dialog]", "dialog:modal")]),
    ("bulk revocation with errors", &[Go("/account/tokens/revocation"), Press("main [type=submit]", "#which-error")]),
    (
        "created",
        &[Go("/account/tokens/new"), Type("label", "Python, home"), Press("main form.form [type=submit]", "output")],
    ),
    (
        "revoked",
        &[Go("/account/tokens/{Python, home}/revocation"), Press("main [type=submit]", ".notice[data-tone=ok]")],
    ),
    ("sessions, several", &[Go("/account/sessions")]),
    ("activity", &[Go(org!("/activity"))]),
    ("activity details", &[Go(org!("/activity")), Press(".log .more", ".log details[open] dl")]),
    ("activity entry", &[Go(org!("/activity/1"))]),
    ("activity empty", &[Go(org!("/activity?kind=user.removed"))]),
    ("activity with errors", &[Go(org!("/activity?person=Nobody&from=yesterday"))]),
    ("inventory", &[Go(org!("/integrations/inventory"))]),
    ("inventory, key of nobody", &[Go(org!("/integrations/inventory?notice=unknown-key"))]),
    ("inventory empty", &[Go(org!("/integrations/inventory?kind=service&search=none"))]),
    ("inventory unused", &[Go(org!("/integrations/inventory?unused=30"))]),
    ("inventory with errors", &[Go(org!("/integrations/inventory?owner=Nobody"))]),
    ("inventory dialog", &[Go(org!("/integrations/inventory")), Press("#inventory [data-dialog]", "dialog:modal")]),
    (
        "inventory revocation with errors",
        &[Go(org!("/integrations/inventory/{R scripts}/revocation")), Press("main [type=submit]", "[aria-invalid]")],
    ),
];
/// `{service: Name}` in an address is the id of a service user's token.
const INTEGRATIONS: &[Page] = &[
    ("service tokens", &[Go(org!("/integrations/tokens"))]),
    (
        "service tokens, menu",
        &[Go(org!("/integrations/tokens")), Press("[popovertarget^=more]", ".row-menu:popover-open")],
    ),
    ("service tokens, none fits", &[Go(org!("/integrations/tokens?search=nothing"))]),
    ("service token", &[Go(org!("/integrations/tokens/{service: Warehouse}"))]),
    ("service token, two keys", &[Go(org!("/integrations/tokens/{service: SAP}"))]),
    ("service token revoked", &[Go(org!("/integrations/tokens/{service: Old ETL}"))]),
    ("service token, name", &[Go(org!("/integrations/tokens/{service: Warehouse}/name"))]),
    (
        "service token, name with errors",
        &[Go(org!("/integrations/tokens/{service: Warehouse}/name")), Type("name", " "), REFUSED],
    ),
    ("service token, expiry", &[Go(org!("/integrations/tokens/{service: Warehouse}/expiry"))]),
    ("service token, permissions", &[Go(org!("/integrations/tokens/{service: Warehouse}/permissions"))]),
    ("service revocation", &[Go(org!("/integrations/tokens/{service: SAP}/revocation"))]),
    ("service revocation dialog", &[Go(org!("/integrations/tokens")), Press("[href$=revocation]", "dialog:modal")]),
    ("service regeneration", &[Go(org!("/integrations/tokens/{service: Old ETL}/regeneration"))]),
    ("service deletion", &[Go(org!("/integrations/tokens/{service: Old ETL}/deletion"))]),
    ("service rotation", &[Go(org!("/integrations/tokens/{service: Warehouse}/rotation"))]),
    (
        "service rotation dialog",
        &[Go(org!("/integrations/tokens/{service: Warehouse}")), Press("[href$=rotation]", "dialog:modal")],
    ),
    ("service old key", &[Go(org!("/integrations/tokens/{service: SAP}/old-key"))]),
    ("service new", &[Go(org!("/integrations/tokens/new"))]),
    ("service new with errors", &[Go(org!("/integrations/tokens/new")), REFUSED_AT_END]),
    (
        "service created",
        &[
            Go(org!("/integrations/tokens/new")),
            Type("name", "Made here"),
            Press("main .at-end [type=submit]", "output"),
        ],
    ),
];
const PROTECTED_APIS: &[Page] = &[
    ("protected APIs empty", &[Go(org!("/integrations/apis"))]),
    ("protected API new", &[Go(org!("/integrations/apis/new"))]),
    ("protected API new with errors", &[Go(org!("/integrations/apis/new")), Type("path[]", "orders"), REFUSED_AT_END]),
    (
        "protected API new, an item of no kind",
        &[Go(org!("/integrations/apis/new")), Type("path[]", "/invoices/{item}"), REFUSED_AT_END],
    ),
    ("protected API new, two rules", &[Go(org!("/integrations/apis/new")), Press("[value=add]", "#path-2")]),
    (
        "protected API registered",
        &[
            Go(org!("/integrations/apis/new")),
            Type("name", "Order API"),
            Type("address", "https://api.example.org/v1/"),
            Press("main .at-end [type=submit]", ".notice[data-tone=ok]"),
        ],
    ),
    (
        "protected API, Envoy",
        &[
            Go(org!("/integrations/apis")),
            Press(".selectable a", ".samples"),
            Press("details:has(#envoy) summary", "details[open] #envoy"),
        ],
    ),
    (
        "protected API, HAProxy",
        &[
            Go(org!("/integrations/apis")),
            Press(".selectable a", ".samples"),
            Press("details:last-of-type summary", "details[open] #haproxy-lua"),
        ],
    ),
    (
        "protected API edit",
        &[Go(org!("/integrations/apis")), Press(".selectable a", ".samples"), Press("[href$=edit]", "#path-1")],
    ),
    (
        "protected API, preflights pass",
        &[
            Go(org!("/integrations/apis")),
            Press(".selectable a", ".samples"),
            Press("[href$=edit]", "#path-1"),
            Press("[name=preflights]", "[name=preflights]:checked"),
            Press("main .at-end [type=submit]", ".notice[data-tone=ok]"),
        ],
    ),
    (
        "protected API deletion dialog",
        &[
            Go(org!("/integrations/apis")),
            Press(".selectable a", ".samples"),
            Press("[href$=deletion]", "dialog:modal"),
        ],
    ),
    ("protected APIs", &[Go(org!("/integrations/apis"))]),
    (
        "sign-in, form kept",
        &[
            Go(org!("/integrations/apis/new")),
            Type("name", "Stock API"),
            Send("/account/sessions/end-others", &[]),
            Press("main .at-end [type=submit]", "[name=kept]"),
        ],
    ),
    (
        "form that came back",
        &[
            Type("email", "ann@example.org"),
            Type("password", PASSWORD),
            Press("main [type=submit]", "[name=name][value='Stock API']"),
        ],
    ),
    ("sign-in, session ended", &[Send("/account/sessions/end-others", &[]), Go("/sign-in?notice=sign-in-again")]),
];
const INTEGRATIONS_FULL: &[Page] = &[
    ("service tokens full", &[Go(org!("/integrations/tokens"))]),
    ("service new at the limit", &[Go(org!("/integrations/tokens/new"))]),
    ("service regeneration at the limit", &[Go(org!("/integrations/tokens/{service: Old ETL}/regeneration"))]),
];
const FULL: &[Page] = &[
    ("tokens full", &[Go("/account/tokens")]),
    ("new at the limit", &[Go("/account/tokens/new")]),
    (
        "new refused at the limit",
        &[
            Go("/account/tokens/new"),
            Type("label", "One more"),
            Press("main form.form [type=submit]", "[name=label][value='One more']"),
        ],
    ),
];
const LATER: &[Page] = &[
    ("new asking for the password", &[Go("/account/tokens/new")]),
    (
        "new with a wrong password",
        &[Go("/account/tokens/new"), Type("label", "Power BI"), Type("password", "not this one"), REFUSED],
    ),
    ("profile asking for the password", &[Go("/account/profile"), Type("email", "new@example.org"), REFUSED]),
];
const PEOPLE: &[Page] = &[
    ("users", &[Go(org!("/users"))]),
    (
        "users searched",
        &[Go(org!("/users")), Type("q", "ben"), Press("[role=search] [type=submit]", "#people .person")],
    ),
    ("users, key searched for", &[Go(org!("/users?notice=unknown-key"))]),
    ("users, nobody found", &[Go(org!("/users?q=nobody"))]),
    ("user", &[Go(org!("/users/2"))]),
    ("user, oneself", &[Go(org!("/users/1"))]),
    ("user deactivation", &[Go(org!("/users/2/deactivation"))]),
    ("user removal dialog", &[Go(org!("/users/2")), Press("[data-dialog][href$=removal]", "dialog:modal")]),
    ("user, last administrator", &[Go(org!("/users/1/removal"))]),
    ("user password link", &[Go(org!("/users/2/password-link")), Press("main [type=submit]", "output")]),
    ("invite", &[Go(org!("/users/invite"))]),
    ("invite with errors", &[Go(org!("/users/invite")), REFUSED]),
    (
        "invited",
        &[Go(org!("/users/invite")), Type("email", "leo@example.org"), Press("main form.form [type=submit]", "output")],
    ),
    ("users, one invited", &[Go(org!("/users"))]),
    ("invitation withdrawal", &[Go(org!("/users")), Press("#people [data-dialog]", "dialog:modal")]),
    ("user deactivated", &[Go(org!("/users/2/deactivation")), Press("main [type=submit]", ".notice[data-tone=ok]")]),
    ("user reactivation", &[Go(org!("/users/2/reactivation"))]),
    ("invitation gone", &[Go("/invitations/none")]),
    ("invitation for somebody else", &[Go("{invitation}")]),
];
const GROUPS: &[Page] = &[
    ("groups empty", &[Go(org!("/groups"))]),
    ("group new", &[Go(org!("/groups/new"))]),
    ("group new with errors", &[Go(org!("/groups/new")), REFUSED]),
    (
        "group created",
        &[
            Go(org!("/groups/new")),
            Type("name", "Mopti team"),
            Press("main form.form [type=submit]", ".notice[data-tone=ok]"),
        ],
    ),
    (
        "group, wrong lines",
        &[
            Go(org!("/groups")),
            Press(".selectable a", "#people"),
            Type("people", "ben@example.org, kadiatou@demo.exmaple"),
            Press("main form.form [type=submit]", "#people-error"),
        ],
    ),
    (
        "group filled",
        &[
            Go(org!("/groups")),
            Press(".selectable a", "#people"),
            Type("people", "ann@example.org; Ben <ben@example.org>"),
            Press("main form.form [type=submit]", ".notice[data-tone=ok]"),
        ],
    ),
    ("group, name", &[Go(org!("/groups")), Press(".selectable a", "#people"), Press("[href$=name]", "[name=version]")]),
    (
        "group deletion dialog",
        &[Go(org!("/groups")), Press(".selectable a", "#people"), Press("[href$=deletion]", "dialog:modal")],
    ),
    (
        "group emptying dialog",
        &[Go(org!("/groups")), Press(".selectable a", "#people"), Press("[href$=emptying]", "dialog:modal")],
    ),
    ("groups", &[Go(org!("/groups"))]),
    ("groups, none found", &[Go(org!("/groups?q=none"))]),
    ("sites empty", &[Go(org!("/sites"))]),
    ("site new with errors", &[Go(org!("/sites/new")), REFUSED]),
    (
        "site created",
        &[Go(org!("/sites/new")), Type("name", "Mali"), Press("main form.form [type=submit]", ".notice[data-tone=ok]")],
    ),
    (
        "site below created",
        &[
            Go(org!("/sites")),
            Press(".tree a", "#people"),
            Press("[href*=parent]", "#parent"),
            Type("name", "Mopti"),
            Press("main form.form [type=submit]", ".notice[data-tone=ok]"),
            Type("people", "ben"),
            Press("main form.form [type=submit]", ".notice[data-tone=ok]"),
        ],
    ),
    ("site", &[Go(org!("/sites")), Press(".tree a", "#inside")]),
    ("site, place", &[Go(org!("/sites")), Press(".tree a", "#inside"), Press("[href$=place]", "#parent")]),
    (
        "site deletion impossible",
        &[Go(org!("/sites")), Press(".tree a", "#inside"), Press("[href$=deletion]", "dialog:modal")],
    ),
    ("sites", &[Go(org!("/sites"))]),
    ("sites searched", &[Go(org!("/sites?q=mopti"))]),
    ("sites, none found", &[Go(org!("/sites?q=none"))]),
];
const BLOCKED: &[Page] = &[("users, one blocked", &[Go(org!("/users"))]), ("user blocked", &[Go(org!("/users/3"))])];
const INVITED: &[Page] =
    &[("invitation", &[Go("{invitation}")]), ("invitation with errors", &[Go("{invitation}"), REFUSED])];
const SETS: &[Page] = &[
    ("permission sets empty", &[Go(org!("/permission-sets"))]),
    ("new permission set", &[Go(org!("/permission-sets/new"))]),
    ("new permission set with errors", &[Go(org!("/permission-sets/new")), REFUSED]),
    (
        "permission set created",
        &[
            Go(org!("/permission-sets/new")),
            Type("name", "Field coordinators"),
            Press("[value='all.templates']", "[value='templates.share']:checked"),
            Press("main form.form .actions [type=submit]", ".notice[data-tone=ok]"),
        ],
    ),
    ("permission sets", &[Go(org!("/permission-sets"))]),
    ("built-in permission set", &[Go(org!("/permission-sets/1"))]),
    ("permission set deletion", &[Go(org!("/permission-sets/4")), Press("main [data-dialog]", "dialog:modal")]),
    ("permission set deletion page", &[Go(org!("/permission-sets/4/deletion"))]),
];
/// Sends the form of a kind, which has other buttons first.
const SENT_KIND: &str = "main form.form > .actions [type=submit]";
const KINDS: &[Page] = &[
    ("kinds empty", &[Go(org!("/kinds"))]),
    ("new kind", &[Go(org!("/kinds/new"))]),
    ("new kind with errors", &[Go(org!("/kinds/new")), Press(SENT_KIND, "[aria-invalid]")]),
    (
        "kind created",
        &[
            Go(org!("/kinds/new")),
            Type("singular", "Invoice"),
            Type("plural", "Invoices"),
            Press("[value=add]", "[name='action[]']"),
            Type("name[]", "Approve"),
            Press(SENT_KIND, ".notice[data-tone=ok]"),
        ],
    ),
    (
        "kind with an action that is wrong",
        &[
            Go(org!("/kinds/invoices/edit")),
            Press("[value=add]", "[value='remove.2']"),
            Press("[value=add]", "[value='remove.3']"),
            Type("name[]", " "),
            Press(SENT_KIND, "[aria-invalid]"),
        ],
    ),
    ("kinds", &[Go(org!("/kinds"))]),
    ("built-in kind", &[Go(org!("/kinds/inspections"))]),
    ("kind edited", &[Go(org!("/kinds/invoices/edit"))]),
    (
        "kind preview",
        &[
            Go(org!("/kinds/invoices/edit")),
            Press("[value='remove.1']", "main form:not(:has([value='remove.1']))"),
            Press(SENT_KIND, "#who"),
        ],
    ),
    ("kind deletion", &[Go(org!("/kinds/invoices")), Press("main [data-dialog]", "dialog:modal")]),
    ("kind deletion page", &[Go(org!("/kinds/invoices/deletion"))]),
    ("new permission set with an own kind", &[Go(org!("/permission-sets/new"))]),
    (
        "kind changed by somebody else",
        &[
            Go(org!("/kinds/invoices/edit")),
            Send(
                org!("/kinds/invoices"),
                &[
                    ("singular", "Bill"),
                    ("plural", "Bills"),
                    ("version", "1"),
                    ("name[]", "Sign off"),
                    ("action[]", "approve"),
                    ("nature[]", "changes"),
                ],
            ),
            Press(SENT_KIND, ".notice[data-tone=error]"),
        ],
    ),
];
const SETS_IN_USE: &[Page] = &[
    ("permission set in use", &[Go(org!("/permission-sets/4"))]),
    ("permission set edited", &[Go(org!("/permission-sets/4/edit"))]),
    (
        "permission set preview",
        &[
            Go(org!("/permission-sets/4/edit")),
            Press("[value='none.templates']", "[value='templates.share']:not(:checked)"),
            Press("[value='all.assets']", "[value='assets.share']:checked"),
            Press("main form.form .actions [type=submit]", "#tokens"),
        ],
    ),
    (
        "permission set with nothing chosen",
        &[
            Go(org!("/permission-sets/4/edit")),
            Press("[value='none.templates']", "[value='templates.share']:not(:checked)"),
            Press("main form.form .actions [type=submit]", "#permissions-error"),
        ],
    ),
    (
        "permission set preview, others affected",
        &[
            Go(org!("/permission-sets/4/edit")),
            Press("[value='templates.share']", "[value='templates.share']:not(:checked)"),
            Press("main form.form .actions [type=submit]", "#tokens"),
            Send(org!("/users/2/deactivation"), &[]),
            Press("main form.form .actions [type=submit]", ".notice[data-tone=error]"),
        ],
    ),
    (
        "permission set changed by somebody else",
        &[
            Go(org!("/permission-sets/4/edit")),
            Send(
                org!("/permission-sets/4"),
                &[
                    ("name", "Field staff"),
                    ("version", "1"),
                    ("permission", "templates.view"),
                    ("permission", "templates.edit"),
                    ("permission", "templates.delete"),
                    ("permission", "templates.share"),
                ],
            ),
            Press("main form.form .actions [type=submit]", "#now"),
        ],
    ),
    ("users with a permission set", &[Go(org!("/users?set=4"))]),
];
const ORGANIZATION: &[Page] = &[
    ("billing", &[Go(org!("/billing"))]),
    ("organization settings", &[Go(org!("/settings"))]),
    ("organization settings with errors", &[Go(org!("/settings")), Type("slug", "Not This"), REFUSED]),
    ("organization menu", &[Go(org!("/billing")), Press(".organization.btn", "#organization-menu:popover-open")]),
    ("installation, last administrator", &[Go("/installation/administrators/1/removal")]),
    (
        "installation administrator added",
        &[
            Send(org!("/users/2/reactivation"), &[("password", PASSWORD)]),
            Go("/installation/administrators"),
            Type("email", "ben@example.org"),
            Type("password", PASSWORD),
            Press("main form.form [type=submit]", ".notice[data-tone=ok]"),
        ],
    ),
    (
        "installation administrators, one without effect",
        &[Send(org!("/users/2/deactivation"), &[]), Go("/installation/administrators")],
    ),
    (
        "installation administrators with errors",
        &[Go("/installation/administrators"), Type("email", "nobody@example.org"), REFUSED],
    ),
    (
        "installation administrator removal dialog",
        &[Go("/installation/administrators"), Press("[data-dialog][href$=removal]", "dialog:modal")],
    ),
    ("new organization", &[Go("/organizations/new")]),
    ("new organization with errors", &[Go("/organizations/new"), REFUSED]),
];
/// Receipts with one node, and later with several.
const RECEIPTS: &[Page] = &[
    ("receipt", &[Go("/account/tokens/{Lost phone}/receipt")]),
    ("tokens, one refused", &[Go("/account/tokens?notice=revoked&of={Lost phone}")]),
    ("service token refused", &[Go(org!("/integrations/tokens/{service: Old ETL}"))]),
];
const RECEIPTS_OF_NODES: &[Page] = &[
    ("token refused by nodes", &[Go("/account/tokens/{Lost phone}")]),
    ("receipt of nodes", &[Go("/account/tokens/{Lost phone}/receipt")]),
    ("inventory with receipts", &[Go(org!("/integrations/inventory?state=revoked"))]),
    ("receipt of nodes, organization", &[Go(org!("/integrations/receipts/{Lost phone}"))]),
];
/// With long names and more tokens than a page has.
const LONG_LISTS: &[Page] = &[
    ("inventory, first page", &[Go("/orgs/croix-bleue-sahel/integrations/inventory")]),
    (
        "inventory by name, second page",
        &[
            Go("/orgs/croix-bleue-sahel/integrations/inventory"),
            Press("#sort-name", "[aria-sort=ascending] > #sort-name:focus"),
            Press("[rel=next]", "[rel=prev]"),
        ],
    ),
    ("inventory, ended first", &[Go("/orgs/croix-bleue-sahel/integrations/inventory?sort=-state")]),
    ("inventory, one", &[Go("/orgs/croix-bleue-sahel/integrations/inventory?search=Donaudampfschifffahrt")]),
    ("service tokens, sorted", &[Go("/orgs/croix-bleue-sahel/integrations/tokens?sort=-used")]),
];
const NONE_LEFT: &[Page] = &[("tokens all ended", &[Go("/account/tokens")])];

#[actix_web::test]
async fn every_page_in_english() {
    every_page("en").await;
}

#[actix_web::test]
async fn every_page_in_french() {
    every_page("fr").await;
}

#[actix_web::test]
async fn every_page_about_a_forgotten_password_in_english() {
    every_page_about_a_forgotten_password("en").await;
}

#[actix_web::test]
async fn every_page_about_a_forgotten_password_in_french() {
    every_page_about_a_forgotten_password("fr").await;
}

async fn every_page_about_a_forgotten_password(language: &'static str) {
    let (app, ann, smtp) = TestApp::with_mail(TestDb::sqlite(), "Ann").await;
    speaks_as_the_browser(&ann).await;
    let mut tour = Tour::begin(language, app, ann, Some(smtp)).await;
    tour.visit(FORGOTTEN).await;
    tour.ends().await;
}

#[actix_web::test]
async fn every_page_about_a_new_address_in_english() {
    every_page_about_a_new_address("en").await;
}

#[actix_web::test]
async fn every_page_about_a_new_address_in_french() {
    every_page_about_a_new_address("fr").await;
}

async fn every_page_about_a_new_address(language: &'static str) {
    let (app, ann, smtp) = TestApp::with_mail(TestDb::sqlite(), "Ann").await;
    speaks_as_the_browser(&ann).await;
    let mut tour = Tour::begin(language, app, ann, Some(smtp)).await;
    tour.sign_in().await;
    tour.visit(NEW_ADDRESS).await;
    tour.ends().await;
}

#[actix_web::test]
async fn every_page_of_a_demonstration_in_english() {
    every_page_of_a_demonstration("en").await;
}

#[actix_web::test]
async fn every_page_of_a_demonstration_in_french() {
    every_page_of_a_demonstration("fr").await;
}

async fn every_page_of_a_demonstration(language: &'static str) {
    let app = TestApp::demonstration(TestDb::sqlite()).await;
    let awa = app.browser("Awa");
    let mut tour = Tour::begin(language, app, awa, None).await;
    tour.visit(DEMONSTRATION).await;
    tour.ends().await;
}

#[actix_web::test]
async fn every_page_about_people_in_english() {
    every_page_about_people("en").await;
}

#[actix_web::test]
async fn every_page_about_people_in_french() {
    every_page_about_people("fr").await;
}

async fn every_page_about_people(language: &'static str) {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    speaks_as_the_browser(&ann).await;
    app.add_user("Ben", BuiltInSet::Standard).await.makes_token("Power BI").await;
    app.add_user(&"Donaudampfschifffahrt".repeat(5)[..60], BuiltInSet::Reader).await;
    let mut tour = Tour::begin(language, app, ann, None).await;
    tour.sign_in().await;
    tour.visit(PEOPLE).await;
    tour.visit(GROUPS).await;
    change(&tour.app, "UPDATE users SET blocked_at = 1 WHERE id = 3");
    tour.visit(BLOCKED).await;
    tour.browser.driver().delete_all_cookies().await.expect("a browser");
    tour.visit(INVITED).await;
    tour.ends().await;
}

#[actix_web::test]
async fn every_page_about_protected_apis_in_english() {
    every_page_about_protected_apis("en").await;
}

#[actix_web::test]
async fn every_page_about_protected_apis_in_french() {
    every_page_about_protected_apis("fr").await;
}

async fn every_page_about_protected_apis(language: &'static str) {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    speaks_as_the_browser(&ann).await;
    let mut tour = Tour::begin(language, app, ann, None).await;
    tour.sign_in().await;
    tour.visit(PROTECTED_APIS).await;
    tour.ends().await;
}

#[actix_web::test]
async fn every_page_of_long_lists_in_english() {
    every_page_of_long_lists("en").await;
}

#[actix_web::test]
async fn every_page_of_long_lists_in_french() {
    every_page_of_long_lists("fr").await;
}

async fn every_page_of_long_lists(language: &'static str) {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    speaks_as_the_browser(&ann).await;
    let long = app.add_user(&"Donaudampfschifffahrt".repeat(5)[..60], BuiltInSet::Reader).await;
    long.makes_token(&"Donaudampfschifffahrt".repeat(5)[..60]).await;
    let now = app.clock.now().seconds();
    app.db.write::<_, StorageError>(|connection| lists::fill(connection, 120, now)).expect("a long list");
    for name in ["service_users SET name", "api_tokens SET label"] {
        let long = "Entrepôt de Ségou, synchronisation du stock et des lots, chaque nuit";
        change(&app, &format!("UPDATE {name} = '{long}' WHERE public_id IN ('s100000007', 'k100000007')"));
    }
    let mut tour = Tour::begin(language, app, ann, None).await;
    tour.sign_in().await;
    tour.visit(LONG_LISTS).await;
    tour.ends().await;
}

#[actix_web::test]
async fn every_page_about_receipts_in_english() {
    every_page_about_receipts("en").await;
}

#[actix_web::test]
async fn every_page_about_receipts_in_french() {
    every_page_about_receipts("fr").await;
}

async fn every_page_about_receipts(language: &'static str) {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    speaks_as_the_browser(&ann).await;
    let mut tour = Tour::begin(language, app, ann, None).await;
    tour.sign_in().await;
    let key = tour.ann.makes_token("Lost phone").await;
    assert_eq!(tour.app.me(&key).await.status, 200);
    tour.ann.revokes("Lost phone").await;
    tour.ann.makes_service_token("Old ETL").await;
    let etl = tour.ann.service_token("Old ETL").await;
    tour.ann.confirms(&etl, "revocation").await;
    let receipt = tour.address("/account/tokens/{Lost phone}/receipt").await;
    for _ in 0..200 {
        if !tour.ann.get(&receipt).await.body.contains("hx-trigger") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tour.visit(RECEIPTS).await;
    tour.runs_on_many_nodes();
    tour.visit(RECEIPTS_OF_NODES).await;
    tour.ends().await;
}

#[actix_web::test]
async fn every_page_about_permission_sets_and_settings_in_english() {
    every_page_about_permission_sets_and_settings("en").await;
}

#[actix_web::test]
async fn every_page_about_permission_sets_and_settings_in_french() {
    every_page_about_permission_sets_and_settings("fr").await;
}

async fn every_page_about_permission_sets_and_settings(language: &'static str) {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    speaks_as_the_browser(&ann).await;
    let mut tour = Tour::begin(language, app, ann, None).await;
    tour.sign_in().await;
    tour.visit(SETS).await;
    tour.give_a_set_to_somebody().await;
    tour.app.clock.advance(11 * 60);
    tour.visit(SETS_IN_USE).await;
    tour.visit(ORGANIZATION).await;
    tour.ends().await;
}

#[actix_web::test]
async fn every_page_about_kinds_in_english() {
    every_page_about_kinds("en").await;
}

#[actix_web::test]
async fn every_page_about_kinds_in_french() {
    every_page_about_kinds("fr").await;
}

async fn every_page_about_kinds(language: &'static str) {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    speaks_as_the_browser(&ann).await;
    let mut tour = Tour::begin(language, app, ann, None).await;
    tour.sign_in().await;
    tour.visit(KINDS).await;
    tour.ends().await;
}

#[actix_web::test]
async fn every_page_about_items_in_english() {
    every_page_about_items("en").await;
}

#[actix_web::test]
async fn every_page_about_items_in_french() {
    every_page_about_items("fr").await;
}

async fn every_page_about_items(language: &'static str) {
    let (app, ann) = TestApp::with_user(TestDb::sqlite(), "Ann").await;
    speaks_as_the_browser(&ann).await;
    let by = crate::items::at(&app, &ann).await;
    let mut tour = Tour::begin(language, app, ann, None).await;
    tour.sign_in().await;
    tour.visit(NO_ITEMS).await;
    crate::items::make(&tour.app.jeton, &by, "assets", "Fridge Mopti-02").await;
    crate::items::make_template(&tour.app.jeton, &by, "Cold chain").await;
    tour.visit(ITEMS).await;
    tour.visit(NO_RULES).await;
    tour.share(&by).await;
    tour.visit(SHARING).await;
    tour.visit(RULES).await;
    tour.ends().await;
}

async fn every_page(language: &'static str) {
    let app = TestApp::start(TestDb::sqlite()).await;
    let ann = app.browser("Ann");
    let mut tour = Tour::begin(language, app, ann, None).await;
    tour.visit(BEFORE_SET_UP).await;
    tour.ann.sets_up(app::setup::code(&tour.app.jeton)).await;
    speaks_as_the_browser(&tour.ann).await;
    tour.visit(SIGNED_OUT).await;
    tour.sign_in().await;
    tour.visit(NEWCOMER).await;
    tour.live_for_a_month().await;
    tour.visit(WITH_TOKENS).await;
    tour.integrate().await;
    tour.visit(INTEGRATIONS).await;
    for number in 4..=20 {
        tour.ann.makes_service_token(&format!("Integration {number}")).await;
    }
    tour.visit(INTEGRATIONS_FULL).await;
    for number in 5..=10 {
        tour.ann.makes_token(&format!("Report {number}")).await;
    }
    tour.visit(FULL).await;
    tour.ann.revokes("Report 5").await;
    tour.app.clock.advance(11 * 60);
    tour.visit(LATER).await;
    tour.ann.post("/account/tokens/revocation", &[("which", "all")]).await;
    tour.visit(NONE_LEFT).await;
    tour.ends().await;
}

#[actix_web::test]
async fn on_a_phone_the_navigation_marks_the_current_page() {
    for javascript in [true, false] {
        let (_app, _ann, browser) = ann_at(Setup { javascript, size: (360, 740), ..Setup::default() }).await;
        for path in ["/account/profile", "/account/security", "/account/sessions", "/account/tokens"] {
            browser.go(path).await;
            let seen = "const at = document.querySelector('.subnav [aria-current]').getBoundingClientRect();
                return at.left >= 0 && at.right <= innerWidth";
            assert_eq!(browser.evaluate(seen).await, true, "at {path} with JavaScript {javascript}");
        }
        assert_eq!(browser.complaints().await, NOTHING);
    }
}

#[actix_web::test]
async fn one_click_signs_in_to_a_demonstration_without_javascript() {
    let app = TestApp::demonstration(TestDb::sqlite()).await;
    let browser = Browser::with(&app.url, Setup { javascript: false, ..Setup::default() }).await;
    browser.go("/sign-in").await;
    let guests = browser.driver().find_all(By::Css(".guests button")).await.expect("a page");
    guests[2].click().await.expect("a button");
    browser.is_at("/account/tokens").await;
    browser.sees("Léa Martin").await;
    assert_eq!(browser.complaints().await, NOTHING);
}

/// Returns the path of the link for a new address in the text of a mail.
fn link_to_prove(text: String) -> Option<String> {
    let at = text.find("/email/")?;
    text[at..].split_whitespace().next().map(Into::into)
}

/// A tour of pages, and the problems found on the way.
struct Tour {
    browser: Browser,
    app: TestApp,
    ann: Person,
    smtp: Option<Smtp>,
    language: &'static str,
    found: Vec<String>,
    /// How many pages were checked.
    seen: usize,
    sent: Vec<(String, String)>,
}

const WIDE: (u32, u32) = (1280, 900);
const NARROW: (u32, u32) = (320, 640);

impl Tour {
    /// Starts in a browser with this language, before anybody signs in.
    async fn begin(language: &'static str, app: TestApp, ann: Person, smtp: Option<Smtp>) -> Tour {
        html::start();
        let setup = Setup { language, dark: is_dark(language), size: WIDE, ..Setup::default() };
        let browser = Browser::with(&app.url, setup).await;
        Tour { browser, app, ann, smtp, language, found: vec![], seen: 0, sent: vec![] }
    }

    async fn ends(mut self) {
        self.found.extend(html::validate(&self.sent).await);
        assert!(self.found.is_empty(), "{} findings:\n{}", self.found.len(), self.found.join("\n"));
    }

    /// Creates tokens of every kind: used, never used, about to expire, expired, revoked, with a label that is too long
    /// for any column.
    async fn live_for_a_month(&self) {
        let Tour { app, ann, .. } = self;
        ann.asks_for_token("Excel, 2019", "read", "31").await;
        app.clock.advance(5 * DAY);
        ann.signs_in().await;
        ann.asks_for_token("Weekly report", "read_write", "31").await;
        app.clock.advance(27 * DAY);
        ann.signs_in().await;
        self.sign_in().await;
        ann.makes_token("Lost phone").await;
        ann.revokes("Lost phone").await;
        let published = ann.makes_token("Published script").await;
        let report = format!("[{{\"token\":\"{published}\",\"url\":\"https://git.example.org/ann/report.py\"}}]");
        app.send("POST", "/api/v1/leaks", &[("content-type", "application/json")], &report).await;
        ann.makes_token_with("R scripts", "read_write").await;
        ann.makes_token(&"Donaudampfschifffahrt".repeat(5)[..100]).await;
        let key = ann.makes_token("Power BI, office laptop").await;
        let with_program = [
            ("authorization", &*format!("Bearer {key}")),
            ("user-agent", "Microsoft.Data.Mashup (https://go.microsoft.com/fwlink/?LinkID=304225)"),
        ];
        assert_eq!(app.send("GET", "/api/v1/me", &with_program, "").await.status, 200);
        app.clock.advance(3 * 60);
    }

    /// Creates service users' tokens of every kind: used, in the middle of a rotation, revoked and still being called.
    async fn integrate(&self) {
        let Tour { app, ann, .. } = self;
        let called = async |key: &str, program: &str, status: u16| {
            let headers = [("authorization", &*format!("Bearer {key}")), ("user-agent", program)];
            assert_eq!(app.send("GET", "/api/v1/me", &headers, "").await.status, status);
        };
        called(&ann.makes_service_token("Warehouse").await, "curl/8.14.1", 200).await;
        called(&ann.makes_service_token("SAP").await, "SAP-CPI/6.2 Apache-HttpClient/4.5.14", 200).await;
        let sap = ann.service_token("SAP").await;
        ann.confirms_with(&sap, "rotation", &[("hours", "24"), ("quiet", "6")]).await;
        let old = ann.makes_service_token("Old ETL").await;
        let etl = ann.service_token("Old ETL").await;
        ann.confirms(&etl, "revocation").await;
        called(&old, "python-requests/2.32.4", 401).await;
        app::maintenance::flush_usage(&app.jeton).await.expect("a database");
    }

    /// Shares the newest asset with everybody there can be, and lets another organization share something.
    async fn share(&self, by: &app::requester::Requester) {
        let Tour { app, ann, .. } = self;
        for (name, set) in [("Moussa", BuiltInSet::Standard), ("Lea", BuiltInSet::Reader)] {
            app.add_user(name, set).await;
        }
        app.add_organization("croix-bleue-niger", "Eve").await;
        ann.makes_service_token("Power BI, monthly report").await;
        let mut ids = Vec::new();
        for (list, name) in [("groups", "Mopti team"), ("groups", "Cold chain, Mopti"), ("sites", "Mopti")] {
            let made = ann.post(&format!("{}/{list}", crate::harness::ORG), &[("name", name)]).await;
            let there = made.header("location").trim_end_matches("?notice=created").to_owned();
            let people = ann.post(&format!("{there}/members"), &[("people", "Moussa; Lea")]).await;
            assert_eq!(people.status, 303, "{}", people.text());
            ids.push(there.rsplit('/').next().expect("an id").to_owned());
        }
        let item =
            crate::items::make(&app.jeton, by, "assets", "Fridge Mopti-02, with a long name for a narrow page").await;
        for (who, level) in [
            (("group", &*ids[0], ""), "edit"),
            (("site", &*ids[2], ""), "view"),
            (("organization", "", "croix-bleue-niger"), "view"),
        ] {
            let (kind, id, organization) = who;
            let to = app::recipients::RecipientForm {
                kind: kind.into(),
                id: id.into(),
                organization: organization.into(),
                ..Default::default()
            };
            crate::items::share(&app.jeton, by, &item, to, level).await.expect("a share");
        }
        for fields in [
            [("who", "everyone"), ("name", ""), ("level", "view"), ("kind", "assets"), ("save", "yes")],
            [
                ("who", "group"),
                ("name", "Cold chain, Mopti"),
                ("level", "manage"),
                ("kind", "inspections"),
                ("save", "yes"),
            ],
            [
                ("who", "all_outside"),
                ("name", "x/croix-bleue-niger"),
                ("level", "view"),
                ("kind", "templates"),
                ("save", "yes"),
            ],
        ] {
            let made = ann.post(org!("/access-rules"), &fields).await;
            assert_eq!(made.status, 303, "{}", made.text());
        }
        crate::items::giver(app).await;
    }

    /// Gives the created permission set to a member with a token.
    async fn give_a_set_to_somebody(&self) {
        let ben = self.app.add_user("Ben", BuiltInSet::Standard).await;
        speaks_as_the_browser(&ben).await;
        let given = "UPDATE memberships SET permission_set_id = 4 WHERE id = (SELECT max(id) FROM memberships)";
        let give = |connection: &mut AnyConnection| Ok(sql_query(given).execute(connection)?);
        self.app.change_authority(give);
        ben.makes_token_with("Nightly export, server bamako-2", "read_write").await;
    }

    /// Adds other nodes: one that has confirmed, one that has not, one that stopped, one that is silent and one that
    /// started later.
    fn runs_on_many_nodes(&self) {
        let told = |id: &str, since: i64, last: &str| {
            format!(
                "INSERT INTO revocation_nodes SELECT token_id, '{id}', 'jeton-{id}:71', epoch + 1, revoked_at + {since}, {last} \
                 FROM revocations WHERE label = 'Lost phone'"
            )
        };
        let listed = |id: &str, first_epoch: &str, seen_at: &str| {
            format!(
                "INSERT INTO nodes SELECT '{id}', 'jeton-{id}:71', revoked_at + 61000, {first_epoch}, {seen_at}, epoch \
                 FROM revocations WHERE label = 'Lost phone'"
            )
        };
        for row in [
            told("2", 12, "revoked_at / 1000"),
            listed("2", "1", "revoked_at + 86400000"),
            listed("3", "1", "revoked_at + 86400000"),
            told("4", 710, "NULL"),
            listed("5", "1", "revoked_at - 9000"),
            listed("6", "epoch", "revoked_at + 86400000"),
            // Ten seconds later the fifth is silent.
            "UPDATE nodes SET seen_at = seen_at - 60000 WHERE id = '5'".into(),
            "UPDATE revocation_nodes SET refuses_since = refuses_since - 60000, last_accepted_at = last_accepted_at - 60".into(),
            "UPDATE revocations SET revoked_at = revoked_at - 60000".into(),
        ] {
            let add = |connection: &mut AnyConnection| Ok(sql_query(&row).execute(connection)?);
            self.app.db.write::<_, StorageError>(add).expect("a node");
        }
    }

    async fn sign_in(&self) {
        let send = Press("main [type=submit]", ".user-button");
        for step in [Go("/sign-in"), Type("email", "ann@example.org"), Type("password", PASSWORD), send] {
            self.take(&step).await;
        }
    }

    async fn visit(&mut self, pages: &[Page]) {
        for (name, way) in pages {
            for step in *way {
                self.take(step).await;
            }
            self.look(name).await;
        }
    }

    async fn take(&self, step: &Step) {
        match step {
            Go(path) => self.browser.go(&self.address(path).await).await,
            Type(name, text) => {
                let field = self.find(&format!("main [name='{name}']")).await;
                field.clear().await.expect("a field");
                field.send_keys(*text).await.expect("a field");
            }
            Press(what, then) => {
                self.find(what).await.click().await.unwrap_or_else(|error| panic!("{what}: {error}"));
                self.find(then).await;
            }
            Send(path, fields) => {
                let answer = self.ann.post(path, fields).await;
                assert_eq!(answer.status, 303, "{path}: {}", answer.text());
            }
        }
    }

    /// Fills the braces of an address.
    async fn address(&self, path: &str) -> String {
        let Some((start, rest)) = path.split_once('{') else { return path.to_owned() };
        let (name, end) = rest.split_once('}').expect("a brace");
        let id = match (name, &self.smtp) {
            ("code", _) => app::setup::code(&self.app.jeton).to_owned(),
            ("link", Some(smtp)) => smtp.mails(1).await[0].link(),
            ("proof", Some(smtp)) => {
                let mails = smtp.mails(2).await.into_iter();
                mails.map(|mail| mail.text()).find_map(link_to_prove).expect("a mail to the new address")
            }
            ("asset", _) => {
                let list = self.ann.get(org!("/items/assets?q=fridge")).await;
                let newest = list.first(".data-table tbody a", |link| Some(link.attr("href")?.to_owned()));
                newest.expect("an asset").rsplit('/').next().expect("an id").to_owned()
            }
            ("invitation", _) => self.ann.invites("zoe@example.org", "Reader").await,
            _ => match name.strip_prefix("service: ") {
                Some(name) => self.ann.service_token(name).await.rsplit('/').next().expect("an id").to_owned(),
                None => self.ann.token_id(name).await,
            },
        };
        format!("{start}{id}{end}")
    }

    async fn find(&self, css: &str) -> thirtyfour::WebElement {
        self.browser.until(&format!("return document.querySelector({css:?}) !== null")).await;
        self.browser.driver().find(By::Css(css)).await.expect("it is there")
    }

    async fn look(&mut self, name: &str) {
        let (browser, mut found) = (&self.browser, Vec::new());
        assert_eq!(browser.evaluate("return document.documentElement.lang").await, self.language, "{name}");
        let sent = browser.sent().await;
        if let Some(live) = browser.changed(&sent).await {
            // It has no document type of its own.
            self.sent.push((format!("{name} ({}, live)", self.language), format!("<!DOCTYPE html>{live}")));
        }
        self.sent.push((format!("{name} ({})", self.language), sent));
        self.pictures(name).await;
        // One language is wide where the other is narrow.
        let is_wide = self.seen.is_multiple_of(2) == (self.language == "en");
        self.seen += 1;
        if is_wide {
            found.extend(browser.axe().await);
        }
        browser.resize(NARROW.0, NARROW.1).await;
        if !is_wide {
            found.extend(browser.axe().await.into_iter().map(|line| format!("narrow: {line}")));
        }
        match browser.too_wide_by().await {
            0 => {}
            pixels => found.push(format!("{pixels} pixels too wide for 320")),
        }
        let cut_off = browser.evaluate(CUT_OFF).await;
        found.extend(cut_off.as_array().into_iter().flatten().map(|part| format!("cut off at 320: {part}")));
        browser.resize(WIDE.0, WIDE.1).await;
        found.extend(browser.complaints().await);
        let text = browser.text().await;
        if self.language == "fr" && text.contains('\'') {
            found.push(format!("a typewriter's apostrophe: {text}"));
        }
        self.found.extend(found.into_iter().map(|line| format!("{name} ({}): {line}", self.language)));
    }

    /// Saves screenshots of the page, if they are wanted.
    async fn pictures(&self, name: &str) {
        let Some(folder) = std::env::var_os("JETON_SCREENSHOTS").map(PathBuf::from) else { return };
        let browser = &self.browser;
        let name = name.replace([',', ' '], "-").replace("--", "-");
        let file = |look: &str| folder.join(format!("{name}-{}-{look}.png", self.language));
        browser.set_dark(true).await;
        browser.screenshot(file("dark")).await;
        browser.set_dark(false).await;
        browser.screenshot(file("light")).await;
        browser.resize(360, 740).await;
        browser.screenshot(file("narrow")).await;
        browser.resize(WIDE.0, WIDE.1).await;
        browser.set_dark(is_dark(self.language)).await;
    }
}

/// The languages in which the tours are dark.
fn is_dark(language: &str) -> bool {
    language == "en"
}
