//! What every destination must do, told once and run against each.

use std::collections::BTreeMap;

use crate::base::job::{Deletes, Nul};
use crate::base::{Explain, Fault};
use crate::sync::destination::*;
use crate::sync::{Column, ColumnKind, Progress};

/// A row as its values' texts; none where there is no value. Bool is `true` or `false` everywhere.
pub(in crate::sync::destination) type Row = BTreeMap<String, Option<String>>;

/// One kind of destination, at a place of its own.
pub(in crate::sync::destination) trait Kind {
    /// The destination at the place; what was opened before may just have been dropped, as by a kill.
    fn open(&self) -> Box<dyn Destination>;
    /// What somebody else reads there, by Id: newest form of each, without those that are marked as gone.
    fn rows(&self) -> BTreeMap<String, Row>;
    /// Ids that are marked as gone.
    fn marked(&self) -> Vec<String>;
    /// Whether `deletes = "remove"` is for it.
    fn removes(&self) -> bool;
}

pub(in crate::sync::destination) const JOB: &str = "accounts";

pub(in crate::sync::destination) fn columns() -> Vec<Column> {
    vec![
        Column::new("Id", ColumnKind::Id),
        Column::new("Name", ColumnKind::Text),
        Column::new("Owner.Name", ColumnKind::Text),
        Column::new("Amount", ColumnKind::Decimal { precision: 18, scale: 2 }),
        Column::new("Count", ColumnKind::Int),
        Column::new("IsDeleted", ColumnKind::Bool),
        Column::new("SystemModstamp", ColumnKind::DateTime),
    ]
}

pub(in crate::sync::destination) fn landing(run_id: &str, epoch: u64) -> Landing {
    Landing {
        run_id: run_id.into(),
        epoch,
        at: UnixSeconds::new(1_767_323_045),
        object: "Account".parse().unwrap(),
        columns: columns(),
        id: Some(0),
        stamp: Some(6),
        is_deleted: Some(5),
        whole: false,
        low: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        deletes: Deletes::Mark,
        nul: Nul::Replace,
    }
}

pub(in crate::sync::destination) fn whole(run_id: &str, epoch: u64) -> Landing {
    Landing { whole: true, low: None, ..landing(run_id, epoch) }
}

/// The checkpoint of a run that is under way.
pub(in crate::sync::destination) fn under_way(landing: &Landing) -> Checkpoint {
    Checkpoint {
        run: Some(Progress {
            run_id: landing.run_id.clone(),
            soql: "SELECT Id FROM Account".into(),
            all: true,
            whole: landing.whole,
            asked_at: UnixSeconds::new(1_767_323_000),
            bulk: None,
            received: 0,
            written: 0,
            unchanged: 0,
            deleted: 0,
        }),
        ..done(landing, None)
    }
}

/// The checkpoint of a run that has ended.
pub(in crate::sync::destination) fn done(landing: &Landing, watermark: Option<i64>) -> Checkpoint {
    Checkpoint {
        job: JOB.into(),
        object: landing.object.to_string(),
        org_id: "00D8d00000abCdEAAU".into(),
        epoch: landing.epoch,
        watermark: watermark.map(UnixSeconds::new),
        generation: 1,
        columns: landing.columns.clone(),
        reconciled_at: None,
        refreshed_at: None,
        verified_at: None,
        run: None,
    }
}

pub(in crate::sync::destination) fn id(number: u32) -> String {
    format!("001{number:012}AAA")
}

fn quoted(values: &[&str]) -> String {
    let values: Vec<String> =
        values.iter().map(|value| format!("\"{}\"", value.replace('"', "\"\""))).collect();
    format!("{}\n", values.join(","))
}

/// A row's text: second `second` of the day is when it changed.
pub(in crate::sync::destination) fn row(number: u32, name: &str, second: u32, deleted: bool) -> String {
    let stamp = format!("2026-01-02T00:{:02}:{:02}.000Z", second / 60, second % 60);
    quoted(&[&id(number), name, "", "1.5", "7", if deleted { "true" } else { "false" }, &stamp])
}

/// One page, in two pieces where it has two rows.
pub(in crate::sync::destination) fn page(
    destination: &mut dyn Destination,
    rows: &[String],
    checkpoint: &mut Checkpoint,
) -> Result<Landed, DestinationError> {
    destination.begin_page()?;
    let (first, rest) = rows.split_at(rows.len().min(1));
    for rows in [first, rest] {
        if !rows.is_empty() {
            destination.rows(Rows { text: rows.concat().as_bytes(), count: rows.len() as u64 })?;
        }
    }
    destination.commit_page(checkpoint)
}

/// A whole run with one page.
pub(in crate::sync::destination) fn run(kind: &dyn Kind, landing: &Landing, rows: &[String]) -> Landed {
    let mut destination = kind.open();
    destination.begin(landing).unwrap();
    let landed = page(&mut *destination, rows, &mut under_way(landing)).unwrap();
    destination.publish(&done(landing, Some(i64::try_from(landing.epoch).unwrap()))).unwrap();
    landed
}

pub(super) fn names(kind: &dyn Kind) -> BTreeMap<String, String> {
    kind.rows().into_iter().map(|(id, row)| (id, row["Name"].clone().unwrap_or_default())).collect()
}

fn expected(rows: &[(u32, &str)]) -> BTreeMap<String, String> {
    rows.iter().map(|(number, name)| (id(*number), name.to_string())).collect()
}

fn held(kind: &dyn Kind) -> BTreeMap<String, (Option<String>, bool)> {
    let mut all = BTreeMap::new();
    let visit = &mut |held: Held<'_>| {
        let row = (held.stamp.map(str::to_string), held.is_deleted);
        assert!(all.insert(held.id.to_string(), row).is_none(), "{} twice", held.id);
        Ok(())
    };
    kind.open().held(visit).unwrap();
    all
}

fn watermark(kind: &dyn Kind) -> Option<i64> {
    kind.open().checkpoint().unwrap().and_then(|checkpoint| checkpoint.watermark).map(UnixSeconds::get)
}

/// All of it, each part at a place of its own.
pub(in crate::sync::destination) fn suite<K: Kind>(new: impl Fn() -> K) {
    nothing_is_there_before_the_first_run(&new());
    rows_are_put_in_and_put_in_again_by_id(&new());
    a_row_that_did_not_change_is_counted_and_not_written(&new());
    a_change_within_the_same_second_is_no_repetition(&new());
    a_page_that_is_taken_back_leaves_nothing(&new());
    a_row_that_does_not_fit_takes_its_page_with_it(&new());
    for step in 0..5 {
        a_run_that_is_killed_goes_on_from_its_last_page(&new(), step, false);
        a_run_that_is_killed_goes_on_from_its_last_page(&new(), step, true);
    }
    another_run_throws_away_what_a_killed_one_staged(&new());
    rows_that_replace_everything_do_so_at_once(&new());
    an_abandoned_run_leaves_what_was_there(&new());
    gone_rows_are_marked_and_come_back(&new());
    gone_rows_are_marked_in_the_middle_of_a_run(&new());
    deleted_rows_are_kept_with_their_mark_or_left_out(&new());
    if new().removes() {
        removed_rows_are_gone(&new());
    }
    a_holder_that_slept_writes_nothing(&new());
    nasty_values_come_through_byte_for_byte(&new());
    nul_characters_follow_the_policy(&new());
    ten_thousand_rows_with_one_stamp_are_delivered_once(&new());
    new_columns_are_added_and_old_ones_stay(&new());
    an_empty_result_replaces_everything_by_nothing(&new());
    rows_without_id_are_replaced_whole(&new());
    calls_out_of_order_are_mistakes_of_ours(&new());
    super::model::random_runs_end_as_a_map_would(new);
}

fn nothing_is_there_before_the_first_run(kind: &dyn Kind) {
    let mut destination = kind.open();
    assert!(destination.keeps());
    assert_eq!(destination.checkpoint().unwrap(), None);
    assert_eq!(held(kind), BTreeMap::new());
}

fn rows_are_put_in_and_put_in_again_by_id(kind: &dyn Kind) {
    let landed = run(kind, &landing("r1", 1), &[row(1, "a", 1, false), row(2, "b", 1, false)]);
    assert_eq!(landed, Landed { written: 2, ..Landed::default() });
    assert_eq!(watermark(kind), Some(1));
    let landed = run(kind, &landing("r2", 2), &[row(2, "B", 2, false), row(3, "c", 2, false)]);
    assert_eq!(landed, Landed { written: 2, ..Landed::default() });
    assert_eq!(names(kind), expected(&[(1, "a"), (2, "B"), (3, "c")]));
    let stamp = |second: u32| Some(format!("2026-01-02T00:00:{second:02}.000Z"));
    let all = [(id(1), (stamp(1), false)), (id(2), (stamp(2), false)), (id(3), (stamp(2), false))];
    assert_eq!(held(kind), all.into());
    assert_eq!(watermark(kind), Some(2));
    let checkpoint = kind.open().checkpoint().unwrap().unwrap();
    assert_eq!(checkpoint, done(&landing("r2", 2), Some(2)));
}

fn a_row_that_did_not_change_is_counted_and_not_written(kind: &dyn Kind) {
    run(kind, &whole("r1", 1), &[row(1, "a", 1, false), row(2, "b", 1, false)]);
    for round in 2..4 {
        let rows = [row(1, "a", 1, false), row(2, "b", 1, false), row(3, "c", round, false)];
        let landed = run(kind, &landing(&format!("r{round}"), u64::from(round)), &rows);
        assert_eq!(landed, Landed { written: 1, unchanged: 2, ..Landed::default() });
    }
    assert_eq!(names(kind), expected(&[(1, "a"), (2, "b"), (3, "c")]));
}

/// A stamp has whole seconds: the second change within one must not pass for the first.
fn a_change_within_the_same_second_is_no_repetition(kind: &dyn Kind) {
    run(kind, &landing("r1", 1), &[row(1, "first", 1, false)]);
    let landed = run(kind, &landing("r2", 2), &[row(1, "second", 1, false)]);
    assert_eq!((landed.written, landed.unchanged), (1, 0));
    assert_eq!(names(kind), expected(&[(1, "second")]));
    // And what it was before is no repetition either.
    let landed = run(kind, &landing("r3", 3), &[row(1, "first", 1, false)]);
    assert_eq!((landed.written, landed.unchanged), (1, 0));
    assert_eq!(names(kind), expected(&[(1, "first")]));
}

fn a_page_that_is_taken_back_leaves_nothing(kind: &dyn Kind) {
    let landing = landing("r1", 1);
    let mut destination = kind.open();
    destination.begin(&landing).unwrap();
    let mut checkpoint = under_way(&landing);
    page(&mut *destination, &[row(1, "a", 1, false)], &mut checkpoint).unwrap();
    destination.begin_page().unwrap();
    destination.rows(Rows { text: row(2, "half", 1, false).as_bytes(), count: 1 }).unwrap();
    destination.discard_page().unwrap();
    destination.discard_page().unwrap();
    let landed =
        page(&mut *destination, &[row(2, "b", 1, false), row(3, "c", 1, false)], &mut checkpoint).unwrap();
    assert_eq!(landed.written, 2);
    assert_eq!(checkpoint.run.as_ref().map(|run| (run.received, run.written)), Some((3, 3)));
    destination.publish(&done(&landing, None)).unwrap();
    assert_eq!(names(kind), expected(&[(1, "a"), (2, "b"), (3, "c")]));
}

fn a_row_that_does_not_fit_takes_its_page_with_it(kind: &dyn Kind) {
    for (text, why) in [
        ("\"1\",\"2\"\n".to_string(), "2 values in 7 columns"),
        (quoted(&["", "x", "", "", "", "", ""]), "its Id is empty"),
    ] {
        let landing = landing("r1", 1);
        let mut destination = kind.open();
        destination.begin(&landing).unwrap();
        destination.begin_page().unwrap();
        destination.rows(Rows { text: row(1, "a", 1, false).as_bytes(), count: 1 }).unwrap();
        let error = destination.rows(Rows { text: text.as_bytes(), count: 1 }).unwrap_err();
        assert_eq!(error.to_string(), format!("row 2 of a page does not fit its columns: {why}"));
        assert_eq!((error.code(), error.fault()), ("destination.row", Fault::Data));
        destination.discard_page().unwrap();
        destination.abandon(&done(&landing, None)).unwrap();
        assert_eq!(names(kind), expected(&[]));
    }
}

/// Killed after `step`: begin, the first page's rows, its commit, the second page's rows, the second commit.
fn a_run_that_is_killed_goes_on_from_its_last_page(kind: &dyn Kind, step: u32, is_whole: bool) {
    if is_whole {
        run(kind, &whole("r0", 1), &[row(8, "old", 1, false), row(9, "old", 1, false)]);
    }
    let landing = |epoch| if is_whole { whole("r1", epoch) } else { landing("r1", epoch) };
    let mut destination = kind.open();
    destination.begin(&landing(2)).unwrap();
    let mut checkpoint = under_way(&landing(2));
    let mut pages = 0;
    for (at, number) in [(1, 1), (3, 2)] {
        if step >= at {
            destination.begin_page().unwrap();
            destination.rows(Rows { text: row(number, "new", 1, false).as_bytes(), count: 1 }).unwrap();
        }
        if step > at {
            destination.commit_page(&mut checkpoint).unwrap();
            pages += 1;
        }
    }
    drop(destination);

    let mut destination = kind.open();
    let found = destination.checkpoint().unwrap();
    let progress = found.and_then(|checkpoint| checkpoint.run);
    assert_eq!(progress.as_ref().map_or(0, |run| run.received), pages, "step {step}");
    if is_whole {
        assert_eq!(names(kind), expected(&[(8, "old"), (9, "old")]), "step {step}");
    }
    destination.begin(&landing(3)).unwrap();
    let mut checkpoint = under_way(&landing(3));
    checkpoint.run = progress.or(checkpoint.run);
    for number in (pages as u32 + 1)..=3 {
        page(&mut *destination, &[row(number, "new", 1, false)], &mut checkpoint).unwrap();
    }
    assert_eq!(checkpoint.run.map(|run| run.received), Some(3));
    destination.publish(&done(&landing(3), None)).unwrap();
    drop(destination);
    assert_eq!(names(kind), expected(&[(1, "new"), (2, "new"), (3, "new")]), "step {step}");
    assert_eq!(held(kind).len(), 3);
}

fn another_run_throws_away_what_a_killed_one_staged(kind: &dyn Kind) {
    run(kind, &whole("r0", 1), &[row(1, "old", 1, false)]);
    let mut destination = kind.open();
    destination.begin(&whole("r1", 2)).unwrap();
    page(&mut *destination, &[row(1, "lost", 1, false)], &mut under_way(&whole("r1", 2))).unwrap();
    drop(destination);
    run(kind, &whole("r2", 3), &[row(2, "new", 1, false)]);
    assert_eq!(names(kind), expected(&[(2, "new")]));
}

fn rows_that_replace_everything_do_so_at_once(kind: &dyn Kind) {
    run(kind, &landing("r1", 1), &[row(1, "a", 1, false), row(2, "b", 1, false)]);
    run(kind, &landing("r2", 2), &[row(2, "B", 2, false)]);
    let landing = whole("r3", 3);
    let mut destination = kind.open();
    destination.begin(&landing).unwrap();
    let mut checkpoint = under_way(&landing);
    page(&mut *destination, &[row(2, "c", 3, false)], &mut checkpoint).unwrap();
    assert_eq!(names(kind), expected(&[(1, "a"), (2, "B")]));
    page(&mut *destination, &[row(3, "d", 3, false)], &mut checkpoint).unwrap();
    assert_eq!(names(kind), expected(&[(1, "a"), (2, "B")]));
    assert_eq!(watermark(kind), None);
    destination.publish(&done(&landing, Some(9))).unwrap();
    assert_eq!(names(kind), expected(&[(2, "c"), (3, "d")]));
    assert_eq!(watermark(kind), Some(9));
    assert_eq!(held(kind).len(), 2);
}

fn an_abandoned_run_leaves_what_was_there(kind: &dyn Kind) {
    run(kind, &whole("r1", 1), &[row(1, "a", 1, false)]);
    let landing_2 = whole("r2", 2);
    let mut destination = kind.open();
    destination.begin(&landing_2).unwrap();
    page(&mut *destination, &[row(2, "b", 1, false)], &mut under_way(&landing_2)).unwrap();
    destination.abandon(&done(&landing_2, Some(1))).unwrap();
    drop(destination);
    assert_eq!((names(kind), watermark(kind)), (expected(&[(1, "a")]), Some(1)));
    // Rows of an increment are the org's, only not known to be all.
    let landing_3 = landing("r3", 3);
    let mut destination = kind.open();
    destination.begin(&landing_3).unwrap();
    page(&mut *destination, &[row(3, "c", 1, false)], &mut under_way(&landing_3)).unwrap();
    destination.abandon(&done(&landing_3, Some(1))).unwrap();
    drop(destination);
    assert_eq!((names(kind), watermark(kind)), (expected(&[(1, "a"), (3, "c")]), Some(1)));
}

fn gone(kind: &dyn Kind, landing: &Landing, ids: &[u32]) -> u64 {
    let mut destination = kind.open();
    destination.begin(landing).unwrap();
    let at = UnixSeconds::new(1_767_400_000);
    let count =
        destination.gone(&mut ids.iter().map(|number| id(*number)), at, &done(landing, Some(5))).unwrap();
    destination.publish(&done(landing, Some(6))).unwrap();
    count
}

// faults F10
fn gone_rows_are_marked_and_come_back(kind: &dyn Kind) {
    run(kind, &whole("r1", 1), &[row(1, "a", 1, false), row(2, "b", 1, false), row(3, "c", 1, false)]);
    assert_eq!(gone(kind, &landing("r2", 2), &[1, 3]), 2);
    assert_eq!((names(kind), kind.marked()), (expected(&[(2, "b")]), vec![id(1), id(3)]));
    let deleted: Vec<bool> = held(kind).values().map(|(_, deleted)| *deleted).collect();
    assert_eq!(deleted, [true, false, true]);
    assert_eq!(watermark(kind), Some(6));
    assert_eq!(gone(kind, &landing("r3", 3), &[]), 0);
    // Undeleted: the same text as before, and it must not pass for delivered.
    let landed = run(kind, &landing("r4", 4), &[row(1, "a", 1, false), row(2, "b", 1, false)]);
    assert_eq!((landed.written, landed.unchanged), (1, 1));
    assert_eq!((names(kind), kind.marked()), (expected(&[(1, "a"), (2, "b")]), vec![id(3)]));
}

fn gone_rows_are_marked_in_the_middle_of_a_run(kind: &dyn Kind) {
    run(kind, &whole("r1", 1), &[row(1, "a", 1, false), row(2, "b", 1, false)]);
    let landing_2 = landing("r2", 2);
    let mut destination = kind.open();
    destination.begin(&landing_2).unwrap();
    let mut checkpoint = under_way(&landing_2);
    page(&mut *destination, &[row(3, "c", 2, false)], &mut checkpoint).unwrap();
    let mut seen = 0;
    let visit = &mut |_: Held<'_>| {
        seen += 1;
        Ok(())
    };
    destination.held(visit).unwrap();
    assert_eq!(seen, 3);
    destination.gone(&mut [id(1)].into_iter(), UnixSeconds::new(0), &checkpoint).unwrap();
    drop(destination);
    let found = kind.open().checkpoint().unwrap().unwrap();
    assert_eq!(found.run.as_ref().map(|run| run.received), Some(1));
    let mut destination = kind.open();
    destination.begin(&landing("r2", 3)).unwrap();
    let mut checkpoint = Checkpoint { epoch: 3, ..found };
    page(&mut *destination, &[row(4, "d", 2, false)], &mut checkpoint).unwrap();
    destination.publish(&done(&landing("r2", 3), None)).unwrap();
    assert_eq!((names(kind), kind.marked()), (expected(&[(2, "b"), (3, "c"), (4, "d")]), vec![id(1)]));
}

fn deleted_rows_are_kept_with_their_mark_or_left_out(kind: &dyn Kind) {
    run(kind, &whole("r1", 1), &[row(1, "a", 1, false), row(2, "b", 1, true)]);
    let landed = run(kind, &landing("r2", 2), &[row(1, "a", 2, true), row(3, "c", 2, true)]);
    assert_eq!(landed, Landed { written: 2, deleted: 2, ..Landed::default() });
    let deleted = |number: u32| kind.rows()[&id(number)]["IsDeleted"].clone();
    assert_eq!([1, 2, 3].map(deleted), [1, 2, 3].map(|_| Some("true".to_string())));
    assert!(held(kind).values().all(|(_, deleted)| *deleted));
    let ignore = Landing { deletes: Deletes::Ignore, ..landing("r3", 3) };
    let landed = run(kind, &ignore, &[row(4, "d", 3, true), row(5, "e", 3, false)]);
    assert_eq!(landed, Landed { written: 1, unchanged: 1, ..Landed::default() });
    assert_eq!(kind.rows().len(), 4);
    let ignore = Landing { deletes: Deletes::Ignore, ..whole("r4", 4) };
    let landed = run(kind, &ignore, &[row(4, "d", 3, true), row(5, "e", 3, false)]);
    assert_eq!((landed.written, landed.unchanged), (1, 1));
    assert_eq!(names(kind), expected(&[(5, "e")]));
    assert_eq!(gone(kind, &Landing { deletes: Deletes::Ignore, ..landing("r5", 5) }, &[5]), 0);
    assert_eq!(names(kind), expected(&[(5, "e")]));
}

fn removed_rows_are_gone(kind: &dyn Kind) {
    let remove = |landing: Landing| Landing { deletes: Deletes::Remove, ..landing };
    let landed = run(kind, &remove(whole("r1", 1)), &[row(1, "a", 1, false), row(2, "b", 1, true)]);
    assert_eq!((landed.written, landed.unchanged), (1, 1));
    let landed = run(kind, &remove(landing("r2", 2)), &[row(1, "a", 2, true), row(3, "c", 2, false)]);
    assert_eq!(landed, Landed { written: 2, deleted: 1, ..Landed::default() });
    assert_eq!(names(kind), expected(&[(3, "c")]));
    assert_eq!(gone(kind, &remove(landing("r3", 3)), &[3, 4]), 1);
    assert_eq!((names(kind), held(kind).len()), (expected(&[]), 0));
}

// faults B9
fn a_holder_that_slept_writes_nothing(kind: &dyn Kind) {
    let is_fenced = |error: DestinationError| {
        assert_eq!((error.code(), error.fault()), ("destination.fenced", Fault::Transient));
    };
    for step in 0..4 {
        let (epoch, run_id) = (10 * (step + 1), format!("slow-{step}"));
        let slow = whole(&run_id, epoch);
        let mut sleeper = kind.open();
        sleeper.begin(&slow).unwrap();
        let mut checkpoint = under_way(&slow);
        if step > 0 {
            page(&mut *sleeper, &[row(1, "slow", 1, false)], &mut checkpoint).unwrap();
        }
        if step == 3 {
            // The one that follows goes on with the same run.
            let mut other = kind.open();
            other.begin(&whole(&run_id, epoch + 1)).unwrap();
            is_fenced(page(&mut *sleeper, &[row(3, "slow", 1, false)], &mut checkpoint).unwrap_err());
            other.publish(&done(&whole(&run_id, epoch + 1), None)).unwrap();
            assert_eq!(names(kind), expected(&[(1, "slow")]));
            continue;
        }
        run(kind, &whole("quick", epoch + 1), &[row(2, "quick", 1, false)]);
        match step {
            0 => is_fenced(page(&mut *sleeper, &[row(1, "slow", 1, false)], &mut checkpoint).unwrap_err()),
            1 => is_fenced(sleeper.publish(&done(&slow, None)).unwrap_err()),
            _ => is_fenced(sleeper.abandon(&done(&slow, None)).unwrap_err()),
        }
        drop(sleeper);
        assert_eq!(names(kind), expected(&[(2, "quick")]));
        is_fenced(kind.open().begin(&slow).unwrap_err());
        let gone = kind.open().gone(&mut [id(2)].into_iter(), UnixSeconds::new(0), &done(&slow, None));
        is_fenced(gone.unwrap_err());
        assert_eq!((names(kind), kind.marked()), (expected(&[(2, "quick")]), vec![]));
    }
}

// faults F5, F11
fn nasty_values_come_through_byte_for_byte(kind: &dyn Kind) {
    let long = "ü\"\n".repeat(100_000);
    let values = [
        "=1+1",
        "+A1",
        "-1",
        "@SUM",
        "\ttab",
        "\rcr",
        "null",
        "NA",
        "NaN",
        "#N/A",
        "\"",
        "\"\"",
        "\",\"",
        "'; DROP TABLE Account; --",
        "a\nb",
        "a\r\nb",
        "\\",
        "\\n",
        "\u{1}\u{1f}\u{7f}",
        "\u{feff}bom",
        "\u{2028}\u{2029}",
        "😀 \u{10ffff}",
        "  spaces  ",
        "1.50",
        "007",
        "true",
        long.as_str(),
    ];
    let rows: Vec<String> = (values.iter().enumerate())
        .map(|(at, value)| row(u32::try_from(at).unwrap(), value, 1, false))
        .collect();
    for (run_id, epoch, is_whole) in [("r1", 1, true), ("r2", 2, false)] {
        let landing = if is_whole { whole(run_id, epoch) } else { landing(run_id, epoch) };
        let landed = run(kind, &landing, &rows);
        assert_eq!(landed.written + landed.unchanged, rows.len() as u64);
        assert_eq!(landed.unchanged, if is_whole { 0 } else { rows.len() as u64 });
        let found = names(kind);
        for (at, value) in values.iter().enumerate() {
            assert!(found[&id(u32::try_from(at).unwrap())] == *value, "{value:.40?}");
        }
    }
    let values = &kind.rows()[&id(0)];
    assert_eq!((values["Owner.Name"].as_deref(), values["Amount"].as_deref()), (None, Some("1.5")));
    assert_eq!((values["Count"].as_deref(), values["IsDeleted"].as_deref()), (Some("7"), Some("false")));
    let wide = quoted(&[&id(0), "", "", "1234567890123456.78", "", "", "2026-01-02T00:09:00.000Z"]);
    run(kind, &landing("r3", 3), &[wide]);
    assert_eq!(kind.rows()[&id(0)]["Amount"].as_deref(), Some("1234567890123456.78"));
}

// faults F9
fn nul_characters_follow_the_policy(kind: &dyn Kind) {
    let rows = [row(1, "a", 1, false), row(2, "\0x\0", 1, false)];
    for (epoch, nul, name, nuls) in
        [(1, Nul::Replace, "\u{fffd}x\u{fffd}", 2), (2, Nul::Remove, "x", 2), (3, Nul::Keep, "\0x\0", 0)]
    {
        let landed = run(kind, &Landing { nul, ..whole("r", epoch) }, &rows);
        assert_eq!((landed.written, landed.nuls), (2, nuls));
        assert_eq!(names(kind), expected(&[(1, "a"), (2, name)]));
    }
    let landing = Landing { nul: Nul::Fail, ..landing("r", 4) };
    let mut destination = kind.open();
    destination.begin(&landing).unwrap();
    let error = page(&mut *destination, &rows, &mut under_way(&landing)).unwrap_err();
    assert_eq!(error.to_string(), "row 2 of a page holds a NUL character");
}

fn ten_thousand_rows_with_one_stamp_are_delivered_once(kind: &dyn Kind) {
    let rows: Vec<String> = (0..10_000).map(|number| row(number, "same", 1, false)).collect();
    let mut destination = kind.open();
    let first = landing("r1", 1);
    destination.begin(&first).unwrap();
    let mut checkpoint = under_way(&first);
    for rows in rows[..7000].chunks(3000) {
        page(&mut *destination, rows, &mut checkpoint).unwrap();
    }
    destination.publish(&done(&first, Some(1))).unwrap();
    drop(destination);
    let landed = run(kind, &landing("r2", 2), &rows);
    assert_eq!(landed, Landed { written: 3000, unchanged: 7000, ..Landed::default() });
    assert_eq!(held(kind).len(), 10_000);
}

// faults F8
fn new_columns_are_added_and_old_ones_stay(kind: &dyn Kind) {
    run(kind, &landing("r1", 1), &[row(1, "a", 1, false), row(2, "b", 1, false)]);
    let mut wide = columns();
    wide.insert(1, Column::new("Score__c", ColumnKind::Int));
    let wide =
        |landing: Landing| Landing { columns: wide.clone(), stamp: Some(7), is_deleted: Some(6), ..landing };
    let stamp = "2026-01-02T00:00:02.000Z";
    let rows = [quoted(&[&id(2), "5", "B", "", "1.5", "7", "false", stamp])];
    run(kind, &wide(landing("r2", 2)), &rows);
    assert_eq!(names(kind), expected(&[(1, "a"), (2, "B")]));
    let score = |number: u32| kind.rows()[&id(number)].get("Score__c").cloned().flatten();
    assert_eq!((score(1), score(2)), (None, Some("5".to_string())));
    // A field that is no longer read: what is there stays.
    run(kind, &landing("r3", 3), &[row(1, "A", 3, false)]);
    assert_eq!(names(kind), expected(&[(1, "A"), (2, "B")]));
    assert_eq!(score(2), Some("5".to_string()));
    assert_eq!(held(kind).len(), 2);
    run(kind, &whole("r4", 4), &[row(1, "A", 3, false)]);
    assert_eq!(names(kind), expected(&[(1, "A")]));
}

fn an_empty_result_replaces_everything_by_nothing(kind: &dyn Kind) {
    run(kind, &whole("r1", 1), &[row(1, "a", 1, false)]);
    assert_eq!(run(kind, &landing("r2", 2), &[]), Landed::default());
    assert_eq!(names(kind), expected(&[(1, "a")]));
    let landing_3 = whole("r3", 3);
    let mut destination = kind.open();
    destination.begin(&landing_3).unwrap();
    destination.publish(&done(&landing_3, Some(3))).unwrap();
    drop(destination);
    assert_eq!((names(kind), held(kind).len(), watermark(kind)), (expected(&[]), 0, Some(3)));
}

fn rows_without_id_are_replaced_whole(kind: &dyn Kind) {
    let columns = vec![Column::new("Industry", ColumnKind::Text), Column::new("expr0", ColumnKind::Int)];
    let totals = Landing { columns, id: None, stamp: None, is_deleted: None, ..whole("r1", 1) };
    let mut destination = kind.open();
    destination.begin(&totals).unwrap();
    let rows = [quoted(&["a", "1"]), quoted(&["", "2"]), quoted(&["a", "1"])];
    let landed = page(&mut *destination, &rows, &mut under_way(&totals)).unwrap();
    assert_eq!(landed.written, 3);
    destination.publish(&done(&totals, None)).unwrap();
    drop(destination);
    assert_eq!(held(kind).len(), 0);
    let error = kind.open().begin(&Landing { whole: false, ..totals }).unwrap_err();
    assert_eq!(error.fault(), Fault::Bug);
}

fn calls_out_of_order_are_mistakes_of_ours(kind: &dyn Kind) {
    let mut destination = kind.open();
    let checkpoint = done(&landing("r1", 1), None);
    let is_bug = |error: DestinationError| assert_eq!(error.code(), "destination.out_of_order");
    is_bug(destination.begin_page().unwrap_err());
    is_bug(destination.rows(Rows { text: b"", count: 0 }).unwrap_err());
    destination.begin(&landing("r1", 1)).unwrap();
    is_bug(destination.rows(Rows { text: b"", count: 0 }).unwrap_err());
    is_bug(destination.commit_page(&mut checkpoint.clone()).unwrap_err());
    destination.publish(&checkpoint).unwrap();
    is_bug(destination.publish(&checkpoint).unwrap_err());
}
