use std::thread;

use tokio::sync::{mpsc, oneshot};

use super::SyncError;
use super::destination::Destination;
use super::page::Desk;

/// How many deeds may wait for the destination; with a chunk of text each, a few megabytes.
const WAITING: usize = 8;

type Deed = Box<dyn FnOnce(&mut Desk) + Send>;

/// A destination on a thread of its own, since writing blocks and the network must not wait for it.
///
/// Deeds are done one after the other, in the order they were given. With the last handle the thread ends.
#[derive(Clone)]
pub(super) struct Lander {
    deeds: mpsc::Sender<Deed>,
}

impl Lander {
    /// Takes a destination to its thread.
    pub fn start(destination: Box<dyn Destination>) -> Self {
        let (deeds, mut waiting) = mpsc::channel::<Deed>(WAITING);
        thread::spawn(move || {
            let mut desk = Desk::new(destination);
            while let Some(deed) = waiting.blocking_recv() {
                deed(&mut desk);
            }
        });
        Self { deeds }
    }

    /// Does something with the destination, and waits for what comes of it.
    ///
    /// # Errors
    ///
    /// [`SyncError::Thread`] where the thread has ended; else those of the deed.
    pub async fn with<R: Send + 'static, E: Into<SyncError> + Send + 'static>(
        &self,
        deed: impl FnOnce(&mut Desk) -> Result<R, E> + Send + 'static,
    ) -> Result<R, SyncError> {
        let (answer, answered) = oneshot::channel();
        // Nobody waits any more where the run was dropped; the deed is done all the same.
        self.give(move |desk| drop(answer.send(deed(desk).map_err(Into::into)))).await?;
        answered.await.map_err(|_| SyncError::Thread)?
    }

    /// Does something with the destination without waiting for it; what goes wrong is the deed's to remember.
    ///
    /// # Errors
    ///
    /// [`SyncError::Thread`] where the thread has ended.
    pub async fn give(&self, deed: impl FnOnce(&mut Desk) + Send + 'static) -> Result<(), SyncError> {
        self.deeds.send(Box::new(deed)).await.map_err(|_| SyncError::Thread)
    }
}
