//! safetensors: every array is a tensor under its path; the rest of the state, and what a
//! checkpoint is beside it, stands as JSON text in the metadata under `rekindle`.
//!
//! A file that somebody else wrote becomes a map from tensor names to arrays; its metadata become
//! notes. Names, offsets and sizes are checked before anything is allocated.

mod read;
mod write;

use crate::{Format, Reading};

pub(crate) const FORMAT: Format = Format {
    name: "safetensors",
    endings: &[".safetensors"],
    reading: Some(Reading { matches, read: read::read, stream: Some(read::stream) }),
    write: Some(|checkpoint, path| write::write(checkpoint, path).map(|()| Vec::new())),
};

/// Where the metadata hold what is no tensor.
const MARK: &str = "rekindle";
/// A header is never longer: bytes.
const HEADER_LIMIT: u64 = 100_000_000;

/// Eight bytes of length, then a JSON object.
fn matches(head: &[u8]) -> bool {
    let length = head.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    length.is_some_and(|length| length <= HEADER_LIMIT) && head.get(8) == Some(&b'{')
}

/// Our element type and safetensors', where both know it.
const DTYPES: [(rekindle::tree::DType, safetensors::Dtype); 13] = {
    use rekindle::tree::DType;
    use safetensors::Dtype;
    [
        (DType::Bool, Dtype::BOOL),
        (DType::I8, Dtype::I8),
        (DType::I16, Dtype::I16),
        (DType::I32, Dtype::I32),
        (DType::I64, Dtype::I64),
        (DType::U8, Dtype::U8),
        (DType::U16, Dtype::U16),
        (DType::U32, Dtype::U32),
        (DType::U64, Dtype::U64),
        (DType::F16, Dtype::F16),
        (DType::BF16, Dtype::BF16),
        (DType::F32, Dtype::F32),
        (DType::F64, Dtype::F64),
    ]
};
