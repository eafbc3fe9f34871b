//! A graceful stop that no client notices (R10): first load balancers are told, then the listeners close, then idle
//! connections, then running requests finish.
//!
//! A POST request that was sent but not answered is lost: a reverse proxy must not retry it elsewhere. So nothing is
//! closed while a client may be writing to it. Closing a listener discards the connections that wait to be accepted,
//! and their clients may have sent a request already; [`ListenerHandle`] avoids this. A connection is closed with an
//! answer that says so.

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

/// How long to wait until the connections in a listener's queue are accepted, even on a busy machine, before it closes.
const QUEUE: Duration = Duration::from_millis(200);
/// How long to wait until the threads of actix have paused.
const OBEYED: Duration = Duration::from_millis(20);
/// How long connections that were opened before the listeners closed are still answered. A proxy in use sends a request
/// on each of its connections within that time, and learns from the answer that it was the last one.
const LAST_CONNECTIONS: Duration = Duration::from_secs(1);

/// A second handle to a server's listener, to close the listener before the server stops.
#[derive(Debug)]
pub struct ListenerHandle(TcpListener);

impl ListenerHandle {
    /// Duplicates the handle of a listener.
    ///
    /// # Errors
    /// When the process cannot open another file.
    pub fn of(listener: &TcpListener) -> io::Result<Self> {
        listener.try_clone().map(Self)
    }

    /// Stops new connections: the kernel drops the first packet of each one, which its client sends again a second
    /// later.
    #[cfg(target_os = "linux")]
    fn hold(&self) -> io::Result<()> {
        use socket2::SockFilter;
        // A program for the kernel's packet filter. It sees each packet from its TCP header on.
        SockRef::from(&self.0).attach_filter(&[
            // Load the byte with the TCP flags.
            SockFilter::new(0x30, 0, 0, 13),
            // If SYN is set, go on; otherwise skip one instruction.
            SockFilter::new(0x45, 0, 1, 0x02),
            // Drop the packet.
            SockFilter::new(0x06, 0, 0, 0),
            // Accept the whole packet.
            SockFilter::new(0x06, 0, 0, u32::MAX),
        ])
    }

    /// Does nothing: other systems have no such filter, so connections that arrive at the last moment are lost.
    #[cfg(not(target_os = "linux"))]
    fn hold(&self) -> io::Result<()> {
        Ok(())
    }

    /// Refuses new connections, so that clients go elsewhere immediately. May be called twice.
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
        // The servers stop by themselves now.
        std::future::pending().await
    };
    tokio::select! {
        served = all => served,
        never = asked_to => never,
    }
}

/// Waits for a signal, then until the drain time is over. Returns whether running requests may finish: after a second
/// signal everything stops immediately.
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

/// Closes the listeners, and then each connection with its next answer.
async fn leave(handles: &[ServerHandle], node: &Node, listeners: &[ListenerHandle]) {
    for_each(listeners, ListenerHandle::hold);
    tokio::time::sleep(QUEUE).await;
    close(handles, listeners).await;
    node.begin_to_leave();
    tokio::time::sleep(LAST_CONNECTIONS).await;
}

/// Closes the listeners after the threads have stopped accepting connections from them.
async fn close(handles: &[ServerHandle], listeners: &[ListenerHandle]) {
    join_all(handles.iter().map(ServerHandle::pause)).await;
    tokio::time::sleep(OBEYED).await;
    for_each(listeners, ListenerHandle::close);
}

/// Applies `close` to all listeners. An error is only logged: the end of the process closes them anyway.
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
