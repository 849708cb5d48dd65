//! The tree that brackets and sentences make of a text, and what a network is told of it.
//!
//! Where a token stands in the tree follows from the tokens before it and itself, so that it can be told while a
//! text is still being written:
//!
//! - how many brackets are open around it, as an embedding (Murty and others, "Pushdown layers", 2023, keep such
//!   a stack);
//! - its path: which child of its group it is, which child that group is, and so on, an embedding for each level
//!   (Shiv and Quirk, "Novel positional encodings to enable tree-based transformers", 2019);
//! - a number that each head adds to its logits, by the [`Relation`](tree::Relation) of two tokens and their
//!   difference in depth;
//! - a mask: half of the heads see only their own group, what it stands in, and what they close.
//!
//! All numbers are 0 before the first step: a network that is told of the tree begins as one that is not.

mod brackets;
mod tree;

use rekindle_tokenizer::Tokenizer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use brackets::Brackets;
pub(crate) use tree::{PAIRS, PairTable, Place, Tree, UNSEEN, is_seen};

/// What a network is told of the tree of a text; each can be switched on alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StructureConfig {
    /// How many brackets are open around a token.
    pub depth: bool,
    /// Which child of its group a token is, which child that group is, and so on.
    pub tree: bool,
    /// Each head adds a learnt number to its logits, by how two tokens stand in the tree.
    pub bias: bool,
    /// Half of the heads see only their own group, what it stands in, and what they close.
    pub mask: bool,
}

impl StructureConfig {
    /// Whether nothing is told.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }
}

/// What a network knows of the tree of a text, but for the numbers of its heads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Structure {
    /// What each token opens, closes and ends.
    #[serde(with = "rekindle::array")]
    brackets: Vec<u8>,
    /// A row for each depth, or none: [`Structure::DEPTHS`] x width.
    #[serde(with = "rekindle::array")]
    pub(crate) depth_embedding: Vec<f32>,
    /// A row for each level and child, or none: [`Structure::LEVELS`] x [`Structure::CHILDREN`] x width.
    #[serde(with = "rekindle::array")]
    pub(crate) tree_embedding: Vec<f32>,
    /// Half of the heads are masked.
    pub(crate) is_masked: bool,
    /// Heads have numbers to add.
    pub(crate) is_biased: bool,
}

impl Structure {
    /// Depths that are told apart; deeper tokens count as the deepest.
    pub const DEPTHS: usize = 16;
    /// Levels of a path, from the token up.
    pub const LEVELS: usize = 4;
    /// Children of a group that are told apart; later ones count as the last.
    pub const CHILDREN: usize = 16;

    /// That of a network before the first step, where something is to be told.
    pub(crate) fn new(config: StructureConfig, vocabulary: usize, width: usize) -> Option<Self> {
        let rows = |is_on: bool, rows: usize| vec![0.0; if is_on { rows * width } else { 0 }];
        (!config.is_off()).then(|| Self {
            brackets: vec![0; vocabulary],
            depth_embedding: rows(config.depth, Self::DEPTHS),
            tree_embedding: rows(config.tree, Self::LEVELS * Self::CHILDREN),
            is_masked: config.mask,
            is_biased: config.bias,
        })
    }

    /// Looks at the tokens of a vocabulary.
    pub(crate) fn read(&mut self, tokenizer: &Tokenizer) {
        let brackets = |token| match tokenizer.token_bytes(token) {
            _ if tokenizer.is_special(token) => Brackets::END,
            Some(bytes) => Brackets::of(bytes),
            None => Brackets::default(),
        };
        self.brackets = (0..tokenizer.len() as u32).map(|token| brackets(token).to_bits()).collect();
    }

    /// What it is told of, as a config says it.
    pub(crate) fn config(&self) -> StructureConfig {
        StructureConfig {
            depth: !self.depth_embedding.is_empty(),
            tree: !self.tree_embedding.is_empty(),
            bias: self.is_biased,
            mask: self.is_masked,
        }
    }

    /// Tokens that it knows.
    pub(crate) fn vocabulary(&self) -> usize {
        self.brackets.len()
    }

    /// What a token opens, closes and ends.
    pub(crate) fn brackets_of(&self, token: u32) -> Brackets {
        Brackets::from_bits(self.brackets.get(token as usize).copied().unwrap_or(0))
    }

    /// Whether heads look at how tokens stand to each other.
    pub(crate) fn relates(&self) -> bool {
        self.is_biased || self.is_masked
    }

    /// Whether so many numbers of rows fit this width.
    pub(crate) fn fits(&self, width: usize) -> bool {
        let fits = |rows: &[f32], count: usize| rows.is_empty() || rows.len() == count * width;
        fits(&self.depth_embedding, Self::DEPTHS) && fits(&self.tree_embedding, Self::LEVELS * Self::CHILDREN)
    }

    /// The places of the numbers of depth and path, in rows, that are added to the embedding of a token.
    pub(crate) fn rows_of<'a>(&self, place: &'a Place) -> StructureRows<'a> {
        StructureRows {
            depth: (!self.depth_embedding.is_empty()).then_some(place.depth.min(Self::DEPTHS - 1)),
            path: if self.tree_embedding.is_empty() { &[] } else { &place.path },
        }
    }

    /// Adds to a row what the network is told of a place.
    pub(crate) fn add_to(&self, row: &mut [f32], place: &Place) {
        let width = row.len();
        let rows = self.rows_of(place);
        let mut add = |numbers: &[f32]| row.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
        if let Some(depth) = rows.depth {
            add(&self.depth_embedding[depth * width..][..width]);
        }
        for index in rows.path_rows() {
            add(&self.tree_embedding[index * width..][..width]);
        }
    }
}

/// Which rows of the embeddings of a [`Structure`] a token reads.
pub(crate) struct StructureRows<'a> {
    pub depth: Option<usize>,
    path: &'a [u8],
}

impl StructureRows<'_> {
    /// Rows of the embedding of paths.
    pub fn path_rows(&self) -> impl Iterator<Item = usize> {
        let rows = self.path.iter().enumerate();
        rows.map(|(level, &child)| {
            level * Structure::CHILDREN + usize::from(child).min(Structure::CHILDREN - 1)
        })
    }
}
