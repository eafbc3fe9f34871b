//! What a person or a program sees: pages, the API, forward-auth.
//!
//! A handler extracts who asks and what was sent, calls one verb of `app`, and returns one page struct or JSON body.
//! [`routes`] is the table of everything that is served except forward-auth, which [`forward_auth`] answers before it.
//! Every other answer passes through [`finish`] on its way out.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr))]

mod accept;
pub mod access_rules;
pub mod account;
pub mod activity;
mod answers;
pub mod api;
pub mod assets;
pub mod bearer;
pub mod billing;
pub mod body;
pub mod calls;
mod choice;
mod compression;
pub mod confirm;
pub mod connection;
mod cookies;
pub mod cors;
pub mod csv;
mod developers;
mod effects;
pub mod email_changes;
pub mod errors;
pub mod evaluations;
pub mod explanations;
mod fields;
pub mod finish;
pub mod form;
pub mod forward_auth;
pub mod groups;
mod health;
pub mod holder;
pub mod icons;
pub mod installation;
pub mod inventory;
pub mod invitations;
pub mod items;
mod kept_forms;
pub mod kinds;
pub mod leaks;
pub mod limits;
pub mod members;
mod metrics;
pub mod node;
pub mod notice;
pub mod oauth;
pub mod openapi;
pub mod organizations;
pub mod origin;
pub mod page;
pub mod password_links;
pub mod permission_sets;
pub mod permissions;
mod prepared;
pub mod protected_apis;
mod public_url;
pub mod refused_organizations;
pub mod revocations;
pub mod routes;
pub mod samples;
mod search;
pub mod service_users;
pub mod session;
pub mod sessions;
pub mod setup;
pub mod shell;
pub mod sign_in;
pub mod sites;
pub mod source;
mod stop;
mod summary;
mod table;
mod tables;
pub mod texts;
pub mod tokens;
pub mod users;
pub mod uses;
pub mod verify;
pub mod words;

use actix_http::{HttpService, KeepAlive, error::DispatchError};
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::{
    App as ActixApp,
    dev::{self, AppConfig},
    middleware::from_fn,
    rt::net::TcpStream,
    web,
};
use app::{Jeton, background, log, maintenance, nodes::Heartbeat};
use connection::{Connection, Connections, Listener, Refusals, Shares};
use forward_auth::ForwardAuth;
use futures_util::future::ready;
use node::{Node, NodeThread};
pub use public_url::PublicUrl;
use std::{
    io,
    net::{SocketAddr, TcpListener},
    rc::Rc,
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::sync::watch;
use verify::Worker;

/// The running application, as handlers take it.
pub type App = web::Data<Jeton>;

/// How the server is reached.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address to listen on; port 0 takes a free port.
    pub listen: SocketAddr,
    /// The address that people and programs use, such as `https://jeton.example.org`; without it, the address listened
    /// on.
    pub public_url: Option<PublicUrl>,
    /// Reverse proxies that are trusted to report the client's address.
    pub trusted_proxies: source::TrustedProxies,
    /// The number of threads that serve requests, for each listener; without it, one per core.
    pub workers: Option<usize>,
    /// An address that serves only programs, with threads of its own.
    pub verify_listen: Option<SocketAddr>,
    /// How long requests are still served after a signal to stop.
    pub drain: Duration,
}

/// A server that has bound its ports and is ready to run.
pub struct Server {
    running: dev::Server,
    for_programs: Option<dev::Server>,
    jeton: App,
    node: web::Data<Node>,
    drain: Duration,
    listeners: Vec<stop::ListenerHandle>,
    /// The address it listens on.
    pub address: SocketAddr,
    /// The address it listens on for programs only, if it has one.
    pub verify_address: Option<SocketAddr>,
    /// The address that people and programs use.
    pub url: PublicUrl,
}

/// The state that all threads of all listeners share.
#[derive(Clone)]
struct SharedState {
    jeton: App,
    url: PublicUrl,
    origins: web::Data<origin::Origins>,
    proxies: web::Data<source::TrustedProxies>,
    node: web::Data<Node>,
}

impl SharedState {
    /// Creates the worker of the calling thread. Each thread calls this once.
    fn worker(&self) -> Worker {
        Worker {
            jeton: self.jeton.clone(),
            verifier: bearer::verifier(&self.jeton),
            proxies: self.proxies.clone(),
            thread: Rc::new(NodeThread::new(&self.node)),
            is_https: self.url.is_https(),
        }
    }

    fn give(&self, worker: &Worker, config: &mut web::ServiceConfig) {
        config
            .app_data(self.jeton.clone())
            .app_data(api::resources::query_config())
            .app_data(web::Data::new(self.url.clone()))
            .app_data(self.origins.clone())
            .app_data(self.proxies.clone())
            .app_data(Rc::clone(&worker.thread))
            .app_data(worker.verifier.clone());
    }
}

/// How long running requests may take after the listeners are closed, in seconds.
const LAST_REQUESTS: u64 = 20;
/// How long the server keeps reading and discarding what a client still sends before it closes the connection. Closing
/// immediately could take the last answer away from the client.
const LINGER: Duration = Duration::from_secs(1);

/// How often the server checks the database, and retries one that fails.
const LOOK_AFTER_DATABASE: Duration = Duration::from_secs(2);

/// Binds the ports and starts the workers. Requests are served as soon as [`Server::run`] is awaited.
///
/// # Errors
/// When a port cannot be bound; the error names the option.
pub fn bind(jeton: Jeton, settings: &Settings) -> io::Result<Server> {
    limits::raise_open_files_limit();
    let (listener, address) = listen("JETON_LISTEN (--listen)", settings.listen)?;
    let mut listeners = vec![stop::ListenerHandle::of(&listener)?];
    let url = settings.public_url.clone().unwrap_or_else(|| PublicUrl(format!("http://{address}")));
    let jeton = web::Data::new(jeton);
    let shared = SharedState {
        jeton: jeton.clone(),
        url: url.clone(),
        origins: web::Data::new(origin::Origins::new(&url, address)),
        proxies: web::Data::new(settings.trusted_proxies.clone()),
        node: web::Data::default(),
    };
    let node = shared.node.clone();
    let (for_programs, verify_address) = match settings.verify_listen {
        None => (None, None),
        Some(listen) => {
            let (listener, address) = self::listen("JETON_VERIFY_LISTEN (--verify-listen)", listen)?;
            listeners.push(stop::ListenerHandle::of(&listener)?);
            let programs =
                serve(shared.clone(), listener, settings.workers, Listener::Second, routes::configure_for_programs)?;
            (Some(programs), Some(address))
        }
    };
    let which = if settings.verify_listen.is_none() { Listener::Only } else { Listener::Main };
    let running = serve(shared, listener, settings.workers, which, routes::configure)?;
    Ok(Server { running, for_programs, jeton, node, drain: settings.drain, listeners, address, verify_address, url })
}

fn listen(option: &str, address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{option} {address}: {error}"));
    let listener = TcpListener::bind(address).map_err(named)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Serves the given routes on a listener, with threads of its own.
fn serve(
    shared: SharedState,
    listener: TcpListener,
    workers: Option<usize>,
    which: Listener,
    routes: impl Fn(&mut web::ServiceConfig) + Copy + Send + 'static,
) -> io::Result<dev::Server> {
    let workers = workers.or_else(|| thread::available_parallelism().ok().map(usize::from)).unwrap_or(2);
    let files = limits::open_files_limit().and_then(|files| files.try_into().ok()).unwrap_or(usize::MAX);
    let shares = Shares::of(files, workers, which);
    let server = dev::Server::build()
        .workers(workers)
        .max_concurrent_connections(shares.at_once())
        .disable_signals()
        .shutdown_timeout(LAST_REQUESTS);
    let server = server.listen("jeton", listener, move || {
        let worker = shared.worker();
        let app = ActixApp::new()
            .configure(|config| shared.give(&worker, config))
            .configure(routes)
            .wrap(from_fn(finish::finish));
        let app = map_config(ForwardAuth::before(app, worker), |()| AppConfig::default());
        let http = HttpService::build()
            // `connection` closes idle connections and applies the timeouts of heads.
            .keep_alive(KeepAlive::Os)
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(LINGER)
            .on_connect_ext(|connection: &Connection, data| drop(data.insert(Rc::clone(connection.client()))))
            .h1(app.map_err(|error| error.error_response()));
        let refusals = Refusals { is_https: shared.url.is_https() };
        let connections = Connections::watch(shares, refusals, shared.proxies.clone(), shared.node.clone());
        fn_service(move |stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            ready(connections.admit(stream, peer).map(|connection| (connection, peer)).map_err(DispatchError::Io))
        })
        .and_then(http)
    })?;
    Ok(server.run())
}

impl Server {
    /// Returns a handle that stops the server: `handle.stop(true)` lets running requests finish.
    pub fn handle(&self) -> dev::ServerHandle {
        self.running.handle()
    }

    /// Returns the application that is served.
    pub fn jeton(&self) -> Arc<Jeton> {
        self.jeton.clone().into_inner()
    }

    /// Serves until SIGTERM, SIGINT or the handle stops it, then writes what is still in memory to the database.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn run(self) -> io::Result<()> {
        let jeton = self.jeton.clone();
        let database = background::spawn("database", async move || {
            let mut look = tokio::time::interval(LOOK_AFTER_DATABASE);
            look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                look.tick().await;
                if let Err(error) = jeton.look_after_database().await {
                    tracing::error!(%error, "the check of the database failed");
                }
            }
        });
        let jeton = self.jeton.clone();
        let maintenance = background::spawn("maintenance", async move || {
            let mut round = tokio::time::interval(maintenance::EVERY);
            loop {
                tokio::select! {
                    // A database that does not respond must not block later rounds of maintenance.
                    _ = round.tick() => if tokio::time::timeout(maintenance::EVERY, maintenance::run(&jeton)).await.is_err() {
                        tracing::error!("maintenance took too long and was restarted");
                    },
                    () = app::maintenance::many_uses(&jeton) => {
                        if let Err(error) = app::maintenance::flush_many_uses(&jeton).await
                            && !error.is_passing()
                        {
                            tracing::error!(%error, "uses of tokens could not be written");
                        }
                    }
                }
            }
        });
        let (stop, mut stopped) = watch::channel(());
        let mut heartbeat = Heartbeat::start(self.jeton.clone().into_inner()).await;
        let heartbeat = background::spawn("heartbeat", async move || heartbeat.run_until(&mut stopped).await);
        let served = stop::serve(self.running, self.for_programs, &self.node, self.drain, self.listeners).await;
        maintenance.abort();
        database.abort();
        drop(stop);
        if let Err(error) = heartbeat.await {
            tracing::warn!(%error, "this node did not deregister");
        }
        let written = app::maintenance::flush_usage(&self.jeton).await;
        if let Err(error) = app::maintenance::note_epoch(&self.jeton).await {
            tracing::warn!(%error, "the epoch could not be recorded");
        }
        self.jeton.finish_mail().await;
        log::report_left_out();
        written.map_err(io::Error::other)?;
        served
    }
}
