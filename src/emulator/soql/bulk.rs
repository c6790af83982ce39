use super::lexer::{Token, tokens};
use super::refusal::SoqlRefusal;

const AGGREGATES: [&str; 6] = ["AVG", "COUNT", "COUNT_DISTINCT", "MAX", "MIN", "SUM"];

/// Refuses what SOQL has and Bulk API 2.0 does not take: aggregates, GROUP BY, OFFSET, TYPEOF, child queries.
///
/// Bulk API 2.0 guide, "SOQL Considerations". The guide lists them; the words of the refusals are as clients report
/// them for child queries and compound fields, and not verified for the others.
///
/// # Errors
///
/// `API_ERROR`, and `MALFORMED_QUERY` for what is no SOQL at all.
pub(in crate::emulator) fn refused_by_bulk(text: &str) -> Result<(), SoqlRefusal> {
    let tokens = tokens(text)?;
    let refused = |says: &str| Err(SoqlRefusal::new("API_ERROR", says));
    let mut in_select = true;
    for (at, (token, _)) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1).map(|(token, _)| token);
        match token {
            Token::Sign("(") if in_select && is_word(next, "SELECT") => {
                return refused(
                    "Aggregate Relationships not supported in Bulk V2 Query with CSV content type",
                );
            }
            Token::Word(word) => {
                let word = word.to_ascii_uppercase();
                let opens = next == Some(&Token::Sign("("));
                match word.as_str() {
                    "FROM" => in_select = false,
                    "GROUP" if is_word(next, "BY") => {
                        return refused("GROUP BY is not supported in Bulk Query");
                    }
                    "OFFSET" if matches!(next, Some(Token::Number(_))) => {
                        return refused("OFFSET is not supported in Bulk Query");
                    }
                    "TYPEOF" if in_select => return refused("TYPEOF is not supported in Bulk Query"),
                    "FIELDS"
                        if opens && in_select && !is_word(tokens.get(at + 2).map(|(t, _)| t), "STANDARD") =>
                    {
                        return refused("FIELDS(ALL) and FIELDS(CUSTOM) are not supported in Bulk Query");
                    }
                    name if opens && in_select && AGGREGATES.contains(&name) => {
                        return refused("Aggregate functions are not supported in Bulk Query");
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_word(token: Option<&Token>, word: &str) -> bool {
    matches!(token, Some(Token::Word(text)) if text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bulk_does_not_take_is_named() {
        for (text, says) in [
            ("SELECT COUNT() FROM Account", "Aggregate functions"),
            ("SELECT Industry, COUNT(Id) FROM Account GROUP BY Industry", "Aggregate functions"),
            ("SELECT Industry FROM Account GROUP BY Industry", "GROUP BY"),
            ("SELECT Id FROM Account LIMIT 5 OFFSET 5", "OFFSET"),
            ("SELECT TYPEOF Owner WHEN User THEN Name END FROM Account", "TYPEOF"),
            ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "Aggregate Relationships"),
            ("SELECT FIELDS(ALL) FROM Account LIMIT 200", "FIELDS"),
        ] {
            let refusal = refused_by_bulk(text).expect_err(text);
            assert_eq!(refusal.code, "API_ERROR");
            assert!(refusal.message.contains(says), "{}", refusal.message);
        }
        for text in [
            "SELECT Id, Account.Name FROM Contact WHERE AccountId IN (SELECT Id FROM Account) ORDER BY Id LIMIT 5",
            "SELECT Id, Offset, Count FROM Account WHERE Name = 'GROUP BY (SELECT'",
        ] {
            assert_eq!(refused_by_bulk(text), Ok(()), "{text}");
        }
    }
}
