use memchr::{memchr, memchr_iter};

use super::cutter::count_rows;
use crate::base::job::Nul;
use crate::sync::Rows;

/// What a page's text must not hold, and in which row it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unclean {
    /// A NUL character, with `nul = "fail"`. The row's number among those given, from 1.
    Nul(u64),
    /// Bytes that are not UTF-8. The row's number among those given, from 1.
    NotUtf8(u64),
}

/// Does away with NUL characters as the job says, and counts them. Keeps its memory between calls.
#[derive(Debug)]
pub struct Cleaner {
    policy: Nul,
    buffer: Vec<u8>,
    /// Characters replaced or left out so far.
    pub nuls: u64,
}

impl Cleaner {
    /// One for a job's policy.
    pub fn new(policy: Nul) -> Self {
        Self { policy, buffer: Vec::new(), nuls: 0 }
    }

    /// The rows as they may be written: the same where they hold no NUL, which one look over the text tells.
    ///
    /// # Errors
    ///
    /// [`Unclean::Nul`], with `nul = "fail"` only.
    pub fn clean<'a>(&'a mut self, rows: Rows<'a>) -> Result<Rows<'a>, Unclean> {
        let Some(first) = memchr(0, rows.text) else { return Ok(rows) };
        let replacement: &[u8] = match self.policy {
            Nul::Keep => return Ok(rows),
            Nul::Fail => return Err(Unclean::Nul(count_rows(&rows.text[..first]) + 1)),
            Nul::Replace => "\u{fffd}".as_bytes(),
            Nul::Remove => b"",
        };
        self.buffer.clear();
        let mut from = 0;
        for at in memchr_iter(0, rows.text) {
            self.buffer.extend_from_slice(&rows.text[from..at]);
            self.buffer.extend_from_slice(replacement);
            from = at + 1;
            self.nuls += 1;
        }
        self.buffer.extend_from_slice(&rows.text[from..]);
        Ok(Rows { text: &self.buffer, count: rows.count })
    }
}

impl Unclean {
    /// Checks that rows are UTF-8.
    ///
    /// # Errors
    ///
    /// [`Unclean::NotUtf8`].
    pub fn utf8<'a>(rows: &Rows<'a>) -> Result<&'a str, Unclean> {
        std::str::from_utf8(rows.text)
            .map_err(|error| Unclean::NotUtf8(count_rows(&rows.text[..error.valid_up_to()]) + 1))
    }
}
