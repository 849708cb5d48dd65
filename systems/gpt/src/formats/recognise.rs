//! Which kind of model file something is, by its content.

use std::path::Path;

use rekindle_formats::files;

use super::error::ModelFileError;
use super::{Imported, hugging_face, lopos, rustgpt};

/// So many first bytes tell the kind.
const HEAD: usize = 4096;

/// A kind of model file that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Weights of LoopOS.
    Lopos,
    /// A model of RustGPT as JSON.
    RustGptJson,
    /// A model of RustGPT as bincode.
    RustGptBincode,
    /// The container of later versions of RustGPT.
    RustGptContainer,
    /// A directory of the Hugging Face library.
    HuggingFace,
}

/// The kind of the file or directory at `path`; none when it is of no kind known or cannot be read.
pub fn recognise(path: &Path) -> Option<Kind> {
    if path.is_dir() {
        return hugging_face::is_directory(path).then_some(Kind::HuggingFace);
    }
    kind_of_head(&files::head(path, HEAD).ok()?)
}

/// The kind of a file by its first bytes.
pub(crate) fn kind_of_head(head: &[u8]) -> Option<Kind> {
    Some(match head {
        head if lopos::is_lopos(head) => Kind::Lopos,
        head if rustgpt::is_json(head) => Kind::RustGptJson,
        head if rustgpt::is_container(head) => Kind::RustGptContainer,
        head if rustgpt::is_binary(head) => Kind::RustGptBincode,
        _ => return None,
    })
}

/// Reads a file or directory of any kind.
///
/// # Errors
/// When it is of none of the kinds, and those of the reader of its kind.
pub fn read(path: &Path) -> Result<Imported, ModelFileError> {
    match recognise(path) {
        Some(Kind::Lopos) => lopos::read(path),
        Some(Kind::RustGptJson | Kind::RustGptBincode | Kind::RustGptContainer) => rustgpt::read(path),
        Some(Kind::HuggingFace) => hugging_face::read(path),
        None => Err(ModelFileError::Unknown {
            path: path.to_owned(),
            known: "files of LoopOS (LOPOS) and RustGPT (.json, .bin) and directories with a config.json are",
        }),
    }
}
