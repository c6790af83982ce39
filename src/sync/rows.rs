/// Some whole rows of a page, as the text that Bulk API 2.0 answers with.
///
/// UTF-8 (checked by nobody yet), comma, LF after every row and the last one too, every value quoted, `""` for a quote
/// inside, null and empty both `""`; no header line. Rows that came by REST are written in the same way before they get
/// here, so that a row lands identically by either. Bulk API 2.0 guide, "Get Results for a Query Job".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows<'a> {
    /// The text.
    pub text: &'a [u8],
    /// How many rows it holds.
    pub count: u64,
}
