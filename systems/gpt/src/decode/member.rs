//! The part of a network that one thread computes.
//!
//! Every member of a team has the rows of all tokens and does the small things, such as norms, for
//! itself. Of attention it computes some heads, whose keys and values are its own, and of each other
//! map some outputs; what the others computed it sees in an exchange. No number is computed another
//! way because of who computes it.

use std::ops::Range;
use std::sync::Arc;

use rekindle::Matrix;
use rekindle_compute::{KernelPath, LANES};

use super::Precision;
use super::attention::HeadCache;
use super::projection::{Projection, share};
use super::q8::QuantisedRows;
use super::rows::{activate, normalise};
use super::team::{Seen, Team};
use crate::network::{Activation, Attention, FeedForward, Layer, Network, Norm, matrix};

/// The rows that tokens and positions are read with.
#[derive(Debug)]
pub(super) struct Embeddings {
    tokens: Matrix<f32>,
    positions: Matrix<f32>,
}

impl Embeddings {
    pub fn of(network: &Network) -> Self {
        Self { tokens: network.token_embedding.clone(), positions: network.position_embedding.clone() }
    }

    /// Number of tokens.
    pub fn vocabulary(&self) -> usize {
        self.tokens.rows()
    }

    /// Number of positions.
    pub fn context(&self) -> usize {
        self.positions.rows()
    }

    /// `rows` becomes the sums of the rows of tokens and positions.
    fn read(&self, rows: &mut Vec<f32>, tokens: &[u32], start: usize) {
        let width = self.tokens.columns();
        rows.clear();
        for (offset, &token) in tokens.iter().enumerate() {
            let (token, position) = (token as usize * width, (start + offset) * width);
            let token = &self.tokens.as_slice()[token..token + width];
            let position = &self.positions.as_slice()[position..position + width];
            rows.extend(token.iter().zip(position).map(|(token, position)| token + position));
        }
    }
}

/// What all members are to do.
#[derive(Debug, Clone)]
pub(super) enum Order {
    /// Read tokens.
    Feed {
        /// At least one.
        tokens: Vec<u32>,
        /// The position of the first; what is known from there on is forgotten.
        start: usize,
        /// The scores behind the last one are asked for.
        scores: bool,
    },
    /// End.
    Stop,
}

/// One thread's part of a network, and what it works with.
#[derive(Debug)]
pub(super) struct Member {
    embeddings: Arc<Embeddings>,
    layers: Vec<Part>,
    output: Projection,
    desk: Desk,
}

/// One thread's part of a layer.
#[derive(Debug)]
enum Part {
    Attention(AttentionPart),
    FeedForward(FeedForwardPart),
    Norm(Norm),
}

#[derive(Debug)]
struct AttentionPart {
    norm: Option<Norm>,
    /// Queries, keys and values of the heads of this member.
    joined: Projection,
    heads: Vec<HeadCache>,
    output: Option<Projection>,
    /// Numbers of a query, a key or a value.
    size: usize,
}

#[derive(Debug)]
struct FeedForwardPart {
    norm: Option<Norm>,
    activation: Activation,
    up: Projection,
    down: Projection,
}

impl Member {
    pub fn new(
        network: &Network,
        embeddings: Arc<Embeddings>,
        precision: Precision,
        path: KernelPath,
        team: Arc<Team>,
        index: usize,
    ) -> Self {
        let members = team.members();
        let part = |layer: &Layer| match layer {
            Layer::Attention(layer) => Part::Attention(AttentionPart::new(layer, precision, index, members)),
            Layer::FeedForward(layer) => {
                Part::FeedForward(FeedForwardPart::new(layer, precision, index, members))
            }
            Layer::Norm(norm) => Part::Norm(norm.clone()),
        };
        let outputs = share(network.vocabulary(), index, members);
        let width = network.width();
        let rows = network.output_weight().as_slice()[outputs.start * width..outputs.end * width].to_vec();
        let bias = network.output_bias().get(outputs.clone()).unwrap_or_default().to_vec();
        Self {
            embeddings,
            layers: network.layers.iter().map(part).collect(),
            output: Projection::of_rows(&matrix(outputs.len(), width, rows), bias, precision),
            desk: Desk {
                path,
                team,
                index,
                turn: 0,
                width,
                rows: Vec::new(),
                input: Vec::new(),
                part: Vec::new(),
                found: Vec::new(),
                whole: Vec::new(),
                quantised: QuantisedRows::default(),
                weights: Vec::new(),
            },
        }
    }

    /// Reads tokens. If scores are asked for, all of them are shown to `see`, in parts.
    pub fn feed(&mut self, tokens: &[u32], start: usize, scores: bool, see: impl FnOnce(&[Seen<'_>])) {
        let desk = &mut self.desk;
        self.embeddings.read(&mut desk.rows, tokens, start);
        for layer in &mut self.layers {
            match layer {
                Part::Attention(layer) => layer.change(desk, start),
                Part::FeedForward(layer) => layer.change(desk),
                Part::Norm(norm) => {
                    desk.norm(Some(norm));
                    std::mem::swap(&mut desk.rows, &mut desk.input);
                }
            }
        }
        if scores {
            let last = desk.rows.len() - desk.width;
            self.output.apply(desk.path, &mut desk.part, &desk.rows[last..], &mut desk.quantised);
            desk.team.exchange(desk.index, &mut desk.turn, &mut desk.part, see);
        } else {
            // Nobody asks for more before all have read this order.
            desk.team.barrier.wait();
        }
    }

    /// Runs orders until it is told to stop; `order` shows the current one.
    pub fn serve(&mut self, order: impl Fn() -> Order) {
        loop {
            self.desk.team.barrier.wait();
            match order() {
                Order::Feed { tokens, start, scores } => self.feed(&tokens, start, scores, |_| {}),
                Order::Stop => return,
            }
        }
    }
}

impl AttentionPart {
    fn new(layer: &Attention, precision: Precision, index: usize, members: usize) -> Self {
        let width = layer.joined.inputs();
        let count = layer.heads as usize;
        let size = width / count;
        let heads = count * index / members..count * (index + 1) / members;
        let columns = |of: usize| of * width + heads.start * size..of * width + heads.end * size;
        Self {
            norm: layer.norm.clone(),
            joined: Projection::of_linear(&layer.joined, &[columns(0), columns(1), columns(2)], precision),
            output: layer.output.as_ref().map(|output| {
                let outputs: Range<usize> = share(output.outputs(), index, members);
                Projection::of_linear(output, &[outputs], precision)
            }),
            heads: heads.map(|_| HeadCache::new(size)).collect(),
            size,
        }
    }

    fn change(&mut self, desk: &mut Desk, start: usize) {
        desk.norm(self.norm.as_ref());
        self.joined.apply(desk.path, &mut desk.part, &desk.input, &mut desk.quantised);
        self.attend(desk, start);
        desk.exchange();
        if let Some(output) = &self.output {
            output.apply(desk.path, &mut desk.part, &desk.whole, &mut desk.quantised);
            desk.exchange();
        }
        desk.add();
    }

    /// Makes what the heads of this member find of their queries, keys and values.
    fn attend(&mut self, desk: &mut Desk, start: usize) {
        let own = self.heads.len() * self.size;
        let rows = desk.rows.len() / desk.width;
        desk.found.resize(rows * own, 0.0);
        for (head, cache) in self.heads.iter_mut().enumerate() {
            cache.truncate(start);
            let columns = head * self.size..(head + 1) * self.size;
            let joined = desk.part.chunks_exact(3 * own);
            for (joined, found) in joined.zip(desk.found.chunks_exact_mut(own)) {
                let of = |of: usize| &joined[of * own + columns.start..of * own + columns.end];
                cache.push(of(1), of(2));
                cache.attend(desk.path, &mut found[columns.clone()], of(0), &mut desk.weights);
            }
        }
        std::mem::swap(&mut desk.part, &mut desk.found);
    }
}

impl FeedForwardPart {
    fn new(layer: &FeedForward, precision: Precision, index: usize, members: usize) -> Self {
        let up = share(layer.up.outputs(), index, members);
        let down = share(layer.down.outputs(), index, members);
        Self {
            norm: layer.norm.clone(),
            activation: layer.activation,
            up: Projection::of_linear(&layer.up, &[up], precision),
            down: Projection::of_linear(&layer.down, &[down], precision),
        }
    }

    fn change(&self, desk: &mut Desk) {
        desk.norm(self.norm.as_ref());
        self.up.apply(desk.path, &mut desk.part, &desk.input, &mut desk.quantised);
        activate(desk.path, &mut desk.part, self.activation);
        desk.exchange();
        self.down.apply(desk.path, &mut desk.part, &desk.whole, &mut desk.quantised);
        desk.exchange();
        desk.add();
    }
}

/// What a member works with: memory that is used again from layer to layer.
#[derive(Debug)]
struct Desk {
    path: KernelPath,
    team: Arc<Team>,
    index: usize,
    /// Exchanges so far.
    turn: usize,
    width: usize,
    /// The rows of the tokens; every member has the same.
    rows: Vec<f32>,
    /// What a layer sees of them.
    input: Vec<f32>,
    /// The outputs of this member, row by row.
    part: Vec<f32>,
    /// What its heads found.
    found: Vec<f32>,
    /// The outputs of all members, row by row.
    whole: Vec<f32>,
    quantised: QuantisedRows,
    /// Of the positions, in attention.
    weights: Vec<[f32; LANES]>,
}

impl Desk {
    /// Makes the input of the rows: normalised, or as they are.
    fn norm(&mut self, norm: Option<&Norm>) {
        self.input.resize(self.rows.len(), 0.0);
        match norm {
            Some(norm) => normalise(self.path, &mut self.input, &self.rows, norm),
            None => self.input.copy_from_slice(&self.rows),
        }
    }

    /// Makes the whole of the parts of all members.
    fn exchange(&mut self) {
        let rows = self.rows.len() / self.width;
        let whole = &mut self.whole;
        self.team.exchange(self.index, &mut self.turn, &mut self.part, |parts| {
            let columns: usize = parts.iter().map(|part| part.len() / rows).sum();
            whole.resize(rows * columns, 0.0);
            let mut first = 0;
            for part in parts {
                let len = part.len() / rows;
                for row in 0..rows {
                    let start = row * columns + first;
                    whole[start..start + len].copy_from_slice(&part[row * len..(row + 1) * len]);
                }
                first += len;
            }
        });
    }

    /// Adds the whole to the rows.
    fn add(&mut self) {
        self.rows.iter_mut().zip(&self.whole).for_each(|(number, added)| *number += added);
    }
}
