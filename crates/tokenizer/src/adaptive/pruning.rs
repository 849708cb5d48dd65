//! Which tokens a vocabulary would lose.

use super::Adaptive;
use super::growth::Candidate;
use super::policy::Pruning;
use crate::byte_pair::BytePair;

/// The tokens that can be spared: nothing is merged from them, now or by a candidate, and they are neither
/// special nor bytes. Those that are pruned first come first.
pub(super) fn spare(adaptive: &Adaptive, model: &BytePair, candidates: &[Candidate]) -> Vec<u32> {
    let len = adaptive.tokenizer.len();
    let mut is_spare = vec![model.keeps_whole; len];
    for [_, _, token] in model.merges() {
        is_spare[token as usize] = true;
    }
    let merged = model.merges().flat_map(|[left, right, _]| [left, right]);
    let wanted = candidates.iter().filter_map(|candidate| candidate.merge);
    let wanted = wanted.flat_map(|(left, right)| [left, right]).filter(|&token| (token as usize) < len);
    let kept = model.byte_tokens.iter().copied().chain(model.unknown).chain(adaptive.tokenizer.added.iter());
    for token in merged.chain(wanted).chain(kept) {
        is_spare[token as usize] = false;
    }
    let tokens = adaptive.tokenizer.vocabulary.tokens().map(|(token, _)| token);
    let mut spare: Vec<u32> = tokens.filter(|&token| is_spare[token as usize]).collect();
    match adaptive.policy.pruning {
        Pruning::None => {}
        // Stable, so that of several that are equal the smallest comes first.
        Pruning::Lru => spare.sort_by_key(|&token| adaptive.last_used[token as usize]),
        Pruning::Frequency => spare.sort_by_key(|&token| adaptive.used[token as usize]),
    }
    spare
}

/// Takes those out that have been idle for too long.
pub(super) fn take_idle(adaptive: &Adaptive, spare: &mut Vec<u32>) -> Vec<u32> {
    let Some(most) = adaptive.policy.max_idle else { return Vec::new() };
    let is_idle = |token: &u32| adaptive.clock - adaptive.last_used[*token as usize] > most;
    let (idle, busy) = std::mem::take(spare).into_iter().partition(is_idle);
    *spare = busy;
    idle
}
