/// Waits until this process is asked to end: SIGTERM, SIGINT or SIGHUP; Ctrl-C elsewhere.
///
/// Handlers are set explicitly, since the first process of a container has no default ones.
#[cfg(unix)]
pub async fn asked() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hangup.recv() => {}
    }
}

#[cfg(not(unix))]
pub async fn asked() {
    let _ = tokio::signal::ctrl_c().await;
}
