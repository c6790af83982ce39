use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A TCP connection that can be told to end with a reset instead of a farewell.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    doomed: Arc<AtomicBool>,
}

impl Connection {
    pub fn new(stream: TcpStream) -> (Self, Arc<AtomicBool>) {
        let doomed = Arc::new(AtomicBool::new(false));
        (Self { stream, doomed: doomed.clone() }, doomed)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.doomed.load(Ordering::SeqCst) {
            // Closing with SO_LINGER 0 sends RST. Where it cannot be set the client sees an early end, which is as rude.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
