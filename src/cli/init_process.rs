use std::process::Command;

use rustix::process::{Pid, WaitOptions, kill_process, wait};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
use signal_hook::iterator::Signals;

use super::Exit;
use super::report::{Complaint, told};
use crate::base::Fault;

/// Runs a program as the first process of a container: passes signals on, buries orphans, ends as the program ends.
pub fn watch(mut command: Command) -> anyhow::Result<Exit> {
    let signals = [SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH];
    let mut signals = Signals::new(signals).map_err(|error| {
        told(Complaint::new("runtime", Fault::Transient, "signals cannot be received").because(error))
    })?;
    let child = match command.spawn() {
        Ok(child) => Pid::from_child(&child),
        Err(error) => return super::exec::cannot_run(&command, error),
    };
    for signal in signals.forever() {
        if signal != SIGCHLD {
            if let Some(signal) = rustix::process::Signal::from_named_raw(signal) {
                // It may have ended this very moment; then the next SIGCHLD says so.
                let _ = kill_process(child, signal);
            }
            continue;
        }
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if pid != child {
                continue;
            }
            let code = status.exit_status().or(status.terminating_signal().map(|signal| 128 + signal));
            if let Some(code) = code {
                return Ok(Exit::Child(u8::try_from(code).unwrap_or(1)));
            }
        }
    }
    Ok(Exit::Bug)
}
