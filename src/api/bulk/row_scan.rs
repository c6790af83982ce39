/// Counts the rows of CSV as it streams by, and says where they end; nothing is copied or kept.
///
/// A row ends at a line feed outside quotes. Whether one is outside is told by the number of quotes before it: a
/// doubled quote inside a value changes nothing about that. `wc -l` is wrong on such data, since values hold line feeds.
///
/// # Examples
///
/// ```
/// use sfmint::api::bulk::RowScan;
///
/// let mut scan = RowScan::new();
/// let part = b"\"1\",\"two\nlines\"\n\"2\",\"a \"\"quo";
/// assert_eq!(scan.feed(part), Some(16)); // whole rows end there
/// scan.feed(b"te\"\"\"\n");
/// assert_eq!((scan.rows(), scan.at_border()), (2, true));
/// ```
#[derive(Clone, Debug, Default)]
pub struct RowScan {
    rows: u64,
    quoted: bool,
    /// Bytes came after the last row's end.
    open: bool,
}

impl RowScan {
    /// A scan at the beginning of a row.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes in; where the last row that ends within them ends, just behind its line feed.
    pub fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        self.feed_with(bytes, |_| {})
    }

    /// The same; `row` is told where each row ends that ends within them.
    pub fn feed_with(&mut self, bytes: &[u8], mut row: impl FnMut(usize)) -> Option<usize> {
        let (mut at, mut border) = (0, None);
        for feed in memchr::memchr_iter(b'\n', bytes) {
            self.quoted ^= is_odd(&bytes[at..feed]);
            at = feed + 1;
            if !self.quoted {
                self.rows += 1;
                border = Some(at);
                row(at);
            }
        }
        self.quoted ^= is_odd(&bytes[at..]);
        self.open = border.map_or(self.open || !bytes.is_empty(), |border| border < bytes.len());
        border
    }

    /// The first row's end alone: bytes up to and with its line feed; `None` where it does not end within them.
    pub fn first(bytes: &[u8]) -> Option<usize> {
        let (mut at, mut quoted) = (0, false);
        memchr::memchr_iter(b'\n', bytes).find_map(|feed| {
            quoted ^= is_odd(&bytes[at..feed]);
            at = feed + 1;
            (!quoted).then_some(at)
        })
    }

    /// Rows that have ended, a header line included.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether a value's quotes are open.
    pub fn in_quotes(&self) -> bool {
        self.quoted
    }

    /// Whether the last byte ended a row, or none came yet.
    pub fn at_border(&self) -> bool {
        !self.open
    }
}

fn is_odd(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'"', bytes).count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_row_without_its_line_feed_is_not_counted_and_leaves_the_border() {
        let mut scan = RowScan::new();
        assert!(scan.at_border());
        assert_eq!(scan.feed(b""), None);
        assert!(scan.at_border());
        scan.feed(b"\"1\"");
        assert!(!scan.at_border());
        assert_eq!(scan.feed(b"\n"), Some(1));
        assert!(scan.at_border() && scan.rows() == 1);
        assert_eq!(scan.feed(b"\"open\n"), None);
        assert!(!scan.at_border());
        assert_eq!(RowScan::first(b"\"a\nb\",1\n2\n"), Some(8));
        assert_eq!(RowScan::first(b"\"a\nb"), None);
    }

    proptest! {
        // The csv crate is the judge, and where the bytes are cut makes no difference.
        #[test]
        fn rows_are_those_that_a_csv_reader_finds(
            cells in prop::collection::vec(prop::collection::vec("[a\"\n\r,\u{e9}\u{0}]{0,6}", 3), 0..20),
            cuts in prop::collection::vec(0usize..200, 0..6),
        ) {
            let quote = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let text: String = cells
                .iter()
                .map(|row| row.iter().map(quote).collect::<Vec<_>>().join(",") + "\n")
                .collect();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let mut scan = RowScan::new();
            let mut border = 0;
            for pair in cuts.windows(2) {
                if let Some(at) = scan.feed(&text.as_bytes()[pair[0]..pair[1]]) {
                    border = pair[0] + at;
                }
            }
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            prop_assert_eq!(scan.rows(), reader.byte_records().map(Result::unwrap).count() as u64);
            prop_assert!(scan.at_border());
            prop_assert_eq!(border, text.len());
        }
    }
}
