//! JSON that keeps every type, readable and exact.
//!
//! The file is `{"rekindle": 1, "checkpoint": {step, state_hash, ...}, "state": NODE}`. A node is
//!
//! - `null`, `true`, `"text"` or `[...]` for a null, a truth value, a text or a list;
//! - `{"name": NODE, ...}` for a struct; a name that begins with `$` gets another `$` before it;
//! - `{"$u32": 5}`, `{"$f64": 0.5}`, ... for a number of that type. Integers of more than 53 bits
//!   are written as text, and so are floats that are not finite: `"inf"`, `"-inf"`, or the bits of
//!   a NaN as `"nan:7fc00000"`;
//! - `{"$array": "f32", "shape": [2, 3], "data": [...]}` for an array, its elements in row-major
//!   order, written as numbers are;
//! - `{"$map": [[KEY, NODE], ...]}`, `{"$variant": "Name", "content": NODE}`, `{"$some": NODE}`,
//!   `{"$char": "x"}`.
//!
//! The key that begins with one `$` comes first in its object; the shape may also follow the data.
//! A file is read with no more memory than its state takes. Without the data of its arrays, a state
//! may take 64 MiB and 16 times the length of its file: a small file cannot inflate to much.

mod array;
mod limits;
mod literal;
mod read;
mod write;

pub(crate) use read::header_and_tree;
pub(crate) use write::{Failure, quoted, write_tree};

use crate::{Format, Reading, gzip};

pub(crate) const FORMAT: Format = Format {
    name: "JSON",
    endings: &[".json"],
    reading: Some(Reading { matches, read: read::read, stream: None }),
    write: Some(|checkpoint, path| write::write(checkpoint, path).map(|()| Vec::new())),
};

pub(crate) const GZIP_FORMAT: Format = Format {
    name: "gzipped JSON",
    endings: &[".json.gz"],
    reading: Some(Reading { matches: matches_gzip, read: read::read_gzip, stream: None }),
    write: Some(|checkpoint, path| write::write_gzip(checkpoint, path).map(|()| Vec::new())),
};

/// The first key of the file.
pub(crate) const MARK: &str = "rekindle";

fn matches(head: &[u8]) -> bool {
    let text = head.trim_ascii_start();
    let inside = text.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    inside.is_some_and(|inside| inside.starts_with(b"\"rekindle\""))
}

fn matches_gzip(head: &[u8]) -> bool {
    matches(&gzip::unpacked_head(head))
}
