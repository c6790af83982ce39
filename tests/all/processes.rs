//! What only several processes, kills, small disks, few files and closed pipes can show.

use std::collections::HashSet;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::{Duration, Instant};

use sfmint::emulator::{Effect, Injection};

use crate::child::{self, Started};
use crate::places::Desk;

const TOKEN: &str = "/services/oauth2/token";

/// Waits for what another process does, at most twenty seconds.
pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "never happened: {what}");
        std::thread::sleep(Duration::from_millis(3));
    }
}

#[allow(clippy::disallowed_methods, reason = "real processes take real time")]
fn now() -> Instant {
    Instant::now()
}

/// The same command, after a shell has done something first.
fn after(desk: &Desk, before: &str, wrap: &[&str], arguments: &[&str]) -> Command {
    let (program, rest) = wrap.split_first().unwrap_or((&"sh", &[]));
    let mut command = desk.program(program);
    command.args(rest);
    if !wrap.is_empty() {
        command.arg("sh");
    }
    command.args(["-c", &format!("{before} && exec \"$@\""), "sh", child::SFMINT]).args(arguments);
    command
}

// faults B12
#[test]
fn fifty_cold_processes_are_one_mint() {
    let desk = Desk::new();
    desk.admin().inject(Injection::always(TOKEN, Effect::Delay { delay_ms: 300 }));
    let started: Vec<Started> = (0..50).map(|_| desk.start(desk.command(&["token"]))).collect();
    let mut tokens = HashSet::new();
    for mut one in started {
        assert!(one.end().success(), "{}", one.err());
        tokens.insert(one.out());
    }
    assert_eq!((desk.admin().counters().token_posts, tokens.len()), (1, 1));
}

// Issue 2: SIGKILL while writing. Also faults B1 for the cache, B11.
#[test]
fn processes_killed_at_any_moment_leave_a_cache_that_can_be_read_and_no_lock() {
    let desk = Desk::new();
    let mut longest = Duration::ZERO;
    let start = now();
    let ran = desk.sfmint(&["token", "--fresh"]);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    let whole = start.elapsed();
    for round in 0..30_u32 {
        let mut started = desk.start(desk.command(&["token", "--fresh"]));
        // From the first instruction to just after the end.
        std::thread::sleep(whole * round / 28);
        started.kill();
        let asked = now();
        let ran = desk.sfmint(&["token"]);
        longest = longest.max(asked.elapsed());
        assert_eq!(ran.code(), 0, "round {round}: {}", ran.err());
        assert_eq!(ran.err(), "", "round {round}");
    }
    assert!(longest < Duration::from_secs(20), "a lock outlived its holder: {longest:?}");
    let left: Vec<String> = std::fs::read_dir(desk.path().join("state/tokens"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".json") && !name.ends_with(".lock") && !name.ends_with(".mints"))
        .collect();
    assert!(left.len() <= 1 && left.iter().all(|name| name.ends_with(".json.new")), "{left:?}");
}

// faults B11: half a record, another version's, another's, a folder, a link to somewhere else.
#[test]
fn a_cache_file_that_is_not_ours_is_set_aside() {
    let desk = Desk::new();
    assert_eq!(desk.sfmint(&["token"]).code(), 0);
    let path = desk.cache_files().pop().unwrap();
    let good = std::fs::read_to_string(&path).unwrap();
    let elsewhere = desk.path().join("elsewhere");
    std::fs::write(&elsewhere, &good).unwrap();
    let damages: [(&str, &dyn Fn()); 8] = [
        ("half", &|| std::fs::write(&path, &good[..good.len() / 2]).unwrap()),
        ("empty", &|| std::fs::write(&path, "").unwrap()),
        ("a later version", &|| {
            std::fs::write(&path, good.replacen("\"version\":1", "\"version\":2", 1)).unwrap();
        }),
        ("of another connection", &|| {
            let key = path.file_stem().unwrap().to_string_lossy().into_owned();
            std::fs::write(&path, good.replace(&key, &"0".repeat(64))).unwrap();
        }),
        ("a token for somewhere else", &|| {
            std::fs::write(&path, good.replace(&desk.url(), "https://evil.example")).unwrap();
        }),
        ("huge", &|| std::fs::write(&path, vec![b' '; 1 << 20]).unwrap()),
        ("readable by others", &|| {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        }),
        ("a link", &|| {
            std::fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        }),
    ];
    for (number, (what, damage)) in damages.iter().enumerate() {
        damage();
        let ran = desk.sfmint(&["token"]);
        assert_eq!(ran.code(), 0, "{what}: {}", ran.err());
        assert_eq!(desk.admin().counters().token_posts, number as u64 + 2, "{what}: {}", ran.err());
        assert!(
            ran.err().contains("set aside") || ran.err().contains("the kept token"),
            "{what}: {}",
            ran.err()
        );
        assert_eq!(desk.sfmint(&["token"]).err(), "", "{what}: and then it is well again");
    }
    assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), good, "nothing was written through the link");
}

// faults B13
#[test]
fn sixty_four_files_are_enough_and_none_is_a_clean_error() {
    let desk = Desk::new();
    let ran = desk.run(after(&desk, "ulimit -n 64", &[], &["token"]));
    assert_eq!(ran.code(), 0, "{}", ran.err());
    let ran = desk.run(after(&desk, "ulimit -n 4", &[], &["token", "--fresh"]));
    assert!([74, 75, 78].contains(&ran.code()), "{} {}", ran.code(), ran.err());
    assert!(ran.err().contains("error:") && !ran.err().contains("panicked"), "{}", ran.err());
}

// faults B20
#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let desk = Desk::new();
    assert_eq!(desk.sfmint(&["token"]).code(), 0);
    let closed = |redirect: &str| {
        let out = desk.path().join("three");
        let script = format!(
            "exec 3>{}; {{ \"$0\" -v token --format json; echo code $? >&3; }} {redirect}",
            out.display()
        );
        let mut command = desk.program("sh");
        command.args(["-c", &script, child::SFMINT]);
        let ran = desk.run(command);
        (std::fs::read_to_string(&out).unwrap(), ran)
    };
    let (code, ran) = closed("| true");
    assert_eq!((code.trim(), ran.err().contains("error")), ("code 0", false), "{}", ran.err());
    let (code, ran) = closed("2>&-");
    assert_eq!((code.trim(), ran.out().contains("access_token")), ("code 0", true));
    let (code, ran) = closed("2>/dev/full");
    assert_eq!((code.trim(), ran.out().contains("access_token")), ("code 0", true));
    // Nobody has the token then: that is an error, and of the disk kind.
    let (code, ran) = closed(">/dev/full");
    assert_eq!(code.trim(), "code 74", "{}", ran.err());
    let (code, _) = closed(">&-");
    assert!(code.trim() == "code 74" || code.trim() == "code 0", "{code}");
}

// Issue 2: a full disk under the cache. faults B4.
#[test]
fn on_a_full_disk_the_token_is_handed_out_and_what_was_kept_stays() {
    let desk = Desk::new();
    let state = desk.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let at = state.display();
    let sfmint = child::SFMINT;
    let script = format!(
        "mount -t tmpfs -o size=256k,mode=700 tmpfs {at} && {sfmint} token > first && \
         (dd if=/dev/zero of={at}/ballast bs=1k count=1000 2>/dev/null || true) && \
         {sfmint} token --fresh > second && {sfmint} token > third && ls {at}/tokens >&2 && \
         rm {at}/ballast && {sfmint} token --fresh > fourth && {sfmint} token > fifth"
    );
    let mut command = desk.program("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", &script]);
    let ran = desk.run(command);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    let read = |name: &str| std::fs::read_to_string(desk.path().join(name)).unwrap();
    assert!(read("first") != read("second") && read("second") != read("fourth"));
    assert_eq!(read("third"), read("first"), "what was kept before is still there\n{}", ran.err());
    assert_eq!(read("fourth"), read("fifth"));
    assert!(ran.err().contains("kept in this process only"), "{}", ran.err());
    assert!(!ran.err().contains(".new"), "{}", ran.err());
}

// faults B10: where the state directory cannot be written, tokens live in memory, and that is said once.
#[test]
fn a_read_only_state_directory_is_no_reason_to_fail() {
    let desk = Desk::new();
    assert_eq!(desk.sfmint(&["token"]).code(), 0);
    let at = desk.path().join("state");
    let at = at.display();
    let read_only = format!("mount --bind {at} {at} && mount -o remount,ro,bind {at}");
    let wrap = ["unshare", "--map-root-user", "--mount"];
    let ran = desk.run(after(&desk, &read_only, &wrap, &["token"]));
    assert_eq!((ran.code(), desk.admin().counters().token_posts), (0, 2), "{}", ran.err());
    assert_eq!(ran.err().matches("in memory only").count(), 1, "{}", ran.err());
    assert_eq!(ran.err().lines().count(), 1, "{}", ran.err());
}

// faults D2
#[test]
fn a_token_folder_that_others_can_reach_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    assert_eq!(desk.sfmint(&["token"]).code(), 0);
    let folder = desk.path().join("state/tokens");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let ran = desk.sfmint(&["token"]);
    assert_eq!(ran.code(), 77, "{}", ran.err());
    assert!(ran.err().contains("chmod 700"), "{}", ran.err());
}

// faults C19, D1, D2: while a mint hangs, nobody but root reads its memory, and its argument list is what was typed.
#[test]
fn a_process_that_holds_a_key_cannot_be_dumped() {
    let desk = Desk::new();
    desk.admin().inject(Injection::always(TOKEN, Effect::Hang));
    let mut started = desk.start(desk.command(&["token"]));
    until("the request", || desk.admin().counters().token_posts == 1);
    let pid = started.child.id();
    // The kernel gives the files of an undumpable process to root, so this shows it only to another user's test.
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    assert!(status.contains("CoreDumping:\t0"), "{status}");
    let cmdline = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    assert_eq!(cmdline, [child::SFMINT.as_bytes(), b"token", b""].join(&0));
    // A core file is what would hold the key: none is written, with all limits lifted.
    let pid = rustix::process::Pid::from_child(&started.child);
    rustix::process::kill_process(pid, rustix::process::Signal::ABORT).unwrap();
    let status = started.end();
    assert_eq!(status.signal(), Some(6));
    assert!(!status.core_dumped());
}

// faults C19: what gcore and debuggers do, tried by the same user, who is not root.
#[test]
fn no_other_process_of_an_ordinary_user_reads_the_key_out_of_a_process_that_mints() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let desk = Desk::new();
    let is_root = rustix::process::geteuid().is_root();
    let mut program = desk.path().join("sfmint");
    if is_root {
        // Everything the other user needs must be reachable for it, and the key its own.
        for path in [desk.path().to_path_buf(), desk.path().join("current.key"), desk.path().join("tmp")] {
            let _ = std::fs::create_dir(&path);
            std::os::unix::fs::chown(&path, Some(65_534), Some(65_534)).unwrap();
        }
        std::fs::set_permissions(desk.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        // By another process: a file that this one has open for writing, or any child of another test has inherited, cannot
        // be executed ("text file busy").
        let mut copy = desk.program("cp");
        copy.arg(child::SFMINT).arg(&program);
        assert_eq!(desk.run(copy).code(), 0);
    } else {
        program = child::SFMINT.into();
    }
    let as_user = |program: &std::path::Path, arguments: &[&str]| {
        let mut command = desk.program(if is_root { "setpriv" } else { "env" });
        if is_root {
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        }
        command.arg(program).args(arguments);
        command
    };
    desk.admin().inject(Injection::always(TOKEN, Effect::Hang));
    let mint = desk.start(as_user(&program, &["token"]));
    until("the request", || desk.admin().counters().token_posts == 1);
    let other = desk.start(as_user("sleep".as_ref(), &["60"]));
    let comm = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    until("the other program", || comm(other.child.id()).trim() == "sleep");

    let owner = std::fs::metadata(format!("/proc/{}/environ", mint.child.id())).unwrap().uid();
    assert_eq!(owner, 0, "the environment can be read by the user's other programs");
    let reads = |file: &str, pid: u32| {
        let path = format!("/proc/{pid}/{file}");
        desk.run(as_user("head".as_ref(), &["-c", "1", &path])).err()
    };
    // An ordinary program is open to its user; one that holds a key is not.
    assert_eq!(reads("environ", other.child.id()), "");
    for file in ["environ", "mem", "maps", "auxv"] {
        let refused = reads(file, mint.child.id());
        assert!(refused.contains("Permission denied"), "{file}: {refused}");
    }
    let attach = |seconds: &str, pid: u32| {
        let arguments = [seconds, "strace", "-q", "-o", "/dev/null", "-p", &pid.to_string()];
        desk.run(as_user("timeout".as_ref(), &arguments)).err()
    };
    let refused = attach("20", mint.child.id());
    assert!(refused.contains("Operation not permitted"), "PTRACE_SEIZE: {refused}");
    let scope = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_else(|_| "0".into());
    if scope.trim() == "0" {
        assert!(!attach("1", other.child.id()).contains("not permitted"), "this test could not fail");
    }
}

// faults A19: a name server that answers for Salesforce with this machine or its link gets nothing, and waiting is no help.
#[test]
fn a_name_server_that_lies_is_refused_and_named() {
    let desk = Desk::new();
    desk.write("sfmint.toml", &desk.config("").replace(&desk.url(), "https://acme.my.salesforce.com"));
    for address in ["127.0.0.1", "169.254.169.254", "::1"] {
        desk.write("hosts", &format!("{address} acme.my.salesforce.com\n"));
        let lie = format!("mount --bind {}/hosts /etc/hosts", desk.path().display());
        let wrap = ["unshare", "--map-root-user", "--mount"];
        for (arguments, code) in [(&["--json", "token"] as &[&str], 78), (&["doctor"], 78)] {
            let ran = desk.run(after(&desk, &lie, &wrap, arguments));
            let told = ran.out() + &ran.err();
            assert_eq!(ran.code(), code, "{address}: {told}");
            assert!(told.contains("dns.foreign_address") && told.contains(address), "{address}: {told}");
            assert!(told.contains("/etc/hosts"), "what to look at: {told}");
            assert!(!told.contains("ok       dns"), "{told}");
        }
        let ran = desk.run(after(&desk, &lie, &wrap, &["-vv", "token"]));
        assert!(!ran.err().contains("trying again"), "{}", ran.err());
    }
    assert_eq!(desk.admin().counters().token_posts, 0);
}

// A job that is stopped while it waits for another process's mint, and the mint that waits for nobody.
#[test]
fn a_process_that_is_killed_while_it_mints_hands_the_turn_to_the_next() {
    let desk = Desk::new();
    desk.admin().inject(Injection::next(TOKEN, 1, Effect::Hang));
    let mut first = desk.start(desk.command(&["token"]));
    until("the first request", || desk.admin().counters().token_posts == 1);
    let mut second = desk.start(desk.command(&["token"]));
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(desk.admin().counters().token_posts, 1, "the second one waits");
    first.kill();
    assert!(second.end().success(), "{}", second.err());
    assert_eq!(desk.admin().counters().token_posts, 2);
}

// faults D1: the most talkative log there is.
#[test]
fn the_log_at_its_loudest_holds_no_secret() {
    let desk = Desk::new();
    desk.admin().inject(Injection::next(TOKEN, 1, Effect::Truncate { after_bytes: 100 }));
    for arguments in [
        &["-vvv", "token"] as &[&str],
        &["-vvv", "--log-format", "json", "token", "--fresh"],
        &["-vvv", "revoke"],
        &["-vvv", "--json", "token", "--fresh"],
    ] {
        let ran = desk.sfmint(arguments);
        assert_eq!(ran.code(), 0, "{}", ran.err());
        assert!(ran.err().lines().count() > 1, "{arguments:?} said nothing: {}", ran.err());
    }
    assert!(desk.tokens().len() >= 3);
}

// faults A18: the proxy of the environment is for others; loopback is asked directly, and the password is not shown.
#[test]
fn loopback_is_never_asked_through_a_proxy() {
    let mut desk = Desk::new();
    desk.secret("the proxy's password", "proxy-pass-9f8e7d");
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"] {
        desk.variables.insert(name.into(), "http://user:proxy-pass-9f8e7d@127.0.0.1:9".into());
    }
    let ran = desk.sfmint(&["-vv", "token"]);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    // For a host that is not here the proxy is asked, and refuses to answer.
    let elsewhere = desk.config("mint_attempts = 1").replace(&desk.url(), "https://acme.my.salesforce.com");
    desk.write("sfmint.toml", &elsewhere);
    let ran = desk.sfmint(&["-vv", "token"]);
    assert_eq!(ran.code(), 75, "{}", ran.err());
}

// faults C8: Salesforce is the judge of a lapsed certificate, and its refusal is explained.
#[test]
fn a_certificate_that_has_ended_is_tried_and_named() {
    use sfmint::emulator::OrgConfig;
    let key = std::fs::read_to_string(crate::org::fixture("pkcs8.pem")).unwrap();
    let key = rcgen::KeyPair::from_pem_and_sign_algo(&key, &rcgen::PKCS_RSA_SHA256).unwrap();
    let mut lapsed = rcgen::CertificateParams::new(vec![]).unwrap();
    lapsed.not_before = rcgen::date_time_ymd(2019, 1, 1);
    lapsed.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let lapsed = lapsed.self_signed(&key).unwrap().pem();
    for (checked, code) in [(false, 0), (true, 77)] {
        let mut config = OrgConfig::default();
        config.rules.facts.certificate_validity_checked = checked;
        config.apps.iter_mut().for_each(|app| app.certificate = Some(lapsed.clone()));
        let desk = Desk::with(config);
        desk.write("sfmint.toml", &desk.config("certificate = \"current.crt\""));
        desk.write("current.crt", &lapsed);
        let ran = desk.sfmint(&["token"]);
        assert_eq!((ran.code(), desk.admin().counters().token_posts), (code, 1), "{}", ran.err());
        assert_eq!(ran.err().contains("2021-01-01T00:00:00Z, and not now"), checked, "{}", ran.err());
    }
}

// faults A17
#[test]
fn a_machine_without_authorities_is_told_what_to_mount() {
    let mut desk = Desk::new();
    desk.write("sfmint.toml", &desk.config("").replace(&desk.url(), "https://acme.my.salesforce.com"));
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        desk.variables.insert(name.into(), desk.path().join("nothing").into());
    }
    let ran = desk.sfmint(&["--json", "token"]);
    assert_eq!(ran.code(), 78, "{}", ran.err());
    assert!(ran.err().contains("tls.no_roots") && ran.err().contains("/etc/ssl/certs"), "{}", ran.err());
}
