/// Makes foreign text safe to show: control and direction-changing characters escaped, length bounded.
///
/// Texts from the network end up in terminals and logs; an escape sequence in an error description
/// must not move a cursor there, and a page of HTML must not fill a log.
///
/// # Shape
///
/// At most `max` characters of `text` are kept; `…` marks what was cut.
///
/// # Examples
///
/// ```
/// use sfmint::base::printable;
///
/// assert_eq!(printable("red \u{1b}[31m", 80), "red \\u{1b}[31m");
/// assert_eq!(printable("abcdef", 3), "abc…");
/// ```
pub fn printable(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max * 2));
    for (seen, c) in text.chars().enumerate() {
        if seen == max {
            out.push('…');
            break;
        }
        if c.is_control() || is_format(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Zero-width and bidirectional controls, which change how their neighbours are read.
fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
