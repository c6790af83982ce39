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
