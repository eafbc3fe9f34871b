//! What stands between a client's connection and actix-http: a deadline for each state that a connection can be in, a share
//! of this process's files for each client, and words for what actix-http refuses by itself (R7, R8).
//!
//! actix-http times the first head of a connection and an idle one, and nothing else. Here each thread keeps a list of its
//! connections ([`Connections`]) and looks at all of them once a second, so that a request costs neither a timer nor a look
//! at the clock.

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
    /// What is known of it, for the application.
    pub fn client(&self) -> &Rc<Client> {
        &self.client
    }

    /// Ends what a client sends, which actix-http takes for its wish to close. Who was sending a head is told why.
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
            // The last bytes of this connection; whoever takes none of them is not waited for.
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
        // Everything has been written.
        self.client.has_caught_up();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
