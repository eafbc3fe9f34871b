//! APIs that a reverse proxy protects by asking Jeton about each request: which requests need what from a token.
//!
//! The rules of an API are checked in order, and the first that matches decides; a request that matches none is
//! refused. Paths are compared in one form only ([`RequestPath`]). A path that the API behind the proxy might read
//! differently from Jeton is refused before any rule is checked (V11).

mod item;
mod path;
mod word;

pub use item::{Demanded, ItemDemand, level_of};
pub use path::{Ambiguous, BaseUrl, ITEM, LONGEST_PATH, PathError, Pattern, RequestPath};

use super::{
    access::Demand,
    item::ItemKind,
    organization::OrganizationId,
    permission::{Permission, Permissions},
    time::Timestamp,
};
use thiserror::Error;
use word::Word;

/// The maximum number of protected APIs in an organization.
pub const MOST_APIS: usize = 50;
/// The maximum number of rules of a protected API.
pub const MOST_RULES: usize = 50;

/// A protected API, as verification uses it.
#[derive(Clone, Debug)]
pub struct ProtectedApi {
    /// Only tokens of this organization are accepted.
    pub organization: OrganizationId,
    /// The base address of its requests.
    pub address: BaseUrl,
    /// The rules, checked in this order.
    pub rules: Vec<Rule>,
    /// Whether CORS preflights, which have no key, may pass.
    pub lets_preflights: bool,
}

/// A rule: which requests it covers, and what they need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The methods of the requests.
    pub methods: Methods,
    /// The paths of the requests, below the API's base address.
    pub path: Pattern,
    /// The scope that a token needs.
    pub needs: Needs,
    /// The permission that its subject needs in addition.
    pub permission: Option<Permission>,
    /// The kind of the item that `{item}` in the path names; `None` if the path names none.
    pub item: Option<ItemKind>,
}

/// The methods that a rule covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Methods {
    /// Any method.
    Any,
    /// Methods that only read: GET, HEAD and OPTIONS.
    Reads,
    /// All other methods.
    Writes,
    /// One method.
    One(&'static str),
}

impl Methods {
    /// All choices, in the order of forms.
    pub const ALL: [Self; 10] = [
        Self::Any,
        Self::Reads,
        Self::Writes,
        Self::One("GET"),
        Self::One("HEAD"),
        Self::One("OPTIONS"),
        Self::One("POST"),
        Self::One("PUT"),
        Self::One("PATCH"),
        Self::One("DELETE"),
    ];

    /// Returns the word in forms and in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::One(method) => method,
        }
    }

    /// Returns the choice with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|methods| methods.key() == key)
    }

    fn matches(self, method: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Reads => reads(method),
            Self::Writes => !reads(method),
            Self::One(one) => one == method,
        }
    }
}

/// Returns whether a request with this method only reads. Methods are case-sensitive (RFC 9110, section 9.1), so `get`
/// does not count as one that only reads.
pub fn reads(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS")
}

keyed! {
    /// The scope that a rule requires.
    pub enum Needs {
        /// The scope that the method needs.
        ByMethod = "by_method",
        /// *Read only*, whatever the method.
        Read = "read",
        /// *Read & write*, whatever the method.
        ReadWrite = "read_write",
    }
}

/// Why a request to an API is refused, whatever its token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Closed {
    /// Its path can be read in more than one way.
    #[error("The path of the request can be read in more than one way.")]
    Ambiguous,
    /// Its path is not below the API's base address.
    #[error("The path of the request is not below the address of the protected API.")]
    Elsewhere,
    /// No rule covers it.
    #[error("No rule of the protected API covers this request.")]
    NoRule,
}

impl From<Ambiguous> for Closed {
    fn from(Ambiguous: Ambiguous) -> Self {
        Self::Ambiguous
    }
}

impl ProtectedApi {
    /// Returns what a request with this method and path needs from a token. Some servers ignore the case of methods, so
    /// one that is not in upper case needs what both spellings need.
    ///
    /// # Errors
    /// [`Closed`] says why no token is sufficient.
    pub fn demand(&self, method: &str, path: &RequestPath) -> Result<Demanded, Closed> {
        let demand = self.demand_exactly(method, path)?;
        if !method.contains(|c: char| c.is_ascii_lowercase()) {
            return Ok(demand);
        }
        demand.and(self.demand_exactly(&method.to_ascii_uppercase(), path)?)
    }

    /// Returns what exactly this method needs. A path that a lenient server would match to another rule is ambiguous.
    fn demand_exactly(&self, method: &str, path: &RequestPath) -> Result<Demanded, Closed> {
        let behind = path.behind(&self.address).ok_or(Closed::Elsewhere)?;
        let first = |same: fn(&Word, &Word) -> bool| {
            self.rules.iter().position(|rule| rule.methods.matches(method) && rule.path.matches(behind, same))
        };
        let exact = first(Word::is);
        if exact != first(Word::reads_as) {
            return Err(Closed::Ambiguous);
        }
        let rule = exact.and_then(|index| self.rules.get(index)).ok_or(Closed::NoRule)?;
        let write = match rule.needs {
            Needs::Read => false,
            Needs::ReadWrite => true,
            Needs::ByMethod => !reads(method),
        };
        let permissions: Permissions = rule.permission.iter().cloned().collect();
        let item = match (&rule.item, rule.path.item(behind)) {
            (Some(kind), Some(part)) => Some(ItemDemand::new(rule, kind, part, write)?),
            (None, None) => None,
            // Nobody can say what the rule means.
            _ => return Err(Closed::NoRule),
        };
        Ok(Demanded { demand: Demand { write, permissions, organization: Some(self.organization) }, item })
    }
}

/// A protected API as it is stored.
#[derive(Clone, Debug)]
pub struct StoredApi {
    /// The row.
    pub id: i64,
    /// Its public id, also in the addresses that proxies call.
    pub public_id: String,
    /// Its name.
    pub name: String,
    /// What verification uses of it.
    pub api: ProtectedApi,
    /// When it was created.
    pub created_at: Timestamp,
    /// Its version, incremented by each change.
    pub version: i64,
}

/// A protected API as a list shows it.
#[derive(Clone, Debug)]
pub struct ListedApi {
    /// Its public id.
    pub public_id: String,
    /// Its name.
    pub name: String,
    /// The base address of its requests.
    pub address: String,
    /// How many rules it has.
    pub rules: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(target: &str) -> Result<RequestPath, Ambiguous> {
        RequestPath::parse(target.as_bytes())
    }

    fn api(rules: &[(&str, &str, &str, &str)]) -> ProtectedApi {
        let rules = rules.iter().map(|(methods, path, needs, permission)| Rule {
            methods: Methods::from_key(methods).unwrap(),
            path: Pattern::parse(path).unwrap(),
            needs: Needs::from_key(needs).unwrap(),
            permission: Permission::named(permission),
            item: path.contains("{item}").then(|| ItemKind::parse("invoices")).flatten(),
        });
        ProtectedApi {
            organization: OrganizationId(1),
            address: BaseUrl::parse("https://api.example.org/v1/").unwrap(),
            rules: rules.collect(),
            lets_preflights: false,
        }
    }

    #[test]
    fn the_first_matching_rule_decides_and_without_one_all_is_refused() {
        let api = api(&[
            ("reads", "/orders/*", "read", "templates.view"),
            ("POST", "/search", "read", ""),
            ("writes", "/orders/**", "by_method", "templates.edit"),
            ("GET", "/reports/**", "read_write", ""),
        ]);
        let demand = |method: &str, target: &str| {
            let Demanded { demand, item } = api.demand(method, &path(target).unwrap())?;
            assert_eq!(item, None);
            assert_eq!(demand.organization, Some(OrganizationId(1)));
            Ok((demand.write, demand.permissions.keys()))
        };
        assert_eq!(demand("GET", "/v1/orders/5"), Ok((false, "templates.view".into())));
        assert_eq!(demand("GET", "/v1/orders/5/"), Ok((false, "templates.view".into())));
        assert_eq!(demand("GET", "/v1/orders"), Err(Closed::NoRule));
        assert_eq!(demand("GET", "/v1/orders/5/lines"), Err(Closed::NoRule));
        assert_eq!(demand("POST", "/v1/orders"), Ok((true, "templates.edit".into())));
        let both = Ok((true, "templates.view templates.edit".to_owned()));
        assert_eq!(
            demand("get", "/v1/orders/5"),
            both,
            "not a method that only reads, but some servers take it for one"
        );
        assert_eq!(demand("options", "/v1/reports/2026/11"), Err(Closed::NoRule));
        assert_eq!(demand("POST", "/v1/search"), Ok((false, String::new())));
        assert_eq!(demand("PUT", "/v1/search"), Err(Closed::NoRule));
        assert_eq!(demand("GET", "/v1/reports/2026/11"), Ok((true, String::new())));
        assert_eq!(demand("HEAD", "/v1/reports/2026/11"), Err(Closed::NoRule));
        for elsewhere in ["/", "/v2/orders/5", "/v1orders/5", "/V1/orders/5"] {
            assert_eq!(demand("GET", elsewhere), Err(Closed::Elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_path_that_servers_could_match_to_another_rule_is_ambiguous() {
        let guarded = ["/admin/**", "/settings/**", "/straße/*", "/été"];
        let rules = guarded.map(|path| ("any", path, "read_write", "platform.users"));
        let api = api(&[&rules[..], &[("any", "/**", "by_method", "")]].concat());
        for around in [
            "/v1/Admin",
            "/v1/ADMIN/x",
            "/v1/admiN/",
            "/v1/adm%C4%B1n",
            "/v1/%C5%BFettings",
            "/v1/STRASSE/5",
            "/v1/e%CC%81te%CC%81",
            "/v1/ete",
            "/v1/admin.",
            "/v1/admin%20/x",
            "/v1/admin%C2%A0",
            "/v1/admin%E2%80%8B",
            "/v1/%EF%BD%81dmin/x",
        ] {
            assert_eq!(api.demand("GET", &path(around).unwrap()).map(|_| ()), Err(Closed::Ambiguous), "{around}");
        }
        for plain in
            ["/v1/Orders", "/v1/orders/Admin", "/v1/r%C3%A9sum%C3%A9.", "/v1/e%CC%81te%CC%81/5", "/v1/admin.json"]
        {
            assert!(api.demand("GET", &path(plain).unwrap()).is_ok(), "{plain}");
        }
        let street = api.demand("GET", &path("/v1/stra%C3%9Fe/5").unwrap()).unwrap();
        assert!(street.demand.write, "as the rule is written");
    }

    #[test]
    fn a_part_of_the_path_names_an_item() {
        let api = api(&[
            ("reads", "/invoices/{item}/**", "read", "invoices.view"),
            ("writes", "/invoices/{item}", "by_method", ""),
            ("any", "/**", "by_method", ""),
        ]);
        let named = |method: &str, target: &str| {
            let item = api.demand(method, &path(target).unwrap())?.item;
            Ok(item.map(|item| item.id().map(|id| id.to_string()).unwrap_or_default()))
        };
        let is = |id: &str| Ok(Some(id.to_owned()));
        assert_eq!(named("GET", "/v1/invoices/INV-7/lines/3"), is("INV-7"));
        assert_eq!(named("GET", "/v1/invoices/INV-7/"), is("INV-7"));
        assert_eq!(named("PUT", "/v1/invoices/caf%C3%A9%20%2B1"), is("café +1"), "decoded once");
        assert_eq!(named("put", "/v1/invoices/7"), is("7"));
        assert_eq!(named("PUT", "/v1/invoices/7/lines"), Ok(None), "another rule");
        assert_eq!(named("GET", "/v1/invoices"), Ok(None));
        for odd in ["7.", "7%20", "%207", "7%E2%80%8B", "%EF%BC%97", "e%CC%81", "7%C2%A0"] {
            assert_eq!(named("GET", &format!("/v1/invoices/{odd}")), Err(Closed::Ambiguous), "{odd}");
        }
        assert!(path("/v1/invoices/INV%2F7").is_err() && path("/v1/invoices/%2537").is_err());
        assert!(path("/v1/invoices/../7").is_err() && path("/v1/invoices//lines").is_err());
    }

    #[test]
    fn a_rule_about_items_of_no_kind_lets_nobody_through() {
        let mut api = api(&[("any", "/invoices/{item}", "read", "")]);
        assert!(api.demand("GET", &path("/v1/invoices/7").unwrap()).is_ok());
        api.rules[0].item = None;
        assert_eq!(api.demand("GET", &path("/v1/invoices/7").unwrap()), Err(Closed::NoRule));
    }
}
