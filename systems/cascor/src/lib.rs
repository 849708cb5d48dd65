//! Cascade-correlation networks: they grow hidden units as they learn.
mod activation;
mod candidate_kernels;
mod candidates;
mod columns;
mod config;
mod data;
mod error;
mod fahlman;
mod juniper;
mod network;
mod output_kernels;
mod outputs;
mod parts;
mod quickprop;
pub mod snapshot;
mod state;
mod streams;
mod trainer;

pub use activation::{Activation, OutputActivation};
pub use columns::Columns;
pub use config::{Data, Fahlman, Juniper, Method, Model, Quickprop, Source, Task, Training};
pub use data::{Dataset, Examples, Input, Preparation, Target};
pub use error::CascorError;
pub use network::{HiddenUnit, Network};
pub use state::{Ending, Growth, State, TrainerState};
pub use trainer::{Evaluation, StepMetrics, Trainer};
