use std::io::IsTerminal;
use std::process::Command;

use rustix::process::{Pid, WaitOptions, kill_process, wait};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
use signal_hook::iterator::Signals;

use super::Exit;
use super::report::{Complaint, told};
use crate::base::Fault;

/// Runs a program as the first process of a container: passes signals on, buries orphans, ends as the program ends.
///
/// What a terminal sends reaches the program without us, since it is in our process group: passed on, one Ctrl-C
/// would be two. A group of its own in the foreground would need a step between fork and exec, which is unsafe.
pub fn watch(mut command: Command) -> anyhow::Result<Exit> {
    let signals = [SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH];
    let mut signals = Signals::new(signals).map_err(|error| {
        told(Complaint::new("runtime", Fault::Transient, "signals cannot be received").because(error))
    })?;
    let child = match command.spawn() {
        Ok(child) => Pid::from_child(&child),
        Err(error) => return super::exec::cannot_run(&command, error),
    };
    let has_terminal = std::io::stdin().is_terminal();
    for signal in signals.forever() {
        if signal != SIGCHLD {
            if is_told_already(signal, has_terminal) {
                continue;
            }
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

/// Whether a signal is one that a terminal sends to its whole foreground group.
fn is_told_already(signal: i32, has_terminal: bool) -> bool {
    has_terminal && [SIGINT, SIGQUIT, SIGWINCH].contains(&signal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_tells_everybody_is_not_told_twice() {
        for signal in [SIGINT, SIGQUIT, SIGWINCH] {
            assert!(is_told_already(signal, true), "{signal}");
        }
        for signal in [SIGTERM, SIGHUP, SIGUSR1, SIGUSR2] {
            assert!(!is_told_already(signal, true), "{signal}: `docker stop` tells us alone");
        }
        assert!(!is_told_already(SIGINT, false), "without a terminal, whoever sent it sent it to us alone");
    }
}
