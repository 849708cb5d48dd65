//! One update of all parameters.

use rekindle_compute::{AdamW, KernelPath, Pool};

use crate::model::kernels::rows;
use crate::model::network::{ArrayKind, Network};
use crate::model::pass::{Dropout, ExecContext, Losses, PackedNetwork, Pass, Sequence, Teaching};
use crate::model::precision::{LossScaler, TrainingPrecision};
use crate::train::consolidation::Consolidation;
use crate::train::optimizer::{Moments, Optimizer};
use crate::train::teacher::AlignedTeacher;

/// Numbers of an array that are updated together.
const CHUNK: usize = 1 << 14;

/// How a step is done; the same for every step of a run.
#[derive(Debug, Clone, Copy)]
pub struct StepSettings {
    /// The kernels.
    pub path: KernelPath,
    /// How numbers are stored between operations.
    pub precision: TrainingPrecision,
    /// Parts of a batch, whose gradients are added in their order.
    pub parts: usize,
    /// Gradients are made shorter when their norm is larger; 0 for never.
    pub clip: f64,
}

/// What a step is done with.
#[derive(Debug, Clone, Copy)]
pub struct StepValues<'a> {
    /// The optimiser's.
    pub adamw: AdamW,
    /// What is left out.
    pub dropout: Option<Dropout>,
    /// What parameters are held to, and how strongly.
    pub held: Option<(&'a Consolidation, f32)>,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Mean loss of the targets, in nats.
    pub loss: f64,
    /// Mean divergence from the teacher over the targets, in nats, where there is one.
    pub divergence: Option<f64>,
    /// Norm of the gradient before it was clipped.
    pub gradient_norm: f64,
    /// The gradient overflowed, and nothing was updated.
    pub skipped: bool,
}

/// The buffers of training steps: rebuilt, never saved.
#[derive(Debug)]
pub struct Stepper {
    settings: StepSettings,
    pool: Pool,
    packed: PackedNetwork,
    parts: Vec<Part>,
    teacher: Option<AlignedTeacher>,
    /// For each array of the network the position of its moments among those of an optimiser.
    moment_order: Vec<usize>,
}

#[derive(Debug)]
struct Part {
    pass: Pass,
    gradient: Network,
    teaching: Teaching,
    losses: Losses,
}

impl Stepper {
    /// Buffers for training a network of this shape on so many threads.
    pub fn new(network: &Network, settings: StepSettings, pool: Pool) -> Self {
        let part = || Part {
            pass: Pass::default(),
            gradient: network.zeros(),
            teaching: Teaching::default(),
            losses: Losses::default(),
        };
        let parts = std::iter::repeat_with(part).take(settings.parts.max(1)).collect();
        let moment_order = moment_order(network);
        Self { settings, pool, packed: PackedNetwork::default(), parts, teacher: None, moment_order }
    }

    /// The same, where a teacher is learnt from, too.
    #[must_use]
    pub(crate) fn with_teacher(self, teacher: Option<AlignedTeacher>) -> Self {
        Self { teacher, ..self }
    }

    /// Who is learnt from, beside the text.
    pub(crate) fn teacher(&self) -> Option<&AlignedTeacher> {
        self.teacher.as_ref()
    }

    /// The threads.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Makes room for a network whose vocabulary has changed.
    pub fn resize(&mut self, network: &Network) {
        for part in &mut self.parts {
            part.gradient = network.zeros();
        }
    }

    /// Learns batches and updates the network once with the mean gradient of all their targets.
    /// Batches are sequences that are worked on together; several of them need less memory than one.
    ///
    /// # Panics
    /// If network and optimiser have other arrays than the network that the stepper was made for.
    pub fn step(
        &mut self,
        network: &mut Network,
        optimizer: &mut Optimizer,
        scaler: Option<&mut LossScaler>,
        batches: &[Vec<Sequence>],
        values: StepValues<'_>,
    ) -> StepReport {
        let targets: usize = batches.iter().flatten().map(Sequence::targets).sum();
        let loss_scale = scaler.as_ref().map_or(1.0, |scaler| scaler.scale);
        let scale = loss_scale / targets.max(1) as f32;
        self.packed.pack(network, self.settings.precision, true, &self.pool);
        self.parts.iter_mut().for_each(|part| part.losses = Losses::default());
        self.pool.for_each(&mut self.parts, |_, part| part.gradient.clear());
        let mut first = 0;
        for batch in batches {
            self.accumulate_gradients(network, batch, first, scale, values.dropout);
            first += batch.len();
        }
        let loss = self.mean(targets, |losses| losses.text);
        let divergence = self.teacher.is_some().then(|| self.mean(targets, |losses| losses.divergence));
        let pull =
            values.held.map(|(held, strength)| Pull { held, network, strength: strength * loss_scale });
        let gradient_norm = self.sum_gradients(pull).sqrt() / f64::from(loss_scale);
        let skipped = scaler.is_some_and(|scaler| scaler.skips(gradient_norm.is_finite()));
        if !skipped {
            let clip = self.settings.clip;
            let clip_factor = if clip > 0.0 && gradient_norm > clip { clip / gradient_norm } else { 1.0 };
            self.update(network, optimizer, values.adamw, (clip_factor / f64::from(loss_scale)) as f32);
        }
        StepReport { loss, divergence, gradient_norm, skipped }
    }

    /// Mean loss of the targets of some sequences, in nats; nothing is left out or learnt.
    pub fn evaluate(&mut self, network: &Network, sequences: &[Sequence]) -> f64 {
        let targets: usize = sequences.iter().map(Sequence::targets).sum();
        let ctx = ExecContext { path: self.settings.path, precision: self.settings.precision, dropout: None };
        self.packed.pack(network, self.settings.precision, false, &self.pool);
        let (packed, count) = (&self.packed, self.parts.len());
        let together = evaluated_together(network.context());
        self.pool.for_each(&mut self.parts, |index, part| {
            let range = part_range(sequences.len(), count, index);
            // A few at a time: memory does not grow with the number of sequences.
            let pieces = sequences[range].chunks(together);
            part.losses.text = pieces.map(|some| part.pass.loss(ctx, network, packed, some)).sum();
        });
        self.mean(targets, |losses| losses.text)
    }

    /// Adds to `sums` for each parameter the mean over some sequences of the squared gradient of their losses, a target of
    /// them each: how much the parameter matters to them.
    pub(crate) fn add_squared_gradients(
        &mut self,
        network: &Network,
        sequences: &[Sequence],
        sums: &mut Network,
    ) {
        let ctx = ExecContext { path: self.settings.path, precision: TrainingPrecision::F32, dropout: None };
        self.packed.pack(network, TrainingPrecision::F32, true, &self.pool);
        let mean = 1.0 / sequences.len().max(1) as f32;
        for some in sequences.chunks(self.parts.len()) {
            let packed = &self.packed;
            let mut jobs: Vec<_> = self.parts.iter_mut().zip(some).collect();
            self.pool.for_each(&mut jobs, |_, (part, sequence)| {
                part.gradient.clear();
                let Part { pass, gradient, .. } = &mut **part;
                pass.train(ctx, network, packed, std::slice::from_ref(*sequence), 0, 1.0, gradient, None);
            });
            for (part, sequence) in self.parts.iter().zip(some) {
                let factor = mean / sequence.targets().max(1) as f32;
                for ((_, sums), (_, gradient)) in sums.slices_mut().into_iter().zip(part.gradient.slices()) {
                    rows::add_squares(ctx.path, sums, gradient, factor);
                }
            }
        }
    }

    /// The mean of a loss over so many targets.
    fn mean(&self, targets: usize, of: impl Fn(&Losses) -> f64) -> f64 {
        self.parts.iter().map(|part| of(&part.losses)).sum::<f64>() / targets.max(1) as f64
    }

    fn accumulate_gradients(
        &mut self,
        network: &Network,
        batch: &[Sequence],
        first: usize,
        scale: f32,
        dropout: Option<Dropout>,
    ) {
        let ctx = ExecContext { path: self.settings.path, precision: self.settings.precision, dropout };
        let (packed, count, teacher) = (&self.packed, self.parts.len(), self.teacher.as_ref());
        self.pool.for_each(&mut self.parts, |index, part| {
            let range = part_range(batch.len(), count, index);
            if range.is_empty() {
                return;
            }
            let (number, some) = (first + range.start, &batch[range]);
            let Part { pass, gradient, teaching, losses } = part;
            let taught = teacher.map(|teacher| teacher.read(ctx.path, teaching, some));
            let taught = taught.map(|teacher| (teacher, teaching));
            let Losses { text, divergence } =
                pass.train(ctx, network, packed, some, number, scale, gradient, taught);
            losses.text += text;
            losses.divergence += divergence;
        });
    }

    /// Adds the gradients of all parts to that of the first, and what pulls parameters back; gives the sum of its
    /// squares.
    fn sum_gradients(&mut self, pull: Option<Pull<'_>>) -> f64 {
        struct Job<'a> {
            sum: &'a mut [f32],
            others: Vec<&'a [f32]>,
            /// How much parameters matter, what they are, and what they were.
            held: Option<[&'a [f32]; 3]>,
            squares: f32,
        }
        let path = self.settings.path;
        let Some((first, others)) = self.parts.split_first_mut() else { return 0.0 };
        let others: Vec<_> = others.iter().map(|part| part.gradient.slices()).collect();
        let strength = pull.as_ref().map_or(0.0, |pull| pull.strength);
        let held = pull.map(|Pull { held, network, .. }| {
            [&held.importance, network, &held.anchor].map(|network: &Network| network.slices())
        });
        let mut jobs = Vec::new();
        for (index, (_, array)) in first.gradient.slices_mut().into_iter().enumerate() {
            for (number, sum) in array.chunks_mut(CHUNK).enumerate() {
                let range = number * CHUNK..number * CHUNK + sum.len();
                let others = others.iter().map(|arrays| &arrays[index].1[range.clone()]).collect();
                let held =
                    held.as_ref().map(|held| held.each_ref().map(|arrays| &arrays[index].1[range.clone()]));
                jobs.push(Job { sum, others, held, squares: 0.0 });
            }
        }
        self.pool.for_each(&mut jobs, |_, job| {
            for other in &job.others {
                rows::add(path, job.sum, other);
            }
            if let Some([importance, now, anchor]) = job.held {
                rows::pull(path, job.sum, importance, now, anchor, strength);
            }
            rows::squares(path, &mut job.squares, job.sum);
        });
        jobs.iter().map(|job| f64::from(job.squares)).sum()
    }

    fn update(&mut self, network: &mut Network, optimizer: &mut Optimizer, adamw: AdamW, scale: f32) {
        optimizer.updates += 1;
        optimizer.token_updates.iter_mut().for_each(|updates| *updates += 1);
        let Optimizer { updates, token_updates, moments } = optimizer;
        let Some(part) = self.parts.first() else { return };
        assert_eq!(moments.len(), self.moment_order.len(), "the optimiser has moments of every array");
        let mut sorted: Vec<Option<&mut Moments>> = moments.values_mut().map(Some).collect();
        let mut jobs = Vec::new();
        let arrays = network.slices_mut().into_iter().zip(part.gradient.slices());
        for (((kind, parameters), (_, gradient)), &position) in arrays.zip(&self.moment_order) {
            let Some(moments) = sorted[position].take() else { continue };
            // Biases and gains do not decay.
            let decays = matches!(kind, ArrayKind::Matrix | ArrayKind::TokenRows);
            let adamw = AdamW { weight_decay: if decays { adamw.weight_decay } else { 0.0 }, ..adamw };
            let runs = update_runs(kind, parameters.len(), *updates, token_updates);
            let (first, second) = (&mut moments.first[..], &mut moments.second[..]);
            let whole = UpdateJob { step: 0, adamw, parameters, gradient, first, second };
            whole.split(&runs, &mut jobs);
        }
        let path = self.settings.path;
        self.pool.for_each(&mut jobs, |_, job| {
            let UpdateJob { step, adamw, parameters, gradient, first, second } = job;
            adamw.update_scaled(path, *step, scale, parameters, gradient, first, second);
        });
    }
}

/// What pulls the parameters of a network back to what they were.
struct Pull<'a> {
    held: &'a Consolidation,
    network: &'a Network,
    strength: f32,
}

/// Numbers of one array that are updated together.
struct UpdateJob<'a> {
    /// Updates of these numbers, with this one.
    step: u64,
    adamw: AdamW,
    parameters: &'a mut [f32],
    gradient: &'a [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

impl<'a> UpdateJob<'a> {
    /// Splits the update of an array at its runs, and these into chunks.
    fn split(mut self, runs: &[(u64, usize)], jobs: &mut Vec<UpdateJob<'a>>) {
        for &(step, count) in runs {
            jobs.extend((0..count / CHUNK).map(|_| self.take(step, CHUNK)));
            jobs.push(self.take(step, count % CHUNK));
        }
    }

    fn take(&mut self, step: u64, count: usize) -> UpdateJob<'a> {
        UpdateJob {
            step,
            adamw: self.adamw,
            parameters: self.parameters.split_off_mut(..count).unwrap_or_default(),
            gradient: self.gradient.split_off(..count).unwrap_or_default(),
            first: self.first.split_off_mut(..count).unwrap_or_default(),
            second: self.second.split_off_mut(..count).unwrap_or_default(),
        }
    }
}

/// The position of the moments of each array among those of all, which a state holds sorted by name.
fn moment_order(network: &Network) -> Vec<usize> {
    let names = network.array_names();
    let mut by_name: Vec<usize> = (0..names.len()).collect();
    by_name.sort_unstable_by(|&a, &b| names[a].cmp(&names[b]));
    let mut order = vec![0; names.len()];
    for (position, index) in by_name.into_iter().enumerate() {
        order[index] = position;
    }
    order
}

/// Sequences that are measured together: a few, as long as they are short.
pub(crate) fn evaluated_together(context: usize) -> usize {
    const SEQUENCES: usize = 8;
    const ROWS: usize = 1024;
    (ROWS / context.max(1)).clamp(1, SEQUENCES)
}

/// The sequences of a part: the same however many threads there are.
pub(crate) fn part_range(sequences: usize, parts: usize, index: usize) -> std::ops::Range<usize> {
    index * sequences / parts..(index + 1) * sequences / parts
}

/// How often the numbers of an array were updated: (updates, numbers) for one run of tokens after the other.
fn update_runs(kind: ArrayKind, len: usize, updates: u64, token_updates: &[u64]) -> Vec<(u64, usize)> {
    if !matches!(kind, ArrayKind::TokenRows | ArrayKind::TokenNumbers) {
        return vec![(updates, len)];
    }
    let row = len / token_updates.len().max(1);
    let runs = token_updates.chunk_by(|a, b| a == b);
    runs.map(|tokens| (tokens[0], tokens.len() * row)).collect()
}
