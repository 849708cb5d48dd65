//! Index nodes: the state tree cut into content-addressed pieces, so that unchanged subtrees are
//! shared between checkpoints. The bytes are described in `docs/format.md`, section "Index node".
//!
//! A subtree whose encoding is longer than [`NODE_LIMIT`] becomes a node of its own. A container
//! with so many children that they do not fit one node is cut into runs at children chosen by
//! their content, so that an inserted child changes one run and not all that follow.

use crate::error::{Damage, SaveError};
use crate::hash::Hash;
use crate::packs::chunks::Chunks;
use crate::packs::pack::CHUNK_MAX;
use crate::state::dtype::DType;
use crate::state::path::EntryPath;
use crate::state::tree::{
    ArrayPlace, ArrayRef, ArrayType, CHUNK_LIMIT, INLINE_LIMIT, Node, Scalar, StoredTree,
};

/// Longer encodings become nodes of their own: bytes.
const NODE_LIMIT: usize = 8 << 10;
/// A run ends no sooner: bytes.
const RUN_MIN: usize = 2 << 10;
/// A run ends no later: bytes.
const RUN_MAX: usize = 32 << 10;
/// A container of more bytes than this has longer runs, so that their hashes fit one node: bytes.
const SHORT_RUNS_UP_TO: usize = 64 << 20;
/// Longer strings are stored as chunks: bytes.
const STRING_LIMIT: usize = 1 << 10;
/// Levels of nesting that a state may have.
pub(crate) const DEPTH_LIMIT: usize = 128;

const NULL: u8 = 0x00;
const SOME: u8 = 0x01;
const ARRAY_INLINE: u8 = 0x02;
const ARRAY_CHUNKS: u8 = 0x03;
const LIST: u8 = 0x04;
const STRUCT: u8 = 0x05;
const MAP: u8 = 0x06;
const VARIANT: u8 = 0x07;
const LONG_STRING: u8 = 0x08;
const NODE: u8 = 0x09;
/// Added to a container's code when its children stand in runs.
const IN_RUNS: u8 = 0x80;

/// Where the tree of a checkpoint begins, and how many values it is said to have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Root {
    pub node: Hash,
    pub values: u64,
}

/// Takes chunks and gives their hashes.
pub(crate) trait ChunkSink {
    fn put_chunk(&mut self, bytes: &[u8]) -> Result<Hash, SaveError>;
}

/// Writes the index of `tree`; gives the hash of its root node.
pub(crate) fn write(tree: &StoredTree, sink: &mut dyn ChunkSink) -> Result<Hash, SaveError> {
    let mut writer = IndexWriter { sink, path: EntryPath::root(), depth: 0 };
    let root = writer.value(tree)?;
    writer.put_node(&root)
}

struct IndexWriter<'a> {
    sink: &'a mut dyn ChunkSink,
    path: EntryPath,
    /// Levels above the present value, options included: as the reader counts them.
    depth: usize,
}

impl IndexWriter<'_> {
    fn value(&mut self, node: &StoredTree) -> Result<Vec<u8>, SaveError> {
        let mut out = Vec::new();
        match node {
            Node::Null => out.push(NULL),
            Node::Scalar(Scalar::Str(text)) if text.len() > STRING_LIMIT => {
                out.push(LONG_STRING);
                put_varint(text.len() as u64, &mut out);
                for piece in text.as_bytes().chunks(CHUNK_LIMIT as usize) {
                    out.extend_from_slice(&self.put_node(piece)?.0);
                }
            }
            Node::Scalar(scalar) => scalar.encode(&mut out),
            Node::Array(array) => encode_array(array, &mut out),
            Node::Some(content) => {
                out.push(SOME);
                out.extend(self.child(None, content)?);
            }
            Node::Variant(name, content) => {
                out.push(VARIANT);
                put_name(name, &mut out);
                out.extend(self.child(Some(name.clone()), content)?);
            }
            Node::List(items) => {
                let mut children = Vec::with_capacity(items.len());
                for (position, item) in items.iter().enumerate() {
                    children.push(self.child(Some(position.to_string()), item)?);
                }
                out = self.container(LIST, children)?;
            }
            Node::Struct(fields) => {
                let mut children = Vec::with_capacity(fields.len());
                for (name, field) in fields {
                    let mut child = Vec::new();
                    put_name(name, &mut child);
                    child.extend(self.child(Some(name.clone()), field)?);
                    children.push(child);
                }
                out = self.container(STRUCT, children)?;
            }
            Node::Map(entries) => {
                let mut children = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    let mut child = Vec::new();
                    key.encode(&mut child);
                    child.extend(self.child(Some(key.to_string()), value)?);
                    children.push(child);
                }
                out = self.container(MAP, children)?;
            }
        }
        Ok(out)
    }

    /// The encoding of a child, or of a reference to it when it is long.
    fn child(&mut self, segment: Option<String>, node: &StoredTree) -> Result<Vec<u8>, SaveError> {
        let named = segment.is_some();
        segment.into_iter().for_each(|segment| self.path.push(segment));
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(SaveError::TooDeep { path: self.path.clone(), limit: DEPTH_LIMIT });
        }
        let mut encoding = self.value(node)?;
        self.depth -= 1;
        if encoding.len() > NODE_LIMIT {
            let hash = self.put_node(&encoding)?;
            encoding = vec![NODE];
            encoding.extend_from_slice(&hash.0);
        }
        if named {
            self.path.pop();
        }
        Ok(encoding)
    }

    fn put_node(&mut self, bytes: &[u8]) -> Result<Hash, SaveError> {
        let (len, limit) = (bytes.len(), CHUNK_MAX);
        if len > limit {
            return Err(SaveError::NodeTooLarge { path: self.path.clone(), len, limit });
        }
        self.sink.put_chunk(bytes)
    }

    fn container(&mut self, code: u8, children: Vec<Vec<u8>>) -> Result<Vec<u8>, SaveError> {
        let total: usize = children.iter().map(Vec::len).sum();
        let mut out = Vec::new();
        if total <= NODE_LIMIT {
            out.push(code);
            put_varint(children.len() as u64, &mut out);
            children.iter().for_each(|child| out.extend_from_slice(child));
            return Ok(out);
        }
        let mut runs = Vec::new();
        for run in cut_into_runs(&children, total) {
            let mut bytes = Vec::new();
            put_varint(run.len() as u64, &mut bytes);
            run.iter().for_each(|child| bytes.extend_from_slice(child));
            runs.push(self.put_node(&bytes)?);
        }
        out.push(code | IN_RUNS);
        put_varint(runs.len() as u64, &mut out);
        runs.iter().for_each(|hash| out.extend_from_slice(&hash.0));
        Ok(out)
    }
}

/// Cuts children of `total` bytes into runs; a run ends after a child whose first bytes (its name, key
/// or value) hash to a multiple of 16, within the limits of a run's length. Those are doubled as often
/// as the total is beyond what short runs are for.
fn cut_into_runs(children: &[Vec<u8>], total: usize) -> Vec<&[Vec<u8>]> {
    let mut runs = Vec::new();
    let factor = total.div_ceil(SHORT_RUNS_UP_TO).next_power_of_two();
    let (run_min, run_max) = (RUN_MIN * factor, RUN_MAX * factor);
    let (mut start, mut len) = (0, 0);
    for (position, child) in children.iter().enumerate() {
        len += child.len();
        let head = &child[..child.len().min(24)];
        let boundary = len >= run_min && Hash::of(head).0[0].is_multiple_of(16);
        if boundary || len >= run_max || position + 1 == children.len() {
            runs.push(&children[start..=position]);
            (start, len) = (position + 1, 0);
        }
    }
    runs
}

fn encode_array(array: &ArrayRef, out: &mut Vec<u8>) {
    let ArrayType { dtype, shape } = array.kind();
    out.push(match array.place {
        ArrayPlace::Inline(_) => ARRAY_INLINE,
        ArrayPlace::Chunks(_) => ARRAY_CHUNKS,
    });
    out.push(dtype.code());
    put_varint(shape.len() as u64, out);
    shape.iter().for_each(|&dim| put_varint(dim, out));
    match &array.place {
        ArrayPlace::Inline(bytes) => out.extend_from_slice(bytes),
        ArrayPlace::Chunks(chunks) => chunks.iter().for_each(|hash| out.extend_from_slice(&hash.0)),
    }
}

fn put_name(name: &str, out: &mut Vec<u8>) {
    put_varint(name.len() as u64, out);
    out.extend_from_slice(name.as_bytes());
}

/// LEB128: seven bits a byte, least significant first.
fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads the tree whose root node is `root`, and tells `visit` about every node on the way.
pub(crate) fn read(chunks: &Chunks, root: &Root) -> Result<StoredTree, Damage> {
    let mut reader = IndexReader::new(chunks, root);
    reader.node(&root.node, &mut EntryPath::root(), 0)
}

/// The chunks that the tree at `root` needs: nodes, array chunks and pieces of long strings.
pub(crate) fn reachable(chunks: &Chunks, root: &Root) -> Result<Vec<(Hash, EntryPath)>, Damage> {
    read_with_chunks(chunks, root).map(|(_, used)| used)
}

/// The tree, as [`read`] gives it, and the chunks that it needs, as [`reachable`] does.
pub(crate) fn read_with_chunks(
    chunks: &Chunks,
    root: &Root,
) -> Result<(StoredTree, Vec<(Hash, EntryPath)>), Damage> {
    let mut reader = IndexReader::new(chunks, root);
    reader.used = Some(Vec::new());
    let tree = reader.node(&root.node, &mut EntryPath::root(), 0)?;
    Ok((tree, reader.used.unwrap_or_default()))
}

/// The tree as far as it can be read, and the paths of what was left out: an entry that is lost is
/// null, and so are the rest of a list, and the unknown entries of a container, whose run is lost.
pub(crate) fn read_what_is_left(chunks: &Chunks, root: &Root) -> (StoredTree, Vec<EntryPath>) {
    let mut reader = IndexReader::new(chunks, root);
    reader.lost = Some(Vec::new());
    let mut path = EntryPath::root();
    let tree = reader.node(&root.node, &mut path, 0).unwrap_or_else(|_| {
        reader.lose(&EntryPath::root());
        Node::Null
    });
    (tree, reader.lost.unwrap_or_default())
}

struct IndexReader<'a> {
    chunks: &'a Chunks,
    /// Bytes of memory that the tree may still take. Shared nodes are decoded at every place where
    /// they stand, and compressed ones hold many values, so that a small hostile run could unfold
    /// into a huge tree.
    budget: u64,
    /// Collects the chunks in use, where that is asked for.
    used: Option<Vec<(Hash, EntryPath)>>,
    /// Collects what cannot be read, where reading goes on without it.
    lost: Option<Vec<EntryPath>>,
}

/// A tree may unfold to so many times the stored bytes of its run, to so many bytes for each value
/// that its record states, and in any case to the least budget.
const UNFOLDING: u64 = 1024;
const VALUE_MAX: u64 = 1024;
const BUDGET_MIN: u64 = 32 << 20;

impl<'a> IndexReader<'a> {
    fn new(chunks: &'a Chunks, root: &Root) -> Self {
        let stored = chunks.total_stored_len().saturating_mul(UNFOLDING);
        let budget = stored.max(root.values.saturating_mul(VALUE_MAX)).max(BUDGET_MIN);
        Self { chunks, budget, used: None, lost: None }
    }

    fn fetch(&mut self, hash: &Hash, path: &EntryPath) -> Result<Vec<u8>, Damage> {
        self.spend(self.chunks.raw_len(hash).unwrap_or(0) as usize, hash)?;
        let bytes = self.chunks.read(hash).map_err(|damage| damage.in_entry(path))?;
        self.note(hash, path)?;
        Ok(bytes)
    }

    fn spend(&mut self, bytes: usize, hash: &Hash) -> Result<(), Damage> {
        let malformed = || Damage::malformed(node_name(hash), "the tree unfolds beyond all measure");
        self.budget = self.budget.checked_sub(bytes as u64).ok_or_else(malformed)?;
        Ok(())
    }

    /// Notes that what stands at `path` is lost; false when reading has to end there.
    fn lose(&mut self, path: &EntryPath) -> bool {
        let Some(lost) = &mut self.lost else { return false };
        if lost.last() == Some(path) {
            return true;
        }
        let Some(budget) = self.budget.checked_sub(memory_of(path) as u64) else { return false };
        self.budget = budget;
        lost.push(path.clone());
        true
    }

    fn note(&mut self, hash: &Hash, path: &EntryPath) -> Result<(), Damage> {
        // A long name above many chunks stands in the path of each. It counts whether or not paths
        // are collected, so that what can be read does not depend on what is asked for.
        self.spend(memory_of(path), hash)?;
        if let Some(used) = &mut self.used {
            used.push((*hash, path.clone()));
        }
        Ok(())
    }

    fn node(&mut self, hash: &Hash, path: &mut EntryPath, depth: usize) -> Result<StoredTree, Damage> {
        let bytes = self.fetch(hash, path)?;
        let mut input = Input::new(hash, &bytes);
        // A node that is a reference again is written by nobody, and would be a level that is not counted.
        if bytes.first() == Some(&NODE) {
            return Err(input.malformed("a node that only refers to another"));
        }
        let node = self.value(&mut input, path, depth)?;
        input.end()?;
        Ok(node)
    }

    fn value(
        &mut self,
        input: &mut Input<'_>,
        path: &mut EntryPath,
        depth: usize,
    ) -> Result<StoredTree, Damage> {
        if depth > DEPTH_LIMIT {
            return Err(input.malformed("the tree is nested too deep"));
        }
        self.spend(size_of::<StoredTree>(), input.hash)?;
        let code = input.byte()?;
        Ok(match code {
            NULL => Node::Null,
            SOME => Node::Some(Box::new(self.value(input, path, depth + 1)?)),
            ARRAY_INLINE | ARRAY_CHUNKS => Node::Array(self.array(code, input, path)?),
            VARIANT => {
                let name = input.name()?;
                let content = self.below(name.clone(), input, path, depth)?;
                Node::Variant(name, Box::new(content))
            }
            LONG_STRING => match self.long_string(input, path)? {
                Ok(text) => Node::Scalar(Scalar::Str(text)),
                Err(_) if self.lose(path) => Node::Null,
                Err(damage) => return Err(damage),
            },
            NODE => {
                let hash = input.hash()?;
                match self.node(&hash, path, depth) {
                    Err(_) if self.lose(path) => Node::Null,
                    result => result?,
                }
            }
            _ if matches!(code & !IN_RUNS, LIST | STRUCT | MAP) => {
                self.container(code, input, path, depth)?
            }
            _ => Node::Scalar(input.scalar(code)?),
        })
    }

    fn below(
        &mut self,
        segment: String,
        input: &mut Input<'_>,
        path: &mut EntryPath,
        depth: usize,
    ) -> Result<StoredTree, Damage> {
        path.push(segment);
        let node = self.value(input, path, depth + 1);
        path.pop();
        node
    }

    fn container(
        &mut self,
        code: u8,
        input: &mut Input<'_>,
        path: &mut EntryPath,
        depth: usize,
    ) -> Result<StoredTree, Damage> {
        let kind = code & !IN_RUNS;
        let mut content = match kind {
            LIST => Node::List(Vec::new()),
            STRUCT => Node::Struct(Vec::new()),
            _ => Node::Map(Vec::new()),
        };
        if code & IN_RUNS == 0 {
            self.children(&mut content, input, path, depth)?;
            return Ok(content);
        }
        for _ in 0..input.varint()? {
            let hash = input.hash()?;
            let bytes = match self.fetch(&hash, path) {
                Ok(bytes) => bytes,
                // The numbers of the items behind a lost run of a list are not known.
                Err(_) if self.lose(path) => match content {
                    Node::List(_) => break,
                    _ => continue,
                },
                Err(damage) => return Err(damage),
            };
            let mut run = Input::new(&hash, &bytes);
            self.children(&mut content, &mut run, path, depth)?;
            run.end()?;
        }
        Ok(content)
    }

    fn children(
        &mut self,
        content: &mut StoredTree,
        input: &mut Input<'_>,
        path: &mut EntryPath,
        depth: usize,
    ) -> Result<(), Damage> {
        for _ in 0..input.varint()? {
            match content {
                Node::List(items) => {
                    let segment = items.len().to_string();
                    items.push(self.below(segment, input, path, depth)?);
                }
                Node::Struct(fields) => {
                    let name = input.name()?;
                    fields.push((name.clone(), self.below(name, input, path, depth)?));
                }
                Node::Map(entries) => {
                    let code = input.byte()?;
                    let key = input.scalar(code)?;
                    if entries.last().is_some_and(|last| last.0 >= key) {
                        return Err(input.malformed("the keys of a map are not in ascending order"));
                    }
                    let value = self.below(key.to_string(), input, path, depth)?;
                    entries.push((key, value));
                }
                _ => unreachable!("only containers have children"),
            }
        }
        Ok(())
    }

    fn array(&mut self, code: u8, input: &mut Input<'_>, path: &EntryPath) -> Result<ArrayRef, Damage> {
        let dtype = DType::from_code(input.byte()?);
        let dtype = dtype.ok_or_else(|| input.malformed("an unknown element type"))?;
        let dims = input.varint()?;
        if dims > 64 {
            return Err(input.malformed("an array of more than 64 dimensions"));
        }
        let shape = (0..dims).map(|_| input.varint()).collect::<Result<Vec<_>, _>>()?;
        let kind = ArrayType { dtype, shape };
        let len = kind.byte_len().ok_or_else(|| input.malformed("an array of absurd size"))?;
        if code == ARRAY_INLINE {
            if len >= INLINE_LIMIT {
                return Err(input.malformed("a large array within the node"));
            }
            let bytes = input.take(len as usize)?.to_vec();
            return Ok(ArrayRef { kind, place: ArrayPlace::Inline(bytes) });
        }
        if kind.box_count() > (input.rest.len() / Hash::LEN) as u64 {
            return Err(input.malformed("an array with fewer chunks than its size takes"));
        }
        let mut hashes = Vec::with_capacity(kind.box_count() as usize);
        for range in kind.boxes() {
            let hash = input.hash()?;
            self.expect_chunk(&hash, range.end - range.start, input, path)?;
            hashes.push(hash);
        }
        Ok(ArrayRef { kind, place: ArrayPlace::Chunks(hashes) })
    }

    /// A string in chunks; within, the damage of a chunk of a reference that is well formed.
    fn long_string(
        &mut self,
        input: &mut Input<'_>,
        path: &EntryPath,
    ) -> Result<Result<String, Damage>, Damage> {
        let len = input.varint()?;
        if len.div_ceil(CHUNK_LIMIT) > (input.rest.len() / Hash::LEN) as u64 {
            return Err(input.malformed("a string with fewer chunks than its length takes"));
        }
        self.spend(usize::try_from(len).unwrap_or(usize::MAX), input.hash)?;
        let (mut bytes, mut damaged) = (Vec::new(), None);
        for start in (0..len).step_by(CHUNK_LIMIT as usize) {
            let hash = input.hash()?;
            self.expect_chunk(&hash, (len - start).min(CHUNK_LIMIT), input, path)?;
            match self.chunks.read(&hash) {
                Ok(piece) => bytes.extend(piece),
                Err(damage) => damaged = damaged.or(Some(damage.in_entry(path))),
            }
        }
        Ok(match damaged {
            Some(damage) => Err(damage),
            None => Ok(String::from_utf8(bytes).map_err(|_| input.malformed("a string that is not UTF-8"))?),
        })
    }

    /// A chunk that is there must have the expected length; one that is missing is reported by
    /// whoever needs its bytes.
    fn expect_chunk(
        &mut self,
        hash: &Hash,
        len: u64,
        input: &Input<'_>,
        path: &EntryPath,
    ) -> Result<(), Damage> {
        self.note(hash, path)?;
        match self.chunks.raw_len(hash) {
            Some(found) if found != len => {
                Err(input.malformed("a chunk of another length than its place takes").in_entry(path))
            }
            _ => Ok(()),
        }
    }
}

/// Bytes that a copy of `path` takes, without what each entry takes anyway.
fn memory_of(path: &EntryPath) -> usize {
    path.segments().iter().map(|segment| size_of::<String>() + segment.len()).sum()
}

fn node_name(hash: &Hash) -> String {
    format!("index node {}", hash.short())
}

/// The unread rest of a node.
struct Input<'a> {
    hash: &'a Hash,
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    fn new(hash: &'a Hash, bytes: &'a [u8]) -> Self {
        Self { hash, rest: bytes }
    }

    fn malformed(&self, what: &'static str) -> Damage {
        Damage::malformed(node_name(self.hash), what)
    }

    fn end(&self) -> Result<(), Damage> {
        let done = self.rest.is_empty();
        done.then_some(()).ok_or_else(|| self.malformed("bytes after its end"))
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Damage> {
        let Some((taken, rest)) = self.rest.split_at_checked(len) else {
            return Err(self.malformed("it ends too soon"));
        };
        self.rest = rest;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Damage> {
        let bytes = self.take(N)?;
        Ok(bytes.try_into().expect("N bytes were taken"))
    }

    fn byte(&mut self) -> Result<u8, Damage> {
        Ok(self.fixed::<1>()?[0])
    }

    fn hash(&mut self) -> Result<Hash, Damage> {
        Ok(Hash(self.fixed()?))
    }

    fn varint(&mut self) -> Result<u64, Damage> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.malformed("a number that is too long"))
    }

    fn text(&mut self, len: u64) -> Result<String, Damage> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let bytes = self.take(len)?.to_vec();
        String::from_utf8(bytes).map_err(|_| self.malformed("a name that is not UTF-8"))
    }

    fn name(&mut self) -> Result<String, Damage> {
        let len = self.varint()?;
        self.text(len)
    }

    /// The scalar after its type code.
    fn scalar(&mut self, code: u8) -> Result<Scalar, Damage> {
        Ok(match code {
            0x10 => match self.byte()? {
                0 => Scalar::Bool(false),
                1 => Scalar::Bool(true),
                _ => return Err(self.malformed("a truth value that is neither 0 nor 1")),
            },
            0x11 => Scalar::I8(i8::from_le_bytes(self.fixed()?)),
            0x12 => Scalar::I16(i16::from_le_bytes(self.fixed()?)),
            0x13 => Scalar::I32(i32::from_le_bytes(self.fixed()?)),
            0x14 => Scalar::I64(i64::from_le_bytes(self.fixed()?)),
            0x15 => Scalar::I128(i128::from_le_bytes(self.fixed()?)),
            0x16 => Scalar::U8(self.byte()?),
            0x17 => Scalar::U16(u16::from_le_bytes(self.fixed()?)),
            0x18 => Scalar::U32(u32::from_le_bytes(self.fixed()?)),
            0x19 => Scalar::U64(u64::from_le_bytes(self.fixed()?)),
            0x1a => Scalar::U128(u128::from_le_bytes(self.fixed()?)),
            0x1b => Scalar::F32(f32::from_bits(u32::from_le_bytes(self.fixed()?))),
            0x1c => Scalar::F64(f64::from_bits(u64::from_le_bytes(self.fixed()?))),
            0x1d => {
                let code_point = u32::from_le_bytes(self.fixed()?);
                let character = char::from_u32(code_point);
                Scalar::Char(character.ok_or_else(|| self.malformed("a character that is none"))?)
            }
            0x1e => {
                let len = u64::from_le_bytes(self.fixed()?);
                Scalar::Str(self.text(len)?)
            }
            _ => return Err(self.malformed("an unknown code")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use crate::codec::Codec;
    use crate::packs::pack::StoredChunk;
    use crate::packs::pack_writer::PackWriter;
    use crate::storage::{MemoryStorage, Storage};

    /// The hashes of all runs stand in one node: 10 million small structs take a gigabyte.
    #[test]
    fn the_runs_of_a_huge_container_are_longer() {
        let children: Vec<Vec<u8>> = (0..100_000u32).map(|i| i.to_le_bytes().repeat(16)).collect();
        for (total, shortest) in [(SHORT_RUNS_UP_TO, RUN_MIN), (4 << 30, 64 * RUN_MIN)] {
            let runs = cut_into_runs(&children, total);
            let lengths: Vec<usize> = runs.iter().map(|run| run.iter().map(Vec::len).sum()).collect();
            assert!(lengths.iter().rev().skip(1).all(|&len| len >= shortest));
            assert!(lengths.iter().all(|&len| len <= 16 * shortest + 64 && len < CHUNK_MAX));
            assert!(total / shortest * Hash::LEN <= CHUNK_MAX);
        }
    }

    #[test]
    fn a_long_name_above_many_chunks_takes_no_more_memory_than_a_tree_may() {
        let boxes = 4096;
        let mut node = vec![STRUCT];
        put_varint(1, &mut node);
        put_name(&"n".repeat(1 << 20), &mut node);
        node.extend([ARRAY_CHUNKS, DType::U8.code()]);
        put_varint(1, &mut node);
        put_varint(boxes * CHUNK_LIMIT, &mut node);
        node.resize(node.len() + boxes as usize * Hash::LEN, 7);

        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let root = Hash::of(&node);
        let (raw_len, codec, encrypted, base) = (node.len(), Codec::Raw, false, None);
        let chunk =
            StoredChunk { id: root, raw_len, codec, encrypted, stored_hash: root, base, stored: node };
        PackWriter::new(&storage).unwrap().push(&chunk).unwrap().finish().unwrap();
        let chunks = Chunks::open(&storage, None, &BTreeSet::new()).unwrap();
        let budget = IndexReader::new(&chunks, &Root { node: Hash::of(b""), values: 0 }).budget;
        assert!(budget < boxes << 20, "the run is so large that it may take that much");
        let damage = read(&chunks, &Root { node: root, values: 0 }).unwrap_err();
        assert!(damage.to_string().contains("beyond all measure"), "{damage}");
    }
}
