//! Did-you-mean: the candidate most similar to a misspelt name.

/// The candidate nearest to `wanted`, if any is near enough to be meant: at most a third of the
/// characters differ (Damerau-Levenshtein distance), and at least one may.
pub fn nearest(wanted: &str, candidates: impl IntoIterator<Item = String>) -> Option<String> {
    let limit = (wanted.chars().count() / 3).max(1);
    // The distance takes time and memory in the product of the lengths.
    let sensible = |name: &String| wanted.len().max(name.len()) <= 200;
    let candidates = candidates.into_iter().filter(sensible);
    let ranked = candidates.map(|name| (strsim::damerau_levenshtein(wanted, &name), name));
    let near = ranked.filter(|(distance, _)| *distance <= limit);
    near.min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_word_and_nonsense_does_not() {
        let names = || ["learning_rate", "epochs", "batch"].map(str::to_owned);
        assert_eq!(nearest("learnign_rate", names()).as_deref(), Some("learning_rate"));
        assert_eq!(nearest("epoch", names()).as_deref(), Some("epochs"));
        assert_eq!(nearest("zzz", names()), None);
    }
}
