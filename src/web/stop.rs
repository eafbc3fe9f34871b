//! The end of a server that nobody notices (R10): first balancers are told, then listeners close, then connections, then
//! requests that run end.
//!
//! A request that was sent and not answered is lost if it is a POST: a reverse proxy may send it nowhere else. So nothing is
//! closed while somebody may be writing to it. A listener that is closed forgets the connections that wait to be accepted,
//! and whoever made them has written already; hence [`ListenerHandle`]. A connection is closed with an answer that says so.

use super::node::Node;
use actix_web::{
    dev::{Server, ServerHandle},
    rt::signal::unix::{Signal, SignalKind, signal},
};
use futures_util::future::{join, join_all};
use socket2::SockRef;
use std::{
    io,
    net::{Shutdown, TcpListener},
    time::Duration,
};

/// How long who waits before a closing listener may take to be let in, on a busy machine.
const QUEUE: Duration = Duration::from_millis(200);
/// How long a thread of actix may take to do as it was told.
const OBEYED: Duration = Duration::from_millis(20);
/// How long connections are answered that were opened before the listeners closed. A proxy that is used uses its own within
/// that time, and learns from the answer that it was the last.
const LAST_CONNECTIONS: Duration = Duration::from_secs(1);

/// A listener beside the server that has it, to close it before the server ends.
#[derive(Debug)]
pub struct ListenerHandle(TcpListener);

impl ListenerHandle {
    /// Of this listener.
    ///
    /// # Errors
    /// When the process has no more files.
    pub fn of(listener: &TcpListener) -> io::Result<Self> {
        listener.try_clone().map(Self)
    }

    /// Lets nobody come near any more: the kernel drops the first packet of each new connection, which its client sends
    /// again a second later.
    #[cfg(target_os = "linux")]
    fn hold(&self) -> io::Result<()> {
        use socket2::SockFilter;
        // A program for the kernel's packet filter, that sees a packet from its TCP header on.
        SockRef::from(&self.0).attach_filter(&[
            // Load the byte with the flags.
            SockFilter::new(0x30, 0, 0, 13),
            // If SYN is one of them, go on, else skip one.
            SockFilter::new(0x45, 0, 1, 0x02),
            // Take nothing of the packet.
            SockFilter::new(0x06, 0, 0, 0),
            // Take all of it.
            SockFilter::new(0x06, 0, 0, u32::MAX),
        ])
    }

    /// Other systems have no such filter: who comes at the last moment is lost.
    #[cfg(not(target_os = "linux"))]
    fn hold(&self) -> io::Result<()> {
        Ok(())
    }

    /// Refuses who comes, so that they go elsewhere at once. May be done twice.
    fn close(&self) -> io::Result<()> {
        match SockRef::from(&self.0).shutdown(Shutdown::Both) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            closed => closed,
        }
    }
}

/// Serves on both listeners until a signal or a handle stops one of them, which stops the other.
///
/// # Errors
/// When one of them fails.
pub async fn serve(
    main: Server,
    for_programs: Option<Server>,
    node: &Node,
    drain: Duration,
    listeners: Vec<ListenerHandle>,
) -> io::Result<()> {
    let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let handles: Vec<ServerHandle> =
        [Some(main.handle()), for_programs.as_ref().map(Server::handle)].into_iter().flatten().collect();
    let ended_one_ends_all = |server: Server| async {
        let served = server.await;
        stop(&handles, true).await;
        served
    };
    let all = async {
        match for_programs {
            None => main.await,
            Some(for_programs) => {
                let (first, second) = join(ended_one_ends_all(main), ended_one_ends_all(for_programs)).await;
                first.and(second)
            }
        }
    };
    let asked_to = async {
        let is_patient = is_patient(terminate, interrupt, node, drain, leave(&handles, node, &listeners)).await;
        close(&handles, &listeners).await;
        node.begin_to_end();
        stop(&handles, is_patient).await;
        // The servers end by themselves now.
        std::future::pending().await
    };
    tokio::select! {
        served = all => served,
        never = asked_to => never,
    }
}

/// Waits for a signal, and then for as long as requests are still to be served. Returns whether those that run then may
/// end: a second signal wants it all to stop at once.
async fn is_patient(
    mut terminate: Signal,
    mut interrupt: Signal,
    node: &Node,
    drain: Duration,
    leave: impl Future<Output = ()>,
) -> bool {
    next(&mut terminate, &mut interrupt).await;
    node.begin_to_stop();
    tracing::info!(seconds = drain.as_secs(), "about to stop");
    if drain.is_zero() {
        return true;
    }
    let patient = async {
        tokio::time::sleep(drain).await;
        leave.await;
    };
    tokio::select! {
        () = patient => true,
        () = next(&mut terminate, &mut interrupt) => false,
    }
}

/// Closes the listeners and then the connections, each with its next answer.
async fn leave(handles: &[ServerHandle], node: &Node, listeners: &[ListenerHandle]) {
    for_each(listeners, ListenerHandle::hold);
    tokio::time::sleep(QUEUE).await;
    close(handles, listeners).await;
    node.begin_to_leave();
    tokio::time::sleep(LAST_CONNECTIONS).await;
}

/// Closes the listeners, once nobody takes connections from them any more.
async fn close(handles: &[ServerHandle], listeners: &[ListenerHandle]) {
    join_all(handles.iter().map(ServerHandle::pause)).await;
    tokio::time::sleep(OBEYED).await;
    for_each(listeners, ListenerHandle::close);
}

/// What cannot be done here is done by the end of the process.
fn for_each(listeners: &[ListenerHandle], close: impl Fn(&ListenerHandle) -> io::Result<()>) {
    for error in listeners.iter().filter_map(|listener| close(listener).err()) {
        tracing::debug!(%error, "a listener could not be closed early");
    }
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

async fn stop(handles: &[ServerHandle], gracefully: bool) {
    join_all(handles.iter().map(|handle| handle.stop(gracefully))).await;
}
