//! Writing the files of RustGPT.

use std::path::Path;

use super::super::error::ModelFileError;
use super::super::save;
use super::{bincode, export, json};
use crate::model::network::Network;
use crate::train::optimizer::Optimizer;

/// The form of a file. RustGPT takes a file whose name ends in `.json` for JSON, any other for bincode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Readable, and about seven times as long.
    Json,
    /// Bincode 2.
    Bincode,
}

/// Writes a network with its words, by the number of their token, and what the optimiser
/// remembers; without it training begins anew there. Gives warnings about what is lost.
///
/// # Errors
/// When the network has a layer that RustGPT does not have, two words are the same, the optimiser
/// has updated tokens that came later less often, or the file cannot be written.
pub fn write(
    path: &Path,
    network: &Network,
    words: &[String],
    optimizer: Option<&Optimizer>,
    encoding: Encoding,
) -> Result<Vec<String>, ModelFileError> {
    let (model, warnings) = export::of_network(network, words, optimizer)?;
    save(path, |out| match encoding {
        Encoding::Json => json::write(out, &model),
        Encoding::Bincode => bincode::write(out, &model),
    })?;
    Ok(warnings)
}
