//! The search at the end of each test finds what it must: a planted secret in each place, in each form. And no test
//! starts a program past the desk that will be searched.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};
use sfmint::store::Store;

use crate::org::World;
use crate::places::Desk;

/// With letters that a URL shows otherwise, and long enough that base64 of any alignment shows most of it.
const SECRET: &str = "correct+horse!battery=staple?clip";

fn forms() -> Vec<(&'static str, String)> {
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    let after = |before: &str| format!("{before}{SECRET}z");
    vec![
        ("as it is", format!("x{SECRET}y")),
        ("in a URL", url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect()),
        ("in upper-case hex", hex.to_uppercase()),
        ("in hex", hex),
        ("in base64", Base64Unpadded::encode_string(after("").as_bytes())),
        ("in base64, one byte on", Base64Unpadded::encode_string(after("a").as_bytes())),
        ("in base64url, two bytes on", Base64UrlUnpadded::encode_string(after("ab").as_bytes())),
    ]
}

/// A shell that is told what was planted by its environment.
fn says(desk: &Desk, script: &str, planted: &str) -> std::process::Command {
    let mut command = desk.program("sh");
    command.env("PLANTED", planted).args(["-c", script]);
    command
}

/// Whether the test in which `deed` happens fails at its end, for the secret.
fn fails(deed: impl FnOnce()) -> bool {
    match catch_unwind(AssertUnwindSafe(deed)) {
        Ok(()) => false,
        Err(told) => {
            let told = told.downcast_ref::<String>().cloned().unwrap_or_default();
            assert!(told.starts_with("a secret: "), "{told}");
            true
        }
    }
}

#[test]
fn a_secret_in_any_place_and_form_fails_the_test_that_left_it_there() {
    type Plant = fn(&Desk, &str);
    let places: [(&str, Plant); 9] = [
        ("stdout", |desk, planted| drop(desk.run(says(desk, "printf %s \"$PLANTED\"", planted)))),
        ("stderr and log", |desk, planted| drop(desk.run(says(desk, "printf %s \"$PLANTED\" >&2", planted)))),
        ("an argument list", |desk, planted| {
            let mut command = desk.program("sh");
            command.args(["-c", "sleep 0.1; true", "sh", planted]);
            drop(desk.run(command));
        }),
        ("stdout of one that was killed", |desk, planted| {
            let mut started = desk.start(says(desk, "printf %s \"$PLANTED\"; kill -STOP $$", planted));
            crate::processes::until("its word", || !started.out().is_empty());
            started.kill();
        }),
        ("the argument list of one that was killed", |desk, planted| {
            let mut command = desk.program("sh");
            command.args(["-c", "kill -STOP $$", "sh", planted]);
            desk.start(command).kill();
        }),
        ("the store", |desk, planted| desk.write("state/state.db", planted)),
        ("its log", |desk, planted| desk.write("state/state.db-wal", planted)),
        ("a temporary file", |desk, planted| desk.write("tmp/left", planted)),
        ("a file's name", |desk, planted| desk.write(&format!("state/{}", planted.replace('/', "_")), "")),
    ];
    for (place, plant) in places {
        for (form, planted) in forms() {
            if place == "a file's name" && planted.contains('/') {
                continue;
            }
            let caught = fails(|| {
                let mut desk = Desk::new();
                desk.secret("the planted secret", SECRET);
                plant(&desk, &planted);
            });
            assert!(caught, "{place}, {form}: nobody noticed");
        }
    }
    assert!(!fails(|| drop(Desk::new())), "and where nothing is planted, nothing is found");
}

#[tokio::test]
async fn a_secret_that_the_library_logs_keeps_or_writes_fails_the_test_too() {
    let mut in_history = 0;
    for (form, planted) in forms() {
        for place in ["the log", "the history", "a file"] {
            let world = World::new().await;
            world.folder.secret(SECRET);
            match place {
                "the log" => tracing::trace!(target: "sfmint", "{planted}"),
                "the history" => {
                    world.source(world.in_memory()).token().await.unwrap();
                    let mut row = world.rows().await.remove(0);
                    row.credential = planted.clone();
                    world.store.record_mint(row).await.unwrap();
                    // The store's own last door keeps most forms out.
                    if world.rows().await[1].credential != planted {
                        continue;
                    }
                    in_history += 1;
                }
                _ => std::fs::write(world.folder.path().join("state"), &planted).unwrap(),
            }
            assert!(fails(|| drop(world)), "{place}, {form}: nobody noticed");
        }
    }
    assert!(in_history > 0);
    let world = World::new().await;
    world.source(world.connection()).token().await.unwrap();
    assert!(!fails(|| drop(world)));
}

#[test]
fn no_test_starts_a_program_past_its_desk() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/all");
    let own = ["child.rs", "sweeps.rs"];
    let folders = [here.clone(), here.join("syncing")];
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    for path in entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let text = std::fs::read_to_string(&path).unwrap();
        if own.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        for word in ["Command::new", ".spawn().", ".output().", "child::run", "child::bare"] {
            let at_home = path.ends_with("places.rs") && word.starts_with("child::");
            assert!(
                at_home || !text.contains(word),
                "{} says {word}: use the desk's run or start",
                path.display()
            );
        }
    }
}
