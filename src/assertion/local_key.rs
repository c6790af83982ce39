use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use tokio::time::Instant;
use tracing::{info, warn};

use super::reload::{Loaded, Origin};
use super::{CertificateFacts, SignError, Signer};
use crate::base::{BoxFuture, Explain, KeyId, KeySource};
use crate::crypto::{FileStamp, KeyError};

/// How long after a read a file may have been changed again without its stamp showing it.
///
/// File systems stamp by a clock that ticks every 1 to 10 ms (2 s on FAT): two writes within a tick look
/// alike. After this time the files are read once more, and only then is their stamp believed.
const SETTLING: Duration = Duration::from_secs(2);

/// A private key held in this process, parsed once; read again when its file changes.
///
/// Before each signature the files are asked for their stamps (one `stat` each, about a microsecond). Where
/// one differs, key, passphrase and certificate are read again as one set. A set that cannot be used (half
/// written, a certificate of another key, wrong permissions) leaves the old key in place and is logged once.
pub struct LocalKey {
    origin: Origin,
    state: Mutex<State>,
}

struct State {
    loaded: Arc<Loaded>,
    /// The files as they were last read, whether that brought a key or not.
    seen: Vec<Option<FileStamp>>,
    /// When that was; `None` once the stamps are old enough to be believed.
    settling: Option<Instant>,
}

impl LocalKey {
    /// Reads and checks the key, and the certificate beside it.
    ///
    /// # Errors
    ///
    /// [`KeyError`]: see [`open`](super::open).
    pub fn open(key: &KeySource, certificate: Option<&Path>) -> Result<Self, KeyError> {
        let origin = Origin::new(key, certificate)?;
        let (loaded, seen) = origin.load()?;
        let state = State { loaded: Arc::new(loaded), seen, settling: Some(Instant::now()) };
        Ok(Self { origin, state: Mutex::new(state) })
    }

    /// The key as of now.
    fn current(&self) -> Arc<Loaded> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = self.origin.stamps();
        let settled = state.settling.is_some_and(|since| since.elapsed() >= SETTLING);
        if stamps != state.seen || settled {
            state.settling = if stamps == state.seen { None } else { Some(Instant::now()) };
            self.reload(&mut state, stamps);
        }
        state.loaded.clone()
    }

    /// Makes `change` and takes its stamps for seen, as if it had happened within one tick of the file system's clock.
    #[cfg(test)]
    pub(super) fn forget_the_change(&self, change: impl FnOnce()) {
        change();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seen = self.origin.stamps();
    }

    fn reload(&self, state: &mut State, stamps: Vec<Option<FileStamp>>) {
        let changed = stamps != state.seen;
        match self.origin.load() {
            Ok((loaded, seen)) => {
                if loaded.key_id != state.loaded.key_id || loaded.certificate != state.loaded.certificate {
                    info!(key.id = %loaded.key_id.short(), key.id_before = %state.loaded.key_id.short(),
                          "key or certificate changed: signing with key {} from now on", loaded.key_id.short());
                }
                state.loaded = Arc::new(loaded);
                state.seen = seen;
            }
            Err(error) => {
                if changed {
                    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
                    warn!(key.id = %state.loaded.key_id.short(), error.code = error.code(),
                          "the changed key is not used, key {} stays: {error}{}",
                          state.loaded.key_id.short(), cause.unwrap_or_default());
                }
                state.seen = stamps;
            }
        }
    }
}

impl Signer for LocalKey {
    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
        Box::pin(async move {
            let loaded = self.current();
            let mut signature = vec![0; loaded.pair.public_modulus_len()];
            // PKCS#1 v1.5 draws nothing from the generator; aws-lc blinds with one of its own.
            match loaded.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature) {
                Ok(()) => Ok(signature),
                Err(_) => Err(SignError::Failed),
            }
        })
    }

    fn key_id(&self) -> KeyId {
        self.current().key_id.clone()
    }

    fn certificate(&self) -> Option<CertificateFacts> {
        self.current().certificate.clone()
    }
}

impl fmt::Debug for LocalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        write!(f, "LocalKey({})", state.loaded.key_id.short())
    }
}
