//! The peers: what users have instead of the engine.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::ensure;
use rayon::prelude::*;
use rekindle::storage::{Disk, ReadFile, RealDisk};
use rekindle::tree::DType;
use safetensors::{Dtype, SafeTensors, View};

use crate::place;
use crate::states::{NamedArray, State};

/// Bytes are written and read plainly in pieces of this length.
const PIECE: usize = 1 << 20;

/// Saves `state` as one safetensors file, durably.
pub fn save_safetensors(state: &State, path: &Path) -> anyhow::Result<()> {
    let tensors =
        state.arrays.iter().map(|array| (format!("{}.{}", array.section, array.name), Tensor::of(array)));
    safetensors::serialize_to_file(tensors, None, path)?;
    Ok(place::sync_new(path)?)
}

/// Reads a safetensors file and copies every tensor into memory of its own.
pub fn load_safetensors(path: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let bytes = fs::read(path)?;
    let tensors = SafeTensors::deserialize(&bytes)?;
    Ok(tensors.iter().map(|(name, tensor)| (name.to_owned(), tensor.data().to_vec())).collect())
}

/// Writes the bytes of `state` one after another, durably: what the disk itself takes.
pub fn write_plainly(state: &State, path: &Path) -> anyhow::Result<()> {
    let mut file = BufWriter::with_capacity(PIECE, File::create(path)?);
    for piece in state.arrays.iter().flat_map(|array| array.bytes.chunks(PIECE)) {
        file.write_all(piece)?;
    }
    file.into_inner()?;
    Ok(place::sync_new(path)?)
}

/// Reads `lengths` bytes each into memory of its own, front to back out of `files`, in pieces and
/// on all threads: what a load takes that verifies nothing. Files that together are shorter, being
/// compressed, are read again from the front.
pub fn read_plainly(files: &[(PathBuf, u64)], lengths: &[usize]) -> anyhow::Result<Vec<Vec<u8>>> {
    let opened = files.iter().map(|(path, len)| Ok((RealDisk.open(path)?, *len)));
    let opened: Vec<(Box<dyn ReadFile>, u64)> = opened.collect::<std::io::Result<_>>()?;
    ensure!(opened.iter().any(|file| file.1 >= PIECE as u64), "no file is as long as a piece");
    let mut arrays: Vec<Vec<u8>> = lengths.iter().map(|&len| vec![0; len]).collect();
    let mut pieces = Vec::new();
    let (mut file, mut offset) = (0, 0);
    for piece in arrays.iter_mut().flat_map(|array| array.chunks_mut(PIECE)) {
        while offset + piece.len() as u64 > opened[file].1 {
            (file, offset) = ((file + 1) % opened.len(), 0);
        }
        let end = offset + piece.len() as u64;
        pieces.push((&opened[file].0, offset, piece));
        offset = end;
    }
    pieces.into_par_iter().try_for_each(|(file, offset, piece)| file.read_at(offset, piece))?;
    Ok(arrays)
}

struct Tensor<'a> {
    array: &'a NamedArray,
    shape: Vec<usize>,
}

impl<'a> Tensor<'a> {
    fn of(array: &'a NamedArray) -> Self {
        Self { array, shape: array.shape.iter().map(|&extent| extent as usize).collect() }
    }
}

impl View for Tensor<'_> {
    fn dtype(&self) -> Dtype {
        match self.array.dtype {
            DType::BF16 => Dtype::BF16,
            DType::U8 => Dtype::U8,
            _ => Dtype::F32,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.array.bytes)
    }

    fn data_len(&self) -> usize {
        self.array.bytes.len()
    }
}
