//! Finding the chunks of a pack whose index or whose end is damaged.

use super::pack::{MAGIC, PackEntry, TRAILER_LEN, decode_index, object_name, take_entry};
use crate::hash::Hash;
use crate::storage::Storage;

/// The chunks that can still be told in a pack whose index or whose end is damaged, each at every
/// place where it may lie: whoever reads them checks their hashes.
///
/// A damaged length moves all chunks behind it, so that their places are also counted from the
/// end; and when the length of the index itself is damaged, the index is searched for.
pub(crate) fn salvage_index(storage: &dyn Storage, id: &Hash) -> Vec<PackEntry> {
    let name = object_name(id);
    let len = storage.len(&name).unwrap_or(0);
    let tail = readable_tail(storage, &name, len);
    let tail_len = tail.len();
    let Some(index_end) = tail_len.checked_sub(TRAILER_LEN) else { return Vec::new() };
    let mut found = Vec::new();
    for start in candidate_starts(&tail, index_end) {
        let mut index = &tail[start..index_end];
        let mut entries = Vec::new();
        while let Some(entry) = take_entry(&mut index) {
            entries.push(entry);
        }
        // Where the index began before a part of it became unreadable, the chunks end.
        let stated = tail[index_end..].first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        let stated = stated.and_then(|index_len| (len - TRAILER_LEN as u64).checked_sub(index_len));
        let ends = [Some(len - (tail_len - start) as u64), stated];
        place_from_both_ends(&mut entries, ends.into_iter().flatten());
        found.extend(entries);
    }
    found
}

/// The end of an object as far back as it can be read without a gap, and as an index may reach. It is
/// read in small pieces, so that a sector that cannot be read costs no more than what lies before it.
fn readable_tail(storage: &dyn Storage, name: &str, len: u64) -> Vec<u8> {
    let mut tail = vec![0; len.min(SALVAGE_TAIL) as usize];
    let mut readable_from = tail.len();
    while readable_from > 0 {
        let start = readable_from.saturating_sub(SALVAGE_PIECE);
        let offset = len - (tail.len() - start) as u64;
        if storage.read_range(name, offset, &mut tail[start..readable_from]).is_err() {
            break;
        }
        readable_from = start;
    }
    tail.split_off(readable_from)
}

/// No more than this much of a damaged pack is searched for its index: bytes.
const SALVAGE_TAIL: u64 = 32 << 20;
/// It is read in pieces of this length: bytes.
const SALVAGE_PIECE: usize = 4 << 10;

/// Where the index may begin within `tail`: where its length says, and, when what is there does
/// not reach the end, also the first place from which an index does.
fn candidate_starts(tail: &[u8], index_end: usize) -> Vec<usize> {
    let stated = tail[index_end..].first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let stated = stated.and_then(|len| index_end.checked_sub(usize::try_from(len).ok()?));
    let whole = |start: usize| decode_index(&tail[start..index_end]).is_some_and(|all| !all.is_empty());
    if let Some(start) = stated.filter(|&start| whole(start)) {
        return vec![start];
    }
    stated.into_iter().chain(first_start_of_entries(&tail[..index_end])).collect()
}

/// The first place from which entries reach the end of `bytes`. Every place is looked at once, from
/// the last to the first, as hostile bytes could otherwise take the square of their number.
fn first_start_of_entries(bytes: &[u8]) -> Option<usize> {
    let mut reaches_end = vec![false; bytes.len() + 1];
    reaches_end[bytes.len()] = true;
    for start in (0..bytes.len()).rev() {
        let mut rest = &bytes[start..];
        reaches_end[start] = take_entry(&mut rest).is_some() && reaches_end[bytes.len() - rest.len()];
    }
    reaches_end[..bytes.len()].iter().position(|&reaches| reaches)
}

/// Gives every entry its place as counted from the beginning, and adds it as counted from each of the
/// places where the chunks may end, where that is another.
fn place_from_both_ends(entries: &mut Vec<PackEntry>, chunks_ends: impl Iterator<Item = u64>) {
    let mut offset = MAGIC.len() as u64;
    for entry in entries.iter_mut() {
        entry.offset = offset;
        offset += u64::from(entry.stored_len);
    }
    let mut from_end = Vec::new();
    for chunks_end in chunks_ends {
        let mut end = Some(chunks_end);
        for entry in entries.iter().rev() {
            end = end.and_then(|end| end.checked_sub(u64::from(entry.stored_len)));
            match end {
                Some(offset) if offset != entry.offset => {
                    from_end.push(PackEntry { offset, ..entry.clone() });
                }
                Some(_) => {}
                None => break,
            }
        }
    }
    entries.extend(from_end);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MemoryStorage;

    /// The square of its length would be minutes.
    #[test]
    fn an_index_is_searched_for_in_time_that_grows_with_the_pack() {
        let (id, entries) = (Hash([0; 32]), vec![0; 4 << 20]);
        let bytes = [entries, vec![0xff; 100 + TRAILER_LEN]].concat();
        let storage = MemoryStorage::from_objects([(object_name(&id), bytes)].into());
        assert_eq!(salvage_index(&storage, &id), []);
    }
}
