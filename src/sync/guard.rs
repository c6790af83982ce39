use serde::Serialize;

/// Fewer rows than this never raise the guard, unless they are all there were: one row of ten is no mass delete.
const FEW: u64 = 10;

/// More rows are gone at once than the job believes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{gone} of {held} rows are gone at once, more than {most} percent: nothing was removed")]
pub struct MassDelete {
    /// Rows that the org no longer shows.
    pub gone: u64,
    /// Rows that the destination holds.
    pub held: u64,
    /// `max_delete_percent`.
    pub most: u8,
}

/// Whether so many rows may be gone at once.
///
/// Rows vanish when they are deleted, and also when the user loses the right to see them; from outside the two look alike,
/// so many at once are doubted.
///
/// | held  | gone | percent | answer                                 |
/// |-------|------|---------|----------------------------------------|
/// | 1,000 | 50   | 5       | believed                               |
/// | 1,000 | 51   | 5       | doubted                                |
/// | 100   | 9    | 5       | believed: fewer than ten               |
/// | 3     | 3    | 5       | doubted: all of them                   |
/// | any   | any  | 100     | believed                               |
///
/// # Errors
///
/// [`MassDelete`]; then nothing is to be removed.
pub fn believable(gone: u64, held: u64, percent: u8) -> Result<(), MassDelete> {
    let all = gone > 0 && gone >= held;
    let much = u128::from(gone) * 100 > u128::from(held) * u128::from(percent);
    match percent < 100 && (all || (much && gone >= FEW)) {
        true => Err(MassDelete { gone, held, most: percent }),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rows_gone_at_once_are_doubted() {
        for (gone, held, percent, believed) in [
            (0, 0, 5, true),
            (0, 1000, 0, true),
            (50, 1000, 5, true),
            (51, 1000, 5, false),
            (9, 100, 5, true),
            (10, 100, 5, false),
            (3, 3, 5, false),
            (3, 3, 100, true),
            (10, 1000, 0, false),
            (u64::MAX, u64::MAX, 5, false),
        ] {
            assert_eq!(believable(gone, held, percent).is_ok(), believed, "{gone} of {held} at {percent} %");
        }
        assert_eq!(
            believable(51, 1000, 5).unwrap_err().to_string(),
            "51 of 1000 rows are gone at once, more than 5 percent: nothing was removed"
        );
    }
}
