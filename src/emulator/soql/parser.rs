use super::ast::{Name, Order, Query, Select};
use super::lexer::{Token, tokens};
use super::refusal::SoqlRefusal;

/// Reads a query.
///
/// # Errors
///
/// `MALFORMED_QUERY`, with the place.
pub(in crate::emulator) fn parse(text: &str) -> Result<Query, SoqlRefusal> {
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, depth: 0, in_query: false };
    let query = parser.query()?;
    match parser.peek() {
        None => Ok(query),
        Some(_) => Err(parser.unexpected()),
    }
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    tokens: Vec<(Token, usize)>,
    pub(super) next: usize,
    pub(super) depth: usize,
    pub(super) in_query: bool,
}

pub(super) type Parsed<T> = Result<T, SoqlRefusal>;

impl Parser<'_> {
    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.text.len(), |(_, at)| *at)
    }

    pub(super) fn unexpected(&self) -> SoqlRefusal {
        let shown = match self.peek() {
            None => "<EOF>".to_string(),
            Some(Token::Word(text) | Token::Number(text) | Token::Text(text)) => text.clone(),
            Some(Token::Sign(sign)) => (*sign).to_string(),
        };
        SoqlRefusal::malformed(self.text, self.at(), &format!("unexpected token: '{shown}'"))
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(text)) if text.eq_ignore_ascii_case(word))
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.next += usize::from(found);
        found
    }

    pub(super) fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(text)) if *text == sign);
        self.next += usize::from(found);
        found
    }

    pub(super) fn need_word(&mut self, word: &str) -> Parsed<()> {
        if self.take_word(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn need_sign(&mut self, sign: &str) -> Parsed<()> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn name(&mut self) -> Parsed<Name> {
        const RESERVED: [&str; 12] =
            ["and", "asc", "desc", "from", "in", "like", "limit", "not", "null", "or", "select", "where"];
        match self.peek() {
            Some(Token::Word(text)) if !RESERVED.contains(&text.to_ascii_lowercase().as_str()) => {
                let name = Name { text: text.clone(), at: self.at() };
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    pub(super) fn query(&mut self) -> Parsed<Query> {
        self.need_word("SELECT")?;
        let select = self.select()?;
        self.need_word("FROM")?;
        let object = self.name()?;
        let filter = if self.take_word("WHERE") { Some(self.filter()?) } else { None };
        let mut order = vec![];
        if self.take_word("ORDER") {
            self.need_word("BY")?;
            order.push(self.order()?);
            while self.take_sign(",") {
                order.push(self.order()?);
            }
        }
        let limit = if self.take_word("LIMIT") { Some(self.count()?) } else { None };
        let offset = if self.take_word("OFFSET") { self.count()? } else { 0 };
        Ok(Query { select, object, filter, order, limit, offset })
    }

    fn select(&mut self) -> Parsed<Select> {
        let called = |parser: &Self, word: &str| {
            parser.is_word(word)
                && matches!(parser.tokens.get(parser.next + 1), Some((Token::Sign(sign), _)) if *sign == "(")
        };
        if called(self, "COUNT") {
            self.next += 2;
            if self.take_sign(")") {
                return Ok(Select::Count);
            }
            let field = self.name()?;
            self.need_sign(")")?;
            return Ok(Select::CountOf(field));
        }
        if called(self, "FIELDS") {
            self.next += 2;
            let standard = self.is_word("STANDARD");
            if !self.take_word("ALL") && !self.take_word("STANDARD") {
                return Err(self.unexpected());
            }
            self.need_sign(")")?;
            return Ok(Select::AllFields { standard });
        }
        let mut fields = vec![self.name()?];
        while self.take_sign(",") {
            fields.push(self.name()?);
        }
        Ok(Select::Fields(fields))
    }

    fn order(&mut self) -> Parsed<Order> {
        let field = self.name()?;
        let descending = self.take_word("DESC");
        if !descending {
            self.take_word("ASC");
        }
        let nulls_last = self.take_word("NULLS") && {
            let last = self.is_word("LAST");
            if !self.take_word("FIRST") && !self.take_word("LAST") {
                return Err(self.unexpected());
            }
            last
        };
        Ok(Order { field, descending, nulls_last })
    }

    pub(super) fn count(&mut self) -> Parsed<u64> {
        match self.peek() {
            Some(Token::Number(text)) => match text.parse() {
                Ok(count) => {
                    self.next += 1;
                    Ok(count)
                }
                Err(_) => Err(self.unexpected()),
            },
            _ => Err(self.unexpected()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ast::Filter;
    use super::*;

    #[test]
    fn a_query_reads_into_its_parts() {
        let query = parse(
            "select Id, Account.Name from Contact where (Email != null or Title like 'x%') \
             and SystemModstamp >= 2026-01-02T03:04:05.000Z and Id not in ('a', 'b') \
             order by SystemModstamp desc nulls last, Id limit 5 offset 2",
        )
        .unwrap();
        assert_eq!(query.object.text, "Contact");
        assert_eq!((query.limit, query.offset, query.order.len()), (Some(5), 2, 2));
        let Some(Filter::And(parts)) = query.filter else { panic!("an AND of three") };
        assert_eq!(parts.len(), 3);
    }

    #[test]
    fn what_is_no_query_is_malformed_and_pointed_at() {
        for text in [
            "",
            "SELECT",
            "SELECT Id",
            "SELECT Id FROM",
            "SELECT Id, FROM Account",
            "SELECT Id FROM Account WHERE",
            "SELECT Id FROM Account WHERE Id = ",
            "SELECT Id FROM Account WHERE Id = 'open",
            "SELECT Id FROM Account WHERE Id == 'x'",
            "SELECT Id FROM Account WHERE A = 1 AND B = 2 OR C = 3",
            "SELECT Id FROM Account WHERE A = 2026-13-45",
            "SELECT Id FROM Account WHERE SystemModstamp > 2026-01-02T03:04:05.000 0000",
            "SELECT Id FROM Account LIMIT x",
            "SELECT Id FROM Account GROUP BY Id",
            "SELECT Id FROM Account; DROP TABLE x",
            "SELECT Id FROM Account WHERE Name = 'a\\qb'",
            "SELECT * FROM Account",
            "SELECT Id FROM Account trailing words",
            "UPDATE Account",
        ] {
            let refusal = parse(text).expect_err(text);
            assert_eq!(refusal.code, "MALFORMED_QUERY", "{text}");
            assert!(refusal.message.contains("ERROR at Row:1:Column:"), "{}", refusal.message);
        }
    }

    #[test]
    fn deep_parentheses_are_refused_and_do_not_overflow_the_stack() {
        let text =
            format!("SELECT Id FROM Account WHERE {}Id = 'x'{}", "(".repeat(50_000), ")".repeat(50_000));
        assert!(parse(&text).is_err());
        let nots = format!("SELECT Id FROM Account WHERE {} Id = 'x'", "NOT ".repeat(50_000));
        assert!(parse(&nots).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
            let _ = parse(&text).is_ok();
        }

        #[test]
        fn no_heap_of_words_makes_the_reader_panic(
            words in proptest::collection::vec(
                proptest::sample::select(vec![
                    "SELECT", "FROM", "WHERE", "Id", "Account", ",", "(", ")", "AND", "OR", "NOT", "IN", "=", "'é'",
                    "'", "COUNT(", "FIELDS(ALL)", "LIMIT", "1", "2026-01-01T00:00:00Z", "LIKE", "LAST_N_DAYS:", "\\",
                ]),
                0..30,
            )
        ) {
            let _ = parse(&words.join(" ")).is_ok();
        }
    }
}
