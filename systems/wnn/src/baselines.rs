//! What counting alone predicts: the models that a language model has to be compared with.

use std::collections::HashMap;

/// Mean negative logarithms of the probability of the token that followed, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baselines {
    /// By how often tokens occur.
    pub unigram: f64,
    /// By the token before, interpolated with the above.
    pub bigram: f64,
    /// By the two tokens before, interpolated with the above.
    pub trigram: f64,
}

/// What is taken off each count, and given to shorter contexts.
const DISCOUNT: f64 = 0.75;

/// Interpolated Kneser-Ney models of up to three tokens (S. F. Chen and J. Goodman, "An empirical
/// study of smoothing techniques for language modeling", 1998, with one fixed discount), learnt from
/// `training` and measured on all tokens of `evaluation` that have `context` tokens (at least 2)
/// before them.
pub fn baselines(training: &[u32], evaluation: &[u32], vocabulary: usize, context: usize) -> Baselines {
    let unigram = Unigram::new(training.iter().copied(), vocabulary);
    let mut pairs: HashMap<(u32, u32), u32> = HashMap::new();
    let mut triples: HashMap<(u32, u32, u32), u32> = HashMap::new();
    training.windows(2).for_each(|pair| *pairs.entry((pair[0], pair[1])).or_default() += 1);
    training
        .windows(3)
        .for_each(|triple| *triples.entry((triple[0], triple[1], triple[2])).or_default() += 1);
    // A shorter context counts in how many longer ones a token was seen, not how often.
    let novel = Unigram::new(pairs.keys().map(|&(_, token)| token), vocabulary);
    let mut novel_pairs: HashMap<(u32, u32), u32> = HashMap::new();
    triples.keys().for_each(|&(_, before, token)| *novel_pairs.entry((before, token)).or_default() += 1);
    let bigram = Contexts::new(pairs.into_iter().map(|((before, token), count)| (before, token, count)));
    let middle =
        Contexts::new(novel_pairs.into_iter().map(|((before, token), count)| (before, token, count)));
    let trigram = Contexts::new(triples.into_iter().map(|((a, b, token), count)| ((a, b), token, count)));

    let mut sums = [0.0; 3];
    for window in evaluation.windows(context.max(2) + 1) {
        let &[.., before, last, token] = window else { continue };
        let of_pair = bigram.probability(&last, token, novel.probability(token));
        let shorter = middle.probability(&last, token, novel.probability(token));
        let of_triple = trigram.probability(&(before, last), token, shorter);
        for (sum, probability) in sums.iter_mut().zip([unigram.probability(token), of_pair, of_triple]) {
            *sum -= libm::log(probability);
        }
    }
    let count = evaluation.len().saturating_sub(context.max(2)).max(1) as f64;
    let [unigram, bigram, trigram] = sums.map(|sum| sum / count);
    Baselines { unigram, bigram, trigram }
}

/// Bytes that counting so many tokens takes at most.
pub(crate) fn bytes(tokens: u64, vocabulary: u64) -> u64 {
    // Tables have at most 16 places for 7 entries, with a byte each; one that grows is there once more by half.
    let table = |entries: u64, entry: u64| entries.saturating_mul(entry + 1).saturating_mul(16) / 7 * 3 / 2;
    let pairs = tokens.min(vocabulary.saturating_mul(vocabulary));
    // Pairs and triples with their counts, as they are counted and as they are looked up; and what is known
    // of each context.
    let of_pairs = table(pairs, 4 * 12 + 2 * 24);
    let of_triples = table(tokens, 2 * 16 + 24);
    of_pairs.saturating_add(of_triples).saturating_add(vocabulary.saturating_mul(8))
}

struct Unigram {
    counts: Vec<u32>,
    total: f64,
}

impl Unigram {
    fn new(tokens: impl Iterator<Item = u32>, vocabulary: usize) -> Self {
        let mut counts = vec![0; vocabulary];
        tokens.for_each(|token| counts[token as usize] += 1);
        let total = counts.iter().map(|&count| f64::from(count) + 0.5).sum();
        Self { counts, total }
    }

    /// Half an occurrence more than there was keeps what was never seen possible.
    fn probability(&self, token: u32) -> f64 {
        (f64::from(self.counts[token as usize]) + 0.5) / self.total
    }
}

struct Contexts<C> {
    counts: HashMap<(C, u32), u32>,
    /// How often a context was seen, and with how many different tokens.
    totals: HashMap<C, (u64, u64)>,
}

impl<C: std::hash::Hash + Eq + Copy> Contexts<C> {
    fn new(counts: impl Iterator<Item = (C, u32, u32)>) -> Self {
        let mut contexts = Self { counts: HashMap::new(), totals: HashMap::new() };
        for (context, token, count) in counts {
            let (total, distinct) = contexts.totals.entry(context).or_default();
            *total += u64::from(count);
            *distinct += 1;
            contexts.counts.insert((context, token), count);
        }
        contexts
    }

    fn probability(&self, context: &C, token: u32, shorter: f64) -> f64 {
        let Some(&(total, distinct)) = self.totals.get(context) else { return shorter };
        let count = self.counts.get(&(*context, token)).map_or(0.0, |&count| f64::from(count) - DISCOUNT);
        (count + DISCOUNT * distinct as f64 * shorter) / total as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_contexts_predict_what_depends_on_them() {
        // The third of three tokens is decided by the first two together, not by one of them.
        let tokens: Vec<u32> = (0..3000_u32)
            .flat_map(|i| {
                let (a, b) = (i.wrapping_mul(2_654_435_761) >> 31, i.wrapping_mul(40_503) >> 9 & 1);
                [a, 2 + b, 4 + (a ^ b)]
            })
            .collect();
        let found = baselines(&tokens[..6000], &tokens[6000..], 6, 2);
        assert!(found.bigram < found.unigram - 0.3, "{found:?}");
        assert!(found.trigram < found.bigram - 0.2, "{found:?}");
        assert!(found.trigram > 0.0, "{found:?}");
    }

    #[test]
    fn probabilities_add_up_to_one() {
        let tokens = [0, 1, 2, 0, 1, 3, 0, 1, 2, 2, 1, 0];
        let pairs = tokens.windows(2).fold(HashMap::new(), |mut pairs: HashMap<_, u32>, pair| {
            *pairs.entry((pair[0], pair[1])).or_default() += 1;
            pairs
        });
        let novel = Unigram::new(pairs.keys().map(|&(_, token)| token), 5);
        let contexts =
            Contexts::new(pairs.into_iter().map(|((before, token), count)| (before, token, count)));
        for before in 0..5 {
            let sum: f64 =
                (0..5).map(|token| contexts.probability(&before, token, novel.probability(token))).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{sum}");
        }
    }
}
