//! What stands before the application: it answers forward-auth by itself, and hands everything else on.
//!
//! A proxy asks `/verify` with each request to its API and waits for the answer, so it is asked more often than all the rest
//! together. It needs nothing of what the application does for a handler: no route, no extractor, no session, no language, no
//! words for errors. Without that a question costs a fifth less of the processor (`bench/results.md`).

use super::{
    connection::Client,
    node::{Group, NodeThread},
    source::{RequestId, TrustedProxies},
    verify,
};
use actix_http::Request;
use actix_service::IntoServiceFactory;
use actix_web::{
    Error, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    dev::{AppConfig, RequestHead, Response, Service, ServiceFactory, ServiceResponse},
    http::{
        ConnectionType,
        header::{CACHE_CONTROL, HeaderValue},
    },
    web::Data,
};
use app::verify::Verifier;
use futures_util::{FutureExt, future::LocalBoxFuture};
use std::{
    panic::AssertUnwindSafe,
    rc::Rc,
    task::{Context, Poll},
    time::Instant,
};

/// What one thread has to answer forward-auth with.
#[derive(Clone)]
pub struct Worker {
    /// Without it nothing can be said about tokens.
    pub verifier: Data<Option<Verifier>>,
    /// Whose word about a request is believed.
    pub proxies: Data<TrustedProxies>,
    /// Where answers are counted.
    pub thread: Rc<NodeThread>,
}

/// The application, and what stands before it.
pub struct Front<A> {
    app: A,
    worker: Worker,
}

impl<A> Front<A> {
    /// Puts it before an application, for the calling thread.
    pub fn before(app: impl IntoServiceFactory<A, Request>, worker: Worker) -> Self
    where
        A: ServiceFactory<Request>,
    {
        Self { app: app.into_factory(), worker }
    }
}

impl<A> ServiceFactory<Request> for Front<A>
where
    A: ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse<BoxBody>, Error = Error>,
    A::Future: 'static,
    <A::Service as Service<Request>>::Future: 'static,
{
    type Response = Response<BoxBody>;
    type Error = Error;
    type Config = AppConfig;
    type Service = FrontService<A::Service>;
    type InitError = A::InitError;
    type Future = LocalBoxFuture<'static, Result<Self::Service, A::InitError>>;

    fn new_service(&self, config: AppConfig) -> Self::Future {
        let (app, worker) = (self.app.new_service(config), self.worker.clone());
        Box::pin(async move { Ok(FrontService { app: app.await?, worker }) })
    }
}

/// The same, as it serves.
pub struct FrontService<S> {
    app: S,
    worker: Worker,
}

impl<S> Service<Request> for FrontService<S>
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
        if Group::of(request.path()) == Group::Verify {
            let worker = self.worker.clone();
            Box::pin(async move { Ok(call.end(worker.answer(request.head()).await.into())) })
        } else {
            let answer = self.app.call(request);
            Box::pin(answer.map(|answer| answer.map(|answer| call.end(answer.into()))))
        }
    }
}

/// A request that is being answered, for the connection that it came over.
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

    /// Says in the answer if it is the last one on its connection: the node leaves, and its clients open the next elsewhere
    /// (R10); or actix-http will close, since an offer of another protocol came in pieces and was not taken out.
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

impl Worker {
    /// The answer to a proxy: identity or challenge in headers, never a body, so it carries none of the headers that tell a
    /// browser what to do with one.
    async fn answer(&self, request: &RequestHead) -> HttpResponse {
        let (begun, id) = (Instant::now(), RequestId::new());
        // A panic must not leave the proxy without an answer (R14).
        let answered = AssertUnwindSafe(verify::answer(request, self, &id)).catch_unwind().await;
        let mut response = answered.unwrap_or_else(|_| verify::broken());
        let (status, took) = (response.status(), begun.elapsed());
        self.thread.count(Group::Verify, status, took);
        tracing::debug!(id = id.as_str(), method = %request.method, status = status.as_u16(), ?took, "answered a proxy");
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().insert(RequestId::HEADER, id.header());
        response
    }
}
