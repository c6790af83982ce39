//! The program as people run it, in an environment of its own, watched while it runs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// The program under test.
pub const SFMINT: &str = env!("CARGO_BIN_EXE_sfmint");

/// What a run left to look at.
#[derive(Debug)]
pub struct Ran {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// The command lines of the program and all its children that were seen.
    pub command_lines: Vec<u8>,
}

impl Ran {
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// `sfmint` with no environment but what is given, a PATH, and `folder` as home, working and temporary directory.
pub fn sfmint(folder: &Path, variables: &BTreeMap<String, OsString>) -> Command {
    bare(SFMINT, folder, variables)
}

/// Another program in the same environment.
pub fn bare(program: &str, folder: &Path, variables: &BTreeMap<String, OsString>) -> Command {
    let mut command = Command::new(program);
    let temporary = folder.join("tmp");
    std::fs::create_dir_all(&temporary).unwrap();
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin").env("HOME", folder);
    command.env("TMPDIR", temporary).env("LANG", "C.UTF-8").envs(variables).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command to its end, and looks at its argument lists and its children's meanwhile.
pub fn run(mut command: Command) -> Ran {
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let out = drain(child.stdout.take());
    let err = drain(child.stderr.take());
    let mut command_lines = Vec::new();
    let status = loop {
        look(child.id(), &mut command_lines);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(4));
    };
    Ran { status, stdout: out.join().unwrap(), stderr: err.join().unwrap(), command_lines }
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes).unwrap();
        }
        bytes
    })
}

/// Adds the command lines of a process and of all below it.
fn look(pid: u32, lines: &mut Vec<u8>) {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    if !line.is_empty() && !lines.windows(line.len()).any(|known| known == line) {
        lines.extend_from_slice(&line);
        lines.push(b'\n');
    }
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    for child in children.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()) {
        look(child, lines);
    }
}

/// Ends with the test, also with one that fails.
pub struct Reaped(pub Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
