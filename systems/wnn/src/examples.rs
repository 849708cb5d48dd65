//! Tokens as examples: the bits of a context, and the class that follows.

use crate::genome::MOST_INPUTS;

/// How tokens become input bits and classes.
///
/// The input is the codes of the last tokens, the oldest first, each with its most significant bit
/// first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coding {
    /// The code of each token, in the input.
    codes: Vec<u32>,
    /// The class of each token: its rank by frequency.
    classes: Vec<u32>,
    /// Tokens of a context.
    context: usize,
    bits_per_token: usize,
}

impl Coding {
    /// Ranks the tokens by how often they occur in `tokens`, the most frequent first; of equally
    /// frequent ones the smaller token is first. With `by_frequency` the rank is the code as well,
    /// otherwise the token is.
    ///
    /// All `tokens` are below `vocabulary`, and a context has at most 256 bits.
    pub fn new(tokens: &[u32], vocabulary: usize, context: usize, by_frequency: bool) -> Self {
        let mut counts = vec![0_u32; vocabulary];
        tokens.iter().for_each(|&token| counts[token as usize] += 1);
        let mut order: Vec<u32> = (0..vocabulary as u32).collect();
        order.sort_by_key(|&token| std::cmp::Reverse(counts[token as usize]));
        let mut classes = vec![0; vocabulary];
        order.iter().zip(0..).for_each(|(&token, rank)| classes[token as usize] = rank);
        let codes = if by_frequency { classes.clone() } else { (0..vocabulary as u32).collect() };
        Self { codes, classes, context, bits_per_token: bits_per_token(vocabulary) }
    }

    /// Number of classes.
    pub fn vocabulary(&self) -> usize {
        self.codes.len()
    }

    /// Bits of a token's code.
    pub fn bits_per_token(&self) -> usize {
        self.bits_per_token
    }

    /// Tokens of a context.
    pub fn context(&self) -> usize {
        self.context
    }

    /// Bits of an input.
    pub fn inputs(&self) -> usize {
        self.context * self.bits_per_token
    }

    /// The class of a token.
    pub fn class(&self, token: u32) -> u32 {
        self.classes[token as usize]
    }

    /// The examples in a piece of text: one for each token that has a whole context before it.
    pub fn examples(&self, tokens: &[u32]) -> Examples {
        let count = tokens.len().saturating_sub(self.context);
        let words = self.inputs().div_ceil(64);
        let mut inputs = vec![0_u64; count * words];
        for (window, input) in tokens.windows(self.context + 1).zip(inputs.chunks_exact_mut(words)) {
            let mut position = 0;
            for &token in &window[..self.context] {
                let code = u64::from(self.codes[token as usize]);
                for bit in (0..self.bits_per_token).rev() {
                    input[position / 64] |= (code >> bit & 1) << (position % 64);
                    position += 1;
                }
            }
        }
        let classes = tokens[tokens.len() - count..].iter().map(|&token| self.class(token)).collect();
        Examples { words, inputs, classes }
    }
}

/// Bits that tell `vocabulary` tokens apart.
pub fn bits_per_token(vocabulary: usize) -> usize {
    (usize::BITS - vocabulary.saturating_sub(1).leading_zeros()).max(1) as usize
}

/// The longest context whose bits can be connected to.
pub fn longest_context(vocabulary: usize) -> usize {
    MOST_INPUTS / bits_per_token(vocabulary)
}

/// Inputs and the classes that follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examples {
    /// 64-bit words of an input; input bit `i` is bit `i % 64` of word `i / 64`.
    pub words: usize,
    /// The inputs, one behind the other.
    pub inputs: Vec<u64>,
    /// The class of each.
    pub classes: Vec<u32>,
}

impl Examples {
    /// Number of examples.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// True without examples.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// The words of an input.
    pub fn input(&self, index: usize) -> &[u64] {
        &self.inputs[index * self.words..][..self.words]
    }
}

/// Examples to train on, class by class.
#[derive(Debug, Clone)]
pub struct ClassedExamples {
    words: usize,
    inputs: Vec<u64>,
    /// Where each class ends.
    ends: Vec<u32>,
}

impl ClassedExamples {
    /// Sorts examples by their class; within a class they keep their order.
    pub fn new(examples: &Examples, classes: usize) -> Self {
        let mut ends = vec![0_u32; classes];
        examples.classes.iter().for_each(|&class| ends[class as usize] += 1);
        let mut next = 0;
        let mut positions: Vec<u32> = ends
            .iter_mut()
            .map(|end| {
                let start = next;
                next += *end;
                *end = next;
                start
            })
            .collect();
        let words = examples.words;
        let mut inputs = vec![0; examples.inputs.len()];
        for (index, &class) in examples.classes.iter().enumerate() {
            let position = positions[class as usize] as usize;
            positions[class as usize] += 1;
            inputs[position * words..][..words].copy_from_slice(examples.input(index));
        }
        Self { words, inputs, ends }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.ends.len()
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.inputs.len() / self.words.max(1)
    }

    /// True without examples.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// 64-bit words of an input.
    pub fn words(&self) -> usize {
        self.words
    }

    /// Number of examples of a class.
    pub fn count(&self, class: usize) -> usize {
        (self.ends[class] - self.start(class)) as usize
    }

    /// The inputs of a class, one behind the other.
    pub fn inputs(&self, class: usize) -> &[u64] {
        &self.inputs[self.start(class) as usize * self.words..self.ends[class] as usize * self.words]
    }

    fn start(&self, class: usize) -> u32 {
        class.checked_sub(1).map_or(0, |before| self.ends[before])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_is_oldest_token_and_highest_bit_first() {
        let coding = Coding::new(&[5, 5, 1], 6, 2, false);
        assert_eq!((coding.bits_per_token(), coding.inputs()), (3, 6));
        let examples = coding.examples(&[1, 4, 5, 1]);
        // 001 100, and 100 101; bit 0 is the first.
        assert_eq!(examples.inputs, [0b001_100, 0b101_001]);
        assert_eq!(examples.classes, [0, 1]);
        assert!(coding.examples(&[1, 4]).is_empty());
    }

    #[test]
    fn equally_frequent_tokens_keep_their_order() {
        let coding = Coding::new(&[2, 2, 3, 0, 3, 3], 5, 1, true);
        let classes: Vec<_> = (0..5).map(|token| coding.class(token)).collect();
        assert_eq!(classes, [2, 3, 1, 0, 4]);
    }

    #[test]
    fn examples_are_sorted_by_class() {
        let examples = Examples { words: 1, inputs: vec![10, 11, 12, 13], classes: vec![2, 0, 2, 0] };
        let classed = ClassedExamples::new(&examples, 3);
        assert_eq!(
            (classed.inputs(0), classed.inputs(1), classed.inputs(2)),
            (&[11, 13][..], &[][..], &[10, 12][..])
        );
        assert_eq!((classed.count(0), classed.count(1), classed.len()), (2, 0, 4));
    }

    #[test]
    fn bits_tell_all_tokens_apart() {
        assert_eq!([1, 2, 3, 4, 5, 50_257].map(bits_per_token), [1, 1, 2, 2, 3, 16]);
        assert_eq!(longest_context(50_257), 16);
    }
}
