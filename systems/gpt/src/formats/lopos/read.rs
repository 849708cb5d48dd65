//! Reading LOPOS files.

use std::collections::HashMap;
use std::path::Path;

use rekindle_formats::files;

use super::super::bytes::Bytes;
use super::super::error::ModelFileError;
use super::super::mapping::{TensorMapping, fill};
use super::super::{Imported, ImportedVocabulary, LENGTH_LIMIT};
use super::UNKNOWN;
use super::layout::{ALIGNMENT, Checksum, Extents, HEADER, MAGIC, NEWEST, mappings, table_len};
use super::vocabulary::read_vocabulary;

/// The least that a layer takes in the table of version 2: bytes.
const LEAST_OF_LAYER: u64 = 10 * 18;

/// Which of the layouts a file is in.
enum Layout {
    Shipped,
    Planned(Checksum),
    Named(Checksum),
}

/// Reads a file, with the words in the file beside it whose name ends in `.vocab` instead, if there
/// is one.
///
/// # Errors
/// When a file cannot be read, is torn or damaged, is of a newer version, has bytes behind its end,
/// or the words are more than the network has rows for.
pub fn read(path: &Path) -> Result<Imported, ModelFileError> {
    let beside = path.with_extension("vocab");
    read_with_vocabulary(path, files::exists(&beside).then_some(&*beside))
}

/// Reads a file, with the words in the file `vocabulary`.
///
/// # Errors
/// Those of [`read`].
pub fn read_with_vocabulary(path: &Path, vocabulary: Option<&Path>) -> Result<Imported, ModelFileError> {
    let bytes = files::read(path, LENGTH_LIMIT).map_err(|error| ModelFileError::read(path, error))?;
    let mut imported = parse(path, &bytes)?;
    if let Some(vocabulary) = vocabulary {
        let words = read_vocabulary(vocabulary)?;
        imported.vocabulary = Some(fitted(vocabulary, words, &imported.network, &mut imported.warnings)?);
    }
    Ok(imported)
}

/// The words of LoopOS' tokenizer. It may have fewer than the network has rows for: those left over
/// get names that no text has.
fn fitted(
    path: &Path,
    mut words: Vec<String>,
    network: &crate::model::network::Network,
    warnings: &mut Vec<String>,
) -> Result<ImportedVocabulary, ModelFileError> {
    let (found, rows) = (words.len(), network.vocabulary());
    if found > rows {
        let expected = format!("the network has rows for {rows}; they are not of the same model");
        return Err(ModelFileError::malformed(path, "the vocabulary", format!("{found} words"), expected));
    }
    if found < rows {
        warnings.push(format!(
            "the vocabulary has {found} words, the network rows for {rows}; the others are called <unused-N>"
        ));
        words.extend((found..rows).map(|token| format!("<unused-{token}>")));
    }
    Ok(ImportedVocabulary::Words { words, lower_case: true, unknown: Some(UNKNOWN) })
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Imported, ModelFileError> {
    let mut bytes_left = Bytes::new(path, bytes);
    let magic = bytes_left.take(MAGIC.len() as u64, &|| "the magic".to_owned())?;
    if magic != MAGIC {
        let found = format!("`{}`", magic.escape_ascii());
        return Err(ModelFileError::malformed(
            path,
            "the beginning",
            found,
            "a LOPOS file begins with `LOPOS`",
        ));
    }
    let version = bytes_left.u32(&|| "the version".to_owned())?;
    if !(1..=NEWEST).contains(&version) {
        return Err(ModelFileError::Version {
            path: path.to_owned(),
            found: version.into(),
            newest: NEWEST.into(),
        });
    }
    let extents = Extents::read(&mut bytes_left)?;
    let layout = match version {
        1 => first_version(path, &extents, bytes.len())?,
        _ => second_version(path, &extents, &mut bytes_left)?,
    };
    let mut warnings = Vec::new();
    let end = match layout {
        Layout::Shipped => {
            warnings.push(
                "the file carries no checksum: that it is as it was written cannot be checked".to_owned(),
            );
            bytes.len()
        }
        Layout::Planned(checksum) | Layout::Named(checksum) => checksum.check(path, bytes)?,
    };
    warnings.push("LoopOS saves weights only: training begins anew".to_owned());
    let stack = extents.stack();
    let mappings = mappings(&stack);
    let mut bytes_left = Bytes::new(path, &bytes[..end]);
    bytes_left.take(HEADER as u64, &|| "the header".to_owned())?;
    if let Layout::Named(_) = layout {
        bytes_left.take(1, &|| "the kind of checksum".to_owned())?;
        check_table(&mut bytes_left, &mappings)?;
    }
    let mut arrays = HashMap::new();
    for mapping in &mappings {
        match layout {
            Layout::Shipped => check_extents(&mut bytes_left, mapping)?,
            Layout::Planned(_) => {}
            Layout::Named(_) => check_padding(&mut bytes_left)?,
        }
        let numbers = bytes_left.numbers(mapping.len() as u64, &|| format!("matrix {}", mapping.name))?;
        arrays.insert(mapping.array.clone(), mapping.to_array(numbers));
    }
    let mut network = stack.zeros();
    fill(&mut network, arrays);
    network.check().map_err(|error| ModelFileError::network(path, error))?;
    Ok(Imported { network, vocabulary: None, optimizer: None, warnings })
}

/// The layout of a file of version 1: its length says which.
fn first_version(path: &Path, extents: &Extents, len: usize) -> Result<Layout, ModelFileError> {
    let numbers = 4 * extents.numbers();
    let shipped = HEADER as u128 + 8 * extents.matrices() + numbers;
    let planned = |checksum: Checksum| HEADER as u128 + numbers + checksum.len() as u128;
    let len = len as u128;
    if len == shipped {
        return Ok(Layout::Shipped);
    }
    if let Some(checksum) = Checksum::ALL.into_iter().find(|&checksum| len == planned(checksum)) {
        return Ok(Layout::Planned(checksum));
    }
    let [crc, sha] = Checksum::ALL.map(planned);
    let expected = format!(
        "its header asks for {shipped}, or {crc} or {sha} in the layout of the plan; {}",
        if len < shipped {
            "it is torn, its header is damaged, or it is a head of fine-tuning, which has no network"
        } else {
            "something stands behind its end"
        }
    );
    Err(ModelFileError::malformed(path, "the file", format!("{len} bytes long"), expected))
}

/// The kind of checksum of a file of version 2, whose length is checked.
fn second_version(path: &Path, extents: &Extents, bytes: &mut Bytes<'_>) -> Result<Layout, ModelFileError> {
    let code = bytes.u8(&|| "the kind of checksum".to_owned())?;
    let Some(checksum) = Checksum::ALL.into_iter().find(|checksum| checksum.code() == code) else {
        let expected = "it is 1 for CRC-32 or 2 for SHA-256";
        return Err(ModelFileError::malformed(path, "the kind of checksum", code, expected));
    };
    let len = (bytes.offset() + bytes.left()) as u128;
    let wrong = |expected: u128| {
        let expected = format!("its header asks for {expected}; copy it again from where it is whole");
        Err(ModelFileError::malformed(path, "the file", format!("{len} bytes long"), expected))
    };
    // What is built per layer below is thus in proportion to the file.
    let least = 4 * extents.numbers() + u128::from(extents.layers * LEAST_OF_LAYER);
    if len < least {
        return wrong(least);
    }
    let mappings = mappings(&extents.stack());
    let mut end = HEADER + 1 + table_len(&mappings);
    for mapping in &mappings {
        end = end.next_multiple_of(ALIGNMENT) + 4 * mapping.len();
    }
    end += checksum.len();
    if len != end as u128 {
        return wrong(end as u128);
    }
    Ok(Layout::Named(checksum))
}

/// Rows and columns before a matrix.
fn check_extents(bytes: &mut Bytes<'_>, mapping: &TensorMapping) -> Result<(), ModelFileError> {
    let name = || format!("the extents of matrix {}", mapping.name);
    let offset = bytes.offset();
    let found = [bytes.u32(&name)? as usize, bytes.u32(&name)? as usize];
    if found[..] != mapping.shape {
        let expected = format!("the header asks for {} x {}", mapping.shape[0], mapping.shape[1]);
        let found = format!("{} x {}", found[0], found[1]);
        return Err(ModelFileError::malformed(
            bytes.path,
            format!("matrix {} at byte {offset}", mapping.name),
            found,
            expected,
        ));
    }
    Ok(())
}

/// The table of version 2: it says what the header already does.
fn check_table(bytes: &mut Bytes<'_>, mappings: &[TensorMapping]) -> Result<(), ModelFileError> {
    let mut end = bytes.offset() + table_len(mappings);
    for mapping in mappings {
        let entry = || format!("the entry of matrix {}", mapping.name);
        let offset = bytes.offset();
        let name_len = bytes.u16(&entry)?;
        let name = bytes.take(name_len.into(), &entry)?;
        let (rows, columns, start) = (bytes.u32(&entry)?, bytes.u32(&entry)?, bytes.u64(&entry)?);
        let aligned = end.next_multiple_of(ALIGNMENT);
        end = aligned + 4 * mapping.len();
        let is_expected = name == mapping.name.as_bytes()
            && [rows as usize, columns as usize][..] == mapping.shape
            && start == aligned as u64;
        if !is_expected {
            let found = format!("`{}`, {rows} x {columns}, from byte {start} on", name.escape_ascii());
            let [rows, columns] = [mapping.shape[0], mapping.shape[1]];
            let expected =
                format!("`{}`, {rows} x {columns}, from byte {aligned} on, comes here", mapping.name);
            return Err(ModelFileError::malformed(
                bytes.path,
                format!("the entry at byte {offset}"),
                found,
                expected,
            ));
        }
    }
    Ok(())
}

/// Zeros up to the next matrix.
fn check_padding(bytes: &mut Bytes<'_>) -> Result<(), ModelFileError> {
    let offset = bytes.offset();
    let padding = offset.next_multiple_of(ALIGNMENT) - offset;
    let found = bytes.take(padding as u64, &|| "the space between matrices".to_owned())?;
    match found.iter().any(|&byte| byte != 0) {
        true => Err(ModelFileError::malformed(
            bytes.path,
            format!("the space at byte {offset}"),
            "not empty",
            "zeros fill it",
        )),
        false => Ok(()),
    }
}
