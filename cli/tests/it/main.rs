//! The stories of this crate, in one binary.

mod audit;
mod bad_input;
mod circuits;
mod common;
mod config_page;
mod documents;
mod json_page;
mod keeping_runs;
mod language_model;
mod learning_and_forgetting;
mod learning_more;
mod metrics_files;
mod moved_data;
mod old_runs;
mod prove;
mod reasoning;
mod report;
mod screens;
mod search;
mod signals;
mod simulations;
mod tables;
mod tokenizer;
mod train_and_resume;
