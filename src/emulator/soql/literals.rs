use super::ast::Literal;
use super::lexer::Token;
use super::parser::{Parsed, Parser};

/// Values as they are written.
impl Parser<'_> {
    /// A value to compare with.
    pub(super) fn literal(&mut self) -> Parsed<Literal> {
        let found = match self.peek() {
            Some(Token::Text(text)) => Some(Literal::Text(text.clone())),
            Some(Token::Number(text)) => number_or_date(text),
            Some(Token::Word(word)) => match word.to_ascii_uppercase().as_str() {
                "NULL" => Some(Literal::Null),
                "TRUE" => Some(Literal::Bool(true)),
                "FALSE" => Some(Literal::Bool(false)),
                "TODAY" => Some(Literal::Days { back: 0, span: 1 }),
                "YESTERDAY" => Some(Literal::Days { back: 1, span: 1 }),
                "LAST_N_DAYS" => return self.last_days(),
                _ => None,
            },
            _ => None,
        };
        let found = found.ok_or_else(|| self.unexpected())?;
        self.next += 1;
        Ok(found)
    }

    fn last_days(&mut self) -> Parsed<Literal> {
        self.next += 1;
        self.need_sign(":")?;
        let days = self.count()?.min(100_000) as i64;
        Ok(Literal::Days { back: days, span: days + 1 })
    }
}

/// `12`, `-1.5`, `2026-01-02` or `2026-01-02T03:04:05.000Z`.
fn number_or_date(text: &str) -> Option<Literal> {
    if text.contains('T') {
        let at: jiff::Timestamp = text.parse().ok()?;
        return Some(Literal::Time(at.as_second()));
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>()
        && text.len() == 10
    {
        let at = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        return Some(Literal::Date(at.as_second().div_euclid(86_400)));
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
    text.parse().ok().filter(|_| plain).map(Literal::Number)
}
