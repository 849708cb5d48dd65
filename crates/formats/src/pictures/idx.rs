//! IDX files of bytes, gzipped or not: the format of the MNIST database of handwritten digits.
//!
//! Big-endian: two bytes of 0, the type of the values (8: bytes), the number of dimensions, the size of each
//! in 32 bits, and the values (Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database").

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::{PIXELS_LIMIT, PictureError, Pictures};
use crate::files;
use crate::gzip;
use crate::table::COLUMNS_LIMIT;

const IMAGES: &str = "IDX pictures";
const LABELS: &str = "IDX labels";
/// What an IDX file of bytes begins with, before the number of dimensions.
const MAGIC: [u8; 3] = [0, 0, 8];

/// True for the first bytes of an IDX file of pictures, unpacked.
pub(crate) fn is_images(head: &[u8]) -> bool {
    head.starts_with(&[0, 0, 8, 3])
}

/// The pictures of an IDX file of three dimensions: pictures, lines, pixels.
///
/// # Errors
/// When it cannot be read, is no such file, or states other sizes than it has.
pub fn read_images(path: &Path) -> Result<Pictures, PictureError> {
    let ([_, height, width], pixels) = read(path, IMAGES, "pictures")?;
    let pictures = Pictures { width, height, pixels };
    if pictures.size() > COLUMNS_LIMIT {
        let reason = format!(
            "its pictures have {height} lines of {width} pixels, at most {COLUMNS_LIMIT} in all are read"
        );
        return Err(PictureError::malformed(path, IMAGES, reason));
    }
    Ok(pictures)
}

/// The labels of an IDX file of one dimension.
///
/// # Errors
/// As those of [`read_images`].
pub fn read_labels(path: &Path) -> Result<Vec<u8>, PictureError> {
    let ([_], labels) = read(path, LABELS, "labels")?;
    Ok(labels)
}

/// The file of the labels of a file of pictures, by its name: `labels-idx1` where that has `images-idx3`.
/// None where it has another name, or there is no such file.
pub fn labels_beside(images: &Path) -> Option<PathBuf> {
    let name = images.file_name()?.to_str()?;
    let other = ["-", "."].into_iter().find_map(|dot| {
        let (before, after) = name.split_once(&format!("images{dot}idx3"))?;
        Some(images.with_file_name(format!("{before}labels{dot}idx1{after}")))
    });
    other.filter(|path| path.is_file())
}

/// The sizes and the values of a file of so many dimensions.
fn read<const N: usize>(
    path: &Path,
    what: &'static str,
    elements: &str,
) -> Result<([usize; N], Vec<u8>), PictureError> {
    let malformed = |reason: String| PictureError::malformed(path, what, reason);
    let mut reader = open(path)?;
    let mut head = [0; 4];
    let cut_off = |_| malformed("it ends within its head".to_owned());
    reader.read_exact(&mut head).map_err(cut_off)?;
    if head[..3] != MAGIC || usize::from(head[3]) != N {
        let [a, b, c, d] = head;
        return Err(malformed(format!(
            "it begins with the bytes {a}, {b}, {c}, {d}, and such files with 0, 0, 8, {N}"
        )));
    }
    let mut shape = [0; N];
    for size in &mut shape {
        let mut bytes = [0; 4];
        reader.read_exact(&mut bytes).map_err(cut_off)?;
        *size = u32::from_be_bytes(bytes) as usize;
    }
    let stated = shape.iter().try_fold(1_u64, |product, &size| product.checked_mul(size as u64));
    let Some(stated) = stated.filter(|&bytes| bytes <= PIXELS_LIMIT) else {
        return Err(malformed(format!(
            "it states {} {elements}, which would take more than {PIXELS_LIMIT} bytes",
            shape[0]
        )));
    };
    if stated == 0 {
        return Err(malformed(format!("it states no {elements}")));
    }
    // What is stated may not be there: memory is taken for what is read.
    let mut values = Vec::new();
    let bounded = reader.take(stated + 1).read_to_end(&mut values);
    bounded.map_err(PictureError::io(path))?;
    match (values.len() as u64).cmp(&stated) {
        std::cmp::Ordering::Equal => Ok((shape, values)),
        std::cmp::Ordering::Less => Err(malformed(format!(
            "it states {} {elements} of {} bytes, and ends after {} of {stated} bytes",
            shape[0],
            stated / shape[0] as u64,
            values.len()
        ))),
        std::cmp::Ordering::Greater => {
            Err(malformed(format!("it goes on after the {} {elements} that it states", shape[0])))
        }
    }
}

/// The bytes of a file, unpacked where it is gzipped.
fn open(path: &Path) -> Result<Box<dyn Read>, PictureError> {
    let mut file = BufReader::new(files::open(path).map_err(PictureError::io(path))?);
    let is_packed = gzip::is_gzip(file.fill_buf().map_err(PictureError::io(path))?);
    Ok(if is_packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// A file of these sizes and values.
    fn idx(sizes: &[u32], values: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, sizes.len() as u8];
        sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
        bytes.extend(values);
        bytes
    }

    fn images(bytes: &[u8]) -> Result<Pictures, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("images");
        files::write(&path, bytes).unwrap();
        read_images(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn pictures_are_read_packed_or_not() {
        let bytes = idx(&[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        let expected = Pictures { width: 3, height: 1, pixels: vec![1, 2, 3, 4, 5, 6] };
        assert_eq!(images(&bytes).unwrap(), expected);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&bytes).unwrap();
        let packed = packed.finish().unwrap();
        assert_eq!(images(&packed).unwrap(), expected);
        assert!(images(&packed[..packed.len() - 12]).is_err(), "cut off");
        assert_eq!((expected.count(), expected.size(), expected.pixel_name(2)), (2, 3, "y0x2".to_owned()));
    }

    #[test]
    fn a_file_that_is_not_what_it_states_is_refused() {
        for (bytes, expected) in [
            (idx(&[2, 1, 3], &[0; 5]), "states 2 pictures of 3 bytes, and ends after 5 of 6 bytes"),
            (idx(&[2, 1, 3], &[0; 7]), "goes on after the 2 pictures"),
            (idx(&[1, 1001, 1000], &vec![0; 1_001_000]), "1001 lines of 1000 pixels, at most 1000000 in all"),
            (idx(&[1 << 31, 28, 28], &[0; 784]), "states 2147483648 pictures, which would take more"),
            (idx(&[u32::MAX; 3], &[]), "which would take more"),
            (idx(&[1 << 20, 28, 28], &[0; 784]), "ends after 784 of"),
            (idx(&[0, 28, 28], &[]), "states no pictures"),
            (idx(&[2], &[0; 2]), "begins with the bytes 0, 0, 8, 1, and such files with 0, 0, 8, 3"),
            (b"PK\x03\x04".to_vec(), "begins with the bytes 80, 75, 3, 4"),
            (vec![0, 0, 8, 3, 0], "ends within its head"),
            (Vec::new(), "ends within its head"),
        ] {
            let error = images(&bytes).unwrap_err();
            assert!(error.contains(expected), "{expected}: {error}");
        }
    }

    #[test]
    fn labels_lie_beside_pictures_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        files::write(&path("t10k-labels-idx1-ubyte.gz"), &[]).unwrap();
        let found = labels_beside(&path("t10k-images-idx3-ubyte.gz"));
        assert_eq!(found, Some(path("t10k-labels-idx1-ubyte.gz")));
        assert_eq!(labels_beside(&path("train-images.idx3-ubyte")), None);
        assert_eq!(labels_beside(&path("pictures")), None);
    }
}
