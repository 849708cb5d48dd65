//! The state hash: the identity of a state, whatever its codec, packing, time or machine.
//!
//! A Merkle hash over the logical tree. Containers and arrays hash to 32 bytes that stand in
//! their parent; scalars stand there themselves. The exact bytes are in `docs/format.md`,
//! section "State hash".

use crate::hash::Hash;
use crate::parallel::*;
use crate::state::tree::{Array, ArrayPlace, ArrayRef, ArrayType, Node};

/// What the state hash needs of an array: its type and the hashes of its boxes.
pub trait HashedArray {
    /// Element type and shape.
    fn kind(&self) -> &ArrayType;
    /// BLAKE3 of each box of the canonical cut, in order.
    fn box_hashes(&self) -> Vec<Hash>;
}

impl HashedArray for Array {
    fn kind(&self) -> &ArrayType {
        Array::kind(self)
    }

    fn box_hashes(&self) -> Vec<Hash> {
        ArrayDigest::of(self.kind().clone(), self.data()).box_hashes
    }
}

/// An array reduced to what the state hash needs of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrayDigest {
    kind: ArrayType,
    box_hashes: Vec<Hash>,
}

impl ArrayDigest {
    /// Hashes an array of type `kind`; `bytes` are its elements, little-endian, in row-major
    /// order.
    pub fn of(kind: ArrayType, bytes: &[u8]) -> Self {
        let pieces: Vec<&[u8]> =
            kind.boxes().filter_map(|range| bytes.get(range.start as usize..range.end as usize)).collect();
        let box_hashes = match pieces.as_slice() {
            [piece] => vec![Hash::of(piece)],
            pieces => pieces.par_iter().map(|piece| Hash::of(piece)).collect(),
        };
        Self { kind, box_hashes }
    }
}

impl HashedArray for ArrayDigest {
    fn kind(&self) -> &ArrayType {
        &self.kind
    }

    fn box_hashes(&self) -> Vec<Hash> {
        self.box_hashes.clone()
    }
}

impl HashedArray for ArrayRef {
    fn kind(&self) -> &ArrayType {
        ArrayRef::kind(self)
    }

    fn box_hashes(&self) -> Vec<Hash> {
        match &self.place {
            ArrayPlace::Inline(bytes) if bytes.is_empty() => Vec::new(),
            ArrayPlace::Inline(bytes) => vec![Hash::of(bytes)],
            ArrayPlace::Chunks(chunks) => chunks.clone(),
        }
    }
}

/// The identity of `tree`.
pub fn state_hash<A: HashedArray>(tree: &Node<A>) -> Hash {
    let mut out = b"rekindle state 1".to_vec();
    encode(tree, &mut out);
    Hash::of(&out)
}

/// Appends what `node` contributes to its parent's hash.
fn encode<A: HashedArray>(node: &Node<A>, out: &mut Vec<u8>) {
    match node {
        Node::Null => out.push(0x00),
        Node::Scalar(scalar) => scalar.encode(out),
        Node::Some(content) => nested(0x01, out, |inner| encode(content, inner)),
        Node::Array(array) => nested(0x02, out, |inner| encode_array(array, inner)),
        Node::List(items) => nested(0x03, out, |inner| {
            items.iter().for_each(|item| encode(item, inner));
        }),
        Node::Struct(fields) => nested(0x04, out, |inner| {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            for (name, child) in sorted {
                encode_name(name, inner);
                encode(child, inner);
            }
        }),
        Node::Map(entries) => nested(0x05, out, |inner| {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            for (key, child) in sorted {
                key.encode(inner);
                encode(child, inner);
            }
        }),
        Node::Variant(name, content) => nested(0x06, out, |inner| {
            encode_name(name, inner);
            encode(content, inner);
        }),
    }
}

fn nested(code: u8, out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut inner = vec![code];
    fill(&mut inner);
    out.push(code);
    out.extend_from_slice(&Hash::of(&inner).0);
}

fn encode_name(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&(name.len() as u64).to_le_bytes());
    out.extend_from_slice(name.as_bytes());
}

fn encode_array<A: HashedArray>(array: &A, out: &mut Vec<u8>) {
    let ArrayType { dtype, shape } = array.kind();
    out.push(dtype.code());
    out.extend_from_slice(&(shape.len() as u64).to_le_bytes());
    shape.iter().for_each(|dim| out.extend_from_slice(&dim.to_le_bytes()));
    array.box_hashes().iter().for_each(|hash| out.extend_from_slice(&hash.0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::dtype::DType;
    use crate::state::tree::{Scalar, Tree};

    fn field(name: &str, value: u8) -> (String, Tree) {
        (name.to_owned(), Tree::Scalar(Scalar::U8(value)))
    }

    #[test]
    fn field_order_does_not_count_but_names_and_values_do() {
        let hash = |fields: Vec<_>| state_hash(&Tree::Struct(fields));
        let reference = hash(vec![field("a", 1), field("b", 2)]);
        assert_eq!(reference, hash(vec![field("b", 2), field("a", 1)]));
        assert_ne!(reference, hash(vec![field("a", 2), field("b", 1)]));
    }

    #[test]
    fn shape_and_dtype_count() {
        let array = |dtype, shape: &[u64]| {
            state_hash(&Tree::Array(Array::new(dtype, shape.to_vec(), vec![0; 8]).unwrap()))
        };
        let hashes = [
            array(DType::F32, &[2]),
            array(DType::F32, &[1, 2]),
            array(DType::I32, &[2]),
            array(DType::F64, &[1]),
        ];
        for (i, a) in hashes.iter().enumerate() {
            assert!(hashes[i + 1..].iter().all(|b| a != b));
        }
    }

    /// The identity of a state must never change: runs of every released version are compared
    /// by it.
    #[test]
    fn the_hash_of_a_known_state_is_frozen() {
        let weights = Array::new(DType::F32, vec![2, 2], vec![1; 16]).unwrap();
        let tree = Tree::Struct(vec![
            ("weights".to_owned(), Tree::Array(weights)),
            ("history".to_owned(), Tree::List(vec![Tree::Null])),
            field("step", 3),
        ]);
        assert_eq!(
            state_hash(&tree).to_string(),
            "d86fbaf6583963bbd6db82787a2ea2cdfeb0d671d83ece0083cae33fa27e2164"
        );
    }
}
