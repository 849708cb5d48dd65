//! Keys and values before the tensors.

const U32: u32 = 4;
const I32: u32 = 5;
const F32: u32 = 6;
const BOOL: u32 = 7;
const TEXT: u32 = 8;
const LIST: u32 = 9;

/// Keys and values as they stand in the file.
#[derive(Default)]
pub(super) struct Metadata {
    bytes: Vec<u8>,
    count: u64,
}

impl Metadata {
    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub fn u32(&mut self, key: &str, value: u32) {
        self.begin(key, U32);
        self.bytes.extend(value.to_le_bytes());
    }

    pub fn f32(&mut self, key: &str, value: f32) {
        self.begin(key, F32);
        self.bytes.extend(value.to_le_bytes());
    }

    pub fn bool(&mut self, key: &str, value: bool) {
        self.begin(key, BOOL);
        self.bytes.push(value.into());
    }

    pub fn text(&mut self, key: &str, value: &str) {
        self.begin(key, TEXT);
        push_text(&mut self.bytes, value);
    }

    pub fn texts(&mut self, key: &str, values: &[String]) {
        self.begin_list(key, TEXT, values.len());
        values.iter().for_each(|value| push_text(&mut self.bytes, value));
    }

    pub fn i32s(&mut self, key: &str, values: &[i32]) {
        self.begin_list(key, I32, values.len());
        self.bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }

    fn begin(&mut self, key: &str, kind: u32) {
        self.count += 1;
        push_text(&mut self.bytes, key);
        self.bytes.extend(kind.to_le_bytes());
    }

    fn begin_list(&mut self, key: &str, kind: u32, len: usize) {
        self.begin(key, LIST);
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend((len as u64).to_le_bytes());
    }
}

/// Appends a text.
pub(super) fn push_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}
