use std::fs::File;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Syncs a file beside its writer, on a thread of its own.
///
/// An error is told once, at the end: the kernel names a failed write to one sync only, so whoever syncs must pass it on.
#[derive(Debug)]
pub(super) struct Flusher {
    nudge: SyncSender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl Flusher {
    pub(super) fn new(file: &File) -> io::Result<Self> {
        let file = file.try_clone()?;
        let (nudge, nudged) = sync_channel(1);
        let sync = move || nudged.iter().try_for_each(|()| file.sync_data());
        let thread = std::thread::Builder::new().name("sfmint-sync".to_string()).spawn(sync)?;
        Ok(Self { nudge, thread })
    }

    /// Has what is written so far synced, soon.
    pub(super) fn nudge(&self) {
        // Where one nudge waits already, or a sync has failed, another changes nothing.
        let _ = self.nudge.try_send(());
    }

    /// Waits for the last sync, and tells whether all of them went well.
    pub(super) fn finish(self) -> io::Result<()> {
        drop(self.nudge);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that syncs has ended")))
    }
}
