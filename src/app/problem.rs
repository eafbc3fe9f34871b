//! What is wrong with what somebody entered, field by field. Pages turn it into words.

use domain::{
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
    /// The password that somebody has.
    Password,
    /// The password that somebody wants.
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
    /// The part of an organization's addresses.
    Slug,
    /// A permission set's name.
    SetName,
    /// What somebody or something may do.
    Permissions,
    /// For how long an old key goes on working.
    Hours,
    /// How long an old key has to be quiet to end before that.
    Quiet,
    /// Somebody whose entries of the log are looked for.
    Person,
    /// A token, by its public id.
    Token,
    /// A kind of entries or of tokens.
    Kind,
    /// The first day of a time.
    FirstDay,
    /// The last day of a time.
    LastDay,
    /// Why something is done.
    Reason,
    /// A permission set.
    PermissionSet,
    /// A protected API's name.
    ApiName,
    /// What the addresses of a protected API begin with.
    Address,
    /// The rules of a protected API.
    Rules,
    /// The form as a whole.
    Form,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A name or label cannot be taken.
    Text(TextError),
    /// An e-mail address cannot be taken.
    Email(EmailError),
    /// A password cannot be taken.
    Password(PasswordError),
    /// Another user has this e-mail address.
    EmailTaken,
    /// No user has this e-mail address and password together.
    WrongCredentials,
    /// This is not the user's password.
    WrongPassword,
    /// The password has to be entered again before access is granted.
    ReauthenticationNeeded,
    /// None of the choices was taken.
    NotAChoice,
    /// The user has as many active tokens as they can have.
    LimitReached,
    /// The organization has as many active tokens of service users as it can have.
    ServiceLimitReached,
    /// No permission was chosen.
    NothingChosen,
    /// They want to give what they do not hold themselves.
    NotHeld(Permissions),
    /// The part of addresses has other characters than it can have.
    SlugMalformed,
    /// Another organization has this part of addresses.
    SlugTaken,
    /// Another one has this name.
    NameTaken,
    /// It only goes for what nobody uses.
    InUse,
    /// Nobody active who holds every permission would be left in the organization.
    LastAdministrator,
    /// Others would be affected than was shown.
    AffectedMeanwhile,
    /// Somebody else has changed the same thing since the form was opened.
    ChangedMeanwhile,
    /// The token has not been used for so long that it would expire at once.
    WouldExpire,
    /// It only goes for a token that has ended, and this one works.
    StillActive,
    /// It only goes for a token that works, and this one has ended.
    HasEnded,
    /// An older key goes on working already.
    OverlapRunning,
    /// The account is active in no organization.
    ActiveNowhere,
    /// Whoever runs the server has blocked the account.
    Blocked,
    /// Nobody would be left who administers the installation.
    LastInstallationAdmin,
    /// Somebody with this e-mail address belongs to the organization already.
    IsMember,
    /// Somebody with this e-mail address belongs to the organization and is deactivated.
    IsDeactivated,
    /// They would decide about somebody who may do more than they: this.
    MayDoMore(Permissions),
    /// A new password would open more than this organization: theirs in another, or the installation.
    BelongsElsewhere,
    /// An address cannot be taken.
    Path(PathError),
    /// The path of the rule with this number, from 1, cannot be taken.
    Rule(usize, PathError),
    /// There are more rules than a protected API can have.
    TooManyRules,
    /// The organization has as many protected APIs as it can have.
    TooManyApis,
    /// The form names an organization that they are not active in, or none.
    OtherOrganization,
    /// The form came back after its session had ended, to be looked at and sent again.
    CameBack,
    /// This very form was sent before and made its token.
    SentBefore,
    /// There were too many attempts, or too much is going on; after this many seconds it may work.
    TryLater(u64),
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
    /// One problem.
    pub fn one(field: Field, problem: Problem) -> Self {
        Self(vec![(field, problem)])
    }

    /// What is wrong with `field`.
    pub fn at(&self, field: Field) -> Option<Problem> {
        self.0.iter().find(|(at, _)| *at == field).map(|(_, problem)| *problem)
    }

    /// All of them, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = (Field, Problem)> {
        self.0.iter().copied()
    }

    /// The value that was read for `field`, or a note of what is wrong with it.
    pub fn check<T, E: Into<Problem>>(&mut self, field: Field, read: Result<T, E>) -> Option<T> {
        read.map_err(|error| self.0.push((field, error.into()))).ok()
    }

    /// Goes on if nothing is wrong.
    ///
    /// # Errors
    /// These problems.
    pub fn none(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// The choice that was taken for `field`, or a note that none was.
    pub fn choice<T>(&mut self, field: Field, chosen: Option<T>) -> Option<T> {
        self.check(field, chosen.ok_or(Problem::NotAChoice))
    }
}
