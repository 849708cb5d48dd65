//! Pictures or their labels as IDX, gzipped or not; pictures become a table.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_formats::pictures::{read_images, read_labels};
use rekindle_fuzz::with_file;

fuzz_target!(|data: &[u8]| {
    if let Ok(pictures) = with_file(data, read_images) {
        assert_eq!(pictures.pixels.len(), pictures.count() * pictures.size());
        let table = pictures.to_table(None).expect("columns of equal length");
        assert_eq!((table.columns().len(), table.rows()), (pictures.size(), pictures.count()));
    }
    let _ = with_file(data, read_labels);
});
