//! What the library logs, at its loudest, in this process.

use std::io::Write;
use std::sync::{Mutex, Once, PoisonError};

use crate::secrets::Secrets;

/// All lines of all tests of this process.
static TAPE: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Tape;

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        TAPE.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Listens, and says where on the tape it begins.
pub fn listen() -> usize {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(|| Tape)
            .with_ansi(false)
            .try_init()
            .unwrap();
    });
    TAPE.lock().unwrap_or_else(PoisonError::into_inner).len()
}

/// Panics where a line since `start` holds a secret.
pub fn sweep(secrets: &Secrets, start: usize) {
    let lines = TAPE.lock().unwrap_or_else(PoisonError::into_inner)[start..].to_vec();
    if let Some(kind) = secrets.found_in(&lines, true) {
        panic!("a secret: the log holds {kind}:\n{}", secrets.line(&lines));
    }
}
