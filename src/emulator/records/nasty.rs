use std::borrow::Cow;

/// Texts that break readers of CSV, JSON, terminals and databases.
const TEXTS: [&str; 18] = [
    "plain",
    "comma, separated",
    "she said \"no\"",
    "\"",
    "\"\",\"\"",
    "two\r\nlines",
    "line\nfeed",
    "carriage\rreturn",
    "nul\0inside",
    "snow ☃ and 👩‍👩‍👧 family",
    "שלום עולם \u{202e}right to left",
    "tab\there",
    "NULL",
    "#N/A",
    "=1+1",
    "back\\slash \\n",
    "\u{feff}byte order mark",
    "O'Brien; DROP TABLE contacts;--",
];

/// A text for `row`: one of the list, or none for every 19th row.
pub(super) fn text(row: u64) -> Option<&'static str> {
    TEXTS.get((row % (TEXTS.len() as u64 + 1)) as usize).copied()
}

/// A long text for `row`: 32,000 characters for every 97th, with line breaks and quotes in it; else a short one or none.
pub(super) fn long_text(row: u64) -> Option<Cow<'static, str>> {
    if row % 97 == 5 {
        let line = "All work and no play makes \"Jack\", a dull boy. ☃\r\n";
        return Some(line.chars().cycle().take(32_000).collect::<String>().into());
    }
    text(row / 3).map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_trouble_is_there() {
        let all: Vec<_> = (0..200).map(text).collect();
        let holds = |part: &str| all.iter().flatten().any(|text| text.contains(part));
        for part in ["\"", ",", "\r\n", "\0", "👩", "\u{202e}", "\u{feff}"] {
            assert!(holds(part), "{part:?}");
        }
        assert!(all.contains(&None));
        assert_eq!(long_text(5).unwrap().chars().count(), 32_000);
    }
}
