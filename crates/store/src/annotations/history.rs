//! The metrics history: segments of JSON lines, each sealed by a commit and naming the one before.
//!
//! The first line of a segment is `{"previous": NAME or null}`; the others are the caller's rows.
//! A segment's name holds the hash of its content.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::checkpoint::Checkpoint;
use crate::checkpoint::commit::CommitRecord;
use crate::encryption::sealer::{SealedText, Sealer};
use crate::error::{Damage, Problem};
use crate::hash::Hash;
use crate::packs::pack::unreadable;
use crate::reader::Store;
use crate::storage::Storage;

pub(crate) const PREFIX: &str = "metrics/";
const SUFFIX: &str = ".jsonl";
/// No segment is longer: bytes.
const SEGMENT_LIMIT: u64 = 64 << 20;

/// One row of the history: metrics by name, with the step they belong to.
pub type Row = Map<String, Value>;

#[derive(Serialize, Deserialize)]
struct Head {
    previous: Option<String>,
}

/// The only line of an encrypted segment.
#[derive(Serialize, Deserialize)]
struct Sealed {
    sealed: SealedText,
}

const WHAT: &str = "metrics";

impl Store {
    /// The rows of the metrics history up to the checkpoint of `record`; rows of segments that
    /// cannot be read are left out, and the damage is returned.
    pub fn history(&self, record: &CommitRecord) -> (Vec<Row>, Option<Damage>) {
        rows(&**self.storage(), record.history.as_deref(), &self.sealer())
    }
}

impl Checkpoint<'_> {
    /// The metrics history up to this checkpoint, as [`Store::history`].
    pub fn history(&self) -> (Vec<Row>, Option<Damage>) {
        rows(self.storage, self.record().history.as_deref(), &self.sealer)
    }
}

/// The bytes of a segment and the name of its object.
pub(crate) fn encode(
    step: u64,
    previous: Option<&str>,
    rows: &[Row],
    sealer: &Sealer<'_>,
) -> (String, Vec<u8>) {
    let head = Head { previous: previous.map(str::to_owned) };
    let mut lines = vec![serde_json::to_string(&head).unwrap_or_default()];
    lines.extend(rows.iter().map(|row| Value::Object(row.clone()).to_string()));
    let mut text = lines.join("\n") + "\n";
    if let Some(sealed) = sealer.seal(WHAT, text.as_bytes()) {
        text = serde_json::to_string(&Sealed { sealed }).unwrap_or_default() + "\n";
    }
    (object_name(step, &Hash::of(text.as_bytes())), text.into_bytes())
}

fn object_name(step: u64, hash: &Hash) -> String {
    format!("{PREFIX}{step:012}-{hash}{SUFFIX}")
}

/// The content hash in a segment's name.
pub(crate) fn parse_object_name(name: &str) -> Option<Hash> {
    let stem = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let (step, hash) = stem.split_once('-')?;
    let hash = hash.parse().ok()?;
    (object_name(step.parse().ok()?, &hash) == name).then_some(hash)
}

/// A segment's rows and the name of the one before, verified.
pub(crate) fn read(
    storage: &dyn Storage,
    name: &str,
    sealer: &Sealer<'_>,
) -> Result<(Option<String>, Vec<Row>), Damage> {
    let malformed = || Damage::malformed(name, "it is not a segment of this run's metrics history");
    let mut bytes = read_stored(storage, name)?;
    if sealer.cipher.is_some() {
        let stored: Option<Sealed> = serde_json::from_slice(&bytes).ok();
        bytes = stored.and_then(|stored| sealer.open(WHAT, &stored.sealed)).ok_or_else(malformed)?;
    }
    let mut lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let head = lines.next().and_then(|line| serde_json::from_slice::<Head>(line).ok());
    let head = head.ok_or_else(malformed)?;
    let rows = lines.map(serde_json::from_slice).collect::<Result<Vec<Row>, _>>();
    Ok((head.previous, rows.map_err(|_| malformed())?))
}

/// The bytes of a segment as they are stored, verified.
pub(crate) fn read_stored(storage: &dyn Storage, name: &str) -> Result<Vec<u8>, Damage> {
    let malformed = || Damage::malformed(name, "it is not a segment of a metrics history");
    let expected = parse_object_name(name).ok_or_else(malformed)?;
    let bytes = storage.read(name, SEGMENT_LIMIT).map_err(|error| unreadable(name, error))?;
    if Hash::of(&bytes) == expected { Ok(bytes) } else { Err(Damage::new(name, Problem::HashMismatch)) }
}

/// The rows of the segments from the first to `last`, as far back as they can be read.
pub(crate) fn rows(
    storage: &dyn Storage,
    last: Option<&str>,
    sealer: &Sealer<'_>,
) -> (Vec<Row>, Option<Damage>) {
    let (mut segments, mut damage) = (Vec::new(), None);
    let mut next = last.map(str::to_owned);
    // A name is part of the hashed content that names it, so that good segments make no circle. But
    // a segment can name one that is not there, behind which the walk would come to it again.
    let mut seen = BTreeSet::new();
    while let Some(name) = next.filter(|name| seen.insert(name.clone())) {
        next = match read(storage, &name, sealer) {
            Ok((previous, rows)) => {
                segments.push(rows);
                previous
            }
            Err(found) => {
                damage = damage.or(Some(found));
                segment_before(storage, &name)
            }
        };
    }
    (segments.into_iter().rev().flatten().collect(), damage)
}

/// The name of the last segment that ends before a damaged one, which does not tell any more.
fn segment_before(storage: &dyn Storage, damaged: &str) -> Option<String> {
    let objects = storage.list(PREFIX).ok()?;
    let step = |name: &str| name.get(..PREFIX.len() + 12).map(str::to_owned);
    let earlier = objects.into_iter().map(|object| object.name).filter(|name| step(name) < step(damaged));
    earlier.filter(|name| parse_object_name(name).is_some()).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MemoryStorage;

    #[test]
    fn a_segment_after_one_that_is_missing_is_read_once() {
        let storage = MemoryStorage::new();
        let plain = Sealer { cipher: None, run: "", of_this_run: true, unbound: false };
        let missing = object_name(9, &Hash::of(b"missing"));
        let row = Row::from_iter([("step".to_owned(), Value::from(1))]);
        let (name, bytes) = encode(1, Some(&missing), std::slice::from_ref(&row), &plain);
        storage.put(&name, &bytes).unwrap();
        let (read, damage) = rows(&storage, Some(&name), &plain);
        assert_eq!(read, [row]);
        assert_eq!(damage.map(|damage| damage.object), Some(missing));
    }
}
