//! A folder with a folder of PNG files for each class.

use std::path::Path;

use super::png_file::read_grey;
use super::{PIXELS_LIMIT, PictureError, Pictures};
use crate::files;

const FOLDER: &str = "a folder of pictures";

/// Pictures and the class of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassedPictures {
    /// The pictures: class by class in the order of their names, and within by the names of the files.
    pub pictures: Pictures,
    /// Of each picture the name of its folder.
    pub classes: Vec<String>,
    /// What is left out, in words.
    pub notes: Vec<String>,
}

/// The pictures of a folder in which there is a folder of PNG files for each class.
///
/// # Errors
/// When a file cannot be read, pictures differ in size, or there are none.
pub fn read_folder(path: &Path) -> Result<ClassedPictures, PictureError> {
    let mut pictures: Option<Pictures> = None;
    let (mut classes, mut others) = (Vec::new(), 0);
    for folder in files::entries(path).map_err(PictureError::io(path))? {
        if !folder.is_dir() {
            others += 1;
            continue;
        }
        let class = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for file in files::entries(&folder).map_err(PictureError::io(&folder))? {
            if !file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png")) {
                others += 1;
                continue;
            }
            add(&mut pictures, path, &file)?;
            classes.push(class.clone());
        }
    }
    let nothing =
        || PictureError::malformed(path, FOLDER, "it has no folders with PNG files, one for each class");
    let pictures = pictures.ok_or_else(nothing)?;
    let notes = (others > 0).then(|| format!("{others} files are left out that are no PNG file of a class"));
    Ok(ClassedPictures { pictures, classes, notes: notes.into_iter().collect() })
}

/// Adds the picture of a file, which has to be as large as those before.
fn add(pictures: &mut Option<Pictures>, folder: &Path, file: &Path) -> Result<(), PictureError> {
    let Pictures { width, height, pixels } = read_grey(file)?;
    let all = pictures.get_or_insert_with(|| Pictures { width, height, pixels: Vec::new() });
    if (all.width, all.height) != (width, height) {
        let reason = format!(
            "it has {width} by {height} pixels, those before {} by {}; all have to be of the same size",
            all.width, all.height
        );
        return Err(PictureError::malformed(file, FOLDER, reason));
    }
    if (all.pixels.len() + pixels.len()) as u64 > PIXELS_LIMIT {
        let reason = format!("its pictures take more than {PIXELS_LIMIT} bytes");
        return Err(PictureError::malformed(folder, FOLDER, reason));
    }
    all.pixels.extend(pixels);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, colour: png::ColorType, bytes: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let height = bytes.len() as u32 / width / colour.samples() as u32;
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(colour);
        encoder.write_header().unwrap().write_image_data(bytes).unwrap();
        file
    }

    fn folder(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = dir.path().join(name);
            files::create_directory(path.parent().unwrap()).unwrap();
            files::write(&path, bytes).unwrap();
        }
        dir
    }

    #[test]
    fn a_folder_is_read_class_by_class_and_in_grey() {
        let grey = |shade| png(2, png::ColorType::Grayscale, &[shade, 255]);
        let dir = folder(&[
            ("b/1.png", grey(7)),
            ("b/0.PNG", grey(9)),
            ("a/x.png", png(2, png::ColorType::Rgb, &[255, 0, 0, 10, 10, 10])),
            ("a/notes.txt", vec![1]),
        ]);
        let found = read_folder(dir.path()).unwrap();
        assert_eq!(found.classes, ["a", "b", "b"]);
        assert_eq!(found.pictures, Pictures { width: 2, height: 1, pixels: vec![76, 10, 9, 255, 7, 255] });
        assert_eq!(found.notes, ["1 files are left out that are no PNG file of a class"]);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_file() {
        let grey = |width, count| png(width, png::ColorType::Grayscale, &vec![0; count]);
        let refused = |files: &[(&str, Vec<u8>)]| read_folder(folder(files).path()).unwrap_err().to_string();
        let error = refused(&[("a/1.png", grey(2, 4)), ("b/2.png", grey(3, 9))]);
        assert!(error.contains("2.png") && error.contains("3 by 3 pixels, those before 2 by 2"), "{error}");
        let error = refused(&[("a/1.png", grey(2, 4)[..40].to_vec())]);
        assert!(error.contains("1.png` cannot be read as a PNG picture"), "{error}");
        let error = refused(&[("a/readme", vec![1])]);
        assert!(error.contains("no folders with PNG files"), "{error}");
    }
}
