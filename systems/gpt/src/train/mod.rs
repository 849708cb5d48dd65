//! Training: the system of the training loop, its config and its state.

pub(crate) mod config;
pub(crate) mod consolidation;
pub(crate) mod facts;
pub(crate) mod memory;
pub(crate) mod next_phase;
pub(crate) mod optimizer;
pub(crate) mod presets;
pub(crate) mod reasoning_exam;
pub(crate) mod report;
pub(crate) mod retained;
pub(crate) mod schedule;
pub(crate) mod shapes_exam;
pub(crate) mod state;
pub(crate) mod step;
pub(crate) mod system;
pub(crate) mod teacher;
pub(crate) mod vocabulary_change;

pub use config::{
    Adapt, Data, Distillation, NewRows, OptimizerSettings, Order, Phase, Retain, Source, StudentVocabulary,
    SymbolTokens, TokenKind, Tokens, TrainingConfig,
};
pub use consolidation::Consolidation;
pub use optimizer::{Moments, Optimizer};
pub use retained::Retained;
pub use state::{PhasePlan, Plan, State, TextIdentity, VocabularyChange};
pub use step::{StepReport, StepSettings, StepValues, Stepper};
pub use system::Gpt;

pub use crate::model::pass::Dropout;
pub use crate::model::precision::LossScaler;
