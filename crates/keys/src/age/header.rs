//! The textual header: section "Header" of the specification, with its grammar and its MAC.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::stanza::{ScryptStanza, X25519Stanza};
use super::{FileKey, decode_base64, derive, encode_base64};

pub(super) const VERSION_LINE: &[u8] = b"age-encryption.org/v1\n";
const STANZA_START: &[u8] = b"-> ";
const MAC_MARK: &[u8] = b"---";
/// Columns at which the body of a stanza is wrapped; its last line is shorter.
const COLUMNS: usize = 64;

/// The stanzas of a header. The one of a passphrase is always alone, or those who know it could not be
/// sure who else can read, and write, the file.
pub(crate) enum Stanzas {
    Scrypt(ScryptStanza),
    /// Those of the type X25519, which may be none, as others are skipped.
    X25519(Vec<X25519Stanza>),
}

pub(super) struct Header {
    pub stanzas: Stanzas,
    /// What the MAC is of: the header up to and including its mark.
    authenticated: Vec<u8>,
    mac: [u8; 32],
}

impl Header {
    /// Whether the header was written by somebody who knew `file_key`.
    pub fn is_authentic(&self, file_key: &FileKey) -> bool {
        mac(file_key, &self.authenticated).verify_slice(&self.mac).is_ok()
    }
}

fn mac(file_key: &FileKey, authenticated: &[u8]) -> Hmac<Sha256> {
    let key = derive(file_key.0.as_slice(), b"", b"header");
    Hmac::new_from_slice(key.as_slice()).expect("HMAC takes keys of any length").chain_update(authenticated)
}

/// The header with `stanzas`, which wrap `file_key`.
pub(super) fn write(stanzas: &Stanzas, file_key: &FileKey) -> Vec<u8> {
    let mut header = VERSION_LINE.to_vec();
    match stanzas {
        Stanzas::Scrypt(stanza) => write_stanza(&mut header, &stanza.arguments(), &stanza.body),
        Stanzas::X25519(stanzas) => {
            stanzas.iter().for_each(|stanza| write_stanza(&mut header, &stanza.arguments(), &stanza.body));
        }
    }
    header.extend_from_slice(MAC_MARK);
    let mac = mac(file_key, &header).finalize().into_bytes();
    header.extend_from_slice(format!(" {}\n", encode_base64(&mac)).as_bytes());
    header
}

/// Writes a stanza. The bodies that we write fit in one line, which is shorter than [`COLUMNS`].
fn write_stanza(header: &mut Vec<u8>, arguments: &str, body: &[u8; 32]) {
    header.extend_from_slice(format!("-> {arguments}\n{}\n", encode_base64(body)).as_bytes());
}

/// The header at the start of `file`, and what follows it.
pub(super) fn parse(file: &[u8]) -> Option<(Header, &[u8])> {
    let mut rest = file.strip_prefix(VERSION_LINE)?;
    let mut stanzas = Vec::new();
    while let Some(after_mark) = rest.strip_prefix(STANZA_START) {
        rest = after_mark;
        stanzas.push(take_stanza(&mut rest)?);
    }
    let before_mark = file.len() - rest.len();
    let mac = take_line(&mut rest)?.strip_prefix(MAC_MARK)?.strip_prefix(b" ")?;
    let header = Header {
        stanzas: only_valid_mixtures(stanzas)?,
        authenticated: file[..before_mark + MAC_MARK.len()].to_vec(),
        mac: decode_base64(mac)?.try_into().ok()?,
    };
    Some((header, rest))
}

enum Stanza {
    Scrypt(ScryptStanza),
    X25519(X25519Stanza),
    /// Of a type that we do not know, and skip.
    Unknown,
}

fn take_stanza(rest: &mut &[u8]) -> Option<Stanza> {
    let arguments: Vec<&[u8]> = take_line(rest)?.split(|byte| *byte == b' ').collect();
    if !arguments.iter().all(|argument| is_argument(argument)) {
        return None;
    }
    let body = take_body(rest)?;
    match *arguments.as_slice() {
        [b"X25519", ref arguments @ ..] => X25519Stanza::parse(arguments, &body).map(Stanza::X25519),
        [b"scrypt", ref arguments @ ..] => ScryptStanza::parse(arguments, &body).map(Stanza::Scrypt),
        _ => Some(Stanza::Unknown),
    }
}

fn is_argument(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_graphic)
}

/// The bytes that full lines, and a shorter one after them, encode.
fn take_body(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let mut encoded = Vec::new();
    loop {
        let line = take_line(rest)?;
        encoded.extend_from_slice(line);
        match line.len() {
            COLUMNS => {}
            0..COLUMNS => return decode_base64(&encoded),
            _ => return None,
        }
    }
}

/// The text up to the next line feed, which is dropped.
fn take_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let line = &rest[..end];
    *rest = &rest[end + 1..];
    Some(line)
}

fn only_valid_mixtures(stanzas: Vec<Stanza>) -> Option<Stanzas> {
    let count = stanzas.len();
    let mut keys = Vec::new();
    for stanza in stanzas {
        match stanza {
            Stanza::Scrypt(stanza) => return (count == 1).then_some(Stanzas::Scrypt(stanza)),
            Stanza::X25519(stanza) => keys.push(stanza),
            Stanza::Unknown => {}
        }
    }
    (count > 0).then_some(Stanzas::X25519(keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification, with a stanza of an unknown type, wrapped at 64 columns.
    const HEADER: &str = "age-encryption.org/v1\n\
        -> X25519 XEl0dJ6y3C7KZkgmgWUicg63EyXJiwBJW8PdYJ/cYBE\n\
        qRS0AMjdjPvZ/WT08U2KL4G+PIooA3hy38SvLpvaC1E\n\
        -> example.com/! ~ x\n\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\
        \n\
        --- HK2NmOBN9Dpq0Gw6xMCuhFcQlQLvZ/wQUi/2scLG75s\n";
    const SCRYPT: &str = "age-encryption.org/v1\n\
        -> scrypt ajMFur+EJLGaohv/dLRGnw 18\n\
        8SHBz/ldWnjyGFQqfjat6uNBarWqqEMDS7W8X7+Xq5Q\n\
        --- HK2NmOBN9Dpq0Gw6xMCuhFcQlQLvZ/wQUi/2scLG75s\n";

    /// How many X25519 stanzas `header` has, if it can be read.
    fn keys_in(header: &str) -> Option<usize> {
        match parse(header.as_bytes())?.0.stanzas {
            Stanzas::X25519(stanzas) => Some(stanzas.len()),
            Stanzas::Scrypt(_) => None,
        }
    }

    fn needs_passphrase(header: &str) -> bool {
        parse(header.as_bytes()).is_some_and(|(header, _)| matches!(header.stanzas, Stanzas::Scrypt(_)))
    }

    #[test]
    fn header_ends_where_the_payload_begins() {
        let file = format!("{HEADER}payload\n--- ");
        let (header, payload) = parse(file.as_bytes()).unwrap();
        assert_eq!(payload, b"payload\n--- ");
        assert!(header.authenticated.ends_with(b"\n\n---"));
        assert_eq!(header.mac[..2], [0x1c, 0xad]);
    }

    #[test]
    fn stanzas_of_other_types_are_skipped() {
        assert_eq!(keys_in(HEADER), Some(1));
        assert_eq!(keys_in(&HEADER.replace("X25519", "x25519")), Some(0));
        assert_eq!(keys_in(&SCRYPT.replace("scrypt", "Scrypt")), Some(0));
        assert!(needs_passphrase(SCRYPT));
    }

    #[test]
    fn mac_covers_stanzas_that_are_skipped() {
        let file_key = FileKey::generate().unwrap();
        let recipient = x25519_dalek::PublicKey::from(&x25519_dalek::StaticSecret::from([7; 32]));
        let stanza = X25519Stanza::wrap(&file_key, &recipient).unwrap();
        let written = String::from_utf8(write(&Stanzas::X25519(vec![stanza]), &file_key)).unwrap();
        let is_authentic = |header: &str| parse(header.as_bytes()).unwrap().0.is_authentic(&file_key);
        assert!(is_authentic(&written));

        let added = written.replace("---", "-> example.com/!\n\n---");
        assert!(!is_authentic(&added));
        let authenticated = &added[..added.find("---").unwrap() + MAC_MARK.len()];
        let mac = encode_base64(&mac(&file_key, authenticated.as_bytes()).finalize().into_bytes());
        let signed = format!("{authenticated} {mac}\n");
        assert!(is_authentic(&signed));
        assert_eq!(keys_in(&signed), Some(1));
    }

    #[test]
    fn what_breaks_the_grammar_is_refused() {
        let changes = [
            ("/v1\n", "/v2\n"),
            ("/v1\n", "/v1 \n"),
            ("/v1\n", "/v1\r\n"),
            ("-> X", "->X"),
            ("-> X", "->  X"),
            ("-> X", "-- X"),
            ("-> example.com/! ~ x", "->"),
            ("-> example.com/! ~ x", "-> "),
            (" ~ x", " ~ x "),
            (" ~ x", " ~ é"),
            (" ~ x", " ~ x\r"),
            // Bodies: padded, not canonical, with spare characters, without or after their short line.
            ("vaC1E\n", "vaC1E=\n"),
            ("vaC1E\n", "vaC1F\n"),
            ("vaC1E\n", "vaC1E\r\n"),
            ("vaC1E\n", "va*1E\n"),
            ("vaC1E\n", "vaC1E\nAAAA\n"),
            ("AAAA\n\n", "AAAA\n"),
            ("AAAA\n\n", "AAAAA\n\n"),
            ("AAAA\n\n", "AAA\nA\n"),
            // X25519: one share of 32 bytes and a body of 32.
            ("/cYBE\n", "/cYBE x\n"),
            (" XEl0dJ6y3C7KZkgmgWUicg63EyXJiwBJW8PdYJ/cYBE", ""),
            ("/cYBE\n", "/cYBF\n"),
            ("/cYBE\n", "/cYB\n"),
            ("/cYBE\n", "/cYBEA\n"),
            ("vaC1E\n", "vaC0\n"),
            ("vaC1E\n", "vaC1EA\n"),
            ("qRS0AMjdjPvZ/WT08U2KL4G+PIooA3hy38SvLpvaC1E\n", "\n"),
            // MAC: one space, and 32 bytes.
            ("--- H", "---H"),
            ("--- H", "---  H"),
            ("--- H", "-- H"),
            ("G75s\n", "G75s \n"),
            ("G75s\n", "G75t\n"),
            ("G75s\n", "G75s=\n"),
            ("G75s\n", "G75sA\n"),
            ("G75s\n", "G75s"),
            (" HK2NmOBN9Dpq0Gw6xMCuhFcQlQLvZ/wQUi/2scLG75s\n", "\n"),
            ("--- HK2NmOBN9Dpq0Gw6xMCuhFcQlQLvZ/wQUi/2scLG75s\n", ""),
        ];
        for (from, to) in changes {
            let changed = HEADER.replace(from, to);
            assert_ne!(changed, HEADER, "{from:?}");
            assert!(keys_in(&changed).is_none(), "{from:?} to {to:?}");
        }
        let (first, mac) = (HEADER.find("->").unwrap(), HEADER.find("---").unwrap());
        let without_stanzas = format!("{}{}", &HEADER[..first], &HEADER[mac..]);
        assert!(keys_in(&without_stanzas).is_none());
        for length in 0..HEADER.len() {
            assert!(keys_in(&HEADER[..length]).is_none(), "cut at {length}");
        }
    }

    #[test]
    fn scrypt_stanza_is_alone_and_strict() {
        let (start, end) = (SCRYPT.find("->").unwrap(), SCRYPT.find("---").unwrap());
        let scrypt = &SCRYPT[start..end];
        assert!(parse(SCRYPT.replace(scrypt, &scrypt.repeat(2)).as_bytes()).is_none());
        for place in ["-> X25519", "-> example", "--- "] {
            assert!(parse(HEADER.replace(place, &format!("{scrypt}{place}")).as_bytes()).is_none());
        }
        for work_factor in
            ["", "0", "018", "+18", "-18", "0x12", "1e1", "18 ", "18 1", "256", "18446744073709551626"]
        {
            assert!(parse(SCRYPT.replace("18\n", &format!("{work_factor}\n")).as_bytes()).is_none());
        }
        // A work factor that is too large can be read, and is refused when it is to be used.
        assert!(needs_passphrase(&SCRYPT.replace("18\n", "255\n")));
        for salt in ["", "ajMFur+EJLGaohv/dLRG", "ajMFur+EJLGaohv/dLRGnx", "ajMFur+EJLGaohv/dLRGnw=="] {
            assert!(parse(SCRYPT.replace("ajMFur+EJLGaohv/dLRGnw", salt).as_bytes()).is_none());
        }
    }
}
