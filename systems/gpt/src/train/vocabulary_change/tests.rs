//! What a change of the vocabulary does to a network.

use rekindle::hash_of;
use rekindle_compute::{KernelPath, Pool, rng};
use rekindle_tokenizer::{Adaptive, Policy, Tokenizer};

use super::*;
use crate::model::config::{Block, ModelConfig};
use crate::model::language_model::LanguageModel;
use crate::model::pass::{ExecContext, PackedNetwork, Pass};
use crate::model::precision::TrainingPrecision;
use crate::model::sampling::Sampling;
use crate::model::structure::StructureConfig;
use crate::train::state::Plan;

const CTX: ExecContext =
    ExecContext { path: KernelPath::Portable, precision: TrainingPrecision::F32, dropout: None };

const TEXT: &str = "the river runs to the sea, and the sea is where the rivers run; ";

fn adaptive() -> Adaptive {
    let text = TEXT.repeat(40);
    let tokenizer = Tokenizer::train_byte_pair(text.as_bytes(), 262).unwrap();
    let policy = Policy { least_count: 4, most_at_once: 5, ..Policy::default() };
    let mut adaptive = Adaptive::new(tokenizer, policy).unwrap();
    adaptive.observe(text.as_bytes());
    adaptive
}

/// A state whose numbers are all there: weights, moments, counts.
fn state(tied: bool) -> State {
    let adaptive = adaptive();
    let model = ModelConfig {
        block: Block::Gpt2,
        layers: 2,
        heads: 2,
        width: 16,
        feed_forward: None,
        context: 32,
        tied,
        attention_biases: false,
        dropout: 0.0,
        structure: StructureConfig::default(),
        sampling: Sampling::default(),
    };
    let mut network = Network::random(&model, adaptive.tokenizer().len(), 1);
    let mut stream = rng::stream(1, 90, 0);
    for (_, _, array) in network.arrays_mut() {
        array.iter_mut().for_each(|number| *number += 0.5 * (stream.uniform() - 0.5));
    }
    let mut optimizer = Optimizer::new(&network);
    for moments in optimizer.moments.values_mut() {
        moments.first.iter_mut().for_each(|number| *number = stream.uniform());
        moments.second.iter_mut().for_each(|number| *number = stream.uniform());
    }
    optimizer.token_updates.fill(9);
    State {
        step: 9,
        tokens: 900,
        model: LanguageModel {
            vocabulary: Vocabulary::Adaptive(adaptive),
            network,
            sampling: Sampling::default(),
        },
        optimizer,
        scaler: None,
        texts: Vec::new(),
        vocabulary_changes: Vec::new(),
        plan: Plan::default(),
        patience: None,
        facts: None,
        codebook: None,
        retained: None,
    }
}

fn row_of(matrix: &Matrix<f32>, row: u32) -> &[f32] {
    &matrix.as_slice()[row as usize * matrix.columns()..][..matrix.columns()]
}

fn proposed(state: &State, count: usize) -> Change {
    let Vocabulary::Adaptive(adaptive) = &state.model.vocabulary else { unreachable!() };
    adaptive.grow_by(count).unwrap()
}

fn logits(network: &Network, tokens: &[u32]) -> Vec<f32> {
    let mut packed = PackedNetwork::default();
    packed.pack(network, TrainingPrecision::F32, false, &Pool::new(1).unwrap());
    Pass::default().logits(CTX, network, &packed, tokens)
}

fn log_probabilities(logits: &[f32]) -> Vec<f64> {
    let total: f64 = logits.iter().map(|&logit| f64::from(logit).exp()).sum();
    logits.iter().map(|&logit| f64::from(logit) - total.ln()).collect()
}

#[test]
fn everything_that_has_rows_for_tokens_moves_together() {
    for (tied, rows) in [(false, NewRows::Random), (true, NewRows::Mean), (false, NewRows::Parts)] {
        let mut state = state(tied);
        let before = state.clone();
        let change = proposed(&state, 6);
        state.change_vocabulary(&change, rows, 1, |_, _| unreachable!("nothing is distilled")).unwrap();
        state.model.check().unwrap();
        assert_eq!(state.optimizer.mismatch(&state.model.network), None);
        assert_eq!(state.model.tokenizer().len(), before.model.tokenizer().len() + 6);
        let (old, new) = (&before.model.network, &state.model.network);
        for (token, row) in (0..).zip(change.rows()) {
            let of = |token: u32| token as usize * 16..(token as usize + 1) * 16;
            match row {
                Row::Kept(source) => {
                    assert_eq!(row_of(&new.token_embedding, token), row_of(&old.token_embedding, *source));
                    assert_eq!(row_of(new.output_weight(), token), row_of(old.output_weight(), *source));
                    let moments = |state: &State| state.optimizer.moments["token_embedding"].first.clone();
                    assert_eq!(moments(&state)[of(token)], moments(&before)[of(*source)]);
                    assert_eq!(state.optimizer.token_updates[token as usize], 9);
                }
                Row::New(parts) => {
                    assert!(parts.len() >= 2);
                    assert!(
                        state.optimizer.moments["token_embedding"].second[of(token)]
                            .iter()
                            .all(|&m| m == 0.0)
                    );
                    assert_eq!(state.optimizer.token_updates[token as usize], 0);
                }
            }
        }
        assert_eq!(
            state.vocabulary_changes,
            [VocabularyChange { step: 9, added: 6, removed: 0, vocabulary: 268 }]
        );
    }
}

#[test]
fn a_change_that_fails_leaves_everything_as_it_was() {
    let mut state = state(false);
    let change = proposed(&state, 3);
    state.change_vocabulary(&change, NewRows::Mean, 1, |_, _| {}).unwrap();
    let before = hash_of(&state).unwrap();
    // It was proposed for the vocabulary before.
    let error = state.change_vocabulary(&change, NewRows::Mean, 1, |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("the vocabulary stays as it is"), "{error}");
    assert_eq!(hash_of(&state).unwrap(), before);

    let Vocabulary::Adaptive(adaptive) = &mut state.model.vocabulary else { unreachable!() };
    let change = adaptive.grow_by(4).unwrap();
    adaptive
        .set_policy(Policy { limit: adaptive.tokenizer().len() + 3, ..adaptive.policy().clone() })
        .unwrap();
    let before = hash_of(&state).unwrap();
    assert!(state.change_vocabulary(&change, NewRows::Mean, 1, |_, _| {}).is_err());
    assert_eq!(hash_of(&state).unwrap(), before);
}

/// `KL(old || new) <= ln(1 + k / V)` for every context: the mean of logits is at most the logarithm of
/// the mean of their exponentials, so that each new token weighs at most as much as the mean old one.
#[test]
fn mean_rows_keep_to_the_bound_on_what_they_take_from_old_tokens() {
    for tied in [false, true] {
        for count in [1, 5, 12] {
            let mut state = state(tied);
            let old = state.model.network.clone();
            let change = proposed(&state, count);
            state.change_vocabulary(&change, NewRows::Mean, 1, |_, _| {}).unwrap();
            let vocabulary = old.vocabulary();
            let bound = (1.0 + count as f64 / vocabulary as f64).ln();
            let tokens: Vec<u32> = (0..32).map(|position| position * 37 % vocabulary as u32).collect();
            let (before, after) = (logits(&old, &tokens), logits(&state.model.network, &tokens));
            let contexts = before.chunks_exact(vocabulary).zip(after.chunks_exact(vocabulary + count));
            for (before, after) in contexts {
                let (before, after) = (log_probabilities(before), log_probabilities(after));
                let divergence: f64 = before.iter().zip(&after).map(|(p, q)| p.exp() * (p - q)).sum();
                assert!((0.0..=bound + 1e-9).contains(&divergence), "{divergence} {bound}");
                // So no old token costs more than the bound, and no loss on old text rises by more.
                assert!(before.iter().zip(&after).all(|(p, q)| p - q <= bound + 1e-6));
            }
        }
    }
}

/// The same at size: 1,000 tokens at once, and the loss of text that is cut by the old vocabulary.
#[test]
fn a_thousand_new_tokens_cost_old_text_no_more_than_the_bound() {
    let text = crate::data::synthetic::facts(crate::data::DataVersion::V1, 1, 600).join("\n\n");
    let tokenizer = Tokenizer::train_byte_pair(text.as_bytes(), 300).unwrap();
    let mut adaptive = Adaptive::new(tokenizer, Policy::default()).unwrap();
    let tokens = adaptive.observe(text.as_bytes());
    let mut state = state(false);
    let model: ModelConfig =
        serde_json::from_str(r#"{"layers": 2, "heads": 2, "width": 16, "context": 32}"#).unwrap();
    let mut network = Network::random(&model, 300, 1);
    let mut stream = rng::stream(1, 91, 0);
    for (_, _, array) in network.arrays_mut() {
        array.iter_mut().for_each(|number| *number += 0.5 * (stream.uniform() - 0.5));
    }
    state.optimizer = Optimizer::new(&network);
    state.model =
        LanguageModel { vocabulary: Vocabulary::Adaptive(adaptive), network, sampling: Sampling::default() };
    let loss = |network: &Network| {
        let mut packed = PackedNetwork::default();
        packed.pack(network, TrainingPrecision::F32, false, &Pool::new(1).unwrap());
        let part: Vec<_> = tokens[..3300].chunks(33).map(crate::model::pass::Sequence::of_text).collect();
        let targets: usize = part.iter().map(crate::model::pass::Sequence::targets).sum();
        Pass::default().loss(CTX, network, &packed, &part) / targets as f64
    };
    let before = loss(&state.model.network);
    let change = proposed(&state, 1000);
    state.change_vocabulary(&change, NewRows::Mean, 1, |_, _| {}).unwrap();
    assert_eq!(state.model.network.vocabulary(), 1300);
    let rise = loss(&state.model.network) - before;
    let bound = (1.0 + 1000.0 / 300.0_f64).ln();
    assert!((0.0..=bound).contains(&rise), "{rise} {bound}");
}

#[test]
fn distilled_rows_are_seen_as_what_they_stand_for() {
    let distance = |rows: NewRows| {
        let mut state = state(false);
        // Behind a token that stands for several, positions are others; here they do not matter.
        state.model.network.position_embedding.as_mut_slice().fill(0.0);
        let old = state.model.network.clone();
        let Vocabulary::Adaptive(adaptive) = &state.model.vocabulary else { unreachable!() };
        let text = adaptive.tokenizer().encode(TEXT.repeat(20).as_bytes());
        let change = proposed(&state, 1);
        let pool = Pool::new(1).unwrap();
        let fit = |network: &mut Network, new: &[NewToken]| {
            distil(KernelPath::Portable, &pool, network, new, &text);
        };
        state.change_vocabulary(&change, rows, 1, fit).unwrap();
        let found = (0..).zip(change.rows()).find_map(|(token, row)| match row {
            Row::New(parts) => Some((token, parts.clone())),
            Row::Kept(_) => None,
        });
        let (token, parts) = found.unwrap();
        // A context in which it occurs, behind those that were fitted.
        let place = text.windows(parts.len()).rposition(|window| window == parts).unwrap();
        let before = &text[place - 10..place];
        let last = |network: &Network, tokens: &[u32]| {
            let mut packed = PackedNetwork::default();
            packed.pack(network, TrainingPrecision::F32, false, &Pool::new(1).unwrap());
            let sequence = crate::model::pass::Sequence::without_targets(tokens.to_vec());
            Pass::default().last_rows(CTX, network, &packed, &[sequence])
        };
        let wanted = last(&old, &[before, &parts[..]].concat());
        let found = last(&state.model.network, &[before, &[token][..]].concat());
        wanted.iter().zip(found).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
    };
    let (parts, distilled) = (distance(NewRows::Parts), distance(NewRows::Distilled));
    assert!(distilled < 0.5 * parts, "{distilled} {parts}");
}
