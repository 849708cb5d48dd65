//! Pictures as tokens: a picture is cut into patches, each of which is the nearest of a number of codes.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::error::GptError;

/// The character that stands for the first code in a text; the others follow it. They are of the range that Unicode
/// leaves to everybody, so that no text means anything else by them.
const FIRST: u32 = 0xe000;
/// Codes at most: as many as that range has.
pub(crate) const MOST_CODES: usize = 6400;
/// Rounds in which codes move to the middle of the patches that are nearest to them.
const ROUNDS: usize = 6;

/// Writes pictures as texts.
#[derive(Debug)]
pub struct PictureEncoder<'a> {
    codebook: &'a Codebook,
    symbols: Vec<char>,
    /// The codes of patches that are codes themselves.
    known: HashMap<&'a [u8], usize>,
}

/// Red, green and blue.
pub type Pixel = [u8; 3];

/// The patches that pictures of one size are made of.
///
/// As text, a picture is a character a patch, row by row from the upper left corner; each is a token of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Codebook {
    /// Pixels of a side of a picture.
    side: u32,
    /// Pixels of a side of a patch.
    patch: u32,
    /// The patches, row by row, red, green and blue of each pixel.
    #[serde(with = "rekindle::growing")]
    codes: Vec<u8>,
}

#[derive(Deserialize)]
struct Stored {
    side: u32,
    patch: u32,
    #[serde(with = "rekindle::growing")]
    codes: Vec<u8>,
}

impl TryFrom<Stored> for Codebook {
    type Error = String;

    fn try_from(Stored { side, patch, codes }: Stored) -> Result<Self, String> {
        let codebook = Self { side, patch, codes };
        let is_divided =
            (1..=64).contains(&patch) && (patch..=4096).contains(&side) && side.is_multiple_of(patch);
        let is_whole = is_divided && codebook.codes.len().is_multiple_of(codebook.patch_bytes());
        if !is_whole || codebook.is_empty() || codebook.len() > MOST_CODES {
            return Err(format!(
                "{} bytes of patches of {patch} pixels for pictures of {side} are no codebook",
                codebook.codes.len()
            ));
        }
        Ok(codebook)
    }
}

impl Codebook {
    /// At most so many codes for the patches of square pictures: the most frequent ones, moved to the middle of what is
    /// nearest to them (Lloyd, "Least squares quantization in PCM", 1982). All in whole numbers: the same on every
    /// machine.
    ///
    /// # Panics
    /// If a picture has not `side` x `side` pixels, or patches do not divide it.
    pub(crate) fn learn<'a>(
        side: u32,
        patch: u32,
        most: usize,
        pictures: impl Iterator<Item = &'a [Pixel]>,
    ) -> Self {
        let empty = Self { side, patch, codes: Vec::new() };
        let mut counts: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        for picture in pictures {
            empty.patches(picture).for_each(|patch| *counts.entry(patch).or_default() += 1);
        }
        let mut by_count: Vec<(&Vec<u8>, &u64)> = counts.iter().collect();
        by_count.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let first = by_count.iter().take(most).flat_map(|(patch, _)| patch.iter().copied());
        let mut codebook = Self { codes: first.collect(), ..empty };
        if by_count.len() > most {
            (0..ROUNDS).for_each(|_| codebook.move_codes(&counts));
        }
        codebook
    }

    fn move_codes(&mut self, counts: &BTreeMap<Vec<u8>, u64>) {
        let bytes = self.patch_bytes();
        let mut sums = vec![0_u64; self.codes.len()];
        let mut weights = vec![0_u64; self.len()];
        for (patch, count) in counts {
            let code = self.nearest(patch);
            weights[code] += count;
            let sums = &mut sums[code * bytes..][..bytes];
            sums.iter_mut().zip(patch).for_each(|(sum, byte)| *sum += count * u64::from(*byte));
        }
        for ((code, sums), weight) in
            self.codes.chunks_exact_mut(bytes).zip(sums.chunks_exact(bytes)).zip(weights)
        {
            // A code that is nearest to none stays.
            if weight > 0 {
                code.iter_mut().zip(sums).for_each(|(byte, sum)| *byte = ((sum + weight / 2) / weight) as u8);
            }
        }
    }

    /// The number of codes.
    pub fn len(&self) -> usize {
        self.codes.len() / self.patch_bytes()
    }

    /// True when there are no codes.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Pixels of a side of a picture.
    pub fn side(&self) -> u32 {
        self.side
    }

    /// Patches of a picture.
    pub fn patches_of_a_picture(&self) -> usize {
        let across = (self.side / self.patch) as usize;
        across * across
    }

    fn patch_bytes(&self) -> usize {
        (self.patch * self.patch) as usize * 3
    }

    /// The symbols that stand for the codes.
    pub fn symbols(&self) -> impl Iterator<Item = char> {
        (FIRST..).take(self.len()).filter_map(char::from_u32)
    }

    /// Ready to write pictures as texts.
    pub fn encoder(&self) -> PictureEncoder<'_> {
        let codes = self.codes.chunks_exact(self.patch_bytes());
        // Of codes that are the same the first counts.
        let known = codes.enumerate().rev().map(|(code, patch)| (patch, code)).collect();
        PictureEncoder { codebook: self, symbols: self.symbols().collect(), known }
    }

    /// The first picture in a text: as many patches as one has, whatever else stands between them. None where there are
    /// fewer.
    pub fn picture_in(&self, text: &str) -> Option<Vec<Pixel>> {
        let codes = text.chars().filter_map(|symbol| self.code_of(symbol));
        let codes: Vec<usize> = codes.take(self.patches_of_a_picture()).collect();
        if codes.len() < self.patches_of_a_picture() {
            return None;
        }
        let (side, patch) = (self.side as usize, self.patch as usize);
        let pixel = |index: usize| {
            let (row, column) = (index / side, index % side);
            let code = codes[row / patch * (side / patch) + column / patch];
            let place = row % patch * patch + column % patch;
            let bytes = &self.codes[code * self.patch_bytes() + 3 * place..];
            [bytes[0], bytes[1], bytes[2]]
        };
        Some((0..side * side).map(pixel).collect())
    }

    /// A text without the symbols of patches.
    pub fn without_pictures(&self, text: &str) -> String {
        text.chars().filter(|&symbol| self.code_of(symbol).is_none()).collect()
    }

    fn code_of(&self, symbol: char) -> Option<usize> {
        let code = (symbol as usize).checked_sub(FIRST as usize)?;
        (code < self.len()).then_some(code)
    }

    /// The patches of a picture, row by row.
    fn patches<'a>(&self, picture: &'a [Pixel]) -> impl Iterator<Item = Vec<u8>> + use<'a> {
        let (side, patch) = (self.side as usize, self.patch as usize);
        let across = side / patch;
        (0..across * across).map(move |index| {
            let (top, left) = (index / across * patch, index % across * patch);
            let rows = (top..top + patch).map(|row| &picture[row * side + left..][..patch]);
            rows.flat_map(|row| row.as_flattened()).copied().collect()
        })
    }

    /// The code that differs least from a patch, in the sum of squares; of several the first.
    fn nearest(&self, patch: &[u8]) -> usize {
        let distance = |code: &[u8]| -> u64 {
            code.iter().zip(patch).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum()
        };
        let codes = self.codes.chunks_exact(self.patch_bytes()).map(distance).enumerate();
        codes.min_by_key(|(_, distance)| *distance).map_or(0, |(code, _)| code)
    }
}

impl PictureEncoder<'_> {
    /// A picture as a text.
    ///
    /// # Errors
    /// When it is not as large as those that the codes are for.
    pub fn text_of(&self, width: usize, pixels: &[Pixel]) -> Result<String, GptError> {
        let side = self.codebook.side as usize;
        if width != side || pixels.len() != side * side {
            return Err(GptError::PictureSize { found: [width, pixels.len() / width.max(1)], side });
        }
        let code_of = |patch: Vec<u8>| {
            self.known.get(&*patch).copied().unwrap_or_else(|| self.codebook.nearest(&patch))
        };
        Ok(self.codebook.patches(pixels).map(|patch| self.symbols[code_of(patch)]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of 4 x 4 pixels, in four patches of one colour each.
    fn quarters(colours: [u8; 4]) -> Vec<Pixel> {
        (0..16).map(|index| [colours[index / 8 * 2 + index % 4 / 2]; 3]).collect()
    }

    fn learnt(pictures: &[Vec<Pixel>], most: usize) -> Codebook {
        Codebook::learn(4, 2, most, pictures.iter().map(Vec::as_slice))
    }

    #[test]
    fn a_picture_comes_back_where_there_is_a_code_for_each_patch() {
        let pictures = [quarters([0, 10, 20, 30]), quarters([0, 0, 30, 200])];
        let codebook = learnt(&pictures, 8);
        assert_eq!(codebook.len(), 5);
        for picture in &pictures {
            let text = codebook.encoder().text_of(4, picture).unwrap();
            assert_eq!(text.chars().count(), 4);
            let among_words = format!("it is {text} there");
            assert_eq!(codebook.picture_in(&among_words).as_ref(), Some(picture));
            assert_eq!(codebook.without_pictures(&among_words), "it is  there");
        }
    }

    #[test]
    fn fewer_codes_stand_for_what_is_near_to_them() {
        let codebook = learnt(&[quarters([0, 10, 200, 210])], 2);
        let text = codebook.encoder().text_of(4, &quarters([3, 4, 190, 240])).unwrap();
        assert_eq!(codebook.picture_in(&text), Some(quarters([5, 5, 205, 205])));
    }

    #[test]
    fn other_sizes_and_other_texts_are_no_pictures() {
        let codebook = learnt(&[quarters([0, 10, 20, 30])], 8);
        let error = codebook.encoder().text_of(8, &[[0; 3]; 64]).unwrap_err().to_string();
        assert!(error.contains("8 x 8 pixels") && error.contains("4 x 4"), "{error}");
        assert_eq!(codebook.picture_in("no picture"), None);
        let three: String = codebook.symbols().take(3).collect();
        assert_eq!(codebook.picture_in(&three), None);
    }

    #[test]
    fn a_codebook_that_contradicts_itself_is_refused() {
        let codes = |count: usize| vec![0; count];
        for (side, patch, codes) in
            [(4, 0, codes(12)), (4, 3, codes(27)), (4, 2, codes(13)), (4, 2, codes(0)), (1, 2, codes(12))]
        {
            assert!(Codebook::try_from(Stored { side, patch, codes }).is_err(), "{side} {patch}");
        }
    }
}
