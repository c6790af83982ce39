//! Random runs against a map: whatever is committed, taken back, killed, abandoned or published, both hold the same.

use std::collections::{BTreeMap, BTreeSet};

use super::conformance::{Kind, done, id, landing, names, page, row, under_way, whole};
use crate::base::UnixSeconds;
use crate::sync::Rows;
use crate::sync::destination::*;

/// Numbers that look random and are the same each time. Marsaglia, "Xorshift RNGs" (2003).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % u64::from(end)) as u32
    }

    fn rows(&mut self) -> BTreeMap<u32, String> {
        let count = self.below(6);
        (0..count).map(|_| (self.below(12), format!("name {}", self.below(3)))).collect()
    }
}

fn text(rows: &BTreeMap<u32, String>) -> Vec<String> {
    rows.iter().map(|(number, name)| row(*number, name, 1, false)).collect()
}

/// A run under way, as it stands in memory.
struct Run<'k> {
    kind: &'k dyn Kind,
    destination: Box<dyn Destination>,
    landing: Landing,
    checkpoint: Checkpoint,
}

impl Run<'_> {
    /// The process ends, and another goes on with the run.
    fn killed(&mut self, epoch: u64) {
        self.landing.epoch = epoch;
        self.destination = self.kind.open();
        let found = self.destination.checkpoint().unwrap().and_then(|checkpoint| checkpoint.run);
        let found = found.filter(|run| run.run_id == self.landing.run_id);
        let (told, kept) = (
            found.as_ref().map_or(0, |run| run.received),
            self.checkpoint.run.as_ref().map(|run| run.received),
        );
        assert_eq!(Some(told), kept);
        self.destination.begin(&self.landing).unwrap();
        self.checkpoint.epoch = epoch;
    }
}

pub(super) fn random_runs_end_as_a_map_would<K: Kind>(new: impl Fn() -> K) {
    for seed in 1..=10 {
        let kind = new();
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let (mut live, mut gone): (BTreeMap<u32, String>, BTreeSet<u32>) = Default::default();
        let mut epoch = 0;
        for number in 0..12 {
            epoch += 1;
            let is_whole = dice.below(3) == 0;
            let run_id = format!("run-{number}");
            let landing = if is_whole { whole(&run_id, epoch) } else { landing(&run_id, epoch) };
            let mut run =
                Run { destination: kind.open(), checkpoint: under_way(&landing), landing, kind: &kind };
            run.destination.begin(&run.landing).unwrap();
            let mut staged = BTreeMap::new();
            for _ in 0..dice.below(4) {
                if dice.below(3) == 0 {
                    run.destination.begin_page().unwrap();
                    let rows = text(&dice.rows());
                    run.destination
                        .rows(Rows { text: rows.concat().as_bytes(), count: rows.len() as u64 })
                        .unwrap();
                    match dice.below(2) {
                        0 => run.destination.discard_page().unwrap(),
                        _ => {
                            epoch += 1;
                            run.killed(epoch);
                        }
                    }
                }
                // Of one Id a query has one row.
                let mut rows = dice.rows();
                rows.retain(|number, _| !staged.contains_key(number));
                page(&mut *run.destination, &text(&rows), &mut run.checkpoint).unwrap();
                staged.append(&mut rows);
                if dice.below(4) == 0 {
                    epoch += 1;
                    run.killed(epoch);
                }
            }
            let end = dice.below(4);
            if !is_whole {
                for (number, name) in &staged {
                    gone.remove(number);
                    live.insert(*number, name.clone());
                }
                if end == 0 {
                    let lost: Vec<u32> = live.keys().copied().filter(|_| dice.below(4) == 0).collect();
                    let mut ids = lost.iter().map(|number| id(*number));
                    let count = run.destination.gone(&mut ids, UnixSeconds::new(0), &run.checkpoint).unwrap();
                    assert_eq!(count, lost.len() as u64);
                    for number in lost {
                        live.remove(&number);
                        gone.insert(number);
                    }
                }
            }
            match end {
                1 => run.destination.abandon(&done(&run.landing, None)).unwrap(),
                2 if is_whole => drop(run),
                _ => {
                    run.destination.publish(&done(&run.landing, None)).unwrap();
                    if is_whole {
                        (live, gone) = (staged, BTreeSet::new());
                    }
                }
            }
            let expected: BTreeMap<String, String> =
                live.iter().map(|(number, name)| (id(*number), name.clone())).collect();
            assert_eq!(names(&kind), expected, "seed {seed}, run {number}");
            let marked: Vec<String> = gone.iter().map(|number| id(*number)).collect();
            assert_eq!(kind.marked(), marked, "seed {seed}, run {number}");
            let mut held = (0, 0);
            let visit = &mut |row: Held<'_>| {
                held.0 += 1;
                held.1 += usize::from(row.is_deleted);
                Ok(())
            };
            kind.open().held(visit).unwrap();
            assert_eq!(held, (live.len() + gone.len(), gone.len()), "seed {seed}, run {number}");
        }
    }
}
