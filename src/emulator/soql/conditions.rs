use super::ast::{Filter, Literal, Name, Op};
use super::lexer::Token;
use super::parser::{Parsed, Parser};

/// How deep parentheses may nest.
const DEEPEST: usize = 40;

/// What stands behind WHERE.
impl Parser<'_> {
    /// AND and OR may not be mixed without parentheses, as in the org.
    pub(super) fn filter(&mut self) -> Parsed<Filter> {
        let first = self.condition()?;
        for (word, other) in [("AND", "OR"), ("OR", "AND")] {
            if self.is_word(word) {
                let mut parts = vec![first];
                while self.take_word(word) {
                    parts.push(self.condition()?);
                }
                if self.is_word(other) {
                    return Err(self.unexpected());
                }
                return Ok(if word == "AND" { Filter::And(parts) } else { Filter::Or(parts) });
            }
        }
        Ok(first)
    }

    fn condition(&mut self) -> Parsed<Filter> {
        if self.is_word("NOT") || matches!(self.peek(), Some(Token::Sign("("))) {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(self.unexpected());
            }
            let inner = if self.take_word("NOT") {
                Filter::Not(Box::new(self.condition()?))
            } else {
                self.need_sign("(")?;
                let inner = self.filter()?;
                self.need_sign(")")?;
                inner
            };
            self.depth -= 1;
            return Ok(inner);
        }
        let field = self.name()?;
        let negated = self.take_word("NOT");
        if negated || self.is_word("IN") {
            self.need_word("IN")?;
            return self.membership(field, negated);
        }
        if self.take_word("LIKE") {
            return match self.literal()? {
                value @ Literal::Text(_) => Ok(Filter::Compare { field, op: Op::Like, value }),
                _ => Err(self.unexpected()),
            };
        }
        let op = match self.peek() {
            Some(Token::Sign("=")) => Op::Equal,
            Some(Token::Sign("!=" | "<>")) => Op::NotEqual,
            Some(Token::Sign("<")) => Op::Less,
            Some(Token::Sign("<=")) => Op::LessOrEqual,
            Some(Token::Sign(">")) => Op::Greater,
            Some(Token::Sign(">=")) => Op::GreaterOrEqual,
            _ => return Err(self.unexpected()),
        };
        self.next += 1;
        Ok(Filter::Compare { field, op, value: self.literal()? })
    }

    fn membership(&mut self, field: Name, negated: bool) -> Parsed<Filter> {
        self.need_sign("(")?;
        let filter = if self.is_word("SELECT") {
            if self.in_query {
                return Err(self.unexpected());
            }
            self.in_query = true;
            let query = Box::new(self.query()?);
            self.in_query = false;
            Filter::InQuery { field, negated, query }
        } else {
            let mut values = vec![self.literal()?];
            while self.take_sign(",") {
                values.push(self.literal()?);
            }
            Filter::In { field, negated, values }
        };
        self.need_sign(")")?;
        Ok(filter)
    }
}
