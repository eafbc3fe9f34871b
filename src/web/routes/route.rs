//! An address and its handlers in one value. The server is configured from it and the list of routes is read from it,
//! so the list cannot differ from what is served.

use super::super::cors::preflight;
use actix_web::{
    FromRequest, Handler, HttpResponse, Resource, Responder,
    guard::{self, Guard},
    http::{Method, header::ALLOW},
    web,
};

/// An address with a handler for each method.
pub struct Route {
    path: &'static str,
    methods: Vec<Method>,
    resource: Resource,
}

/// Creates an address without handlers.
pub fn at(path: &'static str) -> Route {
    Route { path, methods: Vec::new(), resource: web::resource(path) }
}

/// GET or HEAD.
pub fn reads() -> impl Guard {
    guard::Any(guard::Get()).or(guard::Head())
}

impl Route {
    /// Answers GET and HEAD, which only read.
    pub fn reads<F, Args>(mut self, handler: F) -> Route
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.methods.push(Method::GET);
        self.resource = self.resource.route(web::route().guard(reads()).to(handler));
        self
    }

    /// Answers POST.
    pub fn posts<F, Args>(self, handler: F) -> Route
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.takes(Method::POST, handler)
    }

    /// Answers PUT.
    pub fn puts<F, Args>(self, handler: F) -> Route
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.takes(Method::PUT, handler)
    }

    /// Answers PATCH.
    pub fn patches<F, Args>(self, handler: F) -> Route
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.takes(Method::PATCH, handler)
    }

    /// Answers DELETE.
    pub fn deletes<F, Args>(self, handler: F) -> Route
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.takes(Method::DELETE, handler)
    }

    fn takes<F, Args>(mut self, method: Method, handler: F) -> Route
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.methods.push(method.clone());
        self.resource = self.resource.route(web::method(method).to(handler));
        self
    }

    /// Allows pages of other sites to send these methods; must be called after all handlers are set.
    pub fn shared(mut self) -> Route {
        let methods = self.allowed();
        self.resource = self.resource.route(preflight(methods));
        self
    }

    /// Returns the value of the `Allow` header.
    fn allowed(&self) -> String {
        let names =
            self.methods.iter().map(|method| if *method == Method::GET { "GET, HEAD" } else { method.as_str() });
        names.collect::<Vec<_>>().join(", ")
    }

    /// Returns the resource for actix. Other methods are answered with the list of those that exist.
    pub fn resource(self) -> Resource {
        let allowed = self.allowed();
        let refuse = move || {
            let refusal = HttpResponse::MethodNotAllowed().insert_header((ALLOW, allowed.clone())).finish();
            std::future::ready(refusal)
        };
        self.resource.default_service(web::route().to(refuse))
    }

    /// Returns its methods, each with the address; HEAD goes with GET.
    pub fn served(self) -> impl Iterator<Item = (Method, &'static str)> {
        let path = self.path;
        self.methods.into_iter().map(move |method| (method, path))
    }
}
