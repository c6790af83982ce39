use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use zeroize::Zeroizing;

use super::KeyMistake;
use super::secret_file::MOST_BYTES;

/// How long a command may take to print a secret.
///
/// Secret managers answer in a second or two; one that takes longer is waiting for a person who is not there.
pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

/// How long it may linger once it has closed its output.
const LINGER: Duration = Duration::from_secs(1);

/// Runs a command that prints a secret, and takes what it prints.
///
/// The program is started directly, in a process group of its own that is ended as a whole; stdin is empty, and
/// stderr goes nowhere, because programs have printed secrets there.
pub(super) fn run(argv: &[String], timeout: Duration) -> Result<Zeroizing<Vec<u8>>, KeyMistake> {
    let invalid = || std::io::Error::from(std::io::ErrorKind::InvalidInput);
    let (program, arguments) = argv.split_first().ok_or_else(|| KeyMistake::CommandNotStarted(invalid()))?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(KeyMistake::CommandNotStarted)?;
    let (send, receive) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let mut bytes = Zeroizing::new(Vec::with_capacity(16 * 1024));
            let outcome = stdout.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes);
            let _ = send.send(outcome.map(|_| bytes));
        });
    }
    let printed = match receive.recv_timeout(timeout) {
        Ok(printed) => printed,
        Err(_) => {
            end(&mut child);
            return Err(KeyMistake::CommandTimedOut(timeout.as_secs()));
        }
    };
    let printed = match printed {
        Ok(printed) if printed.len() <= MOST_BYTES => printed,
        Ok(_) => {
            end(&mut child);
            return Err(KeyMistake::TooLong(MOST_BYTES));
        }
        Err(error) => {
            end(&mut child);
            return Err(KeyMistake::Io(error));
        }
    };
    match exit(&mut child) {
        Some(status) if status.success() => Ok(printed),
        Some(status) => Err(KeyMistake::CommandFailed(status)),
        None => Err(KeyMistake::CommandTimedOut(timeout.as_secs())),
    }
}

/// How the child ended; `None` where it had to be ended.
fn exit(child: &mut Child) -> Option<ExitStatus> {
    let tick = Duration::from_millis(2);
    for _ in 0..LINGER.as_millis() / tick.as_millis() {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        thread::sleep(tick);
    }
    end(child);
    None
}

/// Ends the child and whatever it started, and collects it.
fn end(child: &mut Child) {
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, timeout: Duration) -> Result<Zeroizing<Vec<u8>>, KeyMistake> {
        run(&["/bin/sh".into(), "-c".into(), script.into()], timeout)
    }

    #[test]
    fn what_a_command_prints_is_the_secret() {
        assert_eq!(*sh("printf hello; echo noise >&2", COMMAND_TIMEOUT).unwrap(), b"hello");
    }

    #[test]
    fn no_shell_reads_the_arguments() {
        let argv = ["/bin/echo", "-n", "$HOME; `id`"].map(String::from);
        assert_eq!(*run(&argv, COMMAND_TIMEOUT).unwrap(), b"$HOME; `id`");
    }

    #[test]
    fn a_command_that_says_no_is_not_a_secret() {
        let mistake = sh("echo half a secret; exit 3", COMMAND_TIMEOUT).unwrap_err();
        assert_eq!(mistake.to_string(), "is missing: the command ended with exit status: 3");
        assert!(matches!(
            run(&["/nowhere/at/all".into()], COMMAND_TIMEOUT),
            Err(KeyMistake::CommandNotStarted(_))
        ));
        assert!(matches!(run(&[], COMMAND_TIMEOUT), Err(KeyMistake::CommandNotStarted(_))));
    }

    #[test]
    fn a_command_that_waits_is_ended() {
        let mistake = sh("exec sleep 600", Duration::from_millis(50)).unwrap_err();
        assert!(matches!(mistake, KeyMistake::CommandTimedOut(_)));
    }

    #[test]
    fn a_command_that_never_stops_printing_is_cut_with_all_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let pid = dir.path().join("pid");
        let script = format!("sleep 600 & echo $! > {}; cat /dev/zero", pid.display());
        assert!(matches!(sh(&script, COMMAND_TIMEOUT), Err(KeyMistake::TooLong(_))));
        let stat = format!("/proc/{}/stat", std::fs::read_to_string(pid).unwrap().trim());
        let ended = || std::fs::read_to_string(&stat).map_or(true, |state| state.contains(") Z"));
        assert!((0..100_000).any(|_| ended() || (thread::yield_now(), false).1), "what it started lives on");
    }
}
