//! Differences, byte by byte, from a chunk with parts in common that may lie at other places.
//!
//! The target is aligned along the base: a list of operations, each a number of bytes and the
//! change of the distance between target and base. What is left are differences, mostly zero.

use super::section;

/// Bytes that are compared at a time to see whether the alignment still holds.
const BLOCK: usize = 8;
/// Bytes on which alignments are compared with each other.
const LOOK_AHEAD: usize = 24;
/// Changes of the distance that are tried first: bytes.
const NEAR: i64 = 96;
/// Windows of this length find parts that have moved far: bytes.
const WINDOW: usize = 8;
/// A chunk is described by so many features.
const FEATURES: usize = 16;

/// What a chunk has in it: the least hashes of its windows. Chunks that share some are similar.
pub(crate) fn features(bytes: &[u8]) -> Vec<u64> {
    let mut least: Vec<u64> = windows(bytes).map(|(_, hash)| hash).filter(|hash| hash % 128 == 0).collect();
    least.sort_unstable();
    least.dedup();
    least.truncate(FEATURES);
    least
}

fn windows(bytes: &[u8]) -> impl Iterator<Item = (usize, u64)> {
    bytes.windows(WINDOW).enumerate().map(|(position, window)| (position, hash(window)))
}

fn hash(window: &[u8]) -> u64 {
    let value = u64::from_le_bytes(window.try_into().unwrap_or_default());
    let mixed = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 8
}

/// `target` as operations and differences from `base`; `None` when they have little in common.
pub(super) fn encode(target: &[u8], base: &[u8]) -> Option<Vec<u8>> {
    let operations = align(target, base);
    let (mut encoded, mut differences) = (Vec::new(), Vec::with_capacity(target.len()));
    let (mut position, mut before) = (0, 0);
    for &(len, shift) in &operations {
        put_varint(len as u64, &mut encoded);
        put_varint(zigzag(shift - before), &mut encoded);
        before = shift;
        let bytes = target[position..position + len].iter().enumerate();
        differences.extend(bytes.map(|(i, byte)| byte.wrapping_sub(at(base, position + i, shift))));
        position += len;
    }
    let changed = differences.iter().filter(|&&byte| byte != 0).count();
    if changed * 2 > target.len() {
        return None;
    }
    let mut out = (encoded.len() as u32).to_le_bytes().to_vec();
    section::put(&encoded, &mut out);
    section::put(&differences, &mut out);
    (out.len() < target.len()).then_some(out)
}

pub(super) fn decode_into(stored: &[u8], base: &[u8], raw: &mut [u8]) -> Option<()> {
    let (len, mut rest) = stored.split_first_chunk()?;
    let len = u32::from_le_bytes(*len) as usize;
    // An operation has at least one byte of the target and takes at most twenty.
    if len > raw.len().saturating_mul(20) {
        return None;
    }
    let mut operations = vec![0; len];
    section::take(&mut rest, &mut operations)?;
    section::take(&mut rest, raw)?;
    let (mut input, mut position, mut shift) = (operations.as_slice(), 0usize, 0i64);
    while !input.is_empty() {
        let len = usize::try_from(take_varint(&mut input)?).ok()?;
        shift = shift.checked_add(unzigzag(take_varint(&mut input)?))?;
        let end = position.checked_add(len).filter(|&end| len > 0 && end <= raw.len())?;
        for (i, byte) in raw[position..end].iter_mut().enumerate() {
            *byte = byte.wrapping_add(at(base, position + i, shift));
        }
        position = end;
    }
    (rest.is_empty() && position == raw.len()).then_some(())
}

/// The byte of the base that stands opposite the target's at `position`; zero outside.
fn at(base: &[u8], position: usize, shift: i64) -> u8 {
    let position = (position as i64).checked_add(shift).and_then(|position| usize::try_from(position).ok());
    position.and_then(|position| base.get(position)).copied().unwrap_or(0)
}

/// Pieces of the target with the distance at which they lie in the base.
fn align(target: &[u8], base: &[u8]) -> Vec<(usize, i64)> {
    let mut operations: Vec<(usize, i64)> = Vec::new();
    let mut far = None;
    let (mut position, mut shift) = (0, 0i64);
    while position < target.len() {
        let len = BLOCK.min(target.len() - position);
        if differing(target, base, position, len, shift) * 2 > len {
            shift = realign(target, base, position, shift, &mut far);
        }
        match operations.last_mut() {
            Some(last) if last.1 == shift => last.0 += len,
            _ => operations.push((len, shift)),
        }
        position += len;
    }
    operations
}

/// Bytes of `target[position..position + len]` that differ from their opposites.
fn differing(target: &[u8], base: &[u8], position: usize, len: usize, shift: i64) -> usize {
    let end = target.len().min(position + len);
    let start = position as i64 + shift;
    let opposite = usize::try_from(start).ok().and_then(|start| base.get(start..start + (end - position)));
    match opposite {
        Some(opposite) => target[position..end].iter().zip(opposite).filter(|(a, b)| a != b).count(),
        None => (position..end).filter(|&i| target[i] != at(base, i, shift)).count(),
    }
}

/// The best distance from `position` on: the present one, one near it, or one that a window of
/// the target leads to.
fn realign(target: &[u8], base: &[u8], position: usize, shift: i64, far: &mut Option<Windows>) -> i64 {
    let cost = |shift: i64| differing(target, base, position, LOOK_AHEAD, shift);
    let near = (1..=NEAR).flat_map(|change| [shift + change, shift - change]);
    let mut best = (cost(shift), shift);
    for candidate in near {
        let found = cost(candidate);
        if found + 2 < best.0 {
            best = (found, candidate);
        }
        if best.0 * 4 < LOOK_AHEAD {
            return best.1;
        }
    }
    let far = far.get_or_insert_with(|| Windows::of(base));
    let ahead = &target[position..target.len().min(position + LOOK_AHEAD)];
    for (offset, hash) in windows(ahead) {
        if let Some(found) = far.find(hash) {
            let candidate = i64::from(found) - (position + offset) as i64;
            let cost = cost(candidate);
            if cost + 2 < best.0 {
                best = (cost, candidate);
            }
        }
    }
    best.1
}

/// Where the windows of a chunk are. Of two that collide, the later is kept.
struct Windows {
    /// One more than the position; 0 where there is none.
    slots: Vec<u32>,
}

impl Windows {
    fn of(bytes: &[u8]) -> Self {
        let mut slots = vec![0; bytes.len().next_power_of_two()];
        let mask = slots.len() as u64 - 1;
        windows(bytes).for_each(|(position, hash)| slots[(hash & mask) as usize] = position as u32 + 1);
        Self { slots }
    }

    fn find(&self, hash: u64) -> Option<u32> {
        self.slots[(hash & (self.slots.len() as u64 - 1)) as usize].checked_sub(1)
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take_varint(input: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = input.split_first()?;
        *input = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
