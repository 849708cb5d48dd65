//! Where the tokens of the sequences of a part stand in the trees of their texts.

use super::Sequence;
use crate::model::kernels::attention::PairBias;
use crate::model::network::Attention;
use crate::model::structure::{PAIRS, PairTable, Place, Structure, Tree, UNSEEN, is_seen};

/// What a pass knows of the trees of its sequences.
#[derive(Debug, Default)]
pub(super) struct Relations {
    tree: Tree,
    /// Of each token, where it stands.
    places: Vec<Place>,
    /// Of each sequence, tokens x tokens: the numbers of the pairs.
    pairs: Vec<u8>,
    /// What the heads of the layer at hand add.
    tables: Vec<PairTable>,
}

impl Relations {
    /// Looks at the sequences of a part.
    pub fn read(&mut self, structure: Option<&Structure>, part: &[Sequence]) {
        let Self { tree, places, pairs, .. } = self;
        places.clear();
        pairs.clear();
        let Some(structure) = structure else { return };
        for sequence in part {
            tree.clear();
            let tokens = sequence.tokens.len();
            for (position, &token) in sequence.tokens.iter().enumerate() {
                tree.push(structure.brackets_of(token));
                if structure.relates() {
                    tree.pairs(position, pairs);
                    pairs.resize(pairs.len() + tokens - position - 1, 0);
                }
            }
            places.extend_from_slice(tree.places());
        }
    }

    /// Where each token stands; nothing where the network is not told.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The numbers of the pairs of all sequences.
    pub fn pairs(&self) -> &[u8] {
        &self.pairs
    }

    /// Makes ready what the heads of a layer add.
    pub fn enter(&mut self, structure: Option<&Structure>, layer: &Attention) {
        self.tables.clear();
        let Some(structure) = structure.filter(|structure| structure.relates()) else { return };
        self.tables.extend((0..layer.heads as usize).map(|head| table(structure, layer, head)));
    }

    /// What a head of the layer adds for a sequence, whose pairs begin at `first`.
    pub fn bias(&self, head: usize, first: usize, tokens: usize) -> Option<PairBias<'_>> {
        let table = self.tables.get(head)?;
        Some(PairBias { pairs: &self.pairs[first..first + tokens * tokens], table })
    }
}

/// What a head adds to the logits of each pair. The first half of the heads are those that are masked.
pub(crate) fn table(structure: &Structure, layer: &Attention, head: usize) -> PairTable {
    let mut table = [0.0; PAIRS + 1];
    if let Some(bias) = layer.relation_bias.get(head * PAIRS..(head + 1) * PAIRS) {
        table[..PAIRS].copy_from_slice(bias);
    }
    if structure.is_masked && head < layer.heads as usize / 2 {
        (0..PAIRS).filter(|&pair| !is_seen(pair)).for_each(|pair| table[pair] = UNSEEN);
    }
    table
}
