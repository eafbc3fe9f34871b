//! Protected APIs: registered, changed and deleted by holders of *Platform management: Integrations*.
//!
//! Verification caches protected APIs like tokens, so each change increments the epoch.

use super::{
    AppError, Jeton, Result,
    authority::Holder,
    problem::{Field, Problem, Problems},
    random,
    tokens::known_form,
};
use domain::{
    activity::{Action, Detail, Source},
    item::ItemKind,
    leak,
    permission::{ManageIntegrations, OrgGrant, OwnPermissions, Permission},
    protected_api::{
        BaseUrl, ListedApi, MOST_APIS, MOST_RULES, Methods, Needs, PathError, Pattern, ProtectedApi, Rule, StoredApi,
    },
    text::{self, TextError},
    token,
};
use storage::{
    AnyConnection, activity,
    epoch::{Fact, Touched},
    protected_apis::{self, NewApi},
};

type Admin = Holder<ManageIntegrations>;

/// The form for a protected API, as typed.
#[derive(Clone, Debug, Default)]
pub struct ApiForm {
    /// The name.
    pub name: String,
    /// The base address of its requests.
    pub address: String,
    /// The rules, in order.
    pub rules: Vec<TypedRule>,
    /// Whether CORS preflights, which have no key, may pass.
    pub lets_preflights: bool,
    /// For a change: the version that was shown.
    pub version: String,
}

/// A rule as typed: keys of choices, and a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypedRule {
    /// The key of the methods.
    pub methods: String,
    /// The path.
    pub path: String,
    /// The key of the scope that a token needs.
    pub needs: String,
    /// The key of the permission that it needs; empty for none.
    pub permission: String,
    /// The key of the kind of the item that the path names; empty if it names none.
    pub item: String,
}

impl TypedRule {
    /// Returns the first rule of a new API: every request needs the scope of its method.
    pub fn first() -> Self {
        Self {
            methods: Methods::Any.key().into(),
            path: "/**".into(),
            needs: Needs::ByMethod.key().into(),
            ..Self::default()
        }
    }

    /// Returns the rule as somebody would type it.
    pub fn of(rule: &Rule) -> Self {
        Self {
            methods: rule.methods.key().into(),
            path: rule.path.to_string(),
            needs: rule.needs.key().into(),
            permission: rule.permission.as_ref().map(Permission::key).unwrap_or_default().into(),
            item: rule.item.as_ref().map(ItemKind::key).unwrap_or_default().into(),
        }
    }

    fn read(&self, number: usize, known: &OwnPermissions) -> std::result::Result<Rule, Problem> {
        let permission = match self.permission.as_str() {
            "" => None,
            key => Some(Permission::of(key, known).ok_or(Problem::NotAChoice)?),
        };
        let wrong = |error| Problem::Rule(number, error);
        let path = Pattern::typed(without_key(&self.path)?).map_err(wrong)?;
        let item = match (self.item.as_str(), path.has_item()) {
            ("", false) => None,
            ("", true) => return Err(wrong(PathError::NoKind)),
            (_, false) => return Err(wrong(PathError::NoItem)),
            (key, true) => Some(ItemKind::parse(key).filter(|kind| kind.is_known(known)).ok_or(Problem::NotAChoice)?),
        };
        Ok(Rule {
            methods: Methods::from_key(&self.methods).ok_or(Problem::NotAChoice)?,
            path,
            needs: Needs::from_key(&self.needs).ok_or(Problem::NotAChoice)?,
            permission,
            item,
        })
    }
}

/// Returns the typed text, unless it has an API key in it.
fn without_key(typed: &str) -> std::result::Result<&str, Problem> {
    if leak::holds_key(typed) { Err(TextError::Key.into()) } else { Ok(typed) }
}

/// The content of a form, parsed.
struct Wanted {
    name: String,
    address: BaseUrl,
    rules: Vec<Rule>,
    lets_preflights: bool,
}

impl Wanted {
    /// Reads a form, in an organization that has added `known`.
    fn read(form: &ApiForm, known: &OwnPermissions) -> Result<Self> {
        let mut problems = Problems::default();
        let name = problems.check(Field::ApiName, text::line(&form.name));
        let address = without_key(&form.address).and_then(|typed| BaseUrl::parse(typed).map_err(Problem::Path));
        let address = problems.check(Field::Address, address);
        let rules = (1..).zip(&form.rules).map(|(number, rule)| rule.read(number, known)).collect();
        let rules = if form.rules.len() > MOST_RULES { Err(Problem::TooManyRules) } else { rules };
        match (name, address, problems.check(Field::Rules, rules)) {
            (Some(name), Some(address), Some(rules)) => {
                Ok(Self { name, address, rules, lets_preflights: form.lets_preflights })
            }
            _ => Err(problems.into()),
        }
    }

    /// Returns whether nothing changes.
    fn is(&self, before: &StoredApi) -> bool {
        let ProtectedApi { address, rules, lets_preflights, .. } = &before.api;
        (&self.name, &self.address, &self.rules, &self.lets_preflights)
            == (&before.name, address, rules, lets_preflights)
    }

    fn stored(&self) -> NewApi<'_> {
        let Self { name, address, rules, lets_preflights } = self;
        NewApi { name, address, rules, lets_preflights: *lets_preflights }
    }

    /// Returns the detail for the activity log.
    fn detail(&self) -> Detail {
        let Self { address, rules, lets_preflights, .. } = self;
        Detail::ProtectedApi { base_url: address.clone(), rules: rules.clone(), lets_preflights: *lets_preflights }
    }
}

/// Lists the protected APIs of the organization by name.
pub async fn list(jeton: &Jeton, at: &Admin) -> Result<Vec<ListedApi>> {
    let organization = at.grant().organization();
    jeton.read(move |connection| Ok(protected_apis::list(connection, organization)?)).await
}

/// Returns a protected API of the organization.
///
/// # Errors
/// [`AppError::NotFound`] if it does not exist or belongs to another organization.
pub async fn find(jeton: &Jeton, at: &Admin, public_id: &str) -> Result<StoredApi> {
    let (at, public_id) = (at.clone(), known_form(public_id)?);
    jeton.read(move |connection| find_in(connection, at.grant(), &public_id)).await
}

/// Registers a protected API and returns its public id.
///
/// # Errors
/// [`AppError::Invalid`] with what is wrong: the name, the address, a rule, or that there are already [`MOST_APIS`].
pub async fn create(jeton: &Jeton, at: &Admin, form: ApiForm, source: Source) -> Result<String> {
    Wanted::read(&form, at.grant().known())?;
    let (at, now, public_id) = (at.clone(), jeton.clock.now(), token::public_id(random::fill));
    // No node has cached the API yet, but some may have cached that there is none.
    jeton
        .change_keys(move |connection| {
            let grant = at.begin(connection)?;
            let wanted = Wanted::read(&form, grant.known())?;
            let all = protected_apis::list(connection, grant.organization())?;
            if all.len() >= MOST_APIS {
                return Err(Problems::one(Field::Form, Problem::TooManyApis).into());
            }
            must_be_free(&all, &wanted.name, None)?;
            protected_apis::insert(connection, grant.organization(), &public_id, &wanted.stored(), now)?;
            let (detail, entry) = (wanted.detail(), at.entry(Action::ProtectedApiCreated, now, &source));
            let entry = activity::Entry { target_name: Some(&wanted.name), detail: Some(detail), ..entry };
            activity::insert(connection, &entry)?;
            Ok((public_id.clone(), Fact::Api(public_id.clone()).into()))
        })
        .await
}

/// Changes the name, the address and the rules of a protected API.
///
/// # Errors
/// [`AppError::NotFound`] if it belongs to another organization; [`AppError::Invalid`] with what is wrong, including
/// somebody else's change in the meantime ([`Problem::ChangedMeanwhile`]).
pub async fn change(jeton: &Jeton, at: &Admin, public_id: &str, form: ApiForm, source: Source) -> Result<()> {
    let public_id = known_form(public_id)?;
    Wanted::read(&form, at.grant().known())?;
    let version: Option<i64> = form.version.parse().ok();
    let (at, now) = (at.clone(), jeton.clock.now());
    jeton
        .change_keys(move |connection| {
            let grant = at.begin(connection)?;
            let touched = Touched::from(Fact::Api(public_id.clone()));
            let wanted = Wanted::read(&form, grant.known())?;
            let before = find_in(connection, &grant, &public_id)?;
            if version != Some(before.version) {
                return Err(Problems::one(Field::Form, Problem::ChangedMeanwhile).into());
            }
            must_be_free(&protected_apis::list(connection, grant.organization())?, &wanted.name, Some(&public_id))?;
            if wanted.is(&before) {
                return Ok(((), touched));
            }
            protected_apis::update(connection, before.id, &wanted.stored())?;
            let (detail, entry) = (wanted.detail(), at.entry(Action::ProtectedApiChanged, now, &source));
            let entry = activity::Entry { target_name: Some(&wanted.name), detail: Some(detail), ..entry };
            Ok((activity::insert(connection, &entry)?, touched))
        })
        .await
}

/// Deletes a protected API: from then on, all requests of its proxy are refused.
///
/// # Errors
/// [`AppError::NotFound`] if it does not exist or belongs to another organization.
pub async fn delete(jeton: &Jeton, at: &Admin, public_id: &str, source: Source) -> Result<()> {
    let (at, now, public_id) = (at.clone(), jeton.clock.now(), known_form(public_id)?);
    jeton
        .change_keys(move |connection| {
            let grant = at.begin(connection)?;
            let api = find_in(connection, &grant, &public_id)?;
            protected_apis::delete(connection, api.id)?;
            let entry = at.entry(Action::ProtectedApiDeleted, now, &source);
            activity::insert(connection, &activity::Entry { target_name: Some(&api.name), ..entry })?;
            Ok(((), Fact::Api(public_id.clone()).into()))
        })
        .await
}

fn find_in(connection: &mut AnyConnection, grant: &OrgGrant<ManageIntegrations>, public_id: &str) -> Result<StoredApi> {
    let found = protected_apis::find(connection, public_id)?;
    found.filter(|found| found.api.organization == grant.organization()).ok_or(AppError::NotFound)
}

/// Checks that no other API of the organization has this name, ignoring case: so a form that is sent twice creates only
/// one.
fn must_be_free(all: &[ListedApi], name: &str, own: Option<&str>) -> Result<()> {
    let name = text::fold(name);
    let is_taken = all.iter().any(|api| Some(api.public_id.as_str()) != own && text::fold(&api.name) == name);
    if is_taken { Err(Problems::one(Field::ApiName, Problem::NameTaken).into()) } else { Ok(()) }
}
