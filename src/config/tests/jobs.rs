use std::time::Duration;

use super::*;
use crate::base::job::{
    CatchUp, Deletes, DestinationPlace, Job, Mode, Nul, Schedule, SchemaPolicy, Source, Transport,
};
use crate::config::jobs::JOB;

const ACCOUNTS: &str = "[jobs.accounts]\nobject = \"Account\"\ndestination = { sqlite = \"acme.db\" }\n";

/// A connection and a job with a line more; the job's own first line is the seventh.
fn accounts_and(line: &str) -> String {
    format!("{PROD}\n{ACCOUNTS}{line}\n")
}

fn job(config: &str) -> Job {
    House::new(config).load().unwrap().jobs().remove(0)
}

#[test]
fn a_job_has_what_its_table_says_and_usual_values_elsewhere() {
    let house = House::new(&accounts_and(""));
    let settings = house.load().unwrap();
    let job = settings.job("accounts").unwrap();
    assert_eq!((job.name.as_str(), job.connection.as_str()), ("accounts", "prod"), "the only connection");
    assert_eq!(job.source, Source::object("Account".parse().unwrap()));
    assert_eq!(
        job.destination,
        DestinationPlace::Sqlite(house.path("acme.db")),
        "relative to the config file"
    );
    let usual =
        Job::new(job.name.clone(), job.connection.clone(), job.source.clone(), job.destination.clone());
    assert_eq!(format!("{job:?}"), format!("{usual:?}"));
}

#[test]
fn every_key_of_a_job_is_taken_and_shown_with_its_line() {
    let said = r#"[connections.prod]
login_url = "https://acme.my.salesforce.com"
client_id = "3MVG9abc"
username = "integration@acme.example"
key = { file = "certs/prod.key" }

[jobs.accounts]
connection = "prod"
object = "Account"
fields = ["Name", "Owner.Name"]
exclude = ["Fax"]
where = "Type = 'it''s' OR Name = 'WHERE'"
mode = "full"
schedule = "15 2 * * MON-FRI"
timezone = "Europe/Zurich"
jitter_seconds = 0
catch_up = "skip"
destination = { sqlite = "data/acme.db" }
overlap_seconds = 60
settle_seconds = 5
deletes = "remove"
reconcile = "monthly"
verify = "weekly"
full_refresh = "0 4 1 * *"
max_delete_percent = 100
on_schema_change = "fail"
transport = "bulk"
api_budget_percent = 50
nul = "keep"

[jobs.contacts]
soql = "SELECT Id, SystemModstamp FROM Contact"
destination = { csv = "out" }
"#;
    let said = said.replace("'it''s'", "'it\\\\'s'");
    let house = House::new(&said);
    let settings = house.load().unwrap_or_else(|error| panic!("{error}"));
    let shown = settings.show();
    for key in JOB {
        let line =
            1 + said.lines().position(|line| line.starts_with(&format!("{} =", key.name))).expect(key.name);
        let column = said.lines().nth(line - 1).unwrap().find("= ").unwrap() + 3;
        let origin = format!("{}:{line}:{column}", house.path("sfmint.toml").display());
        let is_shown = |section: &str| {
            shown
                .iter()
                .any(|one| one.section == section && one.key == key.name && one.origin.to_string() == origin)
        };
        assert!(is_shown("jobs.accounts") || is_shown("jobs.contacts"), "{} {origin}\n{shown:#?}", key.name);
    }
    let job = settings.job("accounts").unwrap();
    let names = |list: &[&str]| list.iter().map(|name| name.parse().unwrap()).collect::<Vec<_>>();
    assert_eq!(
        job.source,
        Source::Object {
            object: "Account".parse().unwrap(),
            fields: Some(names(&["Name", "Owner.Name"])),
            exclude: names(&["Fax"]),
            filter: Some("Type = 'it\\'s' OR Name = 'WHERE'".into()),
        }
    );
    let mut schedule = Schedule::parse("15 2 * * MON-FRI", "Europe/Zurich").unwrap();
    (schedule.jitter, schedule.catch_up) = (Duration::ZERO, CatchUp::Skip);
    assert_eq!(job.schedule.as_ref(), Some(&schedule));
    let in_zurich = |text: &str| Some(Schedule::parse(text, "Europe/Zurich").unwrap());
    assert_eq!(job.reconcile, in_zurich("monthly"));
    assert_eq!(job.verify, in_zurich("weekly"));
    assert_eq!(job.full_refresh, in_zurich("0 4 1 * *"));
    assert_eq!((job.overlap.as_secs(), job.settle.as_secs()), (60, 5));
    assert_eq!((job.mode, job.deletes, job.nul), (Mode::Full, Deletes::Remove, Nul::Keep));
    assert_eq!((job.on_schema_change, job.transport), (SchemaPolicy::Fail, Transport::Bulk));
    assert_eq!((job.max_delete_percent, job.api_budget_percent), (100, 50));
    let contacts = settings.job("contacts").unwrap();
    assert_eq!(contacts.source.object_name().as_str(), "Contact", "the object behind FROM");
    assert_eq!(contacts.destination, DestinationPlace::Csv(house.path("out")));
    let printed =
        |key: &str| shown.iter().find(|one| one.key == key && one.section.starts_with("jobs")).unwrap();
    assert_eq!(printed("deletes").value, "remove");
    assert_eq!(printed("destination").value, format!("sqlite {}", house.path("data/acme.db").display()));
}

#[test]
fn the_defaults_in_the_table_of_job_keys_are_the_ones_in_force() {
    let job = job(&accounts_and(""));
    let said = |name: &str| JOB.iter().find(|key| key.name == name).unwrap().default.replace('"', "");
    let mut scheduled = Schedule::parse("daily", &said("timezone")).unwrap();
    assert_eq!(said("jitter_seconds"), scheduled.jitter.as_secs().to_string());
    scheduled.catch_up = CatchUp::Skip;
    assert_eq!((said("catch_up").as_str(), CatchUp::default()), ("once", CatchUp::Once));
    assert_eq!(said("overlap_seconds"), job.overlap.as_secs().to_string());
    assert_eq!(said("settle_seconds"), job.settle.as_secs().to_string());
    assert_eq!(said("reconcile"), job.reconcile.unwrap().to_string());
    assert_eq!((said("schedule"), job.schedule), ("none".into(), None));
    assert_eq!((said("verify"), job.verify), ("none".into(), None));
    assert_eq!((said("full_refresh"), job.full_refresh), ("none".into(), None));
    assert_eq!(said("max_delete_percent"), job.max_delete_percent.to_string());
    assert_eq!(said("api_budget_percent"), job.api_budget_percent.to_string());
    assert_eq!((said("mode").as_str(), job.mode), ("incremental", Mode::Incremental));
    assert_eq!((said("deletes").as_str(), job.deletes), ("mark", Deletes::Mark));
    assert_eq!((said("nul").as_str(), job.nul), ("replace", Nul::Replace));
    assert_eq!((said("transport").as_str(), job.transport), ("auto", Transport::Auto));
    assert_eq!((said("on_schema_change").as_str(), job.on_schema_change), ("evolve", SchemaPolicy::Evolve));
}

#[test]
fn a_build_without_syncs_passes_over_just_these_keys() {
    let ours: Vec<&str> = JOB.iter().map(|key| key.name).collect();
    assert_eq!(crate::config::later::FOR_JOBS, ours);
}

#[test]
fn the_words_in_the_table_are_the_words_that_are_taken() {
    for key in JOB {
        let crate::config::kind::Kind::OneOf(words) = key.kind else { continue };
        for word in words {
            let line = format!("{} = \"{word}\"", key.name);
            let settings =
                House::new(&accounts_and(&line)).load().unwrap_or_else(|error| panic!("{line}: {error}"));
            let shown = settings.show();
            assert!(shown.iter().any(|one| one.key == key.name && one.value == *word), "{line}");
        }
    }
}

#[test]
fn defaults_hold_for_every_job_that_does_not_say_otherwise() {
    let config = format!(
        "[defaults]\nconnection = \"prod\"\ndestination = {{ sqlite = \"all.db\" }}\nschedule = \"hourly\"\ntimezone = \"America/New_York\"\ndeletes = \"ignore\"\nexclude = [\"Fax\"]\n\
         {PROD}{}\n[jobs.accounts]\nobject = \"Account\"\n[jobs.cases]\nobject = \"Case\"\nschedule = \"never\"\ndeletes = \"mark\"\n\
         [jobs.query]\nsoql = \"SELECT Id, CreatedDate FROM Lead\"\nconnection = \"staging\"\nreconcile = \"never\"\n",
        PROD.replace("prod", "staging")
    );
    let house = House::new(&config);
    let settings = house.load().unwrap_or_else(|error| panic!("{error}"));
    let job = |name: &str| settings.job(name).unwrap();
    assert_eq!(job("accounts").schedule, Some(Schedule::parse("hourly", "America/New_York").unwrap()));
    assert_eq!(job("accounts").reconcile, Some(Schedule::parse("weekly", "America/New_York").unwrap()));
    assert_eq!((job("accounts").deletes, job("cases").deletes), (Deletes::Ignore, Deletes::Mark));
    assert_eq!(job("cases").schedule, None);
    assert_eq!((job("query").connection.as_str(), job("query").reconcile.clone()), ("staging", None));
    assert!(matches!(&job("query").source, Source::Soql(_)), "`exclude` of the defaults is not meant");
    assert_eq!(job("cases").destination, DestinationPlace::Sqlite(house.path("all.db")));
    assert_eq!(settings.jobs().len(), 3);
}

#[test]
fn jobs_d_holds_jobs_and_nothing_else() {
    let house = House::new(PROD);
    house.write("jobs.d/a.toml", ACCOUNTS);
    house.write("jobs.d/ignored.txt", "not read");
    let settings = house.load().unwrap();
    assert_eq!(
        settings.job("accounts").unwrap().destination,
        DestinationPlace::Sqlite(house.path("jobs.d/acme.db")),
        "relative to the file that says it"
    );
    house.write("jobs.d/b.toml", ACCOUNTS);
    house.write("jobs.d/c.toml", "[defaults]\nmode = \"full\"\n[connections.x]\n");
    house.write("jobs.d/d.toml", "[jobs.broken]\nobject = \"Account\"\ndestinatoin = 1\n");
    house.write("connections.d/e.toml", ACCOUNTS);
    assert_eq!(
        mistakes_in(&house),
        [
            "connections.d/e.toml:1:2: `[jobs]` belongs in sfmint.toml or jobs.d; files in connections.d hold connections",
            "jobs.d/b.toml:1:7: job `accounts` stands at jobs.d/a.toml:1:7 already",
            "jobs.d/c.toml:1:2: `[defaults]` belongs in sfmint.toml; files in jobs.d hold jobs",
            "jobs.d/c.toml:3:2: `[connections]` belongs in sfmint.toml or connections.d; files in jobs.d hold jobs",
            "jobs.d/d.toml:3:1: unknown key `destinatoin`; did you mean `destination`?",
            "jobs.d/d.toml:1:7: job `broken` lacks `destination`",
        ]
    );
}

#[test]
fn each_mistake_in_a_job_says_where_what_and_what_is_accepted() {
    for (line, expected) in [
        ("schedul = \"daily\"", "10:1: unknown key `schedul`; did you mean `schedule`?"),
        ("direction = \"load\"", "10:1: `direction` is not supported by this version of sfmint (0.1.0)"),
        (
            "schedule = \"@reboot\"",
            "10:12: `schedule` is `@reboot`; accepted is five cron fields such as \"15 2 * * *\", or \"hourly\", \"daily\", \"weekly\", \"monthly\", \"yearly\" or \"never\"",
        ),
        (
            "verify = \"0 0 31 2 *\"",
            "10:10: `verify` is refused: `0 0 31 2 *` never comes, as the 30th of February does not",
        ),
        (
            "timezone = \"Zurich\"",
            "10:12: `timezone` is refused: `Zurich` is no time zone; accepted are names such as \"UTC\" and \"Europe/Zurich\"",
        ),
        (
            "mode = \"ful\"",
            "10:8: `mode` is `ful`; accepted is \"incremental\" or \"full\"; did you mean `full`?",
        ),
        (
            "deletes = true",
            "10:11: `deletes` is true or false; accepted is \"mark\" or \"remove\" or \"ignore\"",
        ),
        (
            "max_delete_percent = 101",
            "10:22: `max_delete_percent` is 101; accepted is a whole number from 0 to 100",
        ),
        (
            "api_budget_percent = 0",
            "10:22: `api_budget_percent` is 0; accepted is a whole number from 1 to 100",
        ),
        ("fields = [\"Name\", \"name\"]", "10:10: `fields` names `name` twice"),
        (
            "fields = []",
            "10:10: `fields` is an empty list; accepted is a list of field names such as [\"Name\", \"Owner.Name\"]",
        ),
        (
            "exclude = [\"Na me\"]",
            "10:11: `exclude` is refused: field name `Na me` may hold letters, digits and `_` only",
        ),
        ("where = \"WHERE Name = 'x'\"", "10:9: `where` begins with WHERE; leave that word out"),
        (
            "where = \"Name = 'x' LIMIT 5\"",
            "10:9: `where` is more than a condition; ORDER BY, LIMIT and the like belong into a job by `soql`",
        ),
        ("where = \"Name = 'x\"", "10:9: `where` has a quote that is not closed"),
        ("where = \"\"", "10:9: `where` is empty"),
        (
            "soql = \"SELECT Id, SystemModstamp FROM Account\"",
            "7:7: job `accounts` has `soql` and `object`; a query says by itself what it reads",
        ),
        (
            "connection = \"prood\"",
            "10:14: job `accounts` names connection `prood`, and there is none of that name; did you mean `prod`?",
        ),
        (
            "[jobs.again]\nobject = \"account\"\ndestination = { sqlite = \"x/../acme.db\" }",
            "10:7: job `again` would write `account` into [HOUSE]/x/../acme.db, as job `accounts` at sfmint.toml:7:7 does; give it a `destination` of its own",
        ),
        ("[jobs.'a b']", "10:7: job name `a b` may hold letters, digits, `_` and `-` only"),
        ("[jobs]\nmode = \"full\"", "11:1: `mode` stands in `[jobs]`; it belongs below `[jobs.NAME]`"),
        ("[cases]\nobject = \"Case\"", "10:2: unknown table `[cases]`; did you mean `[jobs.cases]`?"),
        ("[job.cases]\nobject = \"Case\"", "10:2: unknown key `job`; did you mean `jobs`?"),
        (
            "[[jobs.accounts.list]]",
            "10:17: unknown key `list` in `[jobs.accounts]`, which takes connection, object, soql, fields, exclude, where, mode, schedule, timezone, jitter_seconds, catch_up, destination, overlap_seconds, settle_seconds, deletes, reconcile, verify, full_refresh, max_delete_percent, on_schema_change, transport, api_budget_percent, nul",
        ),
    ] {
        let house = House::new(&accounts_and(line));
        let place = house.path("").display().to_string();
        let expected = expected.replace("[HOUSE]/", "");
        let found: Vec<String> = mistakes_in(&house).iter().map(|one| one.replace(&place, "")).collect();
        assert_eq!(found, [format!("sfmint.toml:{expected}")], "{line}");
    }
}

#[test]
fn a_destination_is_one_place_that_this_version_has() {
    let of = |destination: &str| {
        mistakes(&format!("{PROD}\n[jobs.a]\nobject = \"Account\"\ndestination = {destination}\n"))
    };
    for (destination, expected) in [
        (
            "{ postgres = { env = \"X\" }, schema = \"s\" }",
            "9:17: `postgres` is not supported by this version of sfmint (0.1.0)",
        ),
        ("{ parquet = \"out\" }", "9:17: `parquet` is not supported by this version of sfmint (0.1.0)"),
        (
            "{ csv = \"s3://bucket/x\" }",
            "9:23: `csv` is an address; only paths on this machine are supported by this version of sfmint",
        ),
        ("{ stdout = \"csv\" }", "9:26: `stdout` is `csv`; accepted is \"jsonl\""),
        (
            "{ sqlite = \"a\", csv = \"b\" }",
            "9:15: `destination` names more than one place; each job has one",
        ),
        ("{ sqlit = \"a\" }", "9:17: unknown key `sqlit`; did you mean `sqlite`?"),
        ("{ sqlite = \"\" }", "9:26: `sqlite` is an empty path"),
        (
            "{ jsonl = \"~/x\" }",
            "9:25: `jsonl` starts with `~`, which is a shell's word; write the whole path",
        ),
        (
            "{}",
            "9:15: `destination` names no place; accepted is { sqlite = \"path\" }, { csv = \"folder\" }, { jsonl = \"folder\" } or { stdout = \"jsonl\" }",
        ),
        (
            "\"acme.db\"",
            "9:15: `destination` is text; accepted is { sqlite = \"path\" }, { csv = \"folder\" }, { jsonl = \"folder\" } or { stdout = \"jsonl\" }",
        ),
    ] {
        assert_eq!(of(destination)[0], format!("sfmint.toml:{expected}"), "{destination}");
    }
}

#[test]
fn nothing_is_taken_back_from_files_and_pipes() {
    let with = |destination: &str, line: &str| {
        format!("{PROD}\n[jobs.a]\nobject = \"Account\"\ndestination = {{ {destination} }}\n{line}\n")
    };
    assert_eq!(
        mistakes(&with("csv = \"out\"", "deletes = \"remove\"")),
        [
            "sfmint.toml:10:11: job `a` has `deletes = \"remove\"`, and files are only ever added to; accepted is \"mark\" or \"ignore\""
        ]
    );
    assert_eq!(
        mistakes(&with("stdout = \"jsonl\"", "deletes = \"remove\"\nverify = \"weekly\"")),
        [
            "sfmint.toml:10:11: job `a` has `deletes = \"remove\"`, and what went to stdout is gone; accepted is \"mark\" or \"ignore\"",
            "sfmint.toml:11:10: job `a` has `verify`, and what went to stdout is gone; leave it out",
        ]
    );
    assert_eq!(job(&with("stdout = \"jsonl\"", "")).reconcile, None);
    assert_eq!(job(&with("stdout = \"jsonl\"", "verify = \"never\"")).destination, DestinationPlace::Stdout);
    assert!(job(&with("jsonl = \"out\"", "")).reconcile.is_some());
}

#[test]
fn a_query_is_followed_only_where_it_can_be() {
    let with = |soql: &str, line: &str| {
        format!("{PROD}\n[jobs.a]\nsoql = \"{soql}\"\ndestination = {{ sqlite = \"a.db\" }}\n{line}\n")
    };
    for (soql, why) in [
        ("SELECT Name, SystemModstamp FROM Account", "it does not select `Id`"),
        (
            "SELECT Id, Name FROM Account",
            "it selects none of `SystemModstamp`, `LastModifiedDate`, `CreatedDate`, `LoginTime`",
        ),
        ("SELECT Type, COUNT(Id) n FROM Account GROUP BY Type", "GROUP BY makes rows that have no Id"),
        ("SELECT Id, SystemModstamp FROM Account LIMIT 10", "LIMIT leaves rows out"),
    ] {
        assert_eq!(
            mistakes(&with(soql, "")),
            [format!(
                "sfmint.toml:8:8: job `a` cannot follow changes with its `soql`: {why}; select what is missing, or set `mode = \"full\"`"
            )]
        );
        assert_eq!(job(&with(soql, "mode = \"full\"")).mode, Mode::Full, "{soql}");
    }
    for soql in [
        "SELECT Id, LoginTime FROM LoginHistory",
        "select id, systemmodstamp from Account where Name LIKE 'LIMIT%'",
    ] {
        assert_eq!(job(&with(soql, "")).mode, Mode::Incremental, "{soql}");
    }
    assert_eq!(
        mistakes(&with("DELETE FROM Account", "")),
        ["sfmint.toml:8:8: `soql` is no query; accepted is `SELECT ... FROM ...`"]
    );
}

#[test]
fn a_job_without_a_connection_means_the_only_one_or_the_default() {
    let two = format!("{PROD}{}", PROD.replace("prod", "staging"));
    assert_eq!(
        mistakes(&format!("{two}{ACCOUNTS}")),
        ["sfmint.toml:11:7: job `accounts` lacks `connection`; there are prod, staging"]
    );
    assert_eq!(
        mistakes(ACCOUNTS),
        ["sfmint.toml:1:7: job `accounts` lacks `connection`, and there is none that it could mean"]
    );
    let default = format!("{two}{}{ACCOUNTS}", PROD.replace("prod", "default"));
    assert_eq!(job(&default).connection.as_str(), "default");
    assert_eq!(
        mistakes(&format!("{PROD}[jobs.a]\n")),
        ["`object` or `soql`", "`destination`"].map(|what| format!("sfmint.toml:6:7: job `a` lacks {what}"))
    );
}

#[test]
fn two_jobs_share_a_file_and_neither_a_table_nor_a_folder() {
    let config = |object: &str, destination: &str| {
        format!("{PROD}{ACCOUNTS}[jobs.other]\nobject = \"{object}\"\ndestination = {{ {destination} }}\n")
    };
    assert!(House::new(&config("Contact", "sqlite = \"acme.db\"")).load().is_ok());
    assert!(House::new(&config("Account", "sqlite = \"other.db\"")).load().is_ok());
    assert!(House::new(&config("Account", "stdout = \"jsonl\"")).load().is_ok());
    assert_eq!(mistakes(&config("Contact", "csv = \"./acme.db\"")).len(), 1, "a file is no folder");
    let folders = |one: &str, other: &str| {
        format!(
            "{PROD}[jobs.one]\nobject = \"Account\"\ndestination = {{ {one} }}\n[jobs.other]\nobject = \"Contact\"\ndestination = {{ {other} }}\n"
        )
    };
    assert!(House::new(&folders("csv = \"out/a\"", "csv = \"out/b\"")).load().is_ok());
    for (one, other) in [("csv = \"out\"", "csv = \"out/\""), ("jsonl = \"out\"", "csv = \"out\"")] {
        assert_eq!(mistakes(&folders(one, other)).len(), 1, "a folder is one job's: {one}, {other}");
    }
}

#[test]
fn no_job_writes_into_the_store() {
    let into = |path: &str| format!("{PROD}{}", ACCOUNTS.replace("acme.db", path));
    assert_eq!(
        mistakes(&into("x/../state/state.db")),
        ["sfmint.toml:8:15: job `accounts` would write into sfmint's own store; give it a file of its own"]
    );
    assert!(House::new(&into("state/acme.db")).load().is_ok());
}

#[test]
fn a_job_is_found_by_its_name() {
    let settings = House::new(&accounts_and("")).load().unwrap();
    let error = settings.job("acounts").unwrap_err();
    assert_eq!(error.to_string(), "no job is called `acounts`; did you mean `accounts`?");
    assert_eq!((error.code(), error.fault()), ("config.unknown_job", Fault::Misuse));
    let error = House::new(PROD).load().unwrap().job("accounts").unwrap_err();
    assert_eq!((error.to_string().as_str(), error.code()), ("no job is configured", "config.no_job"));
}

#[test]
fn a_file_that_merely_lay_here_writes_below_itself_only() {
    let house = House::empty();
    let elsewhere = ACCOUNTS.replace("accounts", "elsewhere").replace("acme.db", "../acme.db");
    house.write("config/sfmint.toml", &format!("{PROD}{ACCOUNTS}{elsewhere}"));
    house.write("other/x", "");
    #[cfg(unix)]
    std::os::unix::fs::symlink(house.path("other"), house.path("config/link")).unwrap();
    let linked = ACCOUNTS.replace("accounts", "linked").replace("acme.db", "link/new/acme.db");
    house.write("config/jobs.d/linked.toml", &linked.replace("link/", "../link/"));
    let settings = house.search().unwrap_or_else(|error| panic!("{error}"));
    assert!(settings.job("accounts").is_ok());
    for name in ["elsewhere", "linked"] {
        assert_eq!(settings.job(name).unwrap_err().code(), "config.setting_refused", "{name}");
    }
    assert_eq!(settings.check().iter().filter(|one| one.code == "config.setting_refused").count(), 2);
    let named = house.path("config/sfmint.toml").display().to_string();
    let settings = house.with("SFMINT_CONFIG", &named).search().unwrap();
    assert!(settings.job("elsewhere").is_ok());
}

#[test]
fn the_example_of_jobs_has_no_mistake() {
    let house = House::new(include_str!("../../../config/sfmint.example.toml"));
    house.write("jobs.d/salesforce.toml", include_str!("../../../config/jobs.d/salesforce.example.toml"));
    let settings = house.load().unwrap_or_else(|error| panic!("{error}"));
    assert!(settings.jobs().len() >= 4);
    for job in settings.jobs() {
        settings.connection(job.connection.as_str()).unwrap();
    }
}
