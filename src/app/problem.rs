//! What is wrong with the input, field by field. Pages turn it into text.

use domain::{
    access::Unsuitable,
    field::{AnswerProblem, FieldProblem},
    kind::KeyError,
    permission::Permissions,
    protected_api::PathError,
    text::TextError,
    user::{EmailError, PasswordError},
};

/// A field of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// A person's name.
    Name,
    /// An e-mail address.
    Email,
    /// An organization's name.
    Organization,
    /// The current password.
    Password,
    /// The new password.
    NewPassword,
    /// A language.
    Language,
    /// A time zone.
    TimeZone,
    /// A theme.
    Theme,
    /// A token's label.
    Label,
    /// A token's scope.
    Scope,
    /// A token's inactivity expiry.
    Inactivity,
    /// An organization's slug.
    Slug,
    /// A permission set's name.
    SetName,
    /// Permissions.
    Permissions,
    /// How long an old key keeps working.
    Hours,
    /// How long an old key must be unused to end before that.
    Quiet,
    /// A person whose entries of the activity log are searched for.
    Person,
    /// A token, by its public id.
    Token,
    /// A kind of entries or of tokens.
    Kind,
    /// The first day of a period.
    FirstDay,
    /// The last day of a period.
    LastDay,
    /// The reason for an action.
    Reason,
    /// A permission set.
    PermissionSet,
    /// The name of one item of a kind.
    Singular,
    /// The name of several items of a kind.
    Plural,
    /// The key of a kind.
    Key,
    /// The own actions of a kind.
    Actions,
    /// A protected API's name.
    ApiName,
    /// The base address of a protected API.
    Address,
    /// The rules of a protected API.
    Rules,
    /// A group's name.
    GroupName,
    /// A site's name.
    SiteName,
    /// The site that a site is in.
    Parent,
    /// People to be added to a group or site.
    People,
    /// The id by which other programs know somebody.
    ExternalId,
    /// An item's name.
    ItemName,
    /// An item's description.
    Description,
    /// The site that an item is at, or that an access rule is about.
    Site,
    /// The template of an inspection, or that an access rule is about.
    Template,
    /// The questions of a template.
    Questions,
    /// Answers to questions or fields.
    Answers,
    /// Who is given access.
    Recipient,
    /// A level of access.
    Level,
    /// The form as a whole.
    Form,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The name or label is invalid.
    Text(TextError),
    /// The e-mail address is invalid.
    Email(EmailError),
    /// The password is invalid.
    Password(PasswordError),
    /// Another user has this e-mail address.
    EmailTaken,
    /// The e-mail address and the password do not match.
    WrongCredentials,
    /// This is not the user's password.
    WrongPassword,
    /// The password must be entered again before access is granted.
    ReauthenticationNeeded,
    /// The value is none of the choices.
    NotAChoice,
    /// The user has the maximum number of active tokens.
    LimitReached,
    /// The organization has the maximum number of active tokens of service users.
    ServiceLimitReached,
    /// No permission was chosen.
    NothingChosen,
    /// The caller wants to grant these permissions, which they do not hold.
    NotHeld(Permissions),
    /// The slug has an invalid form.
    SlugMalformed,
    /// Another organization has this slug.
    SlugTaken,
    /// The name is taken.
    NameTaken,
    /// Only an unused one can be deleted, and this one is in use.
    InUse,
    /// The organization would be left without an active administrator, who holds every permission.
    LastAdministrator,
    /// The change would affect others than the preview showed.
    AffectedMeanwhile,
    /// Somebody else has changed the same thing since the form was opened.
    ChangedMeanwhile,
    /// The token has been unused for so long that it would expire at once.
    WouldExpire,
    /// The token must have ended, but is active.
    StillActive,
    /// The token must be active, but has ended.
    HasEnded,
    /// The token already has an old key that still works.
    OverlapRunning,
    /// The user is active in no organization.
    ActiveNowhere,
    /// The operator has blocked the user.
    Blocked,
    /// The installation would be left without an administrator.
    LastInstallationAdmin,
    /// A user with this e-mail address is already a member of the organization.
    IsMember,
    /// A user with this e-mail address is a deactivated member of the organization.
    IsDeactivated,
    /// The caller would decide about somebody who holds these permissions, which the caller does not.
    MayDoMore(Permissions),
    /// A new password would give access to more than this organization: to another organization of the user, or to the
    /// installation.
    BelongsElsewhere,
    /// The address is invalid.
    Path(PathError),
    /// The path of the rule with this number, from 1, is invalid.
    Rule(usize, PathError),
    /// There are too many rules for a protected API.
    TooManyRules,
    /// The organization has the maximum number of protected APIs.
    TooManyApis,
    /// The key of a kind or of an action is invalid.
    Key(KeyError),
    /// The organization has a kind with this key.
    KeyTaken,
    /// The key of a kind never changes.
    KeyStays,
    /// The action with this number, from 1, is invalid.
    Action(usize, ActionProblem),
    /// A kind has too many actions.
    TooManyActions,
    /// The organization has the maximum number of kinds.
    TooManyKinds,
    /// Nobody would hold the new permissions, as no active member is an administrator.
    NobodyWouldHold,
    /// The organization has the maximum number of groups.
    TooManyGroups,
    /// The organization has the maximum number of sites.
    TooManySites,
    /// There would be too many levels of sites.
    TooDeep,
    /// A site cannot be in itself, nor below itself.
    BelowItself,
    /// Only a site with no other one in it can be deleted.
    HasSites,
    /// Nobody is in the list.
    NobodyListed,
    /// There are too many people in the list.
    TooManyListed,
    /// Another user or service user of the organization has this external id.
    ExternalIdTaken,
    /// Another item of the organization and kind has this external id.
    ItemIdTaken,
    /// These fields of a form are wrong.
    Questions(Vec<FieldProblem>),
    /// These answers are wrong.
    Answers(Vec<AnswerProblem>),
    /// Only templates have questions.
    NoQuestionsHere,
    /// There is nobody like this.
    NoSuchRecipient,
    /// They cannot be given access to such items.
    Unsuitable(Unsuitable),
    /// The item has the maximum number of shares.
    TooManyShares,
    /// The organization has the maximum number of access rules.
    TooManyAccessRules,
    /// There is an access rule for the same items and the same recipient.
    SameAccessRule,
    /// Only a kind without items can be deleted.
    HasItems,
    /// Only rules about inspections are about a template.
    NoTemplate,
    /// The form names no organization, or one in which the user is not active.
    OtherOrganization,
    /// The form was sent after its session had ended, and is shown again so that the user can check and send it.
    KeptForm,
    /// This form was already sent, and created its token.
    SentBefore,
    /// This form was already sent, and created an item with something else in it.
    MadeBefore,
    /// There were too many attempts, or Jeton is busy; it may work after this many seconds.
    TryLater(u64),
}

/// What is wrong with an own action of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionProblem {
    /// Its name is invalid.
    Name(TextError),
    /// Another action of the kind has its name.
    NameTaken,
    /// Its key is invalid.
    Key(KeyError),
    /// Another action of the kind has its key.
    KeyTaken,
    /// It is not chosen whether it reads or changes.
    Nature,
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<TextError> for Problem {
    fn from(error: TextError) -> Self {
        Self::Text(error)
    }
}

impl From<EmailError> for Problem {
    fn from(error: EmailError) -> Self {
        Self::Email(error)
    }
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        Self::Password(error)
    }
}

/// All that is wrong with a form.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("the form has problems: {0:?}")]
pub struct Problems(Vec<(Field, Problem)>);

impl Problems {
    /// Creates a list of one problem.
    pub fn one(field: Field, problem: Problem) -> Self {
        Self(vec![(field, problem)])
    }

    /// Returns what is wrong with `field`.
    pub fn at(&self, field: Field) -> Option<Problem> {
        self.0.iter().find(|(at, _)| *at == field).map(|(_, problem)| problem.clone())
    }

    /// Iterates over all problems in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = (Field, Problem)> {
        self.0.iter().cloned()
    }

    /// Returns the value that was read for `field`, or records what is wrong with it.
    pub fn check<T, E: Into<Problem>>(&mut self, field: Field, read: Result<T, E>) -> Option<T> {
        read.map_err(|error| self.0.push((field, error.into()))).ok()
    }

    /// Returns `Ok` if nothing is wrong.
    ///
    /// # Errors
    /// These problems.
    pub fn none(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Returns the choice for `field`, or records that there is none.
    pub fn choice<T>(&mut self, field: Field, chosen: Option<T>) -> Option<T> {
        self.check(field, chosen.ok_or(Problem::NotAChoice))
    }
}
