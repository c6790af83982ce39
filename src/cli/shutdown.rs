/// Waits until this process is asked to end: SIGTERM, SIGINT or SIGHUP; Ctrl-C elsewhere.
///
/// Handlers are set explicitly, since the first process of a container has no default ones; and by the call itself,
/// not by the first poll, since whoever reads that a server is up may end it at once.
#[cfg(unix)]
pub fn asked() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let handlers =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup()));
    async move {
        let (Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)) = handlers else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(not(unix))]
pub async fn asked() {
    let _ = tokio::signal::ctrl_c().await;
}

/// Waits for SIGTERM or SIGINT, and says how a process ends that one of them has stopped: 128 and its number.
///
/// SIGHUP is left alone: who started the command with nohup wants it to go on.
#[cfg(unix)]
pub fn stopped() -> impl Future<Output = super::Exit> {
    use super::Exit;
    use tokio::signal::unix::{SignalKind, signal};
    let handlers = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async move {
        let (Ok(mut terminate), Ok(mut interrupt)) = handlers else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => Exit::Child(128 + 15),
            _ = interrupt.recv() => Exit::Child(128 + 2),
        }
    }
}

#[cfg(not(unix))]
pub async fn stopped() -> super::Exit {
    let _ = tokio::signal::ctrl_c().await;
    super::Exit::Child(128 + 2)
}
