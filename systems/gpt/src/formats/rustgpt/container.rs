//! The container of later versions of RustGPT: JSON, whatever the name of the file ends in.

use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::super::bytes::hex;
use super::super::error::ModelFileError;
use super::json::not_json;

/// The newest version that is known.
const NEWEST: u64 = 2;

#[derive(Deserialize)]
struct Container {
    version: u64,
    checksum: String,
    /// Absent in version 1.
    data_format: Option<String>,
    data: Vec<u8>,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    architecture: String,
}

/// What is in the container.
pub(super) struct Content {
    pub model: Vec<u8>,
    /// What the container says about the network.
    pub architecture: String,
    pub is_json: bool,
}

/// Opens a container, whose checksum must be right.
pub(super) fn open(path: &Path, bytes: &[u8]) -> Result<Content, ModelFileError> {
    let container: Container = serde_json::from_slice(bytes).map_err(|error| not_json(path, &error))?;
    if container.version > NEWEST {
        return Err(ModelFileError::Version {
            path: path.to_owned(),
            found: container.version,
            newest: NEWEST,
        });
    }
    let computed = hex(&Sha256::digest(&container.data));
    if !computed.eq_ignore_ascii_case(&container.checksum) {
        return Err(ModelFileError::Checksum {
            path: path.to_owned(),
            kind: "SHA-256",
            stated: container.checksum,
            computed,
        });
    }
    let is_json = match container.data_format.as_deref() {
        None => super::is_json(&container.data),
        Some("json") => true,
        Some("bincode2" | "binary") => false,
        Some(other) => {
            let found = format!("a model in the form `{other}`");
            return Err(ModelFileError::unsupported(path, found, "json and bincode2 can be read"));
        }
    };
    Ok(Content { model: container.data, architecture: container.metadata.architecture, is_json })
}
