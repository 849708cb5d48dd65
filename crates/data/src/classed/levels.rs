//! Rows as levels: how many thresholds of its input each number exceeds.

use super::{ClassedError, ExampleRows};
use crate::table::NumberColumn;
use crate::thermometers::Thermometers;

/// Levels of examples are never held in more memory: bytes.
const LEVELS_LIMIT: u64 = 8 << 30;

impl ExampleRows {
    /// The levels of the chosen rows, row by row; every input has at most 255.
    ///
    /// # Errors
    /// When they would take too much memory.
    pub fn levels(&self, thermometers: &Thermometers, chosen: &[usize]) -> Result<Vec<u8>, ClassedError> {
        let pictures = match self {
            Self::Columns(examples) => return thermometers.levels(&examples.inputs, chosen),
            Self::Pictures(pictures) => pictures,
        };
        let size = pictures.size();
        let mut levels = room(chosen.len(), size)?;
        let pixels = |picture: usize| &pictures.pixels[picture * size..(picture + 1) * size];
        let of = |input: usize, shade: u8| thermometers.level(input, shade.into()) as u8;
        if thermometers.are_alike() {
            let of_shade: Vec<u8> = (0..=u8::MAX).map(|shade| of(0, shade)).collect();
            for &picture in chosen {
                levels.extend(pixels(picture).iter().map(|&shade| of_shade[usize::from(shade)]));
            }
        } else {
            for &picture in chosen {
                levels.extend(pixels(picture).iter().enumerate().map(|(input, &shade)| of(input, shade)));
            }
        }
        Ok(levels)
    }
}

impl Thermometers {
    /// The levels of the chosen rows of columns, row by row; every input has at most 255.
    ///
    /// # Errors
    /// When they would take too much memory.
    pub fn levels(&self, columns: &[NumberColumn], chosen: &[usize]) -> Result<Vec<u8>, ClassedError> {
        let mut levels = room(chosen.len(), columns.len())?;
        for &row in chosen {
            let level = |(input, column): (usize, &NumberColumn)| self.level(input, column.values[row]) as u8;
            levels.extend(columns.iter().enumerate().map(level));
        }
        Ok(levels)
    }
}

/// Room for the levels of so many examples.
fn room(rows: usize, inputs: usize) -> Result<Vec<u8>, ClassedError> {
    let bytes = (rows as u64).saturating_mul(inputs as u64);
    match bytes <= LEVELS_LIMIT {
        true => Ok(Vec::with_capacity(bytes as usize)),
        false => Err(ClassedError::TooLarge { bytes, limit: LEVELS_LIMIT }),
    }
}
