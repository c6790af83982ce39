use super::refusal::SoqlRefusal;

/// A piece of a query.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name, a keyword, or a path with dots.
    Word(String),
    /// A number or a date, unparsed: both begin with a digit or a sign.
    Number(String),
    /// A text in quotes, its escapes resolved; `\%` and `\_` stay escaped for LIKE.
    Text(String),
    /// `=`, `!=`, `(`, `,` and their like.
    Sign(&'static str),
}

const SIGNS: [&str; 11] = ["!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ",", ":"];

/// Cuts a query into pieces, each with the byte offset it starts at.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, SoqlRefusal> {
    let mut out = vec![];
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (token, length) = if c == '\'' {
            quoted(text, at)?
        } else if c.is_ascii_digit()
            || ((c == '-' || c == '+') && rest[1..].starts_with(|d: char| d.is_ascii_digit()))
        {
            let fits = |c: char| c.is_ascii_alphanumeric() || ".:+-".contains(c);
            let length = rest.find(|c| !fits(c)).unwrap_or(rest.len());
            (Token::Number(rest[..length].to_string()), length)
        } else if c.is_ascii_alphabetic() || c == '_' {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
            let length = rest.find(|c| !fits(c)).unwrap_or(rest.len());
            (Token::Word(rest[..length].to_string()), length)
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), sign.len())
        } else {
            return Err(SoqlRefusal::malformed(
                text,
                at,
                &format!("line 1:{at} no viable alternative at character '{c}'"),
            ));
        };
        out.push((token, at));
        at += length;
    }
    Ok(out)
}

fn quoted(text: &str, start: usize) -> Result<(Token, usize), SoqlRefusal> {
    let mut out = String::new();
    let mut chars = text[start + 1..].char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return Ok((Token::Text(out), at + 2)),
            '\\' => match chars.next() {
                Some((_, c @ ('\'' | '"' | '\\'))) => out.push(c),
                Some((_, 'n' | 'N')) => out.push('\n'),
                Some((_, 'r' | 'R')) => out.push('\r'),
                Some((_, 't' | 'T')) => out.push('\t'),
                Some((_, c @ ('%' | '_'))) => out.extend(['\\', c]),
                _ => {
                    let at = start + 1 + at;
                    return Err(SoqlRefusal::malformed(
                        text,
                        at,
                        "Invalid string literal. Illegal character sequence",
                    ));
                }
            },
            c => out.push(c),
        }
    }
    Err(SoqlRefusal::malformed(text, start, "unexpected token: '<EOF>' (missing closing quote)"))
}
