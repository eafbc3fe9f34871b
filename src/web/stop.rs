//! The end of a server that nobody notices: first balancers are told, then requests that run end, then listeners close
//! (R10).

use super::node::Node;
use actix_web::{
    dev::{Server, ServerHandle},
    rt::signal::unix::{Signal, SignalKind, signal},
};
use futures_util::future::{join, join_all};
use std::{io, time::Duration};

/// Serves on both listeners until a signal or a handle stops one of them, which stops the other.
///
/// # Errors
/// When one of them fails.
pub async fn serve(main: Server, for_programs: Option<Server>, node: &Node, drain: Duration) -> io::Result<()> {
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
        stop(&handles, is_patient(terminate, interrupt, node, drain).await).await;
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
async fn is_patient(mut terminate: Signal, mut interrupt: Signal, node: &Node, drain: Duration) -> bool {
    next(&mut terminate, &mut interrupt).await;
    node.begin_to_stop();
    tracing::info!(seconds = drain.as_secs(), "about to stop");
    tokio::select! {
        () = tokio::time::sleep(drain) => true,
        () = next(&mut terminate, &mut interrupt) => false,
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
