//! Changes of the vocabulary: one transaction over everything that has rows for tokens.
//!
//! The new network, moments and counts are made beside the old ones. Only when all of them are there
//! and the tokenizer has taken the change do they take the old ones' place: a change that fails leaves
//! everything as it was. What is packed or quantised of a network, and what a decoder has cached, is
//! made of a network by value and does not outlive it.

mod distil;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use rekindle::Matrix;
use rekindle_compute::rng;
use rekindle_tokenizer::{Change, Row};

use crate::error::GptError;
use crate::model::language_model::Vocabulary;
use crate::model::network::{ArrayKind, INITIAL_STD, Network, fill_normal, matrix};
use crate::streams;
use crate::train::config::NewRows;
use crate::train::optimizer::{Moments, Optimizer};
use crate::train::state::{State, VocabularyChange};

pub(crate) use distil::{NewToken, distil};

impl State {
    /// Changes the vocabulary as its tokenizer proposes. `fit` fits the rows that read new tokens, where
    /// these are distilled.
    ///
    /// # Errors
    /// When the change was proposed for another vocabulary or passes its limit; nothing is changed.
    pub(crate) fn change_vocabulary(
        &mut self,
        change: &Change,
        rows: NewRows,
        seed: u64,
        fit: impl FnOnce(&mut Network, &[NewToken]),
    ) -> Result<(), GptError> {
        let Vocabulary::Adaptive(adaptive) = &self.model.vocabulary else {
            return Err(GptError::VocabularyChange("its tokenizer is one that does not change".to_owned()));
        };
        let mut adaptive = adaptive.clone();
        adaptive.apply(change).map_err(|error| GptError::VocabularyChange(error.to_string()))?;
        let old = self.model.network.vocabulary();
        if let Some(token) = sources(change).find(|&token| token as usize >= old) {
            return Err(GptError::NoSuchToken { token, position: 0, vocabulary: old });
        }
        let mut network =
            grown_network(&self.model.network, change.rows(), rows, seed, adaptive.generation());
        if rows == NewRows::Distilled {
            fit(&mut network, &new_tokens(change));
        }
        let optimizer = grown_optimizer(&self.optimizer, &network, change.rows());
        self.vocabulary_changes.push(VocabularyChange {
            step: self.step,
            added: change.added() as u32,
            removed: change.removed().len() as u32,
            vocabulary: change.rows().len() as u32,
        });
        self.model.vocabulary = Vocabulary::Adaptive(adaptive);
        self.model.network = network;
        self.optimizer = optimizer;
        Ok(())
    }

    /// Gives the vocabulary special tokens, as far as it does not have them, with random rows.
    ///
    /// # Errors
    /// When it is one that changes by itself, or cannot have such a token; nothing is changed.
    pub(crate) fn add_special_tokens(&mut self, tokens: &[&str], seed: u64) -> Result<(), GptError> {
        let old = self.model.tokenizer();
        let is_there = |text: &&str| old.token_of(text.as_bytes()).is_some_and(|token| old.is_special(token));
        if tokens.iter().all(is_there) {
            return Ok(());
        }
        let Vocabulary::Fixed(tokenizer) = &self.model.vocabulary else {
            let reason = format!("it changes by itself, and has not all of {}", tokens.join(", "));
            return Err(GptError::VocabularyChange(reason));
        };
        let origin = "the special tokens of dialogues and texts".to_owned();
        let tokenizer = tokenizer.clone().with_special_tokens(tokens);
        let tokenizer = tokenizer.map_err(|source| GptError::Tokens { origin, source })?;
        let kept = self.model.network.vocabulary() as u32;
        let all = tokenizer.len() as u32;
        let rows: Vec<Row> = (0..all)
            .map(|token| if token < kept { Row::Kept(token) } else { Row::New(Vec::new()) })
            .collect();
        let mut network = grown_network(&self.model.network, &rows, NewRows::Random, seed, self.step);
        if let Some(structure) = &mut network.structure {
            structure.read(&tokenizer);
        }
        self.optimizer = grown_optimizer(&self.optimizer, &network, &rows);
        let (added, removed) = (all - kept, 0);
        self.vocabulary_changes.push(VocabularyChange { step: self.step, added, removed, vocabulary: all });
        self.model.vocabulary = Vocabulary::Fixed(tokenizer);
        self.model.network = network;
        Ok(())
    }
}

/// The old tokens that rows of the new vocabulary are made from.
fn sources(change: &Change) -> impl Iterator<Item = u32> {
    let tokens = change.rows().iter().flat_map(|row| match row {
        Row::Kept(token) => std::slice::from_ref(token),
        Row::New(parts) => parts,
    });
    tokens.copied()
}

/// The new tokens, in the numbers of the new vocabulary. One of whose parts is gone is left out.
fn new_tokens(change: &Change) -> Vec<NewToken> {
    let indices = new_indices(change);
    let rows = (0..).zip(change.rows());
    rows.filter_map(|(token, row)| {
        let Row::New(parts) = row else { return None };
        let parts: Option<Vec<u32>> = parts.iter().map(|part| indices.get(part).copied()).collect();
        Some(NewToken { token, parts: parts? })
    })
    .collect()
}

/// The new number of each token that is kept.
pub(crate) fn new_indices(change: &Change) -> HashMap<u32, u32> {
    let rows = (0..).zip(change.rows());
    rows.filter_map(|(token, row)| match row {
        Row::Kept(old) => Some((*old, token)),
        Row::New(_) => None,
    })
    .collect()
}

fn grown_network(network: &Network, change: &[Row], rows: NewRows, seed: u64, generation: u64) -> Network {
    let mut grown = network.clone();
    let grow = |old: &Matrix<f32>, index: u64| {
        let mut stream = rng::stream(seed, streams::NEW_ROWS, generation << 1 | index);
        let mut random = |row: &mut [f32]| fill_normal(row, &mut stream, INITIAL_STD);
        let numbers = with_new_rows(old.as_slice(), old.columns(), change, rows, &mut random);
        matrix(change.len(), old.columns(), numbers)
    };
    grown.token_embedding = grow(&network.token_embedding, 0);
    if let (Some(output), Some(old)) = (&mut grown.output, &network.output) {
        output.weight = grow(&old.weight, 1);
        if !old.bias.is_empty() {
            output.bias = with_new_rows(&old.bias, 1, change, rows, &mut |number| number.fill(0.0));
        }
    }
    grown
}

/// Rows at their new indices, those of new tokens made as `rows` says; `random` makes random ones.
fn with_new_rows(
    old: &[f32],
    width: usize,
    change: &[Row],
    rows: NewRows,
    random: &mut dyn FnMut(&mut [f32]),
) -> Vec<f32> {
    let mut mean_of_all = vec![0.0; width];
    if rows == NewRows::Mean {
        mean(old.chunks_exact(width), &mut mean_of_all);
    }
    grown_rows(old, width, change, &mut |parts, row| match rows {
        NewRows::Random => random(row),
        NewRows::Mean => row.copy_from_slice(&mean_of_all),
        NewRows::Parts | NewRows::Distilled => {
            mean(parts.iter().map(|&part| &old[part as usize * width..][..width]), row);
        }
    })
}

/// The mean of some rows, summed in double precision.
fn mean<'a>(rows: impl Iterator<Item = &'a [f32]>, row: &mut [f32]) {
    let mut sums = vec![0.0_f64; row.len()];
    let mut count = 0.0;
    for numbers in rows {
        sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += f64::from(*number));
        count += 1.0;
    }
    row.iter_mut().zip(sums).for_each(|(number, sum)| *number = (sum / f64::max(count, 1.0)) as f32);
}

/// Rows at their new indices: old ones where they are kept, others as `new` makes them of their parts.
fn grown_rows<T: Copy + Default>(
    old: &[T],
    width: usize,
    change: &[Row],
    new: &mut dyn FnMut(&[u32], &mut [T]),
) -> Vec<T> {
    let mut grown = vec![T::default(); change.len() * width];
    for (row, source) in grown.chunks_exact_mut(width).zip(change) {
        match source {
            Row::Kept(token) => row.copy_from_slice(&old[*token as usize * width..][..width]),
            Row::New(parts) => new(parts, row),
        }
    }
    grown
}

/// New tokens have no moments, and their updates are counted from 0.
fn grown_optimizer(optimizer: &Optimizer, network: &Network, change: &[Row]) -> Optimizer {
    let mut grown = optimizer.clone();
    grown.token_updates = grown_rows(&optimizer.token_updates, 1, change, &mut |_, row| row.fill(0));
    let width = network.width();
    for (name, kind, _) in network.arrays() {
        let width = match kind {
            ArrayKind::TokenRows => width,
            ArrayKind::TokenNumbers => 1,
            ArrayKind::Matrix | ArrayKind::Vector => continue,
        };
        if let Some(Moments { first, second }) = grown.moments.get_mut(&name) {
            let mut none = |_: &[u32], row: &mut [f32]| row.fill(0.0);
            *first = grown_rows(first, width, change, &mut none);
            *second = grown_rows(second, width, change, &mut none);
        }
    }
    grown
}
