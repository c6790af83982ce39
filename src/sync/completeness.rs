/// What a run counted, each number from another witness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The sum of what the pages' headers say; none where a page had no such header.
    pub announced: Option<u64>,
    /// What the Bulk job says of itself (`numberRecordsProcessed`), or REST's `totalSize`.
    pub processed: Option<u64>,
    /// Rows that were counted as they came, quotes minded.
    pub received: u64,
    /// Rows that the destination wrote.
    pub written: u64,
    /// Rows that the destination had already.
    pub unchanged: u64,
}

/// Two witnesses that disagree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Doubt {
    /// Pages and rows.
    #[error("the pages' headers announce {announced} rows, {received} were received")]
    Announced {
        /// The sum of `Sforce-NumberOfRecords`.
        announced: u64,
        /// Rows counted.
        received: u64,
    },
    /// The job and the rows.
    #[error("the org processed {processed} rows, {received} were received")]
    Processed {
        /// `numberRecordsProcessed` or `totalSize`.
        processed: u64,
        /// Rows counted.
        received: u64,
    },
    /// Nobody to compare with.
    #[error("the org says nowhere how many rows there are; {received} were received")]
    NoWitness {
        /// Rows counted.
        received: u64,
    },
    /// The destination and the rows.
    #[error(
        "{received} rows were received, the destination has {written} written and {unchanged} unchanged ones"
    )]
    Landed {
        /// Rows counted.
        received: u64,
        /// Rows written.
        written: u64,
        /// Rows that were there.
        unchanged: u64,
    },
}

/// Whether all witnesses agree, so that a run may call itself complete.
///
/// | announced   | processed    | received              | answer                    |
/// |-------------|--------------|-----------------------|---------------------------|
/// | `n` or none | `n`          | `n` = written + unchanged | agree                 |
/// | none        | none         | any                   | [`Doubt::NoWitness`]      |
/// | `n`         | none         | `n`                   | agree: each page told     |
/// | else        |              |                       | the first that disagrees  |
///
/// # Errors
///
/// The [`Doubt`]; the run is then partial and its watermark stays.
pub fn agree(counts: &Counts) -> Result<(), Doubt> {
    let Counts { announced, processed, received, written, unchanged } = *counts;
    match (announced, processed) {
        (Some(announced), _) if announced != received => {
            return Err(Doubt::Announced { announced, received });
        }
        (_, Some(processed)) if processed != received => {
            return Err(Doubt::Processed { processed, received });
        }
        (None, None) => return Err(Doubt::NoWitness { received }),
        _ => {}
    }
    match written + unchanged == received {
        true => Ok(()),
        false => Err(Doubt::Landed { received, written, unchanged }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(announced: Option<u64>, processed: Option<u64>, received: u64, unchanged: u64) -> Counts {
        Counts { announced, processed, received, written: received - unchanged, unchanged }
    }

    // airbyte#69843: 2,303 of 8,821 rows, "Succeeded".
    #[test]
    fn a_run_is_complete_only_if_every_witness_agrees() {
        assert_eq!(agree(&counts(Some(5), Some(5), 5, 2)), Ok(()));
        assert_eq!(agree(&counts(None, Some(5), 5, 0)), Ok(()));
        assert_eq!(agree(&counts(Some(0), Some(0), 0, 0)), Ok(()));
        assert_eq!(agree(&counts(Some(5), None, 5, 0)), Ok(()));
        let doubt = agree(&counts(Some(8_821), Some(8_821), 2_303, 0)).unwrap_err();
        assert_eq!(doubt, Doubt::Announced { announced: 8_821, received: 2_303 });
        let doubt = agree(&counts(Some(2_303), Some(8_821), 2_303, 0)).unwrap_err();
        assert_eq!(doubt.to_string(), "the org processed 8821 rows, 2303 were received");
        assert_eq!(agree(&counts(None, None, 7, 0)), Err(Doubt::NoWitness { received: 7 }));
        let lost = Counts { written: 3, ..counts(Some(5), Some(5), 5, 1) };
        assert_eq!(agree(&lost), Err(Doubt::Landed { received: 5, written: 3, unchanged: 1 }));
    }
}
