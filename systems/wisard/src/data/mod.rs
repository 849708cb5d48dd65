//! The examples that a classifier learns.

mod preparation;

use rekindle_data::{
    ClassColumn, ClassOrder, Encoding, ExamplesError, Missing, NumberColumn, Origin, Shares, Split,
    TableExamples, TableLayout, TableTarget, TargetKind, glyphs,
};
use rekindle_formats::table::{CsvFormat, Table};

use crate::config::{Data, Division, Source};
use crate::error::WisardError;
use crate::planes::Planes;
use crate::streams;

pub use preparation::Preparation;

/// Encoded rows and their classes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Examples {
    pub planes: Planes,
    pub class: Vec<u16>,
}

/// All examples of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dataset {
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

/// Rows of numbers and the class of each: nothing is encoded.
#[derive(Debug, Clone, PartialEq)]
struct ClassedRows {
    inputs: Vec<NumberColumn>,
    target: ClassColumn,
}

impl Dataset {
    /// The examples of a config, the same for the same seed.
    pub fn load(config: &Data, encoding: Encoding, seed: u64) -> Result<Self, WisardError> {
        let examples = match (&config.file, config.source) {
            (Some(file), _) => {
                let layout = layout(config.target.as_slice(), &config.ignore);
                let layout = TableLayout { missing: config.missing, format: config.format(), ..layout };
                TableExamples::read(file, &layout)?
            }
            (None, Source::Glyphs) => glyphs::generate(config.rows, config.noise, seed, streams::GLYPH),
            (None, Source::File) => return Err(ExamplesError::NoFile.into()),
        };
        Self::of(examples, config.division(), config.missing, encoding, seed)
    }

    /// The examples of a table: all rows are learnt.
    pub fn of_table(table: &Table, target: &str, encoding: Encoding, seed: u64) -> Result<Self, WisardError> {
        let target = [target.to_owned()];
        let examples = TableExamples::of_table(Origin::Named("the table"), table, &layout(&target, &[]))?;
        let all = Division::ByContent(Shares { select: 0.0, test: 0.0 });
        Self::of(examples, all, Missing::Refuse, encoding, seed)
    }

    fn of(
        mut examples: TableExamples,
        division: Division,
        missing: Missing,
        encoding: Encoding,
        seed: u64,
    ) -> Result<Self, WisardError> {
        examples.inputs.iter().try_for_each(|input| input.check_range(&examples.origin))?;
        let split = match division {
            Division::Validation(share) => Split::drawn(examples.rows(), share, seed, streams::SPLIT),
            Division::ByContent(shares) => examples.split(shares, seed)?,
        };
        examples.check_train(&split.train)?;
        let fillings = examples.fill(missing, &split.train)?;
        let TableTarget::Classes(target) = examples.target else {
            unreachable!("the layout asks for classes");
        };
        let rows = ClassedRows { inputs: examples.inputs, target };
        let dataset = Preparation::of(rows, &split, division.has_test(), encoding, fillings)?;
        Ok(Self { notes: examples.notes, ..dataset })
    }

    /// What is learnt, without what is kept back.
    pub fn learnt(self) -> (Preparation, Examples) {
        (self.preparation, self.training)
    }
}

fn layout<'a>(targets: &'a [String], ignored: &'a [String]) -> TableLayout<'a> {
    TableLayout {
        targets,
        ignored,
        kind: TargetKind::Classes(ClassOrder::ByValue),
        missing: Missing::Refuse,
        format: CsvFormat::default(),
    }
}
