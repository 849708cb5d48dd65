//! Examples in the form in which networks learn them.

use rekindle_data::{ClassedExamples, Encoding, ExampleRows, Missing, Split, identity};

use crate::config::Data;
use crate::error::ClassifyError;
use crate::preparation::Preparation;
use crate::source;

/// How a network reads examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// How numbers become bits.
    pub encoding: Encoding,
    /// Which of the bits it reads.
    pub bits: ReadBits,
    /// The setting by which pixels are moved, where there is one: examples must be pictures then, whose pixels
    /// are all encoded alike.
    pub moves_pixels: Option<&'static str>,
    /// The random stream of made glyphs.
    pub glyphs: u64,
}

/// Which bits a network reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadBits {
    /// Those that tell the examples apart.
    Telling,
    /// All of them: for each threshold a map of the inputs.
    Maps,
}

/// Encoded examples and their classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Examples {
    /// Inputs of an example.
    pub inputs: usize,
    /// By example and input: how many thresholds the value exceeds.
    pub levels: Vec<u8>,
    /// By example; empty where the classes are asked for.
    pub class: Vec<u16>,
}

/// All examples of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// What they are, and how they are encoded.
    pub preparation: Preparation,
    /// Those that are learnt.
    pub training: Examples,
    /// Those that anything is chosen by; there may be none.
    pub select: Examples,
    /// Those that are reported on; there may be none.
    pub test: Examples,
    /// What whoever trains should know of them.
    pub notes: Vec<String>,
}

impl Examples {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.levels.len() / self.inputs
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// The levels of an example.
    pub fn row(&self, index: usize) -> &[u8] {
        &self.levels[index * self.inputs..(index + 1) * self.inputs]
    }

    /// Number of [`bytes`](Self::bytes).
    fn bytes_len(&self) -> usize {
        self.levels.len() + 2 * self.class.len()
    }

    /// What the network sees, and what it is told of it.
    fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.levels.iter().copied().chain(self.class.iter().flat_map(|class| class.to_le_bytes()))
    }
}

impl Dataset {
    /// The examples of a config, the same for the same seed.
    ///
    /// # Errors
    /// When they cannot be read, are not what the network reads, or leave nothing to be learnt.
    pub fn load(data: &Data, reading: &Reading, seed: u64) -> Result<Self, ClassifyError> {
        let loaded = source::load(data, reading, seed)?;
        let split = loaded.examples.split(data.shares(), seed)?;
        loaded.examples.check_train(&split.train)?;
        // Generated examples lack no value.
        let missing = if data.file.is_some() { data.missing } else { Missing::Refuse };
        Self::of(loaded, &split, missing, reading)
    }

    fn of(
        loaded: source::Loaded,
        split: &Split,
        missing: Missing,
        reading: &Reading,
    ) -> Result<Self, ClassifyError> {
        let source::Loaded { examples: mut classed, test } = loaded;
        let (fillings, thermometers) = source::encoding(&mut classed, missing, &split.train, reading)?;
        let ClassedExamples { rows, target, picture, notes, .. } = classed;
        let examples =
            |rows: &ExampleRows, labels: &[usize], chosen: &[usize]| -> Result<Examples, ClassifyError> {
                let levels = rows.levels(&thermometers, chosen)?;
                let class = chosen.iter().map(|&row| labels[row] as u16).collect();
                Ok(Examples { inputs: rows.inputs(), levels, class })
            };
        let training = examples(&rows, &target.labels, &split.train)?;
        let select = examples(&rows, &target.labels, &split.select)?;
        let test = match &test {
            Some((rows, labels)) => examples(rows, labels, &(0..labels.len()).collect::<Vec<_>>())?,
            None => examples(&rows, &target.labels, &split.test)?,
        };
        let all = [&training, &select, &test];
        let seen = all.into_iter().flat_map(Examples::bytes);
        let len = all.into_iter().map(Examples::bytes_len).sum();
        let [width, height] = picture.unwrap_or([0, 0]).map(|side| side as u64);
        let mut preparation = Preparation {
            identity: identity::of_examples(seen, len, &split.train).to_string(),
            rows: training.len() as u64,
            select_rows: select.len() as u64,
            test_rows: test.len() as u64,
            width,
            height,
            inputs: rows.names(),
            fillings,
            used: Vec::new(),
            thermometers,
            target: target.name,
            classes: target.classes,
        };
        preparation.used = preparation.read_bits(reading.bits, &training);
        Ok(Self { preparation, training, select, test, notes })
    }
}
