//! Writing LOPOS files.

use std::io::{self, Write};
use std::path::Path;

use super::super::bytes::write_numbers;
use super::super::error::ModelFileError;
use super::super::mapping::{TensorMapping, arrays_by_name};
use super::super::pre_norm::PreNorm;
use super::super::save;
use super::layout::{ALIGNMENT, Checksum, Extents, HEADER, MAGIC, Sum, mappings, table_len};
use super::{EPSILON, FORMAT};
use crate::model::network::{Activation, Network};

/// The version to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Version 1 as LoopOS writes and reads it; it has no checksum.
    LoopOs,
    /// Version 2, with this checksum; LoopOS cannot read it.
    Named(Checksum),
}

/// Writes the weights of a network. Gives warnings about what is lost.
///
/// # Errors
/// When the network is not of the stack of LoopOS, or the file cannot be written.
pub fn write(path: &Path, network: &Network, version: Version) -> Result<Vec<String>, ModelFileError> {
    let stack = PreNorm::of(network, FORMAT)?;
    let warnings = check(&stack, network)?;
    save(path, |out| write_to(out, &stack, network, version))?;
    Ok(warnings)
}

/// What the stack of LoopOS asks for beyond [`PreNorm`].
fn check(stack: &PreNorm, network: &Network) -> Result<Vec<String>, ModelFileError> {
    let refused = |entry: &str, reason: &str| Err(ModelFileError::inexpressible(FORMAT, entry, reason));
    if stack.activation != Activation::Gelu {
        return refused("the activation", "must be GELU");
    }
    if stack.epsilon != EPSILON {
        return refused("the epsilon of the normalisations", "must be 0.00001");
    }
    for (name, _, array) in network.arrays() {
        if is_attention_bias(&name) && array.iter().any(|&bias| bias != 0.0) {
            return refused(&format!("`{name}`"), "is not zero; attention has no biases in this format");
        }
    }
    let mut warnings = Vec::new();
    if stack.tied {
        warnings.push(
            "the output is written as rows of its own: it was shared with the rows of the tokens".to_owned(),
        );
    }
    if stack.attention_biases {
        warnings.push("the biases of attention, which are all zero, are left out".to_owned());
    }
    Ok(warnings)
}

fn is_attention_bias(name: &str) -> bool {
    name.ends_with("attention/joined/bias") || name.ends_with("attention/output/bias")
}

fn write_to(out: &mut impl Write, stack: &PreNorm, network: &Network, version: Version) -> io::Result<()> {
    let mappings = mappings(stack);
    let arrays = arrays_by_name(network);
    let mut header = MAGIC.to_vec();
    let number: u32 = match version {
        Version::LoopOs => 1,
        Version::Named(_) => 2,
    };
    header.extend(number.to_le_bytes());
    header.extend(Extents::of(stack).in_order().into_iter().flat_map(|extent| (extent as i32).to_le_bytes()));
    match version {
        Version::LoopOs => {
            out.write_all(&header)?;
            for mapping in &mappings {
                out.write_all(
                    &mapping
                        .shape
                        .iter()
                        .flat_map(|&extent| (extent as u32).to_le_bytes())
                        .collect::<Vec<_>>(),
                )?;
                write_numbers(out, &mapping.numbers(&arrays))?;
            }
            Ok(())
        }
        Version::Named(checksum) => {
            let mut out = Summed { out, sum: Sum::new(checksum), len: 0 };
            header.push(checksum.code());
            header.extend(table(&mappings));
            out.write_all(&header)?;
            for mapping in &mappings {
                out.write_all(&vec![0; out.len.next_multiple_of(ALIGNMENT) - out.len])?;
                write_numbers(&mut out, &mapping.numbers(&arrays))?;
            }
            out.out.write_all(&out.sum.finish())
        }
    }
}

fn table(mappings: &[TensorMapping]) -> Vec<u8> {
    let mut table = Vec::new();
    let mut end = HEADER + 1 + table_len(mappings);
    for mapping in mappings {
        let start = end.next_multiple_of(ALIGNMENT);
        table.extend((mapping.name.len() as u16).to_le_bytes());
        table.extend(mapping.name.as_bytes());
        table.extend(mapping.shape.iter().flat_map(|&extent| (extent as u32).to_le_bytes()));
        table.extend((start as u64).to_le_bytes());
        end = start + 4 * mapping.len();
    }
    table
}

/// Computes the checksum of what is written.
struct Summed<W> {
    out: W,
    sum: Sum,
    len: usize,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.sum.update(&bytes[..written]);
        self.len += written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
