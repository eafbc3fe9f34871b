//! Extractors for the pages of an organization, and of the installation: who is at work there, and with what authority.
//!
//! A handler that takes [`Holding<ManageUsers>`](Holding) is reached only by members who hold that permission: others get
//! 403, and whoever is not active in the organization 404, as if there were none.

use super::{
    App,
    errors::WebError,
    routes::path,
    session::SignedIn,
    shell::{Nav, Shell, ShellOrganization},
};
use crate::{
    app::{
        AppError,
        installation::InstallationAdmin,
        organizations::{Holder, Member},
    },
    domain::{activity::Source, permission::Authority},
};
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use std::{future::Future, pin::Pin};

type Extracted<T> = Pin<Box<dyn Future<Output = Result<T, WebError>>>>;

/// Somebody at work in the organization of this address.
#[derive(Clone, Debug)]
pub struct AtWork {
    /// Who.
    pub who: Member,
    /// Where the request comes from.
    pub source: Source,
    shell: Shell,
}

/// Somebody at work in the organization of this address who holds the permission of `A`.
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

    /// The organization's part of addresses.
    pub fn slug(&self) -> &str {
        &self.who.membership().slug
    }
}

impl AtWork {
    /// The frame for a page under this entry of the navigation.
    pub fn shell(&self, nav: Nav) -> Shell {
        Shell { nav, ..self.shell.clone() }
    }
}

/// Somebody who administers the installation. To others it is not there.
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
}

impl FromRequest for Administering {
    type Error = WebError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let signed_in = SignedIn::from_request(request, payload);
        Box::pin(async move {
            let signed_in = signed_in.await?;
            let who = InstallationAdmin::of(signed_in.actor.clone())?;
            Ok(Self { who, source: signed_in.source.clone(), signed_in })
        })
    }
}

impl FromRequest for AtWork {
    type Error = WebError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (signed_in, request) = (SignedIn::from_request(request, payload), request.clone());
        Box::pin(async move {
            let SignedIn { actor, source, .. } = &signed_in.await?;
            let jeton = request.app_data::<App>().ok_or(AppError::SignedOut)?;
            let asked = request.match_info().query("slug");
            let who = jeton.enter(actor.clone(), asked).await?;
            if who.membership().slug != asked {
                return Err(WebError::Moved { to: path::at_organization(&who.membership().slug, request.uri()) });
            }
            // An error page that this request ends in has the same frame, too.
            let mut shell = request.extensions().get::<Shell>().cloned().ok_or(AppError::SignedOut)?;
            shell.organization = Some(ShellOrganization::of(who.membership()));
            request.extensions_mut().insert(shell.clone());
            Ok(Self { who, source: source.clone(), shell })
        })
    }
}

impl<A: Authority> FromRequest for Holding<A> {
    type Error = WebError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let at_work = AtWork::from_request(request, payload);
        Box::pin(async move {
            let AtWork { who, source, shell } = at_work.await?;
            Ok(Self { who: who.holding()?, source, shell })
        })
    }
}
