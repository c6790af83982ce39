use std::time::Duration;

use proptest::prelude::*;

use super::{CatchUp, Due, LATEST_WITHOUT_CATCH_UP, MOST_MISSED, Schedule, ScheduleMistake};
use crate::base::{JobName, UnixSeconds};

fn at(text: &str) -> UnixSeconds {
    text.parse().unwrap()
}

/// The next `count` moments after `from`.
fn moments(schedule: &Schedule, from: &str, count: usize) -> Vec<String> {
    let next = |after: &UnixSeconds| schedule.next_after(*after);
    std::iter::successors(next(&at(from)), next).take(count).map(|moment| moment.to_string()).collect()
}

fn every(text: &str, zone: &str) -> Schedule {
    let mut schedule = Schedule::parse(text, zone).unwrap();
    schedule.jitter = Duration::ZERO;
    schedule
}

fn accounts() -> JobName {
    "accounts".parse().unwrap()
}

// faults B18
#[test]
fn a_skipped_hour_runs_once_after_and_a_repeated_one_once() {
    for (zone, text, from, expected) in [
        // Zurich, 29 March 2026: 02:00 becomes 03:00 (01:00 UTC).
        (
            "Europe/Zurich",
            "30 2 * * *",
            "2026-03-28T00:00:00Z",
            ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
        ),
        (
            "Europe/Zurich",
            "0 2,3 * * *",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z", "2026-03-30T01:00:00Z"],
        ),
        (
            "Europe/Zurich",
            "*/20 2 * * *",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z", "2026-03-30T00:20:00Z"],
        ),
        // 25 October 2026: 03:00 becomes 02:00 (01:00 UTC), so 02:30 is at 00:30 and at 01:30 UTC.
        (
            "Europe/Zurich",
            "30 2 * * *",
            "2026-10-24T12:00:00Z",
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z"],
        ),
        (
            "Europe/Zurich",
            "30 2,14 * * *",
            "2026-10-24T13:00:00Z",
            ["2026-10-25T00:30:00Z", "2026-10-25T13:30:00Z", "2026-10-26T01:30:00Z"],
        ),
        // Asked in the second of the two hours, it has run already.
        (
            "Europe/Zurich",
            "15,45 2 * * *",
            "2026-10-25T00:50:00Z",
            ["2026-10-26T01:15:00Z", "2026-10-26T01:45:00Z", "2026-10-27T01:15:00Z"],
        ),
        // Who names no hour goes by the hours that pass.
        (
            "Europe/Zurich",
            "0 * * * *",
            "2026-03-29T00:30:00Z",
            ["2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z", "2026-03-29T03:00:00Z"],
        ),
        (
            "Europe/Zurich",
            "30 * * * *",
            "2026-10-24T23:45:00Z",
            ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"],
        ),
        // New York, 8 March 2026 07:00 UTC and 1 November 2026 06:00 UTC.
        (
            "America/New_York",
            "15 2 * * *",
            "2026-03-07T12:00:00Z",
            ["2026-03-08T07:00:00Z", "2026-03-09T06:15:00Z", "2026-03-10T06:15:00Z"],
        ),
        (
            "America/New_York",
            "15 1 * * *",
            "2026-10-31T12:00:00Z",
            ["2026-11-01T05:15:00Z", "2026-11-02T06:15:00Z", "2026-11-03T06:15:00Z"],
        ),
        // Lord Howe goes by half hours: 4 October 2026 02:00 becomes 02:30, 5 April 2026 02:00 becomes 01:30.
        (
            "Australia/Lord_Howe",
            "15 2 * * *",
            "2026-10-02T20:00:00Z",
            ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z", "2026-10-05T15:15:00Z"],
        ),
        (
            "Australia/Lord_Howe",
            "45 1 * * *",
            "2026-04-03T20:00:00Z",
            ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z", "2026-04-06T15:15:00Z"],
        ),
        // A whole day that Samoa skipped, 30 December 2011.
        (
            "Pacific/Apia",
            "0 12 * * *",
            "2011-12-29T00:00:00Z",
            ["2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"],
        ),
    ] {
        assert_eq!(moments(&every(text, zone), from, 3), expected, "{text} in {zone}");
    }
}

#[test]
fn years_end_and_leap_days_come() {
    for (text, from, expected) in [
        ("0 0 1 1 *", "2026-06-01T00:00:00Z", ["2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"]),
        ("59 23 31 12 *", "2026-12-31T23:59:00Z", ["2027-12-31T23:59:00Z", "2028-12-31T23:59:00Z"]),
        ("0 0 29 2 *", "2026-01-01T00:00:00Z", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]),
        ("0 0 29 2 *", "2096-03-01T00:00:00Z", ["2104-02-29T00:00:00Z", "2108-02-29T00:00:00Z"]),
        ("0 0 31 * *", "2026-08-31T00:00:00Z", ["2026-10-31T00:00:00Z", "2026-12-31T00:00:00Z"]),
        ("weekly", "2026-11-22T21:00:00Z", ["2026-11-29T00:00:00Z", "2026-12-06T00:00:00Z"]),
        ("@monthly", "2026-11-22T21:00:00Z", ["2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"]),
        // Day of month or day of week, where both are said: as every cron has it.
        ("0 0 13 * FRI", "2026-11-12T12:00:00Z", ["2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z"]),
    ] {
        assert_eq!(moments(&every(text, "UTC"), from, 2), expected, "{text}");
    }
}

#[test]
fn what_is_no_schedule_is_refused() {
    for text in
        ["", "daily-ish", "* * * *", "* * * * * *", "60 * * * *", "0 24 * * *", "x * * * *", "@reboot"]
    {
        assert_eq!(
            Schedule::parse(text, "UTC").unwrap_err(),
            ScheduleMistake::Expression(text.into()),
            "{text}"
        );
    }
    assert_eq!(
        Schedule::parse("0 0 30 2 *", "UTC").unwrap_err().to_string(),
        "`0 0 30 2 *` never comes, as the 30th of February does not"
    );
    for zone in ["Europe/Zurch", "", "CEST+2", "+02:00"] {
        assert_eq!(Schedule::parse("daily", zone).unwrap_err(), ScheduleMistake::Zone(zone.into()));
    }
    assert_eq!(Schedule::parse("daily", "Europe/Zurich").unwrap().zone(), "Europe/Zurich");
}

#[test]
fn a_job_is_due_when_a_moment_has_passed_since_it_last_began() {
    let nightly = every("15 2 * * *", "UTC");
    let due = |last: Option<&str>, now: &str| nightly.due(&accounts(), last.map(at), at(now));
    let for_ = |moment: &str, missed| Some(Due { scheduled_for: at(moment), missed });
    assert_eq!(due(None, "2026-11-22T21:00:00Z"), for_("2026-11-22T21:00:00Z", 0), "never ran");
    assert_eq!(due(Some("2026-11-22T02:15:00Z"), "2026-11-23T02:14:59Z"), None);
    assert_eq!(due(Some("2026-11-22T02:15:00Z"), "2026-11-23T02:15:00Z"), for_("2026-11-23T02:15:00Z", 0));
    assert_eq!(due(Some("2026-11-23T02:15:01Z"), "2026-11-23T02:15:02Z"), None, "it runs or ran");
    assert_eq!(due(Some("2026-11-23T08:00:00Z"), "2026-11-24T02:00:00Z"), None, "by hand, after its time");
    assert_eq!(due(Some("2026-12-23T08:00:00Z"), "2026-11-24T02:00:00Z"), None, "a clock that was ahead");
}

// faults B17
#[test]
fn three_days_off_are_made_up_for_by_one_run() {
    let hourly = every("hourly", "UTC");
    let (last, now) = (Some(at("2026-11-19T21:00:03Z")), at("2026-11-22T21:20:00Z"));
    let due = hourly.due(&accounts(), last, now).unwrap();
    assert_eq!((due.scheduled_for.to_string().as_str(), due.missed), ("2026-11-22T21:00:00Z", 71));
    assert_eq!(hourly.due(&accounts(), Some(now), now.moved(60)), None, "one, not 72");
    let minutely = every("* * * * *", "UTC");
    let due = minutely.due(&accounts(), Some(at("2020-01-01T00:00:00Z")), now).unwrap();
    assert_eq!(due, Due { scheduled_for: now, missed: MOST_MISSED }, "and not counted for ever");
    let leap = every("0 0 29 2 *", "UTC");
    let due = leap.due(&accounts(), Some(at("2019-01-01T00:00:00Z")), now).unwrap();
    assert_eq!(due, Due { scheduled_for: at("2024-02-29T00:00:00Z"), missed: 1 });
}

// faults B17
#[test]
fn without_catch_up_only_what_is_hardly_late_runs() {
    let mut nightly = every("15 2 * * *", "UTC");
    nightly.catch_up = CatchUp::Skip;
    let last = Some(at("2026-11-19T02:15:00Z"));
    let moment = at("2026-11-22T02:15:00Z");
    let latest = moment.plus(LATEST_WITHOUT_CATCH_UP);
    assert_eq!(
        nightly.due(&accounts(), last, latest),
        Some(Due { scheduled_for: moment, missed: 2 }),
        "a timer once an hour finds it"
    );
    assert_eq!(nightly.due(&accounts(), last, latest.moved(1)), None);
    assert_eq!(nightly.next_start(&accounts(), last, latest.moved(1)), Some(at("2026-11-23T02:15:00Z")));
    assert!(nightly.due(&accounts(), last, at("2026-11-23T02:15:00Z")).is_some(), "the next one comes");
}

#[test]
fn jitter_spreads_jobs_and_keeps_each_at_its_time() {
    let nightly = Schedule::parse("15 2 * * *", "UTC").unwrap();
    let names = (0..200).map(|number| format!("job-{number}").parse::<JobName>().unwrap());
    let delays: Vec<u64> = names.map(|name| nightly.delay(&name).as_secs()).collect();
    assert!(delays.iter().all(|delay| *delay <= 30), "{delays:?}");
    let distinct: std::collections::BTreeSet<_> = delays.iter().collect();
    assert!(distinct.len() > 25, "{distinct:?}");
    let delay = nightly.delay(&accounts());
    assert!(delay > Duration::ZERO && nightly.delay(&accounts()) == delay, "no dice");
    let (last, moment) = (Some(at("2026-11-22T02:15:30Z")), at("2026-11-23T02:15:00Z"));
    assert_eq!(nightly.due(&accounts(), last, moment.plus(delay).moved(-1)), None);
    assert_eq!(
        nightly.due(&accounts(), last, moment.plus(delay)),
        Some(Due { scheduled_for: moment, missed: 0 })
    );
    for now in [moment.moved(-3600), moment, moment.plus(delay).moved(-1)] {
        assert_eq!(nightly.next_start(&accounts(), last, now), Some(moment.plus(delay)), "{now}");
    }
    assert_eq!(nightly.next_start(&accounts(), last, moment.moved(500)), Some(moment.moved(500)), "overdue");
    assert_eq!(nightly.next_start(&accounts(), None, moment), Some(moment), "never ran");
}

/// One field of an expression and the numbers it stands for.
fn field(least: u32, most: u32) -> impl Strategy<Value = (String, Vec<u32>)> {
    let all: Vec<u32> = (least..=most).collect();
    prop_oneof![
        Just(("*".to_string(), all)),
        (least..=most).prop_map(|one| (one.to_string(), vec![one])),
        (least..=most, least..=most).prop_map(|(a, b)| {
            let (from, to) = (a.min(b), a.max(b));
            (format!("{from}-{to}"), (from..=to).collect())
        }),
        (2..=(most - least))
            .prop_map(move |step| { (format!("*/{step}"), (least..=most).step_by(step as usize).collect()) }),
    ]
}

proptest! {
    #[test]
    fn the_next_moment_is_later_and_fits_every_field_and_none_between_does(
        (minutes, fits_minute) in field(0, 59),
        (hours, fits_hour) in field(0, 23),
        (months, fits_month) in field(1, 12),
        from in 0_i64..4_000_000_000,
    ) {
        let schedule = every(&format!("{minutes} {hours} * {months} *"), "UTC");
        let next = schedule.next_after(UnixSeconds::new(from)).unwrap();
        prop_assert!(next.get() > from);
        let fits = |moment: i64| {
            let face = jiff::Timestamp::from_second(moment).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
            let (minute, hour, month) = (face.minute() as u32, face.hour() as u32, face.month() as u32);
            face.second() == 0 && fits_minute.contains(&minute) && fits_hour.contains(&hour) && fits_month.contains(&month)
        };
        prop_assert!(fits(next.get()), "{next}");
        let minute_after = (from.div_euclid(60) + 1) * 60;
        let between = (minute_after..next.get()).step_by(60).take(2000).find(|moment| fits(*moment));
        prop_assert_eq!(between, None);
    }

    #[test]
    fn whatever_stands_there_is_followed_or_refused_and_never_hangs(
        fields in prop::collection::vec("([*?0-9]|[0-9]{1,2}|\\*/[0-9]{1,2}|[0-9]{1,2}-[0-9]{1,2}(/[0-9])?|[0-9]{1,2},[0-9]{1,2}|L|[0-9]W|[0-9]L|[1-7]#[1-6]|FRI|MON-FRI|FEB|\\+[0-9]|[#LW,/*-]{1,3})", 5),
        any in "\\PC{0,40}",
        from in -70_000_000_000_i64..250_000_000_000,
    ) {
        for text in [fields.join(" "), any] {
            for zone in ["UTC", "Europe/Zurich"] {
                let Ok(schedule) = Schedule::parse(&text, zone) else { continue };
                if let Some(next) = schedule.next_after(UnixSeconds::new(from)) {
                    prop_assert!(next.get() > from, "{text}");
                }
                let now = UnixSeconds::new(1_795_381_200);
                let _ = schedule.due(&accounts(), Some(now.moved(-400_000)), now);
            }
        }
    }

    #[test]
    fn what_is_due_is_the_newest_moment_and_the_rest_was_missed(
        text in prop::sample::select(vec!["*/17 * * * *", "30 2 * * *", "* 1 * * *", "0 0 1 * *", "15 */5 * * 0", "0 12 29 2 *"]),
        zone in prop::sample::select(vec!["UTC", "Europe/Zurich", "Australia/Lord_Howe"]),
        last in 1_700_000_000_i64..1_900_000_000,
        span in 0_i64..400_000,
    ) {
        let schedule = every(text, zone);
        let (last, now) = (UnixSeconds::new(last), UnixSeconds::new(last + span));
        let next = |after: &UnixSeconds| schedule.next_after(*after).filter(|at| *at <= now);
        let since: Vec<UnixSeconds> = std::iter::successors(next(&last), next).collect();
        let expected = since.last().map(|newest| Due {
            scheduled_for: *newest,
            missed: (since.len() as u64 - 1).min(MOST_MISSED),
        });
        prop_assert_eq!(schedule.due(&accounts(), Some(last), now), expected);
        let start = schedule.next_start(&accounts(), Some(last), now).unwrap();
        prop_assert!(start >= now, "{start}");
    }

    #[test]
    fn in_any_zone_the_next_moment_is_later_and_never_goes_back(
        zone in prop::sample::select(vec!["Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca"]),
        text in prop::sample::select(vec!["30 2 * * *", "0 * * * *", "*/7 1-3 * * *", "0 0 1 * *", "15 */5 * * 0"]),
        from in 1_000_000_000_i64..4_000_000_000,
    ) {
        let schedule = every(text, zone);
        let one = schedule.next_after(UnixSeconds::new(from)).unwrap();
        let two = schedule.next_after(one).unwrap();
        prop_assert!(one.get() > from && two > one, "{one} {two}");
        let asked_between = schedule.next_after(one.moved(-1)).unwrap();
        prop_assert_eq!(asked_between, one);
    }
}
