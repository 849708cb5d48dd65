//! What a student learns from its teacher, row by row.

use rekindle_compute::KernelPath;

use super::{ExecContext, Keep, LOGIT_ROWS, PackedNetwork, Pass, Sequence, output_logits};
use crate::model::kernels::distillation::{divergence, mix};
use crate::model::kernels::matmul::View;
use crate::model::network::Network;

/// A network whose logits another one learns.
#[derive(Debug)]
pub struct Teacher {
    network: Network,
    packed: PackedNetwork,
    tokens: SharedTokens,
    temperature: f32,
    share: f32,
}

/// The tokens that student and teacher are compared on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SharedTokens {
    /// All: they have the same vocabulary.
    All,
    /// These, as numbers of the student's and of the teacher's vocabulary.
    Pairs(Vec<[u32; 2]>),
}

/// What a teacher is shown, and what it says of the rows of a part: buffers that are used again.
#[derive(Debug, Default)]
pub struct Teaching {
    pass: Pass,
    /// For each row of the student the row of the teacher that stands at the same place of the text.
    rows: Vec<Option<usize>>,
    /// The teacher's last hidden states for a block of rows.
    hidden: Vec<f32>,
    /// Its logits: rows x its vocabulary.
    logits: Vec<f32>,
    /// The student's, before they become gradients: rows x vocabulary.
    student: Vec<f32>,
    /// The logits of a row for the tokens that both have.
    shared: [Vec<f32>; 2],
}

impl Teacher {
    /// A teacher whose logits, divided by a temperature, make up a share of the loss.
    pub fn new(
        network: Network,
        packed: PackedNetwork,
        tokens: SharedTokens,
        temperature: f32,
        share: f32,
    ) -> Self {
        Self { network, packed, tokens, temperature, share }
    }

    /// The most tokens that it sees at once.
    pub fn context(&self) -> usize {
        self.network.context()
    }

    /// Shows it sequences; `rows` says for each row of the student which of the teacher's stands at the same place.
    pub(crate) fn read(
        &self,
        ctx: ExecContext,
        teaching: &mut Teaching,
        sequences: &[Sequence],
        rows: Vec<Option<usize>>,
    ) {
        teaching.rows = rows;
        teaching.pass.forward(ctx, &self.network, &self.packed, sequences, Keep::Nothing);
    }

    /// Mixes what the teacher says of a block of rows into the gradients of the student's logits: `first` is the first
    /// of them among those of the part, `gradients` those of the text, times `scale`. Gives the sum of the divergences.
    pub(super) fn teach(
        &self,
        ctx: ExecContext,
        teaching: &mut Teaching,
        first: usize,
        gradients: &mut [f32],
        scale: f32,
    ) -> f64 {
        let width = self.network.width();
        let rows = LOGIT_ROWS.min(teaching.rows.len() - first);
        let block = &teaching.rows[first..first + rows];
        teaching.hidden.clear();
        for row in block.iter().flatten() {
            teaching.hidden.extend_from_slice(&teaching.pass.residual[row * width..][..width]);
        }
        let taught = teaching.hidden.len() / width;
        if taught == 0 {
            return 0.0;
        }
        let vocabulary = self.network.vocabulary();
        teaching.logits.resize(taught * vocabulary, 0.0);
        let hidden = View::new(&teaching.hidden, taught, width, width);
        output_logits(ctx, &self.network, &self.packed, hidden, &mut teaching.logits);
        let columns = gradients.len() / rows;
        let student_rows =
            gradients.chunks_exact_mut(columns).zip(teaching.student.chunks_exact_mut(columns));
        let taught_rows = block.iter().zip(student_rows).filter(|(row, _)| row.is_some());
        let mut sum = 0.0;
        for ((_, (gradients, student)), teacher) in
            taught_rows.zip(teaching.logits.chunks_exact_mut(vocabulary))
        {
            sum +=
                f64::from(self.teach_row(ctx.path, gradients, student, teacher, &mut teaching.shared, scale));
        }
        sum
    }

    /// The divergence of one row; its gradient is mixed into those of the text.
    fn teach_row(
        &self,
        path: KernelPath,
        gradients: &mut [f32],
        student: &mut [f32],
        teacher: &mut [f32],
        shared: &mut [Vec<f32>; 2],
        scale: f32,
    ) -> f32 {
        let (mut loss, kept, factor) = (0.0, 1.0 - self.share, self.share * scale);
        match &self.tokens {
            SharedTokens::All => {
                divergence(path, student, teacher, &mut loss, self.temperature);
                mix(path, gradients, student, kept, factor);
            }
            SharedTokens::Pairs(pairs) => {
                let [ours, theirs] = shared;
                ours.clear();
                ours.extend(pairs.iter().map(|[token, _]| student[*token as usize]));
                theirs.clear();
                theirs.extend(pairs.iter().map(|[_, token]| teacher[*token as usize]));
                divergence(path, ours, theirs, &mut loss, self.temperature);
                // The other tokens are learnt from the text alone.
                student.fill(0.0);
                pairs
                    .iter()
                    .zip(ours)
                    .for_each(|([token, _], gradient)| student[*token as usize] = *gradient);
                mix(path, gradients, student, kept, factor);
            }
        }
        loss
    }
}

impl Teaching {
    /// Keeps the student's logits of a block of rows, which are about to become gradients.
    pub(super) fn note(&mut self, logits: &[f32]) {
        self.student.clear();
        self.student.extend_from_slice(logits);
    }
}
