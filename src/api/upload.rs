use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// How much of a file is read at once. Bytes.
const PIECE: usize = 256 * 1024;

/// A body that is read while it is sent, and can be read again from its beginning: a session that is refused is
/// answered by one new token and one replay.
pub trait Upload: Send + Sync + fmt::Debug {
    /// How long it is. Bytes; announced, so neither more nor less may come.
    fn length(&self) -> u64;

    /// Its parts from the beginning. They are read on the thread that sends: nothing in them may wait for long.
    ///
    /// # Errors
    ///
    /// What the system says; the call ends with [`ApiError::Upload`](super::ApiError::Upload).
    fn open(&self) -> io::Result<Pieces>;
}

/// The parts of a body, in order.
pub type Pieces = Box<dyn Iterator<Item = io::Result<Bytes>> + Send + Sync>;

impl Upload for Bytes {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn open(&self) -> io::Result<Pieces> {
        Ok(Box::new(std::iter::once(Ok(self.clone()))))
    }
}

/// A part of a file, and bytes before it: a batch of rows, and the header line that each batch repeats.
#[derive(Clone, Debug)]
pub struct FileRange {
    /// What goes before.
    pub head: Bytes,
    /// The file; read by position, so that several ranges may be sent at once.
    pub file: Arc<File>,
    /// Where the part begins. Bytes.
    pub start: u64,
    /// How long it is. Bytes.
    pub length: u64,
}

impl Upload for FileRange {
    fn length(&self) -> u64 {
        self.head.len() as u64 + self.length
    }

    fn open(&self) -> io::Result<Pieces> {
        let (file, mut at, end) = (self.file.clone(), self.start, self.start + self.length);
        let pieces = std::iter::from_fn(move || {
            let most = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
            if most == 0 {
                return None;
            }
            let mut piece = vec![0; most];
            match file.read_exact_at(&mut piece, at) {
                Ok(()) => at += most as u64,
                Err(error) => return Some(Err(error)),
            }
            Some(Ok(Bytes::from(piece)))
        });
        let head = Some(self.head.clone()).filter(|head| !head.is_empty());
        Ok(Box::new(head.map(Ok).into_iter().chain(pieces)))
    }
}

/// How far a body has gone. Seen from outside, where the body itself is out of reach.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<(AtomicU64, AtomicBool)>);

impl Progress {
    /// Bytes that were handed to the network.
    pub fn bytes(&self) -> u64 {
        self.0.0.load(Ordering::Relaxed)
    }

    /// The body itself broke, not the network.
    pub fn failed(&self) -> bool {
        self.0.1.load(Ordering::Relaxed)
    }
}

/// A body on its way: exactly as long as announced, or broken.
pub(super) struct Outgoing {
    pieces: Pieces,
    left: u64,
    progress: Progress,
}

impl Outgoing {
    pub fn begin(upload: &dyn Upload) -> io::Result<Self> {
        Ok(Self { pieces: upload.open()?, left: upload.length(), progress: Progress::default() })
    }

    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

impl Outgoing {
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        let Some(piece) = self.pieces.next().transpose()? else {
            return match self.left {
                0 => Ok(None),
                _ => Err(io::ErrorKind::UnexpectedEof.into()),
            };
        };
        let length = piece.len() as u64;
        let longer = || io::Error::other("the body is longer than was announced");
        self.left = self.left.checked_sub(length).ok_or_else(longer)?;
        self.progress.0.0.fetch_add(length, Ordering::Relaxed);
        Ok(Some(piece))
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = self.next();
        if piece.is_err() {
            self.progress.0.1.store(true, Ordering::Relaxed);
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)).transpose())
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(upload: &dyn Upload) -> io::Result<Vec<u8>> {
        let mut outgoing = Outgoing::begin(upload)?;
        let mut all = Vec::new();
        let mut context = Context::from_waker(std::task::Waker::noop());
        while let Poll::Ready(Some(frame)) = Pin::new(&mut outgoing).poll_frame(&mut context) {
            all.extend_from_slice(&frame?.into_data().unwrap_or_default());
        }
        assert_eq!(outgoing.progress().bytes(), all.len() as u64);
        Ok(all)
    }

    #[test]
    fn a_range_of_a_file_is_sent_behind_its_header_as_often_as_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let rows: Vec<u8> = (0..PIECE as u32 * 2).map(|byte| (byte % 251) as u8).collect();
        std::fs::write(&path, &rows).unwrap();
        let file = Arc::new(File::open(&path).unwrap());
        let range = |start, length| FileRange { head: "Id\n".into(), file: file.clone(), start, length };
        let (start, length) = (17, PIECE as u64 + 5);
        let expected = [b"Id\n", &rows[17..17 + PIECE + 5]].concat();
        for _ in 0..2 {
            assert!(read(&range(start, length)).unwrap() == expected);
        }
        assert_eq!(range(start, length).length(), expected.len() as u64);
        let beyond = read(&range(PIECE as u64 * 2 - 1, 2)).unwrap_err();
        assert_eq!(beyond.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_body_of_another_length_than_announced_breaks() {
        #[derive(Debug)]
        struct Liar(u64);
        impl Upload for Liar {
            fn length(&self) -> u64 {
                self.0
            }
            fn open(&self) -> io::Result<Pieces> {
                Bytes::from_static(b"abc").open()
            }
        }
        assert_eq!(read(&Liar(3)).unwrap(), b"abc");
        assert!(read(&Liar(2)).is_err() && read(&Liar(4)).is_err());
    }
}
