//! The format of a model file, by its content.

use std::path::Path;

use rekindle_formats::files;

use super::error::ModelFileError;
use super::{Imported, gguf, hugging_face, lopos, rustgpt};

/// So many first bytes tell the format.
const HEAD: usize = 4096;

/// A format of model files that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelFormat {
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
    /// A file of llama.cpp.
    Gguf,
}

/// The format of the file or directory at `path`; none when it is of no known format or cannot be read.
pub fn detect(path: &Path) -> Option<ModelFormat> {
    if path.is_dir() {
        return hugging_face::is_directory(path).then_some(ModelFormat::HuggingFace);
    }
    format_of_head(&files::head(path, HEAD).ok()?)
}

/// The format of a file by its first bytes.
pub(crate) fn format_of_head(head: &[u8]) -> Option<ModelFormat> {
    Some(match head {
        head if lopos::is_lopos(head) => ModelFormat::Lopos,
        head if gguf::is_gguf(head) => ModelFormat::Gguf,
        head if rustgpt::is_json(head) => ModelFormat::RustGptJson,
        head if rustgpt::is_container(head) => ModelFormat::RustGptContainer,
        head if rustgpt::is_binary(head) => ModelFormat::RustGptBincode,
        _ => return None,
    })
}

/// Reads a file or directory of any format.
///
/// # Errors
/// When it is of none of the formats, and those of the reader of its format.
pub fn read(path: &Path) -> Result<Imported, ModelFileError> {
    match detect(path) {
        Some(ModelFormat::Lopos) => lopos::read(path),
        Some(ModelFormat::RustGptJson | ModelFormat::RustGptBincode | ModelFormat::RustGptContainer) => {
            rustgpt::read(path)
        }
        Some(ModelFormat::HuggingFace) => hugging_face::read(path),
        Some(ModelFormat::Gguf) => gguf::read(path),
        None => Err(ModelFileError::Unknown {
            path: path.to_owned(),
            known: "files of LoopOS (LOPOS), RustGPT (.json, .bin) and llama.cpp (GGUF), and directories with a \
                    config.json are",
        }),
    }
}
