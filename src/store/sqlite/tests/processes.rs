//! What only several processes, small disks and failing system calls can show. The children are this same
//! test binary, told by one variable what to do.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::{NOW, wait};
use crate::base::Explain;
use crate::store::conformance::{granted, request, row};
use crate::store::sqlite::SqliteStore;
use crate::store::{
    Acquired, Fact, Integrity, Location, MintQuery, MintRow, Opened, Store, open_or_memory, open_strict,
};

const CHILD: &str = "store::sqlite::tests::processes::a_child_does_as_it_is_told";
const TASK: &str = "SFMINT_STORE_TEST_TASK";

/// What a child is told: `TASK PATH`. Without a task, the shortest one, in a folder of its own.
#[allow(clippy::disallowed_methods, reason = "the only word a child of the test binary can be given")]
fn task() -> (String, PathBuf, Option<tempfile::TempDir>) {
    match std::env::var(TASK) {
        Ok(told) => {
            let (task, path) = told.split_once(' ').unwrap();
            (task.to_string(), path.into(), None)
        }
        Err(_) => {
            let folder = tempfile::tempdir().unwrap();
            ("write-50".to_string(), folder.path().join("state.db"), Some(folder))
        }
    }
}

fn say(line: impl std::fmt::Display) {
    // Straight to the pipe: a killed child must have said what it did.
    let mut out = std::io::stdout().lock();
    writeln!(out, "> {line}").unwrap();
    out.flush().unwrap();
}

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, NOW).unwrap().store
}

#[test]
fn a_child_does_as_it_is_told() {
    let (task, path, _folder) = task();
    let own = |at: i64| MintRow { pid: std::process::id(), ..row(at) };
    match task.as_str() {
        "write-50" => {
            let store = open(&path);
            (0..50).for_each(|at| wait(store.record_mint(own(at))).unwrap());
            let rows = wait(store.mints(MintQuery { limit: 1000, ..MintQuery::default() })).unwrap();
            assert!(rows.iter().filter(|row| row.pid == std::process::id()).count() == 50);
        }
        "write-until-killed" => {
            let store = open(&path);
            for at in 0.. {
                wait(store.record_mint(own(at))).unwrap();
                if at % 7 == 0 {
                    let name = format!("job/{}", std::process::id());
                    let lease = wait(granted(&store, request(&name, "run", at * 100)));
                    wait(store.write_under(&lease, vec![Fact::Mint(own(at)), Fact::Mint(own(at))])).unwrap();
                }
                say(at);
            }
        }
        "lease" => match wait(open(&path).acquire_lease(request("job/accounts", "any", 1000))).unwrap() {
            Acquired::Granted(_) => say("granted"),
            Acquired::Held(held) => say(format_args!("held by {}", held.by.pid)),
        },
        "sleep-with-lease" => {
            let store = open(&path);
            let lease = wait(granted(&store, request("job/accounts", "sleeper", 1000)));
            say(lease.epoch);
            std::io::stdin().read_line(&mut String::new()).unwrap();
            match wait(store.write_under(&lease, vec![Fact::Mint(row(1))])) {
                Ok(()) => say("written"),
                Err(error) => say(error.code()),
            }
        }
        "fill" => {
            let store = open(&path);
            let rows = (0..).find(|at| match wait(store.record_mint(row(*at))) {
                Ok(()) => false,
                Err(error) => {
                    say(format_args!("{} {error}", error.code()));
                    true
                }
            });
            say(rows.unwrap());
            drop(store);
            let store = open_strict(&Location::Sqlite { path: path.clone() }, NOW).unwrap();
            let info = wait(store.info()).unwrap();
            assert_eq!(info.integrity, Integrity::Sound);
            say(info.tables[0].rows);
            // And where there is no room from the start.
            std::fs::write(path.with_file_name("ballast"), vec![0; 400_000]).unwrap_err();
            let fresh = path.with_file_name("fresh.db");
            let error = SqliteStore::open(&fresh, NOW).unwrap_err();
            say(format_args!("{} {error}", error.code()));
            assert!(!fresh.exists() && !path.with_file_name("fresh.db.new").exists());
        }
        "without-files" => {
            let store = open(&path);
            let mut hoard = Vec::new();
            while let Ok(file) = std::fs::File::open("/dev/null") {
                hoard.push(file);
            }
            let written = wait_in_place(store.record_mint(row(1)));
            let error = SqliteStore::open(&path.with_file_name("other.db"), NOW).unwrap_err();
            hoard.clear();
            written.unwrap();
            assert!(error.hints()[0].as_str().contains("ulimit -n"), "{error:?}");
            say(error.code());
        }
        "read-only" => {
            let location = Location::Sqlite { path };
            let Opened { store, in_memory_because, .. } = open_or_memory(&location, NOW).unwrap();
            wait(store.record_mint(row(1))).unwrap();
            assert_eq!(wait(store.mints(MintQuery::default())).unwrap(), [row(1)]);
            say(in_memory_because.unwrap().code());
        }
        "fsync-fails" => {
            let store = open(&path);
            wait(store.record_mint(row(1))).unwrap();
            for id in ["run-1", "run-2"] {
                match wait(store.acquire_lease(request("job/accounts", id, 1000))) {
                    Ok(answer) => say(format_args!("{answer:?}")),
                    Err(error) => say(error.code()),
                }
            }
            wait(store.record_mint(row(2))).unwrap();
            say("minted");
        }
        other => panic!("no such task: {other}"),
    }
}

/// Without a runtime: it would open files of its own.
fn wait_in_place<T>(mut future: crate::base::BoxFuture<'_, T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => panic!("waits for a runtime"),
    }
}

fn child(task: &str, path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    tell(&mut command, task, path).args(["--exact", CHILD, "--nocapture", "--test-threads", "1"]);
    command
}

fn tell<'a>(command: &'a mut Command, task: &str, path: &Path) -> &'a mut Command {
    command.env(TASK, format!("{task} {}", path.display())).stdin(Stdio::piped()).stdout(Stdio::piped())
}

/// A child started by a shell, which first does `before` in a mount namespace of its own where asked.
fn child_after(before: &str, alone: bool, task: &str, path: &Path) -> Command {
    let mut command = Command::new(if alone { "unshare" } else { "sh" });
    if alone {
        command.args(["--map-root-user", "--mount", "sh"]);
    }
    let script = format!("{before} && exec \"$@\"");
    command.args(["-c", &script, "sh"]).arg(std::env::current_exe().unwrap());
    tell(&mut command, task, path).args(["--exact", CHILD, "--nocapture", "--test-threads", "1"]);
    command
}

/// What a child says, once it has come to its end.
fn said(mut command: Command) -> Vec<String> {
    let output =
        command.stderr(Stdio::piped()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "the child failed. This test needs `unshare` with user namespaces, or `strace`, where its command \
         names them.\n{command:?}\n{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    lines(&text)
}

fn lines(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.split_once("> ")).map(|(_, said)| said.to_string()).collect()
}

fn next(out: &mut BufReader<ChildStdout>) -> String {
    loop {
        let mut line = String::new();
        assert!(out.read_line(&mut line).unwrap() > 0, "the child ended");
        if let Some(said) = lines(&line).pop() {
            return said;
        }
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

// faults B1
#[test]
fn a_writer_killed_at_any_moment_leaves_a_sound_store_with_all_it_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let mut least = 0;
    for round in 0..20 {
        let mut writer = child("write-until-killed", &path).spawn().unwrap();
        let mut out = BufReader::new(writer.stdout.take().unwrap());
        for _ in 0..(round * 13) % 47 {
            next(&mut out);
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        least += ((round * 13) % 47) as u64 + lines(&rest).len() as u64;
        let store = open_strict(&Location::Sqlite { path: path.clone() }, NOW).unwrap();
        let info = wait(store.info()).unwrap();
        assert_eq!(info.integrity, Integrity::Sound, "round {round}");
        assert!(info.tables[0].rows >= least, "round {round}: {} of {least}", info.tables[0].rows);
    }
    assert!(least > 300, "{least}");
    assert!(
        !folder
            .path()
            .read_dir()
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().contains("corrupt") })
    );
}

#[test]
fn several_processes_write_at_once_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // Not there yet: they also race to make it.
    let path = folder.path().join("state/state.db");
    let writers: Vec<Child> =
        (0..6).map(|_| child("write-50", &path).stdout(Stdio::null()).spawn().unwrap()).collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    let info = wait(open(&path).info()).unwrap();
    assert_eq!((info.tables[0].rows, info.integrity), (300, Integrity::Sound));
}

// faults B8
#[test]
fn of_ten_processes_one_gets_the_lease_and_the_others_hear_who() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let askers: Vec<Child> = (0..10).map(|_| child("lease", &path).spawn().unwrap()).collect();
    let mut answers: Vec<String> = askers
        .into_iter()
        .flat_map(|asker| lines(&String::from_utf8_lossy(&asker.wait_with_output().unwrap().stdout)))
        .collect();
    answers.sort();
    assert_eq!(answers.len(), 10);
    assert_eq!(answers[0], "granted");
    assert!(answers[1..].iter().all(|answer| answer == "held by 77"), "{answers:?}");
}

// faults B9
#[test]
fn a_process_that_was_stopped_past_its_lease_writes_nothing_when_it_wakes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let mut sleeper = child("sleep-with-lease", &path).spawn().unwrap();
    let mut out = BufReader::new(sleeper.stdout.take().unwrap());
    let slept: u64 = next(&mut out).parse().unwrap();
    signal(&sleeper, Signal::STOP);
    let store = open(&path);
    let woke = wait(granted(&store, request("job/accounts", "other", 1061)));
    assert!(woke.epoch > slept);
    signal(&sleeper, Signal::CONT);
    sleeper.stdin.take().unwrap().write_all(b"go\n").unwrap();
    assert_eq!(next(&mut out), "store.lease_lost");
    sleeper.wait().unwrap();
    assert_eq!(wait(store.mints(MintQuery::default())).unwrap(), []);
}

// faults B4
#[test]
fn a_small_disk_that_fills_up_keeps_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let mount = format!("mount -t tmpfs -o size=320k,mode=700 tmpfs {}", folder.path().display());
    let said = said(child_after(&mount, true, "fill", &folder.path().join("state.db")));
    let [full, written, kept, fresh] = said.as_slice() else { panic!("{said:?}") };
    assert!(full.starts_with("store.full no room to write the store "), "{full}");
    assert!(full.contains("state.db") && full.ends_with("bytes free"), "{full}");
    assert_eq!(written, kept);
    assert!(written.parse::<u64>().unwrap() > 3, "{written}");
    assert!(fresh.starts_with("store.full "), "{fresh}");
}

// faults B5
#[test]
fn a_failed_fsync_is_an_error_and_is_not_taken_for_clean_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    wait(open(&path).record_mint(row(0))).unwrap();
    let mut command = Command::new("strace");
    command.args(["--quiet=all", "-f", "-o", "/dev/null", "-e", "inject=fsync,fdatasync:error=EIO"]);
    command.arg(std::env::current_exe().unwrap());
    tell(&mut command, "fsync-fails", &path).args(["--exact", CHILD, "--nocapture", "--test-threads", "1"]);
    assert_eq!(said(command), ["store.io", "store.io", "minted"]);
    let store = open_strict(&Location::Sqlite { path }, NOW).unwrap();
    let info = wait(store.info()).unwrap();
    assert_eq!((info.integrity, info.tables[0].rows, info.tables[1].rows), (Integrity::Sound, 3, 0));
}

// faults B10
#[test]
fn on_a_read_only_file_system_facts_are_kept_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    wait(open(&path).record_mint(row(0))).unwrap();
    let at = folder.path().display();
    let mount = format!("mount --bind {at} {at} && mount -o remount,ro,bind {at}");
    assert_eq!(said(child_after(&mount, true, "read-only", &path)), ["store.read_only"]);
    let absent = folder.path().join("deeper/state.db");
    assert_eq!(said(child_after(&mount, true, "read-only", &absent)), ["store.read_only"]);
}

// faults B13
#[test]
fn sixty_four_files_are_enough_and_none_is_a_clean_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    said(child_after("ulimit -n 64", false, "write-50", &path));
    assert_eq!(said(child_after("ulimit -n 64", false, "without-files", &path)), ["store.io"]);
}

// faults D1
#[test]
fn no_file_of_the_store_holds_a_secret_in_any_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = open(&path);
    let token = "00D8d00000abCdE!AQEAQPl4kZ0123456789abcdefghijklmnop.qrstuvwxyz_ABC";
    let assertion = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIzTVZHOSJ9.c2lnbmF0dXJl";
    let key = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let echo = format!("could not read assertion={assertion}, token \"{token}\", key {key}");
    let row = MintRow {
        salesforce: Some(crate::base::OAuthError::new("bad_request", Some(&echo))),
        code: Some(echo),
        token_id: Some(crate::base::TokenId::of(token)),
        ..row(1)
    };
    wait(store.record_mint(row.clone())).unwrap();
    let lease = wait(granted(&store, request("job/accounts", "run-1", 1000)));
    wait(store.write_under(&lease, vec![Fact::Mint(row)])).unwrap();
    let mut swept = 0;
    for entry in folder.path().read_dir().unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for secret in [token, assertion, key, &token[16..], "c2lnbmF0dXJl"] {
            for form in forms(secret) {
                assert!(!text.contains(&form), "{} holds {form}", path.display());
            }
        }
        swept += usize::from(text.contains("could not read assertion"));
    }
    assert!(swept > 0, "the rows are in one of the files");
}

/// A secret as it is, in hex, and as a URL shows it. (Base64 of it is a run that the screen leaves out.)
fn forms(secret: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let url: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    vec![secret.to_string(), hex.to_uppercase(), hex, url]
}
