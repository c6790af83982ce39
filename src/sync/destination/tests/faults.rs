//! What only killed processes, small disks and failing system calls can show. The children are this same test binary, told
//! by one variable what to do.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::conformance::{JOB, done, landing, page, row, under_way, whole};
use crate::base::Explain;
use crate::sync::destination::*;

const CHILD: &str = "sync::destination::tests::faults::a_child_does_as_it_is_told";
const TASK: &str = "SFMINT_DESTINATION_TEST_TASK";
const KINDS: [&str; 3] = ["sqlite", "csv", "jsonl"];

/// Rows of each run of a child.
const ROWS: u32 = 300;

fn place(kind: &str, folder: &Path) -> DestinationPlace {
    match kind {
        "sqlite" => DestinationPlace::Sqlite(folder.join("sales.db")),
        "csv" => DestinationPlace::Csv(folder.join("accounts")),
        _ => DestinationPlace::Jsonl(folder.join("accounts")),
    }
}

fn open_at(kind: &str, folder: &Path) -> Box<dyn Destination> {
    open(&place(kind, folder), &JOB.parse().unwrap())
}

/// What a child is told: `TASK KIND PATH`. Without a task, one run in a folder of its own.
#[allow(clippy::disallowed_methods, reason = "the only word a child of the test binary can be given")]
fn task() -> (String, String, PathBuf, Option<tempfile::TempDir>) {
    match std::env::var(TASK) {
        Ok(told) => {
            let words: Vec<&str> = told.splitn(3, ' ').collect();
            (words[0].into(), words[1].into(), words[2].into(), None)
        }
        Err(_) => {
            let folder = tempfile::tempdir().unwrap();
            ("run".into(), "csv".into(), folder.path().into(), Some(folder))
        }
    }
}

fn say(line: impl std::fmt::Display) {
    // Straight to the pipe: a killed child must have said what it did.
    let mut out = std::io::stdout().lock();
    writeln!(out, "> {line}").unwrap();
    out.flush().unwrap();
}

/// A run that replaces everything, in three pages; goes on with one that was killed. Its rows carry its epoch, of the
/// process that began it, as their stamp.
fn whole_run(destination: &mut dyn Destination) -> Result<(), (&'static str, DestinationError)> {
    let found = destination.checkpoint().map_err(|error| ("checkpoint", error))?;
    let epoch = found.as_ref().map_or(1, |checkpoint| checkpoint.epoch + 1);
    let run_id = match found.as_ref().and_then(|checkpoint| checkpoint.run.as_ref()) {
        Some(run) => run.run_id.clone(),
        None => format!("{epoch}"),
    };
    let stamp: u32 = run_id.parse().unwrap();
    let landing = whole(&run_id, epoch);
    let mut checkpoint = under_way(&landing);
    if let Some(run) = found.and_then(|checkpoint| checkpoint.run) {
        checkpoint.run = Some(run);
    }
    destination.begin(&landing).map_err(|error| ("begin", error))?;
    while let Some(received) = checkpoint.run.as_ref().map(|run| run.received as u32)
        && received < ROWS
    {
        let rows: Vec<String> =
            (received..received + ROWS / 3).map(|number| row(number, "a", stamp % 3600, false)).collect();
        page(destination, &rows, &mut checkpoint).map_err(|error| ("page", error))?;
        say("page");
    }
    destination.publish(&done(&landing, None)).map_err(|error| ("publish", error))?;
    say("published");
    Ok(())
}

#[test]
fn a_child_does_as_it_is_told() {
    let (task, kind, folder, _own) = task();
    let mut destination = open_at(&kind, &folder);
    match task.as_str() {
        "run" => {
            if let Err((step, error)) = whole_run(&mut *destination) {
                say(format_args!("{step} {}", error.code()));
                // Whatever is tried after a failed sync fails as well, and nothing is synced again.
                let mut ids = std::iter::empty();
                let again = destination.gone(&mut ids, UnixSeconds::new(0), &done(&landing("x", 99), None));
                say(again.unwrap_err().code());
            }
        }
        "runs" => loop {
            whole_run(&mut *destination).unwrap();
        },
        "fill" => {
            whole_run(&mut *destination).unwrap();
            let long = "x".repeat(50_000);
            let landing = whole("full", 2);
            let fill = |destination: &mut dyn Destination| -> Result<(), DestinationError> {
                destination.begin(&landing)?;
                let mut checkpoint = under_way(&landing);
                for number in 0.. {
                    page(destination, &[row(number, &long, 1, false)], &mut checkpoint)?;
                }
                Ok(())
            };
            let error = fill(&mut *destination).unwrap_err();
            say(format_args!("{} {error}", error.code()));
            drop(destination);
            let mut destination = open_at(&kind, &folder);
            let mut held = 0;
            let visit = &mut |_: Held<'_>| {
                held += 1;
                Ok(())
            };
            destination.held(visit).unwrap();
            say(held);
            let left = std::fs::read_dir(folder.join("accounts")).map_or(0, |list| {
                list.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("stage"))
                    .count()
            });
            say(left);
        }
        other => panic!("no such task: {other}"),
    }
}

fn child<'a>(command: &'a mut Command, task: &str, kind: &str, folder: &Path) -> &'a mut Command {
    command
        .args(["--exact", CHILD, "--nocapture", "--test-threads", "1"])
        .env(TASK, format!("{task} {kind} {}", folder.display()))
        .stdout(Stdio::piped())
}

fn lines(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.split_once("> ")).map(|(_, said)| said.to_string()).collect()
}

/// Stamps of the rows that are held, and how many they are.
fn stamps(destination: &mut dyn Destination) -> (BTreeSet<String>, u32) {
    let (mut stamps, mut count) = (BTreeSet::new(), 0);
    let visit = &mut |held: Held<'_>| {
        stamps.insert(held.stamp.unwrap().to_string());
        count += 1;
        Ok(())
    };
    destination.held(visit).unwrap();
    (stamps, count)
}

// faults B1, B2
#[test]
fn a_run_killed_at_any_moment_leaves_one_generation_and_goes_on() {
    for kind in KINDS {
        let folder = tempfile::tempdir().unwrap();
        let mut published = 0;
        for round in 0..12_usize {
            let mut writer =
                child(&mut Command::new(std::env::current_exe().unwrap()), "runs", kind, folder.path())
                    .spawn()
                    .unwrap();
            let mut out = BufReader::new(writer.stdout.take().unwrap());
            let mut text = String::new();
            for _ in 0..(round * 7) % 13 + 4 {
                assert!(out.read_line(&mut text).unwrap() > 0, "the child ended");
            }
            writer.kill().unwrap();
            writer.wait().unwrap();
            out.read_to_string(&mut text).unwrap();
            published += lines(&text).iter().filter(|line| *line == "published").count();
            let mut destination = open_at(kind, folder.path());
            let (stamps, count) = stamps(&mut *destination);
            let whole = (1, ROWS);
            assert!(
                (stamps.len(), count) == whole || published == 0 && count == 0,
                "{kind}: {stamps:?} {count}"
            );
            let checkpoint = destination.checkpoint().unwrap();
            if let Some(run) = checkpoint.and_then(|checkpoint| checkpoint.run) {
                assert!(
                    run.received.is_multiple_of(100) && run.received <= u64::from(ROWS),
                    "{kind}: {run:?}"
                );
            }
        }
        assert!(published > 3, "{kind}: {published}");
        let mut destination = open_at(kind, folder.path());
        whole_run(&mut *destination).unwrap();
        assert_eq!(stamps(&mut *destination).1, ROWS, "{kind}");
    }
}

// faults B4
#[test]
fn a_disk_that_fills_up_keeps_what_was_published() {
    for kind in KINDS {
        let folder = tempfile::tempdir().unwrap();
        let mount =
            format!("mount -t tmpfs -o size=1m,mode=700 tmpfs {} && exec \"$@\"", folder.path().display());
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--mount", "sh", "-c", &mount, "sh"])
            .arg(std::env::current_exe().unwrap());
        let output =
            child(&mut command, "fill", kind, folder.path()).stderr(Stdio::piped()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "this needs `unshare`\n{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let said = lines(&text);
        let [.., full, held, left] = said.as_slice() else { panic!("{said:?}") };
        let at = folder.path().display().to_string();
        assert!(full.starts_with(&format!("destination.full no room to write {at}")), "{full}");
        assert!(full.ends_with("bytes free"), "{full}");
        assert_eq!((held.as_str(), left.as_str()), ("300", "0"), "{kind}");
    }
}

// faults B5
#[test]
fn a_failed_sync_publishes_nothing_and_is_not_tried_again() {
    for kind in KINDS {
        let mut steps = BTreeSet::new();
        for nth in 1..=8 {
            let folder = tempfile::tempdir().unwrap();
            whole_run(&mut *open_at(kind, folder.path())).unwrap();
            let (before, _) = stamps(&mut *open_at(kind, folder.path()));
            let mut command = Command::new("strace");
            let inject = format!("inject=fsync,fdatasync:error=EIO:when={nth}+");
            command
                .args(["--quiet=all", "-f", "-o", "/dev/null", "-e", &inject])
                .arg(std::env::current_exe().unwrap());
            let output =
                child(&mut command, "run", kind, folder.path()).stderr(Stdio::piped()).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success(),
                "this needs `strace`\n{text}{}",
                String::from_utf8_lossy(&output.stderr)
            );
            let said = lines(&text);
            let mut destination = open_at(kind, folder.path());
            let (after, count) = stamps(&mut *destination);
            assert_eq!((after.len(), count), (1, ROWS), "{kind} {nth}");
            match said.as_slice() {
                [.., failed, again] if failed.ends_with(" destination.io") => {
                    assert_eq!(again, "destination.io", "{kind} {nth}");
                    // Where even the manifest or the log was whole, a later process may find it so.
                    assert!(after == before || failed.starts_with("publish"), "{kind} {nth}: {failed}");
                    steps.insert(failed.clone());
                }
                said => {
                    assert_eq!(said.last().map(String::as_str), Some("published"), "{kind} {nth}: {said:?}")
                }
            }
            whole_run(&mut *destination).unwrap();
            assert_eq!(stamps(&mut *destination).1, ROWS, "{kind} {nth}");
        }
        assert!(
            steps.contains("begin destination.io") && steps.contains("publish destination.io"),
            "{kind}: {steps:?}"
        );
    }
}
