//! What a gzipped file begins with.

use std::io::Read;

use flate2::read::GzDecoder;

/// The first bytes of a gzip stream.
const SIGNATURE: [u8; 2] = [0x1f, 0x8b];

/// True for the first bytes of a gzipped file.
pub fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&SIGNATURE)
}

/// The beginning of what is packed in the first bytes of a gzipped file: at most [`HEAD`](crate::HEAD) bytes.
pub fn unpacked_head(head: &[u8]) -> Vec<u8> {
    let mut text = vec![0; crate::HEAD];
    let mut decoder = GzDecoder::new(head);
    let mut len = 0;
    // The head is cut off in the middle of the stream: what comes before that is enough.
    while let Ok(count @ 1..) = decoder.read(&mut text[len..]) {
        len += count;
    }
    text.truncate(len);
    text
}
