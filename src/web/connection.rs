//! A layer between a client's connection and actix-http. It enforces a timeout for each state of a connection, limits
//! how many of this process's files each client may use, and gives an explanation to the refusals that actix-http sends
//! by itself (R7, R8).
//!
//! actix-http has timeouts only for the first head of a connection and for an idle connection. Here each thread keeps a
//! list of its connections ([`Connections`]) and checks all of them once a second, so that a request costs neither a
//! timer nor a call to the clock.

mod client;
mod framing;
mod list;
mod refusal;
mod shares;

pub use client::Client;
pub use list::Connections;
pub use refusal::Refusals;
pub use shares::{Listener, Shares};

use actix_web::rt::net::TcpStream;
use std::{
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A client's connection, as actix-http reads and writes it.
pub struct Connection {
    stream: TcpStream,
    client: Rc<Client>,
    connections: Rc<Connections>,
    id: u64,
}

impl Connection {
    /// Returns the state of the connection, for the application.
    pub fn client(&self) -> &Rc<Client> {
        &self.client
    }

    /// Signals the end of the client's data, which actix-http treats as the client closing the connection. A client
    /// that was sending a head is told why.
    fn end(&mut self) {
        if self.client.may_be_told() {
            let _best_effort = self.stream.try_write(&self.connections.refusals.too_slow(&self.client));
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.connections.forget(self.id);
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.client.is_over() {
            self.end();
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        match &read {
            Poll::Ready(_) => self.client.arrived(&mut buffer.filled_mut()[before..], self.connections.now()),
            Poll::Pending => self.client.wait(context),
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.client.may_be_refused()
            && let Some(refused) = self.connections.refusals.explained(bytes, &self.client)
        {
            self.connections.node.connections.malformed.count();
            // These are the last bytes on this connection; do not wait if the client reads none of them.
            let _best_effort = self.stream.try_write(&refused);
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        match &written {
            Poll::Ready(Ok(length)) => self.client.written(*length, self.connections.now()),
            Poll::Ready(Err(_)) => {}
            Poll::Pending if self.client.is_over() => return Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => {
                self.client.is_behind(self.connections.now());
                self.client.wait(context);
            }
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // All answers have been written.
        self.client.has_caught_up();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
