//! The nearest known name to a mistyped one.

/// Longer words are not compared: no field or operator is near them, and the work stays bounded.
const LONGEST: usize = 64;

/// The candidate with the smallest edit distance to `word`, if it is near enough to be meant.
///
/// Case and the difference between `camelCase` and `snake_case` cost nothing. Near enough is one edit in three letters.
pub(crate) fn nearest<'name>(
    word: &str,
    candidates: impl IntoIterator<Item = &'name str>,
) -> Option<&'name str> {
    let word = folded(word);
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let allowed = (word.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &folded(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn folded(word: &str) -> Vec<char> {
    word.chars()
        .filter(|character| *character != '_')
        .flat_map(char::to_lowercase)
        .collect()
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
fn distance(left: &[char], right: &[char]) -> usize {
    let width = right.len() + 1;
    let mut two_back = vec![0; width];
    let mut previous: Vec<usize> = (0..width).collect();
    for (row, &from) in left.iter().enumerate() {
        let mut current = vec![row + 1; width];
        for (column, &to) in right.iter().enumerate() {
            let replaced = previous[column] + usize::from(from != to);
            let mut best = replaced.min(previous[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && from == right[column - 1] && left[row - 1] == to {
                best = best.min(two_back[column - 1] + 1);
            }
            current[column + 1] = best;
        }
        two_back = std::mem::replace(&mut previous, current);
    }
    previous[right.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        let operators = ["$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$regex"];
        for (typed, meant) in [
            ("$gtt", Some("$gt")),
            ("$regexp", Some("$regex")),
            ("$exist", Some("$exists")),
            ("$GTE", Some("$gte")),
            ("$elemMatch", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, operators), meant, "{typed}");
        }
        assert_eq!(nearest("created", ["state", "createdAt"]), Some("createdAt"));
        assert_eq!(nearest("satte", ["host", "state"]), Some("state"));
        assert_eq!(
            nearest("DisplayName", ["name", "display_name"]),
            Some("display_name")
        );
        assert_eq!(nearest(&"x".repeat(100_000), ["state"]), None);
    }
}
