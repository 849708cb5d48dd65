//! Numeric comparison of two states, entry by entry.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use rekindle_store::{DType, EntryPath, HashedArray, Node, ReadError};

/// How an entry differs between two states, `a` and `b`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Difference {
    /// Numbers of the same type and shape that differ.
    Changed(Change),
    /// Arrays of the same type and another shape.
    Shape {
        /// Shape in `a`.
        a: Vec<u64>,
        /// Shape in `b`.
        b: Vec<u64>,
    },
    /// Entries of another type.
    Type {
        /// What it is in `a`.
        a: String,
        /// What it is in `b`.
        b: String,
    },
    /// Texts or truth values that differ.
    Value {
        /// The value in `a`.
        a: String,
        /// The value in `b`.
        b: String,
    },
    /// Only `a` has the entry.
    MissingInB,
    /// Only `b` has the entry.
    MissingInA,
}

/// How numbers differ. Elements that are equal bit by bit count as equal; a NaN against anything
/// else counts as changed but not in the magnitudes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Elements.
    pub elements: u64,
    /// Elements that differ.
    pub changed: u64,
    /// Largest `|a - b|`.
    pub max_absolute: f64,
    /// Largest `|a - b| / max(|a|, |b|)`.
    pub max_relative: f64,
    /// Cosine of the angle between the arrays as vectors; absent when one of them is zero.
    pub cosine: Option<f64>,
}

impl Change {
    /// Part of the elements that differ, 0 to 1.
    pub fn share(&self) -> f64 {
        self.changed as f64 / self.elements.max(1) as f64
    }
}

/// The outcome of a comparison.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Diff {
    /// Number of entries that are equal.
    pub equal: u64,
    /// The entries that differ, in the order of `a`, then those that only `b` has.
    pub different: Vec<(EntryPath, Difference)>,
}

/// One side of a comparison: a tree, and how to get the bytes of its arrays.
#[derive(Clone, Copy)]
pub struct Side<'a, A> {
    /// The tree.
    pub tree: &'a Node<A>,
    /// Gives the bytes of an array of the tree.
    pub fetch: &'a Fetch<'a, A>,
}

/// Gives the bytes of an array.
pub type Fetch<'a, A> = dyn for<'x> Fn(&EntryPath, &'x A) -> Result<Cow<'x, [u8]>, ReadError> + 'a;

/// Compares two states. Arrays with equal hashes are not read.
///
/// # Errors
/// When the bytes of an array cannot be read.
pub fn diff<A: HashedArray, B: HashedArray>(a: Side<'_, A>, b: Side<'_, B>) -> Result<Diff, ReadError> {
    let mut diff = Diff::default();
    let mut only_b: BTreeMap<EntryPath, usize> = BTreeMap::new();
    let mut leaves_b = Vec::new();
    b.tree.for_each_leaf(&mut |path, leaf| {
        only_b.insert(path.clone(), leaves_b.len());
        leaves_b.push((path.clone(), leaf));
    });
    let mut leaves_a = Vec::new();
    a.tree.for_each_leaf(&mut |path, leaf| leaves_a.push((path.clone(), leaf)));
    for (path, leaf) in leaves_a {
        let difference = match only_b.remove(&path) {
            None => Some(Difference::MissingInB),
            Some(position) => compare(&path, leaf, leaves_b[position].1, &a, &b)?,
        };
        match difference {
            Some(difference) => diff.different.push((path, difference)),
            None => diff.equal += 1,
        }
    }
    let mut rest: Vec<usize> = only_b.into_values().collect();
    rest.sort_unstable();
    diff.different.extend(rest.into_iter().map(|i| (leaves_b[i].0.clone(), Difference::MissingInA)));
    Ok(diff)
}

/// The path of the first entry in which two states differ, without reading any array.
pub fn first_difference<A: HashedArray, B: HashedArray>(a: &Node<A>, b: &Node<B>) -> Option<EntryPath> {
    let mut leaves_b = BTreeMap::new();
    b.for_each_leaf(&mut |path, leaf| {
        leaves_b.insert(path.clone(), rekindle_store::state_hash(leaf));
    });
    let mut first = None;
    a.for_each_leaf(&mut |path, leaf| {
        let same = leaves_b.remove(path) == Some(rekindle_store::state_hash(leaf));
        if !same && first.is_none() {
            first = Some(path.clone());
        }
    });
    first.or_else(|| leaves_b.into_keys().next())
}

fn compare<A: HashedArray, B: HashedArray>(
    path: &EntryPath,
    a: &Node<A>,
    b: &Node<B>,
    side_a: &Side<'_, A>,
    side_b: &Side<'_, B>,
) -> Result<Option<Difference>, ReadError> {
    Ok(match (a, b) {
        (Node::Array(x), Node::Array(y)) if x.kind() == y.kind() => {
            if x.box_hashes() == y.box_hashes() {
                return Ok(None);
            }
            let (x_bytes, y_bytes) = ((side_a.fetch)(path, x)?, (side_b.fetch)(path, y)?);
            Some(Difference::Changed(compare_numbers(x.kind().dtype, &x_bytes, &y_bytes)))
        }
        (Node::Array(x), Node::Array(y)) if x.kind().dtype == y.kind().dtype => {
            Some(Difference::Shape { a: x.kind().shape.clone(), b: y.kind().shape.clone() })
        }
        (Node::Scalar(x), Node::Scalar(y)) if x == y => None,
        (Node::Scalar(x), Node::Scalar(y)) if x.type_name() == y.type_name() => {
            Some(match (x.as_f64(), y.as_f64()) {
                (Some(x), Some(y)) => Difference::Changed(compare_values(std::iter::once((x, y, true)))),
                _ => Difference::Value { a: x.to_string(), b: y.to_string() },
            })
        }
        (Node::Null, Node::Null) => None,
        (a, b) => {
            let (a, b) = (describe(a), describe(b));
            (a != b).then_some(Difference::Type { a, b })
        }
    })
}

fn describe<A: HashedArray>(node: &Node<A>) -> String {
    match node {
        Node::Array(array) => array.kind().to_string(),
        Node::Some(content) => describe(content),
        other => other.kind_name().to_owned(),
    }
}

fn compare_numbers(dtype: DType, a: &[u8], b: &[u8]) -> Change {
    let size = dtype.size();
    let pairs = a.chunks_exact(size).zip(b.chunks_exact(size));
    compare_values(pairs.map(|(a, b)| (dtype.to_f64(a), dtype.to_f64(b), a != b)))
}

/// Compares pairs of numbers; the third part tells whether they differ bit by bit.
fn compare_values(pairs: impl Iterator<Item = (f64, f64, bool)>) -> Change {
    let mut change = Change { elements: 0, changed: 0, max_absolute: 0.0, max_relative: 0.0, cosine: None };
    let (mut dot, mut a_squared, mut b_squared) = (0.0, 0.0, 0.0);
    for (a, b, differs) in pairs {
        change.elements += 1;
        (dot, a_squared, b_squared) = (dot + a * b, a_squared + a * a, b_squared + b * b);
        if differs {
            change.changed += 1;
            let distance = (a - b).abs();
            let scale = a.abs().max(b.abs());
            // `max` passes over a NaN.
            change.max_absolute = change.max_absolute.max(distance);
            change.max_relative = change.max_relative.max(if scale > 0.0 { distance / scale } else { 0.0 });
        }
    }
    let norm = f64::sqrt(a_squared) * f64::sqrt(b_squared);
    change.cosine = (norm > 0.0 && norm.is_finite()).then(|| (dot / norm).clamp(-1.0, 1.0));
    change
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::to_tree;
    use rekindle_store::{Array, Tree};

    fn fetch<'x>(_: &EntryPath, array: &'x Array) -> Result<Cow<'x, [u8]>, ReadError> {
        Ok(Cow::Borrowed(array.data()))
    }

    fn diff_of(a: &Tree, b: &Tree) -> Diff {
        diff(Side { tree: a, fetch: &fetch }, Side { tree: b, fetch: &fetch }).unwrap()
    }

    #[derive(Serialize)]
    struct State {
        weights: Vec<f32>,
        name: &'static str,
        extra: Option<u8>,
    }

    #[test]
    fn magnitudes_are_those_of_the_changed_elements() {
        let a = to_tree(&State { weights: vec![1.0, 2.0, -4.0], name: "x", extra: None }).unwrap();
        let b = to_tree(&State { weights: vec![1.0, 3.0, -4.0], name: "y", extra: Some(1) }).unwrap();
        let found = diff_of(&a, &b);
        assert_eq!(found.equal, 0);
        let Difference::Changed(change) = &found.different[0].1 else { panic!("{found:?}") };
        assert_eq!((change.elements, change.changed), (3, 1));
        assert_eq!((change.max_absolute, change.max_relative), (1.0, 1.0 / 3.0));
        let cosine = 23.0 / (21f64.sqrt() * 26f64.sqrt());
        assert!((change.cosine.unwrap() - cosine).abs() < 1e-12);
        assert!(matches!(found.different[1].1, Difference::Value { .. }));
        assert!(matches!(found.different[2].1, Difference::Type { .. }));
        assert_eq!(first_difference(&a, &b).unwrap().to_string(), "weights");
        assert_eq!(first_difference(&a, &a), None);
    }

    #[test]
    fn missing_entries_and_shapes() {
        let a = to_tree(&std::collections::BTreeMap::from([("x", vec![1u8, 2]), ("y", vec![1])])).unwrap();
        let b = to_tree(&std::collections::BTreeMap::from([("x", vec![1u8]), ("z", vec![1])])).unwrap();
        let kinds: Vec<_> =
            diff_of(&a, &b).different.into_iter().map(|(path, d)| (path.to_string(), d)).collect();
        assert_eq!(
            kinds,
            [
                ("x".to_owned(), Difference::Shape { a: vec![2], b: vec![1] }),
                ("y".to_owned(), Difference::MissingInB),
                ("z".to_owned(), Difference::MissingInA),
            ]
        );
    }
}
