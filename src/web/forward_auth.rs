//! Answers forward-auth, and `/api/v1/me` from memory, before the application sees the request, and passes every other
//! request on.
//!
//! A proxy asks `/verify` for each request to its API and waits for the answer, so `/verify` gets more requests than
//! everything else together. It needs nothing of what the application prepares for a handler: no route, extractor,
//! session, language, or error page. Skipping that saves a fifth of the processor time (`bench/results.md`). Programs
//! that verify tokens without a proxy ask `/api/v1/me` as often.

use super::{
    api,
    connection::Client,
    node::NodeThread,
    routes::{Group, path},
    verify::Worker,
};
use actix_http::Request;
use actix_service::IntoServiceFactory;
use actix_web::{
    Error,
    body::{BodySize, BoxBody, MessageBody},
    dev::{AppConfig, Response, Service, ServiceFactory, ServiceResponse},
    http::ConnectionType,
};
use futures_util::{
    FutureExt,
    future::{LocalBoxFuture, ready},
};
use std::{
    rc::Rc,
    task::{Context, Poll},
};

/// The factory of [`ForwardAuthService`], which wraps the application.
pub struct ForwardAuth<A> {
    app: A,
    worker: Worker,
}

impl<A> ForwardAuth<A> {
    /// Wraps an application, for the calling thread.
    pub fn before(app: impl IntoServiceFactory<A, Request>, worker: Worker) -> Self
    where
        A: ServiceFactory<Request>,
    {
        Self { app: app.into_factory(), worker }
    }
}

impl<A> ServiceFactory<Request> for ForwardAuth<A>
where
    A: ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse<BoxBody>, Error = Error>,
    A::Future: 'static,
    <A::Service as Service<Request>>::Future: 'static,
{
    type Response = Response<BoxBody>;
    type Error = Error;
    type Config = AppConfig;
    type Service = ForwardAuthService<A::Service>;
    type InitError = A::InitError;
    type Future = LocalBoxFuture<'static, Result<Self::Service, A::InitError>>;

    fn new_service(&self, config: AppConfig) -> Self::Future {
        let (app, worker) = (self.app.new_service(config), self.worker.clone());
        Box::pin(async move { Ok(ForwardAuthService { app: app.await?, worker }) })
    }
}

/// The service that answers forward-auth and passes every other request to the application.
pub struct ForwardAuthService<S> {
    app: S,
    worker: Worker,
}

impl<S> Service<Request> for ForwardAuthService<S>
where
    S: Service<Request, Response = ServiceResponse<BoxBody>, Error = Error>,
    S::Future: 'static,
{
    type Response = Response<BoxBody>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Response<BoxBody>, Error>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.app.poll_ready(context)
    }

    fn call(&self, request: Request) -> Self::Future {
        let call = Call::begin(&request, &self.worker.thread);
        if request.path() == path::ME
            && let Some(answer) = api::me_from_memory(request.head(), &self.worker)
        {
            Box::pin(ready(Ok(call.end(answer.into()))))
        } else if Group::of(request.path()) == Group::Verify {
            let worker = self.worker.clone();
            Box::pin(async move { Ok(call.end(worker.answer(request.head()).await.into())) })
        } else {
            let answer = self.app.call(request);
            Box::pin(answer.map(|answer| answer.map(|answer| call.end(answer.into()))))
        }
    }
}

/// A request that is being answered, with the connection that it arrived on.
struct Call {
    client: Option<Rc<Client>>,
    thread: Rc<NodeThread>,
    is_upgrade: bool,
}

impl Call {
    fn begin(request: &Request, thread: &Rc<NodeThread>) -> Self {
        let client = request.conn_data::<Rc<Client>>().cloned();
        if let Some(client) = &client {
            client.begin();
        }
        Self { client, thread: Rc::clone(thread), is_upgrade: request.head().upgrade() }
    }

    /// Marks the answer if it is the last one on its connection. This is so when the node is stopping, and clients
    /// should open the next connection elsewhere (R10); or when actix-http will close the connection, because an
    /// `Upgrade` header arrived in pieces and could not be removed.
    fn end(self, mut answer: Response<BoxBody>) -> Response<BoxBody> {
        if self.is_upgrade || self.thread.node.is_leaving() {
            answer.head_mut().set_connection_type(ConnectionType::Close);
        }
        if let Some(client) = self.client {
            client.end(!matches!(answer.body().size(), BodySize::Stream));
        }
        answer
    }
}
