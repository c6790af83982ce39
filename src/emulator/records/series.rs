use super::RecordsConfig;
use crate::base::UnixSeconds;
use crate::emulator::ids::record_id;

/// Where rows stand in time, and which of them are deleted.
///
/// `SystemModstamp` rises with the row number and ties often: of each 1,000 rows the first 300 share one stamp (more
/// than the smallest page holds), the others share theirs by sevens.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub rows: u64,
    pub seed: u64,
    since: i64,
    span: i64,
    groups: i64,
    owners: u64,
}

/// Every row with this number modulo 50 is deleted.
const DELETED: u64 = 49;

impl Series {
    pub fn new(config: &RecordsConfig, live: u64, seed: u64) -> Self {
        let rows = live + live / DELETED;
        let since = config.since.parse().unwrap_or(UnixSeconds::new(1_735_689_600)).get();
        let groups = group(rows.saturating_sub(1)).max(1);
        let owners = config.owners.max(1);
        Self { rows, seed, since, span: i64::from(config.span_days) * 86_400, groups, owners }
    }

    /// The user that owns the row: the first users of the org in turn.
    pub fn owner(&self, row: u64) -> String {
        record_id("005", row % self.owners + 1)
    }

    pub fn is_deleted(row: u64) -> bool {
        row % (DELETED + 1) == DELETED
    }

    pub fn live_before(row: u64) -> u64 {
        row - row / (DELETED + 1)
    }

    /// Seconds since 1970 of the row's last change.
    pub fn modified(&self, row: u64) -> i64 {
        self.since + (i128::from(group(row)) * i128::from(self.span) / i128::from(self.groups)) as i64
    }
}

fn group(row: u64) -> i64 {
    let (block, place) = (row / 1000, row % 1000);
    (block * 120 + if place < 300 { 0 } else { 1 + (place - 300) / 7 }) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_rows_are_live_as_were_asked_for() {
        for live in [0, 1, 48, 49, 50, 980, 1000, 12_345] {
            let series = Series::new(&RecordsConfig::default(), live, 0);
            let counted = (0..series.rows).filter(|row| !Series::is_deleted(*row)).count() as u64;
            assert_eq!(counted, live);
            assert_eq!(Series::live_before(series.rows), live);
        }
    }

    #[test]
    fn stamps_rise_tie_across_a_page_and_end_with_the_span() {
        let series = Series::new(&RecordsConfig::default(), 5000, 0);
        let stamps: Vec<i64> = (0..series.rows).map(|row| series.modified(row)).collect();
        assert!(stamps.is_sorted());
        assert_eq!(stamps[1000], stamps[1299]);
        assert!(stamps[1299] < stamps[1300]);
        assert_eq!(stamps.last().unwrap() - stamps[0], 365 * 86_400);
    }
}
