//! The program as people run it, in an environment of its own, watched while it runs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
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

/// A program with no environment but what is given, a PATH, and `folder` as home, working and temporary directory.
pub fn bare(program: &str, folder: &Path, variables: &BTreeMap<String, OsString>) -> Command {
    let mut command = Command::new(program);
    let temporary = folder.join("tmp");
    std::fs::create_dir_all(&temporary).unwrap();
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin").env("HOME", folder);
    command.env("TMPDIR", temporary).env("LANG", "C.UTF-8").envs(variables).current_dir(folder);
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end, and looks at its argument lists and its children's meanwhile.
pub fn run(mut command: Command) -> Ran {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
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

/// A program that runs on while the test goes on. It ends with the test, also with one that fails.
///
/// What it says goes into files, which the desk sweeps with all the others.
pub struct Started {
    pub child: Child,
    heard: PathBuf,
    out: &'static str,
}

impl Started {
    /// Starts a command whose words are kept in files with the endings `out`, `err` and `argv`.
    pub fn new(mut command: Command, heard: PathBuf, out: &'static str) -> Self {
        let file = |end: &str| std::fs::File::create(heard.with_extension(end)).unwrap();
        command.stdout(file(out)).stderr(file("err"));
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, heard, out }
    }

    fn heard(&self, end: &str) -> String {
        String::from_utf8_lossy(&std::fs::read(self.heard.with_extension(end)).unwrap()).into_owned()
    }

    /// What it has said so far.
    pub fn out(&self) -> String {
        self.heard(self.out)
    }

    pub fn err(&self) -> String {
        self.heard("err")
    }

    /// Waits for its end.
    pub fn end(&mut self) -> ExitStatus {
        self.look();
        self.child.wait().unwrap()
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.look();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn look(&mut self) {
        let mut lines = Vec::new();
        // In its first moments a program has no argument list yet; once it is buried, its number may be another's.
        for _ in 0..50 {
            if !lines.is_empty() || !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            look(self.child.id(), &mut lines);
            std::thread::sleep(Duration::from_millis(u64::from(lines.is_empty())));
        }
        if !lines.is_empty() {
            std::fs::write(self.heard.with_extension("argv"), lines).unwrap();
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.kill();
    }
}
