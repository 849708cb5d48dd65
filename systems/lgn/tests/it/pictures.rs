//! Pictures: IDX files, folders of PNG files, and what is wrong with them.

use std::io::Write;
use std::path::{Path, PathBuf};

use rekindle_formats::table::Table;
use rekindle_lgn::Lgn;
use rekindle_train::{Family, System};

use crate::support::{attach, of_files, predict, refused, train};

const SIDE: usize = 6;
const COUNT: usize = 240;

/// A picture of a line: across, down, or from corner to corner; which one, and how dark, depends on the number.
fn picture(number: usize) -> Vec<u8> {
    let (class, at, shade) = (number % 3, number / 3 % SIDE, 200 + (number * 7 % 50) as u8);
    let is_on = |y: usize, x: usize| [y == at, x == at, y == x][class];
    (0..SIDE * SIDE).map(|pixel| if is_on(pixel / SIDE, pixel % SIDE) { shade } else { 0 }).collect()
}

/// An IDX file of these sizes and values.
fn idx(sizes: &[usize], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|&size| bytes.extend((size as u32).to_be_bytes()));
    bytes.extend(values);
    bytes
}

fn images(numbers: std::ops::Range<usize>) -> Vec<u8> {
    idx(&[numbers.len(), SIDE, SIDE], &numbers.flat_map(picture).collect::<Vec<u8>>())
}

fn labels(numbers: std::ops::Range<usize>) -> Vec<u8> {
    idx(&[numbers.len()], &numbers.map(|number| 4 + (number % 3) as u8).collect::<Vec<u8>>())
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> String {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn idx_files_are_learnt_and_asked_packed_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let files = [
        write(dir.path(), "train-images-idx3-ubyte.gz", &packed(&images(0..COUNT))),
        write(dir.path(), "train-labels-idx1-ubyte.gz", &packed(&labels(0..COUNT))),
        write(dir.path(), "t10k-images-idx3-ubyte", &images(COUNT..COUNT + 30)),
        write(dir.path(), "t10k-labels-idx1-ubyte", &labels(COUNT..COUNT + 30)),
    ];
    let files = files.each_ref().map(String::as_str);
    let config = of_files(&files, &["training.epochs=40", "training.batch=64"]);
    let state = train(&config);
    assert_eq!((state.preparation.rows, state.preparation.test_rows), (216, 30));
    assert_eq!(state.preparation.classes, ["4", "5", "6"]);
    let metrics = attach(&config, &state, 2).conclude(&state).unwrap().metrics;
    assert!(metrics["test_accuracy"] > 0.9, "{metrics:?}");
    // The labels beside the pictures are what the answers are compared with.
    let table = Table::read(files[2].as_ref()).unwrap();
    assert_eq!((table.rows(), table.columns().len()), (30, SIDE * SIDE + 1));
    let answers = predict(&config, &state, &table).unwrap();
    let right = (0..30).filter(|&row| {
        answers.table.column("label").unwrap().values.text(row)
            == table.column("label").unwrap().values.text(row)
    });
    assert_eq!(right.count(), (30.0 * metrics["test_accuracy"]).round() as usize);
}

fn png(side: u32, pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    file
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("lines");
    for number in 0..90 {
        let name = format!("{}/{number}.png", ["across", "down", "slanted"][number % 3]);
        write(&folder, &name, &png(SIDE as u32, &picture(number)));
    }
    (dir, folder)
}

#[test]
fn a_folder_of_png_files_is_learnt_wherever_it_lies() {
    let (dir, folder) = folder();
    let config = of_files(&[folder.to_str().unwrap()], &["training.epochs=5", "training.batch=20"]);
    let state = train(&config);
    assert_eq!(state.preparation.classes, ["across", "down", "slanted"]);
    let table = Table::read(&folder).unwrap();
    assert_eq!(predict(&config, &state, &table).unwrap().table.rows(), 90);
    let moved = dir.path().join("elsewhere");
    std::fs::rename(&folder, &moved).unwrap();
    let config = of_files(&[moved.to_str().unwrap()], &["training.epochs=5", "training.batch=20"]);
    attach(&config, &state, 1);
}

#[test]
fn pictures_of_different_sizes_are_refused_by_name() {
    let (_dir, folder) = folder();
    write(&folder, "down/odd.png", &png(5, &[0; 25]));
    let message = refused(&of_files(&[folder.to_str().unwrap()], &[]));
    assert!(message.contains("odd.png") && message.contains("5 by 5 pixels"), "{message}");
}

#[test]
fn idx_files_that_do_not_fit_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let good = write(dir.path(), "images", &images(0..60));
    let few = write(dir.path(), "few", &labels(0..59));
    let message = refused(&of_files(&[&good, &few], &[]));
    assert!(
        message.contains("images` has 60 pictures, and") && message.contains("few` 59 labels"),
        "{message}"
    );
    let labels = write(dir.path(), "labels", &labels(0..60));
    for (name, bytes, expected) in [
        ("swapped", self::labels(0..60), "begins with the bytes 0, 0, 8, 1, and such files with 0, 0, 8, 3"),
        ("short", images(0..60)[..1000].to_vec(), "and ends after 984 of 2160 bytes"),
        ("huge", idx(&[1 << 31, SIDE, SIDE], &[0; 36]), "states 2147483648 pictures"),
        ("text", b"a,b\n1,2\n".to_vec(), "cannot be read as IDX pictures"),
    ] {
        let file = write(dir.path(), name, &bytes);
        let message = refused(&of_files(&[&file, &labels], &[]));
        assert!(message.contains(name) && message.contains(expected), "{message}");
    }
    let other = write(dir.path(), "other", &idx(&[60, 5, 5], &[0; 1500]));
    let message = refused(&of_files(&[&good, &labels, &other, &labels], &[]));
    assert!(message.contains("have 5 by 5 pixels, those that are learnt 6 by 6"), "{message}");
    let unknown = write(dir.path(), "unknown", &idx(&[60], &[9; 60]));
    let message = refused(&of_files(&[&good, &labels, &good, &unknown], &[]));
    assert!(message.contains("has the class `9`, which is none of those that are learnt"), "{message}");
    let three = Lgn::options()[0].settings(&["a".to_owned(), "b".to_owned(), "c".to_owned()]);
    assert!(three.unwrap_err().to_string().contains("3 files are named"));
}
