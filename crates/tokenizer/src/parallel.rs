//! Several threads make the tokens of one text.
//!
//! A text is cut before a space or a newline that follows something else. No piece and no word goes on
//! there, and neither depends on what comes before it; but the white space at the end of a text is one
//! piece, so that a cut within white space would change it.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::added::Part;
use crate::characters::{Kind, kind};
use crate::tokenizer::{Model, Tokenizer};

/// A thread tells how far it is each time that it has gone through so many bytes.
const STEP: usize = 1 << 16;

/// Room is made for so many tokens at first, as threads that get more and more memory wait for one
/// another.
const BYTES_A_TOKEN: usize = 3;

impl Tokenizer {
    /// The tokens of a text, made by so many threads: those of [`Self::encode`], whatever the number.
    ///
    /// `progress` is told now and then how many bytes of the text are done, by any of the threads; the
    /// last time all of them. Each thread works out anew what stands in its share, so that a text
    /// of less than some 100 kB is not worth a second one. A `tokenizer.json` that cuts no text into
    /// pieces has one piece between two added tokens, which one thread works on.
    pub fn encode_parallel(
        &self,
        text: &[u8],
        threads: NonZero<usize>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Vec<u32> {
        let may_cut = !matches!(&self.model, Model::BytePair(model) if !model.cuts_pieces);
        let mut parts = Vec::new();
        for part in self.added.split(text) {
            match part {
                Part::Text(text) if may_cut => cut(text, &mut parts),
                part => parts.push(part),
            }
        }
        let done = Done { bytes: AtomicUsize::new(0), progress };
        let mut shares = self.shares(&parts, threads).into_iter();
        let first = shares.next().unwrap_or_default();
        thread::scope(|scope| {
            let others: Vec<_> =
                shares.map(|share| scope.spawn(|| self.encode_share(share, &done))).collect();
            let mut tokens = self.encode_share(first, &done);
            for other in others {
                match other.join() {
                    Ok(more) => tokens.extend(more),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            tokens
        })
    }

    /// The parts in their order, such that no share has many more bytes than another.
    fn shares<'p, 'a>(&self, mut parts: &'p [Part<'a>], threads: NonZero<usize>) -> Vec<&'p [Part<'a>]> {
        let mut left: usize = parts.iter().map(|part| self.part_len(part)).sum();
        let mut shares = Vec::new();
        for threads in (1..=threads.get()).rev() {
            let mut share = 0;
            let fair = left.div_ceil(threads);
            let end = parts.iter().take_while(|part| {
                let is_in = share < fair;
                share += if is_in { self.part_len(part) } else { 0 };
                is_in
            });
            let (now, later) = parts.split_at(end.count());
            if now.is_empty() {
                break;
            }
            shares.push(now);
            (parts, left) = (later, left - share);
        }
        shares
    }

    fn encode_share(&self, parts: &[Part<'_>], done: &Done<'_>) -> Vec<u32> {
        let bytes: usize = parts.iter().map(|part| self.part_len(part)).sum();
        let mut tokens = Vec::with_capacity(bytes / BYTES_A_TOKEN);
        let report = |part: &Part<'_>| done.add(self.part_len(part));
        match &self.model {
            Model::BytePair(model) => {
                model.encode_each(parts, &mut tokens, |position| report(&parts[position]), |_, _| {});
            }
            Model::Words(_) | Model::WordPiece(_) | Model::ListedWords(_) => {
                for part in parts {
                    self.encode_parts(std::slice::from_ref(part), &mut tokens);
                    report(part);
                }
            }
        }
        tokens
    }

    fn part_len(&self, part: &Part<'_>) -> usize {
        match part {
            Part::Token(token) => self.token_bytes(*token).unwrap_or_default().len(),
            Part::Text(text) | Part::Rest(text) => text.len(),
        }
    }
}

struct Done<'a> {
    bytes: AtomicUsize,
    progress: &'a (dyn Fn(usize) + Sync),
}

impl Done<'_> {
    fn add(&self, bytes: usize) {
        (self.progress)(self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes);
    }
}

/// Appends a text, cut into steps.
fn cut<'a>(text: &'a [u8], parts: &mut Vec<Part<'a>>) {
    let mut start = 0;
    while start < text.len() {
        let end = (start.saturating_add(STEP)..text.len()).find(|&position| is_boundary(text, position));
        let step = &text[start..end.unwrap_or(text.len())];
        parts.push(if start == 0 { Part::Text(step) } else { Part::Rest(step) });
        start += step.len();
    }
}

/// Whether a piece, and a word, ends before a position that is not the first.
fn is_boundary(text: &[u8], position: usize) -> bool {
    matches!(text[position], b' ' | b'\n')
        && (1..=4.min(position)).any(|len| {
            let before = str::from_utf8(&text[position - len..position]);
            let mut before = before.unwrap_or_default().chars();
            // One character, and not its last byte alone, which would be none.
            matches!((before.next(), before.next()), (Some(last), None) if kind(last) != Kind::Space)
        })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;
    use crate::pieces::pieces;

    #[test]
    fn a_text_is_cut_where_white_space_begins() {
        let text = "a b \n c\u{a0} 漢\n\u{3000}\nx\t y\u{85}\n".as_bytes();
        let boundaries: Vec<usize> =
            (1..text.len()).filter(|&position| is_boundary(text, position)).collect();
        assert_eq!(boundaries, [1, 3, 13]);
        assert!(!is_boundary(b"\xff b", 1));
    }

    #[test]
    fn progress_counts_all_bytes() {
        let text = "some words and more of them\n".repeat(20_000);
        let tokenizer = Tokenizer::train_byte_pair(text.as_bytes(), 300).unwrap();
        let reported = Mutex::new(Vec::new());
        let progress = |bytes| reported.lock().unwrap().push(bytes);
        let tokens = tokenizer.encode_parallel(text.as_bytes(), NonZero::new(3).unwrap(), &progress);
        assert_eq!(tokens, tokenizer.encode(text.as_bytes()));
        let reported = reported.into_inner().unwrap();
        assert_eq!(reported.iter().max(), Some(&text.len()));
        assert_eq!(reported.len(), text.len().div_ceil(STEP));
    }

    proptest! {
        /// Cut at every boundary there is, a text has the same pieces.
        #[test]
        fn no_boundary_is_within_a_piece(text in "([ab'1!é漢\u{a0}\u{3000}]|[ \n\t\r]){0,40}", at in 0_usize..80, with: u8) {
            let mut text = text.into_bytes();
            if let Some(byte) = text.get_mut(at) {
                *byte = with;
            }
            let whole: Vec<&[u8]> = pieces(&text).collect();
            for position in (1..text.len()).filter(|&position| is_boundary(&text, position)) {
                let (left, right) = text.split_at(position);
                prop_assert_eq!(&pieces(left).chain(pieces(right)).collect::<Vec<_>>(), &whole);
            }
        }

        /// Whatever the number of threads, and wherever special tokens stand.
        #[test]
        fn threads_do_not_change_tokens(
            line in "[ab'1!é漢 \n\t<|>\u{a0}]{1,60}",
            kind in 0..3,
            threads in 1_usize..6,
            specials in any::<bool>(),
        ) {
            let text = [line.as_str(), "<|a|> b\n"].concat().repeat(400_000 / (line.len() + 8));
            let sample = &text.as_bytes()[..text.len().min(500)];
            let tokenizer = match kind {
                0 => Tokenizer::train_byte_pair(sample, 280),
                1 => Tokenizer::train_words(sample, 50),
                _ => Tokenizer::train_words_and_bytes(sample, 280),
            };
            let names: &[&str] = if specials { &["<|a|> b", "1!"] } else { &[] };
            let tokenizer = tokenizer.unwrap().with_special_tokens(names).unwrap();
            let threads = NonZero::new(threads).unwrap();
            let tokens = tokenizer.encode_parallel(text.as_bytes(), threads, &|_| {});
            prop_assert!(tokens == tokenizer.encode(text.as_bytes()));
        }
    }
}
