//! Files as text: section "ASCII armor" of the specification, which is strict PEM (RFC 7468, figure 3).

use std::borrow::Cow;

use base64::engine::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

const BEGIN: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
const END: &[u8] = b"-----END AGE ENCRYPTED FILE-----";
/// Columns of every line but the last, which may be shorter.
const COLUMNS: usize = 64;

/// `file` in armour.
pub(super) fn encode(file: &[u8]) -> Vec<u8> {
    let encoded = BASE64.encode(file);
    let lines = [BEGIN].into_iter().chain(encoded.as_bytes().chunks(COLUMNS)).chain([END]);
    lines.flat_map(|line| [line, b"\n"]).flatten().copied().collect()
}

/// The file in `bytes`; without armour they are the file. Nothing is returned for armour that
/// [`encode`] does not write, but for line breaks, which may be CRLF, and white space around it.
pub(crate) fn decode(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    let text = bytes.trim_ascii();
    if !text.starts_with(b"-----") {
        return Some(Cow::Borrowed(bytes));
    }
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').map(without_return).collect();
    let [BEGIN, full @ .., last, END] = lines.as_slice() else { return None };
    if last.is_empty() || last.len() > COLUMNS || full.iter().any(|line| line.len() != COLUMNS) {
        return None;
    }
    let encoded = [full.concat().as_slice(), last].concat();
    BASE64.decode(encoded).ok().map(Cow::Owned)
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn armour_comes_back_at_any_length() {
        for len in 1..200 {
            let file = vec![len as u8; len];
            let armored = encode(&file);
            assert_eq!(decode(&armored).as_deref(), Some(file.as_slice()));
            let text = String::from_utf8(armored).unwrap();
            let elsewhere = format!("\r\n \t{}\n\n", text.replace('\n', "\r\n"));
            assert_eq!(decode(elsewhere.as_bytes()).as_deref(), Some(file.as_slice()));
        }
    }

    #[test]
    fn only_strict_armour_is_read() {
        let file: Vec<u8> = (0..100).collect();
        let good = String::from_utf8(encode(&file)).unwrap();
        let lines: Vec<&str> = good.lines().collect();
        assert_eq!((lines.len(), lines[3].len()), (5, 8));
        let broken = [
            good.replace("AGE", "age"),
            good.replace("BEGIN ", "BEGIN  "),
            good.replace("ENCRYPTED FILE-----\n", "ENCRYPTED FILE-----\n\n"),
            good.replace("\n-----END", "\n\n-----END"),
            good.replace("ENCRYPTED FILE-----\n", "ENCRYPTED FILE-----\nComment: x\n\n"),
            good.replace('=', ""),
            good.replace("==", "= ="),
            good.replace("==", "=\n="),
            good.replace("\n-----END", " \n-----END"),
            good.replace("\n-----END", "\n=olY7\n-----END"),
            good.replace(lines[1], &lines[1][..60]),
            good.replace(&format!("{}\n", lines[1]), lines[1]),
            good.replace('\n', "\r"),
            format!("{good}x"),
            format!("{good}{good}"),
            good.lines().take(4).collect::<Vec<_>>().join("\n"),
            lines[0].to_owned(),
            format!("{}\n{}\n", lines[0], lines[4]),
        ];
        for text in broken {
            assert_ne!(text, good);
            assert!(decode(text.as_bytes()).is_none(), "{text}");
        }
        // The last character before the padding has four bits that encode nothing.
        let last = lines[3].find('=').unwrap() - 1;
        assert_eq!(&lines[3][last..], "w==");
        assert!(decode(good.replace("w==", "x==").as_bytes()).is_none());
        // What does not begin as armour is a file.
        assert!(matches!(decode(b"x-----BEGIN"), Some(Cow::Borrowed(b"x-----BEGIN"))));
    }
}
