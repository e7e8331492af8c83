//! The connection below TLS, which can fall silent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A connection that neither reads nor writes after the next silence, and stays open.
pub(super) struct Wire {
    stream: TcpStream,
    silences: Arc<AtomicUsize>,
    /// How many there were when it was opened.
    before: usize,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, silences: &Arc<AtomicUsize>) -> Self {
        Self {
            stream,
            before: silences.load(Ordering::Relaxed),
            silences: Arc::clone(silences),
        }
    }

    /// The stream, unless it is silent. Nothing wakes whoever waits for a silent one.
    fn heard(&mut self) -> Option<Pin<&mut TcpStream>> {
        let is_silent = self.silences.load(Ordering::Relaxed) > self.before;
        (!is_silent).then(|| Pin::new(&mut self.stream))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.heard() {
            Some(stream) => stream.poll_read(context, buffer),
            None => Poll::Pending,
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.heard() {
            Some(stream) => stream.poll_write(context, bytes),
            None => Poll::Pending,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.heard() {
            Some(stream) => stream.poll_flush(context),
            None => Poll::Pending,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.heard() {
            Some(stream) => stream.poll_shutdown(context),
            None => Poll::Pending,
        }
    }
}
