//! What a user can choose.

use rekindle_train::EarlyStopping;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cell::MOST_GATES;
use crate::error::LogicError;
use crate::rule::Rule;
use crate::target::Target;
use crate::wiring::{NEIGHBOURS, unique_range};

/// The most cells of one batch.
const MOST_CELLS: usize = 1 << 22;

/// The shape of the network that every cell runs.
///
/// Each channel of the 3x3 neighbourhood passes through the same `kernels`, each a small network
/// with `kernel_gates`. What they put out, after the cell's own channels, is the input of the
/// update network with `update_gates`, and what that puts out is the cell's next state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Bits that a cell holds. The first is the one that the task looks at.
    pub channels: usize,
    /// Networks that look at a neighbourhood, all wired alike.
    pub kernels: usize,
    /// Gates in each layer of a kernel. The first layer has 8: one for each neighbour.
    pub kernel_gates: Vec<usize>,
    /// Gates in each layer of the update network. The last has as many as there are channels.
    pub update_gates: Vec<usize>,
    /// The logit, before training, of the function that passes a gate's first input on; the other
    /// fifteen have 0. The published method has 10, which is a share of 0.9993.
    #[serde(default = "default_pass_logit")]
    pub pass_logit: f64,
    /// Arrange the wires of the update network so that an untrained cell keeps its own state. The
    /// published method leaves them as they are drawn.
    #[serde(default)]
    pub identity_start: bool,
}

/// What the automaton learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Conway's Game of Life on the first channel, from random boards. The other channels begin
    /// at 0.
    Life,
    /// Another rule of two states, `training.rule`, on the first channel, learned as the Game of Life is.
    Rule,
    /// A checkerboard on the first channel, whatever random bits the channels begin with.
    Checkerboard,
    /// A picture, `training.target`, on the first channel, or on the first three in colours.
    Picture,
    /// Not known: of a circuit that was imported. It can be looked at and exported, not trained.
    Unknown,
}

impl Task {
    /// Its name in configs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Life => "life",
            Self::Rule => "rule",
            Self::Checkerboard => "checkerboard",
            Self::Picture => "picture",
            Self::Unknown => "unknown",
        }
    }
}

/// What lies beyond the edge of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Boundary {
    /// The opposite edge: the board is a torus.
    Periodic,
    /// Cells that are always 0.
    Zero,
}

/// What a board that is to become a checkerboard or a picture begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Random bits in all channels.
    #[default]
    Random,
    /// Nothing: all channels of all cells are 0, so that only the edge of the board tells where a cell is.
    Zero,
    /// Nothing but one cell in the middle, all of whose channels are 1.
    Centre,
}

/// How the circuit is made right, and small, once gradients have done their part.
///
/// An attempt trains with gradients until its circuit is right on every board that is chosen by. If it is
/// not after the training's epochs, the functions of single gates are changed for others, by how much the
/// mixtures tend to them, and what makes fewer cells wrong is kept, at first also some that makes more
/// (simulated annealing). If it still is not right, another attempt begins with other wires. A circuit that
/// is right then loses gates in the same way, as long as it stays right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refinement {
    /// Epochs between two looks at the circuit.
    pub every: u64,
    /// Steps in which a circuit that is not right is repaired.
    pub repair_steps: u64,
    /// Steps in which a circuit that is right loses gates.
    pub prune_steps: u64,
    /// Attempts at most.
    pub attempts: u64,
}

/// How the network is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// What is learned.
    pub task: Task,
    /// Cells in a row of the board.
    pub width: usize,
    /// Rows of the board.
    pub height: usize,
    /// What lies beyond the edge.
    pub boundary: Boundary,
    /// Cells along the side of one square of the checkerboard; other tasks do not use it.
    #[serde(default = "default_square")]
    pub square: usize,
    /// The rule of the task `rule`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// The picture of the task `picture`: a text for each row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// What the boards of a checkerboard or a picture begin with.
    #[serde(default, skip_serializing_if = "is_default")]
    pub start: Start,
    /// The chance of each cell to be updated in a step; the others stay as they are. The published
    /// asynchronous automaton has 0.6.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub fire_rate: f64,
    /// How often the cells are updated before the board is compared with the target.
    pub automaton_steps: usize,
    /// Boards in a batch.
    pub batch: usize,
    /// Epochs to train. An epoch is one batch and one step of the optimiser.
    pub epochs: u64,
    /// Step size of AdamW.
    pub learning_rate: f64,
    /// The part of the epochs, 0 to 1, after which the step size falls evenly to 0. The published
    /// method has 1: it does not fall.
    #[serde(default = "default_decay_from")]
    pub decay_from: f64,
    /// Decay of AdamW's first and second moments.
    pub betas: [f64; 2],
    /// What AdamW adds to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Scale of the Gumbel noise on the logits in the last epoch, to which it rises evenly from 0. The published method has none. With noise a mixture of functions is no place to rest,
    /// so that the likeliest functions come to do what the mixtures did (Yousefi et al., "Mind the
    /// gap", arXiv 2506.07500, 2025).
    #[serde(default)]
    pub noise: f64,
    /// The part of the epochs, 0 to 1, after which the noise begins to rise.
    #[serde(default, skip_serializing_if = "is_default")]
    pub noise_from: f64,
    /// Each element of the gradient is clipped to plus or minus this.
    pub clip: f64,
    /// When training ends before its last epoch: by the wrong cells of the circuit that it would end with,
    /// on boards that are not trained on. Without it all epochs are trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// How the circuit is improved once gradients have done their part. Without it gradients are all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refinement: Option<Refinement>,
}

impl Default for Training {
    /// One step of the Game of Life on 3x3 boards, as the published method trains it.
    fn default() -> Self {
        Self {
            task: Task::Life,
            width: 3,
            height: 3,
            boundary: Boundary::Periodic,
            square: default_square(),
            rule: None,
            target: None,
            start: Start::Random,
            fire_rate: 1.0,
            automaton_steps: 1,
            batch: 20,
            epochs: 3000,
            learning_rate: 0.05,
            decay_from: default_decay_from(),
            betas: [0.9, 0.99],
            epsilon: 1e-8,
            weight_decay: 0.01,
            noise: 0.0,
            noise_from: 0.0,
            clip: 100.0,
            early_stopping: None,
            refinement: None,
        }
    }
}

fn one() -> f64 {
    1.0
}

fn is_one(value: &f64) -> bool {
    *value == 1.0
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub(crate) fn default_pass_logit() -> f64 {
    10.0
}

fn default_decay_from() -> f64 {
    1.0
}

fn default_square() -> usize {
    2
}

impl Model {
    /// Checks that such a network can be wired.
    ///
    /// # Errors
    /// A size is zero or absurd, or a layer has too few or too many gates for its inputs.
    pub fn validate(&self) -> Result<(), LogicError> {
        positive("model.channels", self.channels)?;
        positive("model.kernels", self.kernels)?;
        self.validate_kernel()?;
        self.validate_update()?;
        within("model.pass_logit", self.pass_logit, -1.0e3, 1.0e3)?;
        match self.instances() {
            Some(gates) if gates <= MOST_GATES => Ok(()),
            _ => Err(LogicError::config(
                "model",
                (self.channels, self.kernels),
                format!("one cell may have at most {MOST_GATES} gates"),
            )),
        }
    }

    /// Gates with logits of their own: every kernel's and the update network's.
    pub fn gates(&self) -> usize {
        self.kernels * self.kernel_gates.iter().sum::<usize>() + self.update_gates.iter().sum::<usize>()
    }

    /// Inputs of the update network: the cell's channels, and what every kernel says about each.
    pub(crate) fn update_inputs(&self) -> usize {
        let outputs = self.kernel_gates.last().copied().unwrap_or(0);
        self.channels + self.channels * outputs * self.kernels
    }

    fn validate_kernel(&self) -> Result<(), LogicError> {
        const FIELD: &str = "model.kernel_gates";
        match self.kernel_gates.first() {
            Some(&NEIGHBOURS) => validate_layers(FIELD, NEIGHBOURS, &self.kernel_gates, 1),
            _ => Err(LogicError::config(
                FIELD,
                &self.kernel_gates,
                "the first layer has 8 gates, one for each neighbour",
            )),
        }
    }

    fn validate_update(&self) -> Result<(), LogicError> {
        const FIELD: &str = "model.update_gates";
        if self.update_gates.last() != Some(&self.channels) {
            let reason = format!("the last layer has one gate per channel, so {}", self.channels);
            return Err(LogicError::config(FIELD, &self.update_gates, reason));
        }
        if self.instances().is_none() {
            return Err(LogicError::config(FIELD, &self.update_gates, "that is too large"));
        }
        validate_layers(FIELD, self.update_inputs(), &self.update_gates, 0)
    }

    /// Gates that one cell evaluates, if the count can be held.
    fn instances(&self) -> Option<usize> {
        let sum = |gates: &[usize]| gates.iter().try_fold(0_usize, |sum, n| sum.checked_add(*n));
        let copies = self.channels.checked_mul(self.kernels)?;
        let perception = sum(&self.kernel_gates)?.checked_mul(copies)?;
        perception.checked_add(sum(&self.update_gates)?)
    }
}

/// Checks that each layer from `first` on can be wired with unique pairs of its inputs.
fn validate_layers(
    field: &'static str,
    mut inputs: usize,
    layers: &[usize],
    first: usize,
) -> Result<(), LogicError> {
    for (layer, &gates) in layers.iter().enumerate().skip(first) {
        let range = unique_range(inputs);
        if !range.contains(&gates) {
            let reason = format!(
                "layer {layer} has {inputs} inputs, so it needs {} to {} gates, not {gates}",
                range.start(),
                range.end()
            );
            return Err(LogicError::config(field, layers, reason));
        }
        inputs = gates;
    }
    Ok(())
}

impl Training {
    /// Checks that one can train so.
    ///
    /// # Errors
    /// A size is zero or absurd, or a number is outside of its range.
    pub fn validate(&self) -> Result<(), LogicError> {
        if self.task == Task::Unknown {
            let reason = "nothing is known that the circuit should do; a new run with a task that is known, such as life or \
                          checkerboard, can begin with its state";
            return Err(LogicError::config("training.task", self.task, reason));
        }
        self.validate_task()?;
        positive("training.width", self.width)?;
        positive("training.height", self.height)?;
        positive("training.square", self.square)?;
        positive("training.automaton_steps", self.automaton_steps)?;
        positive("training.batch", self.batch)?;
        self.validate_cells()?;
        within("training.learning_rate", self.learning_rate, 0.0, f64::MAX)?;
        within("training.decay_from", self.decay_from, 0.0, 1.0)?;
        for beta in self.betas {
            within("training.betas", beta, 0.0, 1.0 - f64::EPSILON)?;
        }
        within("training.epsilon", self.epsilon, 0.0, f64::MAX)?;
        within("training.weight_decay", self.weight_decay, 0.0, f64::MAX)?;
        within("training.noise", self.noise, 0.0, 1.0e3)?;
        within("training.noise_from", self.noise_from, 0.0, 1.0 - f64::EPSILON)?;
        self.validate_early_stopping()?;
        self.validate_refinement()?;
        within("training.clip", self.clip, f64::MIN_POSITIVE, f64::MAX)
    }

    /// Checks that the task has what it needs, and that a cell of the model can show it.
    ///
    /// # Errors
    /// The picture has more bits than a cell has channels.
    pub(crate) fn validate_for(&self, model: &Model) -> Result<(), LogicError> {
        self.validate()?;
        match self.target_bits() {
            bits if bits <= model.channels => Ok(()),
            bits => Err(LogicError::config(
                "model.channels",
                model.channels,
                format!("the picture in training.target has colours, which take {bits} channels"),
            )),
        }
    }

    fn validate_task(&self) -> Result<(), LogicError> {
        let missing = |field, reason: &str| Err(LogicError::config(field, None::<()>, reason));
        match (self.task, &self.target, &self.rule) {
            (Task::Picture, None, _) => {
                return missing("training.target", "the task is a picture, and none is given");
            }
            (Task::Rule, _, None) => {
                return missing("training.rule", "the task is a rule, and none is given");
            }
            (Task::Picture, Some(target), _)
                if (target.width(), target.height()) != (self.width, self.height) =>
            {
                let reason = format!(
                    "training.target has {} rows of {} cells, so the board must have training.width={} and \
                     training.height={}",
                    target.height(),
                    target.width(),
                    target.width(),
                    target.height()
                );
                return Err(LogicError::config("training.width", (self.width, self.height), reason));
            }
            _ => {}
        }
        within("training.fire_rate", self.fire_rate, f64::MIN_POSITIVE, 1.0)?;
        if self.fire_rate < 1.0 && matches!(self.task, Task::Life | Task::Rule) {
            let reason = "the cells of a rule are all updated in each step, so it must be 1";
            return Err(LogicError::config("training.fire_rate", self.fire_rate, reason));
        }
        Ok(())
    }

    fn validate_refinement(&self) -> Result<(), LogicError> {
        let Some(refinement) = self.refinement else { return Ok(()) };
        if self.early_stopping.is_some() {
            let reason =
                "an attempt ends when its circuit is right, so it must be left out with training.refinement";
            return Err(LogicError::config("training.early_stopping", self.early_stopping, reason));
        }
        for (field, value) in [
            ("training.refinement.every", refinement.every),
            ("training.refinement.attempts", refinement.attempts),
        ] {
            if value == 0 {
                return Err(LogicError::config(field, value, "it must be at least 1"));
            }
        }
        Ok(())
    }

    /// The step size in an epoch.
    pub(crate) fn learning_rate_at(&self, epoch: u64) -> f64 {
        let passed = epoch.min(self.epochs) as f64 / self.epochs.max(1) as f64;
        if passed <= self.decay_from {
            return self.learning_rate;
        }
        self.learning_rate * (1.0 - passed) / (1.0 - self.decay_from)
    }

    /// The scale of the noise after so many epochs.
    pub(crate) fn noise_at(&self, epoch: u64) -> f32 {
        let passed = epoch.min(self.epochs) as f64 / self.epochs.max(1) as f64;
        let risen = (passed - self.noise_from).max(0.0) / (1.0 - self.noise_from);
        (self.noise * risen) as f32
    }

    fn validate_early_stopping(&self) -> Result<(), LogicError> {
        let Some(stopping) = &self.early_stopping else { return Ok(()) };
        stopping.validate().map_err(|(name, reason)| {
            LogicError::config("training.early_stopping", stopping, format!("`{name}`: {reason}"))
        })
    }

    fn validate_cells(&self) -> Result<(), LogicError> {
        let cells = self.width.checked_mul(self.height);
        let cells = cells.and_then(|cells| cells.checked_mul(self.batch));
        let kept = cells.and_then(|cells| cells.checked_mul(self.automaton_steps));
        match kept {
            Some(cells) if cells <= MOST_CELLS => Ok(()),
            _ => Err(LogicError::config(
                "training.batch",
                self.batch,
                format!("width x height x batch x automaton_steps may be at most {MOST_CELLS}"),
            )),
        }
    }
}

fn positive(field: &'static str, value: usize) -> Result<(), LogicError> {
    match value {
        0 => Err(LogicError::config(field, value, "it must be at least 1")),
        _ => Ok(()),
    }
}

fn within(field: &'static str, value: f64, least: f64, most: f64) -> Result<(), LogicError> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(LogicError::config(field, value, format!("it must be from {least:e} to {most:e}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;

    #[derive(Deserialize)]
    struct Preset {
        model: Model,
        training: Training,
    }

    fn preset(text: &str) -> Preset {
        serde_saphyr::from_str(text).unwrap()
    }

    #[test]
    fn the_presets_are_those_of_the_notebook() {
        let life = preset(presets::LIFE);
        life.model.validate().unwrap();
        life.training.validate().unwrap();
        assert_eq!(life.model.gates(), 2543);
        let checkerboard = preset(presets::CHECKERBOARD);
        checkerboard.model.validate().unwrap();
        checkerboard.training.validate().unwrap();
        assert_eq!(checkerboard.model.gates(), 3040);
        assert_eq!(checkerboard.model.update_inputs(), 264);
    }

    #[test]
    fn the_other_presets_are_as_large_as_the_published_ones() {
        let presets =
            [(presets::CHECKERBOARD_ASYNC, 4064), (presets::LIZARD, 4540), (presets::LETTER_G, 4600)];
        for (text, gates) in presets {
            let Preset { model, training } = preset(text);
            model.validate().unwrap();
            training.validate_for(&model).unwrap();
            assert_eq!(model.gates(), gates);
        }
    }

    #[test]
    fn a_model_that_cannot_be_wired_is_refused() {
        let refused = |spoil: fn(&mut Model)| {
            let mut model = preset(presets::LIFE).model;
            spoil(&mut model);
            model.validate().unwrap_err().to_string()
        };
        let message = refused(|model| model.channels = 0);
        assert_eq!(message, "`model.channels` is 0: it must be at least 1");
        let message = refused(|model| model.kernel_gates[0] = 7);
        assert!(message.contains("the first layer has 8 gates"), "{message}");
        let message = refused(|model| model.update_gates[0] = 8);
        assert!(message.contains("layer 0 has 17 inputs, so it needs 9 to 136 gates, not 8"), "{message}");
        let message = refused(|model| model.update_gates[0] = 137);
        assert!(message.contains("not 137"), "{message}");
        let message = refused(|model| model.update_gates.clear());
        assert!(message.contains("one gate per channel"), "{message}");
        let message = refused(|model| model.kernels = usize::MAX);
        assert!(message.contains("too large"), "{message}");
        let message = refused(|model| model.kernels = 1 << 40);
        assert!(message.starts_with("`model"), "{message}");
    }

    #[test]
    fn training_out_of_range_is_refused() {
        let refused = |spoil: fn(&mut Training)| {
            let mut training = preset(presets::LIFE).training;
            spoil(&mut training);
            training.validate().unwrap_err().to_string()
        };
        let message = refused(|training| training.batch = 0);
        assert_eq!(message, "`training.batch` is 0: it must be at least 1");
        let message = refused(|training| training.betas[1] = 1.0);
        assert!(message.starts_with("`training.betas` is 1.0"), "{message}");
        let message = refused(|training| training.learning_rate = f64::NAN);
        assert!(message.starts_with("`training.learning_rate` is NaN"), "{message}");
        let message = refused(|training| training.width = usize::MAX);
        assert!(message.contains("may be at most"), "{message}");
    }

    #[test]
    fn an_unknown_field_is_refused() {
        let text = presets::LIFE.replace("batch: 20", "batches: 20");
        assert!(serde_saphyr::from_str::<Preset>(&text).is_err());
    }
}
