//! `sfmint exec`: the program it becomes, and what that program must not have.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use crate::child;
use crate::places::Desk;

fn sh(desk: &Desk, script: &str) -> child::Ran {
    desk.sfmint(&["exec", "--", "sh", "-c", script])
}

#[test]
fn it_ends_as_the_program_ends() {
    let desk = Desk::new();
    for code in [0, 1, 2, 77, 255] {
        assert_eq!(sh(&desk, &format!("exit {code}")).code(), code);
    }
    let ran = sh(&desk, "kill -TERM $$");
    assert!(ran.status.signal() == Some(15) || ran.code() == 143, "{:?}", ran.status);
    assert_eq!(desk.sfmint(&["exec", "--", "no-such-program"]).code(), 127);
    desk.write("not-executable", "echo hello");
    assert_eq!(desk.sfmint(&["exec", "--", "./not-executable"]).code(), 126);
    assert_eq!(desk.sfmint(&["exec", "--", "."]).code(), 126);
    assert_eq!(desk.admin().counters().token_posts, 1);
}

// faults D4: the key's own variables are not passed on, whatever they are called; everything else is.
#[test]
fn the_program_has_the_token_and_not_the_key() {
    let mut desk = Desk::new();
    let key = std::fs::read_to_string(crate::org::fixture("encrypted-aes256-sha256.pem")).unwrap();
    let config = desk.config("").replace(
        "{ file = \"current.key\" }",
        "{ env = \"MY_KEY\", passphrase = { env = \"MY_PASSPHRASE\" } }",
    );
    desk.write("sfmint.toml", &config);
    let plain = std::fs::read_to_string(crate::org::fixture("pkcs8.pem")).unwrap();
    desk.variables.insert("MY_KEY".into(), key.into());
    desk.variables.insert("MY_PASSPHRASE".into(), "opensesame".into());
    desk.variables.insert("KEPT".into(), "as it was".into());
    desk.secret("the passphrase", "opensesame");
    let ran = sh(&desk, "env; cat /proc/$$/environ | tr '\\0' '\\n'");
    assert_eq!(ran.code(), 0, "{}", ran.err());
    for absent in ["MY_KEY", "MY_PASSPHRASE", "SFMINT_PRIVATE_KEY", "opensesame", &plain[100..160]] {
        assert!(!ran.out().contains(absent), "the program has {absent}");
    }
    for present in [
        "SF_ACCESS_TOKEN=00D",
        "SF_INSTANCE_URL=http://127.0.0.1",
        "SF_USERNAME=",
        "SF_ORG_ID=00D",
        "KEPT=as it was",
    ] {
        assert!(ran.out().contains(present), "the program lacks {present}");
    }
}

// faults D4
#[test]
fn the_program_has_no_other_connections_key_either() {
    let mut desk = Desk::new();
    let config = desk.config("");
    let other = "[connections.other]\nlogin_url = \"https://acme.my.salesforce.com\"\nclient_id = \"3MVG9abc\"\n\
                 username = \"ann@acme.example\"\nkey = { env = \"OTHER_KEY\" }\nproxy = { env = \"OTHER_PROXY\" }\n";
    desk.write("sfmint.toml", &format!("{config}\n{other}"));
    desk.variables.insert("OTHER_KEY".into(), "canary-of-the-key".into());
    desk.variables.insert("OTHER_PROXY".into(), "http://user:canary-of-the-proxy@proxy.example:3128".into());
    let ran = desk.sfmint(&["exec", "-c", "prod", "--", "env"]);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    assert!(ran.out().contains("SF_ACCESS_TOKEN=00D") && !ran.out().contains("canary"), "{}", ran.out());
}

// no-color.org: it counts when it is present and not an empty string.
#[test]
fn no_color_that_is_set_to_nothing_is_not_set() {
    let mut desk = Desk::new();
    desk.variables.insert("NO_COLOR".into(), "".into());
    let ran = desk.sfmint(&["config", "show"]);
    assert_eq!(ran.code(), 0, "{}", ran.err());
}

#[test]
fn the_program_is_an_ordinary_one() {
    let desk = Desk::new();
    // It can be dumped again, its signals are at their defaults, and only the three streams are open.
    let ran = desk.sfmint(&["exec", "--", "grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status"]);
    // glibc keeps 32 and 33 to itself.
    let masks: Vec<u64> = ran
        .out()
        .lines()
        .map(|line| u64::from_str_radix(line.split_once(":\t").unwrap().1, 16).unwrap() & !0x1_8000_0000)
        .collect();
    assert_eq!(masks, [0, 0], "{}", ran.out());
    // What a program started without us would have: nothing of ours is left open.
    let own = desk.run({
        let mut command = desk.program("ls");
        command.arg("/proc/self/fd");
        command
    });
    let ran = desk.sfmint(&["exec", "--", "ls", "/proc/self/fd"]);
    assert_eq!(ran.out(), own.out(), "{}", ran.err());
    let ran = sh(&desk, "cat /proc/$$/environ >/dev/null && echo readable");
    assert_eq!(ran.out(), "readable\n", "{}", ran.err());
}

/// `sfmint exec` as the first process of its own world.
fn as_first(desk: &Desk, script: &str) -> Command {
    let mut command = desk.program("unshare");
    command.args(["--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc", child::SFMINT]);
    command.args(["exec", "--", "sh", "-c", script]);
    command
}

#[test]
fn as_process_one_it_ends_as_the_program_ends_and_buries_orphans() {
    let desk = Desk::new();
    let ran = desk.run(as_first(&desk, "exit 42"));
    assert_eq!(ran.code(), 42, "{}", ran.err());
    let ran = desk.run(as_first(&desk, "kill -KILL $$"));
    assert_eq!(ran.code(), 137, "{}", ran.err());
    // The inner shell leaves an orphan behind, whose parent becomes process one; when it ends, nothing is left of it.
    let script = "sh -c 'sleep 0.2 & exit 0'; sleep 0.6; grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l; cat /proc/1/comm";
    let ran = desk.run(as_first(&desk, script));
    assert_eq!(ran.out(), "0\nsfmint\n", "{}", ran.err());
    let ran = desk.run({
        let mut command = as_first(&desk, "true");
        command.args(["extra"]);
        command
    });
    assert_eq!(ran.code(), 0);
}

#[test]
fn as_process_one_it_passes_signals_on() {
    let desk = Desk::new();
    let script = "trap 'echo got TERM; exit 7' TERM; trap 'echo got HUP' HUP; echo ready; while :; do sleep 0.05; done";
    let mut outer = desk.start(as_first(&desk, script));
    crate::processes::until("ready", || outer.out().contains("ready\n"));
    let path = format!("/proc/{0}/task/{0}/children", outer.child.id());
    let first: i32 = std::fs::read_to_string(path).unwrap().trim().parse().unwrap();
    let first = rustix::process::Pid::from_raw(first).unwrap();
    rustix::process::kill_process(first, rustix::process::Signal::HUP).unwrap();
    crate::processes::until("the first signal", || outer.out().contains("got HUP\n"));
    rustix::process::kill_process(first, rustix::process::Signal::TERM).unwrap();
    assert_eq!(outer.end().code(), Some(7));
    assert_eq!(outer.out(), "ready\ngot HUP\ngot TERM\n");
}

#[test]
fn a_program_that_is_refused_a_token_never_starts() {
    let desk = Desk::new();
    desk.administer("users", r#"{"username": "integration@acme.example", "frozen": true}"#);
    let ran = sh(&desk, "touch started");
    assert_eq!(ran.code(), 77, "{}", ran.err());
    assert!(!desk.path().join("started").exists());
}
