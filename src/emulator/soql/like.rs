/// Whether `text` fits a LIKE pattern: `%` for any run, `_` for one character, a backslash before either takes it as it is.
/// Case does not matter.
pub(super) fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let mut wanted = vec![];
    let lower = pattern.to_lowercase();
    let mut chars = lower.chars();
    while let Some(c) = chars.next() {
        wanted.push(match c {
            '\\' => Piece::One(chars.next().unwrap_or('\\')),
            '%' => Piece::Run,
            '_' => Piece::Any,
            c => Piece::One(c),
        });
    }
    // Greedy with one step back: linear in practice, never exponential.
    let (mut at, mut piece) = (0, 0);
    let mut retry = None;
    while at < text.len() {
        let fits = match wanted.get(piece) {
            Some(Piece::Run) => {
                retry = Some((piece, at));
                piece += 1;
                continue;
            }
            Some(Piece::Any) => true,
            Some(Piece::One(c)) => *c == text[at],
            None => false,
        };
        if fits {
            at += 1;
            piece += 1;
        } else if let Some((run, from)) = retry {
            retry = Some((run, from + 1));
            at = from + 1;
            piece = run + 1;
        } else {
            return false;
        }
    }
    wanted[piece.min(wanted.len())..].iter().all(|piece| matches!(piece, Piece::Run))
}

enum Piece {
    Run,
    Any,
    One(char),
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn like_knows_its_two_wildcards_and_their_escapes() {
        for (text, pattern) in [
            ("Acme", "acme"),
            ("Acme", "A%"),
            ("Acme", "%m%"),
            ("Acme", "A_me"),
            ("100%", "100\\%"),
            ("", "%"),
            ("aaab", "%a%b"),
        ] {
            assert!(like(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in [("Acme", "A"), ("Acme", "_"), ("1000", "100\\%"), ("", "_"), ("abc", "%d")] {
            assert!(!like(text, pattern), "{text} {pattern}");
        }
    }
}
