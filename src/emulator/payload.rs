use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::Sleep;

use super::content::{Chunks, Content};

/// How long a cut answer waits before the cut, so that what came before it is on its way.
const BEFORE_CUT: Duration = Duration::from_millis(20);

/// The body of an answer, honest or not.
#[derive(Debug, Default)]
pub(super) struct Payload {
    pieces: VecDeque<Piece>,
    exact: Option<u64>,
    sleep: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug)]
enum Piece {
    Bytes(Bytes),
    /// The same bytes so many times.
    Again(Bytes, u64),
    /// Bytes in chunks, a pause before each.
    Trickle(Bytes, usize, Duration),
    Wait(Duration),
    /// Made as it is sent; with a chunk size and a pause, as in `Trickle`.
    Made(Chunks, Option<(usize, Duration)>),
    /// Nothing more comes, and no end either.
    Silence,
    /// The connection ends here, whatever was promised.
    Cut,
}

impl Payload {
    pub fn whole(content: Content) -> Self {
        match content {
            Content::Held(bytes) => {
                Self { exact: Some(bytes.len() as u64), pieces: [Piece::Bytes(bytes)].into(), sleep: None }
            }
            Content::Made(chunks) => Self::pieces([Piece::Made(chunks, None)]),
        }
    }

    pub fn cut(content: Content, after: usize) -> Self {
        Self::pieces([Piece::Made(content.first(after), None), Piece::Wait(BEFORE_CUT), Piece::Cut])
    }

    /// The first bytes, and then nothing for as long as the client waits.
    pub fn stalled(content: Content, after: usize) -> Self {
        Self::pieces([Piece::Made(content.first(after), None), Piece::Silence])
    }

    pub fn trickle(content: Content, chunk: usize, delay: Duration) -> Self {
        Self::pieces([Piece::Made(content.into(), Some((chunk.max(1), delay)))])
    }

    /// A JSON text that is `bytes` long.
    pub fn huge(bytes: u64) -> Self {
        const CHUNK: u64 = 64 * 1024;
        let (start, end) = (r#"{"access_token":""#, r#""}"#);
        let filling = bytes.saturating_sub((start.len() + end.len()) as u64);
        let chunk = Bytes::from(vec![b'x'; CHUNK as usize]);
        let rest = chunk.slice(..(filling % CHUNK) as usize);
        Self::pieces([
            Piece::Bytes(Bytes::from_static(start.as_bytes())),
            Piece::Again(chunk, filling / CHUNK),
            Piece::Bytes(rest),
            Piece::Bytes(Bytes::from_static(end.as_bytes())),
        ])
    }

    /// `start`, then `middle` so many times, then `end`.
    pub fn repeated(start: Vec<u8>, middle: Vec<u8>, times: u64, end: Vec<u8>) -> Self {
        Self::pieces([
            Piece::Bytes(start.into()),
            Piece::Again(middle.into(), times),
            Piece::Bytes(end.into()),
        ])
    }

    fn pieces<const N: usize>(pieces: [Piece; N]) -> Self {
        Self { pieces: pieces.into(), exact: None, sleep: None }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            if let Some(sleep) = &mut self.sleep {
                ready!(sleep.as_mut().poll(context));
                self.sleep = None;
            }
            let Some(piece) = self.pieces.pop_front() else { return Poll::Ready(None) };
            let bytes = match piece {
                Piece::Bytes(bytes) => bytes,
                Piece::Again(_, 0) => continue,
                Piece::Again(bytes, times) => {
                    self.pieces.push_front(Piece::Again(bytes.clone(), times - 1));
                    bytes
                }
                Piece::Trickle(mut bytes, chunk, delay) => {
                    if bytes.is_empty() {
                        continue;
                    }
                    let now = bytes.split_to(chunk.min(bytes.len()));
                    self.pieces.push_front(Piece::Trickle(bytes, chunk, delay));
                    self.pieces.push_front(Piece::Bytes(now));
                    self.pieces.push_front(Piece::Wait(delay));
                    continue;
                }
                Piece::Wait(delay) => {
                    self.sleep = Some(Box::pin(tokio::time::sleep(delay)));
                    continue;
                }
                Piece::Made(mut chunks, slow) => {
                    let Some(bytes) = chunks.0.next() else { continue };
                    self.pieces.push_front(Piece::Made(chunks, slow));
                    match slow {
                        None => bytes,
                        Some((chunk, delay)) => {
                            self.pieces.push_front(Piece::Trickle(bytes, chunk, delay));
                            continue;
                        }
                    }
                }
                Piece::Silence => {
                    self.pieces.push_front(Piece::Silence);
                    return Poll::Pending;
                }
                Piece::Cut => return Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
            };
            if !bytes.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() || self.exact == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.exact.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
