//! Packs whose chunks lie about how they are stored: bases that form chains and circles, lengths
//! within the stored bytes, codecs that there are not.

use rekindle::Hash;

use super::runs::{Chunk, chunk, varint};

const ZSTD: u8 = 1;
const PLANES: u8 = 2;
const PACKED: u8 = 3;
const DELTA: u8 = 4;
const PATCH: u8 = 5;
/// Added to the code of a codec when the stored bytes are encrypted.
const ENCRYPTED: u8 = 0x80;
/// Bytes of the array that the chunk is said to hold.
const LEN: u32 = 2000;

/// Ways of a section.
const RAW: u8 = 0;
const FRAME: u8 = 1;
const CONSTANT: u8 = 2;
const SPARSE: u8 = 3;

/// Chunks of a run, the root first: an array of one chunk, which is the next.
pub fn all() -> Vec<(String, Vec<Chunk>)> {
    let mut all = Vec::new();
    for (name, chunks) in bases() {
        all.push((format!("base: {name}"), with_root(chunks)));
    }
    for (kind, codec, cases) in
        [("planes", PLANES, planes()), ("packed", PACKED, packed()), ("delta", DELTA, deltas())]
    {
        let stored = |stored| Chunk { base: base_of(codec), ..stored_as(codec, stored) };
        all.extend(cases.into_iter().map(|(name, bytes)| (format!("{kind}: {name}"), array(stored(bytes)))));
    }
    for (name, bytes) in patches() {
        all.push((
            format!("patch: {name}"),
            array(Chunk { base: base_of(PATCH), ..stored_as(PATCH, bytes) }),
        ));
    }
    for code in 6..ENCRYPTED {
        all.push((format!("code {code}"), array(stored_as(code, vec![0; 100]))));
    }
    for codec in 0..=PATCH {
        let encrypted = Chunk { base: base_of(codec), ..stored_as(codec | ENCRYPTED, vec![0; 100]) };
        all.push((format!("encrypted without a key, code {codec}"), array(encrypted)));
    }
    all
}

fn base_of(codec: u8) -> Option<Hash> {
    matches!(codec, DELTA | PATCH).then(|| base().hash)
}

/// What differences are taken from.
fn base() -> Chunk {
    chunk(&[7; LEN as usize])
}

fn stored_as(codec: u8, stored: Vec<u8>) -> Chunk {
    Chunk { hash: Hash::of(b"the array"), raw_len: LEN, codec, stored, base: None }
}

/// A run that holds an array in this chunk, and the base beside it.
fn array(content: Chunk) -> Vec<Chunk> {
    with_root(vec![content, base()])
}

fn with_root(chunks: Vec<Chunk>) -> Vec<Chunk> {
    let mut root = vec![3, 5, 1];
    varint(u64::from(LEN), &mut root);
    root.extend(chunks[0].hash.0);
    let mut all = vec![chunk(&root)];
    all.extend(chunks);
    all
}

/// Differences that say that nothing differs.
fn no_difference() -> Vec<u8> {
    [&[0, 1][..], &section(CONSTANT, &[0])].concat()
}

fn bases() -> Vec<(&'static str, Vec<Chunk>)> {
    let name = |name: &str| Hash::of(name.as_bytes());
    let from =
        |own: Hash, base: Hash| Chunk { hash: own, base: Some(base), ..stored_as(DELTA, no_difference()) };
    // Rightly told, but for the base: the content is that of `base`.
    let right = |base| from(chunk(&[7; LEN as usize]).hash, base);
    let long = |i: u64| if i == 0 { base().hash } else { Hash::of(&i.to_le_bytes()) };
    let mut chain: Vec<Chunk> = (1..2000).rev().map(|i| from(long(i), long(i - 1))).collect();
    chain.push(base());
    let star = (1..2000).map(|i| from(long(i), base().hash)).chain([base()]).collect();
    let liar = Chunk { hash: name("liar"), ..base() };
    vec![
        ("itself", vec![right(base().hash)]),
        ("one that has a base", vec![from(name("a"), name("b")), from(name("b"), base().hash), base()]),
        ("a circle of two", vec![from(name("a"), name("b")), from(name("b"), name("a"))]),
        (
            "a circle of three",
            vec![from(name("a"), name("b")), from(name("b"), name("c")), from(name("c"), name("a"))],
        ),
        ("a chain of 2,000", chain),
        ("2,000 from one", star),
        ("missing", vec![from(name("a"), name("nobody"))]),
        ("shorter", vec![from(name("a"), chunk(&[7; 1999]).hash), chunk(&[7; 1999])]),
        ("longer", vec![from(name("a"), chunk(&[7; 2001]).hash), chunk(&[7; 2001])]),
        ("of no bytes", vec![from(name("a"), chunk(&[]).hash), chunk(&[])]),
        ("of another name", vec![from(name("a"), liar.hash), liar]),
        (
            "of garbage",
            vec![from(name("a"), name("b")), Chunk { hash: name("b"), ..stored_as(ZSTD, vec![0xaa; 90]) }],
        ),
        ("of a codec without", {
            vec![Chunk { base: Some(base().hash), ..stored_as(PLANES, vec![0; 50]) }, base()]
        }),
        ("not told", vec![stored_as(DELTA, no_difference()), base()]),
    ]
}

fn section(way: u8, content: &[u8]) -> Vec<u8> {
    section_of(way, content.len() as u32, content)
}

fn section_of(way: u8, len: u32, content: &[u8]) -> Vec<u8> {
    [&[way][..], &len.to_le_bytes(), content].concat()
}

fn frame(len: usize) -> Vec<u8> {
    zstd::bulk::compress(&vec![0; len], 3).unwrap_or_default()
}

/// Sections that do not make the bytes of one plane of [`LEN`] bytes.
fn sections() -> Vec<(&'static str, Vec<u8>)> {
    let mask = |byte: u8| section(CONSTANT, &[byte]);
    let sparse = |parts: &[Vec<u8>]| section(SPARSE, &parts.concat());
    vec![
        ("no section", vec![]),
        ("a section without its length", vec![RAW, 1]),
        ("a section of 4 GiB", section_of(RAW, u32::MAX, &[0; 50])),
        ("a section cut off", section_of(RAW, LEN, &[0; 1900])),
        ("raw bytes too few", section(RAW, &[0; 1900])),
        ("a frame of 4 MiB", section(FRAME, &frame(4 << 20))),
        ("a frame too short", section(FRAME, &frame(1999))),
        ("a frame of garbage", section(FRAME, &[0xaa; 100])),
        ("a constant of no byte", section(CONSTANT, &[])),
        ("a constant of two bytes", section(CONSTANT, &[1, 2])),
        ("an unknown way", section(9, &[0; 50])),
        ("a way of 255", section(255, &[0; 50])),
        ("sparse within sparse", sparse(&[sparse(&[mask(0), section(RAW, &[])]), section(RAW, &[])])),
        ("sparse values that are sparse", sparse(&[mask(1), sparse(&[mask(0), section(RAW, &[])])])),
        ("a mask without values", sparse(&[mask(255)])),
        ("fewer values than the mask says", sparse(&[mask(255), section(RAW, &[1; 10])])),
        ("more values than the mask says", sparse(&[mask(0), section(RAW, &[1; 10])])),
        ("a mask of one byte", sparse(&[section(RAW, &[0]), section(RAW, &[])])),
        ("bytes after sparse values", sparse(&[mask(0), section(RAW, &[]), vec![0; 5]])),
        ("two sections", [section(CONSTANT, &[0]), section(CONSTANT, &[0])].concat()),
        ("bytes after the last section", [section(CONSTANT, &[0]), vec![0]].concat()),
    ]
}

fn planes() -> Vec<(&'static str, Vec<u8>)> {
    let one = section(CONSTANT, &[0]);
    let mut all = vec![("no bytes", vec![])];
    for (name, width) in [
        ("a width of 0", 0),
        ("a width of 3", 3),
        ("a width of 16", 16),
        ("a width of 127", 127),
        ("a turned width of 0", 0x80),
        ("a turned width of 3", 0x83),
        ("fewer planes than its width", 8),
    ] {
        all.push((name, [&[width][..], &one.repeat(3)].concat()));
    }
    all.extend(sections().into_iter().map(|(name, bytes)| (name, [&[1][..], &bytes].concat())));
    all
}

fn deltas() -> Vec<(&'static str, Vec<u8>)> {
    let mut all: Vec<_> =
        planes().into_iter().map(|(name, bytes)| (name, [&[0][..], &bytes].concat())).collect();
    let planes = [&[1][..], &section(CONSTANT, &[1])].concat();
    all.push(("an unknown way of differences", [&[3][..], &planes].concat()));
    all.push(("a way of 255 of differences", [&[255][..], &planes].concat()));
    all.push(("only its way", vec![0]));
    all
}

fn packed() -> Vec<(&'static str, Vec<u8>)> {
    let head = |width: u8, low_bits: u8, radix: u16, rest: usize| {
        [&[0; 8][..], &[width, low_bits], &radix.to_le_bytes(), &vec![0xff; rest]].concat()
    };
    vec![
        ("no bytes", vec![]),
        ("half a head", vec![0; 6]),
        ("a width of 0", head(0, 1, 1, 250)),
        ("a width of 3", head(3, 1, 1, 250)),
        ("a width of 255", head(255, 1, 1, 250)),
        ("65 low bits", head(8, 65, 1, 1900)),
        ("255 low bits", head(8, 255, 1, 1900)),
        ("a radix of 0", head(1, 1, 0, 250)),
        ("a radix of 65", head(1, 1, 65, 250)),
        ("a radix of 65,535", head(1, 1, u16::MAX, 250)),
        ("too few low bits", head(1, 1, 1, 249)),
        ("too many low bits", head(1, 1, 1, 251)),
        ("too few words", head(1, 0, 3, 392)),
        ("more low bits than its width", head(2, 15, 1, 1875)),
        ("digits beyond its width", head(8, 60, 64, 1875 + 200)),
        ("words beyond all digits", head(1, 0, 3, 400)),
    ]
}

fn patches() -> Vec<(&'static str, Vec<u8>)> {
    let patch = |len: u32, operations: &[u8], differences: &[u8]| {
        [&len.to_le_bytes()[..], operations, differences].concat()
    };
    let of = |operations: &[u8]| {
        patch(operations.len() as u32, &section(RAW, operations), &section(CONSTANT, &[0]))
    };
    let operation = |len: u64, shift: u64| {
        let mut out = Vec::new();
        varint(len, &mut out);
        varint(shift, &mut out);
        out
    };
    let none = section(CONSTANT, &[0]);
    let mut all = vec![
        ("no bytes", vec![]),
        ("half a length", vec![0, 0]),
        ("4 GiB of operations", patch(u32::MAX, &none, &none)),
        ("more operations than bytes", patch(LEN * 20 + 1, &none, &none)),
        ("40,000 bytes of operations of no length", patch(LEN * 20, &none, &none)),
        ("40,000 bytes of a number", patch(LEN * 20, &section(CONSTANT, &[0x80]), &none)),
        ("no operations", of(&[])),
        ("operations too short", of(&operation(1999, 0))),
        ("operations too long", of(&operation(2001, 0))),
        ("an operation of 2^64 - 1 bytes", of(&operation(u64::MAX, 0))),
        ("an operation of 2^63 bytes", of(&operation(1 << 63, 0))),
        ("lengths that wrap", of(&[operation(1999, 0), operation(u64::MAX - 1998, 0)].concat())),
        ("a shift of 2^63 - 1", of(&operation(2000, u64::MAX - 1))),
        ("a shift of - 2^63", of(&operation(2000, u64::MAX))),
        ("shifts that wrap", of(&[operation(1000, u64::MAX - 1), operation(1000, u64::MAX - 1)].concat())),
        ("half an operation", of(&[0xd0, 0x0f])),
        ("a number of eleven bytes", of(&[0xff; 22])),
    ];
    let whole = operation(2000, 2);
    let len = whole.len() as u32;
    all.extend(sections().into_iter().map(|(name, bytes)| (name, patch(len, &section(RAW, &whole), &bytes))));
    all
}
