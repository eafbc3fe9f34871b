//! Extractors for the pages of an organization and of the installation: who is signed in there, and with what
//! authority.
//!
//! A handler that takes [`Holding<ManageUsers>`](Holding) is reached only by members who hold that permission. Other
//! members get 403, and anybody who is not active in the organization gets 404, as if it did not exist.

use super::{
    errors::WebError,
    routes::path,
    session::{Place, SignedIn},
    shell::{Nav, Shell},
    texts::Texts,
};
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use app::{
    AppError,
    authority::{Holder, Member},
    installation::InstallationAdmin,
};
use domain::{activity::Source, kind::Kind, permission::Authority};
use std::{
    future::{Ready, ready},
    sync::Arc,
};

type Extracted<T> = Ready<Result<T, WebError>>;

/// A member of the organization in the address.
#[derive(Clone, Debug)]
pub struct AtWork {
    /// The member.
    pub who: Member,
    /// Where the request comes from.
    pub source: Source,
    shell: Shell,
}

/// A member of the organization in the address who holds the permission of `A`.
#[derive(Clone, Debug)]
pub struct Holding<A> {
    /// Proof of it, which verbs ask for.
    pub who: Holder<A>,
    /// Where the request comes from.
    pub source: Source,
    shell: Shell,
}

impl<A> Holding<A> {
    /// The frame for a page under this entry of the navigation.
    pub fn shell(&self, nav: Nav) -> Shell {
        Shell { nav, ..self.shell.clone() }
    }

    /// The texts in the reader's language.
    pub const fn t(&self) -> Texts {
        self.shell.t
    }

    /// The organization's own kinds.
    pub fn kinds(&self) -> &[Kind] {
        &self.shell.kinds
    }

    /// The organization's slug.
    pub fn slug(&self) -> &str {
        &self.who.membership().slug
    }
}

impl AtWork {
    /// The frame for a page under this entry of the navigation.
    pub fn shell(&self, nav: Nav) -> Shell {
        Shell { nav, ..self.shell.clone() }
    }

    /// The organization's own kinds.
    pub fn kinds(&self) -> &[Kind] {
        &self.shell.kinds
    }

    /// The organization's slug.
    pub fn slug(&self) -> &str {
        &self.who.membership().slug
    }

    /// The texts in the reader's language.
    pub const fn t(&self) -> Texts {
        self.shell.t
    }
}

/// An installation administrator. For others the page does not exist.
#[derive(Clone, Debug)]
pub struct Administering {
    /// Proof of it, which verbs ask for.
    pub who: InstallationAdmin,
    /// Where the request comes from.
    pub source: Source,
    signed_in: SignedIn,
}

impl Administering {
    /// The frame for a page under this entry of the navigation.
    pub fn shell(&self, nav: Nav) -> Shell {
        self.signed_in.shell(nav)
    }

    /// The texts in the reader's language.
    pub const fn t(&self) -> Texts {
        self.signed_in.t()
    }
}

impl FromRequest for Administering {
    type Error = WebError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(administering(request))
    }
}

fn administering(request: &HttpRequest) -> Result<Administering, WebError> {
    let signed_in = SignedIn::known(request).ok_or(WebError::SignedOut)?;
    let who = InstallationAdmin::of(signed_in.actor.clone())?;
    Ok(Administering { who, source: signed_in.source.clone(), signed_in })
}

impl FromRequest for AtWork {
    type Error = WebError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(at_work(request))
    }
}

fn at_work(request: &HttpRequest) -> Result<AtWork, WebError> {
    let signed_in = SignedIn::known(request).ok_or(WebError::SignedOut)?;
    let place = request.extensions_mut().remove::<Place>();
    let who = place.ok_or(AppError::NotFound)?.0?;
    let slug = &who.membership().slug;
    if slug != request.match_info().query("slug") {
        return Err(WebError::Moved { to: path::at_organization(slug, request.uri()) });
    }
    let shell = Shell { kinds: Arc::clone(who.kinds()), ..signed_in.shell(Nav::None) };
    Ok(AtWork { who, source: signed_in.source.clone(), shell })
}

impl<A: Authority> FromRequest for Holding<A> {
    type Error = WebError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let holding = |AtWork { who, source, shell }: AtWork| Ok(Self { who: who.holding()?, source, shell });
        ready(at_work(request).and_then(holding))
    }
}
