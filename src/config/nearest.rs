/// The candidate that `word` was most likely meant to be, if one is near.
///
/// Case, `-` and `_` do not count, so `loginUrl` finds `login_url`. A word that a single candidate starts with
/// finds it, so `refresh_buffer` finds `refresh_buffer_seconds`. Otherwise a third of the letters may differ.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > 64 {
        return None;
    }
    let bare = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let meant = bare(word);
    let ranked = candidates.into_iter().map(|candidate| {
        let known = bare(candidate);
        let distance = match (known == meant, meant.len() >= 4 && known.starts_with(&meant)) {
            (true, _) => 0,
            (false, true) => 1,
            _ => edits(&meant, &known),
        };
        (distance, candidate)
    });
    let (distance, candidate) = ranked.min_by_key(|(distance, _)| *distance)?;
    (distance <= (meant.chars().count() / 3).max(1)).then_some(candidate)
}

/// `; did you mean ...?`, or nothing.
pub(super) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map(|found| format!("; did you mean `{found}`?")).unwrap_or_default()
}

/// How many letters must be put in, taken out, replaced or swapped with their neighbour.
fn edits(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = [vec![0; to.len() + 1], (0..=to.len()).collect(), vec![0; to.len() + 1]];
    for (i, a) in from.iter().enumerate() {
        rows[2][0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = rows[1][j] + usize::from(a != b);
            let mut least = replaced.min(rows[1][j + 1] + 1).min(rows[2][j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                least = least.min(rows[0][j - 1] + 1);
            }
            rows[2][j + 1] = least;
        }
        rows.rotate_left(1);
    }
    rows[1][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let keys = ["login_url", "client_id", "refresh_buffer_seconds", "key", "username"];
        for (typed, meant) in [
            ("refresh_bufer_seconds", Some("refresh_buffer_seconds")),
            ("loginUrl", Some("login_url")),
            ("LOGIN-URL", Some("login_url")),
            ("refresh_buffer", Some("refresh_buffer_seconds")),
            ("cleint_id", Some("client_id")),
            ("user_nam", Some("username")),
            ("kee", Some("key")),
            ("colour", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(nearest(typed, keys), meant, "{typed}");
        }
    }

    #[test]
    fn edits_are_counted_as_people_make_them() {
        for (a, b, n) in [("", "abc", 3), ("abc", "abc", 0), ("acb", "abc", 1), ("kitten", "sitting", 3)] {
            assert_eq!(edits(a, b), n, "{a} {b}");
            assert_eq!(edits(b, a), n, "{b} {a}");
        }
    }
}
